//! The words of a twin's address, and what is wrong with them whatever the twin: words it does not know, words said twice, a
//! number of rows that is none.

use std::borrow::Cow;

use super::{Pages, Twin};
use crate::action::problem::Problem;

/// Words of an address at most: more than any of ours has.
const WORDS_MAX: usize = 50;
/// Characters of a word that are said back.
const SAID_BACK_CHARS: usize = 40;
/// What every list may be asked besides its own words.
pub(super) const AFTER: &str = "after";
pub(super) const LIMIT: &str = "limit";

/// The words of an address, decoded.
#[derive(Clone, Debug, Default)]
pub struct Asked(Vec<(String, String)>);

impl Asked {
    /// The words of a query string; of too many the first few, which are wrong in any case.
    pub fn new(words: impl Iterator<Item = (String, String)>) -> Self {
        Self(words.take(WORDS_MAX).collect())
    }

    /// What was said under a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, word)| word.clone())
    }

    /// How many rows are wanted at most.
    ///
    /// # Errors
    /// The sentence that says what a number of rows is.
    pub(super) fn rows(&self, pages: Pages) -> Result<usize, Problem> {
        let Some(said) = self.get(LIMIT) else {
            return Ok(pages.at_most);
        };
        let is_plain = said.bytes().all(|byte| byte.is_ascii_digit());
        let rows = said.parse().ok().filter(|_| is_plain);
        let rows = rows.filter(|rows| (1..=pages.at_most).contains(rows));
        rows.ok_or_else(|| {
            let most = pages.at_most;
            about(
                LIMIT,
                format!("Enter the number of rows as a whole number from 1 to {most}."),
            )
        })
    }

    /// What is wrong with the words, whatever they say.
    pub(super) fn problems<T: Twin>(&self) -> Vec<Problem> {
        let mut names: Vec<&str> = T::WORDS.iter().map(|word| word.name).collect();
        if T::PAGES.is_some() {
            names.extend([AFTER, LIMIT]);
        }
        let mut problems: Vec<Problem> = Vec::new();
        for (index, (name, _)) in self.0.iter().enumerate() {
            let is_first = self.0.iter().position(|(other, _)| other == name) == Some(index);
            let said: String = name.chars().take(SAID_BACK_CHARS).collect();
            if !is_first {
                problems.push(about(&said, format!("`{said}` is said more than once.")));
            } else if !names.contains(&name.as_str()) {
                let known = names.join(", ");
                let text = format!(
                    "There is nothing here that `{said}` asks for. This file takes {known}."
                );
                problems.push(about(&said, text));
            }
        }
        problems
    }
}

/// The sentence about a cursor that is none.
pub(super) fn cursor_unknown() -> Problem {
    let text = "This is no place in the list to go on from. Take `next` of the file before, with the same words, or begin without `after`.";
    about(AFTER, text.to_owned())
}

fn about(name: &str, text: String) -> Problem {
    Problem {
        field: Some(Cow::Owned(name.to_owned())),
        text: Cow::Owned(text),
    }
}
