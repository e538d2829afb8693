//! A tab's news as server-sent events. A page that comes back names the last that it saw.
use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use hyper::body::Frame;
use tokio::sync::mpsc;

use super::journal::{Journal, Next};

/// A silent stream says that it is there.
const BEAT: Duration = Duration::from_secs(10);

/// The stream behind `after`.
pub(super) fn stream(journal: &Arc<Journal>, after: u64) -> Response {
    let (blocks, receiver) = mpsc::channel(4);
    tokio::spawn(tell(Arc::clone(journal), after, blocks));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::new(Blocks(receiver))).into_response()
}

async fn tell(journal: Arc<Journal>, mut after: u64, blocks: mpsc::Sender<Bytes>) {
    let mut reader = journal.follow();
    let mut text = "retry: 1000\n\n".to_owned();
    let mut last = false;
    loop {
        if blocks.send(text.into()).await.is_err() || last {
            return;
        }
        text = String::new();
        let next = tokio::select! {
            () = blocks.closed() => return,
            next = reader.next(after) => next,
            () = tokio::time::sleep(BEAT) => {
                text.push_str(": still here\n\n");
                continue;
            }
        };
        match next {
            Next::News(news) => {
                for entry in news {
                    after = entry.id;
                    // JSON has no line breaks of its own: one line of data.
                    let _ = write!(text, "id: {}\ndata: {}\n\n", entry.id, entry.json);
                }
            }
            Next::Replaced => {
                text.push_str("event: replaced\ndata: {}\n\n");
                last = true;
            }
            Next::Over => {
                text.push_str("event: over\ndata: {}\n\n");
                last = true;
            }
        }
    }
}

/// The stream as a body.
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
