//! Creating, listing and revoking keys. The text of a key exists in the answer to its creation and nowhere else.

pub mod push;
pub mod remove;
mod store;

use domain::act::Act;
use domain::ceilings::{KEY_NAME_CHARS_MAX, KEYS_PER_ACCOUNT_MAX, PAGE_ROWS};
use domain::id::KeyId;
use domain::key::{KeyRefusal, KeyText, PUBLIC_ID_CHARS, SECRET_CHARS, masked};
use domain::money::Ticks;
use domain::name::{Name, NameProblem};
use domain::page::Page;
use domain::search::Search;
use time::OffsetDateTime;

use crate::authority::actor::Actor;
use crate::authority::view::View;
use crate::failure::{Broken, Failure};
use crate::keys::push::PushKey;
use crate::keys::remove::RemoveKey;
use crate::keys::store::NewKey;
use crate::metering::live;
use crate::paging::{Cursors, page};
use crate::secret::sha256;
use crate::usage;
use crate::zone::month_start;
use crate::{Backend, random};

/// A key just made, with its text for the one time it is shown.
pub struct CreatedKey {
    /// Stands in addresses and in the audit log; no part of the key.
    pub key_id: KeyId,
    /// As its owner chose it; no live key of the account has one that looks the same.
    pub name: String,
    /// The whole key.
    pub text: KeyText,
}

/// A key as lists show it.
pub struct KeyRow {
    /// Stands in addresses and in the audit log; no part of the key.
    pub key_id: KeyId,
    /// As its owner chose it; revoked keys may have had the same.
    pub name: String,
    /// Enough of it to recognise it.
    pub masked: String,
    /// Who made it: their address, or "you".
    pub created_by: String,
    /// By our clock; the orchestrator knows it from `pushed_at` on.
    pub created_at: OffsetDateTime,
    /// When a sandbox was last started with it.
    pub last_used_at: Option<OffsetDateTime>,
    /// None while it is live.
    pub revoked_at: Option<OffsetDateTime>,
    /// When the orchestrator accepted it.
    pub pushed_at: Option<OffsetDateTime>,
    /// What its sandboxes cost this UTC month, up to the settled watermark.
    pub month: Ticks,
}

/// Makes a key and queues its push to the orchestrator.
///
/// # Errors
/// [`KeyRefusal`], or broken.
#[tracing::instrument(skip_all, name = "keys.create")]
pub async fn create(
    backend: &Backend,
    actor: &Actor,
    name: &str,
) -> Result<CreatedKey, Failure<KeyRefusal>> {
    let mut change = actor.begin(backend, Act::KeyCreate).await?;
    let name = Name::parse(name, KEY_NAME_CHARS_MAX).map_err(|problem| {
        Failure::Refused(match problem {
            NameProblem::Empty => KeyRefusal::NameEmpty,
            NameProblem::TooLong => KeyRefusal::NameTooLong,
            NameProblem::Unprintable => KeyRefusal::NameUnprintable,
            NameProblem::Invisible => KeyRefusal::NameInvisible,
        })
    })?;
    let now = change.now();
    let region = backend.settings().region;
    let (public_id, secret) = (
        random::base62(PUBLIC_ID_CHARS),
        random::base62(SECRET_CHARS),
    );
    let text = KeyText::assemble(region, &public_id, &secret)
        .ok_or_else(|| Broken::new("key could not be made"))?;
    let last_four = &text.expose()[text.expose().len() - 4..];
    let key = NewKey {
        key_id: KeyId(random::id(now)),
        account_id: change.account_id(),
        name: &name,
        region: &region.to_string(),
        public_id: &public_id,
        last_four,
        sha256: sha256(text.expose().as_bytes()),
        created_by: change.user_id(),
    };
    store::lock(&mut change, key.account_id).await?;
    let live = store::live_names(&mut change, key.account_id).await?;
    if live.len() >= KEYS_PER_ACCOUNT_MAX {
        return Err(Failure::Refused(KeyRefusal::TooMany));
    }
    if live.iter().any(|other| name.looks_like(other)) {
        return Err(Failure::Refused(KeyRefusal::NameTaken));
    }
    store::insert(&mut change, &key, now).await?;
    change.enqueue(&PushKey { key_id: key.key_id }).await?;
    change.commit(key.key_id).await?;
    Ok(CreatedKey {
        key_id: key.key_id,
        name: name.as_str().to_owned(),
        text,
    })
}

