//! What the checks found: one open row per check, account, fault and subject. What to look for is `checks`'.

use domain::id::AccountId;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::failure::Broken;
use crate::random;

/// Something that is not as it should be. Ids and numbers only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whose books; none for what concerns all.
    pub account_id: Option<AccountId>,
    /// What is wrong, a closed word of the check.
    pub fault: &'static str,
    /// The sandbox, hour, grant or ledger account it is about; of several words the last is the one a check goes by.
    pub subject: String,
    /// What should be.
    pub expected: String,
    /// What is.
    pub found: String,
}

/// Notes findings of a check; one that is open already is only seen again, a new one is said in the log.
pub(crate) async fn raise(
    db: &mut PgConnection,
    check: &str,
    findings: &[Finding],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    for finding in findings {
        let account_id = finding.account_id.map(|id| id.0);
        let is_new = sqlx::query_scalar!(
            r#"INSERT INTO findings (finding_id, account_id, check_name, fault, subject, expected, found, first_seen_at,
                                     last_seen_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
               ON CONFLICT (check_name, account_id, fault, subject) WHERE resolved_at IS NULL
               DO UPDATE SET last_seen_at = excluded.last_seen_at, expected = excluded.expected, found = excluded.found
               RETURNING first_seen_at = last_seen_at AS "is_new!""#,
            random::id(now), account_id, check, finding.fault, finding.subject, finding.expected, finding.found, now
        )
        .fetch_one(&mut *db)
        .await?;
        if is_new {
            let account = account_id.map(|id| id.to_string()).unwrap_or_default();
            tracing::error!(
                check,
                fault = finding.fault,
                account.id = account,
                subject = finding.subject,
                "finding opened; a person must look"
            );
            metrics::counter!("findings_opened_total", "check" => check.to_owned()).increment(1);
        }
    }
    Ok(())
}

/// What a check looked at, so that it closes only what it could have found again.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// Everything of an account, or of what concerns all.
    Whole,
    /// Only subjects that end in one of these words.
    Only(&'a [String]),
}

/// Makes the open findings of a check on one account equal to `findings`, inside the scope: raises what is there, resolves
/// what is gone. Run again it changes nothing but the time last seen.
pub(crate) async fn report(
    db: &mut PgConnection,
    check: &str,
    account_id: Option<AccountId>,
    (scope, findings): (Scope<'_>, &[Finding]),
    now: OffsetDateTime,
) -> Result<(), Broken> {
    raise(db, check, findings, now).await?;
    let only = match scope {
        Scope::Whole => None,
        Scope::Only(words) => Some(words),
    };
    let faults: Vec<String> = findings.iter().map(|f| f.fault.to_owned()).collect();
    let subjects: Vec<String> = findings.iter().map(|f| f.subject.clone()).collect();
    let gone = sqlx::query!(
        "UPDATE findings SET resolved_at = $6
         WHERE check_name = $1 AND account_id IS NOT DISTINCT FROM $2 AND resolved_at IS NULL
           AND ($3::text[] IS NULL OR split_part(subject, ' ', -1) = ANY($3))
           AND NOT EXISTS (SELECT 1 FROM unnest($4::text[], $5::text[]) AS kept (fault, subject)
                           WHERE kept.fault = findings.fault AND kept.subject = findings.subject)",
        check,
        account_id.map(|id| id.0),
        only,
        &faults,
        &subjects,
        now
    )
    .execute(db)
    .await?;
    if gone.rows_affected() > 0 {
        tracing::info!(check, count = gone.rows_affected(), "findings resolved");
    }
    Ok(())
}

/// Open findings of a check, oldest first, at most `limit`: whose, and about what.
pub(crate) async fn open(
    db: &mut PgConnection,
    check: &str,
    limit: i64,
) -> Result<Vec<(Option<AccountId>, String)>, Broken> {
    let rows = sqlx::query!(
        "SELECT account_id, subject FROM findings WHERE check_name = $1 AND resolved_at IS NULL
         ORDER BY first_seen_at, finding_id LIMIT $2",
        check,
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.account_id.map(Into::into), row.subject))
        .collect())
}

/// Open findings of a check on one account, at most `limit`: what is wrong, and with what.
pub(crate) async fn open_on(
    db: &mut PgConnection,
    check: &str,
    account_id: AccountId,
    limit: i64,
) -> Result<Vec<(String, String)>, Broken> {
    let rows = sqlx::query!(
        "SELECT fault, subject FROM findings WHERE account_id = $1 AND check_name = $2 AND resolved_at IS NULL
         ORDER BY first_seen_at, finding_id LIMIT $3",
        account_id.0,
        check,
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.fault, row.subject))
        .collect())
}

/// Open findings by check, for the metrics; a check without any is not among them.
pub(crate) async fn count_open(db: &mut PgConnection) -> Result<Vec<(String, i64)>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT check_name, count(*) AS "count!" FROM findings WHERE resolved_at IS NULL
           GROUP BY check_name ORDER BY check_name LIMIT 50"#
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.check_name, row.count))
        .collect())
}
