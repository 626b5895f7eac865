//! A usage page taken apart: the rows of its table, the shapes of its drawing, and what the database says they must be.
//! The database is asked by intervals alone, with its own time zones, so it shares no sum and no calendar with the page.

use std::collections::BTreeMap;

use sqlx::PgPool;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The value of an attribute in a piece of markup that begins inside its tag.
pub fn attribute(tag: &str, name: &str) -> Option<String> {
    let tag = tag.split('>').next()?;
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    let text = rest.split('"').next()?;
    Some(text.replace("&amp;", "&").replace("&quot;", "\""))
}

/// The exact number that a cell stands for, whatever its unit.
fn number(cell: &str) -> i128 {
    let found = ["data-ticks", "data-ms", "data-vcpu-ms", "data-mib-ms"]
        .iter()
        .find_map(|name| {
            let (_, rest) = cell.split_once(&format!("{name}=\""))?;
            rest.split('"').next()?.parse().ok()
        });
    found.unwrap_or_else(|| panic!("no figure in {cell}"))
}

/// A row: start of its bucket, its series, their sum, where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub start: OffsetDateTime,
    pub cells: Vec<i128>,
    pub sum: i128,
    pub deeper: String,
}

/// The rows of the table, oldest first, and the sums below it.
pub fn table(html: &str) -> (Vec<Row>, Vec<i128>) {
    let table = html.split("data-table=\"usage\"").nth(1).expect("no table");
    let table = table.split("</table>").next().unwrap();
    let mut rows: Vec<Row> = table
        .split("<tr data-bucket=\"")
        .skip(1)
        .map(|row| {
            let row = row.split("</tr>").next().unwrap();
            let start = OffsetDateTime::parse(row.split('"').next().unwrap(), &Rfc3339).unwrap();
            let cells: Vec<(String, i128)> = row
                .split("data-cell=\"")
                .skip(1)
                .map(|cell| (cell.split('"').next().unwrap().to_owned(), number(cell)))
                .collect();
            let sum = cells.iter().find(|(name, _)| name == "sum").unwrap().1;
            let link = row.split("<a ").nth(1).expect("no way deeper");
            Row {
                start,
                sum,
                cells: cells
                    .into_iter()
                    .filter(|(name, _)| name != "sum")
                    .map(|(_, value)| value)
                    .collect(),
                deeper: attribute(link, "href").unwrap(),
            }
        })
        .collect();
    rows.reverse();
    let foot = table.split("<tfoot").nth(1).unwrap();
    let sums = foot.split("data-column=\"").skip(1).map(number).collect();
    (rows, sums)
}

/// The rows with those that are folded away: one for each bucket that there must be, in a stretch without use or not begun
/// yet where it has no row of its own.
pub fn unfolded(
    html: &str,
    rows: Vec<Row>,
    starts: impl Iterator<Item = OffsetDateTime>,
) -> Vec<Row> {
    let moment = |tag: &str, name: &str| {
        OffsetDateTime::parse(&attribute(tag, name).unwrap(), &Rfc3339).unwrap()
    };
    let mut folds: Vec<(OffsetDateTime, OffsetDateTime, usize)> = html
        .split("<tr ")
        .filter(|tag| tag.split('>').next().unwrap().contains("data-unused"))
        .map(|tag| {
            let count = attribute(tag, "data-unused").unwrap().parse().unwrap();
            (moment(tag, "data-from"), moment(tag, "data-to"), count)
        })
        .collect();
    let newest = rows.iter().map(|row| row.start);
    let newest = newest.chain(folds.iter().map(|fold| fold.1)).max();
    let mut own = rows.into_iter().peekable();
    let mut all = Vec::new();
    for start in starts {
        if let Some(row) = own.next_if(|row| row.start == start) {
            all.push(row);
            continue;
        }
        match folds
            .iter_mut()
            .find(|(from, to, _)| (*from..=*to).contains(&start))
        {
            Some((.., count)) => *count -= 1,
            None => assert!(Some(start) > newest, "no row for {start}"),
        }
        all.push(Row {
            start,
            cells: Vec::new(),
            sum: 0,
            deeper: String::new(),
        });
    }
    assert!(own.next().is_none(), "a row that there must not be");
    assert!(folds.iter().all(|(.., count)| *count == 0), "{folds:?}");
    all
}

/// A bar or a point: its bucket, its series, its exact value, its height in hundredths of a percent.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub index: usize,
    pub series: usize,
    pub raw: i128,
    pub height: i128,
}

