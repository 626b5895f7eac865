//! Where somebody wanted to go before they were asked to sign in, and what they had typed there when their session had ended.
//! Sealed, so that no link can lead a sign-in anywhere, and in no address and no log.

use axum::http::HeaderValue;
use backend::Backend;
use domain::id::UserId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::flash::{self, Flash, Kept, Outcome, Success};
use super::sealed::{self, SealedCookie, Sealer};

/// An hour: a password is looked up, a mail is waited for.
const COOKIE: SealedCookie = SealedCookie::new("wanted", "/", 3_600);
/// Bytes of an address that are kept; a longer one is none of ours.
const ADDRESS_BYTES_MAX: usize = 2_000;

const TYPED_BEFORE: Success = Success::new(
    "Not sent yet",
    "Your session had ended, so nothing was changed. What you typed stands in its form again: send it once more.",
);

/// Where to, and with what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Path and query.
    address: String,
    typed: Option<Typed>,
}

/// What was typed into a form that was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed {
    /// By whom: nobody else is shown it.
    pub user_id: Uuid,
    /// The page as the table of routes writes it.
    pub page: String,
    pub fields: Kept,
}

impl Wanted {
    /// An address of ours: the caller knows that it is one of our pages. None when it would lead away all the same, or is
    /// longer than any of them.
    #[must_use]
    pub fn to(address: &str, typed: Option<Typed>) -> Option<Self> {
        let leads_away = !address.starts_with('/')
            || address.starts_with("//")
            || address.contains(|sign: char| sign == '\\' || sign.is_control());
        (!leads_away && address.len() <= ADDRESS_BYTES_MAX).then(|| Self {
            address: address.to_owned(),
            typed,
        })
    }

    /// As a header; without what was typed when that is too large for a cookie.
    #[must_use]
    pub fn header(&self, backend: &Backend) -> Option<HeaderValue> {
        let sealer = Sealer::new(backend);
        sealer.seal(&COOKIE, self).or_else(|| {
            let alone = Self {
                typed: None,
                ..self.clone()
            };
            sealer.seal(&COOKIE, &alone)
        })
    }
}

/// Where a person who has just signed in goes. What they had typed there goes with them.
pub(crate) fn take(backend: &Backend, user_id: UserId) -> String {
    let Some(Wanted { address, typed }) = sealed::take(backend, &COOKIE) else {
        return "/overview".to_owned();
    };
    if let Some(typed) = typed.filter(|typed| typed.user_id == user_id.0) {
        let flash = Flash {
            page: typed.page,
            part: String::new(),
            outcome: Outcome::Stopped(TYPED_BEFORE),
            kept: typed.fields,
        };
        flash::put(backend, flash);
    }
    address
}

/// The page that asks to sign in, said to whoever had typed something.
#[must_use]
pub fn signed_out() -> Flash {
    Flash {
        page: "/sign-in".to_owned(),
        part: String::new(),
        outcome: Outcome::Stopped(Success::new(
            "Your session has ended",
            "Nothing was changed. Sign in, and what you typed stands in its form again.",
        )),
        kept: Kept::nothing(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_leads_away_is_not_kept() {
        for address in ["/", "/alerts", "/usage?range=7d&key=none"] {
            assert!(Wanted::to(address, None).is_some(), "{address}");
        }
        let long = format!("/usage?image={}", "x".repeat(2_000));
        for address in [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "",
            "/a\nb",
            &long,
        ] {
            assert!(Wanted::to(address, None).is_none(), "{address}");
        }
    }
}
