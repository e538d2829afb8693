//! The ear of the device: all stages in one sans-IO pipeline.
//!
//! ```text
//!             ┌── no wake ──┐
//!             ▼             │          end of speech, nothing said, 15 s
//!      WaitingForWake ──────┴─ wake ─► Listening ──────────────► Understood ─► WaitingForWake
//!             ▲                                                      │
//!             └──── answered, silent ──── AwaitingReply ◄── device ──┘
//! ```
//! Samples go in by [`Listener::handle_samples`], outputs are drained by [`Listener::poll_output`]; the sample index
//! is the only clock, so a recording runs as fast as the processor allows and always gives the same outputs. The
//! segment begins before the wake word and is never trimmed: a late start would turn "don't call" into "call".
//! The recogniser is loaded when the first wake word is heard, in the call after the one that reported it: until then
//! the process holds the wake word's 56 kB only, and the half second of loading passes while the person still speaks.
use crate::clock::{Cut, FrameClock, SampleIndex, samples_of_ms};
use crate::ring::PreRoll;
use crate::transcribe::{Moonshine, TranscribeError};
use crate::understand::Country;
use crate::understand::RefusedClass;
use crate::understand::automaton::TooLarge;
use crate::understand::judge::{Doubt, Head, Judge, OperatingPoint, Understanding, Verdict};
use crate::wake::{Wake, WakeConfig, WakeError, WakeWord};
use std::collections::VecDeque;

/// What the listener is made of.
pub struct ListenModels {
    /// A microWakeWord model: the bytes of its `.tflite` file.
    pub wake: Vec<u8>,
    /// Loads the recogniser; called once, at the first wake word or by [`Listener::load`].
    pub recogniser: Box<dyn FnMut() -> Result<Moonshine, TranscribeError> + Send>,
}

/// Settings.
#[derive(Debug, Clone, PartialEq)]
pub struct ListenConfig {
    /// Wake word, its cutoff and window.
    pub wake: WakeConfig,
    /// Whose emergency numbers count.
    pub country: Country,
    /// Thresholds of the emergency judgement.
    pub point: OperatingPoint,
    /// After the wake word, wait this long for the first word.
    pub no_speech_ms_max: u32,
    /// An utterance is cut here, counted from the wake word.
    pub utterance_ms_max: u32,
    /// Silence that ends a sentence which is complete already.
    pub pause_complete_ms: u32,
    /// Silence that ends any other sentence.
    pub pause_incomplete_ms: u32,
}

impl ListenConfig {
    /// The settings for a country, with the calibrated thresholds.
    #[must_use]
    pub fn new(country: Country) -> Self {
        Self {
            wake: WakeConfig::default(),
            country,
            point: OperatingPoint::built_in(),
            no_speech_ms_max: 5_000,
            utterance_ms_max: 15_000,
            pause_complete_ms: 320,
            pause_incomplete_ms: 900,
        }
    }
}

/// Why a listener cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The wake word's model or settings.
    #[error(transparent)]
    Wake(#[from] WakeError),
    /// A time that is zero or absurd.
    #[error("{what} is {ms} ms; choose {allowed}")]
    Config {
        /// Which setting.
        what: &'static str,
        /// What it was.
        ms: u32,
        /// What it may be.
        allowed: &'static str,
    },
}

/// Why the device could not understand although it heard its name. It must say so, not stay silent.
#[derive(Debug, thiserror::Error)]
pub enum HearError {
    /// The recogniser does not load or run.
    #[error(transparent)]
    Transcribe(#[from] TranscribeError),
    /// The grammar of the country is too large.
    #[error(transparent)]
    Grammar(#[from] TooLarge),
}

/// What the listener is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Only the wake word counts.
    WaitingForWake,
    /// The wake word was heard: words are taken up.
    Listening,
    /// The device asked something: an answer counts without the wake word.
    AwaitingReply,
}

/// Why an utterance ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The sentence was complete and a short pause followed.
    Complete,
    /// A long pause.
    Silence,
    /// The longest utterance.
    TooLong,
    /// The sound broke off: the capture lost samples or the file ended.
    Cut,
}

/// An utterance and what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// Text, verdict and evidence.
    pub understanding: Understanding,
    /// The wake word before it; none for a reply.
    pub wake: Option<Wake>,
    /// First sample of the segment that was judged.
    pub start: SampleIndex,
    /// Where the last speech ended.
    pub speech_end: SampleIndex,
    /// The newest sample when the verdict stood: `decided - speech_end` is the pause that it took.
    pub decided: SampleIndex,
    /// Why it ended there.
    pub reason: EndReason,
    /// The samples from `start` to `decided`, for the record of an incident; dropped otherwise.
    pub sound: Vec<i16>,
}

