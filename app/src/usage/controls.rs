//! The line of controls: a plain GET form whose state is the address, each refusal beside its control, and the filters
//! that are on with the way to take each off.

use domain::usage::UsageProblem;
use domain::usage::breakdown::Facet;
use domain::usage::query::{Group, Metric, Only, Query, Range, date_of, date_word};
use leptos::prelude::*;

use crate::action::problem::Words as _;
use crate::chart::value::{facet_name, group_name, metric_name};
use crate::frame::format;

/// What was typed into the free fields, kept as it is when it makes no sense.
pub(super) struct Typed {
    from: String,
    to: String,
    zone: String,
}

impl Typed {
    pub fn of(get: impl Fn(&str) -> Option<String>) -> Self {
        let kept = |name| get(name).unwrap_or_default().chars().take(64).collect();
        Self {
            from: kept("from"),
            to: kept("to"),
            zone: kept("zone"),
        }
    }
}

/// Zones to choose from without knowing a name; any other IANA name can be typed.
const ZONES: [&str; 24] = [
    "UTC",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Toronto",
    "Asia/Dubai",
    "Asia/Hong_Kong",
    "Asia/Kolkata",
    "Asia/Seoul",
    "Asia/Shanghai",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Europe/Amsterdam",
    "Europe/Berlin",
    "Europe/Kyiv",
    "Europe/Lisbon",
    "Europe/London",
    "Europe/Madrid",
    "Europe/Paris",
    "Europe/Warsaw",
    "Pacific/Auckland",
];

pub(super) fn form(query: &Query, typed: &Typed, problems: &[UsageProblem]) -> AnyView {
    let ranges = Range::WORDS.map(|word| (word, range_name(word)));
    let metrics = Metric::ALL
        .iter()
        .map(|metric| (metric.as_str(), metric_name(*metric)));
    let groups = Group::ALL
        .iter()
        .map(|group| (group.as_str(), group_name(*group)));
    let (from, to) = match query.range {
        Range::Own { from, to } => (date_word(from), date_word(to)),
        _ => (typed.from.clone(), typed.to.clone()),
    };
    let zone = if typed.zone.is_empty() {
        query.zone.as_str().to_owned()
    } else {
        typed.zone.clone()
    };
    let zones = ZONES.map(|zone| view! { <option value=zone></option> });
    let hidden = Query {
        only: query.only.clone(),
        ..Query::default()
    };
    let hidden = hidden
        .pairs()
        .into_iter()
        .filter(|(name, _)| *name != "range");
    let hidden = hidden.map(|(name, word)| view! { <input type="hidden" name=name value=word/> });
    let fields = view! {
        <form class="query" method="get" action="/usage">
            {hidden.collect_view()}
            {select("range", "Range", query.range.as_str(), ranges, problems)}
            {input("from", "First day", date_kind(&from), from, problems)}
            {input("to", "Last day", date_kind(&to), to, problems)}
            {select("metric", "Show", query.metric.as_str(), metrics, problems)}
            {select("group", "Group by", query.group.as_str(), groups, problems)}
            {input("zone", "Time zone", "text", zone, problems)}
            <datalist id="zones">{zones.collect_view()}</datalist>
            <div class="query__choice">
                <input type="checkbox" id="hide_zero" name="hide_zero" value="yes" checked=query.hide_zero/>
                <label for="hide_zero">"Hide zero"</label>
            </div>
            <button class="button query__show">"Show"</button>
            {about_all(problems)}
        </form>
    };
    // What was refused must be seen, so nothing is folded over it.
    let open = !problems.is_empty();
    view! {
        <details class="fold" open=open>
            <summary>{in_a_line(query)}<span class="fold__change">"Change"</span></summary>
            {fields}
        </details>
    }
    .into_any()
}

/// What is shown, in the line that the controls fold into.
fn in_a_line(query: &Query) -> String {
    let range = match query.range {
        Range::Own { from, to } => format!("{} to {}", date_word(from), date_word(to)),
        range => range_name(range.as_str()).to_lowercase(),
    };
    let mut said = vec![metric_name(query.metric).to_owned(), range];
    if query.group != Group::None {
        said.push(format!("by {}", group_name(query.group).to_lowercase()));
    }
    if !query.zone.is_utc() {
        said.push(query.zone.as_str().to_owned());
    }
    said.join(" · ")
}

