//! Weather by a service of the owner's, asked when somebody asks, kept for as long as it is of use.
//!
//! ```text
//! Question ─► fresh enough? ─► words
//!                 │ no
//!                 └─► Fetch ─► handle_fetched ─► words; or what is kept, and how old it is
//! ```
//! Sans-IO, like the agenda: what is fetched comes back as the next input, and may be anything.
mod forecast;
mod report;

use core::time::Duration;
use std::collections::VecDeque;

use jiff::civil::Weekday;
use serde::{Deserialize, Serialize};

pub use forecast::{ANSWER_BYTES_MAX, Forecast, ForecastError, Units};

use crate::exchange::Answer;
use crate::zone::Zone;

/// What is fresher is said without asking anew.
const FRESH_MS: i64 = 20 * 60 * 1_000;
/// What is older is said with its age.
const AGED_MS: i64 = 90 * 60 * 1_000;
/// What is older is of no use.
const KEPT_MS_MAX: i64 = 72 * 3_600 * 1_000;
/// How long the service has.
pub const FETCH_MAX: Duration = Duration::from_millis(3_000);
/// Most questions that wait for one answer.
const WAITING_MAX: usize = 8;

/// Where, and in which units.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// How the place is called, when it is to be said.
    pub place: Option<String>,
    /// Units of what is said.
    pub units: Units,
}

/// What is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// All of it.
    Weather,
    /// Whether it rains.
    Rain,
    /// Whether it snows.
    Snow,
    /// How warm it is.
    Temperature,
    /// Whether it is windy.
    Wind,
}

/// When.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Now, and the rest of the day.
    Now,
    /// The whole day today, or so many days ahead.
    Ahead(u8),
    /// The next such day.
    On(Weekday),
    /// Saturday and Sunday.
    Weekend,
    /// The days to come.
    Week,
}

impl When {
    /// As the sentences name it: "today", "tomorrow", "monday", "weekend", "week".
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "now" => Self::Now,
            "today" => Self::Ahead(0),
            "tomorrow" => Self::Ahead(1),
            "weekend" => Self::Weekend,
            "week" => Self::Week,
            name => Self::On(crate::knowing::weekday(name)?),
        })
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// About what.
    pub about: About,
    /// When.
    pub when: When,
}

impl Question {
    /// What an intent and its `day` ask; `None` for another's intent or an unknown day.
    #[must_use]
    pub fn of(intent: &str, day: Option<&str>) -> Option<Self> {
        let about = match intent {
            "HassGetWeather" => About::Weather,
            "WeatherRain" => About::Rain,
            "WeatherSnow" => About::Snow,
            "WeatherTemperature" => About::Temperature,
            "WeatherWind" => About::Wind,
            _ => return None,
        };
        let when = match day {
            Some(day) => When::named(day)?,
            None => When::Now,
        };
        Some(Self { about, when })
    }
}

/// What it wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Ask the service, with this behind its address, then hand in what came by [`Weather::handle_fetched`].
    Fetch {
        /// Parameters of the request, encoded.
        query: String,
    },
    /// Keep these bytes instead of those before.
    Keep(Vec<u8>),
    /// The answer to the question that got [`Answer::Later`].
    Answer {
        /// Which.
        token: u64,
        /// The words.
        text: String,
    },
    /// Nothing more now; hand in the time at this time.
    Timeout(Option<Duration>),
}

/// What is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Kept {
    at_ms: i64,
    /// What the parameters were: another place, or other units, are another's weather.
    query: String,
    forecast: Forecast,
}

struct Waiting {
    token: u64,
    question: Question,
}

/// The weather at one place.
pub struct Weather {
    settings: Settings,
    kept: Option<Kept>,
    waiting: Vec<Waiting>,
    /// Asked, and given up then.
    until: Option<Duration>,
    last_token: u64,
    outputs: VecDeque<Output>,
}

