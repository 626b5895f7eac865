//! Limit and alerts: what ends the spending, who is told before it does, and by which ways, one line each. Webhook and
//! calendar draw themselves in `ways`, recipients in `recipients`; what was told stands in `history`.

use backend::alerts::{self, Alerts};
use domain::act::Act;
use domain::alert::{HOURS, PERCENTS, Wanted};
use domain::forecast::Cause;
use domain::money::Ticks;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{history, recipients, ways};
use crate::frame::form::{Field, FormState, PostForm, submit};
use crate::frame::format::{self, CENTS};
use crate::frame::layout::{self, Page, Place, Stop, Visit};
use crate::frame::setting::{Setting, settings};

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
    let lines = vec![
        limit(&page, may_change, &state),
        thresholds(&page, may_change),
        recipients::setting(&page.recipients, may_change, &state),
        ways::webhook(page.webhook.as_ref(), may_change, &state),
        ways::calendar(&page, visit.view.actor().is_offered(Act::CalendarCreate)),
    ];
    let body = view! {
        {layout::feed_notice(&page.feed)}
        <section class="section" aria-label="Spending">{figures(&page)}</section>
        {settings(lines, visit.flash.as_ref(), &state)}
        <section class="section" aria-labelledby="history">
            <h2 id="history">"Alerts given"</h2>
            {history::rows(page.history)}
        </section>
        {layout::as_of(&page.feed)}
    };
    Ok(Page::of_form("Limit and alerts", &state, body.into_any()))
}

fn figures(page: &Alerts) -> AnyView {
    let of = page.limit.map_or_else(
        || "no limit is set".into_any(),
        |limit| {
            let limit = format::amount(Ticks::from_cents(limit), CENTS);
            view! { "of "{limit}" a month" }.into_any()
        },
    );
    let end = page.forecast.and_then(|forecast| forecast.zero);
    let end = end.map(|(at, cause)| {
        let what = end_words(cause, at <= page.feed.as_of);
        view! {
            <div class="figure">
                <p class="figure__value" data-figure="end">{format::moment(at)}</p>
                <p class="figure__note">{what}</p>
            </div>
        }
    });
    view! {
        <div class="figures">
            <div class="figure">
                <p class="figure__value" data-figure="spent">{format::headline(page.spent)}</p>
                <p class="figure__note">"spent this month, "{of}</p>
            </div>
            {end}
        </div>
    }
    .into_any()
}

/// What happens at the end, or has happened.
const fn end_words(cause: Cause, is_past: bool) -> &'static str {
    match (cause, is_past) {
        (Cause::Credit, false) => "credit ends, at this pace",
        (Cause::Limit, false) => "limit is reached, at this pace",
        (Cause::Credit, true) => "credit is empty since then, so nothing runs",
        (Cause::Limit, true) => "limit is reached since then, so nothing runs",
    }
}

fn limit(page: &Alerts, may_change: bool, state: &FormState) -> Setting {
    let now = page.limit.map_or_else(
        || "None".into_any(),
        |limit| {
            let limit = format::amount(Ticks::from_cents(limit), CENTS);
            view! { {limit}" a month" }.into_any()
        },
    );
    let forms = may_change.then(|| limit_forms(page, state));
    let body = view! {
        <p class="form__note">
            "When the limit is reached, running sandboxes hibernate at that second and new ones are refused. It counts from zero again on "
            {format::moment(page.resets_at)}", or goes on at once when it is raised."
        </p>
        {forms}
    };
    Setting {
        id: "limit",
        title: "Monthly limit",
        state: now,
        verb: verb(may_change),
        fields: &["monthly"],
        body: body.into_any(),
    }
}

/// What a line is opened for.
pub(super) const fn verb(may_change: bool) -> &'static str {
    if may_change { "Change" } else { "Show" }
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
            <PostForm act=Act::LimitRemove>
                <button class="button">"Remove the limit"</button>
            </PostForm>
        }
    });
    view! {
        <PostForm act=Act::LimitSet class="form">
            {monthly.draw(state)}
            <div class="form__actions">{submit("Set the limit")}</div>
        </PostForm>
        {remove}
    }
    .into_any()
}

fn thresholds(page: &Alerts, may_change: bool) -> Setting {
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
            <PostForm act=Act::AlertsChoose class="form">
                {choices}
                <div class="form__actions">{submit("Save alerts")}</div>
            </PostForm>
        }
        .into_any()
    } else {
        view! { <div class="form">{choices}</div> }.into_any()
    };
    let body = view! {
        <p class="form__note">"For the credit since the last grant, and for the monthly limit. Each is given once: per grant for the credit, per month for the limit. Several at once are one message, the most urgent."</p>
        {choices}
    };
    Setting {
        id: "thresholds",
        title: "When alerts are given",
        state: chosen(&page.wanted).into_any(),
        verb: verb(may_change),
        fields: &[],
        body: body.into_any(),
    }
}

/// Such as `at 50, 80 and 100 %, 24 and 1 h before the end`.
fn chosen(wanted: &Wanted) -> String {
    let percents = list(&wanted.percents, " %");
    let hours = list(&wanted.hours, " h before the end");
    match (percents.is_empty(), hours.is_empty()) {
        (true, true) => "Never".to_owned(),
        (false, true) => format!("At {percents}"),
        (true, false) => hours,
        (false, false) => format!("At {percents}, {hours}"),
    }
}

/// Numbers as a sentence has them, with their unit behind the last; nothing for none.
fn list(numbers: &[i32], unit: &str) -> String {
    let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => format!("{last}{unit}"),
        Some((last, before)) => format!("{} and {last}{unit}", before.join(", ")),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_is_a_few_words() {
        let wanted = |percents: &[i32], hours: &[i32]| Wanted {
            percents: percents.to_vec(),
            hours: hours.to_vec(),
        };
        assert_eq!(chosen(&wanted(&[], &[])), "Never");
        assert_eq!(chosen(&wanted(&[80], &[])), "At 80 %");
        assert_eq!(chosen(&wanted(&[], &[24])), "24 h before the end");
        assert_eq!(
            chosen(&wanted(&PERCENTS, &HOURS)),
            "At 50, 80, 95 and 100 %, 24 and 1 h before the end"
        );
    }

    #[test]
    fn what_has_happened_is_not_said_as_if_it_would() {
        for cause in [Cause::Credit, Cause::Limit] {
            assert!(end_words(cause, false).ends_with("at this pace"));
            assert!(!end_words(cause, true).contains("pace"));
        }
    }
}
