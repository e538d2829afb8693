//! Whatever LoST does, an INVITE leaves: at once, or after 500 ms at most (RFC 6881 ED-55).

use std::time::Duration;

use crate::support::{Run, answer, cached, ms, servers, setup};
use hearthline_emergency::call::{CallState, EventKind, RouteSource};
use hearthline_emergency::lost::{LostError, LostErrorKind, LostErrors, LostResponse, Redirect};
use hearthline_emergency::lost_client::LostReply;
use hearthline_emergency::target::HttpUrl;

fn source(run: &Run) -> RouteSource {
    run.events
        .iter()
        .find_map(|event| match &event.kind {
            EventKind::Routed { source, .. } => Some(*source),
            _ => None,
        })
        .expect("the route was settled")
}

#[test]
fn a_fresh_answer_gives_the_route() {
    let mut run = Run::new(setup(1));
    assert!(run.invites.is_empty());
    assert_eq!(run.call.state(), CallState::Routing);
    run.advance(ms(40));
    run.lost_body(&answer("sips:psap@127.0.0.1:5061"));
    assert_eq!(run.invites.len(), 1);
    let invite = &run.last_invite().3;
    assert_eq!(
        invite.header("Route"),
        Some("<sips:psap@127.0.0.1:5061;lr>")
    );
    assert_eq!(invite.request_uri, "urn:service:sos");
    assert_eq!(source(&run), RouteSource::Fresh);
    assert_eq!(run.learned.len(), 1);
}

#[test]
fn slow_lost_never_delays_past_half_a_second() {
    for expired in [None, Some(true)] {
        let mut setup = setup(1);
        setup.lost.cached = expired.and_then(|expired| cached("sip:psap@127.0.0.1:5090", expired));
        let mut run = Run::new(setup);
        let start = run.now;
        run.advance(ms(499));
        assert!(run.invites.is_empty());
        run.advance(ms(1));
        assert_eq!(run.last_invite().0 - start, ms(500));
        let expected = if expired.is_some() {
            RouteSource::Stale
        } else {
            RouteSource::None
        };
        assert_eq!(source(&run), expected);
        assert_eq!(
            run.last_invite().3.header("Route").is_some(),
            expired.is_some()
        );
    }
}

#[test]
fn a_cached_mapping_that_holds_lets_the_invite_go_at_once_and_a_late_answer_is_learned() {
    let mut setup = setup(2);
    setup.lost.cached = cached("sip:psap@127.0.0.1:5090", false);
    let mut run = Run::new(setup);
    assert_eq!(run.invites.len(), 1);
    assert_eq!(run.last_invite().0, run.now);
    assert_eq!(source(&run), RouteSource::Cached);
    run.advance(ms(900));
    run.lost_body(&answer("sip:newer@127.0.0.1:5090"));
    assert_eq!(run.learned.len(), 1);
    run.advance(ms(1_200));
    assert_eq!(
        run.last_invite().3.header("Route"),
        Some("<sip:newer@127.0.0.1:5090;lr>")
    );
}

#[test]
fn every_error_of_section_13_ends_in_a_call_at_once() {
    for kind in LostErrorKind::ALL {
        let mut run = Run::new(setup(1));
        run.advance(ms(20));
        let errors = LostResponse::Errors(LostErrors {
            source: "lost.example.test".to_owned(),
            errors: vec![LostError {
                kind,
                message: Some("said by a test".to_owned()),
            }],
        });
        run.lost_body(&errors.to_bytes());
        assert_eq!(run.invites.len(), 1, "{}", kind.name());
        assert_eq!(run.last_invite().0, run.now);
        assert!(run.last_invite().3.header("Route").is_none());
        let said = run
            .events
            .iter()
            .map(|event| event.kind.to_string())
            .collect::<Vec<_>>()
            .join("\n");
        assert!(said.contains(kind.name()), "{said}");
    }
}

#[test]
fn every_bad_reply_ends_in_a_call_at_once() {
    let good = answer("sip:psap@127.0.0.1:5090");
    let http = |status, content_type, body| LostReply::Http {
        status,
        content_type,
        body,
    };
    let kind = "application/lost+xml";
    let wrong_location = String::from_utf8(good.clone())
        .unwrap()
        .replace("id=\"civic\"", "id=\"elsewhere\"");
    let wrong_service = String::from_utf8(good.clone())
        .unwrap()
        .replace("urn:service:sos", "urn:service:pizza");
    let no_uri = String::from_utf8(good.clone())
        .unwrap()
        .replace("sip:psap@127.0.0.1:5090", "xmpp:psap@example.test");
    let replies: Vec<LostReply<'_>> = vec![
        LostReply::Failed,
        http(500, kind, &good),
        http(302, kind, &good),
        http(200, "text/html", &good),
        http(200, kind, b""),
        http(
            200,
            kind,
            b"<findServiceResponse xmlns='urn:ietf:params:xml:ns:lost1'/>",
        ),
        http(200, kind, &good[..good.len() / 2]),
        http(200, kind, b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"),
        http(200, kind, wrong_location.as_bytes()),
        http(200, kind, wrong_service.as_bytes()),
        http(200, kind, no_uri.as_bytes()),
    ];
    for reply in replies {
        let mut run = Run::new(setup(1));
        run.lost(reply.clone());
        assert_eq!(run.invites.len(), 1, "{reply:?}");
        assert!(run.last_invite().3.header("Route").is_none(), "{reply:?}");
    }
}

