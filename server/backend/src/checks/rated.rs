//! What was rated, read once for the checks of hours and of days, and where a comparison of it ends.

use std::collections::BTreeMap;

use domain::id::PriceId;
use domain::interval::Slice;
use domain::moment::{HOUR_MS, Moment};
use time::OffsetDateTime;

/// What hours and days find is filed under this word: they are one check in two files.
pub(super) const NAME: &str = "r3";

/// An hour and a sandbox in it, rated.
pub(crate) type Rated = BTreeMap<(String, Moment), (PriceId, Slice)>;

/// The end of all that is rated, given its first hour and what open intervals are posted to: slices of what ended reach one
/// hour beyond.
pub(crate) fn end(first: Moment, until: Option<OffsetDateTime>) -> Moment {
    let posted = until.map_or(first, Moment::from);
    posted.max(first).plus_ms(2 * HOUR_MS)
}
