//! Character classes of RFC 3261 section 25.1 and the canonical form of escapes.

use super::UriError;

/// Where in a URI a text stands; decides which characters need no escape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    User,
    Password,
    Param,
    Header,
    Any,
}

pub(super) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')'
        )
}

const fn is_reserved(byte: u8) -> bool {
    matches!(
        byte,
        b';' | b'/' | b'?' | b':' | b'@' | b'&' | b'=' | b'+' | b'$' | b','
    )
}

impl Class {
    fn allows(self, byte: u8) -> bool {
        is_unreserved(byte)
            || match self {
                Class::User => {
                    matches!(byte, b'&' | b'=' | b'+' | b'$' | b',' | b';' | b'?' | b'/')
                }
                Class::Password => matches!(byte, b'&' | b'=' | b'+' | b'$' | b','),
                Class::Param => matches!(byte, b'[' | b']' | b'/' | b':' | b'&' | b'+' | b'$'),
                Class::Header => {
                    matches!(byte, b'[' | b']' | b'/' | b'?' | b':' | b'+' | b'$')
                }
                // Brackets and '#' for http URIs and their fragments.
                Class::Any => is_reserved(byte) || matches!(byte, b'[' | b']' | b'#'),
            }
    }
}

fn hex(byte: u8) -> Option<u8> {
    (byte as char)
        .to_digit(16)
        .and_then(|d| u8::try_from(d).ok())
}

fn push_escape(out: &mut String, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(HEX[usize::from(byte >> 4)] as char);
    out.push(HEX[usize::from(byte & 15)] as char);
}

/// Checks `bytes` against `class` and brings its escapes into canonical form.
pub(super) fn canonical(bytes: &[u8], class: Class) -> Result<String, UriError> {
    // Nearly all have no escape and nothing that may not stand there; what a class allows is ASCII.
    if bytes.iter().all(|byte| class.allows(*byte)) {
        return Ok(crate::scan::ascii(bytes).to_owned());
    }
    let mut out = String::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte == b'%' {
            let pair = bytes.get(at + 1).copied().and_then(hex);
            let pair = pair.zip(bytes.get(at + 2).copied().and_then(hex));
            let Some((high, low)) = pair else {
                return Err(UriError::new(at, "'%' is not followed by two hex digits"));
            };
            let value = high << 4 | low;
            if is_unreserved(value) {
                out.push(value as char);
            } else {
                push_escape(&mut out, value);
            }
            at += 3;
        } else if class.allows(byte) {
            out.push(byte as char);
            at += 1;
        } else {
            return Err(UriError::new(at, "character must be escaped here"));
        }
    }
    Ok(out)
}

/// Escapes whatever may not stand plainly.
pub(super) fn escape(text: &[u8], class: Class) -> String {
    let mut out = String::with_capacity(text.len());
    for &byte in text {
        if class.allows(byte) {
            out.push(byte as char);
        } else {
            push_escape(&mut out, byte);
        }
    }
    out
}

/// Resolves the escapes of a canonical text.
pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = bytes.get(at + 1).copied().and_then(hex);
        let pair = pair.zip(bytes.get(at + 2).copied().and_then(hex));
        match pair {
            Some((high, low)) if bytes[at] == b'%' => {
                out.push(high << 4 | low);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}
