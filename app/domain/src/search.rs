//! What is typed into the search field of a list: cleaned, cut, and as the patterns that SQL's LIKE reads.
//! What each list looks through is `backend`'s.

use crate::ceilings::SEARCH_CHARS_MAX;

/// Something to look for; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search(String);

impl Search {
    /// Without what nobody sees, and cut to what a field holds; none when nothing is left.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let seen = typed.chars().filter(|one| !one.is_control());
        let text: String = seen.take(SEARCH_CHARS_MAX).collect();
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// As the field shows it again.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Matches what begins with it.
    #[must_use]
    pub fn start(&self) -> String {
        format!("{}%", self.escaped())
    }

    /// Matches what has it anywhere.
    #[must_use]
    pub fn inside(&self) -> String {
        format!("%{}%", self.escaped())
    }

    /// Its signs as themselves: `%` and `_` stand for others in a pattern, and the backslash takes that from them.
    fn escaped(&self) -> String {
        let mut text = String::with_capacity(self.0.len());
        for one in self.0.chars() {
            if matches!(one, '%' | '_' | '\\') {
                text.push('\\');
            }
            text.push(one);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_to_see_is_nothing_to_search() {
        for typed in ["", "   ", "\u{0}\u{7}", "\n"] {
            assert_eq!(Search::parse(typed), None, "{typed:?}");
        }
        let parsed = Search::parse(" no\u{0}de:22 ").unwrap();
        assert_eq!(parsed.as_str(), "node:22");
        let long = Search::parse(&"é".repeat(500)).unwrap();
        assert_eq!(long.as_str().chars().count(), SEARCH_CHARS_MAX);
    }

    #[test]
    fn a_sign_stands_for_itself() {
        let search = Search::parse(r"50%_a\b").unwrap();
        assert_eq!(search.start(), r"50\%\_a\\b%");
        assert_eq!(search.inside(), r"%50\%\_a\\b%");
    }
}
