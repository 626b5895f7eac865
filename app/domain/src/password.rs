//! What makes a password acceptable (NIST SP 800-63B-4): length and a list of known ones, no composition rules.
//! Hashing is `backend`'s.

use std::fmt;

use crate::ceilings::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN};
use crate::email::EmailAddress;

/// A password that may be set. Never printed.
#[derive(Clone)]
pub struct NewPassword(String);

/// Why a password was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordProblem {
    /// Under 15 characters.
    TooShort,
    /// Over 128 characters.
    TooLong,
    /// On the list of common passwords, a repetition or run of few characters, or built from the address or our name.
    Guessable,
}

/// Long passwords that lists of leaks hold; short ones fall to the minimum length. Compared in folded form.
const LISTED: &str = include_str!("password_list.txt");

impl NewPassword {
    /// Accepts any Unicode text of 15 to 128 code points that is not on the list or trivially derived.
    ///
    /// # Errors
    /// The first problem met.
    pub fn parse(text: &str, email: Option<&EmailAddress>) -> Result<Self, PasswordProblem> {
        let count = text.chars().count();
        if count < PASSWORD_CHARS_MIN {
            return Err(PasswordProblem::TooShort);
        }
        if count > PASSWORD_CHARS_MAX {
            return Err(PasswordProblem::TooLong);
        }
        if is_guessable(text, email) {
            Err(PasswordProblem::Guessable)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// The text, for hashing only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

fn is_guessable(text: &str, email: Option<&EmailAddress>) -> bool {
    let folded = fold(text);
    if folded.is_empty() || LISTED.lines().any(|line| fold(line) == folded) {
        return true;
    }
    // What remains once the words an attacker tries first are taken out must still be worth guessing.
    let mut rest = folded.clone();
    let address = email.map(EmailAddress::canonical).unwrap_or_default();
    let (local, domain) = address.rsplit_once('@').unwrap_or_default();
    for word in [
        local,
        domain.split('.').next().unwrap_or_default(),
        "isorun",
        "password",
        "sandbox",
    ] {
        let word = fold(word);
        if word.chars().count() >= 4 {
            rest = rest.replace(&word, "");
        }
    }
    rest.chars().count() < 6 || distinct(&folded) < 5 || is_run(&folded) || is_repeated(&folded)
}

/// Lower case with the usual letter-for-digit swaps undone and everything but letters and digits dropped.
fn fold(text: &str) -> String {
    let plain = text.to_lowercase();
    let swapped = plain.chars().map(|c| match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    });
    swapped.filter(|c| c.is_alphanumeric()).collect()
}

fn distinct(text: &str) -> usize {
    let mut chars: Vec<_> = text.chars().collect();
    chars.sort_unstable();
    chars.dedup();
    chars.len()
}

/// One keyboard or alphabet run, forwards or backwards, however often repeated.
fn is_run(folded: &str) -> bool {
    const RUNS: [&str; 5] = [
        "abcdefghijklmnopqrstuvwxyz",
        "oi2eas6t89",
        "qwertyuiop",
        "asdfghjkl",
        "zxcvbnm",
    ];
    let backwards: String = folded.chars().rev().collect();
    RUNS.iter().any(|run| {
        let run = fold(run).repeat(1 + folded.len() / run.len() + 1);
        run.contains(folded) || run.contains(&backwards)
    })
}

/// One short piece again and again ("correctcorrectcorrect").
fn is_repeated(folded: &str) -> bool {
    let chars: Vec<_> = folded.chars().collect();
    (1..=chars.len() / 2).any(|length| {
        chars
            .iter()
            .enumerate()
            .all(|(index, c)| *c == chars[index % length])
    })
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn length_is_counted_in_code_points() {
        assert_eq!(
            NewPassword::parse("schmetterling1", None).unwrap_err(),
            PasswordProblem::TooShort
        );
        assert!(NewPassword::parse("schmetterlinge1", None).is_ok());
        assert!(NewPassword::parse(&"grün zebra ohne".repeat(8), None).is_err());
        assert_eq!(
            NewPassword::parse(&"aé🦀xyz".repeat(25), None).unwrap_err(),
            PasswordProblem::TooLong
        );
    }

    #[test]
    fn guessable_ones_are_refused() {
        let ada = EmailAddress::parse("ada.lovelace@engines.example").unwrap();
        for bad in [
            "passwordpassword",
            "P4ssw0rdP4ssw0rd!",
            "123456789012345",
            "qwertyuiopqwertyuiop",
            "aaaaaaaaaaaaaaaaaa",
            "correctcorrectcorrect",
            "ada.lovelace1234",
            "isorunisorun2026",
            "correct horse battery staple",
            "abcdefghijklmnop",
        ] {
            assert_eq!(
                NewPassword::parse(bad, Some(&ada)).unwrap_err(),
                PasswordProblem::Guessable,
                "{bad}"
            );
        }
        assert!(NewPassword::parse("three quiet rivers meet", Some(&ada)).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_kept_to_the_last_character(text in "\\PC{15,40}") {
            if let Ok(password) = NewPassword::parse(&text, None) {
                prop_assert_eq!(password.expose(), text.as_str());
            }
        }
    }
}
