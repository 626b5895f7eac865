//! Forms about alerts: which are given, and who is told.

#[cfg(feature = "ssr")]
use backend::alerts;
#[cfg(feature = "ssr")]
use backend::alerts::recipients;
#[cfg(feature = "ssr")]
use backend::failure::Failure;
#[cfg(feature = "ssr")]
use domain::alert::AlertRefusal;
#[cfg(feature = "ssr")]
use domain::alert::Wanted;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::{recipient_link, words};
use crate::action::ActionError;
#[cfg(feature = "ssr")]
use crate::action::{answer, context, flash::Kept, request, sealed};

/// The parts of the page that these forms stand in.
#[cfg(feature = "ssr")]
const THRESHOLDS: &str = "/alerts#thresholds";
#[cfg(feature = "ssr")]
const RECIPIENTS: &str = "/alerts#recipients";

/// Where the link of a recipient leads.
#[cfg(feature = "ssr")]
const LINK_PAGE: &str = "/alert-recipient";

/// Chooses which alerts are given. A box that is not ticked sends nothing, a ticked one `yes`.
#[server(endpoint = "alert/choose")]
pub async fn choose(
    #[server(default)] percent_50: String,
    #[server(default)] percent_80: String,
    #[server(default)] percent_95: String,
    #[server(default)] percent_100: String,
    #[server(default)] hours_24: String,
    #[server(default)] hours_1: String,
) -> Result<(), ActionError> {
    let (backend, actor) = (context::backend()?, request::actor().await?);
    let ticked = |boxes: &[(i32, &String)]| -> Vec<i32> {
        let ticked = boxes.iter().filter(|(_, box_)| *box_ == "yes");
        ticked.map(|(threshold, _)| *threshold).collect()
    };
    let wanted = Wanted {
        percents: ticked(&[
            (50, &percent_50),
            (80, &percent_80),
            (95, &percent_95),
            (100, &percent_100),
        ]),
        hours: ticked(&[(24, &hours_24), (1, &hours_1)]),
    };
    let outcome = alerts::choose(&backend, &actor, &wanted).await;
    answer::to(outcome, THRESHOLDS, THRESHOLDS, Kept::nothing())?;
    answer::say(THRESHOLDS, words::ALERTS_CHOSEN, Kept::nothing());
    Ok(())
}

/// Puts an address on the list of who is told.
#[server(endpoint = "alert/add-recipient")]
pub async fn add_recipient(#[server(default)] recipient: String) -> Result<(), ActionError> {
    let (backend, actor) = (context::backend()?, request::actor().await?);
    let outcome = recipients::add(&backend, &actor, &recipient).await;
    let kept = Kept::of([("recipient", &recipient)]);
    let was_asked = answer::to(outcome, RECIPIENTS, RECIPIENTS, kept)?;
    let done = if was_asked {
        words::RECIPIENT_ASKED
    } else {
        words::RECIPIENT_ADDED
    };
    answer::say(RECIPIENTS, done, Kept::nothing());
    Ok(())
}

/// Takes a recipient off the list. The id comes from the form, so it may be anything; a foreign one is not found.
#[server(endpoint = "alert/remove-recipient")]
pub async fn remove_recipient(#[server(default)] recipient_id: String) -> Result<(), ActionError> {
    let (backend, actor) = (context::backend()?, request::actor().await?);
    let outcome = match recipient_id.parse() {
        Ok(id) => recipients::remove(&backend, &actor, id).await,
        Err(_) => Err(Failure::Refused(AlertRefusal::NotFound)),
    };
    answer::to(outcome, RECIPIENTS, RECIPIENTS, Kept::nothing())?;
    answer::say(RECIPIENTS, words::RECIPIENT_REMOVED, Kept::nothing());
    Ok(())
}

/// Asks a recipient who has not agreed once more.
#[server(endpoint = "alert/resend")]
pub async fn resend(#[server(default)] recipient_id: String) -> Result<(), ActionError> {
    let (backend, actor) = (context::backend()?, request::actor().await?);
    let outcome = match recipient_id.parse() {
        Ok(id) => recipients::resend(&backend, &actor, id).await,
        Err(_) => Err(Failure::Refused(AlertRefusal::NotFound)),
    };
    answer::to(outcome, RECIPIENTS, RECIPIENTS, Kept::nothing())?;
    answer::say(RECIPIENTS, words::RECIPIENT_ASKED, Kept::nothing());
    Ok(())
}

/// Agrees to be told, with the token of the link that led to the page.
#[server(endpoint = "alert/agree")]
pub async fn agree() -> Result<(), ActionError> {
    let backend = context::backend()?;
    let token: String = sealed::peek(&backend, &recipient_link::TOKEN).unwrap_or_default();
    let outcome = recipients::agree(&backend, &token).await;
    answer::to(outcome, LINK_PAGE, LINK_PAGE, Kept::nothing())?;
    answer::say(LINK_PAGE, words::RECIPIENT_AGREED, Kept::nothing());
    Ok(())
}

/// Ends the mails to the owner of the link.
#[server(endpoint = "alert/stop")]
pub async fn stop() -> Result<(), ActionError> {
    let backend = context::backend()?;
    let token: String = sealed::peek(&backend, &recipient_link::TOKEN).unwrap_or_default();
    let outcome = recipients::stop(&backend, &token).await;
    answer::to(outcome, LINK_PAGE, LINK_PAGE, Kept::nothing())?;
    sealed::clear(&backend, &recipient_link::TOKEN);
    answer::say(LINK_PAGE, words::RECIPIENT_STOPPED, Kept::nothing());
    Ok(())
}
