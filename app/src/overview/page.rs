//! What is left, how fast it goes, when it ends, what runs. Before the first sandbox: the way to it.

use backend::overview::attention::Attention;
use backend::overview::{self, Overview};
use domain::figures::Stage;
use domain::forecast::Cause;
use leptos::prelude::*;
use time::OffsetDateTime;

use crate::chart;
use crate::frame::format;
use crate::frame::layout::{self, Page, Place, Stop, Visit};
use crate::frame::snippet;
use crate::sandboxes::list;

use super::figures;

/// `/overview`
pub fn view(place: Place) -> AnyView {
    layout::dashboard(place, read)
}

async fn read(mut visit: Visit) -> Result<Page, Stop> {
    let overview = overview::read(&mut visit.view).await?;
    let notices = (
        layout::feed_notice(&overview.feed),
        attention(&overview.attention),
    )
        .into_any();
    let stage = overview.figures.stage;
    let figures = view! { <section class="section" aria-label="Credit">{figures::view(&overview.figures)}</section> };
    let rest = if stage == Stage::Underway {
        underway(&overview, visit.backend.clock().now())
    } else {
        first_run(&visit, stage)
    };
    let body = (notices, figures, rest).into_any();
    Ok(Page {
        ..Page::new("Overview", body)
    })
}

/// What needs a look, each with the one place to go to; nothing when there is nothing.
fn attention(all: &[Attention]) -> AnyView {
    if all.is_empty() {
        return ().into_any();
    }
    let items = all.iter().map(|one| {
        let (text, href, link) = said(*one);
        view! { <li class="attention__item">{text}" "<a href=href>{link}</a></li> }
    });
    view! {
        <section class="notice notice--soon" aria-labelledby="attention">
            <h2 class="notice__title" id="attention">"Needs attention"</h2>
            <ul class="attention">{items.collect_view()}</ul>
        </section>
    }
    .into_any()
}

/// Sentence, address, and the name of the link.
fn said(one: Attention) -> (String, &'static str, &'static str) {
    let many = |n: i64, one: &str, more: &str| {
        if n == 1 {
            format!("1 {one}")
        } else {
            format!("{n} {more}")
        }
    };
    match one {
        Attention::EndsSoon(Cause::Credit, at) => (
            format!("Credit is empty on {} at this pace.", format::weekday(at)),
            "/credit#what-if",
            "See what helps",
        ),
        Attention::EndsSoon(Cause::Limit, at) => (
            format!(
                "Your monthly limit is reached on {} at this pace.",
                format::weekday(at)
            ),
            "/alerts#limit",
            "Change the limit",
        ),
        Attention::LimitNear(percent) => (
            format!("{percent} % of your monthly limit are spent."),
            "/alerts#limit",
            "Change the limit",
        ),
        Attention::Idle(count) => (
            format!(
                "{} next to nothing and costs the same.",
                many(count, "running sandbox does", "running sandboxes do")
            ),
            "/waste",
            "See which",
        ),
        Attention::MailUndelivered(count) => (
            format!(
                "{} could not be mailed.",
                many(count, "warning", "warnings")
            ),
            "/alerts#recipients",
            "Check the recipients",
        ),
        Attention::WebhookUndelivered(count) => (
            format!(
                "{} did not reach your webhook.",
                many(count, "warning", "warnings")
            ),
            "/alerts#webhook",
            "Check the webhook",
        ),
    }
}

fn underway(overview: &Overview, now: OffsetDateTime) -> AnyView {
    let limit = overview.limit.map(|limit| {
        view! {
            <dt>"Monthly limit"</dt>
            <dd><a href="/alerts#limit">{format::headline(limit)}</a></dd>
        }
    });
    view! {
        <section class="section" aria-labelledby="spend">
            <div class="section__head">
                <h2 id="spend">"Spend"</h2>
                <span><a href="/usage?range=30d">"Usage in detail"</a>" · "<a href="/waste">"Waste"</a></span>
            </div>
            <dl class="facts">
                <dt>"This month"</dt>
                <dd data-figure="month">{format::headline(overview.month)}</dd>
                <dt>"Projected, at this pace"</dt>
                <dd data-figure="projected">{format::headline(overview.projected)}</dd>
                <dt>"Last month"</dt>
                <dd>{format::headline(overview.last_month)}</dd>
                {limit}
            </dl>
            {chart::spend("chart chart--small", "spend-chart", "Spend by day, last 30 days", &overview.spend)}
        </section>
        <section class="section" aria-labelledby="running">
            <div class="section__head">
                <h2 id="running">"Running now"</h2>
                <a href="/sandboxes?state=running">{format!("All {} running", overview.sandboxes)}</a>
            </div>
            {running(overview, now)}
        </section>
        {layout::as_of(&overview.feed)}
    }
    .into_any()
}

fn running(overview: &Overview, now: OffsetDateTime) -> AnyView {
    if overview.running.is_empty() {
        return view! { <p>"Nothing runs, so nothing is spent."</p> }.into_any();
    }
    let more = overview.sandboxes - i64::try_from(overview.running.len()).unwrap_or(0);
    let more = (more > 0).then(|| view! { <p class="form__note">{format!("and {more} more")}</p> });
    (
        list::table("Running sandboxes", &overview.running, now),
        more,
    )
        .into_any()
}

/// Three steps to the first sandbox. The page turns by itself: with scripts through the live figures, without them by a
/// reload every five seconds.
fn first_run(visit: &Visit, stage: Stage) -> AnyView {
    let has_key = stage > Stage::NeedsKey;
    let current = |is: bool| is.then_some("step");
    view! {
        <noscript><meta http-equiv="refresh" content="5"/></noscript>
        <section class="section" aria-labelledby="first-run">
            <div class="section__head"><h2 id="first-run">"Your first sandbox"</h2></div>
            <ol class="steps" data-stage=if has_key { "needs_sandbox" } else { "needs_key" }>
                <li class="step" data-done=has_key.then_some("") aria-current=current(!has_key)>
                    <h3 class="step__title">"Create a key"</h3>
                    <div class="step__body">{key_step(has_key)}</div>
                </li>
                <li class="step" aria-current=current(has_key)>
                    <h3 class="step__title">"Run this where you work"</h3>
                    <div class="step__body">
                        <p>"Put your key in the place of "<code>{snippet::NO_KEY}</code>". The sandbox runs for five seconds and costs about $0.00006."</p>
                        {snippet::first_sandbox(&visit.backend, snippet::NO_KEY)}
                    </div>
                </li>
                <li class="step">
                    <h3 class="step__title">"See it here"</h3>
                    <div class="step__body"><p class="waiting">"Waiting for your first sandbox. This page turns by itself within seconds of its start."</p></div>
                </li>
            </ol>
        </section>
    }
    .into_any()
}

fn key_step(has_key: bool) -> AnyView {
    if has_key {
        view! { <p>"Done. "<a href="/keys">"Your keys"</a></p> }.into_any()
    } else {
        view! {
            <p>"A key lets your programs start sandboxes on this account. It is shown once."</p>
            <a class="button button--primary" href="/keys/new">"Create a key"</a>
        }
        .into_any()
    }
}
