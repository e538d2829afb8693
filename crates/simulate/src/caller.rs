//! Somebody else on the network who can call the device: a call-taker calling back, or a stranger.
use core::time::Duration;
use std::net::SocketAddr;

use hearthline_sip::endpoint::{
    Body, CallHandle, Endpoint, EndpointConfig, Event, FailureCause, Input, InviteRequest, Output,
    Target, Transport,
};
use hearthline_sip::offer_answer::{LocalAudio, offer};
use hearthline_sip::{NameAddr, Uri};

use crate::network::Arrival;

const SIP: &str = "127.0.0.1:5900";
const RTP_PORT: u16 = 45_900;

/// A SIP endpoint with one call at a time.
pub struct Caller {
    endpoint: Endpoint,
    sip: SocketAddr,
    call: Option<CallHandle>,
    /// Final status of each call that was not answered; 0 when no response came.
    pub refused: Vec<u16>,
    /// When calls were answered.
    pub answered: Vec<Duration>,
    /// How many calls the device ended.
    pub hung_up: usize,
    /// Datagrams that came to its media ports.
    pub media_packets: usize,
}

impl Caller {
    /// An endpoint without calls.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        let sip: SocketAddr = SIP.parse().expect("an address");
        let endpoint = Endpoint::new(EndpointConfig::new(seed, vec![(Transport::Udp, sip)]));
        Self {
            endpoint,
            sip,
            call: None,
            refused: Vec::new(),
            answered: Vec::new(),
            hung_up: 0,
            media_packets: 0,
        }
    }

    /// Its SIP address.
    #[must_use]
    pub fn sip(&self) -> SocketAddr {
        self.sip
    }

    /// Whether this is one of its media ports.
    #[must_use]
    pub fn takes_media(&self, port: u16) -> bool {
        port == RTP_PORT || port == RTP_PORT + 1
    }

    /// Calls `to`.
    pub fn call(&mut self, to: SocketAddr, now: Duration) {
        let name = |text: String| NameAddr::parse(&text).expect("our own name");
        let uri = Uri::parse(format!("sip:kitchen@{to}")).expect("our own URI");
        let (from, target) = (
            name(format!("<sip:psap@{}>", self.sip)),
            Target::new(Transport::Udp, to),
        );
        let mut request =
            InviteRequest::new(uri, from, name(format!("<sip:kitchen@{to}>")), target);
        let session = offer(&LocalAudio::new(self.sip.ip(), RTP_PORT), 7, 0);
        request.body = Some(Body::sdp(session.to_bytes()));
        self.call = self.endpoint.invite(request, now).ok();
    }

    /// Ends its newest call.
    pub fn hang_up(&mut self, now: Duration) {
        if let Some(call) = self.call {
            // A call that is over already needs no end.
            let _ = self.endpoint.bye(call, None, now);
        }
    }

    /// SIP bytes for it.
    pub fn handle_sip(&mut self, input: Input<'_>, now: Duration) {
        self.endpoint.handle_input(input, now);
    }

    /// A datagram for a media port of it: counted.
    pub fn handle_media(&mut self, _datagram: Vec<u8>) {
        self.media_packets += 1;
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.endpoint.handle_input(Input::Timeout, now);
    }

    /// When it wants to be called next.
    pub fn next_timeout(&mut self, now: Duration) -> Option<Duration> {
        match self.endpoint.poll_output(now) {
            Output::Timeout(at) => at,
            other => unreachable!("drained, yet {other:?}"),
        }
    }

    /// What it sends.
    pub fn drain(&mut self, now: Duration) -> Vec<Arrival> {
        let mut sent = Vec::new();
        loop {
            match self.endpoint.poll_output(now) {
                Output::Timeout(_) => return sent,
                Output::Transmit { target, bytes } => {
                    let Target {
                        transport,
                        remote: to,
                        ..
                    } = target;
                    sent.push(Arrival::Sip {
                        transport,
                        from: self.sip,
                        to,
                        bytes,
                    });
                }
                Output::Event(event) => self.take(event, now),
                Output::Close { .. } => {}
            }
        }
    }

    fn take(&mut self, event: Event, now: Duration) {
        match event {
            Event::Answered { .. } => self.answered.push(now),
            Event::Failed { cause, .. } => {
                self.refused.push(match cause {
                    FailureCause::Response(response) => response.status.code(),
                    _ => 0,
                });
            }
            Event::Ended {
                by: hearthline_sip::endpoint::EndedBy::Remote,
                ..
            } => self.hung_up += 1,
            _ => {}
        }
    }
}
