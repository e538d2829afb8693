//! Any text as a time, a length, a sum, a unit: an answer or none, in time that grows with the text only.
#![no_main]
use hearthline_skills::knowing;
use hearthline_skills::spoken::{length, when};
use hearthline_skills::zone::Zone;
use jiff::civil::date;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let now = date(2026, 11, 23).at(12, 0, 0, 0);
    if let Ok(when::When::At(at)) = when::read(text, now, true) {
        assert!(at > now);
    }
    if let Some(ms) = length::read(text) {
        assert!(ms > 0 && ms <= length::LENGTH_MS_MAX);
    }
    if let Some((rest, _)) = when::split(text, now) {
        assert!(text.contains(rest));
    }
    let _ = knowing::answer(text, &Zone::utc(), 1_795_435_200_000);
});
