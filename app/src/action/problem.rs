//! What is wrong with what was sent, as a person reads it. What can be wrong is `domain`'s, how it is said each subject's,
//! in its `words.rs`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A sentence, and the field it is about; none when it is about the whole form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Id and name of the control.
    pub field: Option<Cow<'static, str>>,
    /// What happened, what it means, what to do.
    pub text: Cow<'static, str>,
}

impl Problem {
    /// About what was typed into one control.
    #[must_use]
    pub fn in_field(field: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            field: Some(Cow::Borrowed(field)),
            text: text.into(),
        }
    }

    /// About the whole form.
    #[must_use]
    pub fn in_form(text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            field: None,
            text: text.into(),
        }
    }
}

/// A reason to refuse that can be said.
pub trait Words {
    /// The sentence, and where it belongs.
    fn problem(self) -> Problem;
}

/// What an action is refused for: one reason, or several at once.
pub trait Refusal {
    /// Everything there is to say; at least one sentence.
    fn problems(self) -> Vec<Problem>;
}

impl<W: Words> Refusal for W {
    fn problems(self) -> Vec<Problem> {
        vec![self.problem()]
    }
}

/// Every sentence of a set of reasons.
#[cfg(test)]
pub(crate) fn sentences<W: Words + strum::IntoEnumIterator>() -> Vec<String> {
    W::iter()
        .map(|one| one.problem().text.into_owned())
        .collect()
}

/// Checks that these are sentences, polite without begging, and that no two are the same.
#[cfg(test)]
pub(crate) fn assert_style(said: &[String]) {
    for text in said {
        assert!(
            text.ends_with('.') && !text.contains('!') && !text.to_lowercase().contains("please"),
            "{text}"
        );
        assert!(!text.contains("  "), "{text}");
    }
    let unique: std::collections::BTreeSet<&String> = said.iter().collect();
    assert_eq!(unique.len(), said.len(), "{said:?}");
}

/// [`assert_style`] for every reason there is in a set.
#[cfg(test)]
pub(crate) fn house_style<W: Words + strum::IntoEnumIterator>() {
    let said = sentences::<W>();
    assert!(!said.is_empty());
    assert_style(&said);
}
