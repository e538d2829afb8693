//! The event log of a run: every input that the device got, in order, so that a failing run can be replayed and stepped
//! through without the world around it.
use core::time::Duration;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One input of the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceEntry {
    /// Virtual time in microseconds.
    pub at_us: u64,
    /// What came in.
    pub input: TraceInput,
}

/// An input in a form that can be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TraceInput {
    /// Words in the room.
    Spoken {
        /// The words.
        words: String,
        /// With the wake word.
        wake: bool,
        /// As an answer.
        as_reply: bool,
    },
    /// The wake word, and no sentence yet.
    Wake,
    /// Nobody answered.
    NoSpeech,
    /// Words were heard that the recogniser could not take.
    NotUnderstood,
    /// Microphone samples, all of this value.
    Microphone {
        /// How many.
        count: usize,
        /// Of which value.
        value: i16,
    },
    /// SIP bytes, one character a byte.
    Sip {
        /// `udp`, `tcp`, `tls`.
        transport: String,
        /// Our address.
        local: SocketAddr,
        /// The peer.
        remote: SocketAddr,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Bytes that could not be sent.
    SipRefused {
        /// `udp`, `tcp`, `tls`.
        transport: String,
        /// Where to.
        remote: SocketAddr,
        /// TLS server name of the target.
        server_name: Option<String>,
    },
    /// RTP.
    Rtp(Vec<u8>),
    /// RTCP.
    Rtcp(Vec<u8>),
    /// An answer of LoST, or none.
    Lost {
        /// Asked in the call, or at start.
        in_call: bool,
        /// Number of the request.
        request: u64,
        /// HTTP status; none when no response came.
        status: Option<u16>,
        /// Its body, `application/lost+xml`.
        body: Vec<u8>,
    },
    /// The device's own words have ended.
    SpeechEnded,
    /// An entry is on disk.
    Durable(u64),
    /// The button.
    CancelButton,
    /// The button to speak is held.
    Held,
    /// It is let go.
    Released,
    /// Typed words.
    Typed(String),
    /// A routine of the home wants a light, called and coloured so, switched.
    Light(String),
    /// Time passed.
    Timeout,
}

/// A whole run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    entries: Vec<TraceEntry>,
}

impl Trace {
    /// Adds one input.
    pub fn push(&mut self, now: Duration, input: TraceInput) {
        self.entries.push(TraceEntry {
            at_us: u64::try_from(now.as_micros()).unwrap_or(u64::MAX),
            input,
        });
    }

    /// The inputs in order.
    #[must_use]
    pub fn entries(&self) -> &[TraceEntry] {
        &self.entries
    }

    /// As JSON lines.
    #[must_use]
    pub fn to_lines(&self) -> String {
        let line = |entry| serde_json::to_string(entry).expect("plain data serialises") + "\n";
        self.entries.iter().map(line).collect()
    }

    /// From JSON lines.
    ///
    /// # Errors
    /// Says which line is wrong.
    pub fn from_lines(text: &str) -> Result<Self, String> {
        let entries = text
            .lines()
            .enumerate()
            .map(|(index, line)| {
                serde_json::from_str(line).map_err(|error| format!("line {}: {error}", index + 1))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { entries })
    }
}

/// A running digest of what a device put out, by which two runs are compared.
#[derive(Debug, Clone, Default)]
pub struct Digests(Sha256);

impl Digests {
    /// Adds one output, as its debug text.
    pub fn push(&mut self, output: &impl core::fmt::Debug) {
        self.0.update(format!("{output:?}\n"));
    }

    /// The digest so far.
    #[must_use]
    pub fn value(&self) -> [u8; 32] {
        self.0.clone().finalize().into()
    }
}
