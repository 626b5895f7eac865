//! The ledger: accounts, grants and transfers. Appends and reads only; the database refuses everything else.
//! Which transfers to make is decided in `domain::credit`, and when in `sign_up`, for the first grant, and `metering`.

#[cfg(feature = "testing")]
pub mod by_hand;
pub mod chain;
pub(crate) mod postings;
pub mod statement;

use domain::credit::Grant;
use domain::id::{AccountId, GrantId, LedgerAccountId, TransferId};
use domain::moment::Moment;
use domain::money::Ticks;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::{moment, numeric, ticks};
use crate::failure::Broken;
use crate::random;

/// Ledger accounts that exist once per account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// What free credit costs the company.
    PromoCost,
    /// What making up for incidents and kindness cost the company.
    Goodwill,
    /// What was earned.
    Revenue,
    /// What ran beyond credit without a payment method: measured, never charged.
    Overrun,
    /// Credit that ended unused.
    Breakage,
}

impl System {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::PromoCost => "promo_cost",
            Self::Goodwill => "goodwill",
            Self::Revenue => "revenue",
            Self::Overrun => "overrun",
            Self::Breakage => "breakage",
        }
    }
}

/// Why a transfer was made. The words are in the database: add, never rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferKind {
    /// Credit given.
    Grant,
    /// Usage that credit covers.
    Usage,
    /// Usage taken back.
    Correction,
    /// Usage beyond credit.
    Overrun,
    /// What was left of a grant at its end.
    Expiry,
}

impl TransferKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Usage => "usage",
            Self::Correction => "correction",
            Self::Overrun => "overrun",
            Self::Expiry => "expiry",
        }
    }
}

/// The id of a system account, making it at its first use. Untracked: its balance is a sum on read.
pub(crate) async fn system_account(
    db: &mut PgConnection,
    account_id: AccountId,
    system: System,
    now: OffsetDateTime,
) -> Result<LedgerAccountId, Broken> {
    sqlx::query!(
        "INSERT INTO ledger_accounts (account_id, ledger_account_id, kind, is_tracked) VALUES ($1, $2, $3, false)
         ON CONFLICT (account_id, kind) WHERE kind <> 'grant' DO NOTHING",
        account_id.0, random::id(now), system.as_str()
    )
    .execute(&mut *db)
    .await?;
    let id = sqlx::query_scalar!(
        "SELECT ledger_account_id FROM ledger_accounts WHERE account_id = $1 AND kind = $2",
        account_id.0,
        system.as_str()
    );
    Ok(id.fetch_one(db).await?.into())
}

/// Why a grant was given. The words are in the database: add, never rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantReason {
    /// Terms 4: new accounts receive $50.
    SignUp,
    /// Given by staff.
    Goodwill,
    /// What an incident had cost.
    Incident,
}

impl GrantReason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::Goodwill => "goodwill",
            Self::Incident => "incident",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::SignUp, Self::Goodwill, Self::Incident]
            .into_iter()
            .find(|reason| reason.as_str() == word)
    }
}

/// A grant to open.
pub struct NewGrant<'a> {
    /// Its id, and that of its ledger account.
    pub grant_id: GrantId,
    /// Stored, and said on the credit page.
    pub reason: GrantReason,
    /// How much; the transfer that fills it is the caller's.
    pub amount: Ticks,
    /// Lower burns first.
    pub priority: i32,
    /// First whole hour it pays for.
    pub starts_at: Moment,
    /// First whole hour it no longer pays for.
    pub ends_at: Option<Moment>,
    /// What people read beside it, such as the name of an incident; 200 characters at most.
    pub note: &'a str,
}

/// Opens a grant with its ledger account. It holds nothing until a transfer fills it.
pub(crate) async fn insert_grant(
    db: &mut PgConnection,
    account_id: AccountId,
    grant: &NewGrant<'_>,
    now: OffsetDateTime,
) -> Result<(), Broken> {
    insert_grants(db, &[(account_id, grant)], now).await
}

