//! What is said about signing up and opening the account.

use domain::ceilings::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN};
use domain::sign_up::{OpeningProblem, OpeningRefusal, SignUpRefusal};

use crate::action::flash::Success;
use crate::action::problem::{Problem, Refusal, Words};

/// The same whether or not another mail was sent, so that it says nothing about what others asked for.
pub const ASKED_AGAIN: Success = Success::new(
    "Asked again",
    "Another mail is on its way, unless three went to this address within the hour: then those are all.",
);
pub const ACCOUNT_OPEN: Success = Success::new(
    "Account open",
    "Your account is open, with $50.00 of credit.",
);
pub const LINK_DEAD: &str = "This link is older than 24 hours, or is not ours. If your account is open, sign in; else sign up again for a new link.";
pub const NO_LINK: &str = "Open the link in the mail again: it leads to the form that belongs here. Without it there is nothing to open.";

impl Words for SignUpRefusal {
    fn problem(self) -> Problem {
        Problem::in_field(
            "email",
            match self {
                Self::EmailEmpty => "Enter your e-mail address.",
                Self::EmailTooLong => {
                    "This e-mail address is too long: 254 characters at most, 64 before the @."
                }
                Self::EmailMalformed => {
                    "This is not an e-mail address. Enter one like ada@example.org."
                }
                Self::EmailNotAscii => {
                    "Our mail server cannot write to an address with such letters before the @. Enter one with plain letters there; after the @ any script will do."
                }
            },
        )
    }
}

impl Refusal for OpeningRefusal {
    fn problems(self) -> Vec<Problem> {
        self.0.into_iter().map(Words::problem).collect()
    }
}

impl Words for OpeningProblem {
    fn problem(self) -> Problem {
        match self {
            Self::SomebodySignedIn => Problem::in_form(
                "Somebody has signed in in this browser meanwhile. The page says who; press the button again to sign them out here.",
            ),
            Self::PasswordTooShort => Problem::in_field(
                "password",
                format!("The password is too short: {PASSWORD_CHARS_MIN} characters or more."),
            ),
            Self::PasswordTooLong => Problem::in_field(
                "password",
                format!("The password is too long: {PASSWORD_CHARS_MAX} characters at most."),
            ),
            Self::PasswordCommon => Problem::in_field(
                "password",
                "This password is easy to guess: it is on the lists that are tried first, or is made of their words. Choose another.",
            ),
            Self::PasswordPattern => Problem::in_field(
                "password",
                "This password is easy to guess: it repeats itself or follows the alphabet or the keyboard. Choose another.",
            ),
            Self::PasswordFromAddress => Problem::in_field(
                "password",
                "This password is easy to guess: it is made of your address or of our name. Choose another.",
            ),
            Self::CountryUnknown => {
                Problem::in_field("country", "Choose your country from the list.")
            }
            Self::CountryRefused => Problem::in_field(
                "country",
                "This country is under comprehensive sanctions, so the law does not let us offer the service there.",
            ),
            Self::TermsMissing => {
                Problem::in_field("terms", "Accept the Terms of Service to open the account.")
            }
            Self::AupMissing => Problem::in_field(
                "aup",
                "Accept the Acceptable Use Policy to open the account.",
            ),
            Self::DpaMissing => Problem::in_field(
                "dpa",
                "Accept the Data Processing Agreement to open the account.",
            ),
            Self::ExportStatementMissing => Problem::in_field(
                "export_statement",
                "Tick the statement on sanctions to open the account.",
            ),
            Self::LinkDead => Problem::in_form(LINK_DEAD),
            Self::AlreadyOpen => {
                Problem::in_form("The account of this address is open already. Sign in to it.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::ceilings::{SIGN_UP_CREDIT_CENTS, SIGN_UP_HOURS, SIGN_UP_MAILS_PER_HOUR};
    use domain::money::{Cents, Ticks};
    use strum::IntoEnumIterator as _;

    use super::*;
    use crate::action::flash::{Flash, Kept, Outcome};
    use crate::action::problem::house_style;
    use crate::action::sealed::{SealedCookie, Sealer};

    #[test]
    fn refusals_follow_the_house_style() {
        house_style::<SignUpRefusal>();
        house_style::<OpeningProblem>();
    }

    #[test]
    fn the_figures_in_sentences_are_the_ceilings() {
        assert!(LINK_DEAD.contains(&format!("{SIGN_UP_HOURS} hours")));
        assert_eq!(SIGN_UP_MAILS_PER_HOUR, 3, "ASKED_AGAIN says three");
        let given = Ticks::from_cents(Cents(SIGN_UP_CREDIT_CENTS)).dollars(2);
        assert!(ACCOUNT_OPEN.text.contains(&given), "{given}");
    }

    #[test]
    fn everything_wrong_at_once_fits_a_cookie_with_what_was_typed() {
        let refusal = OpeningRefusal(OpeningProblem::iter().collect());
        let typed = [("country", "XX"), ("terms", "yes"), ("dpa", "yes")];
        let flash = Flash {
            page: "/open-account".to_owned(),
            part: String::new(),
            outcome: Outcome::Failed(refusal.problems()),
            kept: Kept::of(typed),
        };
        let cookie = SealedCookie::new("flash", "/", 300);
        assert!(Sealer::at(true, 0).seal(&cookie, &flash).is_some());
    }
}
