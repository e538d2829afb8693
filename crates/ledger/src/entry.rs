//! One line of the log: who, when on which axis, and what.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::body::Body;
use crate::hash::{from_hex, to_hex};
use crate::json::{JsonError, check_json};

/// Longest entry, bytes: what a tlog tile's length prefix holds (C2SP tlog-tiles).
pub const LINE_BYTES_MAX: usize = 65_535;

/// Name of one run of the device, 16 random bytes, stored as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BootId(pub [u8; 16]);

impl fmt::Display for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl Serialize for BootId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BootId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        from_hex(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// Name of an incident: 1 to 64 of `a-z 0-9 -`. It is part of a file name, so nothing else.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct IncidentId(String);

impl IncidentId {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for IncidentId {
    type Err = EntryError;
    fn from_str(text: &str) -> Result<Self, EntryError> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(EntryError::Incident)
        }
    }
}

impl<'de> Deserialize<'de> for IncidentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// One entry. Its bytes are made once, by [`Entry::to_line`], and are what is hashed, stored and exported.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Position in the log, from 0, without gaps.
    pub seq: u64,
    /// The run of the device.
    pub boot: BootId,
    /// Milliseconds since that boot, by a clock that is never set.
    pub mono_ms: u64,
    /// Position on the microphone's sample counter.
    pub sample: Option<u64>,
    /// Milliseconds since 1970-01-01 UTC by the device's clock: an annotation, no evidence.
    pub wall_ms: Option<u64>,
    /// The incident it belongs to.
    pub incident: Option<IncidentId>,
    /// Everything in this version is a drill.
    pub drill: bool,
    /// Appended after what it tells of, and known to be so when written.
    pub late: bool,
    /// What it says.
    pub body: Body,
}

/// Why bytes are not an entry, or an entry cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Longer than [`LINE_BYTES_MAX`].
    #[error("entry of {bytes} bytes; at most {LINE_BYTES_MAX} are allowed, split it")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not strict JSON.
    #[error("entry is not strict JSON: {0}")]
    Json(#[from] JsonError),
    /// JSON, but not an entry.
    #[error("entry does not have the expected fields: {0}")]
    Fields(String),
    /// An incident name with other characters than `a-z 0-9 -`, or too long.
    #[error("incident name must be 1 to 64 characters of a-z, 0-9 and -")]
    Incident,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    seq: u64,
    boot: BootId,
    mono_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sample: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wall_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incident: Option<IncidentId>,
    drill: bool,
    late: bool,
    kind: String,
    body: Box<RawValue>,
}

impl Entry {
    /// The line, without line end. What is written can be read back: a figure that JSON cannot
    /// hold (NaN) or a line that is too long is an error here, not at the verifier.
    pub fn to_line(&self) -> Result<Vec<u8>, EntryError> {
        let fields = |error: serde_json::Error| EntryError::Fields(error.to_string());
        let line = Line {
            seq: self.seq,
            boot: self.boot,
            mono_ms: self.mono_ms,
            sample: self.sample,
            wall_ms: self.wall_ms,
            incident: self.incident.clone(),
            drill: self.drill,
            late: self.late,
            kind: self.body.kind().to_owned(),
            body: self.body.to_raw().map_err(fields)?,
        };
        let bytes = serde_json::to_vec(&line).map_err(fields)?;
        Self::from_line(&bytes)?;
        Ok(bytes)
    }

    /// Reads a line strictly: size, UTF-8, no white space between tokens, no duplicate and no unknown keys.
    pub fn from_line(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > LINE_BYTES_MAX {
            return Err(EntryError::TooLong { bytes: bytes.len() });
        }
        check_json(bytes)?;
        // serde_json's message may quote the value it stumbled on; keep only where it was.
        let fields = |error: serde_json::Error| EntryError::Fields(place(&error));
        let line: Line = serde_json::from_slice(bytes).map_err(fields)?;
        let body = Body::from_raw(&line.kind, &line.body)
            .map_err(|error| EntryError::Fields(format!("body of its kind: {}", place(&error))))?;
        Ok(Self {
            seq: line.seq,
            boot: line.boot,
            mono_ms: line.mono_ms,
            sample: line.sample,
            wall_ms: line.wall_ms,
            incident: line.incident,
            drill: line.drill,
            late: line.late,
            body,
        })
    }
}

fn place(error: &serde_json::Error) -> String {
    format!("stopped at column {}", error.column())
}
