//! Times and lengths as people say them: what is written in words is read again, whatever is said does no harm.
use hearthline_skills::spoken::{length, number, token, when};
use jiff::civil::{DateTime, date};
use proptest::prelude::*;

fn now() -> DateTime {
    date(2026, 11, 23).at(12, 0, 0, 0)
}

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

/// A number below one million in words.
fn words(number: u64) -> String {
    match number {
        0..20 => ONES[number as usize].to_owned(),
        20..100 if number.is_multiple_of(10) => TENS[number as usize / 10].to_owned(),
        20..100 => format!(
            "{} {}",
            TENS[number as usize / 10],
            ONES[number as usize % 10]
        ),
        100..1_000 if number.is_multiple_of(100) => format!("{} hundred", words(number / 100)),
        100..1_000 => format!(
            "{} hundred and {}",
            words(number / 100),
            words(number % 100)
        ),
        _ if number.is_multiple_of(1_000) => format!("{} thousand", words(number / 1_000)),
        _ => format!(
            "{} thousand {}",
            words(number / 1_000),
            words(number % 1_000)
        ),
    }
}

fn vocabulary() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "half",
        "past",
        "quarter",
        "to",
        "seven",
        "tomorrow",
        "morning",
        "in",
        "two",
        "and",
        "a",
        "hours",
        "every",
        "weekday",
        "at",
        "6:30",
        "24:00",
        "eight",
        "monday",
        "next",
        "the",
        "first",
        "of",
        "may",
        "am",
        "pm",
        "p.m.",
        "o'clock",
        "midnight",
        "tonight",
        "point",
        "five",
        "hundred",
        "thousand",
        "31st",
        "february",
        "day",
        "after",
        "minutes",
        "from",
        "now",
        "oh",
        "0",
        "99",
        "999999999999",
        "1.5",
        "today",
        "night",
        "this",
        "mondays",
        "couple",
        "three",
        "quarters",
        "later",
        ":",
        "-",
    ]);
    prop::collection::vec(known, 0..14).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn numbers_in_words_are_read(number in 0_u64..1_000_000) {
        let tokens = token::tokens(&words(number)).unwrap();
        prop_assert_eq!(number::amount(&tokens), Some((number * 1_000, tokens.len())));
    }

    #[test]
    fn a_length_that_is_said_is_read_as_the_same(seconds in 1_u64..86_400) {
        let ms = seconds * 1_000;
        let said = length::said(ms);
        // Of three hours and more, seconds are left out; rounding to the minute is below.
        let expected = if seconds >= 3 * 3_600 { seconds / 60 * 60 * 1_000 } else { ms };
        prop_assert_eq!(length::read(&said), Some(expected), "{}", said);
    }

    #[test]
    fn every_minute_of_the_day_is_read_in_figures_and_in_words(hour in 0_u8..24, minute in 0_u8..60) {
        let half = if hour < 12 { "am" } else { "pm" };
        let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
        let spoken = |number: u8| words(u64::from(number));
        let minutes = match minute {
            0 => String::new(),
            1..10 => format!("oh {}", spoken(minute)),
            _ => spoken(minute),
        };
        for phrase in [
            format!("tomorrow at {twelve}:{minute:02} {half}"),
            format!("{twelve}:{minute:02}{half} tomorrow"),
            format!("{} {minutes} {half} tomorrow", spoken(twelve)),
        ] {
            let expected = date(2026, 11, 24).at(hour as i8, minute as i8, 0, 0);
            prop_assert_eq!(when::read(&phrase, now(), false), Ok(when::When::At(expected)), "{}", phrase);
        }
    }

    #[test]
    fn whatever_is_said_gives_a_time_to_come_or_none(phrase in vocabulary(), loosely: bool) {
        if let Ok(when::When::At(at)) = when::read(&phrase, now(), loosely) {
            prop_assert!(at > now(), "{phrase} {at}");
            prop_assert!(at < date(2028, 12, 1).at(0, 0, 0, 0));
        }
        if let Some(ms) = length::read(&phrase) {
            prop_assert!(ms > 0 && ms <= length::LENGTH_MS_MAX);
        }
        if let Some((rest, _)) = when::split(&phrase, now()) {
            prop_assert!(phrase.contains(rest) && !rest.is_empty());
        }
    }

    #[test]
    fn any_text_does_no_harm(phrase in "\\PC{0,120}") {
        let _ = when::read(&phrase, now(), true);
        let _ = when::split(&phrase, now());
        let _ = length::read(&phrase);
    }
}

#[test]
fn a_very_long_phrase_is_no_time() {
    let long = "seven and ".repeat(5_000);
    assert_eq!(when::read(&long, now(), true), Err(when::WhenError::NoTime));
    assert_eq!(when::split(&long, now()), None);
}
