//! `[wyoming]`: Home Assistant's voice protocol. It has no password and no encryption, so it is off until addresses are
//! chosen.
use std::net::{IpAddr, SocketAddr};

use serde::Deserialize;

use super::{ConfigError, value};

/// Most addresses that may connect.
const PEERS_MAX: usize = 32;

/// `[wyoming]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WyomingSettings {
    /// Where `hearth wyoming` offers wake word, recogniser, voice and sentences: `127.0.0.1:10300`.
    pub services: Option<SocketAddr>,
    /// Where `hearth speaker` waits for Home Assistant, to be its satellite: `127.0.0.1:10700`.
    pub satellite: Option<SocketAddr>,
    /// Addresses that may connect, this machine's too: `["127.0.0.1", "192.168.1.20"]`. What is said travels in the clear.
    pub peers: Vec<String>,
}

impl WyomingSettings {
    /// Who may connect.
    ///
    /// # Errors
    /// What is no address, or nobody where something is offered.
    pub fn peers(&self) -> Result<Vec<IpAddr>, ConfigError> {
        let is_offered = self.services.is_some() || self.satellite.is_some();
        peers("wyoming", &self.peers, is_offered)
    }
}

/// Addresses that were chosen for a protocol.
pub(super) fn peers(
    section: &'static str,
    named: &[String],
    is_offered: bool,
) -> Result<Vec<IpAddr>, ConfigError> {
    if named.len() > PEERS_MAX {
        let why = format!("{} addresses; at most {PEERS_MAX}", named.len());
        return Err(value(section, "peers", why));
    }
    if named.is_empty() && is_offered {
        let why = "nobody may connect; name the address of Home Assistant, such as [\"127.0.0.1\"]";
        return Err(value(section, "peers", why));
    }
    let read = |text: &String| {
        text.parse().map_err(|_| {
            let why = format!("'{text}' is no IP address; names are not looked up here");
            value(section, "peers", why)
        })
    };
    named.iter().map(read).collect()
}
