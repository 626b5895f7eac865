//! Which credit pays: the order in which grants burn, and how a correction gives back.
//! Ledger accounts, locks and postings are `backend`'s.

use crate::id::GrantId;
use crate::moment::Moment;
use crate::money::Ticks;

/// A grant with what is left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Also the id of its ledger account.
    pub grant_id: GrantId,
    /// Lower burns first.
    pub priority: i32,
    /// First moment of service that it may pay for.
    pub starts_at: Moment,
    /// First moment of service that it may not pay for any more; none if it never ends.
    pub ends_at: Option<Moment>,
    /// When it was given.
    pub granted_at: Moment,
    /// What is left; never negative.
    pub remaining: Ticks,
}

/// Who bears a part of the usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Payer {
    /// A grant.
    Grant(GrantId),
    /// Nobody: credit had run out and no payment method existed. Measured, never charged: the Terms allow use
    /// beyond the credit only with a payment method.
    Overrun,
}

/// What grants pay in the order of: priority, then the earliest end, then age, then id.
#[must_use]
pub fn turn(grant: &Grant) -> impl Ord + use<> {
    (
        grant.priority,
        grant.ends_at.unwrap_or(Moment::MAX),
        grant.granted_at,
        grant.grant_id,
    )
}

/// Splits `amount` of service in `hour` over the grants: by priority, then the earliest end, then age, then id; the rest
/// is overrun. The parts are positive and add up to `amount`, which must not be negative (then nothing is returned).
#[must_use]
pub fn burn(grants: &[Grant], hour: Moment, amount: Ticks) -> Vec<(Payer, Ticks)> {
    let usable = |grant: &&Grant| {
        grant.remaining.is_positive()
            && grant.starts_at <= hour
            && grant.ends_at.is_none_or(|end| hour < end)
    };
    let mut order: Vec<&Grant> = grants.iter().filter(usable).collect();
    order.sort_by_key(|grant| turn(grant));
    let mut left = amount;
    let mut parts = Vec::new();
    for grant in order {
        let part = left.min(grant.remaining);
        if part.is_positive() {
            parts.push((Payer::Grant(grant.grant_id), part));
            left = left.saturating_sub(part);
        }
    }
    if left.is_positive() {
        parts.push((Payer::Overrun, left));
    }
    parts
}

/// Splits a correction that gives `amount` back over what was `booked` before, latest first: the reverse of the recorded
/// order, not of today's priorities, which a newer grant may have changed. What exceeds all postings is left out.
#[must_use]
pub fn unwind(booked: &[(Payer, Ticks)], amount: Ticks) -> Vec<(Payer, Ticks)> {
    let mut left = amount;
    let mut parts = Vec::new();
    for (payer, ticks) in booked.iter().rev() {
        let part = left.min(*ticks);
        if part.is_positive() {
            parts.push((*payer, part));
            left = left.saturating_sub(part);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn grants() -> impl Strategy<Value = Vec<Grant>> {
        let grant = (
            0_i32..3,
            0_i64..5,
            prop::option::of(1_i64..9),
            0_i64..3,
            0_i128..1_000,
        );
        prop::collection::vec(grant, 0..6).prop_map(|raw| {
            let rows = raw.into_iter().zip(1_u128..);
            rows.map(|((priority, starts, ends, granted, left), id)| Grant {
                grant_id: GrantId(Uuid::from_u128(id)),
                priority,
                starts_at: Moment::from_unix_ms(starts),
                ends_at: ends.map(Moment::from_unix_ms),
                granted_at: Moment::from_unix_ms(granted),
                remaining: Ticks::new(left).unwrap(),
            })
            .collect()
        })
    }

    proptest! {
        #[test]
        fn parts_add_up_and_no_grant_is_overdrawn(grants in grants(), hour in 0_i64..10, amount in 0_i128..5_000) {
            let hour = Moment::from_unix_ms(hour);
            let amount = Ticks::new(amount).unwrap();
            let parts = burn(&grants, hour, amount);
            prop_assert_eq!(parts.iter().map(|(_, ticks)| *ticks).sum::<Ticks>(), amount);
            for (payer, ticks) in &parts {
                prop_assert!(ticks.is_positive());
                if let Payer::Grant(id) = payer {
                    let grant = grants.iter().find(|grant| grant.grant_id == *id).unwrap();
                    prop_assert!(*ticks <= grant.remaining);
                    prop_assert!(grant.starts_at <= hour && grant.ends_at.is_none_or(|end| hour < end));
                }
            }
        }

        #[test]
        fn the_order_of_the_input_does_not_matter(grants in grants(), amount in 0_i128..5_000) {
            let mut turned = grants.clone();
            turned.reverse();
            let (hour, amount) = (Moment::from_unix_ms(3), Ticks::new(amount).unwrap());
            prop_assert_eq!(burn(&grants, hour, amount), burn(&turned, hour, amount));
        }

        #[test]
        fn a_correction_and_its_opposite_leave_nothing(grants in grants(), amount in 0_i128..5_000) {
            let parts = burn(&grants, Moment::from_unix_ms(3), Ticks::new(amount).unwrap());
            let back = unwind(&parts, Ticks::new(amount).unwrap());
            prop_assert_eq!(back.into_iter().rev().collect::<Vec<_>>(), parts);
        }
    }
}
