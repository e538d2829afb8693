//! Endpointing: where the words behind the wake word begin and end.
//!
//! ```text
//! begin ─► Awaiting ── voice ──► Speaking ◄─ voice ─┐
//!             │ no_speech_ms        │ voice stops   │
//!             ▼                     ▼               │
//!          NoSpeech              Pausing ───────────┘
//!                                   │ pause_ms: Pause, the sentence so far is worth a look
//!                                   │ hang-over, short when the sentence is complete
//!                                   ▼
//!                                 Ended
//! ```
//! Voice is what the gate takes for a human voice *and* what stands out from the noise of the room, so that a
//! television behind the speaker or a running tap does not hold the sentence open. The segment begins before the wake
//! word, never behind it: a late start would turn "don't call" into "call", and whoever speaks on without a pause
//! loses no word.

use crate::clock::{FRAME_SAMPLES, SampleIndex, samples_of_ms};
use crate::wake::Wake;
use std::collections::VecDeque;
use thiserror::Error;

/// Blocks of voice in a row that begin speech (48 ms): a click is no word.
const ONSET_BLOCKS: u32 = 3;
/// Blocks of voice in a row that resume it (16 ms). Two would let noise hold a third fewer unjudged sentences open, but
/// lose the last words of three times as many (32 instead of 11 of 312 in noise, `endpoint_rates`).
const RESUME_BLOCKS: u32 = 1;
/// Samples that the voice gate looks at together: 16 ms.
const GATE_SAMPLES: usize = 256;

/// Settings of an [`Endpointer`]; all times in milliseconds of sound.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointConfig {
    /// Without a word for so long, nobody speaks.
    pub no_speech_ms: u32,
    /// A pause this long is worth a provisional transcription.
    pub pause_ms: u32,
    /// Silence that ends a sentence known to be complete.
    pub hang_complete_ms: u32,
    /// Silence that ends a sentence that nobody knows but that reads like a whole one.
    pub hang_plausible_ms: u32,
    /// Silence that ends any other sentence.
    pub hang_incomplete_ms: u32,
    /// The utterance is cut here, counted from the wake word's detection.
    pub utterance_ms_max: u32,
    /// Voice that goes on so long behind the detection is the command, and no longer the wake word.
    pub wake_tail_ms: u32,
    /// What the gate must be sure of for a voice to begin, 0 to 1.
    pub voice_min: f32,
    /// What it must be sure of for a voice to go on, 0 to 1.
    pub voice_hold_min: f32,
    /// What a voice must have above the noise of the room, dB.
    pub above_floor_db: f32,
    /// Voice this far below the speaker's own level is somebody else, dB.
    pub speaker_range_db: f32,
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self {
            no_speech_ms: 5_000,
            pause_ms: 200,
            hang_complete_ms: 300,
            hang_plausible_ms: 600,
            hang_incomplete_ms: 750,
            utterance_ms_max: 15_000,
            wake_tail_ms: 250,
            voice_min: 0.5,
            voice_hold_min: 0.5,
            above_floor_db: 4.0,
            speaker_range_db: 24.0,
        }
    }
}

/// A setting that contradicts another one.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("endpoint setting {what} must be {allowed}")]
pub struct EndpointConfigError {
    /// Which setting.
    pub what: &'static str,
    /// What it may be.
    pub allowed: &'static str,
}

/// What the understanding stage thinks of the words so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sentence {
    /// Not looked at, or not understood.
    #[default]
    Unknown,
    /// More must follow ("set a timer for ...").
    Incomplete,
    /// No rule knows it, but it reads like a whole sentence.
    Plausible,
    /// It can end here.
    Complete,
    /// No word but the wake word: the command is still awaited.
    Empty,
}

/// Why an utterance ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// A complete sentence and the short hang-over.
    Complete,
    /// A longer hang-over.
    Silence,
    /// The longest utterance.
    TooLong,
}

