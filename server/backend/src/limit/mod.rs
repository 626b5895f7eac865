//! The customer's own monthly limit. It ends what runs through the forecast, by the same moment that ends credit.

mod store;

pub(crate) use crate::limit::store::get;

use crate::accounts;
use domain::act::Act;
use domain::ceilings::MONTHLY_LIMIT_CENTS_MAX;
use domain::limit::LimitRefusal;
use domain::money::Cents;

use crate::Backend;
use crate::authority::actor::Actor;
use crate::failure::Failure;

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
    let mut change = actor.begin(backend, Act::LimitSet).await?;
    let monthly = parse(typed).map_err(Failure::Refused)?;
    let (account_id, now) = (change.account_id(), change.now());
    store::put(&mut change, account_id, monthly, now).await?;
    accounts::mark_stale(&mut change, &[account_id]).await?;
    Ok(change.commit(format!("{} cents", monthly.0)).await?)
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
/// Denied, or broken.
#[tracing::instrument(skip_all, name = "limit.remove")]
pub async fn remove(backend: &Backend, actor: &Actor) -> Result<(), Failure<LimitRefusal>> {
    let mut change = actor.begin(backend, Act::LimitRemove).await?;
    let account_id = change.account_id();
    if !store::remove(&mut change, account_id).await? {
        return Ok(());
    }
    accounts::mark_stale(&mut change, &[account_id]).await?;
    Ok(change.commit("").await?)
}
