//! The audit log: append only. What a person did is written by the commit of their change; what followed from it by itself,
//! such as credit given, by the subject that did it.

use domain::id::{AccountId, AuditEventId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;
use crate::random;

/// Credit was given. The word is stored for years: never rename it.
pub(crate) const CREDIT_GRANTED: &str = "credit.granted";
/// Somebody's role did not allow an act; the subject is the word of that act.
pub(crate) const ACT_DENIED: &str = "act.denied";
/// Somebody tried to sign in as this person, with a wrong password.
pub(crate) const SIGN_IN_FAILED: &str = "user.sign_in_failed";

/// Appends a line in the caller's transaction.
pub(crate) async fn append(
    db: &mut PgConnection,
    (account_id, actor_id): (AccountId, Option<UserId>),
    word: &str,
    subject: &str,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let id = AuditEventId(random::id(now));
    sqlx::query!(
        "INSERT INTO audit_events (audit_event_id, account_id, actor_id, action, subject_id, happened_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        id.0, account_id.0, actor_id.map(|id| id.0), word, subject, now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Appends a line to the logs of several accounts at once, of which there may be none: nobody did it, it was done to `subject`.
pub(crate) async fn append_each(
    db: &mut PgConnection,
    accounts: &[AccountId],
    word: &str,
    subject: &str,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    let ids = random::ids(now, accounts.len());
    let accounts: Vec<_> = accounts.iter().map(|id| id.0).collect();
    sqlx::query!(
        "INSERT INTO audit_events (audit_event_id, account_id, action, subject_id, happened_at)
         SELECT id, account_id, $3, $4, $5 FROM unnest($1::uuid[], $2::uuid[]) AS line (id, account_id)",
        &ids,
        &accounts,
        word,
        subject,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Lines of one word in an account since a moment: what a ceiling counts that nothing may reset.
pub(crate) async fn count_since(
    db: &mut PgConnection,
    account_id: AccountId,
    word: &str,
    since: OffsetDateTime,
) -> Result<i64, Broken> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM audit_events WHERE account_id = $1 AND action = $2 AND happened_at > $3"#,
        account_id.0,
        word,
        since
    );
    Ok(count.fetch_one(db).await?)
}
