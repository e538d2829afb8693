//! The way to the outside telephone network: a back-to-back user agent between the home and its lines.
//!
//! ```text
//! phone, speaker ─► switchboard ─ flow ─► home Endpoint ─┐ events, commands ┌─ outside Endpoint ─► line 1
//!                   (Proxy)                              └──── Gateway ─────┘                  ╲► line 2 …
//! ```
//! Two user agents and not one more hop of the proxy, because a line wants our account and its own digest, knows us by
//! its own numbers, and gives way to the next one in the middle of a call. To the switchboard the home side is one more
//! connection, in this process; it is known by that connection and by nothing that a message says. Session descriptions
//! pass through as they are: sound goes between the device and the line, not through the hub.
//!
//! `Gateway` is sans-IO: inputs go in, outputs come out; `run` has the sockets.
//!
//! *Emergencies.* A call for help exists here only as `help::Help`, which only an INVITE that came up the home's
//! connection makes; no line, contact, timer or message does. It goes to lines that were set up for drills, on this
//! machine, as the caller wrote it, and says that it is a drill.

pub mod config;
mod dialled;
mod finding;
mod health;
mod help;
mod incoming;
mod joined;
mod joining;
mod outgoing;
mod putting_through;
mod relay;
mod run;
mod standing;
#[cfg(test)]
mod tests;
pub(crate) mod text_keeping;
mod texts;
mod transfer;
mod trunk;
mod voicemail;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use hearthline_emergency::profile::EmergencyProfile;
use hearthline_sip::endpoint::{
    self, CallHandle, Credentials, Endpoint, Event, FailureCause, QueryHandle,
};
use hearthline_sip::target::{Target, Transport};
use hearthline_sip::{Host, Request, StatusCode};

pub use config::{LineSecret, LineTimers, LinesConfig, LinesFault, VOICEMAIL_AFTER, Voicemail};
pub(crate) use dialled::DialPlan;
pub(crate) use joined::{Between, BetweenStep};
pub(crate) use run::{Door, Lent, open};
pub(crate) use text_keeping::TextDesk;
pub(crate) use texts::{ComingText, GoingText, Keeping, NotSent};
pub(crate) use voicemail::{MAILBOX_USER, UNWANTED, diverted_line};

use crate::clock::UnixMs;
use crate::contact::Screening;
use crate::id::{ContactId, DeviceId, LineId};
use crate::line::{Line, LineHealth, LineTrouble};
use crate::number::Number;
use incoming::Incoming;
use outgoing::Outgoing;
use texts::Texts;
use trunk::Trunk;

/// Calls over lines at once.
const CALLS_MAX: usize = 256;
/// By this row the switchboard knows whose callback a call is. It comes from the gateway's connection alone and goes
/// no further.
pub(crate) const CALLBACK: &str = "Hearthline-Callback";
/// By this row the switchboard says that a caller is a child, who reaches allowed contacts alone; in a REFER it says `no`
/// of those who may have any number called. It goes no further.
pub(crate) const CONTACTS_ONLY: &str = "Hearthline-Contacts-Only";
/// By this row the switchboard knows that a telephone rings so that it is found. It comes from the gateway's connection
/// alone and goes no further.
pub(crate) const FINDING: &str = "Hearthline-Finding";
/// By this row we know our own calls when a line sends them back.
pub(crate) const LOOP: &str = "Hearthline-Loop";
/// How long after an emergency call its line's calls are taken for the call-taker's (RFC 6881 SP-35).
const CALLBACK_WINDOW: Duration = hearthline_emergency::call::CALLBACK_WINDOW;
/// Emergency calls that are remembered for a callback.
const HELPED_MAX: usize = 64;

