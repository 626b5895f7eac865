//! Hashes and derived secrets: how a key, a session id or a mailed token is stored and compared. What they are derived from
//! outlives a change of `SECRET_KEY`: it is `Backend::root`.
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
pub fn sign_up_token(root: &SecretKey, sign_up_id: Uuid) -> String {
    derived(root, "sign_up", sign_up_id)
}

/// The token of the link by which a recipient of alerts agrees, and later ends them.
#[must_use]
pub fn recipient_token(root: &SecretKey, recipient_id: Uuid) -> String {
    derived(root, "alert_recipient", recipient_id)
}

/// The token in the address of a calendar feed. Derived, so the page can show it again though only its hash is stored.
#[must_use]
pub fn calendar_token(root: &SecretKey, calendar_id: Uuid) -> String {
    derived(root, "calendar", calendar_id)
}

/// A secret of 256 bits for one thing of one purpose, as 43 characters.
pub(crate) fn derived(root: &SecretKey, purpose: &str, id: Uuid) -> String {
    let mac = root.derive(&format!("{purpose}:{id}"));
    encoded(&mac[..32])
}

/// Bytes as URL-safe base64; 32 are 43 characters.
pub(crate) fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The 32 bytes that 43 characters stand for; none when they are something else.
pub(crate) fn decoded(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}
