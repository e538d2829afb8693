//! Our speaker as a satellite: Home Assistant connects, and takes the sentences that nobody here does.
//!
//! ```text
//! run-satellite ─► Waiting ─ hand on: detection, run-pipeline, sound, audio-stop ─► Asked
//!                     ▲                                                               │ transcript, synthesize,
//!                     └────── played ◄── (loudspeaker) ◄── audio-start … audio-stop ◄─┘
//! ```
//! Only what was said behind the wake word, judged, and left by everything here is ever sent. What the server says is
//! played or shown; its `transcript` is read by nobody.
use core::time::Duration;
use std::collections::VecDeque;

use super::data::{At, AudioChunk, Detection, RunPipeline, Stage};
use super::info::{Format as InfoFormat, Info, MicProgram, Satellite as About, SndProgram};
use super::service::describe::ours;
use super::{Event, FrameError, Limits, Reader};
use crate::exchange::{Ended, FromServer, Sound, Timer, TimerChange, ToServer};
use crate::sound::{Converter, Format, RATE_HZ, bytes_of};

/// Samples in one event of sound.
const CHUNK_SAMPLES: usize = 1_024;
/// Silence behind an utterance, for servers that wait for it.
const TAIL_SAMPLES: usize = RATE_HZ as usize;
/// Longest sound that is played at once.
const SOUND_SAMPLES_MAX: usize = 120 * RATE_HZ as usize;
/// How long a server may take for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// A server that says nothing for so long is gone: it asks every 2 s whether we are there.
const QUIET_MAX: Duration = Duration::from_secs(60);
/// Sounds that may be played and not reported yet.
const PLAYS_MAX: usize = 8;

/// What a satellite wants.
#[derive(Debug, PartialEq)]
#[must_use = "a dropped output is a lost event"]
pub enum Output {
    /// Send this to the server.
    Send(Event),
    /// Tell the speaker.
    Tell(FromServer),
    /// The connection is over.
    Close,
    /// Nothing more now; call [`Satellite::handle_timeout`] then.
    Timeout(Duration),
}

/// What was handed on and is not answered.
#[derive(Debug)]
struct Asked {
    id: u64,
    until: Duration,
    /// It was understood as words.
    transcribed: bool,
    /// An answer is being spoken.
    answering: bool,
}

/// One connection of a server.
#[derive(Debug)]
pub struct Satellite {
    info: Info,
    wake_word: String,
    reader: Reader,
    serves: bool,
    asked: Option<Asked>,
    incoming: Option<Incoming>,
    /// Tokens that are played.
    playing: VecDeque<u64>,
    last_token: u64,
    heard_at: Duration,
    closing: bool,
    outputs: VecDeque<Output>,
}

#[derive(Debug)]
struct Incoming {
    converter: Option<Converter>,
    samples: Vec<i16>,
}

/// What a satellite says about itself.
#[must_use]
pub fn info(name: &str, wake_word: &str) -> Info {
    let format = InfoFormat {
        rate: RATE_HZ,
        width: 2,
        channels: 1,
    };
    let artifact = ours(name, "Hearthline speaker");
    Info {
        mic: vec![MicProgram {
            artifact: artifact.clone(),
            mic_format: format,
        }],
        snd: vec![SndProgram {
            artifact: artifact.clone(),
            snd_format: format,
        }],
        satellite: Some(About {
            artifact,
            area: Some(name.to_owned()),
            has_vad: Some(true),
            active_wake_words: Some(vec![wake_word.to_owned()]),
            max_active_wake_words: Some(1),
            // Nobody but a person in the room opens this microphone.
            supports_trigger: Some(false),
        }),
        ..Info::default()
    }
}

impl Satellite {
    /// A server that has just connected.
    #[must_use]
    pub fn new(name: &str, wake_word: &str, limits: Limits, now: Duration) -> Self {
        Self {
            info: info(name, wake_word),
            wake_word: wake_word.to_owned(),
            reader: Reader::new(limits),
            serves: false,
            asked: None,
            incoming: None,
            playing: VecDeque::new(),
            last_token: 0,
            heard_at: now,
            closing: false,
            outputs: VecDeque::new(),
        }
    }

    /// Bytes of the server.
    pub fn handle_bytes(&mut self, bytes: &[u8], now: Duration) {
        self.heard_at = now;
        self.reader.push(bytes);
        while !self.closing {
            match self.reader.next_event() {
                Ok(Some(event)) => self.event(event, now),
                Ok(None) => break,
                Err(error @ FrameError::Data { .. }) => {
                    self.send(Event::error("bad-data", error.to_string()));
                }
                Err(error) => {
                    self.send(Event::error("bad-frame", error.to_string()));
                    self.close();
                }
            }
        }
    }

    /// What the speaker has for the server.
    pub fn handle(&mut self, input: ToServer, now: Duration) {
        match input {
            ToServer::HandOn { id, sound } => self.hand_on(id, &sound, now),
            ToServer::Played { token, .. } => {
                if self.playing.contains(&token) {
                    self.playing.retain(|playing| *playing != token);
                    self.send(Event::Played);
                }
            }
            // The protocol has no word for it.
            ToServer::Busy(_) => {}
        }
    }

    /// The time of [`Output::Timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        if let Some(asked) = &self.asked
            && asked.until <= now
        {
            let how = if asked.transcribed {
                Ended::Silent
            } else {
                Ended::Failed
            };
            self.ended(how);
        }
        if self.heard_at + QUIET_MAX <= now {
            self.close();
        }
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Output {
        let quiet = self.heard_at + QUIET_MAX;
        let timeout = self
            .asked
            .as_ref()
            .map_or(quiet, |asked| asked.until.min(quiet));
        self.outputs.pop_front().unwrap_or(Output::Timeout(timeout))
    }

