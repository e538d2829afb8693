//! A line that does not lead to a person gives way to the next, and none of it ends the call.

use std::time::Duration;

use crate::support::{Run, cached, ms, setup};
use hearthline_emergency::call::{CallInput, CallState, ConfirmedEnd, Progress};
use hearthline_emergency::lost_client::LostAtCall;

fn run(lines: usize) -> Run {
    let mut setup = setup(lines);
    setup.lost.cached = cached("sip:psap@127.0.0.1:5090", false);
    Run::new(setup)
}

#[test]
fn a_dead_line_gives_way_within_three_seconds() {
    let mut run = run(2);
    let start = run.now;
    assert_eq!(run.last_invite().2, 0);
    run.advance(ms(3_000));
    assert_eq!(run.last_invite().2, 1);
    assert!(run.last_invite().0 - start <= ms(3_000));
    assert!(
        run.abandoned.is_empty(),
        "the silent attempt is kept until another answers"
    );
}

#[test]
fn a_refusal_gives_way_at_once() {
    for status in [486, 503, 404, 480, 502, 600, 603, 606, 488] {
        let mut run = run(2);
        let first = run.last_invite().1;
        run.reject(first, status, &[]);
        assert_eq!(run.last_invite().2, 1, "{status}");
        assert_eq!(run.last_invite().0, run.now, "{status}");
    }
}

#[test]
fn a_failed_transport_gives_way_at_once() {
    let mut run = run(2);
    let first = run.last_invite().1;
    run.progress(first, Progress::TransportFailed);
    assert_eq!(run.last_invite().2, 1);
}

#[test]
fn one_hundred_for_ever_gives_way_and_is_kept_until_another_answers() {
    let mut run = run(2);
    let first = run.last_invite().1;
    run.progress(first, Progress::Trying);
    run.advance(ms(3_900));
    assert_eq!(run.invites.len(), 1);
    run.advance(ms(200));
    assert_eq!(run.last_invite().2, 1);
    assert!(run.abandoned.is_empty());
    let second = run.last_invite().1;
    run.progress(second, Progress::Answered);
    assert_eq!(
        run.call.state(),
        CallState::Connected {
            line: 1,
            attempt: second
        }
    );
    assert_eq!(run.abandoned, vec![first]);
}

#[test]
fn a_line_that_is_silent_after_its_challenge_gives_way_within_three_seconds() {
    for (challenged_ms, gives_way_ms) in [(100, 2_100), (1_500, 3_000), (3_500, 3_500)] {
        let mut run = run(2);
        let (start, first) = (run.now, run.last_invite().1);
        run.advance(ms(50));
        run.progress(first, Progress::Trying);
        run.advance(ms(challenged_ms - 50));
        run.progress(first, Progress::Challenged { status: 401 });
        if gives_way_ms > challenged_ms {
            run.advance(ms(gives_way_ms - challenged_ms - 1));
            assert_eq!(run.invites.len(), 1, "{challenged_ms} ms");
            run.advance(ms(1));
        }
        assert_eq!(run.last_invite().2, 1, "{challenged_ms} ms");
        assert_eq!(
            run.last_invite().0 - start,
            ms(gives_way_ms),
            "{challenged_ms} ms"
        );
        assert!(run.abandoned.is_empty(), "it may still answer");
    }
    // One that goes on after it has the time of a line that says 100.
    let mut run = run(2);
    let first = run.last_invite().1;
    run.progress(first, Progress::Challenged { status: 407 });
    run.progress(first, Progress::Trying);
    run.advance(ms(3_900));
    assert_eq!(run.invites.len(), 1);
}

#[test]
fn of_two_answers_the_first_wins_and_the_other_is_taken_down() {
    let mut run = run(2);
    let first = run.last_invite().1;
    run.advance(ms(2_000));
    let second = run.last_invite().1;
    run.progress(first, Progress::Answered);
    assert_eq!(run.abandoned, vec![second]);
    run.progress(second, Progress::Answered);
    assert_eq!(
        run.abandoned,
        vec![second, second],
        "the late 2xx is answered with BYE"
    );
    assert_eq!(
        run.call.state(),
        CallState::Connected {
            line: 0,
            attempt: first
        }
    );
}

