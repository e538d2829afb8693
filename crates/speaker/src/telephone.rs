//! The telephone: the ordinary calls of a device, by way of its hub.
//!
//! ```text
//! intent ─► deciding ─► Deed ─► commands ─┐
//! SIP events ─► events ───────────────────┼─► calls ─► Output: say, tone, packet, record
//! room, packets ─► mixing, leg ───────────┘
//! ```
//! Sans-IO like the device around it, and beside the emergency call, which always wins: [`Telephone::stand_back`] ends
//! everything here. Nothing in here can make a permission to call for help, and there is no value by which it could dial
//! an emergency number ([`whom::Whom`]).
mod addressee;
mod answering;
mod arriving;
mod call;
mod choosing;
mod commands;
pub mod deciding;
pub mod directory;
mod events;
mod exchange;
mod holding;
mod leg;
mod mixing;
mod moving;
mod protecting;
mod registration;
pub mod screening;
mod showing;
mod transferring;
mod trust;
pub mod whom;
pub(crate) mod words;

use core::time::Duration;
use std::collections::VecDeque;
use std::net::SocketAddr;

use hearthline_ledger::Body as Entry;
use hearthline_media::Event;
use hearthline_media::secure::SecureOutput;
use hearthline_sip::endpoint::{CallHandle, Endpoint, Transport};
use hearthline_sip::tokens::Tokens;
use hearthline_voice::understand::Country;

pub use addressee::Addressee;
use call::Call;
pub use call::Party;
use choosing::Choice;
pub use deciding::{Deed, Facts};
pub use directory::{Directory, Name, Reach};
pub use exchange::{Output, Shows, Tone};
use leg::LegOutput;
pub use registration::HomeConfig;
use registration::{Home, Wire};
use screening::Screening;
use transferring::Transfers;
use trust::Trust;
pub use trust::{DeviceKeys, DeviceKeysError};

/// Calls at once.
pub const CALLS_MAX: usize = 4;
/// How long it rings at the other side.
pub const RINGING_MAX: Duration = Duration::from_secs(45);
/// How long it rings here: longer, for the caller's hub decides.
pub const RINGING_HERE_MAX: Duration = Duration::from_secs(60);
/// Missed calls that are remembered.
const MISSED_MAX: usize = 20;

/// A call that nobody took.
#[derive(Debug, Clone)]
struct Missed {
    party: Party,
    at: Duration,
}

/// The ordinary calls of a device.
pub struct Telephone {
    home: Option<Home>,
    trust: Option<Trust>,
    country: Country,
    tokens: Tokens,
    unix_time_at_zero: Duration,
    directory: Directory,
    calls: Vec<Call>,
    screening: Screening,
    dialled: Option<Party>,
    missed: VecDeque<Missed>,
    last_caller: Option<Party>,
    choice: Option<Choice>,
    chosen_addressee: Option<Addressee>,
    transfers: Transfers,
    /// The other sides hear nothing of the room, until it is taken back or no call stands.
    silenced: bool,
    emergency: bool,
    engaged: bool,
    tone: Option<Tone>,
    shown: Shows,
    outputs: VecDeque<Output>,
    timeout: Option<Duration>,
}

impl Telephone {
    /// A telephone of a device that belongs to no home yet.
    #[must_use]
    pub fn new(country: Country, tokens: Tokens, unix_time_at_zero: Duration) -> Self {
        Self {
            home: None,
            trust: None,
            country,
            tokens,
            unix_time_at_zero,
            directory: Directory::default(),
            calls: Vec::new(),
            screening: Screening::default(),
            dialled: None,
            missed: VecDeque::new(),
            last_caller: None,
            choice: None,
            chosen_addressee: None,
            transfers: Transfers::default(),
            silenced: false,
            emergency: false,
            engaged: false,
            tone: None,
            shown: Shows::Nothing,
            outputs: VecDeque::new(),
            timeout: None,
        }
    }

    /// Belongs to a home from now on: registers with its hub and stays registered.
    pub fn join(&mut self, config: HomeConfig, endpoint: &mut Endpoint, now: Duration) {
        self.screening = Screening::new(config.drop_in);
        self.trust = Some(Trust::new(config.keys.clone(), &config.known_keys));
        let mut home = Home::new(config);
        if let Err(error) = home.register(endpoint, now) {
            self.step(format!("not registered: {error}"));
            home.failed(None, now);
        }
        self.home = Some(home);
    }

