//! E-mail addresses: what we accept, and the one form in which two spellings of an address are compared.
//! Whether an address exists or is known to us is not decided here.

use std::fmt;

use crate::ceilings::{EMAIL_CHARS_MAX, EMAIL_LOCAL_BYTES_MAX};

/// A syntactically sound address, kept as typed (trimmed). Its `Debug` hides the text, so that no log can hold it.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

/// Why an address was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailProblem {
    /// Nothing was typed.
    Empty,
    /// More than 254 characters, or more than 64 bytes before the `@`.
    TooLong,
    /// No `@`, no domain with a dot, or characters that an address cannot hold.
    Malformed,
}

impl EmailAddress {
    /// Accepts the dot-atom form of RFC 5321 with a DNS domain of at least two labels (or an IDN, kept as typed).
    /// Quoted local parts and address literals are refused: nobody signs up with one, and mail headers stay simple.
    ///
    /// # Errors
    /// The first problem met.
    pub fn parse(text: &str) -> Result<Self, EmailProblem> {
        let text = text.trim();
        if text.is_empty() {
            return Err(EmailProblem::Empty);
        }
        if text.chars().count() > EMAIL_CHARS_MAX {
            return Err(EmailProblem::TooLong);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(EmailProblem::Malformed)?;
        if local.len() > EMAIL_LOCAL_BYTES_MAX {
            return Err(EmailProblem::TooLong);
        }
        if local_is_sound(local) && domain_is_sound(domain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(EmailProblem::Malformed)
        }
    }

    /// As typed, for mail headers and for the owner's own pages.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The form in which addresses are compared: lower case throughout. No provider tricks such as dropping dots:
    /// two people may own both spellings.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.to_lowercase()
    }
}

fn local_is_sound(local: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-.".contains(c);
    !local.is_empty()
        && local.chars().all(allowed)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
}

fn domain_is_sound(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let labels: Vec<_> = domain.split('.').collect();
    let top_is_a_name = labels
        .last()
        .is_some_and(|top| top.chars().any(char::is_alphabetic));
    labels.len() >= 2 && labels.into_iter().all(label) && top_is_a_name
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sound_and_unsound() {
        for good in [
            "a@b.co",
            " ada.lovelace+isorun@example.org ",
            "o'hara@x-y.example",
            "käthe@müller.de",
        ] {
            assert!(EmailAddress::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "a@b",
            "a b@c.de",
            "@c.de",
            "a@",
            "a..b@c.de",
            "a@-c.de",
            "a@c.de\r\nBcc: x@y.z",
            "a@127.0.0.1",
            "<a@b.de>",
        ] {
            assert_eq!(
                EmailAddress::parse(bad),
                Err(EmailProblem::Malformed),
                "{bad}"
            );
        }
        assert_eq!(EmailAddress::parse("  "), Err(EmailProblem::Empty));
        assert_eq!(
            EmailAddress::parse(&format!("{}@b.de", "a".repeat(65))),
            Err(EmailProblem::TooLong)
        );
        assert_eq!(
            EmailAddress::parse(&format!("a@{}.de", "b.".repeat(200))),
            Err(EmailProblem::TooLong)
        );
    }

    #[test]
    fn no_log_can_hold_an_address() {
        let address = EmailAddress::parse("ada@example.org").unwrap();
        assert!(!format!("{address:?}").contains("ada"));
    }

    proptest! {
        #[test]
        fn canonical_form_is_idempotent(text in "[a-zA-ZÀ-ÿ0-9.+]{1,20}@[a-zA-ZÀ-ÿ]{1,10}\\.[a-zA-Z]{2,5}") {
            if let Ok(address) = EmailAddress::parse(&text) {
                let once = address.canonical();
                let twice = EmailAddress::parse(&once).unwrap().canonical();
                prop_assert_eq!(once, twice);
            }
        }

        #[test]
        fn nothing_accepted_can_break_a_header(text in "\\PC{0,80}|[\\x00-\\x7f]{0,80}") {
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert!(!address.as_str().chars().any(|c| c.is_control() || c.is_whitespace() || "<>,;\"".contains(c)));
            }
        }
    }
}