#[test]
fn ringing_is_given_time_and_never_taken_down_for_a_retry() {
    let mut run = run(2);
    let first = run.last_invite().1;
    run.progress(first, Progress::Ringing { status: 180 });
    assert_eq!(run.call.state(), CallState::Ringing { line: 0 });
    run.advance(ms(29_000));
    assert_eq!(run.invites.len(), 1);
    run.advance(Duration::from_secs(600));
    assert!(
        run.invites.iter().skip(1).all(|invite| invite.2 == 1),
        "only the other line is tried again"
    );
    assert!(!run.abandoned.contains(&first));
    run.progress(first, Progress::Answered);
    assert_eq!(
        run.call.state(),
        CallState::Connected {
            line: 0,
            attempt: first
        }
    );
}

#[test]
fn after_the_last_line_comes_the_first_with_a_growing_wait_for_ever() {
    let mut setup = setup(2);
    setup.lost = LostAtCall::nothing();
    let mut run = Run::new(setup);
    for _ in 0..20 {
        let attempt = run.last_invite().1;
        run.reject(attempt, 503, &[]);
        if let CallState::Exhausted { .. } = run.call.state() {
            let wait = run.timeout.expect("the next round has a time") - run.now;
            assert!(wait <= ms(8_000), "{wait:?}");
            run.advance(wait);
        }
    }
    assert_eq!(run.invites.len(), 21);
    let lines: Vec<usize> = run.invites.iter().map(|invite| invite.2).collect();
    assert!(
        lines
            .iter()
            .enumerate()
            .all(|(index, line)| index % 2 == *line)
    );
    let rounds: Vec<Duration> = run
        .invites
        .iter()
        .step_by(2)
        .map(|invite| invite.0)
        .collect();
    let waits: Vec<u128> = rounds
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_millis())
        .collect();
    assert_eq!(waits[..5], [1_000, 2_000, 4_000, 8_000, 8_000]);
}

#[test]
fn a_dead_single_line_is_asked_anew() {
    let mut run = run(1);
    run.advance(Duration::from_secs(60));
    assert!(run.invites.len() >= 3, "{} INVITEs", run.invites.len());
    assert!(
        run.abandoned.len() + 1 >= run.invites.len() - 1,
        "old attempts do not pile up"
    );
}

#[test]
fn retry_after_is_respected_but_never_for_long() {
    let mut run = run(1);
    let first = run.last_invite().1;
    run.progress(
        first,
        Progress::Rejected {
            status: 503,
            retry_after_s: Some(86_400),
            contacts: vec![],
        },
    );
    run.advance(ms(7_500));
    assert_eq!(run.invites.len(), 1);
    run.advance(ms(10_000));
    assert!(run.invites.len() >= 2);
}

#[test]
fn a_redirect_is_followed_and_a_circle_is_not() {
    let mut run = run(2);
    let first = run.last_invite().1;
    run.reject(first, 302, &["sip:desk2@127.0.0.1:5095"]);
    assert_eq!(run.last_invite().2, 0);
    assert_eq!(
        run.last_invite().3.next_hop.as_str(),
        "sip:desk2@127.0.0.1:5095"
    );
    let second = run.last_invite().1;
    run.reject(second, 302, &["sip:127.0.0.1:5070"]);
    assert_eq!(
        run.last_invite().2,
        1,
        "back to where it began: the next line"
    );
}

#[test]
fn redirects_are_bounded() {
    let mut run = run(2);
    for desk in 0..50 {
        let (_, attempt, line, _) = run.last_invite();
        if *line == 1 {
            break;
        }
        let attempt = *attempt;
        run.reject(attempt, 302, &[&format!("sip:desk{desk}@127.0.0.1:6000")]);
    }
    assert_eq!(run.last_invite().2, 1);
    assert_eq!(run.invites.len(), 1 + 3 + 1);
}

