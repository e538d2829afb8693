//! The line, without sockets: to the home it is a SIP gateway on this machine, to the modem a client of ModemManager.
//!
//! ```text
//! SIP bytes ─► Endpoint ─► outgoing ─► CreateCall, Start ─┐
//!                 ▲           │ 180, 200, 486 …           ▼
//!                 │      the modem's call ◄──── D-Bus bytes, Connection
//!                 └─ INVITE ◄─ incoming ◄─ CallAdded ─────┘
//! RTP ─► media session ─► 8 kHz samples ─► the modem's sound device, and back
//! ```
//! Feed it with `handle_*`, drain [`ModemLine::poll_output`] until it says [`Output::Timeout`]. There is one call at a
//! time, as a modem has one voice channel. No emergency logic stands here: which number helps, which line is tried and
//! when it gives way is decided by whoever calls; this line only passes such a call on at once, whatever it thinks of
//! its network, and ends an ordinary call for it.

mod bus;
mod call;
mod config;
mod incoming;
mod media;
mod messages;
mod outcome;
mod outgoing;
mod output;
mod permit;
mod signals;
mod texts;

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use hearthline_sip::endpoint::{self, CallHandle, Endpoint, Event as Sip, Input};
use hearthline_sip::target::{Target, Transport};
use hearthline_sip::{HeaderName, Message, Response, StatusCode, parse_datagram};

pub use config::ModemConfig;
pub use output::{Event, Output, SoundPlace};

use crate::service::{Health, ModemFacts};
use crate::text_message::Allowance;
use bus::Bus;
use call::Call;
use texts::Texts;

/// Outputs that may wait; the oldest is dropped beyond.
const OUTPUTS_MAX: usize = 8_192;

/// A modem as a line.
pub struct ModemLine {
    config: ModemConfig,
    endpoint: Endpoint,
    bus: Option<Bus>,
    modem: Option<ModemFacts>,
    health: Health,
    call: Option<Call>,
    last_call: u64,
    /// Calls of the modem that are not ours to answer, by object: they were there before us, or wait behind another.
    arriving: BTreeMap<String, crate::service::CallFacts>,
    texts: Texts,
    allowance: Allowance,
    outputs: VecDeque<Output>,
    sip_at: Option<Duration>,
    media_at: Option<Duration>,
    outside_refused: u64,
}

impl ModemLine {
    /// A line whose bus is not connected yet.
    #[must_use]
    pub fn new(config: ModemConfig) -> Self {
        Self {
            endpoint: Endpoint::new(config.endpoint.clone()),
            bus: None,
            modem: None,
            health: Health::NoBus,
            call: None,
            last_call: 0,
            arriving: BTreeMap::new(),
            texts: Texts::default(),
            allowance: Allowance::default(),
            outputs: VecDeque::new(),
            sip_at: None,
            media_at: None,
            outside_refused: 0,
            config,
        }
    }

    /// SIP bytes, or news of a SIP transport.
    pub fn handle_sip(&mut self, input: Input<'_>, now: Duration) {
        if let Input::Received {
            transport,
            remote,
            bytes,
            ..
        } = input
        {
            if !remote.ip().is_loopback() {
                self.outside_refused += 1;
                return;
            }
            if transport == Transport::Udp && self.answer_question(bytes, remote) {
                return;
            }
        }
        self.endpoint.handle_input(input, now);
        self.pump(now);
    }

    /// A datagram on the media socket: RTP, or RTCP from the port above.
    pub fn handle_media(&mut self, rtcp: bool, from: SocketAddr, datagram: &[u8], now: Duration) {
        if let Some(media) = self.call.as_mut().and_then(|call| call.media.as_mut()) {
            media.handle(rtcp, from, datagram, now);
        }
        self.pump(now);
    }

