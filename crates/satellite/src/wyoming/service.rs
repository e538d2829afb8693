//! One client of our engines: wake, asr, tts, intent and handle on one connection.
//!
//! ```text
//! bytes ─► Reader ─► Event ─┬─► describe, ping                    ─► Send
//!                           ├─► detect + sound ─► wake word       ─► Send
//!                           └─► sound, text ─► Job ─► (threads) ─► Done ─► Send
//! ```
//! One job is out at a time, so that answers come in the order of questions. **What a client says starts no call**: its
//! sound is not a living person at this microphone, its text is read by everyday sentences alone, and a sentence that
//! speaks of an emergency gets [`EMERGENCY_WORDS`] for an answer.
pub mod describe;
mod exchange;
pub mod phrases;
mod speaking;

pub use exchange::{Done, Job, Meaning, Offer, Output, ServiceLimits};

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use hearthline_voice::clock::{Cut, FrameClock};
use hearthline_voice::wake::WakeWord;

use super::data::{
    Answer, AudioChunk, AudioStart, Context, Detect, Detection, Entity, Intent, Object, Transcribe,
    Transcript,
};
use super::{Event, FrameError, Reader};
use crate::sound::{Converter, Format, FormatError, RATE_HZ};
use phrases::Phrases;

/// What is answered to a sentence that speaks of an emergency.
pub const EMERGENCY_WORDS: &str =
    "Emergency calls start only at the speaker itself. Say it to the speaker.";
/// What is answered to a sentence that nothing reads.
pub const NOTHING_WORDS: &str = "I did not understand that.";
/// Most pieces of work that wait.
const WORK_MAX: usize = 256;

/// Something to be done in its turn.
#[derive(Debug)]
enum Work {
    Transcribe(Vec<i16>, Transcribe),
    Speak(String),
    /// The last of a text has been spoken; whether its client streams.
    Spoken {
        streaming: bool,
    },
    Understand {
        text: String,
        context: Option<Object>,
        handle: bool,
    },
}

enum Mode {
    /// Sound without a question is to be written down.
    Transcribing {
        asked: Transcribe,
        samples: Vec<i16>,
        too_long: bool,
    },
    Waking(Box<Waking>),
}

struct Waking {
    asked: Detect,
    word: WakeWord,
    clock: FrameClock,
    detected: bool,
}

/// One client.
pub struct Session {
    offer: Arc<Offer>,
    reader: Reader,
    mode: Mode,
    converter: Option<Converter>,
    /// Text that streams in to be spoken, and its length so far.
    writing: Option<(Phrases, usize)>,
    /// Samples of the answer that were sent; none before its `audio-start`.
    sent_samples: Option<u64>,
    work: VecDeque<Work>,
    running: Option<Work>,
    heard_at: Duration,
    /// Since when an event is not whole.
    amid_since: Option<Duration>,
    closing: bool,
    outputs: VecDeque<Output>,
}

impl Session {
    /// A client that has just connected.
    #[must_use]
    pub fn new(offer: Arc<Offer>, now: Duration) -> Self {
        Self {
            reader: Reader::new(offer.limits.frame),
            offer,
            mode: transcribing(Transcribe::default()),
            converter: None,
            writing: None,
            sent_samples: None,
            work: VecDeque::new(),
            running: None,
            heard_at: now,
            amid_since: None,
            closing: false,
            outputs: VecDeque::new(),
        }
    }

    /// Bytes of the client.
    pub fn handle_bytes(&mut self, bytes: &[u8], now: Duration) {
        self.heard_at = now;
        self.reader.push(bytes);
        while !self.closing {
            match self.reader.next_event() {
                Ok(Some(event)) => self.event(event),
                Ok(None) => break,
                Err(error @ FrameError::Data { .. }) => self.refuse("bad-data", error.to_string()),
                Err(error) => self.hang_up("bad-frame", error.to_string()),
            }
        }
        self.amid_since = if self.reader.is_amid() {
            self.amid_since.or(Some(now))
        } else {
            None
        };
        self.go_on();
    }

    /// What became of a job.
    pub fn handle_done(&mut self, done: Result<Done, String>, now: Duration) {
        self.heard_at = now;
        let Some(work) = self.running.take() else {
            return;
        };
        match (work, done) {
            (Work::Transcribe(_, asked), Ok(Done::Transcript(text))) => {
                let transcript = Transcript {
                    text,
                    language: asked.language,
                    context: asked.context,
                };
                self.send(Event::Transcript(transcript));
            }
            (Work::Speak(_), Ok(Done::Speech(samples))) => self.speech(&samples),
            (
                Work::Understand {
                    context, handle, ..
                },
                Ok(Done::Meaning(meaning)),
            ) => self.send(answer_to(meaning, context, handle)),
            (work, Err(why)) => self.refuse(code_of(&work), why),
            (work, Ok(_)) => self.refuse(code_of(&work), "the engines answered something else"),
        }
        self.go_on();
    }

