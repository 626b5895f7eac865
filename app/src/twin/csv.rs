//! Comma-separated text as RFC 4180 writes it, safe to open in a spreadsheet: what it would run as a formula is shown as text,
//! and what it might take for a boundary stands in quotes, also where its separator is the semicolon.

use std::borrow::Cow;

/// What a file begins with, so that Excel reads it as UTF-8 and not in the code page of its machine.
pub(super) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Lines of text, one for each list of cells.
pub(super) fn text<'a, Line>(lines: impl IntoIterator<Item = Line>) -> String
where
    Line: IntoIterator<Item = &'a str>,
{
    let mut text = String::new();
    for line in lines {
        for (index, cell) in line.into_iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(&quoted(&harmless(cell)));
        }
        text.push_str("\r\n");
    }
    text
}

/// The cell, with an apostrophe before what would be run (OWASP, CSV injection; the wide signs are run in East Asian
/// settings). A number may begin with its sign.
fn harmless(cell: &str) -> Cow<'_, str> {
    const SIGNS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if cell.starts_with(SIGNS) && !is_number(cell) {
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

fn quoted(cell: &str) -> Cow<'_, str> {
    if cell.contains([',', ';', '"', '\t', '\r', '\n']) {
        Cow::Owned(format!("\"{}\"", cell.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(cell)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
            "",
            "a;=1+1",
            "＝1",
        ];
        assert_eq!(
            text([cells]),
            "'=1+1,'@x,-5,-0.25,'-x,'+1,'-1.,\"a,b\",\"say \"\"hi\"\"\",plain,,\"a;=1+1\",'＝1\r\n"
        );
        assert_eq!(text([["\t=1", "\r\n=1"]]), "\"'\t=1\",\"'\r\n=1\"\r\n");
    }

    /// Reads it as RFC 4180 does.
    fn cells(line: &str) -> Vec<String> {
        let (mut cells, mut cell, mut is_quoted) = (Vec::new(), String::new(), false);
        let mut signs = line.strip_suffix("\r\n").unwrap().chars().peekable();
        while let Some(sign) = signs.next() {
            match (sign, is_quoted) {
                ('"', true) if signs.peek() == Some(&'"') => cell.extend(signs.next()),
                ('"', _) => is_quoted = !is_quoted,
                (',', false) => cells.push(std::mem::take(&mut cell)),
                _ => cell.push(sign),
            }
        }
        cells.push(cell);
        cells
    }

    proptest! {
        #[test]
        fn every_cell_comes_back_and_none_begins_a_formula(written in prop::collection::vec("[-=+@,;\"\t\r\n0-9.aé＝ ]{0,8}", 1..5)) {
            let line = text([written.iter().map(String::as_str)]);
            let read = cells(&line);
            prop_assert_eq!(read.len(), written.len());
            for (read, written) in read.iter().zip(&written) {
                prop_assert!(read == written || read.strip_prefix('\'') == Some(written), "{line}");
                let is_number = read.strip_prefix('-').unwrap_or(read).starts_with(|c: char| c.is_ascii_digit());
                prop_assert!(is_number || !read.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝']), "{line}");
            }
        }
    }
}
