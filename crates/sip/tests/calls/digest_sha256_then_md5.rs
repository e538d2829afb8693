//! Digest between two endpoints: algorithms, wrong passwords, stale nonces, bounds.

use std::collections::BTreeMap;
use std::time::Duration;

use hearthline_sip::endpoint::{Credentials, Event, FailureCause, InviteRequest, ServerChallenge};
use hearthline_sip::{HeaderName, StatusCode};

use crate::network::{Network, answered, confirmed, ended, failed, incoming, sdp};

fn challenge(sha256: bool, md5: bool) -> ServerChallenge {
    ServerChallenge {
        realm: "example.com".to_owned(),
        users: BTreeMap::from([("kitchen".to_owned(), "open sesame".to_owned())]),
        sha256,
        md5,
        proxy: false,
        nonce_life: Duration::from_secs(60),
    }
}

fn guarded(challenge: ServerChallenge) -> Network {
    let mut network = Network::new(1);
    network.add(|_| {});
    network.add(|config| config.challenge = Some(challenge));
    network
}

fn with_password(password: &str) -> impl FnOnce(&mut InviteRequest) {
    let credentials = Credentials {
        username: "kitchen".to_owned(),
        password: password.to_owned(),
        realm: None,
    };
    |request| request.credentials = vec![credentials]
}

fn answer(network: &mut Network) {
    let call = network.until(1, incoming);
    network.with(1, |end, now| end.accept(call, Some(sdp()), now).unwrap());
    network.until(0, answered);
    network.until(1, confirmed);
}

fn algorithm_used(network: &Network) -> String {
    let invites = network.requests("INVITE");
    let values = invites.last().unwrap().headers.authorization().unwrap();
    values[0].get("algorithm").unwrap_or("MD5").to_owned()
}

#[test]
fn the_strongest_algorithm_is_chosen() {
    let mut network = guarded(challenge(true, true));
    network.call(with_password("open sesame"));
    answer(&mut network);
    assert_eq!(algorithm_used(&network), "SHA-256");
    assert_eq!(
        network.names(),
        ["INVITE", "401", "ACK", "INVITE", "200", "ACK"]
    );
    let ack = network.requests("ACK")[1];
    assert!(ack.headers.contains(&HeaderName::Authorization));
}

#[test]
fn md5_serves_where_there_is_nothing_better() {
    let mut network = guarded(challenge(false, true));
    network.call(with_password("open sesame"));
    answer(&mut network);
    assert_eq!(algorithm_used(&network), "MD5");
}

#[test]
fn a_proxy_challenge_is_answered_in_its_own_header() {
    let mut network = guarded(ServerChallenge {
        proxy: true,
        ..challenge(true, true)
    });
    network.call(with_password("open sesame"));
    answer(&mut network);
    let invite = network.requests("INVITE")[1];
    assert!(invite.headers.contains(&HeaderName::ProxyAuthorization));
    assert_eq!(network.count("407"), 1);
}

#[test]
fn a_wrong_password_is_tried_once() {
    let mut network = guarded(challenge(true, true));
    network.call(with_password("guess"));
    let FailureCause::Response(response) = network.until(0, failed) else {
        panic!("a response is the cause");
    };
    assert_eq!(response.status, StatusCode::UNAUTHORIZED);
    assert_eq!(network.requests("INVITE").len(), 2);
    assert_eq!(network.ends[1].counters().digest_wrong, 1);
    network.until_quiet();
}

#[test]
fn without_credentials_the_challenge_is_the_failure() {
    let mut network = guarded(challenge(true, true));
    network.call(|_| {});
    let cause = network.until(0, failed);
    assert_eq!(cause.status(), Some(StatusCode::UNAUTHORIZED));
    assert_eq!(network.requests("INVITE").len(), 1);
}

#[test]
fn a_request_inside_the_call_needs_no_second_password() {
    let mut network = guarded(challenge(true, true));
    let ours = network.call(with_password("open sesame"));
    answer(&mut network);
    network.with(0, |end, now| end.bye(ours, None, now).unwrap());
    network.until(1, ended);
    assert_eq!(network.count("401"), 1);
}

#[test]
fn the_call_id_and_tag_stay_and_the_cseq_rises() {
    let mut network = guarded(challenge(true, true));
    network.call(with_password("open sesame"));
    answer(&mut network);
    let invites = network.requests("INVITE");
    let (first, second) = (&invites[0].headers, &invites[1].headers);
    assert_eq!(first.call_id(), second.call_id());
    assert_eq!(first.from(), second.from());
    assert_eq!(first.cseq().unwrap().seq + 1, second.cseq().unwrap().seq);
    assert_ne!(
        first.top_via().unwrap().branch(),
        second.top_via().unwrap().branch()
    );
    let told = network.events[0].iter();
    assert!(told.filter(|e| matches!(e, Event::Failed { .. })).count() == 0);
}

/// Plays a server that answers every INVITE with this challenge; `{n}` is a number that rises.
fn challenge_for_ever(row: &str) -> Network {
    let mut network = Network::new(9);
    network.add(|_| {});
    let peer = network.play(9);
    network.call(|request| {
        request.targets[0].remote = peer;
        with_password("open sesame")(request);
    });
    for round in 0..20 {
        network.run(Duration::from_millis(10));
        while let Some((_, us, _, message)) = network.mailbox.pop_front() {
            let Some(request) = message.as_request() else {
                continue;
            };
            if request.method != hearthline_sip::Method::Invite {
                continue;
            }
            let mut refusal =
                hearthline_sip::Response::to_request(request, StatusCode::UNAUTHORIZED, Some("x"));
            let row = row.replace("{n}", &round.to_string());
            refusal.headers.push(HeaderName::WwwAuthenticate, row);
            network.respond(peer, us, &refusal);
        }
    }
    network
}

#[test]
fn a_stale_nonce_is_replaced_and_even_that_has_a_bound() {
    let row = "Digest realm=\"example.com\", nonce=\"n{n}\", stale=true, qop=\"auth\"";
    let mut network = challenge_for_ever(row);
    let cause = network.until(0, failed);
    assert_eq!(cause.status(), Some(StatusCode::UNAUTHORIZED));
    let nonces: Vec<_> = network
        .requests("INVITE")
        .iter()
        .filter_map(|invite| invite.headers.authorization().unwrap().first().cloned())
        .map(|value| value.get("nonce").unwrap().to_owned())
        .collect();
    assert_eq!(nonces, ["n0", "n1", "n2", "n3"]);
    network.until_quiet();
}

#[test]
fn auth_int_protects_the_body_where_nothing_else_is_offered() {
    let row = "Digest realm=\"example.com\", nonce=\"n{n}\", algorithm=SHA-256, qop=\"auth-int\"";
    let network = challenge_for_ever(row);
    let invites = network.requests("INVITE");
    assert_eq!(invites.len(), 2);
    let value = &invites[1].headers.authorization().unwrap()[0];
    assert_eq!(value.get("qop"), Some("auth-int"));
    assert_eq!(value.get("nc"), Some("00000001"));
    assert!(value.get("cnonce").is_some_and(|cnonce| cnonce.len() >= 16));
}

#[test]
fn an_algorithm_nobody_knows_is_not_guessed_at() {
    let row = "Digest realm=\"example.com\", nonce=\"n{n}\", algorithm=SHA-512-256, qop=\"auth\"";
    let mut network = challenge_for_ever(row);
    network.until(0, failed);
    assert_eq!(network.requests("INVITE").len(), 1);
}
