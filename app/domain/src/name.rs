//! Names that people give to things: something to see, nothing that hides, and whether two of them look the same.
//! How long one may be is the thing's.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_security::skeleton;

/// A name as its owner reads it: trimmed, composed (NFC), on one line, with something to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

/// Why a name was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameProblem {
    /// Nothing but space.
    Empty,
    /// Over as many characters as the thing allows.
    TooLong,
    /// A line break, tab or other control character.
    Unprintable,
    /// A character that shows nothing or turns what follows, or no other.
    Invisible,
}

impl Name {
    /// Trims, composes and checks.
    ///
    /// # Errors
    /// The first problem met.
    pub fn parse(text: &str, chars_max: usize) -> Result<Self, NameProblem> {
        let text: String = text.trim().nfc().collect();
        if text.is_empty() {
            Err(NameProblem::Empty)
        } else if text.chars().any(is_unprintable) {
            Err(NameProblem::Unprintable)
        } else if text.chars().count() > chars_max {
            Err(NameProblem::TooLong)
        } else if hides(&text) || text.chars().all(shows_nothing) {
            Err(NameProblem::Invisible)
        } else {
            Ok(Self(text))
        }
    }

    /// The text, without space at either end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether somebody who reads both could take one for the other: the same but for case, spacing, width and letters of
    /// different scripts that are drawn alike (Unicode Technical Standard 39).
    #[must_use]
    pub fn looks_like(&self, other: &str) -> bool {
        let (this, other) = (plain(&self.0), plain(other));
        // As they stand, because a capital I looks like a small l; and without case, because CI is taken for ci.
        drawn(&this) == drawn(&other) || drawn(&folded(&this)) == drawn(&folded(&other))
    }
}

/// Without what shows nothing, in compatibility form, with single spaces.
fn plain(text: &str) -> String {
    let shown = text.chars().filter(|c| !is_ignorable(*c));
    let compatible: String = shown.nfkc().collect();
    let words: Vec<&str> = compatible.split_whitespace().collect();
    words.join(" ")
}

fn folded(text: &str) -> String {
    text.to_uppercase().to_lowercase()
}

/// The strokes that a reader sees.
fn drawn(text: &str) -> String {
    skeleton(text).collect()
}

/// What breaks a line or is no character: controls, separators of lines and paragraphs, anchors of annotations, code points that
/// are for no text.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffc}' | '\u{fdd0}'..='\u{fdef}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// True when something in it is not seen. Joiners and variation selectors are seen by what they do to the sign before them, in
/// emoji and in scripts that join; after anything of ASCII they do nothing.
fn hides(text: &str) -> bool {
    let mut before = ' ';
    text.chars().any(|c| {
        let joins = matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')
            && !before.is_ascii()
            && !shows_nothing(before);
        before = c;
        is_ignorable(c) && !joins
    })
}

/// White as paper, or nothing without a letter that carries it.
fn shows_nothing(c: char) -> bool {
    c.is_whitespace()
        || is_combining_mark(c)
        || is_ignorable(c)
        || matches!(c, '\u{2800}' | '\u{1d159}')
}

/// `Default_Ignorable_Code_Point` of the Unicode Character Database: zero width, fillers, controls of direction, selectors,
/// tags. Closed: what is added to it later is unassigned in these ranges now.
const fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> Result<Name, NameProblem> {
        Name::parse(text, 60)
    }

    #[test]
    fn a_name_is_trimmed_composed_and_bounded() {
        assert_eq!(name("  ci  ").unwrap().as_str(), "ci");
        assert_eq!(name("cafe\u{301}").unwrap().as_str(), "café");
        for empty in ["", " \t ", "\u{3000}\u{a0}"] {
            assert_eq!(name(empty), Err(NameProblem::Empty), "{empty:?}");
        }
        assert_eq!(name(&"é".repeat(61)), Err(NameProblem::TooLong));
        assert!(name(&"é".repeat(60)).is_ok());
        for broken in ["a\nb", "a\u{7}b", "a\u{2028}b", "a\u{85}b", "a\u{fffe}"] {
            assert_eq!(name(broken), Err(NameProblem::Unprintable), "{broken:?}");
        }
    }

    #[test]
    fn a_name_has_something_to_see_and_nothing_that_hides() {
        for hidden in [
            "\u{200b}",
            "\u{2060}",
            "\u{3164}",
            "\u{202e}",
            "\u{feff}",
            "\u{ad}",
            "\u{115f}\u{1160}",
            "\u{ffa0}",
            "\u{2800}",
            "\u{2800} \u{2800}",
            "\u{301}",
            "\u{e0041}",
            "ci\u{200b}",
            "c\u{200d}i",
            "\u{202e}ic",
            "ci\u{2066}x\u{2069}",
            "ci\u{fe0f}",
            "ci \u{3164}",
            "a\u{180e}b",
        ] {
            assert_eq!(name(hidden), Err(NameProblem::Invisible), "{hidden:?}");
        }
        for seen in [
            "ci",
            "👩\u{200d}💻 laptop",
            "❤\u{fe0f}",
            "می\u{200c}خواهم",
            "日本語",
            "ünïcödé",
            "[ci] (2)",
            "ﷺ",
        ] {
            assert!(name(seen).is_ok(), "{seen:?}");
        }
    }

    #[test]
    fn names_that_look_the_same_are_known() {
        for (one, other) in [
            ("ci", "ci"),
            ("ci", "CI"),
            ("ci", "ｃｉ"),
            ("ci", "сі"),
            ("CI", "Cl"),
            ("nightly builds", "nightly\u{a0} builds"),
            ("laptop", "Iaptop"),
            ("prod", "рrоd"),
            ("x0", "xO"),
            ("café", "cafe\u{301}"),
            ("straße", "STRASSE"),
            ("❤\u{fe0f}", "❤"),
        ] {
            assert!(name(one).unwrap().looks_like(other), "{one} {other}");
            assert!(name(other).unwrap().looks_like(one), "{other} {one}");
        }
        for (one, other) in [
            ("ci", "ci 2"),
            ("ci", "c i"),
            ("ci (first try)", "ci"),
            ("prod-eu", "prod-us"),
            ("key 1", "key 2"),
            ("日本", "日木"),
        ] {
            assert!(!name(one).unwrap().looks_like(other), "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_accepted_again_as_it_stands(text in "\\PC{0,70}|[\\u{180b}-\\u{2070} a-c]{0,10}") {
            if let Ok(first) = name(&text) {
                prop_assert_eq!(name(first.as_str()), Ok(first.clone()));
                prop_assert!(first.looks_like(first.as_str()));
                prop_assert!(first.as_str().chars().any(|c| !shows_nothing(c)));
            }
        }
    }
}
