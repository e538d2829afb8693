//! The weather in words.
use jiff::civil::{Date, DateTime, Weekday};

use super::forecast::{Current, Day, Forecast, Units};
use super::{About, Question, Settings, When};
use crate::knowing::ahead;
use crate::words::clock;

/// From this chance on it will probably rain, in percent; below the second it will hardly.
const LIKELY: u8 = 50;
const HARDLY: u8 = 25;
/// From this speed on it is windy: Beaufort 5.
const WINDY_KMH: f64 = 29.0;
const WINDY_MPH: f64 = 18.0;
/// Days told of a week.
const WEEK_DAYS: usize = 5;

pub(super) const NOT_REACHED: &str =
    "I cannot reach the weather service, and know nothing of today.";
const TOO_FAR: &str = "The forecast does not reach that far.";

/// The answer; `of` is when the forecast was made, when it is old.
pub(super) fn said(
    forecast: &Forecast,
    question: Question,
    settings: &Settings,
    now: DateTime,
    of: Option<DateTime>,
) -> String {
    let words = Words {
        forecast,
        settings,
        about: question.about,
        today: now.date(),
        is_now_known: of.is_none(),
    };
    let told = words.of(question.when);
    match of {
        Some(of) => format!("As of {}: {}", age(of, now), lower(&told)),
        None => told,
    }
}

struct Words<'a> {
    forecast: &'a Forecast,
    settings: &'a Settings,
    about: About,
    today: Date,
    /// What was measured was measured lately.
    is_now_known: bool,
}

impl Words<'_> {
    fn of(&self, when: When) -> String {
        match when {
            When::Now => self.now(),
            When::Ahead(days) => self.one(ahead(self.today, days.into())),
            When::On(weekday) => self.one(next(self.today, weekday)),
            When::Weekend => self.weekend(),
            When::Week => {
                let days = (1..=WEEK_DAYS).map(|days| ahead(self.today, days as i64));
                self.several(days.collect())
            }
        }
    }

    fn now(&self) -> String {
        let today = self.day(Some(self.today));
        let Some(current) = self.forecast.current.filter(|_| self.is_now_known) else {
            return self.one(Some(self.today));
        };
        match self.about {
            About::Weather => {
                let place = match &self.settings.place {
                    Some(place) => format!(" in {place}"),
                    None => String::new(),
                };
                let first = format!(
                    "It is {} and {}{place}.",
                    self.degrees(current.degrees),
                    sky(current.code)
                );
                match today {
                    Some(day) => format!("{first} {}", self.rest_of_today(day)),
                    None => first,
                }
            }
            About::Temperature => format!("It is {} outside.", self.degrees(current.degrees)),
            About::Rain | About::Snow => self.falls_now(current, today),
            About::Wind => match current.wind {
                Some(wind) if wind >= self.windy() => {
                    format!("Yes, it is windy: {}.", self.speed(wind))
                }
                Some(wind) => format!("Not much: {}.", self.speed(wind)),
                None => self.one(Some(self.today)),
            },
        }
    }

    fn rest_of_today(&self, day: &Day) -> String {
        let chance = match day.chance {
            Some(chance @ HARDLY..) => {
                format!(", with a {chance} percent chance of {}", falls(day.code))
            }
            _ => String::new(),
        };
        format!(
            "Today goes from {} to {}{chance}.",
            figure(day.least),
            self.degrees(day.most)
        )
    }

    fn falls_now(&self, current: Current, today: Option<&Day>) -> String {
        let wanted = self.about == About::Snow;
        let now = match kind(current.code) {
            Some(snow) if snow == wanted => Some(sky(current.code)),
            _ => None,
        };
        let later = today.map_or_else(String::new, |day| self.falls(day));
        match now {
            Some(sky) => format!("Yes, there is {sky} now."),
            None if later.is_empty() => "Not now.".to_owned(),
            None => format!("Not now. {later}"),
        }
    }

    fn one(&self, date: Option<Date>) -> String {
        match self.day(date) {
            Some(day) => self.told(day),
            None => TOO_FAR.to_owned(),
        }
    }

    fn weekend(&self) -> String {
        let saturday = match self.today.weekday() {
            Weekday::Sunday => None,
            Weekday::Saturday => Some(self.today),
            _ => next(self.today, Weekday::Saturday),
        };
        let sunday = match self.today.weekday() {
            Weekday::Sunday => Some(self.today),
            _ => next(self.today, Weekday::Sunday),
        };
        self.several(saturday.into_iter().chain(sunday).map(Some).collect())
    }

    fn several(&self, dates: Vec<Option<Date>>) -> String {
        let told: Vec<String> = dates
            .into_iter()
            .filter_map(|date| self.day(date))
            .map(|day| self.told(day))
            .collect();
        if told.is_empty() {
            TOO_FAR.to_owned()
        } else {
            told.join(" ")
        }
    }

    fn day(&self, date: Option<Date>) -> Option<&Day> {
        self.forecast.days.iter().find(|day| Some(day.date) == date)
    }

    fn told(&self, day: &Day) -> String {
        let name = self.name(day.date);
        match self.about {
            About::Weather => {
                let chance = match day.chance {
                    Some(chance @ HARDLY..) => {
                        format!(", a {chance} percent chance of {}", falls(day.code))
                    }
                    _ => String::new(),
                };
                format!(
                    "{name}: {}, {} to {}{chance}.",
                    sky(day.code),
                    figure(day.least),
                    self.degrees(day.most)
                )
            }
            About::Temperature => format!(
                "{name}: {} to {}.",
                figure(day.least),
                self.degrees(day.most)
            ),
            About::Rain | About::Snow => self.falls(day),
            About::Wind => match day.wind {
                Some(wind) if wind >= self.windy() => {
                    format!("{name}: windy, up to {}.", self.speed(wind))
                }
                Some(wind) => format!("{name}: not much wind, up to {}.", self.speed(wind)),
                None => "The forecast says nothing of wind.".to_owned(),
            },
        }
    }

    /// Whether it rains or snows that day.
    fn falls(&self, day: &Day) -> String {
        let name = self.name(day.date);
        let snow = self.about == About::Snow;
        let what = if snow { "snow" } else { "rain" };
        let other = kind(day.code) == Some(!snow);
        let chance = match day.chance {
            // What falls is the other.
            _ if other => 0,
            Some(chance) => chance,
            None if kind(day.code) == Some(snow) => 100,
            None => 0,
        };
        match chance {
            0 if other && snow => format!("{name}: rain, but no snow."),
            0 if other => format!("{name}: snow, but no rain."),
            100 => format!("{name}: {what}."),
            LIKELY.. => format!("{name}: {what} is likely, at {chance} percent."),
            HARDLY.. => format!("{name}: perhaps {what}, at {chance} percent."),
            0 => format!("{name}: no {what}."),
            _ => format!("{name}: hardly any {what}, at {chance} percent."),
        }
    }

    fn name(&self, date: Date) -> String {
        if date == self.today {
            "Today".to_owned()
        } else if Some(date) == ahead(self.today, 1) {
            "Tomorrow".to_owned()
        } else {
            date.strftime("%A").to_string()
        }
    }

    fn degrees(&self, degrees: f64) -> String {
        let figure = figure(degrees);
        if figure == "1" || figure == "minus 1" {
            format!("{figure} degree")
        } else {
            format!("{figure} degrees")
        }
    }

    fn speed(&self, speed: f64) -> String {
        let unit = match self.settings.units {
            Units::Metric => "kilometers per hour",
            Units::UnitedStates => "miles per hour",
        };
        format!("{} {unit}", figure(speed))
    }

    fn windy(&self) -> f64 {
        match self.settings.units {
            Units::Metric => WINDY_KMH,
            Units::UnitedStates => WINDY_MPH,
        }
    }
}

