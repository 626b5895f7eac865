//! Asking for an account: an address, and a mail to it. Whether the address is known never shows: the same row is written and
//! the same mail is queued for each, and what the mail says is decided when it is sent.

pub mod mails;
pub mod opening;
mod store;

use domain::ceilings::{SIGN_UP_HOURS, SIGN_UP_MAILS_PER_DAY, SIGN_UP_MAILS_PER_HOUR};
use domain::email::{EmailAddress, EmailProblem};
use domain::id::{MailId, SignUpId};
use domain::sign_up::SignUpRefusal;
use time::Duration;

use crate::failure::Failure;
use crate::mail::letter::Letter as _;
use crate::mail::{self, MailRow, To};
use crate::secret::{sha256, sign_up_token};
use crate::sign_up::mails::SignUpLetter;
use crate::sign_up::store::PendingRow;
use crate::{Backend, random};

pub(crate) use crate::sign_up::store::delete_ended;

/// Mails a link to this address, from which its owner opens the account; who has one is told so instead. Beyond three mails an
/// hour and ten a day to one address none is sent and the answer is the same: a link of before works as well.
///
/// # Errors
/// [`SignUpRefusal`], or broken.
#[tracing::instrument(skip_all, name = "sign_up.sign_up")]
pub async fn sign_up(backend: &Backend, typed: &str) -> Result<(), Failure<SignUpRefusal>> {
    let email = EmailAddress::parse(typed).map_err(|problem| {
        Failure::Refused(match problem {
            EmailProblem::Empty => SignUpRefusal::EmailEmpty,
            EmailProblem::TooLong => SignUpRefusal::EmailTooLong,
            EmailProblem::Malformed => SignUpRefusal::EmailMalformed,
            EmailProblem::LocalNotAscii => SignUpRefusal::EmailNotAscii,
        })
    })?;
    let now = backend.clock().now();
    let canonical = email.canonical();
    let mut tx = backend.pool().begin().await?;
    store::lock_address(&mut tx, &canonical).await?;
    let last_hour = store::count_since(&mut tx, &canonical, now - Duration::HOUR).await?;
    let last_day = store::count_since(&mut tx, &canonical, now - Duration::DAY).await?;
    if last_hour >= SIGN_UP_MAILS_PER_HOUR || last_day >= SIGN_UP_MAILS_PER_DAY {
        return Ok(());
    }
    let sign_up_id = SignUpId(random::id(now));
    let token = sign_up_token(backend.root().await?, sign_up_id.0);
    let row = PendingRow {
        sign_up_id,
        email: email.as_str(),
        canonical: &canonical,
        token_sha256: sha256(token.as_bytes()),
        expires_at: now + Duration::hours(SIGN_UP_HOURS),
    };
    store::insert(&mut tx, &row, now).await?;
    let mail = MailRow {
        mail_id: MailId(random::id(now)),
        to: To::SignUp(sign_up_id),
        template: SignUpLetter::NAME.to_owned(),
        about: None,
    };
    mail::send::enqueue(&mut tx, None, &mail, now).await?;
    Ok(tx.commit().await?)
}
