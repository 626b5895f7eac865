//! What is left of the credit, where it went and where it leads: figures, burn-down, what-if, grants, statement.
//! The statement and the what-if draw themselves in files of their own.

use backend::credit::{self, Asked, Credit, GrantRow, GrantState};
use backend::ledger::{self, statement::EntryKind};
use domain::burn_down::Reach;
use domain::forecast::{Cause, Zero};
use domain::money::Ticks;
use domain::usage::query::date_of;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use time::{Date, OffsetDateTime};

use super::words::reason;
use super::{statement, what_if};
use crate::chart;
use crate::frame::format::{self, CENTS, METERED};
use crate::frame::layout::{self, Page, Place, Stop, Visit};
use crate::frame::table::{self, Head};

/// `/credit`
pub fn view(place: Place) -> AnyView {
    let query = use_query_map().get_untracked();
    let form = what_if::Form::of(&query);
    let asked = Asked {
        reach: Reach::parse(&query.get("reach").unwrap_or_default()),
        kind: query.get("kind").and_then(|word| EntryKind::parse(&word)),
        cursor: query.get("after"),
        supposed: form.supposed(),
    };
    let open = query.get("day").and_then(|word| date_of(&word));
    layout::dashboard(place, move |visit| read(visit, asked, form, open))
}

async fn read(
    mut visit: Visit,
    mut asked: Asked,
    form: what_if::Form,
    open: Option<Date>,
) -> Result<Page, Stop> {
    // What is no cursor is the first page in every respect.
    let known = |cursor: &String| ledger::statement::knows(&mut visit.view, asked.kind, cursor);
    asked.cursor = asked.cursor.filter(known);
    let page = credit::page(&mut visit.view, &asked).await?;
    let credit = &page.credit;
    let end = end(credit.zero, credit.per_hour, credit.feed.as_of);
    let line = if page.burn_down.points.is_empty() {
        view! { <p>"Nothing to draw yet."</p> }.into_any()
    } else {
        chart::burn_down(&page.burn_down, &end)
    };
    let body = view! {
        {layout::feed_notice(&credit.feed)}
        <section class="section" aria-label="Credit">
            {figures(credit)}
            <p data-figure="end">{end.clone()}</p>
        </section>
        <section class="section" aria-labelledby="burn-down">
            <div class="section__head"><h2 id="burn-down">"Burn-down"</h2>{reaches(asked.reach)}</div>
            {line}
        </section>
        <section class="section" aria-labelledby="what-if">
            <h2 id="what-if">"What if"</h2>
            {what_if::view(&page.what_if, &form)}
        </section>
        <section class="section" aria-labelledby="grants">
            <h2 id="grants">"Grants"</h2>
            {grants(&credit.grants, visit.backend.clock().now())}
        </section>
        <section class="section" aria-labelledby="statement">
            <h2 id="statement">"Statement"</h2>
            {statement::view(credit, page.statement, &asked, open)}
        </section>
        {layout::as_of(&credit.feed)}
    };
    Ok(Page::new("Credit", body.into_any()))
}

fn reaches(current: Reach) -> AnyView {
    let links = Reach::ALL.into_iter().map(|reach| {
        let name = match reach {
            Reach::Month => "30 days",
            Reach::Quarter => "90 days",
            Reach::All => "All",
        };
        let here = (reach == current).then_some("page");
        view! { <a href=format!("/credit?reach={}#burn-down", reach.as_str()) aria-current=here>{name}</a> }
    });
    view! { <nav class="controls" aria-label="How far back"><div class="controls__set">{links.collect_view()}</div></nav> }.into_any()
}

/// When it ends, as one sentence.
pub fn end(zero: Option<Zero>, per_hour: Ticks, as_of: OffsetDateTime) -> String {
    let Some(zero) = zero else {
        let text = if per_hour.is_positive() {
            "Not empty within ten years at this pace."
        } else {
            "Nothing runs, so nothing is spent."
        };
        return text.to_owned();
    };
    let at = OffsetDateTime::from(zero.at);
    match (at <= as_of, zero.cause) {
        (true, Cause::Credit) => "Credit is empty, so nothing runs.".to_owned(),
        (true, Cause::Limit) => "Your monthly limit is reached, so nothing runs.".to_owned(),
        (false, Cause::Credit) if per_hour.is_positive() => {
            format!("Empty on {} at this pace.", format::weekday(at))
        }
        (false, Cause::Credit) => {
            format!(
                "Nothing runs. The last credit ends on {}.",
                format::weekday(at)
            )
        }
        (false, Cause::Limit) => format!(
            "Your monthly limit is reached on {} at this pace.",
            format::weekday(at)
        ),
    }
}

