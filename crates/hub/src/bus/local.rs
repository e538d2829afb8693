//! The bus within one process.

use async_trait::async_trait;
use tokio::sync::watch;

use super::{Bus, Hints};
use crate::event::StreamId;

/// Hints between the tasks of one process.
#[derive(Debug)]
pub struct LocalBus {
    newest: watch::Sender<StreamId>,
}

impl Default for LocalBus {
    fn default() -> Self {
        Self {
            newest: watch::Sender::new(StreamId::default()),
        }
    }
}

#[async_trait]
impl Bus for LocalBus {
    async fn announce(&self, newest: StreamId) {
        self.newest.send_if_modified(|known| {
            let further = newest > *known;
            if further {
                *known = newest;
            }
            further
        });
    }

    fn listen(&self) -> Box<dyn Hints> {
        let mut newest = self.newest.subscribe();
        newest.mark_changed();
        Box::new(LocalHints(newest))
    }
}

struct LocalHints(watch::Receiver<StreamId>);

#[async_trait]
impl Hints for LocalHints {
    async fn next(&mut self) -> Option<StreamId> {
        self.0.changed().await.ok()?;
        Some(*self.0.borrow_and_update())
    }
}
