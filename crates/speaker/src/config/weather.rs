//! `[weather]`: a service in the shape of Open-Meteo's forecast, asked when somebody asks.
use hearthline_emergency::target::HttpUrl;
use serde::Deserialize;

use super::{ConfigError, PointSettings, value};
use crate::skill::weather::{Settings, Units};

/// `[weather]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeatherSettings {
    /// The service: `http://127.0.0.1:8088/v1/forecast`. In this version only loopback.
    pub url: String,
    /// Degrees north; those of [point] without it.
    pub latitude: Option<f64>,
    /// Degrees east; those of [point] without it.
    pub longitude: Option<f64>,
    /// How the place is called, when it is to be said: `Albuquerque`.
    pub place: Option<String>,
    /// `metric` or `us`; what the country uses without it.
    pub units: Option<String>,
}

impl WeatherSettings {
    /// What the skill needs.
    ///
    /// # Errors
    /// A place that is none, unknown units, or a service beyond this machine.
    pub fn settings(
        &self,
        point: Option<PointSettings>,
        country: &str,
    ) -> Result<Settings, ConfigError> {
        service("weather", &self.url)?;
        let (latitude, longitude) = match (self.latitude, self.longitude, point) {
            (Some(latitude), Some(longitude), _) => (latitude, longitude),
            (None, None, Some(point)) => (point.latitude, point.longitude),
            _ => {
                let why = "give latitude and longitude here, or a [point]";
                return Err(value("weather", "latitude", why));
            }
        };
        if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
            let why = "not on the globe: latitude is -90 to 90, longitude -180 to 180";
            return Err(value("weather", "latitude", why));
        }
        let units = match self.units.as_deref() {
            Some("metric") => Units::Metric,
            Some("us") => Units::UnitedStates,
            None if country.eq_ignore_ascii_case("US") => Units::UnitedStates,
            None => Units::Metric,
            Some(other) => {
                let why = format!("'{other}'; use metric or us");
                return Err(value("weather", "units", why));
            }
        };
        if self
            .place
            .as_ref()
            .is_some_and(|place| place.trim().is_empty() || place.chars().any(char::is_control))
        {
            let why = "empty, or with control characters; give a name that can be said, or none";
            return Err(value("weather", "place", why));
        }
        Ok(Settings {
            latitude,
            longitude,
            place: self.place.clone(),
            units,
        })
    }
}

/// The address of a service of the owner's: on this machine, by plain HTTP.
pub(super) fn service(section: &'static str, url: &str) -> Result<(), ConfigError> {
    let read = HttpUrl::parse(url).map_err(|error| value(section, "url", error))?;
    if read.is_https() {
        let why = "https is not spoken in this version; give an http URL on loopback";
        return Err(value(section, "url", why));
    }
    let host = read.host().trim_matches(['[', ']']);
    let is_near = host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    if is_near {
        Ok(())
    } else {
        let why = "leads beyond this machine; this version stays on 127.0.0.1 and [::1]";
        Err(value(section, "url", why))
    }
}
