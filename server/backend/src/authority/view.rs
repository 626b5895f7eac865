//! What a request may read: one read-only snapshot for the frame and the page together, so that every figure in an answer
//! is true at the same instant and what several parts need is read once. There is no way from here to a change.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

use domain::id::AccountId;
use sqlx::{PgConnection, Postgres, Transaction};

use crate::Backend;
use crate::authority::actor::Actor;
use crate::failure::Broken;

/// A snapshot in the name of an actor, for as long as one answer takes.
pub struct View {
    backend: Backend,
    actor: Actor,
    tx: Transaction<'static, Postgres>,
    kept: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
}

impl Actor {
    /// Opens a snapshot of what the database says now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn view(&self, backend: &Backend) -> Result<View, Broken> {
        Ok(View {
            backend: backend.clone(),
            actor: self.clone(),
            tx: snapshot(backend).await?,
            kept: HashMap::new(),
        })
    }
}

impl View {
    /// In whose name.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The only account that it reads of.
    #[must_use]
    pub const fn account_id(&self) -> AccountId {
        self.actor.account_id()
    }

    /// What reading takes: settings and clock, the actor, and the snapshot's connection.
    pub(crate) fn parts(&mut self) -> (&Backend, &Actor, &mut PgConnection) {
        (&self.backend, &self.actor, &mut self.tx)
    }

    /// What was kept of this type, if a part of the answer has read it before.
    pub(crate) fn kept<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let kept = self.kept.get(&TypeId::of::<T>())?;
        Arc::clone(kept).downcast().ok()
    }

    /// Keeps what was read, for the other parts of the answer.
    pub(crate) fn keep<T: Any + Send + Sync>(&mut self, read: T) -> Arc<T> {
        let read = Arc::new(read);
        self.kept.insert(TypeId::of::<T>(), Arc::<T>::clone(&read));
        read
    }
}

/// A read-only snapshot for work that nobody asked for: checks, exports by link.
pub(crate) async fn snapshot(backend: &Backend) -> Result<Transaction<'static, Postgres>, Broken> {
    Ok(backend
        .pool()
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await?)
}
