//! What can be wrong with a sign-up and with the opening of the account that follows. How both are done is `backend`'s, how
//! it is said `app`'s.

use strum::EnumIter;

/// Why nothing was mailed. A known address is no reason: it gets the answer of success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter)]
pub enum SignUpRefusal {
    /// No address.
    EmailEmpty,
    /// Over 254 characters.
    EmailTooLong,
    /// Not an address.
    EmailMalformed,
    /// Letters before the `@` that our mail server cannot write.
    EmailNotAscii,
}

/// A problem with one thing typed or ticked to open an account, or with the link. Several can be reported at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter)]
pub enum OpeningProblem {
    /// Somebody is signed in in this browser who was not asked.
    SomebodySignedIn,
    /// Under 15 characters.
    PasswordTooShort,
    /// Over 128 characters.
    PasswordTooLong,
    /// On the list of common ones, or one of their words with little added.
    PasswordCommon,
    /// A repetition, or runs of the alphabet or the keyboard.
    PasswordPattern,
    /// Made of the address or our name.
    PasswordFromAddress,
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
    /// Older than 24 h, or not a link of ours.
    LinkDead,
    /// The account of this address is open, by this link or another.
    AlreadyOpen,
}

/// Why an account was not opened: at least one problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningRefusal(pub Vec<OpeningProblem>);
