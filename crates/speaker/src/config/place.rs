//! Where in a household's file something stands: line and column, and the words for what the parser found wrong.
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigError;

/// Line and column in a file, both from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl Place {
    /// Of a byte in a text; the place behind its end for one beyond it.
    pub(super) fn at(text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Self {
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
        }
    }
}

/// The key that an error is about, or the section that lacks it.
pub(super) fn of(text: &str, error: &ConfigError) -> Option<Place> {
    let ConfigError::Value { section, key, .. } = error else {
        return None;
    };
    let table = DeTable::parse(text).ok()?;
    let (name, value) = table.get_ref().get_key_value(*section)?;
    let span = match value.get_ref() {
        DeValue::Table(keys) => key_in(keys, key).unwrap_or_else(|| name.span()),
        DeValue::Array(elements) => {
            in_one_of(elements, key).unwrap_or_else(|| elements.first().map_or(0..0, header))
        }
        _ => name.span(),
    };
    Some(Place::at(text, span.start))
}

fn key_in(keys: &DeTable<'_>, key: &str) -> Option<Range<usize>> {
    keys.get_key_value(key).map(|(key, _)| key.span())
}

/// Lines are told apart by their names: `trunk uri` is the first such key of a line of that name, `trunk` the name
/// of the last.
fn in_one_of(elements: &[Spanned<DeValue<'_>>], key: &str) -> Option<Range<usize>> {
    let name_of = |element: &Spanned<DeValue<'_>>| {
        let name = element.get_ref().get("name")?.get_ref().as_str()?;
        Some(name.to_owned())
    };
    let same = elements
        .iter()
        .rev()
        .find(|element| name_of(element).as_deref() == Some(key));
    if let Some(element) = same {
        return element
            .get_ref()
            .as_table()
            .and_then(|keys| key_in(keys, "name"));
    }
    let own = |element| {
        let name = name_of(element)?;
        Some(key.strip_prefix(name.as_str())?.trim_start())
    };
    let in_keys = elements
        .iter()
        .find_map(|element| key_in(element.get_ref().as_table()?, own(element)?));
    in_keys.or_else(|| elements.iter().find(|at| own(at).is_some()).map(header))
}

fn header(element: &Spanned<DeValue<'_>>) -> Range<usize> {
    element.span()
}

/// What is not TOML or not of the right kind: section and key, and why. Never the value: it may be a name, a number or
/// an address.
pub(super) fn what_is_wrong(text: &str, error: &toml::de::Error) -> (Option<Place>, String) {
    let why = without_value(error.message());
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else {
        return (None, why);
    };
    let place = Place::at(text, before.len());
    let line = text.lines().nth(place.line - 1).unwrap_or_default().trim();
    let is_header = |line: &&str| line.trim_start().starts_with('[') && !line.contains('=');
    let whole = error
        .span()
        .and_then(|span| text.get(span))
        .unwrap_or_default();
    let section = if is_header(&line) && whole.len() < line.len() {
        "" // of the file as a whole
    } else {
        text.lines()
            .take(place.line)
            .filter(is_header)
            .last()
            .and_then(name_of_header)
            .unwrap_or_default()
    };
    // A line without a key may be the middle of a value.
    let key = line
        .split_once('=')
        .map(|(key, _)| key.trim())
        .filter(|key| !is_header(&line) && is_bare(key))
        .unwrap_or_default();
    let named = [section, key]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let why = if named.is_empty() {
        why
    } else {
        format!("{named}: {why}")
    };
    (Some(place), why)
}

/// `[device]` or `[[line]]` without what stands behind it.
fn name_of_header(line: &str) -> Option<&str> {
    let line = line.trim();
    let name = line.trim_start_matches('[');
    let name = &name[..name.find(']').unwrap_or(name.len())];
    let brackets = line.len() - line.trim_start_matches('[').len();
    is_bare(name.trim()).then(|| {
        let closing = line[brackets + name.len()..]
            .bytes()
            .take(brackets)
            .take_while(|byte| *byte == b']')
            .count();
        &line[..brackets + name.len() + closing]
    })
}

/// Whether this is a key as TOML has them without quotes, dotted or not.
fn is_bare(key: &str) -> bool {
    !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// What was expected, without what was found.
fn without_value(message: &str) -> String {
    let kinds = ["invalid type", "invalid value", "invalid length"];
    let Some(kind) = kinds.into_iter().find(|kind| message.starts_with(kind)) else {
        return message.to_owned();
    };
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("{kind}, expected {expected}"),
        None => kind.to_owned(),
    }
}
