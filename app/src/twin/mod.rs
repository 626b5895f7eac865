//! The twin of a page: its rows for programs and spreadsheets, under the page's address with another ending, `.json` or
//! `.csv`. A subject declares its rows once (`twin.rs` there); how they are written is here, how they are sent is
//! `server::http::twins`'. Nothing here knows a subject. A file holds what was asked or there is none: no page around it could
//! say that something else is shown instead.

mod asked;
mod csv;
pub mod document;
pub mod download;

use std::future::Future;

use backend::authority::view::View;
use backend::failure::Broken;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::action::problem::Problem;
pub use asked::Asked;

/// A list or report as programs read it.
pub trait Twin: Sized + Send + Sync + 'static {
    /// The address of the page, which is also that of the files without their ending.
    const PATH: &'static str;
    /// What it is, in a sentence: the summary in `docs/api.yaml`.
    const ABOUT: &'static str;
    /// What its rows are called in JSON.
    const ROWS: &'static str;
    /// The columns in CSV.
    const COLUMNS: &'static [&'static str];
    /// What an address may ask. Other words are refused.
    const WORDS: &'static [Word];
    /// How a list is read piece by piece; none for a report, which is read at once and bounded by what is asked.
    const PAGES: Option<Pages>;

    /// What was asked, read from the words of the address.
    type Query: Send + Sync;
    /// What is true of all rows; stands beside them in JSON. An empty struct when there is nothing to say.
    type Head: Serialize + ToSchema + Send + Sync;
    /// One row. What a reader of JSON would round, such as ticks, is text.
    type Row: Serialize + ToSchema + Send + Sync;

    /// Reads the words of the address. Those that make no sense are told, one by one.
    ///
    /// # Errors
    /// Everything that is wrong with them; at least one sentence.
    fn query(asked: &Asked) -> Result<Self::Query, Vec<Problem>>;

    /// Whether a cursor names a place in this list. Asked only of what is read by pages.
    fn knows(view: &mut View, query: &Self::Query, cursor: &str) -> bool;

    /// Reads rows in the caller's snapshot.
    fn read(
        view: &mut View,
        query: &Self::Query,
        place: Place<'_>,
    ) -> impl Future<Output = Result<Part<Self>, Stop>> + Send;

    /// The lines of a row in CSV, in the order of the columns. Most rows are one line: the fields of these names.
    fn lines(_head: &Self::Head, row: &Self::Row) -> Vec<Vec<String>> {
        let row = serde_json::to_value(row).unwrap_or_default();
        let field = |name: &&str| match row.get(name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        vec![Self::COLUMNS.iter().map(field).collect()]
    }
}

/// Why there is no file.
#[derive(Debug)]
pub enum Stop {
    /// What was asked cannot be answered: every reason.
    Refused(Vec<Problem>),
    /// Our side broke.
    Broken(Broken),
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// How a list is read.
#[derive(Clone, Copy, Debug)]
pub struct Pages {
    /// Rows read at once: what is in memory at a time.
    pub at_once: usize,
    /// Rows of one file at most; it says where the next one starts.
    pub at_most: usize,
}

/// A word that an address may say.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
}

/// Where to go on, and how far.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// After the row that this cursor names; none for the first row.
    pub after: Option<&'a str>,
    /// Rows at most.
    pub rows: usize,
}

/// Rows that were read together.
pub struct Part<T: Twin> {
    /// What is true of all rows.
    pub head: T::Head,
    /// The rows.
    pub rows: Vec<T::Row>,
    /// The cursor behind the last of them; none when there are no more.
    pub next: Option<String>,
}

/// Goes through all twins: [`crate::routes::each_twin`] calls it with each.
pub trait Visit {
    /// One of them.
    fn twin<T: Twin>(&mut self);
}
