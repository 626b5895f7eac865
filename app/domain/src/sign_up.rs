//! What can be wrong with a sign-up. How it is done is `backend`'s, how it is said `app`'s.

use strum::EnumIter;

/// A problem with one thing typed at sign-up. Several can be reported at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter)]
pub enum SignUpProblem {
    /// No address.
    EmailEmpty,
    /// Over 254 characters.
    EmailTooLong,
    /// Not an address.
    EmailMalformed,
    /// Under 15 characters.
    PasswordTooShort,
    /// Over 128 characters.
    PasswordTooLong,
    /// Listed, derived from the address, or a plain pattern.
    PasswordGuessable,
    /// No known country.
    CountryUnknown,
    /// Under comprehensive sanctions (Terms 14).
    CountryRefused,
    /// Terms of Service not accepted.
    TermsMissing,
    /// Acceptable Use Policy not accepted.
    AupMissing,
    /// Data Processing Agreement not accepted.
    DpaMissing,
    /// Export statement not made.
    ExportStatementMissing,
    /// Too many sign-ups from this place; wait.
    TooMany,
}

/// Why a sign-up was refused: at least one problem. A known address is no problem: it gets the answer of success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignUpRefusal(pub Vec<SignUpProblem>);
