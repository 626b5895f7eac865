//! The calendar feed: a secret link per person and account, and what it shows: when credit or limit ends, when grants end,
//! when the limit starts again. How it is written is `domain::calendar`'s.

mod store;

pub(super) use crate::alerts::calendar::store::live;

use domain::act::Act;
use domain::calendar::{self, CalendarRefusal, Entry};
use domain::forecast::{Cause, next_month};
use domain::id::{AccountId, CalendarId};
use domain::moment::Moment;
use sqlx::PgConnection;

use crate::authority::actor::Actor;
use crate::authority::view::snapshot;
use crate::failure::{Broken, Failure};
use crate::metering::FEED;
use crate::metering::feed;
use crate::secret::{calendar_token, sha256};
use crate::{Backend, forecast, ledger, limit, random};

/// Makes the link of this person for their account.
///
/// # Errors
/// [`CalendarRefusal::AlreadyThere`], or broken.
#[tracing::instrument(skip_all, name = "calendar.create")]
pub async fn create(backend: &Backend, actor: &Actor) -> Result<(), Failure<CalendarRefusal>> {
    let mut change = actor.begin(backend, Act::CalendarCreate).await?;
    let now = change.now();
    let calendar_id = CalendarId(random::id(now));
    let hash = sha256(calendar_token(backend.root().await?, calendar_id.0).as_bytes());
    let owner = (change.account_id(), change.user_id());
    if !store::insert(&mut change, calendar_id, owner, &hash, now).await? {
        return Err(Failure::Refused(CalendarRefusal::AlreadyThere));
    }
    Ok(change.commit(calendar_id).await?)
}

/// Revokes the link of this person: it opens nothing from now on.
///
/// # Errors
/// [`CalendarRefusal::NotFound`], or broken.
#[tracing::instrument(skip_all, name = "calendar.revoke")]
pub async fn revoke(backend: &Backend, actor: &Actor) -> Result<(), Failure<CalendarRefusal>> {
    let mut change = actor.begin(backend, Act::CalendarRevoke).await?;
    let (account_id, user_id, now) = (change.account_id(), change.user_id(), change.now());
    let revoked = store::revoke(&mut change, account_id, user_id, now).await?;
    let calendar_id = revoked.ok_or(Failure::Refused(CalendarRefusal::NotFound))?;
    Ok(change.commit(calendar_id).await?)
}

/// The feed behind a link; none when it is unknown or revoked.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "calendar.feed")]
pub async fn feed(backend: &Backend, token: &str) -> Result<Option<String>, Broken> {
    let mut tx = snapshot(backend).await?;
    let found = store::account_of(&mut tx, &sha256(token.as_bytes())).await?;
    let Some((calendar_id, account_id)) = found else {
        return Ok(None);
    };
    let settled_at = feed::log::peek(&mut tx, FEED)
        .await?
        .and_then(|cursor| cursor.settled_at);
    let as_of = Moment::from(settled_at.unwrap_or_else(|| backend.clock().now()));
    let entries = entries(&mut tx, (calendar_id, account_id), as_of).await?;
    Ok(Some(calendar::write(
        "Isorun credit and limit",
        &entries,
        as_of,
    )))
}

async fn entries(
    db: &mut PgConnection,
    (calendar_id, account_id): (CalendarId, AccountId),
    as_of: Moment,
) -> Result<Vec<Entry>, Broken> {
    let mut entries = Vec::new();
    // Ids of the link and not of the account: what is shared by mistake names no account.
    let uid = |what: &str| format!("{what}-{calendar_id}@isorun.ai");
    let stops = "Then running sandboxes hibernate and new ones are refused.";
    if let Some((at, cause)) = forecast::peek(db, account_id).await?.and_then(|o| o.zero) {
        let summary = match cause {
            Cause::Credit => "Isorun credit ends at the present pace",
            Cause::Limit => "Isorun monthly limit is reached at the present pace",
        };
        entries.push(Entry {
            uid: uid("end"),
            at: at.into(),
            summary: summary.to_owned(),
            description: stops.to_owned(),
        });
    }
    for row in ledger::grants(db, account_id).await? {
        let Some(end) = row.grant.ends_at.filter(|end| *end > as_of) else {
            continue;
        };
        if row.grant.remaining.is_positive() {
            entries.push(Entry {
                uid: uid(&format!("grant-{}", row.grant.grant_id)),
                at: end,
                summary: format!("Isorun grant of {} ends", row.amount.dollars_floor()),
                description: "What is left of it by then is gone.".to_owned(),
            });
        }
    }
    if let Some(limit) = limit::get(db, account_id).await? {
        let amount = domain::money::Ticks::from_cents(limit).dollars(2);
        let at = next_month(as_of);
        entries.push(Entry {
            uid: uid(&format!("limit-{}", domain::alert::month_number(at))),
            at,
            summary: format!("Isorun monthly limit of {amount} starts again"),
            description: "The month's spending counts from zero, by UTC.".to_owned(),
        });
    }
    Ok(entries)
}
