//! The header section: rows in order, values as bytes.

use std::fmt;
use std::io::Write as _;

use crate::header_name::HeaderName;
use crate::scan::{Fault, is_lws_byte, trim};

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
    pub fn push(&mut self, name: HeaderName, value: impl AsRef<[u8]>) {
        let (at, len) = self.keep(value.as_ref());
        self.rows.push(Row { name, at, len });
    }

    /// The same for the value of a row that was read: without line breaks and outer white space.
    pub(crate) fn push_read(&mut self, name: HeaderName, value: &[u8]) {
        let (at, len) = (self.bytes.len(), value.len());
        self.bytes.extend_from_slice(value);
        self.rows.push(Row { name, at, len });
    }

    /// Appends a row with a value that knows how to write itself.
    pub fn push_display(&mut self, name: HeaderName, value: impl fmt::Display) {
        let (at, len) = self.keep_display(value);
        self.rows.push(Row { name, at, len });
    }

    /// Inserts a row before all others of the same name (or at the top if there is none): how a
    /// Via or Record-Route is added.
    pub fn push_front(&mut self, name: HeaderName, value: impl AsRef<[u8]>) {
        let kept = self.keep(value.as_ref());
        self.insert_front(name, kept);
    }

    /// Like [`Headers::push_front`] with a value that knows how to write itself.
    pub(crate) fn push_front_display(&mut self, name: HeaderName, value: impl fmt::Display) {
        let kept = self.keep_display(value);
        self.insert_front(name, kept);
    }

    /// Replaces all rows of this name by one, in the place of the first.
    pub fn set(&mut self, name: HeaderName, value: impl AsRef<[u8]>) {
        let kept = self.keep(value.as_ref());
        self.set_kept(name, kept);
    }

    fn set_kept(&mut self, name: HeaderName, (at, len): (usize, usize)) {
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
        let kept = self.keep_display(value);
        self.set_kept(name, kept);
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
            self.push_read(row.name.clone(), other.value(row));
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
    pub(crate) fn push_front_behind_vias(&mut self, name: HeaderName, value: impl AsRef<[u8]>) {
        let same = self.rows.iter().position(|row| row.name == name);
        let behind = || {
            self.rows
                .iter()
                .rposition(|row| row.name == HeaderName::Via)
        };
        let index = same.or_else(|| behind().map(|at| at + 1)).unwrap_or(0);
        let (at, len) = self.keep(value.as_ref());
        self.rows.insert(index, Row { name, at, len });
    }

    /// Takes the first `count` bytes of the first row of this name off, all: the row itself.
    pub(crate) fn cut_first_row(&mut self, name: &HeaderName, count: usize) {
        let Some(first) = self.rows.iter().position(|row| row.name == *name) else {
            return;
        };
        let row = &mut self.rows[first];
        if count >= row.len {
            self.rows.remove(first);
        } else {
            (row.at, row.len) = (row.at + count, row.len - count);
        }
    }

    /// Puts a value in the place of the first `count` bytes of the first row of this name.
    pub(crate) fn replace_in_first_row(
        &mut self,
        name: &HeaderName,
        count: usize,
        value: impl fmt::Display,
    ) {
        let Some(first) = self.rows.iter().position(|row| row.name == *name) else {
            return;
        };
        let Row { at: old, len, .. } = self.rows[first];
        let (at, mut new) = self.keep_display(value);
        if count < len {
            self.bytes.truncate(at + new);
            self.bytes.extend_from_slice(b", ");
            self.bytes.extend_from_within(old + count..old + len);
            new = self.bytes.len() - at;
        }
        (self.rows[first].at, self.rows[first].len) = (at, new);
    }

    fn insert_front(&mut self, name: HeaderName, (at, len): (usize, usize)) {
        let before = self.rows.iter().position(|row| row.name == name);
        let row = Row { name, at, len };
        self.rows.insert(before.unwrap_or(0), row);
    }

    fn value(&self, row: &Row) -> &[u8] {
        // Rows are made by `keep` alone, and the buffer never shrinks.
        &self.bytes[row.at..row.at + row.len]
    }

    /// Puts a value into the buffer; where it lies without its outer white space.
    fn keep(&mut self, value: &[u8]) -> (usize, usize) {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.as_value(at)
    }

    /// The same for a value that knows how to write itself.
    fn keep_display(&mut self, value: impl fmt::Display) -> (usize, usize) {
        let at = self.bytes.len();
        // Into memory: it cannot fail.
        let _ = write!(self.bytes, "{value}");
        self.as_value(at)
    }

    /// What was written from `at` on, as a row may hold it.
    fn as_value(&mut self, at: usize) -> (usize, usize) {
        let value = &mut self.bytes[at..];
        // `contains` looks at many bytes at once; nearly no value has one.
        if value.contains(&b'\r') || value.contains(&b'\n') {
            let breaks = value.iter_mut().filter(|b| matches!(**b, b'\r' | b'\n'));
            breaks.for_each(|byte| *byte = b' ');
        }
        let before = value.iter().take_while(|byte| is_lws_byte(**byte)).count();
        (at + before, trim(value).len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_ends_no_row_and_has_no_outer_space() {
        let mut headers = Headers::new();
        headers.push_display(HeaderName::Subject, " dinner\r\nVia: x\n");
        headers.set_display(HeaderName::MaxForwards, 69);
        headers.push_front(HeaderName::Subject, "  \t ");
        let subjects: Vec<_> = headers.get_all(&HeaderName::Subject).collect();
        assert_eq!(subjects, [&b""[..], b"dinner  Via: x"]);
        assert_eq!(headers.get_str(&HeaderName::MaxForwards), Some("69"));
    }

    #[test]
    fn the_first_value_of_a_row_is_replaced_and_cut_in_its_place() {
        let (via, rest) = (HeaderName::Via, "SIP/2.0/UDP b;branch=2");
        let mut headers = Headers::new();
        headers.push(HeaderName::To, "sip:anna@example.com");
        headers.push(via.clone(), format!("SIP/2.0/UDP a;branch=1 , {rest}"));
        headers.push(via.clone(), "SIP/2.0/UDP c");
        let mut top = headers.top_via().unwrap();
        top.port = Some(5070);
        headers.set_top_via(&top).unwrap();
        let rows: Vec<_> = headers.iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(rows, [HeaderName::To, via.clone(), via.clone()]);
        let joined = format!("SIP/2.0/UDP a:5070;branch=1, {rest}");
        assert_eq!(headers.get_str(&via), Some(joined.as_str()));
        headers.remove_top_via().unwrap();
        assert_eq!(headers.get_str(&via), Some(rest));
        headers.remove_top_via().unwrap();
        assert_eq!(headers.get_str(&via), Some("SIP/2.0/UDP c"));
        headers.remove_top_via().unwrap();
        assert!(!headers.contains(&via) && headers.remove_top_via().is_err());
    }
}
