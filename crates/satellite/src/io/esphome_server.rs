//! The socket of ESPHome's native API: a task for each client that connects.
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

use super::access::{Door, Visitor};
use super::relay::{Place, Places};
use crate::esphome::{About, Output, Session};

/// Bytes read at once.
const READ_BYTES: usize = 16 << 10;
/// How long a client may take nothing of what is sent to it.
const WRITE_MAX: Duration = Duration::from_secs(20);

/// Waits for clients until the task is dropped, and their connections with it.
pub async fn serve(door: Door, places: Places, about: Arc<About>) {
    let mut connections = JoinSet::new();
    loop {
        let visitor = tokio::select! {
            visitor = door.next_visitor() => visitor,
            Some(_) = connections.join_next() => continue,
        };
        let place = places.join().await;
        let session = Session::new(Arc::clone(&about), Duration::ZERO);
        connections.spawn(client(visitor, place, session));
    }
}

async fn client(visitor: Visitor, mut place: Place, mut session: Session) {
    let Visitor {
        stream,
        place: _seat,
        ..
    } = visitor;
    let started = Instant::now();
    let (mut from, mut to) = stream.into_split();
    let mut bytes = vec![0; READ_BYTES];
    loop {
        let timeout = loop {
            match session.poll_output() {
                Output::Send(bytes) => {
                    let sent = tokio::time::timeout(WRITE_MAX, to.write_all(&bytes)).await;
                    if !matches!(sent, Ok(Ok(()))) {
                        session.handle_closed();
                    }
                }
                Output::Tell(news) => place.tell(news).await,
                Output::Close => {
                    let _ = to.shutdown().await;
                    return;
                }
                Output::Timeout(at) => break at,
            }
        };
        let wait = timeout.saturating_sub(started.elapsed());
        tokio::select! {
            read = from.read(&mut bytes) => match read {
                Ok(0) | Err(_) => session.handle_closed(),
                Ok(length) => session.handle_bytes(&bytes[..length], started.elapsed()),
            },
            input = place.inbox.recv() => match input {
                Some(input) => session.handle(input, started.elapsed()),
                None => session.handle_closed(),
            },
            () = tokio::time::sleep(wait) => session.handle_timeout(started.elapsed()),
        }
    }
}
