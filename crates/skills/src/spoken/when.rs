//! Points in time: "half past seven tomorrow morning", "every weekday at 6:30", "in two and a half hours".
//!
//! A phrase is a row of parts in any order: a day, a time, a part of the day. Each part is tried at most once at each
//! word, so that reading takes time in proportion to the words.
use jiff::Span;
use jiff::civil::{Date, DateTime, Time, Weekday};

use super::length;
use super::number::{ordinal, small};
use super::token::{Kind, Token, tokens};
use crate::rule::Days;

/// Farthest that is taken: two years.
const DAYS_AHEAD_MAX: i64 = 732;
const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];
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

/// What a phrase says about time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// So many milliseconds from now.
    In(u64),
    /// When the clock on the wall shows this.
    At(DateTime),
    /// Again and again.
    Every {
        /// On these days.
        days: Days,
        /// At this time.
        time: Time,
    },
}

/// Why a phrase gives no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WhenError {
    /// It is about no time at all, or about more than a time.
    #[error("these words are no time")]
    NoTime,
    /// A day without a time.
    #[error("a day, but no time of the day")]
    NoHour,
    /// It is over.
    #[error("that time is over")]
    Past,
    /// There is no such day, or it is more than two years away.
    #[error("there is no such day within two years")]
    NoDay,
}

/// A part of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Morning,
    Afternoon,
    Evening,
    Night,
}

impl Part {
    /// The hour that a reminder for it is given.
    fn hour(self) -> i8 {
        match self {
            Self::Morning => 9,
            Self::Afternoon => 15,
            Self::Evening => 18,
            Self::Night => 21,
        }
    }

    /// The hour of 24 that an hour of 12 is in it.
    fn place(self, hour: i8) -> i8 {
        match (self, hour) {
            (Self::Morning, 12) => 0,
            (Self::Morning, hour) => hour,
            // "Twelve at night" is midnight, "two at night" before dawn.
            (Self::Night, 12) => 0,
            (Self::Night, hour @ 0..=4) => hour,
            (_, 12) => 12,
            (_, hour) if hour < 12 => hour + 12,
            (_, hour) => hour,
        }
    }
}

/// A time of the day as it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Clock {
    hour: i8,
    minute: i8,
    /// It can be no other: "am", "18:30", "noon".
    sure: bool,
}

/// Days as they were said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    /// So many from today.
    Ahead(i64),
    /// The next that has this name; a week later when "next" was said.
    Named(Weekday, bool),
    /// Day and month; no month: the next month that has such a day to come.
    Date(i8, Option<i8>),
    /// Again and again.
    Every(Days),
}

#[derive(Debug, Default, Clone, Copy)]
struct Said {
    clock: Option<Clock>,
    day: Option<Day>,
    part: Option<Part>,
    length_ms: Option<u64>,
}

/// What a whole phrase says about time, `now` being what the clock shows. With `loosely`, a part of the day alone is
/// enough ("this evening"): for a reminder, not for an alarm.
///
/// # Errors
/// [`WhenError`].
pub fn read(phrase: &str, now: DateTime, loosely: bool) -> Result<When, WhenError> {
    // "An alarm for twenty minutes."
    if let Some(length_ms) = length::read(phrase) {
        return Ok(When::In(length_ms));
    }
    let tokens = tokens(phrase).ok_or(WhenError::NoTime)?;
    let said = parts(&tokens, true).ok_or(WhenError::NoTime)?;
    settle(&said, now, loosely)
}

/// Cuts a time off the end or the head of a phrase: "take out the bins at seven tomorrow". What is left comes without
/// its "to" or "that". `None` when no time stands there.
#[must_use]
pub fn split(phrase: &str, now: DateTime) -> Option<(&str, Result<When, WhenError>)> {
    let tokens = tokens(phrase)?;
    let mut found = None;
    for at in 1..tokens.len() {
        if let Some(said) = parts(&tokens[at..], false) {
            found = Some((0..at, said));
            break;
        }
    }
    if found.is_none() {
        for at in (1..tokens.len()).rev() {
            if let Some(said) = parts(&tokens[..at], false) {
                found = Some((at..tokens.len(), said));
                break;
            }
        }
    }
    let (mut rest, said) = found?;
    if rest.len() > 1 && matches!(tokens[rest.start].word(), "to" | "that" | "about") {
        rest.start += 1;
    }
    let text = &phrase[tokens[rest.start].place.start..tokens[rest.end - 1].place.end];
    Some((text.trim_end_matches([',', '.']), settle(&said, now, true)))
}

