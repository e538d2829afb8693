//! Each behaviour for fault tests does what it says, seen from the caller.

use crate::drill::{Drill, rms};
use hearthline_psap::{Answer, Behaviour, CallState, Reinvite, Ring, SessionDefect, Voice};
use hearthline_sip::endpoint::Body;
use hearthline_sip::offer_answer::{LocalAudio, answer_received, reoffer};
use hearthline_sip::sdp::SessionDescription;

fn placed(behaviour: Behaviour, ms: u64) -> Drill {
    let mut drill = Drill::new(vec![behaviour]);
    drill.place(|_| {});
    drill.run_ms(ms);
    drill
}

fn statuses(drill: &Drill) -> Vec<String> {
    let first = |bytes: &Vec<u8>| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.strip_prefix("SIP/2.0 ")
            .map(|rest| rest[..3].to_owned())
    };
    drill.caller.sip_seen.iter().filter_map(first).collect()
}

#[test]
fn a_dead_call_taker_sends_not_one_byte() {
    let drill = placed(Behaviour::with_answer(Answer::Dead), 5_000);
    assert!(drill.caller.sip_seen.is_empty());
    assert!(drill.psap.reports().is_empty());
}

#[test]
fn trying_forever_is_100_and_nothing_more() {
    let drill = placed(Behaviour::with_answer(Answer::TryingForever), 20_000);
    let statuses = statuses(&drill);
    assert!(
        !statuses.is_empty() && statuses.iter().all(|status| status == "100"),
        "{statuses:?}"
    );
    assert_eq!(drill.report().state, CallState::Arrived);
}

#[test]
fn ringing_forever_never_becomes_an_answer() {
    let drill = placed(Behaviour::with_answer(Answer::RingForever), 20_000);
    assert!(drill.caller.progress.contains(&180));
    assert!(drill.caller.answered.is_none() && drill.caller.failed.is_none());
}

#[test]
fn a_refusal_says_when_to_try_again_if_told_to() {
    let refusal = |retry_after_s| {
        let behaviour = Behaviour {
            retry_after_s,
            ..Behaviour::with_answer(Answer::Reject(503))
        };
        let drill = placed(behaviour, 1_000);
        let seen = drill.caller.sip_seen.iter();
        seen.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .find(|text| text.starts_with("SIP/2.0 503"))
            .unwrap()
    };
    assert!(refusal(Some(7)).contains("\r\nRetry-After: 7\r\n"));
    assert!(!refusal(None).contains("Retry-After"));
}

#[test]
fn refusals_carry_their_status() {
    for code in [486u16, 503, 404, 600] {
        let drill = placed(Behaviour::with_answer(Answer::Reject(code)), 1_000);
        assert!(
            drill
                .caller
                .failed
                .as_deref()
                .unwrap()
                .contains(&code.to_string()),
            "{code}"
        );
        assert_eq!(drill.report().state, CallState::Ended);
        assert_eq!(drill.report().ended_by.as_deref(), Some("refused"));
    }
}

#[test]
fn a_redirection_names_its_target_and_a_loop_is_found_by_the_caller() {
    let drill = placed(
        Behaviour::with_answer(Answer::Redirect("sip:other@127.0.0.1:5062".to_owned())),
        300,
    );
    let moved = drill
        .caller
        .sip_seen
        .iter()
        .map(|bytes| String::from_utf8_lossy(bytes));
    let moved: Vec<_> = moved
        .filter(|text| text.starts_with("SIP/2.0 302"))
        .collect();
    assert!(
        moved[0].contains("Contact: <sip:other@127.0.0.1:5062>"),
        "{}",
        moved[0]
    );
    let drill = placed(Behaviour::with_answer(Answer::RedirectLoop), 10_000);
    assert!(
        drill
            .caller
            .failed
            .as_deref()
            .unwrap()
            .contains("RedirectLoop"),
        "{:?}",
        drill.caller.failed
    );
}

#[test]
fn a_script_fails_the_first_call_and_answers_the_second() {
    let script = vec![
        Behaviour::with_answer(Answer::Reject(503)),
        Behaviour::default(),
    ];
    let mut drill = Drill::new(script);
    drill.place(|_| {});
    drill.run_ms(500);
    assert!(drill.caller.failed.is_some());
    drill.place(|_| {});
    drill.run_ms(500);
    assert_eq!(drill.report().state, CallState::Confirmed);
}

