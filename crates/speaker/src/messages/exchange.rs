//! What goes between messages, hub and room.
use core::fmt;

use hearthline_ledger::Body as Entry;
use serde_json::Value;

use crate::light_order::LightOrder;

/// Names a request, so that its answer finds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Names something that is told, so that its end finds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TellId(pub u64);

/// For whom a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// Who is called so at the hub: a room, a person or a device.
    Called(String),
    /// Every other speaker.
    Speakers,
}

/// What a message says.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Text.
    Text(String),
    /// Recorded voice: G.722, 64 kbit/s.
    Voice {
        /// How long.
        duration_ms: u32,
        /// The coded sound.
        g722: Vec<u8>,
    },
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(…)",
            Self::Voice { .. } => "Voice(…)",
        })
    }
}

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The same again is the same message: the hub stores it once.
    pub client_id: String,
    /// For whom.
    pub to: To,
    /// What it says.
    pub content: Content,
    /// Whether speakers play it by themselves as it comes.
    pub announcement: bool,
    /// When it was due, where it is a reminder, in milliseconds since 1970-01-01 UTC: played however late it comes.
    pub reminder_due_ms: Option<i64>,
}

/// Which of this device's mailboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mailbox {
    /// The device's own.
    Device,
    /// Its person's.
    Person,
}

/// Where calls go instead.
#[derive(Clone, PartialEq, Eq)]
pub enum Forward {
    /// Who is called so at the hub.
    Called(String),
    /// An ordinary number, as it was said.
    Number(String),
}

impl fmt::Debug for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Forward(…)")
    }
}

/// What the hub shall do with this device's calls from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Ring, or do not.
    DoNotDisturb(bool),
    /// Decline those of this caller: a device of the home, or a number.
    Block(Caller),
    /// Send them elsewhere, or not any more.
    Forward(Option<Forward>),
}

/// A caller as the hub asserted it.
#[derive(Clone, PartialEq, Eq)]
pub enum Caller {
    /// A device, by its id, or an ordinary phone of the home, by the name of its account.
    Device(String),
    /// A number.
    Number(String),
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Caller(…)")
    }
}

/// What is asked of the hub. Each gets one answer, a [`News::Answer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Store a message.
    Send(Letter),
    /// Fetch a voice.
    Voice {
        /// Of which message.
        message: String,
    },
    /// Note that a message was heard.
    Read {
        /// Which.
        message: String,
        /// In which mailbox.
        mailbox: Mailbox,
    },
    /// Delete a message.
    Delete {
        /// Which.
        message: String,
        /// In which mailbox.
        mailbox: Mailbox,
    },
    /// Change what happens to calls.
    Settings(Wish),
    /// What copy does it have of this device's agenda?
    Agenda,
    /// Keep this copy of it.
    KeepAgenda(Document),
    /// Let a person's phones ring.
    FindPhone {
        /// What they are called; none: whoever's this device is.
        whose: Option<String>,
    },
    /// What became of a [`LightOrder`].
    LightOrderEnded {
        /// Which.
        order: String,
        /// Why it was not done; none: it was.
        why: Option<String>,
    },
}

/// JSON that goes to the hub or comes from it; never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Document(pub Value);

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Document(…)")
    }
}

/// A message that waits to be heard.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Its id at the hub.
    pub id: String,
    /// In which mailbox.
    pub mailbox: Mailbox,
    /// Who sent it, as it is spoken.
    pub from: String,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub sent_at_unix_ms: i64,
    /// The text, or of a voice what is known in writing.
    pub text: Option<String>,
    /// Whether there is a voice to be fetched.
    pub voice: bool,
    /// Whether it is played by itself.
    pub announcement: bool,
    /// When it was due, where it is a reminder, in milliseconds since 1970-01-01 UTC.
    pub reminder_due_ms: Option<i64>,
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envelope({})", self.id)
    }
}

/// What an answer came to.
#[derive(Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// The voice, 16 kHz.
    Voice(Vec<i16>),
    /// What was asked for.
    Document(Document),
    /// The hub will not; its status.
    Refused(u16),
    /// It could not be asked; nothing is known.
    Away,
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("Done"),
            Self::Voice(samples) => write!(f, "Voice({} samples)", samples.len()),
            Self::Document(_) => f.write_str("Document(…)"),
            Self::Refused(status) => write!(f, "Refused({status})"),
            Self::Away => f.write_str("Away"),
        }
    }
}

/// What comes from the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Its stream of events stands, or broke.
    Reachable(bool),
    /// All that nobody has heard yet, the oldest first.
    Unheard(Vec<Envelope>),
    /// What it keeps of this device's calls.
    Settings {
        /// Nothing rings.
        do_not_disturb: bool,
    },
    /// Lights that a routine of the home wants switched; some may have come before.
    LightOrders(Vec<LightOrder>),
    /// The answer to a request.
    Answer {
        /// Which.
        request: RequestId,
        /// What it came to.
        outcome: Outcome,
    },
}

/// A part of what is told.
#[derive(Clone, PartialEq, Eq)]
pub enum Part {
    /// Two notes: a message.
    Chime,
    /// Words, synthesised.
    Words(String),
    /// Recorded sound, 16 kHz.
    Sound(Vec<i16>),
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chime => f.write_str("Chime"),
            Self::Words(_) => f.write_str("Words(…)"),
            Self::Sound(samples) => write!(f, "Sound({} samples)", samples.len()),
        }
    }
}

/// What messages want done.
#[derive(Debug)]
pub enum Output {
    /// Ask the hub.
    Hub(RequestId, Request),
    /// Say this as any answer.
    Say(String),
    /// Tell this, then report its end; a hush ends it without a report.
    Tell(TellId, Vec<Part>),
    /// Stop telling at once.
    Hush,
    /// The light changed.
    Light,
    /// Open the ear: what is said belongs to the message.
    Listen,
    /// Keep these bytes over a restart: messages that the hub does not have yet.
    KeepOutbox(Vec<u8>),
    /// An entry of the record.
    Record(Entry),
    /// Somebody has left a message.
    Arrived,
    /// Tell whoever watches; no names and texts.
    Step(String),
}
