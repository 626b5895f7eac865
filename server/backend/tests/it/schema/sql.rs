//! Reads just enough SQL to say which tables a query reads or changes and how each is tied to an account. Not a parser: words,
//! and the brackets and UNIONs between which a condition counts.

/// How a table is tied to accounts where it is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tied {
    /// To one account, by this parameter.
    To(String),
    /// To those that something else in the query names: an array, or another table.
    ToOthers,
    /// Not at all.
    No,
}

/// A table that is read or changed.
pub(super) struct Read {
    pub table: String,
    /// What it is called there.
    pub alias: String,
    pub tied: Tied,
}

/// A word with the part of the query that it stands in: a bracket, or one side of a UNION in it.
struct Word<'a> {
    text: &'a str,
    part: usize,
}

fn words(sql: &str) -> Vec<Word<'_>> {
    let (mut words, mut open, mut parts) = (Vec::new(), vec![0], 0);
    let mut rest = sql.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |at| at + 2),
            '$' | '_' | 'a'..='z' | 'A'..='Z' | '0'..='9' => rest[1..]
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .map_or(rest.len(), |at| at + 1),
            _ => first.len_utf8(),
        };
        let (text, after) = rest.split_at(end);
        let is_side = ["UNION", "EXCEPT", "INTERSECT"]
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word));
        if is_side && let Some(side) = open.last_mut() {
            parts += 1;
            *side = parts;
        }
        if text == ")" && open.len() > 1 {
            open.pop();
        }
        words.push(Word {
            text,
            part: open.last().copied().unwrap_or_default(),
        });
        if text == "(" {
            parts += 1;
            open.push(parts);
        }
        rest = after.trim_start();
    }
    words
}

/// True for a word that follows a table and is not its alias.
fn ends_a_table(word: &str) -> bool {
    const WORDS: [&str; 19] = [
        "ON",
        "USING",
        "WHERE",
        "SET",
        "ORDER",
        "GROUP",
        "LIMIT",
        "JOIN",
        "LEFT",
        "CROSS",
        "INNER",
        "FULL",
        "UNION",
        "FOR",
        "RETURNING",
        "HAVING",
        "EXCEPT",
        "OFFSET",
        "VALUES",
    ];
    WORDS.iter().any(|end| word.eq_ignore_ascii_case(end))
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
}

/// The tables of a query, but for those that an INSERT adds to: its rows carry their account.
pub(super) fn read(sql: &str) -> Vec<Read> {
    let words = words(sql);
    let text = |at: usize| words.get(at).map_or("", |word| word.text);
    let mut found: Vec<(usize, &str, &str)> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let before = ["FROM", "JOIN", "UPDATE", "USING"]
            .iter()
            .any(|begin| word.text.eq_ignore_ascii_case(begin));
        // `FROM a, b`: the second is a table when the list began in this part; columns of a SELECT are none of the map's names.
        let also = word.text == ","
            && found
                .iter()
                .any(|(first, ..)| words[*first].part == word.part);
        let table = text(at + 1);
        if !(before || also) || !is_name(table) || [".", "("].contains(&text(at + 2)) {
            continue;
        }
        let alias = match text(at + 2) {
            next if next.eq_ignore_ascii_case("AS") => text(at + 3),
            next if is_name(next) && !ends_a_table(next) => next,
            _ => table,
        };
        found.push((at + 1, table, alias));
    }
    let alone = |at: usize| {
        found
            .iter()
            .filter(|(other, ..)| words[*other].part == words[at].part)
            .count()
            == 1
    };
    let read = found.iter().map(|(at, table, alias)| Read {
        table: (*table).to_owned(),
        alias: (*alias).to_owned(),
        tied: tied(&words, *at, alias, alone(*at)),
    });
    read.collect()
}

/// How the table at a word is tied. A condition in a deeper bracket does not count: it may be one side of an OR. Without the
/// alias before it `account_id` is that of the only table.
fn tied(words: &[Word<'_>], table: usize, alias: &str, alone: bool) -> Tied {
    let text = |at: usize| words.get(at).map_or("", |word| word.text);
    let part = words[table].part;
    let mut others = false;
    for (at, word) in words
        .iter()
        .enumerate()
        .filter(|(_, word)| word.text == "account_id")
    {
        let of_alias = at > 1 && text(at - 1) == "." && text(at - 2) == alias;
        let bare = at > 0 && text(at - 1) != "." && alone;
        if word.part == part && (of_alias || bare) && text(at + 1) == "=" {
            if text(at + 2).starts_with('$') {
                return Tied::To(text(at + 2).to_owned());
            }
            others |= text(at + 2) == "ANY" || text(at + 3) == ".";
        }
        if word.part == part && of_alias && at > 3 && text(at - 3) == "=" {
            others = true;
        }
        // `(h.account_id, …) = (u.account_id, …)` and `USING (account_id, …)`, which begin a bracket of their own.
        let begins = at > 0 && (text(at - 1) == "(" || (of_alias && at > 2 && text(at - 3) == "("));
        let bracket = if text(at - usize::from(at > 0)) == "(" {
            at.checked_sub(1)
        } else {
            at.checked_sub(3)
        };
        if let Some(bracket) = bracket.filter(|bracket| begins && words[*bracket].part == part) {
            let using = bracket > 0 && text(bracket - 1).eq_ignore_ascii_case("USING");
            let compared = of_alias
                && words[at..]
                    .iter()
                    .skip_while(|w| w.text != ")")
                    .nth(1)
                    .is_some_and(|w| w.text == "=");
            others |= using || compared;
        }
    }
    if others { Tied::ToOthers } else { Tied::No }
}
