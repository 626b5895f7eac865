//! The mail that carries a confirmation. Its words follow `identity::mails`: one link, one action, no name and no address.

use domain::ceilings::VERIFICATION_HOURS;
use domain::id::VerificationId;
use url::Url;

use crate::Backend;
use crate::identity::verification::store;
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
        if !store::exists(&mut db, id).await? {
            return Err(JobError::Fail("no_verification"));
        }
        drop(db);
        let token = verification_token(&settings.secret_key, id.0);
        Ok(Some(verify_email(&settings.public_origin, &token)))
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
