//! The messages that are exchanged, by their numbers.
use super::protobuf::{Damaged, Value, Writer, fields};

/// What a client says.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// 1: who I am, and which version I speak.
    Hello {
        /// The client, for people.
        client: String,
    },
    /// 3: a password of old; the key has taken its place.
    Authenticate,
    /// 5: good-bye.
    Disconnect,
    /// 6: good-bye to you too.
    Disconnected,
    /// 7: are you there?
    Ping,
    /// 8: I am.
    Pong,
    /// 9: what are you?
    DeviceInfo,
    /// 11: what do you have?
    ListEntities,
    /// 20: tell me how it stands, from now on.
    SubscribeStates,
    /// 89: I take what is said, from now on or no longer.
    SubscribeVoice {
        /// From now on.
        subscribe: bool,
    },
    /// 91: a pipeline runs, or cannot.
    VoiceResponse {
        /// It cannot.
        error: bool,
    },
    /// 92: what happens in the pipeline.
    VoiceEvent {
        /// What.
        event: VoiceEvent,
        /// More about it.
        data: Vec<(String, String)>,
    },
    /// 106: sound to play, 16 kHz.
    Audio {
        /// Little-endian samples.
        data: Vec<u8>,
        /// The last.
        end: bool,
    },
    /// 115: a timer.
    Timer {
        /// 0 started, 1 updated, 2 cancelled, 3 finished.
        event: u32,
        /// Names it.
        id: String,
        /// What it is called.
        name: String,
        /// How long it was set for.
        total_seconds: u32,
        /// How long it has to run.
        seconds_left: u32,
        /// It runs.
        active: bool,
    },
    /// 119: say this.
    Announce {
        /// Where the sound lies; not fetched.
        media_id: String,
        /// The words.
        text: String,
    },
    /// 121: what do you listen for?
    VoiceConfiguration,
    /// 123: listen for these.
    SetVoiceConfiguration,
    /// One that is none of ours.
    Other(u16),
}

/// What happens in a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoiceEvent {
    /// 0: it failed.
    Error,
    /// 2: it is over.
    RunEnd,
    /// 4: words were understood.
    SttEnd,
    /// 7: an answer will be spoken.
    TtsStart,
    /// 98: the answer's sound begins.
    TtsStreamStart,
    /// 99: the answer's sound is over.
    TtsStreamEnd,
    /// Any other.
    Other(u32),
}

impl From<u32> for VoiceEvent {
    fn from(number: u32) -> Self {
        match number {
            0 => Self::Error,
            2 => Self::RunEnd,
            4 => Self::SttEnd,
            7 => Self::TtsStart,
            98 => Self::TtsStreamStart,
            99 => Self::TtsStreamEnd,
            other => Self::Other(other),
        }
    }
}

impl Request {
    /// Reads a message.
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn read(kind: u16, bytes: &[u8]) -> Result<Self, Damaged> {
        let fields = fields(bytes)?;
        let last = |number: u32| {
            let found = fields.iter().rev().find(|(field, _)| *field == number);
            found.map(|(_, value)| *value)
        };
        // An absent field has its kind's default.
        let truth = |number| last(number).is_some_and(Value::truth);
        let whole = |number| last(number).map_or(0, Value::number);
        let text = |number| last(number).map_or_else(String::new, Value::text);
        Ok(match kind {
            1 => Self::Hello { client: text(1) },
            3 => Self::Authenticate,
            5 => Self::Disconnect,
            6 => Self::Disconnected,
            7 => Self::Ping,
            8 => Self::Pong,
            9 => Self::DeviceInfo,
            11 => Self::ListEntities,
            20 => Self::SubscribeStates,
            89 => Self::SubscribeVoice {
                subscribe: truth(1),
            },
            91 => Self::VoiceResponse { error: truth(2) },
            92 => Self::VoiceEvent {
                event: whole(1).into(),
                data: fields
                    .iter()
                    .filter(|(field, _)| *field == 2)
                    .map(|(_, value)| pair(value.bytes()))
                    .collect::<Result<_, _>>()?,
            },
            106 => Self::Audio {
                data: last(1).map_or_else(Vec::new, |data| data.bytes().to_vec()),
                end: truth(2),
            },
            115 => Self::Timer {
                event: whole(1),
                id: text(2),
                name: text(3),
                total_seconds: whole(4),
                seconds_left: whole(5),
                active: truth(6),
            },
            119 => Self::Announce {
                media_id: text(1),
                text: text(2),
            },
            121 => Self::VoiceConfiguration,
            123 => Self::SetVoiceConfiguration,
            other => Self::Other(other),
        })
    }
}

