//! Text to session description.

use super::{Attributes, Media, Origin, SessionDescription};
use crate::uri::Host;

/// Bytes of a description that we read at most.
pub const SDP_BYTES_MAX: usize = 64 * 1024;
/// m= sections, and lines of one section.
const MEDIA_MAX: usize = 32;
const LINES_MAX: usize = 512;

/// Why a description could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("session description, line {line}: {what}")]
pub struct SdpError {
    /// Line number from 1.
    pub line: usize,
    /// What is wrong.
    pub what: &'static str,
}

impl SessionDescription {
    /// Reads a description.
    ///
    /// # Errors
    /// Says which line breaks the grammar.
    pub fn parse(bytes: &[u8]) -> Result<SessionDescription, SdpError> {
        let whole = |what| SdpError { line: 1, what };
        if bytes.len() > SDP_BYTES_MAX {
            return Err(whole("longer than 64 KiB"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| whole("not UTF-8"))?;
        let mut reader = Reader::default();
        for (index, line) in text.split('\n').enumerate() {
            let line = line.strip_suffix('\r').unwrap_or(line);
            let wrong = |what| SdpError {
                line: index + 1,
                what,
            };
            if line.is_empty() {
                continue;
            }
            if index >= LINES_MAX {
                return Err(wrong("more than 512 lines"));
            }
            if line.contains(['\r', '\0']) {
                return Err(wrong("CR or NUL inside a line"));
            }
            let mut chars = line.chars();
            let (Some(letter), Some('=')) = (chars.next(), chars.next()) else {
                return Err(wrong("not a letter followed by '='"));
            };
            reader.line(letter, chars.as_str()).map_err(wrong)?;
        }
        reader.finish().map_err(|what| SdpError {
            line: text.lines().count().max(1),
            what,
        })
    }
}

#[derive(Default)]
struct Reader {
    version: bool,
    origin: Option<Origin>,
    name: Option<String>,
    info: Vec<(char, String)>,
    connection: Option<Host>,
    bandwidth: Vec<String>,
    times: Vec<(char, String)>,
    attributes: Attributes,
    media: Vec<Media>,
}

impl Reader {
    fn line(&mut self, letter: char, value: &str) -> Result<(), &'static str> {
        if !self.version {
            if (letter, value) != ('v', "0") {
                return Err("does not begin with v=0");
            }
            self.version = true;
            return Ok(());
        }
        match letter {
            'v' => Err("v= is given twice"),
            'm' => {
                if self.media.len() == MEDIA_MAX {
                    return Err("more than 32 media sections");
                }
                self.media.push(parse_media(value)?);
                Ok(())
            }
            _ => match self.media.last_mut() {
                Some(media) => media_line(media, letter, value),
                None => self.session_line(letter, value),
            },
        }
    }

    fn session_line(&mut self, letter: char, value: &str) -> Result<(), &'static str> {
        match letter {
            'o' if self.origin.is_some() => return Err("o= is given twice"),
            'o' => self.origin = Some(parse_origin(value)?),
            's' if self.name.is_some() => return Err("s= is given twice"),
            's' => self.name = Some(value.to_owned()),
            'i' | 'u' | 'e' | 'p' => self.info.push((letter, value.to_owned())),
            'c' => self.connection = Some(parse_connection(value)?),
            'b' => self.bandwidth.push(value.to_owned()),
            't' => {
                let mut parts = value.split(' ');
                let is_number = |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit());
                if parts.clone().count() != 2 || !parts.all(is_number) {
                    return Err("t= is not two numbers");
                }
                self.times.push(('t', value.to_owned()));
            }
            'r' | 'z' | 'k' => self.times.push((letter, value.to_owned())),
            'a' => push_attribute(&mut self.attributes, value)?,
            // RFC 8866 section 5: lines of unknown types are ignored.
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<SessionDescription, &'static str> {
        if !self.version {
            return Err("is empty");
        }
        let origin = self.origin.ok_or("o= is missing")?;
        let name = self.name.ok_or("s= is missing")?;
        if !self.times.iter().any(|(letter, _)| *letter == 't') {
            return Err("t= is missing");
        }
        if self.connection.is_none()
            && self
                .media
                .iter()
                .any(|m| m.connection.is_none() && m.port != 0)
        {
            return Err("c= is missing");
        }
        Ok(SessionDescription {
            origin,
            name,
            info: self.info,
            connection: self.connection,
            bandwidth: self.bandwidth,
            times: self.times,
            attributes: self.attributes,
            media: self.media,
        })
    }
}

