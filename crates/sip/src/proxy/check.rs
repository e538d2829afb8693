//! Request validation (RFC 3261 section 16.3).

use super::event::Reject;
use crate::headers::HeaderError;
use crate::message::Request;
use crate::via::Via;
use crate::{HeaderName, Method, NameAddr, StatusCode, Uri};

/// What is read of a request once, at its arrival.
pub(super) struct Seen {
    pub(super) via: Via,
    pub(super) from_tag: String,
    pub(super) to_tag: Option<String>,
    pub(super) max_forwards: Option<u8>,
    pub(super) routes: Result<Vec<NameAddr>, HeaderError>,
}

/// The headers without which nothing can be forwarded or answered. Other headers are not for us
/// to judge: what a proxy does not understand it passes on (section 16.3 step 1).
pub(super) fn read(request: &Request) -> Result<Seen, HeaderError> {
    let headers = &request.headers;
    let via = headers.top_via()?;
    let from = headers.from()?;
    let to = headers.to()?;
    headers.call_id()?;
    Ok(Seen {
        via,
        from_tag: from.tag().unwrap_or_default().to_owned(),
        to_tag: to.tag().map(str::to_owned),
        max_forwards: headers.max_forwards()?,
        routes: headers.routes(),
    })
}

/// Steps 2, 3 and 5; step 4 is [`super::mark::Marks::is_loop`].
pub(super) fn validate(request: &Request, seen: &Seen) -> Result<(), Reject> {
    let cseq = request.headers.cseq().map_err(|error| malformed(&error))?;
    if cseq.method != request.method {
        return Err(bad("method of CSeq is not the request's"));
    }
    if let Err(error) = &seen.routes {
        return Err(malformed(error));
    }
    match &request.uri {
        Uri::Other(_) => return Err(Reject::new(StatusCode::UNSUPPORTED_URI_SCHEME)),
        Uri::Sip(uri) if !uri.headers().is_empty() => {
            return Err(bad("Request-URI has headers"));
        }
        _ => {}
    }
    if seen.max_forwards == Some(0) {
        return Err(Reject::new(StatusCode::TOO_MANY_HOPS));
    }
    if matches!(request.method, Method::Ack | Method::Cancel) {
        return Ok(());
    }
    let required = request.headers.proxy_require();
    let unknown = required.map_err(|error| malformed(&error))?;
    if !unknown.is_empty() {
        return Err(Reject::new(StatusCode::BAD_EXTENSION)
            .with(HeaderName::Unsupported, unknown.join(", ")));
    }
    Ok(())
}

pub(super) fn malformed(error: &HeaderError) -> Reject {
    let what = if error.is_missing() {
        "is missing"
    } else {
        "is malformed"
    };
    bad(&format!("{} {what}", error.header))
}

fn bad(why: &str) -> Reject {
    let mut reject = Reject::new(StatusCode::BAD_REQUEST);
    reject.reason = Some(format!("{}: {why}", StatusCode::BAD_REQUEST.reason()));
    reject
}
