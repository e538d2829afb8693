//! Home Assistant as a guest of this speaker: it takes the sentences that nobody here does, and speaks through it.
use std::io::Read as _;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use hearthline_satellite::esphome::{About, Key};
use hearthline_satellite::hand_on::HandOn;
use hearthline_satellite::io::access::Door;
use hearthline_satellite::io::announce::{Announcement, announce};
use hearthline_satellite::io::relay::{self, Places};
use hearthline_satellite::io::{esphome_server, satellite_server};
use hearthline_satellite::mdns::Service;
use hearthline_speaker::config::{EsphomeSettings, Household};
use hearthline_speaker::io::password::may_replace;
use hearthline_speaker::io::skills::{Fitted, port};
use hearthline_voice::wake::WakeConfig;
use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;

/// Longest key file, in bytes.
const KEY_BYTES_MAX: usize = 256;

/// Home Assistant is let in by these doors, as long as this is held.
pub(crate) struct Guests {
    places: Places,
    name: String,
    wyoming: Standing<(SocketAddr, Vec<IpAddr>)>,
    /// With what its key file holds.
    esphome: Standing<(EsphomeSettings, String)>,
}

/// A door as it is wanted, and as it is open.
struct Standing<S> {
    wanted: Option<S>,
    open: Option<Open>,
}

/// A door with who serves at it.
struct Open {
    serving: JoinHandle<()>,
    /// Told to this machine as long as it is held.
    _announced: Option<Announcement>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Open {
    fn new(
        serving: impl Future<Output = ()> + Send + 'static,
        announced: Option<Announcement>,
    ) -> Self {
        Self {
            serving: tokio::spawn(serving),
            _announced: announced,
        }
    }
}

impl<S: PartialEq> Standing<S> {
    const NONE: Self = Self {
        wanted: None,
        open: None,
    };

    /// What is now to be opened; none where it stays as it is. What is no longer wanted is closed, with all who came by it.
    async fn changes_to(&mut self, wanted: Option<S>) -> Option<&S> {
        if wanted == self.wanted {
            return None;
        }
        self.wanted = wanted;
        if let Some(mut open) = self.open.take() {
            open.serving.abort();
            // Its socket is free once its task has ended.
            let _ = (&mut open.serving).await;
        }
        self.wanted.as_ref()
    }
}

/// The skill that hands on, who is let in by the owner's choice, and what is to be told. Its sockets are tasks of the
/// runtime that calls this. What cannot be opened costs the guest, never the speaker.
pub(crate) async fn satellite(household: &Household) -> (Fitted, Guests, Vec<String>) {
    let (port, outside) = port();
    let mut guests = Guests {
        places: relay::start(outside),
        name: household.device.name.clone(),
        wyoming: Standing::NONE,
        esphome: Standing::NONE,
    };
    let told = guests.reload(household).await;
    let skill = Box::new(HandOn::new());
    let port = Some(port);
    (Fitted { skill, port }, guests, told)
}

impl Guests {
    /// Lets in by another configuration; who came by what has not changed stays. What is to be told.
    pub(crate) async fn reload(&mut self, household: &Household) -> Vec<String> {
        let mut told = Vec::new();
        let name = self.name.clone();
        let wake_word = WakeConfig::default().keyword;
        let peers = household.wyoming.peers().unwrap_or_default();
        let wanted = household.wyoming.satellite.map(|address| (address, peers));
        if let Some((address, peers)) = self.wyoming.changes_to(wanted).await {
            match Door::open(*address, peers.clone()).await {
                Ok(door) => {
                    told.push(format!(
                        "waits for Home Assistant at tcp://{address} (Wyoming, in the clear)"
                    ));
                    let service = wyoming_service(name.clone());
                    let announced = announced(service, &door, &mut told);
                    let places = self.places.clone();
                    let (name, wake_word) = (name.clone(), wake_word.clone());
                    let serving = satellite_server::serve(door, places, name, wake_word);
                    self.wyoming.open = Some(Open::new(serving, announced));
                }
                Err(why) => told.push(format!("[wyoming]: {why}")),
            }
        }
        let wanted = household.esphome.clone();
        let wanted = wanted.listen.is_some().then_some(wanted);
        let wanted = match wanted.map(|settings| self.with_key(settings)).transpose() {
            Ok(wanted) => wanted,
            Err(why) => {
                told.push(format!("[esphome]: {why}"));
                return told;
            }
        };
        if let Some((settings, _)) = self.esphome.changes_to(wanted).await
            && let Some(address) = settings.listen
        {
            let peers = settings.peers().unwrap_or_default();
            let opened = match about(settings, &name, wake_word) {
                Ok(about) => Door::open(address, peers).await.map(|door| (door, about)),
                Err(why) => Err(why),
            };
            match opened {
                Ok((door, about)) => {
                    told.push(format!(
                        "waits for Home Assistant at {address} (ESPHome, encrypted)"
                    ));
                    let announced = announced(esphome_service(&about), &door, &mut told);
                    let serving = esphome_server::serve(door, self.places.clone(), Arc::new(about));
                    self.esphome.open = Some(Open::new(serving, announced));
                }
                Err(why) => told.push(format!("[esphome]: {why}")),
            }
        }
        told
    }
}

impl Guests {
    /// The door's settings with its key. What is wrong with the key of a door that is open leaves it as it is.
    fn with_key(&self, settings: EsphomeSettings) -> Result<(EsphomeSettings, String), String> {
        let before = self.esphome.wanted.as_ref();
        let before =
            before.filter(|(before, _)| *before == settings && self.esphome.open.is_some());
        let path = settings.key_file.clone().unwrap_or_default();
        let named = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
        let found = key(&path).map_err(|why| named(&why)).and_then(|text| {
            let is_new = before.is_some_and(|(_, known)| *known != text);
            if is_new {
                may_replace(&path).map_err(|why| named(&why))?;
            }
            Key::parse(&text).map_err(|error| named(&error))?;
            Ok(text)
        });
        match (found, before) {
            (Ok(text), _) => Ok((settings, text)),
            (Err(why), Some(_)) => Err(format!("{why}. It stays as it was")),
            // Whoever opens the door says what is wrong with its key.
            (Err(_), None) => Ok((settings, String::new())),
        }
    }
}

/// What a file with a key holds.
fn key(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let read = file
        .take(KEY_BYTES_MAX as u64 + 1)
        .read_to_string(&mut text);
    read.map_err(|error| error.to_string())?;
    if text.len() > KEY_BYTES_MAX {
        return Err("this is no key: it is too long".into());
    }
    Ok(text)
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
    let text = key(path).map_err(named)?;
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
