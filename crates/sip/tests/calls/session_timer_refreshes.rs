//! Session timers (RFC 4028) between two endpoints.

use std::time::Duration;

use hearthline_sip::HeaderName;
use hearthline_sip::endpoint::{
    EndedBy, Event, InviteRequest, Refresher, SessionTimerConfig, Transport,
};

use crate::network::{Network, address, ended, incoming, sdp, stand_with};

fn timer(interval_s: u32, refresher: Option<Refresher>) -> Option<SessionTimerConfig> {
    Some(SessionTimerConfig {
        interval_s,
        min_se_s: 90,
        refresher,
    })
}

fn asking(interval_s: u32, refresher: Refresher) -> impl FnOnce(&mut InviteRequest) {
    move |request| request.session_timer = timer(interval_s, Some(refresher))
}

#[test]
fn the_caller_refreshes_by_update_at_half_time() {
    let mut network = Network::pair(1);
    stand_with(&mut network, asking(100, Refresher::Uac));
    let start = network.now;
    network.run(Duration::from_secs(480));
    let updates: Vec<_> = network
        .wire
        .iter()
        .filter(|seen| seen.name() == "UPDATE")
        .map(|seen| (seen.at - start).as_millis())
        .collect();
    assert_eq!(updates.len(), 9, "{}", network.ladder());
    assert!(
        updates
            .windows(2)
            .all(|pair| (50_000..50_010).contains(&(pair[1] - pair[0])))
    );
    assert_eq!(network.ends[0].call_count(), 1);
    assert_eq!(network.ends[1].call_count(), 1);
    assert_eq!(network.count("BYE"), 0);
}

#[test]
fn the_callee_refreshes_when_asked_to() {
    let mut network = Network::pair(2);
    stand_with(&mut network, asking(100, Refresher::Uas));
    network.run(Duration::from_secs(200));
    let from: Vec<_> = network
        .wire
        .iter()
        .filter(|seen| seen.name() == "UPDATE")
        .map(|seen| seen.from)
        .collect();
    assert!(from.len() >= 3, "{}", network.ladder());
    assert!(from.iter().all(|a| *a == address(1, Transport::Udp)));
    assert_eq!(network.ends[0].call_count(), 1);
}

#[test]
fn a_too_small_interval_is_raised_with_422() {
    let mut network = Network::new(3);
    network.add(|_| {});
    network.add(|config| {
        config.session_timer = Some(SessionTimerConfig {
            interval_s: 1_800,
            min_se_s: 300,
            refresher: None,
        });
    });
    stand_with(&mut network, asking(100, Refresher::Uac));
    assert_eq!(network.names()[..4], ["INVITE", "422", "ACK", "INVITE"]);
    let ok = network.responses(200)[0];
    let agreed = ok.headers.session_expires().unwrap().unwrap();
    assert_eq!(agreed.seconds, 300);
    assert!(ok.headers.lists(&HeaderName::Require, "timer"));
}

#[test]
fn a_silent_peer_ends_the_call() {
    let mut network = Network::pair(4);
    stand_with(&mut network, asking(90, Refresher::Uac));
    network.silent.insert(address(1, Transport::Udp));
    let (by, reason) = network.until(1, ended);
    assert_eq!(by, EndedBy::Timeout);
    assert_eq!(reason.as_deref(), Some("session expired"));
    let (by, _) = network.until(0, ended);
    assert!(matches!(by, EndedBy::Lost | EndedBy::Timeout), "{by:?}");
    network.until_quiet();
}

#[test]
fn an_emergency_call_is_not_ended_by_its_timer() {
    let mut network = Network::pair(5);
    stand_with(&mut network, |request| {
        request.session_timer = timer(90, Some(Refresher::Uac));
        request.end_on_session_expiry = Some(false);
    });
    network.silent.insert(address(0, Transport::Udp));
    network.silent.insert(address(1, Transport::Udp));
    network.until(0, |event| {
        matches!(event, Event::SessionExpired { .. }).then_some(())
    });
    network.run(Duration::from_secs(600));
    assert_eq!(network.ends[0].call_count(), 1);
    let ours = address(0, Transport::Udp);
    let byes = network.wire.iter().filter(|s| s.name() == "BYE");
    assert!(byes.clone().all(|seen| seen.from != ours));
}

#[test]
fn a_peer_without_update_is_refreshed_by_reinvite() {
    let mut network = Network::pair(6);
    let peer = network.play(9);
    let invite = include_str!("invite.sip").replace(
        "Supported: 100rel",
        "Supported: timer\nSession-Expires: 100;refresher=uas\nAllow: INVITE, ACK, BYE",
    );
    let us = address(1, Transport::Udp);
    network.inject(peer, us, invite.replace('\n', "\r\n"));
    let call = network.until(1, incoming);
    network.with(1, |end, now| end.accept(call, Some(sdp()), now).unwrap());
    network.run(Duration::from_millis(10));
    let tag = network.responses(200)[0].headers.to().unwrap();
    let tag = tag.tag().unwrap().to_owned();
    let ack = include_str!("invite.sip")
        .replace("CSeq: 1 INVITE", "CSeq: 1 ACK")
        .replace("INVITE sip", "ACK sip")
        .replace(
            "To: <sip:desk@example.com>",
            &format!("To: <sip:desk@example.com>;tag={tag}"),
        );
    network.inject(peer, us, ack.replace('\n', "\r\n"));
    network.run(Duration::from_secs(51));
    let refresh = network
        .wire
        .iter()
        .find(|seen| seen.from == us && seen.name() == "INVITE");
    let refresh = refresh.expect("a refresh").message.as_request().unwrap();
    assert_eq!(refresh.body, sdp().bytes);
}
