//! One client of the device: the handshake, then requests and what we have for it.
//!
//! ```text
//! Hello ─ empty frame ─► Handshake ─ key fits ─► Ready ─ subscribe ─► serves ─ hand on ─► request, sound ─► events, sound
//!                            └─ does not: said, closed
//! ```
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;

use ring::rand::SystemRandom;

use super::message::{self, Reply, Request, VoiceEvent};
use super::noise::{Channel, Key, NoiseError, respond};
use crate::exchange::{Ended, FromServer, Sound, Timer, TimerChange, ToServer};
use crate::sound::{RATE_HZ, bytes_of};

/// Longest frame that is taken; the format allows twice as much.
const FRAME_BYTES_MAX: usize = 32 << 10;
/// What begins an encrypted frame.
const MARK: u8 = 1;
/// Samples in one message of sound.
const CHUNK_SAMPLES: usize = 1_024;
/// Silence behind an utterance, for servers that wait for it.
const TAIL_SAMPLES: usize = RATE_HZ as usize;
/// Longest sound that is played at once, in bytes.
const SOUND_BYTES_MAX: usize = 120 * 2 * RATE_HZ as usize;
/// How long a handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// A client asks at least once a minute whether we are there.
const QUIET_MAX: Duration = Duration::from_secs(150);
/// How long a server may take for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// Announcements that may be played and not reported yet.
const PLAYS_MAX: usize = 8;
/// The key of our one sensor.
const BUSY: u32 = 1;

/// What we say about ourselves.
#[derive(Clone, Debug)]
pub struct About {
    /// Host name: lower case, digits and `-`.
    pub name: String,
    /// For people.
    pub friendly_name: String,
    /// Twelve hexadecimal digits with colons, which name the device for good.
    pub mac: String,
    /// What we listen for.
    pub wake_word: String,
    /// The owner's key.
    pub key: Key,
}

/// What a session wants.
#[derive(Debug, PartialEq)]
#[must_use = "a dropped output is a lost message"]
pub enum Output {
    /// Send these bytes.
    Send(Vec<u8>),
    /// Tell the speaker.
    Tell(FromServer),
    /// The connection is over.
    Close,
    /// Nothing more now; call [`Session::handle_timeout`] then.
    Timeout(Duration),
}

#[derive(Debug)]
enum State {
    Hello,
    Handshake,
    Ready(Box<Channel>),
    Closed,
}

#[derive(Debug)]
struct Asked {
    id: u64,
    until: Duration,
    /// The sound, until the server says that it runs a pipeline.
    sound: Vec<i16>,
    /// An answer is being spoken.
    answering: bool,
}

/// One connection.
#[derive(Debug)]
pub struct Session {
    about: Arc<About>,
    state: State,
    held: Vec<u8>,
    serves: bool,
    follows: bool,
    busy: bool,
    asked: Option<Asked>,
    incoming: Option<Vec<u8>>,
    /// What plays: its token, and whether its end is told.
    playing: VecDeque<(u64, bool)>,
    last_token: u64,
    heard_at: Duration,
    outputs: VecDeque<Output>,
}

impl Session {
    /// A client that has just connected.
    #[must_use]
    pub fn new(about: Arc<About>, now: Duration) -> Self {
        Self {
            about,
            state: State::Hello,
            held: Vec::new(),
            serves: false,
            follows: false,
            busy: false,
            asked: None,
            incoming: None,
            playing: VecDeque::new(),
            last_token: 0,
            heard_at: now,
            outputs: VecDeque::new(),
        }
    }

    /// Bytes of the client.
    pub fn handle_bytes(&mut self, bytes: &[u8], now: Duration) {
        if matches!(self.state, State::Ready(_)) {
            self.heard_at = now;
        }
        self.held.extend_from_slice(bytes);
        while let Some(frame) = self.frame() {
            self.take(&frame, now);
        }
    }

    /// What the speaker has for the server.
    pub fn handle(&mut self, input: ToServer, now: Duration) {
        match input {
            ToServer::HandOn { id, sound } => self.hand_on(id, sound, now),
            ToServer::Played { token, whole } => {
                let found = self.playing.iter().position(|(known, _)| *known == token);
                if let Some((_, true)) = found.and_then(|at| self.playing.remove(at)) {
                    self.send(message::announced(whole));
                }
            }
            ToServer::Busy(busy) => {
                if core::mem::replace(&mut self.busy, busy) != busy && self.follows {
                    self.send(message::binary_state(BUSY, busy));
                }
            }
        }
    }

    /// The connection broke.
    pub fn handle_closed(&mut self) {
        self.close();
    }

