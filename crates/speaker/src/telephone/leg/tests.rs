//! Offers and answers with devices, with ordinary phones, and with both at once.
use std::time::Instant;

use hearthline_media::secure::{IceRole, SecureConfig};

use super::*;

const CALLER: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 20_100);
const CALLEE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 20_200);
const NOW: Duration = Duration::ZERO;

fn way(role: IceRole, local: SocketAddr) -> Box<SecureTransport> {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::default();
    let certificate = certificate.self_signed(&key).unwrap();
    let config = SecureConfig {
        role,
        certificate: certificate.der().to_vec(),
        private_key: key.serialize_der().into(),
        addresses: vec![local],
        seed: [1; 32],
        origin: Instant::now(),
    };
    Box::new(SecureTransport::new(config, NOW).unwrap())
}

fn ground(local: SocketAddr) -> Ground {
    Ground {
        local,
        seed: 1,
        unix_time_at_zero: Duration::ZERO,
    }
}

fn offered(demand: Demand) -> (Box<SecureTransport>, SessionDescription) {
    let way = way(IceRole::Controlling, CALLER);
    let offer = first_offer(CALLER, Some(&way), demand, 1);
    (way, offer)
}

fn protocol(description: &SessionDescription) -> &str {
    &description.media[0].protocol
}

/// A phone that knows nothing but G.711 and G.722 in the clear.
fn phone_answers(offer: &SessionDescription) -> SessionDescription {
    let phone = audio(CALLEE, Direction::SendRecv);
    offer_answer::answer(offer, &phone, 2, 0).unwrap().0
}

#[test]
fn a_device_answers_either_offer_protected() {
    for (demand, profile) in [
        (Demand::Protected, "UDP/TLS/RTP/SAVPF"),
        (Demand::Either, "RTP/AVP"),
    ] {
        let (caller, offer) = offered(demand);
        assert_eq!(protocol(&offer), profile);
        let callee = way(IceRole::Controlled, CALLEE);
        let (answer, mut theirs) =
            Leg::of_callee(&offer, Some(callee), 2, ground(CALLEE), NOW).unwrap();
        assert_eq!(protocol(&answer), profile);
        let mut ours =
            Leg::of_caller(&offer, &answer, Some(caller), demand, ground(CALLER), NOW).unwrap();
        assert!(ours.is_protected() && theirs.is_protected());
        // Hold, by the one and by the other.
        let hold = ours.reoffer(&offer, Direction::SendOnly);
        let held = theirs
            .reanswer(&hold, Direction::SendRecv, (2, 1), NOW)
            .unwrap();
        ours.reanswered(&hold, &held, NOW).unwrap();
        assert!(!theirs.sends() && ours.sends());
        let back = theirs.reoffer(&held, Direction::SendRecv);
        let taken = ours
            .reanswer(&back, Direction::SendRecv, (1, 2), NOW)
            .unwrap();
        theirs.reanswered(&back, &taken, NOW).unwrap();
        assert!(theirs.sends());
        // Nobody takes the protection away again.
        let clear = secure::cleared(&back);
        let refused = ours.reanswer(&clear, Direction::SendRecv, (1, 3), NOW);
        assert!(matches!(refused, Err(LegError::Protection(_))));
    }
}

#[test]
fn an_ordinary_phone_takes_an_offer_for_both_and_is_in_the_clear() {
    let (caller, offer) = offered(Demand::Either);
    let answer = phone_answers(&offer);
    assert!(is_offered(&offer) && !is_offered(&answer));
    let leg = Leg::of_caller(
        &offer,
        &answer,
        Some(caller),
        Demand::Either,
        ground(CALLER),
        NOW,
    )
    .unwrap();
    assert!(!leg.is_protected());
    let hold = leg.reoffer(&offer, Direction::SendOnly);
    assert!(!is_offered(&hold));
    phone_answers(&hold);
}

#[test]
fn what_must_be_protected_is_not_taken_in_the_clear() {
    let (caller, offer) = offered(Demand::Protected);
    let answer = phone_answers(&secure::cleared(&offer));
    let demand = Demand::Protected;
    let refused = Leg::of_caller(&offer, &answer, Some(caller), demand, ground(CALLER), NOW);
    assert!(matches!(refused, Err(LegError::Protection(_))));
    let refused = Leg::of_caller(&offer, &answer, None, demand, ground(CALLER), NOW);
    assert!(matches!(refused, Err(LegError::Unprotected)));
    let callee = way(IceRole::Controlled, CALLEE);
    let clear = secure::cleared(&offer);
    let refused = Leg::of_callee(&clear, Some(callee), 2, ground(CALLEE), NOW);
    assert!(matches!(refused, Err(LegError::Protection(_))));
}
