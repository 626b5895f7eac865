//! Usage over time: posted hours plus what runs now, so the newest bar is as exact as the oldest.

use domain::id::AccountId;
use domain::moment::Moment;
use domain::usage::{Range, Series};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{FeedStatus, snapshot};
use crate::Backend;
use crate::actor::Actor;
use crate::failure::Broken;
use crate::metering::live::{self, Live};
use crate::store::usage_hours;

/// A series with how far it can be trusted.
pub struct Usage {
    /// Buckets without gaps.
    pub series: Series,
    /// How far they can be trusted.
    pub feed: FeedStatus,
}

/// The usage of an account over a range.
///
/// # Errors
/// When the database fails.
pub async fn series(backend: &Backend, actor: &Actor, range: Range) -> Result<Usage, Broken> {
    let mut tx = snapshot(backend).await?;
    let live = live::read(backend, &mut tx, actor.account_id()).await?;
    Ok(Usage {
        series: with(&mut tx, actor.account_id(), &live, range).await?,
        feed: live.feed,
    })
}

pub(crate) async fn with(
    db: &mut PgConnection,
    account_id: AccountId,
    live: &Live,
    range: Range,
) -> Result<Series, Broken> {
    let as_of = Moment::from(live.feed.as_of);
    let posted = usage_hours::by_hour(db, account_id, range.start(as_of)).await?;
    let unposted = live.running.iter().flat_map(|running| &running.slices);
    let amounts = posted
        .into_iter()
        .chain(unposted.map(|slice| (slice.hour, slice.billed, slice.ticks)));
    Ok(Series::fill(range, as_of, amounts))
}

/// The first moment of the UTC month of `at`.
pub(crate) fn month_start(at: OffsetDateTime) -> Moment {
    let first = at.to_offset(time::UtcOffset::UTC).date().replace_day(1);
    Moment::from(first.unwrap_or(at.date()).midnight().assume_utc())
}

/// The first moment of the UTC month before that of `at`.
pub(crate) fn last_month_start(at: OffsetDateTime) -> Moment {
    month_start(OffsetDateTime::from(month_start(at).plus_ms(-1)))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn months_begin_at_midnight_utc() {
        let at = datetime!(2028-03-01 00:30 +02:00);
        assert_eq!(
            OffsetDateTime::from(month_start(at)),
            datetime!(2028-02-01 00:00 UTC)
        );
        assert_eq!(
            OffsetDateTime::from(last_month_start(at)),
            datetime!(2028-01-01 00:00 UTC)
        );
    }
}
