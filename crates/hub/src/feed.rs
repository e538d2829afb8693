//! Following events: hints wake, SQL tells.

use std::sync::Arc;
use std::time::Duration;

use crate::bus::{Bus, Hints};
use crate::event::{Event, StreamId};
use crate::store::{Answer, Store};

/// How long a follower sleeps without a hint before it looks by itself.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Most events of one look.
const EVENTS_MAX: u32 = 200;

/// The events after a place, as they come.
pub struct Feed {
    store: Arc<dyn Store>,
    hints: Box<dyn Hints>,
    after: StreamId,
    /// There may be events that were not asked for.
    look: bool,
}

impl Feed {
    /// Follows from behind `after`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, bus: &dyn Bus, after: StreamId) -> Self {
        Self {
            store,
            hints: bus.listen(),
            after,
            look: true,
        }
    }

    /// The next events, at least one, without gap or repetition.
    ///
    /// # Errors
    /// When the store fails; the place is kept, so asking again goes on.
    pub async fn next(&mut self) -> Answer<Vec<Event>> {
        loop {
            if self.look {
                let events = self.store.events_after(self.after, EVENTS_MAX).await?;
                self.look = usize::try_from(EVENTS_MAX).is_ok_and(|most| events.len() >= most);
                if let Some(last) = events.last() {
                    self.after = last.stream_id;
                    return Ok(events);
                }
            }
            self.wait().await;
            self.look = true;
        }
    }

    /// Until a hint of something further, or until it is time to look without one.
    async fn wait(&mut self) {
        loop {
            match tokio::time::timeout(LOOK_EVERY, self.hints.next()).await {
                Ok(Some(newest)) if newest <= self.after => {}
                // A bus that has ended is a bus without hints.
                Ok(None) => return tokio::time::sleep(LOOK_EVERY).await,
                _ => return,
            }
        }
    }
}
