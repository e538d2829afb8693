//! Where what the speaker's own sensors show comes from: its skill, and an examination from time to time.
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use hearthline_speaker::io::skills::{Outside, Port, port};
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use crate::mqtt::own::OwnState;

/// Whether the speaker is ready to call for help; asked on a thread of its own, nothing is called.
pub type Readiness = Box<dyn Fn() -> bool + Send>;

/// How often that is asked.
const EXAMINE_EVERY: Duration = Duration::from_secs(30);

/// What the sensors show, as it changes.
pub(super) struct OwnWires {
    states: mpsc::Receiver<Value>,
    ready: watch::Receiver<Option<bool>>,
    /// The skill's way back is not needed, and must not be closed.
    _tell: mpsc::Sender<Value>,
    /// The examination ends with it.
    _ends: Sender<()>,
}

impl OwnWires {
    /// With the port of the skill.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn open(readiness: Readiness) -> Result<(Self, Port), String> {
        let (port, Outside { asked, tell }) = port();
        let (found, ready) = watch::channel(None);
        let (ends, ended) = channel::<()>();
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
        let wires = Self {
            states: asked,
            ready,
            _tell: tell,
            _ends: ends,
        };
        Ok((wires, port))
    }

    /// What has changed; never again once the skill and the examination are gone.
    pub(super) async fn next(&mut self) -> OwnState {
        loop {
            tokio::select! {
                Some(state) = self.states.recv() => {
                    if let Ok(state) = serde_json::from_value(state) {
                        return state;
                    }
                }
                Ok(()) = self.ready.changed() => {
                    let ready = *self.ready.borrow_and_update();
                    return OwnState { ready, ..OwnState::default() };
                }
                else => core::future::pending().await,
            }
        }
    }
}
