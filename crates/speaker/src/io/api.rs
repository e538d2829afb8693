//! The hub's HTTP API with the device's certificate: one connection that is kept, a deadline for each answer.
use std::net::SocketAddr;
use std::time::Duration;

use hearthline_transport::{Identity, Reach, secure_stream};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Largest answer, in bytes: ten thousand contacts fit.
const ANSWER_BYTES_MAX: usize = 8 * 1_024 * 1_024;
/// How long one answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Where the hub is asked, and by whom.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) api: SocketAddr,
    pub(super) authority_pem: Vec<u8>,
    pub(super) identity: Identity,
    /// Told when our address is another one: connections from the one before are dead.
    pub(super) moved: watch::Receiver<()>,
}

/// An answer, read whole.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) content_type: String,
    pub(super) body: Bytes,
}

/// A connection to the hub.
pub(super) struct Client {
    asked: Asked,
    open: Option<Open>,
}

struct Open {
    sender: SendRequest<Full<Bytes>>,
    driving: JoinHandle<()>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.driving.abort();
    }
}

impl Client {
    pub(super) fn new(asked: Asked) -> Self {
        Self { asked, open: None }
    }

    /// The answer, whatever its status.
    ///
    /// # Errors
    /// In words: nobody there, a certificate that is none, no answer in time, one that is too large.
    pub(super) async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, String> {
        let words = |error: &dyn std::fmt::Display| format!("{path}: {error}");
        if self.asked.moved.has_changed().unwrap_or(false) {
            self.open = None;
        }
        self.asked.moved.mark_unchanged();
        let mut moved = self.asked.moved.clone();
        let asking = async {
            let response = self.respond(method, path, &[], body).await?;
            let status = response.status();
            let content_type = response.headers().get(header::CONTENT_TYPE);
            let content_type = content_type.and_then(|value| value.to_str().ok());
            let content_type = content_type.unwrap_or_default().to_owned();
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
                .collect()
                .await
                .map_err(|error| words(&error))?;
            Ok(Answer {
                status,
                content_type,
                body: body.to_bytes(),
            })
        };
        let answer = tokio::select! {
            answer = tokio::time::timeout(ANSWER_MAX, asking) => match answer {
                Ok(answer) => answer,
                Err(_) => Err(format!("{path}: the hub did not answer in time")),
            },
            Ok(()) = moved.changed() => Err(format!("{path}: the network changed")),
        };
        if answer.is_err() {
            self.open = None;
        }
        answer
    }

    /// What a GET gives, as JSON.
    ///
    /// # Errors
    /// As [`Client::send`], and an answer that is not 200 or does not read.
    pub(super) async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, String> {
        let answer = self.send(Method::GET, path, None).await?;
        if !answer.status.is_success() {
            return Err(format!("{path}: the hub says {}", answer.status));
        }
        serde_json::from_slice(&answer.body).map_err(|error| format!("{path}: {error}"))
    }

    /// An answer whose body goes on: a stream.
    ///
    /// # Errors
    /// As [`Client::send`], and a status other than 200.
    pub(super) async fn stream(
        &mut self,
        path: &str,
        headers: &[(&str, String)],
    ) -> Result<Incoming, String> {
        let asking = self.respond(Method::GET, path, headers, None);
        let response = tokio::time::timeout(ANSWER_MAX, asking)
            .await
            .map_err(|_| format!("{path}: the hub did not answer in time"))??;
        if response.status() != StatusCode::OK {
            return Err(format!("{path}: the hub says {}", response.status()));
        }
        Ok(response.into_body())
    }

    async fn respond(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, String)],
        body: Option<Vec<u8>>,
    ) -> Result<Response<Incoming>, String> {
        let words = |error: &dyn std::fmt::Display| format!("{path}: {error}");
        let body = Bytes::from(body.unwrap_or_default());
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("Host", self.asked.api.to_string())
            .header("Accept", "*/*");
        if !body.is_empty() {
            request = request.header("Content-Type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request
            .body(Full::new(body))
            .map_err(|error| words(&error))?;
        // One that was kept may have been closed meanwhile: then the request goes over a new one. None of ours does
        // anything twice.
        if let Some(open) = &mut self.open
            && open.sender.ready().await.is_ok()
            && let Ok(response) = open.sender.send_request(request.clone()).await
        {
            return Ok(response);
        }
        let open = self
            .open
            .insert(connect(&self.asked).await.map_err(|error| words(&error))?);
        let response = open.sender.send_request(request).await;
        response.map_err(|error| words(&error))
    }
}

async fn connect(asked: &Asked) -> Result<Open, String> {
    let identity = Some(asked.identity.clone());
    let reach = Reach::LoopbackOnly;
    let stream = secure_stream::connect(asked.api, &asked.authority_pem, identity, reach)
        .await
        .map_err(|error| error.to_string())?;
    let (sender, connection) = handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    let driving = tokio::spawn(async move { drop(connection.await) });
    Ok(Open { sender, driving })
}
