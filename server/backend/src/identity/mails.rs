//! The words of mails to people about their address, one constructor per mail: what happened, what to do, whom to write to. One link, one action.
//! No name and no address of a person stands in a text, so nothing typed by a stranger is ever mailed to anybody.

use url::Url;

use crate::Backend;
use crate::mail::MailRow;
use crate::mail::letter::Letter;
use crate::outside::letter::{Words, base, compose};
use crate::queue::JobError;

/// Somebody tried to sign up with an address that has an account.
pub struct AlreadyRegistered;

impl Letter for AlreadyRegistered {
    const NAME: &'static str = "already_registered";

    async fn write(backend: &Backend, _: &MailRow, _: bool) -> Result<Option<Words>, JobError> {
        Ok(Some(already_registered(&backend.settings().public_origin)))
    }
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
