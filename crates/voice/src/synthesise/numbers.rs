//! Numbers as they are said: how many, which one, which year, digit by digit.

const ONES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] = [
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];
const SCALES: [(u64, &str); 4] = [
    (1_000_000_000_000, "trillion"),
    (1_000_000_000, "billion"),
    (1_000_000, "million"),
    (1_000, "thousand"),
];
/// Those whose ordinal is not the word with "th".
const ORDINALS: [(&str, &str); 7] = [
    ("one", "first"),
    ("two", "second"),
    ("three", "third"),
    ("five", "fifth"),
    ("eight", "eighth"),
    ("nine", "ninth"),
    ("twelve", "twelfth"),
];

/// "Two hundred five".
pub(super) fn cardinal(number: u64) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut rest = number;
    for (scale, name) in SCALES {
        if rest >= scale {
            words.push(cardinal(rest / scale));
            words.push(name.to_owned());
            rest %= scale;
        }
    }
    if rest >= 100 {
        words.push(ONES[(rest / 100) as usize].to_owned());
        words.push("hundred".to_owned());
        rest %= 100;
    }
    if rest > 0 || words.is_empty() {
        words.push(below_hundred(rest as usize));
    }
    words.join(" ")
}

fn below_hundred(number: usize) -> String {
    match (number / 10, number % 10) {
        (0 | 1, _) => ONES[number].to_owned(),
        (tens, 0) => TENS[tens].to_owned(),
        (tens, ones) => format!("{} {}", TENS[tens], ONES[ones]),
    }
}

/// "Twenty third".
pub(super) fn ordinal(number: u64) -> String {
    let words = cardinal(number);
    let (before, last) = match words.rsplit_once(' ') {
        Some((before, last)) => (format!("{before} "), last),
        None => (String::new(), words.as_str()),
    };
    let known = ORDINALS.iter().find(|(cardinal, _)| *cardinal == last);
    let last = match (known, last.strip_suffix('y')) {
        (Some((_, ordinal)), _) => (*ordinal).to_owned(),
        (None, Some(stem)) => format!("{stem}ieth"),
        (None, None) => format!("{last}th"),
    };
    format!("{before}{last}")
}

/// "Twenty twenty six", "nineteen oh five", "two thousand nine".
pub(super) fn year(number: u64) -> String {
    match (number / 100, number % 100) {
        (20, 0..10) | (_, 0) if number.is_multiple_of(1_000) || number / 100 == 20 => {
            cardinal(number)
        }
        (century, 0) => format!("{} hundred", cardinal(century)),
        (century, within @ 1..10) => format!("{} oh {}", cardinal(century), cardinal(within)),
        (century, within) => format!("{} {}", cardinal(century), cardinal(within)),
    }
}

/// "Five five five".
pub(super) fn digits(text: &str) -> String {
    let names: Vec<&str> = text
        .chars()
        .filter_map(|digit| Some(ONES[digit.to_digit(10)? as usize]))
        .collect();
    names.join(" ")
}

/// "Seven thirty", "seven oh five", "seven o'clock".
pub(super) fn clock(hour: u64, minute: u64, half_follows: bool) -> String {
    let hour = cardinal(hour);
    match minute {
        0 if half_follows => hour,
        0 => format!("{hour} o'clock"),
        1..10 => format!("{hour} oh {}", cardinal(minute)),
        _ => format!("{hour} {}", cardinal(minute)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_as_people_do() {
        for (number, said) in [
            (0, "zero"),
            (14, "fourteen"),
            (40, "forty"),
            (42, "forty two"),
            (100, "one hundred"),
            (205, "two hundred five"),
            (1_440, "one thousand four hundred forty"),
            (1_200_000, "one million two hundred thousand"),
            (5_000_000_001, "five billion one"),
        ] {
            assert_eq!(cardinal(number), said);
        }
        for (number, said) in [
            (1, "first"),
            (2, "second"),
            (3, "third"),
            (4, "fourth"),
            (5, "fifth"),
            (12, "twelfth"),
            (20, "twentieth"),
            (23, "twenty third"),
            (100, "one hundredth"),
        ] {
            assert_eq!(ordinal(number), said);
        }
        for (number, said) in [
            (2026, "twenty twenty six"),
            (2000, "two thousand"),
            (2009, "two thousand nine"),
            (1999, "nineteen ninety nine"),
            (1905, "nineteen oh five"),
            (1900, "nineteen hundred"),
            (1000, "one thousand"),
        ] {
            assert_eq!(year(number), said);
        }
        assert_eq!(clock(7, 0, false), "seven o'clock");
        assert_eq!(clock(7, 5, true), "seven oh five");
    }
}
