//! REGISTER with digest, 423, refresh and retry, against a small registrar of the test.

use std::collections::BTreeMap;
use std::time::Duration;

use hearthline_sip::endpoint::{
    Credentials, Event, Refusal, RegisterRequest, RegistrationCause, RegistrationConfig,
    RequestHandle, ServerChallenge, Transport,
};
use hearthline_sip::{HeaderName, Method, StatusCode};

use crate::network::{Network, name, target, uri};

fn registrar() -> Network {
    let mut network = Network::new(1);
    network.add(|_| {});
    network.add(|config| {
        config.methods = vec![Method::Register];
        config.challenge = Some(ServerChallenge {
            realm: "example.com".to_owned(),
            users: BTreeMap::from([("kitchen".to_owned(), "secret".to_owned())]),
            sha256: true,
            md5: true,
            proxy: false,
            nonce_life: Duration::from_secs(300),
        });
    });
    network
}

fn register(network: &mut Network, password: &str, expires_s: u32) {
    let request = RegisterRequest {
        registrar: uri("sip:example.com"),
        address_of_record: name("<sip:kitchen@example.com>"),
        contact: None,
        target: target(1, Transport::Udp),
        route: Vec::new(),
        credentials: vec![Credentials {
            username: "kitchen".to_owned(),
            password: password.to_owned(),
            realm: Some("example.com".to_owned()),
        }],
        config: RegistrationConfig {
            expires_s,
            ..RegistrationConfig::default()
        },
    };
    network.with(0, |end, now| end.register(request, now).unwrap());
}

fn asked(event: &Event) -> Option<(RequestHandle, u32, Option<String>)> {
    match event {
        Event::Request {
            handle,
            request,
            user,
            ..
        } => Some((
            *handle,
            request.headers.expires().unwrap().unwrap(),
            user.clone(),
        )),
        _ => None,
    }
}

fn grant(network: &mut Network, handle: RequestHandle, expires_s: u32) {
    let answer = Refusal {
        status: StatusCode::OK,
        headers: vec![(HeaderName::Expires, expires_s.to_string().into_bytes())],
    };
    network.with(1, |end, now| {
        end.respond(handle, answer, None, now).unwrap();
    });
}

#[test]
fn it_registers_raises_refreshes_and_takes_back() {
    let mut network = registrar();
    register(&mut network, "secret", 60);
    let (handle, expires_s, user) = network.until(1, asked);
    assert_eq!(expires_s, 60);
    assert_eq!(user.as_deref(), Some("kitchen"));
    let brief = Refusal {
        status: StatusCode::INTERVAL_TOO_BRIEF,
        headers: vec![(HeaderName::MinExpires, b"600".to_vec())],
    };
    network.with(1, |end, now| end.respond(handle, brief, None, now).unwrap());
    let (handle, expires_s, _) = network.until(1, asked);
    assert_eq!(expires_s, 600);
    grant(&mut network, handle, 600);
    let registration = network.until(0, |event| match event {
        Event::Registered { registration, .. } => Some(*registration),
        _ => None,
    });
    let before = network.now;
    let (handle, _, _) = network.until(1, asked);
    let pause = network.now - before;
    assert!(pause >= Duration::from_secs(500) && pause < Duration::from_secs(600));
    grant(&mut network, handle, 600);
    network.run(Duration::from_secs(1));
    network.with(0, |end, now| end.unregister(registration, now).unwrap());
    let (handle, expires_s, _) = network.until(1, asked);
    assert_eq!(expires_s, 0);
    grant(&mut network, handle, 0);
    network.until(0, |event| {
        matches!(event, Event::Unregistered { .. }).then_some(())
    });
    let sequence: Vec<_> = network
        .requests("REGISTER")
        .iter()
        .map(|request| request.headers.cseq().unwrap().seq)
        .collect();
    assert!(sequence.windows(2).all(|pair| pair[1] == pair[0] + 1));
    network.until_quiet();
}

#[test]
fn a_wrong_password_is_not_tried_again_and_again() {
    let mut network = registrar();
    register(&mut network, "wrong", 600);
    let (cause, retry_at) = network.until(0, |event| match event {
        Event::RegistrationFailed {
            cause, retry_at, ..
        } => Some((cause.clone(), *retry_at)),
        _ => None,
    });
    assert!(matches!(cause, RegistrationCause::Response(_)));
    assert_eq!(retry_at, None);
    assert_eq!(network.requests("REGISTER").len(), 2);
    network.until_quiet();
}

#[test]
fn a_dead_registrar_is_asked_again_with_growing_pauses() {
    let mut network = registrar();
    network.silent.insert(target(1, Transport::Udp).remote);
    register(&mut network, "secret", 600);
    let mut pauses = Vec::new();
    for _ in 0..4 {
        let retry_at = network.until(0, |event| match event {
            Event::RegistrationFailed { retry_at, .. } => *retry_at,
            _ => None,
        });
        pauses.push(retry_at - network.now);
    }
    assert!(pauses[3] > pauses[0] * 2, "{pauses:?}");
    network.silent.clear();
    let (handle, _, _) = network.until(1, asked);
    grant(&mut network, handle, 600);
    network.until(0, |event| {
        matches!(event, Event::Registered { .. }).then_some(())
    });
}

#[test]
fn a_lost_connection_registers_again_at_once_and_only_once() {
    let mut network = registrar();
    register(&mut network, "secret", 600);
    let (handle, _, _) = network.until(1, asked);
    grant(&mut network, handle, 600);
    let registration = network.until(0, |event| match event {
        Event::Registered { registration, .. } => Some(*registration),
        _ => None,
    });
    let before = (network.now, network.requests("REGISTER").len());
    for _ in 0..3 {
        network.with(0, |end, now| {
            end.register_again(registration, now).unwrap();
        });
    }
    let (handle, expires_s, _) = network.until(1, asked);
    assert_eq!(expires_s, 600);
    assert!(network.now - before.0 < Duration::from_secs(1));
    grant(&mut network, handle, 600);
    network.until(0, |event| {
        matches!(event, Event::Registered { .. }).then_some(())
    });
    // One REGISTER, and the same with its credentials.
    assert!(network.requests("REGISTER").len() <= before.1 + 2);
    network.with(0, |end, now| {
        end.unregister(registration, now).unwrap();
        assert!(end.register_again(registration, now).is_err());
    });
}