impl Weather {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            kept: None,
            waiting: Vec::new(),
            until: None,
            last_token: 0,
            outputs: VecDeque::new(),
        }
    }

    /// What was kept in the last run; anything else counts for nothing.
    pub fn handle_restored(&mut self, bytes: &[u8]) {
        if bytes.len() > 2 * ANSWER_BYTES_MAX {
            return;
        }
        let kept: Option<Kept> = serde_json::from_slice(bytes).ok();
        self.kept = kept.filter(|kept| kept.query == self.query() && kept.forecast.is_sound());
    }

    /// Answers, or asks the service first.
    pub fn handle_question(
        &mut self,
        question: Question,
        zone: &Zone,
        wall_ms: i64,
        now: Duration,
    ) -> Answer {
        if let Some(kept) = &self.kept
            && (0..FRESH_MS).contains(&wall_ms.saturating_sub(kept.at_ms))
        {
            return Answer::Words(self.said(question, zone, wall_ms));
        }
        if self.waiting.len() >= WAITING_MAX {
            return Answer::Refused(report::NOT_REACHED.to_owned());
        }
        self.last_token += 1;
        let token = self.last_token;
        self.waiting.push(Waiting { token, question });
        if self.until.is_none() {
            self.until = Some(now + FETCH_MAX);
            let query = self.query();
            self.outputs.push_back(Output::Fetch { query });
        }
        Answer::Later(token)
    }

    /// What came back: the body of a good answer, or none.
    pub fn handle_fetched(&mut self, body: Option<&[u8]>, zone: &Zone, wall_ms: i64) {
        // What comes too late is of use the next time.
        self.until = None;
        let forecast = body.and_then(|body| Forecast::read(body).ok());
        if let Some(forecast) = forecast {
            let kept = Kept {
                at_ms: wall_ms,
                query: self.query(),
                forecast,
            };
            if let Ok(bytes) = serde_json::to_vec(&kept) {
                self.outputs.push_back(Output::Keep(bytes));
            }
            self.kept = Some(kept);
        }
        self.answer_all(zone, wall_ms);
    }

    /// The time of [`Output::Timeout`] has come.
    pub fn handle_timeout(&mut self, zone: &Zone, wall_ms: i64, now: Duration) {
        if self.until.is_some_and(|until| until <= now) {
            self.until = None;
            self.answer_all(zone, wall_ms);
        }
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Output {
        let timeout = Output::Timeout(self.until);
        self.outputs.pop_front().unwrap_or(timeout)
    }

    /// When [`Weather::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.until
    }

    fn answer_all(&mut self, zone: &Zone, wall_ms: i64) {
        for Waiting { token, question } in core::mem::take(&mut self.waiting) {
            let text = self.said(question, zone, wall_ms);
            self.outputs.push_back(Output::Answer { token, text });
        }
    }

    fn said(&self, question: Question, zone: &Zone, wall_ms: i64) -> String {
        let usable = |kept: &&Kept| wall_ms.saturating_sub(kept.at_ms) <= KEPT_MS_MAX;
        let Some(kept) = self.kept.as_ref().filter(usable) else {
            return report::NOT_REACHED.to_owned();
        };
        let now = zone.local(wall_ms);
        let is_aged = wall_ms.saturating_sub(kept.at_ms) > AGED_MS;
        let of = is_aged.then(|| zone.local(kept.at_ms));
        report::said(&kept.forecast, question, &self.settings, now, of)
    }

    fn query(&self) -> String {
        let Settings {
            latitude,
            longitude,
            units,
            ..
        } = &self.settings;
        let units = match units {
            Units::Metric => "",
            Units::UnitedStates => "&temperature_unit=fahrenheit&wind_speed_unit=mph",
        };
        format!(
            "latitude={latitude:.4}&longitude={longitude:.4}\
             &current=temperature_2m,weather_code,wind_speed_10m\
             &daily=weather_code,temperature_2m_max,temperature_2m_min,precipitation_probability_max,wind_speed_10m_max\
             &timezone=auto&forecast_days=8{units}"
        )
    }
}
