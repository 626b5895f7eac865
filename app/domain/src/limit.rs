//! Why the monthly limit was not changed. Its effect is in `forecast`, its figures are `backend`'s.

use strum::EnumIter;

/// Why a change to the monthly limit was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter)]
pub enum LimitRefusal {
    /// No amount.
    Empty,
    /// Not an amount of dollars.
    Malformed,
    /// Over $1,000,000.
    TooHigh,
}
