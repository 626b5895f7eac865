//! The statement on the credit page: what is not booked yet, then every entry with the balance after it, each leading to
//! what caused it.

use backend::credit::{Asked, Credit};
use backend::ledger::statement::days::{Day, Days, Line};
use backend::ledger::statement::{Cause, EntryKind, EntryRow};
use domain::moment::{HOUR_MS, Moment};
use domain::money::Ticks;
use domain::shown;
use leptos::prelude::*;
use time::Date;

use super::words::reason;
use crate::frame::format::{self, METERED};
use crate::frame::layout;
use crate::frame::table::{self, Group, Head};

/// The statement with its filter and its downloads. The hours of `open` are listed; every other day is a line.
pub fn view(credit: &Credit, statement: Days, asked: &Asked, open: Option<Date>) -> AnyView {
    let is_first = asked.cursor.is_none() && asked.kind.is_none();
    let pending = if is_first {
        pending(credit)
    } else {
        Vec::new()
    };
    if statement.rows.is_empty() && pending.is_empty() {
        let text = match asked.kind {
            None => "Nothing is booked yet.",
            Some(_) => "Nothing of this kind is booked.",
        };
        return view! { {controls(asked.kind)} <p>{text}</p> }.into_any();
    }
    let path = address(asked.kind, None);
    let page = address(asked.kind, asked.cursor.as_deref());
    let has_balance = asked.kind.is_none();
    let mut heads = vec![
        Head::name("What"),
        Head::plain("Booked (UTC)"),
        Head::main("Amount"),
    ];
    if has_balance {
        heads.push(Head::figure("Balance"));
    }
    let mut groups = Vec::new();
    if !pending.is_empty() {
        groups.push(table::group(
            "Not booked yet",
            pending.into_iter().collect_view(),
        ));
    }
    groups.extend(statement.rows.iter().map(|day| group(day, open, &page)));
    let note = (!has_balance).then(|| view! { <p class="form__note">"Balances are shown where all kinds are listed: they are the sum of all of them."</p> });
    view! {
        <p class="form__note">"Usage is booked hour by hour and stands below the day it ran on. What runs right now stands in the first line until its hour is booked."</p>
        {controls(asked.kind)}
        {note}
        {table::table("statement", "Statement, newest first", heads, groups, None)}
        {layout::pager(&path, statement.next)}
    }
    .into_any()
}

/// Where a page of the statement is.
fn address(kind: Option<EntryKind>, cursor: Option<&str>) -> String {
    let words = [("kind", kind.map(EntryKind::as_str)), ("after", cursor)];
    let words = words
        .into_iter()
        .filter_map(|(name, word)| Some(format!("{name}={}", word?)));
    let words: Vec<String> = words.collect();
    if words.is_empty() {
        "/credit".to_owned()
    } else {
        format!("/credit?{}", words.join("&"))
    }
}

/// The lines of a day, with its hours where it is open. A day that is one line has its name in it.
fn group(day: &Day, open: Option<Date>, page: &str) -> Group {
    let is_open = open == Some(day.date);
    let name = format::date(day.date);
    let id = format!("day-{}", day.date);
    let named = view! { <span id=id>{name}</span> };
    if let [line] = day.lines.as_slice()
        && !is_open
        && line.entries.len() > 1
    {
        let what = hours_of(line, day.date, page);
        return table::unnamed(folded(line, table::name(named, Some(what))));
    }
    let lines = day.lines.iter().map(|line| {
        if is_open || line.entries.len() == 1 {
            hours(line).into_any()
        } else {
            folded(line, table::name(hours_of(line, day.date, page), None))
        }
    });
    table::group(named, lines.collect_view())
}

/// `Usage of 12 hours`, which opens to them.
fn hours_of(line: &Line, date: Date, page: &str) -> AnyView {
    let joint = if page.contains('?') { '&' } else { '?' };
    let href = format!("{page}{joint}day={date}#day-{date}");
    let count = line.entries.len();
    let day = format!(" on {}", format::date(date));
    view! { {long(line.kind())}" of "<a href=href>{format!("{count} hours")}<span class="sr-only">{day}</span></a> }
    .into_any()
}

/// Several hours as one line.
fn folded(line: &Line, name: AnyView) -> AnyView {
    let (from, until) = (line.entries.last(), line.entries.first());
    let booked = from.zip(until).map(|(from, until)| {
        view! { {format::clock(from.booked_at)}" to "{format::clock(until.booked_at)} }
    });
    let before = line
        .balance()
        .map(|balance| balance.saturating_sub(line.amount()));
    let amount = between(line.amount(), line.balance().zip(before));
    view! {
        <tr data-entry=line.kind().as_str() data-entries=line.entries.len().to_string()>
            {name}
            {table::plain("Booked", booked)}
            {table::main(amount)}
            {left_after(line.balance())}
        </tr>
    }
    .into_any()
}

/// Each entry of a line. Without balances they are rounded so that they add up to their sum.
fn hours(line: &Line) -> impl IntoView + use<> {
    let exact: Vec<Vec<i128>> = line
        .entries
        .iter()
        .map(|entry| vec![entry.amount.abs().get()])
        .collect();
    let together = shown::add_up(&exact, shown::unit(METERED));
    let entries = line.entries.iter().zip(together.rows);
    entries.map(|(row, units)| entry(row, units)).collect_view()
}

