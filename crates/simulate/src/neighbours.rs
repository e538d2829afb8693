//! Several devices of one home, their hub, a call-taker, and a clock that only the world moves: ordinary calls.
mod agenda;
mod messages;
mod ports;
mod room;
mod wires;

use core::time::Duration;
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};

use hearthline_psap::{CallTaker, CallTakerConfig, call_taker};
use hearthline_sip::endpoint::{Input as SipInput, Transport};
use hearthline_sip::tokens::Tokens;
use hearthline_speaker::device::{Input, Output};
use hearthline_speaker::messages::Part;
use hearthline_speaker::telephone::screening::DropIn;
use hearthline_speaker::telephone::{DeviceKeys, Name};
use hearthline_voice::listen::Output as Hearing;
use hearthline_voice::understand::{Country, Intent};

pub use room::Room;

use self::ports::{call_ports, emergency_port};
use crate::enrolment::Authority;
use crate::home_api::HomeApi;
use crate::home_hub::{HUB, HomeHub};
use crate::network::{Faults, Network};
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
    /// The hub's HTTP API.
    pub api: HomeApi,
    on_its_way: VecDeque<messages::OnItsWay>,
    tokens: Tokens,
    authority: Authority,
    drop_in: DropIn,
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
            api: HomeApi::default(),
            on_its_way: VecDeque::new(),
            authority: Authority::new(),
            drop_in,
            rooms: Vec::new(),
            tokens,
        };
        for (index, name) in names.iter().enumerate() {
            let keys = home.authority.enrol(name, &home.authority);
            let room = Room::new(
                index,
                name,
                drop_in,
                &home.tokens,
                (keys, Vec::new()),
                Duration::ZERO,
            );
            home.rooms.push(room);
        }
        for index in 0..home.rooms.len() {
            home.drain(index);
        }
        home.api_is(true);
        home.run_for(Duration::from_secs(1));
        for room in &home.rooms {
            assert!(room.device.is_registered(), "{} registers", room.name);
        }
        home
    }

    /// The device of a room is another one from now on: of the same name, with another key, which the home's authority
    /// has signed or, for a stranger's, another authority.
    pub fn replace(&mut self, room: usize, stranger: bool) {
        let name = self.rooms[room].name.clone();
        let keys = if stranger {
            Authority::new().enrol(&name, &self.authority)
        } else {
            self.authority.enrol(&name, &self.authority)
        };
        self.begin(room, keys, Vec::new());
    }

    /// The device of a room is switched off and on.
    pub fn restart(&mut self, room: usize) {
        let keys = self.rooms[room].keys.clone();
        let known = self.rooms[room].known_keys.clone();
        self.begin(room, keys, known);
    }

    /// The device of a room begins anew with what its disk keeps of the others.
    fn begin(&mut self, room: usize, keys: DeviceKeys, known: Vec<u8>) {
        let name = self.rooms[room].name.clone();
        let tokens = self.tokens.fork(&format!("again at {:?}", self.now));
        let joins = (keys, known.clone());
        let outbox = core::mem::take(&mut self.rooms[room].outbox);
        let kept = core::mem::take(&mut self.rooms[room].kept);
        self.rooms[room] = Room::new(room, &name, self.drop_in, &tokens, joins, self.now);
        self.rooms[room].known_keys = known;
        self.rooms[room].outbox.clone_from(&outbox);
        self.rooms[room].device.restore_outbox(&outbox, self.now);
        if !kept.is_empty() {
            self.rooms[room].kept = kept;
            self.gets_agenda(room);
        }
        self.drain(room);
        self.api_is(self.hub.is_up);
        self.run_for(Duration::from_secs(1));
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

    /// The words of everything that was told in a room to its end.
    #[must_use]
    pub fn told(&self, room: usize) -> String {
        let parts = self.rooms[room].told.iter().flatten();
        let words = parts.filter_map(|part| match part {
            Part::Words(words) => Some(words.as_str()),
            _ => None,
        });
        words.collect::<Vec<_>>().join(" / ")
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

    /// Somebody in a room says the wake word and has not said more yet.
    pub fn wake(&mut self, room: usize) {
        let spoken = Spoken::after_wake_word("");
        for hearing in spoken.hearing(Country::UnitedStates, self.now) {
            if let Hearing::Wake(_) = hearing {
                self.input(room, Input::Hearing(hearing));
            }
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

    /// The network of a room's device changes: it has another address, and nothing reaches it at the one before. What was heard until
    /// now is forgotten.
    pub fn moves(&mut self, room: usize) {
        self.rooms[room].address += 1;
        let address = Ipv4Addr::new(127, 0, 0, self.rooms[room].address);
        self.rooms[room].sip.set_ip(address.into());
        let own = self.rooms[room].sip;
        let sip = vec![(Transport::Udp, own), (Transport::Tls, own)];
        let rtp = emergency_port(room, address, 0);
        for room in &mut self.rooms {
            room.played.clear();
        }
        let ports = call_ports(room, address);
        self.input(room, Input::Moved { ports, sip, rtp });
    }

    /// The hub is not there, and everybody's connection breaks.
    pub fn stop_hub(&mut self) {
        let hub: SocketAddr = HUB.parse().expect("an address");
        self.hub.is_up = false;
        self.hub.restart(self.now);
        self.network.unlisten(hub);
        self.api_is(false);
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
        self.api_is(true);
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
        let mut next = [self.network.next_at(), self.hub_at, self.messages_at()]
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
        self.messages_turn();
        while let Some(arrival) = self.network.arrived(now) {
            self.arrive(arrival);
        }
        self.taker.handle_timeout(now);
        self.drain_taker();
        self.hub.handle_timeout(now);
        self.drain_hub();
    }
}
