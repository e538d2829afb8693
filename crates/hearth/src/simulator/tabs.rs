//! The tabs that are open, and the ground that their devices stand on together.
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hearthline_hub::entropy;
use hearthline_speaker::config::{HomeSettings, Household, LineSettings};
use hearthline_speaker::io::loudspeaker::Sink;
use hearthline_speaker::io::microphone::Microphone;
use hearthline_speaker::io::run::Parts;
use hearthline_speaker::words;
use hearthline_voice::synthesise::Synthesiser;
use hearthline_voice::understand::everyday::Everyday;
use hearthline_voice::understand::sentences::House;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::bridge::{Bridge, Command};
use super::journal::Journal;
use super::tab;
use crate::enrolment::Enrolment;
use crate::models::ModelFolder;
use crate::{ear, voice};

/// Devices at once.
pub(super) const TABS_MAX: usize = ROOMS.len();
/// Where each of them stands, in the order of their opening: what one says to call another.
const ROOMS: [&str; 20] = [
    "Kitchen",
    "Hall",
    "Bedroom",
    "Bathroom",
    "Living room",
    "Office",
    "Nursery",
    "Attic",
    "Cellar",
    "Garage",
    "Garden",
    "Balcony",
    "Library",
    "Workshop",
    "Laundry room",
    "Guest room",
    "Dining room",
    "Playroom",
    "Porch",
    "Study",
];
/// Frames that wait for a device: two seconds.
const FRAMES_MAX: usize = 100;
/// Blocks of a loudspeaker that wait.
const BLOCKS_MAX: usize = 50;
/// Things that a page asks for and that wait.
const COMMANDS_MAX: usize = 32;

/// What every tab's device is made of.
pub(crate) struct Ground {
    /// Where the devices keep their records.
    pub(crate) data: PathBuf,
    /// Models on disk.
    pub(crate) models: ModelFolder,
    /// The one voice of all.
    pub(crate) voice: Arc<Mutex<Synthesiser>>,
    /// The one set of compiled sentences of all.
    pub(crate) everyday: Option<Arc<Everyday>>,
    /// The household; each device has a name of its own in it.
    pub(crate) household: Household,
    /// The drill line of each device.
    pub(crate) line: LineSettings,
    /// The home that they are enrolled in; none: each is alone.
    pub(crate) home: Option<Enrolment>,
    /// Whose certificates are taken from lines.
    pub(crate) roots_pem: Vec<u8>,
    /// The call-taker's page.
    pub(crate) console: String,
    /// What a page must know to open a tab; none: any page of this machine may.
    pub(crate) key: Option<String>,
}

/// An open tab.
pub(super) struct Tab {
    pub(super) journal: Arc<Journal>,
    pub(super) commands: mpsc::Sender<Command>,
    /// Where its incidents lie.
    pub(super) incidents: PathBuf,
    number: usize,
}

/// All tabs.
pub(super) struct Tabs {
    ground: Ground,
    /// The one recogniser of all.
    recogniser: ear::Shared,
    open: Mutex<BTreeMap<String, Arc<Tab>>>,
    /// What the devices of each number know of the home.
    settings: Mutex<BTreeMap<usize, HomeSettings>>,
    /// One device starts at a time.
    starting: tokio::sync::Mutex<()>,
}

/// Why no device was opened.
#[derive(Debug)]
pub(super) enum NotOpened {
    /// The limit.
    TooMany,
    /// Something is missing; what.
    Failed(String),
}

impl Tabs {
    pub(super) fn new(ground: Ground) -> Self {
        Self {
            ground,
            recogniser: ear::Shared::default(),
            open: Mutex::default(),
            settings: Mutex::default(),
            starting: tokio::sync::Mutex::default(),
        }
    }

    /// Whether a page that knows this may open a tab.
    pub(super) fn admits(&self, key: &str) -> bool {
        match &self.ground.key {
            None => true,
            // Both as their hashes: how long the comparison takes says nothing of the key.
            Some(kept) => Sha256::digest(kept) == Sha256::digest(key),
        }
    }