/// What happens outside.
pub(crate) enum Input<'a> {
    /// A message from the switchboard.
    Home(&'a [u8]),
    /// From the lines' sockets.
    Outside(endpoint::Input<'a>),
    /// The lines or the contacts are these now.
    Setup(Box<Setup>),
    /// Let a telephone of the home ring, so that it is found.
    Find(DeviceId),
    /// Send a text.
    SendText(GoingText),
    /// What became of a text that came.
    TextKept(u64, Keeping),
    /// The time of the last [`Output::Timeout`] has come.
    Timeout,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Output {
    /// A message to the switchboard.
    Home(Vec<u8>),
    /// A message to a line.
    Transmit { target: Target, bytes: Vec<u8> },
    /// Close a connection of the lines' sockets.
    Close {
        transport: Transport,
        remote: std::net::SocketAddr,
    },
    /// What the record should know of a call.
    OnLine(OnLine),
    /// The same of a call between two far ends.
    Between(Between),
    /// Whether a line works has changed.
    Health {
        line: LineId,
        health: LineHealth,
        trouble: Option<LineTrouble>,
    },
    /// Whether a call for help would find a line.
    Ready(bool),
    /// A text came; its line waits for [`Input::TextKept`].
    TextCame(Box<ComingText>),
    /// A text went out, by which line, or did not.
    TextOver {
        id: u64,
        outcome: Result<LineId, NotSent>,
    },
    /// Nothing more until then.
    Timeout(Option<Duration>),
}

/// What the record should know of a call: by which line it goes, and who is at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OnLine {
    /// Call-ID of its dialog with the switchboard.
    pub(crate) call_id: String,
    pub(crate) line: LineId,
    pub(crate) number: Option<Number>,
    pub(crate) contact: Option<ContactId>,
}

/// The lines and who calls over them.
#[derive(Default)]
pub(crate) struct Setup {
    /// In their order.
    pub(crate) lines: Vec<LineSetup>,
    /// Contacts by number.
    pub(crate) book: HashMap<Number, Known>,
    /// Emergency calls of an earlier process whose callback may still come.
    pub(crate) helped: Vec<(LineId, DeviceId, Duration)>,
}

/// One line with its secret.
#[derive(Clone)]
pub(crate) struct LineSetup {
    pub(crate) line: Line,
    /// `Err`: it has an account whose password cannot be read.
    pub(crate) credentials: Result<Option<Credentials>, ()>,
}

/// A contact, by one of their numbers.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) contact: ContactId,
    pub(crate) name: String,
    pub(crate) screening: Screening,
}

/// How a gateway is set up.
pub(crate) struct GatewayConfig {
    /// The home's SIP domain.
    pub(crate) domain: Host,
    /// How numbers are dialled.
    pub(crate) plan: DialPlan,
    /// What call-takers are told of the home.
    pub(crate) profile: Option<EmergencyProfile>,
    /// Deadlines.
    pub(crate) timers: LineTimers,
    /// Names each line's contact, the same over restarts.
    pub(crate) secret: [u8; 32],
    /// Wall time at zero of the gateway's.
    pub(crate) wall: UnixMs,
    /// How long a call from outside rings before it goes to the mailbox; `None`: there is none.
    pub(crate) voicemail_after: Option<Duration>,
    /// Where the home's endpoint sends everything: the switchboard's end of the connection.
    pub(crate) switchboard: Target,
}

/// A call whose line may call back.
struct Helped {
    line: LineId,
    /// What the switchboard knows it by.
    mark: String,
    /// `None`: it goes on.
    until: Option<Duration>,
}

enum Call {
    Outgoing(Outgoing),
    Incoming(Incoming),
}

impl Call {
    fn next_timeout(&self) -> Option<Duration> {
        match self {
            Self::Outgoing(call) => call.next_timeout(),
            Self::Incoming(call) => call.next_timeout(),
        }
    }
}

/// Which side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Home,
    Outside,
}

/// The gateway.
pub(crate) struct Gateway {
    config: GatewayConfig,
    home: Endpoint,
    outside: Endpoint,
    trunks: Vec<Trunk>,
    book: HashMap<Number, Known>,
    calls: BTreeMap<u64, Call>,
    of_home: BTreeMap<CallHandle, u64>,
    of_outside: BTreeMap<CallHandle, u64>,
    /// What is known of the far ends, and calls that are moved to another device.
    beyond: BTreeMap<u64, transfer::Beyond>,
    moves: BTreeMap<u64, transfer::Move>,
    /// Calls that are being joined, and those that were.
    joinings: Vec<joining::Joining>,
    joined: BTreeMap<u64, joined::Joined>,
    /// Calls to numbers that others are to be joined with.
    onward: BTreeMap<u64, putting_through::Onward>,
    /// Calls whose line gets the device's session back once it has answered.
    turning_back: Vec<u64>,
    helped: VecDeque<Helped>,
    findings: Vec<finding::Finding>,
    texts: Texts,
    ready: bool,
    /// Registrations that are being taken back.
    leaving: usize,
    outputs: VecDeque<Output>,
    last: u64,
}