    /// The time of [`Output::Timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        if self.asked.as_ref().is_some_and(|asked| asked.until <= now) {
            self.ended(Ended::Failed);
        }
        if self.quiet_until() <= now {
            self.close();
        }
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Output {
        let quiet = self.quiet_until();
        let timeout = self
            .asked
            .as_ref()
            .map_or(quiet, |asked| asked.until.min(quiet));
        self.outputs.pop_front().unwrap_or(Output::Timeout(timeout))
    }

    fn quiet_until(&self) -> Duration {
        let wait = match self.state {
            State::Ready(_) => QUIET_MAX,
            _ => HANDSHAKE_MAX,
        };
        self.heard_at + wait
    }

    /// The next whole frame.
    fn frame(&mut self) -> Option<Vec<u8>> {
        if matches!(self.state, State::Closed) {
            self.held.clear();
            return None;
        }
        let [mark, high, low, ..] = *self.held.as_slice() else {
            if self.held.first().is_some_and(|mark| *mark != MARK) {
                self.refuse_clear_text();
            }
            return None;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if mark != MARK || length > FRAME_BYTES_MAX {
            self.refuse_clear_text();
            return None;
        }
        if self.held.len() < 3 + length {
            return None;
        }
        let frame = self.held[3..3 + length].to_vec();
        self.held.drain(..3 + length);
        Some(frame)
    }

    fn take(&mut self, frame: &[u8], now: Duration) {
        match &mut self.state {
            State::Hello => {
                let mut hello = vec![MARK];
                hello.extend(self.about.name.bytes());
                hello.push(0);
                let mac = self.about.mac.replace(':', "").to_lowercase();
                hello.extend(mac.bytes());
                hello.push(0);
                self.state = State::Handshake;
                self.send_frame(&hello);
            }
            State::Handshake => self.handshake(frame),
            State::Ready(channel) => {
                let Ok(plain) = channel.open(frame) else {
                    return self.close();
                };
                let [high, low, _, _, rest @ ..] = plain.as_slice() else {
                    return self.close();
                };
                let kind = u16::from_be_bytes([*high, *low]);
                match Request::read(kind, rest) {
                    Ok(request) => self.request(request, now),
                    Err(_) => self.close(),
                }
            }
            State::Closed => {}
        }
    }

    fn handshake(&mut self, frame: &[u8]) {
        let answer = match frame {
            [0, message @ ..] => respond(&self.about.key, message, &SystemRandom::new()),
            _ => Err(NoiseError::Damaged),
        };
        match answer {
            Ok((answer, channel)) => {
                let mut frame = vec![0];
                frame.extend(answer);
                self.send_frame(&frame);
                self.state = State::Ready(Box::new(channel));
            }
            Err(why) => {
                let mut frame = vec![MARK];
                frame.extend(why.to_string().bytes());
                self.send_frame(&frame);
                self.close();
            }
        }
    }

    fn send_frame(&mut self, frame: &[u8]) {
        let Ok(length) = u16::try_from(frame.len()) else {
            return;
        };
        let mut bytes = vec![MARK];
        bytes.extend(length.to_be_bytes());
        bytes.extend_from_slice(frame);
        self.outputs.push_back(Output::Send(bytes));
    }

    fn send(&mut self, (kind, bytes): Reply) {
        let State::Ready(channel) = &mut self.state else {
            return;
        };
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        let mut plain = kind.to_be_bytes().to_vec();
        plain.extend(length.to_be_bytes());
        plain.extend(bytes);
        match channel.seal(&plain) {
            Ok(sealed) => self.send_frame(&sealed),
            Err(_) => self.close(),
        }
    }

    /// A client without a key says a clear 0 first; it is told that there is nothing to hear for it.
    fn refuse_clear_text(&mut self) {
        if matches!(self.state, State::Hello) {
            self.send_frame(b"\x01Bad indicator byte");
        }
        self.close();
    }

    fn close(&mut self) {
        if matches!(
            core::mem::replace(&mut self.state, State::Closed),
            State::Closed
        ) {
            return;
        }
        self.ended(Ended::Failed);
        self.serve(false);
        self.outputs.push_back(Output::Close);
    }

    fn tell(&mut self, news: FromServer) {
        self.outputs.push_back(Output::Tell(news));
    }

    fn serve(&mut self, serves: bool) {
        if core::mem::replace(&mut self.serves, serves) != serves {
            self.tell(FromServer::Serves(serves));
        }
    }

    fn ended(&mut self, how: Ended) {
        if let Some(Asked { id, .. }) = self.asked.take() {
            self.tell(FromServer::Ended { id, how });
        }
    }

    fn hand_on(&mut self, id: u64, sound: Vec<i16>, now: Duration) {
        if !self.serves {
            let how = Ended::Failed;
            return self.tell(FromServer::Ended { id, how });
        }
        if self.asked.is_some() {
            self.ended(Ended::Silent);
            self.send(message::voice_request(false, ""));
        }
        self.asked = Some(Asked {
            id,
            until: now + ANSWER_MAX,
            sound,
            answering: false,
        });
        let wake_word = self.about.wake_word.clone();
        self.send(message::voice_request(true, &wake_word));
    }

    fn request(&mut self, request: Request, now: Duration) {
        let about = Arc::clone(&self.about);
        match request {
            Request::Hello { .. } => self.send(message::hello(&about.name)),
            Request::Authenticate => self.send(message::bare(4)),
            Request::Disconnect => {
                self.send(message::bare(6));
                self.close();
            }
            Request::Disconnected => self.close(),
            Request::Ping => self.send(message::bare(8)),
            Request::DeviceInfo => {
                let info = message::device_info(&about.name, &about.friendly_name, &about.mac);
                self.send(info);
            }
            Request::ListEntities => {
                self.send(message::binary_sensor(BUSY, "busy", "Busy"));
                self.send(message::bare(19));
            }
            Request::SubscribeStates => {
                self.follows = true;
                self.send(message::binary_state(BUSY, self.busy));
            }
            Request::SubscribeVoice { subscribe } => self.serve(subscribe),
            Request::VoiceConfiguration => {
                self.send(message::voice_configuration(&about.wake_word));
            }
            Request::VoiceResponse { error: true } => self.ended(Ended::Failed),
            Request::VoiceResponse { error: false } => self.send_utterance(),
            Request::VoiceEvent { event, data } => self.voice_event(event, &data, now),
            Request::Audio { data, .. } => {
                if let Some(incoming) = &mut self.incoming {
                    let left = SOUND_BYTES_MAX - incoming.len();
                    incoming.extend(data.iter().take(left));
                }
            }
            Request::Timer {
                event,
                id,
                name,
                total_seconds,
                seconds_left,
                active,
            } => {
                let timer = Timer {
                    id: id.clone(),
                    name: Some(name).filter(|name| !name.is_empty()),
                    seconds: (if event == 1 {
                        seconds_left
                    } else {
                        total_seconds
                    })
                    .into(),
                    active,
                };
                let change = match event {
                    0 | 1 => TimerChange::Set(timer),
                    2 => TimerChange::Cancelled(id),
                    3 => TimerChange::Finished(id),
                    _ => return,
                };
                if self.serves {
                    self.tell(FromServer::Timer(change));
                }
            }
            // Nothing is fetched from the network on somebody's word: the text is spoken, by our voice.
            Request::Announce { text, .. } if text.trim().is_empty() => {
                self.send(message::announced(false));
            }
            Request::Announce { text, .. } => self.play(Sound::Words(text), None, true),
            Request::Pong | Request::SetVoiceConfiguration | Request::Other(_) => {}
        }
    }

    fn send_utterance(&mut self) {
        let Some(asked) = &mut self.asked else {
            return;
        };
        let sound = core::mem::take(&mut asked.sound);
        if sound.is_empty() {
            return;
        }
        let tail = [0; TAIL_SAMPLES];
        for chunk in sound
            .chunks(CHUNK_SAMPLES)
            .chain(tail.chunks(CHUNK_SAMPLES))
        {
            self.send(message::audio(&bytes_of(chunk), false));
        }
        self.send(message::audio(&[], true));
    }

    fn voice_event(&mut self, event: VoiceEvent, data: &[(String, String)], now: Duration) {
        match event {
            VoiceEvent::Error => {
                let code = data.iter().find(|(name, _)| name == "code");
                self.ended(match code.map(|(_, code)| code.as_str()) {
                    Some("stt-no-text-recognized" | "no_intent_match") => Ended::NotUnderstood,
                    _ => Ended::Failed,
                });
            }
            VoiceEvent::TtsStart => {
                if let Some(asked) = &mut self.asked {
                    asked.answering = true;
                    asked.until = now + ANSWER_MAX;
                }
            }
            VoiceEvent::TtsStreamStart => self.incoming = Some(Vec::new()),
            VoiceEvent::TtsStreamEnd => {
                let Some(bytes) = self.incoming.take() else {
                    return;
                };
                let samples = bytes
                    .chunks_exact(2)
                    .map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
                let sound = Sound::Samples(samples.collect());
                let answers = self.asked.take().map(|asked| asked.id);
                if !bytes.is_empty() {
                    self.play(sound, answers, false);
                } else if let Some(id) = answers {
                    let how = Ended::Silent;
                    self.tell(FromServer::Ended { id, how });
                }
            }
            VoiceEvent::RunEnd => {
                // The sound of an answer may still be on its way.
                if self.asked.as_ref().is_some_and(|asked| !asked.answering) {
                    self.ended(Ended::Silent);
                }
            }
            VoiceEvent::SttEnd | VoiceEvent::Other(_) => {}
        }
    }

    fn play(&mut self, sound: Sound, answers: Option<u64>, told: bool) {
        if !self.serves || self.playing.len() >= PLAYS_MAX {
            if told {
                self.send(message::announced(false));
            }
            return;
        }
        self.last_token += 1;
        let token = self.last_token;
        self.playing.push_back((token, told));
        self.tell(FromServer::Play {
            token,
            answers,
            sound,
        });
    }
}
