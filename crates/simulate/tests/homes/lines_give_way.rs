//! Lines that fail in every way: the next one is called, and the call is never lost.
use core::time::Duration;

use hearthline_emergency::call::Transport as LineTransport;
use hearthline_psap::{Answer, Behaviour, CallState, Reinvite, Ring, SessionDefect, Voice};
use hearthline_simulate::{Faults, Scene, Spoken, Watched, World};
use hearthline_sip::endpoint::Transport;
use hearthline_speaker::device::{Light, Step};
use hearthline_speaker::policy::Mode;

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

fn good() -> Vec<Behaviour> {
    vec![Behaviour::default()]
}

fn bad(answer: Answer) -> Vec<Behaviour> {
    vec![Behaviour::with_answer(answer)]
}

fn immediate(lines: Vec<Vec<Behaviour>>) -> Scene {
    Scene {
        lines,
        mode: Mode::Immediate,
        ..Scene::default()
    }
}

/// Calls, and lets so much time pass; the time of the order.
fn call(world: &mut World, time: Duration) -> Duration {
    world.run_for(SECOND);
    world.say(&Spoken::after_wake_word("call 911"));
    let at = world.now();
    world.run_for(time);
    at
}

fn is_connected(world: &World) -> bool {
    world.lights.last() == Some(&Light::Connected)
}

fn standing_calls(world: &World, takers: usize) -> usize {
    let all = (0..takers).flat_map(|index| world.taker(index).reports());
    all.filter(|report| matches!(report.state, CallState::Answered | CallState::Confirmed))
        .count()
}

/// First line bad, second good: connected on the second, its first INVITE at most `limit` after the first line's.
fn gives_way(
    test: &'static str,
    first: Vec<Behaviour>,
    limit: Duration,
    time: Duration,
) -> Watched {
    let mut world = Watched::new(test, &immediate(vec![first, good()]));
    call(&mut world, time);
    let first = *world
        .sent_to("INVITE", 0)
        .first()
        .expect("the first line is tried first");
    let second = *world
        .sent_to("INVITE", 1)
        .first()
        .expect("the second line is tried");
    assert!(
        second - first <= limit,
        "{:?} after the first line's",
        second - first
    );
    assert!(is_connected(&world), "{:?}", world.lights);
    assert_eq!(standing_calls(&world, 2), 1);
    assert!(
        world
            .taker(1)
            .reports()
            .iter()
            .any(|report| report.state == CallState::Confirmed)
    );
    world
}

#[test]
fn a_line_that_takes_bytes_and_says_nothing_gives_way_in_three_seconds() {
    gives_way("dead", bad(Answer::Dead), 3 * SECOND, 8 * SECOND);
}

#[test]
fn a_line_with_nobody_at_its_address_gives_way_in_three_seconds() {
    for transports in [
        vec![LineTransport::Tls, LineTransport::Tcp, LineTransport::Udp],
        vec![LineTransport::Udp],
        vec![LineTransport::Tcp],
    ] {
        let scene = Scene {
            dead_lines: 1,
            transports,
            ..immediate(vec![good()])
        };
        let mut world = Watched::new("nobody_there", &scene);
        let ordered = call(&mut world, 6 * SECOND);
        let second = *world
            .sent_to("INVITE", 1)
            .first()
            .expect("the second line is tried");
        assert!(second - ordered <= 3 * SECOND, "{:?}", second - ordered);
        assert!(is_connected(&world));
    }
}

#[test]
fn each_of_three_dead_lines_gives_way_in_three_seconds() {
    let scene = immediate(vec![
        bad(Answer::Dead),
        bad(Answer::Dead),
        bad(Answer::Dead),
        good(),
    ]);
    let mut world = Watched::new("three_dead", &scene);
    call(&mut world, 14 * SECOND);
    for line in 1..4 {
        let (before, after) = (
            world.sent_to("INVITE", line - 1)[0],
            world.sent_to("INVITE", line)[0],
        );
        assert!(
            after - before <= 3 * SECOND,
            "line {line}: {:?}",
            after - before
        );
    }
    assert!(is_connected(&world));
}

#[test]
fn a_line_that_says_100_for_ever_gives_way() {
    gives_way(
        "trying_forever",
        bad(Answer::TryingForever),
        4_500 * MS,
        12 * SECOND,
    );
}

