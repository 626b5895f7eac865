//! What can be expected to go wrong, per operation: closed enums without free text. `app` speaks them, `backend` decides them.
//! Nothing here says why our side broke; that is `backend::Failure::Broken`.

use serde::{Deserialize, Serialize};

/// A problem with one thing typed at sign-up. Several can be reported at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignUpRefusal(pub Vec<SignUpProblem>);

/// Why a sign-in was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInRefusal {
    /// The pair of address and password is wrong; never says which half.
    WrongPair,
    /// Too many tries; wait.
    TooMany,
}

/// Why a confirmation of an address was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

/// Why a command to a sandbox was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SandboxRefusal {
    /// The role may not command sandboxes.
    Forbidden,
    /// No such sandbox in this account.
    NotFound,
    /// It does not run, so it has no timer.
    NotRunning,
    /// Not one of the offered minutes.
    TimeoutUnknown,
}

/// Why a change to a key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyRefusal {
    /// No name.
    NameEmpty,
    /// Over 60 characters.
    NameTooLong,
    /// A control character in the name.
    NameUnprintable,
    /// The owner's address is not confirmed yet.
    EmailUnverified,
    /// The role may not change keys.
    Forbidden,
    /// 100 live keys exist.
    TooMany,
    /// No such key in this account.
    NotFound,
}

/// Why a change to the monthly limit was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitRefusal {
    /// No amount.
    Empty,
    /// Not an amount of dollars.
    Malformed,
    /// Over $1,000,000.
    TooHigh,
    /// The role may not change it.
    Forbidden,
}

/// Why a change to alerts or their recipients was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertRefusal {
    /// No address.
    EmailEmpty,
    /// Not an address, or too long for one.
    EmailMalformed,
    /// The address is on the list already.
    AlreadyThere,
    /// Ten recipients exist.
    TooMany,
    /// Ten mails that ask somebody to agree were sent within a day; wait.
    AskedTooOften,
    /// No such recipient in this account.
    NotFound,
    /// The link is not ours, too old, or its recipient was removed.
    LinkUnknown,
    /// The role may not change alerts.
    Forbidden,
}

/// Why a change to the webhook was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookRefusal {
    /// No address.
    Empty,
    /// Not an address, or over 500 characters.
    Malformed,
    /// Not https.
    NotHttps,
    /// A name or password in the address.
    HasCredentials,
    /// A port below 1024 other than 443.
    PortRefused,
    /// An address that is not of the public internet.
    NotPublic,
    /// No webhook is set.
    NotSet,
    /// A test was sent within the last ten seconds; wait.
    TooManyTests,
    /// The role may not change it.
    Forbidden,
}

/// Why a change to the calendar feed was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalendarRefusal {
    /// A link exists already.
    AlreadyThere,
    /// No link exists.
    NotFound,
}

/// What makes no sense in the address of a usage page; the page shows the usual instead and says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageProblem {
    /// No such range.
    RangeUnknown,
    /// The first day is not a date.
    FromUnreadable,
    /// The last day is not a date.
    ToUnreadable,
    /// The last day lies before the first.
    ToBeforeFrom,
    /// Over 400 days.
    RangeTooLong,
    /// No such metric.
    MetricUnknown,
    /// Nothing to group by.
    GroupUnknown,
    /// Over 200,000 rated hours: too many to group by sandbox or to list.
    TooMany,
    /// No such time zone.
    ZoneUnknown,
    /// A key, size, image, region or sandbox that cannot be one.
    FilterUnreadable,
    /// Not the start of a bucket of this chart.
    BarUnknown,
    /// A window of intervals without two readable ends in order.
    WindowUnreadable,
}
