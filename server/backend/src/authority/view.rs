//! What a request may read: one read-only snapshot, so that every figure of a page is true at the same instant.

use sqlx::{Postgres, Transaction};

use crate::Backend;
use crate::failure::Broken;

/// A read-only snapshot: every figure of one page is true at the same instant, so sums shown side by side agree.
pub(crate) async fn snapshot(backend: &Backend) -> Result<Transaction<'static, Postgres>, Broken> {
    Ok(backend
        .pool()
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await?)
}
