//! What a message must fulfil before a transaction is made of it (RFC 3261 section 8.2):
//! everything that needs more than one header, or a header's meaning.

use crate::header_name::HeaderName;
use crate::headers::{HeaderError, Headers};
use crate::message::{Request, Response};
use crate::method::Method;
use crate::status::StatusCode;
use crate::typed::Contacts;
use crate::uri::Uri;

/// A request that is to be answered with an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The status code.
    pub status: StatusCode,
    /// The reason phrase.
    pub reason: String,
    /// Headers that the answer needs, for example Unsupported.
    pub headers: Headers,
}

impl Rejection {
    fn new(status: StatusCode, why: &str) -> Self {
        let reason = if why.is_empty() {
            status.reason().to_owned()
        } else {
            format!("{}: {why}", status.reason())
        };
        Rejection {
            status,
            reason,
            headers: Headers::new(),
        }
    }

    /// The answer to send. For an ACK there is none: drop the request.
    #[must_use]
    pub fn to_response(&self, request: &Request, to_tag: Option<&str>) -> Option<Response> {
        if request.method == Method::Ack {
            return None;
        }
        let mut response = Response::to_request(request, self.status, to_tag);
        response = response.with_reason(&self.reason);
        for (name, value) in self.headers.iter() {
            response.headers.push(name.clone(), value);
        }
        Some(response)
    }
}

impl From<HeaderError> for Rejection {
    fn from(error: HeaderError) -> Self {
        let mut why = error.header.to_string();
        why.push_str(if error.is_missing() {
            " is missing"
        } else {
            " is malformed"
        });
        Rejection::new(StatusCode::BAD_REQUEST, &why)
    }
}

/// Option tags that this crate's user agent understands.
pub const EXTENSIONS: [&str; 6] = [
    "100rel",
    "timer",
    "outbound",
    "path",
    "geolocation-http",
    "geolocation-sip",
];

/// The same with call transfer (RFC 3891, RFC 4488, RFC 7614).
pub const EXTENSIONS_WITH_TRANSFERS: [&str; 9] = [
    "100rel",
    "timer",
    "outbound",
    "path",
    "geolocation-http",
    "geolocation-sip",
    "replaces",
    "norefersub",
    "nosub",
];

/// Checks a request with the extensions of [`EXTENSIONS`].
///
/// # Errors
/// The answer that the request deserves.
pub fn validate_request(request: &Request) -> Result<(), Rejection> {
    validate_request_for(request, &EXTENSIONS)
}

/// Checks a request: mandatory headers, each header that we would act on, the scheme of the
/// Request-URI (416), agreement of CSeq and method (400), Require (420).
///
/// A missing Max-Forwards passes: RFC 2543 did not have it. A malformed Date passes: nothing is
/// decided by it. Content types are judged by who reads the body (415), methods by who serves
/// them (405), credentials by who asks for them (401).
///
/// # Errors
/// The answer that the request deserves.
pub fn validate_request_for(request: &Request, extensions: &[&str]) -> Result<(), Rejection> {
    let headers = &request.headers;
    let bad = |why: &str| Err(Rejection::new(StatusCode::BAD_REQUEST, why));
    check_core(headers)?;
    if headers.cseq()?.method != request.method {
        return bad("method of CSeq is not the request's");
    }
    check_known(headers)?;
    if request.method != Method::Register && headers.contacts()? == Contacts::Star {
        return bad("Contact * outside REGISTER");
    }
    match &request.uri {
        Uri::Sip(uri) if !uri.headers().is_empty() => return bad("Request-URI has headers"),
        Uri::Other(_) => return Err(Rejection::new(StatusCode::UNSUPPORTED_URI_SCHEME, "")),
        Uri::Urn(urn) if urn.service().is_none() => {
            return Err(Rejection::new(StatusCode::UNSUPPORTED_URI_SCHEME, ""));
        }
        _ => {}
    }
    // Require is not for ACK and CANCEL (section 8.2.2.3).
    if matches!(request.method, Method::Ack | Method::Cancel) {
        return Ok(());
    }
    let mut unknown = headers.require()?;
    unknown.retain(|tag| {
        !extensions
            .iter()
            .any(|known| known.eq_ignore_ascii_case(tag))
    });
    if unknown.is_empty() {
        return Ok(());
    }
    let mut rejection = Rejection::new(StatusCode::BAD_EXTENSION, "");
    rejection
        .headers
        .push(HeaderName::Unsupported, unknown.join(", "));
    Err(rejection)
}

/// Checks a response that came to a user agent. One that fails is dropped: nobody can be told.
/// A second Via means that it is not for us (RFC 3261 section 8.1.3.3).
///
/// # Errors
/// The header at fault.
pub fn validate_response(response: &Response) -> Result<(), HeaderError> {
    check_core(&response.headers)?;
    if response.headers.vias()?.len() > 1 {
        let fault = crate::scan::Fault {
            at: 0,
            what: "a response to us has one Via",
        };
        return Err(HeaderError::new(HeaderName::Via, fault));
    }
    check_known(&response.headers)
}

/// The headers without which there is no transaction.
fn check_core(headers: &Headers) -> Result<(), HeaderError> {
    let vias = headers.vias()?;
    let Some(top) = vias.first() else {
        return Err(HeaderError::missing(HeaderName::Via));
    };
    if let Some(branch) = top.branch()
        && branch.eq_ignore_ascii_case(crate::via::MAGIC_COOKIE)
    {
        let fault = crate::scan::Fault {
            at: 0,
            what: "branch is the magic cookie alone",
        };
        return Err(HeaderError::new(HeaderName::Via, fault));
    }
    headers.from()?;
    headers.to()?;
    headers.call_id()?;
    headers.cseq()?;
    headers.max_forwards()?;
    Ok(())
}

/// Every header that has a type, if it is there.
fn check_known(headers: &Headers) -> Result<(), HeaderError> {
    headers.contacts()?;
    headers.routes()?;
    headers.record_routes()?;
    headers.paths()?;
    headers.service_routes()?;
    headers.refer_to()?;
    headers.content_type()?;
    headers.rseq()?;
    headers.rack()?;
    headers.session_expires()?;
    headers.min_se()?;
    headers.require()?;
    headers.proxy_require()?;
    headers.supported()?;
    headers.allow()?;
    headers.geolocation()?;
    headers.call_info()?;
    headers.www_authenticate()?;
    headers.proxy_authenticate()?;
    headers.authorization()?;
    headers.proxy_authorization()?;
    Ok(())
}
