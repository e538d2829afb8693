//! What of a configuration the house goes by, and another one while it runs: what has not changed stays connected.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hearthline_speaker::config::{
    HomeAssistantSettings, Household, HueSettings, MqttSettings, WledSettings,
};
use hearthline_speaker::io::skills::{Fitted, port};
use hearthline_speaker::player::{Rooms, Wired};
use hearthline_speaker::skill::absent::Absent;
use tokio::sync::mpsc;

use super::running::{Spoken, Systems, run};
use super::secret::{Files, Secrets};
use super::{HOME_ASSISTANT, HUE, OwnWires, Readiness, home_assistant, hue, mqtt, wled};
use crate::mqtt::own::{Announced, Own};
use crate::mqtt::{DISCOVERED, ZIGBEE};
use crate::sensors::SensorsSkill;
use crate::skill::HouseSkill;

/// Of Home Assistant: its section, and the media player that music plays by.
type OfHomeAssistant = (HomeAssistantSettings, Option<String>);
/// Of MQTT: its section, and what the own sensors are called.
type OfMqtt = (MqttSettings, Option<Announced>, Option<String>);

/// By which settings each system runs.
#[derive(Default)]
struct Ways {
    home_assistant: Option<Way<OfHomeAssistant>>,
    mqtt: Option<Way<OfMqtt>>,
    hue: Option<Way<HueSettings>>,
    wled: Vec<Option<Way<WledSettings>>>,
}

/// The settings of a system, and what its files held.
struct Way<S> {
    settings: S,
    secrets: Secrets,
}

/// As a system is wanted.
struct Wanted<S> {
    /// `[mqtt]`
    section: &'static str,
    settings: S,
    files: Files,
}

impl Wanted<OfHomeAssistant> {
    fn of(household: &Household) -> Option<Self> {
        let settings = household.home_assistant.clone()?;
        Some(Self {
            section: "[home_assistant]",
            files: Files {
                secret: Some(settings.token_file.clone()),
                certificate: settings.certificate.clone(),
            },
            settings: (settings, household.music.home_assistant.clone()),
        })
    }
}

/// The skills of the house, and what belongs to them.
pub struct Fit {
    /// In the order in which they are asked.
    pub skills: Vec<Fitted>,
    /// Another configuration goes here.
    pub control: Control,
    /// What an owner should know.
    pub notices: Vec<String>,
}

/// What comes of another configuration.
#[derive(Default)]
pub struct Reloaded {
    /// Skills that take the places of others of their names.
    pub skills: Vec<Fitted>,
    /// What an owner should know.
    pub notices: Vec<String>,
    /// Home Assistant cannot be asked by its new settings, so it is by those before; `player` was not taken.
    pub keeps_home_assistant: bool,
}

/// The house that runs, for another configuration. It runs on when this is dropped.
pub struct Control {
    ways: Ways,
    /// Told to the client of the broker before it ends, where its sensors are not to be seen any more.
    sensors_leave: Option<Arc<AtomicBool>>,
    comes: mpsc::UnboundedSender<Systems>,
}

/// The skill with the systems of the configuration, connected on a thread of their own. Beside it what an owner should
/// know.
///
/// `readiness` is asked where the speaker's own sensors are wanted (`[mqtt] sensors`), which have a skill of their own.
/// `player` is the way to music that plays by a media player of Home Assistant's (`[music] home_assistant`), `rooms` are
/// those that music has by itself.
pub fn fitted(
    household: &Household,
    readiness: Readiness,
    player: Option<Wired>,
    rooms: Rooms,
) -> Fit {
    let (port, outside) = port();
    let (comes, systems) = mpsc::unbounded_channel();
    let mut control = Control {
        ways: Ways::default(),
        sensors_leave: None,
        comes,
    };
    let Reloaded {
        mut skills,
        mut notices,
        ..
    } = control.reload(household, readiness, player);
    if skills.is_empty() {
        // It may be wanted while the device runs.
        skills.push(absent());
    }
    let skill = HouseSkill::new(&[], room_of(household)).with_rooms_of_music(rooms);
    let skill = Box::new(skill);
    let runs = std::thread::Builder::new()
        .name("house".to_owned())
        .spawn(move || run(outside, systems));
    if let Err(error) = runs {
        notices.push(format!("lights and devices: {error}"));
    }
    let port = Some(port);
    skills.push(Fitted { skill, port });
    Fit {
        skills,
        control,
        notices,
    }
}

