//! `[house]`, `[home_assistant]`, `[mqtt]`, `[[wled]]`, `[hue]`: the lights and devices of the house. Tokens and passwords
//! stand in files of their own.
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

use super::{ConfigError, Household, value};

/// Most WLED controllers.
const WLED_MAX: usize = 64;

/// `[house]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HouseSettings {
    /// The room in which this speaker stands, as the systems below name it; the device's name when left out.
    pub room: Option<String>,
}

/// `[home_assistant]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HomeAssistantSettings {
    /// Its address: `127.0.0.1:8123`. In this version only loopback.
    pub address: SocketAddr,
    /// File with a long-lived access token, readable by its owner alone. Relative to the household's file.
    pub token_file: PathBuf,
    /// Its certificate or that of its authority, PEM: then TLS is used, and no other is trusted. Relative like the token.
    pub certificate: Option<PathBuf>,
}

/// `[mqtt]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MqttSettings {
    /// The broker's address: `127.0.0.1:1883`. In this version only loopback.
    pub address: SocketAddr,
    /// Name by which the broker knows this speaker.
    pub username: Option<String>,
    /// File with its password. Relative to the household's file.
    pub password_file: Option<PathBuf>,
    /// The broker's certificate or that of its authority, PEM: then TLS is used, and no other is trusted.
    pub certificate: Option<PathBuf>,
    /// Where things announce themselves.
    #[serde(default = "discovery")]
    pub discovery: String,
    /// Base topic of zigbee2mqtt.
    #[serde(default = "zigbee2mqtt")]
    pub zigbee2mqtt: String,
    /// Whether the speaker announces sensors of its own there: muted, volume, ready to call for help, in a call. Whoever
    /// reads the broker sees them; nobody sees who is called, and no emergency call is shown.
    #[serde(default)]
    pub sensors: bool,
}

/// `[[wled]]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WledSettings {
    /// What people call it.
    pub name: String,
    /// Its address: `127.0.0.1:80`. In this version only loopback.
    pub address: SocketAddr,
    /// The room it is in.
    pub room: Option<String>,
}

/// `[hue]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HueSettings {
    /// The bridge's address: `127.0.0.1:443`. In this version only loopback.
    pub address: SocketAddr,
    /// File with the application key that the bridge gave. Relative to the household's file.
    pub key_file: PathBuf,
    /// The bridge's own certificate, PEM: no other is trusted.
    pub certificate: PathBuf,
}

fn discovery() -> String {
    "homeassistant".into()
}

fn zigbee2mqtt() -> String {
    "zigbee2mqtt".into()
}

fn is_here(section: &'static str, address: SocketAddr) -> Result<(), ConfigError> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    Err(value(
        section,
        "address",
        "leads beyond this machine; this version stays on 127.0.0.1 and [::1]",
    ))
}

fn can_be_said(section: &'static str, key: &str, name: &str) -> Result<(), ConfigError> {
    if name.trim().is_empty() || name.len() > 120 || name.chars().any(char::is_control) {
        return Err(value(
            section,
            key,
            "empty, too long, or with control characters",
        ));
    }
    Ok(())
}

impl Household {
    /// Files whose contents count like the household's own: tokens, passwords, keys and certificates of other systems.
    #[must_use]
    pub fn secret_files(&self) -> Vec<PathBuf> {
        let mut own = self.clone();
        let mut files: Vec<PathBuf> = own.house_files().map(|file| file.clone()).collect();
        files.extend(own.music.files().map(|file| file.clone()));
        files.extend(own.esphome.key_file);
        files
    }

    /// Files that the systems of the house are configured with, as they stand in the household's file.
    pub fn house_files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let home_assistant = self
            .home_assistant
            .iter_mut()
            .flat_map(|of| [Some(&mut of.token_file), of.certificate.as_mut()]);
        let mqtt = self
            .mqtt
            .iter_mut()
            .flat_map(|of| [of.password_file.as_mut(), of.certificate.as_mut()]);
        let hue = self
            .hue
            .iter_mut()
            .flat_map(|of| [Some(&mut of.key_file), Some(&mut of.certificate)]);
        home_assistant.chain(mqtt).chain(hue).flatten()
    }
}

