//! What an entry says: one struct for each kind.
//!
//! Fields that hold words, addresses or numbers are [`Private`]: they are stored, but never shown
//! by `Debug`, so that no log line prints them by accident (invariant 8).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::capture::{ChunkCommitment, Stream};
use crate::hash::Hash;

/// Text of a person: transcript, address, number, URI. Stored as it is, shown by `Debug` only as its length.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Private(pub String);

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Private({} bytes)", self.0.len())
    }
}

impl From<&str> for Private {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Private {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// The device started, or restarted after a cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boot {
    /// Name and version of the program.
    pub software: String,
    /// Digest of the firmware or program image, when known (attack 19 of reference/ledger.md).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<Hash>,
    /// What recovery dropped at the end of the stored log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
    /// The damaged log that this one follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_segment: Option<PreviousSegment>,
}

/// Bytes that a power cut left without meaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// How many bytes were dropped.
    pub bytes: u64,
    /// SHA-256 of the bytes dropped, so that a kept copy can be recognised.
    pub digest: Hash,
    /// Why they were dropped.
    pub why: String,
}

/// A stored log that could not be continued; its bytes stay where they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviousSegment {
    /// Origin of the damaged log.
    pub origin: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes as found.
    pub digest: Hash,
    /// What was wrong, and at which entry.
    pub why: String,
}

/// Evidence about wall time, or a step of the clock. Never a rewrite of earlier entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Time {
    /// Where it comes from: `clock`, `ntp`, `witness`.
    pub source: String,
    /// Milliseconds since 1970-01-01 UTC.
    pub wall_ms: u64,
    /// How far it may be off, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertainty_ms: Option<u64>,
    /// How far the wall clock was moved, milliseconds, forward positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_ms: Option<i64>,
    /// A checkpoint of this log with a witness's cosignature, verbatim: whatever follows this
    /// entry was written after the cosignature's time (lower bound, reference/ledger.md 3.3.6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosigned: Option<String>,
}

/// Commitment to audio: one chunk a second, salted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// Which stream.
    pub stream: Stream,
    /// Samples a second; the samples are mono, 16 bit, little-endian.
    pub rate_hz: u32,
    /// The chunks, in order.
    pub chunks: Vec<ChunkCommitment>,
}

/// The wake word was heard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wake {
    /// Which word.
    pub keyword: String,
    /// The model's score, 0 to 1.
    pub score: f64,
    /// Score from which on it counts.
    pub threshold: f64,
    /// First sample after the word.
    pub at_sample: u64,
}

/// What the recogniser read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transcript {
    /// The words.
    pub text: Private,
    /// First sample of the utterance.
    pub first_sample: u64,
    /// Sample after its end.
    pub end_sample: u64,
    /// Model and version.
    pub model: String,
    /// Other readings, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readings: Vec<Reading>,
}

/// One reading of an utterance with its score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// The words.
    pub text: Private,
    /// Natural logarithm of its probability.
    pub log_prob: f64,
}

/// What was understood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// Name of the intent.
    pub name: String,
    /// The rule (sentence template) that fired.
    pub rule: String,
    /// Slots and their values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub slots: BTreeMap<String, Private>,
    /// Named figures the understanding rests on: grammar mass, veto, margin.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub evidence: BTreeMap<String, f64>,
}

/// What the device decided to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Place an emergency call.
    Emergency,
    /// Ask the person.
    Ask,
    /// Do something that is no emergency call.
    Act,
    /// Understood, and not done.
    Refuse,
    /// Not meant for the device.
    Ignore,
    /// Taken back before the INVITE.
    Cancel,
}

/// How an emergency call is announced. Part of every decision (attack 29 of reference/ledger.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionMode {
    /// Says what it will do and leaves a moment to cancel.
    Announced,
    /// At once.
    Immediate,
    /// Without light, tone or speech.
    Quiet,
}

/// A decision of the device's policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What was decided.
    pub outcome: Outcome,
    /// Announced, immediate or quiet.
    pub mode: DecisionMode,
    /// The rule of the policy that decided.
    pub reason: String,
    /// Service URN (RFC 5031), for an emergency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// How long the person can cancel, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_ms: Option<u64>,
}

/// The location that goes with the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// `configured`, `held`, `none`.
    pub source: String,
    /// The PIDF-LO as sent, verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pidf_lo: Option<Private>,
    /// What went wrong, when something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Where the call is sent, and how that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Service URN (RFC 5031).
    pub service: String,
    /// `lost`, `cache`, `configured`.
    pub source: String,
    /// URI of the call-taker, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<Private>,
    /// Names of the lines, in the order they are tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// What went wrong, when something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What happened in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallEvent {
    /// The INVITE left.
    Invite,
    /// A provisional response.
    Progress,
    /// A 2xx to the INVITE.
    Answered,
    /// A final response that is no 2xx, or none at all.
    Failed,
    /// The next line is tried.
    NextLine,
    /// Some other request or response of the dialog.
    Message,
    /// BYE, from either side.
    Bye,
}

