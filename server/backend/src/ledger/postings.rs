//! The ledger as settling reads and writes it: many accounts and hours at once. Appends only. Which transfers to make is
//! decided in `domain::credit`, and when in `metering`; one account's pages read `ledger`.

use std::collections::HashMap;

use domain::credit::{Grant, Payer};
use domain::id::{AccountId, GrantId, LedgerAccountId};
use domain::moment::Moment;
use domain::money::Ticks;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::{moment, numeric, ticks};
use crate::failure::Broken;
use crate::ledger::{NewTransfer, System};
use crate::random;

/// Grants with something left of one batch of accounts; far above what incidents can give.
const GRANTS_MAX: i64 = 200_000;

/// Hours that nobody paid, looked at in one batch: a year of ten accounts. What more there is stays as it is.
const UNPAID_MAX: i64 = 100_000;

pub type Hour = (AccountId, Moment);

#[derive(Debug, Default)]
pub struct Booked {
    /// Net per payer, in the order in which it was first booked.
    pub payers: Vec<(Payer, Ticks)>,
    /// How many transfers that took.
    pub transfers: i64,
}

fn columns(hours: &[Hour]) -> (Vec<Uuid>, Vec<OffsetDateTime>) {
    hours
        .iter()
        .map(|(account_id, hour)| (account_id.0, OffsetDateTime::from(*hour)))
        .unzip()
}

/// What is rated for each of these hours; an hour without usage is missing.
pub(crate) async fn rated(
    db: &mut PgConnection,
    hours: &[Hour],
) -> Result<HashMap<Hour, Ticks>, Broken> {
    let (accounts, times) = columns(hours);
    let rows = sqlx::query!(
        r#"SELECT h.account_id, h.hour_at, sum(h.ticks) AS "ticks!"
           FROM unnest($1::uuid[], $2::timestamptz[]) AS u (account_id, hour_at)
           JOIN usage_hours AS h ON h.account_id = u.account_id AND h.hour_at = u.hour_at
           GROUP BY h.account_id, h.hour_at"#,
        &accounts,
        &times
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok((
                (row.account_id.into(), moment(row.hour_at)),
                ticks(row.ticks)?,
            ))
        })
        .collect()
}

/// What is booked for each of these hours; an hour without postings is missing.
pub(crate) async fn booked(
    db: &mut PgConnection,
    hours: &[Hour],
) -> Result<HashMap<Hour, Booked>, Broken> {
    let (accounts, times) = columns(hours);
    let rows = sqlx::query!(
        r#"SELECT t.account_id, t.service_hour AS "hour!", payer.ledger_account_id, payer.kind,
                  sum(CASE t.kind WHEN 'correction' THEN -t.ticks ELSE t.ticks END) AS "net!", count(*) AS "count!"
           FROM unnest($1::uuid[], $2::timestamptz[]) AS u (account_id, hour_at)
           JOIN transfers AS t ON t.account_id = u.account_id AND t.service_hour = u.hour_at
           JOIN ledger_accounts AS payer ON payer.account_id = t.account_id AND payer.kind IN ('grant', 'overrun')
                AND payer.ledger_account_id = CASE t.kind WHEN 'correction' THEN t.credit_id ELSE t.debit_id END
           GROUP BY t.account_id, t.service_hour, payer.ledger_account_id, payer.kind
           ORDER BY t.account_id, t.service_hour, min(t.booked_at), min(t.transfer_id::text)"#,
        &accounts,
        &times
    )
    .fetch_all(db)
    .await?;
    let mut booked: HashMap<Hour, Booked> = HashMap::new();
    for row in rows {
        let payer = if row.kind == "grant" {
            Payer::Grant(row.ledger_account_id.into())
        } else {
            Payer::Overrun
        };
        let hour = booked
            .entry((row.account_id.into(), moment(row.hour)))
            .or_default();
        hour.payers.push((payer, ticks(row.net)?));
        hour.transfers += row.count;
    }
    Ok(booked)
}