/// The parts, when the words are nothing else. A number alone is a time only behind "at", or with `bare` at the head.
fn parts(tokens: &[Token], bare: bool) -> Option<Said> {
    let mut said = Said::default();
    let mut at = 0;
    while at < tokens.len() {
        let before = at.checked_sub(1).map_or("", |before| tokens[before].word());
        let alone = (bare && at == 0) || matches!(before, "at" | "for" | "by" | "around" | "about");
        let rest = &tokens[at..];
        let used = said.take(rest, alone, at == 0 || before == "in")?;
        at += used;
    }
    let nothing = said.clock.is_none()
        && said.day.is_none()
        && said.part.is_none()
        && said.length_ms.is_none();
    (!nothing).then_some(said)
}

impl Said {
    /// Takes the part at the head; how many tokens it has.
    fn take(&mut self, rest: &[Token], alone: bool, may_be_length: bool) -> Option<usize> {
        let word = |at: usize| rest.get(at).map_or("", Token::word);
        if self.length_ms.is_none() && self.clock.is_none() && self.day.is_none() {
            let skip = usize::from(word(0) == "in");
            if (skip == 1 || may_be_length)
                && let Some((length, used)) = length::head(&rest[skip..])
            {
                let from_now = (word(skip + used), word(skip + used + 1)) == ("from", "now");
                let later = word(skip + used) == "later";
                if skip == 1 || from_now || later {
                    self.length_ms = Some(length);
                    return Some(skip + used + if from_now { 2 } else { usize::from(later) });
                }
            }
        }
        if self.length_ms.is_some() {
            return None;
        }
        if self.day.is_none()
            && let Some((day, part, used)) = day(rest)
        {
            if part.is_some() && self.part.is_some() {
                return None;
            }
            self.day = Some(day);
            self.part = part.or(self.part);
            return Some(used);
        }
        if self.part.is_none()
            && let Some((part, used)) = part(rest)
        {
            self.part = Some(part);
            return Some(used);
        }
        if self.clock.is_none()
            && let Some((clock, used)) = clock(rest, alone)
        {
            self.clock = Some(clock);
            return Some(used);
        }
        // Words between the parts; the last word is none of them.
        let filler = matches!(
            word(0),
            "at" | "on" | "for" | "by" | "and" | "around" | "about" | "from"
        );
        (filler && rest.len() > 1).then_some(1)
    }
}

fn day(rest: &[Token]) -> Option<(Day, Option<Part>, usize)> {
    let word = |at: usize| rest.get(at).map_or("", Token::word);
    match word(0) {
        "today" => return Some((Day::Ahead(0), None, 1)),
        "tonight" => return Some((Day::Ahead(0), Some(Part::Night), 1)),
        "tomorrow" => return Some((Day::Ahead(1), None, 1)),
        "daily" => return Some((Day::Every(Days::ALL), None, 1)),
        "weekdays" | "workdays" => return Some((Day::Every(Days::WEEKDAYS), None, 1)),
        "weekends" => return Some((Day::Every(Days::WEEKEND), None, 1)),
        "this" if part_of(word(1)).is_some() => {
            return Some((Day::Ahead(0), part_of(word(1)), 2));
        }
        "every" | "each" => return every(rest),
        _ => {}
    }
    let lead = usize::from(word(0) == "the");
    if (word(lead), word(lead + 1), word(lead + 2)) == ("day", "after", "tomorrow") {
        return Some((Day::Ahead(2), None, lead + 3));
    }
    let next = word(0) == "next";
    let lead = usize::from(matches!(word(0), "next" | "this" | "coming"));
    if let Some(day) = weekday(word(lead)) {
        return Some((Day::Named(day, next), None, lead + 1));
    }
    // "Mondays and Wednesdays"
    if let Some(first) = plural(word(0)) {
        let (days, used) = more(rest, 1, first, plural);
        return Some((Day::Every(days), None, used));
    }
    date(rest)
}

