//! Reads variables one by one and collects what is wrong, so that all of it can be said at once. Values never leave
//! this file in words: a wrong value may be a secret in the wrong place.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub name: &'static str,
    /// What it must be.
    pub text: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(
            f,
            "the configuration has {count} problem{}:",
            if count == 1 { "" } else { "s" }
        )?;
        self.0
            .iter()
            .try_for_each(|problem| write!(f, "\n  {}: {}", problem.name, problem.text))
    }
}

pub(super) struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    production: bool,
    asked: Vec<&'static str>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            lookup,
            production: false,
            asked: Vec::new(),
            problems: Vec::new(),
        }
    }

    pub(super) const fn set_production(&mut self, production: bool) {
        self.production = production;
    }

    /// A variable that must be set.
    pub(super) fn required<T>(
        &mut self,
        name: &'static str,
        is: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        match self.value(name) {
            Some(text) => self.parsed(name, is, parse(&text)),
            None => {
                self.refuse(name, &format!("is not set; it must be {is}"));
                None
            }
        }
    }

    /// A variable that may be absent or empty: `Some(None)` then, `None` when it is set and wrong.
    #[expect(
        clippy::option_option,
        reason = "absent and wrong are different answers"
    )]
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        is: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.value(name) {
            Some(text) => self.parsed(name, is, parse(&text)).map(Some),
            None => Some(None),
        }
    }

    pub(super) fn refuse(&mut self, name: &'static str, text: &str) {
        self.problems.push(Problem {
            name,
            text: text.to_owned(),
        });
    }

    pub(super) fn refuse_in_production(&mut self, name: &'static str, text: &str) {
        if self.production {
            self.refuse(name, &format!("{text} in production"));
        }
    }

    pub(super) fn asked(self) -> Vec<&'static str> {
        self.asked
    }

    pub(super) fn into_problems(self) -> Option<Problems> {
        (!self.problems.is_empty()).then_some(Problems(self.problems))
    }

    fn value(&mut self, name: &'static str) -> Option<String> {
        self.asked.push(name);
        (self.lookup)(name)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    }

    fn parsed<T>(&mut self, name: &'static str, is: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.refuse(name, &format!("must be {is}"));
        }
        value
    }
}
