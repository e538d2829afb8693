//! Finds phone numbers, addresses and words of the household in log lines (DESIGN invariant 8).
//!
//! [`PersonalData::check`] judges one line; [`Watch`] is a `tracing` layer that judges every event and remembers the leaks.
use core::fmt;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Digits from which on a value is looked for however it is grouped.
const NUMBER_DIGITS_MIN: usize = 7;

/// Values that no log line may hold.
#[derive(Debug, Clone, Default)]
pub struct PersonalData {
    values: Vec<Value>,
}

#[derive(Debug, Clone)]
enum Value {
    /// The last digits of a number, whatever stands between them.
    Number(String),
    /// Lower-case text, as whole words.
    Text(String),
}

/// A personal value in a line. Does not repeat the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("value {value} of the household stands in a log line of {bytes} bytes")]
pub struct Leak {
    /// Index of the value given to [`PersonalData::new`].
    pub value: usize,
    /// Length of the line.
    pub bytes: usize,
}

impl PersonalData {
    /// These values. A number is found in any grouping and without its country code, text in any case, as whole words.
    #[must_use]
    pub fn new<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> Self {
        let values = values.into_iter().map(|value| {
            let value = value.as_ref();
            let digits = digits_of(value);
            let is_number =
                digits.len() >= NUMBER_DIGITS_MIN && !value.chars().any(char::is_alphabetic);
            if is_number {
                let from = digits.len().saturating_sub(NUMBER_DIGITS_MIN);
                Value::Number(digits[from..].to_owned())
            } else {
                Value::Text(words_of(value))
            }
        });
        Self {
            values: values.collect(),
        }
    }

    /// Whether the line is clean.
    ///
    /// # Errors
    /// [`Leak`], naming the value by its index.
    pub fn check(&self, line: &str) -> Result<(), Leak> {
        let words = format!(" {} ", words_of(line));
        let digits = digits_in_numbers(line);
        let stands = |value: &Value| match value {
            Value::Number(number) => digits.iter().any(|run| run.contains(number)),
            Value::Text(text) => !text.is_empty() && words.contains(&format!(" {text} ")),
        };
        match self.values.iter().position(stands) {
            Some(value) => Err(Leak {
                value,
                bytes: line.len(),
            }),
            None => Ok(()),
        }
    }

    /// A `tracing` layer that checks every event and span, and the list that it fills.
    #[must_use]
    pub fn watch(self) -> (Watch, Leaks) {
        let leaks = Leaks::default();
        (
            Watch {
                data: self,
                leaks: leaks.clone(),
            },
            leaks,
        )
    }
}

fn digits_of(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Runs of digits; what is usual between the groups of a number (one or two of space, dot, dash, bracket, slash) is left out.
fn digits_in_numbers(line: &str) -> Vec<String> {
    let mut runs = vec![String::new()];
    let mut gap = 0;
    for c in line.chars() {
        if c.is_ascii_digit() {
            if gap > 2 {
                runs.push(String::new());
            }
            gap = 0;
            runs.last_mut().expect("never empty").push(c);
        } else if " .-()/\u{a0}".contains(c) {
            gap += 1;
        } else {
            gap = 3;
        }
    }
    runs
}

/// Lower-case words with one space between them.
fn words_of(text: &str) -> String {
    let lower = text.to_lowercase();
    lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// What a [`Watch`] found.
#[derive(Debug, Clone, Default)]
pub struct Leaks(Arc<Mutex<Vec<(String, Leak)>>>);

impl Leaks {
    /// Target of the event or span, and the leak.
    #[must_use]
    pub fn found(&self) -> Vec<(String, Leak)> {
        self.0.lock().map(|leaks| leaks.clone()).unwrap_or_default()
    }
}

/// The layer: `tracing_subscriber::registry().with(watch)`.
#[derive(Debug, Clone)]
pub struct Watch {
    data: PersonalData,
    leaks: Leaks,
}

impl Watch {
    fn judge(&self, target: &str, line: &str) {
        if let Err(leak) = self.data.check(line)
            && let Ok(mut leaks) = self.leaks.0.lock()
        {
            leaks.push((target.to_owned(), leak));
        }
    }
}

impl<S: Subscriber> Layer<S> for Watch {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut line = Line(attributes.metadata().name().to_owned());
        attributes.record(&mut line);
        self.judge(attributes.metadata().target(), &line.0);
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut line = Line(String::new());
        values.record(&mut line);
        self.judge("span", &line.0);
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.judge(event.metadata().target(), &line.0);
    }
}

/// All fields of an event in one line.
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!("{}={value:?} ", field.name()));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push_str(&format!("{}={value} ", field.name()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_in_any_grouping_and_text_as_whole_words() {
        let data = PersonalData::new(["+15055550123", "Juniper Road"]);
        for line in [
            "tel:+15055550123",
            "calls (505) 555-0123",
            "5 0 5 5 5 5 0 1 2 3",
            "at JUNIPER  road, 42",
            "555 01 23",
        ] {
            assert!(data.check(line).is_err(), "{line}");
        }
        for line in [
            "line 1 answers 503",
            "Junipers Road",
            "5055550 and 123456",
            "at 1498996800123 ms",
        ] {
            assert_eq!(data.check(line), Ok(()), "{line}");
        }
    }

    #[test]
    fn the_layer_sees_fields_messages_and_spans() {
        use tracing_subscriber::layer::SubscriberExt as _;
        let (watch, leaks) = PersonalData::new(["Juniper Road"]).watch();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(watch), || {
            tracing::info!(line = 2, "a line gave way");
            assert!(leaks.found().is_empty());
            tracing::info!(street = "Juniper Road", "a field");
            tracing::info!("a message of {}", "juniper road");
            let _span = tracing::info_span!("call", place = %"Juniper Road").entered();
        });
        assert_eq!(leaks.found().len(), 3);
    }
}