/// "every day", "every weekday", "every monday, wednesday and friday", "every morning".
fn every(rest: &[Token]) -> Option<(Day, Option<Part>, usize)> {
    let word = |at: usize| rest.get(at).map_or("", Token::word);
    let named = |word: &str| {
        weekday(word)
            .or_else(|| plural(word))
            .map(Days::of)
            .or(match word {
                "weekday" | "workday" | "weekdays" => Some(Days::WEEKDAYS),
                "weekend" | "weekends" => Some(Days::WEEKEND),
                "day" => Some(Days::ALL),
                _ => None,
            })
    };
    if let Some(part) = part_of(word(1)) {
        return Some((Day::Every(Days::ALL), Some(part), 2));
    }
    let mut days = named(word(1))?;
    let mut at = 2;
    loop {
        let skip = usize::from(word(at) == "and");
        let Some(more) = named(word(at + skip)) else {
            return Some((Day::Every(days), None, at));
        };
        days = days.and(more);
        at += skip + 1;
    }
}

fn more(
    rest: &[Token],
    mut at: usize,
    first: Weekday,
    named: impl Fn(&str) -> Option<Weekday>,
) -> (Days, usize) {
    let word = |at: usize| rest.get(at).map_or("", Token::word);
    let mut days = Days::of(first);
    loop {
        let skip = usize::from(word(at) == "and");
        let Some(day) = named(word(at + skip)) else {
            return (days, at);
        };
        days = days.and(Days::of(day));
        at += skip + 1;
    }
}

fn weekday(word: &str) -> Option<Weekday> {
    WEEKDAYS
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, day)| *day)
}

fn plural(word: &str) -> Option<Weekday> {
    weekday(word.strip_suffix('s')?)
}

/// "the 24th of December", "December 24th", "24 December", "the third".
fn date(rest: &[Token]) -> Option<(Day, Option<Part>, usize)> {
    let word = |at: usize| rest.get(at).map_or("", Token::word);
    let month = |word: &str| {
        let at = MONTHS.iter().position(|name| *name == word)?;
        i8::try_from(at + 1).ok()
    };
    let plain = |at: usize| small(rest.get(at..)?).filter(|(day, _)| (1..=31).contains(day));
    let place = |at: usize| ordinal(rest.get(at..)?).filter(|(day, _)| *day <= 31);
    if let Some(month) = month(word(0)) {
        let lead = 1 + usize::from(word(1) == "the");
        let (day, used) = place(lead).or_else(|| plain(lead))?;
        return Some((Day::Date(day as i8, Some(month)), None, lead + used));
    }
    let lead = usize::from(word(0) == "the");
    if let Some((day, used)) = place(lead) {
        let of = usize::from(word(lead + used) == "of");
        if let Some(month) = month(word(lead + used + of)) {
            return Some((
                Day::Date(day as i8, Some(month)),
                None,
                lead + used + of + 1,
            ));
        }
        // A place in a row without a month is a day only with its article: "the first".
        return (lead == 1 && of == 0).then_some((Day::Date(day as i8, None), None, 1 + used));
    }
    let (day, used) = plain(0)?;
    let month = month(word(used))?;
    Some((Day::Date(day as i8, Some(month)), None, used + 1))
}

fn part_of(word: &str) -> Option<Part> {
    Some(match word {
        "morning" => Part::Morning,
        "afternoon" => Part::Afternoon,
        "evening" => Part::Evening,
        "night" => Part::Night,
        _ => return None,
    })
}

fn part(rest: &[Token]) -> Option<(Part, usize)> {
    let word = |at: usize| rest.get(at).map_or("", Token::word);
    match (word(0), word(1)) {
        ("in", "the") => part_of(word(2)).map(|part| (part, 3)),
        ("at", "night") => Some((Part::Night, 2)),
        (word, _) => part_of(word).map(|part| (part, 1)),
    }
}

fn clock(rest: &[Token], alone: bool) -> Option<(Clock, usize)> {
    let word = |at: usize| rest.get(at).map_or("", Token::word);
    let sure = |hour, minute, used| {
        let sure = true;
        Some((Clock { hour, minute, sure }, used))
    };
    match word(0) {
        "noon" | "midday" => return sure(12, 0, 1),
        "midnight" => return sure(24, 0, 1),
        _ => {}
    }
    let (hour, minute, mut used, plain) = face(rest)?;
    // "am", "a m", "in the morning" is a part of the day.
    let half = match (word(used), word(used + 1)) {
        ("am", _) => Some((false, 1)),
        ("pm", _) => Some((true, 1)),
        ("a", "m") => Some((false, 2)),
        ("p", "m") => Some((true, 2)),
        _ => None,
    };
    if let Some((afternoon, more)) = half {
        if !(1..=12).contains(&hour) {
            return None;
        }
        used += more;
        return sure(hour % 12 + if afternoon { 12 } else { 0 }, minute, used);
    }
    if plain && !alone {
        // "seven in the morning", "seven tomorrow" behind other parts: a number must be followed by what makes it a time.
        let follows = part(&rest[used..]).is_some();
        if !follows {
            return None;
        }
    }
    let sure = hour == 0 || hour > 12;
    Some((Clock { hour, minute, sure }, used))
}

