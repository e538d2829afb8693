//! re-INVITE and UPDATE, one at a time and at once (RFC 3261 section 14, RFC 3311).

use std::time::Duration;

use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::{CallHandle, CommandError, Event, Refusal};

use crate::network::{Network, confirmed, ended, sdp, stand};

fn reinvited(event: &Event) -> Option<CallHandle> {
    match event {
        Event::Reinvite { call, .. } | Event::Update { call, .. } => Some(*call),
        _ => None,
    }
}

fn outcome(event: &Event) -> Option<u16> {
    match event {
        Event::ReinviteAnswered { response, .. } => Some(response.status.code()),
        _ => None,
    }
}

#[test]
fn a_changed_session_is_offered_and_answered() {
    let mut network = Network::pair(1);
    let (ours, theirs) = stand(&mut network);
    network.with(0, |end, now| end.reinvite(ours, sdp(), now).unwrap());
    assert_eq!(
        network.with(0, |end, now| end.reinvite(ours, sdp(), now)),
        Err(CommandError::Glare)
    );
    network.until(1, reinvited);
    network.with(1, |end, now| {
        end.answer_reinvite(theirs, Some(sdp()), now).unwrap();
    });
    assert_eq!(network.until(0, outcome), 200);
    network.until(1, confirmed);
    network.with(1, |end, now| end.update(theirs, Some(sdp()), now).unwrap());
    let call = network.until(0, reinvited);
    network.with(0, |end, now| {
        end.answer_reinvite(call, Some(sdp()), now).unwrap();
    });
    assert_eq!(network.until(1, outcome), 200);
    network.run(Duration::from_secs(60));
    assert_eq!(
        network.names()[3..],
        ["INVITE", "200", "ACK", "UPDATE", "200"]
    );
}

#[test]
fn a_refused_change_leaves_the_call_as_it_was() {
    let mut network = Network::pair(2);
    let (ours, theirs) = stand(&mut network);
    network.with(0, |end, now| end.reinvite(ours, sdp(), now).unwrap());
    network.until(1, reinvited);
    let refusal = Refusal::new(StatusCode::NOT_ACCEPTABLE_HERE);
    network.with(1, |end, now| {
        end.reject_reinvite(theirs, refusal, now).unwrap();
    });
    assert_eq!(network.until(0, outcome), 488);
    assert_eq!(network.ends[0].call_count(), 1);
    network.with(1, |end, now| end.bye(theirs, None, now).unwrap());
    network.until(0, ended);
}

#[test]
fn two_at_once_get_491_and_one_comes_through_later() {
    let mut network = Network::pair(3);
    let (ours, theirs) = stand(&mut network);
    network.with(0, |end, now| end.reinvite(ours, sdp(), now).unwrap());
    network.with(1, |end, now| end.reinvite(theirs, sdp(), now).unwrap());
    // The one that does not own the Call-ID tries again first.
    let call = network.until(0, reinvited);
    assert_eq!(network.count("491"), 2);
    network.with(0, |end, now| {
        end.answer_reinvite(call, Some(sdp()), now).unwrap();
    });
    assert_eq!(network.until(1, outcome), 200);
    let call = network.until(1, reinvited);
    network.with(1, |end, now| {
        end.answer_reinvite(call, Some(sdp()), now).unwrap();
    });
    assert_eq!(network.until(0, outcome), 200);
}

#[test]
fn bye_while_a_change_waits_answers_it_with_487() {
    let mut network = Network::pair(4);
    let (ours, _) = stand(&mut network);
    network.with(0, |end, now| end.reinvite(ours, sdp(), now).unwrap());
    network.until(1, reinvited);
    network.with(0, |end, now| end.bye(ours, None, now).unwrap());
    network.until(1, ended);
    network.run(Duration::from_millis(10));
    assert_eq!(network.count("487"), 1, "{}", network.ladder());
    network.until_quiet();
}

#[test]
fn a_peer_that_forgot_the_call_ends_it() {
    let mut network = Network::pair(5);
    let (ours, _) = stand(&mut network);
    // The peer restarts.
    let config = network.ends[1].config().clone();
    network.ends[1] = hearthline_sip::endpoint::Endpoint::new(config);
    network.with(0, |end, now| end.reinvite(ours, sdp(), now).unwrap());
    let (by, _) = network.until(0, ended);
    assert_eq!(by, hearthline_sip::endpoint::EndedBy::Lost);
    network.until_quiet();
}

#[test]
fn info_inside_the_call_is_told() {
    let mut network = Network::pair(6);
    let (ours, _) = stand(&mut network);
    network.with(0, |end, now| end.info(ours, sdp(), now).unwrap());
    network.until(1, |event| matches!(event, Event::Info { .. }).then_some(()));
}
