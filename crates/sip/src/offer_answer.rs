//! Offer and answer (RFC 3264) for one audio stream over RTP/AVP.
//!
//! ```text
//! offerer:  offer() ─────► answer_received(offer, answer) ─► Negotiated
//! answerer:     answer(offer) ─► (answer, Negotiated)
//! later:    reoffer(previous, …): hold, resume, moved address
//! ```
//! The answer keeps the offerer's order of codecs and numbers of payload types, and refuses with
//! port 0 every stream that it does not take.

mod codec;

use std::net::IpAddr;

pub use codec::Codec;

use crate::sdp::{Attributes, Direction, Media, SessionDescription};
use crate::uri::Host;

/// What we can and want to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalAudio {
    /// Address where we receive.
    pub address: IpAddr,
    /// RTP port where we receive; RTCP is one above.
    pub port: u16,
    /// Codecs, best first.
    pub codecs: Vec<Codec>,
    /// Whether we take telephone-event (RFC 4733).
    pub telephone_event: bool,
    /// Packet time in ms that we ask for.
    pub ptime_ms: u16,
    /// Which way we let media flow.
    pub direction: Direction,
}

impl LocalAudio {
    /// G.722, µ-law and A-law with telephone-event in packets of 20 ms, both ways.
    #[must_use]
    pub fn new(address: IpAddr, port: u16) -> Self {
        LocalAudio {
            address,
            port,
            codecs: vec![Codec::G722, Codec::Pcmu, Codec::Pcma],
            telephone_event: true,
            ptime_ms: 20,
            direction: Direction::SendRecv,
        }
    }

    /// With another direction: [`Direction::SendOnly`] is hold.
    #[must_use]
    pub fn with_direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }
}

/// What offer and answer agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// The codec.
    pub codec: Codec,
    /// Payload type of packets that we send.
    pub payload_type: u8,
    /// Payload type of packets that we receive; usually the same.
    pub receive_payload_type: u8,
    /// Where we send to.
    pub remote_address: Host,
    /// RTP port where we send to.
    pub remote_port: u16,
    /// Payload type of telephone-event that we send, if both sides take it.
    pub telephone_event: Option<u8>,
    /// Payload type of telephone-event that we receive.
    pub receive_telephone_event: Option<u8>,
    /// Which way media flow, as seen from here.
    pub direction: Direction,
    /// Packet time in ms that the other side asks for.
    pub ptime_ms: u16,
}

/// Why there is no agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NegotiationError {
    /// The offer has no audio stream that we can take: answer 488.
    #[error("no audio stream over RTP/AVP with a common codec is offered")]
    NothingAcceptable,
    /// The answer does not have the offer's streams one by one (RFC 3264 section 6).
    #[error("the answer has {answered} media sections, the offer {offered}")]
    SectionCount {
        /// Sections of the offer.
        offered: usize,
        /// Sections of the answer.
        answered: usize,
    },
    /// The answer turns the audio stream down.
    #[error("the answer rejects the audio stream")]
    Rejected,
    /// The answer names no codec that was offered.
    #[error("the answer has no codec that was offered")]
    NoCommonCodec,
    /// The stream has no address.
    #[error("the stream has no connection address")]
    NoAddress,
}

const TELEPHONE_EVENT_PT: u8 = 101;
const EVENTS: &str = "0-16";

/// Our offer. `session_id` is any number that is ours, `version` starts anywhere below 2^62 and
/// grows by one with each changed description.
#[must_use]
pub fn offer(local: &LocalAudio, session_id: u64, version: u64) -> SessionDescription {
    let mut description = SessionDescription::new(local.address, session_id, version);
    description.media.push(our_section(local));
    description
}

/// A later offer of ours in the same session: the sections of `previous` (our last description)
/// stay in their places (RFC 3264 section 8), its audio stream gets what `local` says now.
#[must_use]
pub fn reoffer(previous: &SessionDescription, local: &LocalAudio) -> SessionDescription {
    let origin = &previous.origin;
    let version = origin.version.wrapping_add(1);
    let mut description = SessionDescription::new(local.address, origin.session_id, version);
    let audio = previous
        .media
        .iter()
        .position(|m| m.kind == "audio" && m.port != 0);
    for (index, media) in previous.media.iter().enumerate() {
        let section = if Some(index) == audio {
            keep_payload_types(our_section(local), media)
        } else {
            rejected(media)
        };
        description.media.push(section);
    }
    if audio.is_none() {
        description.media.push(our_section(local));
    }
    description
}

