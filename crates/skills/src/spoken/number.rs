//! Numbers in words: "twenty five", "a hundred and five", "two point five".
use super::token::{Kind, Token};

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
/// Ordinals to 19 by their words; the others are put together.
const ORDINALS: [&str; 20] = [
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
];

fn one(word: &str) -> Option<u32> {
    let at = ONES.iter().position(|known| *known == word)?;
    u32::try_from(at).ok()
}

fn ten(word: &str) -> Option<u32> {
    let at = TENS
        .iter()
        .position(|known| !known.is_empty() && *known == word)?;
    u32::try_from(at * 10).ok()
}

/// A whole number below one hundred at the head, and how many tokens it takes.
#[must_use]
pub fn small(tokens: &[Token]) -> Option<(u32, usize)> {
    let first = tokens.first()?;
    if let Kind::Number(number) = first.kind {
        return (number < 100).then_some((number, 1));
    }
    if let Some(tens) = ten(first.word()) {
        let unit = tokens.get(1).and_then(|next| one(next.word()));
        return Some(match unit {
            Some(unit @ 1..=9) => (tens + unit, 2),
            _ => (tens, 1),
        });
    }
    one(first.word()).map(|number| (number, 1))
}

/// A number at the head, in thousandths, and how many tokens it takes. Below 1,000,000,000.
#[must_use]
pub fn amount(tokens: &[Token]) -> Option<(u64, usize)> {
    match tokens.first()?.kind {
        Kind::Number(number) => return Some((u64::from(number) * 1_000, 1)),
        Kind::Thousandths(amount) => return Some((amount, 1)),
        _ => {}
    }
    let (mut total, mut group, mut taken) = (0_u64, None::<u64>, 0);
    loop {
        let rest = &tokens[taken..];
        let word = rest.first().map_or("", Token::word);
        match (word, group) {
            ("hundred", Some(number)) if number < 100 => {
                group = Some(number.max(1) * 100);
                taken += 1;
            }
            ("thousand" | "million", Some(number)) => {
                let scale = if word == "thousand" { 1_000 } else { 1_000_000 };
                total = total.checked_add(number.checked_mul(scale)?)?;
                group = None;
                taken += 1;
                if total >= 1_000_000_000 {
                    return None;
                }
                if small(&tokens[taken..]).is_none() {
                    return Some((total * 1_000, taken));
                }
            }
            ("and", Some(number)) if number > 0 && number % 100 == 0 => match small(&rest[1..]) {
                Some((more, used)) => {
                    group = Some(number + u64::from(more));
                    taken += 1 + used;
                }
                None => break,
            },
            ("a", None) if total == 0 => {
                let scale = rest.get(1).map_or("", Token::word);
                if !matches!(scale, "hundred" | "thousand" | "million") {
                    return None;
                }
                group = Some(1);
                taken += 1;
            }
            _ => match (small(rest), group) {
                (Some((number, used)), None) => {
                    group = Some(u64::from(number));
                    taken += used;
                }
                (Some((number, used)), Some(hundreds))
                    if hundreds >= 100 && hundreds % 100 == 0 =>
                {
                    group = Some(hundreds + u64::from(number));
                    taken += used;
                }
                _ => break,
            },
        }
    }
    let mut thousandths = total.checked_add(group?)?.checked_mul(1_000)?;
    if thousandths >= 1_000_000_000_000 {
        return None;
    }
    if tokens.get(taken).map(Token::word) == Some("point") {
        let mut scale = 100;
        let mut used = 0;
        while let Some(digit) = tokens
            .get(taken + 1 + used)
            .and_then(|token| small(core::slice::from_ref(token)))
            .filter(|(digit, _)| *digit < 10 && used < 3)
        {
            thousandths += u64::from(digit.0) * scale;
            scale /= 10;
            used += 1;
        }
        if used > 0 {
            taken += 1 + used;
        }
    }
    Some((thousandths, taken))
}

/// A day of the month or a place in a row at the head ("third", "twenty first", "3rd"), and how many tokens it takes.
#[must_use]
pub fn ordinal(tokens: &[Token]) -> Option<(u32, usize)> {
    let first = tokens.first()?;
    if let Kind::Ordinal(day) = first.kind {
        return Some((u32::from(day), 1));
    }
    let known = |word: &str| ORDINALS.iter().position(|known| *known == word);
    if let Some(at) = known(first.word()) {
        return u32::try_from(at)
            .ok()
            .filter(|at| *at > 0)
            .map(|at| (at, 1));
    }
    match first.word() {
        "twentieth" => return Some((20, 1)),
        "thirtieth" => return Some((30, 1)),
        _ => {}
    }
    let tens = ten(first.word())?;
    let unit = known(tokens.get(1)?.word()).filter(|at| (1..=9).contains(at))?;
    Some((tens + u32::try_from(unit).ok()?, 2))
}

/// The place in a row as it is said: "first", "22nd".
#[must_use]
pub fn place(number: usize) -> String {
    if let Some(word) = ORDINALS.get(number).filter(|_| number > 0) {
        return (*word).to_owned();
    }
    let end = match (number % 10, number % 100) {
        (1, rest) if rest != 11 => "st",
        (2, rest) if rest != 12 => "nd",
        (3, rest) if rest != 13 => "rd",
        _ => "th",
    };
    format!("{number}{end}")
}
