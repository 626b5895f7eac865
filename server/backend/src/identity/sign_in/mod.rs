//! Signing in by address and password. Whether an address is known never shows: same words, same work.

use domain::ceilings::PASSWORD_CHARS_MAX;
use domain::email::EmailAddress;
use domain::id::UserId;
use domain::identity::SignInRefusal;
use domain::password::composed;

use crate::Backend;
use crate::failure::Failure;
use crate::identity::users::{self};

/// Checks a pair of address and password. An unknown address takes the same work as a wrong password.
///
/// # Errors
/// [`SignInRefusal::WrongPair`], or broken.
#[tracing::instrument(skip_all, name = "identity.sign_in")]
pub async fn sign_in(
    backend: &Backend,
    email: &str,
    password: &str,
) -> Result<UserId, Failure<SignInRefusal>> {
    // As it was hashed, however this keyboard sends accents.
    let password = composed(password);
    if password.chars().count() > PASSWORD_CHARS_MAX {
        return Err(Failure::Refused(SignInRefusal::WrongPair));
    }
    let canonical = EmailAddress::parse(email)
        .map(|address| address.canonical())
        .unwrap_or_default();
    let mut db = backend.pool().acquire().await?;
    let user = users::by_email(&mut db, &canonical).await?;
    drop(db);
    let (user_id, stored) = user.map(|user| (user.user_id, user.password_hash)).unzip();
    let matches = backend.passwords().verify(password, stored).await?;
    user_id
        .filter(|_| matches)
        .ok_or(Failure::Refused(SignInRefusal::WrongPair))
}
