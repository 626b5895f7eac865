//! Who is told of alerts by mail: members of the account, and other addresses that have agreed by a link.

use domain::ceilings::RECIPIENTS_MAX;
use domain::id::{AccountId, RecipientId, UserId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::alerts::tokens::{self, Kind};
use crate::db::violates;
use crate::failure::Broken;
use crate::mail::send::{UNDELIVERABLE, UNWANTED};

/// A recipient as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientRow {
    /// Of the place on the list, not of the person.
    pub recipient_id: RecipientId,
    /// The member; none for another address.
    pub user_id: Option<UserId>,
    /// The address, of the member or as added.
    pub email: String,
    /// When they agreed; none while they have not.
    pub confirmed_at: Option<OffsetDateTime>,
    /// When they were added or last asked.
    pub created_at: OffsetDateTime,
    /// Why mail does not get through to them.
    pub mail_failure: Option<MailFailure>,
}

/// Why mail does not get through to a recipient. The words are in the database: add, never rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailFailure {
    /// The address takes no mail.
    Undeliverable,
    /// Whoever has it wants no mail that others have sent to it.
    Unwanted,
}

impl MailFailure {
    fn parse(word: &str) -> Result<Self, Broken> {
        match word {
            UNDELIVERABLE => Ok(Self::Undeliverable),
            UNWANTED => Ok(Self::Unwanted),
            _ => Err(Broken::new("a mail failure of an unknown word")),
        }
    }
}

/// The recipients of an account, oldest first.
pub(in crate::alerts) async fn list(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Vec<RecipientRow>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT r.recipient_id, r.user_id, coalesce(r.email, u.email) AS "email!", r.confirmed_at, r.created_at,
                  r.mail_failure
           FROM alert_recipients AS r LEFT JOIN users AS u USING (user_id)
           WHERE r.account_id = $1 ORDER BY r.recipient_id LIMIT $2"#,
        account_id.0,
        RECIPIENTS_MAX
    )
    .fetch_all(db)
    .await?;
    let row = rows.into_iter().map(|row| {
        let failure = row.mail_failure.as_deref().map(MailFailure::parse);
        Ok(RecipientRow {
            recipient_id: row.recipient_id.into(),
            user_id: row.user_id.map(Into::into),
            email: row.email,
            confirmed_at: row.confirmed_at,
            created_at: row.created_at,
            mail_failure: failure.transpose()?,
        })
    });
    row.collect()
}

/// The address of a recipient who is no member; none when there is no such one.
pub(in crate::alerts) async fn email(
    db: &mut PgConnection,
    account_id: AccountId,
    recipient_id: RecipientId,
) -> Result<Option<String>, Broken> {
    let email = sqlx::query_scalar!(
        "SELECT email FROM alert_recipients WHERE account_id = $1 AND recipient_id = $2",
        account_id.0,
        recipient_id.0
    );
    Ok(email.fetch_optional(db).await?.flatten())
}

