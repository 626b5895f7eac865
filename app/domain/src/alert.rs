//! Which warnings are due: percent of the credit or of the limit used, hours before either ends. Once per epoch and
//! threshold is the database's promise; who is told, and by which way, is `backend`'s.

use crate::forecast::{Cause, Level, Limit, Zero};
use crate::moment::{HOUR_MS, Moment};
use crate::money::Ticks;
use strum::EnumIter;

/// Percents of the credit or the limit at which a warning can be had.
pub const PERCENTS: [i32; 4] = [50, 80, 95, 100];
/// Hours before the end at which a warning can be had.
pub const HOURS: [i32; 2] = [24, 1];

/// Why a change to alerts or their recipients was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter)]
pub enum AlertRefusal {
    /// No address.
    EmailEmpty,
    /// Not an address, or too long for one.
    EmailMalformed,
    /// Letters before the `@` that our mail server cannot write.
    EmailNotAscii,
    /// The address is on the list already.
    AlreadyThere,
    /// Ten recipients exist.
    TooMany,
    /// Ten mails that ask somebody to agree were sent within a day; wait.
    AskedTooOften,
    /// This address was asked as often as any address is, by whichever accounts; wait.
    AddressAskedTooOften,
    /// Whoever has the address wants no mail that they did not ask for.
    Unwanted,
    /// No such recipient in this account.
    NotFound,
    /// The link is not ours, too old, or its recipient was removed.
    LinkUnknown,
    /// They agree, and have refused all such mail.
    RefusedByThem,
}

/// What a warning is about. The words are in the database: add, never rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// So many percent of the credit are used.
    CreditPercent,
    /// Credit ends within so many hours.
    CreditHours,
    /// So many percent of the monthly limit are used.
    LimitPercent,
    /// The monthly limit is reached within so many hours.
    LimitHours,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::CreditPercent,
        Self::CreditHours,
        Self::LimitPercent,
        Self::LimitHours,
    ];

    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreditPercent => "credit_percent",
            Self::CreditHours => "credit_hours",
            Self::LimitPercent => "limit_percent",
            Self::LimitHours => "limit_hours",
        }
    }

    /// None for a word that is none of them.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// What ends.
    #[must_use]
    pub const fn cause(self) -> Cause {
        match self {
            Self::CreditPercent | Self::CreditHours => Cause::Credit,
            Self::LimitPercent | Self::LimitHours => Cause::Limit,
        }
    }
}

/// One warning: unique per account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Alert {
    /// What it is about.
    pub kind: Kind,
    /// The grant epoch for credit, year and month such as 202611 for the limit.
    pub epoch: i32,
    /// Percent or hours.
    pub threshold: i32,
}

impl Alert {
    /// How urgent: of several that come at once, only the highest is sent.
    #[must_use]
    pub const fn urgency(&self) -> u8 {
        match (self.kind, self.threshold) {
            (Kind::CreditPercent | Kind::LimitPercent, 100..) => 6,
            (Kind::CreditHours | Kind::LimitHours, ..=1) => 5,
            (Kind::CreditPercent | Kind::LimitPercent, 95..) => 4,
            (Kind::CreditHours | Kind::LimitHours, _) => 3,
            (Kind::CreditPercent | Kind::LimitPercent, 80..) => 2,
            (Kind::CreditPercent | Kind::LimitPercent, _) => 1,
        }
    }
}

/// Which of the warnings an account wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Out of [`PERCENTS`].
    pub percents: Vec<i32>,
    /// Out of [`HOURS`].
    pub hours: Vec<i32>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            percents: PERCENTS.to_vec(),
            hours: HOURS.to_vec(),
        }
    }
}

/// What warnings are judged by, exact up to `as_of`.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Up to when the figures are exact.
    pub as_of: Moment,
    /// The grant epoch: 0 before the first grant.
    pub epoch: i32,
    /// Usable credit at the start of the epoch.
    pub base: Ticks,
    /// Usable credit now.
    pub left: Ticks,
    /// The customer's own limit.
    pub limit: Option<Limit>,
    /// What ends first, and when.
    pub zero: Option<Zero>,
}