/// Hour, minute, how many tokens, and whether it is nothing but a number.
fn face(rest: &[Token]) -> Option<(i8, i8, usize, bool)> {
    let word = |at: usize| rest.get(at).map_or("", Token::word);
    let hour_at = |at: usize| {
        small(rest.get(at..)?)
            .filter(|(hour, _)| *hour <= 24)
            .map(|(hour, used)| (hour as i8, used))
    };
    let back = |hour: i8| {
        if hour == 0 || hour == 1 {
            hour + 11
        } else {
            hour - 1
        }
    };
    if let Kind::Clock(hour, minute) = rest.first()?.kind {
        return Some((hour as i8, minute as i8, 1, false));
    }
    let lead = usize::from(word(0) == "a");
    match (word(lead), word(lead + 1)) {
        ("half", "past") => {
            let (hour, used) = hour_at(lead + 2)?;
            return Some((hour, 30, lead + 2 + used, false));
        }
        ("quarter", "past" | "after") => {
            let (hour, used) = hour_at(lead + 2)?;
            return Some((hour, 15, lead + 2 + used, false));
        }
        ("quarter", "to" | "of" | "till" | "before") => {
            let (hour, used) = hour_at(lead + 2)?;
            return Some((back(hour), 45, lead + 2 + used, false));
        }
        // "half seven" is half past seven.
        ("half", _) if lead == 0 => {
            let (hour, used) = hour_at(1).filter(|(hour, _)| (1..=12).contains(hour))?;
            return Some((hour, 30, 1 + used, false));
        }
        _ => {}
    }
    let (number, used) = small(rest)?;
    let named = usize::from(matches!(word(used), "minutes" | "minute"));
    if (1..60).contains(&number) {
        let minute = number as i8;
        match word(used + named) {
            "past" | "after" => {
                if let Some((hour, more)) = hour_at(used + named + 1) {
                    return Some((hour, minute, used + named + 1 + more, false));
                }
            }
            "to" | "till" | "before" => {
                if let Some((hour, more)) = hour_at(used + named + 1) {
                    return Some((back(hour), 60 - minute, used + named + 1 + more, false));
                }
            }
            _ => {}
        }
    }
    let (hour, used) = hour_at(0)?;
    if matches!(word(used), "o'clock" | "oclock") {
        return Some((hour, 0, used + 1, false));
    }
    if word(used) == "hundred" {
        return Some((
            hour,
            0,
            used + 1 + usize::from(word(used + 1) == "hours"),
            false,
        ));
    }
    // "six oh five", "seven thirty", "18 45"
    if matches!(word(used), "oh" | "o")
        && let Some((minute @ 1..=9, more)) = rest.get(used + 1..).and_then(small)
    {
        return Some((hour, minute as i8, used + 1 + more, false));
    }
    if let Some((minute @ 10..=59, more)) = rest.get(used..).and_then(small) {
        return Some((hour, minute as i8, used + more, false));
    }
    Some((hour, 0, used, true))
}