/// Our answer to `offer`, and what it settles.
///
/// # Errors
/// When the offer has nothing for us, or its stream has no address.
pub fn answer(
    offer: &SessionDescription,
    local: &LocalAudio,
    session_id: u64,
    version: u64,
) -> Result<(SessionDescription, Negotiated), NegotiationError> {
    let mut description = SessionDescription::new(local.address, session_id, version);
    let mut settled = None;
    for media in &offer.media {
        let section = if settled.is_none() {
            accept(offer, media, local)?
        } else {
            None
        };
        match section {
            Some((section, negotiated)) => {
                settled = Some(negotiated);
                description.media.push(section);
            }
            None => description.media.push(rejected(media)),
        }
    }
    settled
        .map(|negotiated| (description, negotiated))
        .ok_or(NegotiationError::NothingAcceptable)
}

/// What the other side's answer to our offer settles.
///
/// # Errors
/// When the answer breaks RFC 3264 section 6 or turns the stream down.
pub fn answer_received(
    offer: &SessionDescription,
    answer: &SessionDescription,
) -> Result<Negotiated, NegotiationError> {
    let (offered, answered) = (offer.media.len(), answer.media.len());
    if offered != answered {
        return Err(NegotiationError::SectionCount { offered, answered });
    }
    let ours = offer
        .media
        .iter()
        .position(|m| m.kind == "audio" && m.port != 0);
    let index = ours.ok_or(NegotiationError::Rejected)?;
    let (ours, theirs) = (&offer.media[index], &answer.media[index]);
    if theirs.port == 0 || theirs.kind != ours.kind || theirs.protocol != ours.protocol {
        return Err(NegotiationError::Rejected);
    }
    let common = theirs.payload_types().find_map(|send| {
        let codec = Codec::of(theirs, send)?;
        let receive = ours
            .payload_types()
            .find(|pt| Codec::of(ours, *pt) == Some(codec))?;
        Some((codec, send, receive))
    });
    let (codec, payload_type, receive_payload_type) =
        common.ok_or(NegotiationError::NoCommonCodec)?;
    let events = telephone_event(theirs, codec).zip(telephone_event(ours, codec));
    let address = theirs.address(answer).ok_or(NegotiationError::NoAddress)?;
    Ok(Negotiated {
        codec,
        payload_type,
        receive_payload_type,
        remote_address: address.clone(),
        remote_port: theirs.port,
        telephone_event: events.map(|(send, _)| send),
        receive_telephone_event: events.map(|(_, receive)| receive),
        direction: ours
            .direction(offer)
            .and(their_direction(theirs, answer).reversed()),
        ptime_ms: ptime(theirs),
    })
}

/// Takes a section of an offer, if it is an audio stream for us.
fn accept(
    offer: &SessionDescription,
    media: &Media,
    local: &LocalAudio,
) -> Result<Option<(Media, Negotiated)>, NegotiationError> {
    if media.kind != "audio" || media.port == 0 || media.protocol != "RTP/AVP" {
        return Ok(None);
    }
    let common = media.payload_types().find_map(|payload_type| {
        let codec = Codec::of(media, payload_type)?;
        local
            .codecs
            .contains(&codec)
            .then_some((payload_type, codec))
    });
    let Some((payload_type, codec)) = common else {
        return Ok(None);
    };
    let address = media.address(offer).ok_or(NegotiationError::NoAddress)?;
    let events = telephone_event(media, codec).filter(|_| local.telephone_event);
    let direction = local
        .direction
        .and(their_direction(media, offer).reversed());
    let mut formats = vec![(payload_type, codec.rtpmap(), None)];
    if let Some(events) = events {
        formats.push((events, codec.telephone_event_rtpmap(), Some(EVENTS)));
    }
    let section = section(local.port, &formats, local.ptime_ms, direction);
    let negotiated = Negotiated {
        codec,
        payload_type,
        receive_payload_type: payload_type,
        remote_address: address.clone(),
        remote_port: media.port,
        telephone_event: events,
        receive_telephone_event: events,
        direction,
        ptime_ms: ptime(media),
    };
    Ok(Some((section, negotiated)))
}

