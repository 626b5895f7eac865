//! How a form ended, carried to the page that says so: the outcome and what was typed, without secrets.
//! The sentences are each subject's; how they are sealed on their way is `sealed`'s.

use std::borrow::Cow;

use axum::http::HeaderValue;
use backend::Backend;
use serde::{Deserialize, Serialize};

use super::form_token::{self, pairs};
use super::problem::Problem;
use super::sealed::{self, SealedCookie, Sealer};

/// How a form ended, for the page at `page` and no other, so that two tabs do not swap their outcomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// Path of the page that shows it.
    pub page: String,
    /// The part of that page that it is about; empty for the page as a whole.
    pub part: String,
    pub outcome: Outcome,
    /// What was typed, without secrets.
    pub kept: Kept,
}

/// What a flash says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did not happen, for at least one reason.
    Failed(Vec<Problem>),
    Done(Success),
    /// It was not tried, because somebody else is signed in or nobody was. Said by the frame of whichever page.
    Stopped(Success),
}

/// What happened or why nothing did, where the next page does not show it by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Success {
    /// Two or three words.
    pub title: Cow<'static, str>,
    /// What follows from it.
    pub text: Cow<'static, str>,
}

impl Success {
    #[must_use]
    pub const fn new(title: &'static str, text: &'static str) -> Self {
        Self {
            title: Cow::Borrowed(title),
            text: Cow::Borrowed(text),
        }
    }
}

/// What was typed into the fields of a form, by field name. Never a password, never a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept(Vec<(String, String)>);

/// Fields kept of one form: more than any of ours has.
const KEPT_FIELDS_MAX: usize = 20;

/// Characters kept of one field: a cookie holds 4,096 bytes in all (RFC 6265 6.1).
const KEPT_CHARS_MAX: usize = 512;

/// Five minutes: long enough for a slow page, short enough to be forgotten.
const COOKIE: SealedCookie = SealedCookie::new("flash", "/", 300);

impl Kept {
    #[must_use]
    pub const fn nothing() -> Self {
        Self(Vec::new())
    }

    /// These fields, each cut to 512 characters.
    #[must_use]
    pub fn of<const N: usize>(fields: [(&str, &str); N]) -> Self {
        Self::from_fields(fields)
    }

    /// Whatever a form has sent, without its token and without passwords, whatever these are called.
    #[must_use]
    pub fn sent(body: &[u8]) -> Self {
        let fields: Vec<_> = pairs(body)
            .filter(|(field, _)| field != form_token::FIELD && !field.contains("password"))
            .take(KEPT_FIELDS_MAX)
            .collect();
        Self::from_fields(
            fields
                .iter()
                .map(|(field, typed)| (field.as_str(), typed.as_str())),
        )
    }

    fn from_fields<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let kept = |(field, typed): (&str, &str)| {
            (
                field.chars().take(KEPT_CHARS_MAX).collect(),
                typed.chars().take(KEPT_CHARS_MAX).collect(),
            )
        };
        Self(fields.into_iter().map(kept).collect())
    }

    /// Puts what a field starts with.
    pub(crate) fn set(&mut self, field: &str, value: &str) {
        self.0.retain(|(name, _)| name != field);
        self.0.push((field.to_owned(), value.to_owned()));
    }

    /// What was typed into this field; empty when nothing was kept.
    #[must_use]
    pub fn get(&self, field: &str) -> &str {
        self.0
            .iter()
            .find(|(name, _)| name == field)
            .map_or("", |(_, typed)| typed)
    }
}

/// Puts a flash; when what was typed is too large for a cookie, the outcome goes without it.
pub(super) fn put(backend: &Backend, flash: Flash) {
    if !sealed::put(backend, &COOKIE, &flash) {
        sealed::put(
            backend,
            &COOKIE,
            &Flash {
                kept: Kept::nothing(),
                ..flash
            },
        );
    }
}

/// The same as a header, for answers of the edge.
#[must_use]
pub fn header(backend: &Backend, flash: &Flash) -> Option<HeaderValue> {
    Sealer::new(backend).seal(&COOKIE, flash)
}

/// The flash meant for this page, cleared; none when there is none or it is meant for another page.
pub(crate) fn take(backend: &Backend, page: &str) -> Option<Flash> {
    let flash: Flash = sealed::peek(backend, &COOKIE)?;
    if flash.page == page {
        sealed::clear(backend, &COOKIE);
        Some(flash)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_cut_not_lost() {
        let kept = Kept::of([("email", "ada@example.org"), ("country", &"é".repeat(600))]);
        assert_eq!(kept.get("email"), "ada@example.org");
        assert_eq!(kept.get("country").chars().count(), KEPT_CHARS_MAX);
        assert_eq!(kept.get("password"), "");
    }

    #[test]
    fn what_a_form_sent_is_kept_without_passwords_and_token() {
        let body =
            b"email=ada%40example.org&password=hunter2&new_password=hunter3&form_token=x&name=a+b";
        let kept = Kept::sent(body);
        assert_eq!(
            kept,
            Kept::of([("email", "ada@example.org"), ("name", "a b")])
        );
        assert!(!format!("{:?}", Kept::sent(b"%FF=%FE&x")).contains("hunter"));
    }
}
