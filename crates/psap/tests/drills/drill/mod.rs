//! A caller, the call-taker, and the wire between them, in virtual time.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

pub mod on_sockets;

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use hearthline_emergency::civic::CivicAddress;
use hearthline_emergency::geodetic::{Position, Shape};
use hearthline_emergency::invite::{Content, EmergencyInvite, InviteRequest as EmergencyRequest};
use hearthline_emergency::line::Line;
use hearthline_emergency::profile::{DeviceProfile, EmergencyProfile, SubscriberProfile};
use hearthline_emergency::service::{DrillService, ServiceUrn};
use hearthline_emergency::target::{DrillTargets, SipUri};
use hearthline_emergency::timestamp::Timestamp;
use hearthline_media as media;
use hearthline_media::secure::{IceRole, SecureOutput, SecureTransport};
use hearthline_psap::call_taker::{self, CallTaker, CallTakerConfig, SecureSound};
use hearthline_psap::{Behaviour, CallReport};
use hearthline_sip::endpoint::{
    self, Body, CallHandle, Endpoint, EndpointConfig, Event as SipEvent, Input, InviteRequest,
    Reliable,
};
use hearthline_sip::multipart::{self, Part};
use hearthline_sip::offer_answer::{self, LocalAudio};
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::sdp::fingerprint::Setup;
use hearthline_sip::sdp::secure_offer_answer::{secure_answer_received, secure_offer};
use hearthline_sip::sdp::security::Security;
use hearthline_sip::target::{Target, Transport};
use hearthline_sip::{HeaderName, NameAddr, Response, Uri};
use hearthline_webrtc::{Keys, dtls};

pub const CALLER: &str = "127.0.0.1:5070";
pub const PSAP: &str = "127.0.0.1:5060";
pub const CALLER_MEDIA: u16 = 40_000;

pub fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub fn profile() -> EmergencyProfile {
    EmergencyProfile {
        civic: Some(
            CivicAddress::from_pairs([
                ("country", "US"),
                ("A1", "NM"),
                ("A3", "Tijeras"),
                ("RD", "Juniper Road"),
                ("HNO", "12"),
                ("LOC", "Kitchen"),
            ])
            .unwrap(),
        ),
        shape: Some(Shape::circle(Position::new(35.08, -106.38).unwrap(), 30.0).unwrap()),
        identity: SipUri::parse("sip:home@example.test").unwrap(),
        contact: SipUri::parse("sip:kitchen@127.0.0.1:5070").unwrap(),
        callback_number: Some("tel:+15055550142".to_owned()),
        display_name: "Kitchen".to_owned(),
        domain: "kitchen.home.test".to_owned(),
        device: DeviceProfile {
            name: "Kitchen".to_owned(),
            manufacturer: "Hearthline".to_owned(),
            model: "demo".to_owned(),
            key_id: "key-0142".to_owned(),
        },
        subscriber: SubscriberProfile {
            full_name: "Example Household".to_owned(),
            languages: vec!["en".to_owned()],
            privacy_requested: false,
        },
        service_types: Vec::new(),
    }
}

/// The emergency crate's own INVITE, as the device sends it.
pub fn emergency_invite(sdp: &[u8]) -> EmergencyInvite {
    let permit = DrillService::new(ServiceUrn::SOS, DrillTargets::loopback()).unwrap();
    let target = SipUri::parse("sip:psap@127.0.0.1:5060").unwrap();
    EmergencyRequest {
        permit: &permit,
        profile: &profile(),
        line: &Line::new("drill", target.clone(), Vec::new()),
        next_hop: &target,
        route: None,
        call_token: "call-1",
        content: Content::Full,
        sdp: Some(sdp),
        wall: Timestamp::from_unix_ms(1_700_000_000_000),
    }
    .build()
}

/// That INVITE for the SIP endpoint; `change` may spoil it first.
pub fn request(
    mut invite: EmergencyInvite,
    change: impl FnOnce(&mut EmergencyInvite),
) -> InviteRequest {
    change(&mut invite);
    let name_addr = |name: &str| NameAddr::parse(invite.header(name).unwrap()).unwrap();
    let mut request = InviteRequest::new(
        Uri::parse(&invite.request_uri).unwrap(),
        name_addr("From"),
        name_addr("To"),
        Target::new(Transport::Udp, address(PSAP)),
    );
    request.contact = invite
        .header("Contact")
        .map(|text| NameAddr::parse(text).unwrap());
    for (name, value) in &invite.headers {
        if !["To", "From", "Contact", "Route"].contains(name) {
            let name = HeaderName::parse(name.as_bytes()).unwrap();
            request.headers.push((name, value.clone().into_bytes()));
        }
    }
    let parts: Vec<Part> = invite
        .parts
        .iter()
        .map(|part| {
            let mut own = Part::new(&part.content_type, part.bytes.clone());
            if let Some(id) = &part.content_id {
                own = own.with_id(id);
            }
            if let Some(disposition) = part.disposition.header_value() {
                own = own.with_disposition(disposition);
            }
            own
        })
        .collect();
    let (content_type, bytes) = multipart::build(&parts);
    request.body = (!parts.is_empty()).then(|| Body::new(content_type, bytes));
    request
}

