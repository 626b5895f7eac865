//! Countries as ISO 3166-1 alpha-2 codes. Which ones are refused is configuration (Terms 14), so it is not here.

use std::fmt;

/// An assigned two-letter country code, upper case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(&'static str);

/// Codes and English short names, ISO 3166-1 as of 2024, ordered by name.
const COUNTRIES: &[(&str, &str)] = include!("country_list.in");

impl Country {
    /// The country of a code in any case; `None` when the code is not assigned.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        COUNTRIES
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(code.trim()))
            .map(|(known, _)| Self(known))
    }

    /// The two letters.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.0
    }

    /// Code and name of every country, ordered by name, for a `<select>`.
    #[must_use]
    pub const fn all() -> &'static [(&'static str, &'static str)] {
        COUNTRIES
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_names_sorted() {
        let mut codes: Vec<_> = COUNTRIES.iter().map(|(code, _)| *code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), COUNTRIES.len());
        assert_eq!(COUNTRIES.len(), 249);
        assert!(Country::parse("nl").is_some_and(|country| country.code() == "NL"));
        assert_eq!(Country::parse("XX"), None);
        assert_eq!(Country::parse(""), None);
    }
}
