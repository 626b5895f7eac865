//! What is said about commands to sandboxes.

use domain::sandbox::SandboxRefusal;

use crate::action::flash::Success;
use crate::action::problem::{Problem, Words};

pub const TIMEOUT_SET: Success = Success::new(
    "Timer on its way",
    "The orchestrator is told within seconds. The sandbox is destroyed when its timer ends, unless it is used before.",
);

impl Words for SandboxRefusal {
    fn problem(self) -> Problem {
        Problem::in_form(match self {
            Self::NotFound => "There is no such sandbox in this account.",
            Self::NotRunning => {
                "This sandbox does not run any more, so it costs nothing and its timer was left alone."
            }
            Self::TimeoutUnknown => "Choose 5, 15 or 60 minutes.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::problem::house_style;

    #[test]
    fn refusals_follow_the_house_style() {
        house_style::<SandboxRefusal>();
    }
}
