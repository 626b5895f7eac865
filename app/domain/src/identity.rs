//! Why a person is not let in. How it is done is `backend`'s.

use strum::EnumIter;

/// Why a sign-in was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter)]
pub enum SignInRefusal {
    /// The pair of address and password is wrong; never says which half.
    WrongPair,
    /// Too many tries; wait.
    TooMany,
}
