//! Lines that know telephone numbers only, that take no multipart body, and that ask for a password.

use crate::support::{Run, line, ms, setup, sip};
use hearthline_emergency::body::TYPE_SDP;
use hearthline_emergency::call::{CallSetup, CallState, EventKind};
use hearthline_emergency::invite::EmergencyInvite;
use hearthline_emergency::line::{AddressAs, Line, LineBody, LineCredentials};
use hearthline_emergency::lost_client::LostAtCall;
use hearthline_emergency::numbers::{Country, NumberPlan};

const US: AddressAs = AddressAs::Number(NumberPlan::Of(Country::UnitedStates));

fn run(lines: Vec<Line>) -> Run {
    Run::new(CallSetup {
        lost: LostAtCall::nothing(),
        lines,
        sdp: Some(b"v=0\r\n".to_vec()),
        ..setup(1)
    })
}

fn numbered(name: &str, port: u16) -> Line {
    Line {
        address_as: US,
        ..line(name, port)
    }
}

fn is_session_alone(invite: &EmergencyInvite) -> bool {
    let [only] = invite.parts.as_slice() else {
        return false;
    };
    only.content_type == TYPE_SDP
        && ["Geolocation", "Geolocation-Routing", "Call-Info"]
            .iter()
            .all(|name| invite.header(name).is_none())
}

fn invited(run: &Run) -> Vec<String> {
    run.events
        .iter()
        .filter(|event| matches!(event.kind, EventKind::Invited { .. }))
        .map(|event| event.kind.to_string())
        .collect()
}

#[test]
fn a_line_that_knows_numbers_is_asked_for_the_countrys_number() {
    let mut run = run(vec![Line {
        target: sip("sip:adapter@127.0.0.1:5070;transport=udp"),
        ..numbered("landline", 5070)
    }]);
    let invite = run.last_invite().3.clone();
    assert_eq!(invite.request_uri, "sip:911@127.0.0.1:5070");
    assert_eq!(invite.header("To"), Some("<sip:911@127.0.0.1:5070>"));
    assert_eq!(
        invite.header("Subject"),
        Some("DRILL - not an emergency"),
        "a drill says so on every line"
    );
    assert_eq!(invite.header("Emergency-Drill"), Some("yes"));
    assert!(invite.parts.len() > 1, "the body is whole all the same");
    // A redirection replaces the Request-URI, not To; it may not lead out of the drill.
    let attempt = run.last_invite().1;
    run.reject(
        attempt,
        302,
        &["sip:911@192.0.2.1", "sip:desk@127.0.0.1:5099"],
    );
    let invite = &run.last_invite().3;
    assert_eq!(invite.request_uri, "sip:desk@127.0.0.1:5099");
    assert_eq!(invite.header("To"), Some("<sip:911@127.0.0.1:5070>"));
}

#[test]
fn a_mapped_route_does_not_lead_past_a_line_that_knows_numbers() {
    let with_route = |line: Line| {
        let mut setup = setup(1);
        setup.lost.cached = crate::support::cached("sip:psap@127.0.0.1:5090", false);
        setup.lines = vec![line];
        let run = Run::new(setup);
        run.last_invite().3.header("Route").map(str::to_owned)
    };
    assert!(with_route(line("trunk", 5070)).is_some());
    assert_eq!(with_route(numbered("landline", 5070)), None);
}

#[test]
fn the_account_of_a_line_that_knows_numbers_stands_in_from() {
    let credentials = Some(LineCredentials::new("kitchen phone", "for drills"));
    let from = |line: Line| {
        run(vec![line])
            .last_invite()
            .3
            .header("From")
            .unwrap()
            .to_owned()
    };
    assert!(
        from(Line {
            credentials: credentials.clone(),
            ..numbered("trunk", 5070)
        })
        .ends_with("<sip:kitchen%20phone@127.0.0.1:5070>")
    );
    assert!(
        from(Line {
            credentials,
            ..line("trunk", 5070)
        })
        .ends_with("<sip:household@home.example.test>")
    );
}

