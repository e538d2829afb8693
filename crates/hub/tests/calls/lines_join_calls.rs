//! Two outside calls of one device become one between their far ends, where that is allowed: an attended transfer.

use std::time::Duration;

use crate::lines::{Provider, SDP, add, fields, home, lines_address};
use crate::telephone::{Home, Phone};
use hearthline_hub::device::DeviceFields;
use hearthline_hub::sip::account::PhoneDigest;
use hearthline_hub::text::Name;
use hearthline_sip::endpoint::{
    Body, CallHandle, Event, Refusal, TransferProgress, TransferRequest,
};
use hearthline_sip::target::Transport;
use hearthline_sip::{StatusCode, Uri};
use serde_json::json;

const ANNA: &str = "sip:030-555-0123-4@home.test";
const BEN: &str = "sip:030-555-0123-5@home.test";
/// Where the sound of the second far end is.
const BENS: &str = "v=0\r\no=- 8 8 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 42000 RTP/AVP 0\r\n";
/// What it answers to the first one's session: another port.
const BENS_OTHER: &str = "v=0\r\no=- 8 9 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 42002 RTP/AVP 0\r\n";

struct Scene {
    home: Home,
    trunk: Provider,
    desk: Phone,
    /// The desk's call to Anna, and Anna's.
    first: (CallHandle, CallHandle),
    /// The desk's call to Ben, and Ben's.
    second: (CallHandle, CallHandle),
}

/// A device calls a number, where somebody answers.
async fn calls(
    device: &mut Phone,
    trunk: &mut Provider,
    to: &str,
    session: &str,
) -> (CallHandle, CallHandle) {
    let call = device.call(to).await;
    let (far, _) = trunk.called().await;
    trunk.accepts(far, Some(Body::sdp(session))).await;
    device.answered(call).await;
    (call, far)
}

async fn refer_joining(device: &Phone, first: CallHandle, second: CallHandle, to: &str) {
    let (_, replaces) = device
        .act(move |endpoint, _| endpoint.replaces(second))
        .await
        .unwrap();
    let mut wanted = TransferRequest::new(Uri::parse(to).unwrap());
    wanted.refer_to.replaces = Some(replaces);
    device
        .act(move |endpoint, now| endpoint.refer(first, wanted, now))
        .await
        .unwrap();
}

impl Scene {
    /// The desk talks to Anna and to Ben.
    async fn standing() -> Self {
        let home = home(|_, _| {}).await;
        let mut trunk = Provider::open(Transport::Udp).await;
        add(&home, &fields("Trunk", 0, &trunk.server(), &json!({}))).await;
        let desk = home.account("Desk", None).await;
        let mut desk = home.phone(&desk, Transport::Udp).await;
        let first = calls(&mut desk, &mut trunk, ANNA, SDP).await;
        let second = calls(&mut desk, &mut trunk, BEN, BENS).await;
        Self {
            home,
            trunk,
            desk,
            first,
            second,
        }
    }

    async fn join(&self) {
        refer_joining(&self.desk, self.first.0, self.second.0, BEN).await;
    }

    /// Both lines are asked to send to each other, and do.
    async fn lines_agree(&mut self) {
        let (anna, ben) = (self.first.1, self.second.1);
        let told = self.trunk.offered(anna).await;
        assert!(told.contains("m=audio 42000"), "{told}");
        self.trunk.answers_offer(anna, SDP).await;
        let told = self.trunk.offered(ben).await;
        assert!(told.contains("m=audio 41000"), "{told}");
        self.trunk.answers_offer(ben, BENS).await;
    }
}

