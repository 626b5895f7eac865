//! Accounts: what is billed, who belongs to it, what it agreed to, and what the orchestrator is told of it.
//! People are `identity`'s; opening an account is `sign_up`'s.

mod stale;
mod store;
pub mod tenant;

use time::OffsetDateTime;

use crate::authority::view::View;
use crate::failure::Broken;

pub(crate) use crate::accounts::stale::mark_stale;
pub(crate) use crate::accounts::store::{
    Acceptance, FIRST_GENERATION, Told, insert, insert_acceptance, insert_membership, tell,
    tell_first,
};

/// What was accepted for the account: document, version and time, newest first.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "accounts.acceptances")]
pub async fn acceptances(view: &mut View) -> Result<Vec<(String, String, OffsetDateTime)>, Broken> {
    let (_, actor, db) = view.parts();
    store::acceptances(db, actor.account_id()).await
}
