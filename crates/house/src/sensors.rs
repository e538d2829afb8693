//! The speaker's own state as sensors for others: a skill that takes no sentence and watches what the device tells all skills.
//!
//! It keeps where its sensors were announced, so that those of an older configuration are taken back when their broker
//! answers next.
use core::time::Duration;
use std::collections::VecDeque;
use std::net::SocketAddr;

use hearthline_speaker::skill::{Asked, Deed, Engaged, Event, Reply, Skill};
use serde::{Deserialize, Serialize};

use crate::mqtt::own::{Announced, OwnState};

/// Most announcements that are remembered; the oldest is left out.
const ANNOUNCED_MAX: usize = 16;

/// What the skill says to whoever speaks to the broker.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromSensors {
    /// It is so now.
    State(OwnState),
    /// These are no longer wanted. It answers with those of which the broker keeps nothing any more.
    Forget(Vec<Announced>),
}

/// The skill.
#[derive(Debug)]
pub struct SensorsSkill {
    broker: SocketAddr,
    /// None: nothing is to be seen.
    announced: Option<Announced>,
    /// What was announced and not taken back.
    kept: Vec<Announced>,
    state: OwnState,
    told: OwnState,
    tokens: u64,
    deeds: VecDeque<Deed>,
}

impl SensorsSkill {
    /// At this broker, announced so if at all. Nothing is known yet but that no call stands.
    #[must_use]
    pub fn new(broker: SocketAddr, announced: Option<Announced>) -> Self {
        Self {
            broker,
            announced,
            kept: Vec::new(),
            state: OwnState {
                in_call: Some(false),
                ..OwnState::default()
            },
            told: OwnState::default(),
            tokens: 0,
            deeds: VecDeque::new(),
        }
    }

    fn out(&mut self, said: &FromSensors) {
        if let Ok(said) = serde_json::to_value(said) {
            self.deeds.push_back(Deed::Out(said));
        }
    }

    /// What the last run left: older announcements are to be forgotten, and the present one is remembered.
    fn restored(&mut self, kept: &[u8]) {
        // What is no list of ours names nothing that could be taken back.
        self.kept = serde_json::from_slice(kept).unwrap_or_default();
        let present = self.announced.as_ref();
        let is_old = |one: &&Announced| one.address == self.broker && Some(*one) != present;
        let old: Vec<Announced> = self.kept.iter().filter(is_old).cloned().collect();
        if !old.is_empty() {
            self.out(&FromSensors::Forget(old));
        }
        if let Some(present) = self.announced.clone()
            && !self.kept.contains(&present)
        {
            self.kept.push(present);
            self.keep();
        }
    }

    fn keep(&mut self) {
        let over = self.kept.len().saturating_sub(ANNOUNCED_MAX);
        self.kept.drain(..over);
        if let Ok(bytes) = serde_json::to_vec(&self.kept) {
            self.tokens += 1;
            let token = self.tokens;
            self.deeds.push_back(Deed::Keep { token, bytes });
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
            Event::Restored(kept) => self.restored(kept),
            Event::Came(forgotten) => {
                let forgotten = Vec::<Announced>::deserialize(forgotten).unwrap_or_default();
                let before = self.kept.len();
                self.kept.retain(|one| !forgotten.contains(one));
                if self.kept.len() != before {
                    self.keep();
                }
            }
            _ => {}
        }
    }

    fn poll_deed(&mut self) -> Option<Deed> {
        if self.state != self.told && self.announced.is_some() {
            self.told = self.state;
            self.out(&FromSensors::State(self.state));
        }
        self.deeds.pop_front()
    }

    fn poll_timeout(&self) -> Option<Duration> {
        None
    }
}

#[cfg(test)]
mod tests {
    use hearthline_speaker::config::MqttSettings;

    use super::*;

    fn skill(port: u16, device: Option<&str>) -> SensorsSkill {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let settings = MqttSettings {
            address,
            username: None,
            password_file: None,
            certificate: None,
            discovery: "homeassistant".into(),
            zigbee2mqtt: "zigbee2mqtt".into(),
            sensors: true,
        };
        let announced = device.map(|device| Announced::new(&settings, device));
        SensorsSkill::new(address, announced)
    }

    fn said(skill: &mut SensorsSkill) -> Option<FromSensors> {
        match skill.poll_deed()? {
            Deed::Out(value) => serde_json::from_value(value).ok(),
            other => panic!("{other:?}"),
        }
    }

    fn shown(skill: &mut SensorsSkill) -> Option<OwnState> {
        match said(skill)? {
            FromSensors::State(state) => Some(state),
            FromSensors::Forget(old) => panic!("{old:?}"),
        }
    }

    #[test]
    fn what_was_announced_is_remembered_until_its_broker_has_forgotten_it() {
        let now = Duration::ZERO;
        let started = |skill: &mut SensorsSkill, kept: &[u8]| {
            skill.handle(Event::Restored(kept), now);
            let (mut outs, mut bytes) = (Vec::new(), None);
            while let Some(deed) = skill.poll_deed() {
                match deed {
                    Deed::Out(value) => outs.push(serde_json::from_value(value).unwrap()),
                    Deed::Keep { bytes: kept, .. } => bytes = Some(kept),
                    other => panic!("{other:?}"),
                }
            }
            let forget = outs.into_iter().find_map(|said| match said {
                FromSensors::Forget(old) => Some(old),
                FromSensors::State(_) => None,
            });
            (forget, bytes)
        };
        let mut kitchen = skill(1_883, Some("Kitchen"));
        let (forget, kept) = started(&mut kitchen, b"no list");
        assert_eq!(forget, None);
        let kept = kept.unwrap();
        let again = started(&mut skill(1_883, Some("Kitchen")), &kept);
        assert_eq!(again, (None, None), "nothing is new");
        // Another broker's are left until it is asked again.
        let (forget, both) = started(&mut skill(1_884, Some("Kitchen")), &kept);
        assert_eq!(forget, None);
        let mut off = skill(1_883, None);
        let (forget, none) = started(&mut off, &both.unwrap());
        assert_eq!((forget.as_deref().map(<[_]>::len), none), (Some(1), None));
        // Renamed: the old name is forgotten, the new one remembered, and kept is what the broker still has.
        let mut hall = skill(1_883, Some("Hall"));
        let (forget, kept) = started(&mut hall, &kept);
        let forget = forget.unwrap();
        assert_eq!(forget, [kitchen.announced.clone().unwrap()]);
        let kept: Vec<Announced> = serde_json::from_slice(&kept.unwrap()).unwrap();
        assert_eq!(kept.len(), 2);
        let forgotten = serde_json::to_value(&forget).unwrap();
        hall.handle(Event::Came(&forgotten), now);
        let Some(Deed::Keep { bytes, .. }) = hall.poll_deed() else {
            panic!("it is to be kept")
        };
        let kept: Vec<Announced> = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(kept, [hall.announced.clone().unwrap()]);
    }

    #[test]
    fn an_emergency_call_is_shown_to_nobody() {
        let mut skill = skill(1_883, Some("Kitchen"));
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