#[test]
fn the_account_stays_with_the_lines_own_host_and_port() {
    let trunk = Line {
        credentials: Some(LineCredentials::new("5550123", "for drills")),
        ..numbered("trunk", 5070)
    };
    for (redirected, knows) in [
        ("sip:other@127.0.0.1:5070", true),
        ("sip:other@127.0.0.1:5070;transport=tcp", true),
        ("sips:other@127.0.0.1:5070", true),
        ("sip:other@127.0.0.1:5071", false),
        ("sip:other@127.0.0.1", false),
        ("sip:other@127.0.0.2:5070", false),
        ("sip:5550123@localhost:5070", false),
    ] {
        let mut run = run(vec![trunk.clone()]);
        let first = run.last_invite().1;
        run.reject(first, 302, &[redirected]);
        let invite = &run.last_invite().3;
        assert_eq!(invite.next_hop.as_str(), redirected);
        let from = invite.header("From").unwrap();
        assert_eq!(from.contains("5550123"), knows, "{redirected}: {from}");
        assert_eq!(trunk.is_at(&invite.next_hop), knows, "{redirected}");
    }
    let sips = Line {
        target: sip("sips:127.0.0.1:5061"),
        ..line("trunk", 5061)
    };
    assert!(sips.is_at(&sip("sips:a@127.0.0.1")));
    assert!(!sips.is_at(&sip("sip:a@127.0.0.1:5061")));
}

#[test]
fn a_line_for_the_session_alone_says_that_no_location_went() {
    let run = run(vec![Line {
        body: LineBody::SessionOnly,
        ..numbered("softphone", 5070)
    }]);
    assert!(is_session_alone(&run.last_invite().3));
    assert_eq!(
        invited(&run),
        [
            "INVITE on line 0 (softphone): the first line; this line carries the session alone, location and data are not sent"
        ]
    );
}

#[test]
fn a_phone_that_fails_over_a_multipart_body_is_asked_once_more() {
    for status in [400, 500] {
        let mut run = run(vec![numbered("softphone", 5070), line("trunk", 5071)]);
        run.advance(ms(300));
        let first = run.last_invite().1;
        run.reject(first, status, &[]);
        assert_eq!(run.invites.len(), 2);
        let (_, again, number, invite) = run.last_invite().clone();
        assert_eq!(number, 0, "the same line");
        assert!(is_session_alone(&invite));
        assert_eq!(invite.request_uri, "sip:911@127.0.0.1:5070");
        // Refused again, the next line is asked at once, whole.
        run.reject(again, status, &[]);
        let (_, _, number, invite) = run.last_invite();
        assert_eq!((*number, run.invites.len()), (1, 3));
        assert!(!is_session_alone(invite));
    }
}

#[test]
fn asking_once_more_does_not_make_the_next_line_wait() {
    let mut run = run(vec![numbered("softphone", 5070), line("trunk", 5071)]);
    let began = run.now;
    run.advance(ms(1_900));
    let first = run.last_invite().1;
    run.reject(first, 500, &[]);
    assert_eq!(run.invites.len(), 2, "asked once more");
    run.advance(ms(2_000));
    let (at, _, number, _) = run.invites[2].clone();
    assert_eq!(
        (at - began, number),
        (ms(3_000), 1),
        "3 s after the first INVITE of the line before"
    );
    // And when even the refusal came late, both are asked at once.
    let mut run = Run::new(CallSetup {
        lost: LostAtCall::nothing(),
        lines: vec![numbered("softphone", 5070), line("trunk", 5071)],
        ..setup(1)
    });
    let first = run.last_invite().1;
    run.progress(first, hearthline_emergency::call::Progress::Trying);
    run.advance(ms(3_500));
    run.reject(first, 500, &[]);
    let lines: Vec<usize> = run.invites.iter().map(|invite| invite.2).collect();
    assert_eq!(lines, [0, 0, 1]);
    assert!(
        run.abandoned.is_empty(),
        "the line asked again may still answer"
    );
}

#[test]
fn a_refused_password_is_named_and_gives_way() {
    for (credentials, words) in [
        (
            Some(LineCredentials::new("kitchen", "not the password")),
            "it refused the line's user name and password",
        ),
        (None, "the device has none for it"),
    ] {
        let mut run = run(vec![
            Line {
                credentials,
                ..line("trunk", 5070)
            },
            line("other", 5071),
        ]);
        let first = run.last_invite().1;
        run.reject(first, 407, &[]);
        assert_eq!(run.last_invite().2, 1, "the next line is asked");
        assert_eq!(run.call.state(), CallState::Calling { line: 1 });
        let failed = run
            .events
            .iter()
            .find(|event| matches!(event.kind, EventKind::Failed { .. }))
            .unwrap()
            .kind
            .to_string();
        assert!(failed.contains("407") && failed.contains(words), "{failed}");
        assert!(!failed.contains("kitchen") && !format!("{:?}", run.events).contains("not the"));
    }
}