/// Notes whether mail gets through to a recipient; none: it does.
pub(in crate::alerts) async fn note_reach(
    db: &mut PgConnection,
    account_id: AccountId,
    recipient_id: RecipientId,
    failure: Option<&str>,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE alert_recipients SET mail_failure = $3
         WHERE account_id = $1 AND recipient_id = $2 AND mail_failure IS DISTINCT FROM $3",
        account_id.0,
        recipient_id.0,
        failure
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Adds a member, who needs not be asked.
pub(crate) async fn insert_member(
    db: &mut PgConnection,
    account_id: AccountId,
    recipient_id: RecipientId,
    user_id: UserId,
    now: OffsetDateTime,
) -> Result<bool, Broken> {
    let done = sqlx::query!(
        "INSERT INTO alert_recipients (account_id, recipient_id, user_id, created_at, confirmed_at)
         VALUES ($1, $2, $3, $4, $4) ON CONFLICT DO NOTHING",
        account_id.0,
        recipient_id.0,
        user_id.0,
        now
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// An address to be asked.
pub(super) struct Invited<'a> {
    pub recipient_id: RecipientId,
    /// The address in the form in which addresses are compared.
    pub email: &'a str,
    /// Hash of the link's token.
    pub token_sha256: [u8; 32],
}

/// Adds an address that has to agree; false when it is there already.
pub(super) async fn invite(
    db: &mut PgConnection,
    account_id: AccountId,
    invited: &Invited<'_>,
    now: OffsetDateTime,
) -> Result<bool, Broken> {
    let done = sqlx::query!(
        "INSERT INTO alert_recipients (account_id, recipient_id, email, token_sha256, created_at)
         VALUES ($1, $2, $3, $4, $5)",
        account_id.0,
        invited.recipient_id.0,
        invited.email,
        invited.token_sha256.as_slice(),
        now
    )
    .execute(&mut *db)
    .await;
    match done {
        Ok(_) => {}
        Err(error) if violates(&error, "alert_recipients_email_once") => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    tokens::insert(db, Kind::Recipient, &invited.token_sha256, account_id).await?;
    Ok(true)
}

/// The member of the account with this address, if there is one.
pub(super) async fn member(
    db: &mut PgConnection,
    account_id: AccountId,
    canonical: &str,
) -> Result<Option<UserId>, Broken> {
    let id = sqlx::query_scalar!(
        "SELECT m.user_id FROM memberships AS m JOIN user_emails AS e USING (user_id)
         WHERE m.account_id = $1 AND e.canonical = $2",
        account_id.0,
        canonical
    );
    Ok(id.fetch_optional(db).await?.map(Into::into))
}

/// Locks the account's list, so that two additions count one after the other.
pub(super) async fn count_locked(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<i64, Broken> {
    sqlx::query!(
        "SELECT 1 AS one FROM accounts WHERE account_id = $1 FOR NO KEY UPDATE",
        account_id.0
    )
    .fetch_optional(&mut *db)
    .await?;
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM alert_recipients WHERE account_id = $1"#,
        account_id.0
    );
    Ok(count.fetch_one(db).await?)
}

/// Asks a recipient who has not agreed again: their link lives from now, and whether mail gets through to them is to be seen.
/// Their address; none when there is no such one.
pub(super) async fn renew(
    db: &mut PgConnection,
    account_id: AccountId,
    recipient_id: RecipientId,
    now: OffsetDateTime,
) -> Result<Option<String>, Broken> {
    let email = sqlx::query_scalar!(
        "UPDATE alert_recipients SET created_at = $3, mail_failure = NULL
         WHERE account_id = $1 AND recipient_id = $2 AND confirmed_at IS NULL RETURNING email",
        account_id.0,
        recipient_id.0,
        now
    );
    Ok(email.fetch_optional(db).await?.flatten())
}

/// Removes a recipient; false when there is no such one.
pub(super) async fn remove(
    db: &mut PgConnection,
    account_id: AccountId,
    recipient_id: RecipientId,
) -> Result<bool, Broken> {
    let removed = sqlx::query!(
        "DELETE FROM alert_recipients WHERE account_id = $1 AND recipient_id = $2 RETURNING token_sha256",
        account_id.0,
        recipient_id.0
    )
    .fetch_optional(&mut *db)
    .await?;
    let Some(removed) = removed else {
        return Ok(false);
    };
    if let Some(token_sha256) = removed.token_sha256 {
        tokens::remove(db, &token_sha256).await?;
    }
    Ok(true)
}

/// A recipient as the link in a mail finds it.
pub(super) struct Linked {
    pub account_id: AccountId,
    pub recipient_id: RecipientId,
    /// When they agreed.
    pub confirmed_at: Option<OffsetDateTime>,
    /// When they were last asked.
    pub created_at: OffsetDateTime,
    /// Their address.
    pub email: String,
}

/// Finds a recipient by the hash of their token, and locks them.
pub(super) async fn by_token(
    db: &mut PgConnection,
    token_sha256: &[u8],
) -> Result<Option<Linked>, Broken> {
    let Some(account_id) = tokens::account_of(db, Kind::Recipient, token_sha256).await? else {
        return Ok(None);
    };
    let row = sqlx::query!(
        r#"SELECT recipient_id, confirmed_at, created_at, email AS "email!" FROM alert_recipients
         WHERE account_id = $1 AND token_sha256 = $2 AND email IS NOT NULL FOR UPDATE"#,
        account_id.0,
        token_sha256
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Linked {
        account_id,
        recipient_id: row.recipient_id.into(),
        confirmed_at: row.confirmed_at,
        created_at: row.created_at,
        email: row.email,
    }))
}

pub(super) async fn confirm(
    db: &mut PgConnection,
    account_id: AccountId,
    recipient_id: RecipientId,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE alert_recipients SET confirmed_at = $3 WHERE account_id = $1 AND recipient_id = $2",
        account_id.0,
        recipient_id.0,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}
