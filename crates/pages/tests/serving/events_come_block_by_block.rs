//! What is sent arrives as it was sent, and ends with its sender.

use axum::Router;
use axum::routing::get;
use hearthline_pages::event_stream;
use tokio::sync::mpsc;

use crate::wire::ask;

#[tokio::test]
async fn until_the_sender_is_gone() {
    let tell = || async {
        let (blocks, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            for id in 1..=3 {
                let block = format!("id: {id}\ndata: {{}}\n\n");
                if blocks.send(block.into()).await.is_err() {
                    return;
                }
            }
        });
        event_stream(receiver)
    };
    let router = Router::new().route("/events", get(tell));
    let answer = ask(router, "GET /events HTTP/1.1\r\nhost: HERE").await;
    assert!(
        answer.contains("content-type: text/event-stream"),
        "{answer}"
    );
    assert!(answer.contains("cache-control: no-store"), "{answer}");
    let at = |id: u32| answer.find(&format!("id: {id}\ndata: {{}}\n\n")).unwrap();
    assert!(at(1) < at(2) && at(2) < at(3));
    assert!(
        answer.ends_with("0\r\n\r\n"),
        "the stream has an end: {answer}"
    );
}
