//! A compiled language as bytes, so that it is compiled once. The adapter keeps them and knows when they are stale.
use super::program::Program;

/// First bytes: what it is, and which version of the form.
const MARK: &[u8; 8] = b"HLSENT\x00\x02";
/// Largest form that is read, in bytes.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// Why bytes are not a compiled language. Compile again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Other first bytes: another file, or another version.
    #[error("these bytes are no compiled sentences of this version")]
    Mark,
    /// Cut off or altered.
    #[error("the compiled sentences are damaged")]
    Damaged,
    /// More than 64 MiB.
    #[error("the compiled sentences have {0} bytes, more than {BYTES_MAX}")]
    TooLong(usize),
}

impl Program {
    /// The bytes to keep.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MARK.to_vec();
        let body =
            postcard::to_allocvec(self).expect("plain data of known length is always written");
        out.extend(body);
        out
    }

    /// Reads kept bytes.
    ///
    /// # Errors
    /// When they are not what [`Self::to_bytes`] of this version writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        if bytes.len() > BYTES_MAX {
            return Err(StoreError::TooLong(bytes.len()));
        }
        let body = bytes.strip_prefix(MARK).ok_or(StoreError::Mark)?;
        let program: Self = postcard::from_bytes(body).map_err(|_| StoreError::Damaged)?;
        program
            .is_sound()
            .then_some(program)
            .ok_or(StoreError::Damaged)
    }
}
