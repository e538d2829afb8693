//! Bytes to messages.
//!
//! Judgements where RFC 3261 leaves room:
//! - A line ends with CR LF. A CR or LF alone is refused: what one element takes for a line end
//!   and the next does not is how requests are smuggled.
//! - The start line has exactly one space between its parts; nothing before or after
//!   (except for a response, which may lack the space before an empty reason phrase).
//! - Empty lines before the start line are skipped (section 7.5); a byte order mark is not.
//! - Content-Length: absent, the body runs to the end of the datagram; smaller, the rest is cut
//!   off (section 18.3); larger, or not one number, 400. Rows that repeat the same number pass.

use std::borrow::Cow;

use crate::header_name::HeaderName;
use crate::headers::Headers;
use crate::limits::Limits;
use crate::message::{Message, Request, Response};
use crate::method::Method;
use crate::scan::{is_lws_byte, trim};
use crate::status::StatusCode;
use crate::uri::{Uri, UriError};

/// What is wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseErrorKind {
    /// Nothing but line ends: a keep-alive, not a message.
    #[error("no message, only line ends")]
    Empty,
    /// The start line does not follow the grammar.
    #[error("start line: {0}")]
    StartLine(&'static str),
    /// A version other than SIP/2.0.
    #[error("SIP version is not 2.0")]
    Version,
    /// The Request-URI does not follow the grammar.
    #[error("Request-URI: {0}")]
    RequestUri(UriError),
    /// A header row does not follow the grammar.
    #[error("header section: {0}")]
    HeaderLine(&'static str),
    /// Content-Length is not one number that fits the message.
    #[error("Content-Length: {0}")]
    ContentLength(&'static str),
    /// A part exceeds its limit.
    #[error("{part} exceeds {max}")]
    TooLarge {
        /// Which part.
        part: Part,
        /// The limit that it exceeds.
        max: usize,
    },
}

/// The parts of a message that have limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Bytes of the start line.
    StartLine,
    /// Bytes of the Request-URI.
    Uri,
    /// Bytes of one row.
    HeaderLine,
    /// Number of rows.
    HeaderCount,
    /// Bytes of all rows.
    Headers,
    /// Bytes of the body.
    Body,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Part::StartLine => "start line (bytes)",
            Part::Uri => "Request-URI (bytes)",
            Part::HeaderLine => "header row (bytes)",
            Part::HeaderCount => "number of header rows",
            Part::Headers => "header section (bytes)",
            Part::Body => "body (bytes)",
        })
    }
}

/// A message that could not be read, with the answer to send where one may be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}, at byte {at_byte}")]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// Offset in the input.
    pub at_byte: usize,
    /// The response to send back: only for a request other than ACK whose topmost Via could
    /// still be read. Via, From, To, Call-ID and CSeq are copied as far as they were found; the
    /// To has no tag yet.
    pub reply: Option<Box<Response>>,
}

impl ParseErrorKind {
    /// The status code that answers such a request.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            ParseErrorKind::Version => StatusCode::VERSION_NOT_SUPPORTED,
            ParseErrorKind::TooLarge {
                part: Part::StartLine | Part::Uri,
                ..
            } => StatusCode::REQUEST_URI_TOO_LONG,
            ParseErrorKind::TooLarge {
                part: Part::Body, ..
            } => StatusCode::REQUEST_ENTITY_TOO_LARGE,
            ParseErrorKind::TooLarge { .. } => StatusCode::MESSAGE_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// Reads the one message of a datagram.
///
/// # Errors
/// When it breaks the grammar or a limit; see [`ParseError`].
pub fn parse_datagram(bytes: &[u8], limits: &Limits) -> Result<Message, ParseError> {
    read_datagram(bytes, limits).map_err(|(kind, at)| reject(bytes, kind, at, limits))
}

fn read_datagram(bytes: &[u8], limits: &Limits) -> Result<Message, Located> {
    let head = Head::parse(bytes, limits)?;
    let present = bytes.len() - head.body_at;
    let length = match head.content_length {
        None => present,
        Some(length) if length <= present as u64 => usize::try_from(length).unwrap_or(present),
        Some(_) => {
            let kind = ParseErrorKind::ContentLength("larger than what the datagram holds");
            return Err(head.start.err().unwrap_or((kind, head.body_at)));
        }
    };
    check(Part::Body, length, limits.body_bytes_max, head.body_at)?;
    let body_at = head.body_at;
    head.into_message(&bytes[body_at..body_at + length])
}

pub(crate) type Located = (ParseErrorKind, usize);

/// An error with the answer to it.
pub(crate) fn reject(
    bytes: &[u8],
    kind: ParseErrorKind,
    at_byte: usize,
    limits: &Limits,
) -> ParseError {
    ParseError {
        kind,
        at_byte,
        reply: reply_to(bytes, &kind, limits).map(Box::new),
    }
}

/// Start line and header section. A bad start line does not keep the rows from being read: in a
/// stream they tell where the next message begins.
#[derive(Debug)]
pub(crate) struct Head {
    start: Result<Start, Located>,
    headers: Headers,
    pub(crate) content_length: Option<u64>,
    pub(crate) body_at: usize,
}

#[derive(Debug)]
enum Start {
    Request(Method, Uri),
    Response(StatusCode, Vec<u8>),
}

impl Head {
    pub(crate) fn parse(bytes: &[u8], limits: &Limits) -> Result<Head, Located> {
        let mut at = 0;
        while bytes[at..].starts_with(b"\r\n") {
            at += 2;
        }
        if at == bytes.len() {
            return Err((ParseErrorKind::Empty, at));
        }
        let (line, next) = next_line(bytes, at)?;
        check(Part::StartLine, line.len(), limits.start_line_bytes_max, at)?;
        let start = parse_start(line, at, limits);
        match parse_rows(bytes, next, limits) {
            Ok(Rows {
                headers,
                content_length,
                body_at,
            }) => Ok(Head {
                start,
                headers,
                content_length,
                body_at,
            }),
            // What is wrong first is what is reported.
            Err(error) => Err(start.err().unwrap_or(error)),
        }
    }

