//! The satellite's socket: a task for each server that connects.
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt as _;
use tokio::task::JoinSet;

use super::access::{Door, Visitor};
use super::relay::{Place, Places};
use super::wyoming_server::send;
use crate::wyoming::Limits;
use crate::wyoming::satellite::{Output, Satellite};

/// Bytes read at once.
const READ_BYTES: usize = 16 << 10;

/// Waits for servers until the task is dropped, and their connections with it.
pub async fn serve(door: Door, places: Places, name: String, wake_word: String) {
    let mut connections = JoinSet::new();
    loop {
        let visitor = tokio::select! {
            visitor = door.next_visitor() => visitor,
            Some(_) = connections.join_next() => continue,
        };
        let place = places.join().await;
        let satellite = Satellite::new(&name, &wake_word, Limits::default(), Duration::ZERO);
        connections.spawn(server(visitor, place, satellite));
    }
}

async fn server(visitor: Visitor, mut place: Place, mut satellite: Satellite) {
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
            match satellite.poll_output() {
                Output::Send(event) => {
                    if send(&mut to, &event).await.is_none() {
                        satellite.handle_closed();
                    }
                }
                Output::Tell(news) => place.tell(news).await,
                Output::Close => return,
                Output::Timeout(at) => break at,
            }
        };
        let wait = timeout.saturating_sub(started.elapsed());
        tokio::select! {
            read = from.read(&mut bytes) => match read {
                Ok(0) | Err(_) => satellite.handle_closed(),
                Ok(length) => satellite.handle_bytes(&bytes[..length], started.elapsed()),
            },
            input = place.inbox.recv() => match input {
                Some(input) => satellite.handle(input, started.elapsed()),
                None => satellite.handle_closed(),
            },
            () = tokio::time::sleep(wait) => satellite.handle_timeout(started.elapsed()),
        }
    }
}
