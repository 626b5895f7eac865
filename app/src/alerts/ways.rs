//! The ways besides mail by which alerts reach somebody: the webhook and the calendar feed; a part of `page`.

use backend::alerts::{Alerts, Webhook};
use domain::act::Act;
use leptos::prelude::*;

use super::history;
use super::page::verb;
use crate::frame::ask::ask_plain;
use crate::frame::copy;
use crate::frame::form::{Field, FormState, PostForm, submit};
use crate::frame::format;
use crate::frame::setting::Setting;

/// The line of the webhook.
pub fn webhook(webhook: Option<&Webhook>, may_change: bool, state: &FormState) -> Setting {
    let url = Field {
        name: "url",
        label: "Address",
        hint: "https, on the public internet. Each alert is posted to it as JSON, and tried again for about four hours.".to_owned(),
        kind: "url",
        autocomplete: "off",
    };
    let form = may_change.then(|| {
        view! {
            <PostForm act=Act::WebhookSet class="form">
                {url.draw(state)}
                <div class="form__actions">{submit("Set the webhook")}</div>
            </PostForm>
        }
    });
    let none = (webhook.is_none() && !may_change).then(|| view! { <p>"No webhook is set."</p> });
    let body = view! { {none} {form} {webhook.map(|webhook| facts(webhook, may_change))} };
    Setting {
        id: "webhook",
        title: "Webhook",
        state: webhook.map_or_else(
            || "None".into_any(),
            |webhook| standing(webhook, may_change),
        ),
        verb: verb(may_change),
        fields: &["url"],
        body: body.into_any(),
    }
}

/// Where it posts, for who may know, and whether that works.
fn standing(webhook: &Webhook, may_change: bool) -> AnyView {
    let host = webhook
        .url
        .split('/')
        .nth(2)
        .filter(|_| may_change)
        .unwrap_or("Set")
        .to_owned();
    let is_broken = webhook.test_failure.is_some()
        || webhook
            .last
            .as_ref()
            .is_some_and(|last| last.given_up_at.is_some());
    let broken = is_broken.then(|| view! { " "<span class="badge badge--broken">"failed"</span> });
    view! { {host}{broken} }.into_any()
}

fn facts(webhook: &Webhook, may_change: bool) -> AnyView {
    let test = match (
        webhook.test_asked_at,
        webhook.test_ended_at,
        &webhook.test_failure,
    ) {
        (None, _, _) => "never".into_any(),
        (Some(at), None, _) => view! { "asked for "{format::moment(at)}", on its way" }.into_any(),
        (_, Some(at), None) => view! { "got through "{format::moment(at)} }.into_any(),
        (_, Some(at), Some(class)) => {
            let class = history::failure(class);
            view! { <span class="badge badge--broken">"failed"</span>" "{format::moment(at)}": "{class} }.into_any()
        }
    };
    let last = webhook
        .last
        .as_ref()
        .map_or_else(|| "none yet".into_any(), history::outcome);
    let secret = webhook.secret.clone().map(|secret| {
        view! {
            <dt>"Signing secret"</dt>
            <dd><code class="secret__text" data-secret="webhook">{secret.clone()}</code>" "{copy::button(secret, "the signing secret")}</dd>
        }
    });
    let acts = may_change.then(|| {
        view! {
            <div class="form__actions">
                <PostForm act=Act::WebhookTest><button class="button">"Send a test"</button></PostForm>
                {ask_plain("Make a new secret", "The secret above ends at once: receivers that check signatures refuse our posts until they have the new one.", Act::WebhookRenew)}
                {ask_plain("Remove the webhook", "Nothing is posted any more, alerts that are being tried again included. Its secret ends too; a webhook set later has another.", Act::WebhookRemove)}
            </div>
        }
    });
    view! {
        <dl class="facts">
            {secret}
            <dt>"Last alert posted"</dt>
            <dd>{last}</dd>
            <dt>"Last test"</dt>
            <dd>{test}</dd>
        </dl>
        <p class="form__note">
            "Each post carries "<code>"Isorun-Signature: t=…,v1=…"</code>
            ". v1 is the HMAC-SHA-256, in hexadecimal, of t, a dot and the body, keyed by the secret. Refuse what is older than five minutes."
        </p>
        {acts}
    }
    .into_any()
}

/// The line of the calendar feed.
pub fn calendar(page: &Alerts, may_have_one: bool) -> Setting {
    let (state, verb, link) = match &page.calendar {
        None if !may_have_one => (
            "None".into_any(),
            "Read",
            view! { <p>"Owners, admins and billing can make a link for a calendar program here."</p> }.into_any(),
        ),
        None => (
            "None".into_any(),
            "Create",
            view! {
                <PostForm act=Act::CalendarCreate><button class="button button--primary">"Create a link"</button></PostForm>
            }
            .into_any(),
        ),
        Some((address, since)) => {
            let since = *since;
            (
                view! { "A link of yours, made "{format::moment(since)} }.into_any(),
                "Show",
                view! {
                    <dl class="facts">
                        <dt>"Address"</dt>
                        <dd><code class="secret__text" data-secret="calendar">{address.clone()}</code>" "{copy::button(address.clone(), "the address of the calendar")}</dd>
                        <dt>"Made"</dt>
                        <dd>{format::moment(since)}</dd>
                    </dl>
                    {ask_plain("Revoke the link", "Calendar programs that use it are told nothing from then on. A link made later has another address.", Act::CalendarRevoke)}
                }
                .into_any(),
            )
        }
    };
    let body = view! {
        <p class="form__note">"A link of your own for a calendar program: when the credit or the limit ends, when grants end, when the limit starts again. Whoever has the link can read it; nobody's name is in it. It ends with your role in the account."</p>
        {link}
    };
    Setting {
        id: "calendar",
        title: "Calendar feed",
        state,
        verb,
        fields: &[],
        body: body.into_any(),
    }
}