impl Control {
    /// Whether Home Assistant will be connected anew by this configuration, or by what its files hold now: then the way to
    /// music has to be another one.
    #[must_use]
    pub fn comes_anew(&self, household: &Household) -> bool {
        match (
            Wanted::<OfHomeAssistant>::of(household),
            &self.ways.home_assistant,
        ) {
            (Some(wanted), Some(way)) if wanted.settings == way.settings => {
                let read = wanted.files.read(Some(&way.secrets));
                read.is_ok_and(|secrets| secrets != way.secrets)
            }
            (wanted, way) => wanted.is_some() || way.is_some(),
        }
    }

    /// Goes on by another configuration, and by what its files hold now. A system that cannot be reached by it goes on by
    /// the one before. `player` is given where the way to music is another one.
    pub fn reload(
        &mut self,
        household: &Household,
        readiness: Readiness,
        player: Option<Wired>,
    ) -> Reloaded {
        let mut reloaded = Reloaded::default();
        let notices = &mut reloaded.notices;
        let mut spoken = Vec::new();
        let wanted = Wanted::<OfHomeAssistant>::of(household);
        let named = [(HOME_ASSISTANT, "Home Assistant")];
        let is_new = player.is_some();
        let begins = |(settings, entity): &OfHomeAssistant, secrets: &Secrets| {
            let player = entity.as_deref().zip(player);
            let task = home_assistant::Task::new(settings, secrets, player);
            let task = task.map_err(|why| format!("[home_assistant] {why}"))?;
            Ok(Spoken::anew(&named, |wires| task.run(wires)))
        };
        let before = &mut self.ways.home_assistant;
        reloaded.keeps_home_assistant =
            !settled(before, wanted, is_new, &named, begins, &mut spoken, notices);

        let device = &household.device.name;
        let room = household.house.room.clone();
        let wanted = household.mqtt.clone().map(|settings| {
            let own = (settings.sensors).then(|| Announced::new(&settings, device));
            // Only the sensors say where they stand.
            let room = room.clone().filter(|_| settings.sensors);
            Wanted {
                section: "[mqtt]",
                files: Files {
                    secret: settings.password_file.clone(),
                    certificate: settings.certificate.clone(),
                },
                settings: (settings, own, room),
            }
        });
        let named = [(DISCOVERED, "The MQTT broker"), (ZIGBEE, "zigbee2mqtt")];
        let announced = |ways: &Ways| ways.mqtt.as_ref().and_then(|way| way.settings.1.clone());
        let was_announced = announced(&self.ways);
        let left = self.ways.mqtt.is_some() && wanted.is_none();
        let sensors = &mut reloaded.skills;
        let mut new_leaves = None;
        let begins = |(settings, announced, room): &OfMqtt, secrets: &Secrets| {
            let readiness = announced.is_some().then_some(readiness);
            let (wires, port, leaves) = OwnWires::open(readiness)?;
            let own = announced
                .as_ref()
                .map(|announced| Own::new(announced, device, room.as_deref()));
            let task = mqtt::Task::new(settings, secrets, device, own, wires);
            let task = task.map_err(|why| format!("[mqtt] {why}"))?;
            let skill = SensorsSkill::new(settings.address, announced.clone());
            let skill = Box::new(skill);
            let port = Some(port);
            sensors.push(Fitted { skill, port });
            new_leaves = Some(leaves);
            let spoken = Spoken::anew(&named, |wires| task.run(wires));
            Ok(Spoken {
                says_farewell: true,
                ..spoken
            })
        };
        let before = &mut self.ways.mqtt;
        settled(before, wanted, false, &named, begins, &mut spoken, notices);
        if was_announced.is_some()
            && announced(&self.ways) != was_announced
            && let Some(leaves) = &self.sensors_leave
        {
            leaves.store(true, Ordering::Relaxed);
        }
        if left || new_leaves.is_some() {
            self.sensors_leave = new_leaves;
        }
        if left {
            reloaded.skills.push(absent());
        }

        let named = [(HUE, "The Hue bridge")];
        let begins = |settings: &HueSettings, secrets: &Secrets| {
            let task = hue::Task::new(settings, secrets).map_err(|why| format!("[hue] {why}"))?;
            Ok(Spoken::anew(&named, |wires| task.run(wires)))
        };
        let wanted = household.hue.clone().map(|settings| Wanted {
            section: "[hue]",
            files: Files {
                secret: Some(settings.key_file.clone()),
                certificate: Some(settings.certificate.clone()),
            },
            settings,
        });
        let before = &mut self.ways.hue;
        settled(before, wanted, false, &named, begins, &mut spoken, notices);

        let strips = self.ways.wled.len().max(household.wled.len());
        self.ways.wled.resize_with(strips, || None);
        for (number, before) in self.ways.wled.iter_mut().enumerate() {
            let key = format!("wled{number}");
            let wanted = household.wled.get(number).cloned();
            let label = wanted.as_ref().or(before.as_ref().map(|way| &way.settings));
            let label = label.map_or("", |settings| &settings.name).to_owned();
            let named = [(key.as_str(), label.as_str())];
            let begins = |settings: &WledSettings, _: &Secrets| {
                let task = wled::Task::new(settings, &key);
                let task = task.map_err(|why| format!("[[wled]] {why}"))?;
                Ok(Spoken::anew(&named, |wires| task.run(wires)))
            };
            let wanted = wanted.map(|settings| Wanted {
                section: "[[wled]]",
                files: Files::default(),
                settings,
            });
            settled(before, wanted, false, &named, begins, &mut spoken, notices);
        }

        let room = room_of(household).to_owned();
        if self.comes.send(Systems { room, spoken }).is_err() {
            notices.push("lights and devices: their thread has ended".into());
        }
        reloaded
    }
}

