//! The place of a skill that the household has not set up: it may be, while the device runs.
use core::time::Duration;

use super::{Asked, Deed, Event, Reply, Skill};

/// Takes nothing.
pub struct Absent {
    name: &'static str,
}

impl Absent {
    /// In the place of the skill of this name.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name }
    }
}

impl Skill for Absent {
    fn name(&self) -> &'static str {
        self.name
    }

    fn take(&mut self, _: &Asked<'_>, _: Duration) -> Reply {
        Reply::Other
    }

    fn handle(&mut self, _: Event<'_>, _: Duration) {}

    fn poll_deed(&mut self) -> Option<Deed> {
        None
    }

    fn poll_timeout(&self) -> Option<Duration> {
        None
    }
}
