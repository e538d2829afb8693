//! Bodies of several parts (RFC 2046, RFC 5621) and the references between them (RFC 2392).
//!
//! Parts keep their bytes exactly; how a body is cut is told by its boundary alone.

use sha2::{Digest as _, Sha256};

use crate::header_name::HeaderName;
use crate::headers::Headers;
use crate::media_type::MediaType;
use crate::parse::{ParseErrorKind, next_row, split_row};

/// What one body may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultipartLimits {
    /// Parts, those inside parts included.
    pub parts_max: usize,
    /// Multiparts inside multiparts; 1 allows none.
    pub depth_max: usize,
    /// Bytes of the header section of one part.
    pub part_header_bytes_max: usize,
}

impl Default for MultipartLimits {
    fn default() -> Self {
        MultipartLimits {
            parts_max: 32,
            depth_max: 3,
            part_header_bytes_max: 4096,
        }
    }
}

/// One part of a body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// Content-Type, Content-ID, Content-Disposition and whatever else stood there.
    pub headers: Headers,
    /// The content, byte for byte, still in its transfer encoding.
    pub body: Vec<u8>,
    /// What `body` consists of, if it is a multipart itself.
    pub parts: Vec<Part>,
}

/// Why a body could not be taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MultipartError {
    /// Content-Type has no usable boundary.
    #[error("Content-Type has no boundary of 1 to 70 characters")]
    Boundary,
    /// No line begins with the boundary.
    #[error("the boundary does not occur in the body")]
    NoParts,
    /// The last boundary is missing: the body was cut off.
    #[error("the closing boundary is missing; the body was cut off")]
    Unclosed,
    /// A part's header section does not follow the grammar.
    #[error("header section of part {0}: {1}")]
    Header(usize, &'static str),
    /// A limit of [`MultipartLimits`].
    #[error("too many parts")]
    TooManyParts,
    /// A limit of [`MultipartLimits`].
    #[error("multiparts are nested too deep")]
    TooDeep,
    /// A limit of [`MultipartLimits`].
    #[error("header section of part {0} is too long")]
    HeaderTooLong(usize),
    /// Content-Transfer-Encoding that we do not have, or content that contradicts it.
    #[error("content transfer encoding cannot be decoded")]
    Encoding,
}

impl Part {
    /// A part of this type.
    #[must_use]
    pub fn new(content_type: &str, body: impl Into<Vec<u8>>) -> Part {
        let mut headers = Headers::new();
        headers.push(HeaderName::ContentType, content_type);
        Part {
            headers,
            body: body.into(),
            parts: Vec::new(),
        }
    }

    /// With a Content-ID; `id` stands without its angle brackets, as `target123@home.example`.
    #[must_use]
    pub fn with_id(mut self, id: &str) -> Part {
        self.headers.set(HeaderName::ContentId, format!("<{id}>"));
        self
    }

    /// With a Content-Disposition, for example `by-reference;handling=optional`.
    #[must_use]
    pub fn with_disposition(mut self, disposition: &str) -> Part {
        self.headers
            .set(HeaderName::ContentDisposition, disposition);
        self
    }

    /// The Content-ID without its angle brackets.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        let id = self.headers.get_str(&HeaderName::ContentId)?;
        id.strip_prefix('<')?.strip_suffix('>')
    }

    /// The Content-Type; `text/plain` if it is absent (RFC 2046 section 5.1), `None` if malformed.
    #[must_use]
    pub fn content_type(&self) -> Option<MediaType> {
        match self.headers.get(&HeaderName::ContentType) {
            Some(value) => MediaType::parse(value),
            None => MediaType::parse(b"text/plain"),
        }
    }

    /// The content without its transfer encoding: identity for 7bit, 8bit and binary, base64
    /// decoded.
    ///
    /// # Errors
    /// For other encodings, and for content that is not base64 though it says so.
    pub fn decoded(&self) -> Result<Vec<u8>, MultipartError> {
        use base64::Engine as _;
        let encoding = self.headers.get(&HeaderName::ContentTransferEncoding);
        let encoding = encoding.unwrap_or(b"binary").to_ascii_lowercase();
        match encoding.as_slice() {
            b"7bit" | b"8bit" | b"binary" => Ok(self.body.clone()),
            b"base64" => {
                let text: Vec<u8> = self
                    .body
                    .iter()
                    .copied()
                    .filter(|b| !b.is_ascii_whitespace())
                    .collect();
                let engine = base64::engine::general_purpose::STANDARD;
                engine.decode(text).map_err(|_| MultipartError::Encoding)
            }
            _ => Err(MultipartError::Encoding),
        }
    }
}