/// One system: as it was, anew, or no longer. False when it cannot be as it is wanted, and stays as it was.
fn settled<S: PartialEq>(
    before: &mut Option<Way<S>>,
    wanted: Option<Wanted<S>>,
    is_new: bool,
    named: &[(&str, &str)],
    begins: impl FnOnce(&S, &Secrets) -> Result<Spoken, String>,
    spoken: &mut Vec<Spoken>,
    notices: &mut Vec<String>,
) -> bool {
    let Some(Wanted {
        section,
        settings,
        files,
    }) = wanted
    else {
        *before = None;
        return true;
    };
    let as_before = before.as_ref().is_some_and(|way| way.settings == settings);
    // Other settings may name other files: what these hold was never compared with anything.
    let known = before
        .as_ref()
        .filter(|_| as_before)
        .map(|way| &way.secrets);
    let read = files.read(known).map_err(|why| format!("{section} {why}"));
    let begun = match read {
        Ok(secrets) if !is_new && known == Some(&secrets) => {
            spoken.push(Spoken::staying(named));
            return true;
        }
        Ok(secrets) => {
            let holds_another = known.is_some_and(|known| *known != secrets);
            begins(&settings, &secrets).map(|anew| (anew, secrets, holds_another))
        }
        Err(why) => Err(why),
    };
    match begun {
        Ok((anew, secrets, holds_another)) => {
            if holds_another {
                notices.push(format!(
                    "{section} is connected anew: its files hold another secret"
                ));
            }
            *before = Some(Way { settings, secrets });
            spoken.push(anew);
            true
        }
        Err(why) if before.is_some() => {
            notices.push(format!("{why}. It stays as it was"));
            spoken.push(Spoken::staying(named));
            false
        }
        Err(why) => {
            notices.push(why);
            false
        }
    }
}

fn room_of(household: &Household) -> &str {
    let room = household.house.room.as_deref();
    room.unwrap_or(&household.device.name)
}

fn absent() -> Fitted {
    Fitted {
        skill: Box::new(Absent::new("sensors")),
        port: None,
    }
}
