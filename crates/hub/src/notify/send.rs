//! One HTTP request to a service of this machine, bounded in time and size.

use std::time::Duration;

use axum::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::LocalUrl;

/// How long one try may take.
const TRY_TIME_MAX: Duration = Duration::from_secs(5);
/// Pauses before the further tries.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];

/// What is posted.
#[derive(Clone)]
pub(crate) struct Post {
    pub(crate) to: LocalUrl,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

/// Why it did not get there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// Nobody answers there.
    #[error("the service does not answer")]
    Unreachable,
    /// It was refused; trying again does not help.
    #[error("the service refuses it with {0}")]
    Refused(StatusCode),
    /// The service cannot now.
    #[error("the service cannot take it now: {0}")]
    Later(StatusCode),
}

/// Posts once.
pub(crate) async fn post(what: &Post) -> Result<(), Failure> {
    let status = tokio::time::timeout(TRY_TIME_MAX, send(what))
        .await
        .ok()
        .flatten()
        .ok_or(Failure::Unreachable)?;
    match status {
        status if status.is_success() => Ok(()),
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            Err(Failure::Later(status))
        }
        status => Err(Failure::Refused(status)),
    }
}

/// The same, and twice more where that may help.
pub(crate) async fn post_patiently(what: &Post) -> Result<(), Failure> {
    let mut tried = post(what).await;
    for pause in PAUSES {
        if !matches!(tried, Err(Failure::Unreachable | Failure::Later(_))) {
            break;
        }
        tokio::time::sleep(pause).await;
        tried = post(what).await;
    }
    tried
}

async fn send(what: &Post) -> Option<StatusCode> {
    let stream = TcpStream::connect(what.to.address()).await.ok()?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(what.to.path())
        .header("host", what.to.host());
    for (name, value) in &what.headers {
        request = request.header(*name, value);
    }
    let body = axum::body::Body::from(Bytes::from(what.body.clone()));
    let request = request.body(body).ok()?;
    // A service may close as soon as it has answered: the connection's end is no answer, and takes none away.
    let driver = tokio::spawn(connection);
    let response = sender.send_request(request).await;
    // What the service says beside its status is not read.
    driver.abort();
    response.ok().map(|response| response.status())
}
