//! Small things that can be known without asking anybody: the time here and elsewhere, days, sums, units.
//!
//! Everything is read out of the words themselves and answered in one sentence. What these words are about is decided
//! before by others: nothing of an emergency comes here.
mod day;
mod exact;
mod place;
mod sum;
mod unit;

use jiff::civil::DateTime;

use crate::words::clock;
use crate::zone::Zone;
pub(crate) use day::{ahead, weekday};

/// The answer to a question; `None` when it is about something else. `wall_ms` is now, in milliseconds since 1970-01-01
/// UTC, `zone` where the speaker stands.
#[must_use]
pub fn answer(said: &str, zone: &Zone, wall_ms: i64) -> Option<String> {
    let text = plain(said)?;
    let now = zone.local(wall_ms);
    time(&text, now)
        .or_else(|| place::answer(&text, now, wall_ms))
        .or_else(|| day::answer(&text, now))
        .or_else(|| unit::answer(&text))
        .or_else(|| sum::answer(&text))
}

/// "It is 7:30 PM."
#[must_use]
pub fn time_now(now: DateTime) -> String {
    format!("It is {}.", clock(now.time()))
}

/// "It is Monday, November 23."
#[must_use]
pub fn date_now(now: DateTime) -> String {
    day::date_now(now)
}

fn time(text: &str, now: DateTime) -> Option<String> {
    matches!(
        text,
        "what time is it" | "what's the time" | "what is the time" | "what time is it now"
    )
    .then(|| time_now(now))
}

