//! Sealed cookies for what is carried to the next page and used once: the outcome of a form, a new key, the token of a
//! confirmation link. Encrypted and authenticated, unreadable to scripts, cleared by the page that shows them.
//! Sessions are not used for this: a new key must rest nowhere, and forms work before there is a session.

use axum::http::header::{COOKIE, HeaderValue, SET_COOKIE};
use axum::http::request::Parts;
use backend::Backend;
use backend::service::keys::CreatedKey;
use cookie::time::Duration;
use cookie::{Cookie, CookieJar, Key, SameSite};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A place that holds one sealed value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// How the last form ended: a [`Flash`](super::flash::Flash).
    Flash,
    /// The key just made: [`NewKey`].
    NewKey,
    /// The token of the confirmation link just followed, as text.
    Verification,
    /// The token of an alert recipient's link just followed, as text.
    Recipient,
}

impl Slot {
    const fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Flash, true) => "__Host-flash",
            (Self::Flash, false) => "flash",
            // Bound to one path, which the `__Host-` prefix forbids.
            (Self::NewKey, true) => "__Secure-new_key",
            (Self::NewKey, false) => "new_key",
            (Self::Verification, true) => "__Host-verification",
            (Self::Verification, false) => "verification",
            (Self::Recipient, true) => "__Host-recipient",
            (Self::Recipient, false) => "recipient",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Flash | Self::Verification | Self::Recipient => "/",
            Self::NewKey => "/keys/created",
        }
    }

    /// Lifetime; also written inside the seal, so that a kept cookie is worth nothing later.
    const fn seconds(self) -> i64 {
        match self {
            Self::Flash => 300,
            Self::NewKey => 60,
            Self::Verification | Self::Recipient => 900,
        }
    }
}

/// Bytes of a sealed value that are sure to fit a cookie beside its name and attributes.
const SEALED_BYTES_MAX: usize = 3_800;

/// A key on its way to the page that shows it. Its `Debug` hides the text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewKey {
    /// Its name.
    pub name: String,
    /// The whole key.
    pub text: String,
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A sealed value with its own end, because a browser may keep a cookie longer than told.
#[derive(Serialize, Deserialize)]
struct Sealed<T> {
    until: i64,
    value: T,
}

/// Seals values into cookies and opens them. Made from the process secret; every replica makes the same one.
pub struct Sealer {
    key: Key,
    secure: bool,
    now: i64,
}

impl Sealer {
    /// The sealer of this process at this moment.
    #[must_use]
    pub fn new(backend: &Backend) -> Self {
        let settings = backend.settings();
        Self {
            key: Key::from(&settings.secret_key.derive("cookie")),
            secure: settings.public_origin.scheme() == "https",
            now: backend.clock().now().unix_timestamp(),
        }
    }

    /// A `Set-Cookie` value that holds `value`; none when it is too large for a cookie or not a header value.
    #[must_use]
    pub fn seal<T: Serialize>(&self, slot: Slot, value: &T) -> Option<HeaderValue> {
        let sealed = Sealed {
            until: self.now + slot.seconds(),
            value,
        };
        let text = leptos::serde_json::to_string(&sealed).ok()?;
        let name = slot.name(self.secure);
        let mut jar = CookieJar::new();
        jar.private_mut(&self.key).add(Cookie::new(name, text));
        let sealed = jar.get(name)?.value().to_owned();
        (sealed.len() <= SEALED_BYTES_MAX)
            .then(|| self.cookie(slot, sealed, slot.seconds()))
            .flatten()
    }

    /// A `Set-Cookie` value that empties the slot.
    #[must_use]
    pub fn clear(&self, slot: Slot) -> Option<HeaderValue> {
        self.cookie(slot, String::new(), 0)
    }

    /// What the slot holds, when it was sealed by us and has not ended.
    #[must_use]
    pub fn open<T: DeserializeOwned>(&self, slot: Slot, parts: &Parts) -> Option<T> {
        let name = slot.name(self.secure);
        let headers = parts
            .headers
            .get_all(COOKIE)
            .into_iter()
            .filter_map(|header| header.to_str().ok());
        let cookie = headers
            .flat_map(Cookie::split_parse)
            .flatten()
            .find(|cookie| cookie.name() == name)?
            .into_owned();
        let mut jar = CookieJar::new();
        jar.add_original(cookie);
        let opened = jar.private(&self.key).get(name)?;
        let sealed: Sealed<T> = leptos::serde_json::from_str(opened.value()).ok()?;
        (self.now < sealed.until).then_some(sealed.value)
    }

