//! A tab's news as server-sent events. A page that comes back names the last that it saw.
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::response::Response;
use hearthline_pages::event_stream;
use tokio::sync::mpsc;

use super::journal::{Journal, Next};

/// A silent stream says that it is there.
const BEAT: Duration = Duration::from_secs(10);

/// The stream behind `after`.
pub(super) fn stream(journal: &Arc<Journal>, after: u64) -> Response {
    let (blocks, receiver) = mpsc::channel(4);
    tokio::spawn(tell(Arc::clone(journal), after, blocks));
    event_stream(receiver)
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
