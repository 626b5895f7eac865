//! The alerts given, newest first: what was said, to whom, and whether it got through; a part of `page`.

use backend::alerts::{DeliveryRow, Told};
use domain::alert::{Alert, Kind};
use domain::page;
use leptos::prelude::*;

use crate::frame::format::{self, METERED};
use crate::frame::layout;

/// The list with the way to its next page.
pub fn rows(history: page::Page<Told>) -> AnyView {
    if history.rows.is_empty() {
        return view! { <p>"No alert was given yet."</p> }.into_any();
    }
    let rows = history.rows.iter().map(row).collect_view();
    view! {
        <div class="scroll" role="region" tabindex="0" aria-label="List of alerts given">
            <table class="table">
                <caption class="sr-only">"Alerts given, newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Given"</th>
                        <th scope="col">"Alert"</th>
                        <th scope="col">"Expected end"</th>
                        <th scope="col">"Told"</th>
                        <th scope="col" class="table__number">"Left then"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {layout::pager("/alerts", history.next)}
    }
    .into_any()
}

fn row(told: &Told) -> AnyView {
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
            <th scope="row">{format::moment(told.raised_at)}</th>
            <td>{name(told.alert)}</td>
            <td>{format::moment_or(told.zero_at, "none in sight")}</td>
            <td class="table__prose">{whom}</td>
            <td class="table__number">{format::amount(told.left, METERED)}</td>
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
        "unreachable" => "no connection, or no answer within ten seconds".to_owned(),
        "not_public" => "the address is not on the public internet".to_owned(),
        "mail_server_away" => "the mail server does not answer".to_owned(),
        "mail_refused" => "the mail server refuses the address".to_owned(),
        "recipient_removed" => "the recipient was removed before".to_owned(),
        "webhook_removed" => "the webhook was removed before".to_owned(),
        other => other.strip_prefix("status_").map_or_else(
            || "unknown".to_owned(),
            |status| format!("it answered {status}"),
        ),
    }
}
