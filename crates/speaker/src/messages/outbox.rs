//! Messages that the hub does not have yet: in order, bounded, kept over a restart, and sent again under the same name
//! until the hub has answered, so that none is lost and none arrives twice.
use core::time::Duration;
use std::collections::VecDeque;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::exchange::{Content, Letter, RequestId, To};

/// Messages that wait.
pub const OUTBOX_MAX: usize = 32;
/// Bytes of their texts and voices.
pub const OUTBOX_BYTES_MAX: usize = 4 * 1_024 * 1_024;
/// First and longest wait before the hub is asked again.
const AGAIN_MIN: Duration = Duration::from_secs(2);
const AGAIN_MAX: Duration = Duration::from_secs(60);

/// One message on its way.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) letter: Letter,
    /// Whom it is for, as it is spoken.
    pub(super) spoken: String,
    /// Whether its sender still waits to be told.
    pub(super) untold: bool,
}

/// The messages that wait.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Waiting>,
    asked: Option<RequestId>,
    again_at: Option<Duration>,
    again_after: Duration,
}

impl Outbox {
    /// Takes it; false when there is no room.
    pub(super) fn push(&mut self, waiting: Waiting) -> bool {
        let bytes = |waiting: &Waiting| match &waiting.letter.content {
            Content::Text(text) => text.len(),
            Content::Voice { g722, .. } => g722.len(),
        };
        let all: usize = self.waiting.iter().map(bytes).sum();
        let fits = self.waiting.len() < OUTBOX_MAX
            && all.saturating_add(bytes(&waiting)) <= OUTBOX_BYTES_MAX;
        if fits {
            self.waiting.push_back(waiting);
        }
        fits
    }

    /// The next one to be sent, when the hub is to be asked now.
    pub(super) fn due(&self, now: Duration) -> Option<&Letter> {
        let early = self.again_at.is_some_and(|at| now < at);
        if self.asked.is_some() || early {
            return None;
        }
        self.waiting.front().map(|waiting| &waiting.letter)
    }

    /// The hub is being asked about the first.
    pub(super) fn asks(&mut self, request: RequestId) {
        self.asked = Some(request);
        self.again_at = None;
    }

    /// Whether an answer is about the first.
    pub(super) fn asked(&self, request: RequestId) -> bool {
        self.asked == Some(request)
    }

    /// The hub has answered about the first: it is over.
    pub(super) fn settled(&mut self) -> Option<Waiting> {
        self.asked = None;
        self.again_after = Duration::ZERO;
        self.waiting.pop_front()
    }

    /// The hub could not be asked: again later. The first, to tell its sender once.
    pub(super) fn failed(&mut self, now: Duration) -> Option<&mut Waiting> {
        self.asked = None;
        self.again_after = (self.again_after * 2).clamp(AGAIN_MIN, AGAIN_MAX);
        self.again_at = Some(now + self.again_after);
        self.waiting.front_mut()
    }

    /// The hub is there: no more waiting.
    pub(super) fn hub_is_there(&mut self) {
        self.again_at = None;
        self.again_after = Duration::ZERO;
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        self.again_at.filter(|_| !self.waiting.is_empty())
    }

    /// All of it, for the disk.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let kept: Vec<Kept> = self.waiting.iter().map(Kept::of).collect();
        // Strings and numbers always become JSON.
        serde_json::to_vec(&kept).unwrap_or_default()
    }

    /// What the disk kept; what cannot be read is left out.
    pub(super) fn restore(&mut self, bytes: &[u8]) {
        let kept: Vec<Kept> = serde_json::from_slice(bytes).unwrap_or_default();
        for waiting in kept.into_iter().filter_map(Kept::waiting) {
            self.push(waiting);
        }
    }
}

/// A message as the disk keeps it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    client_id: String,
    /// None: every other speaker.
    to: Option<String>,
    spoken: String,
    announcement: bool,
    text: Option<String>,
    voice_base64: Option<String>,
    duration_ms: u32,
}

