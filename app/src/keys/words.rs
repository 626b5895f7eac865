//! What is said about keys: why a change was refused, and what follows from one that was made.

use domain::ceilings::{KEY_NAME_CHARS_MAX, KEYS_PER_ACCOUNT_MAX};
use domain::key::KeyRefusal;

use crate::action::flash::Success;
use crate::action::problem::{Problem, Words};

pub const REVOKED: Success = Success::new(
    "Key revoked",
    "The orchestrator is told to refuse it from now on. Sandboxes it started keep running.",
);

impl Words for KeyRefusal {
    fn problem(self) -> Problem {
        match self {
            Self::NameEmpty => Problem::in_field(
                "name",
                "Give the key a name, such as where it will be used.",
            ),
            Self::NameTooLong => Problem::in_field(
                "name",
                format!("The name is too long: {KEY_NAME_CHARS_MAX} characters at most."),
            ),
            Self::NameUnprintable => Problem::in_field(
                "name",
                "The name holds a line break or another character that cannot be shown. Remove it.",
            ),
            Self::NameInvisible => Problem::in_field(
                "name",
                "The name shows nothing, or holds a character that cannot be seen. Type it anew.",
            ),
            Self::NameTaken => Problem::in_field(
                "name",
                "A live key of this account has this name, or one that looks the same. Choose another.",
            ),
            Self::TooMany => Problem::in_form(format!(
                "{KEYS_PER_ACCOUNT_MAX} live keys exist, which is the limit. Revoke one that is no longer used, then create this one."
            )),
            Self::NotFound => {
                Problem::in_form("There is no such key in this account, or it is gone already.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::problem::house_style;

    #[test]
    fn refusals_follow_the_house_style() {
        house_style::<KeyRefusal>();
    }
}
