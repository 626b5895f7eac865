//! Which price rates which hour of one account: the listed prices, cut by what was agreed with it and by what it was told.
//! Notice periods of the list itself are the database's; what a price costs is the parent's.

use super::Price;
use crate::id::PriceId;
use crate::moment::{DAY_MS, HOUR_MS, Moment};

/// The sku that rates an account unless another was agreed.
pub const SANDBOX_SKU: &str = "sandbox";
/// How long an account is told of a price before it applies (Terms 4).
const NOTICE_MS: i64 = 30 * DAY_MS;

/// A row of the price list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What it prices; rows of one sku follow each other.
    pub sku: String,
    /// True for the first row of its sku, which needs no notice.
    pub is_first: bool,
    /// The price, valid as the list says.
    pub price: Price,
}

/// Another sku agreed with an account for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The sku.
    pub sku: String,
    /// First whole hour.
    pub from: Moment,
    /// First whole hour after it; none while it has no end.
    pub until: Option<Moment>,
    /// When it was agreed: what the sku's list said by then was agreed too.
    pub bound_at: Moment,
}

/// That an account was told of a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The row of the list that it announced.
    pub price_id: PriceId,
    /// The price rules no earlier than 30 days after this.
    pub told_at: Moment,
}

/// The price book of one account, oldest first, without overlap, and without a gap from the first price of `SANDBOX_SKU`
/// on. A price that is not the first of its sku applies from 30 days after the account was told, rounded up to the hour,
/// never before its own start; one that had started when the account was opened applies from its start. Until then, and
/// for ever when nobody told, the one before goes on. Hours of a binding whose sku has no price fall back to the ordinary.
#[must_use]
pub fn book_of(
    listed: &[Listed],
    bindings: &[Binding],
    notices: &[Notice],
    opened_at: Moment,
) -> Vec<Price> {
    let ordinary = starts(listed, SANDBOX_SKU, notices, opened_at);
    let bound: Vec<_> = bindings
        .iter()
        .map(|binding| {
            let agreed_at = binding.bound_at.max(opened_at);
            (binding, starts(listed, &binding.sku, notices, agreed_at))
        })
        .collect();
    let mut edges: Vec<Moment> = bound
        .iter()
        .flat_map(|(binding, starts)| {
            let ends = [Some(binding.from), binding.until].into_iter().flatten();
            ends.chain(starts.iter().map(|(start, _)| *start))
        })
        .chain(ordinary.iter().map(|(start, _)| *start))
        .collect();
    edges.sort_unstable();
    edges.dedup();
    let rules_at = |at: Moment| {
        let agreed = bound.iter().find(|(binding, _)| {
            binding.from <= at && binding.until.is_none_or(|until| at < until)
        });
        let agreed = agreed.and_then(|(_, starts)| newest(starts, at));
        agreed.or_else(|| newest(&ordinary, at))
    };
    let mut book: Vec<Price> = Vec::new();
    for (index, from) in edges.iter().enumerate() {
        let until = edges.get(index + 1).copied();
        let Some(price) = rules_at(*from) else {
            continue;
        };
        match book
            .last_mut()
            .filter(|last| last.price_id == price.price_id && last.until == Some(*from))
        {
            Some(last) => last.until = until,
            None => book.push(Price {
                from: *from,
                until,
                ..price.clone()
            }),
        }
    }
    book
}

/// The rows of a sku that ever apply, each with the hour from which it may.
fn starts<'a>(
    listed: &'a [Listed],
    sku: &str,
    notices: &[Notice],
    agreed_at: Moment,
) -> Vec<(Moment, &'a Price)> {
    let start = |row: &Listed| {
        let from = row.price.from;
        if row.is_first || from <= agreed_at {
            return Some(from);
        }
        let told = notices
            .iter()
            .find(|notice| notice.price_id == row.price.price_id)?;
        Some(from.max(next_hour(told.told_at.plus_ms(NOTICE_MS))))
    };
    let rows = listed.iter().filter(|row| row.sku == sku);
    rows.filter_map(|row| Some((start(row)?, &row.price)))
        .collect()
}

/// Of the rows that may apply at `at`, the one listed last.
fn newest<'a>(starts: &[(Moment, &'a Price)], at: Moment) -> Option<&'a Price> {
    let may = starts.iter().filter(|(start, _)| *start <= at);
    may.map(|(_, price)| *price).max_by_key(|price| price.from)
}