#[test]
fn every_defect_of_the_session_is_one() {
    for (defect, agreed) in [
        (SessionDefect::None, true),
        (SessionDefect::Missing, false),
        (SessionDefect::Garbage, false),
        (SessionDefect::NoCommonCodec, false),
        (SessionDefect::RefusedStream, false),
        (SessionDefect::ExtraSection, false),
    ] {
        let drill = placed(
            Behaviour {
                session: defect,
                ..Behaviour::default()
            },
            1_000,
        );
        let body = drill.caller.answered.as_ref().unwrap().body.clone();
        let usable = SessionDescription::parse(&body)
            .ok()
            .and_then(|answer| answer_received(&drill.caller.offer, &answer).ok())
            .is_some();
        assert_eq!(usable, agreed, "{defect:?}");
    }
}

#[test]
fn silence_and_muteness_differ() {
    let silent = placed(
        Behaviour {
            voice: Voice::Silent,
            ..Behaviour::default()
        },
        2_000,
    );
    let statistics = silent.caller.session.as_ref().unwrap().statistics();
    assert!(
        statistics.received_packets > 80 && rms(&silent.caller.heard) < 20.0,
        "{statistics:?}"
    );
    let mute = placed(
        Behaviour {
            voice: Voice::Mute,
            ..Behaviour::default()
        },
        2_000,
    );
    let statistics = mute.caller.session.as_ref().unwrap().statistics();
    assert_eq!(statistics.received_packets, 0);
    // It hears all the same.
    assert!(mute.report().media.unwrap().received_packets > 80);
}

#[test]
fn no_180_when_none_is_wanted_and_the_answer_comes_when_told() {
    let behaviour = Behaviour {
        ring: Ring::Never,
        answer_after_ms: 700,
        ..Behaviour::default()
    };
    let mut drill = placed(behaviour, 690);
    assert!(drill.caller.answered.is_none() && drill.caller.progress.is_empty());
    drill.run_ms(50);
    assert!(drill.caller.answered.is_some());
    assert_eq!(drill.report().answered_after_ms, Some(700));
}

fn reinvited(reinvite: Reinvite) -> (Drill, Vec<String>) {
    let mut drill = placed(
        Behaviour {
            reinvite,
            ..Behaviour::default()
        },
        1_000,
    );
    let local = LocalAudio::new("127.0.0.1".parse().unwrap(), crate::drill::CALLER_MEDIA);
    let offer = reoffer(&drill.caller.offer, &local);
    let (call, now) = (drill.caller.call.unwrap(), drill.now);
    drill.caller.sip_seen.clear();
    drill
        .caller
        .endpoint
        .reinvite(call, Body::sdp(offer.to_bytes()), now)
        .unwrap();
    drill.caller.offer = offer;
    drill.drain();
    drill.run_ms(2_000);
    let statuses = statuses(&drill);
    (drill, statuses)
}

#[test]
fn a_reinvite_is_answered_refused_or_left_alone() {
    let (drill, statuses) = reinvited(Reinvite::Answer);
    assert!(statuses.contains(&"200".to_owned()), "{statuses:?}");
    assert_eq!(drill.report().state, CallState::Confirmed);
    let heard = drill.report().media.unwrap().received_packets;
    assert!(heard > 120, "the audio runs on: {heard}");
    let (_, statuses) = reinvited(Reinvite::Refuse);
    assert!(statuses.contains(&"488".to_owned()), "{statuses:?}");
    let (_, statuses) = reinvited(Reinvite::Never);
    assert!(
        statuses.iter().all(|status| status == "100"),
        "{statuses:?}"
    );
}

#[test]
fn our_reinvite_is_acknowledged_or_not_as_told() {
    for withhold_ack in [false, true] {
        let behaviour = Behaviour {
            reinvite_after_ms: Some(500),
            withhold_ack,
            ..Behaviour::default()
        };
        let mut drill = Drill::new(vec![behaviour]);
        drill.place(|_| {});
        drill.run_ms(3_000);
        assert_eq!(drill.caller.reinvites, 1);
        let acks = drill
            .caller
            .sip_seen
            .iter()
            .filter(|bytes| bytes.starts_with(b"ACK "))
            .count();
        assert_eq!(acks == 0, withhold_ack, "{acks}");
    }
}

#[test]
fn a_request_from_elsewhere_is_not_answered() {
    let mut drill = Drill::new(vec![Behaviour::default()]);
    let bytes = b"OPTIONS sip:psap@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\n\
        From: <sip:a@example.test>;tag=1\r\nTo: <sip:psap@127.0.0.1>\r\nCall-ID: a\r\nCSeq: 1 OPTIONS\r\n\
        Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
    drill.psap.handle_sip(
        hearthline_sip::endpoint::Input::Received {
            transport: hearthline_sip::target::Transport::Udp,
            local: crate::drill::address(crate::drill::PSAP),
            remote: crate::drill::address("192.0.2.1:5060"),
            bytes,
        },
        drill.now,
    );
    drill.run_ms(100);
    assert!(drill.caller.sip_seen.is_empty());
    assert_eq!(drill.psap.outside_refused(), 1);
}
