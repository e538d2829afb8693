//! The mailbox without sockets and clock: SIP and media in, deposits out.

use core::time::Duration;
use std::collections::VecDeque;
use std::net::SocketAddr;

use hearthline_sip::endpoint::{
    self, Body, CallHandle, Endpoint, EndpointConfig, Event, Input, Refusal,
};
use hearthline_sip::multipart::{MultipartLimits, find_by_type, parts_of};
use hearthline_sip::offer_answer::{self, LocalAudio, Negotiated};
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::target::{Target, Transport};
use hearthline_sip::tokens::Tokens;
use hearthline_sip::{HeaderName, Headers, NameAddr, Request, StatusCode, Uri};

use crate::config::{MailboxConfig, VISITS_MAX};
use crate::deposit::{Deposit, Left};
use crate::visit::{Visit, VisitOutput};

/// Longest user part that says whose a call is, in bytes.
const WHOSE_BYTES_MAX: usize = 128;

/// What is to be done.
#[derive(Debug)]
pub enum Output {
    /// Send this SIP message.
    Sip {
        /// Where to.
        target: Target,
        /// One whole message.
        bytes: Vec<u8>,
    },
    /// Close this connection.
    CloseStream {
        /// By which transport.
        transport: Transport,
        /// The peer's address.
        remote: SocketAddr,
    },
    /// Send this from the media socket `port`.
    Media {
        /// Which socket.
        port: u16,
        /// Where to.
        to: SocketAddr,
        /// RTP or RTCP.
        bytes: Vec<u8>,
    },
    /// Somebody left a message.
    Taken(Box<Deposit>),
    /// Nothing more until then.
    Timeout(Option<Duration>),
}

/// One call.
struct Call {
    handle: CallHandle,
    port: u16,
    whose: String,
    from: NameAddr,
    call_id: String,
    /// Our offer, whose answer comes with the ACK.
    offered: Option<SessionDescription>,
    visit: Option<Visit>,
    left: Left,
}

/// The mailbox.
pub struct Mailbox {
    config: MailboxConfig,
    endpoint: Endpoint,
    tokens: Tokens,
    free_ports: VecDeque<u16>,
    calls: Vec<Call>,
    outputs: VecDeque<Output>,
    deadline: Option<Duration>,
}

impl Mailbox {
    /// Without callers. `local`: where SIP is received; `ports`: even media ports, each with the one above it.
    #[must_use]
    pub fn new(
        config: MailboxConfig,
        seed: [u8; 32],
        local: Vec<(Transport, SocketAddr)>,
        ports: Vec<u16>,
    ) -> Self {
        let tokens = Tokens::from_seed(seed);
        let mut set_up = EndpointConfig::new(tokens.fork("sip").next_bytes(), local);
        set_up.user_agent = Some("Hearthline mailbox".to_owned());
        set_up.contact_user = Some("mailbox".to_owned());
        set_up.limits.calls_max = 2 * VISITS_MAX;
        Self {
            endpoint: Endpoint::new(set_up),
            tokens: tokens.fork("media"),
            free_ports: ports
                .into_iter()
                .take(config.visits_max.min(VISITS_MAX))
                .collect(),
            calls: Vec::new(),
            outputs: VecDeque::new(),
            deadline: None,
            config,
        }
    }

    /// SIP bytes, or news of a SIP transport. Drain [`Mailbox::poll_output`] afterwards.
    pub fn handle_sip(&mut self, input: Input<'_>, now: Duration) {
        if let Input::Received { remote, .. } = input
            && !remote.ip().is_loopback()
        {
            return;
        }
        self.endpoint.handle_input(input, now);
        self.pump(now);
    }

    /// A datagram on the media socket `port` (RTP) or `port + 1` (RTCP).
    pub fn handle_media(&mut self, port: u16, from: SocketAddr, datagram: &[u8], now: Duration) {
        let call = self
            .calls
            .iter_mut()
            .find(|call| call.port == port || call.port.checked_add(1) == Some(port));
        if let Some(call) = call
            && let Some(visit) = &mut call.visit
        {
            if call.port == port {
                visit.handle_rtp(from, datagram, now);
            } else {
                visit.handle_rtcp(from, datagram, now);
            }
        }
        self.pump(now);
    }

