//! Sums as they are said: "two plus three times four", "15 percent of 80", "half of 30".
use super::exact::Exact;
use crate::spoken::number::amount;
use crate::spoken::token::{Token, tokens};

/// Most numbers of one sum.
const NUMBERS_MAX: usize = 20;
/// Places that are said of a result.
const PLACES_MAX: u32 = 6;
const BY_ZERO: &str = "Nothing can be divided by zero.";
const NO_ROOT: &str = "A number below zero has no square root that I could say.";
const TOO_LARGE: &str = "That is more than I can reckon.";

#[derive(Clone, Copy, PartialEq)]
enum Sign {
    Plus,
    Minus,
    Times,
    Over,
    PercentOf,
    PercentOff,
    Power,
}

/// Why there is no result.
enum Cannot {
    DivideByZero,
    TakeRoot,
    Reckon,
}

/// One number, and what it takes.
struct Number {
    value: Exact,
    used: usize,
    /// A root, a power or a share makes it a sum by itself.
    reckoned: bool,
    /// "Half of": the number behind it is multiplied.
    share: bool,
}

pub(super) fn answer(text: &str) -> Option<String> {
    let asked = [
        "what is ",
        "what's ",
        "how much is ",
        "calculate ",
        "whats ",
        "work out ",
        "compute ",
    ]
    .iter()
    .find_map(|head| text.strip_prefix(head))
    .unwrap_or(text);
    let ordered = ordered(asked);
    let asked = ordered.as_deref().unwrap_or(asked);
    // Signs between words of their own, so that "6*7" is read as well.
    let mut spaced = String::with_capacity(asked.len());
    for letter in asked.chars() {
        if matches!(letter, '+' | '*' | '×' | '÷' | '%' | '^' | '=' | '/') {
            spaced.extend([' ', letter, ' ']);
        } else {
            spaced.push(letter);
        }
    }
    let tokens = tokens(&spaced.replace(" - ", " minus "))?;
    let (mut numbers, mut signs) = (Vec::new(), Vec::new());
    let mut at = 0;
    let mut deeds = 0;
    loop {
        if numbers.len() >= NUMBERS_MAX {
            return None;
        }
        let number = match number(tokens.get(at..)?)? {
            Ok(number) => number,
            Err(cannot) => return Some(words(&cannot).to_owned()),
        };
        at += number.used;
        deeds += usize::from(number.reckoned || number.share);
        numbers.push(number.value);
        if number.share {
            signs.push(Sign::Times);
            continue;
        }
        if at == tokens.len() {
            break;
        }
        let (sign, used) = sign(&tokens[at..])?;
        signs.push(sign);
        deeds += 1;
        at += used;
    }
    if deeds == 0 {
        return None;
    }
    Some(match reckon(numbers, signs) {
        Ok(result) => {
            let said = result.said(PLACES_MAX);
            let mut letters = said.chars();
            let first = letters.next()?.to_uppercase();
            format!("{first}{}.", letters.as_str())
        }
        Err(cannot) => words(&cannot).to_owned(),
    })
}

/// "Divide 100 by 8", "subtract 5 from 20" and the like, with the sign between the numbers.
fn ordered(asked: &str) -> Option<String> {
    const ORDERS: [(&str, &[&str], &str, bool); 9] = [
        ("divide ", &[" by "], "divided by", false),
        (
            "multiply ",
            &[" by ", " with ", " and ", " times "],
            "times",
            false,
        ),
        ("add ", &[" and ", " to ", " plus "], "plus", false),
        ("subtract ", &[" from "], "minus", true),
        ("take ", &[" away from ", " from "], "minus", true),
        ("the sum of ", &[" and "], "plus", false),
        ("the product of ", &[" and "], "times", false),
        ("the difference between ", &[" and "], "minus", false),
        ("the difference of ", &[" and "], "minus", false),
    ];
    ORDERS.iter().find_map(|(head, between, sign, turned)| {
        let rest = asked.strip_prefix(head)?;
        let (one, other) = between.iter().find_map(|word| rest.split_once(word))?;
        Some(match turned {
            true => format!("{other} {sign} {one}"),
            false => format!("{one} {sign} {other}"),
        })
    })
}

fn words(cannot: &Cannot) -> &'static str {
    match cannot {
        Cannot::DivideByZero => BY_ZERO,
        Cannot::TakeRoot => NO_ROOT,
        Cannot::Reckon => TOO_LARGE,
    }
}

