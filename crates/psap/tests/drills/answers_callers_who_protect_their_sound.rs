//! A caller who takes nothing but DTLS-SRTP, as a browser does: answered, heard and recorded like any other.

use core::time::Duration;

use crate::drill::{Drill, rms, tone};
use hearthline_psap::{Behaviour, CallState, Reinvite, Voice};
use hearthline_sip::sdp::profile::{Profile, Protection};

/// Whether every media datagram of the answer's stream is protected is the transport's affair; here it is what was agreed.
fn is_protected(drill: &Drill) -> bool {
    let body = &drill.caller.answered.as_ref().unwrap().body;
    let answer = hearthline_sip::sdp::SessionDescription::parse(body).unwrap();
    let profile = Profile::parse(&answer.media[0].protocol).unwrap();
    profile.protection() == Protection::Dtls
}

#[test]
fn by_a_machine() {
    let mut drill = Drill::new(vec![Behaviour::default()]).protected();
    drill.place(|_| {});
    drill.run_ms(4_000);
    assert_eq!(
        drill.report().state,
        CallState::Confirmed,
        "{:?}",
        drill.caller.failed
    );
    assert!(is_protected(&drill));
    drill.hang_up();
    drill.run_ms(200);
    let report = drill.report();
    assert_eq!(report.ended_by.as_deref(), Some("caller"));
    let wrong: Vec<_> = report.facts.iter().filter(|fact| !fact.ok).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for name in ["protected", "drill", "audio-continuous", "audio-heard"] {
        assert!(report.facts.iter().any(|fact| fact.name == name), "{name}");
    }
    // INVITE to first RTP: 100 ms of ringing, then the handshake.
    assert!(report.first_audio_after_ms.unwrap() <= 400, "{report:?}");
    assert!(rms(&drill.heard[16_000..40_000]) > 3_000.0);
    assert!(rms(&drill.caller.heard[16_000..40_000]) > 1_000.0);
}

#[test]
fn by_a_person_at_the_console() {
    let within = Some(Duration::from_secs(20));
    let mut drill = Drill::with_a_person(vec![Behaviour::default()], within).protected();
    drill.place(|_| {});
    drill.run_ms(500);
    drill.psap.answer_call(1, drill.now).unwrap();
    drill.run_ms(500);
    let said = tone(16_000 * 3);
    for piece in said.chunks(320) {
        drill.psap.handle_person(1, piece);
        drill.run_ms(20);
    }
    assert!(is_protected(&drill));
    let heard = &drill.caller.heard;
    assert!(rms(&heard[heard.len() - 32_000..]) > 3_000.0);
    assert!(
        rms(&drill.heard[16_000..40_000]) > 3_000.0,
        "what is recorded"
    );
    assert_eq!(drill.report().state, CallState::Confirmed);
}

#[test]
fn without_a_pause_whatever_the_other_side_does() {
    // Nothing is said for a while, on either side: packets go on.
    let silent = Behaviour {
        voice: Voice::Silent,
        reinvite: Reinvite::Answer,
        ..Behaviour::default()
    };
    let mut drill = Drill::new(vec![silent]).protected();
    drill.caller.microphone.clear();
    drill.place(|_| {});
    drill.run_ms(6_000);
    drill.hang_up();
    drill.run_ms(100);
    let report = drill.report();
    let fact = report
        .facts
        .iter()
        .find(|fact| fact.name == "audio-continuous");
    assert!(fact.is_some_and(|fact| fact.ok), "{fact:?}");
    let statistics = drill.caller.session.as_ref().unwrap().statistics();
    assert!(statistics.received_packets > 250, "{statistics:?}");
}
