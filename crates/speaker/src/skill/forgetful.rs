//! A skill whose state is in memory only: for recordings, which must neither find nor leave anybody's timers.
use core::time::Duration;

use super::{Asked, Deed, Event, Reply, Skill};

/// Another skill, with a disk that takes everything at once and keeps nothing.
pub struct Forgetful {
    skill: Box<dyn Skill>,
    now: Duration,
}

impl Forgetful {
    /// Of this skill.
    #[must_use]
    pub fn new(skill: Box<dyn Skill>) -> Self {
        Self {
            skill,
            now: Duration::ZERO,
        }
    }
}

impl Skill for Forgetful {
    fn name(&self) -> &'static str {
        self.skill.name()
    }

    fn take(&mut self, asked: &Asked<'_>, now: Duration) -> Reply {
        self.now = now;
        self.skill.take(asked, now)
    }

    fn hear(&mut self, said: &str, wall_ms: u64, now: Duration) -> Reply {
        self.now = now;
        self.skill.hear(said, wall_ms, now)
    }

    fn answer(&mut self, said: &str, now: Duration) -> Reply {
        self.now = now;
        self.skill.answer(said, now)
    }

    fn handle(&mut self, event: Event<'_>, now: Duration) {
        self.now = now;
        let event = match event {
            Event::Restored(_) => Event::Restored(&[]),
            event => event,
        };
        self.skill.handle(event, now);
    }

    fn poll_deed(&mut self) -> Option<Deed> {
        loop {
            match self.skill.poll_deed()? {
                Deed::Keep { token, .. } | Deed::Append { token, .. } => {
                    self.skill.handle(Event::Kept(token), self.now);
                }
                deed => return Some(deed),
            }
        }
    }

    fn poll_timeout(&self) -> Option<Duration> {
        self.skill.poll_timeout()
    }

    fn is_ringing(&self) -> bool {
        self.skill.is_ringing()
    }
}
