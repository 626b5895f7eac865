//! SQL of the answers of forms.

use sqlx::PgConnection;
use time::OffsetDateTime;

/// Claims a form that nobody has, or whose row has ended; false when somebody has it.
pub(super) async fn claim(
    db: &mut PgConnection,
    form: &[u8],
    now: OffsetDateTime,
    until: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "INSERT INTO form_answers AS a (form_sha256, expires_at) VALUES ($1, $3)
         ON CONFLICT ON CONSTRAINT form_answers_pkey DO UPDATE SET answer = NULL, expires_at = $3 WHERE a.expires_at <= $2",
        form,
        now,
        until
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The answer of a form; the outer none when nobody has claimed it, the inner one while it is worked on.
pub(super) async fn answer(
    db: &mut PgConnection,
    form: &[u8],
    now: OffsetDateTime,
) -> Result<Option<Option<String>>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT answer FROM form_answers WHERE form_sha256 = $1 AND expires_at > $2",
        form,
        now
    )
    .fetch_optional(db)
    .await
}

/// Keeps an answer. A claim that has ended meanwhile and belongs to somebody else by now is left alone when it is answered.
pub(super) async fn keep(
    db: &mut PgConnection,
    form: &[u8],
    answer: &str,
    until: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE form_answers SET answer = $2, expires_at = $3 WHERE form_sha256 = $1 AND answer IS NULL",
        form,
        answer,
        until
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets a claim that has no answer.
pub(super) async fn give_back(db: &mut PgConnection, form: &[u8]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM form_answers WHERE form_sha256 = $1 AND answer IS NULL",
        form
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes rows that have ended.
pub(super) async fn delete_ended(
    db: &mut PgConnection,
    now: OffsetDateTime,
    limit: i64,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "DELETE FROM form_answers WHERE form_sha256 IN (
             SELECT form_sha256 FROM form_answers WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)",
        now,
        limit
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