    /// The time of [`Output::Timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        if now >= self.timeout() && !self.closing {
            self.hang_up("timeout", "nothing came for too long");
        }
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Output {
        let timeout = self.timeout();
        self.outputs.pop_front().unwrap_or(Output::Timeout(timeout))
    }

    fn timeout(&self) -> Duration {
        let limits = &self.offer.limits;
        let idle = if self.running.is_some() {
            Duration::MAX
        } else {
            self.heard_at.saturating_add(limits.idle_max)
        };
        let stalled = self.amid_since.map(|since| since + limits.stalled_max);
        stalled.map_or(idle, |stalled| stalled.min(idle))
    }

    fn send(&mut self, event: Event) {
        self.outputs.push_back(Output::Send(event));
    }

    fn refuse(&mut self, code: &str, why: impl Into<String>) {
        self.send(Event::error(code, why));
    }

    fn hang_up(&mut self, code: &str, why: impl Into<String>) {
        self.refuse(code, why);
        self.closing = true;
        self.work.clear();
        self.outputs.push_back(Output::Close);
    }

    fn queue(&mut self, work: Work) {
        if self.work.len() < WORK_MAX {
            self.work.push_back(work);
        } else {
            self.hang_up("busy", "too much is asked for at once");
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Describe => {
                let info = Box::new(self.offer.info.clone());
                self.send(Event::Info(info));
            }
            Event::Ping(ping) => self.send(Event::Pong(ping)),
            Event::Detect(asked) => self.detect(asked),
            Event::Transcribe(asked) => self.transcribe(asked),
            Event::AudioStart(start) => self.sound_begins(&start),
            Event::AudioChunk(chunk) => self.sound(&chunk),
            Event::AudioStop(_) => self.sound_ends(),
            Event::Synthesize(asked) => self.synthesize(&asked),
            Event::SynthesizeStart(asked) => self.writing_begins(&asked),
            Event::SynthesizeChunk(part) => self.write(&part.text),
            Event::SynthesizeStop => self.written(),
            Event::Recognize(asked) => self.understand(asked.text, asked.context, false),
            Event::Transcript(said) => self.understand(said.text, said.context, true),
            // Answers, satellites' events and what we do not know concern others.
            _ => {}
        }
    }

    fn detect(&mut self, asked: Detect) {
        let Some((model, config)) = &self.offer.wake else {
            return self.refuse("not-offered", "no wake word is offered here");
        };
        if (asked.names.as_ref())
            .is_some_and(|names| !names.is_empty() && !names.contains(&config.keyword))
        {
            let why = format!("the wake word offered here is \"{}\"", config.keyword);
            return self.refuse("unknown-wake-word", why);
        }
        match WakeWord::new(model, config.clone()) {
            Ok(word) => {
                self.converter = None;
                self.mode = Mode::Waking(Box::new(Waking {
                    asked,
                    word,
                    clock: FrameClock::new(),
                    detected: false,
                }));
            }
            Err(error) => self.refuse("wake-failed", error.to_string()),
        }
    }

    fn transcribe(&mut self, asked: Transcribe) {
        if self.offer.info.asr.is_empty() {
            return self.refuse("not-offered", "no speech to text is offered here");
        }
        let english = |tag: &str| tag.split(['-', '_']).next() == Some("en");
        if asked.language.as_deref().is_some_and(|tag| !english(tag)) {
            return self.refuse("unknown-language", "only English is heard here");
        }
        self.mode = transcribing(asked);
        self.converter = None;
    }

    fn sound_begins(&mut self, start: &AudioStart) {
        let format = format_of(start.rate, start.width, start.channels);
        if let Mode::Waking(waking) = &mut self.mode {
            waking.word.reset();
            (waking.clock, waking.detected) = (FrameClock::new(), false);
        } else if let Mode::Transcribing {
            samples, too_long, ..
        } = &mut self.mode
        {
            samples.clear();
            *too_long = false;
        }
        match Converter::new(format) {
            Ok(converter) => self.converter = Some(converter),
            Err(error) => self.refuse("bad-audio", error.to_string()),
        }
    }

    fn sound(&mut self, chunk: &AudioChunk) {
        let samples = match self.converted(chunk) {
            Ok(samples) => samples,
            // Said at its start, or said now: the connection is of no use for this sound.
            Err(error) => return self.hang_up("bad-audio", error.to_string()),
        };
        let samples_max = self.offer.limits.utterance_s_max as usize * RATE_HZ as usize;
        match &mut self.mode {
            Mode::Waking(waking) => {
                let mut found = Vec::new();
                let Waking { word, clock, .. } = &mut **waking;
                clock.push(&samples, |cut| {
                    if let Cut::Frame { at, samples } = cut {
                        found.extend(word.handle_frame(samples, at));
                    }
                });
                for wake in found {
                    waking.detected = true;
                    let ms = i64::try_from(wake.at.time().as_millis()).unwrap_or(i64::MAX);
                    let detection = Detection {
                        name: Some(wake.keyword),
                        timestamp: chunk.timestamp.or(Some(ms)),
                        speaker: None,
                        context: waking.asked.context.clone(),
                    };
                    self.outputs
                        .push_back(Output::Send(Event::Detection(detection)));
                }
            }
            Mode::Transcribing { too_long: true, .. } => {}
            Mode::Transcribing {
                samples: held,
                too_long,
                ..
            } => {
                if held.len() + samples.len() > samples_max {
                    *too_long = true;
                    *held = Vec::new();
                    let why = format!(
                        "more than {} s of speech at once: send it in parts",
                        self.offer.limits.utterance_s_max
                    );
                    self.refuse("too-long", why);
                } else {
                    held.extend(samples);
                }
            }
        }
    }

    fn converted(&mut self, chunk: &AudioChunk) -> Result<Vec<i16>, FormatError> {
        let format = format_of(chunk.rate, chunk.width, chunk.channels);
        let converter = match self.converter.take() {
            Some(converter) if converter.format() == format => converter,
            _ => Converter::new(format)?,
        };
        Ok(self.converter.insert(converter).convert(&chunk.audio))
    }

    fn sound_ends(&mut self) {
        self.converter = None;
        match &mut self.mode {
            Mode::Waking(waking) => {
                if !core::mem::take(&mut waking.detected) {
                    let context = waking.asked.context.clone();
                    self.send(Event::NotDetected(Context { context }));
                }
            }
            Mode::Transcribing {
                asked,
                samples,
                too_long,
            } => {
                let (asked, samples) = (core::mem::take(asked), core::mem::take(samples));
                if core::mem::take(too_long) {
                    return;
                }
                if self.offer.info.asr.is_empty() {
                    return self.refuse("not-offered", "no speech to text is offered here");
                }
                self.queue(Work::Transcribe(samples, asked));
            }
        }
    }

    fn is_too_long(&mut self, chars: usize) -> bool {
        let chars_max = self.offer.limits.text_chars_max;
        if chars > chars_max {
            let why = format!("the text is longer than {chars_max} characters: send it in parts");
            self.refuse("too-long", why);
        }
        chars > chars_max
    }

    fn understand(&mut self, text: String, context: Option<Object>, handle: bool) {
        if self.offer.info.intent.is_empty() {
            self.refuse("not-offered", "no sentences are understood here");
        } else if !self.is_too_long(text.chars().count()) {
            self.queue(Work::Understand {
                text,
                context,
                handle,
            });
        }
    }

    /// Begins the next piece of work, unless one is out.
    fn go_on(&mut self) {
        while self.running.is_none() && !self.closing {
            let Some(mut work) = self.work.pop_front() else {
                return;
            };
            let job = match &mut work {
                Work::Transcribe(samples, _) => Job::Transcribe(core::mem::take(samples)),
                Work::Speak(text) => Job::Speak(core::mem::take(text)),
                Work::Understand { text, .. } => Job::Understand(core::mem::take(text)),
                Work::Spoken { streaming } => {
                    let streaming = *streaming;
                    self.speech_ends(streaming);
                    continue;
                }
            };
            self.running = Some(work);
            self.outputs.push_back(Output::Job(job));
        }
    }
}

