//! Settings that change while the device runs. No call sees two of them: what changes waits until none stands.
use core::time::Duration;

use hearthline_emergency::call::Line;
use hearthline_emergency::lost_client::locations_of;
use hearthline_emergency::profile::EmergencyProfile;
use hearthline_emergency::service::ServiceUrn;
use hearthline_emergency::target::HttpUrl;
use hearthline_ledger::Human;
use hearthline_voice::understand::Service;

use super::{Device, Step};
use crate::policy::{Mode, Policy, Situation};
use crate::skill::{Event, Skill};

/// What calls for help are made by.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The household, for the call-taker. Its contact stays the present one.
    pub profile: EmergencyProfile,
    /// Lines, the preferred first.
    pub lines: Vec<Line>,
    /// LoST servers; none: as they are.
    pub lost_servers: Option<Vec<HttpUrl>>,
    /// How calls are announced.
    pub mode: Mode,
}

impl Device {
    /// Calls for help are made by these settings, from the next one on.
    pub fn reconfigure(&mut self, settings: Settings, now: Duration) {
        self.now = now;
        self.new_settings = Some(Box::new(settings));
        self.drain(now);
    }

    /// The settings by which the next call is made, as far as none waits.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let (profile, lines) = self.calling.settings();
        Settings {
            profile,
            lines,
            lost_servers: None,
            mode: self.policy.mode(),
        }
    }

    /// Takes new settings over once no call stands and nothing is asked; true when it did.
    pub(super) fn settle(&mut self, now: Duration) -> bool {
        let busy = self.situation() != Situation::Idle
            || self.calling.is_called_back()
            || self.recorder.incident().is_some();
        if busy {
            return false;
        }
        let Some(settings) = self.new_settings.take() else {
            return false;
        };
        let before = locations_of(
            self.calling.profile().civic.as_ref(),
            self.calling.profile().shape.as_ref(),
        );
        self.policy = Policy::new(settings.mode);
        if let Some(servers) = settings.lost_servers {
            self.lost.set_servers(servers);
        }
        self.calling.reconfigure(settings.profile, settings.lines);
        let profile = self.calling.profile();
        let after = locations_of(profile.civic.as_ref(), profile.shape.as_ref());
        if before != after {
            let services = Service::ALL
                .iter()
                .filter_map(|service| ServiceUrn::parse(service.urn()).ok())
                .collect();
            let wall = self.wall(now);
            self.lost.start(after, services, now, wall);
        }
        let entry = Human {
            action: "configuration".into(),
            by: "file".into(),
            effect: Some("calls are made by it from now on".into()),
        };
        self.recorder.write(entry, None, now);
        self.step(Step::Skill {
            what: "the configuration was read again: calls are made by it from now on".into(),
        });
        true
    }

    /// A skill takes the place of the one of its name. What that one rang and asked is over.
    pub fn replace_skill(&mut self, mut skill: Box<dyn Skill>, kept: &[u8], now: Duration) {
        let name = skill.name();
        let at = self.skills.place_of(name);
        let Some(at) = at else {
            return self.add_skill(skill, kept, now);
        };
        self.now = now;
        let ms_at_zero = self.wall_ms_at_zero;
        skill.handle(Event::Wall { ms_at_zero }, now);
        skill.handle(Event::Restored(kept), now);
        self.skills.put(at, skill, now);
        self.know_the_house();
        self.drain(now);
    }
}