#[test]
fn a_route_outside_the_drill_is_left_out() {
    let mut run = Run::new(setup(1));
    run.lost_body(&answer("sip:psap@example.com"));
    assert_eq!(run.invites.len(), 1);
    assert!(run.last_invite().3.header("Route").is_none());
    assert!(
        run.events
            .iter()
            .any(|event| event.kind == EventKind::RouteOutsideTheDrill)
    );
}

#[test]
fn a_server_outside_the_drill_is_never_asked() {
    let mut setup = setup(1);
    setup.lost.servers = vec![HttpUrl::parse("https://lost.example.com/").unwrap()];
    let run = Run::new(setup);
    assert!(run.posts.is_empty());
    assert_eq!(run.invites.len(), 1);
}

fn redirect(target: &str) -> Vec<u8> {
    LostResponse::Redirect(Redirect {
        target: target.to_owned(),
        source: "lost.example.test".to_owned(),
        message: None,
    })
    .to_bytes()
}

#[test]
fn a_redirect_is_followed_by_name() {
    let mut setup = setup(1);
    setup.lost.names = vec![(
        "east.example".to_owned(),
        HttpUrl::parse("http://127.0.0.1:8081/lost").unwrap(),
    )];
    let mut run = Run::new(setup);
    run.lost_body(&redirect("east.example"));
    assert_eq!(
        run.posts.last().unwrap().url.as_str(),
        "http://127.0.0.1:8081/lost"
    );
    run.lost_body(&answer("sip:psap@127.0.0.1:5090"));
    assert_eq!(source(&run), RouteSource::Fresh);
}

#[test]
fn redirects_in_a_circle_and_without_end_are_bounded() {
    let mut run = Run::new(setup(1));
    run.lost_body(&redirect("127.0.0.1"));
    assert_eq!(run.posts.len(), 1, "the same server again is a circle");
    assert_eq!(run.invites.len(), 1);

    let mut run = Run::new(setup(1));
    for number in 2..100 {
        if run.invites.len() == 1 {
            break;
        }
        run.lost_body(&redirect(&format!("127.0.0.{number}")));
    }
    assert_eq!(run.posts.len(), 1 + 4);
    assert_eq!(run.invites.len(), 1);
}

#[test]
fn a_second_server_is_asked_within_the_same_half_second() {
    let mut setup = setup(1);
    setup.lost.servers = servers();
    setup
        .lost
        .servers
        .push(HttpUrl::parse("http://127.0.0.1:8082/lost").unwrap());
    let mut run = Run::new(setup);
    run.advance(ms(260));
    assert_eq!(run.posts.len(), 2);
    run.lost_body(&answer("sip:psap@127.0.0.1:5090"));
    assert_eq!(source(&run), RouteSource::Fresh);
}

#[test]
fn lost_is_asked_during_the_announced_window_and_nothing_leaves_before_its_end() {
    let mut setup = setup(1);
    setup.invite_not_before = ms(15_000);
    let mut run = Run::new(setup);
    assert_eq!(run.posts.len(), 1);
    run.advance(ms(30));
    run.lost_body(&answer("sip:psap@127.0.0.1:5090"));
    run.advance(ms(4_969));
    assert!(run.invites.is_empty());
    run.advance(ms(1));
    assert_eq!(run.last_invite().0, ms(15_000));
    assert_eq!(source(&run), RouteSource::Fresh);
}

#[test]
fn cancel_exists_only_before_an_invite_was_handed_out() {
    let mut waiting = setup(1);
    waiting.invite_not_before = ms(15_000);
    let run = Run::new(waiting);
    let before = run.call.before_invite().expect("no INVITE yet");
    let event = before.cancel(ms(12_000));
    assert!(matches!(event.kind, EventKind::Ended { .. }));

    let mut at_once = setup(1);
    at_once.lost.cached = cached("sip:psap@127.0.0.1:5090", false);
    let run = Run::new(at_once);
    assert_eq!(run.invites.len(), 1);
    assert!(run.call.before_invite().is_err(), "an INVITE has left");
}

#[test]
fn a_household_without_a_location_still_calls() {
    let mut setup = setup(1);
    setup.profile.civic = None;
    setup.profile.shape = None;
    let run = Run::new(setup);
    assert!(run.posts.is_empty());
    assert!(run.last_invite().3.header("Geolocation").is_none());
}

#[test]
fn a_location_that_comes_in_time_is_used_and_a_late_one_is_not_awaited() {
    let mut awaiting = setup(1);
    awaiting.await_location = true;
    awaiting.lost.cached = cached("sip:psap@127.0.0.1:5090", false);
    let mut run = Run::new(awaiting.clone());
    let start = run.now;
    run.advance(Duration::from_secs(1));
    assert_eq!(run.last_invite().0 - start, ms(250));

    let mut run = Run::new(awaiting);
    run.advance(ms(100));
    let found = hearthline_emergency::geodetic::Position::new(1.5, 2.5).unwrap();
    run.input(hearthline_emergency::call::CallInput::Location {
        civic: None,
        shape: Some(hearthline_emergency::geodetic::Shape::Point(found)),
    });
    assert_eq!(run.invites.len(), 1);
    assert_eq!(run.posts.len(), 2, "the new place is asked for");
    let body = &run.last_invite().3.parts[0].bytes;
    assert!(String::from_utf8_lossy(body).contains("1.5 2.5"));
}
