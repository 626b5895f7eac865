//! Lists by pages: where one ends, and the cursor at which the next begins. The rows are each subject's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::page::Page;
use time::OffsetDateTime;

use crate::failure::Broken;

/// Cuts a list that was read with one row too many down to `at_most` rows and names the cursor of what follows. A page of ours
/// has [`domain::ceilings::PAGE_ROWS`]; a twin says how many it wants.
pub(crate) fn page<Row, Out>(
    rows: Vec<Row>,
    at_most: i64,
    cursor: impl Fn(&Row) -> String,
    shown: impl FnMut(Row) -> Result<Out, Broken>,
) -> Result<Page<Out>, Broken> {
    let full = usize::try_from(at_most)?;
    let next = if rows.len() > full {
        rows.get(full - 1).map(cursor)
    } else {
        None
    };
    let rows: Result<Vec<Out>, Broken> = rows.into_iter().take(full).map(shown).collect();
    Ok(Page { rows: rows?, next })
}

/// A cursor that a browser hands back: the sort key of the last row, opaque and without secrets.
pub(crate) fn encode_cursor(at: OffsetDateTime, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{} {id}", at.unix_timestamp_nanos() / 1_000))
}

/// Reads a cursor back; `None` for anything we did not write, which then means the first page.
pub(crate) fn decode_cursor(cursor: &str) -> Option<(OffsetDateTime, String)> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (micros, id) = text.split_once(' ')?;
    let nanos = micros.parse::<i128>().ok()?.checked_mul(1_000)?;
    Some((
        OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?,
        id.to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_a_round_trip_and_junk_is_the_first_page() {
        let at = OffsetDateTime::UNIX_EPOCH + time::Duration::microseconds(1_234_567);
        assert_eq!(
            decode_cursor(&encode_cursor(at, "run1")),
            Some((at, "run1".to_owned()))
        );
        for junk in ["", "x", "AAAA", "!!!", &"A".repeat(5_000)] {
            assert_eq!(decode_cursor(junk), None, "{junk}");
        }
    }
}
