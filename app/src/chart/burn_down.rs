//! The burn-down: what was left of the credit as a line, with steps up where credit was given and a dashed line to where
//! the pace of now leads. Beside it a table of the same buckets.

use backend::credit::burn_down::BurnDown;
use domain::burn_down::{Grid, Point};
use domain::forecast::{Cause, Zero};
use domain::moment::{DAY_MS, HOUR_MS, Moment};
use domain::money::Ticks;
use domain::usage;
use leptos::prelude::*;

use super::scale::{BOTTOM, TICKS_PER_NANO, TOP, WHOLE, grid, percent, share};
use crate::frame::format::{self, Decimals};
use crate::frame::table::{self, Head};
use crate::islands::ChartReadout;

/// Keys named in one read-out line; the rest is summed up.
const NAMED_MAX: usize = 5;

/// The line with its read-out and its table; `end` says in words where it leads.
pub fn burn_down(line: &BurnDown, end: &str) -> AnyView {
    let labels: Vec<String> = line
        .points
        .iter()
        .map(|point| in_words(point, line.grid.is_hourly()))
        .collect();
    view! {
        <figure class="chart burn-down">
            <figcaption class="chart__caption">{caption(&line.grid)}</figcaption>
            {drawing(line, end)}
            <ChartReadout labels=labels summary=end.to_owned()/>
            <details class="disclosure">
                <summary>"Same as a table"</summary>
                {table(line)}
            </details>
        </figure>
    }
    .into_any()
}

const fn caption(grid: &Grid) -> &'static str {
    match (grid.is_hourly(), grid.is_cut) {
        (true, _) => "Credit left by hour (UTC), since the first credit",
        (false, false) => "Credit left by day (UTC), since the first credit",
        (false, true) => "Credit left by day (UTC); what lies before is in the statement",
    }
}

/// Where moments and amounts lie in the drawing.
struct Plane {
    start: Moment,
    end: Moment,
    top: i128,
}

impl Plane {
    /// As long as the line, and on to its end where that is not further than twice as far.
    fn of(line: &BurnDown) -> Self {
        let (start, as_of) = (line.grid.start, line.grid.as_of);
        let span = as_of.since_ms(start).max(HOUR_MS);
        let ahead = line.zero.map(|zero| zero.at.since_ms(as_of));
        let ahead = match ahead {
            Some(ms) if ms <= 2 * span => ms.max(0),
            _ if line.per_hour.is_positive() => span / 2,
            _ => 0,
        };
        Self {
            start,
            end: as_of.plus_ms(ahead).max(start.plus_ms(HOUR_MS)),
            top: 0,
        }
    }

    fn x(&self, at: Moment) -> i128 {
        let part = i128::from(at.since_ms(self.start));
        share(part, i128::from(self.end.since_ms(self.start)), WHOLE)
    }

    fn y(&self, left: Ticks) -> i128 {
        BOTTOM - share(left.get(), self.top * TICKS_PER_NANO, BOTTOM - TOP)
    }

    fn stroke(&self, class: &'static str, from: (Moment, Ticks), to: (Moment, Ticks)) -> AnyView {
        view! {
            <line class=class x1=percent(self.x(from.0)) y1=percent(self.y(from.1)) x2=percent(self.x(to.0)) y2=percent(self.y(to.1))></line>
        }
        .into_any()
    }
}

fn drawing(line: &BurnDown, end: &str) -> AnyView {
    let amounts = line.points.iter().flat_map(|point| {
        let full = point.before.saturating_add(point.change.granted);
        [point.before.get(), full.get(), point.left.get()]
    });
    let highest = amounts.max().unwrap_or(0);
    let (top, step) = usage::axis((highest + TICKS_PER_NANO - 1) / TICKS_PER_NANO);
    let plane = Plane {
        top,
        ..Plane::of(line)
    };
    let desc = format!("Line of the credit left. {end} The table below holds the same figures.");
    view! {
        <svg class="chart__drawing" role="img" aria-labelledby="burn-down-title" aria-describedby="burn-down-desc">
            <title id="burn-down-title">{caption(&line.grid)}</title>
            <desc id="burn-down-desc">{desc}</desc>
            {grid(top, step)}
            {strokes(line, &plane)}
            {projection(line, &plane)}
            {names(line, &plane)}
            {targets(line, &plane)}
        </svg>
    }
    .into_any()
}

/// Where a bucket ends: at the next one, the last at the moment that figures are exact for.
fn ends(line: &BurnDown, index: usize) -> Moment {
    line.grid.bucket(index + 1).min(line.grid.as_of)
}

