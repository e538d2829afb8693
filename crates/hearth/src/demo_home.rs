//! The demo's home: a hub on loopback with one line, which leads to the drill call-taker, and the speakers enrolled in it.
use std::path::{Path, PathBuf};
use std::time::Duration;

use hearthline_emergency::numbers::Country;
use hearthline_hub::clock::Clock;
use hearthline_hub::device::{DeviceFields, DeviceKind};
use hearthline_hub::join::{join, telephone};
use hearthline_hub::line::{
    DrillAddress, LineFields, LineHealth, LineKind, LineServer, SipLine, UnknownCallers,
};
use hearthline_hub::sip::SipConfig;
use hearthline_hub::text::Name;
use hearthline_hub::{Hub, HubConfig, HubHandle};
use hearthline_speaker::config::{HomeSettings, Household};

use crate::command::join::keep;
use crate::household;
use crate::place::home_folder;

/// Its folder within the device's: made anew by each demo.
const FOLDER: &str = "demo-home";
/// How long the hub may need to find its line.
const LINE_MAX: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A hub that runs.
pub(crate) struct DemoHome {
    pub(crate) hub: HubHandle,
    folder: PathBuf,
}

impl DemoHome {
    /// Enrols a speaker of this name with a code, as a person would. What it was given is kept in a folder of its own,
    /// `place` within the home's.
    ///
    /// # Errors
    /// In words.
    pub(crate) async fn enrol(&self, name: &str, place: &str) -> Result<HomeSettings, String> {
        enrol(&self.hub, &self.folder.join(place), name).await
    }
}

/// Starts the hub and gives it its line.
///
/// # Errors
/// In words.
pub(crate) async fn start(
    device: &Path,
    household: &Household,
    country: Country,
    call_taker: &str,
) -> Result<DemoHome, String> {
    let said = |error: &dyn std::fmt::Display| format!("the demo's hub: {error}");
    let folder = device.join(FOLDER);
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(said(&error)),
        _ => {}
    }
    let mut config = HubConfig::new(folder.join("hub"));
    let sip = SipConfig::new(country);
    config.lines.profile = Some(household::hub_profile(household, &sip.domain)?);
    config.sip = Some(sip);
    let hub = Hub::start(config).await.map_err(|error| said(&error))?;
    let line = LineFields {
        name: Name::new("Drill line").map_err(|error| said(&error))?,
        kind: LineKind::SipTrunk,
        position: 0,
        caller_number: None,
        forward_to: None,
        enabled: true,
        sip: Some(SipLine {
            server: LineServer::new(call_taker).map_err(|error| said(&error))?,
            username: None,
            register: false,
            drill: Some(DrillAddress::Service),
        }),
        unknown_callers: UnknownCallers::Ring,
        ring_rooms: Vec::new(),
        ring_devices: Vec::new(),
    };
    let store = hub.store();
    let added = store.add_line(&line, Clock::default().now()).await;
    added.map_err(|error| said(&error))?;
    let found = async {
        loop {
            match store.lines().await {
                Ok(lines) if lines.iter().all(|line| line.health != LineHealth::Unknown) => return,
                _ => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    };
    // A line that was not looked at yet is tried all the same.
    let _ = tokio::time::timeout(LINE_MAX, found).await;
    Ok(DemoHome { hub, folder })
}

/// The speaker makes its key, joins with a code, and keeps what it was given.
async fn enrol(hub: &HubHandle, speaker: &Path, name: &str) -> Result<HomeSettings, String> {
    let said = |error: &dyn std::fmt::Display| format!("the demo's speaker joins no home: {error}");
    let fields = DeviceFields {
        name: Name::new(name).map_err(|error| said(&error))?,
        room: None,
        person: None,
    };
    let invited = hub.invite(DeviceKind::Speaker, fields).await;
    let invited = invited.map_err(|error| said(&error))?;
    let address = hub.addresses().first().ok_or_else(|| said(&"no address"))?;
    let member = join(*address, &invited.code, Some(hub.ca_fingerprint())).await;
    let member = member.map_err(|error| said(&error))?;
    let telephone = telephone(*address, &member).await;
    let telephone = telephone.map_err(|error| said(&error))?;
    std::fs::create_dir_all(speaker).map_err(|error| said(&error))?;
    keep(&home_folder(speaker), *address, &member, telephone.as_ref())
        .map_err(|error| said(&error))?;
    household::read_for(None, speaker)?
        .household
        .ok_or_else(|| said(&"the hub carries no calls"))
}
