//! From a session to authority: the one way to an `Actor`. The session's row is `sessions`', its cookie is `server`'s.

use crate::Backend;
use crate::authority::actor::Actor;
use crate::authority::store;
use crate::failure::Broken;
use crate::secret::sha256;

/// What a session is stored under: the hash of the id in its cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    /// The key of the session with this id.
    #[must_use]
    pub fn of(id: &str) -> Self {
        Self(sha256(id.as_bytes()))
    }

    pub(super) const fn hash(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The authority of the person who is signed in by this session; none when the session has ended, is a visitor's, or its
/// person has no account any more. Read afresh for each request, so a change of role counts at once.
///
/// # Errors
/// When the database fails.
pub async fn actor(backend: &Backend, session: SessionKey) -> Result<Option<Actor>, Broken> {
    let mut db = backend.pool().acquire().await?;
    store::actor(&mut db, session.hash(), backend.clock().now()).await
}
