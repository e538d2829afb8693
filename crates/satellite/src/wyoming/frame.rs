//! Events on a stream of bytes.
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::data::Object;
use super::event::Event;

/// The version of the protocol's library that we speak like; nobody decides by it.
const VERSION: &str = "1.10.2";

/// How much of a peer's bytes we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest line, its end with it.
    pub header_bytes_max: usize,
    /// Longest data behind the line.
    pub data_bytes_max: usize,
    /// Longest payload.
    pub payload_bytes_max: usize,
}

impl Default for Limits {
    /// A line of 64 KiB, data of 1 MiB, a payload of 1 MiB: 32 s of 16 kHz sound.
    fn default() -> Self {
        Self {
            header_bytes_max: 64 << 10,
            data_bytes_max: 1 << 20,
            payload_bytes_max: 1 << 20,
        }
    }
}

/// Why a stream cannot be read any further. After it every call gives the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A line that does not end in time.
    #[error("an event's line is longer than {bytes_max} bytes: this is no Wyoming peer")]
    Header {
        /// Allowed.
        bytes_max: usize,
    },
    /// Something too long is announced.
    #[error("an event announces {bytes} bytes of {what}, at most {bytes_max} are taken")]
    TooLong {
        /// `data` or `payload`.
        what: &'static str,
        /// Announced.
        bytes: u64,
        /// Allowed.
        bytes_max: usize,
    },
    /// A line or data that is no JSON object.
    #[error("{what} of an event is no JSON object: {why}")]
    Json {
        /// `the line` or `the data`.
        what: &'static str,
        /// What the reader says; nothing of the content.
        why: String,
    },
    /// Data that does not belong to the type. The stream itself is in order.
    #[error("the data of '{kind}' is not what that event carries: {why}")]
    Data {
        /// Which event.
        kind: String,
        /// What the reader says.
        why: String,
    },
}

#[derive(Deserialize)]
struct Header {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Option<Object>,
    #[serde(default)]
    data_length: Option<u64>,
    #[serde(default)]
    payload_length: Option<u64>,
}

#[derive(Debug)]
enum State {
    Line,
    Body {
        kind: String,
        data: Object,
        data_bytes: usize,
        payload_bytes: usize,
    },
    Broken(FrameError),
}

/// Takes bytes, gives events.
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    held: Vec<u8>,
    /// Bytes of `held` that were looked through for the end of the line.
    looked: usize,
    /// Bytes of `held` that are done with.
    taken: usize,
    state: State,
}