/// What comes out.
#[derive(Debug)]
pub enum Output {
    /// The wake word.
    Wake(Wake),
    /// The first speech behind the wake word or the question.
    VoiceStarted {
        /// Where it began.
        at: SampleIndex,
    },
    /// Speech paused or ended.
    VoiceStopped {
        /// Where it ended.
        at: SampleIndex,
    },
    /// An utterance that began with the wake word.
    Understood(Box<Heard>),
    /// An answer to the device's question.
    Reply(Box<Heard>),
    /// Nobody said anything behind the wake word or the question.
    NoSpeech {
        /// When waiting ended.
        at: SampleIndex,
    },
    /// Words were heard but could not be understood: the models are missing or broken.
    Failed(HearError),
}

/// Sound before the wake word's earliest start that goes to the recogniser, in ms.
const LEAD_MS: u32 = 100;
/// Silence put before and after the segment: the recogniser hears better with room around the words.
const ROOM_MS: u32 = 500;
/// Speech must go on this long behind the wake word's detection to be more than its last sound.
const WAKE_TAIL_MS: u32 = 200;
/// A pause this long is worth a provisional look at the sentence.
const PAUSE_LOOK_MS: u32 = 200;

/// The pipeline.
pub struct Listener {
    config: ListenConfig,
    clock: FrameClock,
    ring: PreRoll,
    wake: WakeWord,
    gate: Gate,
    load: Box<dyn FnMut() -> Result<Moonshine, TranscribeError> + Send>,
    brain: Option<(Moonshine, Judge)>,
    capture: Option<Capture>,
    outputs: VecDeque<Output>,
}

/// An utterance on its way.
struct Capture {
    wake: Option<Wake>,
    from: SampleIndex,
    sound: Vec<i16>,
    /// Voice before this belongs to the wake word.
    words_from: SampleIndex,
    /// No first word by then: nobody speaks.
    silent_until: SampleIndex,
    /// The utterance is cut here.
    ends_at: SampleIndex,
    voice: Voice,
    /// The understanding of everything up to the last speech, if it was looked at.
    look: Option<Understanding>,
}

/// Voice behind the wake word or the question.
enum Voice {
    /// Not yet.
    Awaited,
    /// Going on.
    Going,
    /// Stopped there.
    Paused(SampleIndex),
}

impl Listener {
    /// A listener that waits for the wake word.
    ///
    /// # Errors
    /// When the wake word's model is damaged or a setting is absurd.
    pub fn new(models: ListenModels, config: ListenConfig) -> Result<Self, ListenError> {
        let checks = [
            (
                "no_speech_ms_max",
                config.no_speech_ms_max,
                500..=30_000,
                "500 to 30000 ms",
            ),
            (
                "utterance_ms_max",
                config.utterance_ms_max,
                1_000..=15_000,
                "1000 to 15000 ms",
            ),
            (
                "pause_complete_ms",
                config.pause_complete_ms,
                PAUSE_LOOK_MS..=3_000,
                "200 to 3000 ms",
            ),
            (
                "pause_incomplete_ms",
                config.pause_incomplete_ms,
                PAUSE_LOOK_MS..=5_000,
                "200 to 5000 ms",
            ),
        ];
        for (what, ms, range, allowed) in checks {
            if !range.contains(&ms) {
                return Err(ListenError::Config { what, ms, allowed });
            }
        }
        Ok(Self {
            wake: WakeWord::new(&models.wake, config.wake.clone())?,
            config,
            clock: FrameClock::new(),
            ring: PreRoll::new(),
            gate: Gate::default(),
            load: models.recogniser,
            brain: None,
            capture: None,
            outputs: VecDeque::new(),
        })
    }

