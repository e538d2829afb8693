//! Messages: requests and responses.

use crate::header_name::HeaderName;
use crate::headers::Headers;
use crate::method::Method;
use crate::status::StatusCode;
use crate::uri::Uri;

/// A SIP message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The Request-URI.
    pub uri: Uri,
    /// Header rows. Content-Length is not kept here: it is counted when the message is written.
    pub headers: Headers,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: StatusCode,
    /// The reason phrase; may be empty, may hold bytes that are not UTF-8.
    pub reason: Vec<u8>,
    /// Header rows, without Content-Length as in [`Request::headers`].
    pub headers: Headers,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl Message {
    /// The header rows.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        match self {
            Message::Request(request) => &request.headers,
            Message::Response(response) => &response.headers,
        }
    }

    /// The header rows, to change them.
    pub fn headers_mut(&mut self) -> &mut Headers {
        match self {
            Message::Request(request) => &mut request.headers,
            Message::Response(response) => &mut response.headers,
        }
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        match self {
            Message::Request(request) => &request.body,
            Message::Response(response) => &response.body,
        }
    }

    /// The request, if it is one.
    #[must_use]
    pub fn as_request(&self) -> Option<&Request> {
        match self {
            Message::Request(request) => Some(request),
            Message::Response(_) => None,
        }
    }

    /// The response, if it is one.
    #[must_use]
    pub fn as_response(&self) -> Option<&Response> {
        match self {
            Message::Request(_) => None,
            Message::Response(response) => Some(response),
        }
    }
}

impl From<Request> for Message {
    fn from(request: Request) -> Self {
        Message::Request(request)
    }
}

impl From<Response> for Message {
    fn from(response: Response) -> Self {
        Message::Response(response)
    }
}

impl Request {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: Method, uri: impl Into<Uri>) -> Self {
        Request {
            method,
            uri: uri.into(),
            headers: Headers::new(),
            body: Vec::new(),
        }
    }

    /// Sets body and Content-Type.
    pub fn set_body(&mut self, content_type: &str, body: Vec<u8>) {
        self.headers.set(HeaderName::ContentType, content_type);
        self.body = body;
    }
}

impl Response {
    /// A response with the registered reason phrase, without headers and body.
    #[must_use]
    pub fn new(status: StatusCode) -> Self {
        Response {
            status,
            reason: status.reason().into(),
            headers: Headers::new(),
            body: Vec::new(),
        }
    }

    /// A response to `request` with the rows that RFC 3261 section 8.2.6 has copied from it:
    /// all Via, From, To, Call-ID, CSeq, byte for byte. `to_tag` is appended to a To that has no
    /// tag yet; pass `None` for 100 Trying. Record-Route is the caller's business (section 12.1.1).
    #[must_use]
    pub fn to_request(request: &Request, status: StatusCode, to_tag: Option<&str>) -> Self {
        Response::from_headers(&request.headers, status, to_tag)
    }

    /// As [`Response::to_request`], from the headers alone.
    pub(crate) fn from_headers(
        request: &Headers,
        status: StatusCode,
        to_tag: Option<&str>,
    ) -> Self {
        let mut response = Response::new(status);
        response.headers = Headers::with_capacity(12, 768);
        let headers = &mut response.headers;
        headers.copy_from(request, &HeaderName::Via);
        let single = [
            HeaderName::From,
            HeaderName::To,
            HeaderName::CallId,
            HeaderName::CSeq,
            HeaderName::Timestamp,
        ];
        let trying = usize::from(status == StatusCode::TRYING);
        // A second From or To is why some requests are refused; the answer has one of each.
        for name in single.into_iter().take(4 + trying) {
            if let Some(value) = request.get(&name) {
                headers.push_read(name, value);
            }
        }
        if let Some(tag) = to_tag
            && let Ok(to) = headers.to()
            && to.tag().is_none()
        {
            let mut raw = headers.get(&HeaderName::To).unwrap_or_default().to_vec();
            raw.extend_from_slice(b";tag=");
            raw.extend_from_slice(tag.as_bytes());
            headers.set(HeaderName::To, raw);
        }
        response
    }

    /// With another reason phrase. CR and LF become spaces when it is written.
    #[must_use]
    pub fn with_reason(mut self, reason: &str) -> Self {
        self.reason = reason.into();
        self
    }

    /// Sets body and Content-Type.
    pub fn set_body(&mut self, content_type: &str, body: Vec<u8>) {
        self.headers.set(HeaderName::ContentType, content_type);
        self.body = body;
    }
}