    /// The open tab of that name.
    pub(super) fn get(&self, name: &str) -> Option<Arc<Tab>> {
        let tab = lock(&self.open).get(name).cloned();
        tab.filter(|tab| !tab.journal.is_over())
    }

    /// Opens a tab: its name, which nobody else can guess.
    pub(super) async fn open(&self) -> Result<String, NotOpened> {
        let _one = self.starting.lock().await;
        let number = {
            let mut open = lock(&self.open);
            open.retain(|_, tab| !tab.journal.is_over());
            let taken: Vec<usize> = open.values().map(|tab| tab.number).collect();
            let free = (1..=TABS_MAX).find(|number| !taken.contains(number));
            free.ok_or(NotOpened::TooMany)?
        };
        let tab = self.start(number).await.map_err(NotOpened::Failed)?;
        let name = secret().map_err(NotOpened::Failed)?;
        lock(&self.open).insert(name.clone(), Arc::new(tab));
        Ok(name)
    }

    async fn start(&self, number: usize) -> Result<Tab, String> {
        let ground = &self.ground;
        let mut household = ground.household.clone();
        household.device.name = ROOMS[number - 1].to_owned();
        household.lines = vec![ground.line.clone()];
        household.household = self.home(number, &household.device.name).await?;
        let called = household.household.as_ref();
        if let Some(name) = called.and_then(|home| home.name.clone()) {
            household.device.name = name;
        }
        let country = household.country().map_err(|error| error.to_string())?;
        let place = format!("simulator-{number}");
        let data = ground.data.join(&place);
        let listener = ear::shared_listener(&ground.models, country, &self.recogniser)?;
        let (frames, microphone) = mpsc::channel(FRAMES_MAX);
        let (loudspeaker, blocks) = mpsc::channel(BLOCKS_MAX);
        let (commands, asked) = mpsc::channel(COMMANDS_MAX);
        let journal = Arc::new(Journal::new());
        journal.tell(&json!({
            "device": household.device.name,
            "number": words::number(country),
            "console": ground.console,
            "home": household.household.is_some(),
        }));
        let everyday = ground.everyday.as_ref().map(|sentences| {
            let mut house = House::default();
            house.set_context_area(&household.device.name);
            Arc::new(sentences.with_house(house))
        });
        let skills = crate::skills::of(&household);
        for notice in skills.notices {
            journal.tell(&json!({ "step": "trouble", "text": notice, "at_ms": 0 }));
        }
        let parts = Parts {
            household,
            data: data.clone(),
            listener,
            voice: voice::shared(&ground.voice),
            microphone: Microphone::Given(microphone),
            loudspeaker: Sink::Given(loudspeaker),
            everyday,
            skills: skills.fitted,
        };
        let bridge = Bridge {
            commands: asked,
            frames,
            blocks,
            journal: Arc::clone(&journal),
        };
        tokio::spawn(bridge.run());
        let (roots, told, folder) = (ground.roots_pem.clone(), Arc::clone(&journal), data.clone());
        std::thread::Builder::new()
            .name(place)
            .spawn(move || tab::run(parts, roots, &folder, &told))
            .map_err(|error| error.to_string())?;
        Ok(Tab {
            journal,
            commands,
            incidents: data.join("incidents"),
            number,
        })
    }

    /// What the device of that number knows of the home; it is enrolled once.
    async fn home(&self, number: usize, name: &str) -> Result<Option<HomeSettings>, String> {
        let Some(home) = &self.ground.home else {
            return Ok(None);
        };
        if let Some(known) = lock(&self.settings).get(&number) {
            return Ok(Some(known.clone()));
        }
        let settings = home.settings(name, &format!("simulator-{number}")).await?;
        lock(&self.settings).insert(number, settings.clone());
        Ok(Some(settings))
    }
}

/// Letters that nobody can guess.
///
/// # Errors
/// In words.
pub(crate) fn secret() -> Result<String, String> {
    let secret: [u8; 16] = entropy::random().map_err(|error| error.to_string())?;
    Ok(secret.iter().map(|octet| format!("{octet:02x}")).collect())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
