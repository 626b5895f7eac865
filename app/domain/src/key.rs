//! API keys as text: the layout `sk_live_<region>_<id>_<secret><crc>` and its checksum.
//! Random characters are drawn in `backend`; hashing and storage are there too.

use std::fmt;

use strum::EnumIter;

/// Characters of the public part of a key.
pub const PUBLIC_ID_CHARS: usize = 12;
/// Characters of the secret part: 30 of base62 are 178 bits.
pub const SECRET_CHARS: usize = 30;
const CRC_CHARS: usize = 6;
const PREFIX: &str = "sk_live_";
/// The alphabet of ids, secrets and checksums.
pub const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Why a change to a key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter)]
pub enum KeyRefusal {
    /// No name.
    NameEmpty,
    /// Over 60 characters.
    NameTooLong,
    /// A control character in the name.
    NameUnprintable,
    /// The name shows nothing, or hides something.
    NameInvisible,
    /// It looks like the name of another live key.
    NameTaken,
    /// 100 live keys exist.
    TooMany,
    /// No such key in this account.
    NotFound,
}

/// A region of the service: two lower-case letters, because the SDK and Stripe's secret scanners both read that place
/// of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Region([u8; 2]);

impl Region {
    /// Accepts two lower-case ASCII letters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_lowercase() && b.is_ascii_lowercase() => Some(Self([*a, *b])),
            _ => None,
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

/// The whole key, as its owner receives it once. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText(String);

impl KeyText {
    /// Puts a key together; `None` unless id and secret are base62 of the lengths above.
    #[must_use]
    pub fn assemble(region: Region, public_id: &str, secret: &str) -> Option<Self> {
        let sound = is_base62(public_id, PUBLIC_ID_CHARS) && is_base62(secret, SECRET_CHARS);
        sound.then(|| {
            let body = format!("{PREFIX}{region}_{public_id}_{secret}");
            let crc = checksum(&body);
            Self(body + &crc)
        })
    }

    /// Reads a key back; `None` when the layout or the checksum is wrong, so junk is refused without a lookup.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (region, rest) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let (public_id, tail) = rest.split_once('_')?;
        let secret = tail.get(..SECRET_CHARS)?;
        let key = Self::assemble(Region::parse(region)?, public_id, secret)?;
        (key.0 == text).then_some(key)
    }

    /// The text, for the owner and for hashing.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// What lists show of a key: enough to recognise it, nothing of the secret's strength.
#[must_use]
pub fn masked(region: &str, public_id: &str, last_four: &str) -> String {
    let head = public_id.get(..4).unwrap_or(public_id);
    format!("{PREFIX}{region}_{head}…{last_four}")
}

fn is_base62(text: &str, chars: usize) -> bool {
    text.len() == chars && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// CRC-32 (IEEE) of everything before it, as six base62 digits, most significant first.
fn checksum(body: &str) -> String {
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut digits = [b'0'; CRC_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|byte| char::from(*byte)).collect()
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyText(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> KeyText {
        KeyText::assemble(
            Region::parse("us").unwrap(),
            "4fAbCdEfGhIj",
            &"x".repeat(30),
        )
        .unwrap()
    }

    #[test]
    fn layout() {
        let key = sample();
        assert!(key.expose().starts_with("sk_live_us_4fAbCdEfGhIj_"));
        assert_eq!(key.expose().len(), 8 + 2 + 1 + 12 + 1 + 30 + 6);
        assert_eq!(KeyText::parse(key.expose()), Some(key.clone()));
        assert_eq!(format!("{key:?}"), "KeyText(…)");
    }

    proptest! {
        #[test]
        fn every_edit_of_one_character_fails_the_checksum(position in 0_usize..59, replacement in "[0-9A-Za-z_]") {
            let key = sample();
            let mut edited = key.expose().to_owned();
            edited.replace_range(position..=position, &replacement);
            prop_assert_eq!(KeyText::parse(&edited).is_some(), edited == key.expose());
        }

        #[test]
        fn junk_never_panics(text in "\\PC{0,80}") {
            prop_assert!(KeyText::parse(&text).is_none_or(|key| key.expose() == text));
        }
    }
}
