//! What goes between the speaker's skill and whatever server is connected, by whichever protocol.
use core::fmt;

/// A server's timer, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Names it.
    pub id: String,
    /// What it is called.
    pub name: Option<String>,
    /// How long it was set for, or what is left of it since it was last changed.
    pub seconds: u64,
    /// It runs, and does not pause.
    pub active: bool,
}

/// What happened to a server's timer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimerChange {
    /// It runs, or was changed. A change may leave out the name.
    Set(Timer),
    /// It was given up.
    Cancelled(String),
    /// It is over: ring.
    Finished(String),
}

/// For a connected server.
#[derive(Clone, PartialEq, Eq)]
pub enum ToServer {
    /// What was said behind the wake word, 16 kHz: none of ours, perhaps theirs.
    HandOn {
        /// Given back.
        id: u64,
        /// The samples.
        sound: Vec<i16>,
    },
    /// What was to be played has been played, or was interrupted.
    Played {
        /// Which.
        token: u64,
        /// All of it.
        whole: bool,
    },
    /// Whether a conversation or a call is under way.
    Busy(bool),
}

impl fmt::Debug for ToServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HandOn { id, sound } => write!(f, "HandOn({id}, {} samples)", sound.len()),
            Self::Played { token, whole } => write!(f, "Played({token}, {whole})"),
            Self::Busy(busy) => write!(f, "Busy({busy})"),
        }
    }
}

/// How something that was handed on ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Without words: done, or there was nothing to say.
    Silent,
    /// Nobody understood it.
    NotUnderstood,
    /// It failed, or no answer came.
    Failed,
}

/// Something to be played.
#[derive(Clone, PartialEq, Eq)]
pub enum Sound {
    /// Samples, 16 kHz.
    Samples(Vec<i16>),
    /// Words, for our own voice.
    Words(String),
}

impl fmt::Debug for Sound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Samples(samples) => write!(f, "Samples({})", samples.len()),
            Self::Words(_) => f.write_str("Words(…)"),
        }
    }
}

/// From a connected server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromServer {
    /// It takes what is handed on from now on, or does so no longer.
    Serves(bool),
    /// Play this, then report [`ToServer::Played`] with this token, which is the connection's own.
    Play {
        /// Given back.
        token: u64,
        /// What was handed on and is answered; none for an announcement.
        answers: Option<u64>,
        /// What is played.
        sound: Sound,
    },
    /// What was handed on is over, and nothing is played for it.
    Ended {
        /// Which.
        id: u64,
        /// How.
        how: Ended,
    },
    /// Something about its timers.
    Timer(TimerChange),
}
