//! One HTTP request to a service of the owner's: bounded in time and size, within reach only.
use std::time::Duration;

use hearthline_transport::Reach;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};

/// What is asked.
pub(super) struct Asking<'a> {
    pub(super) method: Method,
    /// `http://…`; nothing else is spoken.
    pub(super) url: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: Vec<u8>,
    /// Largest body of an answer, in bytes.
    pub(super) answer_bytes_max: usize,
}

/// What came back.
pub(super) struct Answered {
    pub(super) status: u16,
    /// Empty when absent.
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

/// Makes the request.
///
/// # Errors
/// Says in words why there is no answer: too late, refused, out of reach, too large, no HTTP. Never what was sent.
pub(super) async fn ask(
    asking: Asking<'_>,
    reach: Reach,
    within: Duration,
) -> Result<Answered, String> {
    let within = within.max(Duration::from_millis(1));
    tokio::time::timeout(within, exchange(asking, reach))
        .await
        .map_err(|_| "no answer in time".to_owned())?
}

async fn exchange(asking: Asking<'_>, reach: Reach) -> Result<Answered, String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let uri: hyper::Uri = asking.url.parse().map_err(|error| words(&error))?;
    if uri.scheme_str() != Some("http") {
        return Err("only http is spoken in this version; give an http URL on loopback".into());
    }
    let host = uri.host().ok_or("no host in the URL")?;
    let name = host.trim_matches(['[', ']']);
    let address = lookup_host((name, uri.port_u16().unwrap_or(80)))
        .await
        .map_err(|error| words(&error))?
        .find(|address| reach.check(*address).is_ok())
        .ok_or("the server is out of reach: this version calls loopback only")?;
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| words(&error))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| words(&error))?;
    // Driven beside the request, and gone with it.
    let mut driving = tokio::task::JoinSet::new();
    driving.spawn(connection);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = uri.authority().map_or(host, |authority| authority.as_str());
    let mut request = Request::builder()
        .method(asking.method)
        .uri(path)
        .header("Host", authority);
    for (name, value) in asking.headers {
        request = request.header(*name, *value);
    }
    let request = request
        .body(Full::new(Bytes::from(asking.body)))
        .map_err(|error| words(&error))?;
    let response = sender
        .send_request(request)
        .await
        .map_err(|error| words(&error))?;
    let status = response.status().as_u16();
    let content_type = response.headers().get("Content-Type");
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let body = Limited::new(response.into_body(), asking.answer_bytes_max)
        .collect()
        .await
        .map_err(|error| words(&error))?;
    Ok(Answered {
        status,
        content_type,
        body: body.to_bytes().to_vec(),
    })
}
