//! The ear of the device: all stages in one sans-IO pipeline.
//!
//! ```text
//!             ┌── no wake ──┐
//!             ▼             │          end of speech, nothing said, 15 s
//!      WaitingForWake ──────┴─ wake ─► Listening ──────────────► Understood ─► WaitingForWake
//!        ▲    ▲    │                       ▲                         │
//!        │    │    └─ candidate ─► (silent capture) ─ first pause ─► confirmed
//!        │    │                            └──────────────────────► forgotten
//!        │    └── answered, silent ──── AwaitingReply ◄── device ────┘
//! ```
//! Samples go in by [`Listener::handle_samples`], outputs are drained by [`Listener::poll_output`]; the sample index
//! is the only clock, so a recording runs as fast as the processor allows and always gives the same outputs. The
//! segment begins before the wake word and is never trimmed: a late start would turn "don't call" into "call".
//! A word that is only perhaps the wake word is taken up in silence: no output, and nothing of it is kept unless the
//! recogniser says that the segment begins with the wake word.
//! The recogniser is loaded when the first wake word is heard, in the call after the one that reported it: until then
//! the process holds the wake word's 56 kB only, and the half second of loading passes while the person still speaks.
//! For the first candidate it is loaded when its words pause, and stays: dropping it frees little (the library and the
//! allocator keep 70 to 200 MB) and costs half a second for each candidate.
mod candidate;
mod capture;
mod config;
mod output;
mod sentence;
pub use candidate::{CandidateConfig, begins_with_wake_word};
pub use config::{HearError, ListenConfig, ListenError, ListenModels};
pub use output::{EndReason, Heard, Output};

use crate::clock::{Cut, FRAME_SAMPLES, FrameClock, SampleIndex, samples_of_ms};
use crate::endpoint::{EndpointOutput, Endpointer, Sentence};
use crate::ring::PreRoll;
use crate::transcribe::{Moonshine, TranscribeError};
use crate::understand::everyday::Everyday;
use crate::understand::household::KnownNames;
use crate::understand::judge::{Head, Judge, Understanding};
use crate::wake::{Wake, WakeWord};
use candidate::Candidates;
use capture::Capture;
use std::collections::VecDeque;
use std::sync::Arc;

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

/// Silence put before and after the segment: the recogniser hears better with room around the words.
const ROOM_MS: u32 = 500;
/// Sound before the first voice of an answer that belongs to the segment.
const REPLY_LEAD_MS: u32 = 500;
/// Longest wait for an answer.
const REPLY_MS_MAX: u32 = 60_000;

/// A candidate this long before a sure wake word was another word.
const SAME_WORD_MS: u32 = 1_000;

/// The pipeline.
pub struct Listener {
    config: ListenConfig,
    clock: FrameClock,
    ring: PreRoll,
    wake: WakeWord,
    candidates: Candidates,
    endpointer: Endpointer,
    load: Box<dyn FnMut() -> Result<Moonshine, TranscribeError> + Send>,
    brain: Option<(Moonshine, Judge)>,
    /// The names that the household knows.
    names: Option<Arc<KnownNames>>,
    everyday: Option<Arc<Everyday>>,
    capture: Option<Capture>,
    /// The sound before the latest wake word's segment, and its first index, until it is fetched.
    before_wake: Option<(SampleIndex, Vec<i16>)>,
    outputs: VecDeque<Output>,
}

impl Listener {
    /// A listener that waits for the wake word.
    ///
    /// # Errors
    /// When the wake word's model is damaged or the settings contradict each other.
    pub fn new(models: ListenModels, config: ListenConfig) -> Result<Self, ListenError> {
        Ok(Self {
            wake: WakeWord::new(&models.wake, config.wake.clone())?,
            candidates: Candidates::new(config.candidate.clone(), &config.wake.keyword),
            endpointer: Endpointer::new(config.endpoint.clone())?,
            config,
            clock: FrameClock::new(),
            ring: PreRoll::new(),
            load: models.recogniser,
            brain: None,
            names: None,
            everyday: None,
            capture: None,
            before_wake: None,
            outputs: VecDeque::new(),
        })
    }

    /// What it is doing. A silent capture behind a candidate is nobody's business yet.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match &self.capture {
            Some(capture) if capture.wake.is_some() => Mode::Listening,
            Some(capture) if capture.is_question() => Mode::AwaitingReply,
            _ => Mode::WaitingForWake,
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