    /// The connection broke.
    pub fn handle_closed(&mut self) {
        self.close();
    }

    fn send(&mut self, event: Event) {
        self.outputs.push_back(Output::Send(event));
    }

    fn tell(&mut self, news: FromServer) {
        self.outputs.push_back(Output::Tell(news));
    }

    fn close(&mut self) {
        if core::mem::replace(&mut self.closing, true) {
            return;
        }
        self.ended(Ended::Failed);
        self.serves(false);
        self.outputs.push_back(Output::Close);
    }

    fn serves(&mut self, serves: bool) {
        if self.serves != serves {
            self.serves = serves;
            self.tell(FromServer::Serves(serves));
        }
    }

    fn ended(&mut self, how: Ended) {
        if let Some(Asked { id, .. }) = self.asked.take() {
            self.tell(FromServer::Ended { id, how });
        }
    }

    fn hand_on(&mut self, id: u64, sound: &[i16], now: Duration) {
        if !self.serves || self.closing {
            let how = Ended::Failed;
            return self.tell(FromServer::Ended { id, how });
        }
        // Whoever speaks anew has given up on the last answer.
        self.ended(Ended::Silent);
        self.asked = Some(Asked {
            id,
            until: now + ANSWER_MAX,
            transcribed: false,
            answering: false,
        });
        self.send(Event::Detection(Detection {
            name: Some(self.wake_word.clone()),
            ..Detection::default()
        }));
        self.send(Event::RunPipeline(RunPipeline {
            start_stage: Stage::Asr,
            end_stage: Stage::Tts,
            wake_word_name: Some(self.wake_word.clone()),
            ..RunPipeline::default()
        }));
        let tail = [0; TAIL_SAMPLES];
        let mut sent: i64 = 0;
        for chunk in sound
            .chunks(CHUNK_SAMPLES)
            .chain(tail.chunks(CHUNK_SAMPLES))
        {
            self.send(Event::AudioChunk(AudioChunk {
                rate: RATE_HZ,
                width: 2,
                channels: 1,
                timestamp: Some(sent / 16),
                audio: bytes_of(chunk),
            }));
            sent += i64::try_from(chunk.len()).unwrap_or(0);
        }
        self.send(Event::AudioStop(At {
            timestamp: Some(sent / 16),
        }));
    }

    fn event(&mut self, event: Event, now: Duration) {
        match event {
            Event::Describe => {
                let info = Box::new(self.info.clone());
                self.send(Event::Info(info));
            }
            Event::Ping(ping) => self.send(Event::Pong(ping)),
            Event::RunSatellite => self.serves(true),
            Event::PauseSatellite => {
                self.ended(Ended::Silent);
                self.serves(false);
            }
            Event::Transcript(_) => {
                if let Some(asked) = &mut self.asked {
                    asked.transcribed = true;
                }
            }
            Event::Synthesize(_) => {
                if let Some(asked) = &mut self.asked {
                    asked.answering = true;
                    asked.until = now + ANSWER_MAX;
                }
            }
            // A start in the middle: what came before was taken back.
            Event::AudioStart(start) => {
                let format = Format {
                    rate_hz: start.rate,
                    width_bytes: start.width,
                    channels: start.channels,
                };
                self.incoming = Some(Incoming {
                    converter: Converter::new(format).ok(),
                    samples: Vec::new(),
                });
            }
            Event::AudioChunk(chunk) => {
                if let Some(incoming) = &mut self.incoming
                    && let Some(converter) = &mut incoming.converter
                    && incoming.samples.len() < SOUND_SAMPLES_MAX
                {
                    incoming.samples.extend(converter.convert(&chunk.audio));
                    incoming.samples.truncate(SOUND_SAMPLES_MAX);
                }
            }
            Event::AudioStop(_) => {
                if let Some(incoming) = self.incoming.take() {
                    self.play(Sound::Samples(incoming.samples));
                }
            }
            Event::RunPipeline(pipeline) => {
                // Any other start would open the microphone from outside.
                if pipeline.start_stage == Stage::Tts
                    && let Some(text) = pipeline.announce_text
                {
                    self.play(Sound::Words(text));
                }
            }
            Event::Error(failure) => {
                let how = match failure.code.as_deref() {
                    Some("stt-no-text-recognized" | "no-intent-match") => Ended::NotUnderstood,
                    _ => Ended::Failed,
                };
                self.ended(how);
            }
            Event::TimerStarted(timer) => self.timer(TimerChange::Set(Timer {
                id: timer.id,
                name: timer.name,
                seconds: timer.total_seconds,
                active: true,
            })),
            Event::TimerUpdated(timer) => self.timer(TimerChange::Set(Timer {
                id: timer.id,
                name: None,
                seconds: timer.total_seconds,
                active: timer.is_active,
            })),
            Event::TimerCancelled(timer) => self.timer(TimerChange::Cancelled(timer.id)),
            Event::TimerFinished(timer) => self.timer(TimerChange::Finished(timer.id)),
            _ => {}
        }
    }

    fn timer(&mut self, change: TimerChange) {
        if self.serves {
            self.tell(FromServer::Timer(change));
        }
    }

    fn play(&mut self, sound: Sound) {
        let nothing = match &sound {
            Sound::Samples(samples) => samples.is_empty(),
            Sound::Words(text) => text.trim().is_empty(),
        };
        if !self.serves || nothing || self.playing.len() >= PLAYS_MAX {
            // Whoever waits for the end of it need not wait.
            return self.send(Event::Played);
        }
        self.last_token += 1;
        let token = self.last_token;
        self.playing.push_back(token);
        let answers = self.asked.take_if(|asked| asked.answering);
        self.tell(FromServer::Play {
            token,
            answers: answers.map(|asked| asked.id),
            sound,
        });
    }
}
