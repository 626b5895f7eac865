//! Warnings: raising what is due, who is told, and what became of it. Which are due is `domain::alert`'s; how they go out
//! is `mail`'s and `webhook::send`'s.

pub mod calendar;
pub mod history;
pub mod mails;
pub mod raise;
pub mod recipients;
mod store;
mod tokens;
pub mod webhook;

use crate::accounts;
use domain::act::Act;
use domain::alert::{AlertRefusal, HOURS, PERCENTS, Wanted};
use domain::forecast::next_month;
use domain::money::{Cents, Ticks};
use domain::page::Page;
use sqlx::PgConnection;
use time::OffsetDateTime;

use crate::Backend;
use crate::alerts::history::history;
use crate::alerts::recipients::RecipientRow;
use crate::authority::actor::Actor;
use crate::authority::view::View;
use crate::credit::standing::Standing;
use crate::failure::{Broken, Failure};
use crate::forecast::{self, Forecast};
use crate::metering::live::FeedStatus;
use crate::outside::poster;
use crate::secret::calendar_token;

pub use crate::alerts::history::Told;
pub use crate::alerts::store::DeliveryRow;

/// Chooses which warnings are given; unknown thresholds are left out.
///
/// # Errors
/// [`AlertRefusal::Forbidden`], or broken.
#[tracing::instrument(skip_all, name = "alerts.choose")]
pub async fn choose(
    backend: &Backend,
    actor: &Actor,
    chosen: &Wanted,
) -> Result<(), Failure<AlertRefusal>> {
    let mut change = actor.begin(backend, Act::AlertsChoose).await?;
    let known = |all: &[i32], chosen: &[i32]| -> Vec<i32> {
        let chosen = all.iter().filter(|threshold| chosen.contains(threshold));
        chosen.copied().collect()
    };
    let chosen = Wanted {
        percents: known(&PERCENTS, &chosen.percents),
        hours: known(&HOURS, &chosen.hours),
    };
    let (account_id, now) = (change.account_id(), change.now());
    store::choose(&mut change, account_id, &chosen, now).await?;
    accounts::mark_stale(&mut change, &[account_id]).await?;
    Ok(change.commit("").await?)
}

/// Everything on the page of limit and alerts.
pub struct Alerts {
    /// The monthly limit.
    pub limit: Option<Cents>,
    /// Spent in the UTC month of `feed.as_of`.
    pub spent: Ticks,
    /// The first moment of the next month.
    pub resets_at: OffsetDateTime,
    /// The future as computed last.
    pub forecast: Option<Forecast>,
    /// Which warnings are given.
    pub wanted: Wanted,
    /// Who is told by mail.
    pub recipients: Vec<RecipientRow>,
    /// Where they are posted.
    pub webhook: Option<Webhook>,
    /// The address of the person's calendar feed, and since when it is one.
    pub calendar: Option<(String, OffsetDateTime)>,
    /// Warnings given, newest first.
    pub history: Page<Told>,
    /// How far figures can be trusted.
    pub feed: FeedStatus,
}

/// The webhook as its people see it. No `Debug`: it holds the secret.
pub struct Webhook {
    /// Its path may be a secret.
    pub url: String,
    /// What signs the posts; none for who may not change the webhook.
    pub secret: Option<String>,
    /// None before the first test.
    pub test_asked_at: Option<OffsetDateTime>,
    /// None while it is under way.
    pub test_ended_at: Option<OffsetDateTime>,
    /// Why it did not get through.
    pub test_failure: Option<String>,
    /// The newest alert posted.
    pub last: Option<DeliveryRow>,
}

/// Reads the page of limit and alerts.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "alerts.read")]
pub async fn read(view: &mut View, cursor: Option<&str>) -> Result<Alerts, Broken> {
    let account_id = view.account_id();
    let standing = Standing::of(view).await?;
    let (backend, actor, db) = view.parts();
    let feed = standing.live.feed;
    let as_of = domain::moment::Moment::from(feed.as_of);
    let origin = &backend.settings().public_origin;
    let calendar = match actor.is_offered(Act::CalendarCreate) {
        true => calendar::live(db, account_id, actor.user_id()).await?,
        // What is left of a role that they had opens nothing.
        false => None,
    };
    let root = backend.root().await?;
    let calendar = calendar.and_then(|(id, created_at)| {
        let path = format!("/calendar/{}", calendar_token(root, id.0));
        Some((origin.join(&path).ok()?.to_string(), created_at))
    });
    Ok(Alerts {
        limit: standing.monthly,
        spent: standing.spent,
        resets_at: next_month(as_of).into(),
        forecast: forecast::peek(db, account_id).await?,
        wanted: store::wanted(db, account_id).await?,
        recipients: recipients::list(db, account_id).await?,
        webhook: read_webhook(backend, db, actor).await?,
        calendar,
        history: history(db, backend.settings(), account_id, cursor).await?,
        feed,
    })
}

async fn read_webhook(
    backend: &Backend,
    db: &mut PgConnection,
    actor: &Actor,
) -> Result<Option<Webhook>, Broken> {
    let Some(row) = webhook::get(db, actor.account_id()).await? else {
        return Ok(None);
    };
    let root = backend.root().await?;
    let secret = || poster::secret_of(root, row.webhook_id.0);
    Ok(Some(Webhook {
        secret: actor.is_offered(Act::WebhookSet).then(secret),
        url: row.url,
        test_asked_at: row.test_asked_at,
        test_ended_at: row.test_ended_at,
        test_failure: row.test_failure,
        last: store::last_post(db, actor.account_id()).await?,
    }))
}
