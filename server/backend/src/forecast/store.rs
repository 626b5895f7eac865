//! The computed future of each account: when it is due to be computed again, and what came out.
//! The computing is `domain::forecast`'s; who is told of it is `watch`'s.

use domain::forecast::{Cause, Zero};
use domain::id::AccountId;
use domain::money::Ticks;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::db::{numeric, ticks};
use crate::failure::Broken;

/// Accounts whose forecast is due at a moment of the feed, those marked stale first.
pub(crate) async fn due(
    db: &mut PgConnection,
    as_of: OffsetDateTime,
    limit: i64,
) -> Result<Vec<AccountId>, Broken> {
    let rows = sqlx::query_scalar!(
        "SELECT account_id FROM forecasts WHERE due_at <= $1 ORDER BY due_at, account_id LIMIT $2",
        as_of,
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

pub(crate) struct Before {
    pub epoch: i32,
    /// Usable credit at its start.
    pub base: Ticks,
    /// What the orchestrator was told: the end, and what ends.
    pub told: Option<Zero>,
    /// What its allowance was made from; none before the first.
    pub basis: Option<Vec<u8>>,
    /// Up to when the figures of the last computing were exact; none before the first.
    pub computed_at: Option<OffsetDateTime>,
}

/// Takes a forecast that is still due; none when another worker has it or was faster. The row stays locked, so that
/// whoever touches it meanwhile waits, and finds it computed and touches it again.
pub(crate) async fn take(
    db: &mut PgConnection,
    account_id: AccountId,
    as_of: OffsetDateTime,
) -> Result<Option<Before>, Broken> {
    let row = sqlx::query!(
        "SELECT o.epoch, o.base_ticks, o.computed_at, a.run_until, a.run_until_cause, a.allowance_basis FROM forecasts AS o JOIN accounts AS a ON a.account_id = $1
         WHERE o.account_id = $1 AND o.due_at <= $2 FOR UPDATE OF o SKIP LOCKED",
        account_id.0,
        as_of
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        Ok(Before {
            epoch: row.epoch,
            base: ticks(row.base_ticks)?,
            computed_at: row.computed_at,
            basis: row.allowance_basis,
            told: row.run_until.map(|at| Zero {
                at: at.into(),
                // Told before causes were.
                cause: row
                    .run_until_cause
                    .as_deref()
                    .and_then(Cause::parse)
                    .unwrap_or(Cause::Credit),
            }),
        })
    })
    .transpose()
}

/// The future of an account as its present rates imply it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// Up to when the figures it comes from were exact.
    pub computed_at: OffsetDateTime,
    /// What runs costs per hour at the price of then.
    pub rate: Ticks,
    /// When nothing may run any more, and why; none while no end is in sight.
    pub zero: Option<(OffsetDateTime, Cause)>,
    /// The grant epoch.
    pub epoch: i32,
    /// Usable credit at its start.
    pub base: Ticks,
}

/// Writes what was computed and when to compute it again.
pub(crate) async fn put(
    db: &mut PgConnection,
    account_id: AccountId,
    forecast: &Forecast,
    due_at: OffsetDateTime,
) -> Result<(), Broken> {
    let (zero_at, cause) = forecast.zero.unzip();
    sqlx::query!(
        "UPDATE forecasts SET due_at = $2, computed_at = $3, rate_ticks = $4, zero_at = $5, cause = $6, epoch = $7,
                base_ticks = $8 WHERE account_id = $1",
        account_id.0,
        due_at,
        forecast.computed_at,
        numeric(forecast.rate)?,
        zero_at,
        cause.map(Cause::as_str),
        forecast.epoch,
        numeric(forecast.base)?
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Puts off a forecast that could not be computed, so that it does not hold up the others.
pub(crate) async fn postpone(
    db: &mut PgConnection,
    account_id: AccountId,
    until: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE forecasts SET due_at = $2 WHERE account_id = $1",
        account_id.0,
        until
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Reads a forecast for a page; none before it was first computed.
pub(crate) async fn peek(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Option<Forecast>, Broken> {
    let row = sqlx::query!(
        r#"SELECT computed_at AS "computed_at!", rate_ticks, zero_at, cause, epoch, base_ticks FROM forecasts
           WHERE account_id = $1 AND computed_at IS NOT NULL"#,
        account_id.0
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let cause = row
        .cause
        .map(|word| Cause::parse(&word).ok_or_else(|| Broken::new("forecast of an unknown cause")))
        .transpose()?;
    Ok(Some(Forecast {
        computed_at: row.computed_at,
        rate: ticks(row.rate_ticks)?,
        zero: row.zero_at.zip(cause),
        epoch: row.epoch,
        base: ticks(row.base_ticks)?,
    }))
}
