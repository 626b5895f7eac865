//! Sealed cookies for what is carried to the next page and used once: the outcome of a form, a new key, the token of a
//! mailed link. Encrypted and authenticated, unreadable to scripts, cleared by the page that shows them.
//! Sessions are not used for this: a new key must rest nowhere, and forms work before there is a session.

use axum::http::header::{COOKIE, HeaderValue, SET_COOKIE};
use axum::http::request::Parts;
use backend::Backend;
use backend::settings::SecretKey;
use cookie::time::Duration;
use cookie::{Cookie, CookieJar, Key, SameSite};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A cookie that holds one sealed value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedCookie {
    name: &'static str,
    path: &'static str,
    seconds: i64,
}

impl SealedCookie {
    /// A cookie of this name, sent to `path` and below, that lives for so many seconds. The end is also written inside the
    /// seal, so that a kept cookie is worth nothing later.
    #[must_use]
    pub const fn new(name: &'static str, path: &'static str, seconds: i64) -> Self {
        Self {
            name,
            path,
            seconds,
        }
    }

    /// Its name on the wire; over https with the prefix that keeps other hosts of the domain from setting it.
    fn full_name(self, secure: bool) -> String {
        let prefix = match (secure, self.path) {
            (false, _) => "",
            (true, "/") => "__Host-",
            // Bound to one path, which the `__Host-` prefix forbids.
            (true, _) => "__Secure-",
        };
        format!("{prefix}{}", self.name)
    }
}

/// Bytes of a sealed value that are sure to fit a cookie beside its name and attributes.
const SEALED_BYTES_MAX: usize = 3_800;

/// A sealed value with its own end, because a browser may keep a cookie longer than told.
#[derive(Serialize, Deserialize)]
struct Sealed<T> {
    until: i64,
    value: T,
}

/// Seals values into cookies and opens them. Made from the process secret; every replica makes the same one.
pub struct Sealer {
    key: Key,
    /// What is opened too, while `SECRET_KEY` is exchanged.
    accepted: Option<Key>,
    secure: bool,
    now: i64,
}

impl Sealer {
    /// The sealer of this process at this moment.
    #[must_use]
    pub fn new(backend: &Backend) -> Self {
        let settings = backend.settings();
        Self {
            key: key(&settings.secret_key),
            accepted: settings.accepted_key.as_ref().map(key),
            secure: settings.public_origin.scheme() == "https",
            now: backend.clock().now().unix_timestamp(),
        }
    }

    /// One whose texts only whoever has this word can open.
    #[must_use]
    pub fn keyed(backend: &Backend, word: &str) -> Self {
        let settings = backend.settings();
        let key = |of: &SecretKey| Key::from(&of.derive(&format!("sealed:{word}")));
        Self {
            key: key(&settings.secret_key),
            accepted: settings.accepted_key.as_ref().map(key),
            ..Self::new(backend)
        }
    }

    /// One of tests, at a moment in seconds.
    #[cfg(test)]
    pub(crate) fn at(secure: bool, now: i64) -> Self {
        Self {
            key: Key::from(&[7; 64]),
            accepted: None,
            secure,
            now,
        }
    }

    /// A `Set-Cookie` value that holds `value`; none when it is too large for a cookie or not a header value.
    #[must_use]
    pub fn seal<T: Serialize>(&self, cookie: &SealedCookie, value: &T) -> Option<HeaderValue> {
        let sealed = Sealed {
            until: self.now + cookie.seconds,
            value,
        };
        let text = leptos::serde_json::to_string(&sealed).ok()?;
        let name = cookie.full_name(self.secure);
        let mut jar = CookieJar::new();
        jar.private_mut(&self.key)
            .add(Cookie::new(name.clone(), text));
        let sealed = jar.get(&name)?.value().to_owned();
        (sealed.len() <= SEALED_BYTES_MAX)
            .then(|| self.header(cookie, sealed, cookie.seconds))
            .flatten()
    }

    /// A value sealed as text, for one purpose: what was sealed for another does not open.
    #[must_use]
    pub fn text<T: Serialize>(&self, purpose: &'static str, value: &T) -> Option<String> {
        let text = leptos::serde_json::to_string(value).ok()?;
        let mut jar = CookieJar::new();
        let name = Self::purpose(purpose);
        jar.private_mut(&self.key)
            .add(Cookie::new(name.clone(), text));
        Some(jar.get(&name)?.value().to_owned())
    }

    /// What such a text holds, when it was sealed by us for this purpose.
    #[must_use]
    pub fn open_text<T: DeserializeOwned>(&self, purpose: &'static str, text: &str) -> Option<T> {
        let cookie = Cookie::new(Self::purpose(purpose), text.to_owned());
        let jar = CookieJar::new();
        let mut keys = std::iter::once(&self.key).chain(&self.accepted);
        let opened = keys.find_map(|key| jar.private(key).decrypt(cookie.clone()))?;
        leptos::serde_json::from_str(opened.value()).ok()
    }

    /// The name that is sealed in; no cookie has a colon in its name.
    fn purpose(purpose: &str) -> String {
        format!("text:{purpose}")
    }

    /// A `Set-Cookie` value that takes the cookie from the browser.
    #[must_use]
    pub fn clear(&self, cookie: &SealedCookie) -> Option<HeaderValue> {
        self.header(cookie, String::new(), 0)
    }

