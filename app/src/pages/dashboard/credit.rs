//! What is left of the credit, grant by grant, and the statement of every entry.

use backend::service::credit::{self, Credit, EntryKind, EntryRow, GrantReason, GrantRow};
use domain::money::Ticks;
use domain::page;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::pages::format::{self, CENTS, METERED};
use crate::pages::layout::{self, Page, Section, Stop, Visit};

/// `/credit`
pub fn view() -> AnyView {
    let after = use_query_map().get_untracked().get("after");
    layout::dashboard(Section::Credit, "/credit", move |visit| read(visit, after))
}

async fn read(visit: Visit, after: Option<String>) -> Result<Page, Stop> {
    let credit = credit::read(&visit.backend, &visit.actor).await?;
    let statement = credit::statement(&visit.backend, &visit.actor, after.as_deref()).await?;
    let body = view! {
        {layout::feed_notice(&credit.feed)}
        <section class="section" aria-label="Credit">{figures(&credit)}</section>
        <section class="section" aria-labelledby="grants">
            <h2 id="grants">"Grants"</h2>
            {grants(&credit.grants)}
        </section>
        <section class="section" aria-labelledby="statement">
            <h2 id="statement">"Statement"</h2>
            <p class="form__note">"Usage is booked hour by hour; what runs right now is taken off the figures above and booked when its hour is settled."</p>
            {entries(statement)}
        </section>
        {layout::as_of(&credit.feed)}
    };
    Ok(Page::new("Credit", body.into_any()))
}

fn figures(credit: &Credit) -> AnyView {
    let overrun = credit.overrun.is_positive().then(|| {
        view! {
            <div class="figure">
                <p class="figure__value" data-figure="overrun">{format::amount(credit.overrun, METERED)}</p>
                <p class="figure__note">"ran beyond the credit; measured, never charged"</p>
            </div>
        }
    });
    view! {
        <div class="figures">
            <div class="figure">
                <p class="figure__value" data-figure="remaining">{format::amount(credit.remaining, METERED)}<span class="figure__unit">"left"</span></p>
                <p class="figure__note">"of "{format::amount(credit.given, CENTS)}" given"</p>
            </div>
            <div class="figure">
                <p class="figure__value" data-figure="spent">{format::amount(credit.spent, METERED)}</p>
                <p class="figure__note">"spent"</p>
            </div>
            {overrun}
        </div>
    }
    .into_any()
}

fn grants(grants: &[GrantRow]) -> AnyView {
    if grants.is_empty() {
        return view! { <p>"No credit was given yet. New accounts receive $50 once their e-mail address is confirmed."</p> }.into_any();
    }
    let rows = grants.iter().map(grant).collect_view();
    view! {
        <div class="scroll" role="region" tabindex="0" aria-label="List of grants">
            <table class="table">
                <caption class="sr-only">"Grants"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Grant"</th>
                        <th scope="col">"Given on"</th>
                        <th scope="col">"Ends"</th>
                        <th scope="col">"Left"</th>
                        <th scope="col" class="table__number">"Given"</th>
                        <th scope="col" class="table__number">"Remaining"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn grant(grant: &GrantRow) -> AnyView {
    let reason = match grant.reason {
        GrantReason::SignUp => "Sign-up credit",
        GrantReason::Goodwill => "Goodwill",
        GrantReason::Incident => "Incident",
    };
    view! {
        <tr>
            <th scope="row">{reason}</th>
            <td>{format::moment(grant.granted_at)}</td>
            <td>{format::moment_or(grant.ends_at, "never")}</td>
            <td>{meter(grant)}</td>
            <td class="table__number">{format::amount(grant.given, CENTS)}</td>
            <td class="table__number">{format::amount(grant.remaining, METERED)}</td>
        </tr>
    }
    .into_any()
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

fn entries(statement: page::Page<EntryRow>) -> AnyView {
    if statement.rows.is_empty() {
        return view! { <p>"Nothing is booked yet."</p> }.into_any();
    }
    let rows = statement.rows.iter().map(entry).collect_view();
    view! {
        <div class="scroll" role="region" tabindex="0" aria-label="List of entries">
            <table class="table">
                <caption class="sr-only">"Statement, newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Booked"</th>
                        <th scope="col">"What"</th>
                        <th scope="col" class="table__number">"Amount"</th>
                        <th scope="col" class="table__number">"Balance"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {layout::pager("/credit", statement.next)}
    }
    .into_any()
}

fn entry(entry: &EntryRow) -> AnyView {
    let hour = entry
        .service_hour
        .map(|hour| view! { " for the hour from "{format::moment(hour)} });
    view! {
        <tr>
            <th scope="row">{format::moment(entry.booked_at)}</th>
            <td>{kind(entry.kind)}{hour}</td>
            <td class="table__number">{format::amount(entry.amount, METERED)}</td>
            <td class="table__number">{format::amount(entry.balance, METERED)}</td>
        </tr>
    }
    .into_any()
}

const fn kind(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Grant => "Credit given",
        EntryKind::Usage => "Usage",
        EntryKind::Correction => "Correction of usage",
        EntryKind::Overrun => "Beyond the credit, not charged",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_never_overflows() {
        let ticks = |n| Ticks::new(n).unwrap();
        assert_eq!(percent_left(ticks(1), ticks(0)), 0);
        assert_eq!(percent_left(ticks(999), ticks(1_000)), 99);
        assert_eq!(percent_left(ticks(2_000), ticks(1_000)), 100);
        assert_eq!(percent_left(ticks(-5), ticks(1_000)), 0);
    }
}
