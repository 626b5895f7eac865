//! The page and the JSON of the mail catcher. Everything a mail says is escaped: it is somebody else's text.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, State},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderName, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use super::inbox::{Inbox, Mail, MailFault};

pub(super) fn router(inbox: Arc<Inbox>) -> Router {
    Router::new()
        .route("/", get(list))
        .route("/mails/{id}", get(show))
        .route("/api/mails", get(list_json).delete(clear))
        .route("/api/faults", post(add_fault).delete(clear_faults))
        .with_state(inbox)
}

/// No script, no outside resource, no framing; a link followed from here does not tell where it was found.
const HEADERS: [(HeaderName, &str); 3] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

const STYLE: &str = ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;\
margin:2rem auto;padding:0 1rem}td,th{text-align:start;padding:.25rem 1rem .25rem 0}pre{white-space:pre-wrap;\
overflow-wrap:anywhere}";

fn page(title: &str, main: &str) -> Response {
    let title = escape(title);
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head><body><main>\
         <h1>{title}</h1>{main}</main></body></html>"
    );
    (HEADERS, Html(html)).into_response()
}

async fn list(State(inbox): State<Arc<Inbox>>) -> Response {
    let mails = inbox.all();
    if mails.is_empty() {
        return page(
            "Caught mail",
            "<p>No mail yet. This page shows what the dashboard sends; reload it.</p>",
        );
    }
    let mut rows = String::new();
    for mail in mails.iter().rev() {
        let subject = if mail.subject.is_empty() {
            "(no subject)"
        } else {
            &mail.subject
        };
        // Writing to a string cannot fail.
        let _written = write!(
            rows,
            "<tr><td><a href=\"/mails/{}\">{}</a></td><td>{}</td><td><time datetime=\"{3}\">{3}</time></td></tr>",
            mail.id,
            escape(subject),
            escape(&mail.to.join(", ")),
            mail.received_at,
        );
    }
    let table = format!(
        "<table><thead><tr><th scope=\"col\">Subject</th><th scope=\"col\">To</th>\
         <th scope=\"col\">Received</th></tr></thead><tbody>{rows}</tbody></table>"
    );
    page("Caught mail", &table)
}

async fn show(State(inbox): State<Arc<Inbox>>, Path(id): Path<u64>) -> Response {
    let Some(mail) = inbox.get(id) else {
        return (
            StatusCode::NOT_FOUND,
            page("No such mail", "<p><a href=\"/\">All mail</a></p>"),
        )
            .into_response();
    };
    let main = format!(
        "<p>From {} to {}, <time datetime=\"{2}\">{2}</time></p><pre>{3}</pre><p><a href=\"/\">All mail</a></p>",
        escape(&mail.from),
        escape(&mail.to.join(", ")),
        mail.received_at,
        with_links(&mail.text),
    );
    page(
        if mail.subject.is_empty() {
            "(no subject)"
        } else {
            &mail.subject
        },
        &main,
    )
}

#[derive(Deserialize)]
struct Filter {
    to: Option<String>,
}

async fn list_json(State(inbox): State<Arc<Inbox>>, Query(filter): Query<Filter>) -> Response {
    let mut mails: Vec<Mail> = inbox.all();
    if let Some(to) = filter.to {
        mails.retain(|mail| mail.is_to(&to));
    }
    Json(json!({"mails": mails})).into_response()
}

async fn clear(State(inbox): State<Arc<Inbox>>) -> StatusCode {
    inbox.clear();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    fault: MailFault,
    times: Option<u32>,
}

async fn add_fault(State(inbox): State<Arc<Inbox>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Switch>(&body) {
        Ok(switch) => {
            inbox.fault(switch.fault, switch.times.unwrap_or(1));
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => (
            StatusCode::BAD_REQUEST,
            Json(json!({"error": "invalid", "message": error.to_string()})),
        )
            .into_response(),
    }
}

async fn clear_faults(State(inbox): State<Arc<Inbox>>) -> StatusCode {
    inbox.clear_faults();
    StatusCode::NO_CONTENT
}

fn escape(text: &str) -> String {
    text.chars().fold(
        String::with_capacity(text.len()),
        |mut escaped, character| {
            match character {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '"' => escaped.push_str("&quot;"),
                '\'' => escaped.push_str("&#39;"),
                other => escaped.push(other),
            }
            escaped
        },
    )
}

/// The text, escaped, with its http and https addresses as links.
fn with_links(text: &str) -> String {
    let mut html = String::new();
    let mut rest = text;
    while let Some(start) = ["http://", "https://"]
        .iter()
        .filter_map(|scheme| rest.find(scheme))
        .min()
    {
        let (before, from) = rest.split_at(start);
        let end = from
            .find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\''))
            .unwrap_or(from.len());
        let link = from
            .get(..end)
            .unwrap_or_default()
            .trim_end_matches(['.', ',', ')', ';', '!', '?']);
        html.push_str(&escape(before));
        let link_html = escape(link);
        // Writing to a string cannot fail.
        let _written = write!(
            html,
            "<a href=\"{link_html}\" rel=\"noreferrer\">{link_html}</a>"
        );
        rest = from.get(link.len()..).unwrap_or_default();
    }
    html.push_str(&escape(rest));
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_clickable_and_nothing_else_is_html() {
        assert_eq!(
            with_links("Go <b> to http://127.0.0.1:3000/verify?a=1&b=2. Bye"),
            "Go &lt;b&gt; to <a href=\"http://127.0.0.1:3000/verify?a=1&amp;b=2\" rel=\"noreferrer\">\
             http://127.0.0.1:3000/verify?a=1&amp;b=2</a>. Bye"
        );
        assert_eq!(
            with_links("javascript:alert(1) 'x'"),
            "javascript:alert(1) &#39;x&#39;"
        );
    }
}
