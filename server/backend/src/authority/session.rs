//! From a session to authority: the one way to an `Actor`. The session's row is `sessions`', its cookie is `server`'s.

use std::sync::Arc;

use tokio::sync::OnceCell;

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

/// Who makes a request: whoever is signed in by its session, looked up when somebody asks and at most once. Cheap to clone;
/// the guard puts it into the request, and pages, forms, exports and live figures take it from there.
#[derive(Clone)]
pub struct Visitor {
    session: Option<SessionKey>,
    found: Arc<OnceCell<Option<Actor>>>,
}

impl Visitor {
    /// The visitor with this session; a stranger without one.
    #[must_use]
    pub fn new(session: Option<SessionKey>) -> Self {
        Self {
            session,
            found: Arc::default(),
        }
    }

    /// Their authority; none for a stranger.
    ///
    /// # Errors
    /// When the database fails; the next to ask tries again.
    pub async fn actor(&self, backend: &Backend) -> Result<Option<Actor>, Broken> {
        let Some(session) = self.session else {
            return Ok(None);
        };
        let found = self
            .found
            .get_or_try_init(|| actor(backend, session))
            .await?;
        Ok(found.clone())
    }

    /// Their authority if it was looked up already.
    #[must_use]
    pub fn known(&self) -> Option<&Actor> {
        self.found.get().and_then(Option::as_ref)
    }
}

/// The authority of the person who is signed in by this session; none when the session has ended, is a visitor's, or its
/// person has no account any more. Read afresh for each request, so a change of role counts at once.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "sessions.actor")]
pub async fn actor(backend: &Backend, session: SessionKey) -> Result<Option<Actor>, Broken> {
    let mut db = backend.pool().acquire().await?;
    store::actor(&mut db, session.hash(), backend.clock().now()).await
}