fn figures(credit: &Credit) -> AnyView {
    let figure = |name: &'static str, ticks: Ticks, note: &'static str| {
        ticks.is_positive().then(|| {
            view! {
                <div class="figure">
                    <p class="figure__value" data-figure=name>{format::headline(ticks)}</p>
                    <p class="figure__note">{note}</p>
                </div>
            }
        })
    };
    let overrun = figure(
        "overrun",
        credit.overrun,
        "ran beyond the credit; measured, never charged",
    );
    let waiting = figure(
        "waiting",
        credit.balance.waiting,
        "more, from a later date on",
    );
    view! {
        <div class="figures">
            <div class="figure">
                <p class="figure__value" data-figure="remaining">{format::left(credit.remaining)}<span class="figure__unit">"left"</span></p>
                <p class="figure__note">"of "{format::amount(credit.given, CENTS)}" given"</p>
            </div>
            <div class="figure">
                <p class="figure__value" data-figure="spent">{format::headline(credit.spent)}</p>
                <p class="figure__note">"spent"</p>
            </div>
            <div class="figure">
                <p class="figure__value" data-figure="pace">{format::per_hour(credit.per_hour)}<span class="figure__unit">"/h now"</span></p>
                <p class="figure__note"><a href="/sandboxes?state=running">"What runs"</a>" · "<a href="/alerts">"Limit and alerts"</a></p>
            </div>
            {waiting}
            {overrun}
        </div>
    }
    .into_any()
}

fn grants(grants: &[GrantRow], now: OffsetDateTime) -> AnyView {
    if grants.is_empty() {
        return view! { <p>"No credit was given yet."</p> }.into_any();
    }
    let heads = vec![
        Head::name("Grant"),
        Head::plain("Given (UTC)"),
        Head::plain("Starts"),
        Head::plain("Ends"),
        Head::plain("Left"),
        Head::figure("Given"),
        Head::main("Remaining"),
    ];
    let rows = grants.iter().map(|one| grant(one, now));
    let rows = table::plain_group(rows.collect_view());
    table::table("grants", "Grants", heads, rows, None)
}

fn grant(grant: &GrantRow, now: OffsetDateTime) -> AnyView {
    let state = match grant.state {
        GrantState::Open => None,
        GrantState::Spent => Some("spent"),
        GrantState::Ended => Some("expired"),
        GrantState::Waiting => Some("not yet"),
    };
    let state = state.map(|word| view! { " "<span class="badge">{word}</span> });
    let note = (!grant.note.is_empty()).then(|| table::clip(grant.note.clone()));
    let starts = if grant.starts_at > now {
        format::moment(grant.starts_at)
    } else {
        "started".into_any()
    };
    view! {
        <tr id=format!("grant-{}", grant.grant_id)>
            {table::name(view! { {reason(grant.reason)}{state} }, note)}
            {table::plain("Given", format::when(grant.granted_at, now))}
            {table::plain("Starts", starts)}
            {table::plain("Ends", format::moment_or(grant.ends_at, "never"))}
            {table::plain("", meter(grant))}
            {table::number("Given", format::amount(grant.given, given_places(grant.given)))}
            {table::main(format::balance(grant.remaining))}
        </tr>
    }
    .into_any()
}

/// Incident credit is rarely a whole cent; what people give is.
fn given_places(given: Ticks) -> u32 {
    let (_, rest) = given.split_cents();
    if rest == Ticks::ZERO { CENTS } else { METERED }
}

/// The part that is left, as a bar; the figure beside it says the same.
fn meter(grant: &GrantRow) -> AnyView {
    let left = percent_left(grant.remaining, grant.given);
    view! {
        <svg class="meter" role="img" aria-label=format!("{left} % left")>
            <rect class="meter__left" width=format!("{left}%") height="100%"></rect>
        </svg>
    }
    .into_any()
}

/// Whole percents, by floor, 0 to 100.
fn percent_left(remaining: Ticks, given: Ticks) -> i128 {
    if given.is_positive() {
        (remaining.get().max(0) * 100 / given.get()).min(100)
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use domain::moment::Moment;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_meter_never_overflows() {
        let ticks = |n| Ticks::new(n).unwrap();
        assert_eq!(percent_left(ticks(1), ticks(0)), 0);
        assert_eq!(percent_left(ticks(999), ticks(1_000)), 99);
        assert_eq!(percent_left(ticks(2_000), ticks(1_000)), 100);
        assert_eq!(percent_left(ticks(-5), ticks(1_000)), 0);
    }

    #[test]
    fn an_end_is_a_sentence() {
        let as_of = datetime!(2026-11-24 12:00 UTC);
        let zero = |cause| {
            let at = Moment::from(datetime!(2026-11-26 14:20 UTC));
            Some(Zero { at, cause })
        };
        let pace = Ticks::new(1).unwrap();
        assert_eq!(
            end(zero(Cause::Credit), pace, as_of),
            "Empty on Thursday 26 Nov 2026, 14:20 UTC at this pace."
        );
        assert_eq!(
            end(zero(Cause::Limit), pace, as_of),
            "Your monthly limit is reached on Thursday 26 Nov 2026, 14:20 UTC at this pace."
        );
        assert_eq!(
            end(zero(Cause::Credit), Ticks::ZERO, as_of),
            "Nothing runs. The last credit ends on Thursday 26 Nov 2026, 14:20 UTC."
        );
        let past = datetime!(2026-11-27 12:00 UTC);
        assert_eq!(
            end(zero(Cause::Credit), pace, past),
            "Credit is empty, so nothing runs."
        );
        assert_eq!(
            end(None, Ticks::ZERO, as_of),
            "Nothing runs, so nothing is spent."
        );
    }
}
