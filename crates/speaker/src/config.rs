//! The household's configuration: one TOML file, every unknown key refused, nothing guessed.
use std::collections::BTreeMap;
use std::time::Duration;

use hearthline_emergency::call::{LINES_MAX, Line, Transport};
use hearthline_emergency::civic::CivicAddress;
use hearthline_emergency::geodetic::{Position, Shape};
use hearthline_emergency::profile::{DeviceProfile, EmergencyProfile, SubscriberProfile};
use hearthline_emergency::target::{HttpUrl, SipUri};
use hearthline_voice::understand::Country;
use serde::Deserialize;

use crate::policy::{CANCEL_WINDOW_S_MAX, Mode};

/// Largest configuration file, in bytes.
pub const CONFIG_BYTES_MAX: usize = 256 * 1_024;

/// What is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, an unknown key, a value of the wrong kind.
    #[error("the configuration is not valid: {0}")]
    Syntax(String),
    /// Larger than [`CONFIG_BYTES_MAX`].
    #[error("the configuration has {0} bytes, at most {CONFIG_BYTES_MAX} are read")]
    TooLarge(usize),
    /// A value that cannot be.
    #[error("[{section}] {key}: {why}")]
    Value {
        /// Section of the file.
        section: &'static str,
        /// Key in it.
        key: String,
        /// What is wrong and what would be right.
        why: String,
    },
}

/// A household as configured.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Household {
    /// The speaker itself.
    pub device: DeviceSettings,
    /// How emergency calls are announced.
    #[serde(default)]
    pub emergency: EmergencySettings,
    /// Civic address by the element names of RFC 5139: `country`, `A1`, `A3`, `RD`, `HNO` …
    #[serde(default)]
    pub address: BTreeMap<String, String>,
    /// Where the house is on the globe, when known.
    pub point: Option<PointSettings>,
    /// Who lives here.
    pub person: PersonSettings,
    /// Lines to the outside, the preferred first.
    #[serde(default, rename = "line")]
    pub lines: Vec<LineSettings>,
    /// Servers that know which call-taker is responsible (RFC 5222).
    #[serde(default)]
    pub lost: LostSettings,
}

/// `[device]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceSettings {
    /// Name of the room or device: `Kitchen`.
    pub name: String,
    /// `US`, `CA`, `GB`, `EU` or `AU`: whose emergency numbers count.
    pub country: String,
}

/// `[emergency]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmergencySettings {
    /// `announced` or `immediate`. The quiet mode needs no setting: "call 911 quietly".
    pub mode: String,
    /// Seconds to cancel an announced call, 0 to 10.
    pub cancel_window_s: u64,
}

impl Default for EmergencySettings {
    fn default() -> Self {
        Self {
            mode: "announced".into(),
            cancel_window_s: 5,
        }
    }
}

/// `[point]`
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointSettings {
    /// Degrees north, WGS 84.
    pub latitude: f64,
    /// Degrees east, WGS 84.
    pub longitude: f64,
    /// Radius of a circle around it, in metres, when it is not exact.
    pub radius_m: Option<f64>,
}

/// `[person]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonSettings {
    /// Full name, for the call-taker.
    pub name: String,
    /// Number that reaches this home, for the call-taker's call back: `+15055550123`.
    pub callback: Option<String>,
    /// Languages spoken, the preferred first (RFC 5646 tags).
    #[serde(default = "english")]
    pub languages: Vec<String>,
}

/// `[[line]]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineSettings {
    /// Name in every record: `landline`, `trunk`.
    pub name: String,
    /// Where its INVITE goes. In this version only loopback.
    pub uri: String,
    /// Transports in the order tried; TLS is tried on the port after an explicit one.
    #[serde(default = "every_transport")]
    pub transports: Vec<String>,
}

/// `[lost]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LostSettings {
    /// Servers, the preferred first: `http://127.0.0.1:8480/lost`.
    #[serde(default)]
    pub servers: Vec<String>,
}

fn english() -> Vec<String> {
    vec!["en".into()]
}

