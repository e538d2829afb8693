//! Calls between devices of a home are heard by their two ends alone, whatever the hub does; and who cannot be protected
//! is told so.
use core::time::Duration;

use hearthline_media::{Codec, Output, Session, SessionConfig};
use hearthline_simulate::{Faults, Meddling, Neighbours, Side};
use hearthline_speaker::device::{Light, Step};
use hearthline_speaker::telephone::screening::DropIn;
use hearthline_speaker::telephone::{Name, Reach};

const SECOND: Duration = Duration::from_secs(1);
const HALL: usize = 0;
const KITCHEN: usize = 1;

fn rings(home: &Neighbours, room: usize) -> bool {
    home.rooms[room].lights.last() == Some(&Light::Ringing)
}

fn talks(home: &Neighbours, room: usize) -> bool {
    home.rooms[room].lights.last() == Some(&Light::OnCall)
}

fn is_idle(home: &Neighbours) -> bool {
    home.rooms
        .iter()
        .all(|room| !room.device().is_telephone_busy())
}

/// When a step with these words came.
fn step(home: &Neighbours, room: usize, words: &str) -> Option<Duration> {
    let steps = &home.rooms[room].steps;
    let found = steps
        .iter()
        .find(|(_, step)| matches!(step, Step::Telephone { what } if what.contains(words)));
    found.map(|(at, _)| *at)
}

fn call_and_answer(home: &mut Neighbours) {
    home.intend(HALL, "CallStart", &[("who", "the kitchen")]);
    home.run_until(2 * SECOND, |home| rings(home, KITCHEN));
    home.run_for(SECOND);
    home.intend(KITCHEN, "CallAnswer", &[]);
}

fn speaking(seed: u8, faults: Faults) -> Neighbours {
    let mut home = Neighbours::with(seed, &["hall", "kitchen"], faults, DropIn::Never);
    home.rooms[HALL].level = 6_000.0;
    home.rooms[KITCHEN].level = 6_000.0;
    home.rooms[KITCHEN].hz = 700.0;
    home
}

/// How loud a pitch is to somebody who has every datagram and takes them for sound in the clear.
fn overheard(datagrams: &[Vec<u8>], hz: f32) -> f32 {
    let mut session = Session::new(SessionConfig::new(Codec::G722, 1)).unwrap();
    let mut heard = Vec::new();
    let mut now = Duration::ZERO;
    let sound = datagrams
        .iter()
        .filter(|bytes| matches!(bytes[..], [128..=191, 0..=127 | 128..=191 | 210.., ..]));
    for bytes in sound {
        session.handle_rtp(bytes, now);
        now += Duration::from_millis(20);
        loop {
            match session.poll_output(now) {
                Output::Playout(samples) => heard.extend(samples),
                Output::Timeout(Some(at)) if at <= now => session.handle_timeout(now),
                Output::Timeout(_) => break,
                _ => {}
            }
        }
    }
    assert!(heard.len() > 16_000, "{} samples overheard", heard.len());
    let tail = &heard[heard.len() - 8_000..];
    let (mut sine, mut cosine) = (0.0, 0.0);
    for (at, sample) in tail.iter().enumerate() {
        let angle = core::f32::consts::TAU * hz * at as f32 / 16_000.0;
        sine += f32::from(*sample) * angle.sin();
        cosine += f32::from(*sample) * angle.cos();
    }
    2.0 * (sine * sine + cosine * cosine).sqrt() / 8_000.0
}

#[test]
fn a_call_is_heard_by_its_two_ends_alone() {
    let mut home = speaking(1, Faults::default());
    call_and_answer(&mut home);
    let answered = home.now();
    home.run_for(3 * SECOND);
    for room in [HALL, KITCHEN] {
        let protected = step(&home, room, "protected from end to end").expect("protected");
        let took = protected - answered;
        println!(
            "{}: protected {took:?} after the answer",
            home.rooms[room].name
        );
        assert!(took < Duration::from_millis(500), "{took:?}");
    }
    assert!(home.rooms[HALL].hears(700.0) > 4_000.0);
    assert!(home.rooms[KITCHEN].hears(440.0) > 4_000.0);
    let level = overheard(&home.rooms[HALL].wire, 440.0);
    println!("overheard at {level}");
    assert!(level < 1_000.0, "{level}");
    assert!(!home.rooms[HALL].has_said("not protected"));
    home.intend(HALL, "CallHangUp", &[]);
    home.run_for(SECOND);
    assert!(is_idle(&home));
}