/// Opens grants of many accounts, each with its ledger account. They hold nothing until transfers fill them.
pub(crate) async fn insert_grants(
    db: &mut PgConnection,
    grants: &[(AccountId, &NewGrant<'_>)],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    macro_rules! column {
        ($type:ty, $row:ident => $value:expr) => {
            grants
                .iter()
                .map(|(_, $row)| $value)
                .collect::<Vec<$type>>()
        };
    }
    let accounts: Vec<Uuid> = grants.iter().map(|(id, _)| id.0).collect();
    let ids = column!(Uuid, row => row.grant_id.0);
    let amounts = grants.iter().map(|(_, row)| numeric(row.amount));
    sqlx::query!(
        "INSERT INTO ledger_accounts (account_id, ledger_account_id, kind, is_tracked)
         SELECT account_id, id, 'grant', true FROM unnest($1::uuid[], $2::uuid[]) AS u (account_id, id)",
        &accounts,
        &ids
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "INSERT INTO grants (account_id, grant_id, reason, amount_ticks, priority, starts_at, ends_at, note, granted_at)
         SELECT *, $9::timestamptz FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::numeric[], $5::integer[],
              $6::timestamptz[], $7::timestamptz[], $8::text[])",
        &accounts,
        &ids,
        &column!(String, row => row.reason.as_str().to_owned()),
        &amounts.collect::<Result<Vec<_>, _>>()?,
        &column!(i32, row => row.priority),
        &column!(OffsetDateTime, row => row.starts_at.into()),
        &column!(Option<OffsetDateTime>, row => row.ends_at.map(Into::into)) as &[Option<OffsetDateTime>],
        &column!(String, row => row.note.to_owned()),
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Raises what a grant states as its amount, in the transaction of the transfer that fills it further.
pub(crate) async fn raise_grant(
    db: &mut PgConnection,
    account_id: AccountId,
    grant_id: GrantId,
    by: Ticks,
) -> Result<(), Broken> {
    sqlx::query!(
        "UPDATE grants SET amount_ticks = amount_ticks + $3 WHERE account_id = $1 AND grant_id = $2",
        account_id.0,
        grant_id.0,
        numeric(by)?
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A transfer to append.
pub struct NewTransfer {
    /// The side that gives.
    pub debit: LedgerAccountId,
    /// The side that receives.
    pub credit: LedgerAccountId,
    /// Above zero.
    pub ticks: Ticks,
    /// What kind of line it becomes on the statement.
    pub kind: TransferKind,
    /// What it is for; the same key twice is refused.
    pub key: String,
    /// The hour of service it pays for.
    pub service_hour: Option<Moment>,
}

/// Appends transfers. A key that exists already is an error, not a silence: who posts twice has lost count.
pub(crate) async fn append(
    db: &mut PgConnection,
    account_id: AccountId,
    transfers: &[NewTransfer],
    now: OffsetDateTime,
) -> Result<(), Broken> {
    // In the order given: giving back goes by the order in which an hour was charged, and all have the same time.
    let ids = random::ids(now, transfers.len());
    for (transfer, id) in transfers.iter().zip(ids) {
        let transfer_id = TransferId(id);
        sqlx::query!(
            "INSERT INTO transfers (account_id, transfer_id, debit_id, credit_id, ticks, kind, key, service_hour, booked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            account_id.0, transfer_id.0, transfer.debit.0, transfer.credit.0, numeric(transfer.ticks)?,
            transfer.kind.as_str(), transfer.key, transfer.service_hour.map(OffsetDateTime::from), now
        )
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// A grant as stored.
pub struct GrantRow {
    /// The grant with its booked remainder.
    pub grant: Grant,
    /// Why it was given.
    pub reason: GrantReason,
    /// What was given.
    pub amount: Ticks,
    /// What people read beside it; may be empty.
    pub note: String,
}

/// Grants of an account in the order they were given; at most 500.
pub(crate) async fn grants(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<Vec<GrantRow>, Broken> {
    let rows = sqlx::query!(
        r#"SELECT g.grant_id, g.reason, g.amount_ticks, g.note, g.priority, g.starts_at, g.ends_at, g.granted_at,
                  la.credit_ticks - la.debit_ticks AS "remaining!"
           FROM grants AS g
           JOIN ledger_accounts AS la ON la.account_id = $1 AND la.ledger_account_id = g.grant_id
           WHERE g.account_id = $1 ORDER BY g.granted_at, g.grant_id LIMIT 500"#,
        account_id.0
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(GrantRow {
                grant: Grant {
                    grant_id: row.grant_id.into(),
                    priority: row.priority,
                    starts_at: moment(row.starts_at),
                    ends_at: row.ends_at.map(moment),
                    granted_at: moment(row.granted_at),
                    remaining: ticks(row.remaining)?,
                },
                reason: GrantReason::parse(&row.reason)
                    .ok_or_else(|| Broken::new("grant with an unknown reason"))?,
                amount: ticks(row.amount_ticks)?,
                note: row.note,
            })
        })
        .collect()
}

/// What an account has overrun, net.
pub(crate) async fn overrun(db: &mut PgConnection, account_id: AccountId) -> Result<Ticks, Broken> {
    let sum = sqlx::query_scalar!(
        r#"SELECT coalesce(sum(CASE WHEN t.debit_id = la.ledger_account_id THEN t.ticks ELSE -t.ticks END), 0) AS "ticks!"
           FROM ledger_accounts AS la
           JOIN transfers AS t ON t.account_id = $1 AND la.ledger_account_id IN (t.debit_id, t.credit_id)
           WHERE la.account_id = $1 AND la.kind = 'overrun' AND t.kind <> 'usage' AND t.kind IN ('overrun', 'correction')"#,
        account_id.0
    );
    ticks(sum.fetch_one(db).await?)
}
