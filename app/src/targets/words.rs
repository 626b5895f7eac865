//! What is said about refusing mail.

use domain::target::TargetRefusal;

use crate::action::flash::Success;
use crate::action::problem::{Problem, Words};

pub const MAIL_REFUSED: Success = Success::new(
    "Refused",
    "Nothing is sent to your address from now on that somebody else can ask for.",
);
pub const MAIL_ALLOWED: Success = Success::new(
    "Allowed again",
    "Accounts can ask you from now on, and alerts that you agreed to before can come again.",
);

impl Words for TargetRefusal {
    fn problem(self) -> Problem {
        match self {
            Self::LinkUnknown => Problem::in_form(
                "This link is not ours, or it was cut on its way. Open the one in the mail again.",
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
        house_style::<TargetRefusal>();
    }
}
