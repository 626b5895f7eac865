//! The customer's own monthly limit. It ends what runs through the outlook, by the same moment that ends credit.

use domain::money::Cents;
use domain::refusal::LimitRefusal;

use crate::Backend;
use crate::actor::Actor;
use crate::failure::Failure;
use crate::store::audit::{self, Action};
use crate::store::{limits, outlooks};
use domain::limits::MONTHLY_LIMIT_CENTS_MAX;

/// Sets the limit from what was typed, such as `25` or `$25.50`.
///
/// # Errors
/// [`LimitRefusal`], or broken.
#[tracing::instrument(skip_all, name = "limit.set")]
pub async fn set(
    backend: &Backend,
    actor: &Actor,
    typed: &str,
) -> Result<(), Failure<LimitRefusal>> {
    let monthly = parse(typed).map_err(Failure::Refused)?;
    may_change(actor)?;
    let (account_id, now) = (actor.account_id(), backend.clock().now());
    let mut tx = backend.pool().begin().await?;
    limits::put(&mut tx, account_id, monthly, now).await?;
    outlooks::touch(&mut tx, &[account_id]).await?;
    let subject = format!("{} cents", monthly.0);
    let who = actor.user_id();
    audit::append(&mut tx, account_id, who, Action::LimitSet, &subject, now).await?;
    Ok(tx.commit().await?)
}

fn parse(typed: &str) -> Result<Cents, LimitRefusal> {
    if typed.trim().is_empty() {
        return Err(LimitRefusal::Empty);
    }
    let monthly = Cents::parse(typed).ok_or(LimitRefusal::Malformed)?;
    if monthly.0 > MONTHLY_LIMIT_CENTS_MAX {
        return Err(LimitRefusal::TooHigh);
    }
    Ok(monthly)
}

/// Removes the limit; without one it changes nothing.
///
/// # Errors
/// [`LimitRefusal::Forbidden`], or broken.
#[tracing::instrument(skip_all, name = "limit.remove")]
pub async fn remove(backend: &Backend, actor: &Actor) -> Result<(), Failure<LimitRefusal>> {
    may_change(actor)?;
    let (account_id, now) = (actor.account_id(), backend.clock().now());
    let mut tx = backend.pool().begin().await?;
    if limits::remove(&mut tx, account_id).await? {
        outlooks::touch(&mut tx, &[account_id]).await?;
        let who = actor.user_id();
        audit::append(&mut tx, account_id, who, Action::LimitRemoved, "", now).await?;
    }
    Ok(tx.commit().await?)
}

fn may_change(actor: &Actor) -> Result<(), Failure<LimitRefusal>> {
    if actor.role().may_change_money() {
        Ok(())
    } else {
        Err(Failure::Refused(LimitRefusal::Forbidden))
    }
}