fn entry(entry: &EntryRow, units: i128) -> AnyView {
    let amount = match entry.balance {
        Some(after) => between(
            entry.amount,
            Some((after, after.saturating_sub(entry.amount))),
        ),
        None => {
            let shown = Ticks::new(units.saturating_mul(shown::unit(METERED))).unwrap_or_default();
            let sign = if entry.amount < Ticks::ZERO { "-" } else { "" };
            format::figure(entry.amount, format!("{sign}{}", shown.dollars(METERED)))
        }
    };
    view! {
        <tr data-entry=entry.kind.as_str()>
            {table::name(view! { {what(entry)}{not_charged(entry.not_charged)} }, None)}
            {table::plain("Booked", format::clock(entry.booked_at))}
            {table::main(amount)}
            {left_after(entry.balance)}
        </tr>
    }
    .into_any()
}

/// An amount as the difference of the two balances beside it, so that what is shown adds up however often it is rounded.
fn between(amount: Ticks, balances: Option<(Ticks, Ticks)>) -> AnyView {
    let Some((after, before)) = balances else {
        return format::amount(amount, METERED);
    };
    format::figure(amount, shown::difference(after, before, METERED))
}

fn left_after(ticks: Option<Ticks>) -> Option<AnyView> {
    ticks.map(|ticks| table::number("Balance", format::amount(ticks, METERED)))
}

fn controls(current: Option<EntryKind>) -> AnyView {
    let kinds = std::iter::once(None).chain(EntryKind::ALL.into_iter().map(Some));
    let links = kinds.map(|kind| {
        let href = kind.map_or_else(
            || "/credit#statement".to_owned(),
            |kind| format!("/credit?kind={}#statement", kind.as_str()),
        );
        let name = kind.map_or("All", short);
        let here = (kind == current).then_some("page");
        view! { <a href=href aria-current=here>{name}</a> }
    });
    let query = current.map_or_else(String::new, |kind| format!("?kind={}", kind.as_str()));
    view! {
        <nav class="controls" aria-label="Kind of entry">
            <div class="controls__set">{links.collect_view()}</div>
            <span>
                <a href=format!("/credit/statement.csv{query}")>"CSV"</a>
                " · "
                <a href=format!("/credit/statement.json{query}")>"JSON"</a>
            </span>
        </nav>
    }
    .into_any()
}

/// What stands between the books and the credit left, newest first: with it, the top balance is the credit left.
fn pending(credit: &Credit) -> Vec<AnyView> {
    let balance = &credit.balance;
    let lines = [
        (
            balance.unbooked,
            view! { "Running now, not booked yet: "<a href="/sandboxes?state=running">"sandboxes"</a> }.into_any(),
        ),
        (
            balance.ended,
            view! { "Credit that has ended, not booked yet: "<a href="#grants">"grants"</a> }.into_any(),
        ),
        (
            balance.waiting,
            view! { "Credit that starts later: "<a href="#grants">"grants"</a> }.into_any(),
        ),
    ];
    let mut left = balance.booked;
    let mut rows = Vec::new();
    for (ticks, what) in lines {
        if !ticks.is_positive() {
            continue;
        }
        let before = left;
        left = left.saturating_sub(ticks);
        rows.push(
            view! {
                <tr data-pending="">
                    {table::name(what, None)}
                    {table::plain("", "not yet")}
                    {table::main(between(-ticks, Some((left, before))))}
                    {left_after(Some(left))}
                </tr>
            }
            .into_any(),
        );
    }
    rows.reverse();
    rows
}

fn what(entry: &EntryRow) -> AnyView {
    let name = long(entry.kind);
    match &entry.cause {
        Cause::Hour(hour) => {
            let from = Moment::from(*hour);
            let href = format::intervals_href(from, from.plus_ms(HOUR_MS));
            view! { {name}" for "<a href=href>"the hour from "{format::clock(*hour)}</a> }
                .into_any()
        }
        Cause::Grant(id, why) => {
            let href = format!("#grant-{id}");
            view! { {name}": "<a href=href>{reason(*why)}</a> }.into_any()
        }
        Cause::Incident(sandbox_id) => {
            let href = format!("/sandboxes/{sandbox_id}#incidents");
            view! { {name}": incident of "<a href=href><code>{sandbox_id.to_string()}</code></a> }
                .into_any()
        }
        Cause::Unknown => name.into_any(),
    }
}

/// What a line that moves no balance is about.
fn not_charged(ticks: Ticks) -> Option<AnyView> {
    let words = if ticks.is_positive() {
        "not charged"
    } else {
        "of what was not charged taken back"
    };
    let amount = || format::amount(ticks.abs(), METERED);
    (ticks != Ticks::ZERO)
        .then(|| view! { ": "<span data-not-charged="">{amount()}" "{words}</span> }.into_any())
}

const fn short(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Grant => "Given",
        EntryKind::Usage => "Usage",
        EntryKind::Correction => "Corrections",
        EntryKind::Overrun => "Not charged",
        EntryKind::Expiry => "Expired",
    }
}

const fn long(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Grant => "Credit given",
        EntryKind::Usage => "Usage",
        EntryKind::Correction => "Correction of usage",
        EntryKind::Overrun => "Beyond the credit",
        EntryKind::Expiry => "Credit ended unused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_words() {
        let mut words: Vec<_> = EntryKind::ALL
            .iter()
            .flat_map(|kind| [short(*kind), long(*kind)])
            .collect();
        words.sort_unstable();
        words.dedup();
        // "Usage" is both.
        assert_eq!(words.len(), 2 * EntryKind::ALL.len() - 1);
    }
}