fn pair(bytes: &[u8]) -> Result<(String, String), Damaged> {
    let mut pair = (String::new(), String::new());
    for (field, value) in fields(bytes)? {
        match field {
            1 => pair.0 = value.text(),
            2 => pair.1 = value.text(),
            _ => {}
        }
    }
    Ok(pair)
}

/// What we say: the number of the message and its bytes.
pub type Reply = (u16, Vec<u8>);

/// 2: our version and name.
#[must_use]
pub fn hello(name: &str) -> Reply {
    let info = concat!("hearthline ", env!("CARGO_PKG_VERSION"));
    let message = Writer::new()
        .number(1, API_MAJOR)
        .number(2, API_MINOR)
        .bytes(3, info)
        .bytes(4, name);
    (2, message.done())
}

/// Version of the interface that we speak.
const API_MAJOR: u32 = 1;
/// Its minor version.
const API_MINOR: u32 = 10;

/// A message without anything in it.
#[must_use]
pub fn bare(kind: u16) -> Reply {
    (kind, Vec::new())
}

/// Voice assistant, loudspeaker, sound by this connection, timers, announcements.
pub const VOICE_FEATURES: u32 = 1 | 2 | 4 | 8 | 16;

/// 10: what we are.
#[must_use]
pub fn device_info(name: &str, friendly_name: &str, mac: &str) -> Reply {
    let message = Writer::new()
        .bytes(2, name)
        .bytes(3, mac)
        .bytes(4, env!("CARGO_PKG_VERSION"))
        .bytes(6, "Hearthline speaker")
        .bytes(8, "hearthline.speaker")
        .bytes(9, env!("CARGO_PKG_VERSION"))
        .bytes(12, "Hearthline")
        .bytes(13, friendly_name)
        .bytes(16, friendly_name)
        .number(17, VOICE_FEATURES)
        .number(19, true);
    (10, message.done())
}

/// 12: a binary sensor.
#[must_use]
pub fn binary_sensor(key: u32, id: &str, name: &str) -> Reply {
    let message = Writer::new()
        .bytes(1, id)
        .fixed32(2, key)
        .bytes(3, name)
        .bytes(8, "mdi:account-voice");
    (12, message.done())
}

/// 21: how it stands.
#[must_use]
pub fn binary_state(key: u32, state: bool) -> Reply {
    let message = Writer::new().fixed32(1, key).number(2, state);
    (21, message.done())
}

/// 90: run a pipeline on what was said.
#[must_use]
pub fn voice_request(start: bool, wake_word: &str) -> Reply {
    // Flag 1: the end of speech is found over there as well. Wake words are found here.
    let message = Writer::new()
        .number(1, start)
        .number(3, 1_u32)
        .member(4, [])
        .bytes(5, wake_word);
    (90, message.done())
}

/// 106: sound of the microphone, 16 kHz.
#[must_use]
pub fn audio(data: &[u8], end: bool) -> Reply {
    (106, Writer::new().bytes(1, data).number(2, end).done())
}

/// 120: the announcement is over.
#[must_use]
pub fn announced(success: bool) -> Reply {
    (120, Writer::new().number(1, success).done())
}

/// 122: what we listen for.
#[must_use]
pub fn voice_configuration(wake_word: &str) -> Reply {
    let word = Writer::new()
        .bytes(1, wake_word)
        .bytes(2, wake_word)
        .member(3, "en");
    let message = Writer::new()
        .member(1, word.done())
        .member(2, wake_word)
        .number(3, 1_u32);
    (122, message.done())
}