#[test]
fn a_line_that_rings_for_ever_gives_way_and_is_kept_until_another_answers() {
    let world = gives_way(
        "ring_forever",
        bad(Answer::RingForever),
        31 * SECOND,
        40 * SECOND,
    );
    assert_eq!(
        world.taker(0).reports().len(),
        1,
        "somebody's telephone rings: it is not called again"
    );
    assert!(
        !world.sent_to("CANCEL", 0).is_empty(),
        "another answered: the ringing line is let go"
    );
    let cancelled = world.sent_to("CANCEL", 0)[0];
    let answered = world
        .steps
        .iter()
        .find(|(_, step)| {
            matches!(step, Step::Call { what, .. }
        if matches!(what, hearthline_emergency::call::EventKind::Answered { .. }))
        })
        .expect("answered")
        .0;
    assert!(cancelled >= answered);
}

#[test]
fn refusals_give_way_at_once() {
    for status in [403, 404, 480, 486, 488, 501, 503, 600, 603] {
        let world = gives_way("refusal", bad(Answer::Reject(status)), SECOND, 4 * SECOND);
        // After a 503 the other transports of the line are asked too (RFC 3263 §4.3).
        let tries = if status == 503 { 3 } else { 1 };
        assert_eq!(world.taker(0).reports().len(), tries, "{status}");
    }
}

#[test]
fn a_refusal_of_the_body_is_tried_again_with_less_and_then_gives_way() {
    // 400 and 500 are what telephones say that fail over a multipart body.
    for (status, tries) in [
        (424, 3),
        (415, 2),
        (413, 2),
        (513, 2),
        (420, 2),
        (400, 2),
        (500, 2),
    ] {
        let world = gives_way(
            "body_refused",
            bad(Answer::Reject(status)),
            2 * SECOND,
            4 * SECOND,
        );
        assert_eq!(world.taker(0).reports().len(), tries, "{status}");
    }
}

#[test]
fn a_line_that_refuses_only_the_location_is_called_without_it() {
    let first = vec![
        Behaviour::with_answer(Answer::Reject(424)),
        Behaviour::with_answer(Answer::Reject(424)),
        Behaviour::default(),
    ];
    let mut world = Watched::new("location_refused", &immediate(vec![first]));
    call(&mut world, 3 * SECOND);
    assert!(is_connected(&world));
    let invites: Vec<_> = world
        .sent_messages
        .iter()
        .filter(|(_, bytes)| bytes.starts_with(b"INVITE "))
        .collect();
    let text = String::from_utf8_lossy(&invites.last().expect("an INVITE").1).into_owned();
    assert!(!text.contains("Geolocation: <"), "{text}");
}

#[test]
fn retry_after_is_kept_but_never_longer_than_the_longest_wait() {
    let busy_for_an_hour: fn(Vec<u8>) -> Vec<u8> = |bytes| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if text.starts_with("SIP/2.0 503") {
            text.replacen("\r\n", "\r\nRetry-After: 3600\r\n", 1)
                .into_bytes()
        } else {
            bytes
        }
    };
    let first = vec![
        Behaviour::with_answer(Answer::Reject(503)),
        Behaviour::default(),
    ];
    let transports = vec![LineTransport::Udp];
    let scene = Scene {
        meddle: Some(busy_for_an_hour),
        transports,
        ..immediate(vec![first])
    };
    let mut world = Watched::new("retry_after", &scene);
    call(&mut world, 15 * SECOND);
    let tries: Vec<Duration> = world
        .taker(0)
        .reports()
        .iter()
        .map(|report| Duration::from_millis(report.arrived_ms))
        .collect();
    assert_eq!(tries.len(), 2, "{tries:?}");
    assert!(
        tries[1] - tries[0] >= 7 * SECOND && tries[1] - tries[0] <= 10 * SECOND,
        "{tries:?}"
    );
    assert!(
        is_connected(&world),
        "an hour's Retry-After of the only line must not cost an hour"
    );
}

#[test]
fn a_redirection_to_another_address_is_followed() {
    let target = "sip:psap@127.0.0.1:5110".to_owned();
    let mut world = Watched::new(
        "redirect",
        &immediate(vec![bad(Answer::Redirect(target)), good()]),
    );
    call(&mut world, 4 * SECOND);
    assert!(is_connected(&world));
    assert_eq!(world.taker(0).reports().len(), 1);
    assert_eq!(world.taker(1).reports().len(), 1);
}

#[test]
fn a_redirection_out_of_the_drill_is_not_followed() {
    for outside in [
        "sip:psap@192.0.2.7",
        "sip:911@example.com",
        "tel:911",
        "sip:psap@127.0.0.1;maddr=192.0.2.7",
        "sip:911",
    ] {
        let world = gives_way(
            "redirect_outside",
            bad(Answer::Redirect(outside.to_owned())),
            3 * SECOND,
            6 * SECOND,
        );
        let outside: Vec<_> = world
            .sent_addresses
            .iter()
            .filter(|(_, to, _)| !to.ip().is_loopback())
            .collect();
        assert!(outside.is_empty(), "{outside:?}");
    }
}

