//! What a peer takes from its machine: the time and chance. Nothing else reads either.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "the peers are separate systems with a clock of their own"
)]
pub(crate) fn real_ms() -> i64 {
    let passed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(passed.as_millis()).unwrap_or(i64::MAX)
}

/// 256 random bits.
#[expect(
    clippy::disallowed_methods,
    reason = "the peers are separate systems with randomness of their own"
)]
pub(crate) fn random() -> [u8; 32] {
    rand::random()
}

/// 16 random hexadecimal digits.
pub(crate) fn random_hex() -> String {
    random()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