/// Whole degrees: nobody asks for tenths.
fn figure(number: f64) -> String {
    let whole = number.round() as i64;
    if whole < 0 {
        format!("minus {}", -whole)
    } else {
        whole.to_string()
    }
}

/// "Seven this morning".
fn age(of: DateTime, now: DateTime) -> String {
    let time = clock(of.time());
    if of.date() == now.date() {
        let part = match of.hour() {
            0..12 => "this morning",
            12..18 => "this afternoon",
            _ => "this evening",
        };
        return format!("{time} {part}");
    }
    if now.date().yesterday().ok() == Some(of.date()) {
        return format!("{time} yesterday");
    }
    format!("{time} on {}", of.strftime("%A"))
}

fn next(today: Date, weekday: Weekday) -> Option<Date> {
    // "On Monday" said on a Monday is today.
    ahead(today, today.weekday().until(weekday).into())
}

/// A sentence behind others of a line.
fn lower(text: &str) -> String {
    for name in ["Today", "Tomorrow", "It", "Not", "Yes", "The"] {
        if let Some(rest) = text.strip_prefix(name) {
            return format!("{}{rest}", name.to_lowercase());
        }
    }
    text.to_owned()
}

/// What falls from the sky: snow, else rain; none of neither.
fn kind(code: u8) -> Option<bool> {
    match code {
        71..=77 | 85 | 86 => Some(true),
        51..=67 | 80..=82 | 95..=99 => Some(false),
        _ => None,
    }
}

fn falls(code: u8) -> &'static str {
    match kind(code) {
        Some(true) => "snow",
        _ => "rain",
    }
}

/// WMO table 4677, as Open-Meteo gives it.
fn sky(code: u8) -> &'static str {
    match code {
        0 => "clear",
        1 => "mostly clear",
        2 => "partly cloudy",
        3 => "cloudy",
        45 | 48 => "foggy",
        51 | 53 | 55 => "drizzle",
        56 | 57 => "freezing drizzle",
        61 => "light rain",
        63 => "rain",
        65 => "heavy rain",
        66 | 67 => "freezing rain",
        71 => "light snow",
        73 => "snow",
        75 => "heavy snow",
        77 => "snow grains",
        80 | 81 => "showers",
        82 => "heavy showers",
        85 | 86 => "snow showers",
        95 => "a thunderstorm",
        96 | 99 => "a thunderstorm with hail",
        _ => "unsettled",
    }
}
