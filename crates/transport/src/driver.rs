//! An endpoint over real sockets and the real clock: the whole loop in one call.

use std::time::Duration;

use hearthline_sip::endpoint::{Endpoint, Event, Input, Output};
use tokio::time::{Instant, sleep_until};

use crate::sockets::{FromNetwork, Sockets, ToNetwork};

/// An endpoint with its sockets. Give commands to `endpoint` with [`Driver::now`] as the time, then
/// wait for the next event.
#[derive(Debug)]
pub struct Driver {
    /// The endpoint.
    pub endpoint: Endpoint,
    sockets: Sockets,
    epoch: Instant,
}

impl Driver {
    /// Starts the clock.
    pub fn new(endpoint: Endpoint, sockets: Sockets) -> Self {
        Self {
            endpoint,
            sockets,
            epoch: Instant::now(),
        }
    }

    /// The time since the start, for commands.
    pub fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    /// The sockets, for their addresses and counters.
    pub fn sockets(&self) -> &Sockets {
        &self.sockets
    }

    /// Carries bytes and time until something happens; `None`: the sockets are gone. Dropping the
    /// future loses nothing.
    pub async fn next_event(&mut self) -> Option<Event> {
        loop {
            let wake_at = match self.endpoint.poll_output(self.now()) {
                Output::Event(event) => return Some(event),
                Output::Transmit { target, bytes } => {
                    self.transmit(ToNetwork::Transmit { target, bytes })?;
                    continue;
                }
                Output::Close { transport, remote } => {
                    self.transmit(ToNetwork::Close { transport, remote })?;
                    continue;
                }
                Output::Timeout(at) => at,
            };
            tokio::select! {
                received = self.sockets.receiver.recv() => self.received(&received?),
                () = wait(self.epoch, wake_at) => {
                    let now = self.now();
                    self.endpoint.handle_input(Input::Timeout, now);
                }
            }
        }
    }

    fn transmit(&mut self, message: ToNetwork) -> Option<()> {
        use tokio::sync::mpsc::error::TrySendError;
        match self.sockets.sender.try_send(message) {
            Ok(()) => Some(()),
            Err(TrySendError::Closed(_)) => None,
            Err(TrySendError::Full(ToNetwork::Transmit { target, .. })) => {
                let now = self.now();
                let target = &target;
                self.endpoint
                    .handle_input(Input::TransportFailed { target }, now);
                Some(())
            }
            Err(TrySendError::Full(ToNetwork::Close { .. })) => Some(()),
        }
    }

    fn received(&mut self, news: &FromNetwork) {
        let now = self.now();
        if let Some(input) = news.as_input() {
            self.endpoint.handle_input(input, now);
        }
    }
}

async fn wait(epoch: Instant, at: Option<Duration>) {
    match at {
        Some(at) => sleep_until(epoch + at).await,
        None => std::future::pending().await,
    }
}
