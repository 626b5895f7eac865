//! The root secret: what every long-lived secret is derived from. Random, and stored sealed under `SECRET_KEY`, so that this key
//! can be changed without changing what customers hold (docs/decisions/0017-two-keys.md).

mod store;

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::failure::Broken;
use crate::random;
use crate::root::store::{Sealed, Stored};
use crate::settings::{SecretKey, Settings};

/// Bytes of a root: 256 bits, as everything that is derived from it.
const ROOT_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
const NO_KEY_FITS: &str = "the database is sealed with another SECRET_KEY; start with that one, or give it as SECRET_KEY_ACCEPTED \
                           (docs/operating.md)";

/// Opens the root of this database; makes it in a new one, and seals it anew when another key than the present one sealed it.
///
/// # Errors
/// When the database fails, or none of the keys that this process has fits.
#[tracing::instrument(skip_all, name = "root.open")]
pub(crate) async fn open(
    pool: &PgPool,
    settings: &Settings,
    now: OffsetDateTime,
) -> Result<SecretKey, Broken> {
    let mut tx = pool.begin().await?;
    let current = &settings.secret_key;
    if matches!(store::locked(&mut tx).await?, Stored::Nothing) {
        let root = SecretKey::new(&random::bytes::<ROOT_BYTES>());
        store::insert(&mut tx, &seal(current, &root)?, now).await?;
    }
    let (root, sealed_by) = match store::locked(&mut tx).await? {
        Stored::Nothing => return Err(Broken::new("the root secret was removed meanwhile")),
        // Before there was a root, all was derived from the key itself.
        Stored::Empty => (current.clone(), None),
        Stored::Sealed(sealed) => {
            let key = settings.keys().find(|key| key.id() == sealed.key_id);
            let key = key.ok_or_else(|| Broken::new(NO_KEY_FITS))?;
            (unseal(key, &sealed)?, Some(sealed.key_id))
        }
    };
    if sealed_by.is_none_or(|id| id != current.id()) {
        store::update(&mut tx, &seal(current, &root)?, now).await?;
        let key = current.id();
        tracing::info!(
            key,
            "the root secret is sealed with another key from now on"
        );
    }
    tx.commit().await?;
    Ok(root)
}

fn cipher(key: &SecretKey) -> Result<Aes256Gcm, Broken> {
    let derived = key.derive("root");
    Aes256Gcm::new_from_slice(&derived[..32]).map_err(|_| Broken::new("a key of the wrong length"))
}

fn seal(key: &SecretKey, root: &SecretKey) -> Result<Sealed, Broken> {
    let (key_id, nonce) = (key.id(), random::bytes::<NONCE_BYTES>());
    let payload = Payload {
        msg: root.expose(),
        aad: key_id.as_bytes(),
    };
    let sealed = cipher(key)?.encrypt(Nonce::from_slice(&nonce), payload);
    Ok(Sealed {
        nonce: nonce.to_vec(),
        sealed: sealed.map_err(|_| Broken::new("the root secret could not be sealed"))?,
        key_id,
    })
}

fn unseal(key: &SecretKey, sealed: &Sealed) -> Result<SecretKey, Broken> {
    let broken = || Broken::new("the root secret does not open: its row was changed");
    let nonce: [u8; NONCE_BYTES] = sealed.nonce.as_slice().try_into().map_err(|_| broken())?;
    let payload = Payload {
        msg: &sealed.sealed,
        aad: sealed.key_id.as_bytes(),
    };
    let opened = cipher(key)?.decrypt(Nonce::from_slice(&nonce), payload);
    Ok(SecretKey::new(&opened.map_err(|_| broken())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SecretKey {
        SecretKey::new(&[byte; 32])
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_and_unchanged() {
        let root = key(7);
        let sealed = seal(&key(1), &root).unwrap();
        assert_eq!(unseal(&key(1), &sealed).unwrap().expose(), root.expose());
        assert!(unseal(&key(2), &sealed).is_err());
        let again = seal(&key(1), &root).unwrap();
        assert_ne!(again.sealed, sealed.sealed, "a nonce of its own each time");
        for change in [
            Sealed {
                key_id: key(2).id(),
                ..again.clone()
            },
            Sealed {
                nonce: vec![0; NONCE_BYTES],
                ..again.clone()
            },
            Sealed {
                nonce: Vec::new(),
                ..again.clone()
            },
            Sealed {
                sealed: again.sealed.iter().map(|byte| byte ^ 1).collect(),
                ..again
            },
        ] {
            assert!(unseal(&key(1), &change).is_err());
        }
    }
}