    /// The time of the last [`Output::Timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.endpoint.handle_input(Input::Timeout, now);
        self.pump(now);
    }

    /// What is to be done, until it says [`Output::Timeout`].
    pub fn poll_output(&mut self, now: Duration) -> Output {
        if self.outputs.is_empty() {
            self.pump(now);
        }
        let next = self.outputs.pop_front();
        next.unwrap_or(Output::Timeout(self.deadline))
    }

    /// Ends every call; what was said so far is kept.
    pub fn close(&mut self, now: Duration) {
        let handles: Vec<CallHandle> = self.calls.iter().map(|call| call.handle).collect();
        for handle in handles {
            // It may be over already.
            let _ = self.endpoint.bye(handle, None, now);
        }
        self.pump(now);
    }

    fn pump(&mut self, now: Duration) {
        loop {
            let media_at = self.drain_media(now);
            let mut happened = false;
            let sip_at = loop {
                match self.endpoint.poll_output(now) {
                    endpoint::Output::Transmit { target, bytes } => {
                        self.outputs.push_back(Output::Sip { target, bytes });
                    }
                    endpoint::Output::Close { transport, remote } => self
                        .outputs
                        .push_back(Output::CloseStream { transport, remote }),
                    endpoint::Output::Event(event) => {
                        happened = true;
                        self.on_event(event, now);
                    }
                    endpoint::Output::Timeout(at) => break at,
                }
            };
            if !happened {
                self.deadline = [media_at, sip_at].into_iter().flatten().min();
                return;
            }
        }
    }

    fn drain_media(&mut self, now: Duration) -> Option<Duration> {
        let mut next: Option<Duration> = None;
        let mut over = Vec::new();
        for call in &mut self.calls {
            let Some(visit) = &mut call.visit else {
                continue;
            };
            let (port, outputs) = (call.port, &mut self.outputs);
            let mut ended = None;
            let at = visit.drain(now, |output| match output {
                VisitOutput::Rtp(to, bytes) => outputs.push_back(Output::Media { port, to, bytes }),
                VisitOutput::Rtcp(to, bytes) => {
                    let port = port.saturating_add(1);
                    outputs.push_back(Output::Media { port, to, bytes });
                }
                VisitOutput::Over(left) => ended = Some(left),
            });
            if let Some(left) = ended {
                call.left = left;
                over.push(call.handle);
            }
            next = [next, at].into_iter().flatten().min();
        }
        for handle in over {
            // The caller may have hung up at the same moment.
            let _ = self.endpoint.bye(handle, None, now);
        }
        next
    }

    fn on_event(&mut self, event: Event, now: Duration) {
        match event {
            Event::Incoming { call, request, .. } => {
                if let Err(status) = self.answer(call, &request, now) {
                    // It may have been cancelled already.
                    let _ = self.endpoint.reject(call, Refusal::new(status), now);
                }
            }
            Event::Confirmed { call, ack } => self.confirmed(call, &ack, now),
            Event::Reinvite { call, .. } | Event::Update { call, .. } => {
                // The session stays as it is (RFC 3261 section 14.2).
                let refusal = Refusal::new(StatusCode::NOT_ACCEPTABLE_HERE);
                let _ = self.endpoint.reject_reinvite(call, refusal, now);
            }
            Event::Ended { call, .. } => self.ended(call),
            _ => {}
        }
    }

    fn answer(
        &mut self,
        handle: CallHandle,
        request: &Request,
        now: Duration,
    ) -> Result<(), StatusCode> {
        if is_for_help(request) {
            return Err(StatusCode::TEMPORARILY_UNAVAILABLE);
        }
        let whose = whose(&request.headers).ok_or(StatusCode::NOT_FOUND)?;
        let from = request
            .headers
            .from()
            .map_err(|_| StatusCode::BAD_REQUEST)?;
        let port = self.free_ports.pop_front().ok_or(StatusCode::BUSY_HERE)?;
        let call = Call {
            handle,
            port,
            whose,
            from,
            call_id: request.headers.call_id().unwrap_or_default().to_owned(),
            offered: None,
            visit: None,
            left: Left::HungUp,
        };
        self.calls.push(call);
        let settled = self.settle(handle, request, now);
        if settled.is_err() {
            self.forget(handle);
        }
        settled
    }

    /// Agrees on the audio and answers.
    fn settle(
        &mut self,
        handle: CallHandle,
        request: &Request,
        now: Duration,
    ) -> Result<(), StatusCode> {
        let unusable = StatusCode::NOT_ACCEPTABLE_HERE;
        let config = self.config.clone();
        let (id, seed) = (self.tokens.below(1 << 31), self.tokens.below(u64::MAX));
        let call = self.calls.iter_mut().find(|call| call.handle == handle);
        let call = call.ok_or(unusable)?;
        let local = LocalAudio::new(config.address, call.port);
        let description = if request.body.is_empty() {
            let offer = offer_answer::offer(&local, id, 1);
            call.offered = Some(offer.clone());
            offer
        } else {
            let offer = session(&request.headers, &request.body).ok_or(unusable)?;
            let answer = offer_answer::answer(&offer, &local, id, 1);
            let (description, negotiated) = answer.map_err(|_| unusable)?;
            let visit = Visit::new(&negotiated, &config, seed, now);
            call.visit = Some(visit.ok_or(unusable)?);
            description
        };
        let body = Body::sdp(description.to_bytes());
        let accepted = self.endpoint.accept(handle, Some(body), now);
        accepted.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
    }

    /// The ACK, with the answer to an offer of ours.
    fn confirmed(&mut self, handle: CallHandle, ack: &Request, now: Duration) {
        let seed = self.tokens.below(u64::MAX);
        let Some(call) = self.calls.iter_mut().find(|call| call.handle == handle) else {
            return;
        };
        let Some(offer) = call.offered.take() else {
            return;
        };
        let negotiated: Option<Negotiated> = session(&ack.headers, &ack.body)
            .and_then(|answer| offer_answer::answer_received(&offer, &answer).ok());
        call.visit = negotiated.and_then(|own| Visit::new(&own, &self.config, seed, now));
        if call.visit.is_none() {
            let _ = self.endpoint.bye(handle, None, now);
        }
    }

    fn ended(&mut self, handle: CallHandle) {
        let Some(mut call) = self.forget(handle) else {
            return;
        };
        let Some(samples) = call.visit.as_mut().and_then(Visit::recorded) else {
            return;
        };
        let number = call.from.uri.as_sip().and_then(|uri| uri.user());
        let number = number
            .filter(|user| user.starts_with('+'))
            .map(str::to_owned);
        let name = call.from.display.as_deref().filter(|name| !name.is_empty());
        self.outputs.push_back(Output::Taken(Box::new(Deposit {
            whose: call.whose,
            caller_name: name.map(str::to_owned),
            caller_number: number,
            call_id: call.call_id,
            samples,
            left: call.left,
        })));
    }

    fn forget(&mut self, handle: CallHandle) -> Option<Call> {
        let at = self.calls.iter().position(|call| call.handle == handle)?;
        let call = self.calls.swap_remove(at);
        self.free_ports.push_back(call.port);
        Some(call)
    }
}

