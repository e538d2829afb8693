//! Which form of a word goes with a number: the whole-number part of CLDR's cardinal rules, for the languages whose
//! number words change with it.
//!
//! Source: Unicode CLDR 47, "Language Plural Rules".

/// The category for a whole number.
pub(super) fn cardinal(language: &str, number: i64) -> &'static str {
    let n = number.abs();
    let (last, last_two) = (n % 10, n % 100);
    let teen = (11..=14).contains(&last_two);
    let family = language.split(['-', '_']).next().unwrap_or(language);
    match family {
        "ru" | "uk" | "be" | "sr" | "hr" | "bs" | "sh" => match last {
            1 if last_two != 11 => "one",
            2..=4 if !teen => "few",
            _ if matches!(family, "sr" | "hr" | "bs" | "sh") => "other",
            _ => "many",
        },
        "pl" => match last {
            _ if n == 1 => "one",
            2..=4 if !teen => "few",
            _ => "many",
        },
        "cs" | "sk" => match n {
            1 => "one",
            2..=4 => "few",
            _ => "other",
        },
        "sl" => match last_two {
            1 => "one",
            2 => "two",
            3 | 4 => "few",
            _ => "other",
        },
        "lt" => match last {
            _ if (11..=19).contains(&last_two) => "other",
            1 => "one",
            2..=9 => "few",
            _ => "other",
        },
        "lv" => match last {
            _ if last == 0 || (11..=19).contains(&last_two) => "zero",
            1 => "one",
            _ => "other",
        },
        "ro" | "mo" => match last_two {
            _ if n == 1 => "one",
            _ if n == 0 || (1..=19).contains(&last_two) => "few",
            _ => "other",
        },
        "fr" | "pt" | "hy" | "hi" | "fa" | "am" | "zu" if n == 0 => "one",
        "he" if n == 2 => "two",
        _ if n == 1 => "one",
        _ => "other",
    }
}
