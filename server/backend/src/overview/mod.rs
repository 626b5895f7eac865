//! The overview: what is left, how fast it goes, when it ends, what runs, what needs a look. One snapshot, so every figure
//! agrees; sums come from hours, never from slices or transfers, so the page costs the same whatever lies behind it.

pub mod attention;
pub mod nav;
pub mod stopped;
mod store;

use std::sync::Arc;

use domain::ceilings::OVERVIEW_ROWS;
use domain::figures::{Figures, Stage};
use domain::forecast::{self, Cause, Zero};
use domain::moment::{HOUR_MS, Moment};
use domain::money::Ticks;
use domain::price::BilledMs;
use domain::usage::grid::{Grid, Utc};
use domain::usage::{Range, Series};
use sqlx::PgConnection;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::authority::actor::Actor;
use crate::authority::view::View;
use crate::credit::standing::Standing;
use crate::failure::Broken;
use crate::metering::live::{FeedStatus, Live};
use crate::overview::attention::Attention;
use crate::overview::store::Glance;
use crate::sandboxes::{self, SandboxRow};
use crate::usage;
use crate::zone::last_month_start;

/// Everything the overview shows.
pub struct Overview {
    /// The figures that move.
    pub figures: Figures,
    /// Credit left, for the frame.
    pub balance: Ticks,
    /// How far they can be trusted.
    pub feed: FeedStatus,
    /// Cost of this UTC month so far.
    pub month: Ticks,
    /// Cost of this UTC month should the pace of now last.
    pub projected: Ticks,
    /// Cost of the UTC month before.
    pub last_month: Ticks,
    /// The customer's own monthly limit.
    pub limit: Option<Ticks>,
    /// Cost by day over 30 days.
    pub spend: Series,
    /// The newest running sandboxes, at most five.
    pub running: Vec<SandboxRow>,
    /// What needs a look.
    pub attention: Vec<Attention>,
    /// Keys that are not revoked.
    pub keys: i64,
    /// Sandboxes that run at `feed.as_of`.
    pub sandboxes: i64,
}

/// Reads the whole page.
///
/// # Errors
/// When the database fails or an hour has no price.
#[tracing::instrument(skip_all, name = "overview.read")]
pub async fn read(view: &mut View) -> Result<Overview, Broken> {
    let (standing, glance) = (Standing::of(view).await?, glance(view).await?);
    let live = &standing.live;
    let (_, actor, db) = view.parts();
    let as_of = Moment::from(live.feed.as_of);
    let (month_at, last_at) = (
        forecast::month_start(as_of),
        last_month_start(live.feed.as_of),
    );
    let grid = Grid::of(Range::Month, as_of, &Utc);
    let since = last_at.min(grid.from());
    let days = days(db, actor, live, since).await?;
    let spent = |from: Moment, until: Moment| -> Ticks {
        let inside = days.iter().filter(|(day, ..)| from <= *day && *day < until);
        inside.map(|(.., ticks)| *ticks).sum()
    };
    let (month, last_month) = (standing.spent, spent(last_at, month_at));
    let (limit, zero) = (standing.limit(), standing.zero()?);
    let balance = standing.burned.balance().left;
    let figures = worded(db, actor, live, &glance, (balance, zero)).await?;
    Ok(Overview {
        figures,
        balance,
        feed: live.feed,
        month,
        projected: projected(month, live.per_hour(), as_of),
        last_month,
        limit: limit.map(|limit| limit.monthly),
        running: sandboxes::running(db, actor, live, OVERVIEW_ROWS).await?,
        attention: attention::read(db, actor, live, zero, limit).await?,
        spend: Series::fill(grid, as_of, days),
        keys: glance.keys,
        sandboxes: glance.running,
    })
}

/// Reads only the figures that move.
///
/// # Errors
/// When the database fails or an hour has no price.
#[tracing::instrument(skip_all, name = "overview.figures")]
pub async fn figures(view: &mut View) -> Result<Figures, Broken> {
    let (standing, glance) = (Standing::of(view).await?, glance(view).await?);
    let live = &standing.live;
    let (_, actor, db) = view.parts();
    let end = (standing.burned.balance().left, standing.zero()?);
    worded(db, actor, live, &glance, end).await
}

/// The counts of an account, read once for frame and page.
async fn glance(view: &mut View) -> Result<Arc<Glance>, Broken> {
    if let Some(glance) = view.kept() {
        return Ok(glance);
    }
    let (_, actor, db) = view.parts();
    let glance = store::glance(db, actor.account_id()).await?;
    Ok(view.keep(glance))
}

/// Cost by UTC day, running sandboxes included.
async fn days(
    db: &mut PgConnection,
    actor: &Actor,
    live: &Live,
    since: Moment,
) -> Result<Vec<(Moment, BilledMs, Ticks)>, Broken> {
    let mut days = usage::days::by_day(db, actor.account_id(), since).await?;
    let slices = live.running.iter().flat_map(|running| &running.slices);
    let slices = slices.filter(|slice| slice.hour >= since);
    days.extend(slices.map(|slice| (slice.hour, slice.billed, slice.ticks)));
    Ok(days)
}

/// Month to date plus the pace of now for the rest of the month, by floor.
fn projected(month: Ticks, per_hour: Ticks, as_of: Moment) -> Ticks {
    let rest = i128::from(forecast::next_month(as_of).since_ms(as_of));
    let more = per_hour.get().saturating_mul(rest) / i128::from(HOUR_MS);
    month.saturating_add(Ticks::new(more).unwrap_or_default())
}