fn media_line(media: &mut Media, letter: char, value: &str) -> Result<(), &'static str> {
    match letter {
        'i' | 'k' => media.info.push((letter, value.to_owned())),
        // Several c= lines are for layered multicast, which no call uses: the first counts.
        'c' if media.connection.is_some() => drop(parse_connection(value)?),
        'c' => media.connection = Some(parse_connection(value)?),
        'b' => media.bandwidth.push(value.to_owned()),
        'a' => push_attribute(&mut media.attributes, value)?,
        'o' | 's' | 't' => return Err("session line after m="),
        _ => {}
    }
    Ok(())
}

fn push_attribute(attributes: &mut Attributes, value: &str) -> Result<(), &'static str> {
    let (name, value) = match value.split_once(':') {
        Some((name, value)) => (name, Some(value)),
        None => (value, None),
    };
    if name.is_empty() || name.bytes().any(|b| b.is_ascii_whitespace()) {
        return Err("attribute has no name");
    }
    attributes.push(name, value);
    Ok(())
}

fn parse_origin(value: &str) -> Result<Origin, &'static str> {
    let parts: Vec<&str> = value.split(' ').filter(|p| !p.is_empty()).collect();
    let [username, id, version, net, kind, address] = parts[..] else {
        return Err("o= does not have six fields");
    };
    Ok(Origin {
        username: username.to_owned(),
        session_id: id.parse().map_err(|_| "session id of o= is not a number")?,
        version: version
            .parse()
            .map_err(|_| "version of o= is not a number")?,
        address: parse_address(net, kind, address)?,
    })
}

fn parse_connection(value: &str) -> Result<Host, &'static str> {
    let parts: Vec<&str> = value.split(' ').filter(|p| !p.is_empty()).collect();
    let [net, kind, address] = parts[..] else {
        return Err("c= does not have three fields");
    };
    // A multicast address has its TTL and count behind slashes.
    let address = address.split('/').next().unwrap_or(address);
    parse_address(net, kind, address)
}

fn parse_address(net: &str, kind: &str, address: &str) -> Result<Host, &'static str> {
    if !net.eq_ignore_ascii_case("IN") {
        return Err("network type is not IN");
    }
    if kind.eq_ignore_ascii_case("IP6") {
        if let Ok(address) = address.parse() {
            return Ok(Host::V6(address));
        }
    } else if !kind.eq_ignore_ascii_case("IP4") {
        return Err("address type is neither IP4 nor IP6");
    }
    match Host::parse(address) {
        Ok(Host::V6(_)) => Err("IPv6 address where IP4 is announced"),
        Ok(Host::V4(_)) if kind.eq_ignore_ascii_case("IP6") => {
            Err("IPv4 address where IP6 is announced")
        }
        Ok(host) => Ok(host),
        Err(_) => Err("not an address"),
    }
}

fn parse_media(value: &str) -> Result<Media, &'static str> {
    let mut parts = value.split(' ').filter(|p| !p.is_empty());
    let (Some(kind), Some(port), Some(protocol)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err("m= does not have kind, port and protocol");
    };
    let (port, count) = port.split_once('/').unwrap_or((port, "1"));
    let formats: Vec<String> = parts.map(str::to_owned).collect();
    if formats.is_empty() {
        return Err("m= has no format");
    }
    Ok(Media {
        kind: kind.to_owned(),
        port: port
            .parse()
            .map_err(|_| "port of m= is not a number up to 65535")?,
        port_count: count
            .parse()
            .map_err(|_| "port count of m= is not a number")?,
        protocol: protocol.to_owned(),
        formats,
        info: Vec::new(),
        connection: None,
        bandwidth: Vec::new(),
        attributes: Attributes::new(),
    })
}
