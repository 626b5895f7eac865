//! The role of a member in an account. What each may do is `act`'s.

use serde::{Deserialize, Serialize};

/// The role that a membership gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, closing the account included.
    Owner,
    /// Everything but closing and ownership.
    Admin,
    /// Money, not keys.
    Billing,
    /// Keys and sandboxes, not money.
    Developer,
    /// Reads.
    Viewer,
}

impl Role {
    /// Every role, highest first.
    pub const ALL: [Self; 5] = [
        Self::Owner,
        Self::Admin,
        Self::Billing,
        Self::Developer,
        Self::Viewer,
    ];

    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Billing => "billing",
            Self::Developer => "developer",
            Self::Viewer => "viewer",
        }
    }

    /// None for a word that is none of them.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}
