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
    /// The sandbox, hour, grant or ledger account it is about.
    pub subject: String,
    /// What should be.
    pub expected: String,
    /// What is.
    pub found: String,
}

/// Notes findings of a check; one that is open already is only seen again.
pub async fn raise(
    db: &mut PgConnection,
    check: &str,
    findings: &[Finding],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    for finding in findings {
        sqlx::query!(
            "INSERT INTO findings (finding_id, account_id, check_name, fault, subject, expected, found, first_seen_at,
                                   last_seen_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
             ON CONFLICT (check_name, account_id, fault, subject) WHERE resolved_at IS NULL
             DO UPDATE SET last_seen_at = excluded.last_seen_at, expected = excluded.expected, found = excluded.found",
            random::id(now), finding.account_id.map(|id| id.0), check, finding.fault, finding.subject, finding.expected,
            finding.found, now
        )
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}