fn transcribing(asked: Transcribe) -> Mode {
    Mode::Transcribing {
        asked,
        samples: Vec::new(),
        too_long: false,
    }
}

fn format_of(rate_hz: u32, width_bytes: u8, channels: u8) -> Format {
    Format {
        rate_hz,
        width_bytes,
        channels,
    }
}

fn code_of(work: &Work) -> &'static str {
    match work {
        Work::Transcribe(..) => "asr-failed",
        Work::Speak(_) | Work::Spoken { .. } => "tts-failed",
        Work::Understand { .. } => "intent-failed",
    }
}

/// The event for a meaning: `recognize` asks for the intent alone, a `transcript` for what there is to say.
fn answer_to(meaning: Meaning, context: Option<Object>, handle: bool) -> Event {
    let words = |text: &str, context| Answer {
        text: Some(text.to_owned()),
        context,
    };
    match meaning {
        Meaning::Intent {
            response: Some(response),
            answers: true,
            ..
        } if handle => Event::Handled(words(&response, context)),
        Meaning::Intent {
            name,
            slots,
            response,
            ..
        } => Event::Intent(Intent {
            name,
            entities: slots
                .into_iter()
                .map(|(name, value)| Entity { name, value })
                .collect(),
            text: response,
            context,
        }),
        Meaning::Emergency if handle => Event::NotHandled(words(EMERGENCY_WORDS, context)),
        Meaning::Emergency => Event::NotRecognized(words(EMERGENCY_WORDS, context)),
        Meaning::Nothing if handle => Event::NotHandled(words(NOTHING_WORDS, context)),
        Meaning::Nothing => Event::NotRecognized(words(NOTHING_WORDS, context)),
    }
}