/// What an [`Endpointer`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointOutput {
    /// The first voice of the command, at its estimated start.
    SpeechStarted {
        /// First sample.
        at: SampleIndex,
    },
    /// The voice stopped for [`EndpointConfig::pause_ms`]: transcribe from `from` to now and call
    /// [`Endpointer::set_sentence`]. Comes again after more voice.
    Pause {
        /// First sample of the segment.
        from: SampleIndex,
        /// Index behind the last voice.
        speech_end: SampleIndex,
    },
    /// Voice again behind a [`EndpointOutput::Pause`]: what was transcribed is not the whole sentence.
    SpeechResumed {
        /// First sample of it.
        at: SampleIndex,
    },
    /// The utterance is over.
    Ended {
        /// First sample of the segment; before the wake word when there was one.
        from: SampleIndex,
        /// Index behind the last voice.
        speech_end: SampleIndex,
        /// Where this was decided.
        at: SampleIndex,
        /// Why.
        reason: EndReason,
    },
    /// Nobody spoke.
    NoSpeech {
        /// Where this was decided.
        at: SampleIndex,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// No utterance expected.
    Idle,
    /// No voice yet.
    Awaiting,
    Speaking,
    /// Voice stopped at `speech_end`; `looked` when [`EndpointOutput::Pause`] was said.
    Pausing {
        looked: bool,
    },
}

/// The segment on its way.
#[derive(Clone, Copy, Debug)]
struct Segment {
    from: SampleIndex,
    /// Voice that ends before this still belongs to the wake word.
    words_from: SampleIndex,
    silent_until: SampleIndex,
    ends_at: SampleIndex,
    voice_start: SampleIndex,
    speech_end: SampleIndex,
}

/// Finds the end of the words. Feed every frame, also between utterances: the gate learns the room's noise.
pub struct Endpointer {
    config: EndpointConfig,
    gate: VoiceGate,
    state: State,
    segment: Segment,
    /// Blocks of voice without a break up to now.
    voiced: u32,
    sentence: Sentence,
    outputs: VecDeque<EndpointOutput>,
}

impl Endpointer {
    /// An endpointer that expects nothing yet.
    ///
    /// # Errors
    /// [`EndpointConfigError`] when the settings contradict each other.
    pub fn new(config: EndpointConfig) -> Result<Self, EndpointConfigError> {
        let no = |what, allowed| Err(EndpointConfigError { what, allowed });
        if !(0.0..=1.0).contains(&config.voice_min) {
            return no("voice_min", "0 to 1");
        }
        if config.pause_ms < 50 || config.pause_ms > config.hang_complete_ms {
            return no(
                "pause_ms",
                "50 or more, and no longer than hang_complete_ms",
            );
        }
        if config.hang_complete_ms > config.hang_plausible_ms {
            return no("hang_complete_ms", "no longer than hang_plausible_ms");
        }
        if config.hang_plausible_ms > config.hang_incomplete_ms {
            return no("hang_plausible_ms", "no longer than hang_incomplete_ms");
        }
        if config.hang_incomplete_ms > config.utterance_ms_max || config.utterance_ms_max > 60_000 {
            return no(
                "utterance_ms_max",
                "above hang_incomplete_ms and at most 60000",
            );
        }
        if config.no_speech_ms > config.utterance_ms_max {
            return no("no_speech_ms", "no longer than utterance_ms_max");
        }
        let nowhere = SampleIndex(0);
        Ok(Self {
            gate: VoiceGate::new(&config),
            config,
            state: State::Idle,
            segment: Segment {
                from: nowhere,
                words_from: nowhere,
                silent_until: nowhere,
                ends_at: nowhere,
                voice_start: nowhere,
                speech_end: nowhere,
            },
            voiced: 0,
            sentence: Sentence::Unknown,
            outputs: VecDeque::new(),
        })
    }

    /// The wake word was heard: its command is awaited. Gives the segment's first sample, which lies before the word.
    ///
    /// That is [`Wake::WORD_MS_MAX`] before the detection, so that a slow "Alexa" is all in it; where somebody talked
    /// and then paused before the word, it is that pause, but at least [`Wake::WORD_MS`] before the detection.
    pub fn begin(&mut self, wake: &Wake) -> SampleIndex {
        let latest = wake.at.minus(samples_of_ms(Wake::WORD_MS));
        let from = self.gate.start_before(wake.at, latest, wake.wake_start());
        self.start(
            from,
            wake.at,
            wake.at.plus(samples_of_ms(self.config.wake_tail_ms)),
        );
        from
    }