#[test]
fn whoever_mutes_the_microphone_is_not_heard_until_it_is_taken_back_or_the_call_is_over() {
    let mut home = speaking(2, Faults::default());
    home.intend(KITCHEN, "MicrophoneOff", &[]);
    assert!(home.rooms[KITCHEN].has_said("keep my microphone on"));
    call_and_answer(&mut home);
    home.run_for(3 * SECOND);
    assert!(home.rooms[HALL].hears(700.0) > 4_000.0);
    home.intend(KITCHEN, "MicrophoneOff", &[]);
    home.run_for(2 * SECOND);
    assert!(home.rooms[KITCHEN].has_said("They do not hear you now"));
    assert!(home.rooms[HALL].hears(700.0) < 100.0);
    assert!(home.rooms[KITCHEN].hears(440.0) > 4_000.0, "only one way");
    home.intend(KITCHEN, "MicrophoneOn", &[]);
    home.run_for(2 * SECOND);
    assert!(home.rooms[HALL].hears(700.0) > 4_000.0);
    home.intend(KITCHEN, "MicrophoneOff", &[]);
    home.intend(HALL, "CallHangUp", &[]);
    home.run_for(SECOND);
    assert!(is_idle(&home));
    call_and_answer(&mut home);
    home.run_for(3 * SECOND);
    assert!(
        home.rooms[HALL].hears(700.0) > 4_000.0,
        "the next call is heard"
    );
}

#[test]
fn a_bad_network_delays_protection_and_does_not_prevent_it() {
    let faults = Faults {
        delay_min: Duration::from_millis(20),
        delay_max: Duration::from_millis(100),
        lost_per_mille: 100,
        doubled_per_mille: 20,
    };
    let mut slowest = Duration::ZERO;
    for seed in 0..8 {
        let mut home = speaking(seed, faults);
        call_and_answer(&mut home);
        let answered = home.now();
        let both = |home: &Neighbours| {
            [HALL, KITCHEN].map(|room| step(home, room, "protected from end to end"))
        };
        assert!(
            home.run_until(10 * SECOND, |home| both(home).iter().all(Option::is_some)),
            "seed {seed}"
        );
        slowest = slowest.max(home.now() - answered);
        home.run_for(4 * SECOND);
        assert!(home.rooms[HALL].hears(700.0) > 2_500.0, "seed {seed}");
        assert!(home.rooms[KITCHEN].hears(440.0) > 2_500.0, "seed {seed}");
    }
    println!("slowest of 8 under 10 % loss: {slowest:?}");
}

#[test]
fn a_hub_that_changes_what_callers_say_rings_nobody() {
    for (meddling, status, said) in [
        (
            Meddling::OwnFingerprint(Side::Callee),
            "438",
            "does not believe that it is me",
        ),
        (
            Meddling::OwnFingerprintUnsigned(Side::Callee),
            "428",
            "does not believe that it is me",
        ),
        (
            Meddling::InTheClear(Side::Callee),
            "488",
            "cannot be protected",
        ),
        (
            Meddling::Downgraded(Side::Callee),
            "438",
            "does not believe that it is me",
        ),
    ] {
        let mut home = speaking(2, Faults::default());
        home.hub.meddles = Some(meddling);
        home.intend(HALL, "CallStart", &[("who", "the kitchen")]);
        home.run_for(3 * SECOND);
        assert!(home.rooms[KITCHEN].tones.is_empty(), "{meddling:?}");
        assert!(home.rooms[KITCHEN].said.is_empty(), "{meddling:?}");
        let refused = format!("SIP/2.0 {status}");
        assert!(home.rooms[KITCHEN].gave(&refused).is_some(), "{meddling:?}");
        assert!(
            home.rooms[HALL].has_said(said),
            "{meddling:?} {:?}",
            home.rooms[HALL].said
        );
        assert!(is_idle(&home));
    }
}

#[test]
fn a_hub_that_changes_what_callees_say_ends_the_call_before_a_sound() {
    for (meddling, said) in [
        (Meddling::OwnFingerprint(Side::Caller), "did not prove"),
        (
            Meddling::OwnFingerprintUnsigned(Side::Caller),
            "did not prove",
        ),
        (Meddling::InTheClear(Side::Caller), "cannot be protected"),
        (Meddling::Downgraded(Side::Caller), "cannot be protected"),
    ] {
        let mut home = speaking(3, Faults::default());
        home.hub.meddles = Some(meddling);
        call_and_answer(&mut home);
        home.run_for(5 * SECOND);
        assert!(
            home.rooms[HALL].has_said(said),
            "{meddling:?} {:?}",
            home.rooms[HALL].said
        );
        assert!(is_idle(&home), "{meddling:?}");
        for room in [HALL, KITCHEN] {
            let played = &home.rooms[room].played;
            assert!(played.iter().all(|sample| *sample == 0), "{meddling:?}");
            let sound = home.rooms[room].wire.iter();
            assert_eq!(
                sound.filter(|bytes| bytes[0] >= 128).count(),
                0,
                "{meddling:?}"
            );
        }
    }
}

