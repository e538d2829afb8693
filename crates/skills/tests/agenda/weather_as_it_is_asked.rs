//! The weather: asked of a service that may lie, be slow or be gone, and said with its age when it is old.
use core::time::Duration;

use hearthline_skills::exchange::Answer;
use hearthline_skills::weather::{
    ANSWER_BYTES_MAX, FETCH_MAX, Forecast, Output, Question, Settings, Units, Weather,
};
use hearthline_skills::zone::Zone;
use serde_json::{Value, json};

/// 2026-11-23 07:00 in Denver, a Monday.
const SEVEN_MS: i64 = 1_795_442_400_000;
const HOUR_MS: i64 = 3_600_000;

fn settings() -> Settings {
    Settings {
        latitude: 35.0844,
        longitude: -106.6504,
        place: Some("Albuquerque".into()),
        units: Units::UnitedStates,
    }
}

fn good() -> Value {
    json!({
        "latitude": 35.09, "timezone": "America/Denver", "elevation": 1510.0,
        "current": {"time": "2026-11-23T07:00", "interval": 900, "temperature_2m": 38.6, "weather_code": 3, "wind_speed_10m": 4.2},
        "daily": {
            "time": ["2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27", "2026-11-28", "2026-11-29", "2026-11-30"],
            "weather_code": [3, 61, 73, 0, 1, 95, 45, null],
            "temperature_2m_max": [55.1, 50.4, 33.0, 41.2, 47.0, 52.0, 49.5, 50.0],
            "temperature_2m_min": [30.2, 36.0, -1.2, 20.0, 28.0, 31.0, 30.5, 31.0],
            "precipitation_probability_max": [10, 70, 90, 0, 5, 45, null, 20],
            "wind_speed_10m_max": [9.0, 12.0, 25.3, 8.0, 7.0, 30.0, 4.0, 3.0]
        }
    })
}

struct Home {
    weather: Weather,
    zone: Zone,
    wall_ms: i64,
    fetches: Vec<String>,
    kept: Vec<u8>,
    said: Vec<String>,
}

impl Home {
    fn new(kept: &[u8], wall_ms: i64) -> Self {
        let mut weather = Weather::new(settings());
        weather.handle_restored(kept);
        Self {
            weather,
            zone: Zone::named("America/Denver").expect("in tzdata"),
            wall_ms,
            fetches: Vec::new(),
            kept: kept.to_vec(),
            said: Vec::new(),
        }
    }

    fn drain(&mut self) {
        loop {
            match self.weather.poll_output() {
                Output::Fetch { query } => self.fetches.push(query),
                Output::Keep(bytes) => self.kept = bytes,
                Output::Answer { text, .. } => self.said.push(text),
                Output::Timeout(_) => return,
            }
        }
    }

    fn ask(&mut self, intent: &str, day: Option<&str>) -> Option<String> {
        let question = Question::of(intent, day).expect("an intent of the weather");
        let now = Duration::ZERO;
        let answer = self
            .weather
            .handle_question(question, &self.zone, self.wall_ms, now);
        self.drain();
        match answer {
            Answer::Words(text) | Answer::Refused(text) => Some(text),
            Answer::Later(_) => None,
            other => panic!("{other:?}"),
        }
    }

    fn fetched(&mut self, body: Option<&[u8]>) -> String {
        self.weather.handle_fetched(body, &self.zone, self.wall_ms);
        self.drain();
        core::mem::take(&mut self.said).join(" / ")
    }
}

fn known() -> Home {
    let mut home = Home::new(&[], SEVEN_MS);
    assert_eq!(home.ask("HassGetWeather", None), None);
    home.fetched(Some(good().to_string().as_bytes()));
    home
}

