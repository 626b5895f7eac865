//! The words of each mail, one constructor per mail: what happened, what to do, whom to write to. One link, one action.
//! No name and no address of a person stands in a text, so nothing typed by a stranger is ever mailed to anybody.

use domain::limits::VERIFICATION_HOURS;
use url::Url;

/// A mail ready to send, text and HTML saying the same.
#[derive(Clone, Debug)]
pub struct Words {
    /// The subject line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

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

pub(super) fn base(origin: &Url) -> String {
    let text = origin.as_str();
    if text.ends_with('/') {
        text.to_owned()
    } else {
        format!("{text}/")
    }
}

/// Puts a mail together. All texts are constants of this file and links are built from the configured origin and our
/// own base64url tokens, so there is nothing to escape but the quotes of the attribute.
pub(super) fn compose(
    subject: &str,
    said: &[String],
    (action, link): (&str, &str),
    otherwise: &str,
) -> Words {
    let closing = "Questions: support@isorun.ai. Isorun BV, Netherlands.";
    let text = format!(
        "{}\n\n{action}:\n{link}\n\n{otherwise}\n\n{closing}\n",
        said.join("\n\n")
    );
    let said: String = said.iter().map(|line| format!("<p>{line}</p>")).collect();
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{subject}</title></head><body>{said}\
         <p><a href=\"{link}\">{action}</a></p><p>{otherwise}</p><p>{closing}</p></body></html>"
    );
    Words {
        subject: subject.to_owned(),
        text,
        html,
    }
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
