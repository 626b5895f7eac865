//! Lists by pages: where one ends, and the cursor at which the next begins. The rows are each subject's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::id::AccountId;
use domain::page::Page;
use time::OffsetDateTime;

use crate::failure::Broken;
use crate::settings::{SecretKey, Settings};

/// Cuts a list that was read with one row too many down to `at_most` rows and names the cursor of what follows. A page of ours
/// has [`domain::ceilings::PAGE_ROWS`]; a twin says how many it wants.
pub(crate) fn page<Row, Out>(
    rows: Vec<Row>,
    at_most: i64,
    cursor: impl Fn(&Row) -> String,
    shown: impl FnMut(Row) -> Result<Out, Broken>,
) -> Result<Page<Out>, Broken> {
    let full = usize::try_from(at_most)?;
    let next = if rows.len() > full {
        rows.get(full - 1).map(cursor)
    } else {
        None
    };
    let rows: Result<Vec<Out>, Broken> = rows.into_iter().take(full).map(shown).collect();
    Ok(Page { rows: rows?, next })
}

/// Bytes of the signature before the place.
const SIGNATURE_BYTES: usize = 16;
/// Characters of a cursor that are looked at; the longest of ours has 200.
const CURSOR_CHARS_MAX: usize = 400;

/// The cursors of one list of one account: what a browser hands back to go on behind a row. They are signed, so whatever was
/// not written by us for this list of this account is no cursor, and nothing that somebody made up reaches a query.
pub(crate) struct Cursors<'a> {
    secret: &'a SecretKey,
    /// Another one that signed cursors, while two are exchanged.
    accepted: Option<&'a SecretKey>,
    account_id: AccountId,
    list: &'a str,
}

impl<'a> Cursors<'a> {
    /// Of the list of this name.
    pub(crate) const fn of(settings: &'a Settings, account_id: AccountId, list: &'a str) -> Self {
        Self {
            secret: &settings.secret_key,
            accepted: settings.accepted_key.as_ref(),
            account_id,
            list,
        }
    }

    /// The cursor of a place: the sort key of the last row, without secrets.
    pub(crate) fn write(&self, place: &str) -> String {
        let mut bytes = self.signature(self.secret, place).to_vec();
        bytes.extend_from_slice(place.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place of a cursor; none for what is no cursor of this list, which then counts as not said: the first page.
    pub(crate) fn read(&self, cursor: &str) -> Option<String> {
        if cursor.len() > CURSOR_CHARS_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (signature, place) = bytes.split_at_checked(SIGNATURE_BYTES)?;
        let place = std::str::from_utf8(place).ok()?;
        let mut keys = [self.secret].into_iter().chain(self.accepted);
        keys.any(|key| self.signature(key, place) == signature)
            .then(|| place.to_owned())
    }

    /// The same for lists that are sorted by a moment and then an id.
    pub(crate) fn write_at(&self, at: OffsetDateTime, id: impl std::fmt::Display) -> String {
        self.write(&format!("{} {id}", at.unix_timestamp_nanos() / 1_000))
    }

    /// Reads such a place back.
    pub(crate) fn read_at(&self, cursor: &str) -> Option<(OffsetDateTime, String)> {
        let place = self.read(cursor)?;
        let (micros, id) = place.split_once(' ')?;
        let nanos = micros.parse::<i128>().ok()?.checked_mul(1_000)?;
        let at = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?;
        Some((at, id.to_owned()))
    }

    fn signature(&self, key: &SecretKey, place: &str) -> [u8; SIGNATURE_BYTES] {
        let label = format!("cursor:{}:{}:{place}", self.account_id, self.list);
        let mut signature = [0; SIGNATURE_BYTES];
        signature.copy_from_slice(&key.derive(&label)[..SIGNATURE_BYTES]);
        signature
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn key() -> SecretKey {
        SecretKey::from_hex(&"ab".repeat(32)).unwrap()
    }

    fn account(number: u128) -> AccountId {
        AccountId(Uuid::from_u128(number))
    }

    fn cursors<'a>(secret: &'a SecretKey, number: u128, list: &'a str) -> Cursors<'a> {
        Cursors {
            secret,
            accepted: None,
            account_id: account(number),
            list,
        }
    }

    #[test]
    fn a_cursor_opens_its_own_list_of_its_own_account() {
        let (key, other_key) = (key(), SecretKey::from_hex(&"cd".repeat(32)).unwrap());
        let at = OffsetDateTime::UNIX_EPOCH + time::Duration::microseconds(1_234_567);
        let keys = cursors(&key, 1, "keys");
        let cursor = keys.write_at(at, "run1");
        assert_eq!(keys.read_at(&cursor), Some((at, "run1".to_owned())));
        for other in [
            cursors(&key, 2, "keys"),
            cursors(&key, 1, "alerts"),
            cursors(&other_key, 1, "keys"),
        ] {
            assert_eq!(other.read(&cursor), None);
        }
        let exchanged = Cursors {
            accepted: Some(&key),
            ..cursors(&other_key, 1, "keys")
        };
        assert!(exchanged.read(&cursor).is_some(), "while two are accepted");
    }

    proptest! {
        #[test]
        fn what_is_made_up_is_no_cursor(text in ".{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..80), at in 0_usize..60, bit in 0_u8..8) {
            let key = key();
            let list = cursors(&key, 1, "keys");
            let as_before = URL_SAFE_NO_PAD.encode(&text);
            for made_up in [text, URL_SAFE_NO_PAD.encode(&bytes), as_before] {
                prop_assert_eq!(list.read(&made_up), None);
            }
            // Nor is one of ours with a bit turned.
            let cursor = list.write_at(OffsetDateTime::UNIX_EPOCH, "01890000-0000-7000-8000-000000000001");
            let mut turned = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
            let at = at % turned.len();
            turned[at] ^= 1 << bit;
            prop_assert_eq!(list.read(&URL_SAFE_NO_PAD.encode(turned)), None);
        }
    }
}
