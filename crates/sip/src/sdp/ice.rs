//! ICE attributes (RFC 8839): who we are to the other side's connectivity checks, and where.

use std::fmt;
use std::net::SocketAddr;

use super::attribute_error::{AttributeError, number};
use crate::uri::Host;

/// Candidates of one section that we read at most.
pub const CANDIDATES_MAX: usize = 64;
/// Extensions of one candidate, and options of one list.
const WORDS_MAX: usize = 16;
/// Bytes of one extension's name or value.
const WORD_BYTES_MAX: usize = 256;

/// `ice-ufrag` and `ice-pwd`: name and password of the connectivity checks. Not printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct IceCredentials {
    ufrag: String,
    pwd: String,
}

impl IceCredentials {
    /// Checked credentials.
    ///
    /// # Errors
    /// When a length or letter breaks RFC 8839 section 5.4.
    pub fn new(ufrag: &str, pwd: &str) -> Result<Self, AttributeError> {
        let check = |attribute, text: &str, least| {
            let what = if !(least..=256).contains(&text.len()) {
                "too short or longer than 256 letters"
            } else if !text.bytes().all(is_ice_char) {
                "letters other than A-Z, a-z, 0-9, + and /"
            } else {
                return Ok(());
            };
            Err(AttributeError { attribute, what })
        };
        check("ice-ufrag", ufrag, 4)?;
        check("ice-pwd", pwd, 22)?;
        Ok(IceCredentials {
            ufrag: ufrag.to_owned(),
            pwd: pwd.to_owned(),
        })
    }

    /// User name fragment.
    #[must_use]
    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    /// Password.
    #[must_use]
    pub fn pwd(&self) -> &str {
        &self.pwd
    }
}

impl fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IceCredentials({})", self.ufrag)
    }
}

fn is_ice_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

/// `typ` of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CandidateKind {
    /// An address of the writer's own.
    Host,
    /// What a STUN server saw.
    ServerReflexive,
    /// What the peer saw.
    PeerReflexive,
    /// At a TURN server.
    Relayed,
}

impl CandidateKind {
    const ALL: [CandidateKind; 4] = [
        Self::Host,
        Self::ServerReflexive,
        Self::PeerReflexive,
        Self::Relayed,
    ];

    fn as_str(self) -> &'static str {
        match self {
            CandidateKind::Host => "host",
            CandidateKind::ServerReflexive => "srflx",
            CandidateKind::PeerReflexive => "prflx",
            CandidateKind::Relayed => "relay",
        }
    }
}

/// a=candidate
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Equal for candidates that fare alike; 32 letters at most.
    pub foundation: String,
    /// 1 for RTP, 2 for RTCP on a port of its own.
    pub component: u16,
    /// `udp`, or what the writer calls its transport; small letters.
    pub transport: String,
    /// Larger is better.
    pub priority: u32,
    /// Where; browsers write a name that only multicast DNS knows.
    pub address: Host,
    /// Port.
    pub port: u16,
    /// Of what kind.
    pub kind: CandidateKind,
    /// Where it was made from (`raddr`, `rport`).
    pub related: Option<(Host, u16)>,
    /// Further names and values, in order.
    pub extensions: Vec<(String, String)>,
}

impl Candidate {
    /// A host candidate for RTP and RTCP on one UDP port; `index` counts ours from 0, best first.
    #[must_use]
    pub fn host(address: SocketAddr, index: u16) -> Self {
        // RFC 8445 section 5.1.2.1: type preference 126, local preference, component 1.
        let priority = (126 << 24) | (u32::from(u16::MAX - index) << 8) | 255;
        Candidate {
            foundation: (u32::from(index) + 1).to_string(),
            component: 1,
            transport: "udp".to_owned(),
            priority,
            address: address.ip().into(),
            port: address.port(),
            kind: CandidateKind::Host,
            related: None,
            extensions: Vec::new(),
        }
    }

    /// The address, if it is one over UDP for RTP.
    #[must_use]
    pub fn udp_address(&self) -> Option<SocketAddr> {
        let ip = self.address.ip()?;
        (self.component == 1 && self.transport == "udp" && self.port != 0)
            .then(|| SocketAddr::new(ip, self.port))
    }

