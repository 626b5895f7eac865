//! What is left of the credit, grant by grant, and when it ends. The statement of every entry is `statement`'s.

pub mod burn_down;
pub mod standing;
pub mod what_if;

use domain::burn_down::Reach;
use domain::forecast::Zero;
use domain::id::AccountId;
use domain::money::Ticks;
use sqlx::PgConnection;

use crate::authority::view::View;
use crate::credit::burn_down::BurnDown;
use crate::credit::burn_down::expired;
use crate::credit::standing::Standing;
pub use crate::credit::standing::{Balance, GrantRow, GrantState};
use crate::credit::what_if::{Supposed, WhatIf};
use crate::failure::Broken;
use crate::ledger;
use crate::ledger::statement::days::Days;
use crate::ledger::statement::{self, EntryKind};
use crate::metering::live::FeedStatus;

pub use crate::ledger::GrantReason;

/// The credit of an account, up to the settled watermark.
pub struct Credit {
    /// What is left, and what stands between it and the books.
    pub balance: Balance,
    /// Sum of all grants.
    pub given: Ticks,
    /// What is left now.
    pub remaining: Ticks,
    /// Paid by credit so far.
    pub spent: Ticks,
    /// What ran beyond credit: measured, never charged.
    pub overrun: Ticks,
    /// Cost per hour of what runs now.
    pub per_hour: Ticks,
    /// When credit or the customer's own limit ends at this pace.
    pub zero: Option<Zero>,
    /// Grants in the order they were given.
    pub grants: Vec<GrantRow>,
    /// How far the figures can be trusted.
    pub feed: FeedStatus,
}

/// What the credit page is asked for.
#[derive(Default)]
pub struct Asked {
    /// How far back the burn-down goes.
    pub reach: Reach,
    /// Only entries of this kind.
    pub kind: Option<EntryKind>,
    /// Where the page of the statement starts.
    pub cursor: Option<String>,
    /// What is supposed to stop and start.
    pub supposed: Supposed,
}

/// Everything the credit page shows.
pub struct CreditPage {
    /// What is left.
    pub credit: Credit,
    /// How it went down.
    pub burn_down: BurnDown,
    /// Where it leads under another load.
    pub what_if: WhatIf,
    /// A page of the statement.
    pub statement: Days,
}

/// Reads the page from one snapshot, so that the statement and what runs add up to the balance above them.
///
/// # Errors
/// When the database fails or an hour has no price.
#[tracing::instrument(skip_all, name = "credit.page")]
pub async fn page(view: &mut View, asked: &Asked) -> Result<CreditPage, Broken> {
    let standing = Standing::of(view).await?;
    let (backend, actor, db) = view.parts();
    let cursor = asked.cursor.as_deref();
    Ok(CreditPage {
        credit: with(db, actor.account_id(), &standing).await?,
        burn_down: burn_down::with(db, actor, &standing, asked.reach).await?,
        what_if: what_if::with(&standing, &asked.supposed)?,
        statement: statement::by_days(backend, db, actor, asked.kind, cursor).await?,
    })
}

/// Reads the credit.
///
/// # Errors
/// When the database fails or an hour has no price.
#[tracing::instrument(skip_all, name = "credit.read")]
pub async fn read(view: &mut View) -> Result<Credit, Broken> {
    let standing = Standing::of(view).await?;
    let (_, actor, db) = view.parts();
    with(db, actor.account_id(), &standing).await
}

async fn with(
    db: &mut PgConnection,
    account_id: AccountId,
    standing: &Standing,
) -> Result<Credit, Broken> {
    let Standing { live, burned, .. } = standing;
    let unposted: Ticks = burned.overrun.iter().map(|(_, ticks)| *ticks).sum();
    let overrun = ledger::overrun(db, account_id).await?;
    let expired = expired(db, account_id).await?;
    let expired: Ticks = expired.into_iter().map(|(_, ticks)| ticks).sum();
    let rows = burned.rows();
    let balance = burned.balance();
    let given: Ticks = rows.iter().map(|row| row.given).sum();
    let unspent = [balance.left, balance.waiting, balance.ended, expired];
    Ok(Credit {
        given,
        remaining: balance.left,
        spent: given.saturating_sub(unspent.into_iter().sum()),
        balance,
        overrun: overrun.saturating_add(unposted),
        per_hour: live.per_hour(),
        zero: standing.zero()?,
        grants: rows,
        feed: live.feed,
    })
}
