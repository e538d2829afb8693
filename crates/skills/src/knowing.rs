//! Small things that can be known without asking anybody: the time, the date, sums, units.
mod sum;
mod unit;

use jiff::civil::DateTime;

use crate::words::clock;

/// The answer to a question; `None` when it is about something else. `now` is what the clock on the wall shows.
#[must_use]
pub fn answer(said: &str, now: DateTime) -> Option<String> {
    let text = plain(said)?;
    date(&text, now)
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
    format!("It is {}.", now.strftime("%A, %B %-d, %Y"))
}

fn date(text: &str, now: DateTime) -> Option<String> {
    let tomorrow = now.date().tomorrow().ok()?;
    let yesterday = now.date().yesterday().ok()?;
    let (day, verb) = match text {
        "what time is it" | "what's the time" | "what is the time" => return Some(time_now(now)),
        "what day is it"
        | "what day is it today"
        | "what day is today"
        | "what's the date"
        | "what is the date"
        | "what date is it"
        | "what's today's date"
        | "what's the date today" => {
            return Some(date_now(now));
        }
        "what day is it tomorrow" | "what day is tomorrow" | "what's the date tomorrow" => {
            (tomorrow, "Tomorrow is")
        }
        "what day was it yesterday" | "what day was yesterday" => (yesterday, "Yesterday was"),
        "what year is it" => return Some(format!("It is {}.", now.year())),
        "what month is it" => return Some(format!("It is {}.", now.strftime("%B"))),
        "what week is it" | "what week number is it" => {
            return Some(format!("It is week {}.", now.date().iso_week_date().week()));
        }
        "what can you do" | "what can i say" | "what can i ask" | "help me" | "what do you do" => {
            return Some(WHAT_I_CAN_DO.to_owned());
        }
        _ => return None,
    };
    Some(format!("{verb} {}.", day.strftime("%A, %B %-d")))
}

const WHAT_I_CAN_DO: &str = "I set timers, alarms and reminders, keep lists, do sums and units, \
call people and send messages. And if you need help, say: call nine one one.";

/// Lower case, without the signs around words; `None` when it is too long for a question of this kind.
fn plain(said: &str) -> Option<String> {
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

/// A number as it is said: no more than four places, no zeros behind.
fn figure(number: f64) -> Option<String> {
    if !number.is_finite() || number.abs() >= 1e15 {
        return None;
    }
    let places = match number.abs() {
        1000.0.. => 2,
        _ => 4,
    };
    let text = format!("{number:.places$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    let text = if text == "-0" { "0" } else { text };
    Some(match text.strip_prefix('-') {
        Some(rest) => format!("minus {rest}"),
        None => text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn asked(said: &str) -> String {
        let now = date(2026, 11, 23).at(19, 30, 0, 0);
        answer(said, now).unwrap_or_else(|| "-".to_owned())
    }

    #[test]
    fn small_things_are_known() {
        for (said, known) in [
            ("What time is it?", "It is 7:30 PM."),
            ("What day is it?", "It is Monday, November 23, 2026."),
            ("What day is tomorrow?", "Tomorrow is Tuesday, November 24."),
            ("What's two plus three times four?", "14."),
            ("what is 15 percent of 80", "12."),
            ("How much is twenty-five minus thirty?", "minus 5."),
            ("what is 10 divided by 4", "2.5."),
            (
                "what's ten divided by zero",
                "Nothing can be divided by zero.",
            ),
            ("what is the square root of 144", "12."),
            ("what is 12 squared", "144."),
            ("what's 2 to the power of 10", "1024."),
            ("what is 7 times 8", "56."),
            ("what's 6 x 7", "42."),
            ("calculate 1.5 plus 2.25", "3.75."),
            ("what is 1,200 + 34", "1234."),
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
                "5 miles are 8.0467 kilometers.",
            ),
            (
                "what is 350 degrees fahrenheit in celsius",
                "350 degrees Fahrenheit are 176.6667 degrees Celsius.",
            ),
            ("how many minutes are in a day", "1 day is 1440 minutes."),
            (
                "what's 2 kilograms in pounds",
                "2 kilograms are 4.4092 pounds.",
            ),
            (
                "how many grams in 3 liters",
                "Those two do not measure the same.",
            ),
            ("what is the weather", "-"),
            ("what is love", "-"),
            ("what is five", "-"),
            ("what is plus", "-"),
            ("what is nine one one", "-"),
            ("convert five to six", "-"),
        ] {
            assert_eq!(asked(said), known, "{said}");
        }
    }
}
