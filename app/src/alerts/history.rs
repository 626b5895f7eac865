//! The alerts given, newest first: what was said, to whom, and whether it got through; a part of `page`.

use backend::alerts::{DeliveryRow, Told};
use domain::alert::{Alert, Kind};
use domain::page;
use leptos::prelude::*;

use crate::frame::format::{self, Decimals};
use crate::frame::layout;
use crate::frame::table::{self, Head};

/// The list with the way to its next page.
pub fn rows(history: page::Page<Told>) -> AnyView {
    if history.rows.is_empty() {
        return view! { <p>"No alert was given yet."</p> }.into_any();
    }
    let heads = vec![
        Head::name("Alert"),
        Head::plain("Given (UTC)"),
        Head::plain("Expected end"),
        Head::text("Told"),
        Head::main("Left then"),
    ];
    let left = Decimals::of(history.rows.iter().map(|told| told.left));
    let day = |told: &Told| format::day_of(told.raised_at);
    let groups = table::by_day(&history.rows, day, |told| row(told, left));
    (
        table::table("alerts", "Alerts given, newest first", heads, groups, None),
        layout::pager("/alerts", history.next),
    )
        .into_any()
}

fn row(told: &Told, left: Decimals) -> AnyView {
    let whom = if told.deliveries.is_empty() {
        if told.is_covered {
            "not sent: a more urgent one of the same moment was".into_any()
        } else {
            "nobody was on the list".into_any()
        }
    } else {
        let each = told.deliveries.iter().map(|delivery| {
            let whom = match (&delivery.email, delivery.is_webhook) {
                (_, true) => "webhook".to_owned(),
                (Some(email), _) => email.clone(),
                (None, _) => "a recipient removed since".to_owned(),
            };
            view! { <li>{whom}": "{outcome(delivery)}</li> }
        });
        view! { <ul>{each.collect_view()}</ul> }.into_any()
    };
    view! {
        <tr data-alert=told.alert.kind.as_str() data-threshold=told.alert.threshold.to_string()>
            {table::name(name(told.alert), None)}
            {table::plain("Given", format::clock(told.raised_at))}
            {table::plain("Expected end", format::moment_or(told.zero_at, "none in sight"))}
            {table::prose("Told", whom)}
            {table::main(left.amount(told.left))}
        </tr>
    }
    .into_any()
}

fn name(alert: Alert) -> String {
    let threshold = alert.threshold;
    match alert.kind {
        Kind::CreditPercent => format!("{threshold} % of the credit used"),
        Kind::CreditHours => format!("Credit ends within {threshold} h"),
        Kind::LimitPercent => format!("{threshold} % of the limit spent"),
        Kind::LimitHours => format!("Limit reached within {threshold} h"),
    }
}

/// Whether a delivery got through.
pub fn outcome(delivery: &DeliveryRow) -> AnyView {
    let class = delivery.last_failure.as_deref().map(failure);
    match (delivery.delivered_at, delivery.given_up_at, class) {
        (Some(at), _, _) => view! { "got through "{format::moment(at)} }.into_any(),
        (None, Some(at), class) => {
            view! { <span class="badge badge--broken">"given up"</span>" "{format::moment(at)}": "{class} }.into_any()
        }
        (None, None, Some(class)) => {
            view! { <span class="badge badge--soon">"trying again"</span>" "{class} }.into_any()
        }
        (None, None, None) => "on its way".into_any(),
    }
}

/// A class of failure in words; classes are ours, never a text of a peer.
pub fn failure(class: &str) -> String {
    match class {
        // "not_public" stands in old rows; which of the two it was is nobody's to know.
        "unreachable" | "not_public" => {
            "no answer from it on the public internet within ten seconds".to_owned()
        }
        "mail_server_away" => "our mail server does not answer".to_owned(),
        "mail_put_off" => "the mail server of the address put it off".to_owned(),
        "undeliverable" => "the address takes no mail".to_owned(),
        "unwanted" => "whoever has the address refused mail of this kind".to_owned(),
        "mail_refused" => "the mail was refused on its way".to_owned(),
        "recipient_removed" => "the recipient was removed before".to_owned(),
        "webhook_removed" => "the webhook was removed before".to_owned(),
        other => other.strip_prefix("status_").map_or_else(
            || "unknown".to_owned(),
            |status| format!("it answered {status}"),
        ),
    }
}
