//! Why the webhook was not changed or tested. What it is posted is `backend`'s.

use strum::EnumIter;

/// Why a change to the webhook was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter)]
pub enum WebhookRefusal {
    /// No address.
    Empty,
    /// Not an address.
    Malformed,
    /// Over 500 characters as it is posted to: encoded, with its host in ASCII.
    TooLong,
    /// Not https, where only public addresses are allowed.
    NotHttps,
    /// A name or password in the address.
    HasCredentials,
    /// A port below 1024 other than 443.
    PortRefused,
    /// An address that is not of the public internet.
    NotPublic,
    /// No webhook is set.
    NotSet,
    /// A test of this account, or of any to the same host, was sent within the last ten seconds; wait.
    TooManyTests,
    /// The tests of a day were sent by this account.
    TestsUsedUp,
}
