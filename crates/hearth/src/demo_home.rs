//! The demo's home: a hub on loopback with one line, which leads to the drill call-taker, and the speakers enrolled in it.
use std::path::Path;
use std::time::Duration;

use hearthline_emergency::numbers::Country;
use hearthline_hub::clock::Clock;
use hearthline_hub::line::{
    DrillAddress, LineFields, LineHealth, LineKind, LineServer, SipLine, UnknownCallers,
};
use hearthline_hub::sip::SipConfig;
use hearthline_hub::text::Name;
use hearthline_hub::{Hub, HubConfig, HubHandle};
use hearthline_speaker::config::Household;

use crate::enrolment::Enrolment;
use crate::household;

/// Its folder within the device's: made anew by each demo.
const FOLDER: &str = "demo-home";
/// How long the hub may need to find its line.
const LINE_MAX: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A hub that runs.
pub(crate) struct DemoHome {
    pub(crate) hub: HubHandle,
    /// How speakers become its own.
    pub(crate) enrolment: Enrolment,
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
    let data = folder.join("hub");
    let mut config = HubConfig::new(&data);
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
    let enrolment = Enrolment::of(&hub, &data, &folder).ok_or_else(|| said(&"no address"))?;
    Ok(DemoHome { hub, enrolment })
}
