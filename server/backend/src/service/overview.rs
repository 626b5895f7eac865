//! The overview: what is left, how fast it goes, when it ends, what runs. One snapshot, so every figure agrees.

use domain::figures::{Figures, Stage};
use domain::limits::OVERVIEW_ROWS;
use domain::moment::{HOUR_MS, Moment};
use domain::money::Ticks;
use domain::usage::{Range, Series};
use sqlx::PgConnection;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::sandboxes::SandboxRow;
use super::usage::{last_month_start, month_start};
use super::{FeedStatus, credit, snapshot, usage};
use crate::Backend;
use crate::actor::Actor;
use crate::failure::Broken;
use crate::metering::live::{self, Live};
use crate::store::{keys, sandboxes, usage_hours};

/// Everything the overview shows.
pub struct Overview {
    /// The figures that move.
    pub figures: Figures,
    /// How far they can be trusted.
    pub feed: FeedStatus,
    /// Cost of this UTC month so far.
    pub month: Ticks,
    /// Cost of the UTC month before.
    pub last_month: Ticks,
    /// Cost by day over 30 days.
    pub spend: Series,
    /// The newest running sandboxes, at most five.
    pub running: Vec<SandboxRow>,
    /// Live keys.
    pub keys: i64,
    /// Running sandboxes.
    pub sandboxes: i64,
}

/// Reads the whole page.
///
/// # Errors
/// When the database fails.
pub async fn read(backend: &Backend, actor: &Actor) -> Result<Overview, Broken> {
    let account_id = actor.account_id();
    let mut tx = snapshot(backend).await?;
    let live = live::read(backend, &mut tx, account_id).await?;
    let (figures, counts) = figures_of(&mut tx, actor, &live).await?;
    let start = month_start(live.feed.as_of);
    let posted = usage_hours::total(&mut tx, account_id, start, Moment::MAX).await?;
    let unposted: Ticks = live
        .running
        .iter()
        .map(|running| running.since(start).1)
        .sum();
    Ok(Overview {
        figures,
        feed: live.feed,
        month: posted.saturating_add(unposted),
        last_month: usage_hours::total(
            &mut tx,
            account_id,
            last_month_start(live.feed.as_of),
            start,
        )
        .await?,
        spend: usage::with(&mut tx, account_id, &live, Range::Month).await?,
        running: super::sandboxes::running(&mut tx, actor, &live, OVERVIEW_ROWS).await?,
        keys: counts.keys,
        sandboxes: counts.running,
    })
}

/// Reads only the figures that move.
///
/// # Errors
/// When the database fails.
pub async fn figures(backend: &Backend, actor: &Actor) -> Result<Figures, Broken> {
    let mut tx = snapshot(backend).await?;
    let live = live::read(backend, &mut tx, actor.account_id()).await?;
    Ok(figures_of(&mut tx, actor, &live).await?.0)
}

struct Counts {
    keys: i64,
    running: i64,
}

async fn figures_of(
    db: &mut PgConnection,
    actor: &Actor,
    live: &Live,
) -> Result<(Figures, Counts), Broken> {
    let balance = credit::with(db, actor.account_id(), live).await?.remaining;
    let keys = keys::count_live(db, actor.account_id()).await?;
    let (running, any) = sandboxes::count(db, actor.account_id()).await?;
    let first = super::sandboxes::first(db, actor, live).await?;
    let rate = live.per_hour();
    let figures = Figures {
        stage: match (any, keys) {
            (true, _) => Stage::Underway,
            (false, 0) => Stage::NeedsKey,
            (false, _) => Stage::NeedsSandbox,
        },
        balance: balance.dollars(6),
        balance_ticks: balance.to_string(),
        rate_per_hour: rate.dollars(3),
        running,
        runs_out: runs_out(balance, rate, live.feed.as_of),
        as_of: worded(live.feed.as_of),
        stale: live.feed.stale || live.feed.stopped,
        first_sandbox: first
            .filter(|row| live.feed.as_of - row.created_at < time::Duration::HOUR)
            .map(|row| in_words(&row, live.feed.as_of)),
    };
    Ok((figures, Counts { keys, running }))
}

/// When the balance ends at this rate; none while nothing runs, or beyond the year 9999.
fn runs_out(balance: Ticks, rate: Ticks, as_of: OffsetDateTime) -> Option<String> {
    if !rate.is_positive() {
        return None;
    }
    let ms = balance.get().checked_mul(i128::from(HOUR_MS))? / rate.get();
    let end = as_of.checked_add(time::Duration::milliseconds(i64::try_from(ms).ok()?))?;
    Some(in_minutes(end))
}

/// `run78cb… started 3 s ago, $0.0000342 so far`.
fn in_words(row: &SandboxRow, as_of: OffsetDateTime) -> String {
    let id: String = row.sandbox_id.as_str().chars().take(7).collect();
    let seconds = (as_of - row.created_at).whole_seconds().max(0);
    let ago = match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        _ => format!("{} h {:02} min", seconds / 3_600, seconds % 3_600 / 60),
    };
    format!("{id}… started {ago} ago, {} so far", row.cost.dollars(7))
}

/// `23 Nov 2026, 14:20 UTC`: a forecast is not known to the second.
fn in_minutes(at: OffsetDateTime) -> String {
    const FORMAT: &[BorrowedFormatItem<'_>] =
        format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");
    at.to_offset(time::UtcOffset::UTC)
        .format(FORMAT)
        .unwrap_or_default()
}

/// `23 Nov 2026, 14:20:05 UTC`.
fn worded(at: OffsetDateTime) -> String {
    const FORMAT: &[BorrowedFormatItem<'_>] = format_description!(
        "[day padding:none] [month repr:short] [year], [hour]:[minute]:[second] UTC"
    );
    at.to_offset(time::UtcOffset::UTC)
        .format(FORMAT)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use domain::money::Cents;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn fifty_dollars_at_one_sandbox_end_after_fifty_days() {
        let rate = Ticks::new(41_000 * 1_024 * 3_600_000).unwrap();
        let end = runs_out(
            Ticks::from_cents(Cents(5_000)),
            rate,
            datetime!(2026-01-01 00:00 UTC),
        );
        // 4,390,243 s later.
        assert_eq!(end.as_deref(), Some("20 Feb 2026, 19:30 UTC"));
        assert_eq!(
            runs_out(Ticks::ZERO, Ticks::ZERO, datetime!(2026-01-01 00:00 UTC)),
            None
        );
    }
}
