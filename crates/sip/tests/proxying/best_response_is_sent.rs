use hearthline_sip::endpoint::{Refusal, Transport};
use hearthline_sip::{HeaderName, StatusCode};

use crate::network::{Network, address, failed, incoming};

/// What the caller gets when three devices refuse with these.
fn best(codes: [u16; 3]) -> (String, Network) {
    let mut network = Network::home(7, 4, &[&[1, 2, 3]]);
    network.call();
    for (end, code) in (1..4).zip(codes) {
        let call = network.until(end, incoming);
        let mut refusal = Refusal::new(StatusCode::new(code).unwrap());
        match code {
            401 => refusal.headers.push((
                HeaderName::WwwAuthenticate,
                format!("Digest realm=\"device{end}\", nonce=\"n\"").into(),
            )),
            407 => refusal.headers.push((
                HeaderName::ProxyAuthenticate,
                format!("Digest realm=\"device{end}\", nonce=\"n\"").into(),
            )),
            _ => {}
        }
        network.with_end(end, |e, now| e.reject(call, refusal, now).unwrap());
    }
    let cause = network.until(0, failed);
    network.until_quiet();
    (cause, network)
}

#[test]
fn global_failures_then_the_lowest_class_then_what_helps_to_ask_again() {
    for (codes, wanted) in [
        ([486, 603, 404], "603"),
        ([500, 486, 302], "302"),
        ([503, 486, 500], "486"),
        ([404, 480, 484], "484"),
        ([486, 408, 480], "480"),
        ([600, 603, 604], "600"),
    ] {
        let (cause, network) = best(codes);
        assert!(cause.contains(wanted), "{codes:?}: {cause}");
        let finals = network
            .wire
            .iter()
            .filter(|seen| seen.to == address(0, Transport::Udp))
            .filter(|seen| {
                seen.message
                    .as_response()
                    .is_some_and(|r| r.status.is_final())
            });
        assert_eq!(finals.count(), 1, "{}", network.ladder());
    }
}

#[test]
fn one_overloaded_device_is_not_our_overload() {
    let (cause, _) = best([503, 503, 503]);
    assert!(cause.contains("500"), "{cause}");
}

#[test]
fn the_challenges_of_all_branches_are_joined() {
    let (_, network) = best([401, 407, 401]);
    let caller = address(0, Transport::Udp);
    let got = network.received(caller, "401");
    let headers = &got[0].response().headers;
    assert_eq!(headers.get_all(&HeaderName::WwwAuthenticate).count(), 2);
    assert_eq!(headers.get_all(&HeaderName::ProxyAuthenticate).count(), 1);
}