    /// The sound between the oldest that was still held when the latest [`Output::Wake`] was spotted and the segment
    /// that it began, with its first index. It is handed out once; a wake word that was confirmed late has nothing of
    /// it in the ring any more.
    pub fn take_before_wake(&mut self) -> Option<(SampleIndex, Vec<i16>)> {
        self.before_wake.take()
    }

    /// Whether the recogniser is in memory.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.brain.is_some()
    }

    /// Candidates for the wake word that were put to the recogniser so far.
    #[must_use]
    pub fn checks(&self) -> u64 {
        self.candidates.checks()
    }

    /// Load the recogniser now instead of at the first wake word.
    ///
    /// # Errors
    /// When the models are missing or broken.
    pub fn load(&mut self) -> Result<(), HearError> {
        self.brain().map(|_| ())
    }

    /// The names of people, rooms and devices that the household knows, from now on: a sentence that ends with one of
    /// them is whole. Without them names are understood as well, after a longer pause.
    pub fn know_names(&mut self, names: Arc<KnownNames>) {
        if let Some((_, judge)) = &mut self.brain {
            judge.know_names(Arc::clone(&names));
        }
        self.names = Some(names);
    }

    /// The everyday sentences of the household, from now on.
    pub fn know_sentences(&mut self, everyday: Arc<Everyday>) {
        if let Some((_, judge)) = &mut self.brain {
            judge.know_sentences(Arc::clone(&everyday));
        }
        self.everyday = Some(everyday);
    }

    fn brain(&mut self) -> Result<&mut (Moonshine, Judge), HearError> {
        if self.brain.is_none() {
            let recogniser = (self.load)()?;
            let point = self.config.point.clone();
            let mut judge = Judge::new(self.config.country, point, recogniser.vocabulary())?;
            if let Some(names) = &self.names {
                judge.know_names(Arc::clone(names));
            }
            if let Some(everyday) = &self.everyday {
                judge.know_sentences(Arc::clone(everyday));
            }
            self.brain = Some((recogniser, judge));
        }
        Ok(self
            .brain
            .as_mut()
            .expect("it was loaded in the lines before"))
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

    /// The person let go of the button that they held to speak: words on their way are whole now. When nobody speaks,
    /// nothing happens.
    pub fn handle_released(&mut self) {
        if self.capture.as_ref().is_some_and(|c| c.spoken.is_some()) {
            let now = self.clock.now();
            self.finish(now, now, EndReason::Complete);
        }
    }

    /// The device asked something: for `ms` from now (at most a minute) an answer counts without the wake word. The
    /// wake word counts as well, and begins a sentence of its own.
    pub fn listen_for_reply(&mut self, ms: u32) {
        self.stop_listening();
        let now = self.clock.now();
        let until = now.plus(samples_of_ms(ms.min(REPLY_MS_MAX)));
        self.capture = Some(Capture::question(now, until));
        self.endpointer.begin_reply(now);
    }

    /// Forget the utterance on its way and wait for the wake word.
    pub fn stop_listening(&mut self) {
        if let Some(capture) = self.capture.take() {
            capture.forget();
        }
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
                self.candidates.reset();
                self.endpointer.reset();
            }
        }
    }

    fn handle_frame(&mut self, at: SampleIndex, frame: &[i16; FRAME_SAMPLES]) {
        let now = at.plus(FRAME_SAMPLES as u64);
        self.ring.push(at, frame);
        if let Some(capture) = &mut self.capture {
            capture.push(frame);
        }
        if let Some(wake) = self.wake.handle_frame(frame, at) {
            self.candidates.hush(now);
            self.handle_wake(wake, now);
        } else {
            let score = self.wake.score();
            if let Some(capture) = &mut self.capture {
                capture.rate(score, now);
            }
            if let Some(candidate) = self.candidates.handle_score(score, now) {
                self.handle_candidate(candidate, now);
            }
        }
        self.endpointer.handle_frame(frame, at);
        while let Some(output) = self.endpointer.poll_output() {
            self.handle_endpoint(output, now);
        }
        if self.capture.as_ref().is_some_and(|c| c.is_word_alone(now)) {
            self.settle(now);
        }
        if self.capture.as_ref().is_some_and(|c| c.may_be_noise(now)) {
            self.look_through(now);
        }
        if self.capture.as_ref().is_some_and(|c| c.is_overdue(now)) {
            self.stop_listening();
            self.outputs.push_back(Output::NoSpeech { at: now });
        }
    }

    /// Begin a segment before the word that was spotted.
    fn open(&mut self, wake: &Wake, now: SampleIndex) -> Capture {
        self.stop_listening();
        let from = self.endpointer.begin(wake).max(self.ring.held().start);
        Capture::segment(&self.ring, from, now)
    }

    fn handle_wake(&mut self, wake: Wake, now: SampleIndex) {
        if let Some(capture) = &self.capture
            && capture.spoken.is_some()
            && !capture.is_question()
        {
            let first = capture.wake.as_ref().or(capture.candidate.as_ref());
            let apart =
                first.is_some_and(|first| wake.at.since(first.at) > samples_of_ms(SAME_WORD_MS));
            match &capture.wake {
                // Words already under way are not thrown away: "Alexa, ... Alexa, call 911" stays one sentence.
                Some(first) if !apart || self.config.wake.is_sure(first) => return,
                // Words behind a doubtful word may be an order, or a television's: they are understood by themselves,
                // and do not swallow what is said to us now.
                _ if apart => self.finish(now, now, EndReason::Cut),
                _ => {}
            }
        }
        self.capture = Some(self.open(&wake, now));
        self.announce(wake, now);
    }

    fn handle_candidate(&mut self, candidate: Wake, now: SampleIndex) {
        match &mut self.capture {
            Some(capture) if capture.wake.is_some() => {}
            // "Alexacall nine one one" in answer to a question is an order, not an answer.
            Some(capture) if capture.is_question() => {
                let surer = |old: &Wake| old.score < candidate.score;
                if capture.candidate.as_ref().is_none_or(surer) {
                    capture.candidate = Some(candidate);
                }
            }
            Some(capture) if capture.spoken.is_some() => {}
            _ => {
                let mut capture = self.open(&candidate, now);
                capture.candidate = Some(candidate);
                self.capture = Some(capture);
            }
        }
    }

    /// The wake word is sure: say so, and what was kept silent behind it.
    fn announce(&mut self, wake: Wake, now: SampleIndex) {
        let Some(capture) = &mut self.capture else {
            return;
        };
        let untold = capture.spoken.filter(|_| !capture.is_question());
        capture.wake = Some(wake.clone());
        capture.candidate = None;
        // What was understood as an answer is to be understood as a sentence behind the wake word.
        capture.look = None;
        self.endpointer.wait_on(now);
        self.before_wake = Some(std::mem::take(&mut capture.before));
        self.outputs.push_back(Output::Wake(wake));
        if let Some(at) = untold {
            self.outputs.push_back(Output::VoiceStarted { at });
        }
    }

    /// Ask the recogniser about a candidate. True when there is an utterance to understand; what was not for us is
    /// forgotten.
    fn settle(&mut self, now: SampleIndex) -> bool {
        let Some(capture) = &mut self.capture else {
            return false;
        };
        let Some(candidate) = capture.candidate.take() else {
            return true;
        };
        let question = capture.is_question();
        // In an answer it counts only at the head: a word of the room before it makes nobody's "yes" an order.
        let latest = capture
            .from
            .plus(samples_of_ms(REPLY_LEAD_MS + Wake::WORD_MS_MAX));
        let placed = !question || (candidate.at > capture.from && candidate.at <= latest);
        let audio = segment(candidate::head(&capture.sound, capture.from, candidate.at));
        if placed && self.candidates.may_check(now) && self.is_confirmed(&audio) {
            self.announce(candidate, now);
            return true;
        }
        if !question {
            self.stop_listening();
        }
        question
    }

    /// Whether the recogniser finds the wake word at the head. One that does not run confirms nothing: the next sure
    /// wake word will report it.
    fn is_confirmed(&mut self, audio: &[f32]) -> bool {
        let nats = self
            .brain()
            .ok()
            .and_then(|(recogniser, _)| candidate::begins_with_wake_word(recogniser, audio).ok());
        nats.is_some_and(|nats| self.candidates.confirms(nats))
    }

    fn handle_endpoint(&mut self, output: EndpointOutput, now: SampleIndex) {
        let Some(capture) = &mut self.capture else {
            return;
        };
        match output {
            EndpointOutput::SpeechStarted { at } => {
                if capture.spoken.is_none() && capture.is_question() {
                    let lead = at.minus(samples_of_ms(REPLY_LEAD_MS));
                    let from = lead.max(self.ring.held().start);
                    capture.sound = self.ring.copy_from(from, now).unwrap_or_default();
                    capture.from = from;
                }
                capture.spoken = Some(at);
                capture.look = None;
                if !capture.is_silent() {
                    self.outputs.push_back(Output::VoiceStarted { at });
                }
            }
            EndpointOutput::SpeechResumed { at } => {
                if let Some(look) = capture.look.take() {
                    capture.whole = sentence::whole(&look).map(|words| (words, at));
                }
            }
            EndpointOutput::Pause { speech_end, .. } => {
                if !self.settle(now) {
                    return;
                }
                self.outputs
                    .push_back(Output::VoiceStopped { at: speech_end });
                match self.understand() {
                    Ok(look) => {
                        let (country, names) = (self.config.country, self.names.as_deref());
                        let addressed = self.capture.as_ref().is_some_and(|c| c.wake.is_some());
                        let sentence = sentence::sentence(&look, country, names, addressed);
                        self.endpointer.set_sentence(sentence);
                        match &mut self.capture {
                            // A cough is no answer: it is still waited for, and not for longer than was said.
                            Some(capture)
                                if capture.is_question() && sentence == Sentence::Empty =>
                            {
                                capture.wait_again(now);
                            }
                            Some(capture) => {
                                // Heard before, and nothing was added: what went on was not the voice.
                                let ended = sentence == Sentence::Complete
                                    && is_same(capture.whole.as_ref(), &look);
                                capture.look = Some(look);
                                if ended {
                                    self.finish(speech_end, now, EndReason::Complete);
                                }
                            }
                            None => {}
                        }
                    }
                    Err(error) => self.fail(error),
                }
            }
            EndpointOutput::Ended {
                speech_end, reason, ..
            } => self.finish(speech_end, now, reason.into()),
            EndpointOutput::NoSpeech { at } => {
                let waited_for = |until| at < until;
                if capture.is_question() && capture.question_until.is_some_and(waited_for) {
                    self.endpointer.begin_reply(at);
                } else {
                    self.nothing_said(at);
                }
            }
        }
    }

    fn nothing_said(&mut self, at: SampleIndex) {
        let silent = self.capture.as_ref().is_some_and(Capture::is_silent);
        self.stop_listening();
        if !silent {
            self.outputs.push_back(Output::NoSpeech { at });
        }
    }

    fn fail(&mut self, error: HearError) {
        self.stop_listening();
        self.outputs.push_back(Output::Failed(error));
    }

    /// Transcribe and judge what was taken up so far.
    fn understand(&mut self) -> Result<Understanding, HearError> {
        let sound = self
            .capture
            .as_ref()
            .map_or(&[][..], |capture| &capture.sound);
        let audio = segment(sound);
        let head = match &self.capture {
            Some(Capture { wake: Some(_), .. }) => Head::WakeWord,
            _ => Head::Nothing,
        };
        let (recogniser, judge) = self.brain()?;
        Ok(judge.hear(recogniser, &audio, head)?)
    }

    /// Sound goes on behind a whole everyday sentence: when the words are still the same, nobody speaks.
    fn look_through(&mut self, now: SampleIndex) {
        let Some((words, since)) = self.capture.as_mut().and_then(|c| c.whole.take()) else {
            return;
        };
        let Ok(look) = self.understand() else {
            return; // The end of the utterance will tell.
        };
        let (country, names) = (self.config.country, self.names.as_deref());
        let addressed = self.capture.as_ref().is_some_and(|c| c.wake.is_some());
        let whole = Some((words, since));
        let same = is_same(whole.as_ref(), &look)
            && sentence::sentence(&look, country, names, addressed) == Sentence::Complete;
        if same && let Some(capture) = &mut self.capture {
            capture.look = Some(look);
            self.finish(since, now, EndReason::Complete);
        }
    }

    /// End the utterance and say what it meant.
    fn finish(&mut self, speech_end: SampleIndex, decided: SampleIndex, reason: EndReason) {
        let Some(capture) = &self.capture else {
            return;
        };
        if capture.spoken.is_none() {
            return self.nothing_said(decided);
        }
        if !self.settle(decided) {
            return;
        }
        let look = self.capture.as_mut().and_then(|c| c.look.take());
        let understanding = match look.map_or_else(|| self.understand(), Ok) {
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

/// Whether a look finds the words of the whole sentence again.
fn is_same(whole: Option<&(String, SampleIndex)>, look: &Understanding) -> bool {
    whole.is_some_and(|(words, _)| sentence::whole(look).as_ref() == Some(words))
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
