//! Identifiers: one UUIDv7 newtype per thing, so that a key id can never stand where an account id belongs.
//! Making an id needs a clock and randomness, so it happens in `backend`; here they are only named, parsed and shown.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }
    )+};
}

ids! {
    /// A person who can sign in.
    UserId,
    /// What is billed. Every tenant row carries one.
    AccountId,
    /// An API key of an account.
    KeyId,
    /// A row of the price book.
    PriceId,
    /// An amount of credit given to an account.
    GrantId,
    /// A line of the ledger.
    TransferId,
    /// An account inside the ledger (a grant, revenue, overrun).
    LedgerAccountId,
    /// A unit of work that leaves the process or waits.
    JobId,
    /// A line of the audit log.
    AuditEventId,
    /// A mail that was or will be sent.
    MailId,
    /// A pending confirmation of an e-mail address.
    SignUpId,
    /// A recorded acceptance of a legal document.
    AcceptanceId,
    /// A warning that was raised.
    AlertId,
    /// One way that a warning goes out.
    DeliveryId,
    /// Somebody who is told of warnings by mail.
    RecipientId,
    /// The address that warnings are posted to.
    WebhookId,
    /// A secret link to a calendar feed.
    CalendarId,
}