/// Help and a call-taker's callback are for people: they ring on.
fn is_for_help(request: &Request) -> bool {
    let priority = request.headers.get_str(&HeaderName::Priority);
    let priority = priority.unwrap_or_default().trim().to_ascii_lowercase();
    matches!(request.uri, Uri::Urn(_)) || ["emergency", "psap-callback"].contains(&&*priority)
}

/// Whose call it was before it was sent on: by Diversion (RFC 5806), else by the first entry of History-Info (RFC 7044).
fn whose(headers: &Headers) -> Option<String> {
    ["Diversion", "History-Info"].into_iter().find_map(|name| {
        let name = HeaderName::parse(name.as_bytes())?;
        let row = headers.get_str(&name)?;
        // The first of several; a comma within the brackets of an address belongs to it.
        let end = row.find('>').map_or(row.len(), |end| end + 1);
        let address = NameAddr::parse(row.get(..end)?).ok()?;
        let user = address.uri.as_sip()?.user()?.to_owned();
        (user.len() <= WHOSE_BYTES_MAX).then_some(user)
    })
}

/// The session description of a message, in whatever multipart.
fn session(headers: &Headers, body: &[u8]) -> Option<SessionDescription> {
    let parts = parts_of(headers, body, &MultipartLimits::default()).ok()?;
    let part = find_by_type(&parts, "application/sdp")?;
    SessionDescription::parse(&part.body).ok()
}
