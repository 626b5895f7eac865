//! What is said about the address of a usage page that makes no sense, and what is shown instead.

use domain::usage::UsageProblem;

use crate::action::problem::{Problem, Words};

impl Words for UsageProblem {
    fn problem(self) -> Problem {
        match self {
            Self::RangeUnknown => Problem::in_field(
                "range",
                "There is no such range. The last 24 hours are shown.",
            ),
            Self::FromUnreadable => Problem::in_field(
                "from",
                "Enter the first day as a date like 2026-11-24. The last 24 hours are shown.",
            ),
            Self::ToUnreadable => Problem::in_field(
                "to",
                "Enter the last day as a date like 2026-11-24. The last 24 hours are shown.",
            ),
            Self::ToBeforeFrom => Problem::in_field(
                "to",
                "The last day lies before the first. The last 24 hours are shown.",
            ),
            Self::RangeTooLong => Problem::in_field(
                "to",
                "This is longer than 400 days, which is the most one page shows. Choose fewer.",
            ),
            Self::MetricUnknown => {
                Problem::in_field("metric", "There is no such figure. Cost is shown.")
            }
            Self::GroupUnknown => Problem::in_field(
                "group",
                "Usage cannot be grouped by this. Everything is shown together.",
            ),
            Self::TooMany => Problem::in_field(
                "group",
                "More than 200,000 rated hours lie in this range: too many to show sandbox by sandbox. Choose a shorter one, or filter by one sandbox.",
            ),
            Self::ZoneUnknown => Problem::in_field(
                "zone",
                "There is no such time zone. Enter an IANA name like Europe/Amsterdam. UTC is shown.",
            ),
            Self::FilterUnreadable => {
                Problem::in_form("A filter in the address cannot be read and is left out.")
            }
            Self::BarUnknown => Problem::in_form(
                "The bar in the address is not one of this chart, so there is nothing to compare.",
            ),
            Self::WindowUnreadable => Problem::in_form(
                "The address names no window of time to list. Choose an hour of the usage chart.",
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
        house_style::<UsageProblem>();
    }
}