/// Every wanted warning whose threshold is crossed, least urgent first. Those given before are among them: the caller's
/// unique key knows.
#[must_use]
pub fn due(standing: &Standing, wanted: &Wanted) -> Vec<Alert> {
    let mut due = Vec::new();
    for percent in &wanted.percents {
        if standing.base.is_positive() && standing.left <= left_at(standing.base, *percent) {
            due.push(Alert {
                kind: Kind::CreditPercent,
                epoch: standing.epoch,
                threshold: *percent,
            });
        }
        if let Some(limit) = standing.limit
            && limit.spent >= part(limit.monthly, *percent)
        {
            due.push(Alert {
                kind: Kind::LimitPercent,
                epoch: month_number(standing.as_of),
                threshold: *percent,
            });
        }
    }
    // Without any credit given there is nothing that could end.
    let zero = standing
        .zero
        .filter(|zero| zero.cause == Cause::Limit || standing.base.is_positive());
    for hours in &wanted.hours {
        let Some(zero) = zero else { continue };
        if zero.at.since_ms(standing.as_of) <= i64::from(*hours) * HOUR_MS {
            let (kind, epoch) = match zero.cause {
                Cause::Credit => (Kind::CreditHours, standing.epoch),
                Cause::Limit => (Kind::LimitHours, month_number(zero.at)),
            };
            due.push(Alert {
                kind,
                epoch,
                threshold: *hours,
            });
        }
    }
    due.sort_by_key(Alert::urgency);
    due
}

/// The warning that the limit was reached in a month that is over: it may have ended while nobody looked. None when it was not
/// reached, and when it is not wanted. Lower thresholds of a month that is over are no news.
#[must_use]
pub fn missed(limit: Limit, month: Moment, wanted: &Wanted) -> Option<Alert> {
    let is_reached = limit.spent >= limit.monthly && wanted.percents.contains(&100);
    is_reached.then(|| Alert {
        kind: Kind::LimitPercent,
        epoch: month_number(month),
        threshold: 100,
    })
}

/// The levels whose first moment is the next percent warning: what to compute `forecast::reach` of.
#[must_use]
pub fn levels_ahead(standing: &Standing, wanted: &Wanted) -> Vec<Level> {
    let credit = wanted
        .percents
        .iter()
        .map(|percent| left_at(standing.base, *percent))
        .filter(|level| *level < standing.left)
        .max()
        .map(Level::CreditLeft);
    let limit = standing.limit.and_then(|limit| {
        let levels = wanted
            .percents
            .iter()
            .map(|percent| part(limit.monthly, *percent));
        levels
            .filter(|level| *level > limit.spent)
            .min()
            .map(Level::MonthSpent)
    });
    credit.into_iter().chain(limit).collect()
}

/// The most urgent of some warnings for each thing that ends: what is worth a mail.
#[must_use]
pub fn told(raised: &[Alert]) -> Vec<Alert> {
    [Cause::Credit, Cause::Limit]
        .into_iter()
        .filter_map(|cause| {
            let of_cause = raised.iter().filter(|alert| alert.kind.cause() == cause);
            of_cause.max_by_key(|alert| alert.urgency()).copied()
        })
        .collect()
}

/// What is left when `percent` of `base` are used, by floor: a warning never comes early.
fn left_at(base: Ticks, percent: i32) -> Ticks {
    base.saturating_sub(part(base, percent))
}

/// `percent` of `whole`, rounded up.
fn part(whole: Ticks, percent: i32) -> Ticks {
    let product = whole.get().saturating_mul(i128::from(percent));
    let up = product.div_euclid(100) + i128::from(product.rem_euclid(100) > 0);
    Ticks::new(up).unwrap_or(whole)
}

