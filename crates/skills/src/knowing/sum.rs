//! Sums as they are said: "two plus three times four", "15 percent of 80".
use super::figure;
use crate::spoken::number::amount;
use crate::spoken::token::{Token, tokens};

/// Most numbers of one sum.
const NUMBERS_MAX: usize = 20;

#[derive(Clone, Copy, PartialEq)]
enum Sign {
    Plus,
    Minus,
    Times,
    Over,
    PercentOf,
    Power,
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
    .find_map(|head| text.strip_prefix(head))?;
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
        let word = |more: usize| tokens.get(at + more).map_or("", Token::word);
        let lead = usize::from(word(0) == "the");
        let root = match (word(lead), word(lead + 1), word(lead + 2)) {
            ("square", "root", "of") => lead + 3,
            _ => 0,
        };
        at += root;
        let minus = usize::from(tokens.get(at).map_or("", Token::word) == "minus");
        at += minus;
        let (thousandths, used) = amount(tokens.get(at..)?)?;
        at += used;
        let mut number = thousandths as f64 / 1_000.0;
        if root > 0 {
            number = number.sqrt();
            deeds += 1;
        }
        let word = |more: usize| tokens.get(at + more).map_or("", Token::word);
        let power = match word(0) {
            "squared" => 2,
            "cubed" => 3,
            _ => 1,
        };
        if power > 1 {
            number = number.powi(power);
            deeds += 1;
            at += 1;
        }
        numbers.push(if minus == 1 { -number } else { number });
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
    match reckon(numbers, signs) {
        Some(result) => Some(format!("{}.", figure(result)?)),
        None => Some("Nothing can be divided by zero.".to_owned()),
    }
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
        ("per", "cent") if word(2) == "of" => (Sign::PercentOf, 3),
        ("^", _) => (Sign::Power, 1),
        ("to", "the") if (word(2), word(3)) == ("power", "of") => (Sign::Power, 4),
        _ => return None,
    })
}

/// Powers first, then products, then sums; `None`: something is divided by zero.
fn reckon(mut numbers: Vec<f64>, mut signs: Vec<Sign>) -> Option<f64> {
    let levels: [&[Sign]; 3] = [
        &[Sign::Power],
        &[Sign::Times, Sign::Over, Sign::PercentOf],
        &[Sign::Plus, Sign::Minus],
    ];
    for level in levels {
        let mut at = 0;
        while at < signs.len() {
            if !level.contains(&signs[at]) {
                at += 1;
                continue;
            }
            let (left, right) = (numbers[at], numbers.remove(at + 1));
            numbers[at] = match signs.remove(at) {
                Sign::Plus => left + right,
                Sign::Minus => left - right,
                Sign::Times => left * right,
                Sign::Over if right == 0.0 => return None,
                Sign::Over => left / right,
                Sign::PercentOf => left / 100.0 * right,
                Sign::Power => left.powf(right),
            };
        }
    }
    numbers.first().copied()
}
