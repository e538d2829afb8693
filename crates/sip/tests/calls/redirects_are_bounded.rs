//! 3xx (RFC 3261 section 8.1.3.4): followed by q, never in a circle, at most five contacts.

use hearthline_sip::endpoint::{
    CallHandle, Event, FailureCause, RedirectPolicy, Refusal, Target, Transport,
};
use hearthline_sip::{HeaderName, StatusCode};

use crate::network::{Network, address, answered, failed, incoming, sdp};

fn contact(text: &str) -> Refusal {
    Refusal {
        status: StatusCode::MOVED_TEMPORARILY,
        headers: vec![(HeaderName::Contact, text.as_bytes().to_vec())],
    }
}

fn redirect(network: &mut Network, end: usize, to: &str) {
    let call: CallHandle = network.until(end, incoming);
    network.with(end, |endpoint, now| {
        endpoint.reject(call, contact(to), now).unwrap();
    });
}

fn three(seed: u8) -> Network {
    let mut network = Network::pair(seed);
    network.add(|_| {});
    network
}

#[test]
fn the_best_contact_is_tried_first() {
    let mut network = three(1);
    network.call(|_| {});
    redirect(
        &mut network,
        1,
        "<sip:worse@192.0.2.99>;q=0.3, <sip:better@192.0.2.3>;q=0.7",
    );
    let call = network.until(2, incoming);
    network.with(2, |end, now| end.accept(call, Some(sdp()), now).unwrap());
    network.until(0, answered);
    let invites = network.requests("INVITE");
    assert_eq!(invites[1].uri.to_string(), "sip:better@192.0.2.3");
    assert_eq!(invites[0].headers.call_id(), invites[1].headers.call_id());
}

#[test]
fn a_circle_is_recognised() {
    let mut network = three(2);
    network.call(|request| request.request_uri = crate::network::uri("sip:a@192.0.2.2"));
    redirect(&mut network, 1, "<sip:b@192.0.2.3>");
    redirect(&mut network, 2, "<sip:a@192.0.2.2>");
    let cause = network.until(0, failed);
    assert!(matches!(cause, FailureCause::RedirectLoop(_)), "{cause:?}");
    assert_eq!(network.requests("INVITE").len(), 2);
    network.until_quiet();
}

#[test]
fn at_most_five_contacts_are_tried() {
    let mut network = Network::pair(3);
    network.call(|_| {});
    for hop in 0..6 {
        redirect(&mut network, 1, &format!("<sip:hop{hop}@192.0.2.2>"));
    }
    let cause = network.until(0, failed);
    assert!(matches!(cause, FailureCause::RedirectLoop(_)), "{cause:?}");
    assert_eq!(network.requests("INVITE").len(), 6);
    network.until_quiet();
}

#[test]
fn the_next_contact_is_tried_when_one_is_busy() {
    let mut network = three(4);
    network.call(|_| {});
    redirect(
        &mut network,
        1,
        "<sip:first@192.0.2.3>;q=0.9, <sip:second@192.0.2.2>;q=0.1",
    );
    let busy = network.until(2, incoming);
    network.with(2, |end, now| {
        end.reject(busy, Refusal::new(StatusCode::BUSY_HERE), now)
            .unwrap();
    });
    let call = network.until(1, incoming);
    network.with(1, |end, now| end.accept(call, Some(sdp()), now).unwrap());
    network.until(0, answered);
}

#[test]
fn a_name_is_handed_out_to_be_resolved() {
    let mut network = three(5);
    let ours = network.call(|_| {});
    redirect(&mut network, 1, "<sip:desk@sip.example.net;transport=tcp>");
    let question = network.until(0, |event| match event {
        Event::RedirectNeedsTargets { question, .. } => Some(question.clone()),
        _ => None,
    });
    assert_eq!(question.host, "sip.example.net");
    assert_eq!(question.transport, Some(Transport::Tcp));
    let target = Target::new(Transport::Tcp, address(2, Transport::Tcp));
    network.with(0, |end, now| {
        end.redirect(ours, vec![target], now).unwrap();
    });
    network.until(2, incoming);
}

#[test]
fn the_policy_may_surface_it_instead() {
    let mut network = Network::new(6);
    network.add(|config| config.redirects = RedirectPolicy::Surface);
    network.add(|_| {});
    network.call(|_| {});
    redirect(&mut network, 1, "<sip:b@192.0.2.3>");
    let cause = network.until(0, failed);
    assert_eq!(cause.status(), Some(StatusCode::MOVED_TEMPORARILY));
}
