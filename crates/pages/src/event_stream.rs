//! Server-sent events: what a handler writes, block by block, as the body of its answer.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use hyper::body::Frame;
use tokio::sync::mpsc;

/// The answer that tells what `blocks` brings until its senders are gone. The bound of the channel is how much waits for
/// a slow reader; a sender learns from `closed` that nobody reads any more.
#[must_use]
pub fn event_stream(blocks: mpsc::Receiver<Bytes>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::new(Blocks(blocks))).into_response()
}

struct Blocks(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Blocks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0
            .poll_recv(context)
            .map(|block| block.map(|block| Ok(Frame::data(block))))
    }
}