/// Revokes a key and queues its removal at the orchestrator. A revoked key is "not found" for a second time.
///
/// # Errors
/// [`KeyRefusal::NotFound`], denied, or broken.
#[tracing::instrument(skip_all, name = "keys.revoke")]
pub async fn revoke(
    backend: &Backend,
    actor: &Actor,
    key_id: KeyId,
) -> Result<(), Failure<KeyRefusal>> {
    let mut change = actor.begin(backend, Act::KeyRevoke).await?;
    let (account_id, now) = (change.account_id(), change.now());
    if !store::revoke(&mut change, account_id, key_id, now).await? {
        return Err(Failure::Refused(KeyRefusal::NotFound));
    }
    change.enqueue(&RemoveKey { key_id }).await?;
    Ok(change.commit(key_id).await?)
}

/// What the cursors of the list are for.
const LIST: &str = "keys";

/// One page of keys, newest first; of those that a search finds, when something is searched for.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "keys.list")]
pub async fn list(
    view: &mut View,
    search: Option<&Search>,
    cursor: Option<&str>,
) -> Result<Page<KeyRow>, Broken> {
    let account_id = view.account_id();
    let (backend, _, db) = view.parts();
    let cursors = Cursors::of(backend.settings(), account_id, LIST);
    let after = cursor
        .and_then(|cursor| cursors.read_at(cursor))
        .and_then(|(at, id)| Some((at, id.parse().ok()?)));
    let rows = store::list(db, account_id, None, search, after).await?;
    rated(view, rows).await
}

/// One key; none when the account has no such key.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "keys.get")]
pub async fn get(view: &mut View, key_id: KeyId) -> Result<Option<KeyRow>, Broken> {
    let account_id = view.account_id();
    let (_, _, db) = view.parts();
    let rows = store::list(db, account_id, Some(key_id), None, None).await?;
    Ok(rated(view, rows).await?.rows.pop())
}

/// Adds to each key what its sandboxes cost this month.
async fn rated(view: &mut View, rows: Vec<store::KeyRow>) -> Result<Page<KeyRow>, Broken> {
    let live = live::of(view).await?;
    let (backend, actor, db) = view.parts();
    let cursors = Cursors::of(backend.settings(), actor.account_id(), LIST);
    let month = month_start(live.feed.as_of);
    let ids: Vec<_> = rows.iter().map(|row| row.key_id.0).collect();
    let posted = usage::days::by_key(db, actor.account_id(), &ids, month).await?;
    page(
        rows,
        PAGE_ROWS,
        |row| cursors.write_at(row.created_at, row.key_id),
        |row| {
            let posted = posted
                .iter()
                .find(|(id, _)| *id == row.key_id.0)
                .map_or(Ticks::ZERO, |(_, ticks)| *ticks);
            let running = live
                .running
                .iter()
                .filter(|running| running.key_id == Some(row.key_id));
            let unposted: Ticks = running.map(|running| running.since(month).1).sum();
            let mine = row.created_by == actor.user_id();
            Ok(KeyRow {
                key_id: row.key_id,
                masked: masked(&row.region, &row.public_id, &row.last_four),
                name: row.name,
                created_by: if mine {
                    "you".to_owned()
                } else {
                    row.creator_email
                },
                created_at: row.created_at,
                last_used_at: row.last_used_at,
                revoked_at: row.revoked_at,
                pushed_at: row.pushed_at,
                month: posted.saturating_add(unposted),
            })
        },
    )
}
