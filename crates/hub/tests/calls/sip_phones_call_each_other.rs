//! Phones and speakers of a home register and call each other over UDP, TCP and TLS through the hub.

use std::time::{Duration, Instant};

use crate::lines::SDP;
use crate::telephone::{DOMAIN, Home, talk};
use hearthline_hub::call::{CallState, Direction};
use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::{Body, Event};
use hearthline_sip::target::Transport;

#[tokio::test]
async fn over_udp_tcp_and_tls_each_to_each() {
    let home = Home::new().await;
    let udp = home.account("Desk", None).await;
    let tcp = home.account("Hall", None).await;
    let tls = home.enrol("Kitchen", None).await;
    let mut phones = [
        home.phone(&udp, Transport::Udp).await,
        home.phone(&tcp, Transport::Tcp).await,
        home.device(&tls).await,
    ];
    let mut rows = 0;
    for from in 0..3 {
        for to in 0..3 {
            if from == to {
                continue;
            }
            let [caller, callee] = phones.get_disjoint_mut([from, to]).unwrap();
            let uri = format!("sip:{}@{DOMAIN}", callee.user);
            talk(caller, callee, &uri).await;
            rows += 1;
        }
    }
    let row = home.call_row(|call| call.state == CallState::Ended).await;
    assert_eq!(row.direction, Direction::Inside);
    assert_eq!(row.device, Some(tls.device));
    assert_eq!(row.other_device, Some(tcp.device));
    assert!(row.answered_at_ms.is_some() && row.ended_at_ms.is_some() && row.number.is_none());
    assert_eq!(home.hub.store().calls(100).await.unwrap().len(), rows);
    home.hub.stop().await;
}

#[tokio::test]
async fn a_room_rings_everywhere_and_the_first_answer_wins() {
    let home = Home::new().await;
    let kitchen = home.room("Living Room").await;
    let one = home.account("Shelf", Some(kitchen)).await;
    let two = home.enrol("Speaker", Some(kitchen)).await;
    let caller = home.account("Desk", Some(kitchen)).await;
    let mut one = home.phone(&one, Transport::Udp).await;
    let mut two = home.device(&two).await;
    let mut caller = home.phone(&caller, Transport::Tcp).await;
    for name in ["living%20room", "Living-Room"] {
        let out = caller.call(&format!("sip:{name}@{DOMAIN}")).await;
        let (first, second) = (one.rings().await, two.rings().await);
        caller.progress(out).await;
        two.accept(second).await;
        caller.answered(out).await;
        // The other one stops ringing.
        one.ended(first).await;
        two.bye(second).await;
        caller.ended(out).await;
    }
    // The caller's own phone stands there too and did not ring.
    assert!(caller.hears_nothing(Duration::from_millis(50)).await);
    let by_name = caller.call(&format!("sip:speaker@{DOMAIN}")).await;
    let ringing = two.rings().await;
    caller.progress(by_name).await;
    // The caller gives up.
    caller
        .act(move |endpoint, now| endpoint.cancel(by_name, None, now))
        .await
        .unwrap();
    two.ended(ringing).await;
    assert_eq!(caller.failure(by_name).await, None);
    let row = home.call_row(|call| call.state == CallState::Missed).await;
    assert!(row.answered_at_ms.is_none());
    home.hub.stop().await;
}

#[tokio::test]
async fn busy_unknown_and_absent_are_said() {
    let home = Home::new().await;
    let desk = home.account("Desk", None).await;
    let hall = home.account("Hall", None).await;
    let off = home.account("Cellar", None).await;
    let mut desk = home.phone(&desk, Transport::Udp).await;
    let mut hall = home.phone(&hall, Transport::Udp).await;
    let call = desk.call(&format!("sip:hall@{DOMAIN}")).await;
    let ringing = hall.rings().await;
    let refusal = hearthline_sip::endpoint::Refusal::new(StatusCode::BUSY_HERE);
    hall.act(move |endpoint, now| endpoint.reject(ringing, refusal, now))
        .await
        .unwrap();
    assert_eq!(desk.failure(call).await, Some(StatusCode::BUSY_HERE));
    for (uri, status) in [
        (format!("sip:cellar@{DOMAIN}"), 480),
        (format!("sip:{}@{DOMAIN}", off.username), 480),
        (format!("sip:attic@{DOMAIN}"), 404),
        (format!("sip:4930555010@{DOMAIN}"), 404),
        ("tel:+12025550101".to_owned(), 404),
        ("sip:anna@elsewhere.example".to_owned(), 404),
        // Nobody is reached by a wire that others can read when it was asked not to be.
        (format!("sips:hall@{DOMAIN}"), 480),
    ] {
        assert_eq!(desk.refused(&uri).await.code(), status, "{uri}");
    }
    home.hub.stop().await;
}