#[tokio::test]
async fn two_far_ends_get_each_other_and_the_device_is_out_of_it() {
    let mut scene = Scene::standing().await;
    scene.join().await;
    scene.lines_agree().await;
    let done = TransferProgress::Ended(Some(StatusCode::OK));
    assert_eq!(scene.desk.last_report().await, done);
    for call in [scene.first.0, scene.second.0] {
        scene.desk.ended(call).await;
    }
    // What one of them changes, the other hears.
    let (anna, ben) = (scene.first.1, scene.second.1);
    scene
        .trunk
        .act(move |endpoint, now| endpoint.reinvite(ben, Body::sdp(BENS_OTHER), now))
        .await
        .unwrap();
    let told = scene.trunk.offered(anna).await;
    assert!(told.contains("m=audio 42002"), "{told}");
    scene.trunk.answers_offer(anna, SDP).await;
    let status = scene
        .trunk
        .wait(|event| match event {
            Event::ReinviteAnswered { call, response } if *call == ben => Some(response.status),
            _ => None,
        })
        .await;
    assert_eq!(status, StatusCode::OK);
    // And one of them ends it for both.
    scene.trunk.hangs_up(anna).await;
    scene.trunk.ended(ben).await;
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn a_line_that_chooses_anew_is_told_to_the_other_and_the_device_may_leave_at_once() {
    let mut scene = Scene::standing().await;
    scene.join().await;
    let (anna, ben) = (scene.first.1, scene.second.1);
    scene.trunk.offered(anna).await;
    scene.desk.bye(scene.first.0).await;
    scene.desk.bye(scene.second.0).await;
    scene.desk.ended(scene.second.0).await;
    scene.trunk.answers_offer(anna, SDP).await;
    scene.trunk.offered(ben).await;
    scene.trunk.answers_offer(ben, BENS_OTHER).await;
    let told = scene.trunk.offered(anna).await;
    assert!(told.contains("m=audio 42002"), "{told}");
    scene.trunk.answers_offer(anna, SDP).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    scene.trunk.hangs_up(ben).await;
    scene.trunk.ended(anna).await;
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn a_line_that_does_not_want_to_leaves_both_calls_where_they_were() {
    let mut scene = Scene::standing().await;
    let (anna, ben) = (scene.first.1, scene.second.1);
    scene.join().await;
    scene.trunk.offered(anna).await;
    scene.trunk.answers_offer(anna, SDP).await;
    scene.trunk.offered(ben).await;
    let refusal = Refusal::new(StatusCode::NOT_ACCEPTABLE_HERE);
    scene
        .trunk
        .act(move |endpoint, now| endpoint.reject_reinvite(ben, refusal, now))
        .await
        .unwrap();
    let no = TransferProgress::Ended(Some(StatusCode::NOT_ACCEPTABLE_HERE));
    assert_eq!(scene.desk.last_report().await, no);
    // Anna hears the desk again.
    let told = scene.trunk.offered(anna).await;
    assert!(told.contains("m=audio 40000"), "{told}");
    scene.trunk.answers_offer(anna, SDP).await;
    scene.desk.bye(scene.first.0).await;
    scene.trunk.ended(anna).await;
    // And where one hangs up on the way, the other stays with the desk.
    scene.first = calls(&mut scene.desk, &mut scene.trunk, ANNA, SDP).await;
    scene.join().await;
    scene.trunk.offered(scene.first.1).await;
    scene.trunk.hangs_up(ben).await;
    // Two dialogs: which of the two comes first is nobody's promise.
    let (mut told, mut over, second) = (None, false, scene.second.0);
    scene
        .desk
        .wait(|event| {
            match event {
                Event::Transfer {
                    progress: TransferProgress::Ended(status),
                    ..
                } => told = *status,
                Event::Ended { call, .. } => over |= *call == second,
                _ => {}
            }
            (told.is_some() && over).then_some(())
        })
        .await;
    assert_eq!(told, Some(StatusCode::REQUEST_TERMINATED));
    scene.trunk.answers_offer(scene.first.1, SDP).await;
    let told = scene.trunk.offered(scene.first.1).await;
    assert!(told.contains("m=audio 40000"), "{told}");
    scene.trunk.answers_offer(scene.first.1, SDP).await;
    scene.desk.bye(scene.first.0).await;
    scene.trunk.ended(scene.first.1).await;
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn calls_for_help_children_and_strangers_are_not_joined() {
    let mut scene = Scene::standing().await;
    let (store, now) = (
        scene.home.hub.store(),
        hearthline_hub::clock::Clock::default().now(),
    );
    let taker = Provider::open(Transport::Udp).await;
    let mut taker = taker;
    let drill = json!({"sip": {"drill": "service"}});
    add(&scene.home, &fields("Drill", 1, &taker.server(), &drill)).await;

    // An emergency call, on either side, and an emergency number as the target.
    let help = calls(&mut scene.desk, &mut taker, "sip:112@home.test", SDP).await;
    for (first, second) in [(scene.first.0, help.0), (help.0, scene.first.0)] {
        refer_joining(&scene.desk, first, second, BEN).await;
        assert_eq!(scene.desk.transfer_refused().await, Some(403));
    }
    refer_joining(
        &scene.desk,
        scene.first.0,
        scene.second.0,
        "sip:112@home.test",
    )
    .await;
    assert_eq!(scene.desk.transfer_refused().await, Some(403));
    taker.hangs_up(help.1).await;
    scene.desk.ended(help.0).await;

    // A stranger who calls, and then one whom the address book knows.
    for (from, known) in [
        ("<sip:+12025550177@provider.test>", false),
        ("<sip:+12025550142@provider.test>", true),
    ] {
        if known {
            let anna = serde_json::from_value(json!({
                "name": "Clara", "numbers": [{"label": "home", "number": "+12025550142"}],
            }));
            store.add_contact(&anna.unwrap(), now).await.unwrap();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let hub = lines_address(&scene.home, Transport::Udp);
        // The window of the callback is open for the drill line's calls alone.
        let out = scene
            .trunk
            .calls(&format!("sip:anyone@{hub}"), from, hub)
            .await;
        let rings = scene.desk.rings().await;
        scene.desk.accept(rings).await;
        scene.trunk.answered(out).await;
        scene.desk.confirmed(rings).await;
        refer_joining(&scene.desk, scene.first.0, rings, BEN).await;
        if known {
            let told = scene.trunk.offered(scene.first.1).await;
            assert!(told.contains("m=audio 41000"), "{told}");
            let refusal = Refusal::new(StatusCode::NOT_ACCEPTABLE_HERE);
            let far = scene.first.1;
            scene
                .trunk
                .act(move |endpoint, now| endpoint.reject_reinvite(far, refusal, now))
                .await
                .unwrap();
            let no = TransferProgress::Ended(Some(StatusCode::NOT_ACCEPTABLE_HERE));
            assert_eq!(scene.desk.last_report().await, no);
        } else {
            assert_eq!(scene.desk.transfer_refused().await, Some(403));
        }
        scene.trunk.hangs_up(out).await;
        scene.desk.ended(rings).await;
    }

    // A child's call with somebody else's.
    let child = serde_json::from_value(json!({"name": "Tim", "role": "child"})).unwrap();
    let child = scene.home.hub.add_person(&child, None).await.unwrap();
    let toy = DeviceFields {
        name: Name::new("Toy").unwrap(),
        room: None,
        person: Some(child.id),
    };
    let toy = scene
        .home
        .hub
        .add_sip_account(toy, PhoneDigest::Sha256)
        .await
        .unwrap();
    let grandma = serde_json::from_value(json!({
        "name": "Grandma", "children_may_call": true,
        "numbers": [{"label": "home", "number": "+493055501236"}],
    }));
    store.add_contact(&grandma.unwrap(), now).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut toy = scene.home.phone(&toy, Transport::Udp).await;
    let grandma = calls(
        &mut toy,
        &mut scene.trunk,
        "sip:030-555-0123-6@home.test",
        SDP,
    )
    .await;
    // It has read the tags of the desk's call somewhere.
    let (_, replaces) = scene
        .desk
        .act({
            let second = scene.second.0;
            move |endpoint, _| endpoint.replaces(second)
        })
        .await
        .unwrap();
    let mut wanted = TransferRequest::new(Uri::parse(BEN).unwrap());
    wanted.refer_to.replaces = Some(replaces);
    let own = grandma.0;
    toy.act(move |endpoint, now| endpoint.refer(own, wanted, now))
        .await
        .unwrap();
    assert_eq!(toy.transfer_refused().await, Some(403));
    // What a device says of itself counts for nothing: the row is the switchboard's.
    toy.bye(grandma.0).await;
    scene.trunk.ended(grandma.1).await;
    // Everything of the desk's stands as it did.
    for (call, far) in [scene.first, scene.second] {
        scene.desk.bye(call).await;
        scene.trunk.ended(far).await;
    }
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn so_many_and_no_more() {
    let mut scene = Scene::standing().await;
    let mut joined = Vec::new();
    for _ in 0..8 {
        scene.join().await;
        scene.lines_agree().await;
        let done = TransferProgress::Ended(Some(StatusCode::OK));
        assert_eq!(scene.desk.last_report().await, done);
        joined.push((scene.first.1, scene.second.1));
        scene.first = calls(&mut scene.desk, &mut scene.trunk, ANNA, SDP).await;
        scene.second = calls(&mut scene.desk, &mut scene.trunk, BEN, BENS).await;
    }
    scene.join().await;
    assert_eq!(scene.desk.transfer_refused().await, Some(480));
    let (anna, ben) = joined[3];
    scene.trunk.hangs_up(ben).await;
    scene.trunk.ended(anna).await;
    scene.join().await;
    scene.lines_agree().await;
    let done = TransferProgress::Ended(Some(StatusCode::OK));
    assert_eq!(scene.desk.last_report().await, done);
    scene.home.hub.stop().await;
}
