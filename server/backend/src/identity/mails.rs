//! The words of each mail, one constructor per mail: what happened, what to do, whom to write to. One link, one action.
//! No name and no address of a person stands in a text, so nothing typed by a stranger is ever mailed to anybody.

use domain::limits::VERIFICATION_HOURS;
use url::Url;

use crate::outside::letter::{Words, base, compose};

/// Confirm your address.
#[must_use]
pub fn verify_email(origin: &Url, token: &str) -> Words {
    let link = format!("{}verify-email/{token}", base(origin));
    compose(
        "Confirm your e-mail address for Isorun",
        &[
            "An Isorun account was opened with this address.".to_owned(),
            format!(
                "Confirm the address to receive $50 of credit and to create a key. The link works for {VERIFICATION_HOURS} hours."
            ),
        ],
        ("Confirm the address", &link),
        "If this was not you, do nothing: without this confirmation the account has no credit and no keys.",
    )
}

/// Somebody signed up with an address that has an account.
#[must_use]
pub fn already_registered(origin: &Url) -> Words {
    let link = format!("{}sign-in", base(origin));
    compose(
        "You already have an Isorun account",
        &[
            "Somebody, probably you, tried to open an Isorun account with this address.".to_owned(),
            "The address has an account already, so nothing was changed.".to_owned(),
        ],
        ("Sign in", &link),
        "If this was not you, there is nothing to do: nobody learned that this address has an account.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_start_at_the_configured_origin() {
        for origin in ["https://app.isorun.ai", "https://app.isorun.ai/"] {
            let words = verify_email(&Url::parse(origin).unwrap(), "abc");
            assert!(
                words
                    .text
                    .contains("\nhttps://app.isorun.ai/verify-email/abc\n")
            );
            assert!(
                words
                    .html
                    .contains("href=\"https://app.isorun.ai/verify-email/abc\"")
            );
        }
    }
}
