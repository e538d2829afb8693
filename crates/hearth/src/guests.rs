//! Home Assistant as a guest of this speaker: it takes the sentences that nobody here does, and speaks through it.
use std::path::Path;
use std::sync::Arc;

use hearthline_satellite::esphome::{About, Key};
use hearthline_satellite::hand_on::HandOn;
use hearthline_satellite::io::access::Door;
use hearthline_satellite::io::announce::{Announcement, announce};
use hearthline_satellite::io::{esphome_server, relay, satellite_server};
use hearthline_satellite::mdns::Service;
use hearthline_speaker::config::{EsphomeSettings, Household};
use hearthline_speaker::io::skills::{Fitted, port};
use hearthline_voice::wake::WakeConfig;
use sha2::{Digest as _, Sha256};

/// Longest key file, in bytes.
const KEY_BYTES_MAX: usize = 256;

/// The skill that hands on, where the owner chose an address for it, and what is to be told. Its sockets are tasks of the
/// runtime that calls this. What cannot be opened costs the guest, never the speaker.
pub(crate) async fn satellite(household: &Household) -> Guests {
    let mut guests = Guests::default();
    let told = &mut guests.told;
    let (wyoming, esphome) = (household.wyoming.satellite, household.esphome.listen);
    if wyoming.is_none() && esphome.is_none() {
        return guests;
    }
    let (port, outside) = port();
    let places = relay::start(outside);
    let name = household.device.name.clone();
    let wake_word = WakeConfig::default().keyword;
    if let Some(address) = wyoming {
        let peers = household.wyoming.peers().unwrap_or_default();
        match Door::open(address, peers).await {
            Ok(door) => {
                told.push(format!(
                    "waits for Home Assistant at tcp://{address} (Wyoming, in the clear)"
                ));
                let service = wyoming_service(name.clone());
                guests.announced.extend(announced(service, &door, told));
                let (places, name) = (places.clone(), name.clone());
                tokio::spawn(satellite_server::serve(
                    door,
                    places,
                    name,
                    wake_word.clone(),
                ));
            }
            Err(why) => told.push(format!("[wyoming]: {why}")),
        }
    }
    if let Some(address) = esphome {
        let peers = household.esphome.peers().unwrap_or_default();
        match about(&household.esphome, &name, wake_word) {
            Ok(about) => match Door::open(address, peers).await {
                Ok(door) => {
                    told.push(format!(
                        "waits for Home Assistant at {address} (ESPHome, encrypted)"
                    ));
                    let service = esphome_service(&about);
                    guests.announced.extend(announced(service, &door, told));
                    tokio::spawn(esphome_server::serve(door, places, Arc::new(about)));
                }
                Err(why) => told.push(format!("[esphome]: {why}")),
            },
            Err(why) => told.push(format!("[esphome]: {why}")),
        }
    }
    let skill = Box::new(HandOn::new());
    let port = Some(port);
    guests.skill = Some(Fitted { skill, port });
    guests
}

/// What Home Assistant is let in by.
#[derive(Default)]
pub(crate) struct Guests {
    /// The skill that hands on.
    pub(crate) skill: Option<Fitted>,
    /// What is to be told.
    pub(crate) told: Vec<String>,
    /// Told to this machine as long as they are held.
    pub(crate) announced: Vec<Announcement>,
}

/// Tells this machine of a service, where that may be.
pub(crate) fn announced(
    service: Service,
    door: &Door,
    told: &mut Vec<String>,
) -> Option<Announcement> {
    let kind = service.kind;
    let address = door.address().map_err(|error| error.to_string());
    match address.and_then(|address| announce(service, address)) {
        Ok(announcement) => Some(announcement),
        Err(why) => {
            told.push(format!("{kind}._tcp {why}"));
            None
        }
    }
}

/// What is looked for by programs that speak Wyoming.
pub(crate) fn wyoming_service(instance: String) -> Service {
    Service {
        kind: "_wyoming",
        host: host(&instance),
        instance,
        address: std::net::Ipv4Addr::LOCALHOST,
        port: 0,
        text: Vec::new(),
    }
}

/// What Home Assistant looks for to find a device of ESPHome's.
fn esphome_service(about: &About) -> Service {
    let mac = about.mac.replace(':', "").to_lowercase();
    Service {
        kind: "_esphomelib",
        instance: about.name.clone(),
        host: host(&about.friendly_name),
        address: std::net::Ipv4Addr::LOCALHOST,
        port: 0,
        text: vec![
            ("friendly_name", about.friendly_name.clone()),
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("mac", mac),
            ("platform", "Hearthline".to_owned()),
            ("network", "ethernet".to_owned()),
            (
                "api_encryption",
                "Noise_NNpsk0_25519_ChaChaPoly_SHA256".to_owned(),
            ),
        ],
    }
}

/// The name of this machine in multicast DNS: its own, so that it meets no other program's.
fn host(name: &str) -> String {
    let machine = std::fs::read("/etc/machine-id").unwrap_or_default();
    format!(
        "hearth-{}",
        mac(&machine, name)[3..].replace(':', "").to_lowercase()
    )
}

fn about(settings: &EsphomeSettings, name: &str, wake_word: String) -> Result<About, String> {
    let path = settings.key_file.as_deref().unwrap_or(Path::new(""));
    let named = |why: String| format!("{}: {why}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
    if text.len() > KEY_BYTES_MAX {
        return Err(named("this is no key: it is too long".into()));
    }
    let key = Key::parse(&text).map_err(|error| named(error.to_string()))?;
    let machine = std::fs::read("/etc/machine-id").unwrap_or_default();
    Ok(About {
        name: host_name(name),
        friendly_name: name.to_owned(),
        mac: mac(&machine, name),
        wake_word,
        key,
    })
}

/// A name as hosts have it: lower case, digits and single hyphens.
fn host_name(name: &str) -> String {
    let mut host = String::new();
    for sign in name.to_lowercase().chars() {
        if sign.is_ascii_alphanumeric() {
            host.push(sign);
        } else if !host.is_empty() && !host.ends_with('-') {
            host.push('-');
        }
    }
    let host = host.trim_end_matches('-');
    if host.is_empty() { "speaker" } else { host }
        .chars()
        .take(31)
        .collect()
}

/// What names this speaker for good: an address of nobody's card (locally administered), the same at each start.
fn mac(machine: &[u8], name: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(b"hearthline speaker");
    digest.update(machine);
    digest.update(name);
    let digest = digest.finalize();
    let rest = digest.iter().take(5).map(|byte| format!(":{byte:02X}"));
    rest.fold("02".to_owned(), |mac, part| mac + &part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_hosts_and_cards() {
        assert_eq!(host_name("Living room"), "living-room");
        assert_eq!(host_name("  Küche 2! "), "k-che-2");
        assert_eq!(host_name("\u{1f4a1}"), "speaker");
        let first = mac(b"machine", "Kitchen");
        assert_eq!(first, mac(b"machine", "Kitchen"));
        assert_ne!(first, mac(b"machine", "Hall"));
        assert!(first.starts_with("02:") && first.len() == 17, "{first}");
    }
}
