//! The sentences of failures that belong to no subject.

use super::ActionError;
use super::problem::Problem;

impl ActionError {
    /// Everything there is to say; at least one sentence.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        match self {
            Self::Refused(problems) => problems.clone(),
            Self::Denied(sentence) => vec![Problem::in_form(sentence.clone())],
            Self::SignedOut => vec![Problem::in_form(
                "You are not signed in, or your session has ended. Sign in to go on.",
            )],
            Self::Busy => vec![Problem::in_form(
                "Too many at this moment, and nothing was tried. Wait a few seconds and send it again.",
            )],
            Self::Unexpected { request_id } => vec![Problem::in_form(format!(
                "Something broke on our side, so this was not done. What you typed is kept; try again. If it happens again, \
                 write to hello@isorun.ai and quote request {request_id}."
            ))],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_breakage_quotes_its_request() {
        let said = ActionError::Unexpected {
            request_id: "01-ab".to_owned(),
        };
        assert!(said.problems()[0].text.contains("01-ab"));
    }
}