impl Gateway {
    /// Without lines.
    pub(crate) fn new(config: GatewayConfig, home: Endpoint, outside: Endpoint) -> Self {
        Self {
            config,
            home,
            outside,
            trunks: Vec::new(),
            book: HashMap::new(),
            calls: BTreeMap::new(),
            of_home: BTreeMap::new(),
            of_outside: BTreeMap::new(),
            beyond: BTreeMap::new(),
            moves: BTreeMap::new(),
            joinings: Vec::new(),
            joined: BTreeMap::new(),
            onward: BTreeMap::new(),
            turning_back: Vec::new(),
            helped: VecDeque::new(),
            findings: Vec::new(),
            texts: Texts::default(),
            ready: false,
            leaving: 0,
            outputs: VecDeque::new(),
            last: 0,
        }
    }

    /// Takes what happened. Drain [`Gateway::poll_output`] afterwards.
    pub(crate) fn handle_input(&mut self, input: Input<'_>, now: Duration) {
        match input {
            Input::Home(bytes) => {
                let remote = self.config.switchboard.remote;
                let input = endpoint::Input::Received {
                    transport: Transport::Tcp,
                    local: remote,
                    remote,
                    bytes,
                };
                self.home.handle_input(input, now);
            }
            Input::Outside(input) => self.outside.handle_input(input, now),
            Input::Setup(setup) => self.set_up(*setup, now),
            Input::Find(device) => self.find(device, now),
            Input::SendText(text) => self.send_text(text, now),
            Input::TextKept(id, keeping) => self.text_kept(id, keeping, now),
            Input::Timeout => {
                self.home.handle_input(endpoint::Input::Timeout, now);
                self.outside.handle_input(endpoint::Input::Timeout, now);
            }
        }
    }

