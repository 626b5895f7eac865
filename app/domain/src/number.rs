//! Whole numbers as people type them. Amounts of money are `money`'s.

/// Reads digits, or digits with commas between groups of three: `1050`, `1,050`. A comma anywhere else is somebody's decimal
/// point or a slip of the finger, and a guess would be wrong by a factor; so it is refused, as is everything else.
#[must_use]
pub fn whole(text: &str) -> Option<u64> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mut groups = text.split(',');
    let first = groups.next().filter(|first| is_digits(first))?;
    let mut digits = first.to_owned();
    if text.contains(',') {
        // Nobody writes half a thousand as 0,500: that is half of one, elsewhere.
        if first.len() > 3 || first.starts_with('0') {
            return None;
        }
        for group in groups {
            if group.len() != 3 || !is_digits(group) {
                return None;
            }
            digits.push_str(group);
        }
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commas_stand_between_thousands_only() {
        for (text, number) in [
            ("0", 0),
            ("007", 7),
            ("1050", 1_050),
            ("1,050", 1_050),
            ("12,345,678", 12_345_678),
        ] {
            assert_eq!(whole(text), Some(number), "{text}");
        }
        for text in [
            "",
            ",",
            ",5",
            "5,",
            "10,50",
            "1,05",
            "1,0500",
            "1,,050",
            "1000,000",
            "0,500",
            ",050",
            "1,050,",
            "+1",
            "-1",
            " 1",
            "1 050",
            "1.050",
            "1'050",
            "1_050",
            "٣",
            "１",
            "1e3",
            "99999999999999999999999",
        ] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written(number in 0_u64..10_u64.pow(15)) {
            let plain = number.to_string();
            let mut grouped = String::new();
            for (index, digit) in plain.chars().enumerate() {
                if index > 0 && (plain.len() - index) % 3 == 0 {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            prop_assert_eq!(whole(&plain), Some(number));
            prop_assert_eq!(whole(&grouped), Some(number));
        }

        #[test]
        fn no_text_is_read_as_more_than_its_digits_say(text in "[0-9,.]{0,9}") {
            if let Some(number) = whole(&text) {
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                prop_assert_eq!(digits.parse::<u64>().unwrap(), number);
                prop_assert!(text.split(',').skip(1).all(|group| group.len() == 3), "{}", text);
            }
        }
    }
}