#[test]
fn a_certificate_of_another_home_is_no_device_of_this() {
    let mut home = speaking(4, Faults::default());
    home.replace(KITCHEN, true);
    home.rooms[KITCHEN].level = 6_000.0;
    home.intend(KITCHEN, "CallStart", &[("who", "hall")]);
    home.run_for(3 * SECOND);
    assert!(home.rooms[HALL].tones.is_empty() && home.rooms[HALL].said.is_empty());
    assert!(home.rooms[HALL].gave("SIP/2.0 438").is_some());
    assert!(step(&home, HALL, "not signed by a device of this home").is_some());
    assert!(home.rooms[KITCHEN].has_said("does not believe that it is me"));
    // And it does not get to answer for the kitchen either.
    call_and_answer(&mut home);
    home.run_for(5 * SECOND);
    assert!(
        home.rooms[HALL].has_said("did not prove"),
        "{:?}",
        home.rooms[HALL].said
    );
    assert!(is_idle(&home) && home.rooms[HALL].played.is_empty());
}

#[test]
fn a_new_key_is_told_once_also_after_a_restart() {
    let told = |home: &Neighbours, room: usize| {
        let said = &home.rooms[room].said;
        said.iter()
            .filter(|said| said.contains("is new. Unless"))
            .count()
    };
    let mut home = speaking(5, Faults::default());
    let talk = |home: &mut Neighbours| {
        call_and_answer(home);
        home.run_for(2 * SECOND);
        assert!(talks(home, HALL) && talks(home, KITCHEN));
        home.intend(HALL, "CallHangUp", &[]);
        home.run_for(SECOND);
    };
    talk(&mut home);
    assert_eq!((told(&home, HALL), told(&home, KITCHEN)), (0, 0));
    home.replace(KITCHEN, false);
    talk(&mut home);
    // The new device has met nobody yet.
    assert_eq!((told(&home, HALL), told(&home, KITCHEN)), (1, 0));
    talk(&mut home);
    assert_eq!(told(&home, HALL), 1);
    home.restart(HALL);
    talk(&mut home);
    assert_eq!(told(&home, HALL), 0);
    home.replace(KITCHEN, false);
    talk(&mut home);
    assert_eq!(told(&home, HALL), 1, "{:?}", home.rooms[HALL].said);
}

#[test]
fn an_ordinary_phone_calls_in_the_clear_and_that_is_said() {
    let phone = "phone-x7k2q9";
    let mut home = Neighbours::new(6, &["hall", phone]);
    home.rooms[HALL].level = 6_000.0;
    // Like a phone that knows no more it calls in the clear.
    home.publish(&[Name {
        name: "Hall".into(),
        also: Vec::new(),
        reach: Reach::Phone("hall".into()),
    }]);
    home.intend(KITCHEN, "CallStart", &[("who", "hall")]);
    assert!(home.rooms[KITCHEN].has_said("Calling Hall. This call is not protected."));
    assert!(home.run_until(2 * SECOND, |home| rings(home, HALL)));
    assert!(home.rooms[HALL].has_said("is calling. This call is not protected."));
    home.intend(HALL, "CallAnswer", &[]);
    home.run_for(3 * SECOND);
    assert!(home.rooms[KITCHEN].hears(440.0) > 4_000.0);
    let level = overheard(&home.rooms[HALL].wire, 440.0);
    println!("overheard at {level}");
    assert!(level > 4_000.0, "who listens in hears it: {level}");
}

#[test]
fn beside_an_ordinary_phone_a_device_is_still_protected() {
    let mut home = speaking(7, Faults::default());
    home.publish(&[Name {
        name: "Kitchen".into(),
        also: Vec::new(),
        reach: Reach::Shared("kitchen".into()),
    }]);
    call_and_answer(&mut home);
    home.run_for(3 * SECOND);
    assert!(step(&home, HALL, "protected from end to end").is_some());
    assert!(home.rooms[HALL].hears(700.0) > 4_000.0);
    assert!(overheard(&home.rooms[HALL].wire, 440.0) < 1_000.0);
    // Hold and back: what protects the call stays.
    home.intend(HALL, "CallHold", &[]);
    home.run_for(SECOND);
    home.intend(HALL, "CallResume", &[]);
    home.run_for(2 * SECOND);
    assert!(home.rooms[HALL].hears(700.0) > 4_000.0);
    assert!(!home.rooms[HALL].has_said("not protected"));
}