/// Lower case, without the signs around words; `None` when it is too long for a question of this kind.
pub(crate) fn plain(said: &str) -> Option<String> {
    if said.len() > crate::spoken::token::PHRASE_BYTES_MAX {
        return None;
    }
    let text = said.to_lowercase().replace('\u{2019}', "'");
    let words: Vec<&str> = text
        .split_whitespace()
        .map(|word| word.trim_matches(|sign| matches!(sign, '?' | '!' | '.' | ',' | '"')))
        .filter(|word| !word.is_empty() && *word != "please")
        .collect();
    Some(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23 19:30 in Denver.
    const EVENING_MS: i64 = 1_795_487_400_000;

    fn asked(said: &str) -> String {
        let zone = Zone::named("America/Denver").unwrap();
        answer(said, &zone, EVENING_MS).unwrap_or_else(|| "-".to_owned())
    }

    #[test]
    fn days_and_times_are_known() {
        for (said, known) in [
            ("What time is it?", "It is 7:30 PM."),
            ("What day is it?", "It is Monday, November 23, 2026."),
            ("What day is tomorrow?", "Tomorrow is Tuesday, November 24."),
            (
                "what day is the fourth of July",
                "July 4, 2027 is a Sunday.",
            ),
            ("What day is July 4th?", "July 4, 2027 is a Sunday."),
            ("what day was the fourth of july", "July 4 was a Saturday."),
            (
                "what day of the week is march first twenty thirty",
                "March 1, 2030 is a Friday.",
            ),
            ("what day is december 24", "December 24 is a Thursday."),
            (
                "what day is the 29th of february",
                "February 29, 2028 is a Tuesday.",
            ),
            ("what day is the 31st of june", "-"),
            ("When is Christmas?", "Christmas is on Friday, December 25."),
            ("when is easter", "Easter is on Sunday, March 28, 2027."),
            (
                "when is thanksgiving",
                "Thanksgiving is on Thursday, November 26.",
            ),
            ("how many days until christmas", "32 days until Christmas."),
            (
                "how long until new year's eve",
                "38 days until New Year's Eve.",
            ),
            ("when is the party", "-"),
            (
                "what date is next friday",
                "Next Friday is on Friday, November 27.",
            ),
            (
                "What time is it in Tokyo?",
                "It is 11:30 AM on Tuesday in Tokyo.",
            ),
            (
                "what's the time in new york right now",
                "It is 9:30 PM in New York.",
            ),
            (
                "what time is it in london",
                "It is 2:30 AM on Tuesday in London.",
            ),
            (
                "what time is it in san francisco",
                "It is 6:30 PM in San Francisco.",
            ),
            (
                "what's the date in Sydney",
                "It is Tuesday, November 24 in Sydney.",
            ),
            ("what time is it in utc", "It is 2:30 AM on Tuesday, UTC."),
            ("what time is it pacific", "-"),
            (
                "what time is it in the kitchen",
                "I do not know what time it is there.",
            ),
            (
                "what time is it in Australia",
                "There is more than one time there: name a city.",
            ),
        ] {
            assert_eq!(asked(said), known, "{said}");
        }
    }

    #[test]
    fn sums_are_exact() {
        for (said, known) in [
            ("What's two plus three times four?", "14."),
            ("what is 15 percent of 80", "12."),
            ("what's 20% off 50", "40."),
            ("what's a 15 percent tip on 60", "-"),
            ("what's 15 percent tip on 60", "9."),
            ("How much is twenty-five minus thirty?", "Minus 5."),
            ("what is 10 divided by 4", "2.5."),
            ("what's ten divided by three", "About 3.33."),
            ("what's 0.1 plus 0.2", "0.3."),
            ("what is 3.14159 times 2", "6.28318."),
            (
                "what's ten divided by zero",
                "Nothing can be divided by zero.",
            ),
            ("what is the square root of 144", "12."),
            ("what is the square root of 2", "About 1.41."),
            (
                "what is the square root of minus 4",
                "A number below zero has no square root that I could say.",
            ),
            ("what is 12 squared", "144."),
            ("what's half of thirty", "15."),
            ("what is two thirds of 90", "60."),
            ("what's 2 to the power of 10", "1024."),
            (
                "what is 99 to the power of 40",
                "That is more than I can reckon.",
            ),
            ("what is 7 times 8", "56."),
            ("seven times eight", "56."),
            ("what's 6 x 7", "42."),
            ("calculate 1.5 plus 2.25", "3.75."),
            ("what is 1,200 + 34", "1234."),
            ("what is 1200 times 1000", "1,200,000."),
            ("divide 100 by 8", "12.5."),
            ("Multiply six by seven.", "42."),
            ("what is the sum of 12 and 30", "42."),
            ("add 5 and 3", "8."),
            ("subtract 5 from 20", "15."),
            ("take 5 away from 20", "15."),
            ("what's the difference between 20 and 5", "15."),
            ("divide 5 by zero", "Nothing can be divided by zero."),
            ("add milk to the shopping list", "-"),
            ("add 5 minutes to the timer", "-"),
            ("take a message from anna", "-"),
            ("multiply by two", "-"),
            ("what is the weather", "-"),
            ("what is love", "-"),
            ("what is five", "-"),
            ("five", "-"),
            ("what is plus", "-"),
            ("what is nine one one", "-"),
            ("convert five to six", "-"),
        ] {
            assert_eq!(asked(said), known, "{said}");
        }
    }

    #[test]
    fn units_are_exact_or_said_to_be_about() {
        for (said, known) in [
            (
                "how many centimeters are in an inch",
                "1 inch is 2.54 centimeters.",
            ),
            (
                "how many teaspoons in a tablespoon",
                "1 tablespoon is 3 teaspoons.",
            ),
            (
                "convert five miles to kilometers",
                "5 miles are about 8.05 kilometers.",
            ),
            (
                "what is 350 degrees fahrenheit in celsius",
                "350 degrees Fahrenheit are about 176.67 degrees Celsius.",
            ),
            (
                "what is minus 40 degrees celsius in fahrenheit",
                "minus 40 degrees Celsius are minus 40 degrees Fahrenheit.",
            ),
            ("how many minutes are in a day", "1 day is 1440 minutes."),
            ("how many cups in half a gallon", "0.5 gallons are 8 cups."),
            (
                "what's 2 kilograms in pounds",
                "2 kilograms are about 4.41 pounds.",
            ),
            (
                "5 feet 7 inches in centimeters",
                "5 feet 7 inches are 170.18 centimeters.",
            ),
            (
                "what is six foot two in meters",
                "6 feet 2 inches are about 1.88 meters.",
            ),
            (
                "convert 2 hours and 30 minutes to minutes",
                "2 hours 30 minutes are 150 minutes.",
            ),
            (
                "how many ounces in 5 pounds 3 ounces",
                "5 pounds 3 ounces are 83 ounces.",
            ),
            (
                "what is 5 feet 7 inches in pounds",
                "Those two do not measure the same.",
            ),
            ("what is 7 inches 5 feet in meters", "-"),
            (
                "how many grams in 3 liters",
                "Those two do not measure the same.",
            ),
        ] {
            assert_eq!(asked(said), known, "{said}");
        }
    }

    proptest::proptest! {
        #[test]
        fn words_of_any_kind_are_answered_or_left(said in "\\PC{0,80}", wall_ms in proptest::num::i64::ANY) {
            let _ = answer(&said, &Zone::utc(), wall_ms);
        }

        #[test]
        fn sums_of_any_figures_are_answered_or_left(said in "(what is )?([0-9.,]{1,18}|minus|times|plus|over|percent of|squared|half of|the square root of| ){1,12}") {
            let _ = answer(&said, &Zone::utc(), 0);
        }
    }
}