    /// An answer is awaited without a wake word, from `at` on (the end of the device's own question).
    pub fn begin_reply(&mut self, at: SampleIndex) {
        self.start(at, at, at);
    }

    fn start(&mut self, from: SampleIndex, now: SampleIndex, words_from: SampleIndex) {
        self.segment = Segment {
            from,
            words_from,
            silent_until: now.plus(samples_of_ms(self.config.no_speech_ms)),
            ends_at: now.plus(samples_of_ms(self.config.utterance_ms_max)),
            voice_start: now,
            speech_end: now,
        };
        self.sentence = Sentence::Unknown;
        self.state = State::Awaiting;
        self.gate.forget_speaker();
        self.outputs.clear();
    }

    /// What the understanding stage thinks of the transcript of the latest [`EndpointOutput::Pause`]. It counts until
    /// there is voice again.
    pub fn set_sentence(&mut self, sentence: Sentence) {
        if !matches!(self.state, State::Pausing { .. }) {
            return;
        }
        self.sentence = sentence;
        if sentence == Sentence::Empty {
            self.state = State::Awaiting;
            self.sentence = Sentence::Unknown;
        }
    }

    /// The wake word was found at the head of what is on its way: its command is awaited from now.
    pub fn wait_on(&mut self, now: SampleIndex) {
        let until = now.plus(samples_of_ms(self.config.no_speech_ms));
        self.segment.silent_until = self.segment.silent_until.max(until);
    }

    /// Gives up the utterance on its way; the gate keeps what it knows of the room.
    pub fn cancel(&mut self) {
        self.state = State::Idle;
        self.outputs.clear();
    }

    /// Forgets everything: a new stream.
    pub fn reset(&mut self) {
        self.cancel();
        self.gate.reset();
    }

    /// Whether an utterance is on its way or awaited.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state != State::Idle
    }

    /// The gate, for level displays.
    #[must_use]
    pub fn gate(&self) -> &VoiceGate {
        &self.gate
    }

    /// The next 10 ms of sound; `at` is the index of its first sample. Drain [`Self::poll_output`] behind it.
    pub fn handle_frame(&mut self, frame: &[i16; FRAME_SAMPLES], at: SampleIndex) {
        if let Some(block) = self.gate.push(frame, at) {
            self.handle_block(block);
        }
    }

    /// What happened, oldest first; `None` when another frame is needed.
    pub fn poll_output(&mut self) -> Option<EndpointOutput> {
        self.outputs.pop_front()
    }

    fn handle_block(&mut self, block: Block) {
        let now = block.end;
        self.voiced = if block.voice {
            self.voiced.saturating_add(1)
        } else {
            0
        };
        let onset = self.voiced >= ONSET_BLOCKS;
        match self.state {
            State::Idle => return,
            State::Awaiting => {
                if !block.voice {
                    self.segment.voice_start = now;
                }
                if onset && now >= self.segment.words_from {
                    // Voice without a break since the wake word began within it.
                    let at = self.segment.voice_start;
                    self.state = State::Speaking;
                    self.segment.speech_end = now;
                    self.outputs.push_back(EndpointOutput::SpeechStarted { at });
                } else if now >= self.segment.silent_until {
                    self.state = State::Idle;
                    self.outputs.push_back(EndpointOutput::NoSpeech { at: now });
                    return;
                }
            }
            State::Speaking if block.voice => self.segment.speech_end = now,
            State::Speaking => self.state = State::Pausing { looked: false },
            State::Pausing { looked } if self.voiced >= RESUME_BLOCKS => {
                if looked {
                    let at = now.minus(u64::from(RESUME_BLOCKS) * GATE_SAMPLES as u64);
                    self.outputs.push_back(EndpointOutput::SpeechResumed { at });
                }
                self.sentence = Sentence::Unknown;
                self.segment.speech_end = now;
                self.state = State::Speaking;
            }
            State::Pausing { looked } => {
                let Segment {
                    from, speech_end, ..
                } = self.segment;
                let pause = now.since(speech_end);
                if !looked && pause >= samples_of_ms(self.config.pause_ms) {
                    self.state = State::Pausing { looked: true };
                    self.outputs
                        .push_back(EndpointOutput::Pause { from, speech_end });
                }
                let (hang_ms, reason) = match self.sentence {
                    Sentence::Complete => (self.config.hang_complete_ms, EndReason::Complete),
                    Sentence::Plausible => (self.config.hang_plausible_ms, EndReason::Silence),
                    _ => (self.config.hang_incomplete_ms, EndReason::Silence),
                };
                if pause >= samples_of_ms(hang_ms) {
                    self.end(now, reason);
                }
            }
        }
        if self.state != State::Idle && now >= self.segment.ends_at {
            if self.state == State::Awaiting {
                self.state = State::Idle;
                self.outputs.push_back(EndpointOutput::NoSpeech { at: now });
            } else {
                self.end(now, EndReason::TooLong);
            }
        }
    }

    fn end(&mut self, at: SampleIndex, reason: EndReason) {
        let Segment {
            from, speech_end, ..
        } = self.segment;
        self.state = State::Idle;
        self.outputs.push_back(EndpointOutput::Ended {
            from,
            speech_end,
            at,
            reason,
        });
    }
}

