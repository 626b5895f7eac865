//! Every sentence about what went wrong or well, in one place (look.md 8): what happened, what it means, what to do.
//! Which field it belongs to is said here too; drawing is `form`'s.

use domain::limits::{
    KEY_NAME_CHARS_MAX, KEYS_PER_ACCOUNT_MAX, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN,
    VERIFICATION_HOURS,
};
use domain::refusal::{
    KeyRefusal, SandboxRefusal, SignInRefusal, SignUpProblem, UsageProblem, VerificationRefusal,
};

use crate::action::ActionError;
use crate::action::flash::Done;
use crate::action::problem::Problem;
use crate::alerts::words as alert_words;

/// Everything there is to say about a failed action; at least one sentence.
pub fn problems(error: &ActionError) -> Vec<Problem> {
    let one = |field, text: String| vec![Problem { field, text }];
    match error {
        ActionError::SignUp(refusal) => refusal.0.iter().map(|problem| sign_up(*problem)).collect(),
        ActionError::SignIn(SignInRefusal::WrongPair) => one(
            Some("email"),
            "This pair of e-mail address and password is not known here. Check both.".to_owned(),
        ),
        ActionError::SignIn(SignInRefusal::TooMany) => one(
            None,
            "Too many tries. Nothing was checked this time; wait a minute and try again."
                .to_owned(),
        ),
        ActionError::Verification(refusal) => one(None, verification(*refusal)),
        ActionError::Key(refusal) => vec![key(*refusal)],
        ActionError::Sandbox(refusal) => one(None, sandbox(*refusal).to_owned()),
        ActionError::Limit(refusal) => vec![alert_words::limit(*refusal)],
        ActionError::Alert(refusal) => vec![alert_words::alert(*refusal)],
        ActionError::Webhook(refusal) => vec![alert_words::webhook(*refusal)],
        ActionError::Calendar(refusal) => vec![alert_words::calendar(*refusal)],
        ActionError::Denied(sentence) => one(None, sentence.clone()),
        ActionError::SignedOut => one(
            None,
            "You are not signed in, or your session has ended. Sign in to go on.".to_owned(),
        ),
        ActionError::Unexpected { request_id } => one(
            None,
            format!(
                "Something broke on our side, so this was not done. What you typed is kept; try again. If it happens again, \
                 write to hello@isorun.ai and quote request {request_id}."
            ),
        ),
    }
}

fn sign_up(problem: SignUpProblem) -> Problem {
    let (field, text) = match problem {
        SignUpProblem::EmailEmpty => ("email", "Enter your e-mail address.".to_owned()),
        SignUpProblem::EmailTooLong => ("email", "This e-mail address is too long: 254 characters at most, 64 before the @.".to_owned()),
        SignUpProblem::EmailMalformed => ("email", "This is not an e-mail address. Enter one like ada@example.org.".to_owned()),
        SignUpProblem::PasswordTooShort => ("password", format!("The password is too short: {PASSWORD_CHARS_MIN} characters or more.")),
        SignUpProblem::PasswordTooLong => ("password", format!("The password is too long: {PASSWORD_CHARS_MAX} characters at most.")),
        SignUpProblem::PasswordGuessable => {
            ("password", "This password is easy to guess: it is on a list, repeats itself, or comes from your address. Choose another.".to_owned())
        }
        SignUpProblem::CountryUnknown => ("country", "Choose your country from the list.".to_owned()),
        SignUpProblem::CountryRefused => {
            ("country", "This country is under comprehensive sanctions, so the law does not let us offer the service there.".to_owned())
        }
        SignUpProblem::TermsMissing => ("terms", "Accept the Terms of Service to sign up.".to_owned()),
        SignUpProblem::AupMissing => ("aup", "Accept the Acceptable Use Policy to sign up.".to_owned()),
        SignUpProblem::DpaMissing => ("dpa", "Accept the Data Processing Agreement to sign up.".to_owned()),
        SignUpProblem::ExportStatementMissing => ("export_statement", "Make the export statement to sign up.".to_owned()),
        SignUpProblem::TooMany => {
            return Problem { field: None, text: "Too many sign-ups came from your network. Wait an hour and try again.".to_owned() };
        }
    };
    Problem {
        field: Some(field),
        text,
    }
}

