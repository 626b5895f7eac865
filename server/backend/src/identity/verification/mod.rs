//! Proof that an address belongs to whoever gave it: a token by mail, its hash here.

use domain::id::{AccountId, MailId, UserId, VerificationId};
use domain::limits::{VERIFICATION_HOURS, VERIFICATION_MAILS_PER_HOUR};
use domain::refusal::VerificationRefusal;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use crate::authority::actor::Actor;
use crate::failure::{Broken, Failure};
use crate::identity::verification::store as verifications;
use crate::identity::verification::store::VerificationRow;
use crate::mail::send as send_mail;
use crate::mail::store::{MailRow, Template, To};
use crate::secret::{sha256, verification_token};
use crate::{Backend, random};

pub mod store;

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
    verifications::insert(db, &row, &sha256(token.as_bytes()), now).await?;
    let mail_id = MailId(random::id(now));
    let mail = MailRow {
        mail_id,
        to: To::User(user_id),
        template: Template::VerifyEmail,
        verification_id: Some(verification_id),
        delivery_id: None,
    };
    send_mail::enqueue(db, account_id, &mail, now).await
}

/// Mails a new confirmation link, at most three an hour.
///
/// # Errors
/// [`VerificationRefusal::AlreadyVerified`] or [`VerificationRefusal::TooMany`], or broken.
pub async fn resend_verification(
    backend: &Backend,
    actor: &Actor,
) -> Result<(), Failure<VerificationRefusal>> {
    if actor.is_verified() {
        return Err(Failure::Refused(VerificationRefusal::AlreadyVerified));
    }
    let now = backend.clock().now();
    let mut tx = backend.pool().begin().await?;
    let sent = verifications::count_since(&mut tx, actor.user_id(), now - Duration::HOUR).await?;
    if sent >= VERIFICATION_MAILS_PER_HOUR {
        return Err(Failure::Refused(VerificationRefusal::TooMany));
    }
    open_verification(
        backend,
        &mut tx,
        Some(actor.account_id()),
        actor.user_id(),
        now,
    )
    .await?;
    Ok(tx.commit().await?)
}