#[test]
fn a_redirection_in_a_circle_is_bounded() {
    let world = gives_way(
        "redirect_loop",
        bad(Answer::RedirectLoop),
        2 * SECOND,
        5 * SECOND,
    );
    assert!(
        world.taker(0).reports().len() <= 4,
        "{}",
        world.taker(0).reports().len()
    );
    // Two lines that send the call to each other, and a third that answers.
    let ring = immediate(vec![
        bad(Answer::Redirect("sip:b@127.0.0.1:5110".into())),
        bad(Answer::Redirect("sip:a@127.0.0.1:5100".into())),
        good(),
    ]);
    let mut world = Watched::new("redirect_ring", &ring);
    call(&mut world, 6 * SECOND);
    assert!(is_connected(&world));
    let invites = world.taker(0).reports().len() + world.taker(1).reports().len();
    assert!(invites <= 8, "{invites}");
}

#[test]
fn an_answer_without_usable_sound_gives_way() {
    for session in [
        SessionDefect::Missing,
        SessionDefect::Garbage,
        SessionDefect::NoCommonCodec,
        SessionDefect::RefusedStream,
    ] {
        let first = vec![Behaviour {
            session,
            ..Behaviour::default()
        }];
        let world = gives_way("bad_session", first, SECOND, 6 * SECOND);
        assert!(
            !world.sent_to("ACK", 0).is_empty(),
            "{session:?}: a 2xx is acknowledged"
        );
        assert!(
            !world.sent_to("BYE", 0).is_empty(),
            "{session:?}: and ended"
        );
        assert_eq!(
            world.taker(0).reports()[0].state,
            CallState::Ended,
            "{session:?}"
        );
    }
}

#[test]
fn an_answer_with_one_section_too_many_comes_to_one_call() {
    let first = vec![Behaviour {
        session: SessionDefect::ExtraSection,
        ..Behaviour::default()
    }];
    let mut world = Watched::new("extra_section", &immediate(vec![first, good()]));
    call(&mut world, 6 * SECOND);
    assert!(is_connected(&world));
    assert_eq!(standing_calls(&world, 2), 1);
}

#[test]
fn a_call_taker_who_hangs_up_ends_the_call() {
    let first = vec![Behaviour {
        hang_up_after_ms: Some(0),
        ..Behaviour::default()
    }];
    let mut world = Watched::new("hangs_up", &immediate(vec![first, good()]));
    call(&mut world, 6 * SECOND);
    assert!(
        world.steps.iter().any(|(_, step)| matches!(
            step,
            Step::Ended {
                outcome: "answered"
            }
        )),
        "{:?}",
        world.steps
    );
    assert_eq!(world.lights.last(), Some(&Light::Off));
    assert_eq!(standing_calls(&world, 2), 0);
    assert!(
        world.sent_to("INVITE", 1).is_empty(),
        "the call-taker decided"
    );
}

#[test]
fn a_reinvite_of_the_call_taker_is_answered_and_the_sound_goes_on() {
    for withhold_ack in [false, true] {
        let first = vec![Behaviour {
            reinvite_after_ms: Some(1_000),
            withhold_ack,
            ..Behaviour::default()
        }];
        let mut world = Watched::new("reinvite", &immediate(vec![first]));
        call(&mut world, 6 * SECOND);
        let (played, heard) = (world.played.len(), world.taker_heard(0).len());
        // An ACK that never comes would end an ordinary dialog after 64*T1 = 32 s (RFC 3261 §14.2); not this one.
        world.run_for(35 * SECOND);
        assert!(
            is_connected(&world),
            "withheld {withhold_ack}: {:?}",
            world.lights
        );
        assert_eq!(standing_calls(&world, 1), 1);
        assert!(
            world.played.len() - played > 16_000 * 33,
            "withheld {withhold_ack}"
        );
        assert!(world.taker_heard(0).len() - heard > 16_000 * 33);
        assert!(
            world.sent_to("BYE", 0).is_empty(),
            "nobody but the call-taker or the caller ends the call"
        );
        assert!(
            !world
                .steps
                .iter()
                .any(|(_, step)| matches!(step, Step::Ended { .. })),
            "the person's call goes on"
        );
    }
}