/// The device's end: endpoint, offer, audio.
pub struct Caller {
    pub endpoint: Endpoint,
    pub call: Option<CallHandle>,
    pub offer: SessionDescription,
    pub session: Option<media::Session>,
    pub media_to: Option<SocketAddr>,
    /// What protects its sound, as a browser does.
    pub way: Option<SecureTransport>,
    pub microphone: Vec<i16>,
    pub position: usize,
    pub heard: Vec<i16>,
    pub progress: Vec<u16>,
    pub answered: Option<Response>,
    pub failed: Option<String>,
    pub ended: Option<String>,
    pub reinvites: usize,
    pub sip_seen: Vec<Vec<u8>>,
}

/// Whatever flies.
enum Packet {
    Sip {
        to_psap: bool,
        transport: Transport,
        bytes: Vec<u8>,
    },
    ToPsapMedia {
        port: u16,
        bytes: Vec<u8>,
    },
    ToCallerMedia {
        rtcp: bool,
        bytes: Vec<u8>,
    },
}

pub struct Drill {
    pub now: Duration,
    pub caller: Caller,
    pub psap: CallTaker,
    pub events: Vec<call_taker::Event>,
    pub heard: Vec<i16>,
    origin: Instant,
    flying: BTreeMap<(Duration, u64), Packet>,
    launched: u64,
}

impl Drill {
    pub fn new(behaviours: Vec<Behaviour>) -> Self {
        Self::with_a_person(behaviours, None)
    }

    /// Somebody is at the console, and may take a call for so long.
    pub fn with_a_person(behaviours: Vec<Behaviour>, within: Option<Duration>) -> Self {
        let mut config = CallTakerConfig::new(
            [7; 32],
            [Transport::Udp, Transport::Tcp]
                .map(|t| (t, address(PSAP)))
                .to_vec(),
            vec![41_000, 41_002],
        );
        config.behaviours = behaviours;
        config.person_answers_within = within;
        let origin = Instant::now();
        let keys = Keys::generate().unwrap();
        config.secure = Some(SecureSound { keys, origin });
        let mut endpoint = EndpointConfig::new(
            [9; 32],
            [Transport::Udp, Transport::Tcp]
                .map(|t| (t, address(CALLER)))
                .to_vec(),
        );
        endpoint.end_on_session_expiry = false;
        let local = LocalAudio::new(address(CALLER).ip(), CALLER_MEDIA);
        Self {
            now: Duration::from_millis(5),
            caller: Caller {
                endpoint: Endpoint::new(endpoint),
                call: None,
                offer: offer_answer::offer(&local, 1, 1),
                session: None,
                media_to: None,
                way: None,
                microphone: tone(16_000 * 20),
                position: 0,
                heard: Vec::new(),
                progress: Vec::new(),
                answered: None,
                failed: None,
                ended: None,
                reinvites: 0,
                sip_seen: Vec::new(),
            },
            psap: CallTaker::new(config),
            events: Vec::new(),
            heard: Vec::new(),
            origin,
            flying: BTreeMap::new(),
            launched: 0,
        }
    }

    /// The caller protects its sound and takes no other: a browser.
    pub fn protected(mut self) -> Self {
        let at = SocketAddr::new(address(CALLER).ip(), CALLER_MEDIA);
        let keys = Keys::generate().unwrap();
        let config = keys.transport(IceRole::Controlling, vec![at], [5; 32], self.origin);
        let way = SecureTransport::new(config, self.now).unwrap();
        let ours = Security::Dtls(dtls::described(&way, Setup::ActPass));
        self.caller.offer = secure_offer(&LocalAudio::new(at.ip(), at.port()), &ours, 1, 1);
        self.caller.way = Some(way);
        self
    }

