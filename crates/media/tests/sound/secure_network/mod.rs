//! Two devices that call each other over DTLS-SRTP, and the network between them, in virtual time.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]
#![allow(clippy::disallowed_methods)] // one instant to count from; nothing waits for it

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use hearthline_media::secure::{
    DtlsRole, IceRole, SecureConfig, SecureEvent, SecureOutput, SecureTransport,
};
use hearthline_media::{Codec, Output, Session, SessionConfig};

use crate::signal::Dice;

pub const MS: Duration = Duration::from_millis(1);

/// What the network does to datagrams.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    pub loss: f64,
    pub duplicate: f64,
    pub delay_ms: u64,
    pub jitter_ms: u64,
}

/// A device's certificate and key.
pub fn identity() -> (Vec<u8>, Vec<u8>) {
    let pair = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::default();
    let certificate = params.self_signed(&pair).unwrap();
    (certificate.der().to_vec(), pair.serialize_der())
}

pub fn config(role: IceRole, address: SocketAddr, seed: u8) -> SecureConfig {
    let (certificate, private_key) = identity();
    SecureConfig {
        role,
        certificate,
        private_key: private_key.into(),
        addresses: vec![address],
        seed: [seed; 32],
        origin: Instant::now(),
    }
}

pub struct End {
    pub transport: SecureTransport,
    pub session: Session,
    pub address: SocketAddr,
    pub microphone: Vec<i16>,
    position: usize,
    pub heard: Vec<i16>,
    /// RTP that the session made, in the clear.
    pub spoken: Vec<Vec<u8>>,
    /// RTP that the transport let through.
    pub received: Vec<Vec<u8>>,
    pub reports: usize,
    pub events: Vec<(Duration, SecureEvent)>,
    /// How often the transport asked to be called.
    pub timeouts: usize,
}

impl End {
    pub fn new(config: SecureConfig, microphone: Vec<i16>, seed: u64) -> Self {
        let address = config.addresses[0];
        Self {
            transport: SecureTransport::new(config, Duration::ZERO).unwrap(),
            session: Session::new(SessionConfig::new(Codec::G722, seed)).unwrap(),
            address,
            microphone,
            position: 0,
            heard: Vec::new(),
            spoken: Vec::new(),
            received: Vec::new(),
            reports: 0,
            events: Vec::new(),
            timeouts: 0,
        }
    }

    pub fn when(&self, wanted: impl Fn(&SecureEvent) -> bool) -> Option<Duration> {
        let found = self.events.iter().find(|(_, event)| wanted(event));
        found.map(|(at, _)| *at)
    }

    pub fn connected(&self) -> Option<Duration> {
        self.when(|event| matches!(event, SecureEvent::Connected { .. }))
    }
}

/// One datagram in, those that go on out.
type Meddle = Box<dyn FnMut(&mut Dice, &[u8]) -> Vec<Vec<u8>>>;
type Flight = (SocketAddr, SocketAddr, Vec<u8>);

pub struct Call {
    pub ends: [End; 2],
    pub weather: Weather,
    pub now: Duration,
    pub dice: Dice,
    flying: BTreeMap<(Duration, u64), Flight>,
    launched: u64,
    /// Every datagram that left an end.
    pub capture: Vec<(SocketAddr, Vec<u8>)>,
    /// What the network does to a datagram before it arrives: nothing, more, or less.
    pub meddle: Meddle,
}

impl Call {
    pub fn new(near: End, far: End, weather: Weather, seed: u64) -> Self {
        Self {
            ends: [near, far],
            weather,
            now: Duration::ZERO,
            dice: Dice(seed),
            flying: BTreeMap::new(),
            launched: 0,
            capture: Vec::new(),
            meddle: Box::new(|_, bytes| vec![bytes.to_vec()]),
        }
    }

    /// Offer and answer: the answerer begins the handshake, as `a=setup:active` says.
    pub fn describe(&mut self) {
        let (offer, answer) = (
            self.ends[0].transport.local(),
            self.ends[1].transport.local(),
        );
        let now = self.now;
        let [near, far] = &mut self.ends;
        far.transport
            .set_remote(offer, DtlsRole::Client, now)
            .unwrap();
        near.transport
            .set_remote(answer, DtlsRole::Server, now)
            .unwrap();
    }

    pub fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.now < end {
            for side in 0..2 {
                self.turn(side);
            }
            while let Some(entry) = self.flying.first_entry()
                && entry.key().0 <= self.now
            {
                let (from, to, bytes) = entry.remove();
                let reached = self.ends.iter().position(|end| end.address == to);
                if let Some(side) = reached {
                    let now = self.now;
                    let transport = &mut self.ends[side].transport;
                    transport.handle_datagram(from, to, &bytes, now);
                    self.drain(side);
                }
            }
            self.now += MS;
        }
    }

    fn turn(&mut self, side: usize) {
        let now = self.now;
        let end = &mut self.ends[side];
        if now.as_millis().is_multiple_of(10) {
            let samples = &end.microphone[end.position..];
            let samples = &samples[..samples.len().min(160)];
            end.position += samples.len();
            end.session.handle_microphone(samples, now);
        }
        if let SecureOutput::Timeout(Some(at)) = self.drain(side)
            && at <= now
        {
            self.ends[side].transport.handle_timeout(now);
            self.ends[side].timeouts += 1;
            self.drain(side);
        }
    }

    fn drain(&mut self, side: usize) -> SecureOutput {
        let now = self.now;
        loop {
            let end = &mut self.ends[side];
            loop {
                match end.session.poll_output(now) {
                    Output::Rtp(packet) => {
                        let _ = end.transport.send_rtp(&packet);
                        end.spoken.push(packet);
                    }
                    Output::Rtcp(packet) => {
                        let _ = end.transport.send_rtcp(&packet);
                    }
                    Output::Playout(frame) => end.heard.extend(frame),
                    Output::Event(_) => {}
                    Output::Timeout(_) => break,
                }
            }
            match end.transport.poll_output() {
                SecureOutput::Transmit { from, to, bytes } => self.launch(from, to, &bytes),
                SecureOutput::Rtp(packet) => {
                    end.session.handle_rtp(&packet, now);
                    end.received.push(packet);
                }
                SecureOutput::Rtcp(packet) => {
                    end.session.handle_rtcp(&packet, now);
                    end.reports += 1;
                }
                SecureOutput::Event(event) => end.events.push((now, event)),
                timeout @ SecureOutput::Timeout(_) => return timeout,
            }
        }
    }

    fn launch(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        self.capture.push((from, bytes.to_vec()));
        let weather = self.weather;
        for bytes in (self.meddle)(&mut self.dice, bytes) {
            if self.dice.unit() < weather.loss {
                continue;
            }
            let copies = 1 + u32::from(self.dice.unit() < weather.duplicate);
            for _ in 0..copies {
                let jitter = (self.dice.unit() * (weather.jitter_ms as f64 + 0.999)) as u32;
                let arrival = self.now + MS * (weather.delay_ms as u32 + jitter);
                self.launched += 1;
                self.flying
                    .insert((arrival, self.launched), (from, to, bytes.clone()));
            }
        }
    }
}
