//! What the product can do, one file per noun. A service owns one transaction: record, ledger line, audit line and job
//! together. It takes its authority as an `Actor`; SQL is `store`'s, rules are `domain`'s.

pub mod accounts;
pub mod alerts;
pub mod attention;
pub mod burn_down;
pub mod calendar;
pub mod credit;
pub mod keys;
pub mod limits;
pub mod nav;
pub mod outlook;
pub mod overview;
pub mod recipients;
pub mod sandbox_intervals;
pub mod sandboxes;
pub mod sessions;
pub mod statement;
pub mod usage;
pub mod usage_intervals;
pub mod usage_reasons;
pub mod waste;
pub mod webhooks;
pub mod what_if;

pub use crate::metering::live::FeedStatus;

use domain::limits::PAGE_ROWS;
use domain::page::Page;
use sqlx::{Postgres, Transaction};

use crate::Backend;
use crate::failure::Broken;

/// A read-only snapshot: every figure of one page is true at the same instant, so sums shown side by side agree.
pub(crate) async fn snapshot(backend: &Backend) -> Result<Transaction<'static, Postgres>, Broken> {
    Ok(backend
        .pool()
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await?)
}

/// Cuts a list that was read with one row too many down to a page and names the cursor of the next.
pub(crate) fn page<Row, Out>(
    rows: Vec<Row>,
    cursor: impl Fn(&Row) -> String,
    shown: impl FnMut(Row) -> Result<Out, Broken>,
) -> Result<Page<Out>, Broken> {
    let full = usize::try_from(PAGE_ROWS)?;
    let next = if rows.len() > full {
        rows.get(full - 1).map(cursor)
    } else {
        None
    };
    let rows: Result<Vec<Out>, Broken> = rows.into_iter().take(full).map(shown).collect();
    Ok(Page { rows: rows?, next })
}
