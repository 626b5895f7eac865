//! The words of each mail, one constructor per mail: what happened, what to do, whom to write to. One link, one action.
//! No name and no address of a person stands in a text, so nothing typed by a stranger is ever mailed to anybody.

use domain::ceilings::VERIFICATION_HOURS;
use domain::id::VerificationId;
use url::Url;

use crate::Backend;
use crate::identity::verification;
use crate::mail::MailRow;
use crate::mail::letter::Letter;
use crate::outside::letter::{Words, base, compose};
use crate::queue::JobError;
use crate::secret::verification_token;

/// Confirm your address.
pub struct VerifyEmail;

impl Letter for VerifyEmail {
    const NAME: &'static str = "verify_email";

    async fn write(backend: &Backend, mail: &MailRow, _: bool) -> Result<Option<Words>, JobError> {
        let settings = backend.settings();
        let id = mail
            .about
            .map(VerificationId)
            .ok_or(JobError::Fail("no_verification"))?;
        let mut db = backend.pool().acquire().await?;
        if !verification::exists(&mut db, id).await? {
            return Err(JobError::Fail("no_verification"));
        }
        drop(db);
        let token = verification_token(&settings.secret_key, id.0);
        Ok(Some(verify_email(&settings.public_origin, &token)))
    }
}

/// Somebody tried to sign up with an address that has an account.
pub struct AlreadyRegistered;

impl Letter for AlreadyRegistered {
    const NAME: &'static str = "already_registered";

    async fn write(backend: &Backend, _: &MailRow, _: bool) -> Result<Option<Words>, JobError> {
        Ok(Some(already_registered(&backend.settings().public_origin)))
    }
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
