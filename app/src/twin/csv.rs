//! Comma-separated text as RFC 4180 writes it, and safe to open: a cell that a spreadsheet would run as a formula is shown
//! as text. Quoting is the crate's, what is harmless is decided here.

use std::borrow::Cow;

use backend::failure::Broken;

/// Lines of text, one for each list of cells.
pub(super) fn text<'a, Line>(lines: impl IntoIterator<Item = Line>) -> Result<String, Broken>
where
    Line: IntoIterator<Item = &'a str>,
{
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for line in lines {
        let cells = line.into_iter().map(harmless);
        writer.write_record(cells.map(|cell| cell.into_owned()))?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8(bytes)?)
}

/// The cell, with an apostrophe before what would be run. A number may begin with its sign.
fn harmless(cell: &str) -> Cow<'_, str> {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) && !is_number(cell);
    if is_formula {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// A sign, digits, and perhaps a point with digits behind.
fn is_number(cell: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = cell.strip_prefix('-').unwrap_or(cell);
    match unsigned.split_once('.') {
        Some((whole, parts)) => digits(whole) && digits(parts),
        None => digits(unsigned),
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn formulas_become_text_and_quotes_are_doubled() {
        let cells = [
            "=1+1",
            "@x",
            "-5",
            "-0.25",
            "-x",
            "+1",
            "-1.",
            "a,b",
            "say \"hi\"",
            "plain",
        ];
        assert_eq!(
            text([cells]).unwrap(),
            "'=1+1,'@x,-5,-0.25,'-x,'+1,'-1.,\"a,b\",\"say \"\"hi\"\"\",plain\r\n"
        );
        assert_eq!(text([["\t=1", "\r\n=1"]]).unwrap(), "'\t=1,\"'\r\n=1\"\r\n");
    }
}
