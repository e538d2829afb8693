//! A voice message being recorded: from our question until nothing more is said.
//!
//! The ear says where speech is, one sentence after the other; the sound is the microphone's own, coded as it comes, so
//! that its end costs nothing.
use core::time::Duration;

use hearthline_media::G722Encoder;
use hearthline_voice::understand::Reply;
use hearthline_voice::understand::judge::{Understanding, Verdict};

use super::exchange::{Content, TellId, To};

/// Longest recording: what the hub takes.
pub const RECORDING_MAX: Duration = Duration::from_secs(120);
/// How long the first word is waited for.
const FIRST_WORD_MAX: Duration = Duration::from_secs(8);
/// A pause this long is the end.
const PAUSE_MAX: Duration = Duration::from_millis(2_000);
/// How much later than that the ear may say so.
const EAR_GRACE: Duration = Duration::from_secs(4);
/// G.722 at 64 kbit/s.
const OCTETS_PER_MS: usize = 8;
/// Sound kept before the first voice and behind the last.
const ROOM_MS: usize = 400;

/// What the ear's report came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// It goes on.
    More,
    /// The person wants no message any more.
    Cancelled,
}

/// A recording.
pub(super) struct Recording {
    pub(super) to: To,
    /// Whom it is for, as it is spoken.
    pub(super) spoken: String,
    pub(super) announcement: bool,
    /// Our question; until its end nothing is recorded.
    pub(super) question: TellId,
    encoder: G722Encoder,
    octets: Vec<u8>,
    is_open: bool,
    sentences: u32,
    voice_from: Option<usize>,
    voice_until: usize,
    /// How long the next word is waited for; none while somebody speaks.
    listens_until: Option<Duration>,
    ends_by: Option<Duration>,
}

impl Recording {
    pub(super) fn new(to: To, spoken: String, announcement: bool, question: TellId) -> Self {
        Self {
            to,
            spoken,
            announcement,
            question,
            encoder: G722Encoder::new(),
            octets: Vec::new(),
            is_open: false,
            sentences: 0,
            voice_from: None,
            voice_until: 0,
            listens_until: None,
            ends_by: None,
        }
    }

    /// Our question has been asked.
    pub(super) fn open(&mut self, now: Duration) {
        self.is_open = true;
        self.listens_until = Some(now + FIRST_WORD_MAX);
        self.ends_by = Some(now + FIRST_WORD_MAX + RECORDING_MAX + EAR_GRACE);
    }

    /// Takes sound; false when no more fits.
    pub(super) fn microphone(&mut self, samples: &[i16]) -> bool {
        if self.is_open {
            self.encoder.encode(samples, &mut self.octets);
        }
        let begin = self.voice_from.unwrap_or(0);
        self.octets.len() - begin < octets_in(RECORDING_MAX)
    }

    pub(super) fn voice_started(&mut self) {
        if self.is_open {
            let room = ROOM_MS * OCTETS_PER_MS;
            self.voice_from
                .get_or_insert(self.octets.len().saturating_sub(room));
            self.listens_until = None;
        }
    }

    /// A sentence has ended.
    pub(super) fn sentence(&mut self, understood: &Understanding, now: Duration) -> Heard {
        if !self.is_open {
            return Heard::More;
        }
        if self.sentences == 0 && is_cancel(understood) {
            return Heard::Cancelled;
        }
        self.sentences += 1;
        self.voice_until = self.octets.len();
        self.listens_until = Some(now + PAUSE_MAX);
        Heard::More
    }

    /// How long a word still counts.
    pub(super) fn listens_for(&self, now: Duration) -> Duration {
        self.listens_until
            .map_or(Duration::ZERO, |until| until.saturating_sub(now))
    }

    /// When it is over although the ear says nothing.
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        let waited = self.listens_until.map(|until| until + EAR_GRACE);
        [waited, self.ends_by].into_iter().flatten().min()
    }

    pub(super) fn is_overdue(&self, now: Duration) -> bool {
        self.poll_timeout().is_some_and(|at| at <= now)
    }

    /// Whether more was said than fits.
    pub(super) fn is_full(&self) -> bool {
        let begin = self.voice_from.unwrap_or(0);
        let spoken = self.sentences > 0 || self.voice_from.is_some();
        spoken && self.octets.len() - begin >= octets_in(RECORDING_MAX)
    }

    /// What was recorded; none when nobody spoke.
    pub(super) fn finish(mut self) -> Option<Content> {
        if self.sentences == 0 && self.voice_from.is_none() {
            return None;
        }
        let until = match self.sentences {
            0 => self.octets.len(),
            _ => self.voice_until + ROOM_MS * OCTETS_PER_MS,
        };
        self.octets.truncate(until);
        self.octets.drain(..self.voice_from.unwrap_or(0));
        self.octets.truncate(octets_in(RECORDING_MAX));
        let duration_ms = u32::try_from(self.octets.len() / OCTETS_PER_MS).unwrap_or(u32::MAX);
        (duration_ms > 0).then_some(Content::Voice {
            duration_ms,
            g722: self.octets,
        })
    }
}

fn octets_in(time: Duration) -> usize {
    usize::try_from(time.as_millis()).unwrap_or(usize::MAX) * OCTETS_PER_MS
}

/// "Never mind", as all that was said.
fn is_cancel(understood: &Understanding) -> bool {
    let said: String = understood
        .transcript
        .text
        .to_lowercase()
        .chars()
        .filter(|character| character.is_alphabetic() || *character == ' ')
        .collect();
    matches!(understood.verdict, Verdict::Reply(Reply::Cancel))
        || matches!(
            said.trim(),
            "never mind" | "nevermind" | "forget it" | "stop" | "cancel" | "no message" | "nothing"
        )
}
