//! The household's configuration: one TOML file, every unknown key refused, nothing guessed.
use std::collections::BTreeMap;
use std::time::Duration;

use hearthline_emergency::call::{LINES_MAX, Line};
use hearthline_emergency::civic::CivicAddress;
use hearthline_emergency::geodetic::{Position, Shape};
use hearthline_emergency::profile::{DeviceProfile, EmergencyProfile, SubscriberProfile};
use hearthline_emergency::target::{HttpUrl, SipUri};
use hearthline_voice::understand::Country;
use serde::Deserialize;

use crate::policy::{CANCEL_WINDOW_S_MAX, Mode};

mod esphome;
mod home;
mod house;
mod hub;
mod kinds;
mod line;
mod model;
mod music;
mod place;
mod reload;
mod routine;
mod weather;
mod wyoming;

pub use esphome::EsphomeSettings;
pub use home::HomeSettings;
pub use house::{HomeAssistantSettings, HouseSettings, HueSettings, MqttSettings, WledSettings};
pub use hub::HubSettings;
pub use line::LineSettings;
use line::number_plan;
pub use model::ModelSettings;
pub use music::{MpdSettings, MusicSettings, SnapcastSettings, StationSettings, SubsonicSettings};
pub use place::Place;
pub use reload::Difference;
pub use routine::{RoutineSettings, WhenSettings};
pub use weather::WeatherSettings;
pub use wyoming::WyomingSettings;

/// Largest configuration file, in bytes.
pub const CONFIG_BYTES_MAX: usize = 256 * 1_024;
/// Most faults that one look at a file tells.
const FAULTS_MAX: usize = 50;
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

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where its key stands, or the section that lacks it; none of a file as a whole.
    pub place: Option<Place>,
    /// What is wrong.
    pub error: ConfigError,
}

impl Fault {
    /// Something that was found by others in a file, at its place.
    #[must_use]
    pub fn at(text: &str, error: ConfigError) -> Self {
        let place = place::of(text, &error);
        Self { place, error }
    }

