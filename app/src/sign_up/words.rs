//! What is said about signing up and confirming the address.

use domain::ceilings::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, VERIFICATION_HOURS};
use domain::identity::VerificationRefusal;
use domain::sign_up::{SignUpProblem, SignUpRefusal};

use crate::action::flash::Success;
use crate::action::problem::{Problem, Refusal, Words};

pub const MAIL_SENT: Success = Success::new(
    "Mail sent",
    "A mail with a link is on its way. The link works for 24 hours.",
);
pub const EMAIL_CONFIRMED: Success = Success::new(
    "Address confirmed",
    "Your account is open, with $50.00 of credit.",
);

impl Refusal for SignUpRefusal {
    fn problems(self) -> Vec<Problem> {
        self.0.into_iter().map(Words::problem).collect()
    }
}

impl Words for SignUpProblem {
    fn problem(self) -> Problem {
        match self {
            Self::EmailEmpty => Problem::in_field("email", "Enter your e-mail address."),
            Self::EmailTooLong => Problem::in_field(
                "email",
                "This e-mail address is too long: 254 characters at most, 64 before the @.",
            ),
            Self::EmailMalformed => Problem::in_field(
                "email",
                "This is not an e-mail address. Enter one like ada@example.org.",
            ),
            Self::PasswordTooShort => Problem::in_field(
                "password",
                format!("The password is too short: {PASSWORD_CHARS_MIN} characters or more."),
            ),
            Self::PasswordTooLong => Problem::in_field(
                "password",
                format!("The password is too long: {PASSWORD_CHARS_MAX} characters at most."),
            ),
            Self::PasswordGuessable => Problem::in_field(
                "password",
                "This password is easy to guess: it is on a list, repeats itself, or comes from your address. Choose another.",
            ),
            Self::CountryUnknown => {
                Problem::in_field("country", "Choose your country from the list.")
            }
            Self::CountryRefused => Problem::in_field(
                "country",
                "This country is under comprehensive sanctions, so the law does not let us offer the service there.",
            ),
            Self::TermsMissing => {
                Problem::in_field("terms", "Accept the Terms of Service to sign up.")
            }
            Self::AupMissing => {
                Problem::in_field("aup", "Accept the Acceptable Use Policy to sign up.")
            }
            Self::DpaMissing => {
                Problem::in_field("dpa", "Accept the Data Processing Agreement to sign up.")
            }
            Self::ExportStatementMissing => {
                Problem::in_field("export_statement", "Make the export statement to sign up.")
            }
            Self::TooMany => Problem::in_form(
                "Too many sign-ups came from your network. Wait an hour and try again.",
            ),
        }
    }
}

impl Words for VerificationRefusal {
    fn problem(self) -> Problem {
        match self {
            Self::Unknown => Problem::in_form(
                "This link was used before, was replaced by a newer one, or is not ours. Sign in to have a new one sent.",
            ),
            Self::Expired => Problem::in_form(format!(
                "This link is older than {VERIFICATION_HOURS} hours and no longer works. Sign in to have a new one sent."
            )),
            Self::AlreadyVerified => {
                Problem::in_form("Your address is confirmed already. There is nothing left to do.")
            }
            Self::TooMany => Problem::in_form(
                "Three mails were sent within the hour, which is the limit. Look in the spam folder, or try again in an hour.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::*;
    use crate::action::flash::{Flash, Kept, Outcome};
    use crate::action::problem::house_style;
    use crate::action::sealed::{SealedCookie, Sealer};

    #[test]
    fn refusals_follow_the_house_style() {
        house_style::<SignUpProblem>();
        house_style::<VerificationRefusal>();
    }

    #[test]
    fn everything_wrong_at_once_fits_a_cookie_with_what_was_typed() {
        let refusal = SignUpRefusal(SignUpProblem::iter().collect());
        let email = format!("{}@{}.example", "a".repeat(64), "b".repeat(181));
        let typed = [
            ("email", email.as_str()),
            ("country", "XX"),
            ("terms", "yes"),
        ];
        let flash = Flash {
            page: "/sign-up".to_owned(),
            outcome: Outcome::Failed(refusal.problems()),
            kept: Kept::of(typed),
        };
        let cookie = SealedCookie::new("flash", "/", 300);
        assert!(Sealer::at(true, 0).seal(&cookie, &flash).is_some());
    }
}
