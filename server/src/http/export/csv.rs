//! Comma-separated text as RFC 4180 writes it, and safe to open: a field that a spreadsheet would run as a formula is
//! shown as text.

/// Adds one line.
pub fn line<'a>(out: &mut String, fields: impl IntoIterator<Item = &'a str>) {
    for (index, text) in fields.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        field(out, text);
    }
    out.push_str("\r\n");
}

fn field(out: &mut String, text: &str) {
    // A number may begin with a minus; nothing else that begins like a formula is one of ours.
    let is_number = text.parse::<i128>().is_ok();
    let is_formula = !is_number && text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let needs_quotes = is_formula || text.contains(['"', ',', '\r', '\n']);
    if !needs_quotes {
        out.push_str(text);
        return;
    }
    out.push('"');
    if is_formula {
        out.push('\'');
    }
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn formulas_become_text_and_quotes_are_doubled() {
        let mut out = String::new();
        line(
            &mut out,
            ["=1+1", "@x", "-5", "-x", "a,b", "say \"hi\"", "plain"],
        );
        assert_eq!(
            out,
            "\"'=1+1\",\"'@x\",-5,\"'-x\",\"a,b\",\"say \"\"hi\"\"\",plain\r\n"
        );
    }
}
