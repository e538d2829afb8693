//! Messages as bytes: canonical names, one row a line, Content-Length last and always right.

use std::io::Write as _;

use crate::header_name::HeaderName;
use crate::headers::Headers;
use crate::message::{Message, Request, Response};

impl Message {
    /// The message as it goes on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Message::Request(request) => request.to_bytes(),
            Message::Response(response) => response.to_bytes(),
        }
    }
}

impl Request {
    /// The request as it goes on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = room(&self.headers, &self.body);
        // Writing into a vector cannot fail.
        let _ = write!(out, "{} {} SIP/2.0\r\n", self.method, self.uri);
        finish(out, &self.headers, &self.body)
    }
}

impl Response {
    /// The response as it goes on the wire.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = room(&self.headers, &self.body);
        let _ = write!(out, "SIP/2.0 {} ", self.status);
        let no_breaks = |b: &u8| if matches!(b, b'\r' | b'\n') { b' ' } else { *b };
        out.extend(self.reason.iter().map(no_breaks));
        out.extend_from_slice(b"\r\n");
        finish(out, &self.headers, &self.body)
    }
}

/// Room for a whole message, so that writing it seldom moves it.
fn room(headers: &Headers, body: &[u8]) -> Vec<u8> {
    let between = 4 * headers.len(); // ": " and the line end
    Vec::with_capacity(160 + headers.bytes_len() + between + body.len())
}

fn finish(mut out: Vec<u8>, headers: &Headers, body: &[u8]) -> Vec<u8> {
    for (name, value) in headers.iter() {
        if *name == HeaderName::ContentLength {
            continue;
        }
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    let _ = write!(out, "Content-Length: {}\r\n\r\n", body.len());
    out.extend_from_slice(body);
    out
}