    /// The time of the last [`Output::Timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.endpoint.handle_input(Input::Timeout, now);
        self.pump(now);
    }

    /// The next thing to do. Drain until [`Output::Timeout`].
    pub fn poll_output(&mut self, now: Duration) -> Output {
        if self.outputs.is_empty() {
            self.pump(now);
        }
        self.outputs
            .pop_front()
            .unwrap_or_else(|| Output::Timeout(self.deadline()))
    }

    /// Whether the line works.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health
    }

    /// What is known of the modem; `None`: there is none.
    #[must_use]
    pub fn modem(&self) -> Option<&ModemFacts> {
        self.modem.as_ref()
    }

    /// Whether a call is under way.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.call.is_some()
    }

    /// SIP from beyond loopback that was not answered.
    #[must_use]
    pub fn outside_refused(&self) -> u64 {
        self.outside_refused
    }

    /// Ends the call, if there is one: the program stops.
    pub fn hang_up(&mut self, now: Duration) {
        self.end_call(StatusCode::SERVICE_UNAVAILABLE, "the line was stopped", now);
        self.pump(now);
    }

    /// Does all that is due and collects all that comes out.
    fn pump(&mut self, now: Duration) {
        loop {
            self.run_due(now);
            let sip = self.drain_sip(now);
            let bus = self.drain_bus(now);
            if !sip && !bus {
                break;
            }
        }
        self.media_at = self.drain_media(now);
    }

    /// Whether anything came.
    fn drain_sip(&mut self, now: Duration) -> bool {
        let mut any = false;
        loop {
            match self.endpoint.poll_output(now) {
                endpoint::Output::Transmit { target, bytes } => {
                    self.push(Output::Sip { target, bytes });
                }
                endpoint::Output::Close { transport, remote } => {
                    self.push(Output::CloseStream { transport, remote });
                }
                endpoint::Output::Event(event) => self.on_sip(event, now),
                endpoint::Output::Timeout(at) => {
                    self.sip_at = at;
                    return any;
                }
            }
            any = true;
        }
    }

    fn deadline(&self) -> Option<Duration> {
        let call = self.call.as_ref().and_then(Call::next_timeout);
        let bus = self.bus.as_ref().and_then(Bus::next_timeout);
        [self.sip_at, self.media_at, call, bus, self.texts.again_at]
            .into_iter()
            .flatten()
            .min()
    }

    fn on_sip(&mut self, event: Sip, now: Duration) {
        match event {
            Sip::Incoming { call, request, .. } => self.on_invite(call, &request, now),
            Sip::Request {
                handle, request, ..
            } => self.on_request(handle, &request, now),
            Sip::QueryAnswered { query, response } => {
                self.on_told(query, Some(response.status), now);
            }
            Sip::QueryFailed { query, .. } => self.on_told(query, None, now),
            Sip::Progress { .. } | Sip::Confirmed { .. } => {}
            Sip::Answered { call, response } if self.is_current(call) => {
                self.on_home_answered(&response.headers, &response.body, now);
            }
            Sip::Failed { call, .. } if self.is_current(call) => {
                self.forget_sip();
                self.end_call(
                    StatusCode::TEMPORARILY_UNAVAILABLE,
                    "nobody answered at home",
                    now,
                );
            }
            Sip::Reinvite { call, request } | Sip::Update { call, request }
                if self.is_current(call) =>
            {
                self.on_reinvite(call, &request, now);
            }
            Sip::Ended { call, .. } if self.is_current(call) => {
                self.forget_sip();
                self.end_call(StatusCode::OK, "the home's side hung up", now);
            }
            _ => {}
        }
    }

    fn is_current(&self, handle: CallHandle) -> bool {
        self.call
            .as_ref()
            .is_some_and(|call| call.sip == Some(handle))
    }

    /// The SIP side is over; nothing more is said to it.
    fn forget_sip(&mut self) {
        if let Some(call) = &mut self.call {
            call.sip = None;
        }
    }

    /// Answers the question whether the line works (OPTIONS outside a call) where it does not; the endpoint would say
    /// yes. `true`: answered.
    fn answer_question(&mut self, bytes: &[u8], remote: SocketAddr) -> bool {
        if self.health.is_ready() || !bytes.starts_with(b"OPTIONS ") {
            return false;
        }
        let Ok(Message::Request(request)) =
            parse_datagram(bytes, &self.config.endpoint.message_limits)
        else {
            return false;
        };
        let outside_a_call = request.headers.to().is_ok_and(|to| to.tag().is_none());
        let Ok(mut via) = request.headers.top_via() else {
            return false;
        };
        if !outside_a_call {
            return false;
        }
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let mut response = Response::to_request(&request, status, Some("modem"));
        response.headers.push(
            HeaderName::Warning,
            outcome::warning(&self.health.to_string()),
        );
        let mut target = Target::new(Transport::Udp, remote);
        if !via.wants_rport() {
            target.remote.set_port(via.port.unwrap_or(5060));
        }
        via.set_source(remote.ip(), remote.port());
        if response.headers.set_top_via(&via).is_err() {
            return false;
        }
        let bytes = response.to_bytes();
        self.push(Output::Sip { target, bytes });
        true
    }

    /// Finds out anew whether the line works, and tells when that changed.
    fn judge(&mut self) {
        let found = match (&self.bus, &self.modem) {
            (None, _) => Health::NoBus,
            (Some(bus), _) if !bus.has_service() => Health::NoService,
            (Some(_), None) => Health::NoModem,
            (Some(bus), Some(modem)) => match bus.permit() {
                None => Health::NotAStandIn,
                Some(_) => modem.health(),
            },
        };
        if found != self.health {
            self.health = found;
            self.push(Output::Event(Event::Health(found)));
        }
    }

    fn push(&mut self, output: Output) {
        if self.outputs.len() >= OUTPUTS_MAX {
            self.outputs.pop_front();
        }
        self.outputs.push_back(output);
    }
}

impl core::fmt::Debug for ModemLine {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ModemLine")
            .field("health", &self.health)
            .field("busy", &self.is_busy())
            .finish_non_exhaustive()
    }
}
