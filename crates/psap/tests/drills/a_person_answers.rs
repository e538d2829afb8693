//! A person at the console takes the call; where nobody does, the machine does, and where nobody speaks the leg goes on.

use core::time::Duration;

use hearthline_psap::moment::What;
use hearthline_psap::report::AnsweredBy;
use hearthline_psap::{Answer, Behaviour, CallState};

use crate::drill::{Drill, rms, tone};

const WITHIN: Duration = Duration::from_secs(5);

fn drill(behaviour: Behaviour) -> Drill {
    let mut drill = Drill::with_a_person(vec![behaviour], Some(WITHIN));
    drill.place(|_| {});
    drill
}

#[test]
fn rings_until_the_person_takes_it_and_says_how_long_that_took() {
    let mut drill = drill(Behaviour {
        hang_up_after_ms: Some(300),
        ..Behaviour::default()
    });
    drill.run_ms(2_000);
    let report = drill.report();
    assert_eq!(report.state, CallState::Ringing);
    assert_eq!(report.machine_answers_after_ms, Some(5_000));
    assert!(drill.psap.answer_call(99, drill.now).is_err());
    drill.psap.answer_call(report.id, drill.now).unwrap();
    assert!(
        drill.psap.answer_call(report.id, drill.now).is_err(),
        "once is enough"
    );
    drill.run_ms(1_000);
    let report = drill.report();
    assert_eq!(
        report.state,
        CallState::Confirmed,
        "a person is not cut off"
    );
    assert_eq!(report.answered_by, Some(AnsweredBy::Person));
    let after = report.answered_after_ms.unwrap();
    assert!((1_900..2_100).contains(&after), "{after}");
    let steps: Vec<What> = report.timeline.iter().map(|moment| moment.what).collect();
    assert_eq!(
        steps[..4],
        [
            What::Arrived,
            What::Ringing,
            What::Answered,
            What::Confirmed
        ]
    );
    assert!(steps.contains(&What::FirstAudio), "{steps:?}");
    assert!(report.timeline.is_sorted_by_key(|moment| moment.after_ms));
    let place = report.place.unwrap();
    assert_eq!(
        place.address.as_deref(),
        Some("12 Juniper Road, Tijeras, NM, US")
    );
    let json = serde_json::to_value(place.shape).unwrap();
    assert_eq!(json["kind"], "circle");
    assert_eq!(json["radius_m"], 30.0);
    let kinds: Vec<&str> = report.data.iter().map(|block| block.kind).collect();
    assert_eq!(kinds.len(), 5, "{kinds:?}");
}

#[test]
fn the_machine_answers_what_nobody_takes() {
    let mut drill = drill(Behaviour::default());
    drill.run_ms(4_900);
    assert_eq!(drill.report().state, CallState::Ringing);
    drill.run_ms(1_000);
    let report = drill.report();
    assert_eq!(report.state, CallState::Confirmed);
    assert_eq!(report.answered_by, Some(AnsweredBy::Machine));
    assert!(rms(&drill.caller.heard) > 500.0, "the machine's voice");
}

#[test]
fn the_caller_hears_the_person_and_silence_where_the_browser_sends_nothing() {
    let mut drill = drill(Behaviour::default());
    drill.run_ms(500);
    drill.psap.answer_call(1, drill.now).unwrap();
    drill.run_ms(1_000);
    assert!(rms(&drill.caller.heard) < 20.0, "nobody has spoken");
    let before = drill.caller.heard.len();
    for frame in tone(16_000).chunks(320) {
        drill.psap.handle_person(1, frame);
        drill.run_ms(20);
    }
    drill.run_ms(200);
    assert!(rms(&drill.caller.heard[before..]) > 1_000.0);
    // The browser is gone: packets go on, silent ones.
    let sent = drill.report().media.unwrap().sent_packets;
    let before = drill.caller.heard.len();
    drill.run_ms(1_000);
    let report = drill.report();
    assert_eq!(report.state, CallState::Confirmed);
    assert!((49..=51).contains(&(report.media.unwrap().sent_packets - sent)));
    assert!(rms(&drill.caller.heard[before + 3_200..]) < 20.0);
    drill.psap.hang_up(1, drill.now).unwrap();
    drill.run_ms(100);
    assert_eq!(drill.report().ended_by.as_deref(), Some("call-taker"));
}

#[test]
fn what_is_to_be_refused_is_not_answered_by_hand() {
    let mut drill = drill(Behaviour {
        answer_after_ms: 400,
        ..Behaviour::with_answer(Answer::Reject(503))
    });
    drill.run_ms(100);
    assert!(drill.psap.answer_call(1, drill.now).is_err());
    drill.run_ms(600);
    assert_eq!(drill.report().state, CallState::Ended);
}
