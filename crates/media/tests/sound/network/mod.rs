//! Two sessions and the network between them, in virtual time from one seed.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use core::time::Duration;
use std::collections::BTreeMap;

use hearthline_media::{Event, Output, Session, SessionConfig};

use crate::signal::Dice;

pub const MS: Duration = Duration::from_millis(1);

/// What one direction does to packets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    pub loss: f64,
    pub duplicate: f64,
    pub delay_ms: u64,
    pub jitter_ms: u64,
}

/// One end: what it hears, says and has to tell.
pub struct End {
    pub session: Session,
    pub microphone: Vec<i16>,
    pub position: usize,
    /// Whether the microphone works at this time.
    pub microphone_works: bool,
    pub heard: Vec<i16>,
    pub events: Vec<(Duration, Event)>,
    pub sent: Vec<(Duration, Vec<u8>)>,
    pub reports: Vec<Vec<u8>>,
}

impl End {
    pub fn new(config: SessionConfig, microphone: Vec<i16>) -> Self {
        Self {
            session: Session::new(config).unwrap(),
            microphone,
            position: 0,
            microphone_works: true,
            heard: Vec::new(),
            events: Vec::new(),
            sent: Vec::new(),
            reports: Vec::new(),
        }
    }

    pub fn has(&self, wanted: &Event) -> bool {
        self.events.iter().any(|(_, event)| event == wanted)
    }
}

pub struct Call {
    pub near: End,
    pub far: End,
    /// Near to far, far to near.
    pub weather: [Weather; 2],
    pub now: Duration,
    dice: Dice,
    flying: BTreeMap<(Duration, u64), (usize, bool, Vec<u8>)>,
    launched: u64,
}

impl Call {
    pub fn new(near: End, far: End, weather: Weather, seed: u64) -> Self {
        Self {
            near,
            far,
            weather: [weather; 2],
            now: Duration::ZERO,
            dice: Dice(seed),
            flying: BTreeMap::new(),
            launched: 0,
        }
    }

    /// Runs for so long, a millisecond at a time; microphones deliver 10 ms pieces.
    pub fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.now < end {
            let piece = self.now.as_millis().is_multiple_of(10);
            for side in 0..2 {
                let now = self.now;
                let own = if side == 0 {
                    &mut self.near
                } else {
                    &mut self.far
                };
                if piece {
                    let samples = &own.microphone[own.position..];
                    let samples = &samples[..samples.len().min(160)];
                    own.position += samples.len();
                    if own.microphone_works && !samples.is_empty() {
                        own.session.handle_microphone(samples, now);
                    }
                }
                self.drain(side);
            }
            while let Some(entry) = self.flying.first_entry()
                && entry.key().0 <= self.now
            {
                let (to, rtp, packet) = entry.remove();
                let session = if to == 0 {
                    &mut self.near.session
                } else {
                    &mut self.far.session
                };
                if rtp {
                    session.handle_rtp(&packet, self.now);
                } else {
                    session.handle_rtcp(&packet, self.now);
                }
                self.drain(to);
            }
            self.now += MS;
        }
    }

    pub fn drain(&mut self, side: usize) {
        loop {
            let end = if side == 0 {
                &mut self.near
            } else {
                &mut self.far
            };
            match end.session.poll_output(self.now) {
                Output::Rtp(packet) => {
                    end.sent.push((self.now, packet.clone()));
                    self.launch(side, true, &packet);
                }
                Output::Rtcp(packet) => {
                    end.reports.push(packet.clone());
                    self.launch(side, false, &packet);
                }
                Output::Playout(frame) => end.heard.extend(frame),
                Output::Event(event) => end.events.push((self.now, event)),
                Output::Timeout(_) => break,
            }
        }
    }

    fn launch(&mut self, from: usize, rtp: bool, packet: &[u8]) {
        let weather = self.weather[from];
        if self.dice.unit() < weather.loss {
            return;
        }
        let copies = 1 + u32::from(self.dice.unit() < weather.duplicate);
        for _ in 0..copies {
            let jitter = (self.dice.unit() * (weather.jitter_ms as f64 + 0.999)) as u32;
            let arrival = self.now + MS * (weather.delay_ms as u32 + jitter);
            self.launched += 1;
            self.flying
                .insert((arrival, self.launched), (1 - from, rtp, packet.to_vec()));
        }
    }
}
