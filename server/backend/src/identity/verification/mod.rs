//! Proof that an address belongs to whoever gave it: a token by mail, its hash here.

use domain::act::Act;
use domain::ceilings::{VERIFICATION_HOURS, VERIFICATION_MAILS_PER_HOUR};
use domain::id::{AccountId, MailId, UserId, VerificationId};
use domain::identity::VerificationRefusal;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use crate::authority::actor::Actor;
use crate::failure::{Broken, Failure};
use crate::identity::verification::mails::VerifyEmail;
use crate::identity::verification::store::VerificationRow;
use crate::mail;
use crate::mail::letter::Letter as _;
use crate::mail::{MailRow, To};
use crate::secret::{sha256, verification_token};
use crate::{Backend, random};

pub mod mails;
mod store;

pub(crate) use crate::identity::verification::store::{by_token, delete_ended, spend};

pub(crate) async fn open_verification(
    backend: &Backend,
    db: &mut PgConnection,
    account_id: Option<AccountId>,
    user_id: UserId,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let verification_id = VerificationId(random::id(now));
    let token = verification_token(&backend.settings().secret_key, verification_id.0);
    let expires_at = now + Duration::hours(VERIFICATION_HOURS);
    let row = VerificationRow {
        verification_id,
        user_id,
        expires_at,
        used_at: None,
        is_verified: false,
    };
    store::insert(db, &row, &sha256(token.as_bytes()), now).await?;
    let mail_id = MailId(random::id(now));
    let mail = MailRow {
        mail_id,
        to: To::User(user_id),
        template: VerifyEmail::NAME.to_owned(),
        about: Some(verification_id.0),
    };
    mail::send::enqueue(db, account_id, &mail, now).await
}

/// Mails a new confirmation link, at most three an hour.
///
/// # Errors
/// [`VerificationRefusal::AlreadyVerified`] or [`VerificationRefusal::TooMany`], or broken.
#[tracing::instrument(skip_all, name = "identity.resend_verification")]
pub async fn resend_verification(
    backend: &Backend,
    actor: &Actor,
) -> Result<(), Failure<VerificationRefusal>> {
    let mut change = actor.begin(backend, Act::VerificationResend).await?;
    if actor.is_verified() {
        return Err(Failure::Refused(VerificationRefusal::AlreadyVerified));
    }
    let (account_id, user_id, now) = (change.account_id(), change.user_id(), change.now());
    let sent = store::count_since(&mut change, user_id, now - Duration::HOUR).await?;
    if sent >= VERIFICATION_MAILS_PER_HOUR {
        return Err(Failure::Refused(VerificationRefusal::TooMany));
    }
    open_verification(backend, &mut change, Some(account_id), user_id, now).await?;
    Ok(change.commit(user_id).await?)
}
