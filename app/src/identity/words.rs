//! What is said about signing in and out.

use domain::identity::SignInRefusal;

use crate::action::flash::Success;
use crate::action::problem::{Problem, Words};

pub const SIGNED_OUT: Success =
    Success::new("Signed out", "Your session on this browser has ended.");

impl Words for SignInRefusal {
    fn problem(self) -> Problem {
        match self {
            Self::WrongPair => Problem::in_field(
                "email",
                "This pair of e-mail address and password is not known here. Check both.",
            ),
            Self::TooMany => Problem::in_form(
                "Too many tries. Nothing was checked this time; wait a minute and try again.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::problem::house_style;

    #[test]
    fn refusals_follow_the_house_style() {
        house_style::<SignInRefusal>();
    }
}
