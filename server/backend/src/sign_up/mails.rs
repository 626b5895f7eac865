//! The mail to whoever's address was typed at sign-up: the link that opens their account, or that they have one. One link, one
//! action, no name and no address in the text, so nothing typed by a stranger is ever mailed to anybody.

use domain::ceilings::SIGN_UP_HOURS;
use url::Url;

use crate::Backend;
use crate::identity::users;
use crate::mail::letter::Letter;
use crate::mail::{MailRow, To};
use crate::outside::letter::{Words, base, compose};
use crate::queue::JobError;
use crate::secret::sign_up_token;
use crate::sign_up::store;

/// What an address gets that was typed at sign-up. Which of the two is found out when it is sent and not when it was asked for,
/// so that asking takes the same work for every address.
pub struct SignUpLetter;

impl Letter for SignUpLetter {
    const NAME: &'static str = "sign_up";

    async fn write(backend: &Backend, mail: &MailRow, _: bool) -> Result<Option<Words>, JobError> {
        let settings = backend.settings();
        let To::SignUp(id) = mail.to else {
            return Err(JobError::Fail("no_sign_up"));
        };
        let mut db = backend.pool().acquire().await?;
        // Its day is over: the link would open nothing.
        let Some(canonical) = store::canonical(&mut db, id).await? else {
            return Ok(None);
        };
        let is_known = users::by_email(&mut db, &canonical).await?.is_some();
        drop(db);
        Ok(Some(if is_known {
            already_registered(&settings.public_origin)
        } else {
            let token = sign_up_token(backend.root().await?, id.0);
            open_account(&settings.public_origin, &token)
        }))
    }
}

/// Open your account.
fn open_account(origin: &Url, token: &str) -> Words {
    let link = format!("{}open-account/{token}", base(origin));
    compose(
        "Open your Isorun account",
        &[
            "Somebody, probably you, asked for an Isorun account with this address.".to_owned(),
            format!(
                "Choose a password to open it and receive $50 of credit. The link works for {SIGN_UP_HOURS} hours."
            ),
        ],
        ("Open your account", &link),
        "If this was not you, do nothing: there is no account, and the address is forgotten after a day.",
    )
}

/// Somebody signed up with an address that has an account.
fn already_registered(origin: &Url) -> Words {
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
            let words = open_account(&Url::parse(origin).unwrap(), "abc");
            assert!(
                words
                    .text
                    .contains("\nhttps://app.isorun.ai/open-account/abc\n")
            );
            assert!(
                words
                    .html
                    .contains("href=\"https://app.isorun.ai/open-account/abc\"")
            );
        }
    }
}
