//! Text to speech for a client: whole texts, and texts that are still being written.
use super::phrases::Phrases;
use super::{Session, Work};
use crate::sound::{RATE_HZ, bytes_of};
use crate::wyoming::Event;
use crate::wyoming::data::{At, AudioChunk, AudioStart, Synthesize, SynthesizeStart};

/// Samples in one event of sound.
const CHUNK_SAMPLES: usize = 1_024;

impl Session {
    fn can_speak(&mut self, text_format: Option<&str>) -> bool {
        if self.offer.speech_rate_hz.is_none() {
            self.refuse("not-offered", "no text to speech is offered here");
        } else if text_format.is_some_and(|format| format != "text") {
            self.refuse("unknown-format", "plain text is spoken here, nothing else");
        } else {
            return true;
        }
        false
    }

    pub(super) fn synthesize(&mut self, asked: &Synthesize) {
        // Sent for servers that know no streaming, behind the same text in parts.
        if self.writing.is_some()
            || !self.can_speak(asked.text_format.as_deref())
            || self.is_too_long(asked.text.chars().count())
        {
            return;
        }
        let mut phrases = Phrases::default();
        phrases.push(&asked.text);
        while let Some(phrase) = phrases.next_phrase().or_else(|| phrases.finish()) {
            self.queue(Work::Speak(phrase));
        }
        self.queue(Work::Spoken { streaming: false });
    }

    pub(super) fn writing_begins(&mut self, asked: &SynthesizeStart) {
        if self.can_speak(asked.text_format.as_deref()) {
            self.writing = Some((Phrases::default(), 0));
        }
    }

    pub(super) fn write(&mut self, text: &str) {
        let Some((mut phrases, before)) = self.writing.take() else {
            return;
        };
        let chars = before.saturating_add(text.chars().count());
        if self.is_too_long(chars) {
            return self.queue(Work::Spoken { streaming: true });
        }
        phrases.push(text);
        while let Some(phrase) = phrases.next_phrase() {
            self.queue(Work::Speak(phrase));
        }
        self.writing = Some((phrases, chars));
    }

    pub(super) fn written(&mut self) {
        let Some((mut phrases, _)) = self.writing.take() else {
            return;
        };
        if let Some(phrase) = phrases.finish() {
            self.queue(Work::Speak(phrase));
        }
        self.queue(Work::Spoken { streaming: true });
    }

    fn speech_begins(&mut self) -> u64 {
        if let Some(sent) = self.sent_samples {
            return sent;
        }
        self.sent_samples = Some(0);
        let start = AudioStart {
            rate: self.rate_hz(),
            width: 2,
            channels: 1,
            timestamp: Some(0),
        };
        self.send(Event::AudioStart(start));
        0
    }

    pub(super) fn speech(&mut self, samples: &[i16]) {
        let mut sent = self.speech_begins();
        for chunk in samples.chunks(CHUNK_SAMPLES) {
            let event = AudioChunk {
                rate: self.rate_hz(),
                width: 2,
                channels: 1,
                timestamp: Some(self.ms_of(sent)),
                audio: bytes_of(chunk),
            };
            self.send(Event::AudioChunk(event));
            sent += chunk.len() as u64;
        }
        self.sent_samples = Some(sent);
    }

    pub(super) fn speech_ends(&mut self, streaming: bool) {
        let sent = self.speech_begins();
        self.sent_samples = None;
        let timestamp = Some(self.ms_of(sent));
        self.send(Event::AudioStop(At { timestamp }));
        if streaming {
            self.send(Event::SynthesizeStopped);
        }
    }

    fn rate_hz(&self) -> u32 {
        self.offer.speech_rate_hz.unwrap_or(RATE_HZ)
    }

    fn ms_of(&self, samples: u64) -> i64 {
        i64::try_from(samples * 1_000 / u64::from(self.rate_hz().max(1))).unwrap_or(i64::MAX)
    }
}
