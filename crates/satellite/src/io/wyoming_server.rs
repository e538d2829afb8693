//! The Wyoming server: a task for each client around its [`Session`].
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::access::{Door, Visitor};
use super::engines::Engines;
use crate::wyoming::service::{Done, Offer, Output, Session};
use crate::wyoming::{Event, write};

/// Bytes read at once.
const READ_BYTES: usize = 16 << 10;
/// How long a client may take nothing of what is sent to it.
const WRITE_MAX: Duration = Duration::from_secs(20);

/// Serves clients until the task is dropped.
pub async fn serve(door: Door, offer: Arc<Offer>, engines: Engines) {
    loop {
        let visitor = door.next_visitor().await;
        let (offer, engines) = (Arc::clone(&offer), engines.clone());
        tokio::spawn(async move { client(visitor, offer, engines).await });
    }
}

async fn client(visitor: Visitor, offer: Arc<Offer>, engines: Engines) {
    let Visitor {
        stream,
        place: _place,
        ..
    } = visitor;
    let started = Instant::now();
    let mut session = Session::new(offer, started.elapsed());
    let (mut from, mut to) = stream.into_split();
    let mut bytes = vec![0; READ_BYTES];
    let mut job = None;
    loop {
        let Some((timeout, jobs)) = send_all(&mut session, &mut to).await else {
            break;
        };
        for next in jobs {
            let engines = engines.clone();
            job = Some(Box::pin(async move { engines.done(next).await }));
        }
        let wait = timeout.saturating_sub(started.elapsed());
        tokio::select! {
            read = from.read(&mut bytes) => match read {
                Ok(0) | Err(_) => break,
                Ok(length) => session.handle_bytes(&bytes[..length], started.elapsed()),
            },
            done = running(&mut job) => {
                job = None;
                session.handle_done(done, started.elapsed());
            }
            () = tokio::time::sleep(wait) => session.handle_timeout(started.elapsed()),
        }
    }
    let _ = to.shutdown().await;
}

/// The answer of the job that is out; never without one.
async fn running<F: Future<Output = Result<Done, String>> + Unpin>(
    job: &mut Option<F>,
) -> Result<Done, String> {
    match job {
        Some(job) => job.await,
        None => std::future::pending().await,
    }
}

/// Sends what is to be sent; when to come back and the jobs, or none when the connection is over.
async fn send_all(
    session: &mut Session,
    to: &mut tokio::net::tcp::OwnedWriteHalf,
) -> Option<(Duration, VecDeque<crate::wyoming::service::Job>)> {
    let mut jobs = VecDeque::new();
    loop {
        match session.poll_output() {
            Output::Send(event) => send(to, &event).await?,
            Output::Job(job) => jobs.push_back(job),
            Output::Close => return None,
            Output::Timeout(at) => return Some((at, jobs)),
        }
    }
}

/// Writes an event; none when the client does not take it.
pub(super) async fn send(to: &mut tokio::net::tcp::OwnedWriteHalf, event: &Event) -> Option<()> {
    let bytes = write(event);
    tokio::time::timeout(WRITE_MAX, to.write_all(&bytes))
        .await
        .ok()?
        .ok()
}