fn verification(refusal: VerificationRefusal) -> String {
    match refusal {
        VerificationRefusal::Unknown => {
            "This link was used before, was replaced by a newer one, or is not ours. Sign in to have a new one sent.".to_owned()
        }
        VerificationRefusal::Expired => {
            format!("This link is older than {VERIFICATION_HOURS} hours and no longer works. Sign in to have a new one sent.")
        }
        VerificationRefusal::AlreadyVerified => "Your address is confirmed already. There is nothing left to do.".to_owned(),
        VerificationRefusal::TooMany => {
            "Three mails were sent within the hour, which is the limit. Look in the spam folder, or try again in an hour.".to_owned()
        }
    }
}

const fn sandbox(refusal: SandboxRefusal) -> &'static str {
    match refusal {
        SandboxRefusal::Forbidden => {
            "Your role in this account may not command sandboxes. Ask an owner, admin or developer of the account."
        }
        SandboxRefusal::NotFound => "There is no such sandbox in this account.",
        SandboxRefusal::NotRunning => {
            "This sandbox does not run any more, so it costs nothing and its timer was left alone."
        }
        SandboxRefusal::TimeoutUnknown => "Choose 5, 15 or 60 minutes.",
    }
}

fn key(refusal: KeyRefusal) -> Problem {
    let (field, text) = match refusal {
        KeyRefusal::NameEmpty => (Some("name"), "Give the key a name, such as where it will be used.".to_owned()),
        KeyRefusal::NameTooLong => (Some("name"), format!("The name is too long: {KEY_NAME_CHARS_MAX} characters at most.")),
        KeyRefusal::NameUnprintable => (Some("name"), "The name holds a line break or another character that cannot be shown. Remove it.".to_owned()),
        KeyRefusal::EmailUnverified => {
            (None, "Confirm your e-mail address first: keys are made only for confirmed addresses. Settings sends the mail again.".to_owned())
        }
        KeyRefusal::Forbidden => (None, "Your role in this account may not change keys. Ask an owner or admin of the account.".to_owned()),
        KeyRefusal::TooMany => {
            (None, format!("{KEYS_PER_ACCOUNT_MAX} live keys exist, which is the limit. Revoke one that is no longer used, then create this one."))
        }
        KeyRefusal::NotFound => (None, "There is no such key in this account, or it is gone already.".to_owned()),
    };
    Problem { field, text }
}

/// What makes no sense in the address of a usage page, and what is shown instead.
pub fn usage(problem: UsageProblem) -> Problem {
    let (field, text) = match problem {
        UsageProblem::RangeUnknown => (
            Some("range"),
            "There is no such range. The last 24 hours are shown.",
        ),
        UsageProblem::FromUnreadable => (
            Some("from"),
            "Enter the first day as a date like 2026-11-24. The last 24 hours are shown.",
        ),
        UsageProblem::ToUnreadable => (
            Some("to"),
            "Enter the last day as a date like 2026-11-24. The last 24 hours are shown.",
        ),
        UsageProblem::ToBeforeFrom => (
            Some("to"),
            "The last day lies before the first. The last 24 hours are shown.",
        ),
        UsageProblem::RangeTooLong => (
            Some("to"),
            "This is longer than 400 days, which is the most one page shows. Choose fewer.",
        ),
        UsageProblem::MetricUnknown => (Some("metric"), "There is no such figure. Cost is shown."),
        UsageProblem::GroupUnknown => (
            Some("group"),
            "Usage cannot be grouped by this. Everything is shown together.",
        ),
        UsageProblem::TooMany => (
            Some("group"),
            "More than 200,000 rated hours lie in this range: too many to show sandbox by sandbox. Choose a shorter one, or filter by one sandbox.",
        ),
        UsageProblem::ZoneUnknown => (
            Some("zone"),
            "There is no such time zone. Enter an IANA name like Europe/Amsterdam. UTC is shown.",
        ),
        UsageProblem::FilterUnreadable => (
            None,
            "A filter in the address cannot be read and is left out.",
        ),
        UsageProblem::BarUnknown => (
            None,
            "The bar in the address is not one of this chart, so there is nothing to compare.",
        ),
        UsageProblem::WindowUnreadable => (
            None,
            "The address names no window of time to list. Choose an hour of the usage chart.",
        ),
    };
    Problem {
        field,
        text: text.to_owned(),
    }
}

