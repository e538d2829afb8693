//! The header section: rows in order, values as bytes.

use std::fmt;

use crate::header_name::HeaderName;
use crate::scan::{Fault, trim};

/// Ordered rows of name and raw value. A row's value is what stood on the wire between the colon
/// and the line end, outer white space removed and folded lines joined by one space; bytes that
/// are not UTF-8 are kept. Rows with several comma-separated values stay one row; the typed views
/// (`headers.contacts()`, `headers.vias()`, ...) see through both ways of writing.
///
/// All values lie in one buffer, so that reading and copying a message costs two allocations and not one for each row.
/// What is replaced or removed stays in the buffer until the headers go.
#[derive(Default)]
pub struct Headers {
    rows: Vec<Row>,
    bytes: Vec<u8>,
}

/// Where a value lies.
#[derive(Clone)]
struct Row {
    name: HeaderName,
    at: usize,
    len: usize,
}

impl Clone for Headers {
    fn clone(&self) -> Self {
        let mut copy = Headers::with_capacity(self.rows.len() + 4, self.bytes.len() + 256);
        copy.rows.extend_from_slice(&self.rows);
        copy.bytes.extend_from_slice(&self.bytes);
        copy
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Headers {}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<_> = self.iter().collect();
        f.debug_struct("Headers").field("rows", &rows).finish()
    }
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
        self.push_bytes(name, &value.into());
    }

    /// The same without an allocation of its own.
    pub(crate) fn push_bytes(&mut self, name: HeaderName, value: &[u8]) {
        let (at, len) = self.keep(value);
        self.rows.push(Row { name, at, len });
    }

    /// Appends a row with a value that knows how to write itself.
    pub fn push_display(&mut self, name: HeaderName, value: impl fmt::Display) {
        self.push(name, value.to_string());
    }

    /// Inserts a row before all others of the same name (or at the top if there is none): how a
    /// Via or Record-Route is added.
    pub fn push_front(&mut self, name: HeaderName, value: impl Into<Vec<u8>>) {
        let before = self.rows.iter().position(|row| row.name == name);
        self.insert(before.unwrap_or(0), name, &value.into());
    }

    /// Replaces all rows of this name by one, in the place of the first.
    pub fn set(&mut self, name: HeaderName, value: impl Into<Vec<u8>>) {
        let (at, len) = self.keep(&value.into());
        let Some(first) = self.rows.iter().position(|row| row.name == name) else {
            self.rows.push(Row { name, at, len });
            return;
        };
        (self.rows[first].at, self.rows[first].len) = (at, len);
        let mut index = 0;
        self.rows.retain(|row| {
            index += 1;
            index - 1 <= first || row.name != name
        });
    }

    /// Like [`Headers::set`] with a value that knows how to write itself.
    pub fn set_display(&mut self, name: HeaderName, value: impl fmt::Display) {
        self.set(name, value.to_string());
    }

    /// Removes all rows of this name; says how many there were.
    pub fn remove(&mut self, name: &HeaderName) -> usize {
        let before = self.rows.len();
        self.rows.retain(|row| row.name != *name);
        before - self.rows.len()
    }

    /// The first row of this name.
    #[must_use]
    pub fn get(&self, name: &HeaderName) -> Option<&[u8]> {
        let row = self.rows.iter().find(|row| row.name == *name)?;
        Some(self.value(row))
    }

    /// The first row of this name if it is UTF-8.
    #[must_use]
    pub fn get_str(&self, name: &HeaderName) -> Option<&str> {
        self.get(name).and_then(|v| std::str::from_utf8(v).ok())
    }

    /// All rows of this name, in order.
    pub fn get_all<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a [u8]> {
        let rows = self.rows.iter().filter(move |row| row.name == *name);
        rows.map(|row| self.value(row))
    }

    /// Whether there is a row of this name.
    #[must_use]
    pub fn contains(&self, name: &HeaderName) -> bool {
        self.get(name).is_some()
    }

    /// All rows in order.
    pub fn iter(&self) -> impl Iterator<Item = (&HeaderName, &[u8])> {
        self.rows.iter().map(|row| (&row.name, self.value(row)))
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
        for row in other.rows.iter().filter(|row| row.name == *name) {
            self.push_bytes(row.name.clone(), other.value(row));
        }
    }

    /// With room for so many rows and bytes of values.
    pub(crate) fn with_capacity(rows: usize, bytes: usize) -> Self {
        Headers {
            rows: Vec::with_capacity(rows),
            bytes: Vec::with_capacity(bytes),
        }
    }

    /// Bytes of all names and values.
    pub(crate) fn bytes_len(&self) -> usize {
        let lens = self
            .rows
            .iter()
            .map(|row| row.name.as_str().len() + row.len);
        lens.sum()
    }

    /// Like [`Headers::push_front`], but behind the Vias if there is no row of this name.
    pub(crate) fn push_front_behind_vias(&mut self, name: HeaderName, value: impl Into<Vec<u8>>) {
        let same = self.rows.iter().position(|row| row.name == name);
        let behind = || {
            self.rows
                .iter()
                .rposition(|row| row.name == HeaderName::Via)
        };
        let at = same.or_else(|| behind().map(|at| at + 1)).unwrap_or(0);
        self.insert(at, name, &value.into());
    }

    /// Replaces the value of the first row of this name, or removes the row.
    pub(crate) fn replace_first_row(&mut self, name: &HeaderName, value: Option<Vec<u8>>) {
        let Some(first) = self.rows.iter().position(|row| row.name == *name) else {
            return;
        };
        match value {
            Some(value) => {
                let (at, len) = self.keep(&value);
                (self.rows[first].at, self.rows[first].len) = (at, len);
            }
            None => {
                self.rows.remove(first);
            }
        }
    }

    fn insert(&mut self, index: usize, name: HeaderName, value: &[u8]) {
        let (at, len) = self.keep(value);
        self.rows.insert(index, Row { name, at, len });
    }

    fn value(&self, row: &Row) -> &[u8] {
        // Rows are made by `keep` alone, and the buffer never shrinks.
        &self.bytes[row.at..row.at + row.len]
    }

    /// Puts a value into the buffer, without its outer white space.
    fn keep(&mut self, value: &[u8]) -> (usize, usize) {
        let at = self.bytes.len();
        let is_break = |byte: &u8| matches!(*byte, b'\r' | b'\n');
        // `contains` looks at many bytes at once; nearly no value has one.
        if value.contains(&b'\r') || value.contains(&b'\n') {
            let spaced = value
                .iter()
                .map(|byte| if is_break(byte) { b' ' } else { *byte });
            let spaced: Vec<u8> = spaced.collect();
            self.bytes.extend_from_slice(trim(&spaced));
        } else {
            self.bytes.extend_from_slice(trim(value));
        }
        (at, self.bytes.len() - at)
    }
}
