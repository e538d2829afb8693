//! One caller in the mailbox: what is said to them, and what they say after the tone.

use core::time::Duration;
use std::net::SocketAddr;
use std::sync::Arc;

use hearthline_media::{
    Codec, FRAME, FRAME_SAMPLES, Output, SAMPLE_RATE_HZ, Session, SessionConfig,
};
use hearthline_sip::offer_answer::{self, Negotiated};

use crate::config::{GREETING_MAX, MailboxConfig, RECORDING_MAX, SPOKEN_MIN};
use crate::deposit::Left;

/// The tone: 1 kHz, 0.4 s.
const TONE: Duration = Duration::from_millis(400);
const TONE_HZ: f32 = 1_000.0;
/// Half of full scale.
const TONE_PEAK: f32 = 16_000.0;
/// Pause between greeting and tone, and before the greeting, until the way back stands.
const PAUSE: Duration = Duration::from_millis(300);
/// A frame of at least this power is speech; a quiet line lies below. About -42 dB of full scale.
const SPEECH_RMS: f32 = 260.0;

/// Where its packets go.
pub(crate) enum VisitOutput {
    Rtp(SocketAddr, Vec<u8>),
    Rtcp(SocketAddr, Vec<u8>),
    /// The recording is over; nobody has hung up yet.
    Over(Left),
}

/// One caller.
pub(crate) struct Visit {
    session: Session,
    remote: SocketAddr,
    /// Greeting and tone.
    said: Vec<i16>,
    position: usize,
    next_frame: Duration,
    recorded: Vec<i16>,
    recorded_max: usize,
    /// Frames in which somebody spoke.
    spoken: Duration,
    /// Silence since the last of them, or since the tone.
    silent: Duration,
    silence_max: Duration,
    over: bool,
}

impl Visit {
    /// `None`: there is nothing to talk by, or not on this machine.
    pub(crate) fn new(
        negotiated: &Negotiated,
        config: &MailboxConfig,
        seed: u64,
        now: Duration,
    ) -> Option<Self> {
        let address = negotiated.remote_address.ip();
        let address = address.filter(std::net::IpAddr::is_loopback)?;
        let codec = codec(negotiated.codec);
        let mut set_up = SessionConfig::new(codec, seed);
        set_up.payload_type = negotiated.payload_type;
        set_up.telephone_event_payload_type = negotiated.receive_telephone_event;
        if negotiated.receive_payload_type != negotiated.payload_type {
            set_up.also_receive = vec![(negotiated.receive_payload_type, codec)];
        }
        Some(Self {
            session: Session::new(set_up).ok()?,
            remote: SocketAddr::new(address, negotiated.remote_port),
            said: to_say(&config.greeting),
            position: 0,
            next_frame: now,
            recorded: Vec::new(),
            recorded_max: samples(config.recording_max.min(RECORDING_MAX)),
            spoken: Duration::ZERO,
            silent: Duration::ZERO,
            silence_max: config.silence_max,
            over: false,
        })
    }

    pub(crate) fn handle_rtp(&mut self, from: SocketAddr, datagram: &[u8], now: Duration) {
        if from.ip() == self.remote.ip() {
            self.session.handle_rtp(datagram, now);
        }
    }

    pub(crate) fn handle_rtcp(&mut self, from: SocketAddr, datagram: &[u8], now: Duration) {
        if from.ip() == self.remote.ip() {
            self.session.handle_rtcp(datagram, now);
        }
    }

