//! The header section: rows in order, values as bytes.

use std::fmt;

use crate::header_name::HeaderName;
use crate::scan::{Fault, trim};

/// Ordered rows of name and raw value. A row's value is what stood on the wire between the colon
/// and the line end, outer white space removed and folded lines joined by one space; bytes that
/// are not UTF-8 are kept. Rows with several comma-separated values stay one row; the typed views
/// (`headers.contacts()`, `headers.vias()`, ...) see through both ways of writing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    rows: Vec<(HeaderName, Vec<u8>)>,
}

/// Why a header could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("header {header}: {what} at byte {at_byte} of its value")]
pub struct HeaderError {
    /// The header.
    pub header: HeaderName,
    /// Offset in the value of the row that is at fault.
    pub at_byte: usize,
    /// What is wrong.
    pub what: &'static str,
}

impl HeaderError {
    pub(crate) fn new(header: HeaderName, fault: Fault) -> Self {
        HeaderError {
            header,
            at_byte: fault.at,
            what: fault.what,
        }
    }

    pub(crate) fn missing(header: HeaderName) -> Self {
        HeaderError {
            header,
            at_byte: 0,
            what: HeaderError::MISSING,
        }
    }

    const MISSING: &'static str = "header is missing";

    /// Whether the header is absent rather than malformed.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.what == HeaderError::MISSING
    }
}

impl Headers {
    /// No rows.
    #[must_use]
    pub fn new() -> Self {
        Headers::default()
    }

    /// Appends a row. CR and LF become spaces, so that no value can end the row it stands in.
    pub fn push(&mut self, name: HeaderName, value: impl Into<Vec<u8>>) {
        self.rows.push((name, clean(value.into())));
    }

    /// Appends a row with a value that knows how to write itself.
    pub fn push_display(&mut self, name: HeaderName, value: impl fmt::Display) {
        self.push(name, value.to_string());
    }

    /// Inserts a row before all others of the same name (or at the top if there is none): how a
    /// Via or Record-Route is added.
    pub fn push_front(&mut self, name: HeaderName, value: impl Into<Vec<u8>>) {
        let at = self.rows.iter().position(|(n, _)| *n == name).unwrap_or(0);
        self.rows.insert(at, (name, clean(value.into())));
    }

    /// Replaces all rows of this name by one, in the place of the first.
    pub fn set(&mut self, name: HeaderName, value: impl Into<Vec<u8>>) {
        let value = clean(value.into());
        let Some(first) = self.rows.iter().position(|(n, _)| *n == name) else {
            self.rows.push((name, value));
            return;
        };
        self.rows[first].1 = value;
        let mut index = 0;
        self.rows.retain(|(n, _)| {
            index += 1;
            index - 1 <= first || *n != name
        });
    }

    /// Like [`Headers::set`] with a value that knows how to write itself.
    pub fn set_display(&mut self, name: HeaderName, value: impl fmt::Display) {
        self.set(name, value.to_string());
    }

    /// Removes all rows of this name; says how many there were.
    pub fn remove(&mut self, name: &HeaderName) -> usize {
        let before = self.rows.len();
        self.rows.retain(|(n, _)| n != name);
        before - self.rows.len()
    }

    /// The first row of this name.
    #[must_use]
    pub fn get(&self, name: &HeaderName) -> Option<&[u8]> {
        self.rows
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_slice())
    }

    /// The first row of this name if it is UTF-8.
    #[must_use]
    pub fn get_str(&self, name: &HeaderName) -> Option<&str> {
        self.get(name).and_then(|v| std::str::from_utf8(v).ok())
    }

    /// All rows of this name, in order.
    pub fn get_all<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a [u8]> {
        self.rows
            .iter()
            .filter(move |(n, _)| n == name)
            .map(|(_, v)| v.as_slice())
    }

    /// Whether there is a row of this name.
    #[must_use]
    pub fn contains(&self, name: &HeaderName) -> bool {
        self.get(name).is_some()
    }

    /// All rows in order.
    pub fn iter(&self) -> impl Iterator<Item = (&HeaderName, &[u8])> {
        self.rows.iter().map(|(n, v)| (n, v.as_slice()))
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Appends copies of all rows of `name` found in `other`, byte for byte.
    pub fn copy_from(&mut self, other: &Headers, name: &HeaderName) {
        self.rows
            .extend(other.rows.iter().filter(|(n, _)| n == name).cloned());
    }
}

fn clean(mut value: Vec<u8>) -> Vec<u8> {
    for byte in &mut value {
        if matches!(*byte, b'\r' | b'\n') {
            *byte = b' ';
        }
    }
    let trimmed = trim(&value).len();
    if trimmed == value.len() {
        value
    } else {
        trim(&value).to_vec()
    }
}

impl Headers {
    /// Like [`Headers::push_front`], but behind the Vias if there is no row of this name.
    pub(crate) fn push_front_behind_vias(&mut self, name: HeaderName, value: impl Into<Vec<u8>>) {
        let same = self.rows.iter().position(|(n, _)| *n == name);
        let behind = || self.rows.iter().rposition(|(n, _)| *n == HeaderName::Via);
        let at = same.or_else(|| behind().map(|at| at + 1)).unwrap_or(0);
        self.rows.insert(at, (name, clean(value.into())));
    }

    /// Replaces the value of the first row of this name, or removes the row.
    pub(crate) fn replace_first_row(&mut self, name: &HeaderName, value: Option<Vec<u8>>) {
        let Some(at) = self.rows.iter().position(|(n, _)| n == name) else {
            return;
        };
        match value {
            Some(value) => self.rows[at].1 = clean(value),
            None => {
                self.rows.remove(at);
            }
        }
    }
}
