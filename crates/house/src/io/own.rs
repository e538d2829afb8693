//! Where what the speaker's own sensors show comes from: its skill, and an examination from time to time.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use hearthline_speaker::io::skills::{Outside, Port, port};
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use crate::mqtt::Client;
use crate::mqtt::own::{Announced, OwnState};
use crate::sensors::FromSensors;

/// Whether the speaker is ready to call for help; asked on a thread of its own, nothing is called.
pub type Readiness = Box<dyn Fn() -> bool + Send>;

/// How often that is asked.
const EXAMINE_EVERY: Duration = Duration::from_secs(30);

/// What the sensors show, as it changes, and what of them is to be forgotten.
pub(super) struct OwnWires {
    said: mpsc::Receiver<Value>,
    ready: watch::Receiver<Option<bool>>,
    tell: mpsc::Sender<Value>,
    leaves: Arc<AtomicBool>,
    /// The examination ends with it.
    _ends: Sender<()>,
}

/// What the client is to know.
pub(super) enum Said {
    State(OwnState),
    Forget(Vec<Announced>),
}

impl Said {
    pub(super) fn to(self, client: &mut Client, now: Duration) {
        match self {
            Self::State(state) => client.own_is(state, now),
            Self::Forget(old) => client.forget(old, now),
        }
    }
}

impl OwnWires {
    /// With the port of the skill, and what makes the sensors leave with their client. Nothing is examined without
    /// `readiness`.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn open(
        readiness: Option<Readiness>,
    ) -> Result<(Self, Port, Arc<AtomicBool>), String> {
        let (port, Outside { asked, tell }) = port();
        let (found, ready) = watch::channel(None);
        let (ends, ended) = channel::<()>();
        if let Some(readiness) = readiness {
            std::thread::Builder::new()
                .name("sensors".into())
                .spawn(move || {
                    loop {
                        let is_ready = Some(readiness());
                        found.send_if_modified(|known| {
                            let before = core::mem::replace(known, is_ready);
                            before != is_ready
                        });
                        if ended.recv_timeout(EXAMINE_EVERY) != Err(RecvTimeoutError::Timeout) {
                            return;
                        }
                    }
                })
                .map_err(|error| format!("the speaker's own sensors: {error}"))?;
        }
        let leaves = Arc::new(AtomicBool::new(false));
        let wires = Self {
            said: asked,
            ready,
            tell,
            leaves: Arc::clone(&leaves),
            _ends: ends,
        };
        Ok((wires, port, leaves))
    }

    /// What has changed; never again once the skill and the examination are gone.
    pub(super) async fn next(&mut self) -> Said {
        loop {
            tokio::select! {
                Some(said) = self.said.recv() => match serde_json::from_value(said) {
                    Ok(FromSensors::State(state)) => return Said::State(state),
                    Ok(FromSensors::Forget(old)) => return Said::Forget(old),
                    Err(_) => {}
                },
                Ok(()) = self.ready.changed() => {
                    let ready = *self.ready.borrow_and_update();
                    return Said::State(OwnState { ready, ..OwnState::default() });
                }
                else => core::future::pending().await,
            }
        }
    }

    /// The skill need not know of these any more; it may be gone itself.
    pub(super) async fn forgotten(&self, old: Vec<Announced>) {
        if let Ok(old) = serde_json::to_value(&old) {
            let _ = self.tell.send(old).await;
        }
    }

    /// Whether the sensors are not to be seen any more once the client ends.
    pub(super) fn leaves(&self) -> bool {
        self.leaves.load(Ordering::Relaxed)
    }
}