fn every_transport() -> Vec<String> {
    ["tls", "tcp", "udp"].map(str::to_owned).to_vec()
}

impl Household {
    /// Reads a configuration.
    ///
    /// # Errors
    /// [`ConfigError`]: says which key of which section is wrong.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        if text.len() > CONFIG_BYTES_MAX {
            return Err(ConfigError::TooLarge(text.len()));
        }
        let household: Self =
            toml::from_str(text).map_err(|error| ConfigError::Syntax(place_of(text, &error)))?;
        household.country()?;
        household.names()?;
        household.mode()?;
        household.civic()?;
        household.shape()?;
        household.lines()?;
        household.lost_servers()?;
        Ok(household)
    }

    /// The configured country.
    ///
    /// # Errors
    /// When it has no emergency numbers here.
    pub fn country(&self) -> Result<Country, ConfigError> {
        self.device
            .country
            .parse()
            .map_err(|error| value("device", "country", error))
    }

    /// What a call-taker reads aloud or dials must be that.
    fn names(&self) -> Result<(), ConfigError> {
        for (section, name) in [("device", &self.device.name), ("person", &self.person.name)] {
            if name.trim().is_empty() || name.chars().any(char::is_control) {
                return Err(value(
                    section,
                    "name",
                    "empty, or with control characters; give a name that can be read aloud",
                ));
            }
        }
        let is_tag = |tag: &String| {
            !tag.is_empty()
                && tag.split('-').all(|part| {
                    (1..=8).contains(&part.len())
                        && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
                })
        };
        if self.person.languages.is_empty() || !self.person.languages.iter().all(is_tag) {
            return Err(value(
                "person",
                "languages",
                "not language tags of RFC 5646, such as [\"en\", \"es\"]",
            ));
        }
        let is_number = |number: &String| {
            let digits = number.strip_prefix('+').unwrap_or_default();
            (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        if self
            .person
            .callback
            .as_ref()
            .is_some_and(|number| !is_number(number))
        {
            return Err(value(
                "person",
                "callback",
                "not an international number (E.164), such as \"+15055550123\"",
            ));
        }
        Ok(())
    }

    /// The configured mode.
    ///
    /// # Errors
    /// An unknown mode, or a window longer than [`CANCEL_WINDOW_S_MAX`].
    pub fn mode(&self) -> Result<Mode, ConfigError> {
        let window_s = self.emergency.cancel_window_s;
        if window_s > CANCEL_WINDOW_S_MAX {
            return Err(value(
                "emergency",
                "cancel_window_s",
                format!("{window_s} s; at most {CANCEL_WINDOW_S_MAX}"),
            ));
        }
        match self.emergency.mode.as_str() {
            "announced" => Ok(Mode::Announced {
                cancel_window: Duration::from_secs(window_s),
            }),
            "immediate" => Ok(Mode::Immediate),
            other => Err(value(
                "emergency",
                "mode",
                format!("'{other}'; use announced or immediate"),
            )),
        }
    }

    /// The civic address; none when no element is given.
    ///
    /// # Errors
    /// An element that RFC 5139 does not have, or a text it cannot carry.
    pub fn civic(&self) -> Result<Option<CivicAddress>, ConfigError> {
        if self.address.is_empty() {
            return Ok(None);
        }
        let pairs = self
            .address
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()));
        CivicAddress::from_pairs(pairs)
            .map(Some)
            .map_err(|error| value("address", "elements", error))
    }

    /// The point or circle.
    ///
    /// # Errors
    /// A position that is not on the globe.
    pub fn shape(&self) -> Result<Option<Shape>, ConfigError> {
        let Some(point) = self.point else {
            return Ok(None);
        };
        let wrong = |error| value("point", "latitude, longitude, radius_m", error);
        let position = Position::new(point.latitude, point.longitude).map_err(wrong)?;
        match point.radius_m {
            None => Ok(Some(Shape::Point(position))),
            Some(radius_m) => Shape::circle(position, radius_m).map(Some).map_err(wrong),
        }
    }

    /// The lines in order.
    ///
    /// # Errors
    /// A URI or transport that cannot be, or too many lines.
    pub fn lines(&self) -> Result<Vec<Line>, ConfigError> {
        if self.lines.len() > LINES_MAX {
            return Err(value(
                "line",
                "number",
                format!("{}; at most {LINES_MAX}", self.lines.len()),
            ));
        }
        self.lines
            .iter()
            .map(|line| {
                let target = SipUri::parse(&line.uri)
                    .map_err(|error| value("line", &format!("{} uri", line.name), error))?;
                let transports = line
                    .transports
                    .iter()
                    .map(|name| transport(&line.name, name))
                    .collect::<Result<Vec<_>, _>>()?;
                if transports.is_empty() {
                    return Err(value(
                        "line",
                        &format!("{} transports", line.name),
                        "none; use tls, tcp, udp",
                    ));
                }
                Ok(Line {
                    name: line.name.clone(),
                    target,
                    transports,
                })
            })
            .collect()
    }

    /// The LoST servers in order.
    ///
    /// # Errors
    /// A URL that is not http or https.
    pub fn lost_servers(&self) -> Result<Vec<HttpUrl>, ConfigError> {
        self.lost
            .servers
            .iter()
            .map(|url| HttpUrl::parse(url).map_err(|error| value("lost", "servers", error)))
            .collect()
    }

    /// What an emergency call tells of this household. `contact` is where this device can be called back.
    ///
    /// # Errors
    /// As [`Household::parse`].
    pub fn profile(
        &self,
        contact: SipUri,
        key_id: String,
    ) -> Result<EmergencyProfile, ConfigError> {
        Ok(EmergencyProfile {
            civic: self.civic()?,
            shape: self.shape()?,
            identity: contact.clone(),
            domain: contact.host().to_owned(),
            contact,
            callback_number: self.person.callback.clone(),
            display_name: self.device.name.clone(),
            device: DeviceProfile {
                name: self.device.name.clone(),
                manufacturer: "Hearthline".into(),
                model: concat!("hearth ", env!("CARGO_PKG_VERSION")).into(),
                key_id,
            },
            subscriber: SubscriberProfile {
                full_name: self.person.name.clone(),
                languages: self.person.languages.clone(),
                privacy_requested: false,
            },
            service_types: vec!["OTT".into()],
        })
    }
}