fn settle(said: &Said, now: DateTime, loosely: bool) -> Result<When, WhenError> {
    if let Some(length_ms) = said.length_ms {
        return Ok(When::In(length_ms));
    }
    let clock = match (said.clock, said.part) {
        (Some(clock), _) => clock,
        (None, Some(part)) if loosely => Clock {
            hour: part.hour(),
            minute: 0,
            sure: true,
        },
        (None, _)
            if loosely
                && matches!(
                    said.day,
                    Some(Day::Named(..) | Day::Date(..) | Day::Ahead(1..))
                ) =>
        {
            Clock {
                hour: Part::Morning.hour(),
                minute: 0,
                sure: true,
            }
        }
        _ => return Err(WhenError::NoHour),
    };
    let hour = match (clock.sure, said.part) {
        (false, Some(part)) => part.place(clock.hour),
        _ => clock.hour,
    };
    // Whether the other half of the day was perhaps meant.
    let either = !clock.sure && said.part.is_none();
    let late = hour == 24 || (said.part == Some(Part::Night) && !clock.sure && hour < 5);
    let time = Time::new(hour % 24, clock.minute, 0, 0).map_err(|_| WhenError::NoTime)?;
    let today = now.date();
    let on = |date: Date| date.to_datetime(time);
    let ahead = |days: i64| {
        today
            .checked_add(Span::new().days(days))
            .map_err(|_| WhenError::NoDay)
    };
    let date = match said.day {
        Some(Day::Every(days)) => return Ok(When::Every { days, time }),
        // "Midnight today" and "two tonight" are of the night that begins today.
        Some(Day::Ahead(days)) => ahead(days + i64::from(late))?,
        Some(Day::Named(day, next)) => {
            let mut date = today;
            while date.weekday() != day || on(date) <= now {
                date = date.tomorrow().map_err(|_| WhenError::NoDay)?;
            }
            // "Next Monday", said on another day than Sunday, is taken for the Monday of next week.
            let same_week =
                date.weekday().to_monday_zero_offset() > today.weekday().to_monday_zero_offset();
            if next && same_week {
                date = date
                    .checked_add(Span::new().days(7))
                    .map_err(|_| WhenError::NoDay)?;
            }
            date
        }
        Some(Day::Date(day, month)) => calendar(day, month, now, time)?,
        None => {
            let other = time.hour() < 12 && either;
            let afternoon = Time::new((time.hour() + 12) % 24, clock.minute, 0, 0);
            let noon = either && clock.hour == 12;
            if on(today) > now {
                today
            } else if let (true, Ok(afternoon)) = (other, afternoon)
                && today.to_datetime(afternoon) > now
            {
                return Ok(When::At(today.to_datetime(afternoon)));
            } else if noon {
                let midnight = Time::new(0, clock.minute, 0, 0).map_err(|_| WhenError::NoTime)?;
                return Ok(When::At(ahead(1)?.to_datetime(midnight)));
            } else {
                ahead(1)?
            }
        }
    };
    let mut at = on(date);
    if at <= now && either && time.hour() < 12 {
        // "Today at five", said at noon.
        let afternoon = Time::new(time.hour() + 12, clock.minute, 0, 0);
        at = date.to_datetime(afternoon.map_err(|_| WhenError::NoTime)?);
    }
    if at <= now {
        return Err(WhenError::Past);
    }
    Ok(When::At(at))
}

