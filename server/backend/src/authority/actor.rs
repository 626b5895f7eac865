//! Authority as a type: an `Actor` exists only because a session was looked up, so holding one is the proof.
//! What each role may do is `domain::role`.

use domain::email::EmailAddress;
use domain::id::{AccountId, UserId};
use domain::role::Role;

/// A signed-in person inside one account.
#[derive(Clone, Debug)]
pub struct Actor {
    pub(crate) user_id: UserId,
    pub(crate) account_id: AccountId,
    pub(crate) role: Role,
    pub(crate) email: EmailAddress,
    pub(crate) account_name: String,
    pub(crate) is_verified: bool,
}

impl Actor {
    /// Who acts.
    #[must_use]
    pub const fn user_id(&self) -> UserId {
        self.user_id
    }

    /// For which account. Every query of theirs filters by it.
    #[must_use]
    pub const fn account_id(&self) -> AccountId {
        self.account_id
    }

    /// With which role.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Their address, for their own pages.
    #[must_use]
    pub const fn email(&self) -> &EmailAddress {
        &self.email
    }

    /// The account's name.
    #[must_use]
    pub fn account_name(&self) -> &str {
        &self.account_name
    }

    /// True once their address is confirmed.
    #[must_use]
    pub const fn is_verified(&self) -> bool {
        self.is_verified
    }
}
