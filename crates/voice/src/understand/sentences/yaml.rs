//! YAML into plain values, with the words for yes and no that Home Assistant's reader knows (YAML 1.1).
use saphyr_parser::{Event, Parser, ScalarStyle};

use super::datum::Datum;

/// Largest file, in bytes.
pub const YAML_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most values that one file may stand for, aliases written out.
const VALUES_MAX: usize = 1_000_000;
/// Deepest nesting.
const DEPTH_MAX: usize = 64;

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct YamlError {
    /// From 1.
    pub(super) line: usize,
    pub(super) what: String,
}

/// A collection that is being read.
enum Open {
    List(Vec<Datum>),
    Map(Vec<(String, Datum)>, Option<String>),
}

/// Reads the first document of a file.
pub(super) fn read(text: &str) -> Result<Datum, YamlError> {
    if text.len() > YAML_BYTES_MAX {
        let what = format!(
            "the file has {} bytes, more than {YAML_BYTES_MAX}: split it",
            text.len()
        );
        return Err(YamlError { line: 1, what });
    }
    let mut open: Vec<(Open, usize)> = Vec::new();
    let mut anchors: std::collections::BTreeMap<usize, (Datum, usize)> =
        std::collections::BTreeMap::new();
    let mut root = Datum::Null;
    let mut values = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| YamlError {
            line: error.marker().line(),
            what: format!("not YAML: {}", error.info()),
        })?;
        let line = span.start.line();
        let wrong = |what: &str| YamlError {
            line,
            what: what.to_owned(),
        };
        let (value, anchor, size) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                (
                    if plain {
                        scalar(&text)
                    } else {
                        Datum::Text(text.into_owned())
                    },
                    anchor,
                    1,
                )
            }
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _)
                if open.len() >= DEPTH_MAX =>
            {
                let _ = anchor;
                return Err(wrong("values are nested deeper than 64"));
            }
            Event::SequenceStart(anchor, _) => {
                open.push((Open::List(Vec::new()), anchor));
                continue;
            }
            Event::MappingStart(anchor, _) => {
                open.push((Open::Map(Vec::new(), None), anchor));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some((Open::List(items), anchor)) => (Datum::List(items), anchor, 1),
                Some((Open::Map(items, _), anchor)) => (Datum::Map(items), anchor, 1),
                None => continue,
            },
            Event::Alias(anchor) => match anchors.get(&anchor) {
                Some((value, size)) => (value.clone(), 0, *size),
                None => return Err(wrong("an alias names an anchor that is not complete")),
            },
            Event::DocumentEnd => break,
            _ => continue,
        };
        values += size;
        if values > VALUES_MAX {
            return Err(wrong("the file stands for more than a million values"));
        }
        if anchor > 0 {
            let size = count(&value);
            anchors.insert(anchor, (value.clone(), size));
        }
        match open.last_mut() {
            None => root = value,
            Some((Open::List(items), _)) => items.push(value),
            Some((Open::Map(items, key), _)) => match key.take() {
                None => *key = Some(value.spoken()),
                Some(key) => match items.iter_mut().find(|(name, _)| *name == key) {
                    Some((_, old)) => *old = value,
                    None => items.push((key, value)),
                },
            },
        }
    }
    Ok(root)
}

fn count(value: &Datum) -> usize {
    1 + value.items().iter().map(count).sum::<usize>()
        + value
            .entries()
            .iter()
            .map(|(_, value)| count(value))
            .sum::<usize>()
}

/// A word without quotes: nothing, yes or no, a number, or text.
fn scalar(text: &str) -> Datum {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Datum::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            return Datum::Flag(true);
        }
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Datum::Flag(false);
        }
        _ => {}
    }
    let digits = text.trim_start_matches(['-', '+']);
    let number = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
        && text.len() - digits.len() <= 1;
    match text.trim_start_matches('+').parse() {
        Ok(value) if number => Datum::Number(value),
        _ => Datum::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_home_assistant_reads() {
        let read =
            read("a: &x [1, 'on', on, 2.5]\nb: *x\nc:\n  - in: \"x\"\n    out: off\n").unwrap();
        assert_eq!(
            read.to_json().to_string(),
            r#"{"a":[1,"on",true,2.5],"b":[1,"on",true,2.5],"c":[{"in":"x","out":false}]}"#
        );
    }

    #[test]
    fn says_on_which_line_it_broke() {
        let error = read("a: 1\nb: [1, 2\nc: 3\n").unwrap_err();
        assert!(error.line >= 2, "{error:?}");
        // Each alias doubles: a few lines that stand for billions of values.
        let bomb: String = (1..40)
            .map(|n| format!("x{n}: &x{n} [*x{0}, *x{0}]\n", n - 1))
            .fold("x0: &x0 [1]\n".to_owned(), |all, line| all + &line);
        assert!(super::read(&bomb).unwrap_err().what.contains("million"));
    }
}
