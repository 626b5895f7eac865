//! The account, who one is in it, and what keeps both safe: one section each, with the way to each beside them.

use backend::accounts;
use domain::ceilings::{SESSION_ABSOLUTE_DAYS, SESSION_IDLE_HOURS};
use leptos::prelude::*;
use time::OffsetDateTime;

use crate::frame::copy;
use crate::frame::form::FormState;
use crate::frame::format;
use crate::frame::layout::{self, Page, Place, Stop, Visit};
use crate::frame::table::{self, Head};

/// `/settings`
pub fn view(place: Place) -> AnyView {
    layout::dashboard(place, read)
}

async fn read(mut visit: Visit) -> Result<Page, Stop> {
    let accepted = accounts::acceptances(&mut visit.view).await?;
    let state = FormState::of(visit.flash.as_ref());
    let body = view! {
        {state.summary()}
        <div class="subnav">
            <nav class="subnav__list" aria-label="Settings">
                <a href="#account">"Account"</a>
                <a href="#profile">"Profile"</a>
                <a href="#security">"Security"</a>
            </nav>
            <div class="subnav__sections">
                <section class="section" aria-labelledby="account">
                    <h2 id="account">"Account"</h2>
                    {account(&visit)}
                    <h3>"Accepted documents"</h3>
                    {documents(accepted)}
                </section>
                <section class="section" aria-labelledby="profile">
                    <h2 id="profile">"Profile"</h2>
                    {profile(&visit)}
                </section>
                <section class="section" aria-labelledby="security">
                    <h2 id="security">"Security"</h2>
                    {security()}
                </section>
            </div>
        </div>
    };
    Ok(Page::of_form("Settings", &state, body.into_any()))
}

fn account(visit: &Visit) -> AnyView {
    let actor = visit.view.actor();
    view! {
        <dl class="facts">
            <dt>"Name"</dt>
            <dd>{actor.account_name().to_owned()}</dd>
            <dt>"Account id"</dt>
            <dd>{copy::id(actor.account_id().to_string(), "the account id")}</dd>
        </dl>
    }
    .into_any()
}

/// What is true of every session: when it ends by itself, and how to end this one.
fn security() -> AnyView {
    let ends = format!(
        "After {SESSION_IDLE_HOURS} hours without use, and after {SESSION_ABSOLUTE_DAYS} days in any case. Sign out in the account menu ends this one at once."
    );
    view! {
        <dl class="facts">
            <dt>"Your session ends"</dt>
            <dd>{ends}</dd>
        </dl>
    }
    .into_any()
}

fn profile(visit: &Visit) -> AnyView {
    let actor = visit.view.actor();
    view! {
        <dl class="facts">
            <dt>"E-mail address"</dt>
            <dd>{actor.email().as_str().to_owned()}</dd>
            <dt>"Role in the account"</dt>
            <dd>{actor.role().as_str()}</dd>
        </dl>
    }
    .into_any()
}

fn documents(accepted: Vec<(String, String, OffsetDateTime)>) -> AnyView {
    let rows = accepted.into_iter().map(|(document, version, at)| {
        view! {
            <tr>
                {table::name(title(&document), None)}
                {table::plain("Version", version)}
                {table::plain("Accepted", format::day(at))}
            </tr>
        }
    });
    let heads = vec![
        Head::name("Document"),
        Head::plain("Version"),
        Head::plain("Accepted (UTC)"),
    ];
    let rows = table::plain_group(rows.collect_view());
    table::table("documents", "Accepted documents", heads, rows, None)
}

fn title(document: &str) -> String {
    match document {
        "terms" => "Terms of Service".to_owned(),
        "aup" => "Acceptable Use Policy".to_owned(),
        "dpa" => "Data Processing Agreement".to_owned(),
        "export_statement" => "Export statement (Terms 14)".to_owned(),
        other => other.to_owned(),
    }
}
