//! Limit and alerts: what ends the spending, who is told before it does, and by which ways. What was told stands in
//! `history`.

use backend::alerts::{self, Alerts, Webhook};
use domain::act::Act;
use domain::alert::{HOURS, PERCENTS};
use domain::forecast::Cause;
use domain::money::Ticks;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{history, recipients};
use crate::frame::form::{Field, FormState, submit};
use crate::frame::format::{self, CENTS, METERED};
use crate::frame::layout::{self, Page, Place, Stop, Visit};

/// `/alerts`
pub fn view(place: Place) -> AnyView {
    let after = use_query_map().get_untracked().get("after");
    layout::dashboard(place, move |visit| read(visit, after))
}

async fn read(mut visit: Visit, after: Option<String>) -> Result<Page, Stop> {
    // What signs the webhook's posts, and the address of the calendar.
    layout::shows_a_secret();
    let page = alerts::read(&mut visit.view, after.as_deref()).await?;
    let may_change = visit.view.actor().is_offered(Act::LimitSet);
    let mut state = FormState::of(visit.flash.as_ref());
    if let Some(limit) = page.limit {
        let typed = Ticks::from_cents(limit).dollars(CENTS);
        state = state.starting_with("monthly", &typed);
    }
    if let Some(webhook) = page.webhook.as_ref().filter(|_| may_change) {
        state = state.starting_with("url", &webhook.url);
    }
    let body = view! {
        {state.summary()}
        {layout::feed_notice(&page.feed)}
        <section class="section" aria-labelledby="limit">
            <h2 id="limit">"Monthly limit"</h2>
            {limit(&page, may_change, &state)}
        </section>
        <section class="section" aria-labelledby="thresholds">
            <h2 id="thresholds">"When alerts are given"</h2>
            {thresholds(&page, may_change)}
        </section>
        <section class="section" aria-labelledby="recipients">
            <h2 id="recipients">"Who is told by mail"</h2>
            {recipients::list(&page.recipients, may_change)}
            {may_change.then(|| recipients::add(&state))}
        </section>
        <section class="section" aria-labelledby="webhook">
            <h2 id="webhook">"Webhook"</h2>
            {webhook(page.webhook.as_ref(), may_change, &state)}
        </section>
        <section class="section" aria-labelledby="calendar">
            <h2 id="calendar">"Calendar feed"</h2>
            {calendar(&page)}
        </section>
        <section class="section" aria-labelledby="history">
            <h2 id="history">"Alerts given"</h2>
            {history::rows(page.history)}
        </section>
        {layout::as_of(&page.feed)}
    };
    Ok(Page::of_form("Limit and alerts", &state, body.into_any()))
}

fn limit(page: &Alerts, may_change: bool, state: &FormState) -> AnyView {
    let of = page.limit.map_or_else(
        || "no limit is set".into_any(),
        |limit| {
            let limit = format::amount(Ticks::from_cents(limit), CENTS);
            view! { "of "{limit}" a month" }.into_any()
        },
    );
    let end = page
        .forecast
        .and_then(|forecast| forecast.zero)
        .map(|(at, cause)| {
            let what = match cause {
                Cause::Credit => "credit ends, at this pace",
                Cause::Limit => "limit is reached, at this pace",
            };
            view! {
                <div class="figure">
                    <p class="figure__value" data-figure="end">{format::moment(at)}</p>
                    <p class="figure__note">{what}</p>
                </div>
            }
        });
    let forms = may_change.then(|| limit_forms(page, state));
    view! {
        <div class="figures">
            <div class="figure">
                <p class="figure__value" data-figure="spent">{format::amount(page.spent, METERED)}</p>
                <p class="figure__note">"spent this month, "{of}</p>
            </div>
            {end}
        </div>
        <p class="form__note">
            "When the limit is reached, running sandboxes hibernate at that second and new ones are refused. It counts from zero again on "
            {format::moment(page.resets_at)}", or goes on at once when it is raised."
        </p>
        {forms}
    }
    .into_any()
}

fn limit_forms(page: &Alerts, state: &FormState) -> AnyView {
    let monthly = Field {
        name: "monthly",
        label: "Dollars a month",
        hint: "Such as 25 or 25.50, before VAT. Months are UTC months.".to_owned(),
        kind: "text",
        autocomplete: "off",
    };
    let remove = page.limit.is_some().then(|| {
        view! {
            <form method="post" action="/api/limit/remove">
                <button class="button">"Remove the limit"</button>
            </form>
        }
    });
    view! {
        <form class="form" method="post" action="/api/limit/set" novalidate>
            {monthly.draw(state)}
            <div class="form__actions">{submit("Set the limit")}</div>
        </form>
        {remove}
    }
    .into_any()
}

