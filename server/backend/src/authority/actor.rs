//! Authority as a type: an `Actor` is made from a live session and from nothing else, so holding one is the proof.
//! What each role may do is `domain::act`.

use domain::act::{Act, Denial, Person};
use domain::email::EmailAddress;
use domain::id::{AccountId, UserId};
use domain::role::Role;

/// A signed-in person inside one account.
#[derive(Clone, Debug)]
pub struct Actor {
    pub(super) user_id: UserId,
    pub(super) account_id: AccountId,
    pub(super) role: Role,
    pub(super) email: EmailAddress,
    pub(super) account_name: String,
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

    /// Whether they may do this now.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn may(&self, act: Act) -> Result<(), Denial> {
        act.allows(Person {
            role: Some(self.role),
            // Nobody is asked for a fresh proof yet; until there is a way to give one, nobody has one.
            is_proven: false,
        })
    }

    /// Whether a page offers this act: by role alone, because what else is missing the form can say.
    #[must_use]
    pub fn is_offered(&self, act: Act) -> bool {
        !matches!(self.may(act), Err(Denial::Forbidden(_)))
    }
}
