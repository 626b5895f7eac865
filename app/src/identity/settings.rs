//! Who one is here, what was accepted, and the way out.

use backend::accounts;
use leptos::prelude::*;
use time::OffsetDateTime;

use crate::frame::form::FormState;
use crate::frame::format;
use crate::frame::layout::{self, Page, Place, Stop, Visit};

/// `/settings`
pub fn view(place: Place) -> AnyView {
    layout::dashboard(place, read)
}

async fn read(mut visit: Visit) -> Result<Page, Stop> {
    let accepted = accounts::acceptances(&mut visit.view).await?;
    let state = FormState::of(visit.flash.as_ref());
    let body = view! {
        {state.summary()}
        <section class="section" aria-labelledby="you">
            <h2 id="you">"You"</h2>
            {you(&visit)}
        </section>
        <section class="section" aria-labelledby="accepted">
            <h2 id="accepted">"What you accepted"</h2>
            {documents(accepted)}
        </section>
        <section class="section" aria-labelledby="session">
            <h2 id="session">"Session"</h2>
            <p>"A session ends after 24 hours without use, and after 14 days in any case."</p>
            <form method="post" action="/api/session/sign-out"><button class="button">"Sign out"</button></form>
        </section>
    };
    Ok(Page::of_form("Settings", &state, body.into_any()))
}

fn you(visit: &Visit) -> AnyView {
    let actor = visit.view.actor();
    view! {
        <dl class="facts">
            <dt>"E-mail address"</dt>
            <dd>{actor.email().as_str().to_owned()}</dd>
            <dt>"Account"</dt>
            <dd>{actor.account_name().to_owned()}</dd>
            <dt>"Account id"</dt>
            <dd><code>{actor.account_id().to_string()}</code></dd>
            <dt>"Role"</dt>
            <dd>{actor.role().as_str()}</dd>
        </dl>
    }
    .into_any()
}

fn documents(accepted: Vec<(String, String, OffsetDateTime)>) -> AnyView {
    let rows = accepted.into_iter().map(|(document, version, at)| {
        view! { <tr><th scope="row">{title(&document)}</th><td>{version}</td><td>{format::moment(at)}</td></tr> }
    });
    view! {
        <div class="scroll" role="region" tabindex="0" aria-label="Accepted documents">
            <table class="table">
                <caption class="sr-only">"Accepted documents"</caption>
                <thead><tr><th scope="col">"Document"</th><th scope="col">"Version"</th><th scope="col">"Accepted"</th></tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
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
