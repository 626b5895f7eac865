//! Accounts: what is billed, who belongs to it, what it agreed to, and what the orchestrator is told of it.
//! People are `identity`'s; opening an account is `sign_up`'s.

pub mod touched;

use time::OffsetDateTime;

use crate::accounts::store as accounts;
use crate::authority::view::View;
use crate::failure::Broken;

pub mod store;
pub mod tenant;

/// What was accepted for the account: document, version and time, newest first.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "accounts.acceptances")]
pub async fn acceptances(view: &mut View) -> Result<Vec<(String, String, OffsetDateTime)>, Broken> {
    let (_, actor, db) = view.parts();
    accounts::acceptances(db, actor.account_id()).await
}
