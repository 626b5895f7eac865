//! Which account a secret link is of. The directory's part of what `recipients` and `calendar` store in the account's cell:
//! who follows a link brings its token and nothing else. Only hashes are stored.

use domain::id::AccountId;
use sqlx::PgConnection;

use crate::failure::Broken;

/// What a link opens. The words are in the database: add, never rename.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Agreeing to be told of alerts, and leaving.
    Recipient,
    Calendar,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Recipient => "recipient",
            Self::Calendar => "calendar",
        }
    }
}

/// Notes which account a link is of, in the transaction that makes the link.
pub(super) async fn insert(
    db: &mut PgConnection,
    kind: Kind,
    token_sha256: &[u8],
    account_id: AccountId,
) -> Result<(), Broken> {
    sqlx::query!(
        "INSERT INTO token_accounts (sha256, kind, account_id) VALUES ($1, $2, $3)",
        token_sha256,
        kind.as_str(),
        account_id.0
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The account that a link is of; none for a token that no link of this kind has.
pub(super) async fn account_of(
    db: &mut PgConnection,
    kind: Kind,
    token_sha256: &[u8],
) -> Result<Option<AccountId>, Broken> {
    let id = sqlx::query_scalar!(
        "SELECT account_id FROM token_accounts WHERE sha256 = $1 AND kind = $2",
        token_sha256,
        kind.as_str()
    );
    Ok(id.fetch_optional(db).await?.map(Into::into))
}

/// Forgets a link that is gone; its token opens nothing from now on.
pub(super) async fn remove(db: &mut PgConnection, token_sha256: &[u8]) -> Result<(), Broken> {
    sqlx::query!("DELETE FROM token_accounts WHERE sha256 = $1", token_sha256)
        .execute(db)
        .await?;
    Ok(())
}
