//! `psap.toml`: how `hearth psap` is set up. Everything has a default; an empty file is a drill call-taker.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;
use thiserror::Error;

use crate::behaviour::Behaviour;
use crate::lost_server::LostFault;

/// Most calls at once.
pub const CALLS_MAX: u16 = 64;

/// Configuration of [`run`](crate::run).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PsapConfig {
    /// Address to listen on; loopback only.
    pub address: IpAddr,
    /// Port for SIP by UDP and TCP; 0 takes any free one, for tests.
    pub sip_port: u16,
    /// Port for SIP by TLS; none: no TLS. 0 takes the one above the SIP port, where our device looks for it.
    pub tls_port: Option<u16>,
    /// Show a certificate of the home's own authority, made at the start; its root is written to this file for the device.
    pub tls_home_root: Option<PathBuf>,
    /// Certificate chain and key for TLS, PEM; both or neither.
    pub tls_certificate: Option<PathBuf>,
    /// The key's file.
    pub tls_key: Option<PathBuf>,
    /// Calls at once.
    pub calls_max: u16,
    /// Port for JSON (`/calls`) and LoST (`/lost`); 0 takes any free one.
    pub http_port: u16,
    /// The boundary file; none: one call-taker everywhere.
    pub boundaries: Option<PathBuf>,
    /// How the LoST server fails.
    pub lost_fault: LostFault,
    /// Where the caller's audio is written, one WAV a call; none: nowhere.
    pub recordings: Option<PathBuf>,
    /// Samples a second of those files: 16000 or 8000.
    pub recording_rate_hz: u32,
    /// A WAV (16 kHz, 16 bits, mono) that the caller hears; none: a test voice.
    pub voice: Option<PathBuf>,
    /// What is done with the first call, the second and so on; the last for all further.
    pub behaviours: Vec<Behaviour>,
    /// A person at the console may take each call for so long, then the behaviour answers; none: nobody is waited for.
    pub person_answers_within_s: Option<u16>,
    /// What is printed.
    pub print: Print,
}

/// What is printed on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Print {
    /// One line a fact, with what was found: the call-taker's screen.
    #[default]
    Facts,
    /// One line a fact without what was found.
    Names,
    /// Nothing.
    Nothing,
}

impl Default for PsapConfig {
    fn default() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            sip_port: 5060,
            tls_port: None,
            tls_home_root: None,
            tls_certificate: None,
            tls_key: None,
            calls_max: 8,
            http_port: 8060,
            boundaries: None,
            lost_fault: LostFault::None,
            recordings: None,
            recording_rate_hz: 16_000,
            voice: None,
            behaviours: vec![Behaviour::default()],
            person_answers_within_s: None,
            print: Print::Facts,
        }
    }
}

/// What is wrong with a configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// Not TOML, or an unknown key.
    #[error("psap configuration: {0}")]
    Toml(#[from] toml::de::Error),
    /// A drill call-taker that others could reach.
    #[error("address {0} is not loopback; a drill call-taker listens on this machine only")]
    NotLoopback(IpAddr),
    /// A value that cannot work.
    #[error("{0}")]
    Value(&'static str),
}

impl PsapConfig {
    /// Reads a configuration.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text)?;
        config.check()?;
        config.check_identity(false)?;
        Ok(config)
    }

    /// Refuses what cannot work.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn check(&self) -> Result<(), ConfigError> {
        if !self.address.is_loopback() {
            return Err(ConfigError::NotLoopback(self.address));
        }
        if self.tls_certificate.is_some() != self.tls_key.is_some() {
            return Err(ConfigError::Value(
                "tls_certificate and tls_key belong together; give both or neither",
            ));
        }
        if self.tls_certificate.is_some() && self.tls_home_root.is_some() {
            return Err(ConfigError::Value(
                "tls_certificate and tls_home_root are two ways to TLS; give one",
            ));
        }
        if self.tls_port.is_none() && self.tls_home_root.is_some() {
            return Err(ConfigError::Value("tls_home_root needs tls_port"));
        }
        if self.calls_max == 0 || self.calls_max > CALLS_MAX {
            return Err(ConfigError::Value("calls_max is not 1 to 64"));
        }
        if self
            .person_answers_within_s
            .is_some_and(|s| !(1..=600).contains(&s))
        {
            return Err(ConfigError::Value(
                "person_answers_within_s is not 1 to 600",
            ));
        }
        if ![8_000, 16_000].contains(&self.recording_rate_hz) {
            return Err(ConfigError::Value(
                "recording_rate_hz is neither 8000 nor 16000",
            ));
        }
        if self.behaviours.is_empty() || self.behaviours.len() > 1_000 {
            return Err(ConfigError::Value("behaviours needs 1 to 1000 entries"));
        }
        Ok(())
    }

    /// Refuses TLS without a certificate.
    pub(crate) fn check_identity(&self, given: bool) -> Result<(), ConfigError> {
        if self.tls_port.is_some()
            && !given
            && self.tls_certificate.is_none()
            && self.tls_home_root.is_none()
        {
            return Err(ConfigError::Value(
                "tls_port needs tls_certificate and tls_key, or tls_home_root; give them or leave TLS out",
            ));
        }
        Ok(())
    }

    /// Where SIP by UDP and TCP is taken.
    #[must_use]
    pub fn sip_address(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.sip_port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_a_drill_and_every_key_is_known() {
        assert_eq!(PsapConfig::parse("").unwrap(), PsapConfig::default());
        let text = r#"
            address = "127.0.0.2"
            sip_port = 0
            calls_max = 2
            lost_fault = { slow = 700 }
            print = "names"
            [[behaviours]]
            answer = { reject = 503 }
            [[behaviours]]
            ring = "reliable"
            answer_after_ms = 50
            session = "garbage"
            voice = "mute"
        "#;
        let config = PsapConfig::parse(text).unwrap();
        assert_eq!(config.behaviours.len(), 2);
        assert_eq!(config.lost_fault, LostFault::Slow(700));
        assert!(
            PsapConfig::parse("colour = 1")
                .unwrap_err()
                .to_string()
                .contains("colour")
        );
        assert!(PsapConfig::parse("[[behaviours]]\nanswr = 1").is_err());
    }

    #[test]
    fn what_cannot_work_is_refused_with_its_reason() {
        for (text, word) in [
            ("address = \"192.0.2.1\"", "loopback"),
            ("tls_port = 5061", "tls_certificate"),
            ("tls_certificate = \"a\"", "belong together"),
            ("tls_home_root = \"a\"", "tls_port"),
            (
                "tls_port = 1\ntls_home_root = \"a\"\ntls_certificate = \"a\"\ntls_key = \"a\"",
                "give one",
            ),
            ("calls_max = 0", "calls_max"),
            ("person_answers_within_s = 0", "person_answers_within_s"),
            ("recording_rate_hz = 44100", "recording_rate_hz"),
            ("behaviours = []", "behaviours"),
        ] {
            let error = PsapConfig::parse(text).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
