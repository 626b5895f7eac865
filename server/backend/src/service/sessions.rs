//! From a session's user to authority. The session's own row is `store::sessions`, its cookie is `server`'s.

use domain::id::UserId;

use crate::Backend;
use crate::actor::Actor;
use crate::failure::Broken;
use crate::store::accounts;

/// The authority of a signed-in person; none when they have no account any more. Read afresh for each request, so a
/// change of role counts at once.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "sessions.actor")]
pub async fn actor(backend: &Backend, user_id: UserId) -> Result<Option<Actor>, Broken> {
    let mut db = backend.pool().acquire().await?;
    accounts::actor(&mut db, user_id).await
}
