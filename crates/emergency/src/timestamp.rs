//! Wall time as an argument: `xs:dateTime` in and out (XML Schema Part 2 §3.2.7), without a clock.

use core::fmt;

/// A moment of wall time, in milliseconds since 1970-01-01T00:00:00Z. The adapter reads the clock; this crate only writes it down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    unix_ms: i64,
}

/// Earliest and latest moments written: the years 0001 to 9999.
const UNIX_MS_MIN: i64 = -62_135_596_800_000;
const UNIX_MS_MAX: i64 = 253_402_300_799_999;
const DAY_MS: i64 = 86_400_000;

/// The text is no `xs:dateTime` with a time zone between the years 1 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date and time with a zone, such as 2030-01-31T12:00:00Z")]
pub struct TimestampError;

impl Timestamp {
    /// A moment; outside the years 1 to 9999 the nearest one inside.
    pub fn from_unix_ms(unix_ms: i64) -> Self {
        Timestamp {
            unix_ms: unix_ms.clamp(UNIX_MS_MIN, UNIX_MS_MAX),
        }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn unix_ms(self) -> i64 {
        self.unix_ms
    }

    /// This moment and so many seconds.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Timestamp::from_unix_ms(self.unix_ms.saturating_add(seconds.saturating_mul(1_000)))
    }

    /// Reads an `xs:dateTime`. A time without a zone is read as UTC, which is what its writers mean.
    ///
    /// # Errors
    /// [`TimestampError`].
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        parse(text.trim()).ok_or(TimestampError)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.unix_ms.div_euclid(DAY_MS));
        let ms = self.unix_ms.rem_euclid(DAY_MS);
        let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
        write!(
            formatter,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if ms % 1_000 != 0 {
            write!(formatter, ".{:03}", ms % 1_000)?;
        }
        formatter.write_str("Z")
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    if !text.is_ascii() || text.len() > 64 {
        return None;
    }
    let number = |range: core::ops::Range<usize>| -> Option<i64> {
        let digits = text.get(range)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let mark = |at: usize, byte: u8| (text.as_bytes().get(at) == Some(&byte)).then_some(());
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    mark(4, b'-')
        .and(mark(7, b'-'))
        .and(mark(10, b'T'))
        .and(mark(13, b':'))
        .and(mark(16, b':'))?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    let in_range = year >= 1
        && (1..=days_in_month).contains(&day)
        && minute < 60
        && second <= 60
        && (hour < 24 || hour == 24 && minute == 0 && second == 0);
    if !in_range {
        return None;
    }
    let mut rest = &text[19..];
    let mut ms = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 {
            return None;
        }
        for (index, digit) in fraction.bytes().take(length.min(3)).enumerate() {
            ms += i64::from(digit - b'0') * [100, 10, 1][index];
        }
        rest = &fraction[length..];
    }
    let offset_minutes = match rest {
        "" | "Z" | "z" => 0,
        _ => {
            let (sign, zone) = match rest.as_bytes()[0] {
                b'+' => (1, &rest[1..]),
                b'-' => (-1, &rest[1..]),
                _ => return None,
            };
            let (hours, minutes) = zone.split_once(':')?;
            let two = |part: &str| -> Option<i64> {
                (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
                    .then(|| part.parse().ok())?
            };
            let (hours, minutes) = (two(hours)?, two(minutes)?);
            if hours > 14 || minutes > 59 {
                return None;
            }
            sign * (hours * 60 + minutes)
        }
    };
    let days = days_from_civil(year, month, day);
    let seconds = hour * 3_600 + minute * 60 + second - offset_minutes * 60;
    Some(Timestamp::from_unix_ms(
        days * DAY_MS + seconds * 1_000 + ms,
    ))
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar, counted in years that begin in March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_are_written_and_read() {
        for (unix_ms, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_182_545_849_000, "2007-06-22T20:57:29Z"),
            (1_182_545_849_250, "2007-06-22T20:57:29.250Z"),
            (UNIX_MS_MIN, "0001-01-01T00:00:00Z"),
            (UNIX_MS_MAX, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Timestamp::from_unix_ms(unix_ms).to_string(), text);
            assert_eq!(Timestamp::parse(text).unwrap().unix_ms(), unix_ms);
        }
        assert_eq!(
            Timestamp::parse("2007-06-22T22:57:29+02:00"),
            Timestamp::parse("2007-06-22T20:57:29Z")
        );
    }

    #[test]
    fn impossible_dates_are_refused() {
        for text in [
            "",
            "2007-02-29T00:00:00Z",
            "2007-13-01T00:00:00Z",
            "2007-06-22",
            "2007-06-22T25:00:00Z",
            "2007-06-22T20:57:29+2",
            "2007-06-22T20:57:29.Z",
            "é007-06-22T20:57:29Z",
        ] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_moment_comes_back(unix_ms in UNIX_MS_MIN..=UNIX_MS_MAX) {
            let moment = Timestamp::from_unix_ms(unix_ms);
            assert_eq!(Timestamp::parse(&moment.to_string()), Ok(moment));
        }
    }
}