    /// What is to be done, until it says [`Output::Timeout`].
    pub(crate) fn poll_output(&mut self, now: Duration) -> Output {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return output;
            }
            let home_at = match self.home.poll_output(now) {
                // Whatever a Route says: everything of the home goes by its one connection.
                endpoint::Output::Transmit { bytes, .. } => return Output::Home(bytes),
                endpoint::Output::Event(event) => {
                    self.home_event(event, now);
                    continue;
                }
                // The connection lies within this process.
                endpoint::Output::Close { .. } => continue,
                endpoint::Output::Timeout(at) => at,
            };
            let outside_at = match self.outside.poll_output(now) {
                endpoint::Output::Transmit { target, bytes } => {
                    return Output::Transmit { target, bytes };
                }
                endpoint::Output::Event(event) => {
                    self.outside_event(event, now);
                    continue;
                }
                endpoint::Output::Close { transport, remote } => {
                    return Output::Close { transport, remote };
                }
                endpoint::Output::Timeout(at) => at,
            };
            if self.run_timers(now) {
                continue;
            }
            let own = [home_at, outside_at, self.next_timeout()];
            return Output::Timeout(own.into_iter().flatten().min());
        }
    }

    /// Does what is due; whether anything was.
    fn run_timers(&mut self, now: Duration) -> bool {
        let due: Vec<u64> = self
            .calls
            .iter()
            .filter(|(_, call)| call.next_timeout().is_some_and(|at| at <= now))
            .map(|(id, _)| *id)
            .collect();
        let mut acted = !due.is_empty();
        for id in due {
            match self.calls.get(&id) {
                Some(Call::Outgoing(_)) => self.attempts_due(id, now),
                _ => self.unanswered(id, now),
            }
        }
        acted |= self.probes_due(now);
        acted |= self.joined_due(now);
        acted |= self.onward_due(now);
        acted |= self.findings_due(now);
        acted
    }

    fn next_timeout(&self) -> Option<Duration> {
        let calls = self.calls.values().filter_map(Call::next_timeout);
        let probes = self.trunks.iter().filter_map(Trunk::next_timeout);
        let joined = self.joined.values().map(joined::Joined::next_timeout);
        let onward = self.onward.values();
        let onward = onward.map(putting_through::Onward::next_timeout);
        let findings = self.next_finding();
        let all = calls.chain(probes).chain(joined).chain(onward);
        all.chain(findings).min()
    }

    fn next_id(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Whom the switchboard asks for by this name rings for a line.
    pub(crate) fn ring_user(line: LineId) -> String {
        format!("line-{line}")
    }

    fn home_event(&mut self, event: Event, now: Duration) {
        match event {
            Event::Incoming { call, request, .. } => match self.home.replaced_by(call) {
                Some(from) if !self.is_for_help(&request) => {
                    self.asked_to_take_over(call, from, &request, now);
                }
                _ => self.asked(call, *request, now),
            },
            other if self.finding_event(&other, now) => {}
            other => self.call_event(Side::Home, other, now),
        }
    }

    fn outside_event(&mut self, event: Event, now: Duration) {
        match event {
            Event::Incoming {
                call,
                request,
                source,
            } => self.rung(call, &request, &source, now),
            Event::Registered { registration, .. } => self.registered(registration, now),
            Event::Unregistered { .. } => self.leaving = self.leaving.saturating_sub(1),
            Event::RegistrationFailed {
                registration,
                cause,
                retry_at,
            } => self.not_registered(registration, &cause, retry_at, now),
            Event::Request {
                handle,
                request,
                source,
                ..
            } => self.text_came(handle, &request, &source, now),
            Event::QueryAnswered { query, response } => {
                self.told(query, Ok(response.status), now);
            }
            Event::QueryFailed { query, cause } => self.told(query, Err(&cause), now),
            other => self.call_event(Side::Outside, other, now),
        }
    }

    /// A line answered a question of ours, or did not: a text's, or whether it works.
    fn told(
        &mut self,
        query: QueryHandle,
        outcome: Result<StatusCode, &FailureCause>,
        now: Duration,
    ) {
        if !self.text_told(query, outcome, now) {
            self.probed(query, outcome, now);
        }
    }

    fn endpoint(&mut self, side: Side) -> &mut Endpoint {
        match side {
            Side::Home => &mut self.home,
            Side::Outside => &mut self.outside,
        }
    }

    fn trunk(&self, line: LineId) -> Option<&Trunk> {
        self.trunks.iter().find(|trunk| trunk.id() == line)
    }

    /// The call that is over here; its handles are forgotten.
    fn forget(&mut self, id: u64, now: Duration) {
        let Some(call) = self.calls.remove(&id) else {
            return;
        };
        self.of_home.retain(|_, own| *own != id);
        self.of_outside.retain(|_, own| *own != id);
        self.beyond.remove(&id);
        self.moves.remove(&id);
        self.turning_back.retain(|own| *own != id);
        if let Call::Outgoing(call) = call
            && call.help().is_some()
        {
            let until = now.saturating_add(CALLBACK_WINDOW);
            let mark = help::mark(&call.call_id);
            for helped in self.helped.iter_mut().filter(|helped| helped.mark == mark) {
                helped.until = Some(until);
            }
        }
    }

    fn call_of(&self, side: Side, handle: CallHandle) -> Option<u64> {
        match side {
            Side::Home => self.of_home.get(&handle).copied(),
            Side::Outside => self.of_outside.get(&handle).copied(),
        }
    }
}

/// The line whose call it is when the gateway asks for this user.
#[must_use]
pub fn line_called(user: &str) -> Option<LineId> {
    user.strip_prefix("line-")?.parse().ok()
}

/// The endpoint of one side. An emergency call is ended by nobody but its people, so no timer of a session ends a call
/// by itself; `standing` does it for others.
pub(crate) fn endpoint_config(
    seed: [u8; 32],
    local: Vec<(Transport, std::net::SocketAddr)>,
) -> endpoint::EndpointConfig {
    let mut config = endpoint::EndpointConfig::new(seed, local);
    config.user_agent = Some("Hearthline".to_owned());
    config.limits.calls_max = CALLS_MAX;
    // Over UDP a call holds its transactions for half a minute after it began: its INVITE with and without credentials,
    // its changes, its BYE (RFC 3261 section 17.1.1.2, RFC 6026).
    config.limits.client_transactions_max = CALLS_MAX * 16;
    config.limits.server_transactions_max = CALLS_MAX * 16;
    config.redirects = endpoint::RedirectPolicy::Surface;
    config.end_on_session_expiry = false;
    config
}

/// A body with its type; `None`: there is none.
fn body_of(headers: &hearthline_sip::Headers, body: &[u8]) -> Option<endpoint::Body> {
    let kind = headers.get_str(&hearthline_sip::HeaderName::ContentType)?;
    (!body.is_empty()).then(|| endpoint::Body::new(kind, body))
}

fn offer_of(request: &Request) -> Option<endpoint::Body> {
    body_of(&request.headers, &request.body)
}
