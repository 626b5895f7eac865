//! Why a bucket is as tall as it is: the same weekday a week before, and the largest differences as plain sums.

use backend::usage::Usage;
use backend::usage::reasons::{Difference, Reasons};
use domain::usage::query::{Group, Metric, Query, Window};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::facet::facet_link;
use crate::chart::value::{bucket_name, exact, group_name, signed, text, value};
use crate::frame::format;
use crate::frame::table::{self, Head};

/// The section of a chosen bucket.
pub(super) fn view(usage: &Usage, reasons: &Reasons) -> Option<AnyView> {
    let breakdown = &usage.breakdown;
    let (query, metric) = (&usage.query, breakdown.metric);
    let bucket = breakdown.grid.buckets.get(reasons.index)?;
    let name = bucket_name(&breakdown.grid, bucket);
    let elapsed = breakdown.elapsed_ms(reasons.index);
    let length = reasons.before.1.since_ms(reasons.before.0);
    let (now, before) = (breakdown.bucket(reasons.index), reasons.total_before);
    let so_far = (elapsed < bucket.end.since_ms(bucket.start)).then_some(" so far");
    let difference = now.raw(metric) - before.raw(metric);
    let difference = (metric != Metric::Concurrency)
        .then(|| view! { <dt>"Difference"</dt><dd>{exact(metric, difference, signed(metric, difference, elapsed))}</dd> });
    let window = Window {
        from: bucket.start,
        until: bucket.end,
        only: query.only.clone(),
    };
    let intervals = window.address("/usage/intervals");
    let lists = reasons
        .by
        .iter()
        .map(|(group, list)| differences((query, &name), *group, list.as_deref(), elapsed));
    let lists = lists.collect_view();
    Some(
        view! {
            <section class="section" id="why" aria-labelledby="why-title">
                <div class="section__head">
                    <h2 id="why-title">{format!("Why {name} is like this")}</h2>
                    <a href=intervals>"Its single intervals"</a>
                </div>
                <dl class="facts">
                    <dt>{name}{so_far}</dt>
                    <dd data-why="now">{value(metric, &now, elapsed)}</dd>
                    <dt>"A week before, "{format::moment(OffsetDateTime::from(reasons.before.0))}</dt>
                    <dd data-why="before">{value(metric, &before, length)}</dd>
                    {difference}
                </dl>
                {lists}
            </section>
        }
        .into_any(),
    )
}

/// The five largest differences of one kind.
fn differences(
    (query, bucket): (&Query, &str),
    group: Group,
    list: Option<&[Difference]>,
    elapsed: i64,
) -> AnyView {
    let title = format!("By {}", group_name(group).to_lowercase());
    let Some(list) = list else {
        return view! { <p class="form__note">"More than 200,000 rated hours: too many to compare sandbox by sandbox. Look into a single hour, or filter by key or image."</p> }.into_any();
    };
    if list.is_empty() {
        return view! { <p class="form__note">{format!("{title}: no difference.")}</p> }.into_any();
    }
    // Sandbox time is what an average differs by; two averages do not subtract when their times differ.
    let metric = match query.metric {
        Metric::Concurrency => Metric::SandboxHours,
        metric => metric,
    };
    let rows = list.iter().map(|each| {
        let difference = each.now - each.before;
        view! {
            <tr>
                {table::name(facet_link(query, &each.facet), None)}
                {table::number("Then", exact(metric, each.now, text(metric, each.now, elapsed)))}
                {table::number("A week before", exact(metric, each.before, text(metric, each.before, elapsed)))}
                <td class="table__number table__main" data-difference="">{exact(metric, difference, signed(metric, difference, elapsed))}</td>
            </tr>
        }
    });
    let heads = vec![
        Head::name(title.clone()),
        Head::figure(bucket),
        Head::figure("A week before"),
        Head::main("Difference"),
    ];
    let mark = match group {
        Group::Key => "why-key",
        Group::Size => "why-size",
        Group::Image => "why-image",
        Group::Region => "why-region",
        Group::Sandbox | Group::None => "why-sandbox",
    };
    let rows = table::plain_group(rows.collect_view());
    table::table(mark, title, heads, rows, None)
}