    /// Reads the attribute's value.
    ///
    /// # Errors
    /// [`AttributeError`] with what breaks RFC 8839 section 5.1.
    pub fn parse(value: &str) -> Result<Candidate, AttributeError> {
        let wrong = |what| AttributeError {
            attribute: "candidate",
            what,
        };
        let words: Vec<&str> = value.split(' ').collect();
        let [
            foundation,
            component,
            transport,
            priority,
            address,
            port,
            "typ",
            kind,
            rest @ ..,
        ] = words.as_slice()
        else {
            return Err(wrong("not the eight words up to its type"));
        };
        if !(1..=32).contains(&foundation.len()) || !foundation.bytes().all(is_ice_char) {
            return Err(wrong("foundation is not 1 to 32 letters"));
        }
        let component = number(component, 3).filter(|number| (1..=256).contains(number));
        let component = component.ok_or(wrong("component is not 1 to 256"))?;
        if !is_word(transport, 16) {
            return Err(wrong("transport is no word"));
        }
        let priority = number(priority, 10).filter(|number| (1..1 << 31).contains(number));
        let priority = priority.ok_or(wrong("priority is not 1 to 2^31 - 1"))?;
        let address = parse_host(address).ok_or(wrong("address is none"))?;
        let port = parse_port(port).ok_or(wrong("port is not 0 to 65535"))?;
        let kind = CandidateKind::ALL.into_iter().find(|k| k.as_str() == *kind);
        let kind = kind.ok_or(wrong("type is not host, srflx, prflx or relay"))?;
        let (related, rest) = match rest {
            ["raddr", address, "rport", port, rest @ ..] => {
                let address = parse_host(address).ok_or(wrong("raddr is no address"))?;
                let port = parse_port(port).ok_or(wrong("rport is not 0 to 65535"))?;
                (Some((address, port)), rest)
            }
            rest => (None, rest),
        };
        if rest.len() % 2 != 0 || rest.len() > 2 * WORDS_MAX {
            return Err(wrong("extensions are not up to 16 pairs"));
        }
        if !rest.iter().all(|word| is_word(word, WORD_BYTES_MAX)) {
            return Err(wrong("extension is empty, too long or not printable"));
        }
        let pairs = rest.chunks_exact(2);
        Ok(Candidate {
            foundation: (*foundation).to_owned(),
            component: component as u16,
            transport: transport.to_ascii_lowercase(),
            priority: priority as u32,
            address,
            port,
            kind,
            related,
            extensions: pairs
                .map(|pair| (pair[0].to_owned(), pair[1].to_owned()))
                .collect(),
        })
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (foundation, component) = (&self.foundation, self.component);
        let (transport, priority) = (&self.transport, self.priority);
        write!(f, "{foundation} {component} {transport} {priority} ")?;
        write_host(f, &self.address)?;
        write!(f, " {} typ {}", self.port, self.kind.as_str())?;
        if let Some((address, port)) = &self.related {
            f.write_str(" raddr ")?;
            write_host(f, address)?;
            write!(f, " rport {port}")?;
        }
        for (name, value) in &self.extensions {
            write!(f, " {name} {value}")?;
        }
        Ok(())
    }
}

/// Reads the value of a=ice-options: words of ICE letters (RFC 8839 section 5.6).
///
/// # Errors
/// [`AttributeError`].
pub fn parse_ice_options(value: &str) -> Result<Vec<String>, AttributeError> {
    let words: Vec<String> = value.split(' ').map(str::to_owned).collect();
    // Options registered since hold a hyphen or a digit, so any token is taken.
    if words.len() > WORDS_MAX || !words.iter().all(|word| is_word(word, WORD_BYTES_MAX)) {
        return Err(AttributeError {
            attribute: "ice-options",
            what: "not up to 16 words",
        });
    }
    Ok(words)
}

/// Printable letters without a space.
fn is_word(text: &str, bytes_max: usize) -> bool {
    (1..=bytes_max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn parse_port(text: &str) -> Option<u16> {
    number(text, 5)?.try_into().ok()
}

/// An address as SDP writes it: IPv6 without brackets.
fn parse_host(text: &str) -> Option<Host> {
    if let Ok(address) = text.parse() {
        return Some(Host::V6(address));
    }
    Host::parse(text)
        .ok()
        .filter(|host| !matches!(host, Host::V6(_)))
}

fn write_host(f: &mut fmt::Formatter<'_>, host: &Host) -> fmt::Result {
    match host {
        Host::V6(address) => write!(f, "{address}"),
        other => write!(f, "{other}"),
    }
}
