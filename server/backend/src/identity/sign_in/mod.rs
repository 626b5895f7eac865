//! Signing in by address and password, and out. Whether an address is known never shows: same words, same work, same waits.

mod ladder;
pub mod mails;
mod store;

use domain::act::Act;
use domain::ceilings::{PASSWORD_CHARS_MAX, SIGN_IN_FAILURES_TOLD};
use domain::email::EmailAddress;
use domain::id::{MailId, UserId};
use domain::identity::SignInRefusal;
use domain::password::composed;
use time::Duration;
use uuid::Uuid;

use crate::authority::actor::Actor;
use crate::authority::change::{Line, OpenChange};
use crate::failure::{Broken, Failure};
use crate::identity::sign_in::ladder::Try;
use crate::identity::sign_in::mails::SignInFailures;
use crate::identity::users::{self, UserRow};
use crate::mail::letter::Letter as _;
use crate::mail::{self, MailRow, To};
use crate::{Backend, audit, random};

pub use crate::identity::sign_in::ladder::KnownBrowser;
pub(crate) use crate::identity::sign_in::store::delete_at_rest;

/// Checks a pair of address and password in a browser that nobody knows. See [`sign_in_from`].
///
/// # Errors
/// [`SignInRefusal`], or broken; busy when too many passwords wait to be checked.
pub async fn sign_in(
    backend: &Backend,
    email: &str,
    password: &str,
) -> Result<UserId, Failure<SignInRefusal>> {
    let (user_id, _) = sign_in_from(backend, None, email, password).await?;
    Ok(user_id)
}

/// Checks a pair of address and password. An unknown address takes the same work as a wrong password, and climbs the same ladder. A
/// browser that was known before, with this address, has a ladder of its own; after a success it is known.
///
/// # Errors
/// [`SignInRefusal`], or broken; busy when too many passwords wait to be checked.
#[tracing::instrument(skip_all, name = "identity.sign_in")]
pub async fn sign_in_from(
    backend: &Backend,
    browser: Option<&KnownBrowser>,
    email: &str,
    password: &str,
) -> Result<(UserId, KnownBrowser), Failure<SignInRefusal>> {
    let wrong = Failure::Refused(SignInRefusal::WrongPair);
    // What no account can have is known without looking anything up.
    let Ok(address) = EmailAddress::parse(email) else {
        return Err(wrong);
    };
    if password.chars().count() > PASSWORD_CHARS_MAX {
        return Err(wrong);
    }
    let canonical = address.canonical();
    let tried = ladder::claim(backend, &canonical, browser).await?;
    let mut db = backend.pool().acquire().await?;
    let user = users::by_email(&mut db, &canonical).await?;
    drop(db);
    let (user_id, stored) = user
        .map(
            |UserRow {
                 user_id,
                 password_hash,
             }| (user_id, password_hash),
        )
        .unzip();
    let checked = backend.passwords().verify(composed(password), stored).await;
    match (checked, user_id) {
        (Ok(true), Some(user_id)) => {
            let_in(backend, &tried, user_id).await?;
            Ok((user_id, tried.known))
        }
        (Ok(_), known) => {
            note_failure(backend, &tried, known).await?;
            Err(wrong)
        }
        (Err(broken), _) => {
            // Nothing was checked, so nothing counts.
            ladder::give_back(backend, &tried).await?;
            Err(broken.into())
        }
    }
}

/// Forgets the failures before, and notes the sign-in in the log of each account of the person.
async fn let_in(
    backend: &Backend,
    tried: &Try,
    user_id: UserId,
) -> Result<(), Failure<SignInRefusal>> {
    let mut change = OpenChange::begin(backend, Act::SignIn).await?;
    store::forget(&mut change, &tried.address_hmac).await?;
    let accounts = users::accounts_of(&mut change, user_id).await?;
    let mut lines = accounts.into_iter().map(|account_id| Line {
        account_id,
        user_id: Some(user_id),
        subject: user_id.to_string(),
    });
    let first = lines
        .next()
        .ok_or_else(|| Broken::new("a person without an account"))?;
    Ok(change.commit(first, &lines.collect::<Vec<_>>()).await?)
}

/// Notes a failure where its person can see it, and at the tenth in a row tells them by mail, once a day. For an unknown address the
/// same statements run and find nobody.
async fn note_failure(backend: &Backend, tried: &Try, known: Option<UserId>) -> Result<(), Broken> {
    let now = backend.clock().now();
    let user_id = known.unwrap_or(UserId(Uuid::nil()));
    let mut tx = backend.pool().begin().await?;
    // Locks the row, so that two failures at once do not both send the mail; and gives every address something to commit.
    store::touch(&mut tx, &tried.address_hmac, now).await?;
    let accounts = users::accounts_of(&mut tx, user_id).await?;
    let (word, subject) = (audit::SIGN_IN_FAILED, user_id.to_string());
    audit::append_each(&mut tx, &accounts, word, &subject, now).await?;
    if tried.failures >= SIGN_IN_FAILURES_TOLD {
        let since = now - Duration::DAY;
        let told = mail::count_since(&mut tx, user_id, SignInFailures::NAME, since).await?;
        if known.is_some() && told == 0 {
            let mail = MailRow {
                mail_id: MailId(random::id(now)),
                to: To::User(user_id),
                template: SignInFailures::NAME.to_owned(),
                about: None,
            };
            mail::send::enqueue(&mut tx, None, &mail, now).await?;
        }
    }
    Ok(tx.commit().await?)
}

/// Notes that somebody signed out. That their session ended is the session's own affair, and comes first.
///
/// # Errors
/// Broken.
#[tracing::instrument(skip_all, name = "identity.sign_out")]
pub async fn sign_out(backend: &Backend, actor: &Actor) -> Result<(), Failure<SignInRefusal>> {
    let change = actor.begin(backend, Act::SignOut).await?;
    let user_id = change.user_id();
    Ok(change.commit(user_id).await?)
}