    /// The message with this body.
    pub(crate) fn into_message(self, body: &[u8]) -> Result<Message, Located> {
        let (headers, body) = (self.headers, body.to_vec());
        Ok(match self.start? {
            Start::Request(method, uri) => Message::Request(Request {
                method,
                uri,
                headers,
                body,
            }),
            Start::Response(status, reason) => Message::Response(Response {
                status,
                reason,
                headers,
                body,
            }),
        })
    }
}

struct Rows {
    headers: Headers,
    content_length: Option<u64>,
    body_at: usize,
}

fn parse_rows(bytes: &[u8], headers_at: usize, limits: &Limits) -> Result<Rows, Located> {
    let mut at = headers_at;
    let size = (bytes.len() - headers_at).min(limits.header_bytes_max);
    // Names and the body make room for what is put on top on the way.
    let mut headers = Headers::with_capacity(16, size);
    let mut content_length = None;
    loop {
        let (row, next) = next_row(bytes, at)?;
        check(
            Part::Headers,
            next - headers_at,
            limits.header_bytes_max,
            at,
        )?;
        if row.is_empty() {
            return Ok(Rows {
                headers,
                content_length,
                body_at: next,
            });
        }
        check(
            Part::HeaderLine,
            next - at,
            limits.header_line_bytes_max,
            at,
        )?;
        check(
            Part::HeaderCount,
            headers.len() + 1,
            limits.header_count_max,
            at,
        )?;
        let (name, value) =
            split_row(&row).map_err(|what| (ParseErrorKind::HeaderLine(what), at))?;
        if name == HeaderName::ContentLength {
            let wrong = |what| (ParseErrorKind::ContentLength(what), at);
            let length = parse_length(value).map_err(wrong)?;
            if content_length.is_some_and(|earlier| earlier != length) {
                return Err(wrong("given twice with different values"));
            }
            content_length = Some(length);
        } else {
            headers.push_read(name, value);
        }
        at = next;
    }
}

pub(crate) fn check(part: Part, size: usize, max: usize, at: usize) -> Result<(), Located> {
    if size > max {
        Err((ParseErrorKind::TooLarge { part, max }, at))
    } else {
        Ok(())
    }
}

/// The line at `at` without its end, and where the next one begins.
fn next_line(bytes: &[u8], at: usize) -> Result<(&[u8], usize), Located> {
    let wrong = |what, at| Err((ParseErrorKind::HeaderLine(what), at));
    let Some(length) = bytes[at..].iter().position(|b| matches!(b, b'\r' | b'\n')) else {
        return wrong(
            "line is not ended by CR LF, or the empty line is missing",
            bytes.len(),
        );
    };
    let end = at + length;
    if bytes[end] == b'\n' {
        return wrong("line ends with LF alone instead of CR LF", end);
    }
    if bytes.get(end + 1) != Some(&b'\n') {
        return wrong("CR is not followed by LF", end);
    }
    Ok((&bytes[at..end], end + 2))
}

/// A row with its folded lines joined by one space.
pub(crate) fn next_row(bytes: &[u8], at: usize) -> Result<(Cow<'_, [u8]>, usize), Located> {
    let (line, mut next) = next_line(bytes, at)?;
    if line.first().copied().is_some_and(is_lws_byte) {
        return Err((
            ParseErrorKind::HeaderLine("folded line continues nothing"),
            at,
        ));
    }
    let mut row = Cow::Borrowed(line);
    while !row.is_empty() && bytes.get(next).copied().is_some_and(is_lws_byte) {
        let (more, after) = next_line(bytes, next)?;
        let joined = row.to_mut();
        joined.truncate(
            joined
                .iter()
                .rposition(|&b| !is_lws_byte(b))
                .map_or(0, |i| i + 1),
        );
        joined.push(b' ');
        joined.extend_from_slice(trim(more));
        next = after;
    }
    Ok((row, next))
}

pub(crate) fn split_row(row: &[u8]) -> Result<(HeaderName, &[u8]), &'static str> {
    let colon = row
        .iter()
        .position(|&b| b == b':')
        .ok_or("row has no colon")?;
    // HCOLON = *( SP / HTAB ) ":" SWS
    let name = HeaderName::parse(trim(&row[..colon])).ok_or("name is not a token")?;
    Ok((name, trim(&row[colon + 1..])))
}