async fn worded(
    db: &mut PgConnection,
    actor: &Actor,
    live: &Live,
    glance: &Glance,
    (balance, zero): (Ticks, Option<Zero>),
) -> Result<Figures, Broken> {
    let as_of = live.feed.as_of;
    // Only in its first hour does an account hear of its first sandbox.
    let is_new = |at: OffsetDateTime| as_of - at < time::Duration::HOUR;
    let first = match glance.first_at.filter(|at| is_new(*at)) {
        Some(_) => sandboxes::first(db, actor, live).await?,
        None => None,
    };
    let per_hour = live.per_hour();
    let (runs_out, runs_out_at, runs_out_note) = end(zero, per_hour, as_of);
    Ok(Figures {
        stage: match (glance.first_at, glance.keys) {
            (Some(_), _) => Stage::Underway,
            (None, 0) => Stage::NeedsKey,
            (None, _) => Stage::NeedsSandbox,
        },
        balance: balance.dollars(6),
        balance_ticks: balance.to_string(),
        rate_per_hour: per_hour.dollars(3),
        running: glance.running,
        runs_out,
        runs_out_at,
        runs_out_note,
        as_of: to_the_second(as_of),
        stale: live.feed.stale || live.feed.failing || live.feed.stopped,
        first_sandbox: first.map(|row| in_words(&row, as_of)),
    })
}

/// How long it lasts, when it ends, and what that means.
fn end(zero: Option<Zero>, per_hour: Ticks, as_of: OffsetDateTime) -> (String, String, String) {
    let Some(zero) = zero else {
        let note = if per_hour.is_positive() {
            "at this pace"
        } else {
            "nothing runs"
        };
        return ("never".to_owned(), String::new(), note.to_owned());
    };
    let at = OffsetDateTime::from(zero.at);
    if at <= as_of {
        let note = match zero.cause {
            Cause::Credit => "credit is empty",
            Cause::Limit => "your monthly limit is reached",
        };
        return ("now".to_owned(), String::new(), note.to_owned());
    }
    let note = match (zero.cause, per_hour.is_positive()) {
        (Cause::Credit, true) => "empty, at this pace",
        (Cause::Credit, false) => "the last credit ends by its date",
        (Cause::Limit, _) => "your monthly limit is reached, at this pace",
    };
    (lasting(at - as_of), in_minutes(at), note.to_owned())
}

/// `in 25 days`, `in 21 h 40 m`, `in 32 min`: whole units, never longer than it is.
fn lasting(left: time::Duration) -> String {
    let minutes = left.whole_minutes().max(0);
    match minutes {
        0 => "within a minute".to_owned(),
        1..60 => format!("in {minutes} min"),
        60..2_880 => format!("in {} h {:02} m", minutes / 60, minutes % 60),
        _ => format!("in {} days", minutes / 1_440),
    }
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

/// `Mon 23 Nov 2026, 14:20 UTC`: a forecast is not known to the second.
fn in_minutes(at: OffsetDateTime) -> String {
    const FORMAT: &[BorrowedFormatItem<'_>] = format_description!(
        "[weekday repr:short] [day padding:none] [month repr:short] [year], [hour]:[minute] UTC"
    );
    at.to_offset(time::UtcOffset::UTC)
        .format(FORMAT)
        .unwrap_or_default()
}

/// `23 Nov 2026, 14:20:05 UTC`.
fn to_the_second(at: OffsetDateTime) -> String {
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

    const RATE: i128 = 41_000 * 1_024 * 3_600_000;

    #[test]
    fn an_end_is_said_in_words() {
        let as_of = datetime!(2026-01-01 00:00 UTC);
        let rate = Ticks::new(RATE).unwrap();
        let zero = |at: OffsetDateTime, cause| {
            let at = Moment::from(at);
            Some(Zero { at, cause })
        };
        let said = |zero, rate| {
            let (lasting, at, note) = end(zero, rate, as_of);
            format!("{lasting}; {at}; {note}")
        };
        let later = datetime!(2026-02-20 19:30:44 UTC);
        assert_eq!(
            said(zero(later, Cause::Credit), rate),
            "in 50 days; Fri 20 Feb 2026, 19:30 UTC; empty, at this pace"
        );
        assert_eq!(
            said(zero(later, Cause::Limit), rate),
            "in 50 days; Fri 20 Feb 2026, 19:30 UTC; your monthly limit is reached, at this pace"
        );
        assert_eq!(
            said(zero(as_of, Cause::Credit), rate),
            "now; ; credit is empty"
        );
        assert_eq!(said(None, rate), "never; ; at this pace");
        assert_eq!(said(None, Ticks::ZERO), "never; ; nothing runs");
    }

    #[test]
    fn what_is_left_is_never_longer_than_it_is() {
        for (seconds, text) in [
            (59, "within a minute"),
            (60, "in 1 min"),
            (3_599, "in 59 min"),
            (3_600, "in 1 h 00 m"),
            (78_000, "in 21 h 40 m"),
            (172_799, "in 47 h 59 m"),
            (172_800, "in 2 days"),
            (26 * 86_400 - 1, "in 25 days"),
        ] {
            assert_eq!(lasting(time::Duration::seconds(seconds)), text);
        }
    }

    #[test]
    fn a_projection_is_what_is_spent_and_the_pace_for_the_rest() {
        let as_of = Moment::from(datetime!(2028-02-29 12:00 UTC));
        let spent = Ticks::from_cents(Cents(100));
        let expected = spent.get() + 12 * RATE;
        assert_eq!(
            projected(spent, Ticks::new(RATE).unwrap(), as_of).get(),
            expected
        );
        assert_eq!(projected(spent, Ticks::ZERO, as_of), spent);
    }
}