    fn somewhere(error: ConfigError) -> Self {
        Self { place: None, error }
    }
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
    /// The house around the speaker.
    #[serde(default)]
    pub house: HouseSettings,
    /// Home Assistant: lights and devices, rooms and floors, by its WebSocket API.
    pub home_assistant: Option<HomeAssistantSettings>,
    /// An MQTT broker: what announces itself there, and zigbee2mqtt.
    pub mqtt: Option<MqttSettings>,
    /// Strips of lights under WLED.
    #[serde(default)]
    pub wled: Vec<WledSettings>,
    /// A Philips Hue bridge.
    pub hue: Option<HueSettings>,
    /// Music: folders, servers, stations.
    #[serde(default)]
    pub music: MusicSettings,
    /// Home Assistant's voice protocol, both ways; off until addresses are chosen.
    #[serde(default)]
    pub wyoming: WyomingSettings,
    /// This speaker as a voice device of Home Assistant, encrypted; off until an address and a key are chosen.
    #[serde(default)]
    pub esphome: EsphomeSettings,
    /// Several everyday sentences on a phrase or at a time.
    #[serde(default, rename = "routine")]
    pub routines: Vec<RoutineSettings>,
    /// Who is asked for the weather.
    pub weather: Option<WeatherSettings>,
    /// A language model of the owner's own, for questions that nothing here can answer. It can do nothing but talk.
    pub model: Option<ModelSettings>,
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

impl Household {
    /// Reads a configuration.
    ///
    /// # Errors
    /// [`ConfigError`]: says which key of which section is wrong.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        if text.len() > CONFIG_BYTES_MAX {
            return Err(ConfigError::TooLarge(text.len()));
        }
        let household: Self = toml::from_str(text).map_err(|error| {
            let (place, why) = place::what_is_wrong(text, &error);
            ConfigError::Syntax(match place {
                Some(place) => format!("{why} (line {})", place.line),
                None => why,
            })
        })?;
        match household.faults().into_iter().next() {
            Some(error) => Err(error),
            None => Ok(household),
        }
    }

    /// Everything that is wrong with a configuration, in the order of the file: each key that cannot be as it is. A file
    /// that is not TOML, or has a value of the wrong kind, is read no further than that.
    #[must_use]
    pub fn check(text: &str) -> Vec<Fault> {
        if text.len() > CONFIG_BYTES_MAX {
            return vec![Fault::somewhere(ConfigError::TooLarge(text.len()))];
        }
        let wrong = |error: &toml::de::Error| {
            let (place, why) = place::what_is_wrong(text, error);
            let error = ConfigError::Syntax(why);
            Fault { place, error }
        };
        let (_, errors) = toml::de::DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            return errors.iter().take(FAULTS_MAX).map(wrong).collect();
        }
        let (household, errors) = kinds::read::<Self>(text, FAULTS_MAX);
        let mut faults: Vec<Fault> = errors.iter().map(wrong).collect();
        // Without a value that could not be read, others would seem to lack it; an unknown key nobody lacks.
        let unknown = |error: &toml::de::Error| error.message().starts_with("unknown field");
        if let Some(household) = household.filter(|_| errors.iter().all(unknown)) {
            let placed = |error| Fault::at(text, error);
            faults.extend(household.faults().into_iter().map(placed));
        }
        faults.truncate(FAULTS_MAX);
        faults.sort_by_key(|fault| fault.place);
        faults
    }

    /// What its values cannot be, each once.
    fn faults(&self) -> Vec<ConfigError> {
        let home = self.household.as_ref();
        let mut faults: Vec<ConfigError> = [
            self.country().err(),
            self.mode().err(),
            self.civic().err(),
            self.shape().err(),
            self.lost_servers().err(),
            home.and_then(|home| home.check().err()),
            self.hub.check().err(),
            self.house.check().err(),
            self.home_assistant.as_ref().and_then(|of| of.check().err()),
            self.mqtt.as_ref().and_then(|of| of.check().err()),
            house::check_wled(&self.wled).err(),
            self.hue.as_ref().and_then(|of| of.check().err()),
            self.music.check().err(),
            self.music
                .has_its_player(self.home_assistant.is_some())
                .err(),
            self.wyoming.peers().err(),
            self.esphome.peers().err(),
        ]
        .into_iter()
        .flatten()
        .collect();
        faults.extend(self.weather().err());
        faults.extend(self.model.as_ref().and_then(|model| model.check().err()));
        if let Ok(country) = self.country() {
            faults.extend(routine::faults(&self.routines, country));
        }
        faults.extend(self.names());
        if let Err(error) = self.lines_are_told_apart() {
            faults.push(error);
        }
        if let Ok(country) = self.country() {
            let plan = number_plan(country);
            faults.extend(
                self.lines
                    .iter()
                    .filter_map(|line| line.checked(plan).err()),
            );
        }
        faults
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

    /// Where the weather is asked, and for which place; none when nobody is to be asked.
    ///
    /// # Errors
    /// As [`WeatherSettings::settings`].
    pub fn weather(&self) -> Result<Option<crate::skill::weather::Settings>, ConfigError> {
        let asked = self.weather.as_ref();
        asked
            .map(|weather| weather.settings(self.point, &self.device.country))
            .transpose()
    }

    /// What a call-taker reads aloud or dials must be that.
    fn names(&self) -> Vec<ConfigError> {
        let mut faults = Vec::new();
        for (section, name) in [("device", &self.device.name), ("person", &self.person.name)] {
            if name.trim().is_empty() || name.chars().any(char::is_control) {
                let why = "empty, or with control characters; give a name that can be read aloud";
                faults.push(value(section, "name", why));
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
            let why = "not language tags of RFC 5646, such as [\"en\", \"es\"]";
            faults.push(value("person", "languages", why));
        }
        let is_number = |number: &String| {
            let digits = number.strip_prefix('+').unwrap_or_default();
            (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        if (self.person.callback.as_ref()).is_some_and(|number| !is_number(number)) {
            let why = "not an international number (E.164), such as \"+15055550123\"";
            faults.push(value("person", "callback", why));
        }
        faults
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
        self.lines_are_told_apart()?;
        let plan = number_plan(self.country()?);
        self.lines.iter().map(|line| line.checked(plan)).collect()
    }

    /// Not too many, and each with a name of its own.
    fn lines_are_told_apart(&self) -> Result<(), ConfigError> {
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
        Ok(())
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

    #[test]
    fn a_check_tells_everything_at_its_place() {
        let text = r#"[device]
name = ""
country = "US"

[emergency]
  cancel_window_s = 20
mode = "loud"

[person]
name = "Drill"
callback = "555"

[[line]]
name = "trunk"
uri = "sip:sip.example.com"

[[line]]
name = "trunk"
uri = "sip:127.0.0.1"
body = "some"
"#;
        let faults = Household::check(text);
        let places: Vec<_> = faults
            .iter()
            .map(|fault| fault.place.map(|place| (place.line, place.column)))
            .collect();
        let told: Vec<_> = faults.iter().map(|fault| fault.error.to_string()).collect();
        insta::assert_snapshot!(
            told.iter()
                .zip(places)
                .map(|(told, place)| format!("{place:?} {told}"))
                .collect::<Vec<_>>()
                .join("\n")
        );
        let whole = Household::parse(text).unwrap_err().to_string();
        assert!(told.contains(&whole), "{whole}");
    }

    #[test]
    fn a_check_of_what_is_not_toml_tells_each_line_and_of_a_wrong_kind_its_own() {
        let lines = |text: &str| -> Vec<_> {
            let faults = Household::check(text);
            faults
                .iter()
                .filter_map(|fault| fault.place.map(|place| place.line))
                .collect()
        };
        assert_eq!(lines("[device]\nname = \ncountry = US\n"), [2, 3]);
        let text = "[device]\nname = \"K\"\ncountry = \"US\"\n[person]\nname = 5\n";
        assert_eq!(lines(text), [5]);
        // Every unknown key and every wrong kind in one reading; what else is wrong beside unknown keys.
        let text = "[device]\nnmae = \"K\"\nname = \"K\"\ncountry = \"US\"\ncolour = 1\n[person]\nname = 5\n\
                    [musik]\nfolders = []\n[[line]]\nname = \"a\"\nurl = \"sip:127.0.0.1\"\n";
        assert_eq!(lines(text), [2, 5, 7, 8, 10, 12]);
        let text = "[device]\nname = \"K\"\ncountry = \"US\"\ncolour = 1\n[person]\nname = \"D\"\n[[line]]\n\
                    name = \"a\"\nuri = \"sip:example.com\"\n";
        assert_eq!(lines(text), [4, 9]);
        let whole = "[device]\nname = \"K\"\ncountry = \"US\"\n[person]\nname = \"D\"\n";
        assert!(Household::check(whole).is_empty());
    }
}
