//! The household's configuration: one TOML file, every unknown key refused, nothing guessed.
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use hearthline_emergency::call::{LINES_MAX, Line, Transport};
use hearthline_emergency::civic::CivicAddress;
use hearthline_emergency::geodetic::{Position, Shape};
use hearthline_emergency::line::{AddressAs, LineBody};
use hearthline_emergency::numbers::NumberPlan;
use hearthline_emergency::profile::{DeviceProfile, EmergencyProfile, SubscriberProfile};
use hearthline_emergency::target::{DrillTargets, HttpUrl, SipUri};
use hearthline_voice::understand::Country;
use serde::Deserialize;

use crate::policy::{CANCEL_WINDOW_S_MAX, Mode};

mod home;
mod hub;

pub use home::HomeSettings;
pub use hub::HubSettings;

/// Largest configuration file, in bytes.
pub const CONFIG_BYTES_MAX: usize = 256 * 1_024;
/// Longest account name of a line, in bytes.
pub const ACCOUNT_BYTES_MAX: usize = 128;

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
    /// The hub that this device has joined, for calls in the home and by its lines.
    pub household: Option<HomeSettings>,
    /// What the hub of this home must know; read by `hearth hub --config`.
    #[serde(default)]
    pub hub: HubSettings,
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
    /// `service`: the INVITE goes to `urn:service:sos`. `number`: to `sip:911@host`, the number by country and service,
    /// for a landline adapter, a trunk or a softphone, which know telephone numbers only.
    #[serde(default = "by_service")]
    pub address_as: String,
    /// `full`: session, location and additional data. `session`: the session alone; no location is sent on this line.
    #[serde(default = "whole_body")]
    pub body: String,
    /// The account that a 401 or 407 is answered with; needs `password_file` or `password_env`.
    pub username: Option<String>,
    /// A file with the account's password and nothing else, readable by its owner alone. Relative to the household's file.
    pub password_file: Option<PathBuf>,
    /// Instead: the environment variable that has the password.
    pub password_env: Option<String>,
}

impl LineSettings {
    /// A line with every other key as it is when left out.
    #[must_use]
    pub fn new(name: impl Into<String>, uri: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            uri: uri.into(),
            transports: every_transport(),
            address_as: by_service(),
            body: whole_body(),
            username: None,
            password_file: None,
            password_env: None,
        }
    }
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

fn by_service() -> String {
    "service".into()
}

