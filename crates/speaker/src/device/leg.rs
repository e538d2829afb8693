//! One leg to a call-taker: the emergency INVITE as a SIP request, and the sound once it is answered.
use core::time::Duration;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use hearthline_emergency::call::Transport as LineTransport;
use hearthline_emergency::invite::EmergencyInvite;
use hearthline_emergency::line::LineCredentials;
use hearthline_emergency::target::SipUri;
use hearthline_ledger::Media;
use hearthline_media as media;
use hearthline_sip::endpoint::{Body, Credentials, InviteRequest, Reliable, Target, Transport};
use hearthline_sip::multipart::{self, Part};
use hearthline_sip::offer_answer::Negotiated;
use hearthline_sip::uri::Uri;
use hearthline_sip::{HeaderName, NameAddr};

use crate::sound::{address_of, codec_of, name_of, others, statistics};

/// How long one of several transports of a line may stay silent.
const FIRST_RESPONSE_MAX: Duration = Duration::from_millis(900);

/// Why an INVITE cannot be sent or an answer cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum LegError {
    /// A header or URI of our own making that SIP cannot carry.
    #[error("the INVITE cannot be written: {0}")]
    Invite(String),
    /// The answer gives no way to send sound.
    #[error("the answer has no usable sound: {0}")]
    Answer(String),
}

/// The SIP request of an emergency INVITE.
pub(super) fn request_of(
    invite: &EmergencyInvite,
    targets: Vec<Target>,
    credentials: Option<&LineCredentials>,
) -> Result<InviteRequest, LegError> {
    let wrong =
        |what: &str, error: &dyn std::fmt::Display| LegError::Invite(format!("{what}: {error}"));
    let name_addr = |name: &str| {
        let text = invite
            .header(name)
            .ok_or_else(|| LegError::Invite(format!("no {name}")))?;
        NameAddr::parse(text).map_err(|error| wrong(name, &error))
    };
    let uri = Uri::parse(&invite.request_uri).map_err(|error| wrong("Request-URI", &error))?;
    let target = targets
        .first()
        .cloned()
        .ok_or_else(|| LegError::Invite("no transport reaches the line".into()))?;
    let mut request = InviteRequest::new(uri, name_addr("From")?, name_addr("To")?, target);
    request.targets = targets;
    request.contact = Some(name_addr("Contact")?);
    for (name, value) in &invite.headers {
        match name.to_ascii_lowercase().as_str() {
            "from" | "to" | "contact" | "content-type" | "content-length" => {}
            "route" => request
                .route
                .push(NameAddr::parse(value).map_err(|error| wrong("Route", &error))?),
            _ => {
                let name = HeaderName::parse(name.as_bytes())
                    .ok_or_else(|| LegError::Invite(format!("header name {name}")))?;
                request.headers.push((name, value.clone().into_bytes()));
            }
        }
    }
    request.body = Some(body_of(invite));
    // For whatever realm the line names: the household gave them for this line and no other gets them.
    request.credentials = credentials
        .map(|own| Credentials {
            username: own.username().to_owned(),
            password: own.password().to_owned(),
            realm: None,
        })
        .into_iter()
        .collect();
    request.reliable = Reliable::Supported;
    // A transport that takes the message and says nothing must leave time for the next one of the line.
    request.first_response_max = (request.targets.len() > 1).then_some(FIRST_RESPONSE_MAX);
    request.end_on_session_expiry = Some(false);
    Ok(request)
}

/// `multipart/mixed`, or the session description alone.
fn body_of(invite: &EmergencyInvite) -> Body {
    if let [only] = invite.parts.as_slice() {
        return Body::new(only.content_type.clone(), only.bytes.clone());
    }
    let parts: Vec<Part> = invite
        .parts
        .iter()
        .map(|part| {
            let mut built = Part::new(&part.content_type, part.bytes.clone());
            if let Some(id) = &part.content_id {
                built = built.with_id(id);
            }
            match part.disposition.header_value() {
                Some(value) => built.with_disposition(value),
                None => built,
            }
        })
        .collect();
    let (content_type, bytes) = multipart::build(&parts);
    Body::new(content_type, bytes)
}