    fn cookie(&self, slot: Slot, value: String, seconds: i64) -> Option<HeaderValue> {
        let cookie = Cookie::build((slot.name(self.secure), value))
            .path(slot.path())
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax)
            .max_age(Duration::seconds(seconds));
        HeaderValue::from_str(&cookie.build().to_string()).ok()
    }
}

/// Puts a value into a slot of the answer to this request. False when it did not fit.
pub(crate) fn put<T: Serialize>(backend: &Backend, slot: Slot, value: &T) -> bool {
    set(Sealer::new(backend).seal(slot, value))
}

/// Sends a new key to the page that shows it.
pub(crate) fn keep_new_key(backend: &Backend, key: &CreatedKey) {
    put(
        backend,
        Slot::NewKey,
        &NewKey {
            name: key.name.clone(),
            text: key.text.expose().to_owned(),
        },
    );
}

/// Reads a slot and leaves it.
pub(crate) fn peek<T: DeserializeOwned>(backend: &Backend, slot: Slot) -> Option<T> {
    Sealer::new(backend).open(slot, &use_context::<Parts>()?)
}

/// Empties a slot.
pub(crate) fn clear(backend: &Backend, slot: Slot) {
    set(Sealer::new(backend).clear(slot));
}

/// Reads a slot and empties it.
pub(crate) fn take<T: DeserializeOwned>(backend: &Backend, slot: Slot) -> Option<T> {
    let value = peek(backend, slot)?;
    clear(backend, slot);
    Some(value)
}

fn set(cookie: Option<HeaderValue>) -> bool {
    match (cookie, use_context::<ResponseOptions>()) {
        (Some(cookie), Some(response)) => {
            response.append_header(SET_COOKIE, cookie);
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn sealer(secure: bool, now: i64) -> Sealer {
        Sealer {
            key: Key::from(&[7; 64]),
            secure,
            now,
        }
    }

    /// The request a browser would send next.
    fn next_request(set_cookie: &HeaderValue) -> Parts {
        let pair = set_cookie.to_str().unwrap().split(';').next().unwrap();
        Request::builder()
            .header(COOKIE, format!("other=1; {pair}"))
            .body(())
            .unwrap()
            .into_parts()
            .0
    }

    #[test]
    fn what_is_sealed_comes_back_once_opened() {
        let cookie = sealer(false, 100).seal(Slot::Flash, &"typed").unwrap();
        let text = cookie.to_str().unwrap();
        assert!(
            text.contains("HttpOnly") && text.contains("SameSite=Lax") && text.contains("Path=/;"),
            "{text}"
        );
        assert!(
            !text.contains("Secure") && !text.contains("typed"),
            "{text}"
        );
        assert_eq!(
            sealer(false, 399).open(Slot::Flash, &next_request(&cookie)),
            Some("typed".to_owned())
        );
        assert_eq!(
            sealer(false, 400).open::<String>(Slot::Flash, &next_request(&cookie)),
            None,
            "past its end"
        );
    }

    #[test]
    fn a_foreign_or_moved_seal_does_not_open() {
        let cookie = sealer(true, 0).seal(Slot::Flash, &"typed").unwrap();
        assert!(
            cookie.to_str().unwrap().starts_with("__Host-flash="),
            "{cookie:?}"
        );
        let foreign = Sealer {
            key: Key::from(&[8; 64]),
            secure: true,
            now: 0,
        };
        assert_eq!(
            foreign.open::<String>(Slot::Flash, &next_request(&cookie)),
            None
        );
        let moved = cookie
            .to_str()
            .unwrap()
            .replacen("__Host-flash", "__Host-verification", 1);
        let moved = HeaderValue::from_str(&moved).unwrap();
        assert_eq!(
            sealer(true, 0).open::<String>(Slot::Verification, &next_request(&moved)),
            None
        );
    }

    #[test]
    fn a_key_stays_on_its_page() {
        let key = NewKey {
            name: "ci".to_owned(),
            text: "sk_live_us_secret".to_owned(),
        };
        assert!(!format!("{key:?}").contains("secret"));
        let cookie = sealer(true, 0).seal(Slot::NewKey, &key).unwrap();
        let text = cookie.to_str().unwrap();
        assert!(
            text.contains("Path=/keys/created")
                && text.contains("Max-Age=60")
                && text.contains("Secure"),
            "{text}"
        );
        assert!(!text.contains("sk_live"));
    }

    #[test]
    fn too_much_for_a_cookie_is_refused_rather_than_cut() {
        assert!(
            sealer(false, 0)
                .seal(Slot::Flash, &"x".repeat(2_000))
                .is_some()
        );
        assert_eq!(sealer(false, 0).seal(Slot::Flash, &"x".repeat(4_000)), None);
    }
}
