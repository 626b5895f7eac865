//! The mail about many failed sign-ins. Its words follow `identity::mails`: what happened, what to do, no name and no address.

use domain::ceilings::SIGN_IN_FAILURES_TOLD;
use url::Url;

use crate::Backend;
use crate::mail::MailRow;
use crate::mail::letter::Letter;
use crate::outside::letter::{Words, base, compose};
use crate::queue::JobError;

/// Ten sign-ins in a row failed.
pub struct SignInFailures;

impl Letter for SignInFailures {
    const NAME: &'static str = "sign_in_failures";

    async fn write(backend: &Backend, _: &MailRow, _: bool) -> Result<Option<Words>, JobError> {
        Ok(Some(sign_in_failures(&backend.settings().public_origin)))
    }
}

/// Ten sign-ins in a row failed.
#[must_use]
pub fn sign_in_failures(origin: &Url) -> Words {
    let link = format!("{}sign-in", base(origin));
    compose(
        "Failed sign-ins to your Isorun account",
        &[
            format!(
                "{SIGN_IN_FAILURES_TOLD} sign-ins in a row with this address failed: the password was wrong each time, and nobody got in."
            ),
            "After each further failure the next try has to wait longer, up to 15 minutes. A sign-in with the right password ends that."
                .to_owned(),
            "You hear of this at most once a day.".to_owned(),
        ],
        ("Sign in", &link),
        "If this was not you, there is nothing to do as long as nobody else knows your password. If somebody may, write to hello@isorun.ai.",
    )
}
