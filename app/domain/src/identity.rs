//! Why a person is not let in. How it is done is `backend`'s.

use strum::EnumIter;

/// Why a sign-in was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter)]
pub enum SignInRefusal {
    /// The pair of address and password is wrong; never says which half.
    WrongPair,
    /// Too many tries in a row failed, so nothing was checked.
    Wait {
        /// Until the next one is, from now.
        seconds: i64,
    },
}

/// How long the next try has to wait after this many failures in a row, in seconds. Four are free: that is how often people
/// mistype. Then it doubles, up to a quarter of an hour: a hundred guesses a day, and the owner never waits longer than that.
#[must_use]
pub const fn wait_s(failures: i32) -> i64 {
    match failures {
        ..=4 => 0,
        5..=12 => 5 << (failures - 5),
        13.. => 900,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_only_climbs_and_has_a_top() {
        let waits: Vec<i64> = (0..20).map(wait_s).collect();
        assert!(waits.is_sorted(), "{waits:?}");
        assert_eq!(waits[..7], [0, 0, 0, 0, 0, 5, 10]);
        assert_eq!((wait_s(12), wait_s(13), wait_s(i32::MAX)), (640, 900, 900));
    }
}
