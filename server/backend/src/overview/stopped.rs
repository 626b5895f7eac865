//! An account in which nothing may run: what ended, when, and what that did. As the orchestrator was told, because that is what
//! it does; the sentences are `app`'s.

use domain::forecast::{self, Cause};
use domain::moment::Moment;
use time::OffsetDateTime;

use crate::authority::view::View;
use crate::failure::Broken;
use crate::metering::live;
use crate::overview::store;

/// What is to be said of it on every page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// What ended.
    pub cause: Cause,
    /// When it ended.
    pub at: OffsetDateTime,
    /// Sandboxes that this has hibernated and that are still there.
    pub hibernated: i64,
    /// When a limit starts again; none for credit.
    pub until: Option<OffsetDateTime>,
}

/// Reads it; none while something may run.
///
/// # Errors
/// When the database fails.
#[tracing::instrument(skip_all, name = "stopped.read")]
pub async fn read(view: &mut View) -> Result<Option<Stopped>, Broken> {
    let (live, glance) = (live::of(view).await?, super::glance(view).await?);
    let (_, actor, db) = view.parts();
    let as_of = live.feed.as_of;
    let Some((at, cause)) = glance.told.filter(|(at, _)| *at <= as_of) else {
        return Ok(None);
    };
    let next = match cause {
        Cause::Credit => None,
        Cause::Limit => Some(forecast::next_month(Moment::from(as_of)).into()),
    };
    Ok(Some(Stopped {
        cause,
        at,
        hibernated: store::hibernated_by(db, actor.account_id(), cause).await?,
        until: next,
    }))
}
