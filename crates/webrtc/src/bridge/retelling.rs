//! Session descriptions as the other side of a bridge is told of them: the same codecs, numbers and directions, at an
//! address of ours. What is not known to pass (header extensions, feedback, comfort noise, other codecs) is left out.
use std::net::SocketAddr;

use hearthline_sip::Host;
use hearthline_sip::sdp::{Attributes, Media, SessionDescription};

use super::BridgeError;

/// Codecs that pass as they are, and the tones of a pad.
const PASSING: [&str; 4] = ["PCMU", "PCMA", "G722", "telephone-event"];
const CLOCK_RATE_HZ: u32 = 8_000;

/// The audio stream of an offer; the others are refused.
pub(super) fn offered(theirs: &SessionDescription) -> Result<usize, BridgeError> {
    let audio = |media: &Media| media.kind == "audio" && media.port != 0;
    let found = theirs.media.iter().position(audio);
    found.ok_or(BridgeError::NoStream)
}

/// The stream of an answer to what we offered, which had one.
pub(super) fn answered(theirs: &SessionDescription) -> Result<&Media, BridgeError> {
    let first = theirs.media.first();
    let taken = first.filter(|media| media.kind == "audio" && media.port != 0);
    taken.ok_or(BridgeError::NoStream)
}

/// `section` of `theirs` as ours, in the clear.
pub(super) fn stream(
    theirs: &SessionDescription,
    section: &Media,
    port: u16,
) -> Result<Media, BridgeError> {
    let kept: Vec<u8> = section
        .payload_types()
        .filter(|number| passes(section, *number))
        .collect();
    let sound = |number: &u8| !is_named(section, *number, PASSING[3]);
    if !kept.iter().any(sound) {
        return Err(BridgeError::NoCodec);
    }
    let mut attributes = Attributes::new();
    for (name, value) in section.attributes.iter() {
        let passes = match name {
            "ptime" | "maxptime" => true,
            "rtpmap" | "fmtp" => value.and_then(number_of).is_some_and(|n| kept.contains(&n)),
            _ => false,
        };
        if passes {
            attributes.push(name, value);
        }
    }
    attributes.set_direction(section.direction(theirs));
    Ok(Media {
        kind: section.kind.clone(),
        port,
        port_count: 1,
        protocol: "RTP/AVP".to_owned(),
        formats: kept.iter().map(u8::to_string).collect(),
        info: Vec::new(),
        connection: None,
        bandwidth: Vec::new(),
        attributes,
    })
}

/// Our description around that stream. `offer` is what it answers: its other streams are refused.
pub(super) fn around(
    theirs: &SessionDescription,
    stream: Media,
    at: SocketAddr,
    offer: Option<(&SessionDescription, usize)>,
) -> SessionDescription {
    let mut ours = theirs.clone();
    ours.origin.address = Host::from(at.ip());
    ours.connection = Some(Host::from(at.ip()));
    ours.info.clear();
    ours.bandwidth.clear();
    ours.attributes = Attributes::new();
    ours.media = match offer {
        None => vec![stream],
        Some((offer, index)) => {
            let mut all: Vec<Media> = offer.media.iter().map(refused).collect();
            all[index] = stream;
            all
        }
    };
    ours
}

/// Where each number of `from` that passes stands in `to`.
pub(super) fn numbers(from: &Media, to: &Media) -> Vec<(u8, u8)> {
    let pairs = from.payload_types().filter_map(|number| {
        let map = from.rtpmap(number).filter(|_| passes(from, number))?;
        let same = |other: &u8| passes(to, *other) && is_named(to, *other, &map.encoding);
        Some((number, to.payload_types().find(same)?))
    });
    pairs.collect()
}

/// The same stream by other numbers.
pub(super) fn renumber(stream: &mut Media, numbers: &[(u8, u8)]) {
    let new = |old: u8| {
        let pair = numbers.iter().find(|(from, _)| *from == old);
        pair.map_or(old, |(_, to)| *to)
    };
    for format in &mut stream.formats {
        if let Ok(old) = format.parse() {
            *format = new(old).to_string();
        }
    }
    let mut attributes = Attributes::new();
    for (name, value) in stream.attributes.iter() {
        let text = value.filter(|_| matches!(name, "rtpmap" | "fmtp"));
        let parts = text.and_then(|text| Some((number_of(text)?, text.split_once(' ')?.1)));
        match parts {
            Some((old, rest)) => attributes.push(name, Some(&format!("{} {rest}", new(old)))),
            None => attributes.push(name, value),
        }
    }
    stream.attributes = attributes;
}

/// Keeps a bundle of one as such, which browsers write (RFC 9143).
pub(super) fn bundle(ours: &mut SessionDescription, index: usize, mid: &str) {
    let group = format!("BUNDLE {mid}");
    ours.media[index].attributes.push("mid", Some(mid));
    ours.attributes.push("group", Some(&group));
}

fn refused(media: &Media) -> Media {
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

fn passes(media: &Media, number: u8) -> bool {
    PASSING.iter().any(|name| is_named(media, number, name))
}

fn is_named(media: &Media, number: u8, name: &str) -> bool {
    media.rtpmap(number).is_some_and(|map| {
        map.encoding.eq_ignore_ascii_case(name)
            && map.clock_rate_hz == CLOCK_RATE_HZ
            && map.channels == 1
    })
}

fn number_of(value: &str) -> Option<u8> {
    value.split_once(' ')?.0.parse().ok()
}