/// The number at the head with what is done to it alone; `None` where there is none.
fn number(rest: &[Token]) -> Option<Result<Number, Cannot>> {
    let word = |at: usize| rest.get(at).map_or("", Token::word);
    if let Some((value, used)) = share(rest) {
        return Some(Ok(Number {
            value,
            used,
            reckoned: false,
            share: true,
        }));
    }
    let lead = usize::from(word(0) == "the");
    let rooted = (word(lead), word(lead + 1), word(lead + 2)) == ("square", "root", "of");
    let mut at = if rooted { lead + 3 } else { 0 };
    let below_zero = matches!(word(at), "minus" | "negative");
    at += usize::from(below_zero);
    let (mut value, used) = plain(rest.get(at..)?)?;
    at += used;
    let mut reckoned = rooted;
    if below_zero {
        value = value.negative();
    }
    if rooted {
        if value.is_below_zero() {
            return Some(Err(Cannot::TakeRoot));
        }
        value = match value.root() {
            Some(root) => root,
            None => return Some(Err(Cannot::Reckon)),
        };
    }
    let power = match word(at) {
        "squared" => 2,
        "cubed" => 3,
        _ => 1,
    };
    if power > 1 {
        reckoned = true;
        at += 1;
        value = match value.power(Exact::whole(power)) {
            Some(value) => value,
            None => return Some(Err(Cannot::Reckon)),
        };
    }
    Some(Ok(Number {
        value,
        used: at,
        reckoned,
        share: false,
    }))
}

/// A number in words or figures, alone.
pub(super) fn plain(rest: &[Token]) -> Option<(Exact, usize)> {
    if let Some((thousandths, used)) = amount(rest) {
        return Some((Exact::new(thousandths.into(), 1_000)?, used));
    }
    // More places than times of day need.
    let value = Exact::parse(&rest.first()?.word().replace(',', ""))?;
    Some((value, 1))
}

/// "Half of", "a third of", "two thirds of".
fn share(rest: &[Token]) -> Option<(Exact, usize)> {
    let word = |at: usize| rest.get(at).map_or("", Token::word);
    let (top, at) = match word(0) {
        "a" | "one" => (1, 1),
        "two" => (2, 1),
        "three" => (3, 1),
        "four" => (4, 1),
        _ => (1, 0),
    };
    let below = match word(at) {
        "half" => 2,
        "third" | "thirds" => 3,
        "quarter" | "quarters" | "fourth" | "fourths" => 4,
        "fifth" | "fifths" => 5,
        "tenth" | "tenths" => 10,
        _ => return None,
    };
    (word(at + 1) == "of").then_some((Exact::new(top, below)?, at + 2))
}

fn sign(rest: &[Token]) -> Option<(Sign, usize)> {
    let word = |at: usize| rest.get(at).map_or("", Token::word);
    Some(match (word(0), word(1)) {
        ("plus" | "+", _) => (Sign::Plus, 1),
        ("minus" | "less", _) => (Sign::Minus, 1),
        ("times" | "x" | "*" | "×", _) => (Sign::Times, 1),
        ("multiplied", "by") => (Sign::Times, 2),
        ("over" | "/" | "÷", _) => (Sign::Over, 1),
        ("divided", "by") => (Sign::Over, 2),
        ("percent" | "%", "of") => (Sign::PercentOf, 2),
        ("percent" | "%", "off") => (Sign::PercentOff, 2),
        ("percent" | "%", "tip") if matches!(word(2), "on" | "for") => (Sign::PercentOf, 3),
        ("per", "cent") if word(2) == "of" => (Sign::PercentOf, 3),
        ("^", _) => (Sign::Power, 1),
        ("to", "the") if (word(2), word(3)) == ("power", "of") => (Sign::Power, 4),
        _ => return None,
    })
}

/// Powers first, then products, then sums.
fn reckon(mut numbers: Vec<Exact>, mut signs: Vec<Sign>) -> Result<Exact, Cannot> {
    let levels: [&[Sign]; 3] = [
        &[Sign::Power],
        &[Sign::Times, Sign::Over, Sign::PercentOf, Sign::PercentOff],
        &[Sign::Plus, Sign::Minus],
    ];
    let hundred = Exact::whole(100);
    for level in levels {
        let mut at = 0;
        while at < signs.len() {
            if !level.contains(&signs[at]) {
                at += 1;
                continue;
            }
            let (left, right) = (numbers[at], numbers.remove(at + 1));
            let part = left.over(hundred);
            let result = match signs.remove(at) {
                Sign::Plus => left.plus(right),
                Sign::Minus => left.minus(right),
                Sign::Times => left.times(right),
                Sign::Over if right.is_zero() => return Err(Cannot::DivideByZero),
                Sign::Over => left.over(right),
                Sign::PercentOf => part.and_then(|part| part.times(right)),
                Sign::PercentOff => part
                    .and_then(|part| Exact::ONE.minus(part))
                    .and_then(|rest| rest.times(right)),
                Sign::Power => left.power(right),
            };
            numbers[at] = result.ok_or(Cannot::Reckon)?;
        }
    }
    numbers.first().copied().ok_or(Cannot::Reckon)
}
