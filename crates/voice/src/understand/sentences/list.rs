//! The lists of a grammar: values, ranges of numbers, free words.
use super::datum::Datum;
use super::template::Expression;

/// Largest number of a range.
const NUMBER_MAX: i64 = 1_000_000_000;

/// What a list may be.
#[derive(Debug, Clone)]
pub(super) enum List {
    Values(Vec<Value>),
    Range(Range),
    Wildcard,
}

/// One value of a list: what is said, what it means.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) said: Said,
    /// What fills the slot; the words themselves if absent.
    pub(super) out: Option<Datum>,
    pub(super) context: Vec<(String, Datum)>,
    pub(super) metadata: Option<Datum>,
}

/// The words of a value.
#[derive(Debug, Clone)]
pub(super) enum Said {
    Plain(String),
    Template(Expression),
}

/// A range of numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Range {
    pub(super) start: i64,
    pub(super) stop: i64,
    pub(super) step: i64,
    /// Tenths between two whole numbers that count as well: 5 for halves, 1 to 9 for tenths.
    pub(super) tenths: &'static [u8],
    pub(super) multiplier: Option<f64>,
    pub(super) digits: bool,
    pub(super) words: bool,
    pub(super) words_language: Option<String>,
}

pub(super) fn list(body: &Datum) -> Result<List, String> {
    if let Some(values) = body.get("values") {
        let values = values.items().iter().map(value).collect::<Result<_, _>>()?;
        return Ok(List::Values(values));
    }
    if let Some(range) = body.get("range") {
        return range_of(range).map(List::Range);
    }
    if body.get("wildcard").and_then(Datum::flag) == Some(true) {
        return Ok(List::Wildcard);
    }
    Err("it has neither values, range nor wildcard: true".into())
}

fn value(datum: &Datum) -> Result<Value, String> {
    let said = |text: &str| -> Result<Said, String> {
        if Expression::is_template(text) {
            let read = Expression::parse(text).map_err(|why| format!("\"{text}\": {why}"))?;
            return Ok(Said::Template(read));
        }
        Ok(Said::Plain(text.to_owned()))
    };
    match datum {
        Datum::Text(text) => {
            let said = said(text)?;
            // A template means the words that were said; plain words mean themselves as they are written.
            let out = matches!(said, Said::Plain(_)).then(|| datum.clone());
            Ok(Value {
                said,
                out,
                context: Vec::new(),
                metadata: None,
            })
        }
        Datum::Map(_) => Ok(Value {
            said: said(&datum.get("in").ok_or("a value has no \"in\"")?.spoken())?,
            out: datum.get("out").filter(|out| **out != Datum::Null).cloned(),
            context: datum
                .get("context")
                .map_or(&[][..], Datum::entries)
                .to_vec(),
            metadata: datum.get("metadata").cloned(),
        }),
        other => {
            let text = other.spoken();
            Ok(Value {
                said: Said::Plain(text),
                out: Some(other.clone()),
                context: Vec::new(),
                metadata: None,
            })
        }
    }
}

fn range_of(datum: &Datum) -> Result<Range, String> {
    let whole = |key: &str| {
        datum
            .get(key)
            .and_then(Datum::number)
            .map(|number| number as i64)
    };
    let start = whole("from").ok_or("the range has no \"from\"")?;
    let stop = whole("to").ok_or("the range has no \"to\"")?;
    let step = whole("step").unwrap_or(1);
    if start.abs().max(stop.abs()) > NUMBER_MAX {
        return Err(format!("numbers go up to {NUMBER_MAX}"));
    }
    if start > stop || step < 1 {
        return Err(format!(
            "the range from {start} to {stop} by {step} is empty: from ≤ to, step ≥ 1"
        ));
    }
    let flag = |key: &str| datum.get(key).and_then(Datum::flag).unwrap_or(true);
    let tenths: &'static [u8] = match datum.get("fractions").and_then(Datum::text) {
        None => &[],
        Some("halves") => &[5],
        Some("tenths") => &[1, 2, 3, 4, 5, 6, 7, 8, 9],
        Some(other) => return Err(format!("fractions are halves or tenths, not {other}")),
    };
    let (digits, words) = (flag("digits"), flag("words"));
    if !digits && !words {
        return Err("a range needs digits, words or both".into());
    }
    Ok(Range {
        start,
        stop,
        step,
        tenths,
        multiplier: datum.get("multiplier").and_then(Datum::number),
        digits,
        words,
        words_language: datum
            .get("words_language")
            .and_then(Datum::text)
            .map(str::to_owned),
    })
}