/// One event of a call, among them each SIP response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// What happened.
    pub event: CallEvent,
    /// Call-ID.
    pub call_id: String,
    /// Name of the line.
    pub line: String,
    /// Status code of the response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Reason phrase, or why there was no response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// URI of the other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Private>,
}

/// One event of an ordinary call: between devices of a home, or with a telephone. Never of an emergency call, which has
/// [`Call`]; so that nobody takes the one for the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telephone {
    /// What happened.
    pub event: CallEvent,
    /// Call-ID.
    pub call_id: String,
    /// Whether the other side called.
    pub incoming: bool,
    /// Status code of the response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why, in words of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// URI of the other side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Private>,
}

/// Counters of the media of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Media {
    /// Call-ID.
    pub call_id: String,
    /// Name of the codec.
    pub codec: String,
    /// RTP packets sent.
    pub sent_packets: u64,
    /// RTP packets received.
    pub received_packets: u64,
    /// RTP packets that never came.
    pub lost_packets: u64,
    /// Interarrival jitter (RFC 3550 section 6.4.1), milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<u64>,
    /// Round trip by RTCP, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_ms: Option<u64>,
}

/// Something a person did: cancel, yes, no, button, mute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Human {
    /// What.
    pub action: String,
    /// How it was done: `speech`, `button`.
    pub by: String,
    /// What the device did with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
}

/// The device spoke, or played a tone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Speech {
    /// The words, or the name of the tone.
    pub text: Private,
}

/// The next epoch key, signed by the identity key, by the epoch key it replaces and by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Number of the epoch, from 0, without gaps.
    pub epoch: u64,
    /// Its public key, base64.
    pub public: String,
    /// Why it starts: `first`, `age`, `incident`, `restart`.
    pub reason: String,
    /// Signature by the identity key, base64.
    pub by_identity: String,
    /// Signature by the epoch key that ends here. Absent for the first epoch, and after a restart
    /// that lost the old secret; the verifier says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_previous: Option<String>,
    /// Signature by the new key itself: whoever commits it holds it.
    pub by_next: String,
}

/// Entries that were not durable in time. The call did not wait for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Late {
    /// Their sequence numbers.
    pub entries: Vec<u64>,
    /// The time they had, milliseconds.
    pub limit_ms: u64,
}

/// A bundle was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// SHA-256 of the bundle.
    pub bundle: Hash,
    /// Its size in bytes.
    pub bytes: u64,
}

/// The incident is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// `answered`, `failed`, `none`, `cancelled`.
    pub outcome: String,
    /// Who or what ended it.
    pub reason: String,
    /// Length of the call, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_ms: Option<u64>,
}

macro_rules! kinds {
    ($($name:literal => $kind:ident),+ $(,)?) => {
        /// The content of an entry, one variant for each kind (reference/ledger.md 3.3.1).
        #[derive(Debug, Clone, PartialEq)]
        #[allow(missing_docs, reason = "each variant is documented at its struct")]
        pub enum Body {
            $($kind($kind),)+
            /// A kind that a later version wrote. Kept, hashed and shown, not understood.
            Unknown {
                /// Its name.
                kind: String,
                /// Its body, verbatim.
                raw: Private,
            },
        }

        impl Body {
            /// Name of the kind, as stored.
            #[must_use]
            pub fn kind(&self) -> &str {
                match self {
                    $(Self::$kind(_) => $name,)+
                    Self::Unknown { kind, .. } => kind,
                }
            }

            pub(crate) fn to_raw(&self) -> Result<Box<RawValue>, serde_json::Error> {
                match self {
                    $(Self::$kind(body) => serde_json::value::to_raw_value(body),)+
                    Self::Unknown { raw, .. } => RawValue::from_string(raw.0.clone()),
                }
            }

            pub(crate) fn from_raw(kind: &str, raw: &RawValue) -> Result<Self, serde_json::Error> {
                match kind {
                    $($name => serde_json::from_str(raw.get()).map(Self::$kind),)+
                    _ => Ok(Self::Unknown { kind: kind.to_owned(), raw: raw.get().into() }),
                }
            }
        }

        $(impl From<$kind> for Body {
            fn from(body: $kind) -> Self {
                Self::$kind(body)
            }
        })+
    };
}

kinds! {
    "boot" => Boot,
    "time" => Time,
    "capture" => Capture,
    "wake" => Wake,
    "transcript" => Transcript,
    "intent" => Intent,
    "decision" => Decision,
    "location" => Location,
    "route" => Route,
    "call" => Call,
    "telephone" => Telephone,
    "media" => Media,
    "human" => Human,
    "speech" => Speech,
    "key" => Key,
    "late" => Late,
    "export" => Export,
    "end" => End,
}
