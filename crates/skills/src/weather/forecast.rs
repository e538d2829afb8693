//! What a service answers, in the shape of Open-Meteo's `/v1/forecast`: read strictly, since it may be anything.
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

/// Largest answer that is read, in bytes.
pub const ANSWER_BYTES_MAX: usize = 64 * 1_024;
/// Most days taken.
const DAYS_MAX: usize = 16;
/// No place on earth has been warmer or colder, in the degrees of either unit.
const DEGREES_MAX: f64 = 150.0;
/// Nor windier.
const WIND_MAX: f64 = 500.0;

/// Units of what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Units {
    /// Degrees Celsius, kilometers per hour.
    #[default]
    Metric,
    /// Degrees Fahrenheit, miles per hour.
    UnitedStates,
}

/// Why an answer is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForecastError {
    /// More than [`ANSWER_BYTES_MAX`].
    #[error("the weather service sent {0} bytes, at most {ANSWER_BYTES_MAX} are read")]
    TooLong(usize),
    /// Not JSON of that shape.
    #[error("the weather service's answer does not read: {0}")]
    Shape(String),
    /// Figures that no weather has, or lists of different lengths.
    #[error("the weather service's answer cannot be: {0}")]
    Values(&'static str),
}

/// The weather now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Current {
    /// When, as clocks at the place show it.
    pub(super) time: DateTime,
    pub(super) degrees: f64,
    pub(super) code: u8,
    pub(super) wind: Option<f64>,
}

/// The weather of a day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Day {
    pub(super) date: Date,
    pub(super) code: u8,
    pub(super) most: f64,
    pub(super) least: f64,
    /// Of rain or snow, in percent.
    pub(super) chance: Option<u8>,
    pub(super) wind: Option<f64>,
}

/// A forecast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    pub(super) current: Option<Current>,
    pub(super) days: Vec<Day>,
}

/// The wire's names. Unknown keys are nobody's business here.
#[derive(Deserialize)]
struct Wire {
    current: Option<WireCurrent>,
    daily: Option<WireDaily>,
}

#[derive(Deserialize)]
struct WireCurrent {
    time: DateTime,
    temperature_2m: f64,
    weather_code: f64,
    wind_speed_10m: Option<f64>,
}

#[derive(Deserialize)]
struct WireDaily {
    time: Vec<Date>,
    weather_code: Vec<Option<f64>>,
    temperature_2m_max: Vec<Option<f64>>,
    temperature_2m_min: Vec<Option<f64>>,
    #[serde(default)]
    precipitation_probability_max: Vec<Option<f64>>,
    #[serde(default)]
    wind_speed_10m_max: Vec<Option<f64>>,
}

impl Forecast {
    /// Reads an answer.
    ///
    /// # Errors
    /// [`ForecastError`].
    pub fn read(body: &[u8]) -> Result<Self, ForecastError> {
        if body.len() > ANSWER_BYTES_MAX {
            return Err(ForecastError::TooLong(body.len()));
        }
        // The message may quote what was sent: only the place is told.
        let wire: Wire = serde_json::from_slice(body).map_err(|error| {
            ForecastError::Shape(format!("line {} column {}", error.line(), error.column()))
        })?;
        let current = wire.current.map(|current| Current {
            time: current.time,
            degrees: current.temperature_2m,
            code: code(current.weather_code),
            wind: current.wind_speed_10m,
        });
        let mut days = Vec::new();
        if let Some(daily) = wire.daily {
            let count = daily.time.len();
            let lists = [
                &daily.weather_code,
                &daily.temperature_2m_max,
                &daily.temperature_2m_min,
            ];
            if count > DAYS_MAX || lists.iter().any(|list| list.len() != count) {
                return Err(ForecastError::Values("lists of days of different lengths"));
            }
            for (at, date) in daily.time.iter().enumerate() {
                let (Some(sky), Some(most), Some(least)) = (
                    daily.weather_code[at],
                    daily.temperature_2m_max[at],
                    daily.temperature_2m_min[at],
                ) else {
                    continue;
                };
                let chance = daily.precipitation_probability_max.get(at).copied();
                days.push(Day {
                    date: *date,
                    code: code(sky),
                    most,
                    least,
                    chance: chance.flatten().map(percent),
                    wind: daily.wind_speed_10m_max.get(at).copied().flatten(),
                });
            }
        }
        let forecast = Self { current, days };
        if !forecast.is_sound() {
            return Err(ForecastError::Values("figures that no weather has"));
        }
        Ok(forecast)
    }

    /// Whether all its figures can be, and there is one at all.
    pub(super) fn is_sound(&self) -> bool {
        let degrees = |degrees: f64| degrees.is_finite() && degrees.abs() <= DEGREES_MAX;
        let wind = |wind: Option<f64>| wind.is_none_or(|wind| (0.0..=WIND_MAX).contains(&wind));
        let current = self
            .current
            .is_none_or(|current| degrees(current.degrees) && wind(current.wind));
        let days = self.days.iter().all(|day| {
            degrees(day.most) && degrees(day.least) && day.least <= day.most && wind(day.wind)
        });
        current
            && days
            && self.days.len() <= DAYS_MAX
            && (self.current.is_some() || !self.days.is_empty())
    }
}

/// A code of WMO table 4677 as Open-Meteo gives it; what is none says nothing.
fn code(number: f64) -> u8 {
    if (0.0..100.0).contains(&number) {
        number as u8
    } else {
        u8::MAX
    }
}

fn percent(number: f64) -> u8 {
    if number.is_finite() {
        number.clamp(0.0, 100.0).round() as u8
    } else {
        0
    }
}
