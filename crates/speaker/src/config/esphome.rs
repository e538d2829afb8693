//! `[esphome]`: this speaker as a voice device of Home Assistant by ESPHome's native API, encrypted.
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;

use super::wyoming::peers;
use super::{ConfigError, value};

/// `[esphome]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EsphomeSettings {
    /// Where `hearth speaker` waits for Home Assistant: `127.0.0.1:6053`.
    pub listen: Option<SocketAddr>,
    /// Addresses that may connect, this machine's too: `["127.0.0.1", "192.168.1.20"]`.
    pub peers: Vec<String>,
    /// The key, which Home Assistant asks for: 32 random bytes in base64, alone in this file. Relative to the household's
    /// file; readable by its owner alone.
    pub key_file: Option<PathBuf>,
}

impl EsphomeSettings {
    /// Who may connect.
    ///
    /// # Errors
    /// What is no address, nobody, or no key where it listens.
    pub fn peers(&self) -> Result<Vec<IpAddr>, ConfigError> {
        let peers = peers("esphome", &self.peers, self.listen.is_some())?;
        if self.listen.is_some() && self.key_file.is_none() {
            let why = "there is no key; write one with `openssl rand -base64 32` into a file and name it here";
            return Err(value("esphome", "key_file", why));
        }
        Ok(peers)
    }
}