impl core::fmt::Debug for Endpointer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Endpointer")
            .field("state", &self.state)
            .field("segment", &self.segment)
            .finish_non_exhaustive()
    }
}

/// 16 ms of sound, judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    /// Index behind its last sample.
    pub end: SampleIndex,
    /// A voice that stands out from the room's noise.
    pub voice: bool,
    /// What the voice activity network says, 0 to 1.
    pub score: f32,
    /// Level in dB relative to full scale, over the last 48 ms.
    pub level_db: f32,
}

/// Decides for each 16 ms whether somebody near speaks.
///
/// The network (`earshot`) knows voices but also hears those of a television; the level above the room's noise tells
/// the near speaker from the rest.
pub struct VoiceGate {
    detector: Box<earshot::Detector>,
    held: [i16; GATE_SAMPLES],
    held_len: usize,
    voice_min: f32,
    voice_hold_min: f32,
    above_floor_db: f32,
    speaker_range_db: f32,
    /// Power of the last three blocks.
    powers: [f32; 3],
    floor: NoiseFloor,
    /// Slowly falling peak of the speaker's level since [`Self::forget_speaker`], dB.
    speaker_db: f32,
    last: Option<Block>,
    /// Ends of the blocks with voice among the last [`HISTORY_BLOCKS`], oldest first.
    voices: VecDeque<SampleIndex>,
}

/// Blocks without voice that part the wake word from what was said before it (400 ms).
const QUIET_BLOCKS: u64 = 25;
/// Blocks that are remembered (3 s).
const HISTORY_BLOCKS: u64 = 188;

/// The speaker's level falls by so much per block without voice.
const SPEAKER_FALL_DB: f32 = 0.05;
/// Level of digital silence.
const SILENCE_DB: f32 = -100.0;

impl VoiceGate {
    fn new(config: &EndpointConfig) -> Self {
        Self {
            detector: Box::default(),
            held: [0; GATE_SAMPLES],
            held_len: 0,
            voice_min: config.voice_min,
            voice_hold_min: config.voice_hold_min,
            above_floor_db: config.above_floor_db,
            speaker_range_db: config.speaker_range_db,
            powers: [0.0; 3],
            floor: NoiseFloor::new(),
            speaker_db: SILENCE_DB,
            last: None,
            voices: VecDeque::new(),
        }
    }

    /// The start of a segment for a word that was spotted at `at`: `earliest`, or, where somebody talked since and was
    /// quiet for a while before the word, the beginning of that quiet, but never behind `latest`.
    fn start_before(
        &self,
        at: SampleIndex,
        latest: SampleIndex,
        earliest: SampleIndex,
    ) -> SampleIndex {
        let mut later = at;
        for &voice in self.voices.iter().rev() {
            if voice <= earliest {
                break;
            }
            if later.since(voice) >= QUIET_BLOCKS * GATE_SAMPLES as u64 {
                return voice.min(latest);
            }
            later = voice.minus(GATE_SAMPLES as u64);
        }
        earliest
    }