    /// Places the emergency call.
    pub fn place(&mut self, change: impl FnOnce(&mut EmergencyInvite)) {
        self.place_with(change, |_| {});
    }

    pub fn place_with(
        &mut self,
        change: impl FnOnce(&mut EmergencyInvite),
        adjust: impl FnOnce(&mut InviteRequest),
    ) {
        let invite = emergency_invite(&self.caller.offer.to_bytes());
        let mut request = request(invite, change);
        request.reliable = Reliable::Supported;
        adjust(&mut request);
        self.caller.call = Some(self.caller.endpoint.invite(request, self.now).unwrap());
        self.drain();
    }

    pub fn hang_up(&mut self) {
        let call = self.caller.call.unwrap();
        self.caller.endpoint.bye(call, None, self.now).unwrap();
        self.drain();
    }

    pub fn report(&self) -> CallReport {
        self.psap.reports().last().cloned().unwrap()
    }

    pub fn run_ms(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        while self.now < end {
            self.now += Duration::from_millis(1);
            self.caller.endpoint.handle_input(Input::Timeout, self.now);
            self.psap.handle_timeout(self.now);
            if let Some(way) = &mut self.caller.way {
                way.handle_timeout(self.now);
            }
            if self.now.as_millis().is_multiple_of(20)
                && let Some(session) = &mut self.caller.session
            {
                let from = self.caller.position.min(self.caller.microphone.len());
                let to = (from + 320).min(self.caller.microphone.len());
                session.handle_microphone(&self.caller.microphone[from..to], self.now);
                self.caller.position = to;
            }
            self.drain();
            while let Some(entry) = self.flying.first_entry()
                && entry.key().0 <= self.now
            {
                let packet = entry.remove();
                self.deliver(packet);
                self.drain();
            }
        }
    }

    fn deliver(&mut self, packet: Packet) {
        let now = self.now;
        match packet {
            Packet::Sip {
                to_psap: true,
                transport,
                bytes,
            } => self.psap.handle_sip(
                Input::Received {
                    transport,
                    local: address(PSAP),
                    remote: address(CALLER),
                    bytes: &bytes,
                },
                now,
            ),
            Packet::Sip {
                to_psap: false,
                transport,
                bytes,
            } => {
                self.caller.sip_seen.push(bytes.clone());
                self.caller.endpoint.handle_input(
                    Input::Received {
                        transport,
                        local: address(CALLER),
                        remote: address(PSAP),
                        bytes: &bytes,
                    },
                    now,
                );
            }
            Packet::ToPsapMedia { port, bytes } => {
                let from = SocketAddr::new(address(CALLER).ip(), CALLER_MEDIA);
                self.psap.handle_media(port, from, &bytes, now);
            }
            Packet::ToCallerMedia { bytes, .. } if self.caller.way.is_some() => {
                let way = self.caller.way.as_mut().unwrap();
                let to = SocketAddr::new(address(CALLER).ip(), CALLER_MEDIA);
                way.handle_datagram(self.caller.media_to.unwrap(), to, &bytes, now);
            }
            Packet::ToCallerMedia { rtcp, bytes } => {
                if let Some(session) = &mut self.caller.session {
                    if rtcp {
                        session.handle_rtcp(&bytes, now);
                    } else {
                        session.handle_rtp(&bytes, now);
                    }
                }
            }
        }
    }