/// Joins parts into a `multipart/mixed` body. Returns the value of Content-Type and the body.
/// The boundary follows from the content and occurs in no part.
#[must_use]
pub fn build(parts: &[Part]) -> (String, Vec<u8>) {
    let boundary = boundary_for(parts);
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        for (name, value) in part.headers.iter() {
            body.extend_from_slice(name.as_str().as_bytes());
            body.extend_from_slice(b": ");
            body.extend_from_slice(value);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"\r\n");
        body.extend_from_slice(&part.body);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/mixed;boundary={boundary}"), body)
}

fn boundary_for(parts: &[Part]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.body.len() as u64).to_be_bytes());
        hash.update(&part.body);
    }
    let seed = hash.finalize();
    for attempt in 0u64.. {
        let mut hash = Sha256::new();
        hash.update(seed);
        hash.update(attempt.to_be_bytes());
        let text: String = hash
            .finalize()
            .iter()
            .take(12)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let occurs = |part: &Part| part.body.windows(text.len()).any(|w| w == text.as_bytes());
        if !parts.iter().any(occurs) {
            return text;
        }
    }
    unreachable!("finitely many parts cannot hold every boundary")
}

/// The parts of a message's body: those of a multipart, or the body itself as the only one.
/// No body, no parts.
///
/// # Errors
/// When a multipart cannot be taken apart.
pub fn parts_of(
    headers: &Headers,
    body: &[u8],
    limits: &MultipartLimits,
) -> Result<Vec<Part>, MultipartError> {
    if body.is_empty() {
        return Ok(Vec::new());
    }
    let content_type = headers
        .get(&HeaderName::ContentType)
        .and_then(MediaType::parse);
    if let Some(content_type) = content_type.filter(MediaType::is_multipart) {
        return parse(&content_type, body, limits);
    }
    let mut part = Part {
        headers: Headers::new(),
        body: body.to_vec(),
        parts: Vec::new(),
    };
    for (name, value) in headers.iter() {
        if name.as_str().starts_with("Content-") {
            part.headers.push(name.clone(), value);
        }
    }
    Ok(vec![part])
}

/// Takes a multipart apart.
///
/// # Errors
/// See [`MultipartError`].
pub fn parse(
    content_type: &MediaType,
    body: &[u8],
    limits: &MultipartLimits,
) -> Result<Vec<Part>, MultipartError> {
    let mut left = limits.parts_max;
    parse_level(content_type, body, limits, 1, &mut left)
}

/// The part that a `cid:` URL or a bare Content-ID names, nested parts included (RFC 2392).
#[must_use]
pub fn find_by_cid<'a>(parts: &'a [Part], cid: &str) -> Option<&'a Part> {
    let id = match cid.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("cid:") => unescape(&cid[4..]),
        _ => cid.as_bytes().to_vec(),
    };
    fn find<'a>(parts: &'a [Part], id: &[u8]) -> Option<&'a Part> {
        parts.iter().find_map(|part| {
            if part.id().is_some_and(|own| own.as_bytes() == id) {
                return Some(part);
            }
            find(&part.parts, id)
        })
    }
    find(parts, &id)
}

