//! A call without an offer: the callee's is in its 200, the answer in the ACK (RFC 3261 section 13.2.1).

use std::time::Duration;

use hearthline_sip::endpoint::{Body, Event};

use crate::network::{Network, SDP, ended, incoming, sdp};

const ANSWER: &str = "v=0\r\no=- 2 2 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
    m=audio 4002 RTP/AVP 0\r\n";

fn answered(event: &Event) -> Option<Vec<u8>> {
    match event {
        Event::Answered { response, .. } => Some(response.body.clone()),
        _ => None,
    }
}

#[test]
fn the_ack_waits_for_the_answer_and_carries_it() {
    let mut network = Network::pair(1);
    let ours = network.call(|request| {
        request.body = None;
        request.late_offer = true;
    });
    let theirs = network.until(1, incoming);
    network.with(1, |end, now| end.accept(theirs, Some(sdp()), now).unwrap());
    assert_eq!(network.until(0, answered), SDP.as_bytes());
    // The callee repeats its 200 meanwhile; it is neither told again nor taken for another fork.
    network.run(Duration::from_secs(2));
    assert!(network.count("200") > 1 && network.count("ACK") == 0);
    assert_eq!(network.count("BYE"), 0, "{}", network.ladder());
    network.with(0, |end, now| {
        end.acknowledge_with(ours, Some(&Body::sdp(ANSWER)), now)
            .unwrap();
    });
    let got = network.until(1, |event| match event {
        Event::Confirmed { ack, .. } => Some(ack.body.clone()),
        _ => None,
    });
    assert_eq!(got, ANSWER.as_bytes());
    let again = network.with(0, |end, now| end.acknowledge_with(ours, None, now));
    assert!(again.is_err(), "it was acknowledged already");
    network.with(0, |end, now| end.bye(ours, None, now).unwrap());
    network.until(1, ended);
    network.until_quiet();
    let told = network.events[0].iter();
    assert_eq!(told.filter(|event| answered(event).is_some()).count(), 0);
}

#[test]
fn a_call_that_is_ended_before_the_answer_is_acknowledged_first() {
    let mut network = Network::pair(2);
    let ours = network.call(|request| {
        request.body = None;
        request.late_offer = true;
    });
    let theirs = network.until(1, incoming);
    network.with(1, |end, now| end.accept(theirs, Some(sdp()), now).unwrap());
    network.until(0, answered);
    network.with(0, |end, now| end.bye(ours, None, now).unwrap());
    network.until(1, ended);
    let names: Vec<String> = network.names();
    let place = |wanted: &str| names.iter().position(|name| name == wanted);
    assert!(place("ACK").unwrap() < place("BYE").unwrap(), "{names:?}");
    network.until_quiet();
}
