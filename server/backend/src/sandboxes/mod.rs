//! Sandboxes as the account sees them: state, size and exact cost so far. They are started and ended at the
//! orchestrator; here they are read.

pub mod cost;
mod store;
pub mod timeout;
pub mod waste;

use domain::act::Act;
use domain::ceilings::{PAGE_ROWS, SANDBOX_TIMEOUT_MINUTES};
use domain::feed::StopReason;
use domain::id::KeyId;
use domain::money::Ticks;
use domain::page::Page;
use domain::price::BilledMs;
use domain::sandbox::{SandboxId, SandboxRefusal, SandboxState, Size};
use domain::search::Search;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::Backend;
use crate::authority::actor::Actor;
use crate::authority::view::View;
use crate::db::ticks;
use crate::failure::{Broken, Failure};
use crate::metering::live::{self, Live};
use crate::paging::{Cursors, page};
use crate::sandboxes::store::Filter;
use crate::sandboxes::timeout::SetTimeout;

/// A sandbox with its cost, exact up to the settled watermark.
pub struct SandboxRow {
    /// As the orchestrator names it, such as `run78cb…`.
    pub sandbox_id: SandboxId,
    /// As the fold of its settled events says.
    pub state: SandboxState,
    /// As the create asked for it, such as `node:22-slim`.
    pub image: String,
    /// Two lower-case letters, such as `us`.
    pub region: String,
    /// Allocated processors and memory: what is billed while it runs, used or not.
    pub size: Size,
    /// None when no key started it.
    pub key_id: Option<KeyId>,
    /// Also after it was revoked; none when we know no such key.
    pub key_name: Option<String>,
    /// The source of a fork; none for anything else.
    pub parent_id: Option<SandboxId>,
    /// When it started.
    pub created_at: OffsetDateTime,
    /// None until it is destroyed.
    pub destroyed_at: Option<OffsetDateTime>,
    /// When it last stopped; none while it runs.
    pub stopped_at: Option<OffsetDateTime>,
    /// Why it did; none while it runs, and where the orchestrator did not say.
    pub stop_reason: Option<StopReason>,
    /// Running time in milliseconds, posted and since.
    pub billed: BilledMs,
    /// Exact cost of that time.
    pub cost: Ticks,
    /// What its size costs per hour while it runs.
    pub per_hour: Ticks,
}

/// One page of sandboxes, newest first; of those that a search finds, when something is searched for.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "sandboxes.list")]
pub async fn list(
    view: &mut View,
    state: Option<SandboxState>,
    search: Option<&Search>,
    cursor: Option<&str>,
) -> Result<Page<SandboxRow>, Broken> {
    let live = live::of(view).await?;
    let (backend, actor, db) = view.parts();
    let cursors = Cursors::of(backend.settings(), actor.account_id(), "sandboxes");
    let filter = Filter {
        state,
        after: cursor.and_then(|cursor| cursors.read_at(cursor)),
        ..Filter::default()
    };
    let account_id = actor.account_id();
    let rows = match search {
        Some(search) => store::search(db, account_id, search, filter).await?,
        None => store::list(db, account_id, filter).await?,
    };
    page(
        rows,
        PAGE_ROWS,
        |row| cursors.write_at(row.created_at, &row.sandbox_id),
        |row| rated(row, &live),
    )
}

/// One sandbox; none when the account has no such sandbox.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "sandboxes.get")]
pub async fn get(view: &mut View, id: &SandboxId) -> Result<Option<SandboxRow>, Broken> {
    let live = live::of(view).await?;
    let (_, actor, db) = view.parts();
    one(db, actor, &live, id).await
}

/// The same, in the caller's snapshot.
pub(crate) async fn one(
    db: &mut PgConnection,
    actor: &Actor,
    live: &Live,
    id: &SandboxId,
) -> Result<Option<SandboxRow>, Broken> {
    let filter = Filter {
        only: Some(id.as_str()),
        ..Filter::default()
    };
    let row = store::list(db, actor.account_id(), filter).await?.pop();
    row.map(|row| rated(row, live)).transpose()
}

/// Restarts the timer that destroys a running sandbox: it then has `minutes` from the moment the orchestrator hears of it.
///
/// # Errors
/// [`SandboxRefusal`], or broken.
#[tracing::instrument(skip_all, name = "sandboxes.set_timeout")]
pub async fn set_timeout(
    backend: &Backend,
    actor: &Actor,
    id: &SandboxId,
    minutes: i64,
) -> Result<(), Failure<SandboxRefusal>> {
    let mut change = actor.begin(backend, Act::SandboxSetTimeout).await?;
    if !SANDBOX_TIMEOUT_MINUTES.contains(&minutes) {
        return Err(Failure::Refused(SandboxRefusal::TimeoutUnknown));
    }
    let account_id = change.account_id();
    let state = store::state(&mut change, account_id, id).await?;
    match state.as_deref().map(SandboxState::parse) {
        Some(Some(SandboxState::Running)) => {}
        Some(_) => return Err(Failure::Refused(SandboxRefusal::NotRunning)),
        None => return Err(Failure::Refused(SandboxRefusal::NotFound)),
    }
    let job = SetTimeout {
        sandbox_id: id.clone(),
        minutes,
    };
    change.enqueue(&job).await?;
    Ok(change.commit(id.as_str()).await?)
}

/// The newest running sandboxes.
pub(crate) async fn running(
    db: &mut PgConnection,
    actor: &Actor,
    live: &Live,
    limit: i64,
) -> Result<Vec<SandboxRow>, Broken> {
    let filter = Filter {
        state: Some(SandboxState::Running),
        limit: Some(limit),
        ..Filter::default()
    };
    let rows = store::list(db, actor.account_id(), filter).await?;
    rows.into_iter().map(|row| rated(row, live)).collect()
}

/// The very first sandbox, for the first-run panel.
pub(crate) async fn first(
    db: &mut PgConnection,
    actor: &Actor,
    live: &Live,
) -> Result<Option<SandboxRow>, Broken> {
    let Some(id) = store::first_id(db, actor.account_id()).await? else {
        return Ok(None);
    };
    let id = SandboxId::parse(&id).ok_or_else(|| Broken::new("stored sandbox cannot be read"))?;
    one(db, actor, live, &id).await
}

/// Posted plus unposted.
fn rated(row: store::SandboxRow, live: &Live) -> Result<SandboxRow, Broken> {
    let broken = || Broken::new("stored sandbox cannot be read");
    let size = Size::new(row.vcpus, row.mem_mib).ok_or_else(broken)?;
    let (unposted_ms, unposted) = live
        .of(&row.sandbox_id)
        .map_or_else(Default::default, |running| {
            running.since(domain::moment::Moment::MIN)
        });
    Ok(SandboxRow {
        sandbox_id: SandboxId::parse(&row.sandbox_id).ok_or_else(broken)?,
        state: SandboxState::parse(&row.state).ok_or_else(broken)?,
        image: row.image,
        region: row.region,
        size,
        key_id: row.key_id.map(Into::into),
        key_name: row.key_name,
        parent_id: row.parent_id.as_deref().and_then(SandboxId::parse),
        created_at: row.created_at,
        destroyed_at: row.destroyed_at,
        stopped_at: row.stopped_at,
        stop_reason: row.stop_reason.as_deref().and_then(StopReason::parse),
        billed: BilledMs(row.billed_ms + unposted_ms.0),
        cost: ticks(row.ticks)?.saturating_add(unposted),
        per_hour: live.price_per_hour(size),
    })
}
