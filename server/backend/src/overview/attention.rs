//! What needs a look now, in the order of how much it hurts. Each has one place to go to; nothing to do, nothing said.
//! The sentences are `app`'s.

use domain::forecast::{Cause, Limit, Zero};
use domain::moment::{DAY_MS, Moment};
use domain::money::Ticks;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use crate::authority::actor::Actor;
use crate::failure::Broken;
use crate::metering::live::Live;
use crate::overview::store;
use crate::sandboxes::waste;

/// How near an end must be to be named: the earliest warning that alerts know is a day before.
const NEAR_MS: i64 = 2 * DAY_MS;

/// One thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attention {
    /// Nothing may run from this moment on, at this pace, and it is near.
    EndsSoon(Cause, OffsetDateTime),
    /// So many percent of the monthly limit are spent: 80 or more.
    LimitNear(i64),
    /// So many running sandboxes idle.
    Idle(i64),
    /// So many alerts did not reach somebody by mail within a week.
    MailUndelivered(i64),
    /// So many alerts did not reach the webhook within a week.
    WebhookUndelivered(i64),
}

/// Looks. Old figures and an end that has come are not listed: a notice above every page says so already.
pub(crate) async fn read(
    db: &mut PgConnection,
    actor: &Actor,
    live: &Live,
    zero: Option<Zero>,
    limit: Option<Limit>,
) -> Result<Vec<Attention>, Broken> {
    let mut all = Vec::new();
    let as_of = Moment::from(live.feed.as_of);
    all.extend(end(as_of, zero));
    let is_at_limit = zero.is_some_and(|zero| zero.cause == Cause::Limit && zero.at <= as_of);
    all.extend(limit.and_then(near).filter(|_| !is_at_limit));
    let idle = waste::count_running(db, actor.account_id()).await?;
    let week = live.feed.as_of - Duration::WEEK;
    let (mails, webhooks) = store::undelivered(db, actor.account_id(), week).await?;
    let counted = [
        (idle, Attention::Idle(idle)),
        (mails, Attention::MailUndelivered(mails)),
        (webhooks, Attention::WebhookUndelivered(webhooks)),
    ];
    all.extend(
        counted
            .into_iter()
            .filter(|(n, _)| *n > 0)
            .map(|(_, one)| one),
    );
    Ok(all)
}

/// An end that is near.
fn end(as_of: Moment, zero: Option<Zero>) -> Option<Attention> {
    let zero = zero?;
    let is_near = zero.at > as_of && zero.at.since_ms(as_of) <= NEAR_MS;
    is_near.then(|| Attention::EndsSoon(zero.cause, zero.at.into()))
}

/// Whole percents by floor, from 80 on.
fn near(limit: Limit) -> Option<Attention> {
    let monthly = limit.monthly.get().max(1);
    let percent = limit.spent.max(Ticks::ZERO).get().saturating_mul(100) / monthly;
    let percent = i64::try_from(percent).unwrap_or(i64::MAX);
    (percent >= 80).then_some(Attention::LimitNear(percent))
}

#[cfg(test)]
mod tests {
    use domain::money::Cents;

    use super::*;

    #[test]
    fn an_end_is_named_from_two_days_before() {
        let as_of = Moment::from_unix_ms(0);
        let zero = |ms| {
            Some(Zero {
                at: as_of.plus_ms(ms),
                cause: Cause::Credit,
            })
        };
        assert_eq!(end(as_of, zero(0)), None, "it has come");
        assert!(matches!(
            end(as_of, zero(NEAR_MS)),
            Some(Attention::EndsSoon(..))
        ));
        assert_eq!(end(as_of, zero(NEAR_MS + 1)), None);
        assert_eq!(end(as_of, None), None);
    }

    #[test]
    fn a_limit_is_near_from_eighty_percent_on() {
        let at = |cents| {
            near(Limit {
                monthly: Ticks::from_cents(Cents(1_000)),
                spent: Ticks::from_cents(Cents(cents)),
            })
        };
        assert_eq!(at(799), None);
        assert_eq!(at(800), Some(Attention::LimitNear(80)));
        assert_eq!(at(1_250), Some(Attention::LimitNear(125)));
    }
}