fn thresholds(page: &Alerts, may_change: bool) -> AnyView {
    let percents = PERCENTS.map(|percent| {
        let label = if percent == 100 {
            "100 % used: nothing runs any more".to_owned()
        } else {
            format!("{percent} % used")
        };
        let ticked = page.wanted.percents.contains(&percent);
        tick(format!("percent_{percent}"), label, ticked, may_change)
    });
    let hours = HOURS.map(|hours| {
        let unit = if hours == 1 { "hour" } else { "hours" };
        let ticked = page.wanted.hours.contains(&hours);
        tick(
            format!("hours_{hours}"),
            format!("{hours} {unit} before the end, at the pace of that moment"),
            ticked,
            may_change,
        )
    });
    let choices = view! {
        <fieldset class="form__group">
            <legend class="form__legend">"Of the credit or the limit"</legend>
            {percents.collect_view()}
            {hours.collect_view()}
        </fieldset>
    };
    // Who may not change them sees what is chosen, and no form.
    let choices = if may_change {
        view! {
            <form class="form" method="post" action="/api/alert/choose">
                {choices}
                <div class="form__actions">{submit("Save alerts")}</div>
            </form>
        }
        .into_any()
    } else {
        view! { <div class="form">{choices}</div> }.into_any()
    };
    view! {
        <p>"For the credit since the last grant, and for the monthly limit. Each is given once: per grant for the credit, per month for the limit. Several at once are one message, the most urgent."</p>
        {choices}
    }
    .into_any()
}

fn tick(name: String, label: String, ticked: bool, may_change: bool) -> AnyView {
    let id = name.clone();
    view! {
        <div class="choice">
            <input type="checkbox" id=id name=name.clone() value="yes" checked=ticked disabled=!may_change/>
            <label for=name>{label}</label>
        </div>
    }
    .into_any()
}

fn webhook(webhook: Option<&Webhook>, may_change: bool, state: &FormState) -> AnyView {
    let url = Field {
        name: "url",
        label: "Address",
        hint: "https, on the public internet. Each alert is posted to it as JSON, and tried again for about four hours.".to_owned(),
        kind: "url",
        autocomplete: "off",
    };
    let form = may_change.then(|| {
        view! {
            <form class="form" method="post" action="/api/webhook/set" novalidate>
                {url.draw(state)}
                <div class="form__actions">{submit("Set the webhook")}</div>
            </form>
        }
    });
    let none = (webhook.is_none() && !may_change).then(|| view! { <p>"No webhook is set."</p> });
    view! { {none} {form} {webhook.map(|webhook| webhook_facts(webhook, may_change))} }.into_any()
}

fn webhook_facts(webhook: &Webhook, may_change: bool) -> AnyView {
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
            <dd><code class="secret__text" data-secret="webhook">{secret}</code></dd>
        }
    });
    let acts = may_change.then(|| {
        view! {
            <div class="form__actions">
                <form method="post" action="/api/webhook/test"><button class="button">"Send a test"</button></form>
                <form method="post" action="/api/webhook/renew"><button class="button">"Make a new secret"</button></form>
                <form method="post" action="/api/webhook/remove"><button class="button button--danger">"Remove the webhook"</button></form>
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

fn calendar(page: &Alerts) -> AnyView {
    let link = match &page.calendar {
        None => view! {
            <form method="post" action="/api/calendar/create"><button class="button">"Make a link"</button></form>
        }
        .into_any(),
        Some((address, since)) => {
            let address = address.clone();
            view! {
                <dl class="facts">
                    <dt>"Address"</dt>
                    <dd><code class="secret__text" data-secret="calendar">{address}</code></dd>
                    <dt>"Made"</dt>
                    <dd>{format::moment(*since)}</dd>
                </dl>
                <form method="post" action="/api/calendar/revoke"><button class="button button--danger">"Revoke the link"</button></form>
            }
            .into_any()
        }
    };
    view! {
        <p>"A link of your own for a calendar program: when the credit or the limit ends, when grants end, when the limit starts again. Whoever has the link can read it; nobody's name is in it."</p>
        {link}
    }
    .into_any()
}
