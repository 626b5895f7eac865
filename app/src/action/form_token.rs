//! What every form of ours carries in a hidden field: a value of its own, by which a form that is sent twice is done once,
//! and the account it was drawn for, so that the form of an old tab changes nothing in another one. Sealed: nobody can make
//! one up, and nobody reads in it. What follows from a token is the edge's (docs/decisions/0020-form-tokens.md).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::MatchedPath;
use axum::http::request::Parts;
use backend::Backend;
use backend::authority::actor::Actor;
use backend::authority::session::Visitor;
use backend::random;
use backend::secret::{hex, sha256};
use leptos::prelude::use_context;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use uuid::Uuid;

use super::sealed::Sealer;

/// The name of the field.
pub const FIELD: &str = "form_token";
/// Of base62: 131 bits, so that no two forms ever have the same.
const NONCE_CHARS: usize = 22;

/// What a token says. Its fields have short names on the wire: a page may hold fifty forms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormToken {
    #[serde(rename = "n")]
    nonce: String,
    /// The browser it was drawn for, hashed.
    #[serde(rename = "b")]
    browser: String,
    /// The page that the form stands on, as the table of routes writes it.
    #[serde(rename = "p")]
    pub page: String,
    /// The same as it was asked for, without its words.
    #[serde(rename = "a")]
    pub path: String,
    /// Who was signed in; none on a page for strangers.
    #[serde(rename = "o")]
    pub owner: Option<Owner>,
}

/// Somebody in an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    #[serde(rename = "u")]
    pub user_id: Uuid,
    #[serde(rename = "a")]
    account_id: Uuid,
    #[serde(rename = "e")]
    email: String,
    #[serde(rename = "n")]
    account: String,
}

impl Owner {
    fn of(actor: &Actor) -> Self {
        Self {
            user_id: actor.user_id().0,
            account_id: actor.account_id().0,
            email: actor.email().as_str().to_owned(),
            account: actor.account_name().to_owned(),
        }
    }

    /// Whether this is who is signed in now, in the same account.
    #[must_use]
    pub fn is(&self, actor: &Actor) -> bool {
        (self.user_id, self.account_id) == (actor.user_id().0, actor.account_id().0)
    }

    /// Why a form of theirs is not done for this actor.
    #[must_use]
    pub fn is_not(&self, actor: &Actor) -> String {
        format!(
            "This form was opened for {} in the account {}; you are signed in as {} in the account {}. Nothing was changed.",
            self.email,
            self.account,
            actor.email().as_str(),
            actor.account_name()
        )
    }
}

impl FormToken {
    /// The token of a field, when it is one of ours.
    #[must_use]
    pub fn open(backend: &Backend, sealed: &str) -> Option<Self> {
        Sealer::new(backend).open_text(FIELD, sealed)
    }

    /// Whether it was drawn for this browser.
    #[must_use]
    pub fn is_of(&self, browser: &Browser) -> bool {
        self.browser == browser.hash()
    }

    /// The page of this kind that anybody signed in may see: the one it stands on, or its list when it is about one thing.
    #[must_use]
    pub fn section(&self) -> String {
        if self.page.contains('{') {
            let first = self.page.split('/').nth(1).unwrap_or_default();
            format!("/{first}")
        } else {
            self.page.clone()
        }
    }
}

/// A browser, by a random value in a cookie of its own: what binds a form to it also before anybody is signed in, and tells
/// whether it keeps cookies at all. Put into each request by the edge. The value is stored nowhere.
#[derive(Clone, Debug)]
pub struct Browser {
    value: Arc<str>,
    is_known: bool,
    was_drawn_for: Arc<AtomicBool>,
}

impl Browser {
    /// The browser that sent this value; a new one when it sent none, or none of ours.
    #[must_use]
    pub fn of(sent: Option<&str>) -> Self {
        let is_ours = |text: &&str| {
            text.len() == NONCE_CHARS && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let known = sent.filter(is_ours);
        Self {
            value: known.map_or_else(|| random::base62(NONCE_CHARS).into(), Into::into),
            is_known: known.is_some(),
            was_drawn_for: Arc::default(),
        }
    }

    /// What its cookie holds.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether it has sent its cookie back.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.is_known
    }

    /// Whether a form was drawn for it in this answer.
    #[must_use]
    pub fn was_drawn_for(&self) -> bool {
        self.was_drawn_for.load(Ordering::Relaxed)
    }

    fn hash(&self) -> String {
        let digest = sha256(self.value.as_bytes());
        hex(digest.get(..16).unwrap_or_default())
    }
}

/// A new token for a form on the page that is being drawn; none where there is no request.
pub(crate) fn draw() -> Option<String> {
    let (parts, backend) = (use_context::<Parts>()?, use_context::<Backend>()?);
    let browser = parts.extensions.get::<Browser>()?;
    let path = parts.uri.path().to_owned();
    let page = parts.extensions.get::<MatchedPath>();
    let page = page.map_or_else(|| path.clone(), |page| page.as_str().to_owned());
    let actor = parts.extensions.get::<Visitor>().and_then(Visitor::known);
    let token = FormToken {
        nonce: random::base62(NONCE_CHARS),
        browser: browser.hash(),
        page,
        path,
        owner: actor.map(Owner::of),
    };
    browser.was_drawn_for.store(true, Ordering::Relaxed);
    Sealer::new(&backend).text(FIELD, &token)
}

/// The fields of a form as browsers send them.
pub fn pairs(body: &[u8]) -> impl Iterator<Item = (String, String)> + '_ {
    form_urlencoded::parse(body).into_owned()
}

/// The token among them.
#[must_use]
pub fn field(body: &[u8]) -> Option<String> {
    pairs(body)
        .find(|(name, _)| name == FIELD)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_cookie_is_no_browser() {
        let known = random::base62(NONCE_CHARS);
        assert!(Browser::of(Some(&known)).is_known());
        for made_up in [None, Some(""), Some("x"), Some("../../../../etc/passwd")] {
            let browser = Browser::of(made_up);
            assert!(!browser.is_known() && browser.value().len() == NONCE_CHARS);
        }
    }

    #[test]
    fn the_page_of_one_thing_leads_to_its_list() {
        let token = |page: &str| FormToken {
            nonce: String::new(),
            browser: String::new(),
            page: page.to_owned(),
            path: String::new(),
            owner: None,
        };
        assert_eq!(token("/keys/{id}").section(), "/keys");
        assert_eq!(token("/keys/new").section(), "/keys/new");
    }
}