    /// The latest block.
    #[must_use]
    pub fn last(&self) -> Option<Block> {
        self.last
    }

    /// The room's noise, dB relative to full scale.
    #[must_use]
    pub fn floor_db(&self) -> f32 {
        self.floor.db()
    }

    fn forget_speaker(&mut self) {
        self.speaker_db = SILENCE_DB;
    }

    fn reset(&mut self) {
        self.detector.reset();
        self.held_len = 0;
        self.powers = [0.0; 3];
        self.floor = NoiseFloor::new();
        self.speaker_db = SILENCE_DB;
        self.last = None;
        self.voices.clear();
    }

    /// A frame is shorter than a block, so each frame completes at most one.
    fn push(&mut self, frame: &[i16; FRAME_SAMPLES], at: SampleIndex) -> Option<Block> {
        let take = FRAME_SAMPLES.min(GATE_SAMPLES - self.held_len);
        self.held[self.held_len..self.held_len + take].copy_from_slice(&frame[..take]);
        self.held_len += take;
        if self.held_len < GATE_SAMPLES {
            return None;
        }
        let block = self.judge(at.plus(take as u64));
        let rest = FRAME_SAMPLES - take;
        self.held[..rest].copy_from_slice(&frame[take..]);
        self.held_len = rest;
        self.last = Some(block);
        Some(block)
    }

    fn judge(&mut self, end: SampleIndex) -> Block {
        let score = self.detector.predict_i16(&self.held);
        let square = |&sample: &i16| (f32::from(sample) / 32_768.0).powi(2);
        self.powers.rotate_left(1);
        self.powers[2] = self.held.iter().map(square).sum::<f32>() / GATE_SAMPLES as f32;
        let level_db = (10.0 * (self.powers.iter().sum::<f32>() / 3.0).log10()).max(SILENCE_DB);
        self.floor.push(level_db);
        let near = level_db >= self.floor.db() + self.above_floor_db
            && level_db >= self.speaker_db - self.speaker_range_db;
        let going = self.last.is_some_and(|last| last.voice);
        let voice = score
            >= if going {
                self.voice_hold_min
            } else {
                self.voice_min
            }
            && near;
        self.speaker_db = if voice {
            self.speaker_db.max(level_db)
        } else {
            self.speaker_db - SPEAKER_FALL_DB
        };
        if voice {
            self.voices.push_back(end);
        }
        let oldest = end.minus(HISTORY_BLOCKS * GATE_SAMPLES as u64);
        while self.voices.front().is_some_and(|&voice| voice < oldest) {
            self.voices.pop_front();
        }
        Block {
            end,
            voice,
            score,
            level_db,
        }
    }
}

impl core::fmt::Debug for VoiceGate {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("VoiceGate")
            .field("last", &self.last)
            .field("floor_db", &self.floor_db())
            .finish_non_exhaustive()
    }
}

/// Lowest level of the last 3 s: between words even a fast speaker lets the room be heard.
#[derive(Clone, Debug)]
struct NoiseFloor {
    /// Minima of past spans of 0.24 s, oldest first.
    spans: [f32; NoiseFloor::SPANS],
    current: f32,
    blocks: usize,
}

impl NoiseFloor {
    const SPANS: usize = 12;
    const BLOCKS: usize = 15;

    fn new() -> Self {
        Self {
            spans: [f32::INFINITY; Self::SPANS],
            current: f32::INFINITY,
            blocks: 0,
        }
    }

    fn push(&mut self, level_db: f32) {
        self.current = self.current.min(level_db);
        self.blocks += 1;
        if self.blocks == Self::BLOCKS {
            self.spans.rotate_left(1);
            self.spans[Self::SPANS - 1] = self.current;
            self.current = f32::INFINITY;
            self.blocks = 0;
        }
    }

    fn db(&self) -> f32 {
        let lowest = self.spans.iter().copied().fold(self.current, f32::min);
        if lowest.is_finite() {
            lowest
        } else {
            SILENCE_DB
        }
    }
}
