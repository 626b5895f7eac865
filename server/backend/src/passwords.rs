//! Hashing and checking passwords: argon2id on blocking threads, never more at once than there are cores.
//! What a password must be is `domain::password`.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use domain::password::NewPassword;
use tokio::sync::Semaphore;

use crate::failure::Broken;
use crate::random;

/// The hasher. Argon2id with the crate's defaults (19 MiB, two passes, one lane), OWASP's first choice.
#[derive(Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    /// What an unknown user's password is checked against, so that both answers take the same time.
    decoy: Arc<str>,
}

impl Passwords {
    /// Makes the decoy once, with a password nobody knows.
    ///
    /// # Errors
    /// When the system gives no randomness for a salt.
    pub fn new() -> Result<Self, Broken> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let decoy = hash(&random::base62(32))?;
        Ok(Self {
            permits: Arc::new(Semaphore::new(cores)),
            decoy: decoy.into(),
        })
    }

    /// Hashes a new password to a PHC string.
    ///
    /// # Errors
    /// When the hashing thread fails.
    pub async fn hash(&self, password: NewPassword) -> Result<String, Broken> {
        self.blocking(move || hash(password.expose())).await
    }

    /// True when `password` matches `stored`. Without a stored hash the decoy is checked and the answer is false, after
    /// the same work.
    ///
    /// # Errors
    /// When the stored hash cannot be read or the hashing thread fails.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, Broken> {
        let decoy = Arc::clone(&self.decoy);
        self.blocking(move || {
            let known = stored.is_some();
            let text = stored.unwrap_or_else(|| decoy.to_string());
            let parsed = PasswordHash::new(&text)
                .map_err(|_| Broken::new("stored password hash cannot be read"))?;
            let matches = Argon2::default()
                .verify_password(password.as_bytes(), &parsed)
                .is_ok();
            Ok(known && matches)
        })
        .await
    }

    /// The permit travels with the work: a caller that goes away does not free a core that still hashes.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Broken> + Send + 'static,
    ) -> Result<T, Broken> {
        let permit = Arc::clone(&self.permits).acquire_owned().await?;
        tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        })
        .await?
    }
}

fn hash(password: &str) -> Result<String, Broken> {
    let hashed = Argon2::default().hash_password(password.as_bytes());
    hashed
        .map(|hash| hash.to_string())
        .map_err(|_| Broken::new("password could not be hashed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_right_password_and_only_that() {
        let passwords = Passwords::new().unwrap();
        let stored = passwords
            .hash(NewPassword::parse("three quiet rivers meet", None).unwrap())
            .await
            .unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(
            passwords
                .verify("three quiet rivers meet".into(), Some(stored.clone()))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify("three quiet rivers Meet".into(), Some(stored))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify("three quiet rivers meet".into(), None)
                .await
                .unwrap()
        );
    }
}