fn transport(line: &str, name: &str) -> Result<Transport, ConfigError> {
    match name {
        "tls" => Ok(Transport::Tls),
        "tcp" => Ok(Transport::Tcp),
        "udp" => Ok(Transport::Udp),
        other => Err(value(
            "line",
            &format!("{line} transports"),
            format!("'{other}'; use tls, tcp, udp"),
        )),
    }
}

/// Section, key and line of what is not valid, and why.
fn place_of(text: &str, error: &toml::de::Error) -> String {
    let why = error.message();
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else {
        return why.to_owned();
    };
    let number = before.matches('\n').count() + 1;
    let line = text.lines().nth(number - 1).unwrap_or_default().trim();
    let is_header = |line: &&str| line.trim_start().starts_with('[') && !line.contains('=');
    let whole = error
        .span()
        .and_then(|span| text.get(span))
        .unwrap_or_default();
    let section = if is_header(&line) && whole.len() < line.len() {
        "" // of the file as a whole
    } else {
        text.lines()
            .take(number)
            .filter(is_header)
            .last()
            .unwrap_or_default()
            .trim()
    };
    let key = if is_header(&line) {
        ""
    } else {
        line.split_once('=').map_or(line, |(key, _)| key.trim())
    };
    let place = [section, key]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    if place.is_empty() {
        format!("{why} (line {number})")
    } else {
        format!("{place}: {why} (line {number})")
    }
}

fn value(section: &'static str, key: &str, why: impl std::fmt::Display) -> ConfigError {
    ConfigError::Value {
        section,
        key: key.to_owned(),
        why: why.to_string(),
    }
}
