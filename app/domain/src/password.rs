//! What makes a password acceptable (NIST SP 800-63B-4): length, and that it is not among the first an attacker tries; no
//! composition rules. Hashing is `backend`'s.

use std::fmt;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;

use crate::ceilings::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN};
use crate::email::EmailAddress;

/// A password that may be set, composed. Never printed.
#[derive(Clone)]
pub struct NewPassword(String);

/// Why a password was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordProblem {
    /// Under 15 characters.
    TooShort,
    /// Over 128 characters.
    TooLong,
    /// On the list of common passwords, or one of their words with little added.
    Common,
    /// Few characters, one piece again and again, or runs of the alphabet or the keyboard.
    Pattern,
    /// Made of the address or our name, with little added.
    FromAddress,
}

/// Long passwords that lists of leaks hold; short ones fall to the minimum length. The file says where they are from.
const LISTED: &str = include_str!("password_list.txt");

/// The list in the form in which it is compared, in order.
static FOLDED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let lines = LISTED.lines().filter(|line| !line.starts_with("# "));
    let mut folded: Vec<String> = lines.map(fold).collect();
    folded.sort_unstable();
    folded
});

/// What the most used passwords are made of, in folded form. Taken out of one, they leave what is worth guessing.
const WORDS: [&str; 60] = [
    "password",
    "passwort",
    "passwd",
    "passw",
    "admin",
    "administrator",
    "iloveyou",
    "letmein",
    "welcome",
    "qwerty",
    "azerty",
    "football",
    "baseball",
    "basketball",
    "monkey",
    "dragon",
    "princess",
    "sunshine",
    "superman",
    "batman",
    "master",
    "shadow",
    "michael",
    "jordan",
    "jessica",
    "ashley",
    "charlie",
    "computer",
    "internet",
    "secret",
    "login",
    "changeme",
    "default",
    "testing",
    "test",
    "hello",
    "freedom",
    "whatever",
    "trustno",
    "starwars",
    "pokemon",
    "minecraft",
    "soccer",
    "hockey",
    "killer",
    "liverpool",
    "arsenal",
    "chelsea",
    "barcelona",
    "summer",
    "winter",
    "spring",
    "autumn",
    "flower",
    "cheese",
    "google",
    "facebook",
    "root",
    "user",
    "guest",
];
/// Our own name, and what we sell.
const OURS: [&str; 2] = ["isorun", "sandbox"];
/// Shorter pieces of an address are in every text.
const PIECE_CHARS_MIN: usize = 4;
/// Signs that must be left once runs, repetitions and words are taken out.
const WORTH_MIN: usize = 6;
/// Different signs that a password must have.
const DISTINCT_MIN: usize = 5;

/// The form in which a password is hashed and checked: composed (NFC), so that a keyboard that sends a letter and its accent
/// apart and one that sends them together write the same password.
#[must_use]
pub fn composed(text: &str) -> String {
    text.nfc().collect()
}

impl NewPassword {
    /// Accepts any Unicode text of 15 to 128 code points that is not on the list or trivially derived.
    ///
    /// # Errors
    /// The first problem met.
    pub fn parse(text: &str, email: Option<&EmailAddress>) -> Result<Self, PasswordProblem> {
        let text = composed(text);
        let count = text.chars().count();
        if count < PASSWORD_CHARS_MIN {
            return Err(PasswordProblem::TooShort);
        }
        if count > PASSWORD_CHARS_MAX {
            return Err(PasswordProblem::TooLong);
        }
        match guessable(&text, email) {
            Some(problem) => Err(problem),
            None => Ok(Self(text)),
        }
    }

    /// The text, for hashing only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

fn guessable(text: &str, email: Option<&EmailAddress>) -> Option<PasswordProblem> {
    let signs = Signs::of(text);
    if signs.distinct() < DISTINCT_MIN || signs.worth() < WORTH_MIN || signs.repeat() {
        return Some(PasswordProblem::Pattern);
    }
    if FOLDED.binary_search(&fold(text)).is_ok() {
        return Some(PasswordProblem::Common);
    }
    let pieces = pieces(email);
    let without = signs.without(pieces.iter().map(String::as_str).chain(OURS));
    if without.worth() < WORTH_MIN {
        return Some(PasswordProblem::FromAddress);
    }
    (without.without(WORDS).worth() < WORTH_MIN).then_some(PasswordProblem::Common)
}

/// The folded pieces of an address that could make a password: the whole, its halves, and what stands between its signs.
fn pieces(email: Option<&EmailAddress>) -> Vec<String> {
    let address = email.map(EmailAddress::canonical).unwrap_or_default();
    let (local, domain) = address.rsplit_once('@').unwrap_or_default();
    let parts = address.split(|c: char| !c.is_alphanumeric());
    let whole = [address.as_str(), local, domain];
    let mut pieces: Vec<String> = whole.into_iter().chain(parts).map(fold).collect();
    pieces.retain(|piece| piece.chars().count() >= PIECE_CHARS_MIN);
    // The longest first, so that none leaves a rest of a longer one behind.
    pieces.sort_unstable_by_key(|piece| std::cmp::Reverse(piece.chars().count()));
    pieces
}

/// A password as an attacker looks at it: letters, digits and what is written for them, in order, each as typed (lower case) and
/// as meant; and the other signs, whose order is not looked at.
struct Signs {
    letters: Vec<(char, char)>,
    others: Vec<char>,
}

impl Signs {
    fn of(text: &str) -> Self {
        let mut signs = Self {
            letters: Vec::new(),
            others: Vec::new(),
        };
        for typed in text.to_lowercase().chars() {
            let meant = meant(typed);
            if meant.is_alphanumeric() {
                signs.letters.push((typed, meant));
            } else if !typed.is_whitespace() {
                signs.others.push(typed);
            }
        }
        signs.others.sort_unstable();
        signs.others.dedup();
        signs
    }