/// Hours of these accounts that nobody paid, net, the oldest of each account first.
pub(crate) async fn unpaid(
    db: &mut PgConnection,
    accounts: &[AccountId],
) -> Result<Vec<(Hour, Ticks)>, Broken> {
    let ids: Vec<Uuid> = accounts.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"SELECT t.account_id, t.service_hour AS "hour!",
                  sum(CASE WHEN t.debit_id = la.ledger_account_id THEN t.ticks ELSE -t.ticks END) AS "net!"
           FROM ledger_accounts AS la
           JOIN transfers AS t ON t.account_id = la.account_id AND t.kind <> 'usage' AND t.kind IN ('overrun', 'correction')
                AND la.ledger_account_id IN (t.debit_id, t.credit_id)
           WHERE la.account_id = ANY($1) AND la.kind = 'overrun' AND t.service_hour IS NOT NULL
           GROUP BY t.account_id, t.service_hour
           HAVING sum(CASE WHEN t.debit_id = la.ledger_account_id THEN t.ticks ELSE -t.ticks END) > 0
           ORDER BY t.account_id, t.service_hour LIMIT $2"#,
        &ids,
        UNPAID_MAX
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| Ok(((row.account_id.into(), moment(row.hour)), ticks(row.net)?)))
        .collect()
}

/// Grants of these accounts that have something left, or are among `named`.
pub(crate) async fn grants(
    db: &mut PgConnection,
    accounts: &[AccountId],
    named: &[GrantId],
) -> Result<HashMap<AccountId, Vec<Grant>>, Broken> {
    let ids: Vec<Uuid> = accounts.iter().map(|id| id.0).collect();
    let named: Vec<Uuid> = named.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"SELECT g.account_id, g.grant_id, g.priority, g.starts_at, g.ends_at, g.granted_at,
                  la.credit_ticks - la.debit_ticks AS "remaining!"
           FROM grants AS g
           JOIN ledger_accounts AS la ON la.account_id = g.account_id AND la.ledger_account_id = g.grant_id
           WHERE g.account_id = ANY($1) AND (la.credit_ticks > la.debit_ticks OR g.grant_id = ANY($2)) LIMIT $3"#,
        &ids,
        &named,
        GRANTS_MAX
    )
    .fetch_all(db)
    .await?;
    if rows.len() >= usize::try_from(GRANTS_MAX)? {
        return Err(Broken::new("more grants than can be burned at once"));
    }
    let mut grants: HashMap<AccountId, Vec<Grant>> = HashMap::new();
    for row in rows {
        grants
            .entry(row.account_id.into())
            .or_default()
            .push(Grant {
                grant_id: row.grant_id.into(),
                priority: row.priority,
                starts_at: moment(row.starts_at),
                ends_at: row.ends_at.map(moment),
                granted_at: moment(row.granted_at),
                remaining: ticks(row.remaining)?,
            });
    }
    Ok(grants)
}

/// The ids of one system account of each of these accounts, making those that are new.
pub(crate) async fn system_accounts(
    db: &mut PgConnection,
    accounts: &[AccountId],
    system: System,
    now: OffsetDateTime,
) -> Result<HashMap<AccountId, LedgerAccountId>, Broken> {
    let ids: Vec<Uuid> = accounts.iter().map(|id| id.0).collect();
    let stored = sqlx::query!(
        "SELECT account_id, ledger_account_id FROM ledger_accounts WHERE account_id = ANY($1) AND kind = $2",
        &ids,
        system.as_str()
    )
    .fetch_all(&mut *db)
    .await?;
    let mut found: HashMap<AccountId, LedgerAccountId> = stored
        .into_iter()
        .map(|row| (row.account_id.into(), row.ledger_account_id.into()))
        .collect();
    let missing: Vec<Uuid> = accounts
        .iter()
        .filter(|id| !found.contains_key(id))
        .map(|id| id.0)
        .collect();
    if missing.is_empty() {
        return Ok(found);
    }
    let fresh: Vec<Uuid> = missing.iter().map(|_| random::id(now)).collect();
    sqlx::query!(
        "INSERT INTO ledger_accounts (account_id, ledger_account_id, kind, is_tracked)
         SELECT account_id, id, $3, false FROM unnest($1::uuid[], $2::uuid[]) AS u (account_id, id)
         ON CONFLICT (account_id, kind) WHERE kind <> 'grant' DO NOTHING",
        &missing,
        &fresh,
        system.as_str()
    )
    .execute(&mut *db)
    .await?;
    let made = sqlx::query!(
        "SELECT account_id, ledger_account_id FROM ledger_accounts WHERE account_id = ANY($1) AND kind = $2",
        &missing,
        system.as_str()
    );
    for row in made.fetch_all(db).await? {
        found.insert(row.account_id.into(), row.ledger_account_id.into());
    }
    Ok(found)
}