/// The next such date.
fn calendar(day: i8, month: Option<i8>, now: DateTime, time: Time) -> Result<Date, WhenError> {
    let (mut year, mut at) = (now.year(), month.unwrap_or(now.month()));
    for _ in 0..25 {
        if let Ok(date) = Date::new(year, at, day)
            && date.to_datetime(time) > now
        {
            let days = date
                .since(now.date())
                .map_or(i64::MAX, |span| i64::from(span.get_days()));
            return if days <= DAYS_AHEAD_MAX {
                Ok(date)
            } else {
                Err(WhenError::NoDay)
            };
        }
        if month.is_some() || at == 12 {
            year += 1;
            at = month.unwrap_or(1);
        } else {
            at += 1;
        }
    }
    Err(WhenError::NoDay)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    /// A Monday.
    fn noon() -> DateTime {
        date(2026, 11, 23).at(12, 0, 0, 0)
    }

    fn shown(phrase: &str) -> String {
        match read(phrase, noon(), false) {
            Ok(When::At(at)) => at.strftime("%a %d %b %H:%M").to_string(),
            Ok(When::In(ms)) => format!("in {}", ms / 1_000),
            Ok(When::Every { days, time }) => {
                let days: Vec<String> = days
                    .each()
                    .map(|day| format!("{day:?}")[..2].to_owned())
                    .collect();
                format!("{} {}", days.join(""), time.strftime("%H:%M"))
            }
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn times_are_read_as_they_are_said() {
        for (phrase, expected) in [
            ("half past seven tomorrow morning", "Tue 24 Nov 07:30"),
            ("tomorrow morning at half past seven", "Tue 24 Nov 07:30"),
            ("in two and a half hours", "in 9000"),
            ("two hours from now", "in 7200"),
            ("twenty minutes", "in 1200"),
            ("every weekday at 6:30", "MoTuWeThFr 06:30"),
            ("6:30 every weekday", "MoTuWeThFr 06:30"),
            ("6:30 a.m. on weekdays", "MoTuWeThFr 06:30"),
            ("quarter to eight", "Mon 23 Nov 19:45"),
            ("a quarter past eight in the evening", "Mon 23 Nov 20:15"),
            ("seven", "Mon 23 Nov 19:00"),
            ("7", "Mon 23 Nov 19:00"),
            ("seven thirty", "Mon 23 Nov 19:30"),
            ("7 30 a m", "Tue 24 Nov 07:30"),
            ("7am", "Tue 24 Nov 07:00"),
            ("7:30am", "Tue 24 Nov 07:30"),
            ("7.30pm", "Mon 23 Nov 19:30"),
            ("six oh five", "Mon 23 Nov 18:05"),
            ("six o'clock", "Mon 23 Nov 18:00"),
            ("18:45", "Mon 23 Nov 18:45"),
            ("11:45", "Mon 23 Nov 23:45"),
            ("twelve", "Tue 24 Nov 00:00"),
            ("noon", "Tue 24 Nov 12:00"),
            ("midnight", "Tue 24 Nov 00:00"),
            ("seven in the morning", "Tue 24 Nov 07:00"),
            ("ten tonight", "Mon 23 Nov 22:00"),
            ("tonight at two", "Tue 24 Nov 02:00"),
            ("five past nine on friday", "Fri 27 Nov 09:05"),
            ("monday at nine", "Mon 30 Nov 09:00"),
            ("next friday at 9 am", "Fri 04 Dec 09:00"),
            ("every monday and wednesday at eight", "MoWe 08:00"),
            ("mondays and fridays at 8 pm", "MoFr 20:00"),
            ("every day at noon", "MoTuWeThFrSaSu 12:00"),
            ("every morning at six", "MoTuWeThFrSaSu 06:00"),
            ("weekends at ten", "SaSu 10:00"),
            ("december 24th at 5 pm", "Thu 24 Dec 17:00"),
            ("the 24th of december at 17:00", "Thu 24 Dec 17:00"),
            ("the first at nine", "Tue 01 Dec 09:00"),
            ("the day after tomorrow at 8 am", "Wed 25 Nov 08:00"),
            ("today at five", "Mon 23 Nov 17:00"),
            ("twenty to six", "Mon 23 Nov 17:40"),
            ("twenty five minutes past six", "Mon 23 Nov 18:25"),
            ("half seven", "Mon 23 Nov 19:30"),
            ("tomorrow", "NoHour"),
            ("every morning", "NoHour"),
            ("today at 9 am", "Past"),
            ("february 30th at nine", "NoDay"),
            ("the weather", "NoTime"),
            ("at", "NoTime"),
            ("", "NoTime"),
            ("25:00", "NoTime"),
            ("13 pm", "NoTime"),
        ] {
            assert_eq!(shown(phrase), expected, "{phrase}");
        }
    }

    #[test]
    fn a_reminder_is_cut_into_what_and_when() {
        for (phrase, rest, expected) in [
            (
                "take out the bins at seven tomorrow",
                "take out the bins",
                "2026-11-24T07:00:00",
            ),
            (
                "call the dentist tomorrow morning",
                "call the dentist",
                "2026-11-24T09:00:00",
            ),
            (
                "at 6 pm to feed the cat",
                "feed the cat",
                "2026-11-23T18:00:00",
            ),
            (
                "tomorrow to buy 2 in 1 shampoo",
                "buy 2 in 1 shampoo",
                "2026-11-24T09:00:00",
            ),
            (
                "water the plants on friday",
                "water the plants",
                "2026-11-27T09:00:00",
            ),
        ] {
            let (what, when) = split(phrase, noon()).unwrap();
            assert_eq!(what, rest);
            let Ok(When::At(at)) = when else {
                panic!("{phrase}: {when:?}")
            };
            assert_eq!(at.to_string(), expected, "{phrase}");
        }
        let (what, when) = split("turn the pie in twenty minutes", noon()).unwrap();
        assert_eq!((what, when), ("turn the pie", Ok(When::In(1_200_000))));
        assert_eq!(split("buy seven apples", noon()), None);
    }
}
