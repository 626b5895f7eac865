//! Waste: what idle sandboxes have cost, by key and by image, and which they are. Idle is decided by `store`, from
//! processor time against running time; what nobody knows is not counted.

mod store;

pub(crate) use crate::sandboxes::waste::store::count_running;

use std::collections::BTreeMap;

use domain::ceilings::{PAGE_ROWS, WASTE_DAYS, WASTE_ROWS_MAX};
use domain::id::KeyId;
use domain::moment::{DAY_MS, Moment};
use domain::money::Ticks;
use domain::page::Page;
use domain::price::BilledMs;
use domain::sandbox::{SandboxId, SandboxState, Size};
use time::OffsetDateTime;

use crate::authority::view::View;
use crate::db::ticks;
use crate::failure::Broken;
use crate::metering::live::{self, FeedStatus, Live};
use crate::paging::Cursors;

/// An idle sandbox.
pub struct IdleRow {
    /// As the orchestrator names it, such as `run78cb…`.
    pub sandbox_id: SandboxId,
    /// As the fold of its settled events says.
    pub state: SandboxState,
    /// As the create asked for it, such as `node:22-slim`.
    pub image: String,
    /// Allocated processors and memory: what is billed while it runs, used or not.
    pub size: Size,
    /// None when no key started it.
    pub key_id: Option<KeyId>,
    /// Also after it was revoked; none when we know no such key.
    pub key_name: Option<String>,
    /// When it started.
    pub created_at: OffsetDateTime,
    /// Share of its processor time that it used, in hundredths of a percent.
    pub used_hundredths: i64,
    /// Milliseconds billed in the last 30 days.
    pub billed: BilledMs,
    /// Exact cost of that time.
    pub cost: Ticks,
}

/// What sandboxes have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The key that started them, by id and name: two keys may have one name.
    Key(KeyId, String),
    /// They were started without a key that is known.
    NoKey,
    /// The image, such as `node:22-slim`.
    Image(String),
    /// So many kinds beyond those that are shown one by one.
    Others(usize),
}

/// What idle sandboxes of one kind have cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they have in common.
    pub kind: Kind,
    /// How many sandboxes.
    pub sandboxes: usize,
    /// Running time in milliseconds, of all of them together.
    pub billed: BilledMs,
    /// Exact cost of that time.
    pub cost: Ticks,
}

/// The waste of the last 30 days.
pub struct Waste {
    /// From when on.
    pub since: OffsetDateTime,
    /// Sum of the cost.
    pub cost: Ticks,
    /// Running time in milliseconds, of all of them together.
    pub billed: BilledMs,
    /// Idle sandboxes.
    pub sandboxes: usize,
    /// By key, the dearest first.
    pub by_key: Vec<Group>,
    /// By image, the dearest first.
    pub by_image: Vec<Group>,
    /// The sandboxes, the dearest first.
    pub rows: Page<IdleRow>,
    /// True when more sandboxes came into question than are looked at.
    pub is_cut: bool,
    /// How far the figures can be trusted.
    pub feed: FeedStatus,
}

/// Groups shown one by one at most; the cheaper ones are one line, so that the table adds up to the sum above it.
const GROUPS_MAX: usize = 20;

/// Reads it. The cursor names the last sandbox shown.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "sandboxes.waste")]
pub async fn read(view: &mut View, cursor: Option<&str>) -> Result<Waste, Broken> {
    let live = live::of(view).await?;
    let (backend, actor, db) = view.parts();
    let cursors = Cursors::of(backend.settings(), actor.account_id(), "waste");
    let since = Moment::from(live.feed.as_of)
        .day()
        .plus_ms(-(WASTE_DAYS - 1) * DAY_MS);
    let found = store::idle(db, actor.account_id(), since).await?;
    let is_cut = i64::try_from(found.len())? >= WASTE_ROWS_MAX;
    let rated: Result<Vec<IdleRow>, Broken> = found
        .into_iter()
        .map(|row| rated(row, &live, since))
        .collect();
    let mut rows = rated?;
    rows.retain(|row| row.cost.is_positive());
    rows.sort_by(|a, b| {
        b.cost
            .cmp(&a.cost)
            .then_with(|| a.sandbox_id.cmp(&b.sandbox_id))
    });
    Ok(Waste {
        since: since.into(),
        cost: rows.iter().map(|row| row.cost).sum(),
        billed: BilledMs(rows.iter().map(|row| row.billed.0).sum()),
        sandboxes: rows.len(),
        by_key: groups(&rows, |row| match (row.key_id, row.key_name.clone()) {
            (Some(id), Some(name)) => Kind::Key(id, name),
            _ => Kind::NoKey,
        }),
        by_image: groups(&rows, |row| Kind::Image(row.image.clone())),
        rows: after(rows, &cursors, cursor)?,
        is_cut,
        feed: live.feed,
    })
}

