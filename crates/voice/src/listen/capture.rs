//! An utterance on its way.
use crate::clock::{SampleIndex, samples_of_ms};
use crate::ring::PreRoll;
use crate::understand::judge::Understanding;
use crate::wake::Wake;

/// The score of a word is highest within this time behind the moment at which it was spotted.
const WORD_TAIL_MS: u32 = 1_000;

/// Sound that goes on for so long behind a whole everyday sentence is looked at once.
const NOISE_MS: u32 = 800;

/// Without words for so long behind a candidate, the word itself is looked at.
const ALONE_MS: u32 = 700;

/// An utterance on its way: behind the wake word, behind a candidate for it, or as an answer.
#[derive(Debug)]
pub(super) struct Capture {
    /// The wake word before it, once it is sure.
    pub(super) wake: Option<Wake>,
    /// What may have been the wake word, as long as nobody is sure.
    pub(super) candidate: Option<Wake>,
    /// For an answer: how long it is waited for.
    pub(super) question_until: Option<SampleIndex>,
    /// First sample of `sound`.
    pub(super) from: SampleIndex,
    pub(super) sound: Vec<i16>,
    /// Where the first word was heard.
    pub(super) spoken: Option<SampleIndex>,
    /// The understanding of everything up to the last speech, if it was looked at.
    pub(super) look: Option<Understanding>,
    /// The words of an everyday sentence that was whole before the sound went on, and where it went on.
    pub(super) whole: Option<(String, SampleIndex)>,
    /// What the ring held when the word was spotted, and its first index.
    pub(super) before: (SampleIndex, Vec<i16>),
}

impl Capture {
    /// One that waits for an answer until then.
    pub(super) fn question(now: SampleIndex, until: SampleIndex) -> Self {
        Self {
            wake: None,
            candidate: None,
            question_until: Some(until),
            from: now,
            sound: Vec::new(),
            spoken: None,
            look: None,
            whole: None,
            before: (now, Vec::new()),
        }
    }

    /// One whose sound begins at `from`, before the word that was just spotted; the ring holds it.
    pub(super) fn segment(ring: &PreRoll, from: SampleIndex, now: SampleIndex) -> Self {
        let first = ring.held().start;
        Self {
            question_until: None,
            from,
            sound: ring.copy_from(from, now).unwrap_or_default(),
            before: (first, ring.copy_from(first, from).unwrap_or_default()),
            ..Self::question(now, now)
        }
    }

    /// Whether it is an answer that is waited for.
    pub(super) fn is_question(&self) -> bool {
        self.question_until.is_some() && self.wake.is_none()
    }

    /// Whether nobody knows of it yet.
    pub(super) fn is_silent(&self) -> bool {
        self.wake.is_none() && self.question_until.is_none()
    }

    /// Takes up a frame. An answer may be long in coming: its segment begins when it does.
    pub(super) fn push(&mut self, frame: &[i16]) {
        if !self.is_question() || self.spoken.is_some() {
            self.sound.extend_from_slice(frame);
        }
    }

    /// What was taken up was no answer: overwrites it. The time until which one is waited for stays.
    pub(super) fn wait_again(&mut self, now: SampleIndex) {
        self.sound.fill(0);
        core::hint::black_box(&mut self.sound);
        self.sound.clear();
        self.from = now;
        self.spoken = None;
        self.look = None;
        self.whole = None;
        self.candidate = None;
    }

    /// Whether an answer was waited for in vain.
    pub(super) fn is_overdue(&self, now: SampleIndex) -> bool {
        self.is_question()
            && self.spoken.is_none()
            && self.question_until.is_some_and(|until| now >= until)
    }

    /// Whether a candidate stands alone: somebody may have said the wake word and waits for us to show it.
    pub(super) fn is_word_alone(&self, now: SampleIndex) -> bool {
        self.is_silent()
            && self.spoken.is_none()
            && self
                .candidate
                .as_ref()
                .is_some_and(|word| now.since(word.at) >= samples_of_ms(ALONE_MS))
    }

    /// Whether sound goes on for so long behind a whole sentence that it may be the room's.
    pub(super) fn may_be_noise(&self, now: SampleIndex) -> bool {
        let since = |(_, at): &(String, SampleIndex)| now.since(*at) >= samples_of_ms(NOISE_MS);
        self.look.is_none() && self.whole.as_ref().is_some_and(since)
    }

    /// The surest score that the word of a candidate reaches is kept.
    pub(super) fn rate(&mut self, score: f32, now: SampleIndex) {
        if let Some(candidate) = &mut self.candidate
            && now.since(candidate.at) <= samples_of_ms(WORD_TAIL_MS)
        {
            candidate.score = candidate.score.max(score);
        }
    }

    /// Overwrites the sound: it was not for us.
    pub(super) fn forget(mut self) {
        self.sound.fill(0);
        self.before.1.fill(0);
        // The zeros are meant, even where nobody reads them again.
        core::hint::black_box((&mut self.sound, &mut self.before.1));
    }
}
