//! Reader of FlatBuffers: tables, vectors and strings inside a byte slice, each access checked.
//!
//! Only what a TensorFlow Lite model needs. A read outside the bytes is an error, never a panic, and nothing is
//! followed recursively, so hostile bytes cost at most what the caller's own limits allow.

use thiserror::Error;

/// Bytes that are not the FlatBuffer they should be.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "the model's {what} lies outside the file at byte {at}: the file is damaged or not a TFLite model"
)]
pub struct FlatError {
    /// What was being read.
    pub what: &'static str,
    /// Where it should have been.
    pub at: usize,
}

/// A table: fields by number, each of them optional.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The table's own field offsets.
    fields: &'a [u8],
}

/// A vector: `len` elements that start at `at`.
#[derive(Clone, Copy)]
pub(super) struct Vector<'a> {
    bytes: &'a [u8],
    at: usize,
    len: usize,
}

fn array<const N: usize>(
    bytes: &[u8],
    at: usize,
    what: &'static str,
) -> Result<[u8; N], FlatError> {
    at.checked_add(N)
        .and_then(|end| bytes.get(at..end))
        .and_then(|part| part.try_into().ok())
        .ok_or(FlatError { what, at })
}

fn u32_at(bytes: &[u8], at: usize, what: &'static str) -> Result<usize, FlatError> {
    array(bytes, at, what).map(|four| u32::from_le_bytes(four) as usize)
}

/// Where the offset stored at `at` leads.
fn follow(bytes: &[u8], at: usize, what: &'static str) -> Result<usize, FlatError> {
    at.checked_add(u32_at(bytes, at, what)?)
        .ok_or(FlatError { what, at })
}

impl<'a> Table<'a> {
    /// The root table of a file.
    pub(super) fn root(bytes: &'a [u8]) -> Result<Self, FlatError> {
        Self::at(bytes, follow(bytes, 0, "root")?, "root")
    }

    fn at(bytes: &'a [u8], at: usize, what: &'static str) -> Result<Self, FlatError> {
        let outside = FlatError { what, at };
        let back = i64::from(i32::from_le_bytes(array(bytes, at, what)?));
        let offsets = i64::try_from(at)
            .ok()
            .and_then(|at| at.checked_sub(back))
            .ok_or(outside.clone())?;
        let offsets = usize::try_from(offsets).map_err(|_| outside.clone())?;
        let size = usize::from(u16::from_le_bytes(array(bytes, offsets, what)?));
        let end = offsets.checked_add(size).ok_or(outside.clone())?;
        let fields = bytes
            .get(offsets..end)
            .and_then(|all| all.get(4..))
            .ok_or(outside)?;
        Ok(Self { bytes, at, fields })
    }

    /// Place of a field, unless it is absent and so has its default.
    fn place(&self, field: usize) -> Option<usize> {
        let pair = self.fields.get(2 * field..2 * field + 2)?;
        let offset = usize::from(u16::from_le_bytes([pair[0], pair[1]]));
        (offset != 0).then(|| self.at.saturating_add(offset))
    }

    pub(super) fn u8(&self, field: usize, absent: u8, what: &'static str) -> Result<u8, FlatError> {
        self.place(field).map_or(Ok(absent), |at| {
            array::<1>(self.bytes, at, what).map(|one| one[0])
        })
    }

    pub(super) fn u32(
        &self,
        field: usize,
        absent: u32,
        what: &'static str,
    ) -> Result<u32, FlatError> {
        self.place(field).map_or(Ok(absent), |at| {
            array(self.bytes, at, what).map(u32::from_le_bytes)
        })
    }

    pub(super) fn i32(
        &self,
        field: usize,
        absent: i32,
        what: &'static str,
    ) -> Result<i32, FlatError> {
        self.place(field).map_or(Ok(absent), |at| {
            array(self.bytes, at, what).map(i32::from_le_bytes)
        })
    }

    pub(super) fn table(
        &self,
        field: usize,
        what: &'static str,
    ) -> Result<Option<Table<'a>>, FlatError> {
        let Some(at) = self.place(field) else {
            return Ok(None);
        };
        Self::at(self.bytes, follow(self.bytes, at, what)?, what).map(Some)
    }

    /// A vector of elements of `element_bytes` each; an absent one is empty.
    pub(super) fn vector(
        &self,
        field: usize,
        element_bytes: usize,
        what: &'static str,
    ) -> Result<Vector<'a>, FlatError> {
        let Some(place) = self.place(field) else {
            return Ok(Vector {
                bytes: self.bytes,
                at: 0,
                len: 0,
            });
        };
        let at = follow(self.bytes, place, what)?;
        let len = u32_at(self.bytes, at, what)?;
        let start = at.saturating_add(4);
        let end = len
            .checked_mul(element_bytes)
            .and_then(|size| start.checked_add(size));
        if end.is_none_or(|end| end > self.bytes.len()) {
            return Err(FlatError { what, at });
        }
        Ok(Vector {
            bytes: self.bytes,
            at: start,
            len,
        })
    }

    pub(super) fn bytes(&self, field: usize, what: &'static str) -> Result<&'a [u8], FlatError> {
        let vector = self.vector(field, 1, what)?;
        // `vector` has checked the range.
        Ok(&self.bytes[vector.at..vector.at + vector.len])
    }
}

impl<'a> Vector<'a> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn table(&self, index: usize, what: &'static str) -> Result<Table<'a>, FlatError> {
        Table::at(
            self.bytes,
            follow(self.bytes, self.at + 4 * index, what)?,
            what,
        )
    }

    pub(super) fn i32s(&self, what: &'static str) -> Result<Vec<i32>, FlatError> {
        (0..self.len)
            .map(|i| array(self.bytes, self.at + 4 * i, what).map(i32::from_le_bytes))
            .collect()
    }

    pub(super) fn f32s(&self, what: &'static str) -> Result<Vec<f32>, FlatError> {
        (0..self.len)
            .map(|i| array(self.bytes, self.at + 4 * i, what).map(f32::from_le_bytes))
            .collect()
    }

    pub(super) fn i64s(&self, what: &'static str) -> Result<Vec<i64>, FlatError> {
        (0..self.len)
            .map(|i| array(self.bytes, self.at + 8 * i, what).map(i64::from_le_bytes))
            .collect()
    }
}