#[tokio::test]
async fn a_restart_keeps_registrations_and_ends_calls_cleanly() {
    let home = Home::new().await;
    let udp = home.account("Desk", None).await;
    let other = home.account("Hall", None).await;
    let mut desk = home.phone(&udp, Transport::Udp).await;
    let mut hall = home.phone(&other, Transport::Udp).await;
    let standing = desk.call(&format!("sip:hall@{DOMAIN}")).await;
    let incoming = hall.rings().await;
    hall.accept(incoming).await;
    desk.answered(standing).await;
    hall.confirmed(incoming).await;
    let home = home.restart().await;
    // The call that stood through the restart ends on both sides.
    desk.bye(standing).await;
    hall.ended(incoming).await;
    // And nobody had to register again.
    talk(&mut desk, &mut hall, &format!("sip:hall@{DOMAIN}")).await;
    home.hub.stop().await;
}

/// Behind TLS a device is reached by its connection alone, and the restart broke it.
#[tokio::test]
async fn a_call_between_devices_behind_tls_outlives_restarts_of_the_hub() {
    let home = Home::new().await;
    let (kitchen, study) = (
        home.enrol("Kitchen", None).await,
        home.enrol("Study", None).await,
    );
    let mut here = home.device(&kitchen).await;
    let mut there = home.device(&study).await;
    let out = here.call(&format!("sip:{}@{DOMAIN}", there.user)).await;
    let incoming = there.rings().await;
    there.accept(incoming).await;
    here.answered(out).await;
    there.confirmed(incoming).await;
    let mut home = home;
    for _ in 0..2 {
        home = home.restart().await;
        here.moves_to_another_network(&kitchen).await;
        here.register().await.unwrap();
        // The other one is not back yet: what it is asked waits for it.
        here.act(move |endpoint, now| endpoint.reinvite(out, Body::sdp(SDP), now))
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        there.moves_to_another_network(&study).await;
        // What waited for it comes as soon as it is known, before its registration is answered.
        there.asks_to_register(&there.address()).await;
        there
            .wait(|event| matches!(event, Event::Reinvite { .. }).then_some(()))
            .await;
        there
            .act(move |endpoint, now| endpoint.answer_reinvite(incoming, Some(Body::sdp(SDP)), now))
            .await
            .unwrap();
        let status = here
            .wait(|event| match event {
                Event::ReinviteAnswered { response, .. } => Some(response.status),
                _ => None,
            })
            .await;
        assert_eq!(status.code(), 200);
        // Its ACK is on its way; unacknowledged, the next change would be refused.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    // And the other way round: the end is told.
    there.bye(incoming).await;
    here.ended(out).await;
    home.hub.stop().await;
}

#[tokio::test]
async fn a_revoked_device_loses_its_flow_and_its_registration_at_once() {
    let home = Home::new().await;
    let tls = home.enrol("Kitchen", None).await;
    let tcp = home.account("Hall", None).await;
    let udp = home.account("Shed", None).await;
    let desk = home.account("Desk", None).await;
    let mut desk = home.phone(&desk, Transport::Udp).await;
    let mut kitchen = home.device(&tls).await;
    let mut hall = home.phone(&tcp, Transport::Tcp).await;
    let mut shed = home.phone(&udp, Transport::Udp).await;
    talk(&mut desk, &mut kitchen, &format!("sip:kitchen@{DOMAIN}")).await;
    let store = home.hub.store();
    let now = hearthline_hub::clock::Clock::default().now();
    let began = Instant::now();
    for device in [tls.device, tcp.device, udp.device] {
        store.revoke_device(device, now).await.unwrap();
    }
    kitchen.closed().await;
    hall.closed().await;
    println!(
        "three devices revoked, two flows closed within {:?}",
        began.elapsed()
    );
    assert!(began.elapsed() < Duration::from_secs(1));
    assert!(
        crate::telephone::Phone::certified(&home, &tls)
            .await
            .is_none()
    );
    // A datagram has no connection to lose; what it had is gone all the same.
    // The connections are cut first; the switchboard's own list of names follows, one device after the other.
    for name in ["kitchen", "hall", "shed"] {
        let uri = format!("sip:{name}@{DOMAIN}");
        while !matches!(desk.refused(&uri).await.code(), 404) {
            assert!(began.elapsed() < Duration::from_secs(5), "{name}");
        }
    }
    assert_eq!(shed.register().await.unwrap_err().code(), 401);
    assert_eq!(
        store.all_bindings(now).await.unwrap().len(),
        1,
        "the desk's"
    );
    assert!(shed.hears_nothing(Duration::from_millis(50)).await);
    home.hub.stop().await;
}
