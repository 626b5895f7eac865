//! From a session's user to authority. The session's own row is `store::sessions`, its cookie is `server`'s.

use super::store;
use domain::id::UserId;

use crate::Backend;
use crate::authority::actor::Actor;
use crate::failure::Broken;

/// The authority of a signed-in person; none when they have no account any more. Read afresh for each request, so a
/// change of role counts at once.
///
/// # Errors
/// When the database fails.
pub async fn actor(backend: &Backend, user_id: UserId) -> Result<Option<Actor>, Broken> {
    let mut db = backend.pool().acquire().await?;
    store::actor(&mut db, user_id).await
}
