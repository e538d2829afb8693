//! Session descriptions (RFC 8866).
//!
//! Lines end with CR LF when written; LF alone is read too, as section 9 of the RFC asks. What
//! has no type here (i=, u=, e=, p=, b=, k=, r=, z=) is kept line by line and written back in its
//! place; so are unknown attributes.

mod attribute_error;
pub mod crypto;
pub mod fingerprint;
pub mod ice;
pub mod profile;
mod read;
pub mod secure_offer_answer;
pub mod security;
mod write;

use std::net::IpAddr;

pub use attribute_error::AttributeError;
pub use read::{SDP_BYTES_MAX, SdpError};

use crate::uri::Host;

/// A session description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDescription {
    /// o=
    pub origin: Origin,
    /// s=; `-` where there is nothing to say.
    pub name: String,
    /// i=, u=, e=, p= as they stand: letter and value.
    pub info: Vec<(char, String)>,
    /// c=, valid for all media that have none of their own.
    pub connection: Option<Host>,
    /// b= as they stand.
    pub bandwidth: Vec<String>,
    /// t= (start and stop; 0 0 for a call) and the r=, z=, k= lines that follow.
    pub times: Vec<(char, String)>,
    /// a= of the session.
    pub attributes: Attributes,
    /// m= sections.
    pub media: Vec<Media>,
}

/// o=: who made the description, and which version of it this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// User name, `-` where there is none.
    pub username: String,
    /// Session id.
    pub session_id: u64,
    /// Version; one more with each change (RFC 3264 section 8).
    pub version: u64,
    /// Address of the maker.
    pub address: Host,
}

/// m= and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`, `text`, ...
    pub kind: String,
    /// Port; 0 means rejected or ended.
    pub port: u16,
    /// Number of port pairs; 1 in practice.
    pub port_count: u16,
    /// `RTP/AVP` and the like.
    pub protocol: String,
    /// Payload types, or other formats.
    pub formats: Vec<String>,
    /// i= as they stand: letter and value.
    pub info: Vec<(char, String)>,
    /// c=
    pub connection: Option<Host>,
    /// b= as they stand.
    pub bandwidth: Vec<String>,
    /// a=
    pub attributes: Attributes,
}

/// a= lines in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes(Vec<(String, Option<String>)>);

/// Which way media flow, as seen by who wrote the description (RFC 8866 section 6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// The writer only sends; the other side is on hold.
    SendOnly,
    /// The writer only receives.
    RecvOnly,
    /// Neither way.
    Inactive,
}

impl Direction {
    /// The attribute's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    /// Reads an attribute's name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Direction> {
        [
            Direction::SendRecv,
            Direction::SendOnly,
            Direction::RecvOnly,
            Direction::Inactive,
        ]
        .into_iter()
        .find(|d| d.as_str() == name)
    }

    /// From sending and receiving.
    #[must_use]
    pub fn new(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    /// Whether the writer sends.
    #[must_use]
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Whether the writer receives.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// The same flow as the other side sees it.
    #[must_use]
    pub fn reversed(self) -> Direction {
        Direction::new(self.receives(), self.sends())
    }

    /// Only what both allow.
    #[must_use]
    pub fn and(self, other: Direction) -> Direction {
        Direction::new(
            self.sends() && other.sends(),
            self.receives() && other.receives(),
        )
    }
}

impl Attributes {
    /// No attributes.
    #[must_use]
    pub fn new() -> Self {
        Attributes::default()
    }

    /// Appends `a=name` or `a=name:value`. Line breaks become spaces.
    pub fn push(&mut self, name: &str, value: Option<&str>) {
        let clean = |text: &str| text.replace(['\r', '\n', '\0'], " ");
        self.0.push((clean(name), value.map(clean)));
    }

    /// Whether there is such an attribute.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| n == name)
    }

    /// The first value of this attribute.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name)?.1.as_deref()
    }

    /// All values of this attribute, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(n, _)| n == name)
            .filter_map(|(_, v)| v.as_deref())
    }

    /// Removes all attributes of this name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| n != name);
    }

    /// All attributes in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_deref()))
    }

    /// The direction attribute, if there is one.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        self.0.iter().find_map(|(name, _)| Direction::parse(name))
    }

    /// Replaces the direction attribute.
    pub fn set_direction(&mut self, direction: Direction) {
        self.0.retain(|(name, _)| Direction::parse(name).is_none());
        self.push(direction.as_str(), None);
    }
}

/// What `a=rtpmap` says about a payload type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpMap {
    /// Encoding name as written; compare without regard to case.
    pub encoding: String,
    /// Clock rate in Hz.
    pub clock_rate_hz: u32,
    /// Channels.
    pub channels: u16,
}

impl Media {
    /// The direction of this section: its own, the session's, or both ways.
    #[must_use]
    pub fn direction(&self, session: &SessionDescription) -> Direction {
        self.attributes
            .direction()
            .or(session.attributes.direction())
            .unwrap_or(Direction::SendRecv)
    }

    /// The address of this section: its own or the session's.
    #[must_use]
    pub fn address<'a>(&'a self, session: &'a SessionDescription) -> Option<&'a Host> {
        self.connection.as_ref().or(session.connection.as_ref())
    }

    /// What a payload type means: its rtpmap, or the static assignment of RFC 3551.
    #[must_use]
    pub fn rtpmap(&self, payload_type: u8) -> Option<RtpMap> {
        for value in self.attributes.get_all("rtpmap") {
            let Some((number, map)) = value.split_once(' ') else {
                continue;
            };
            if number.parse() != Ok(payload_type) {
                continue;
            }
            let mut parts = map.trim().split('/');
            let encoding = parts.next()?.to_owned();
            let clock_rate_hz = parts.next()?.parse().ok()?;
            let channels = parts.next().map_or(Some(1), |c| c.parse().ok())?;
            return Some(RtpMap {
                encoding,
                clock_rate_hz,
                channels,
            });
        }
        let encoding = match payload_type {
            0 => "PCMU",
            8 => "PCMA",
            9 => "G722",
            _ => return None,
        };
        Some(RtpMap {
            encoding: encoding.to_owned(),
            clock_rate_hz: 8000,
            channels: 1,
        })
    }

    /// The `a=fmtp` text of a payload type.
    #[must_use]
    pub fn fmtp(&self, payload_type: u8) -> Option<&str> {
        self.attributes.get_all("fmtp").find_map(|value| {
            let (number, text) = value.split_once(' ')?;
            (number.parse() == Ok(payload_type)).then(|| text.trim())
        })
    }

    /// The formats that are RTP payload types.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> {
        self.formats
            .iter()
            .filter_map(|f| f.parse().ok())
            .filter(|pt| *pt < 128)
    }
}

impl SessionDescription {
    /// A call from `address`, without media.
    #[must_use]
    pub fn new(address: IpAddr, session_id: u64, version: u64) -> Self {
        SessionDescription {
            origin: Origin {
                username: "-".to_owned(),
                session_id,
                version,
                address: address.into(),
            },
            name: "-".to_owned(),
            info: Vec::new(),
            connection: Some(address.into()),
            bandwidth: Vec::new(),
            times: vec![('t', "0 0".to_owned())],
            attributes: Attributes::new(),
            media: Vec::new(),
        }
    }
}
