//! A hundred thousand titles: found by sound, soon.
use std::time::Instant;

use hearthline_music::library::{Kind, Library, TRACKS_MAX};
use hearthline_music::query::{self, Chosen};
use hearthline_music::track::{System, Track};

/// Words of made-up titles, of two syllables and more.
fn word(mut seed: usize) -> String {
    const BEGIN: [&str; 16] = [
        "ba", "co", "du", "fe", "gla", "hi", "jo", "ka", "lu", "mo", "ne", "pri", "ro", "sti",
        "ta", "vo",
    ];
    const END: [&str; 12] = [
        "lan", "mer", "nic", "pel", "rost", "sing", "tide", "vard", "wick", "zel", "den", "cham",
    ];
    let mut word = String::new();
    for _ in 0..1 + seed % 2 {
        word.push_str(BEGIN[seed / 2 % 16]);
        seed /= 3;
    }
    word.push_str(END[seed % 12]);
    word
}

#[test]
fn one_of_a_hundred_thousand_is_found_by_its_sound_in_time() {
    let tracks = (0..TRACKS_MAX + 5)
        .map(|at| {
            let title = format!(
                "{} {} {}",
                word(at * 7 + 1),
                word(at / 3 + 11),
                word(at * 13 + 5)
            );
            let track = Track {
                key: format!("{at}"),
                title,
                artist: format!("{} {}", word(at / 40), word(at / 60 + 3)),
                album: format!("{} {}", word(at / 12 + 9), word(at / 12)),
                ..Track::default()
            };
            (System::Files, track)
        })
        .chain([(
            System::Files,
            Track {
                key: "x".into(),
                title: "never".into(),
                ..Track::default()
            },
        )])
        .collect();
    let begun = Instant::now();
    let library = Library::new(tracks, Vec::new(), Vec::new());
    println!("made in {:?}", begun.elapsed());
    assert_eq!((library.len(), library.left_out()), (TRACKS_MAX, 6));
    let mut times = Vec::new();
    let mut found = 0;
    for at in (0..TRACKS_MAX).step_by(997) {
        let (_, track) = &library.tracks()[at];
        // As a recogniser may write it: sounds kept, letters not.
        let said = track
            .title
            .replace('k', "c")
            .replace("ph", "f")
            .replace("sing", "cing");
        let begun = Instant::now();
        let hits = library.find(&[Kind::Title], &said, None);
        times.push(begun.elapsed());
        found += usize::from(hits.iter().take(3).any(|hit| hit.named.name == track.title));
    }
    times.sort();
    let p95 = times[times.len() * 95 / 100];
    println!(
        "found {found} of {}, p50 {:?}, p95 {p95:?}",
        times.len(),
        times[times.len() / 2]
    );
    assert!(
        found * 100 >= times.len() * 97,
        "{found} of {}",
        times.len()
    );
    assert!(p95.as_millis() < 100, "{p95:?}");
    assert_eq!(
        query::choose(&library, &query::read("xylophone zebra quartz", None)),
        Chosen::Nothing
    );
}
