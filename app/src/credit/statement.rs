//! The statement on the credit page: what is not booked yet, then every entry with the balance after it, each leading to
//! what caused it.

use backend::credit::{Asked, Credit};
use backend::ledger::statement::{Cause, EntryKind, EntryRow};
use domain::moment::{HOUR_MS, Moment};
use domain::page;
use leptos::prelude::*;

use super::words::reason;
use crate::frame::format::{self, METERED};
use crate::frame::layout;

/// The statement with its filter and its downloads.
pub fn view(credit: &Credit, statement: page::Page<EntryRow>, asked: &Asked) -> AnyView {
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
    let path = asked.kind.map_or_else(
        || "/credit".to_owned(),
        |kind| format!("/credit?kind={}", kind.as_str()),
    );
    let has_balance = asked.kind.is_none();
    let balance =
        has_balance.then(|| view! { <th scope="col" class="table__number">"Balance"</th> });
    let note = (!has_balance).then(|| view! { <p class="form__note">"Balances are shown where all kinds are listed: they are the sum of all of them."</p> });
    view! {
        <p class="form__note">"Usage is booked hour by hour. What runs right now stands in the first line until its hour is booked."</p>
        {controls(asked.kind)}
        {note}
        <div class="scroll" role="region" tabindex="0" aria-label="List of entries">
            <table class="table" data-table="statement">
                <caption class="sr-only">"Statement, newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Booked"</th>
                        <th scope="col">"What"</th>
                        <th scope="col" class="table__number">"Amount"</th>
                        {balance}
                    </tr>
                </thead>
                <tbody>
                    {pending.into_iter().collect_view()}
                    {statement.rows.iter().map(entry).collect_view()}
                </tbody>
            </table>
        </div>
        {layout::pager(&path, statement.next)}
    }
    .into_any()
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
        left = left.saturating_sub(ticks);
        rows.push(
            view! {
                <tr data-pending="">
                    <th scope="row">"not yet"</th>
                    <td>{what}</td>
                    <td class="table__number">{format::amount(-ticks, METERED)}</td>
                    <td class="table__number">{format::amount(left, METERED)}</td>
                </tr>
            }
            .into_any(),
        );
    }
    rows.reverse();
    rows
}

fn entry(entry: &EntryRow) -> AnyView {
    let balance = entry
        .balance
        .map(|balance| view! { <td class="table__number">{format::amount(balance, METERED)}</td> });
    view! {
        <tr data-entry=entry.kind.as_str()>
            <th scope="row">{format::moment(entry.booked_at)}</th>
            <td>{what(entry)}</td>
            <td class="table__number">{format::amount(entry.amount, METERED)}</td>
            {balance}
        </tr>
    }
    .into_any()
}

fn what(entry: &EntryRow) -> AnyView {
    let name = long(entry.kind);
    match &entry.cause {
        Cause::Hour(hour) => {
            let from = Moment::from(*hour);
            let href = format::intervals_href(from, from.plus_ms(HOUR_MS));
            view! { {name}" for "<a href=href>"the hour from "{format::moment(*hour)}</a> }
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
        EntryKind::Overrun => "Beyond the credit, not charged,",
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
