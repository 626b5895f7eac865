//! Recurring work: when each is due again, and where one that goes round in pieces will go on.
//! What recurs and how often is `schedule`'s.

use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;

/// Takes the turn that is due, if one is, and moves on to the next: one update, so that of all replicas one gets it. Turns
/// that nobody took are not made up for. While a job of `unique_key` lives the turn stays due.
pub(crate) async fn claim(
    db: &mut PgConnection,
    name: &str,
    unique_key: &str,
    period_s: i64,
    now: OffsetDateTime,
) -> Result<bool, Broken> {
    sqlx::query!(
        "INSERT INTO schedules (name, due_at) VALUES ($1, $2) ON CONFLICT ON CONSTRAINT schedules_pkey DO NOTHING",
        name,
        now
    )
    .execute(&mut *db)
    .await?;
    // Counted from a Monday, so that weekly turns fall on one.
    let taken = sqlx::query!(
        "UPDATE schedules SET due_at = date_bin($3::bigint * interval '1 second', $2, timestamptz '2001-01-01 00:00Z')
                                       + $3::bigint * interval '1 second'
         WHERE name = $1 AND due_at <= $2 AND NOT EXISTS (
             SELECT 1 FROM jobs WHERE unique_key = $4 AND finished_at IS NULL AND dead_at IS NULL)",
        name, now, period_s, unique_key
    )
    .execute(db)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Where a round goes on; empty at its start.
pub(crate) async fn place(db: &mut PgConnection, name: &str) -> Result<String, Broken> {
    let place = sqlx::query_scalar!("SELECT place FROM schedules WHERE name = $1", name);
    Ok(place.fetch_optional(db).await?.unwrap_or_default())
}

/// Notes where a round goes on; with `more` the next turn is due at once instead of a period later.
pub(crate) async fn set_place(
    db: &mut PgConnection,
    name: &str,
    place: &str,
    more: bool,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "INSERT INTO schedules (name, due_at, place) VALUES ($1, $4, $2)
         ON CONFLICT ON CONSTRAINT schedules_pkey DO UPDATE
             SET place = excluded.place, due_at = CASE WHEN $3 THEN $4 ELSE schedules.due_at END",
        name,
        place,
        more,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}
