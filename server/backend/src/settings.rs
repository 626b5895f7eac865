//! What the backend must be told to run. Read from the environment by `server`, built by hand in tests.

use domain::country::Country;
use domain::key::Region;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use sha2::Sha512;
use url::Url;

/// Every setting of the backend. Secrets are wrapped, so that `Debug` cannot print them.
#[derive(Debug)]
pub struct Settings {
    /// PostgreSQL, as a `postgres://` address.
    pub database_url: SecretString,
    /// Most connections of the pool.
    pub pool_size: u32,
    /// What seals and signs. Nothing that outlives a day is derived from it: that is the root's (`root`).
    pub secret_key: SecretKey,
    /// Another key whose seals and signatures are taken too, while the one is exchanged for the other.
    pub accepted_key: Option<SecretKey>,
    /// Where customers reach the dashboard; links in mails start with it.
    pub public_origin: Url,
    /// The orchestrator's control plane.
    pub orchestrator_url: Url,
    /// The credential for it; never a customer key.
    pub orchestrator_credential: SecretString,
    /// The public plane that snippets name.
    pub sandbox_api_url: Url,
    /// The region new accounts and keys belong to.
    pub region: Region,
    /// Where mail leaves, as an `smtp://` or `smtps://` address.
    pub smtp_url: SecretString,
    /// Sender of all mail, such as `Isorun <no-reply@isorun.ai>`.
    pub mail_from: String,
    /// What webhooks may be posted to.
    pub webhook_reach: AllowedHosts,
    /// Countries under comprehensive sanctions (Terms 14).
    pub refused_countries: Vec<Country>,
    /// Versions in force of what is accepted to open an account.
    pub documents: DocumentVersions,
}

impl Settings {
    /// Every key that what comes back to us may be sealed or signed with, the present one first.
    pub fn keys(&self) -> impl Iterator<Item = &SecretKey> {
        std::iter::once(&self.secret_key).chain(&self.accepted_key)
    }
}

/// Versions of the legal documents, as their publisher names them.
#[derive(Clone, Debug)]
pub struct DocumentVersions {
    /// Terms of Service.
    pub terms: String,
    /// Acceptable Use Policy.
    pub aup: String,
    /// Data Processing Agreement.
    pub dpa: String,
}

/// A secret that others are derived from, at least 32 bytes.
#[derive(Debug)]
pub struct SecretKey(SecretBox<Vec<u8>>);

impl Clone for SecretKey {
    fn clone(&self) -> Self {
        Self::new(self.expose())
    }
}

impl SecretKey {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(SecretBox::new(Box::new(bytes.to_vec())))
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// What it is called in the log and in the database: eight characters that say nothing about it.
    #[must_use]
    pub fn id(&self) -> String {
        let derived = self.derive("id");
        derived
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Reads hexadecimal; `None` under 32 bytes or when it is not hexadecimal.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits: Option<Vec<u8>> = text
            .chars()
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let bytes: Vec<u8> = digits?
            .chunks_exact(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect();
        (text.len().is_multiple_of(2) && bytes.len() >= 32).then(|| Self::new(&bytes))
    }

    /// A secret for one purpose, independent of every other label: HMAC-SHA-512.
    #[must_use]
    pub fn derive(&self, label: &str) -> [u8; 64] {
        // HMAC accepts a key of any length, so the error arm cannot be reached; an all-zero result would open no door,
        // because every use compares against a value derived the same way from a sound key.
        Hmac::<Sha512>::new_from_slice(self.0.expose_secret()).map_or([0; 64], |mut mac| {
            mac.update(label.as_bytes());
            mac.finalize().into_bytes().into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_or_broken_keys_are_refused() {
        assert!(SecretKey::from_hex(&"ab".repeat(32)).is_some());
        for bad in [
            "",
            "ab",
            &"ab".repeat(31),
            &"zz".repeat(32),
            &"a".repeat(65),
        ] {
            assert!(SecretKey::from_hex(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn labels_give_unrelated_secrets() {
        let key = SecretKey::from_hex(&"ab".repeat(32)).unwrap();
        assert_ne!(key.derive("cookie"), key.derive("sign_up"));
        assert!(!format!("{key:?}").contains("171"));
        assert_eq!(key.id().len(), 8);
        assert!(!"ab".repeat(32).contains(&key.id()), "{}", key.id());
    }
}

/// What addresses may be posted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllowedHosts {
    /// https on the public internet.
    Public,
    /// Also plain http and loopback: development and tests.
    Anywhere,
}
