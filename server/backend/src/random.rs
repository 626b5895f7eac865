//! The one source of ids and secret characters: the operating system's generator behind `rand`.
//! What the characters mean (key layout, tokens) is `domain`'s and `secret`'s.

use domain::key::BASE62;
use time::OffsetDateTime;
use uuid::{Builder, Uuid};

/// A UUIDv7 of this moment: rows made later sort later. An id, never a secret.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one source of randomness")]
pub fn id(now: OffsetDateTime) -> Uuid {
    let ms = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
    Builder::from_unix_timestamp_millis(ms, &rand::random()).into_uuid()
}

/// Ids of this moment that sort as they stand: rows of one batch keep their order.
#[must_use]
pub fn ids(now: OffsetDateTime, count: usize) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = (0..count).map(|_| id(now)).collect();
    ids.sort_unstable();
    ids
}

/// Bytes for a secret or a nonce.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one source of randomness")]
pub fn bytes<const N: usize>() -> [u8; N] {
    rand::random()
}

/// `count` characters of base62, each equally likely.
#[must_use]
pub fn base62(count: usize) -> String {
    (0..count)
        .map(|_| char::from(BASE62[rand::random_range(0..BASE62.len())]))
        .collect()
}

/// A whole number of milliseconds in `0..=most`, to spread retries.
#[must_use]
pub fn jitter_ms(most: i64) -> i64 {
    rand::random_range(0..=most.max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_their_moment() {
        let at = OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000);
        assert!(id(at) < id(at + time::Duration::milliseconds(1)));
        assert_eq!(id(at).get_version_num(), 7);
    }

    #[test]
    fn every_character_of_the_alphabet_occurs() {
        let text = base62(20_000);
        assert!(BASE62.iter().all(|byte| text.contains(char::from(*byte))));
    }
}