fn strokes(line: &BurnDown, plane: &Plane) -> AnyView {
    let strokes = line.points.iter().enumerate().map(|(index, point)| {
        let (from, to) = (point.start, ends(line, index));
        let full = point.before.saturating_add(point.change.granted);
        let last = point.left.saturating_add(point.change.ended);
        let step = (full != point.before)
            .then(|| plane.stroke("burn-down__line", (from, point.before), (from, full)));
        let fall = (last != point.left)
            .then(|| plane.stroke("burn-down__line", (to, last), (to, point.left)));
        (
            step,
            plane.stroke("burn-down__line", (from, full), (to, last)),
            fall,
        )
    });
    strokes.collect_view().into_any()
}

/// From now to the computed end, or towards it.
fn projection(line: &BurnDown, plane: &Plane) -> AnyView {
    let left = line.points.last().map_or(Ticks::ZERO, |point| point.left);
    let now = line.grid.as_of;
    if !left.is_positive() || plane.end <= now {
        return ().into_any();
    }
    let used = |until: Moment| {
        let ms = i128::from(until.since_ms(now));
        Ticks::new(line.per_hour.get().saturating_mul(ms) / i128::from(HOUR_MS)).unwrap_or_default()
    };
    let (to, rest) = match line.zero.filter(|zero| zero.at <= plane.end) {
        Some(Zero {
            at,
            cause: Cause::Credit,
        }) => (at, Ticks::ZERO),
        Some(Zero { at, .. }) => (at, left.saturating_sub(used(at))),
        None => (plane.end, left.saturating_sub(used(plane.end))),
    };
    plane.stroke(
        "burn-down__line burn-down__line--projected",
        (now, left),
        (to, rest),
    )
}

/// Names of the start, of now and of the end.
fn names(line: &BurnDown, plane: &Plane) -> AnyView {
    let name = |at: Moment| format::bucket(at, line.grid.is_hourly());
    let now = plane.x(line.grid.as_of);
    let is_apart = (WHOLE * 20 / 100..WHOLE * 80 / 100).contains(&now);
    let now = is_apart.then(|| {
        view! { <text class="chart__axis" x=percent(now) y="98%" text-anchor="middle">"now"</text> }
    });
    let end = match line.zero.filter(|zero| zero.at <= plane.end) {
        Some(zero) if zero.at > line.grid.as_of => format!("ends {}", name(zero.at)),
        _ => name(plane.end),
    };
    view! {
        <text class="chart__axis" x="0" y="98%" text-anchor="start">{name(plane.start)}</text>
        {now}
        <text class="chart__axis" x="100%" y="98%" text-anchor="end">{end}</text>
    }
    .into_any()
}

/// A mark at the end of each bucket, and over it one target as high as the plot.
fn targets(line: &BurnDown, plane: &Plane) -> AnyView {
    let marks = line.points.iter().enumerate().map(|(index, point)| {
        let (x, y) = (plane.x(ends(line, index)), plane.y(point.left));
        view! { <circle class="chart__bar burn-down__mark" data-index=index.to_string() data-left=point.left.to_string() cx=percent(x) cy=percent(y) r="2"></circle> }
    });
    let marks = marks.collect_view();
    let targets = line.points.iter().enumerate().map(|(index, point)| {
        let x = plane.x(point.start);
        let width = plane.x(ends(line, index)) - x;
        view! { <rect class="chart__hit" data-index=index.to_string() x=percent(x) y="0" width=percent(width) height="100%" fill="transparent"></rect> }
    });
    (marks, targets.collect_view()).into_any()
}

/// `23 Nov: $41.13 left; used $1.20: key ci $0.90, key dev $0.30; granted $50.00`.
fn in_words(point: &Point, is_hourly: bool) -> String {
    let change = &point.change;
    let mut said = format!(
        "{}: {} left",
        format::bucket(point.start, is_hourly),
        format::text(point.left)
    );
    let cost = change.cost();
    if cost.is_positive() {
        let mut parts: Vec<String> = change
            .used
            .iter()
            .take(NAMED_MAX)
            .map(|(name, ticks)| format!("{name} {}", format::text(*ticks)))
            .collect();
        let rest: Ticks = change
            .used
            .iter()
            .skip(NAMED_MAX)
            .map(|(_, ticks)| *ticks)
            .sum();
        if rest.is_positive() {
            parts.push(format!("others {}", format::text(rest)));
        }
        said.push_str(&format!(
            "; used {}: {}",
            format::text(cost),
            parts.join(", ")
        ));
    }
    for (ticks, what) in [
        (change.granted, "granted"),
        (change.ended, "ended unused"),
        (change.overrun, "of it not charged"),
    ] {
        if ticks.is_positive() {
            said.push_str(&format!("; {what} {}", format::text(ticks)));
        }
    }
    said
}