fn parse_length(value: &[u8]) -> Result<u64, &'static str> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err("not a number of bytes");
    }
    let digits = std::str::from_utf8(value).map_err(|_| "not a number of bytes")?;
    digits.parse().map_err(|_| "number too large")
}

fn parse_start(line: &[u8], at: usize, limits: &Limits) -> Result<Start, Located> {
    let wrong = |what| (ParseErrorKind::StartLine(what), at);
    if line.len() >= 4 && line[..4].eq_ignore_ascii_case(b"SIP/") {
        return parse_status_line(line, at);
    }
    let mut parts = line.split(|&b| b == b' ');
    let (method, uri, version) = (parts.next(), parts.next(), parts.next());
    let (Some(method), Some(uri), Some(version)) = (method, uri, version) else {
        return Err(wrong("not METHOD, URI and version separated by spaces"));
    };
    let method = std::str::from_utf8(method)
        .ok()
        .and_then(Method::parse)
        .ok_or(wrong("method is not a token"))?;
    if uri.is_empty() || version.is_empty() || parts.next().is_some() {
        return Err(wrong(
            "more than one space between its parts, or a space inside the URI",
        ));
    }
    if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        return Err(if is_sip_version(version) {
            (ParseErrorKind::Version, at)
        } else {
            wrong("does not end with SIP/2.0")
        });
    }
    let uri_at = at + method.as_str().len() + 1;
    check(Part::Uri, uri.len(), limits.uri_bytes_max, uri_at)?;
    let uri = Uri::parse(uri).map_err(|e| (ParseErrorKind::RequestUri(e), uri_at + e.at_byte))?;
    Ok(Start::Request(method, uri))
}

fn is_sip_version(version: &[u8]) -> bool {
    let Some(number) = version
        .get(4..)
        .filter(|_| version[..4].eq_ignore_ascii_case(b"SIP/"))
    else {
        return false;
    };
    let is_number = |n: &[u8]| !n.is_empty() && n.iter().all(u8::is_ascii_digit);
    let dot = number.iter().position(|&b| b == b'.');
    dot.is_some_and(|dot| is_number(&number[..dot]) && is_number(&number[dot + 1..]))
}

fn parse_status_line(line: &[u8], at: usize) -> Result<Start, Located> {
    let wrong = |what| (ParseErrorKind::StartLine(what), at);
    let space = line.iter().position(|&b| b == b' ').unwrap_or(line.len());
    let version = &line[..space];
    if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        let known = is_sip_version(version);
        return Err(if known {
            (ParseErrorKind::Version, at)
        } else {
            wrong("no SIP version")
        });
    }
    let rest = line.get(space + 1..).unwrap_or_default();
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let code = std::str::from_utf8(&rest[..digits])
        .ok()
        .and_then(|d| d.parse().ok());
    let status = code
        .filter(|_| digits == 3)
        .and_then(StatusCode::new)
        .ok_or(wrong("status code is not a number from 100 to 699"))?;
    match rest[digits..] {
        [] => Ok(Start::Response(status, Vec::new())),
        [b' ', ref reason @ ..] => Ok(Start::Response(status, reason.to_vec())),
        _ => Err(wrong("status code is not followed by a space")),
    }
}

/// The answer to a request that could not be read, from whatever rows can be found in it.
fn reply_to(bytes: &[u8], kind: &ParseErrorKind, limits: &Limits) -> Option<Response> {
    let size = bytes
        .len()
        .min(limits.start_line_bytes_max + limits.header_bytes_max);
    let mut lines = bytes[..size]
        .split(|&b| b == b'\n')
        .map(|l| l.strip_suffix(b"\r").unwrap_or(l));
    let start = lines.by_ref().find(|line| !line.is_empty())?;
    let is_response = start.len() >= 4 && start[..4].eq_ignore_ascii_case(b"SIP/");
    if is_response || start.starts_with(b"ACK ") || *kind == ParseErrorKind::Empty {
        return None;
    }
    let mut rows: Vec<Vec<u8>> = Vec::new();
    for line in lines
        .take_while(|line| !line.is_empty())
        .take(limits.header_count_max)
    {
        match rows.last_mut() {
            Some(row) if line.first().copied().is_some_and(is_lws_byte) => {
                row.push(b' ');
                row.extend_from_slice(trim(line));
            }
            _ => rows.push(line.to_vec()),
        }
    }
    let mut headers = Headers::new();
    for (name, value) in rows.iter().filter_map(|row| split_row(row).ok()) {
        headers.push(name, value);
    }
    headers.top_via().ok()?;
    let status = kind.status();
    let mut reply = Response::from_headers(&headers, status, None);
    if let ParseErrorKind::StartLine(what)
    | ParseErrorKind::HeaderLine(what)
    | ParseErrorKind::ContentLength(what) = kind
    {
        reply.reason = format!("{}: {what}", status.reason()).into_bytes();
    }
    Some(reply)
}
