//! What is left of the credit, grant by grant, and when it ends. The statement of every entry is `statement`'s.

pub mod burn_down;
pub mod what_if;

use domain::burn_down::Reach;
use domain::credit::{self, Grant, Payer};
use domain::id::{AccountId, GrantId};
use domain::limits::PAGE_ROWS;
use domain::moment::Moment;
use domain::money::{Cents, Ticks};
use domain::outlook::{self, Limit, Present, Zero};
use domain::page::Page;
use domain::sandbox::Size;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::Backend;
use crate::authority::actor::Actor;
use crate::authority::view::snapshot;
use crate::credit::burn_down::BurnDown;
use crate::credit::burn_down::expired;
use crate::credit::what_if::{Supposed, WhatIf};
use crate::failure::Broken;
use crate::ledger;
use crate::ledger::statement::{self, EntryKind, EntryRow};
use crate::metering::live::{self, FeedStatus, Live};
use crate::limit as limits;
use crate::usage::days as usage_days;

pub use crate::ledger::GrantReason;

/// A grant as the page shows it.
pub struct GrantRow {
    /// Its id.
    pub grant_id: GrantId,
    /// Why.
    pub reason: GrantReason,
    /// What people read beside it; may be empty.
    pub note: String,
    /// What was given.
    pub given: Ticks,
    /// What is left once running sandboxes are taken off; nothing once it has ended.
    pub remaining: Ticks,
    /// Whether it pays now.
    pub state: GrantState,
    /// When it was given.
    pub granted_at: OffsetDateTime,
    /// From when on it pays.
    pub starts_at: OffsetDateTime,
    /// When it ends.
    pub ends_at: Option<OffsetDateTime>,
}

/// Whether a grant pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantState {
    /// It starts later.
    Waiting,
    /// It pays.
    Open,
    /// It paid all it had.
    Spent,
    /// Its end has come.
    Ended,
}

/// What is left, and what stands between it and the books.
pub struct Balance {
    /// Usable now: the figure that every page calls credit left.
    pub left: Ticks,
    /// Booked credit, which the statement ends with.
    pub booked: Ticks,
    /// What runs now and is not booked yet, as far as credit covers it.
    pub unbooked: Ticks,
    /// Left of grants that start later.
    pub waiting: Ticks,
    /// Left of grants whose end has come and is not booked yet.
    pub ended: Ticks,
}

/// Grants after everything up to the settled watermark is taken off.
pub(crate) struct Burned {
    stored: Vec<ledger::GrantRow>,
    /// The same grants, in the same order, with what is left of each.
    pub(crate) grants: Vec<Grant>,
    /// What ran beyond credit and is not booked yet, by hour.
    pub(crate) overrun: Vec<(Moment, Ticks)>,
    as_of: Moment,
    now: Moment,
}

impl Burned {
    pub(crate) async fn read(
        backend: &Backend,
        db: &mut PgConnection,
        account_id: AccountId,
        live: &Live,
    ) -> Result<Self, Broken> {
        let stored = ledger::grants(db, account_id).await?;
        let mut grants: Vec<Grant> = stored.iter().map(|row| row.grant.clone()).collect();
        let overrun = burn_live(&mut grants, live);
        let as_of = Moment::from(live.feed.as_of);
        let now = as_of.max(Moment::from(backend.clock().now()));
        // The feed lags seconds behind: at the turn of an hour, what is given now must not wait for it.
        for grant in grants.iter_mut().filter(|grant| grant.starts_at <= now) {
            grant.starts_at = grant.starts_at.min(as_of.hour());
        }
        Ok(Self {
            stored,
            grants,
            overrun,
            as_of,
            now,
        })
    }

    fn state(&self, grant: &Grant) -> GrantState {
        if grant.ends_at.is_some_and(|end| end <= self.as_of) {
            GrantState::Ended
        } else if grant.starts_at > self.now {
            GrantState::Waiting
        } else if grant.remaining.is_positive() {
            GrantState::Open
        } else {
            GrantState::Spent
        }
    }

    /// Whether a grant is no longer waiting.
    pub(crate) fn counts(&self, grant: &Grant) -> bool {
        self.state(grant) != GrantState::Waiting
    }

    fn sum(&self, of: GrantState) -> Ticks {
        self.grants
            .iter()
            .filter(|grant| self.state(grant) == of)
            .map(|grant| grant.remaining)
            .sum()
    }

    pub(crate) fn balance(&self) -> Balance {
        let booked: Ticks = self.stored.iter().map(|row| row.grant.remaining).sum();
        let burned: Ticks = self.grants.iter().map(|grant| grant.remaining).sum();
        Balance {
            left: self.sum(GrantState::Open),
            booked,
            unbooked: booked.saturating_sub(burned),
            waiting: self.sum(GrantState::Waiting),
            ended: self.sum(GrantState::Ended),
        }
    }

    /// When credit or limit ends at the pace of now: the very computation that the orchestrator is told the result of.
    pub(crate) fn zero(&self, live: &Live, limit: Option<Limit>) -> Result<Option<Zero>, Broken> {
        self.zero_with(live, limit, &sizes(live))
    }

    /// The same, should something else run.
    pub(crate) fn zero_with(
        &self,
        live: &Live,
        limit: Option<Limit>,
        running: &[(Size, u32)],
    ) -> Result<Option<Zero>, Broken> {
        let present = Present {
            as_of: self.as_of,
            grants: &self.grants,
            running,
            book: &live.book,
            limit,
        };
        Ok(outlook::zero(&present)?)
    }

