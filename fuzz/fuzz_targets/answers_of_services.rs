//! Any bytes as what a weather service or a language model answers, and as what was kept of the weather: read without
//! harm, and whatever is said of it is short.
#![no_main]
use core::time::Duration;

use hearthline_skills::weather::{Question, Settings, Units, Weather};
use hearthline_skills::zone::Zone;
use hearthline_skills::{knowing, model};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(spoken) = model::read(bytes) {
        assert!(spoken.words().chars().count() <= model::SPOKEN_CHARS_MAX + 1);
    }
    let zone = Zone::utc();
    let wall_ms = 1_795_435_200_000;
    if let Ok(text) = core::str::from_utf8(bytes) {
        let _ = model::may_be_asked(text);
        let _ = knowing::answer(text, &zone, wall_ms);
    }
    let mut weather = Weather::new(Settings {
        latitude: 35.0,
        longitude: -106.0,
        place: None,
        units: Units::Metric,
    });
    weather.handle_restored(bytes);
    for (intent, day) in [("HassGetWeather", None), ("WeatherRain", Some("weekend"))] {
        let question = Question::of(intent, day).expect("a question of ours");
        let _ = weather.handle_question(question, &zone, wall_ms, Duration::ZERO);
        weather.handle_fetched(Some(bytes), &zone, wall_ms);
    }
});
