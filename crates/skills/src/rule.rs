//! When something rings, as the clock on the wall shows it: once, or on days of the week.
use jiff::Span;
use jiff::civil::{DateTime, Time, Weekday};
use serde::{Deserialize, Serialize};

use crate::zone::Zone;

/// Days of the week: bit 0 is Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Days(u8);

impl Days {
    /// Every day.
    pub const ALL: Self = Self(0x7f);
    /// Monday to Friday.
    pub const WEEKDAYS: Self = Self(0x1f);
    /// Saturday and Sunday.
    pub const WEEKEND: Self = Self(0x60);

    /// One day.
    #[must_use]
    pub fn of(day: Weekday) -> Self {
        Self(1 << day.to_monday_zero_offset())
    }

    /// These days too.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a day is among them.
    #[must_use]
    pub fn has(self, day: Weekday) -> bool {
        self.0 & Self::of(day).0 != 0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 & Self::ALL.0 == 0
    }

    /// The days, Monday first.
    pub fn each(self) -> impl Iterator<Item = Weekday> {
        (0..7)
            .filter_map(|day| Weekday::from_monday_zero_offset(day).ok())
            .filter(move |day| self.has(*day))
    }
}

/// When something rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Once, so long after it was set: an instant, in milliseconds since 1970-01-01 UTC.
    At(i64),
    /// Once, when the clock shows this.
    Once(DateTime),
    /// Again and again.
    Weekly {
        /// On which days.
        days: Days,
        /// At what time of the day.
        time: Time,
    },
}

impl Rule {
    /// Whether it rings again and again.
    #[must_use]
    pub fn repeats(&self) -> bool {
        matches!(self, Self::Weekly { .. })
    }

    /// The first instant behind `after_ms` at which it rings; both in milliseconds since 1970-01-01 UTC. Each date rings
    /// at most once, also where clocks go back over its time.
    #[must_use]
    pub fn next(&self, zone: &Zone, after_ms: i64) -> Option<i64> {
        match self {
            Self::At(at_ms) => Some(*at_ms).filter(|at| *at > after_ms),
            Self::Once(shown) => zone.instant(*shown).filter(|at| *at > after_ms),
            Self::Weekly { days, time } => {
                // One day back: where a whole day is skipped, its time falls on the next.
                let mut date = zone
                    .local(after_ms)
                    .date()
                    .checked_sub(Span::new().days(1))
                    .ok()?;
                for _ in 0..10 {
                    if days.has(date.weekday())
                        && let Some(at) = zone.instant(date.to_datetime(*time))
                        && at > after_ms
                    {
                        return Some(at);
                    }
                    date = date.tomorrow().ok()?;
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};

    #[test]
    fn half_past_two_rings_once_on_both_days_of_the_year_that_have_it_never_and_twice() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        let rule = Rule::Weekly {
            days: Days::ALL,
            time: time(2, 30, 0, 0),
        };
        let shown = |from: DateTime| {
            let mut at = zone.instant(from).unwrap();
            (0..3)
                .map(|_| {
                    at = rule.next(&zone, at).unwrap();
                    zone.local(at).to_string()
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(
            shown(date(2027, 3, 27).at(12, 0, 0, 0)),
            [
                "2027-03-28T03:30:00",
                "2027-03-29T02:30:00",
                "2027-03-30T02:30:00"
            ]
        );
        assert_eq!(
            shown(date(2027, 10, 30).at(12, 0, 0, 0)),
            [
                "2027-10-31T02:30:00",
                "2027-11-01T02:30:00",
                "2027-11-02T02:30:00"
            ]
        );
    }

    #[test]
    fn a_day_that_a_zone_left_out_is_left_out() {
        // Samoa had no 30 December 2011.
        let zone = Zone::named("Pacific/Apia").unwrap();
        let rule = Rule::Weekly {
            days: Days::ALL,
            time: time(7, 0, 0, 0),
        };
        let first = rule.next(
            &zone,
            zone.instant(date(2011, 12, 29).at(8, 0, 0, 0)).unwrap(),
        );
        let second = rule.next(&zone, first.unwrap());
        assert_eq!(
            zone.local(first.unwrap()).to_string(),
            "2011-12-31T07:00:00"
        );
        assert_eq!(
            zone.local(second.unwrap()).to_string(),
            "2012-01-01T07:00:00"
        );
    }
}