/// Where the next hop is reached, in the line's order of transports. In this version a host is an address or `localhost`;
/// TLS is tried on the port after an explicit one, as 5061 follows 5060.
pub(super) fn targets_of(next_hop: &SipUri, transports: &[LineTransport]) -> Vec<Target> {
    let Ok(Uri::Sip(uri)) = Uri::parse(next_hop.as_str()) else {
        return Vec::new();
    };
    let ip = match uri.host().ip() {
        Some(ip) => ip,
        None if next_hop.host().eq_ignore_ascii_case("localhost") => {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        }
        None => return Vec::new(),
    };
    // A URI that names its transport names its port for that transport (RFC 3263 §4.1, §4.2): nothing is tried beside it.
    let named = uri.params().get("transport").and_then(Transport::from_name);
    let named = named.map(|transport| match transport {
        Transport::Tls => LineTransport::Tls,
        Transport::Tcp => LineTransport::Tcp,
        Transport::Udp => LineTransport::Udp,
    });
    let transports = named.as_ref().map_or(transports, core::slice::from_ref);
    transports
        .iter()
        .filter(|transport| !next_hop.is_sips() || **transport == LineTransport::Tls)
        .map(|transport| {
            let (transport, after) = match transport {
                LineTransport::Tls => (
                    Transport::Tls,
                    u16::from(!next_hop.is_sips() && named.is_none()),
                ),
                LineTransport::Tcp => (Transport::Tcp, 0),
                LineTransport::Udp => (Transport::Udp, 0),
            };
            let port = uri
                .port()
                .map_or(transport.default_port(), |port| port.saturating_add(after));
            let mut target = Target::new(transport, SocketAddr::new(ip, port));
            if transport == Transport::Tls {
                target.server_name = Some(next_hop.host().to_owned());
            }
            target
        })
        .collect()
}

fn no_address() -> LegError {
    LegError::Answer("its address is no IP address and port".into())
}

/// Sound to and from one call-taker.
pub(super) struct Sound {
    session: media::Session,
    codec: &'static str,
    rtp: SocketAddr,
}

/// What the sound wants done.
pub(super) enum SoundOutput {
    /// Send to this address.
    Rtp(SocketAddr, Vec<u8>),
    /// Send to this address.
    Rtcp(SocketAddr, Vec<u8>),
    /// Play.
    Play(Vec<i16>),
    /// Know.
    Event(media::Event),
}

impl Sound {
    /// From what offer and answer settled.
    pub(super) fn new(
        negotiated: &Negotiated,
        seed: u64,
        wall_at_zero: Duration,
    ) -> Result<Self, LegError> {
        let mut config = media::SessionConfig::new(codec_of(negotiated.codec), seed);
        config.payload_type = negotiated.payload_type;
        config.telephone_event_payload_type = negotiated.telephone_event;
        config.unix_time_at_zero = wall_at_zero;
        config.also_receive = others(negotiated);
        let rtp = address_of(negotiated).ok_or_else(no_address)?;
        let session =
            media::Session::new(config).map_err(|error| LegError::Answer(error.to_string()))?;
        Ok(Self {
            session,
            codec: name_of(negotiated.codec),
            rtp,
        })
    }

    /// A later offer moved the peer.
    pub(super) fn moved(&mut self, negotiated: &Negotiated) -> Result<(), LegError> {
        self.rtp = address_of(negotiated).ok_or_else(no_address)?;
        Ok(())
    }

    pub(super) fn microphone(&mut self, samples: &[i16], now: Duration) {
        self.session.handle_microphone(samples, now);
    }

    pub(super) fn rtp(&mut self, datagram: &[u8], now: Duration) {
        self.session.handle_rtp(datagram, now);
    }

    pub(super) fn rtcp(&mut self, datagram: &[u8], now: Duration) {
        self.session.handle_rtcp(datagram, now);
    }

    pub(super) fn handle_timeout(&mut self, now: Duration) {
        self.session.handle_timeout(now);
    }

    pub(super) fn close(&mut self, now: Duration) {
        self.session.close(now);
    }

    /// The next output, or when to come back.
    pub(super) fn poll(&mut self, now: Duration) -> Result<SoundOutput, Option<Duration>> {
        match self.session.poll_output(now) {
            media::Output::Rtp(bytes) => Ok(SoundOutput::Rtp(self.rtp, bytes)),
            media::Output::Rtcp(bytes) => {
                let mut rtcp = self.rtp;
                rtcp.set_port(rtcp.port().saturating_add(1)); // RFC 3550 §11
                Ok(SoundOutput::Rtcp(rtcp, bytes))
            }
            media::Output::Playout(samples) => Ok(SoundOutput::Play(samples)),
            media::Output::Event(event) => Ok(SoundOutput::Event(event)),
            media::Output::Timeout(at) => Err(at),
        }
    }

    /// The counters, for the record.
    pub(super) fn statistics(&self, call_id: &str) -> Media {
        statistics(&self.session, self.codec, call_id)
    }
}
