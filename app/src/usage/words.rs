//! What is said about the address of a usage page that makes no sense, and what is shown instead.

use domain::usage::UsageProblem;

use crate::action::problem::{Problem, Words};

impl Words for UsageProblem {
    /// What is wrong, and what the page shows instead.
    fn problem(self) -> Problem {
        let (field, wrong, instead) = said(self);
        let text = if instead.is_empty() {
            wrong.to_owned()
        } else {
            format!("{wrong} {instead}")
        };
        match field {
            Some(field) => Problem::in_field(field, text),
            None => Problem::in_form(text),
        }
    }
}

/// The same for a file, where nothing is shown instead.
pub fn about_file(problems: &[UsageProblem]) -> Vec<Problem> {
    let said = problems.iter().map(|problem| match said(*problem) {
        (Some(field), wrong, _) => Problem::in_field(field, wrong),
        (None, wrong, _) => Problem::in_form(wrong),
    });
    said.collect()
}

/// The control it is about, what is wrong, and what a page shows instead.
const fn said(problem: UsageProblem) -> (Option<&'static str>, &'static str, &'static str) {
    const DAY: &str = "The last 24 hours are shown.";
    match problem {
        UsageProblem::RangeUnknown => (Some("range"), "There is no such range.", DAY),
        UsageProblem::FromUnreadable => (
            Some("from"),
            "Enter the first day as a date like 2026-11-24.",
            DAY,
        ),
        UsageProblem::ToUnreadable => (
            Some("to"),
            "Enter the last day as a date like 2026-11-24.",
            DAY,
        ),
        UsageProblem::ToBeforeFrom => (Some("to"), "The last day lies before the first.", DAY),
        UsageProblem::RangeTooLong => (
            Some("to"),
            "This is longer than 400 days, which is the most that is shown at once. Choose fewer.",
            "",
        ),
        UsageProblem::MetricUnknown => {
            (Some("metric"), "There is no such figure.", "Cost is shown.")
        }
        UsageProblem::GroupUnknown => (
            Some("group"),
            "Usage cannot be grouped by this.",
            "Everything is shown together.",
        ),
        UsageProblem::TooMany => (
            Some("group"),
            "More than 200,000 rated hours lie in this range: too many to show sandbox by sandbox. Choose a shorter one, or filter by one sandbox.",
            "",
        ),
        UsageProblem::FileTooLong => (
            Some("group"),
            "This file would have more than 50,000 rows. Choose a shorter range, or a filter.",
            "",
        ),
        UsageProblem::HideZeroUnknown => (
            None,
            "Say `hide_zero=yes` to hide what is zero, or leave it out.",
            "Everything is shown.",
        ),
        UsageProblem::ZoneUnknown => (
            Some("zone"),
            "There is no such time zone. Enter an IANA name like Europe/Amsterdam.",
            "UTC is shown.",
        ),
        UsageProblem::FilterUnreadable => (
            None,
            "A filter in the address cannot be read.",
            "It is left out.",
        ),
        UsageProblem::BarUnknown => (
            None,
            "The bar in the address is not one of this chart, so there is nothing to compare.",
            "",
        ),
        UsageProblem::WindowUnreadable => (
            None,
            "The address names no window of time to list. Choose an hour of the usage chart.",
            "",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::problem::house_style;

    #[test]
    fn refusals_follow_the_house_style() {
        house_style::<UsageProblem>();
    }
}
