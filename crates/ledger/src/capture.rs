//! Commitment to audio: SHA-256(salt ‖ samples) of each second.
//!
//! The salt makes guessing of short sounds useless; when salt and samples are deleted later, the
//! audio is gone and the log still verifies.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::hash::Hash;

/// Length of a salt, bytes.
pub const SALT_BYTES: usize = 32;

/// Name of an audio stream: 1 to 32 of `a-z 0-9 -`, such as `microphone` or `call-taker`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(transparent)]
pub struct Stream(String);

impl Stream {
    /// What the microphone heard.
    #[must_use]
    pub fn microphone() -> Self {
        Self("microphone".to_owned())
    }

    /// What came back over the call.
    #[must_use]
    pub fn call_taker() -> Self {
        Self("call-taker".to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A stream name with other characters, or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stream name must be 1 to 32 characters of a-z, 0-9 and -")]
pub struct StreamError;

impl FromStr for Stream {
    type Err = StreamError;
    fn from_str(text: &str) -> Result<Self, StreamError> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if (1..=32).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(StreamError)
        }
    }
}

impl<'de> Deserialize<'de> for Stream {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// What a capture entry says about one chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChunkCommitment {
    /// Position of its first sample on the stream's counter.
    pub first_sample: u64,
    /// Number of samples.
    pub samples: u32,
    /// SHA-256(salt ‖ samples as 16 bit little-endian).
    pub digest: Hash,
}

/// One chunk with what is needed to check its commitment. The adapter stores it beside the log.
#[derive(Clone, PartialEq, Eq)]
pub struct AudioChunk {
    /// Which stream.
    pub stream: Stream,
    /// Samples a second.
    pub rate_hz: u32,
    /// Position of its first sample.
    pub first_sample: u64,
    /// The salt.
    pub salt: [u8; SALT_BYTES],
    /// Mono samples.
    pub samples: Vec<i16>,
}

impl fmt::Debug for AudioChunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither samples nor salt: a log line must not give the room away.
        write!(
            f,
            "AudioChunk({} {}+{})",
            self.stream,
            self.first_sample,
            self.samples.len()
        )
    }
}

impl AudioChunk {
    /// The samples as they are hashed and stored in WAV: 16 bit, little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.samples
            .iter()
            .flat_map(|sample| sample.to_le_bytes())
            .collect()
    }

    /// What goes into the capture entry.
    #[must_use]
    pub fn commitment(&self) -> ChunkCommitment {
        ChunkCommitment {
            first_sample: self.first_sample,
            samples: u32::try_from(self.samples.len()).expect("chunks are a second long"),
            digest: chunk_digest(&self.salt, &self.to_bytes()),
        }
    }
}

pub(crate) fn chunk_digest(salt: &[u8; SALT_BYTES], pcm: &[u8]) -> Hash {
    Hash::of(&[salt, pcm])
}

/// Cuts a stream into chunks of one second. Sans-IO: samples in, whole chunks out; the caller
/// supplies a fresh random salt for each.
#[derive(Debug)]
pub struct Committer {
    stream: Stream,
    rate_hz: u32,
    next_sample: u64,
    pending: Vec<i16>,
}

impl Committer {
    /// Starts at `first_sample` of the stream's counter.
    #[must_use]
    pub fn new(stream: Stream, rate_hz: u32, first_sample: u64) -> Self {
        Self {
            stream,
            rate_hz: rate_hz.max(1),
            next_sample: first_sample,
            pending: Vec::new(),
        }
    }

    /// Takes samples; gives the chunks they complete. `salt` is called once for each of them.
    pub fn push(
        &mut self,
        samples: &[i16],
        mut salt: impl FnMut() -> [u8; SALT_BYTES],
    ) -> Vec<AudioChunk> {
        self.pending.extend_from_slice(samples);
        let second = self.rate_hz as usize;
        let mut chunks = Vec::new();
        while self.pending.len() >= second {
            let rest = self.pending.split_off(second);
            let whole = std::mem::replace(&mut self.pending, rest);
            chunks.push(self.chunk(whole, salt()));
        }
        chunks
    }

    /// Gives what is left as a last, shorter chunk.
    pub fn finish(&mut self, salt: [u8; SALT_BYTES]) -> Option<AudioChunk> {
        let rest = std::mem::take(&mut self.pending);
        (!rest.is_empty()).then(|| self.chunk(rest, salt))
    }

    fn chunk(&mut self, samples: Vec<i16>, salt: [u8; SALT_BYTES]) -> AudioChunk {
        let first_sample = self.next_sample;
        self.next_sample += samples.len() as u64;
        AudioChunk {
            stream: self.stream.clone(),
            rate_hz: self.rate_hz,
            first_sample,
            salt,
            samples,
        }
    }
}
