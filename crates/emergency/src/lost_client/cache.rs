//! The cache on disk: one line and one LoST document a mapping, so that a person and any LoST reader can look into it.
//!
//! ```text
//! hearthline-lost-cache 1
//! urn:service:sos 0123456789abcdef 1700000000000 512
//! <512 bytes of a findServiceResponse>
//! ```

use super::{CacheError, CachedMapping, MAPPINGS_MAX};
use crate::lost::{FindServiceResponse, LostResponse};
use crate::service::ServiceUrn;
use crate::timestamp::Timestamp;

const HEAD: &str = "hearthline-lost-cache 1";

pub(super) fn write(mappings: &[CachedMapping]) -> Vec<u8> {
    let mut out = format!("{HEAD}\n").into_bytes();
    for cached in mappings {
        let document = LostResponse::FindService(FindServiceResponse {
            mappings: vec![cached.mapping.clone()],
            validation: None,
            warnings: Vec::new(),
            path: vec![cached.mapping.source.clone()],
            location_used: None,
        })
        .to_bytes();
        let line = format!(
            "{} {:016x} {} {}\n",
            cached.service,
            cached.location,
            cached.received.unix_ms(),
            document.len()
        );
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(&document);
    }
    out
}

/// The mappings that can be read, and why it ended if it ended early.
pub(super) fn read(bytes: &[u8]) -> (Vec<CachedMapping>, Result<(), CacheError>) {
    let mut mappings = Vec::new();
    let mut rest = bytes;
    let mut line_number = 1;
    let unreadable = |line, what| Err(CacheError::Unreadable { line, what });
    match take_line(&mut rest) {
        Some(HEAD) => {}
        _ => {
            return (
                mappings,
                unreadable(line_number, "not a LoST cache of this version"),
            );
        }
    }
    while !rest.is_empty() {
        line_number += 1;
        if mappings.len() >= MAPPINGS_MAX {
            return (
                mappings,
                unreadable(line_number, "more mappings than the limit"),
            );
        }
        let Some(entry) = take_line(&mut rest).and_then(parse_line) else {
            return (
                mappings,
                unreadable(line_number, "not a line of four fields"),
            );
        };
        let (service, location, received, length) = entry;
        let Some(document) = rest.get(..length) else {
            return (mappings, unreadable(line_number, "cut short"));
        };
        rest = &rest[length..];
        line_number += document.iter().filter(|&&byte| byte == b'\n').count();
        match LostResponse::parse(document) {
            Ok(LostResponse::FindService(mut answer)) => mappings.push(CachedMapping {
                service,
                location,
                mapping: answer.mappings.swap_remove(0),
                received,
            }),
            _ => return (mappings, unreadable(line_number, "no mapping")),
        }
    }
    (mappings, Ok(()))
}

fn take_line<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let end = rest.iter().take(512).position(|&byte| byte == b'\n')?;
    let line = core::str::from_utf8(&rest[..end]).ok()?;
    *rest = &rest[end + 1..];
    Some(line)
}

fn parse_line(line: &str) -> Option<(ServiceUrn, u64, Timestamp, usize)> {
    let mut fields = line.split(' ');
    let service = ServiceUrn::parse(fields.next()?).ok()?;
    let location = u64::from_str_radix(fields.next()?, 16).ok()?;
    let received = Timestamp::from_unix_ms(fields.next()?.parse().ok()?);
    let length = fields.next()?.parse().ok()?;
    fields
        .next()
        .is_none()
        .then_some((service, location, received, length))
}