    /// What it is doing.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match &self.capture {
            None => Mode::WaitingForWake,
            Some(Capture { wake: Some(_), .. }) => Mode::Listening,
            Some(Capture { wake: None, .. }) => Mode::AwaitingReply,
        }
    }

    /// Index of the next sample.
    #[must_use]
    pub fn now(&self) -> SampleIndex {
        self.clock.now()
    }

    /// The last seconds of sound, for an incident that commits them.
    #[must_use]
    pub fn pre_roll(&self) -> &PreRoll {
        &self.ring
    }

    /// Load the recogniser now instead of at the first wake word.
    ///
    /// # Errors
    /// When the models are missing or broken.
    pub fn load(&mut self) -> Result<(), HearError> {
        if self.brain.is_none() {
            let recogniser = (self.load)()?;
            let judge = Judge::new(
                self.config.country,
                self.config.point.clone(),
                recogniser.vocabulary(),
            )?;
            self.brain = Some((recogniser, judge));
        }
        Ok(())
    }

    /// 16 kHz mono samples, any number of them.
    pub fn handle_samples(&mut self, samples: &[i16]) {
        if self.mode() != Mode::WaitingForWake && self.brain.is_none() {
            // Again at the end of the utterance, where a failure is reported.
            let _ = self.load();
        }
        let mut clock = std::mem::take(&mut self.clock);
        clock.push(samples, |cut| self.handle_cut(cut));
        self.clock = clock;
    }

    /// The capture lost `samples`: a short loss is silence, a long one ends the utterance.
    pub fn handle_lost(&mut self, samples: u64) {
        let mut clock = std::mem::take(&mut self.clock);
        clock.lost(samples, |cut| self.handle_cut(cut));
        self.clock = clock;
    }

    /// The sound has ended: understand what there is.
    pub fn handle_end(&mut self) {
        self.finish(EndReason::Cut);
    }

    /// The device asked something: for `ms` from now an answer counts without the wake word.
    pub fn listen_for_reply(&mut self, ms: u32) {
        let now = self.clock.now();
        self.capture = Some(Capture {
            wake: None,
            from: now,
            sound: Vec::new(),
            words_from: now,
            silent_until: now.plus(samples_of_ms(ms.clamp(500, 60_000))),
            ends_at: now.plus(
                samples_of_ms(ms.clamp(500, 60_000)) + samples_of_ms(self.config.utterance_ms_max),
            ),
            voice: Voice::Awaited,
            look: None,
        });
    }

    /// Forget the utterance on its way and wait for the wake word.
    pub fn stop_listening(&mut self) {
        self.capture = None;
    }

    /// The next output; `None` until more samples come.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn handle_cut(&mut self, cut: Cut<'_>) {
        match cut {
            Cut::Frame { at, samples } => self.handle_frame(at, samples),
            Cut::Gap { .. } => {
                self.finish(EndReason::Cut);
                self.wake.reset();
                self.gate = Gate::default();
            }
        }
    }

    fn handle_frame(&mut self, at: SampleIndex, frame: &[i16; 160]) {
        let after = at.plus(frame.len() as u64);
        self.ring.push(at, frame);
        self.gate.push(frame);
        if let Some(capture) = &mut self.capture {
            if matches!(capture.voice, Voice::Awaited) && capture.wake.is_none() {
                // Waiting may be long; only the last seconds before the answer matter.
                capture.from = self.ring.held().start.max(capture.from);
            } else {
                capture.sound.extend_from_slice(frame);
            }
        }
        if let Some(wake) = self.wake.handle_frame(frame, at) {
            self.handle_wake(wake, after);
        }
        self.follow_voice(after);
    }

    fn handle_wake(&mut self, wake: Wake, now: SampleIndex) {
        // Words already under way are not thrown away: "Alexa, ... Alexa, call 911" stays one sentence.
        if self
            .capture
            .as_ref()
            .is_some_and(|c| c.wake.is_some() && !matches!(c.voice, Voice::Awaited))
        {
            return;
        }
        let from = wake
            .wake_start()
            .minus(samples_of_ms(LEAD_MS))
            .max(self.ring.held().start);
        self.capture = Some(Capture {
            from,
            sound: self.ring.copy_from(from, now).unwrap_or_default(),
            words_from: wake.at.plus(samples_of_ms(WAKE_TAIL_MS)),
            silent_until: wake.at.plus(samples_of_ms(self.config.no_speech_ms_max)),
            ends_at: wake.at.plus(samples_of_ms(self.config.utterance_ms_max)),
            voice: Voice::Awaited,
            look: None,
            wake: Some(wake.clone()),
        });
        self.outputs.push_back(Output::Wake(wake));
    }

    /// Starts, pauses and ends of speech while an utterance is taken up.
    fn follow_voice(&mut self, now: SampleIndex) {
        let Some(capture) = &mut self.capture else {
            return;
        };
        let speaking = self.gate.speaking();
        match capture.voice {
            Voice::Awaited if speaking && now >= capture.words_from => {
                if capture.wake.is_none() {
                    let from = now.minus(samples_of_ms(600)).max(self.ring.held().start);
                    capture.sound = self.ring.copy_from(from, now).unwrap_or_default();
                    capture.from = from;
                }
                capture.voice = Voice::Going;
                self.outputs.push_back(Output::VoiceStarted { at: now });
            }
            Voice::Awaited if now >= capture.silent_until => {
                self.capture = None;
                self.outputs.push_back(Output::NoSpeech { at: now });
                return;
            }
            Voice::Awaited => return,
            Voice::Going if !speaking => {
                capture.voice = Voice::Paused(now);
                capture.look = None;
                self.outputs.push_back(Output::VoiceStopped { at: now });
            }
            Voice::Paused(_) if speaking => {
                capture.voice = Voice::Going;
                capture.look = None;
            }
            Voice::Going | Voice::Paused(_) => {}
        }
        if now >= capture.ends_at {
            return self.finish(EndReason::TooLong);
        }
        let Voice::Paused(since) = capture.voice else {
            return;
        };
        let pause = now.since(since);
        if pause >= samples_of_ms(PAUSE_LOOK_MS) && capture.look.is_none() {
            match self.understand() {
                Ok(look) => {
                    if let Some(capture) = &mut self.capture {
                        capture.look = Some(look);
                    }
                }
                Err(_) => return self.finish(EndReason::Silence),
            }
        }
        let Some(look) = self.capture.as_ref().and_then(|c| c.look.as_ref()) else {
            return;
        };
        if is_complete(look) && pause >= samples_of_ms(self.config.pause_complete_ms) {
            self.finish(EndReason::Complete);
        } else if pause >= samples_of_ms(self.config.pause_incomplete_ms) {
            self.finish(EndReason::Silence);
        }
    }

    /// Transcribe and judge what was taken up so far.
    fn understand(&mut self) -> Result<Understanding, HearError> {
        self.load()?;
        let (Some((recogniser, judge)), Some(capture)) = (&mut self.brain, &self.capture) else {
            return Err(HearError::Transcribe(TranscribeError::TooLong {
                samples: 0,
                samples_max: 0,
            }));
        };
        let room = std::iter::repeat_n(0.0, samples_of_ms(ROOM_MS) as usize);
        let sound = capture.sound.iter().map(|&s| f32::from(s) / 32768.0);
        let audio: Vec<f32> = room.clone().chain(sound).chain(room).collect();
        let head = if capture.wake.is_some() {
            Head::WakeWord
        } else {
            Head::Nothing
        };
        Ok(judge.hear(recogniser, &audio, head)?)
    }

    /// End the utterance and say what it meant.
    fn finish(&mut self, reason: EndReason) {
        let Some(capture) = &mut self.capture else {
            return;
        };
        let decided = capture.from.plus(capture.sound.len() as u64);
        if matches!(capture.voice, Voice::Awaited) {
            self.capture = None;
            self.outputs.push_back(Output::NoSpeech { at: decided });
            return;
        }
        let speech_end = match capture.voice {
            Voice::Paused(since) => since,
            _ => decided,
        };
        let understanding = match capture.look.take() {
            Some(look) => Ok(look),
            None => self.understand(),
        };
        let Some(capture) = self.capture.take() else {
            return;
        };
        self.outputs.push_back(match understanding {
            Err(error) => Output::Failed(error),
            Ok(understanding) => {
                let reply = capture.wake.is_none();
                let heard = Box::new(Heard {
                    understanding,
                    wake: capture.wake,
                    start: capture.from,
                    speech_end,
                    decided,
                    reason,
                    sound: capture.sound,
                });
                if reply {
                    Output::Reply(heard)
                } else {
                    Output::Understood(heard)
                }
            }
        });
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener")
            .field("mode", &self.mode())
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}

/// Whether a sentence may end here: nothing that the speaker could still be adding to.
fn is_complete(look: &Understanding) -> bool {
    match &look.verdict {
        Verdict::Other | Verdict::Nothing => false,
        // "Call nine ... one one", "call the ... police": give them time.
        Verdict::Refused { class, .. } => !matches!(
            class,
            RefusedClass::OtherNumber | RefusedClass::Unclear | RefusedClass::Contact
        ),
        Verdict::Ask { why, .. } => !matches!(why, Doubt::Unsure | Doubt::Contradicted),
        _ => true,
    }
}

/// Voice or not, from 16 ms windows of the voice activity gate.
#[derive(Default)]
struct Gate {
    detector: earshot::Detector,
    held: Vec<i16>,
    score: f32,
}

impl Gate {
    fn push(&mut self, frame: &[i16]) {
        self.held.extend_from_slice(frame);
        if self.held.len() >= 256 {
            self.score = self.detector.predict_i16(&self.held[..256]);
            self.held.drain(..256);
        }
    }

    fn speaking(&self) -> bool {
        self.score >= 0.5
    }
}
