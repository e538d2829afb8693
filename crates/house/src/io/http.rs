//! Requests over one connection that is kept, each with a deadline and a size.
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::Response;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::dial::Dial;
use crate::request::{Answer, Request};

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_millis(1_500);
/// Largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// A client of one server.
pub(super) struct Client {
    dial: Dial,
    header: Option<(&'static str, String)>,
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
    /// With a header that every request carries.
    pub(super) fn new(dial: Dial, header: Option<(&'static str, String)>) -> Self {
        Self {
            dial,
            header,
            open: None,
        }
    }

    /// The answer, whatever its status.
    ///
    /// # Errors
    /// In words.
    pub(super) async fn send(&mut self, request: &Request) -> Result<Answer, String> {
        let asking = async {
            let response = self.respond(request, "application/json").await?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
                .collect()
                .await;
            let body = body.map_err(|_| "its answer breaks off or is too large".to_owned())?;
            Ok(Answer {
                status,
                body: body.to_bytes().to_vec(),
            })
        };
        let answer = match timeout(ANSWER_MAX, asking).await {
            Ok(answer) => answer,
            Err(_) => Err("it does not answer in time".to_owned()),
        };
        if answer.is_err() {
            self.open = None;
        }
        answer
    }

    /// An answer whose body goes on.
    ///
    /// # Errors
    /// In words.
    pub(super) async fn stream(&mut self, path: &str) -> Result<Incoming, String> {
        let request = Request::get(path);
        let asking = self.respond(&request, "text/event-stream");
        let response = match timeout(ANSWER_MAX, asking).await {
            Ok(response) => response?,
            Err(_) => return Err("it does not answer in time".to_owned()),
        };
        match response.status().as_u16() {
            200 => Ok(response.into_body()),
            status => Err(format!("it answers {status}")),
        }
    }

    async fn respond(
        &mut self,
        request: &Request,
        accept: &str,
    ) -> Result<Response<Incoming>, String> {
        let mut head = hyper::Request::builder()
            .method(request.method)
            .uri(&request.path)
            .header("host", self.dial.address().to_string())
            .header("accept", accept);
        if let Some((name, value)) = &self.header {
            head = head.header(*name, value);
        }
        if request.body.is_some() {
            head = head.header("content-type", "application/json");
        }
        let body = Bytes::from(request.body.clone().unwrap_or_default());
        let whole = head
            .body(Full::new(body))
            .map_err(|error| error.to_string())?;
        // One that was kept may have been closed meanwhile. What may have been read is not sent twice: "brighter" would
        // be twice as bright.
        if let Some(open) = &mut self.open
            && open.sender.ready().await.is_ok()
        {
            match open.sender.send_request(whole.clone()).await {
                Ok(response) => return Ok(response),
                Err(error) if error.is_canceled() || request.method == "GET" => {}
                Err(_) => return Err("it breaks off".to_owned()),
            }
        }
        let stream = self.dial.connect().await?;
        let made = handshake(TokioIo::new(stream)).await;
        let (sender, connection) = made.map_err(|error| error.to_string())?;
        let driving = tokio::spawn(async move { drop(connection.await) });
        let open = self.open.insert(Open { sender, driving });
        open.sender
            .send_request(whole)
            .await
            .map_err(|_| "it breaks off".to_owned())
    }
}
