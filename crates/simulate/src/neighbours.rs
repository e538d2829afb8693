//! Several devices of one home, their hub, a call-taker, and a clock that only the world moves: ordinary calls.
mod ports;
mod room;

use core::time::Duration;
use std::net::SocketAddr;

use hearthline_psap::{CallTaker, CallTakerConfig, call_taker};
use hearthline_sip::endpoint::{Input as SipInput, Target, Transport};
use hearthline_sip::tokens::Tokens;
use hearthline_speaker::device::{Input, Output};
use hearthline_speaker::record::Keep;
use hearthline_speaker::telephone::Name;
use hearthline_speaker::telephone::screening::DropIn;
use hearthline_voice::listen::Output as Hearing;
use hearthline_voice::understand::{Country, Intent};

use ports::{Port, emergency_port, port_of};
pub use room::Room;

use crate::home_hub::{HUB, HomeHub};
use crate::network::{Arrival, Faults, Network};
use crate::spoken::Spoken;

const FRAME: Duration = Duration::from_millis(20);
const SPEECH_PER_CHARACTER: Duration = Duration::from_millis(60);
/// The call-taker of every room's one line.
const TAKER: &str = "127.0.0.1:5100";

/// The home.
pub struct Neighbours {
    now: Duration,
    network: Network,
    taker: CallTaker,
    /// The hub.
    pub hub: HomeHub,
    hub_at: Option<Duration>,
    /// The rooms.
    pub rooms: Vec<Room>,
}

impl Neighbours {
    /// A home whose rooms have these names; every device has registered with the hub.
    ///
    /// # Panics
    /// When a device does not register within a second.
    #[must_use]
    pub fn new(seed: u8, names: &[&str]) -> Self {
        Self::with(seed, names, Faults::default(), DropIn::Never)
    }

    /// The same with a worse network and with devices that let others in.
    ///
    /// # Panics
    /// As [`Neighbours::new`].
    #[must_use]
    pub fn with(seed: u8, names: &[&str], faults: Faults, drop_in: DropIn) -> Self {
        let tokens = Tokens::from_seed([seed; 32]);
        let mut network = Network::new(faults, tokens.fork("network"));
        network.listen(Transport::Tls, HUB.parse().expect("an address"));
        let taker: SocketAddr = TAKER.parse().expect("an address");
        let ports = (0..16).map(|call| 41_000 + 2 * call).collect();
        let seed = tokens.fork("taker").next_bytes();
        let local = vec![(Transport::Udp, taker)];
        let mut home = Self {
            now: Duration::ZERO,
            network,
            taker: CallTaker::new(CallTakerConfig::new(seed, local, ports)),
            hub: HomeHub::new(&tokens),
            hub_at: None,
            rooms: Vec::new(),
        };
        for (index, name) in names.iter().enumerate() {
            home.rooms.push(Room::new(index, name, drop_in, &tokens));
        }
        for index in 0..home.rooms.len() {
            home.drain(index);
        }
        home.run_for(Duration::from_secs(1));
        for room in &home.rooms {
            assert!(room.device.is_registered(), "{} registers", room.name);
        }
        home
    }

    /// Virtual time.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    /// The call-taker.
    #[must_use]
    pub fn taker(&self) -> &CallTaker {
        &self.taker
    }

    /// Everybody knows these names from now on.
    pub fn publish(&mut self, names: &[Name]) {
        for index in 0..self.rooms.len() {
            self.input(index, Input::Directory(names.to_vec()));
        }
    }