#[test]
fn a_redirect_out_of_the_drill_is_not_followed() {
    let mut run = run(2);
    let first = run.last_invite().1;
    run.reject(
        first,
        302,
        &["sip:psap@example.com", "tel:911", "not a uri"],
    );
    assert_eq!(run.last_invite().2, 1);
}

#[test]
fn bad_location_leads_to_one_corrected_retry_then_none_then_the_next_line() {
    let mut run = run(2);
    for expected in [Some("geodetic"), Some("civic"), None] {
        let (_, attempt, line, invite) = run.last_invite();
        assert_eq!(*line, 0);
        let body = invite
            .parts
            .iter()
            .find(|part| part.content_type == "application/pidf+xml");
        match expected {
            None => assert!(body.is_none() && invite.header("Geolocation").is_none()),
            Some(name) => {
                let text = String::from_utf8(body.unwrap().bytes.clone()).unwrap();
                assert!(text.contains(&format!("<tuple id=\"{name}\">")), "{name}");
                assert_eq!(text.contains("gml:Point"), name == "geodetic");
            }
        }
        let attempt = *attempt;
        run.reject(attempt, 424, &[]);
    }
    assert_eq!(run.last_invite().2, 1);
    assert!(
        run.last_invite().3.header("Geolocation").is_some(),
        "the next line gets everything"
    );
}

#[test]
fn a_call_taker_without_multipart_gets_the_session_alone() {
    let mut run = run(1);
    let first = run.last_invite().1;
    run.reject(first, 415, &[]);
    let invite = &run.last_invite().3;
    assert!(invite.parts.is_empty());
    assert!(invite.header("Call-Info").is_none());
    assert_eq!(invite.header("Emergency-Drill"), Some("yes"));
}

#[test]
fn a_connected_call_that_the_network_drops_is_placed_again() {
    let mut run = run(2);
    let first = run.last_invite().1;
    run.progress(first, Progress::Answered);
    run.advance(Duration::from_secs(30));
    run.progress(first, Progress::Dropped);
    assert_eq!(run.invites.len(), 2);
    assert_eq!(run.last_invite().2, 0);
    assert_eq!(run.call.state(), CallState::Calling { line: 0 });
}

#[test]
fn the_call_taker_ends_the_call_and_a_callback_is_expected_for_thirty_minutes() {
    let mut run = run(1);
    let first = run.last_invite().1;
    run.progress(first, Progress::Answered);
    assert_eq!(run.call.callback_until(), None);
    run.advance(Duration::from_secs(90));
    run.progress(first, Progress::HungUp);
    assert_eq!(run.call.state(), CallState::Ended);
    assert_eq!(
        run.call.callback_until(),
        Some(run.now + Duration::from_secs(1_800))
    );
    assert_eq!(run.timeout, None);
}

#[test]
fn the_caller_ends_it_only_with_words_confirmed_now() {
    assert!(ConfirmedEnd::new(ms(1_000), ms(1_000)).is_err());
    assert!(ConfirmedEnd::new(ms(2_000), ms(1_000)).is_err());
    assert!(ConfirmedEnd::new(ms(1_000), ms(60_000)).is_err());
    let mut run = run(1);
    let first = run.last_invite().1;
    run.progress(first, Progress::Answered);
    run.advance(Duration::from_secs(120));
    let of_another_call = ConfirmedEnd::new(ms(1_000), ms(5_000)).unwrap();
    run.input(CallInput::CallerEnds(of_another_call));
    assert!(matches!(run.call.state(), CallState::Connected { .. }));
    let now = run.now;
    run.input(CallInput::CallerEnds(
        ConfirmedEnd::new(now - ms(4_000), now).unwrap(),
    ));
    assert_eq!(run.call.state(), CallState::Ended);
    assert_eq!(run.hung_up, vec![first]);
}
