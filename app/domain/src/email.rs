//! E-mail addresses: what we accept, and the one form in which an address is compared, stored and mailed.
//! Whether an address exists or is known to us is not decided here.

use std::fmt;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use crate::ceilings::{EMAIL_CHARS_MAX, EMAIL_LOCAL_BYTES_MAX};

/// A syntactically sound address of ASCII. What stands before the `@` is kept as typed, what follows is the name that the DNS
/// knows: `ada@müller.example` is `ada@xn--mller-kva.example`. Its `Debug` hides the text, so that no log can hold it.
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
    /// Letters beyond ASCII before the `@`: they need a mail server that speaks SMTPUTF8, and ours cannot rely on one.
    LocalNotAscii,
}

impl EmailAddress {
    /// Accepts the dot-atom form of RFC 5321 with a DNS domain of at least two labels, in any script (UTS 46).
    /// Quoted local parts and address literals are refused: nobody signs up with one, and mail headers stay simple.
    /// Wide letters, as East Asian keyboards write them, are read as the narrow ones they stand for.
    ///
    /// # Errors
    /// The first problem met.
    pub fn parse(text: &str) -> Result<Self, EmailProblem> {
        let text: String = text.trim().chars().map(narrow).collect();
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
        if !local_is_sound(local) {
            return Err(EmailProblem::Malformed);
        }
        let domain = ascii_domain(domain).ok_or(EmailProblem::Malformed)?;
        if !local.is_ascii() {
            return Err(EmailProblem::LocalNotAscii);
        }
        let address = format!("{local}@{domain}");
        if address.len() > EMAIL_CHARS_MAX {
            return Err(EmailProblem::TooLong);
        }
        Ok(Self(address))
    }

    /// The address, for mail headers and for the owner's own pages.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the `@`: lower case and ASCII.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The form in which addresses are compared: lower case throughout. No provider tricks such as dropping dots:
    /// two people may own both spellings.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// The full width form of a sign of ASCII as that sign.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        other => other,
    }
}

/// Letters beyond ASCII are sound here, so that they get a reason of their own.
fn local_is_sound(local: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-.".contains(c);
    !local.is_empty()
        && local.chars().all(allowed)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
}

/// The domain in A-labels, lower case; none when it is no name that the DNS can hold.
fn ascii_domain(domain: &str) -> Option<String> {
    let ascii = Uts46::new().to_ascii(
        domain.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
        DnsLength::Verify,
    );
    let ascii = ascii.ok()?.into_owned();
    let (rest, top) = ascii.rsplit_once('.')?;
    let top_is_a_name = top.chars().any(|c| c.is_ascii_alphabetic());
    (!rest.is_empty() && top_is_a_name).then_some(ascii)
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

    fn canonical(text: &str) -> String {
        EmailAddress::parse(text).unwrap().canonical()
    }

    #[test]
    fn sound_and_unsound() {
        for good in [
            "a@b.co",
            " ada.lovelace+isorun@example.org ",
            "o'hara@x-y.example",
            "kaethe@müller.de",
            "a@r3---sn-x.example",
            "a@пример.рф",
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
            "a@c.de.",
            "a@c..de",
            "a@c.de\r\nBcc: x@y.z",
            "a@127.0.0.1",
            "a@１２７.０.０.１",
            "a@xn--a.example",
            "a@b_c.example",
            "a@\u{200b}.example",
            "<a@b.de>",
            "käthe@müller",
        ] {
            assert_eq!(
                EmailAddress::parse(bad),
                Err(EmailProblem::Malformed),
                "{bad}"
            );
        }
        assert_eq!(EmailAddress::parse("  "), Err(EmailProblem::Empty));
        for long in [
            format!("{}@b.de", "a".repeat(65)),
            format!("a@{}.de", "b.".repeat(200)),
            // Short as typed, long as the DNS has it.
            format!(
                "{}@{}de",
                "a".repeat(60),
                "müllermüllermüllermüller.".repeat(6)
            ),
        ] {
            assert_eq!(EmailAddress::parse(&long), Err(EmailProblem::TooLong));
        }
    }

    #[test]
    fn one_domain_in_any_spelling_is_one_address() {
        let spellings = [
            "ada@müller.example",
            "ada@mu\u{308}ller.example",
            "ADA@MÜLLER.example",
            "ada@xn--mller-kva.example",
            "ada@XN--MLLER-KVA.Example",
            "ada@ｍüｌｌｅｒ.ｅｘａｍｐｌｅ",
            "ａｄａ＠müller。example",
        ];
        for spelling in spellings {
            assert_eq!(
                canonical(spelling),
                "ada@xn--mller-kva.example",
                "{spelling}"
            );
        }
        assert_eq!(canonical("ada@ｅｘａｍｐｌｅ.org"), "ada@example.org");
        let address = EmailAddress::parse("Ada@Müller.Example").unwrap();
        assert_eq!(address.as_str(), "Ada@xn--mller-kva.example");
        assert_eq!(address.domain(), "xn--mller-kva.example");
    }

    #[test]
    fn a_mailbox_that_our_mail_server_cannot_name_is_refused() {
        for local in ["käthe", "ада", "ada²", "ﬁ", "日本"] {
            assert_eq!(
                EmailAddress::parse(&format!("{local}@example.org")),
                Err(EmailProblem::LocalNotAscii),
                "{local}"
            );
        }
    }

    #[test]
    fn no_log_can_hold_an_address() {
        let address = EmailAddress::parse("ada@example.org").unwrap();
        assert!(!format!("{address:?}").contains("ada"));
    }

    proptest! {
        #[test]
        fn canonical_form_is_idempotent(text in "[a-zA-Z0-9.+]{1,20}@[a-zA-ZÀ-ÿЀ-ӿ]{1,10}\\.[a-zA-ZÀ-ÿ]{2,5}") {
            if let Ok(address) = EmailAddress::parse(&text) {
                let once = address.canonical();
                let twice = EmailAddress::parse(&once).unwrap().canonical();
                prop_assert_eq!(once, twice);
                prop_assert_eq!(EmailAddress::parse(address.as_str()), Ok(address));
            }
        }

        #[test]
        fn nothing_accepted_can_break_a_header(text in "\\PC{0,80}|[\\x00-\\x7f]{0,80}|[a-z]{1,9}@\\PC{1,20}\\.org") {
            if let Ok(address) = EmailAddress::parse(&text) {
                let text = address.as_str();
                prop_assert!(text.is_ascii() && text.len() <= EMAIL_CHARS_MAX);
                prop_assert!(!text.chars().any(|c| c.is_control() || c.is_whitespace() || "<>,;\"".contains(c)));
            }
        }
    }
}