    /// Says what is due, takes what was heard; when it wants to be called.
    pub(crate) fn drain(
        &mut self,
        now: Duration,
        mut each: impl FnMut(VisitOutput),
    ) -> Option<Duration> {
        // After a pause of the whole machine the rest is not made up for.
        if now.saturating_sub(self.next_frame) > Duration::from_secs(1) {
            self.next_frame = now;
        }
        while self.next_frame <= now {
            let mut frame = [0; FRAME_SAMPLES];
            let rest = self.said.get(self.position..).unwrap_or_default();
            let count = rest.len().min(FRAME_SAMPLES);
            frame[..count].copy_from_slice(&rest[..count]);
            self.position += count;
            self.session.handle_microphone(&frame, now);
            self.next_frame += FRAME;
        }
        let rtcp = SocketAddr::new(self.remote.ip(), self.remote.port().saturating_add(1));
        loop {
            match self.session.poll_output(now) {
                Output::Rtp(packet) => each(VisitOutput::Rtp(self.remote, packet)),
                Output::Rtcp(packet) => each(VisitOutput::Rtcp(rtcp, packet)),
                Output::Playout(heard) => {
                    if let Some(left) = self.hear(&heard) {
                        each(VisitOutput::Over(left));
                    }
                }
                Output::Event(_) => {}
                Output::Timeout(next) => return next.map(|next| next.min(self.next_frame)),
            }
        }
    }

    /// A frame of the caller's; what ends the recording, once.
    fn hear(&mut self, heard: &[i16]) -> Option<Left> {
        if self.position < self.said.len() || self.over {
            return None;
        }
        let room = self.recorded_max.saturating_sub(self.recorded.len());
        let taken = &heard[..heard.len().min(room)];
        self.recorded.extend_from_slice(taken);
        let frame = time(heard.len());
        if rms(heard) >= SPEECH_RMS {
            self.spoken += frame;
            self.silent = Duration::ZERO;
        } else {
            self.silent += frame;
        }
        let left = if self.recorded.len() >= self.recorded_max {
            Some(Left::Full)
        } else if self.silent >= self.silence_max {
            Some(Left::Silent)
        } else {
            None
        };
        self.over = left.is_some();
        left
    }

    /// What was recorded, without the silence at its end; `None`: nobody spoke.
    pub(crate) fn recorded(&mut self) -> Option<Vec<i16>> {
        if self.spoken < SPOKEN_MIN {
            return None;
        }
        let mut recorded = core::mem::take(&mut self.recorded);
        let silent = samples(self.silent.saturating_sub(PAUSE));
        recorded.truncate(recorded.len().saturating_sub(silent));
        Some(recorded)
    }
}

fn to_say(greeting: &Arc<[i16]>) -> Vec<i16> {
    let pause = samples(PAUSE);
    let mut said = vec![0; pause];
    let most = greeting.len().min(samples(GREETING_MAX));
    said.extend_from_slice(&greeting[..most]);
    if most > 0 {
        said.resize(said.len() + pause, 0);
    }
    let count = samples(TONE);
    said.extend((0..count).map(|at| {
        let turn = at as f32 * TONE_HZ / SAMPLE_RATE_HZ as f32;
        // Faded over 10 ms, so that it does not click.
        let edge = at.min(count - at) as f32 / (SAMPLE_RATE_HZ as f32 / 100.0);
        (TONE_PEAK * edge.min(1.0) * (turn * core::f32::consts::TAU).sin()) as i16
    }));
    said
}

fn samples(time: Duration) -> usize {
    usize::try_from(time.as_millis() * u128::from(SAMPLE_RATE_HZ) / 1_000).unwrap_or(usize::MAX)
}

fn time(samples: usize) -> Duration {
    let samples = u64::try_from(samples).unwrap_or(u64::MAX);
    Duration::from_micros(samples.saturating_mul(1_000_000) / u64::from(SAMPLE_RATE_HZ))
}

fn rms(frame: &[i16]) -> f32 {
    let power: f32 = frame.iter().map(|&sample| f32::from(sample).powi(2)).sum();
    (power / frame.len().max(1) as f32).sqrt()
}

fn codec(codec: offer_answer::Codec) -> Codec {
    match codec {
        offer_answer::Codec::Pcmu => Codec::Pcmu,
        offer_answer::Codec::Pcma => Codec::Pcma,
        offer_answer::Codec::G722 => Codec::G722,
    }
}
