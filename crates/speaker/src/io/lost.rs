//! LoST over HTTP (RFC 5222 §14): one POST, bounded in time and size, within reach only.
use std::time::Duration;

use hearthline_emergency::lost_client::LostPost;
use hearthline_transport::Reach;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};

/// Largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1_024;

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostAnswer {
    /// HTTP status.
    pub status: u16,
    /// Content-Type, empty when absent.
    pub content_type: String,
    /// Body.
    pub body: Vec<u8>,
}

/// Makes the request.
///
/// # Errors
/// Says in words why there is no answer: too late, refused, out of reach, no HTTP.
pub async fn post(post: &LostPost, reach: Reach) -> Result<LostAnswer, String> {
    tokio::time::timeout(
        post.give_up_after.max(Duration::from_millis(1)),
        exchange(post, reach),
    )
    .await
    .map_err(|_| "no answer in time".to_owned())?
}

async fn exchange(post: &LostPost, reach: Reach) -> Result<LostAnswer, String> {
    if post.url.is_https() {
        return Err(
            "https is not spoken to LoST servers in this version; give an http URL on loopback"
                .into(),
        );
    }
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let uri: hyper::Uri = post.url.as_str().parse().map_err(|error| words(&error))?;
    let host = uri
        .host()
        .ok_or("no host in the URL")?
        .trim_matches(['[', ']']);
    let address = lookup_host((host, uri.port_u16().unwrap_or(80)))
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
    let driving = tokio::spawn(connection);
    let request = hyper::Request::post(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header(
            "Host",
            uri.authority().map_or(host, |authority| authority.as_str()),
        )
        .header("Content-Type", "application/lost+xml")
        .header("Accept", "application/lost+xml")
        .header("Cache-Control", "no-cache") // RFC 5222 §14
        .body(Full::new(Bytes::from(post.body.clone())))
        .map_err(|error| words(&error))?;
    let response = sender
        .send_request(request)
        .await
        .map_err(|error| words(&error))?;
    let status = response.status().as_u16();
    let content_type = response
        .headers()
        .get("Content-Type")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
        .collect()
        .await
        .map_err(|error| words(&error))?;
    driving.abort();
    Ok(LostAnswer {
        status,
        content_type,
        body: body.to_bytes().to_vec(),
    })
}
