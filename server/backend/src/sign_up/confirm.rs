//! Confirming an address: it activates the accounts of its person, gives each its credit and tells the orchestrator.

use domain::act::Act;
use domain::ceilings::SIGN_UP_CREDIT_CENTS;
use domain::id::{AccountId, GrantId, UserId};
use domain::identity::VerificationRefusal;
use domain::moment::Moment;
use domain::money::{Cents, Ticks};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::accounts::{self, tenant::PushTenant};
use crate::audit;
use crate::authority::change::{Line, OpenChange};
use crate::failure::{Broken, Failure};
use crate::identity::users::{self};
use crate::identity::verification;
use crate::ledger::{self, GrantReason, NewGrant, NewTransfer, System, TransferKind};
use crate::queue;
use crate::secret::sha256;
use crate::{Backend, random};

/// Confirms an address by the token of its mail, activates the accounts that its person owns, gives each its credit and
/// tells the orchestrator.
///
/// # Errors
/// [`VerificationRefusal`], or broken.
#[tracing::instrument(skip_all, name = "sign_up.confirm_email")]
pub async fn confirm_email(
    backend: &Backend,
    token: &str,
) -> Result<UserId, Failure<VerificationRefusal>> {
    let mut change = OpenChange::begin(backend, Act::EmailVerify).await?;
    let now = change.now();
    let found = verification::by_token(&mut change, &sha256(token.as_bytes())).await?;
    let row = found.ok_or(Failure::Refused(VerificationRefusal::Unknown))?;
    if row.used_at.is_some() || row.is_verified {
        return Err(Failure::Refused(VerificationRefusal::AlreadyVerified));
    }
    if row.expires_at <= now {
        return Err(Failure::Refused(VerificationRefusal::Expired));
    }
    verification::spend(&mut change, row.verification_id, now).await?;
    users::verify(&mut change, row.user_id, now).await?;
    let mut lines = Vec::new();
    for account_id in accounts::owned_by(&mut change, row.user_id).await? {
        lines.push(Line {
            account_id,
            user_id: Some(row.user_id),
            subject: row.user_id.to_string(),
        });
        if let Some(generation) = accounts::activate(&mut change, account_id, now).await? {
            give_sign_up_credit(&mut change, account_id, row.user_id, now).await?;
            let job = PushTenant {
                account_id,
                generation,
            };
            queue::enqueue(&mut change, account_id, &job, now).await?;
        }
    }
    let first = lines
        .pop()
        .ok_or_else(|| Broken::new("a person without an account of their own"))?;
    change.commit(first, &lines).await?;
    Ok(row.user_id)
}

/// Terms 4: new accounts receive $50. The grant is unique per account and the transfer has its own key, so no path and no
/// race can give it twice.
pub(crate) async fn give_sign_up_credit(
    db: &mut PgConnection,
    account_id: AccountId,
    user_id: UserId,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let grant_id = GrantId(random::id(now));
    let amount = Ticks::from_cents(Cents(SIGN_UP_CREDIT_CENTS));
    let grant = NewGrant {
        grant_id,
        reason: GrantReason::SignUp,
        amount,
        priority: 0,
        starts_at: Moment::from(now).hour(),
        ends_at: None,
        note: "",
    };
    ledger::insert_grant(db, account_id, &grant, now).await?;
    let promo = ledger::system_account(db, account_id, System::PromoCost, now).await?;
    let transfer = NewTransfer {
        debit: promo,
        credit: grant_id.0.into(),
        ticks: amount,
        kind: TransferKind::Grant,
        key: "grant:sign_up".to_owned(),
        service_hour: None,
    };
    ledger::append(db, account_id, &[transfer], now).await?;
    accounts::mark_stale(db, &[account_id]).await?;
    let by = (account_id, Some(user_id));
    audit::append(db, by, audit::CREDIT_GRANTED, &grant_id.to_string(), now).await
}