fn hundredths(text: &str) -> i128 {
    text.trim_end_matches('%').replace('.', "").parse().unwrap()
}

/// The shapes of the drawing.
pub fn shapes(html: &str) -> Vec<Shape> {
    let shapes = html.split('<').filter(|tag| {
        (tag.starts_with("rect ") && tag.contains("chart__bar"))
            || (tag.starts_with("circle ") && tag.contains("chart__point"))
    });
    shapes
        .map(|tag| {
            let of =
                |name: &str| attribute(tag, name).unwrap_or_else(|| panic!("no {name} in {tag}"));
            let height = attribute(tag, "height")
                .map_or_else(|| 8_800 - hundredths(&of("cy")), |text| hundredths(&text));
            Shape {
                index: of("data-index").parse().unwrap(),
                series: of("data-series").parse().unwrap(),
                raw: of("data-raw").parse().unwrap(),
                height,
            }
        })
        .collect()
}

/// What is asked of the database.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub from: &'static str,
    pub to: &'static str,
    pub zone: &'static str,
    /// `hour` or `day`.
    pub step: &'static str,
    pub metric: &'static str,
    pub group: &'static str,
}

/// By start of the bucket, by word: the raw value of the metric.
pub type Sums = BTreeMap<OffsetDateTime, BTreeMap<String, i128>>;

/// Sums straight from the intervals, in buckets cut by PostgreSQL's own calendar.
pub async fn expected(pool: &PgPool, case: Case) -> Sums {
    const SQL: &str = "
        WITH days AS (
            SELECT to_timestamp(ceil(extract(epoch FROM (day::date)::timestamp AT TIME ZONE $3) / 3600) * 3600) AS at
            FROM generate_series($1::date, $2::date + 1, interval '1 day') AS day),
        starts AS (
            SELECT at FROM days WHERE $4 = 'day'
            UNION SELECT generate_series((SELECT min(at) FROM days), (SELECT max(at) FROM days), interval '1 hour') WHERE $4 = 'hour'),
        buckets AS (SELECT at AS a, lead(at) OVER (ORDER BY at) AS b FROM starts),
        billed AS (
            SELECT buckets.a, s.vcpus, s.mem_mib,
                   CASE $6 WHEN 'key' THEN coalesce(s.key_id::text, '') WHEN 'image' THEN s.image WHEN 'region' THEN s.region
                           WHEN 'size' THEN s.vcpus || 'x' || s.mem_mib WHEN 'sandbox' THEN s.sandbox_id ELSE '' END AS word,
                   (floor(extract(epoch FROM least(i.ended_at, buckets.b))) - floor(extract(epoch FROM greatest(i.started_at, buckets.a)))) * 1000 AS ms
            FROM buckets CROSS JOIN intervals AS i JOIN sandboxes AS s USING (account_id, sandbox_id)
            WHERE buckets.b IS NOT NULL AND i.started_at < buckets.b AND i.ended_at > buckets.a)
        SELECT buckets.a, billed.word, coalesce(sum(CASE $5 WHEN 'cost' THEN ms * (26000 * 1024 * vcpus + 15000 * mem_mib)
                   WHEN 'vcpu-hours' THEN ms * vcpus WHEN 'gib-hours' THEN ms * mem_mib ELSE ms END), 0)::numeric(38, 0)::text
        FROM buckets LEFT JOIN billed USING (a) WHERE buckets.b IS NOT NULL GROUP BY 1, 2";
    #[expect(
        clippy::disallowed_methods,
        reason = "the oracle of a test must not be a query of ours"
    )]
    let rows: Vec<(OffsetDateTime, Option<String>, String)> = sqlx::query_as(SQL)
        .bind(case.from.parse_date())
        .bind(case.to.parse_date())
        .bind(case.zone)
        .bind(case.step)
        .bind(case.metric)
        .bind(case.group)
        .fetch_all(pool)
        .await
        .unwrap();
    let mut sums = Sums::new();
    for (start, word, value) in rows {
        let bucket = sums.entry(start).or_default();
        if let Some(word) = word {
            bucket.insert(word, value.parse().unwrap());
        }
    }
    sums
}

trait ParseDate {
    fn parse_date(self) -> time::Date;
}

impl ParseDate for &str {
    fn parse_date(self) -> time::Date {
        time::Date::parse(
            self,
            time::macros::format_description!("[year]-[month]-[day]"),
        )
        .unwrap()
    }
}
