//! One page of a list: its rows and where the next one starts. Every list in the product has this shape.

/// Rows of a list, newest first, and the cursor of the page after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<Row> {
    /// At most [`crate::ceilings::PAGE_ROWS`] rows.
    pub rows: Vec<Row>,
    /// The cursor that continues after the last row; none on the last page.
    pub next: Option<String>,
}
