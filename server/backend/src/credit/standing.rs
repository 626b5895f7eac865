//! Where an account stands: what is left, what runs, what this month has cost and when it all ends. The only place where this
//! is computed: pages, warnings and what the orchestrator is told read it from here.

use crate::authority::view::View;
use crate::failure::Broken;
use crate::ledger::{self, GrantReason};
use crate::limit;
use crate::metering::live::{self, Live, Running};
use crate::usage;
use domain::credit::{self, Grant, Payer};
use domain::forecast::{self, Limit, Present, Run, Zero};
use domain::id::{AccountId, GrantId};
use domain::moment::Moment;
use domain::money::{Cents, Ticks};
use sqlx::PgConnection;
use std::sync::Arc;
use time::OffsetDateTime;

/// A grant as the page shows it.
pub struct GrantRow {
    /// Also the id of its ledger account.
    pub grant_id: GrantId,
    /// Sign-up, goodwill, or an incident.
    pub reason: GrantReason,
    /// What people read beside it; may be empty.
    pub note: String,
    /// What was given in all; that of an incident may grow.
    pub given: Ticks,
    /// What is left once running sandboxes are taken off; nothing once it has ended.
    pub remaining: Ticks,
    /// Whether it pays now.
    pub state: GrantState,
    /// When it was given.
    pub granted_at: OffsetDateTime,
    /// From when on it pays.
    pub starts_at: OffsetDateTime,
    /// None when it never ends.
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
}

impl Burned {
    /// What is left of each grant in the account of a view, read once for all parts of an answer.
    pub(crate) async fn of(view: &mut View) -> Result<Arc<Self>, Broken> {
        if let Some(burned) = view.kept() {
            return Ok(burned);
        }
        let live = live::of(view).await?;
        let (_, actor, db) = view.parts();
        let burned = Self::read(db, actor.account_id(), &live).await?;
        Ok(view.keep(burned))
    }

    async fn read(
        db: &mut PgConnection,
        account_id: AccountId,
        live: &Live,
    ) -> Result<Self, Broken> {
        let stored = ledger::grants(db, account_id).await?;
        let mut grants: Vec<Grant> = stored.iter().map(|row| row.grant.clone()).collect();
        let overrun = burn_live(&mut grants, live);
        let as_of = Moment::from(live.feed.as_of);
        // The feed lags seconds behind: at the turn of an hour, what is given to pay at once must not wait for it. What is given
        // for later waits for the feed and not for our clock, as the moment that the orchestrator was told does.
        let is_at_once = |grant: &&mut Grant| grant.starts_at <= grant.granted_at;
        for grant in grants.iter_mut().filter(is_at_once) {
            grant.starts_at = grant.starts_at.min(as_of.hour());
        }
        Ok(Self {
            stored,
            grants,
            overrun,
            as_of,
        })
    }

    fn state(&self, grant: &Grant) -> GrantState {
        if grant.ends_at.is_some_and(|end| end <= self.as_of) {
            GrantState::Ended
        } else if grant.starts_at > self.as_of {
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

    pub(crate) fn stored(&self) -> &[ledger::GrantRow] {
        &self.stored
    }

    pub(crate) fn rows(&self) -> Vec<GrantRow> {
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

/// What runs, as a forecast takes it.
pub(crate) fn runs(live: &Live) -> Vec<Run> {
    live.running.iter().map(run).collect()
}

pub(crate) fn run(running: &Running) -> Run {
    Run {
        size: running.size,
        count: 1,
        from: running.started_at,
        until: running.destroy_at,
    }
}

/// Where an account stands, read once per answer.
pub(crate) struct Standing {
    pub(crate) live: Arc<Live>,
    /// What is left of each grant.
    pub(crate) burned: Arc<Burned>,
    /// The customer's own limit.
    pub(crate) monthly: Option<Cents>,
    /// Spent in the UTC month of the settled watermark, up to it, running sandboxes included.
    pub(crate) spent: Ticks,
}

impl Standing {
    /// Where the account of a view stands, read once for all parts of an answer.
    pub(crate) async fn of(view: &mut View) -> Result<Arc<Self>, Broken> {
        if let Some(standing) = view.kept() {
            return Ok(standing);
        }
        let (live, burned) = (live::of(view).await?, Burned::of(view).await?);
        let (_, actor, db) = view.parts();
        let standing = Self::with(db, actor.account_id(), live, burned).await?;
        Ok(view.keep(standing))
    }

    /// The same without a view, for what is computed in the background.
    pub(crate) async fn read(
        db: &mut PgConnection,
        account_id: AccountId,
        live: Live,
    ) -> Result<Self, Broken> {
        let burned = Burned::read(db, account_id, &live).await?;
        Self::with(db, account_id, Arc::new(live), Arc::new(burned)).await
    }

    async fn with(
        db: &mut PgConnection,
        account_id: AccountId,
        live: Arc<Live>,
        burned: Arc<Burned>,
    ) -> Result<Self, Broken> {
        let settled = Moment::from(live.feed.as_of);
        let start = forecast::month_start(settled);
        let posted = month_spent(db, account_id, start).await?;
        let spent = posted.saturating_add(unposted_since(&live, start));
        let monthly = limit::get(db, account_id).await?;
        Ok(Self {
            live,
            burned,
            monthly,
            spent,
        })
    }

    /// The customer's own limit, with what the month has spent.
    pub(crate) fn limit(&self) -> Option<Limit> {
        self.monthly.map(|monthly| Limit {
            monthly: Ticks::from_cents(monthly),
            spent: self.spent,
        })
    }

    /// The present, with something running in it.
    pub(crate) fn present<'a>(&'a self, running: &'a [Run]) -> Present<'a> {
        Present {
            as_of: self.live.feed.as_of.into(),
            grants: &self.burned.grants,
            running,
            book: &self.live.book,
            limit: self.limit(),
        }
    }

    /// When credit or limit ends at the pace of now: on pages and in what the orchestrator is told.
    pub(crate) fn zero(&self) -> Result<Option<Zero>, Broken> {
        self.zero_with(&runs(&self.live))
    }

    /// The same, should something else run.
    pub(crate) fn zero_with(&self, running: &[Run]) -> Result<Option<Zero>, Broken> {
        Ok(forecast::zero(&self.present(running))?)
    }
}

/// Posted cost of the UTC month that starts at `start`.
async fn month_spent(
    db: &mut PgConnection,
    account_id: AccountId,
    start: Moment,
) -> Result<Ticks, Broken> {
    usage::days::between(db, account_id, start, forecast::next_month(start)).await
}

/// Cost since a whole hour that is not posted yet.
fn unposted_since(live: &Live, start: Moment) -> Ticks {
    live.running
        .iter()
        .map(|running| running.since(start).1)
        .sum()
}

/// Takes what runs now off the grants, hour by hour, exactly as posting will; gives what no grant covers, by hour.
pub(crate) fn burn_live(grants: &mut [Grant], live: &Live) -> Vec<(Moment, Ticks)> {
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