const fn range_name(word: &str) -> &'static str {
    match word.as_bytes() {
        b"24h" => "24 hours",
        b"7d" => "7 days",
        b"30d" => "30 days",
        b"this-month" => "This month",
        b"last-month" => "Last month",
        _ => "Own days",
    }
}

fn select(
    name: &'static str,
    label: &'static str,
    current: &'static str,
    options: impl IntoIterator<Item = (&'static str, &'static str)>,
    problems: &[UsageProblem],
) -> AnyView {
    let options = options.into_iter().map(|(word, text)| {
        view! { <option value=word selected=word == current>{text}</option> }
    });
    let options = options.collect_view();
    let (invalid, described, error) = refused(name, problems);
    view! {
        <div class="query__field">
            <label class="query__label" for=name>{label}</label>
            <select class="query__control" id=name name=name aria-invalid=invalid aria-describedby=described>{options}</select>
            {error}
        </div>
    }
    .into_any()
}

fn input(
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    value: String,
    problems: &[UsageProblem],
) -> AnyView {
    let (invalid, described, error) = refused(name, problems);
    let list = (name == "zone").then_some("zones");
    view! {
        <div class="query__field">
            <label class="query__label" for=name>{label}</label>
            <input class="query__control" id=name name=name type=kind value=value list=list autocomplete="off" spellcheck="false" aria-invalid=invalid aria-describedby=described/>
            {error}
        </div>
    }
    .into_any()
}

/// A date field drops what is no date, so what was typed wrong is shown as text.
fn date_kind(typed: &str) -> &'static str {
    let is_date = typed.is_empty() || date_of(typed).is_some();
    if is_date { "date" } else { "text" }
}

type Refused = (Option<&'static str>, Option<String>, Option<AnyView>);

/// What to mark a control with when its word makes no sense.
fn refused(name: &'static str, problems: &[UsageProblem]) -> Refused {
    let mut said = problems.iter().map(|problem| problem.problem());
    let Some(problem) = said.find(|problem| problem.field.as_deref() == Some(name)) else {
        return (None, None, None);
    };
    let id = format!("{name}-error");
    let error = view! { <p class="query__error" id=id.clone()><span class="sr-only">"Error: "</span>{problem.text}</p> };
    (Some("true"), Some(id), Some(error.into_any()))
}

/// What belongs to no single control.
fn about_all(problems: &[UsageProblem]) -> AnyView {
    let said = problems.iter().map(|problem| problem.problem());
    let said = said.filter(|problem| problem.field.is_none());
    let said =
        said.map(|problem| view! { <p class="query__error" role="alert">{problem.text}</p> });
    said.collect_view().into_any()
}

/// What only is counted, each with a link that takes it off.
pub(super) fn filters(query: &Query, key: Option<&Facet>) -> Option<AnyView> {
    if query.only.is_all() {
        return None;
    }
    let only = &query.only;
    let without = |change: fn(&mut Only)| {
        let mut query = query.clone();
        change(&mut query.only);
        query.bar = None;
        query.address("/usage")
    };
    let mut on: Vec<(&'static str, String, String)> = Vec::new();
    if only.key.is_some() {
        let name = key.map_or_else(|| "unknown".to_owned(), facet_name);
        on.push(("key", name, without(|only| only.key = None)));
    }
    if let Some(size) = only.size {
        on.push(("size", format::size(size), without(|only| only.size = None)));
    }
    if let Some(image) = &only.image {
        on.push(("image", image.clone(), without(|only| only.image = None)));
    }
    if let Some(region) = &only.region {
        on.push(("region", region.clone(), without(|only| only.region = None)));
    }
    if let Some(id) = &only.sandbox {
        on.push((
            "sandbox",
            id.to_string(),
            without(|only| only.sandbox = None),
        ));
    }
    let on = on.into_iter().map(|(what, name, href)| {
        let about = format!(" the filter on this {what}");
        view! { <li>"Only "{what}" "<b>{name}</b>" "<a href=href>"Remove"<span class="sr-only">{about}</span></a></li> }
    });
    Some(view! { <ul class="filters" aria-label="Filters">{on.collect_view()}</ul> }.into_any())
}
