//! Session description to text, in the order of RFC 8866 section 5.

use std::fmt;

use super::{Attributes, Media, SessionDescription};
use crate::uri::Host;

impl SessionDescription {
    /// The description as a body.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

impl fmt::Display for SessionDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = &self.origin;
        f.write_str("v=0\r\n")?;
        let username = one_word(&origin.username);
        write!(f, "o={username} {} {} ", origin.session_id, origin.version)?;
        write_address(f, &origin.address)?;
        f.write_str("\r\n")?;
        write_line(f, 's', &self.name)?;
        for (letter, value) in &self.info {
            write_line(f, *letter, value)?;
        }
        write_connection(f, self.connection.as_ref())?;
        for value in &self.bandwidth {
            write_line(f, 'b', value)?;
        }
        for (letter, value) in &self.times {
            write_line(f, *letter, value)?;
        }
        write_attributes(f, &self.attributes)?;
        for media in &self.media {
            write_media(f, media)?;
        }
        Ok(())
    }
}

fn write_media(f: &mut fmt::Formatter<'_>, media: &Media) -> fmt::Result {
    write!(f, "m={} {}", one_word(&media.kind), media.port)?;
    if media.port_count != 1 {
        write!(f, "/{}", media.port_count)?;
    }
    write!(f, " {}", one_word(&media.protocol))?;
    for format in &media.formats {
        write!(f, " {}", one_word(format))?;
    }
    f.write_str("\r\n")?;
    for (letter, value) in &media.info {
        write_line(f, *letter, value)?;
    }
    write_connection(f, media.connection.as_ref())?;
    for value in &media.bandwidth {
        write_line(f, 'b', value)?;
    }
    write_attributes(f, &media.attributes)
}

fn write_attributes(f: &mut fmt::Formatter<'_>, attributes: &Attributes) -> fmt::Result {
    for (name, value) in attributes.iter() {
        match value {
            Some(value) => write!(f, "a={name}:{value}\r\n")?,
            None => write!(f, "a={name}\r\n")?,
        }
    }
    Ok(())
}

fn write_connection(f: &mut fmt::Formatter<'_>, host: Option<&Host>) -> fmt::Result {
    let Some(host) = host else { return Ok(()) };
    f.write_str("c=")?;
    write_address(f, host)?;
    f.write_str("\r\n")
}

fn write_address(f: &mut fmt::Formatter<'_>, host: &Host) -> fmt::Result {
    match host {
        Host::V4(address) => write!(f, "IN IP4 {address}"),
        Host::V6(address) => write!(f, "IN IP6 {address}"),
        Host::Name(name) => write!(f, "IN IP4 {}", name.as_str()),
    }
}

/// A line whose value cannot end it.
fn write_line(f: &mut fmt::Formatter<'_>, letter: char, value: &str) -> fmt::Result {
    if value.contains(['\r', '\n', '\0']) {
        return write!(f, "{letter}={}\r\n", value.replace(['\r', '\n', '\0'], " "));
    }
    write!(f, "{letter}={value}\r\n")
}

/// A field that cannot become two.
fn one_word(text: &str) -> String {
    if text.is_empty() {
        return "-".to_owned();
    }
    text.replace([' ', '\t', '\r', '\n', '\0'], "_")
}