/// Appends transfers of many accounts in one statement, in their order. A key that exists already is an error, not a
/// silence: who posts twice has lost count.
pub(crate) async fn append(
    db: &mut PgConnection,
    transfers: &[(AccountId, NewTransfer)],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    macro_rules! column {
        ($type:ty, $row:ident => $value:expr) => {
            transfers
                .iter()
                .map(|(_, $row)| $value)
                .collect::<Vec<$type>>()
        };
    }
    if transfers.is_empty() {
        return Ok(());
    }
    let accounts: Vec<Uuid> = transfers.iter().map(|(id, _)| id.0).collect();
    let mut ids: Vec<Uuid> = transfers.iter().map(|_| random::id(now)).collect();
    // Ids of one moment differ in random bits only: sorted, they say again in which order payers paid.
    ids.sort_unstable();
    let amounts = transfers
        .iter()
        .map(|(_, row)| numeric(row.ticks))
        .collect::<Result<Vec<Decimal>, _>>()?;
    sqlx::query!(
        "INSERT INTO transfers (account_id, transfer_id, debit_id, credit_id, ticks, kind, key, service_hour, booked_at)
         SELECT *, $9::timestamptz FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::numeric[], $6::text[],
              $7::text[], $8::timestamptz[])",
        &accounts,
        &ids,
        &column!(Uuid, row => row.debit.0),
        &column!(Uuid, row => row.credit.0),
        &amounts,
        &column!(String, row => row.kind.as_str().to_owned()),
        &column!(String, row => row.key.clone()),
        &column!(Option<OffsetDateTime>, row => row.service_hour.map(Into::into)) as &[Option<OffsetDateTime>],
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A grant that has ended and what is left of it.
pub struct EndedRow {
    pub account_id: AccountId,
    pub grant_id: GrantId,
    /// What is left; may be nothing.
    pub rest: Ticks,
    /// How often its end was booked before.
    pub expiries: i32,
}

/// Grants of accounts that end at or before a moment of each and whose end is not booked yet, or that were given
/// something back since.
pub(crate) async fn ended(
    db: &mut PgConnection,
    accounts: &[(AccountId, OffsetDateTime)],
) -> Result<Vec<EndedRow>, Broken> {
    let (ids, until): (Vec<Uuid>, Vec<OffsetDateTime>) =
        accounts.iter().map(|(id, until)| (id.0, *until)).unzip();
    let rows = sqlx::query!(
        r#"SELECT g.account_id, g.grant_id, g.expiries, la.credit_ticks - la.debit_ticks AS "rest!"
           FROM unnest($1::uuid[], $2::timestamptz[]) AS u (account_id, until)
           JOIN grants AS g ON g.account_id = u.account_id AND g.ends_at <= u.until
           JOIN ledger_accounts AS la ON la.account_id = g.account_id AND la.ledger_account_id = g.grant_id
           WHERE g.expiries = 0 OR la.credit_ticks > la.debit_ticks
           ORDER BY g.account_id, g.grant_id LIMIT $3"#,
        &ids,
        &until,
        GRANTS_MAX
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(EndedRow {
                account_id: row.account_id.into(),
                grant_id: row.grant_id.into(),
                rest: ticks(row.rest)?,
                expiries: row.expiries,
            })
        })
        .collect()
}

/// Notes that the end of these grants is booked.
pub(crate) async fn expired(db: &mut PgConnection, ended: &[EndedRow]) -> Result<(), Broken> {
    let accounts: Vec<Uuid> = ended.iter().map(|row| row.account_id.0).collect();
    let grants: Vec<Uuid> = ended.iter().map(|row| row.grant_id.0).collect();
    sqlx::query!(
        "UPDATE grants AS g SET expiries = g.expiries + 1
         FROM unnest($1::uuid[], $2::uuid[]) AS u (account_id, grant_id)
         WHERE g.account_id = u.account_id AND g.grant_id = u.grant_id",
        &accounts,
        &grants
    )
    .execute(db)
    .await?;
    Ok(())
}
