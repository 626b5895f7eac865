//! Which passwords are refused and why, and that none is for a reason that is not so.

use proptest::prelude::*;

use super::*;

fn problem(text: &str) -> Option<PasswordProblem> {
    NewPassword::parse(text, None).err()
}

#[test]
fn length_is_counted_in_code_points() {
    assert_eq!(problem("schmetterling1"), Some(PasswordProblem::TooShort));
    assert_eq!(problem("schmetterlinge1"), None);
    assert_eq!(
        problem(&"aé🦀xyz".repeat(25)),
        Some(PasswordProblem::TooLong)
    );
}

#[test]
fn composed_and_decomposed_are_one_password() {
    let (together, apart) = ("grüne Zebras öfter", "gru\u{308}ne Zebras o\u{308}fter");
    assert_ne!(together, apart);
    let [one, other] = [together, apart].map(|text| NewPassword::parse(text, None).unwrap());
    assert_eq!(one.expose(), other.expose());
    assert_eq!(one.expose(), composed(apart));
    // Fifteen code points as counted, whatever was sent.
    assert_eq!(
        problem("u\u{308}o\u{308}a\u{308}zu\u{308}o\u{308}a\u{308}z"),
        Some(PasswordProblem::TooShort)
    );
}

/// Long ones that every list of leaks or every guide to bad passwords has.
const WELL_KNOWN: [&str; 53] = [
    "password1234567",
    "password12345678",
    "passwordpassword",
    "password123456789",
    "P@ssw0rd1234567",
    "P4ssw0rdP4ssw0rd!",
    "Password123456!",
    "passw0rdpassw0rd",
    "mypassword12345",
    "thisismypassword",
    "admin1234567890",
    "adminadminadmin",
    "administrator123",
    "Admin@1234567890",
    "qwertyuiop12345",
    "qwertyuiopasdfgh",
    "qwerty123456789",
    "qwertyqwertyqwerty",
    "1qaz2wsx3edc4rfv",
    "1q2w3e4r5t6y7u8i",
    "zaq12wsxcde34rfv",
    "qazwsxedcrfvtgb",
    "asdfghjklzxcvbnm",
    "zxcvbnm123456789",
    "123456789012345",
    "1234567890123456",
    "012345678901234",
    "987654321098765",
    "111111111111111",
    "000000000000000",
    "123123123123123",
    "112233445566778899",
    "123456789abcdefg",
    "abcdefghijklmnop",
    "abc123abc123abc",
    "a1b2c3d4e5f6g7h8",
    "iloveyou1234567",
    "iloveyouiloveyou",
    "iloveyouforever",
    "letmein12345678",
    "letmeinletmeinletmein",
    "welcome12345678",
    "welcomewelcome1",
    "changeme1234567",
    "changemechangeme",
    "football1234567",
    "monkey123456789",
    "dragon123456789",
    "superman1234567",
    "princess1234567",
    "sunshine1234567",
    "correcthorsebatterystaple",
    "thequickbrownfox",
];

#[test]
fn the_well_known_ones_are_refused() {
    let passed: Vec<&str> = WELL_KNOWN
        .into_iter()
        .filter(|text| problem(text).is_none())
        .collect();
    assert!(passed.is_empty(), "{passed:?}");
    for text in WELL_KNOWN {
        assert!(
            matches!(
                problem(text),
                Some(PasswordProblem::Common | PasswordProblem::Pattern)
            ),
            "{text}: {:?}",
            problem(text)
        );
    }
}

#[test]
fn the_list_is_long_sound_and_refused_in_any_spelling() {
    let lines: Vec<&str> = LISTED
        .lines()
        .filter(|line| !line.starts_with("# "))
        .collect();
    assert!(lines.len() >= 3_000, "{}", lines.len());
    for line in &lines {
        let count = line.chars().count();
        assert!(
            (PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&count),
            "{line}"
        );
        assert!(
            problem(line).is_some() && problem(&line.to_uppercase()).is_some(),
            "{line}"
        );
        assert!(!line.contains('@'), "{line}: nobody's address");
    }
    let distinct: std::collections::BTreeSet<_> = lines.iter().collect();
    assert_eq!(distinct.len(), lines.len());
    assert_eq!(
        problem("Correct-Horse-Battery-Staple"),
        Some(PasswordProblem::Common)
    );
}

#[test]
fn each_reason_is_the_true_one() {
    let ada = EmailAddress::parse("ada.lovelace@engines.example").unwrap();
    for (text, reason) in [
        ("correct horse battery staple", PasswordProblem::Common),
        ("password-password-2026", PasswordProblem::Common),
        ("!!!password????", PasswordProblem::Common),
        ("aaaaaaaaaaaaaaaaaa", PasswordProblem::Pattern),
        ("abababababababababab", PasswordProblem::Pattern),
        ("correctcorrectcorrect", PasswordProblem::Pattern),
        ("correct-correct-correct", PasswordProblem::Pattern),
        ("zebrazebrazebra", PasswordProblem::Pattern),
        ("aaaaabbbbbcccccddddd", PasswordProblem::Pattern),
        ("!!!!!!!!!!!!!!!!", PasswordProblem::Pattern),
        ("🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀", PasswordProblem::Pattern),
        ("ada.lovelace@engines.example", PasswordProblem::FromAddress),
        ("ada.lovelace1234", PasswordProblem::FromAddress),
        ("Lovelace engines!", PasswordProblem::FromAddress),
        ("isorunsandbox2026", PasswordProblem::FromAddress),
    ] {
        let refused = NewPassword::parse(text, Some(&ada)).unwrap_err();
        assert_eq!(refused, reason, "{text}");
    }
}

#[test]
fn nothing_is_refused_for_a_reason_that_is_not_so() {
    for text in [
        // Fifteen different signs each, none of them a letter in the first.
        "!\"#$%&'()*+,-./",
        "~%{?(*#:&<_;[}^",
        "k7#Qv!2x@Lp9$Zt",
        "q9x4mz7w2kd8vj3",
        "839201746528193",
        "🦀🐙🐚🐠🐡🐬🐳🐋🦈🦭🐢🐍🦎🦂🕷",
        "三つの静かな川が出会う場所へ",
        "три тихие реки встречаются",
        "three quiet rivers meet",
        "my secret garden of dragons",
        "welcome to the jungle gym",
        "ada lovelace wrote a program",
    ] {
        let text = if text.chars().count() < PASSWORD_CHARS_MIN {
            format!("{text}。")
        } else {
            text.to_owned()
        };
        assert_eq!(problem(&text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_accepted_is_kept_to_the_last_character(text in "\\PC{15,40}") {
        if let Ok(password) = NewPassword::parse(&text, None) {
            prop_assert_eq!(password.expose(), composed(&text));
        }
    }

    #[test]
    fn signs_drawn_at_random_are_accepted(text in "[a-zA-Z0-9!-/:-@]{24}") {
        prop_assert_eq!(problem(&text), None);
    }
}