    fn rows(&self) -> Vec<GrantRow> {
        let row = |(row, after): (&ledger::GrantRow, &Grant)| {
            let state = self.state(after);
            GrantRow {
                grant_id: row.grant.grant_id,
                reason: row.reason,
                note: row.note.clone(),
                given: row.amount,
                remaining: if state == GrantState::Ended {
                    Ticks::ZERO
                } else {
                    after.remaining
                },
                state,
                granted_at: row.grant.granted_at.into(),
                starts_at: row.grant.starts_at.into(),
                ends_at: row.grant.ends_at.map(Into::into),
            }
        };
        self.stored.iter().zip(&self.grants).map(row).collect()
    }

    /// Each grant with the moment from which it counted and what was given.
    pub(crate) fn given(&self) -> impl Iterator<Item = (&Grant, Moment, Ticks)> {
        self.stored.iter().zip(&self.grants).map(|(row, after)| {
            let from = row.grant.starts_at.max(row.grant.granted_at);
            (after, from, row.amount)
        })
    }
}

/// Sizes of what runs, with how many run of each.
pub(crate) fn sizes(live: &Live) -> Vec<(Size, u32)> {
    let mut sizes: Vec<(Size, u32)> = Vec::new();
    for running in &live.running {
        match sizes.iter_mut().find(|(size, _)| *size == running.size) {
            Some((_, count)) => *count += 1,
            None => sizes.push((running.size, 1)),
        }
    }
    sizes
}

/// The customer's own limit with what the month has spent, running sandboxes included.
pub(crate) async fn limit(
    db: &mut PgConnection,
    account_id: AccountId,
    live: &Live,
    monthly: Option<Cents>,
) -> Result<Option<Limit>, Broken> {
    let Some(monthly) = monthly else {
        return Ok(None);
    };
    let start = outlook::month_start(Moment::from(live.feed.as_of));
    let posted = usage_days::since(db, account_id, start).await?;
    Ok(Some(Limit {
        monthly: Ticks::from_cents(monthly),
        spent: posted.saturating_add(unposted_since(live, start)),
    }))
}

/// Cost since a whole hour that is not posted yet.
pub(crate) fn unposted_since(live: &Live, start: Moment) -> Ticks {
    live.running
        .iter()
        .map(|running| running.since(start).1)
        .sum()
}

/// Where an account stands, read once per page: what runs, what is left of each grant, and the limit.
pub(crate) struct Standing {
    pub(crate) live: Live,
    pub(crate) burned: Burned,
    pub(crate) limit: Option<Limit>,
}

impl Standing {
    pub(crate) async fn read(
        backend: &Backend,
        db: &mut PgConnection,
        account_id: AccountId,
    ) -> Result<Self, Broken> {
        let live = live::read(backend, db, account_id).await?;
        let burned = Burned::read(backend, db, account_id, &live).await?;
        let monthly = limits::get(db, account_id).await?;
        Ok(Self {
            limit: limit(db, account_id, &live, monthly).await?,
            live,
            burned,
        })
    }

    /// When credit or limit ends at the pace of now.
    pub(crate) fn zero(&self) -> Result<Option<Zero>, Broken> {
        self.burned.zero(&self.live, self.limit)
    }
}

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
    pub statement: Page<EntryRow>,
}

/// Reads the page from one snapshot, so that the statement and what runs add up to the balance above them.
///
/// # Errors
/// When the database fails or an hour has no price.
pub async fn page(backend: &Backend, actor: &Actor, asked: &Asked) -> Result<CreditPage, Broken> {
    let mut tx = snapshot(backend).await?;
    let standing = Standing::read(backend, &mut tx, actor.account_id()).await?;
    let rows = usize::try_from(PAGE_ROWS)?;
    let cursor = asked.cursor.as_deref();
    Ok(CreditPage {
        credit: with(&mut tx, actor.account_id(), &standing).await?,
        burn_down: burn_down::with(&mut tx, actor, &standing, asked.reach).await?,
        what_if: what_if::with(&standing, &asked.supposed)?,
        statement: statement::with(backend, &mut tx, actor, (asked.kind, cursor, rows)).await?,
    })
}

/// Reads the credit.
///
/// # Errors
/// When the database fails or an hour has no price.
pub async fn read(backend: &Backend, actor: &Actor) -> Result<Credit, Broken> {
    let mut tx = snapshot(backend).await?;
    let standing = Standing::read(backend, &mut tx, actor.account_id()).await?;
    with(&mut tx, actor.account_id(), &standing).await
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

/// Takes what runs now off the grants, hour by hour, exactly as posting will; gives what no grant covers, by hour.
fn burn_live(grants: &mut [Grant], live: &Live) -> Vec<(Moment, Ticks)> {
    let mut hours: Vec<(Moment, Ticks)> = Vec::new();
    let mut all: Vec<_> = live
        .running
        .iter()
        .flat_map(|running| &running.slices)
        .collect();
    all.sort_by_key(|slice| slice.hour);
    for slice in all {
        match hours.last_mut().filter(|(hour, _)| *hour == slice.hour) {
            Some((_, ticks)) => *ticks = ticks.saturating_add(slice.ticks),
            None => hours.push((slice.hour, slice.ticks)),
        }
    }
    let mut overrun = Vec::new();
    for (hour, ticks) in hours {
        for (payer, part) in credit::burn(grants, hour, ticks) {
            match payer {
                Payer::Overrun => overrun.push((hour, part)),
                Payer::Grant(id) => {
                    for grant in grants.iter_mut().filter(|grant| grant.grant_id == id) {
                        grant.remaining = grant.remaining.saturating_sub(part);
                    }
                }
            }
        }
    }
    overrun
}