impl Kept {
    fn of(waiting: &Waiting) -> Self {
        let letter = &waiting.letter;
        let (text, voice_base64, duration_ms) = match &letter.content {
            Content::Text(text) => (Some(text.clone()), None, 0),
            Content::Voice { duration_ms, g722 } => {
                (None, Some(STANDARD.encode(g722)), *duration_ms)
            }
        };
        Self {
            client_id: letter.client_id.clone(),
            to: match &letter.to {
                To::Called(name) => Some(name.clone()),
                To::Speakers => None,
            },
            spoken: waiting.spoken.clone(),
            announcement: letter.announcement,
            text,
            voice_base64,
            duration_ms,
        }
    }

    fn waiting(self) -> Option<Waiting> {
        let content = match (self.text, self.voice_base64) {
            (Some(text), None) => Content::Text(text),
            (None, Some(voice)) => Content::Voice {
                duration_ms: self.duration_ms,
                g722: STANDARD.decode(voice).ok()?,
            },
            _ => return None,
        };
        let letter = Letter {
            client_id: self.client_id,
            to: self.to.map_or(To::Speakers, To::Called),
            content,
            announcement: self.announcement,
            // Those wait in the agenda.
            reminder_due_ms: None,
        };
        Some(Waiting {
            letter,
            spoken: self.spoken,
            untold: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(name: &str, content: Content) -> Waiting {
        Waiting {
            letter: Letter {
                client_id: name.into(),
                to: To::Called("kitchen".into()),
                content,
                announcement: false,
                reminder_due_ms: None,
            },
            spoken: "the kitchen".into(),
            untold: true,
        }
    }

    #[test]
    fn it_is_bounded_and_the_same_after_a_restart() {
        let mut outbox = Outbox::default();
        let voice = || Content::Voice {
            duration_ms: 120_000,
            g722: vec![7; 960_000],
        };
        for name in ["a", "b", "c", "d"] {
            assert!(outbox.push(waiting(name, voice())));
        }
        assert!(!outbox.push(waiting("e", voice())), "its bytes are bounded");
        for name in 4..OUTBOX_MAX {
            assert!(outbox.push(waiting(&name.to_string(), Content::Text("x".into()))));
        }
        let more = waiting("more", Content::Text("x".into()));
        assert!(!outbox.push(more), "its messages are bounded");
        let mut again = Outbox::default();
        again.restore(&outbox.to_bytes());
        let letters = |outbox: &Outbox| -> Vec<Letter> {
            outbox
                .waiting
                .iter()
                .map(|one| one.letter.clone())
                .collect()
        };
        assert_eq!(letters(&again), letters(&outbox));
        again.restore(b"[{\"client_id\": 1}]");
        again.restore(b"\xff");
        assert_eq!(again.waiting.len(), OUTBOX_MAX);
    }

    #[test]
    fn the_wait_grows_until_the_hub_is_there() {
        let mut outbox = Outbox::default();
        assert!(outbox.push(waiting("a", Content::Text("x".into()))));
        let mut now = Duration::ZERO;
        let mut waits = Vec::new();
        for n in 0..7 {
            assert!(outbox.due(now).is_some());
            outbox.asks(RequestId(n));
            assert!(outbox.due(now).is_none());
            outbox.failed(now);
            let at = outbox.poll_timeout().unwrap();
            assert!(outbox.due(now).is_none());
            waits.push((at - now).as_secs());
            now = at;
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60]);
        outbox.asks(RequestId(9));
        outbox.failed(now);
        outbox.hub_is_there();
        assert!(outbox.due(now).is_some());
        outbox.asks(RequestId(10));
        assert!(outbox.asked(RequestId(10)));
        assert!(outbox.settled().is_some());
        assert!(outbox.waiting.is_empty());
    }
}