/// The first part of this type, nested parts included.
#[must_use]
pub fn find_by_type<'a>(parts: &'a [Part], essence: &str) -> Option<&'a Part> {
    parts.iter().find_map(|part| {
        if part.content_type().is_some_and(|t| t.is(essence)) {
            return Some(part);
        }
        find_by_type(&part.parts, essence)
    })
}

fn unescape(text: &str) -> Vec<u8> {
    crate::uri::unescape(text)
}

fn parse_level(
    content_type: &MediaType,
    body: &[u8],
    limits: &MultipartLimits,
    depth: usize,
    left: &mut usize,
) -> Result<Vec<Part>, MultipartError> {
    if depth > limits.depth_max {
        return Err(MultipartError::TooDeep);
    }
    let boundary = content_type.params.get("boundary").unwrap_or_default();
    if boundary.is_empty() || boundary.len() > 70 || boundary.ends_with(' ') {
        return Err(MultipartError::Boundary);
    }
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let (_, mut next) =
        next_delimiter(body, 0, delimiter.as_bytes()).ok_or(MultipartError::NoParts)?;
    loop {
        let Delimiter { after, closing } = next;
        if closing {
            return Ok(parts);
        }
        let found = next_delimiter(body, after, delimiter.as_bytes());
        let (end, following) = found.ok_or(MultipartError::Unclosed)?;
        if *left == 0 {
            return Err(MultipartError::TooManyParts);
        }
        *left -= 1;
        let mut part = parse_part(&body[after..end], parts.len() + 1, limits)?;
        if let Some(inner) = part.content_type().filter(MediaType::is_multipart) {
            part.parts = parse_level(&inner, &part.body, limits, depth + 1, left)?;
        }
        parts.push(part);
        next = following;
    }
}

struct Delimiter {
    /// Where the line after the delimiter begins.
    after: usize,
    closing: bool,
}

/// The next line that is a delimiter, and where the content before it ends: the line end before
/// a delimiter belongs to the delimiter (RFC 2046 section 5.1.1).
fn next_delimiter(body: &[u8], from: usize, delimiter: &[u8]) -> Option<(usize, Delimiter)> {
    let mut at = from;
    loop {
        let line = &body[at..];
        if let Some(rest) = line.strip_prefix(delimiter) {
            let closing = rest.starts_with(b"--");
            let tail = if closing { &rest[2..] } else { rest };
            let padding = tail
                .iter()
                .take_while(|b| matches!(b, b' ' | b'\t'))
                .count();
            let ends_line = tail[padding..].starts_with(b"\r\n");
            if ends_line || (closing && padding == tail.len()) {
                let line_end = if ends_line { 2 } else { 0 };
                let after = body.len() - tail.len() + padding + line_end;
                // An empty part has no line end of its own before the delimiter.
                let end = if at >= from + 2 { at - 2 } else { at };
                return Some((end, Delimiter { after, closing }));
            }
        }
        at += line.windows(2).position(|w| w == b"\r\n")? + 2;
    }
}

fn parse_part(
    bytes: &[u8],
    number: usize,
    limits: &MultipartLimits,
) -> Result<Part, MultipartError> {
    let mut part = Part::default();
    // A part without headers begins with the empty line, or is that line alone.
    let mut at = 0;
    loop {
        if at == bytes.len() && part.headers.is_empty() {
            return Ok(part);
        }
        let (row, next) = next_row(bytes, at).map_err(|(kind, _)| match kind {
            ParseErrorKind::HeaderLine(what) => MultipartError::Header(number, what),
            _ => MultipartError::Header(number, "malformed"),
        })?;
        if next > limits.part_header_bytes_max {
            return Err(MultipartError::HeaderTooLong(number));
        }
        if row.is_empty() {
            part.body = bytes[next..].to_vec();
            return Ok(part);
        }
        let (name, value) = split_row(&row).map_err(|what| MultipartError::Header(number, what))?;
        part.headers.push(name, value);
        at = next;
    }
}
