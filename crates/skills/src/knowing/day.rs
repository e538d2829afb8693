//! Days: what today is, on which day of the week a date falls, how far off it is.
use jiff::civil::{Date, DateTime, Weekday};
use jiff::{Span, ToSpan};

use crate::spoken::number::{amount, ordinal, small};
use crate::spoken::token::{Kind, Token, tokens};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A day that has a name, the same date each year.
const NAMED: [(&str, i8, i8); 9] = [
    ("christmas eve", 12, 24),
    ("christmas", 12, 25),
    ("christmas day", 12, 25),
    ("new year's eve", 12, 31),
    ("new year's day", 1, 1),
    ("new year", 1, 1),
    ("halloween", 10, 31),
    ("valentine's day", 2, 14),
    ("st patrick's day", 3, 17),
];

/// What is asked about a day.
#[derive(Clone, Copy, PartialEq)]
enum Asked {
    /// Which day of the week.
    Weekday,
    /// The same, of the last one that was.
    PastWeekday,
    /// When it is.
    When,
    /// In how many days.
    DaysUntil,
}

/// "It is Monday, November 23."
pub(super) fn date_now(now: DateTime) -> String {
    format!("It is {}.", now.strftime("%A, %B %-d, %Y"))
}

/// The answer to a question about a day; `None` when it asks about something else.
pub(super) fn answer(text: &str, now: DateTime) -> Option<String> {
    let today = now.date();
    Some(match text {
        "what day is it"
        | "what day is it today"
        | "what day is today"
        | "what's the date"
        | "what is the date"
        | "what date is it"
        | "what's today's date"
        | "what's the date today"
        | "what day of the week is it" => date_now(now),
        "what day is it tomorrow" | "what day is tomorrow" | "what's the date tomorrow" => {
            let day = today.tomorrow().ok()?;
            format!("Tomorrow is {}.", day.strftime("%A, %B %-d"))
        }
        "what day was it yesterday" | "what day was yesterday" => {
            let day = today.yesterday().ok()?;
            format!("Yesterday was {}.", day.strftime("%A, %B %-d"))
        }
        "what year is it" => format!("It is {}.", now.year()),
        "what month is it" => format!("It is {}.", now.strftime("%B")),
        "what week is it" | "what week number is it" => {
            format!("It is week {}.", today.iso_week_date().week())
        }
        _ => return of_a_day(text, today),
    })
}

fn of_a_day(text: &str, today: Date) -> Option<String> {
    let heads: [(&str, Asked); 21] = [
        ("what day of the week is ", Asked::Weekday),
        ("what day of the week was ", Asked::PastWeekday),
        ("what day is ", Asked::Weekday),
        ("what day was ", Asked::PastWeekday),
        ("what weekday is ", Asked::Weekday),
        ("which day is ", Asked::Weekday),
        ("what day does ", Asked::Weekday),
        ("when is ", Asked::When),
        ("when's ", Asked::When),
        ("what date is ", Asked::When),
        ("what's the date on ", Asked::When),
        ("what is the date on ", Asked::When),
        ("what's the date next ", Asked::When),
        ("how many days are there until ", Asked::DaysUntil),
        ("how many days until ", Asked::DaysUntil),
        ("how many days till ", Asked::DaysUntil),
        ("how many days is it until ", Asked::DaysUntil),
        ("how many days to ", Asked::DaysUntil),
        ("how long until ", Asked::DaysUntil),
        ("how long is it until ", Asked::DaysUntil),
        ("how long till ", Asked::DaysUntil),
    ];
    let (rest, asked) = heads
        .iter()
        .find_map(|(head, asked)| Some((text.strip_prefix(head)?, *asked)))?;
    let rest = rest.strip_suffix(" fall on").unwrap_or(rest);
    let rest = rest.strip_suffix(" this year").unwrap_or(rest);
    let (name, day) = find(rest, today, asked == Asked::PastWeekday)?;
    let year = if day.year() == today.year() {
        String::new()
    } else {
        format!(", {}", day.year())
    };
    let dated = format!("{}{year}", day.strftime("%B %-d"));
    let days = today.until(day).ok()?.get_days();
    let named = name.clone().unwrap_or_else(|| dated.clone());
    Some(match asked {
        Asked::Weekday | Asked::When if name.is_some() => {
            format!("{named} is on {}, {dated}.", day.strftime("%A"))
        }
        Asked::Weekday | Asked::When => format!("{dated} is a {}.", day.strftime("%A")),
        Asked::PastWeekday => format!("{named} was a {}.", day.strftime("%A")),
        Asked::DaysUntil => match days {
            0 => "That is today.".to_owned(),
            1 => "That is tomorrow.".to_owned(),
            2.. => format!("{days} days until {named}."),
            _ => format!("{named} is over."),
        },
    })
}

