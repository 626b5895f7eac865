//! Hashes and derived secrets: how a key, a session id or a mailed token is stored and compared.
//! Passwords have their own, slow way in `passwords`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::settings::SecretKey;

/// SHA-256. Enough for what has 128 random bits or more; never for passwords.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The token mailed for a sign-up: derived from its id, so that a repeated send carries the same link and the
/// database never holds it. 256 bits as 43 characters of URL-safe base64.
#[must_use]
pub fn sign_up_token(key: &SecretKey, sign_up_id: Uuid) -> String {
    derived(key, "sign_up", sign_up_id)
}

/// The token of the link by which a recipient of alerts agrees, and later ends them.
#[must_use]
pub fn recipient_token(key: &SecretKey, recipient_id: Uuid) -> String {
    derived(key, "alert_recipient", recipient_id)
}

/// The token in the address of a calendar feed.
#[must_use]
pub fn calendar_token(key: &SecretKey, calendar_id: Uuid) -> String {
    derived(key, "calendar", calendar_id)
}

/// A secret of 256 bits for one thing of one purpose, as 43 characters.
pub(crate) fn derived(key: &SecretKey, purpose: &str, id: Uuid) -> String {
    let mac = key.derive(&format!("{purpose}:{id}"));
    URL_SAFE_NO_PAD.encode(&mac[..32])
}
