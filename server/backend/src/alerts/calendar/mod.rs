//! The calendar feed: a secret link per person and account, and what it shows: when credit or limit ends, when grants end,
//! when the limit starts again. How it is written is `domain::calendar`'s.

mod store;

pub(super) use crate::alerts::calendar::store::live;

use domain::act::{Act, Person};
use domain::calendar::{self, CalendarRefusal, Entry};
use domain::forecast::{Cause, next_month};
use domain::id::{AccountId, CalendarId};
use domain::moment::Moment;
use domain::role::Role;
use sqlx::PgConnection;

use crate::authority::actor::Actor;
use crate::authority::change::{Line, OpenChange};
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

/// The feed behind a link; none when it is unknown or revoked. A link is as good as the role of its person: when they may
/// make none any more, it is revoked by whoever follows it, and does not come back to life with the role.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "calendar.feed")]
pub async fn feed(backend: &Backend, token: &str) -> Result<Option<String>, Broken> {
    let mut tx = snapshot(backend).await?;
    let Some(linked) = store::by_token(&mut tx, &sha256(token.as_bytes())).await? else {
        return Ok(None);
    };
    if !may_have_one(linked.role) {
        drop(tx);
        outlived(backend, &linked).await?;
        return Ok(None);
    }
    let (calendar_id, account_id) = (linked.calendar_id, linked.account_id);
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

/// Whether a person of this role may have a link. A fresh proof was asked for when it was made, if at all.
fn may_have_one(role: Option<Role>) -> bool {
    let person = Person {
        role,
        is_proven: true,
    };
    Act::CalendarCreate.allows(person).is_ok()
}

/// Revokes a link whose person lost the role for it. Nobody's act: the line of the audit log names none.
async fn outlived(backend: &Backend, linked: &store::Linked) -> Result<(), Broken> {
    let begun = OpenChange::begin::<CalendarRefusal>(backend, Act::CalendarRevoke).await;
    let mut change = match begun {
        Ok(change) => change,
        Err(Failure::Broken(broken)) => return Err(broken),
        // An open change is begun by anybody.
        Err(Failure::Refused(_) | Failure::Denied(_)) => return Ok(()),
    };
    let (account_id, now) = (linked.account_id, change.now());
    // Revoked meanwhile by another who followed it.
    let revoked = store::revoke(&mut change, account_id, linked.user_id, now).await?;
    let Some(calendar_id) = revoked else {
        return Ok(());
    };
    let line = Line {
        account_id,
        user_id: None,
        subject: calendar_id.to_string(),
    };
    change.commit(line, &[]).await
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
