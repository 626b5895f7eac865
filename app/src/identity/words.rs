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
            Self::Wait { seconds } => Problem::in_form(format!(
                "Too many tries for this address. Nothing was checked this time; try again in {}.",
                span(seconds)
            )),
        }
    }
}

/// Such as "40 seconds" or "11 minutes"; never less than it is.
fn span(seconds: i64) -> String {
    match seconds {
        ..=1 => "a second".to_owned(),
        2..60 => format!("{seconds} seconds"),
        60 => "a minute".to_owned(),
        61.. => format!("{} minutes", (seconds + 59) / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::problem::house_style;

    #[test]
    fn a_wait_is_said_so_that_it_is_over_when_it_says() {
        for (seconds, said) in [
            (0, "a second"),
            (40, "40 seconds"),
            (60, "a minute"),
            (61, "2 minutes"),
            (900, "15 minutes"),
        ] {
            let text = SignInRefusal::Wait { seconds }.problem().text;
            assert!(text.ends_with(&format!("try again in {said}.")), "{text}");
        }
    }

    #[test]
    fn refusals_follow_the_house_style() {
        house_style::<SignInRefusal>();
    }
}
