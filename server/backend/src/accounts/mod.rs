//! Accounts: what is billed, who belongs to it, what it agreed to, and what the orchestrator is told of it.
//! People are `identity`'s; opening an account is `sign_up`'s.

pub(crate) mod touched;

use time::OffsetDateTime;

use crate::Backend;
use crate::authority::actor::Actor;
use crate::failure::Broken;

mod store;
pub mod tenant;

pub(crate) use crate::accounts::store::{
    Acceptance, activate, insert, insert_acceptance, insert_membership, owned_by, set_run_until,
};

/// What was accepted for the account: document, version and time, newest first.
///
/// # Errors
/// When the database fails.
pub async fn acceptances(
    backend: &Backend,
    actor: &Actor,
) -> Result<Vec<(String, String, OffsetDateTime)>, Broken> {
    let mut db = backend.pool().acquire().await?;
    store::acceptances(&mut db, actor.account_id()).await
}