impl Reader {
    /// A reader at the start of a stream.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            held: Vec::new(),
            looked: 0,
            taken: 0,
            state: State::Line,
        }
    }

    /// Takes bytes. Hand in no more than some kilobytes between two drains: they are held.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.taken > 0 {
            self.held.drain(..self.taken);
            self.looked = self.looked.saturating_sub(self.taken);
            self.taken = 0;
        }
        if !matches!(self.state, State::Broken(_)) {
            self.held.extend_from_slice(bytes);
        }
    }

    /// Whether an event has begun and is not whole.
    #[must_use]
    pub fn is_amid(&self) -> bool {
        matches!(self.state, State::Body { .. }) || self.held.len() > self.taken
    }

    /// The next event; none until more bytes come.
    ///
    /// # Errors
    /// [`FrameError`]. After [`FrameError::Data`] the next event may be asked for; after every other the stream is lost.
    pub fn next_event(&mut self) -> Result<Option<Event>, FrameError> {
        loop {
            match &self.state {
                State::Broken(error) => return Err(error.clone()),
                State::Line => match self.line() {
                    Ok(true) => {}
                    Ok(false) => return Ok(None),
                    Err(error) => return Err(self.broken(error)),
                },
                State::Body { .. } => return self.body(),
            }
        }
    }

    fn broken(&mut self, error: FrameError) -> FrameError {
        self.held = Vec::new();
        (self.looked, self.taken) = (0, 0);
        self.state = State::Broken(error.clone());
        error
    }

    /// Reads a line where there is a whole one.
    fn line(&mut self) -> Result<bool, FrameError> {
        let bytes_max = self.limits.header_bytes_max;
        let from = self.looked.max(self.taken);
        let Some(end) = self.held[from..].iter().position(|byte| *byte == b'\n') else {
            self.looked = self.held.len();
            if self.held.len() - self.taken >= bytes_max {
                return Err(FrameError::Header { bytes_max });
            }
            return Ok(false);
        };
        let end = from + end;
        if end + 1 - self.taken > bytes_max {
            return Err(FrameError::Header { bytes_max });
        }
        let line = &self.held[self.taken..end];
        if line.trim_ascii().is_empty() {
            // A stray line end between events harms nobody.
            self.taken = end + 1;
            return Ok(true);
        }
        let header: Header = serde_json::from_slice(line).map_err(|error| FrameError::Json {
            what: "the line",
            why: place(&error),
        })?;
        self.taken = end + 1;
        let length = |what, bytes: Option<u64>, bytes_max: usize| {
            let bytes = bytes.unwrap_or(0);
            usize::try_from(bytes)
                .ok()
                .filter(|bytes| *bytes <= bytes_max)
                .ok_or(FrameError::TooLong {
                    what,
                    bytes,
                    bytes_max,
                })
        };
        self.state = State::Body {
            kind: header.kind,
            data: header.data.unwrap_or_default(),
            data_bytes: length("data", header.data_length, self.limits.data_bytes_max)?,
            payload_bytes: length(
                "payload",
                header.payload_length,
                self.limits.payload_bytes_max,
            )?,
        };
        Ok(true)
    }

    fn body(&mut self) -> Result<Option<Event>, FrameError> {
        let State::Body {
            data_bytes,
            payload_bytes,
            ..
        } = self.state
        else {
            return Ok(None);
        };
        if self.held.len() - self.taken < data_bytes + payload_bytes {
            return Ok(None);
        }
        let State::Body { kind, mut data, .. } = core::mem::replace(&mut self.state, State::Line)
        else {
            return Ok(None);
        };
        let behind = self.taken + data_bytes;
        if data_bytes > 0 {
            let more: Result<Object, _> = serde_json::from_slice(&self.held[self.taken..behind]);
            match more {
                Ok(more) => data.extend(more),
                Err(error) => {
                    return Err(self.broken(FrameError::Json {
                        what: "the data",
                        why: place(&error),
                    }));
                }
            }
        }
        let payload = self.held[behind..behind + payload_bytes].to_vec();
        self.taken = behind + payload_bytes;
        self.looked = self.taken;
        Event::of(kind.clone(), data, payload)
            .map(Some)
            .map_err(|error| FrameError::Data {
                kind: known(kind),
                why: what_is_wrong(&error),
            })
    }
}

/// Where JSON breaks; its message could quote what was said.
fn place(error: &serde_json::Error) -> String {
    format!("line {} column {}", error.line(), error.column())
}

/// A missing or mistaken field, without its value.
fn what_is_wrong(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.starts_with("missing field") {
        text
    } else {
        "a field has a value of the wrong kind".to_owned()
    }
}

/// A type that may stand in a message: only those that we know have data to be wrong.
fn known(kind: String) -> String {
    debug_assert!(super::event::KINDS.contains(&kind.as_str()));
    kind
}

/// The bytes of an event, as the protocol's own library writes them: data never within the line.
#[must_use]
pub fn write(event: &Event) -> Vec<u8> {
    let data = match event.data() {
        Value::Object(data) if !data.is_empty() => {
            serde_json::to_vec(&data).expect("a map with text for keys can be written")
        }
        _ => Vec::new(),
    };
    let payload = event.payload();
    let mut header = Map::new();
    header.insert("type".to_owned(), json!(event.kind()));
    header.insert("version".to_owned(), json!(VERSION));
    if !data.is_empty() {
        header.insert("data_length".to_owned(), json!(data.len()));
    }
    if !payload.is_empty() {
        header.insert("payload_length".to_owned(), json!(payload.len()));
    }
    let mut bytes = serde_json::to_vec(&header).expect("a map with text for keys can be written");
    bytes.reserve(1 + data.len() + payload.len());
    bytes.push(b'\n');
    bytes.extend_from_slice(&data);
    bytes.extend_from_slice(payload);
    bytes
}
