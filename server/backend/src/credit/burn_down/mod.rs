//! The burn-down: what was left of the credit at the end of each day or hour, and what changed it.

mod store;

pub(super) use crate::credit::burn_down::store::expired;

use std::collections::BTreeMap;

use domain::burn_down::{self, Change, Grid, Point, Reach};
use domain::forecast::Zero;
use domain::moment::Moment;
use domain::money::Ticks;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::authority::actor::Actor;
use crate::authority::view::View;
use crate::credit::standing::{Burned, Standing};
use crate::failure::Broken;

/// The line with where it leads.
pub struct BurnDown {
    /// Its buckets.
    pub grid: Grid,
    /// The line, oldest first; empty while no credit was given.
    pub points: Vec<Point>,
    /// Cost per hour of what runs now.
    pub per_hour: Ticks,
    /// When credit or the customer's own limit ends at this pace.
    pub zero: Option<Zero>,
}

/// Reads the line.
///
/// # Errors
/// When the database fails or an hour has no price.
#[tracing::instrument(skip_all, name = "credit.burn_down")]
pub async fn read(view: &mut View, reach: Reach) -> Result<BurnDown, Broken> {
    let standing = Standing::of(view).await?;
    let (_, actor, db) = view.parts();
    with(db, actor, &standing, reach).await
}

/// The same, in the caller's snapshot.
pub(crate) async fn with(
    db: &mut PgConnection,
    actor: &Actor,
    standing: &Standing,
    reach: Reach,
) -> Result<BurnDown, Broken> {
    let Standing { live, burned, .. } = standing;
    let as_of = Moment::from(live.feed.as_of);
    let born = burned.given().map(|(_, from, _)| from).min();
    let grid = Grid::of(reach, born.unwrap_or(as_of), as_of);
    let points = match born {
        Some(_) => {
            let changes = changes(db, actor, standing, &grid).await?;
            burn_down::line(&grid, burned.balance().left, changes)
        }
        None => Vec::new(),
    };
    Ok(BurnDown {
        grid,
        points,
        per_hour: live.per_hour(),
        zero: standing.zero()?,
    })
}

async fn changes(
    db: &mut PgConnection,
    actor: &Actor,
    standing: &Standing,
    grid: &Grid,
) -> Result<Vec<Change>, Broken> {
    let Standing { live, burned, .. } = standing;
    let account_id = actor.account_id();
    let posted = store::used(db, account_id, grid).await?;
    let unposted = live.running.iter().flat_map(|running| {
        let key = running.key_id.map(|id| id.0);
        let slices = running.slices.iter();
        slices.map(move |slice| (slice.hour, key, slice.ticks))
    });
    let mut used: Vec<BTreeMap<Option<Uuid>, Ticks>> = vec![BTreeMap::new(); grid.len()];
    for (at, key, ticks) in posted.into_iter().chain(unposted) {
        if let Some(of) = grid.index(at).and_then(|index| used.get_mut(index)) {
            let sum = of.entry(key).or_default();
            *sum = sum.saturating_add(ticks);
        }
    }
    let keys: std::collections::BTreeSet<Uuid> = used
        .iter()
        .flat_map(BTreeMap::keys)
        .flatten()
        .copied()
        .collect();
    let keys: Vec<Uuid> = keys.into_iter().collect();
    let names: BTreeMap<Uuid, String> = store::key_names(db, account_id, &keys)
        .await?
        .into_iter()
        .collect();
    let mut changes: Vec<Change> = used.into_iter().map(|used| named(used, &names)).collect();
    let overrun = store::overrun(db, account_id, grid).await?;
    for (at, ticks) in overrun.iter().chain(&burned.overrun) {
        if let Some(change) = grid.index(*at).and_then(|index| changes.get_mut(index)) {
            change.overrun = change.overrun.saturating_add(*ticks);
        }
    }
    let expired: BTreeMap<_, _> = store::expired(db, account_id).await?.into_iter().collect();
    give(&mut changes, burned, grid, &expired);
    Ok(changes)
}

/// Enters each grant where it began to count, and what was left of it where it ended.
fn give(
    changes: &mut [Change],
    burned: &Burned,
    grid: &Grid,
    expired: &BTreeMap<domain::id::GrantId, Ticks>,
) {
    for (grant, from, amount) in burned.given() {
        if !burned.counts(grant) {
            continue;
        }
        if let Some(change) = grid.index(from).and_then(|index| changes.get_mut(index)) {
            change.granted = change.granted.saturating_add(amount);
        }
        let Some(end) = grant.ends_at.filter(|end| *end <= grid.as_of) else {
            continue;
        };
        let booked = expired.get(&grant.grant_id).copied().unwrap_or_default();
        let unused = booked.saturating_add(grant.remaining);
        if let Some(change) = grid.index(end).and_then(|index| changes.get_mut(index)) {
            change.ended = change.ended.saturating_add(unused);
        }
    }
}

/// The dearest key first; sandboxes without a key come under one name.
fn named(used: BTreeMap<Option<Uuid>, Ticks>, names: &BTreeMap<Uuid, String>) -> Change {
    let name = |key: Option<Uuid>| {
        let name = key.and_then(|key| names.get(&key));
        name.map_or_else(|| "no key".to_owned(), |name| format!("key {name}"))
    };
    let mut used: Vec<(String, Ticks)> = used
        .into_iter()
        .filter(|(_, ticks)| ticks.is_positive())
        .map(|(key, ticks)| (name(key), ticks))
        .collect();
    used.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Change {
        used,
        ..Change::default()
    }
}