fn table(line: &BurnDown) -> AnyView {
    let is_hourly = line.grid.is_hourly();
    let of = |what: fn(&Point) -> Ticks| Decimals::of(line.points.iter().map(what));
    let (granted, used) = (
        of(|point| point.change.granted),
        of(|point| point.change.cost()),
    );
    let (overrun, ended) = (
        of(|point| point.change.overrun),
        of(|point| point.change.ended),
    );
    let left = of(|point| point.left);
    let rows = line.points.iter().rev().map(|point| {
        let change = &point.change;
        let (from, to) = (point.start, point.start.plus_ms(line.grid.bucket_ms));
        let day = format::bucket(point.start, is_hourly);
        let cost = used.amount(change.cost());
        let used = if change.cost().is_positive() {
            view! { <a href=format::intervals_href(from, to)>{cost}</a> }.into_any()
        } else {
            cost
        };
        view! {
            <tr>
                <th scope="row" class="table__first">{day}</th>
                {table::number("Granted", granted.amount(change.granted))}
                {table::number("Used", used)}
                {table::number("Not charged", overrun.amount(change.overrun))}
                {table::number("Ended unused", ended.amount(change.ended))}
                {table::main(left.amount(point.left))}
            </tr>
        }
    });
    let first = if line.grid.bucket_ms == DAY_MS {
        "Day (UTC)"
    } else {
        "Hour (UTC)"
    };
    let heads = vec![
        Head::plain(first),
        Head::figure("Granted"),
        Head::figure("Used"),
        Head::figure("Of it not charged"),
        Head::figure("Ended unused"),
        Head::main("Left"),
    ];
    let rows = table::plain_group(rows.collect_view());
    table::table("burn-down", "Credit left, newest first", heads, rows, None)
}

#[cfg(test)]
mod tests {
    use domain::burn_down::{Change, Reach};
    use domain::money::Cents;
    use time::macros::datetime;

    use super::*;

    fn cents(n: i64) -> Ticks {
        Ticks::from_cents(Cents(n))
    }

    /// Ten days: $50 on the first, a dollar used on each, two keys on the last.
    fn ten_days(zero: Option<Moment>) -> BurnDown {
        let as_of = Moment::from(datetime!(2026-11-24 12:00 UTC));
        let grid = Grid::of(Reach::All, as_of.day().plus_ms(-9 * DAY_MS), as_of);
        let mut changes = vec![Change::default(); 10];
        for change in &mut changes {
            change.used = vec![("key ci".to_owned(), cents(100))];
        }
        changes[0].granted = cents(5_000);
        changes[9].used = vec![
            ("key ci".to_owned(), cents(90)),
            ("key dev".to_owned(), cents(10)),
        ];
        BurnDown {
            points: domain::burn_down::line(&grid, cents(4_000), changes),
            grid,
            per_hour: cents(4),
            zero: zero.map(|at| Zero {
                at,
                cause: Cause::Credit,
            }),
        }
    }

    #[test]
    fn a_line_falls_from_its_grant_to_what_is_left_and_on_to_zero() {
        let line = ten_days(Some(Moment::from(datetime!(2026-12-04 00:00 UTC))));
        let html = drawing(&line, "Empty on 4 Dec.").to_html();
        // Up by the grant, ten falls, and the dashed way to the end.
        assert_eq!(
            html.matches("class=\"burn-down__line\"").count(),
            1 + 10,
            "{html}"
        );
        assert_eq!(html.matches("burn-down__line--projected").count(), 1);
        assert!(
            html.contains(r#"x1="50.00%" y1="23.20%" x2="100.00%" y2="88.00%""#),
            "{html}"
        );
        assert!(html.contains("ends 4 Dec") && !html.contains("style="));
        assert_eq!(html.matches("chart__hit").count(), 10);
    }

    #[test]
    fn an_end_far_away_is_only_pointed_at() {
        let html = drawing(&ten_days(None), "Never.").to_html();
        assert_eq!(html.matches("burn-down__line--projected").count(), 1);
        assert!(!html.contains("ends "), "{html}");
    }

    #[test]
    fn a_bucket_names_its_causes() {
        let line = ten_days(None);
        assert_eq!(
            in_words(&line.points[9], false),
            "24 Nov: $40.00 left; used $1.00: key ci $0.90, key dev $0.10"
        );
        assert_eq!(
            in_words(&line.points[0], false),
            "15 Nov: $49.00 left; used $1.00: key ci $1.00; granted $50.00"
        );
    }

    #[test]
    fn the_table_has_the_same_buckets() {
        let html = table(&ten_days(None)).to_html();
        assert_eq!(html.matches("<tr>").count(), 11, "{html}");
        assert!(html.contains(&format!("data-ticks=\"{}\"", cents(4_000))));
    }
}
