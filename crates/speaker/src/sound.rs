//! What every call's sound needs to know of an offer and its answer, whether it is the emergency's or an ordinary one.
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use hearthline_ledger::Media;
use hearthline_media as media;
use hearthline_sip::offer_answer::{Codec, Negotiated};
use hearthline_sip::uri::Host;

/// Where the other side takes RTP; `None`: it names no IP address and port.
pub(crate) fn address_of(negotiated: &Negotiated) -> Option<SocketAddr> {
    let ip = match &negotiated.remote_address {
        Host::Name(name) if name.as_str().eq_ignore_ascii_case("localhost") => {
            Some(IpAddr::V4(Ipv4Addr::LOCALHOST))
        }
        host => host.ip(),
    };
    let port = negotiated.remote_port;
    ip.filter(|_| port != 0).map(|ip| SocketAddr::new(ip, port))
}

/// Payload types that the peer may use beside the one that we send: every one of our offer (RFC 3264 §6.1).
pub(crate) fn others(negotiated: &Negotiated) -> Vec<(u8, media::Codec)> {
    let mut taken = vec![Some(negotiated.payload_type), negotiated.telephone_event];
    let own = (negotiated.receive_payload_type, codec_of(negotiated.codec));
    let all = [media::Codec::Pcmu, media::Codec::Pcma, media::Codec::G722];
    let all = all.map(|codec| (codec.static_payload_type(), codec));
    let mut others = Vec::new();
    for (number, codec) in core::iter::once(own).chain(all) {
        if !taken.contains(&Some(number)) {
            taken.push(Some(number));
            others.push((number, codec));
        }
    }
    others
}

/// The codec as the media crate names it.
pub(crate) fn codec_of(codec: Codec) -> media::Codec {
    match codec {
        Codec::Pcmu => media::Codec::Pcmu,
        Codec::Pcma => media::Codec::Pcma,
        Codec::G722 => media::Codec::G722,
    }
}

/// The codec as the record names it.
pub(crate) fn name_of(codec: Codec) -> &'static str {
    match codec {
        Codec::Pcmu => "PCMU",
        Codec::Pcma => "PCMA",
        Codec::G722 => "G722",
    }
}

/// A session's counters, for the record.
pub(crate) fn statistics(session: &media::Session, codec: &str, call_id: &str) -> Media {
    let figures = session.statistics();
    Media {
        call_id: call_id.to_owned(),
        codec: codec.to_owned(),
        sent_packets: figures.sent_packets,
        received_packets: figures.received_packets,
        lost_packets: u64::try_from(figures.lost).unwrap_or(0),
        jitter_ms: Some(figures.jitter_ms.round() as u64),
        round_trip_ms: figures.rtt_ms.map(|ms| ms.round() as u64),
    }
}
