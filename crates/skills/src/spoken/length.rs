//! Lengths of time: "two and a half hours", "1 hour and 5 minutes", "half an hour".
use super::number::amount;
use super::token::{Token, tokens};

/// Longest time taken, in milliseconds: 100 days.
pub const LENGTH_MS_MAX: u64 = 100 * 24 * 3_600 * 1_000;

/// The length that a whole phrase says, in milliseconds; `None` when it says none, or one beyond 100 days, or nothing at all.
#[must_use]
pub fn read(phrase: &str) -> Option<u64> {
    let tokens = tokens(phrase)?;
    let (length, taken) = head(&tokens)?;
    (taken == tokens.len()).then_some(length)
}

/// The length at the head, in milliseconds, and how many tokens it takes.
#[must_use]
pub fn head(tokens: &[Token]) -> Option<(u64, usize)> {
    let (mut total, mut taken) = part(tokens)?;
    loop {
        let rest = &tokens[taken..];
        let skip = usize::from(rest.first().is_some_and(|token| token.word() == "and"));
        let Some((more, used)) = part(&rest[skip..]) else {
            break;
        };
        total = total.checked_add(more)?;
        taken += skip + used;
    }
    (total > 0 && total <= LENGTH_MS_MAX).then_some((total, taken))
}

/// One number with its unit.
fn part(tokens: &[Token]) -> Option<(u64, usize)> {
    let word = |at: usize| tokens.get(at).map_or("", Token::word);
    // "half an hour", "half a minute", "a half hour", "a quarter of an hour", "three quarters of an hour"
    let lead = usize::from(word(0) == "a" && matches!(word(1), "half" | "quarter"));
    let share = match word(lead) {
        "half" => Some((500, lead + 1)),
        "quarter" => Some((250, lead + 1)),
        "three" if matches!(word(1), "quarters" | "quarter") => Some((750, 2)),
        _ => None,
    };
    if let Some((share, mut at)) = share {
        at += usize::from(word(at) == "of");
        at += usize::from(matches!(word(at), "a" | "an"));
        return Some((times(share, unit(word(at))?)?, at + 1));
    }
    let (number, mut at) = match word(0) {
        "a" | "an" if unit(word(1)).is_some() => (1_000, 1),
        "a" | "an" if word(1) == "couple" => (2_000, 2 + usize::from(word(2) == "of")),
        "couple" => (2_000, 1 + usize::from(word(1) == "of")),
        _ => amount(tokens)?,
    };
    let mut number = number;
    if let Some((more, used)) = and_share(&tokens[at..]) {
        // "two and a half hours"
        if unit(word(at + used)).is_some() {
            number = number.checked_add(more)?;
            at += used;
        }
    }
    let of = unit(word(at))?;
    at += 1;
    // "two hours and a half", but not "an hour and a half minute"
    if let Some((more, used)) = and_share(&tokens[at..])
        && unit(word(at + used)).is_none()
        && !matches!(word(at + used), "a" | "an" | "of")
    {
        number = number.checked_add(more)?;
        at += used;
    }
    Some((times(number, of)?, at))
}

/// "and a half", "and three quarters": thousandths, and how many tokens.
fn and_share(tokens: &[Token]) -> Option<(u64, usize)> {
    let word = |at: usize| tokens.get(at).map_or("", Token::word);
    if word(0) != "and" {
        return None;
    }
    match (word(1), word(2)) {
        ("a", "half") => Some((500, 3)),
        ("a", "quarter") => Some((250, 3)),
        ("three", "quarters") => Some((750, 3)),
        ("half", _) => Some((500, 2)),
        _ => None,
    }
}

/// Milliseconds of a unit.
fn unit(word: &str) -> Option<u64> {
    Some(match word {
        "second" | "seconds" | "sec" | "secs" | "s" => 1_000,
        "minute" | "minutes" | "min" | "mins" => 60_000,
        "hour" | "hours" | "hr" | "hrs" | "h" => 3_600_000,
        "day" | "days" => 86_400_000,
        "week" | "weeks" => 604_800_000,
        _ => return None,
    })
}

fn times(thousandths: u64, unit: u64) -> Option<u64> {
    thousandths
        .checked_mul(unit)
        .map(|product| product / 1_000)
        .filter(|length| *length <= LENGTH_MS_MAX)
}

/// A length as it is said: "4 minutes and 10 seconds". Rounded to seconds; of days, what is below an hour is left out.
#[must_use]
pub fn said(length_ms: u64) -> String {
    let seconds = length_ms.saturating_add(500) / 1_000;
    let mut parts = vec![
        (seconds / 86_400, "day"),
        (seconds / 3_600 % 24, "hour"),
        (seconds / 60 % 60, "minute"),
        (seconds % 60, "second"),
    ];
    if seconds >= 86_400 {
        parts.truncate(2);
    } else if seconds >= 3 * 3_600 {
        parts.truncate(3);
    }
    let words: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    match words.as_slice() {
        [] => "no time".to_owned(),
        words => joined(words),
    }
}

/// "a, b and c".
#[must_use]
pub fn joined(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// A length before a noun: "5 minute", "1 hour 30 minute".
#[must_use]
pub fn adjective(length_ms: u64) -> String {
    let seconds = length_ms / 1_000;
    let parts = [
        (seconds / 3_600, "hour"),
        (seconds / 60 % 60, "minute"),
        (seconds % 60, "second"),
    ];
    let words: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_they_are_said() {
        for (phrase, seconds) in [
            ("five minutes", 300),
            ("5 minutes", 300),
            ("ninety seconds", 90),
            ("an hour", 3_600),
            ("half an hour", 1_800),
            ("a half hour", 1_800),
            ("a quarter of an hour", 900),
            ("three quarters of an hour", 2_700),
            ("two and a half hours", 9_000),
            ("two hours and a half", 9_000),
            ("1.5 hours", 5_400),
            ("one point five hours", 5_400),
            ("an hour and a half", 5_400),
            ("an hour and a half minute", 3_630),
            ("1 hour 5 minutes and 30 seconds", 3_930),
            ("one hundred and twenty minutes", 7_200),
            ("twenty-five minutes", 1_500),
            ("a couple of minutes", 120),
            ("2 weeks", 1_209_600),
            ("two days", 172_800),
            ("90s", 90),
        ] {
            assert_eq!(read(phrase), Some(seconds * 1_000), "{phrase}");
        }
        for phrase in [
            "",
            "five",
            "minutes",
            "0 minutes",
            "five apples",
            "101 days",
            "five minutes please",
        ] {
            assert_eq!(read(phrase), None, "{phrase}");
        }
    }

    #[test]
    fn lengths_are_said_as_people_do() {
        assert_eq!(said(250_000), "4 minutes and 10 seconds");
        assert_eq!(said(3_600_000), "1 hour");
        assert_eq!(said(3_661_000), "1 hour, 1 minute and 1 second");
        assert_eq!(said(0), "no time");
        assert_eq!(adjective(5_400_000), "1 hour 30 minute");
    }
}