    /// What the cookie holds, when it was sealed by us and has not ended.
    #[must_use]
    pub fn open<T: DeserializeOwned>(&self, cookie: &SealedCookie, parts: &Parts) -> Option<T> {
        let name = cookie.full_name(self.secure);
        let headers = parts
            .headers
            .get_all(COOKIE)
            .into_iter()
            .filter_map(|header| header.to_str().ok());
        let found = headers
            .flat_map(Cookie::split_parse)
            .flatten()
            .find(|cookie| cookie.name() == name)?
            .into_owned();
        let mut jar = CookieJar::new();
        jar.add_original(found);
        let mut keys = std::iter::once(&self.key).chain(&self.accepted);
        let opened = keys.find_map(|key| jar.private(key).get(&name))?;
        let sealed: Sealed<T> = leptos::serde_json::from_str(opened.value()).ok()?;
        (self.now < sealed.until).then_some(sealed.value)
    }

    fn header(&self, cookie: &SealedCookie, value: String, seconds: i64) -> Option<HeaderValue> {
        let built = Cookie::build((cookie.full_name(self.secure), value))
            .path(cookie.path)
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax)
            .max_age(Duration::seconds(seconds));
        HeaderValue::from_str(&built.build().to_string()).ok()
    }
}

fn key(of: &SecretKey) -> Key {
    Key::from(&of.derive("cookie"))
}

/// Puts a sealed value into the answer to this request. False when it did not fit.
pub(crate) fn put<T: Serialize>(backend: &Backend, cookie: &SealedCookie, value: &T) -> bool {
    set(Sealer::new(backend).seal(cookie, value))
}

/// Reads a sealed value and leaves it.
pub(crate) fn peek<T: DeserializeOwned>(backend: &Backend, cookie: &SealedCookie) -> Option<T> {
    Sealer::new(backend).open(cookie, &use_context::<Parts>()?)
}

/// Takes a sealed cookie from the browser.
pub(crate) fn clear(backend: &Backend, cookie: &SealedCookie) {
    set(Sealer::new(backend).clear(cookie));
}

/// Reads a sealed value and takes its cookie from the browser.
pub(crate) fn take<T: DeserializeOwned>(backend: &Backend, cookie: &SealedCookie) -> Option<T> {
    let value = peek(backend, cookie)?;
    clear(backend, cookie);
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

    const FLASH: SealedCookie = SealedCookie::new("flash", "/", 300);
    const OPENING: SealedCookie = SealedCookie::new("opening", "/", 900);

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
        let cookie = Sealer::at(false, 100).seal(&FLASH, &"typed").unwrap();
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
            Sealer::at(false, 399).open(&FLASH, &next_request(&cookie)),
            Some("typed".to_owned())
        );
        assert_eq!(
            Sealer::at(false, 400).open::<String>(&FLASH, &next_request(&cookie)),
            None,
            "past its end"
        );
    }

    #[test]
    fn a_foreign_or_moved_seal_does_not_open() {
        let cookie = Sealer::at(true, 0).seal(&FLASH, &"typed").unwrap();
        assert!(
            cookie.to_str().unwrap().starts_with("__Host-flash="),
            "{cookie:?}"
        );
        let foreign = Sealer {
            key: Key::from(&[8; 64]),
            accepted: None,
            secure: true,
            now: 0,
        };
        assert_eq!(foreign.open::<String>(&FLASH, &next_request(&cookie)), None);
        let moved = cookie
            .to_str()
            .unwrap()
            .replacen("__Host-flash", "__Host-opening", 1);
        let moved = HeaderValue::from_str(&moved).unwrap();
        assert_eq!(
            Sealer::at(true, 0).open::<String>(&OPENING, &next_request(&moved)),
            None
        );
    }

    #[test]
    fn while_keys_are_exchanged_both_open_and_one_seals() {
        let sealer = |key: u8, accepted: Option<u8>| Sealer {
            key: Key::from(&[key; 64]),
            accepted: accepted.map(|key| Key::from(&[key; 64])),
            secure: false,
            now: 0,
        };
        let opens = |sealer: Sealer, cookie: &HeaderValue| {
            let typed: Option<String> = sealer.open(&FLASH, &next_request(cookie));
            typed.is_some()
        };
        let before = sealer(7, None).seal(&FLASH, &"typed").unwrap();
        let after = sealer(8, Some(7)).seal(&FLASH, &"typed").unwrap();
        assert!(opens(sealer(8, Some(7)), &before), "the next process");
        assert!(opens(sealer(7, Some(8)), &after), "one that starts later");
        assert!(!opens(sealer(7, None), &after), "sealed with the new key");
        assert!(
            !opens(sealer(8, None), &before),
            "at the end the old key opens nothing"
        );
    }

    #[test]
    fn a_text_opens_for_its_purpose_only() {
        let sealer = Sealer::at(true, 0);
        let text = sealer.text("form_token", &"ada").unwrap();
        let open = |purpose, text: &str| sealer.open_text::<String>(purpose, text);
        assert_eq!(open("form_token", &text), Some("ada".to_owned()));
        assert_eq!(open("answer", &text), None);
        assert_eq!(open("form_token", &text[1..]), None);
        for junk in ["", "x", "%00", &"A".repeat(5_000)] {
            assert_eq!(open("form_token", junk), None);
        }
        // Nor does a cookie's value, or a text as a cookie.
        let cookie = sealer.seal(&FLASH, &"ada").unwrap();
        let value = cookie.to_str().unwrap().split(['=', ';']).nth(1).unwrap();
        assert_eq!(open("flash", value), None);
    }

    #[test]
    fn too_much_for_a_cookie_is_refused_rather_than_cut() {
        assert!(
            Sealer::at(false, 0)
                .seal(&FLASH, &"x".repeat(2_000))
                .is_some()
        );
        assert_eq!(Sealer::at(false, 0).seal(&FLASH, &"x".repeat(4_000)), None);
    }
}