    fn distinct(&self) -> usize {
        let mut typed: Vec<char> = self.letters.iter().map(|(typed, _)| *typed).collect();
        typed.sort_unstable();
        typed.dedup();
        typed.len() + self.others.len()
    }

    /// One piece again and again, with few other signs between.
    fn repeat(&self) -> bool {
        let typed: Vec<char> = self.letters.iter().map(|(typed, _)| *typed).collect();
        period(&typed) < typed.len() && self.others.len() < WORTH_MIN
    }

    /// What is left once these words are taken out, wherever they stand.
    fn without<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut letters = self.letters.clone();
        for word in words {
            let word: Vec<char> = word.chars().collect();
            let mut at = 0;
            while at + word.len() <= letters.len() {
                let is_here = letters[at..]
                    .iter()
                    .zip(&word)
                    .all(|((_, meant), c)| meant == c);
                if is_here {
                    letters.drain(at..at + word.len());
                } else {
                    at += 1;
                }
            }
        }
        Self {
            letters,
            others: self.others.clone(),
        }
    }

    /// How many signs somebody who tries patterns has to guess: a piece that repeats counts once, and a run counts as one sign.
    fn worth(&self) -> usize {
        let typed: Vec<char> = self.letters.iter().map(|(typed, _)| *typed).collect();
        let typed = &typed[..period(&typed)];
        let (mut worth, mut at) = (0, 0);
        while at < typed.len() {
            at += run(&typed[at..]);
            worth += 1;
        }
        worth + self.others.len()
    }
}

/// The sign that a digit or a mark is usually written for.
const fn meant(typed: char) -> char {
    match typed {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

/// The form in which texts are compared: lower case, swaps undone, only letters and digits; as it is where none are left.
fn fold(text: &str) -> String {
    let lower = text.to_lowercase();
    let folded: String = lower
        .chars()
        .map(meant)
        .filter(|c| c.is_alphanumeric())
        .collect();
    if folded.is_empty() { lower } else { folded }
}

/// The length of the shortest piece whose repetition this is, the last one perhaps cut; the whole length if it is none.
fn period(signs: &[char]) -> usize {
    let repeats = |length: &usize| signs.iter().zip(&signs[*length..]).all(|(a, b)| a == b);
    (1..=signs.len() / 2).find(repeats).unwrap_or(signs.len())
}

/// In which orders signs are typed one after the other: alphabet, digits, the rows and columns of keyboards, and the zigzags
/// between two rows.
const ORDERS: [&str; 24] = [
    "abcdefghijklmnopqrstuvwxyz",
    "1234567890",
    "0123456789",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "qwertzuiop",
    "yxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1qazxsw23edcvfr45tgbnhy67ujm",
    "zaq12wsxcde34rfvbgt56yhn",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "1qa2ws3ed4rf5tg6yh7uj8ik9ol",
    "qawsedrftgyhujikolp",
    "a1s2d3f4g5h6j7k8l9",
    "a1b2c3d4e5f6g7h8i9j0",
    "1a2b3c4d5e6f7g8h9i0j",
    "147258369",
    "пароль",
];
/// From how many signs on a run counts as one.
const RUN_MIN: usize = 3;

/// How many signs at the beginning are one run: all the same, or one after the other in one order, forwards or backwards. One
/// if there is none.
fn run(signs: &[char]) -> usize {
    let mut ways = u64::MAX;
    let steps = signs.windows(2).take_while(|pair| {
        ways &= steps(pair[0], pair[1]);
        ways != 0
    });
    match steps.count() + 1 {
        length if length >= RUN_MIN => length,
        _ => 1,
    }
}

/// The ways in which `b` follows `a`, a bit each.
fn steps(a: char, b: char) -> u64 {
    let mut ways = u64::from(a == b);
    for (number, order) in ORDERS.iter().enumerate() {
        let place = |c: char| order.chars().position(|one| one == c);
        if let (Some(a), Some(b)) = (place(a), place(b)) {
            ways |= u64::from(a + 1 == b) << (1 + 2 * number);
            ways |= u64::from(b + 1 == a) << (2 + 2 * number);
        }
    }
    ways
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

#[cfg(test)]
mod tests;