fn whole_body() -> String {
    "full".into()
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
        if let Some(home) = &household.household {
            home.check()?;
        }
        household.hub.check()?;
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

    /// The lines in order, without their passwords: those are read by [`crate::io::password`].
    ///
    /// # Errors
    /// A URI, transport or account that cannot be, a line that leads beyond this machine, or too many lines.
    pub fn lines(&self) -> Result<Vec<Line>, ConfigError> {
        // The hub is a line too.
        let most = LINES_MAX - usize::from(self.household.is_some());
        if self.lines.len() > most {
            return Err(value(
                "line",
                "number",
                format!("{}; at most {most}", self.lines.len()),
            ));
        }
        for (at, line) in self.lines.iter().enumerate() {
            if line.name.trim().is_empty() || line.name.chars().any(char::is_control) {
                return Err(value(
                    "line",
                    "name",
                    "empty, or with control characters; give each line a short name for the record",
                ));
            }
            let hubs = self.household.is_some() && line.name == home::LINE_NAME;
            if hubs || self.lines[..at].iter().any(|other| other.name == line.name) {
                return Err(value(
                    "line",
                    &line.name,
                    "two lines have this name; the record could not tell them apart",
                ));
            }
        }
        let plan = number_plan(self.country()?);
        self.lines.iter().map(|line| line.checked(plan)).collect()
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
            // The person writes a number; in a call it stands as a URI (RFC 3966).
            callback_number: (self.person.callback.as_ref()).map(|number| format!("tel:{number}")),
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

impl LineSettings {
    fn checked(&self, plan: NumberPlan) -> Result<Line, ConfigError> {
        let wrong = |key: &str, why: &dyn std::fmt::Display| {
            Err(value("line", &format!("{} {key}", self.name), why))
        };
        let target = match SipUri::parse(&self.uri) {
            Ok(target) => target,
            Err(error) => return wrong("uri", &error),
        };
        if !DrillTargets::loopback().permit(&target) {
            return wrong(
                "uri",
                &"leads beyond this machine; this version places drill calls only, so a line goes to 127.0.0.1, [::1] or \
                  localhost, without maddr and without headers",
            );
        }
        let transports = self
            .transports
            .iter()
            .map(|name| transport(&self.name, name))
            .collect::<Result<Vec<_>, _>>()?;
        if transports.is_empty() {
            return wrong("transports", &"none; use tls, tcp, udp");
        }
        let address_as = match self.address_as.as_str() {
            "service" => AddressAs::Service,
            "number" => AddressAs::Number(plan),
            other => return wrong("address_as", &format!("'{other}'; use service or number")),
        };
        let body = match self.body.as_str() {
            "full" => LineBody::Full,
            "session" => LineBody::SessionOnly,
            other => return wrong("body", &format!("'{other}'; use full or session")),
        };
        match (&self.username, &self.password_file, &self.password_env) {
            (None, None, None) | (Some(_), Some(_), None) | (Some(_), None, Some(_)) => {}
            (Some(_), None, None) => {
                return wrong(
                    "username",
                    &"has no password; give password_file (a file with the password alone) or password_env",
                );
            }
            (_, Some(_), Some(_)) => {
                return wrong("password_env", &"beside password_file; give one of them");
            }
            (None, ..) => return wrong("username", &"none, but a password; give both or neither"),
        }
        if let Some(username) = &self.username
            && (username.is_empty()
                || username.len() > ACCOUNT_BYTES_MAX
                || username.chars().any(char::is_control))
        {
            return wrong(
                "username",
                &format!(
                    "empty, longer than {ACCOUNT_BYTES_MAX} bytes, or with control characters"
                ),
            );
        }
        Ok(Line {
            address_as,
            body,
            ..Line::new(self.name.clone(), target, transports)
        })
    }
}

/// Whose numbers a household of this country dials.
fn number_plan(country: Country) -> NumberPlan {
    use hearthline_emergency::numbers::Country as Numbers;
    match country {
        Country::UnitedStates => NumberPlan::Of(Numbers::UnitedStates),
        Country::Canada => NumberPlan::Of(Numbers::Canada),
        Country::UnitedKingdom => NumberPlan::Of(Numbers::UnitedKingdom),
        Country::EuropeanUnion => NumberPlan::EuropeanUnion,
        Country::Australia => NumberPlan::Of(Numbers::Australia),
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

/// Section, key and line of what is not valid, and why. Never the value: it may be a name, a number or an address.
fn place_of(text: &str, error: &toml::de::Error) -> String {
    let why = without_value(error.message());
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else {
        return why;
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
            .and_then(name_of_header)
            .unwrap_or_default()
    };
    // A line without a key may be the middle of a value.
    let key = line
        .split_once('=')
        .map(|(key, _)| key.trim())
        .filter(|key| !is_header(&line) && is_bare(key))
        .unwrap_or_default();
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

/// `[device]` or `[[line]]` without what stands behind it.
fn name_of_header(line: &str) -> Option<&str> {
    let line = line.trim();
    let name = line.trim_start_matches('[');
    let name = &name[..name.find(']').unwrap_or(name.len())];
    let brackets = line.len() - line.trim_start_matches('[').len();
    is_bare(name.trim()).then(|| {
        let closing = line[brackets + name.len()..]
            .bytes()
            .take(brackets)
            .take_while(|byte| *byte == b']')
            .count();
        &line[..brackets + name.len() + closing]
    })
}

/// Whether this is a key as TOML has them without quotes, dotted or not.
fn is_bare(key: &str) -> bool {
    !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// What was expected, without what was found.
fn without_value(message: &str) -> String {
    let kinds = ["invalid type", "invalid value", "invalid length"];
    let Some(kind) = kinds.into_iter().find(|kind| message.starts_with(kind)) else {
        return message.to_owned();
    };
    match message.rsplit_once(", expected ") {
        Some((_, expected)) => format!("{kind}, expected {expected}"),
        None => kind.to_owned(),
    }
}

fn value(section: &'static str, key: &str, why: impl std::fmt::Display) -> ConfigError {
    ConfigError::Value {
        section,
        key: key.to_owned(),
        why: why.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str =
        "[device]\nname = \"Kitchen\"\ncountry = \"US\"\n[person]\nname = \"Drill\"\n";

    fn with_line(keys: &str) -> Result<Vec<Line>, String> {
        let text = format!("{HOME}[[line]]\nname = \"trunk\"\n{keys}\n");
        let household = Household::parse(&text).map_err(|error| error.to_string())?;
        household.lines().map_err(|error| error.to_string())
    }

    #[test]
    fn a_line_is_addressed_and_filled_as_configured() {
        let lines = with_line("uri = \"sip:127.0.0.1:5060\"").unwrap();
        assert_eq!(
            (lines[0].address_as, lines[0].body),
            (AddressAs::Service, LineBody::Full)
        );
        let lines = with_line(
            "uri = \"sip:127.0.0.1\"\naddress_as = \"number\"\nbody = \"session\"\nusername = \"a\"\npassword_file = \"b\"",
        )
        .unwrap();
        let AddressAs::Number(plan) = lines[0].address_as else {
            panic!("{lines:?}")
        };
        let sos = hearthline_emergency::service::ServiceUrn::SOS;
        assert_eq!(plan.number_for(&sos).as_str(), "911");
        assert_eq!(lines[0].body, LineBody::SessionOnly);
    }

    #[test]
    fn what_a_line_cannot_be_is_refused_when_the_file_is_read() {
        let good = "uri = \"sip:127.0.0.1\"\n";
        for (keys, words) in [
            ("uri = \"sip:trunk@sip.example.com\"", "beyond this machine"),
            ("uri = \"sip:192.0.2.1\"", "drill calls only"),
            (
                "uri = \"sip:127.0.0.1;maddr=192.0.2.1\"",
                "beyond this machine",
            ),
            ("uri = \"sip:127.0.0.1:99999\"", "RFC 3261"),
            (&format!("{good}address_as = \"name\""), "service or number"),
            (&format!("{good}body = \"some\""), "full or session"),
            (&format!("{good}username = \"a\""), "password_file"),
            (
                &format!("{good}password_file = \"a\""),
                "give both or neither",
            ),
            (
                &format!("{good}username = \"\"\npassword_env = \"A\""),
                "empty",
            ),
            (
                &format!("{good}username = \"a\"\npassword_env = \"A\"\npassword_file = \"b\""),
                "one of them",
            ),
            (&format!("{good}password = \"secret\""), "unknown field"),
            (
                &format!("{good}[[line]]\nname = \"trunk\"\n{good}"),
                "two lines have this name",
            ),
        ] {
            let error = with_line(keys).unwrap_err();
            assert!(
                error.contains(words) && error.contains("line"),
                "{keys}: {error}"
            );
        }
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_not_repeated() {
        for (text, place) in [
            ("[person]\nname = 5550123\n", "[person] name"),
            (
                "[person]\nname = \"D\"\nlanguages = [\n\"en\",\n5550123,\n]\n",
                "[person]",
            ),
            (
                "[person]\nname = \"D\"\ncallback = 5550123 # Juniper\n",
                "[person] callback",
            ),
            (
                "[person] # Juniper\nname = [\"5550123\"]\n",
                "[person] name",
            ),
            (
                "[person]\nname = { Juniper = \"5550123\" }\n",
                "[person] name",
            ),
            (
                "[person]\nname = \"D\"\n[point]\nlatitude = \"5550123 Juniper, expected Juniper\"\nlongitude = 1.0\n",
                "[point] latitude",
            ),
            ("[person]\nname = \"\"\"\nJuniper 5550123\n", "[person]"),
        ] {
            let text = format!("[device]\nname = \"Kitchen\"\ncountry = \"US\"\n{text}");
            let error = Household::parse(&text).unwrap_err().to_string();
            assert!(
                error.contains(place) && !error.contains("5550123") && !error.contains("Juniper"),
                "{error}"
            );
        }
    }
}
