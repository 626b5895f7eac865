//! Why a person is not let in, or an address not confirmed. How both are done is `backend`'s.

use strum::EnumIter;

/// Why a sign-in was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter)]
pub enum SignInRefusal {
    /// The pair of address and password is wrong; never says which half.
    WrongPair,
    /// Too many tries; wait.
    TooMany,
}

/// Why a confirmation of an address was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter)]
pub enum VerificationRefusal {
    /// Not a link of ours, used before, or replaced by a newer one.
    Unknown,
    /// Older than 24 h.
    Expired,
    /// The address is confirmed already.
    AlreadyVerified,
    /// Three mails within the hour; wait.
    TooMany,
}
