//! What is said about a cost that cannot be worked out.

use domain::ceilings::{ESTIMATE_DAYS_MAX, WHAT_IF_COUNT_MAX};
use domain::price::EstimateProblem;

use crate::action::problem::{Problem, Words};

impl Words for EstimateProblem {
    fn problem(self) -> Problem {
        match self {
            Self::Count => Problem::in_field(
                "sandboxes",
                format!("Enter a whole number of sandboxes, {WHAT_IF_COUNT_MAX} at most."),
            ),
            Self::Vcpus => Problem::in_field("vcpus", "Enter a whole number of vCPU, 1 to 1,024."),
            Self::Memory => Problem::in_field("gib", "Enter a whole number of GiB, 1 to 16,384."),
            Self::Time => Problem::in_field(
                "time",
                format!("Enter a whole number, up to {ESTIMATE_DAYS_MAX} days."),
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
        house_style::<EstimateProblem>();
    }
}