/// Year and month such as 202611, UTC.
#[must_use]
pub fn month_number(at: Moment) -> i32 {
    let date = time::OffsetDateTime::from(at).date();
    date.year() * 100 + i32::from(u8::from(date.month()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;
    use crate::money::Cents;

    fn cents(cents: i64) -> Ticks {
        Ticks::from_cents(Cents(cents))
    }

    fn standing(left: i64) -> Standing {
        Standing {
            as_of: Moment::from(datetime!(2026-11-24 12:00 UTC)),
            epoch: 3,
            base: cents(5_000),
            left: cents(left),
            limit: None,
            zero: None,
        }
    }

    #[test]
    fn thresholds_are_met_exactly() {
        let thresholds = |left| -> Vec<i32> {
            let due = due(&standing(left), &Wanted::default());
            due.iter().map(|alert| alert.threshold).collect()
        };
        assert_eq!(thresholds(2_501), [] as [i32; 0]);
        assert_eq!(thresholds(2_500), [50]);
        assert_eq!(thresholds(1_000), [50, 80]);
        assert_eq!(thresholds(250), [50, 80, 95]);
        assert_eq!(thresholds(1), [50, 80, 95]);
        assert_eq!(thresholds(0), [50, 80, 95, 100]);
    }

    #[test]
    fn hours_follow_the_cause_and_the_month_of_the_end() {
        let mut standing = standing(4_000);
        standing.zero = Some(Zero {
            at: Moment::from(datetime!(2026-11-25 12:00 UTC)),
            cause: Cause::Credit,
        });
        let day = Alert {
            kind: Kind::CreditHours,
            epoch: 3,
            threshold: 24,
        };
        assert_eq!(due(&standing, &Wanted::default()), [day]);
        standing.as_of = Moment::from(datetime!(2026-11-30 23:30 UTC));
        standing.zero = Some(Zero {
            at: Moment::from(datetime!(2026-12-01 00:10 UTC)),
            cause: Cause::Limit,
        });
        let due = due(&standing, &Wanted::default());
        assert!(
            due.iter()
                .all(|alert| alert.kind == Kind::LimitHours && alert.epoch == 202_612),
            "{due:?}"
        );
        assert_eq!(told(&due)[0].threshold, 1);
    }

    #[test]
    fn an_account_that_never_had_credit_is_not_warned_of_its_end() {
        let mut standing = standing(0);
        standing.base = Ticks::ZERO;
        standing.zero = Some(Zero {
            at: standing.as_of,
            cause: Cause::Credit,
        });
        assert_eq!(due(&standing, &Wanted::default()), []);
    }

    #[test]
    fn only_the_most_urgent_is_told_for_each_cause() {
        let mut standing = standing(0);
        standing.limit = Some(Limit {
            monthly: cents(100),
            spent: cents(85),
        });
        let raised = due(&standing, &Wanted::default());
        assert_eq!(raised.len(), 6);
        let told: Vec<_> = told(&raised)
            .iter()
            .map(|alert| (alert.kind, alert.threshold))
            .collect();
        assert_eq!(told, [(Kind::CreditPercent, 100), (Kind::LimitPercent, 80)]);
    }

    proptest! {
        /// Invariant 23: usage only grows within an epoch, so each threshold comes once, in order, and whoever looks
        /// seldom (a restart) raises the same set.
        #[test]
        fn each_once_and_in_order(steps in prop::collection::vec(0_i64..900, 1..20), often in any::<bool>()) {
            let mut seen = HashSet::new();
            let mut order = Vec::new();
            let mut left = 5_000_i64;
            let last = steps.len() - 1;
            for (index, step) in steps.into_iter().enumerate() {
                left = (left - step).max(0);
                if often || index == last {
                    for alert in due(&standing(left), &Wanted::default()) {
                        if seen.insert(alert) { order.push(alert.threshold); }
                    }
                }
            }
            let crossed: Vec<i32> = PERCENTS.into_iter().filter(|p| left * 100 <= 5_000 * i64::from(100 - p)).collect();
            prop_assert_eq!(order, crossed);
        }

        /// The next level is the next threshold that is not crossed, so sleeping until it misses nothing.
        #[test]
        fn the_level_ahead_is_the_next_to_be_due(left in 0_i64..=5_000) {
            let now = standing(left);
            let crossed = due(&now, &Wanted::default()).len();
            match levels_ahead(&now, &Wanted::default()).first() {
                Some(Level::CreditLeft(level)) => {
                    let then = Standing { left: *level, ..now };
                    prop_assert_eq!(due(&then, &Wanted::default()).len(), crossed + 1);
                    let before = Standing { left: level.saturating_add(Ticks::new(1).unwrap()), ..now };
                    prop_assert_eq!(due(&before, &Wanted::default()).len(), crossed);
                }
                _ => prop_assert_eq!(crossed, 4),
            }
        }
    }
}