/// Title and sentence about what was done. `email` is what was typed on the form, if any.
pub fn done(done: Done) -> (&'static str, &'static str) {
    match done {
        Done::MailSent => (
            "Mail sent",
            "A mail with a link is on its way. The link works for 24 hours.",
        ),
        Done::EmailConfirmed => (
            "Address confirmed",
            "Your account is open, with $50.00 of credit.",
        ),
        Done::KeyRevoked => (
            "Key revoked",
            "The orchestrator is told to refuse it from now on. Sandboxes it started keep running.",
        ),
        Done::TimeoutSet => (
            "Timer on its way",
            "The orchestrator is told within seconds. The sandbox is destroyed when its timer ends, unless it is used before.",
        ),
        Done::SignedOut => ("Signed out", "Your session on this browser has ended."),
        other => alert_words::done(other),
    }
}

#[cfg(test)]
mod tests {
    use domain::refusal::SignUpRefusal;

    use super::*;

    const USAGE: [UsageProblem; 12] = [
        UsageProblem::RangeUnknown,
        UsageProblem::FromUnreadable,
        UsageProblem::ToUnreadable,
        UsageProblem::ToBeforeFrom,
        UsageProblem::RangeTooLong,
        UsageProblem::MetricUnknown,
        UsageProblem::GroupUnknown,
        UsageProblem::TooMany,
        UsageProblem::ZoneUnknown,
        UsageProblem::FilterUnreadable,
        UsageProblem::BarUnknown,
        UsageProblem::WindowUnreadable,
    ];

    fn every_error() -> Vec<ActionError> {
        use SignUpProblem as S;
        let all = vec![
            S::EmailEmpty,
            S::EmailTooLong,
            S::EmailMalformed,
            S::PasswordTooShort,
            S::PasswordTooLong,
            S::PasswordGuessable,
            S::CountryUnknown,
            S::CountryRefused,
            S::TermsMissing,
            S::AupMissing,
            S::DpaMissing,
            S::ExportStatementMissing,
            S::TooMany,
        ];
        let keys = [
            KeyRefusal::NameEmpty,
            KeyRefusal::NameTooLong,
            KeyRefusal::NameUnprintable,
            KeyRefusal::EmailUnverified,
            KeyRefusal::Forbidden,
            KeyRefusal::TooMany,
            KeyRefusal::NotFound,
        ];
        let links = [
            VerificationRefusal::Unknown,
            VerificationRefusal::Expired,
            VerificationRefusal::AlreadyVerified,
            VerificationRefusal::TooMany,
        ];
        let mut errors = vec![
            ActionError::SignUp(SignUpRefusal(all)),
            ActionError::SignedOut,
        ];
        errors.push(ActionError::Unexpected {
            request_id: "01-ab".to_owned(),
        });
        errors.extend([SignInRefusal::WrongPair, SignInRefusal::TooMany].map(ActionError::SignIn));
        errors.extend(keys.map(ActionError::Key));
        errors.extend(links.map(ActionError::Verification));
        let commands = [
            SandboxRefusal::Forbidden,
            SandboxRefusal::NotFound,
            SandboxRefusal::NotRunning,
            SandboxRefusal::TimeoutUnknown,
        ];
        errors.extend(commands.map(ActionError::Sandbox));
        errors.extend(alert_words::tests::every_error());
        errors
    }

    #[test]
    fn sentences_follow_the_house_style_and_differ() {
        let said: Vec<String> = every_error()
            .iter()
            .flat_map(problems)
            .chain(USAGE.map(usage))
            .map(|problem| problem.text)
            .collect();
        for text in &said {
            assert!(
                text.ends_with('.')
                    && !text.contains('!')
                    && !text.to_lowercase().contains("please"),
                "{text}"
            );
            assert!(!text.contains("  "), "{text}");
        }
        let mut unique = said.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), said.len());
    }

    #[test]
    fn a_breakage_quotes_its_request() {
        let said = problems(&ActionError::Unexpected {
            request_id: "01-ab".to_owned(),
        });
        assert!(said[0].text.contains("01-ab"));
    }
}