    /// The names of the home, as the hub tells them.
    pub fn set_directory(&mut self, names: &[Name]) {
        self.directory = Directory::new(names, self.country);
    }

    /// Where calls stand, for the decision table.
    #[must_use]
    pub fn facts(&self) -> Facts {
        Facts {
            emergency: self.emergency,
            offered: self.calls.iter().any(Call::is_offered),
            going_out: self.calls.iter().any(Call::is_going_out),
            spoken: self.calls.iter().filter(|call| call.is_spoken()).count(),
            held: self.calls.iter().filter(|call| call.is_held()).count(),
        }
    }

    /// Whether any call exists.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.calls.is_empty() || self.choice.is_some()
    }

    /// Whether the hub holds our registration.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        self.home.as_ref().is_some_and(Home::stands)
    }

    /// Whether an answered call stands: its sound is in the room.
    #[must_use]
    pub fn is_on_call(&self) -> bool {
        self.calls.iter().any(Call::is_confirmed)
    }

    /// Where the hub is.
    #[must_use]
    pub fn hub(&self) -> Option<SocketAddr> {
        self.home.as_ref().map(|home| home.config.hub.remote)
    }

    /// Whether this device belongs to a home.
    #[must_use]
    pub fn belongs(&self) -> bool {
        self.home.is_some()
    }

    /// While the device asks about an emergency no call rings.
    pub fn set_engaged(&mut self, engaged: bool) {
        self.engaged = engaged;
    }

    /// An emergency call begins: everything here ends at once and silently, and nothing begins until
    /// [`Telephone::resume_service`]. Call it after the INVITE has left.
    pub fn stand_back(&mut self, endpoint: &mut Endpoint, now: Duration) {
        if core::mem::replace(&mut self.emergency, true) {
            return;
        }
        self.choice = None;
        self.forget_transfers();
        while let Some(handle) = self.calls.first().map(|call| call.handle) {
            let offered = self.calls.first().is_some_and(Call::is_offered);
            self.hang_up_call(handle, endpoint, now);
            if offered {
                self.step("a waiting call was turned away: the emergency call comes first".into());
            }
        }
        self.settle();
    }

    /// The emergency call is over.
    pub fn resume_service(&mut self) {
        self.emergency = false;
    }

    /// Sound of the room, 16 kHz.
    pub fn microphone(&mut self, samples: &[i16], now: Duration) {
        // Packets go on: the other side must not take us for gone.
        let silence = self.silenced.then(|| vec![0; samples.len()]);
        let samples = silence.as_deref().unwrap_or(samples);
        let mut joined: Vec<&mut Call> = self
            .calls
            .iter_mut()
            .filter(|call| call.joined && call.is_spoken())
            .collect();
        if joined.len() > 1 {
            let (played, sent) = mixing::mix(samples, &mut joined);
            for (call, sent) in joined.iter_mut().zip(sent) {
                if let Some(leg) = &mut call.leg {
                    leg.microphone(&sent, now);
                }
            }
            self.outputs.push_back(Output::Play(played));
            return;
        }
        for call in self.calls.iter_mut().filter(|call| call.is_spoken()) {
            if let Some(leg) = &mut call.leg {
                leg.microphone(samples, now);
            }
        }
    }

    /// A datagram on one of our ports for sound.
    pub fn packet(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8], now: Duration) {
        for call in &mut self.calls {
            call.packet(from, to, bytes, now);
        }
    }

    /// Bytes came by SIP.
    pub fn heard_from(&mut self, transport: Transport, remote: SocketAddr, now: Duration) {
        if let Some(home) = self.home.as_mut()
            && home.is_hub(transport, remote)
        {
            home.heard(&mut self.tokens, now);
        }
    }

    /// A SIP connection is gone. Calls go on: their sound does not need it, and their end makes a new one.
    pub fn connection_closed(&mut self, transport: Transport, remote: SocketAddr, now: Duration) {
        if let Some(home) = self.home.as_mut()
            && home.is_hub(transport, remote)
        {
            home.closed(&mut self.tokens, now);
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, endpoint: &mut Endpoint, now: Duration) {
        if let Some(home) = &mut self.home {
            let hub = home.config.hub.clone();
            match home.handle_timeout(endpoint, &mut self.tokens, now) {
                Some(Wire::Ping) => self.outputs.push_back(Output::Ping(hub)),
                Some(Wire::Close) => self.outputs.push_back(Output::Close {
                    transport: hub.transport,
                    remote: hub.remote,
                }),
                None => {}
            }
        }
        if self
            .choice
            .as_ref()
            .is_some_and(|choice| choice.ends_at() <= now)
        {
            self.choice = None;
        }
        for call in &mut self.calls {
            if let Some(leg) = &mut call.leg {
                leg.handle_timeout(now);
            }
            if let Some(way) = &mut call.way {
                way.handle_timeout(now);
            }
        }
        self.transfers_due(endpoint, now);
        let due = |at: Option<Duration>| at.is_some_and(|at| at <= now);
        let rung: Vec<CallHandle> = self
            .calls
            .iter()
            .filter(|call| call.is_offered() && due(call.ring_until))
            .map(|call| call.handle)
            .collect();
        for handle in rung {
            self.not_taken(handle, endpoint, now);
        }
        let changes: Vec<CallHandle> = self
            .calls
            .iter()
            .filter(|call| due(call.change_due))
            .map(|call| call.handle)
            .collect();
        for handle in changes {
            self.offer_change(handle, endpoint, now);
        }
        self.settle();
    }

    /// Lets the sound act; true when something happened.
    pub fn run(&mut self, endpoint: &mut Endpoint, now: Duration) -> bool {
        self.timeout = None;
        let mut moved = false;
        let mixing = self.calls.iter().filter(|call| call.joined).count() > 1;
        let mut protections = Vec::new();
        for call in &mut self.calls {
            let spoken = call.is_spoken();
            while let Some(way) = &mut call.way {
                match way.poll_output() {
                    SecureOutput::Transmit { from, to, bytes } => {
                        self.outputs.push_back(Output::Packet { from, to, bytes });
                        moved = true;
                    }
                    SecureOutput::Timeout(at) => {
                        self.timeout = [self.timeout, at].into_iter().flatten().min();
                        break;
                    }
                    _ => {}
                }
            }
            let Some(leg) = &mut call.leg else {
                continue;
            };
            let mut heard = Vec::new();
            loop {
                match leg.poll(now) {
                    Err(at) => {
                        self.timeout = [self.timeout, at].into_iter().flatten().min();
                        break;
                    }
                    Ok(LegOutput::Packet { from, to, bytes }) => {
                        self.outputs.push_back(Output::Packet { from, to, bytes });
                    }
                    Ok(LegOutput::Sound(samples)) => heard.extend(samples),
                    Ok(LegOutput::Protection(event)) => protections.push((call.handle, event)),
                    // Which key may be somebody's secret.
                    Ok(LegOutput::Event(Event::Digit { .. })) => {
                        let what = "a key was pressed there".to_owned();
                        self.outputs.push_back(Output::Step(what));
                    }
                    Ok(LegOutput::Event(event)) => {
                        self.outputs
                            .push_back(Output::Step(format!("sound: {event:?}")));
                    }
                }
                moved = true;
            }
            if heard.is_empty() || !spoken || self.emergency {
                continue;
            }
            if mixing && call.joined {
                call.hear(&heard);
            } else {
                self.outputs.push_back(Output::Play(heard));
            }
        }
        for (handle, event) in protections {
            self.protection(handle, event, endpoint, now);
        }
        moved
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Telephone::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let home = self.home.as_ref().and_then(Home::poll_timeout);
        let choice = self.choice.as_ref().map(Choice::ends_at);
        let calls = self
            .calls
            .iter()
            .flat_map(|call| {
                let ring = call.ring_until.filter(|_| call.is_offered());
                [ring, call.change_due]
            })
            .flatten();
        calls
            .chain(
                [self.timeout, home, choice, self.transfers.poll_timeout()]
                    .into_iter()
                    .flatten(),
            )
            .min()
    }

    fn call(&mut self, handle: CallHandle) -> Option<&mut Call> {
        self.calls.iter_mut().find(|call| call.handle == handle)
    }

    fn say(&mut self, text: impl Into<String>) {
        self.outputs.push_back(Output::Say(text.into()));
    }

    fn step(&mut self, what: String) {
        self.outputs.push_back(Output::Step(what));
    }

    fn record(&mut self, entry: impl Into<Entry>) {
        self.outputs.push_back(Output::Record(entry.into()));
    }

    /// A port that no call uses.
    fn free_port(&self) -> Option<SocketAddr> {
        let home = self.home.as_ref()?;
        let taken = |port: &SocketAddr| self.calls.iter().any(|call| call.port == *port);
        home.config.ports.iter().copied().find(|port| !taken(port))
    }
}