    /// Somebody in a room says something that means this intent.
    pub fn intend(&mut self, room: usize, name: &str, slots: &[(&str, &str)]) {
        let intent = Intent {
            name: name.into(),
            slots: slots
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        let spoken = Spoken::after_wake_word(name);
        for hearing in spoken.meaning(&intent, Country::UnitedStates, self.now) {
            self.input(room, Input::Hearing(hearing));
        }
    }

    /// Somebody in a room says this.
    pub fn say(&mut self, room: usize, spoken: &Spoken) {
        let listens = self.rooms[room]
            .reply_until
            .is_some_and(|until| self.now <= until);
        if spoken.wake || (spoken.as_reply && listens) {
            self.rooms[room].reply_until = None;
            for hearing in spoken.hearing(Country::UnitedStates, self.now) {
                self.input(room, Input::Hearing(hearing));
            }
        }
    }

    /// The hub is not there, and everybody's connection breaks.
    pub fn stop_hub(&mut self) {
        let hub: SocketAddr = HUB.parse().expect("an address");
        self.hub.is_up = false;
        self.hub.restart(self.now);
        self.network.unlisten(hub);
        for index in 0..self.rooms.len() {
            let closed = SipInput::StreamClosed {
                transport: Transport::Tls,
                remote: hub,
            };
            self.input(index, Input::Sip(closed));
        }
    }

    /// The hub is there again.
    pub fn start_hub(&mut self) {
        self.hub.is_up = true;
        self.network
            .listen(Transport::Tls, HUB.parse().expect("an address"));
    }

    /// Lets so much time pass.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.next_event().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.turn();
        }
        self.now = end;
    }

    /// Lets time pass until `done`, at most so long; true when it came about.
    pub fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now + limit;
        while !done(self) {
            match self.next_event().filter(|next| *next <= end) {
                Some(next) => {
                    self.now = self.now.max(next);
                    self.turn();
                }
                None => return false,
            }
        }
        true
    }

    /// A digest of all that the devices put out.
    #[must_use]
    pub fn digest(&self) -> Vec<[u8; 32]> {
        self.rooms.iter().map(|room| room.digests.value()).collect()
    }

    fn next_event(&mut self) -> Option<Duration> {
        let mut next = [self.network.next_at(), self.hub_at]
            .into_iter()
            .flatten()
            .min();
        let mut earlier = |at: Option<Duration>| {
            next = [next, at].into_iter().flatten().min();
        };
        match self.taker.poll_output(self.now) {
            call_taker::Output::Timeout(at) => earlier(at),
            other => unreachable!("drained, yet {other:?}"),
        }
        for room in &mut self.rooms {
            match room.device.poll_output() {
                Output::Timeout(at) => earlier(at),
                other => unreachable!("drained, yet {other:?}"),
            }
            earlier(Some(room.next_frame));
            earlier(room.speech_until);
            earlier(room.reply_until);
        }
        next
    }

    fn turn(&mut self) {
        let now = self.now;
        for index in 0..self.rooms.len() {
            let room = &mut self.rooms[index];
            if room.next_frame <= now {
                room.next_frame += FRAME;
                let samples = room.frame();
                self.input(index, Input::Microphone(&samples));
            }
            let room = &mut self.rooms[index];
            if room.speech_until.is_some_and(|until| until <= now) {
                room.speech_until = None;
                self.input(index, Input::SpeechEnded);
            }
            let room = &mut self.rooms[index];
            if room.reply_until.is_some_and(|until| until <= now) {
                room.reply_until = None;
                let at = hearthline_voice::clock::SampleIndex(0);
                self.input(index, Input::Hearing(Hearing::NoSpeech { at }));
            }
            self.input(index, Input::Timeout);
        }
        while let Some(arrival) = self.network.arrived(now) {
            self.arrive(arrival);
        }
        self.taker.handle_timeout(now);
        self.drain_taker();
        self.hub.handle_timeout(now);
        self.drain_hub();
    }

    fn arrive(&mut self, arrival: Arrival) {
        let hub: SocketAddr = HUB.parse().expect("an address");
        let taker: SocketAddr = TAKER.parse().expect("an address");
        match arrival {
            Arrival::Sip {
                from, to, bytes, ..
            } if to == hub => {
                self.hub.receive(from, &bytes, self.now);
                self.drain_hub();
            }
            Arrival::Sip {
                transport,
                from,
                to,
                bytes,
            } if to == taker => {
                let input = SipInput::Received {
                    transport,
                    local: to,
                    remote: from,
                    bytes: &bytes,
                };
                self.taker.handle_sip(input, self.now);
                self.drain_taker();
            }
            Arrival::Sip {
                transport,
                from,
                to,
                bytes,
            } => {
                if let Some(index) = self.rooms.iter().position(|room| room.sip == to) {
                    let line = first_line(&bytes);
                    self.rooms[index].received.push((self.now, line));
                    let input = SipInput::Received {
                        transport,
                        local: to,
                        remote: from,
                        bytes: &bytes,
                    };
                    self.input(index, Input::Sip(input));
                }
            }
            Arrival::Media { from, to, bytes } => match port_of(to) {
                Port::Call(room) if room < self.rooms.len() => {
                    self.input(room, Input::Media { to, bytes: &bytes });
                }
                Port::Emergency(room, false) if room < self.rooms.len() => {
                    self.input(room, Input::Rtp(&bytes));
                }
                Port::Emergency(room, true) if room < self.rooms.len() => {
                    self.input(room, Input::Rtcp(&bytes));
                }
                Port::Taker => {
                    self.taker.handle_media(to.port(), from, &bytes, self.now);
                    self.drain_taker();
                }
                _ => {}
            },
            Arrival::Refused {
                transport,
                from,
                to,
            } => {
                if let Some(index) = self.rooms.iter().position(|room| room.sip == from) {
                    let target = Target::new(transport, to);
                    let input = SipInput::TransportFailed { target: &target };
                    self.input(index, Input::Sip(input));
                }
            }
        }
    }

    fn input(&mut self, index: usize, input: Input<'_>) {
        let now = self.now;
        self.rooms[index].device.handle(input, now);
        self.drain(index);
    }

    fn drain(&mut self, index: usize) {
        let mut durable = Vec::new();
        loop {
            let room = &mut self.rooms[index];
            let output = room.device.poll_output();
            if matches!(output, Output::Timeout(_)) {
                break;
            }
            room.digests.push(&output);
            let from = room.sip;
            match output {
                Output::Sip { target, bytes } => {
                    room.sent.push((self.now, first_line(&bytes)));
                    let arrival = Arrival::Sip {
                        transport: target.transport,
                        from,
                        to: target.remote,
                        bytes,
                    };
                    self.network.send(arrival, self.now);
                }
                Output::Media { from, to, bytes } => {
                    self.network
                        .send(Arrival::Media { from, to, bytes }, self.now);
                }
                Output::Rtp { to, bytes } => {
                    let from = emergency_port(index, 0);
                    self.network
                        .send(Arrival::Media { from, to, bytes }, self.now);
                }
                Output::Rtcp { to, bytes } => {
                    let from = emergency_port(index, 1);
                    self.network
                        .send(Arrival::Media { from, to, bytes }, self.now);
                }
                Output::Keep(Keep::Entry { seq, bytes }) => {
                    room.log.extend_from_slice(&bytes);
                    durable.extend(seq);
                }
                Output::Say(text) => {
                    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
                    room.speech_until = Some(self.now + SPEECH_PER_CHARACTER * length);
                    room.said.push(text);
                }
                Output::Hush => room.speech_until = None,
                Output::Play(samples) => room.played.extend(samples),
                Output::Tone(tone) => room.tones.push(tone),
                Output::Volume(percent) => room.volumes.push(percent),
                Output::Light(light) => room.lights.push(light),
                Output::ListenForReply { ms } => {
                    room.reply_until = Some(self.now + Duration::from_millis(u64::from(ms)));
                }
                Output::Step(step) => room.steps.push((self.now, step)),
                Output::Post { .. }
                | Output::Keep(Keep::Audio { .. })
                | Output::KeepLostCache(_)
                | Output::KnowNames(_)
                | Output::CloseStream { .. }
                | Output::Timeout(_) => {}
            }
        }
        for seq in durable {
            self.input(index, Input::Durable { seq });
        }
    }

    fn drain_hub(&mut self) {
        let (sent, at) = self.hub.drain(self.now);
        self.hub_at = at;
        for (to, bytes) in sent {
            let arrival = Arrival::Sip {
                transport: Transport::Tls,
                from: HUB.parse().expect("an address"),
                to,
                bytes,
            };
            self.network.send(arrival, self.now);
        }
    }

    fn drain_taker(&mut self) {
        let sip: SocketAddr = TAKER.parse().expect("an address");
        loop {
            let arrival = match self.taker.poll_output(self.now) {
                call_taker::Output::Timeout(_) => return,
                call_taker::Output::Sip { target, bytes } => Arrival::Sip {
                    transport: target.transport,
                    from: sip,
                    to: target.remote,
                    bytes,
                },
                call_taker::Output::Media { port, to, bytes } => Arrival::Media {
                    from: SocketAddr::new(sip.ip(), port),
                    to,
                    bytes,
                },
                _ => continue,
            };
            self.network.send(arrival, self.now);
        }
    }
}

fn first_line(bytes: &[u8]) -> String {
    let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or(&[]);
    String::from_utf8_lossy(line).into_owned()
}