/// The direction that a section asks for. An address of all zeros is the hold of RFC 2543: its
/// writer cannot receive (RFC 3264 section 8.4).
fn their_direction(media: &Media, session: &SessionDescription) -> Direction {
    let direction = media.direction(session);
    let unreachable = media
        .address(session)
        .and_then(Host::ip)
        .is_some_and(|a| a.is_unspecified());
    if unreachable {
        direction.and(Direction::SendOnly)
    } else {
        direction
    }
}

fn our_section(local: &LocalAudio) -> Media {
    let mut formats: Vec<(u8, &str, Option<&str>)> = local
        .codecs
        .iter()
        .map(|codec| (codec.payload_type(), codec.rtpmap(), None))
        .collect();
    if local.telephone_event {
        formats.push((TELEPHONE_EVENT_PT, "telephone-event/8000", Some(EVENTS)));
    }
    section(local.port, &formats, local.ptime_ms, local.direction)
}

fn section(
    port: u16,
    formats: &[(u8, &str, Option<&str>)],
    ptime_ms: u16,
    direction: Direction,
) -> Media {
    let mut attributes = Attributes::new();
    for (payload_type, rtpmap, fmtp) in formats {
        attributes.push("rtpmap", Some(&format!("{payload_type} {rtpmap}")));
        if let Some(fmtp) = fmtp {
            attributes.push("fmtp", Some(&format!("{payload_type} {fmtp}")));
        }
    }
    attributes.push("ptime", Some(&ptime_ms.to_string()));
    attributes.set_direction(direction);
    Media {
        kind: "audio".to_owned(),
        port,
        port_count: 1,
        protocol: "RTP/AVP".to_owned(),
        formats: formats.iter().map(|(pt, ..)| pt.to_string()).collect(),
        info: Vec::new(),
        connection: None,
        bandwidth: Vec::new(),
        attributes,
    }
}

/// A payload type must not change its meaning within a session (RFC 3264 section 8.3.2), so where
/// the previous section used other numbers for the same codecs, they are used again.
fn keep_payload_types(mut section: Media, previous: &Media) -> Media {
    let mut attributes = Attributes::new();
    let mut formats = Vec::new();
    for payload_type in section.payload_types().collect::<Vec<_>>() {
        let Some(map) = section.rtpmap(payload_type) else {
            continue;
        };
        let same = |pt: &u8| previous.rtpmap(*pt).is_some_and(|m| m.is_same(&map));
        let taken = |pt: u8| previous.rtpmap(pt).is_some_and(|m| !m.is_same(&map));
        let number = match previous.payload_types().find(same) {
            Some(number) => number,
            None if taken(payload_type) => match (96..128).find(|pt| !taken(*pt)) {
                Some(free) => free,
                None => continue,
            },
            None => payload_type,
        };
        let text = format!("{number} {}/{}", map.encoding, map.clock_rate_hz);
        attributes.push("rtpmap", Some(&text));
        if let Some(fmtp) = section.fmtp(payload_type) {
            attributes.push("fmtp", Some(&format!("{number} {fmtp}")));
        }
        formats.push(number.to_string());
    }
    for (name, value) in section.attributes.iter() {
        if name != "rtpmap" && name != "fmtp" {
            attributes.push(name, value);
        }
    }
    section.attributes = attributes;
    section.formats = formats;
    section
}

fn rejected(media: &Media) -> Media {
    Media {
        port: 0,
        port_count: 1,
        info: Vec::new(),
        connection: None,
        bandwidth: Vec::new(),
        attributes: Attributes::new(),
        ..media.clone()
    }
}

/// Payload type of telephone-event at the codec's RTP clock.
fn telephone_event(media: &Media, codec: Codec) -> Option<u8> {
    media.payload_types().find(|payload_type| {
        media.rtpmap(*payload_type).is_some_and(|map| {
            map.encoding.eq_ignore_ascii_case("telephone-event")
                && map.clock_rate_hz == codec.clock_rate_hz()
        })
    })
}

/// a=ptime in ms where it is usable, else the default of 20.
fn ptime(media: &Media) -> u16 {
    let value = media
        .attributes
        .get("ptime")
        .and_then(|v| v.trim().parse().ok());
    value.filter(|ms| (10..=200).contains(ms)).unwrap_or(20)
}
