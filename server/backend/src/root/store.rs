//! The one row with the sealed root.

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;

/// A root as stored.
#[derive(Clone)]
pub(super) struct Sealed {
    /// Of the key that sealed it.
    pub(super) key_id: String,
    pub(super) nonce: Vec<u8>,
    pub(super) sealed: Vec<u8>,
}

/// What a database holds.
pub(super) enum Stored {
    /// Nothing: it is new.
    Nothing,
    /// An empty row: it is from before there was a root.
    Empty,
    Sealed(Sealed),
}

/// The row, locked, so that it is not sealed by two processes at once.
pub(super) async fn locked(db: &mut PgConnection) -> Result<Stored, Broken> {
    let row = sqlx::query!(
        "SELECT key_id, nonce, sealed FROM secret_roots WHERE secret_root_id = 1 FOR UPDATE"
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else {
        return Ok(Stored::Nothing);
    };
    Ok(match (row.key_id, row.nonce, row.sealed) {
        (Some(key_id), Some(nonce), Some(sealed)) => Stored::Sealed(Sealed {
            key_id,
            nonce,
            sealed,
        }),
        _ => Stored::Empty,
    })
}

/// Writes the first root of a new database; of two processes that start at once, the second waits here and writes nothing.
pub(super) async fn insert(
    db: &mut PgConnection,
    root: &Sealed,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "INSERT INTO secret_roots (secret_root_id, key_id, nonce, sealed, sealed_at) VALUES (1, $1, $2, $3, $4)
         ON CONFLICT ON CONSTRAINT secret_roots_pkey DO NOTHING",
        root.key_id,
        root.nonce,
        root.sealed,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn update(
    db: &mut PgConnection,
    root: &Sealed,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE secret_roots SET key_id = $1, nonce = $2, sealed = $3, sealed_at = $4 WHERE secret_root_id = 1",
        root.key_id,
        root.nonce,
        root.sealed,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}
