//! The usage page as CSV and JSON: one row per bucket and series, every exact sum, and the metric in decimals.
//! Numbers are text where they are larger than a spreadsheet or a JSON reader holds exactly.

use app::chart::value::facet_name;
use axum::extract::{Request, State};
use axum::response::Response;
use backend::Backend;
use backend::failure::Broken;
use backend::usage::{self, Usage};
use domain::usage::breakdown::{Amounts, Facet};
use domain::usage::query::{Metric, Query, instant_word, size_word};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::form_urlencoded;

use super::Asked;
use super::csv::line;
use crate::http::edge::Edge;

const HEAD: [&str; 13] = [
    "start_utc",
    "end_utc",
    "start_local",
    "zone",
    "group",
    "series",
    "name",
    "sandbox_ms",
    "vcpu_ms",
    "mib_ms",
    "ticks",
    "dollars",
    "value",
];

/// `/usage.csv`
pub async fn csv(State((edge, backend)): State<(Edge, Backend)>, request: Request) -> Response {
    let read = read(&backend, Asked::of(&request)).await;
    let file = read.map(|usage| usage.map(|usage| to_csv(&usage)));
    let named = (
        "text/csv; charset=utf-8",
        "attachment; filename=\"usage.csv\"",
    );
    super::answer(&edge, &request, file, named)
}

/// `/usage.json`
pub async fn json(State((edge, backend)): State<(Edge, Backend)>, request: Request) -> Response {
    let read = read(&backend, Asked::of(&request)).await;
    let file = read.map(|usage| usage.map(|usage| to_json(&usage).to_string()));
    let named = ("application/json", "attachment; filename=\"usage.json\"");
    super::answer(&edge, &request, file, named)
}

/// What the page of the same address shows.
async fn read(backend: &Backend, asked: Asked) -> Result<Option<Usage>, Broken> {
    let Some(actor) = asked.actor(backend).await? else {
        return Ok(None);
    };
    let words = form_urlencoded::parse(asked.words.as_bytes());
    let words: Vec<(String, String)> = words.into_owned().take(50).collect();
    let (query, _) = Query::parse(|name| {
        let found = words.iter().find(|(known, _)| known == name);
        found.map(|(_, word)| word.clone())
    });
    usage::read(&mut actor.view(backend).await?, &query)
        .await
        .map(Some)
}

/// The machine's word for a series: an id, a size such as `2x4096`, an image.
fn series_word(facet: &Facet) -> String {
    match facet {
        Facet::All => "all".to_owned(),
        Facet::Key(id, _) => id.map_or_else(|| "none".to_owned(), |id| id.to_string()),
        Facet::Size(size) => size_word(*size),
        Facet::Image(text) | Facet::Region(text) => text.clone(),
        Facet::Sandbox(id) => id.to_string(),
        Facet::Other => "other".to_owned(),
    }
}

/// A raw value in its unit with twelve decimals, cut.
fn decimal(metric: Metric, raw: i128, elapsed_ms: i64) -> String {
    let whole = metric.whole(elapsed_ms);
    if whole <= 0 {
        return "0.000000000000".to_owned();
    }
    let (units, mut rest) = (raw / whole, raw % whole);
    let mut text = format!("{units}.");
    for _ in 0..12 {
        rest *= 10;
        text.push_str(&(rest / whole).to_string());
        rest %= whole;
    }
    text
}

/// Every figure of a cell, in the order of the columns.
fn figures(metric: Metric, cell: &Amounts, elapsed_ms: i64) -> [String; 6] {
    [
        cell.ms.to_string(),
        cell.vcpu_ms.to_string(),
        cell.mib_ms.to_string(),
        cell.ticks.to_string(),
        decimal(Metric::Cost, cell.ticks.get(), 0),
        decimal(metric, cell.raw(metric), elapsed_ms),
    ]
}

fn local(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

fn to_csv(usage: &Usage) -> String {
    let (breakdown, query) = (&usage.breakdown, &usage.query);
    let mut out = String::new();
    line(&mut out, HEAD);
    for (index, bucket) in breakdown.grid.buckets.iter().enumerate() {
        let row = breakdown.cells.get(index).map_or(&[][..], Vec::as_slice);
        for (facet, cell) in breakdown.series.iter().zip(row) {
            let times = [
                instant_word(bucket.start),
                instant_word(bucket.end),
                local(bucket.local),
                query.zone.as_str().to_owned(),
                query.group.as_str().to_owned(),
                series_word(facet),
                facet_name(facet),
            ];
            let figures = figures(breakdown.metric, cell, breakdown.elapsed_ms(index));
            line(&mut out, times.iter().chain(&figures).map(String::as_str));
        }
    }
    out
}

fn to_json(usage: &Usage) -> Value {
    let (breakdown, query) = (&usage.breakdown, &usage.query);
    let cell = |cell: &Amounts, elapsed_ms: i64| {
        let [sandbox_ms, vcpu_ms, mib_ms, ticks, dollars, value] =
            figures(breakdown.metric, cell, elapsed_ms);
        json!({ "sandbox_ms": sandbox_ms, "vcpu_ms": vcpu_ms, "mib_ms": mib_ms, "ticks": ticks, "dollars": dollars, "value": value })
    };
    let series = breakdown.series.iter();
    let series: Vec<Value> = series
        .map(|facet| json!({ "series": series_word(facet), "name": facet_name(facet) }))
        .collect();
    let buckets = breakdown.grid.buckets.iter().enumerate();
    let buckets: Vec<Value> = buckets
        .map(|(index, bucket)| {
            let elapsed = breakdown.elapsed_ms(index);
            let row = breakdown.cells.get(index).map_or(&[][..], Vec::as_slice);
            let cells: Vec<Value> = row.iter().map(|each| cell(each, elapsed)).collect();
            json!({
                "start": instant_word(bucket.start), "end": instant_word(bucket.end), "start_local": local(bucket.local),
                "cells": cells, "total": cell(&breakdown.bucket(index), elapsed),
            })
        })
        .collect();
    json!({
        "range": query.range.as_str(), "metric": query.metric.as_str(), "group": query.group.as_str(),
        "zone": query.zone.as_str(), "as_of": local(usage.feed.as_of), "series": series, "buckets": buckets,
        "total": cell(&breakdown.total(), breakdown.elapsed_in_all_ms()),
    })
}

#[cfg(test)]
mod tests {
    use domain::money::TICKS_PER_DOLLAR;

    use super::*;

    #[test]
    fn decimals_are_cut_after_twelve_places() {
        assert_eq!(
            decimal(Metric::Cost, TICKS_PER_DOLLAR / 3, 0),
            "0.333333333333"
        );
        assert_eq!(
            decimal(Metric::SandboxHours, 5_400_000, 0),
            "1.500000000000"
        );
        assert_eq!(decimal(Metric::Concurrency, 1, 0), "0.000000000000");
    }
}