#[test]
fn the_first_question_asks_the_service_and_the_next_do_not() {
    let mut home = Home::new(&[], SEVEN_MS);
    assert_eq!(home.ask("HassGetWeather", None), None);
    assert_eq!(home.ask("WeatherRain", Some("tomorrow")), None);
    assert_eq!(home.fetches.len(), 1, "one request for both");
    assert!(home.fetches[0].starts_with("latitude=35.0844&longitude=-106.6504&current="));
    assert!(home.fetches[0].ends_with("&temperature_unit=fahrenheit&wind_speed_unit=mph"));
    assert_eq!(
        home.fetched(Some(good().to_string().as_bytes())),
        "It is 39 degrees and cloudy in Albuquerque. Today goes from 30 to 55 degrees. / \
         Tomorrow: rain is likely, at 70 percent."
    );
    assert!(home.ask("HassGetWeather", None).is_some());
    assert_eq!(home.fetches.len(), 1);
}

#[test]
fn every_question_has_its_answer() {
    let mut home = known();
    for (intent, day, said) in [
        (
            "HassGetWeather",
            Some("tomorrow"),
            "Tomorrow: light rain, 36 to 50 degrees, a 70 percent chance of rain.",
        ),
        (
            "HassGetWeather",
            Some("wednesday"),
            "Wednesday: snow, minus 1 to 33 degrees, a 90 percent chance of snow.",
        ),
        (
            "HassGetWeather",
            Some("weekend"),
            "Saturday: a thunderstorm, 31 to 52 degrees, a 45 percent chance of rain. Sunday: foggy, 31 to 50 degrees.",
        ),
        (
            "HassGetWeather",
            Some("monday"),
            "Today: cloudy, 30 to 55 degrees.",
        ),
        (
            "WeatherRain",
            None,
            "Not now. Today: hardly any rain, at 10 percent.",
        ),
        (
            "WeatherRain",
            Some("wednesday"),
            "Wednesday: snow, but no rain.",
        ),
        ("WeatherRain", Some("thursday"), "Thursday: no rain."),
        (
            "WeatherRain",
            Some("saturday"),
            "Saturday: perhaps rain, at 45 percent.",
        ),
        (
            "WeatherSnow",
            Some("wednesday"),
            "Wednesday: snow is likely, at 90 percent.",
        ),
        (
            "WeatherSnow",
            Some("tomorrow"),
            "Tomorrow: rain, but no snow.",
        ),
        ("WeatherTemperature", None, "It is 39 degrees outside."),
        (
            "WeatherTemperature",
            Some("tomorrow"),
            "Tomorrow: 36 to 50 degrees.",
        ),
        ("WeatherWind", None, "Not much: 4 miles per hour."),
        (
            "WeatherWind",
            Some("saturday"),
            "Saturday: windy, up to 30 miles per hour.",
        ),
    ] {
        assert_eq!(
            home.ask(intent, day).as_deref(),
            Some(said),
            "{intent} {day:?}"
        );
    }
    assert!(
        home.ask("HassGetWeather", Some("week"))
            .unwrap()
            .matches(": ")
            .count()
            == 5
    );
    assert_eq!(Question::of("HassTurnOn", None), None);
    assert_eq!(Question::of("HassGetWeather", Some("doomsday")), None);
}

#[test]
fn without_the_service_what_is_kept_is_said_with_its_age() {
    let mut home = known();
    home.wall_ms += 4 * HOUR_MS;
    assert_eq!(home.ask("HassGetWeather", Some("tomorrow")), None);
    assert_eq!(
        home.fetched(None),
        "As of 7 AM this morning: tomorrow: light rain, 36 to 50 degrees, a 70 percent chance of rain."
    );
    // Also by the next run, the next day; what was measured yesterday is not now.
    let mut next = Home::new(&home.kept, SEVEN_MS + 25 * HOUR_MS);
    assert_eq!(next.ask("HassGetWeather", None), None);
    assert_eq!(
        next.fetched(None),
        "As of 7 AM yesterday: today: light rain, 36 to 50 degrees, a 70 percent chance of rain."
    );
    let mut later = Home::new(&home.kept, SEVEN_MS + 80 * HOUR_MS);
    assert_eq!(later.ask("HassGetWeather", None), None);
    assert!(
        later
            .fetched(None)
            .starts_with("I cannot reach the weather service")
    );
    // Of another place nothing is kept.
    let mut elsewhere = Weather::new(Settings {
        latitude: 0.0,
        ..settings()
    });
    elsewhere.handle_restored(&home.kept);
    let zone = Zone::utc();
    let question = Question::of("HassGetWeather", None).unwrap();
    let answer = elsewhere.handle_question(question, &zone, home.wall_ms, Duration::ZERO);
    assert!(matches!(answer, Answer::Later(_)));
}