impl HouseSettings {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.room
            .as_deref()
            .map_or(Ok(()), |room| can_be_said("house", "room", room))
    }
}

impl HomeAssistantSettings {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        is_here("home_assistant", self.address)
    }
}

impl MqttSettings {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        is_here("mqtt", self.address)?;
        for (key, topic) in [
            ("discovery", &self.discovery),
            ("zigbee2mqtt", &self.zigbee2mqtt),
        ] {
            let fits = (1..=100).contains(&topic.len()) && !topic.ends_with('/');
            if !fits || topic.contains(['+', '#']) || topic.chars().any(char::is_control) {
                let why = "not the beginning of a topic; write it without wildcards and without a slash at its end";
                return Err(value("mqtt", key, why));
            }
        }
        if self.password_file.is_some() && self.username.is_none() {
            return Err(value(
                "mqtt",
                "password_file",
                "a password without a username; give both",
            ));
        }
        Ok(())
    }
}

impl HueSettings {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        is_here("hue", self.address)
    }
}

/// The controllers, each and together.
pub(super) fn check_wled(all: &[WledSettings]) -> Result<(), ConfigError> {
    if all.len() > WLED_MAX {
        return Err(value(
            "wled",
            "number",
            format!("{}; at most {WLED_MAX}", all.len()),
        ));
    }
    for one in all {
        is_here("wled", one.address)?;
        can_be_said("wled", "name", &one.name)?;
        if let Some(room) = &one.room {
            can_be_said("wled", "room", room)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::config::Household;

    const HOME: &str =
        "[device]\nname = \"Kitchen\"\ncountry = \"US\"\n[person]\nname = \"Drill\"\n";
    const ALL: &str = "[house]\nroom = \"Kitchen\"\n[home_assistant]\naddress = \"127.0.0.1:8123\"\ntoken_file = \"ha.token\"\n\
        [mqtt]\naddress = \"127.0.0.1:1883\"\nusername = \"hearth\"\npassword_file = \"mqtt.password\"\n\
        [[wled]]\nname = \"Shelf\"\naddress = \"127.0.0.1:80\"\n\
        [hue]\naddress = \"[::1]:443\"\nkey_file = \"hue.key\"\ncertificate = \"hue.pem\"\n";

    #[test]
    fn systems_of_the_house_are_read_and_checked() {
        let read = |text: &str| Household::parse(&format!("{HOME}{text}"));
        let house = read(ALL).unwrap();
        let mqtt = house.mqtt.unwrap();
        assert_eq!(
            (mqtt.discovery.as_str(), mqtt.zigbee2mqtt.as_str()),
            ("homeassistant", "zigbee2mqtt")
        );
        assert!(!mqtt.sensors, "off unless it is asked for");
        assert_eq!(house.wled.len(), 1);
        assert!(read("").unwrap().home_assistant.is_none());
        for (from, to, words) in [
            (
                "127.0.0.1:8123",
                "192.0.2.1:8123",
                "[home_assistant] address",
            ),
            ("127.0.0.1:1883", "192.0.2.1:1883", "beyond this machine"),
            ("127.0.0.1:80\"", "192.0.2.1:80\"", "[wled] address"),
            ("[::1]:443", "[2001:db8::1]:443", "[hue] address"),
            ("username = \"hearth\"\n", "", "without a username"),
            ("username", "zigbee2mqtt = \"a/#\"\nusername", "wildcards"),
            ("\"Shelf\"", "\" \"", "[wled] name"),
            (
                "token_file = \"ha.token\"",
                "token = \"x\"",
                "unknown field",
            ),
        ] {
            let error = read(&ALL.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
