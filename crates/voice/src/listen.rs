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
use crate::clock::{Cut, FRAME_SAMPLES, FrameClock, SampleIndex, samples_of_ms};
use crate::endpoint::{
    self, EndpointConfig, EndpointConfigError, EndpointOutput, Endpointer, Sentence,
};
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
    /// Pauses and hang-overs.
    pub endpoint: EndpointConfig,
}

impl ListenConfig {
    /// The settings for a country, with the calibrated thresholds.
    #[must_use]
    pub fn new(country: Country) -> Self {
        Self {
            wake: WakeConfig::default(),
            country,
            point: OperatingPoint::built_in(),
            endpoint: EndpointConfig::default(),
        }
    }
}

/// Why a listener cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The wake word's model or settings.
    #[error(transparent)]
    Wake(#[from] WakeError),
    /// The pauses contradict each other.
    #[error(transparent)]
    Endpoint(#[from] EndpointConfigError),
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

/// Silence put before and after the segment: the recogniser hears better with room around the words.
const ROOM_MS: u32 = 500;
/// Sound before the first voice of an answer that belongs to the segment.
const REPLY_LEAD_MS: u32 = 500;
/// Longest wait for an answer.
const REPLY_MS_MAX: u32 = 60_000;

impl From<endpoint::EndReason> for EndReason {
    fn from(reason: endpoint::EndReason) -> Self {
        match reason {
            endpoint::EndReason::Complete => Self::Complete,
            endpoint::EndReason::Silence => Self::Silence,
            endpoint::EndReason::TooLong => Self::TooLong,
        }
    }
}

/// The pipeline.
pub struct Listener {
    config: ListenConfig,
    clock: FrameClock,
    ring: PreRoll,
    wake: WakeWord,
    endpointer: Endpointer,
    load: Box<dyn FnMut() -> Result<Moonshine, TranscribeError> + Send>,
    brain: Option<(Moonshine, Judge)>,
    capture: Option<Capture>,
    outputs: VecDeque<Output>,
}

/// An utterance on its way.
struct Capture {
    /// The wake word before it; none for an answer.
    wake: Option<Wake>,
    /// First sample of `sound`.
    from: SampleIndex,
    sound: Vec<i16>,
    /// Whether a first word was heard.
    spoken: bool,
    /// For an answer: how long it is waited for.
    until: SampleIndex,
    /// The understanding of everything up to the last speech, if it was looked at.
    look: Option<Understanding>,
}

impl Listener {
    /// A listener that waits for the wake word.
    ///
    /// # Errors
    /// When the wake word's model is damaged or the settings contradict each other.
    pub fn new(models: ListenModels, config: ListenConfig) -> Result<Self, ListenError> {
        Ok(Self {
            wake: WakeWord::new(&models.wake, config.wake.clone())?,
            endpointer: Endpointer::new(config.endpoint.clone())?,
            config,
            clock: FrameClock::new(),
            ring: PreRoll::new(),
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
            // A failure is reported when there is something to understand; then it is tried again.
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
        let now = self.clock.now();
        self.finish(now, now, EndReason::Cut);
    }

    /// The device asked something: for `ms` from now (at most a minute) an answer counts without the wake word. The
    /// wake word counts as well, and begins a sentence of its own.
    pub fn listen_for_reply(&mut self, ms: u32) {
        let now = self.clock.now();
        self.capture = Some(Capture {
            wake: None,
            from: now,
            sound: Vec::new(),
            spoken: false,
            until: now.plus(samples_of_ms(ms.min(REPLY_MS_MAX))),
            look: None,
        });
        self.endpointer.begin_reply(now);
    }

    /// Forget the utterance on its way and wait for the wake word.
    pub fn stop_listening(&mut self) {
        self.capture = None;
        self.endpointer.cancel();
    }

    /// The next output; `None` until more samples come.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn handle_cut(&mut self, cut: Cut<'_>) {
        match cut {
            Cut::Frame { at, samples } => self.handle_frame(at, samples),
            Cut::Gap { at, .. } => {
                self.finish(at, at, EndReason::Cut);
                self.wake.reset();
                self.endpointer.reset();
            }
        }
    }

    fn handle_frame(&mut self, at: SampleIndex, frame: &[i16; FRAME_SAMPLES]) {
        let now = at.plus(FRAME_SAMPLES as u64);
        self.ring.push(at, frame);
        if let Some(capture) = &mut self.capture {
            // An answer may be long in coming: its segment begins when it does.
            if capture.wake.is_some() || capture.spoken {
                capture.sound.extend_from_slice(frame);
            }
        }
        if let Some(wake) = self.wake.handle_frame(frame, at) {
            self.handle_wake(wake, now);
        }
        self.endpointer.handle_frame(frame, at);
        while let Some(output) = self.endpointer.poll_output() {
            self.handle_endpoint(output, now);
        }
        if self
            .capture
            .as_ref()
            .is_some_and(|c| c.wake.is_none() && !c.spoken && now >= c.until)
        {
            self.stop_listening();
            self.outputs.push_back(Output::NoSpeech { at: now });
        }
    }

    fn handle_wake(&mut self, wake: Wake, now: SampleIndex) {
        // Words already under way are not thrown away: "Alexa, ... Alexa, call 911" stays one sentence.
        if self
            .capture
            .as_ref()
            .is_some_and(|c| c.wake.is_some() && c.spoken)
        {
            return;
        }
        let from = wake.wake_start().max(self.ring.held().start);
        self.endpointer.begin(&wake);
        self.capture = Some(Capture {
            from,
            sound: self.ring.copy_from(from, now).unwrap_or_default(),
            spoken: false,
            until: now,
            look: None,
            wake: Some(wake.clone()),
        });
        self.outputs.push_back(Output::Wake(wake));
    }

    fn handle_endpoint(&mut self, output: EndpointOutput, now: SampleIndex) {
        let Some(capture) = &mut self.capture else {
            return;
        };
        match output {
            EndpointOutput::SpeechStarted { at } => {
                if !capture.spoken && capture.wake.is_none() {
                    let from = at
                        .minus(samples_of_ms(REPLY_LEAD_MS))
                        .max(self.ring.held().start);
                    capture.sound = self.ring.copy_from(from, now).unwrap_or_default();
                    capture.from = from;
                }
                capture.spoken = true;
                capture.look = None;
                self.outputs.push_back(Output::VoiceStarted { at });
            }
            EndpointOutput::SpeechResumed { .. } => capture.look = None,
            EndpointOutput::Pause { speech_end, .. } => {
                self.outputs
                    .push_back(Output::VoiceStopped { at: speech_end });
                match self.understand() {
                    Ok(look) => {
                        self.endpointer.set_sentence(sentence(&look));
                        if let Some(capture) = &mut self.capture {
                            capture.look = Some(look);
                        }
                    }
                    Err(error) => self.fail(error),
                }
            }
            EndpointOutput::Ended {
                speech_end, reason, ..
            } => self.finish(speech_end, now, reason.into()),
            EndpointOutput::NoSpeech { at } => {
                if capture.wake.is_none() && at < capture.until {
                    self.endpointer.begin_reply(at);
                } else {
                    self.capture = None;
                    self.outputs.push_back(Output::NoSpeech { at });
                }
            }
        }
    }

    fn fail(&mut self, error: HearError) {
        self.stop_listening();
        self.outputs.push_back(Output::Failed(error));
    }

    /// Transcribe and judge what was taken up so far.
    fn understand(&mut self) -> Result<Understanding, HearError> {
        self.load()?;
        let (recogniser, judge) = self
            .brain
            .as_mut()
            .expect("it was loaded in the line before");
        let sound = self
            .capture
            .as_ref()
            .map_or(&[][..], |capture| &capture.sound);
        let head = match &self.capture {
            Some(Capture { wake: Some(_), .. }) => Head::WakeWord,
            _ => Head::Nothing,
        };
        Ok(judge.hear(recogniser, &segment(sound), head)?)
    }

    /// End the utterance and say what it meant.
    fn finish(&mut self, speech_end: SampleIndex, decided: SampleIndex, reason: EndReason) {
        let Some(capture) = &mut self.capture else {
            return;
        };
        if !capture.spoken {
            self.stop_listening();
            self.outputs.push_back(Output::NoSpeech { at: decided });
            return;
        }
        let understanding = match capture.look.take() {
            Some(look) => Ok(look),
            None => self.understand(),
        };
        let understanding = match understanding {
            Ok(understanding) => understanding,
            Err(error) => return self.fail(error),
        };
        let Some(capture) = self.capture.take() else {
            return;
        };
        self.endpointer.cancel();
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
        self.outputs.push_back(if reply {
            Output::Reply(heard)
        } else {
            Output::Understood(heard)
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

/// What the recogniser gets: the samples as floats, with silence on both sides.
#[must_use]
pub fn segment(sound: &[i16]) -> Vec<f32> {
    let room = std::iter::repeat_n(0.0, samples_of_ms(ROOM_MS) as usize);
    room.clone()
        .chain(sound.iter().map(|&s| f32::from(s) / 32768.0))
        .chain(room)
        .collect()
}

/// Whether the sentence may end here, or the speaker could still be adding to it.
fn sentence(look: &Understanding) -> Sentence {
    match &look.verdict {
        Verdict::Nothing => Sentence::Empty,
        Verdict::Other => Sentence::Incomplete,
        // "Call nine ... one one", "call the ... police": give them time.
        Verdict::Refused {
            class: RefusedClass::OtherNumber | RefusedClass::Unclear | RefusedClass::Contact,
            ..
        }
        | Verdict::Ask {
            why: Doubt::Unsure | Doubt::Contradicted,
            ..
        } => Sentence::Incomplete,
        _ => Sentence::Complete,
    }
}