#[test]
fn a_slow_service_is_given_up_and_what_it_says_late_is_kept() {
    let mut home = Home::new(&[], SEVEN_MS);
    assert_eq!(home.ask("HassGetWeather", None), None);
    assert_eq!(home.weather.poll_timeout(), Some(FETCH_MAX));
    home.weather
        .handle_timeout(&home.zone, home.wall_ms, FETCH_MAX);
    home.drain();
    assert!(home.said[0].starts_with("I cannot reach the weather service"));
    home.said.clear();
    assert_eq!(home.fetched(Some(good().to_string().as_bytes())), "");
    assert!(home.ask("HassGetWeather", None).is_some());
}

#[test]
fn garbage_is_no_weather() {
    let mut wrong = vec![
        b"".to_vec(),
        b"<html>".to_vec(),
        b"{}".to_vec(),
        b"[]".to_vec(),
        b"{\"error\": true, \"reason\": \"no\"}".to_vec(),
        vec![b' '; ANSWER_BYTES_MAX + 1],
        vec![b'['; 60_000],
    ];
    for (path, value) in [
        ("/current/temperature_2m", json!(900.0)),
        ("/current/temperature_2m", json!("warm")),
        ("/current/time", json!("yesterday")),
        ("/current/wind_speed_10m", json!(-3)),
        ("/daily/time", json!(["2026-11-23"])),
        ("/daily/temperature_2m_min/0", json!(80)),
        ("/daily/temperature_2m_max", json!([1e300])),
        ("/daily/time", json!(vec!["2026-11-23"; 400])),
    ] {
        let mut body = good();
        *body.pointer_mut(path).unwrap() = value;
        wrong.push(body.to_string().into_bytes());
    }
    for body in wrong {
        assert!(
            Forecast::read(&body).is_err(),
            "{}",
            String::from_utf8_lossy(&body[..body.len().min(200)])
        );
        let mut home = Home::new(&[], SEVEN_MS);
        assert_eq!(home.ask("HassGetWeather", None), None);
        assert!(home.fetched(Some(&body)).starts_with("I cannot reach"));
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_do_no_harm(bytes: Vec<u8>) {
        let _ = Forecast::read(&bytes);
        Home::new(&bytes, SEVEN_MS).ask("HassGetWeather", None);
    }

    #[test]
    fn figures_of_any_kind_do_no_harm(figures in proptest::collection::vec(proptest::num::f64::ANY, 5), code in -5.0_f64..200.0) {
        let mut body = good();
        let number = |figure: f64| json!(figure);
        body["current"]["temperature_2m"] = number(figures[0]);
        body["current"]["weather_code"] = number(code);
        body["daily"]["temperature_2m_max"][0] = number(figures[1]);
        body["daily"]["precipitation_probability_max"][0] = number(figures[2]);
        body["daily"]["wind_speed_10m_max"][0] = number(figures[3]);
        let mut home = Home::new(&[], SEVEN_MS);
        home.ask("HassGetWeather", None);
        home.ask("WeatherRain", None);
        home.ask("WeatherWind", Some("today"));
        home.fetched(Some(body.to_string().as_bytes()));
    }
}
