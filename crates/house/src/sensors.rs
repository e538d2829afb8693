//! The speaker's own state as sensors for others: a skill that takes no sentence and watches what the device tells all skills.
use core::time::Duration;

use hearthline_speaker::skill::{Asked, Deed, Engaged, Event, Reply, Skill};

use crate::mqtt::own::OwnState;

/// The skill.
#[derive(Debug, Default)]
pub struct SensorsSkill {
    state: OwnState,
    told: OwnState,
}

impl SensorsSkill {
    /// Nothing is known yet but that no call stands.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: OwnState {
                in_call: Some(false),
                ..OwnState::default()
            },
            told: OwnState::default(),
        }
    }
}

impl Skill for SensorsSkill {
    fn name(&self) -> &'static str {
        "sensors"
    }

    fn take(&mut self, _: &Asked<'_>, _: Duration) -> Reply {
        Reply::Other
    }

    fn volume(&mut self, percent: u8, muted: bool, _: Duration) {
        (self.state.volume, self.state.muted) = (Some(percent), Some(muted));
    }

    fn handle(&mut self, event: Event<'_>, _: Duration) {
        match event {
            // That somebody calls for help is shown to nobody: what was shown stays until it is over.
            Event::Engaged(Engaged::Emergency) => {}
            Event::Engaged(engaged) => self.state.in_call = Some(engaged == Engaged::OnCall),
            _ => {}
        }
    }

    fn poll_deed(&mut self) -> Option<Deed> {
        if self.state == self.told {
            return None;
        }
        self.told = self.state;
        serde_json::to_value(self.state).ok().map(Deed::Out)
    }

    fn poll_timeout(&self) -> Option<Duration> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(skill: &mut SensorsSkill) -> Option<OwnState> {
        match skill.poll_deed()? {
            Deed::Out(value) => serde_json::from_value(value).ok(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_emergency_call_is_shown_to_nobody() {
        let mut skill = SensorsSkill::new();
        let now = Duration::ZERO;
        skill.volume(60, false, now);
        let first = shown(&mut skill).unwrap();
        assert_eq!((first.in_call, first.volume), (Some(false), Some(60)));
        assert_eq!(shown(&mut skill), None);
        for quiet in [Engaged::Talking, Engaged::Emergency, Engaged::Free] {
            skill.handle(Event::Engaged(quiet), now);
            assert_eq!(shown(&mut skill), None, "{quiet:?}");
        }
        skill.handle(Event::Engaged(Engaged::OnCall), now);
        assert_eq!(shown(&mut skill).unwrap().in_call, Some(true));
        skill.handle(Event::Engaged(Engaged::Emergency), now);
        assert_eq!(shown(&mut skill), None);
        skill.handle(Event::Engaged(Engaged::Free), now);
        assert_eq!(shown(&mut skill).unwrap().in_call, Some(false));
    }
}