#[test]
fn a_call_taker_who_says_nothing_keeps_the_call() {
    for voice in [Voice::Mute, Voice::Silent] {
        let first = vec![Behaviour {
            voice,
            ..Behaviour::default()
        }];
        let mut world = Watched::new("mute", &immediate(vec![first, good()]));
        call(&mut world, 60 * SECOND);
        assert!(is_connected(&world), "{voice:?}");
        assert_eq!(standing_calls(&world, 2), 1);
        assert!(world.sent_to("BYE", 0).is_empty());
        assert!(
            world.taker_heard(0).len() > 16_000 * 55,
            "the room is heard all the same"
        );
    }
}

#[test]
fn reliable_ringing_and_a_call_taker_who_refuses_changes_are_no_trouble() {
    for (ring, reinvite) in [
        (Ring::Never, Reinvite::Never),
        (Ring::Reliable, Reinvite::Refuse),
        (Ring::Reliable, Reinvite::Answer),
    ] {
        let first = vec![Behaviour {
            ring,
            reinvite,
            ..Behaviour::answering_after(3 * SECOND)
        }];
        let mut world = Watched::new("reliable", &immediate(vec![first]));
        call(&mut world, 10 * SECOND);
        assert!(is_connected(&world), "{ring:?}");
        assert_eq!(world.taker(0).reports().len(), 1);
    }
}

#[test]
fn all_lines_dead_and_one_comes_alive_after_minutes() {
    let mut world = Watched::new("comes_alive", &immediate(vec![good(), good()]));
    world.unplug(0);
    world.unplug(1);
    call(&mut world, 180 * SECOND);
    assert!(!is_connected(&world));
    let tries = world.sent_to("INVITE", 0).len();
    assert!(tries > 10, "it goes on trying: {tries}");
    world.plug_in(1);
    let plugged = world.now();
    assert!(
        world.run_until(20 * SECOND, is_connected),
        "{:?}",
        world.lights
    );
    assert!(
        world.now() - plugged <= 12 * SECOND,
        "{:?}",
        world.now() - plugged
    );
    assert_eq!(standing_calls(&world, 2), 1);
}

#[test]
fn a_machine_that_takes_bytes_and_says_nothing_is_asked_anew_when_it_wakes() {
    let mut world = Watched::new("wakes", &immediate(vec![bad(Answer::Dead)]));
    call(&mut world, 60 * SECOND);
    assert!(!is_connected(&world));
    world.set_behaviours(0, good());
    let since = world.now();
    assert!(
        world.run_until(30 * SECOND, is_connected),
        "{:?}",
        world.lights
    );
    assert!(
        world.now() - since <= 20 * SECOND,
        "{:?}",
        world.now() - since
    );
    world.run_for(40 * SECOND);
    assert!(is_connected(&world));
    assert_eq!(standing_calls(&world, 1), 1);
}

#[test]
fn tls_refused_falls_to_tcp_and_then_to_udp_within_two_seconds() {
    for (open, expected) in [
        (vec![Transport::Tls], "tls"),
        (vec![Transport::Tcp], "tcp"),
        (Vec::new(), "udp"),
    ] {
        let mut world = Watched::new("transports", &immediate(vec![good()]));
        world.listen_only(0, &open);
        let ordered = call(&mut world, 4 * SECOND);
        let report = world.taker(0).reports().pop().expect("a call");
        assert_eq!(report.transport.to_lowercase(), expected);
        let arrived = Duration::from_millis(report.arrived_ms) - ordered;
        assert!(arrived <= 2 * SECOND, "{expected}: {arrived:?}");
        assert!(is_connected(&world));
    }
}

#[test]
fn a_late_answer_of_a_line_that_gave_way_comes_to_exactly_one_call() {
    // The first line rings and answers in the very moment, or near it, when the second answers too.
    for late_ms in (29_900..=30_600).step_by(20) {
        let first = vec![Behaviour::answering_after(late_ms * MS)];
        let mut world = Watched::new("late_answer", &immediate(vec![first, good()]));
        call(&mut world, 36 * SECOND);
        assert!(is_connected(&world), "{late_ms} ms");
        assert_eq!(standing_calls(&world, 2), 1, "{late_ms} ms");
        let heard_by = (0..2).filter(|taker| {
            world
                .taker(*taker)
                .reports()
                .iter()
                .any(|report| report.state == CallState::Confirmed)
        });
        assert_eq!(heard_by.count(), 1, "{late_ms} ms");
    }
}