    pub fn drain(&mut self) {
        loop {
            match self.psap.poll_output(self.now) {
                call_taker::Output::Sip { target, bytes } => {
                    let transport = target.transport;
                    self.launch(Packet::Sip {
                        to_psap: false,
                        transport,
                        bytes,
                    });
                }
                call_taker::Output::Media { port, bytes, .. } => {
                    self.launch(Packet::ToCallerMedia {
                        rtcp: port % 2 == 1,
                        bytes,
                    });
                }
                call_taker::Output::Heard { samples, .. } => self.heard.extend(samples),
                call_taker::Output::Event(event) => self.events.push(event),
                call_taker::Output::CloseStream { .. } => {}
                call_taker::Output::Timeout(_) => break,
            }
        }
        loop {
            match self.caller.endpoint.poll_output(self.now) {
                endpoint::Output::Transmit { target, bytes } => {
                    let transport = target.transport;
                    self.launch(Packet::Sip {
                        to_psap: true,
                        transport,
                        bytes,
                    });
                }
                endpoint::Output::Event(event) => self.on_sip(event),
                endpoint::Output::Close { .. } => {}
                endpoint::Output::Timeout(_) => break,
            }
        }
        let Some(session) = &mut self.caller.session else {
            return;
        };
        let to = self.caller.media_to.unwrap();
        let mut packets = Vec::new();
        if let Some(way) = &mut self.caller.way {
            loop {
                match way.poll_output() {
                    SecureOutput::Transmit { to, bytes, .. } => {
                        packets.push(Packet::ToPsapMedia {
                            port: to.port(),
                            bytes,
                        });
                    }
                    SecureOutput::Rtp(packet) => session.handle_rtp(&packet, self.now),
                    SecureOutput::Rtcp(packet) => session.handle_rtcp(&packet, self.now),
                    SecureOutput::Event(_) => {}
                    SecureOutput::Timeout(_) => break,
                }
            }
        }
        loop {
            match session.poll_output(self.now) {
                media::Output::Rtp(bytes) if self.caller.way.is_some() => {
                    // Before there are keys it is dropped.
                    let _ = self.caller.way.as_mut().unwrap().send_rtp(&bytes);
                }
                media::Output::Rtcp(bytes) if self.caller.way.is_some() => {
                    let _ = self.caller.way.as_mut().unwrap().send_rtcp(&bytes);
                }
                media::Output::Rtp(bytes) => {
                    packets.push(Packet::ToPsapMedia {
                        port: to.port(),
                        bytes,
                    });
                }
                media::Output::Rtcp(bytes) => {
                    packets.push(Packet::ToPsapMedia {
                        port: to.port() + 1,
                        bytes,
                    });
                }
                media::Output::Playout(samples) => self.caller.heard.extend(samples),
                media::Output::Event(_) => {}
                media::Output::Timeout(_) => break,
            }
        }
        for packet in packets {
            self.launch(packet);
        }
    }

    fn agreed(&mut self, answer: &SessionDescription) -> Option<offer_answer::Negotiated> {
        let Some(way) = &mut self.caller.way else {
            return offer_answer::answer_received(&self.caller.offer, answer).ok();
        };
        let (negotiated, agreed) = secure_answer_received(&self.caller.offer, answer).unwrap();
        let (theirs, role) = dtls::agreed(agreed).unwrap();
        way.set_remote(theirs, role, self.now).unwrap();
        Some(negotiated)
    }

    fn on_sip(&mut self, event: SipEvent) {
        match event {
            SipEvent::Progress { response, .. } => {
                self.caller.progress.push(response.status.code());
            }
            SipEvent::Answered { response, .. } => {
                if let Ok(answer) = SessionDescription::parse(&response.body)
                    && let Some(agreed) = self.agreed(&answer)
                {
                    let codec =
                        media::Codec::from_static_payload_type(agreed.payload_type).unwrap();
                    let mut config = media::SessionConfig::new(codec, 77);
                    config.telephone_event_payload_type = agreed.telephone_event;
                    self.caller.session = Some(media::Session::new(config).unwrap());
                    let ip = agreed.remote_address.ip().unwrap();
                    self.caller.media_to = Some(SocketAddr::new(ip, agreed.remote_port));
                }
                self.caller.answered = Some(*response);
            }
            SipEvent::Failed { cause, .. } => self.caller.failed = Some(format!("{cause:?}")),
            SipEvent::Ended { by, .. } => {
                self.caller.ended = Some(format!("{by:?}"));
                if let Some(session) = &mut self.caller.session {
                    session.close(self.now);
                }
            }
            SipEvent::Reinvite { call, request } => {
                self.caller.reinvites += 1;
                let offer = SessionDescription::parse(&request.body).unwrap();
                let local = LocalAudio::new(address(CALLER).ip(), CALLER_MEDIA);
                let (answer, _) = offer_answer::answer(&offer, &local, 1, 2).unwrap();
                let body = Body::sdp(answer.to_bytes());
                self.caller
                    .endpoint
                    .answer_reinvite(call, Some(body), self.now)
                    .unwrap();
            }
            _ => {}
        }
    }

    fn launch(&mut self, packet: Packet) {
        self.launched += 1;
        self.flying
            .insert((self.now + Duration::from_millis(1), self.launched), packet);
    }
}

pub fn tone(samples: usize) -> Vec<i16> {
    (0..samples)
        .map(|n| (6000.0 * (n as f64 * 440.0 * std::f64::consts::TAU / 16000.0).sin()) as i16)
        .collect()
}

pub fn rms(samples: &[i16]) -> f64 {
    let energy: f64 = samples.iter().map(|&s| f64::from(s).powi(2)).sum();
    (energy / samples.len().max(1) as f64).sqrt()
}