/// The day that is meant, and its name where it has one: the next, or the last that was; of the year that is named.
fn find(text: &str, today: Date, past: bool) -> Option<(Option<String>, Date)> {
    let text = text.strip_prefix("the ").unwrap_or(text);
    if let Some(weekday) = weekday(text.strip_prefix("next ").unwrap_or(text)) {
        let ahead = i64::from(today.weekday().until(weekday));
        let days = if ahead == 0 { 7 } else { ahead };
        let day = today.checked_add(Span::new().days(days)).ok()?;
        return Some((Some(title(text)), day));
    }
    let tokens = tokens(text)?;
    let (year, length) = match year(&tokens) {
        Some((year, length)) => (Some(year), tokens.len() - length),
        None => (None, tokens.len()),
    };
    let words: Vec<&str> = tokens[..length].iter().map(Token::word).collect();
    let name = words.join(" ");
    let named = NAMED.iter().find(|(known, _, _)| *known == name);
    let of_year: Box<dyn Fn(i16) -> Option<Date>> = if let Some((_, month, day)) = named {
        Box::new(|year| Date::new(year, *month, *day).ok())
    } else if name == "thanksgiving" {
        // The fourth Thursday of November.
        Box::new(|year| {
            let first = Date::new(year, 11, 1).ok()?;
            first.nth_weekday_of_month(4, Weekday::Thursday).ok()
        })
    } else if matches!(name.as_str(), "easter" | "easter sunday") {
        Box::new(easter)
    } else {
        let (month, day) = month_and_day(&tokens[..length])?;
        Box::new(move |year| Date::new(year, month, day).ok())
    };
    let is_named = named.is_some() || name.starts_with("thanks") || name.starts_with("easter");
    let label = is_named.then(|| title(&name));
    if let Some(year) = year {
        return Some((label, of_year(year)?));
    }
    // Four years, for the 29th of February; eight over a century without one.
    let years = (0..=8).map(|more| today.year() + if past { -more } else { more });
    let day = years
        .filter_map(of_year)
        .find(|day| if past { *day < today } else { *day >= today })?;
    Some((label, day))
}

/// "July fourth", "the fourth of July", "July 4".
fn month_and_day(tokens: &[Token]) -> Option<(i8, i8)> {
    let month = |token: &Token| {
        let at = MONTHS.iter().position(|month| *month == token.word())?;
        i8::try_from(at + 1).ok()
    };
    let day = |tokens: &[Token]| {
        let (day, used) = ordinal(tokens).or_else(|| small(tokens))?;
        Some((i8::try_from(day).ok().filter(|day| *day <= 31)?, used))
    };
    if let Some(month) = month(tokens.first()?) {
        let the = usize::from(tokens.get(1)?.word() == "the");
        let (day, used) = day(&tokens[1 + the..])?;
        return (1 + the + used == tokens.len()).then_some((month, day));
    }
    let (day, used) = day(tokens)?;
    let of = usize::from(tokens.get(used)?.word() == "of");
    let month = month(tokens.get(used + of)?)?;
    (used + of + 1 == tokens.len()).then_some((month, day))
}

/// A year at the end, and how many tokens it takes: "2027", "twenty twenty seven", "two thousand and thirty".
fn year(tokens: &[Token]) -> Option<(i16, usize)> {
    let fits = |year: u64| {
        i16::try_from(year)
            .ok()
            .filter(|year| (1_000..=9_999).contains(year))
    };
    for from in 1..tokens.len() {
        let rest = &tokens[from..];
        if let Kind::Number(number) = rest[0].kind
            && rest.len() == 1
            && let Some(year) = fits(number.into())
        {
            return Some((year, 1));
        }
        if let Some((thousandths, used)) = amount(rest)
            && used == rest.len()
            && rest.get(1).is_some_and(|next| next.word() == "thousand")
            && let Some(year) = fits(thousandths / 1_000)
        {
            return Some((year, used));
        }
        if let Some((century @ 10..=99, used)) = small(rest)
            && let Some((within, more)) = small(&rest[used..])
            && used + more == rest.len()
            && within >= 10
            && let Some(year) = fits(u64::from(century) * 100 + u64::from(within))
        {
            return Some((year, used + more));
        }
    }
    None
}

/// The Sunday behind the first full moon of spring, by the Gregorian calendar (the anonymous algorithm of 1876).
fn easter(year: i16) -> Option<Date> {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - b / 4 - g + 15) % 30;
    let m = (a + 11 * h) / 319;
    let l = (2 * (b % 4) + 2 * (c / 4) - c % 4 - h + m + 32) % 7;
    let month = (h - m + l + 90) / 25;
    let day = (h - m + l + month + 19) % 32;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// A day of the week by its name.
pub(crate) fn weekday(name: &str) -> Option<Weekday> {
    Some(match name {
        "monday" => Weekday::Monday,
        "tuesday" => Weekday::Tuesday,
        "wednesday" => Weekday::Wednesday,
        "thursday" => Weekday::Thursday,
        "friday" => Weekday::Friday,
        "saturday" => Weekday::Saturday,
        "sunday" => Weekday::Sunday,
        _ => return None,
    })
}

/// "New Year's Eve".
fn title(name: &str) -> String {
    let words = name.split(' ').map(|word| {
        let mut letters = word.chars();
        let first: String = letters
            .next()
            .into_iter()
            .flat_map(char::to_uppercase)
            .collect();
        format!("{first}{}", letters.as_str())
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The day behind so many.
pub(crate) fn ahead(today: Date, days: i64) -> Option<Date> {
    today.checked_add(days.days()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easter_is_where_the_church_has_it() {
        for (year, month, day) in [
            (2024, 3, 31),
            (2025, 4, 20),
            (2026, 4, 5),
            (2027, 3, 28),
            (2038, 4, 25),
            (1961, 4, 2),
        ] {
            assert_eq!(easter(year), Date::new(year, month, day).ok(), "{year}");
        }
    }
}