#[test]
fn both_lines_answer_at_once_by_udp_with_loss_and_one_of_them_gets_a_bye() {
    let mut byes = 0;
    for seed in 0..12 {
        let first = vec![Behaviour::answering_after(30_150 * MS)];
        let faults = Faults {
            delay_min: MS,
            delay_max: 150 * MS,
            lost_per_mille: 50,
            doubled_per_mille: 50,
        };
        let scene = Scene {
            seed,
            faults,
            transports: vec![LineTransport::Udp],
            ..immediate(vec![first, good()])
        };
        let mut world = Watched::new("both_answer", &scene);
        call(&mut world, 70 * SECOND);
        assert!(is_connected(&world), "seed {seed}");
        assert_eq!(standing_calls(&world, 2), 1, "seed {seed}");
        byes +=
            usize::from(!world.sent_to("BYE", 0).is_empty() || !world.sent_to("BYE", 1).is_empty());
    }
    assert!(
        byes > 0,
        "no seed crossed two answers: the test tests nothing"
    );
}

#[test]
fn a_bad_network_always_connects() {
    for seed in 0..20 {
        let faults = Faults {
            delay_min: MS,
            delay_max: 80 * MS,
            lost_per_mille: 100,
            doubled_per_mille: 20,
        };
        let scene = Scene {
            seed,
            faults,
            transports: vec![LineTransport::Udp],
            ..immediate(vec![good(), good()])
        };
        let mut world = Watched::new("bad_network", &scene);
        call(&mut world, Duration::ZERO);
        assert!(
            world.run_until(10 * SECOND, is_connected),
            "seed {seed}: {:?}",
            world.lights
        );
        world.run_for(40 * SECOND);
        assert!(is_connected(&world), "seed {seed}");
        assert_eq!(standing_calls(&world, 2), 1, "seed {seed}");
    }
}

#[test]
fn a_device_without_a_line_says_so_and_does_not_claim_to_call() {
    let mut world = Watched::new(
        "no_line",
        &Scene {
            lines: Vec::new(),
            ..Scene::default()
        },
    );
    call(&mut world, 30 * SECOND);
    assert!(
        world.said.iter().all(|said| !said.starts_with("Calling")),
        "{:?}",
        world.said
    );
    assert!(
        world.said.iter().any(|said| said.contains("cannot call")),
        "{:?}",
        world.said
    );
    assert!(
        world
            .steps
            .iter()
            .any(|(_, step)| matches!(step, Step::Trouble { .. }))
    );
    assert_eq!(world.lights.last(), Some(&Light::Error));
    assert!(
        world.device().recorder().incident().is_none(),
        "the incident is closed"
    );
}

#[test]
fn a_failing_run_writes_its_trace() {
    let mut world = Watched::new("trace_is_written", &Scene::default());
    call(&mut world, SECOND);
    let path = world.write_trace().expect("the target folder is there");
    let text = std::fs::read_to_string(&path).expect("it was written");
    let trace = hearthline_simulate::Trace::from_lines(&text).expect("our own lines");
    assert_eq!(World::replay(&Scene::default(), &trace), world.digest());
    std::fs::remove_file(path).expect("ours");
}

#[test]
fn a_line_for_numbers_and_the_session_alone_is_called_and_the_record_says_what_was_not_sent() {
    use hearthline_emergency::line::{AddressAs, LineBody};
    use hearthline_emergency::numbers::{Country, NumberPlan};
    let mut world = Watched::new(
        "numbered_line",
        &Scene {
            mode: Mode::Immediate,
            address_as: AddressAs::Number(NumberPlan::Of(Country::UnitedStates)),
            body: LineBody::SessionOnly,
            ..Scene::default()
        },
    );
    world.run_for(Duration::from_secs(1));
    world.say(&Spoken::after_wake_word("call the police"));
    world.run_for(Duration::from_secs(3));
    let invites: Vec<&String> = world
        .sent
        .iter()
        .map(|(_, line)| line)
        .filter(|line| line.starts_with("INVITE "))
        .collect();
    assert_eq!(invites, ["INVITE sip:911@127.0.0.1:5100 SIP/2.0"]);
    let report = world.taker(0).reports().pop().expect("it was called");
    assert!(report.answered_after_ms.is_some(), "{report:?}");
    let log = String::from_utf8_lossy(&world.log).into_owned();
    assert!(
        log.contains("location was not sent on this line: it carries the session alone"),
        "{log}"
    );
    let (_, invite) = world
        .sent_messages
        .iter()
        .find(|(_, bytes)| bytes.starts_with(b"INVITE "))
        .expect("an INVITE");
    let invite = String::from_utf8_lossy(invite);
    assert!(
        invite.contains("To: <sip:911@127.0.0.1:5100>\r\n"),
        "{invite}"
    );
    assert!(invite.contains("Subject: DRILL"), "{invite}");
    for absent in ["multipart", "Geolocation", "Juniper", "Call-Info"] {
        assert!(!invite.contains(absent), "{absent}: {invite}");
    }
}