/// Rounds up to a whole hour.
fn next_hour(at: Moment) -> Moment {
    if at == at.hour() {
        at
    } else {
        at.hour().plus_ms(HOUR_MS)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::money::MicroDollars;

    const DAY_HOURS: i64 = 24;

    fn hours(hours: i64) -> Moment {
        Moment::from_unix_ms(hours * HOUR_MS)
    }

    fn listed(sku: &str, id: u128, from: i64, until: Option<i64>) -> Listed {
        Listed {
            sku: sku.into(),
            is_first: id.is_multiple_of(10),
            price: Price {
                price_id: PriceId(Uuid::from_u128(id)),
                vcpu_hour: MicroDollars(i64::try_from(id).unwrap()),
                gib_hour: MicroDollars(15_000),
                grain_ms: 1_000,
                from: hours(from),
                until: until.map(hours),
            },
        }
    }

    fn list() -> Vec<Listed> {
        vec![
            listed(SANDBOX_SKU, 10, 0, Some(1_000)),
            listed(SANDBOX_SKU, 11, 1_000, Some(2_000)),
            listed(SANDBOX_SKU, 12, 2_000, None),
            listed("deal", 20, 500, Some(1_500)),
            listed("deal", 21, 1_500, None),
        ]
    }

    fn id_at(book: &[Price], hour: i64) -> Option<u128> {
        let mut covering = book.iter().filter(|price| price.covers(hours(hour)));
        let id = covering.next().map(|price| price.price_id.0.as_u128());
        assert!(covering.next().is_none(), "two prices at {hour}");
        id
    }

    #[test]
    fn an_account_that_was_not_told_keeps_the_old_price() {
        let book = book_of(&list(), &[], &[], hours(10));
        assert_eq!(
            (id_at(&book, 20), id_at(&book, 9_000)),
            (Some(10), Some(10))
        );
        assert_eq!(book.len(), 1);
    }

    #[test]
    fn a_notice_applies_after_thirty_days_rounded_up_and_never_early() {
        let told = |ms| Notice {
            price_id: PriceId(Uuid::from_u128(11)),
            told_at: Moment::from_unix_ms(ms),
        };
        let late = book_of(&list(), &[], &[told(900 * HOUR_MS + 1)], hours(10));
        let start = 901 + 30 * DAY_HOURS;
        assert_eq!(
            (id_at(&late, start - 1), id_at(&late, start)),
            (Some(10), Some(11))
        );
        let early = book_of(&list(), &[], &[told(0)], hours(10));
        assert_eq!(
            (id_at(&early, 999), id_at(&early, 1_000)),
            (Some(10), Some(11))
        );
        assert_eq!(id_at(&early, 5_000), Some(11), "not told of the third");
    }

    #[test]
    fn who_opens_later_accepts_what_is_listed_then() {
        let book = book_of(&list(), &[], &[], hours(1_000));
        assert_eq!(
            (id_at(&book, 1_500), id_at(&book, 9_000)),
            (Some(11), Some(11))
        );
    }

    #[test]
    fn a_deal_rates_its_own_hours_only() {
        let deal = Binding {
            sku: "deal".into(),
            from: hours(400),
            until: Some(hours(600)),
            bound_at: hours(300),
        };
        let book = book_of(&list(), &[deal], &[], hours(10));
        let at = |hour| id_at(&book, hour);
        assert_eq!(
            [at(399), at(499), at(500), at(599), at(600)],
            [10, 10, 20, 20, 10].map(Some)
        );
    }

    fn notices() -> impl Strategy<Value = Vec<Notice>> {
        let told = prop::option::of(0_i64..2_500 * HOUR_MS);
        prop::collection::vec(told, 3).prop_map(|raw| {
            let pairs = raw.into_iter().zip([11_u128, 12, 21]);
            pairs
                .filter_map(|(told, id)| {
                    Some(Notice {
                        price_id: PriceId(Uuid::from_u128(id)),
                        told_at: Moment::from_unix_ms(told?),
                    })
                })
                .collect()
        })
    }

    fn bindings() -> impl Strategy<Value = Vec<Binding>> {
        prop::option::of((0_i64..3_000, 1_i64..1_000, any::<bool>(), 0_i64..3_000)).prop_map(
            |raw| {
                let one = raw.map(|(from, length, ends, bound)| Binding {
                    sku: "deal".into(),
                    from: hours(from),
                    until: ends.then(|| hours(from + length)),
                    bound_at: hours(bound.min(from)),
                });
                one.into_iter().collect()
            },
        )
    }

    proptest! {
        // Invariant 17 of docs/invariants.md.
        #[test]
        fn a_price_is_used_in_its_range_and_thirty_days_after_its_notice(
            notices in notices(), bindings in bindings(), opened in 0_i64..2_500,
        ) {
            let list = list();
            let book = book_of(&list, &bindings, &notices, hours(opened));
            prop_assert_eq!(book[0].from, hours(0));
            prop_assert_eq!(book.last().unwrap().until, None);
            for pair in book.windows(2) {
                prop_assert_eq!(pair[0].until, Some(pair[1].from), "no gap and no overlap");
                prop_assert!(pair[0].price_id != pair[1].price_id);
            }
            for price in &book {
                let row = list.iter().find(|row| row.price.price_id == price.price_id).unwrap();
                prop_assert!(row.price.from <= price.from && price.from == price.from.hour());
                let agreed = bindings.iter().filter(|binding| binding.sku == row.sku).map(|binding| binding.bound_at);
                let accepted = agreed.fold(hours(opened), Moment::max);
                if !row.is_first && row.price.from > accepted {
                    let told = notices.iter().find(|notice| notice.price_id == row.price.price_id).unwrap().told_at;
                    prop_assert!(price.from.since_ms(told) >= NOTICE_MS);
                }
            }
        }
    }
}