fn rated(row: store::IdleRow, live: &Live, since: Moment) -> Result<IdleRow, Broken> {
    let broken = || Broken::new("stored sandbox cannot be read");
    let size = Size::new(row.vcpus, row.mem_mib).ok_or_else(broken)?;
    let unposted = live.of(&row.sandbox_id);
    let (unposted_ms, unposted) =
        unposted.map_or_else(Default::default, |running| running.since(since));
    let able_ms = row.ran_ms.saturating_mul(i64::from(row.vcpus)).max(1);
    Ok(IdleRow {
        sandbox_id: SandboxId::parse(&row.sandbox_id).ok_or_else(broken)?,
        state: SandboxState::parse(&row.state).ok_or_else(broken)?,
        image: row.image,
        size,
        key_id: row.key_id.map(Into::into),
        key_name: row.key_name,
        created_at: row.created_at,
        used_hundredths: row.cpu_ms.saturating_mul(10_000) / able_ms,
        billed: BilledMs(row.billed_ms + unposted_ms.0),
        cost: ticks(row.ticks)?.saturating_add(unposted),
    })
}

impl Group {
    fn empty(kind: Kind) -> Self {
        Self {
            kind,
            sandboxes: 0,
            billed: BilledMs(0),
            cost: Ticks::ZERO,
        }
    }

    fn add(&mut self, sandboxes: usize, billed: BilledMs, cost: Ticks) {
        self.sandboxes += sandboxes;
        self.billed.0 += billed.0;
        self.cost = self.cost.saturating_add(cost);
    }
}

fn groups(rows: &[IdleRow], kind: impl Fn(&IdleRow) -> Kind) -> Vec<Group> {
    let mut groups: BTreeMap<Kind, Group> = BTreeMap::new();
    for row in rows {
        let kind = kind(row);
        let group = groups.entry(kind.clone());
        let group = group.or_insert_with(|| Group::empty(kind));
        group.add(1, row.billed, row.cost);
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by(|a, b| b.cost.cmp(&a.cost).then_with(|| a.kind.cmp(&b.kind)));
    let rest = groups.split_off(groups.len().min(GROUPS_MAX));
    if !rest.is_empty() {
        let mut others = Group::empty(Kind::Others(rest.len()));
        for group in rest {
            others.add(group.sandboxes, group.billed, group.cost);
        }
        groups.push(others);
    }
    groups
}

/// The page after the sandbox of that id; the first page when it is not in the list.
fn after(
    rows: Vec<IdleRow>,
    cursors: &Cursors<'_>,
    cursor: Option<&str>,
) -> Result<Page<IdleRow>, Broken> {
    let full = usize::try_from(PAGE_ROWS)?;
    let shown = cursor.and_then(|cursor| cursors.read(cursor));
    let last = rows
        .iter()
        .position(|row| Some(row.sandbox_id.as_str()) == shown.as_deref());
    let first = last.map_or(0, |last| last + 1);
    let is_more = rows.len() > first + full;
    let rows: Vec<IdleRow> = rows.into_iter().skip(first).take(full).collect();
    let next = rows.last().filter(|_| is_more);
    Ok(Page {
        next: next.map(|row| cursors.write(row.sandbox_id.as_str())),
        rows,
    })
}
