//! What the feed says of sandboxes, folded anew: the side of every comparison that is held to be true. The fold and the
//! prices are `domain`'s, the same that settling uses; an oracle that shares no code with them is in the model test.

use std::collections::{BTreeMap, BTreeSet};

use domain::feed::{Event, EventKind};
use domain::id::{AccountId, PriceId};
use domain::interval::{self, History, Slice};
use domain::moment::Moment;
use domain::price::Price;
use sqlx::PgConnection;

use crate::checks::Look;
use crate::checks::store;
use crate::checks::store::evidence::Traits;
use crate::checks::walk::guard;
use crate::failure::Broken;
use crate::metering::FEED;
use crate::metering::feed::{self, events};
use crate::queue::turn::Place;
use crate::{Backend, findings};

/// Sandboxes looked at together.
pub(super) const SANDBOXES_AT_ONCE: i64 = 200;
/// Events of the feed whose sandboxes one page looks at.
const EVENTS_PER_PAGE: i64 = 5_000;
const PAGES_PER_TURN: usize = 20;
/// Open findings looked at again in each turn.
const OPEN_AGAIN: i64 = 1_000;

/// What the feed says of one sandbox.
pub(super) struct Told {
    /// Its life; the state is none when it was never created.
    pub history: History,
    /// What its first create says it is.
    pub traits: Option<Traits>,
    pub last: Option<Event>,
    created: Option<Event>,
}

impl Told {
    pub fn created(&self) -> Option<&Event> {
        self.created.as_ref()
    }

    /// Its priced hours; what runs is cut at `horizon`.
    pub fn slices(
        &self,
        book: &[Price],
        horizon: Moment,
    ) -> Result<BTreeMap<Moment, (PriceId, Slice)>, Broken> {
        let Some(created) = self.created() else {
            return Ok(BTreeMap::new());
        };
        let cut = interval::slices(&self.history.intervals, created.size, book, horizon)?;
        Ok(cut
            .into_iter()
            .map(|slice| (slice.hour, (book[slice.price].price_id, slice)))
            .collect())
    }
}

/// Sandboxes of an account of which an event is not stored as the feed told it. What is folded from it would be found wrong
/// many times over, and none of these findings would name the event; `metering::recheck` has found it, and until it is
/// mended nothing is held against it.
pub(super) async fn doubted(
    db: &mut PgConnection,
    account_id: AccountId,
) -> Result<BTreeSet<String>, Broken> {
    let open = findings::open_on(db, feed::CHECK, account_id, OPEN_AGAIN).await?;
    let of_events = open.iter().filter(|(fault, _)| fault.starts_with("event_"));
    let sandboxes = of_events.filter_map(|(_, subject)| subject.split(' ').next());
    Ok(sandboxes.map(str::to_owned).collect())
}

/// Folds what the feed says of these sandboxes up to a sequence number; one without events is not among them.
pub(super) async fn told(
    db: &mut PgConnection,
    account_id: AccountId,
    ids: &[String],
    up_to: i64,
) -> Result<BTreeMap<String, Told>, Broken> {
    let events = events::of_sandboxes(db, account_id, ids, up_to).await?;
    let of_one = |events: &[Event]| {
        let history = interval::fold(events);
        let created = events
            .iter()
            .find(|event| event.kind == EventKind::Created && history.state.is_some());
        let told = Told {
            traits: created.map(Traits::of),
            created: created.cloned(),
            last: events.last().cloned(),
            history,
        };
        let id = events.first().map(|event| event.sandbox_id.to_string());
        (id.unwrap_or_default(), told)
    };
    Ok(events
        .chunk_by(|a, b| a.sandbox_id == b.sandbox_id)
        .map(of_one)
        .collect())
}

/// Looks at the sandboxes that have events after the place of the feed up to which the last turn came, and again at those
/// with an open finding. The place goes no further than what every account is settled to.
pub(super) async fn touched(backend: &Backend, look: Look, place: &str) -> Result<Place, Broken> {
    let mut db = backend.pool().acquire().await?;
    let Some(cursor) = feed::log::peek(&mut db, FEED).await? else {
        return Ok(Place::default());
    };
    let Some(epoch) = cursor.epoch.as_deref() else {
        return Ok(Place::default());
    };
    let mut from = place.parse::<i64>().unwrap_or(0);
    let end = store::evidence::settled_by_all(&mut db, cursor.seq).await?;
    let mut again: BTreeMap<AccountId, BTreeSet<String>> = BTreeMap::new();
    for (account_id, subject) in findings::open(&mut db, look.check(), OPEN_AGAIN).await? {
        if let (Some(account_id), Some(id)) = (account_id, subject.split(' ').next()) {
            again.entry(account_id).or_default().insert(id.to_owned());
        }
    }
    for (account_id, ids) in again {
        let ids: Vec<String> = ids.into_iter().collect();
        guard(account_id, in_pieces(backend, account_id, &ids, look).await);
    }
    for _ in 0..PAGES_PER_TURN {
        if from >= end {
            break;
        }
        let to = end.min(from + EVENTS_PER_PAGE);
        let accounts =
            store::evidence::touched_accounts(&mut db, (FEED, epoch), (from, to)).await?;
        for account_id in accounts {
            let ids =
                store::evidence::touched(&mut db, account_id, (FEED, epoch), (from, to)).await?;
            guard(account_id, in_pieces(backend, account_id, &ids, look).await);
        }
        from = to;
    }
    Ok(Place {
        text: from.to_string(),
        more: from < end,
    })
}

async fn in_pieces(
    backend: &Backend,
    account_id: AccountId,
    ids: &[String],
    look: Look,
) -> Result<(), Broken> {
    for ids in ids.chunks(usize::try_from(SANDBOXES_AT_ONCE)?) {
        look.at(backend, account_id, ids).await?;
    }
    Ok(())
}

/// Looks at every sandbox of an account, piece by piece.
pub(super) async fn every_sandbox(
    backend: &Backend,
    account_id: AccountId,
    look: Look,
) -> Result<(), Broken> {
    let mut after = String::new();
    loop {
        let mut db = backend.pool().acquire().await?;
        let ids =
            store::evidence::sandbox_ids(&mut db, account_id, &after, SANDBOXES_AT_ONCE).await?;
        drop(db);
        // Ends: `after` grows with each piece and sandboxes are finite.
        let Some(last) = ids.last() else {
            return Ok(());
        };
        look.at(backend, account_id, &ids).await?;
        after.clone_from(last);
    }
}
