//! A device puts an outside call through to another number by REFER alone, where that is allowed; and what the record says
//! of the two who then talk without it.

use std::time::{Duration, Instant};

use crate::lines::{Provider, SDP, add, fields, home, lines_address, until};
use crate::telephone::{Home, Phone};
use hearthline_hub::call::{Call, CallState, Direction, Ending};
use hearthline_hub::device::DeviceFields;
use hearthline_hub::gateway::LineTimers;
use hearthline_hub::id::LineId;
use hearthline_hub::line::LineHealth;
use hearthline_hub::sip::account::PhoneDigest;
use hearthline_hub::text::Name;
use hearthline_sip::endpoint::{
    Body, CallHandle, Credentials, Event, TransferProgress, TransferRequest,
};
use hearthline_sip::target::Transport;
use hearthline_sip::{StatusCode, Uri};
use serde_json::json;

const ANNA: &str = "sip:030-555-0123-4@home.test";
const BEN: &str = "sip:030-555-0123-5@home.test";
const ANNAS_NUMBER: &str = "+493055501234";
const BENS_NUMBER: &str = "+493055501235";
/// Where the sound of the second far end is.
const BENS: &str = "v=0\r\no=- 8 8 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 42000 RTP/AVP 0\r\n";
/// How long a row of the store is waited for.
const ROW_TIME_MAX: Duration = Duration::from_secs(30);

struct Scene {
    home: Home,
    trunk: Provider,
    line: LineId,
    desk: Phone,
    /// The desk's call to Anna, and Anna's.
    call: CallHandle,
    anna: CallHandle,
}

async fn refers(device: &Phone, call: CallHandle, to: &str) {
    let wanted = TransferRequest::new(Uri::parse(to).unwrap());
    device
        .act(move |endpoint, now| endpoint.refer(call, wanted, now))
        .await
        .unwrap();
}

async fn told(device: &mut Phone, status: StatusCode) {
    device
        .wait(|event| match event {
            Event::Transfer {
                progress: TransferProgress::Told(told),
                ..
            } => (*told == status).then_some(()),
            _ => None,
        })
        .await;
}

/// A far end is offered another session, and takes it.
async fn is_offered(trunk: &mut Provider, far: CallHandle, port: &str, answer: &'static str) {
    let offer = trunk.offered(far).await;
    assert!(offer.contains(&format!("m=audio {port} ")), "{offer}");
    trunk.answers_offer(far, answer).await;
}

/// The newest row of a call between two outside parties once `enough` says so of it.
async fn row(home: &Home, enough: impl Fn(&Call) -> bool) -> Call {
    let began = Instant::now();
    loop {
        let calls = home.hub.store().calls(50).await.unwrap();
        let own = calls
            .iter()
            .find(|call| call.direction == Direction::Outside);
        if let Some(call) = own.filter(|call| enough(call)) {
            return call.clone();
        }
        assert!(began.elapsed() < ROW_TIME_MAX, "{calls:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

impl Scene {
    /// The desk talks to Anna.
    async fn standing() -> Self {
        Self::standing_within(LineTimers::default()).await
    }

    async fn standing_within(timers: LineTimers) -> Self {
        let home = home(|config, _| config.timers = timers).await;
        let mut trunk = Provider::open(Transport::Udp).await;
        let line = add(&home, &fields("Trunk", 0, &trunk.server(), &json!({}))).await;
        let desk = home.account("Desk", None).await;
        let mut desk = home.phone(&desk, Transport::Udp).await;
        let (call, anna) = calls(&mut desk, &mut trunk, ANNA).await;
        Self {
            home,
            trunk,
            line,
            desk,
            call,
            anna,
        }
    }

    /// The desk puts Anna through to Ben, whose telephone is about to ring.
    async fn puts_through(&mut self) -> CallHandle {
        refers(&self.desk, self.call, BEN).await;
        let (ben, invite) = self.trunk.called().await;
        let asked = invite.uri.as_sip().and_then(|uri| uri.user());
        assert_eq!(asked, Some(BENS_NUMBER));
        // He is offered Anna's own session.
        let offer = String::from_utf8(invite.body).unwrap();
        assert!(offer.contains("m=audio 41000 "), "{offer}");
        ben
    }

    async fn lines_agree(&mut self, ben: CallHandle) {
        is_offered(&mut self.trunk, self.anna, "42000", SDP).await;
        is_offered(&mut self.trunk, ben, "41000", BENS).await;
    }
}

async fn calls(device: &mut Phone, trunk: &mut Provider, to: &str) -> (CallHandle, CallHandle) {
    let call = device.call(to).await;
    let (far, _) = trunk.called().await;
    trunk.accepts(far, Some(Body::sdp(SDP))).await;
    device.answered(call).await;
    (call, far)
}

#[tokio::test]
async fn a_call_is_put_through_to_a_number_and_the_record_says_who_talked() {
    let mut scene = Scene::standing().await;
    let ben = scene.puts_through().await;
    scene.trunk.rings(ben).await;
    told(&mut scene.desk, StatusCode::RINGING).await;
    let rings = row(&scene.home, |_| true).await;
    assert_eq!(rings.state, CallState::Early);
    scene.trunk.accepts(ben, Some(Body::sdp(BENS))).await;
    scene.lines_agree(ben).await;
    let done = TransferProgress::Ended(Some(StatusCode::OK));
    assert_eq!(scene.desk.last_report().await, done);
    let call = scene.call;
    scene.desk.ended(call).await;

    let stands = row(&scene.home, |own| own.state == CallState::Confirmed).await;
    let devices = scene.home.hub.store().devices().await.unwrap();
    let desk = devices
        .iter()
        .find(|own| own.fields.name.as_str() == "Desk");
    assert_eq!(stands.id, rings.id);
    assert_eq!(stands.device, desk.map(|desk| desk.id));
    assert_eq!(stands.number.as_ref().unwrap().as_str(), ANNAS_NUMBER);
    let other = stands.other_end.clone().unwrap();
    assert_eq!(other.number.unwrap().as_str(), BENS_NUMBER);
    assert_eq!(
        (stands.line, other.line),
        (Some(scene.line), scene.line),
        "both by the same line"
    );
    assert!(stands.answered_at_ms.is_some() && stands.ended_at_ms.is_none());
    assert_eq!(stands.ending, None);

    // Ben hangs up.
    scene.trunk.hangs_up(ben).await;
    let anna = scene.anna;
    scene.trunk.ended(anna).await;
    let over = row(&scene.home, |own| own.state == CallState::Ended).await;
    assert_eq!(over.ending, Some(Ending::OtherHungUp));
    assert!(over.ended_at_ms >= over.answered_at_ms);
    // The desk's own call is a row of its own, and over as well.
    let all = scene.home.hub.store().calls(50).await.unwrap();
    let own = all
        .iter()
        .find(|own| own.direction == Direction::Outgoing)
        .unwrap();
    assert_eq!((all.len(), own.state), (2, CallState::Ended));
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn whoever_is_not_to_be_had_leaves_the_call_where_it_was() {
    let mut scene = Scene::standing().await;
    let ben = scene.puts_through().await;
    scene.trunk.refuses(ben, 486).await;
    let busy = TransferProgress::Ended(Some(StatusCode::BUSY_HERE));
    assert_eq!(scene.desk.last_report().await, busy);
    let missed = row(&scene.home, |own| own.state == CallState::Missed).await;
    assert_eq!(missed.ending, Some(Ending::NotJoined));
    assert_eq!(missed.answered_at_ms, None);

    // Who is to be put through hangs up while it rings: nobody rings for nothing.
    let ben = scene.puts_through().await;
    scene.trunk.rings(ben).await;
    let anna = scene.anna;
    scene.trunk.hangs_up(anna).await;
    scene.trunk.ended(ben).await;
    let call = scene.call;
    scene.desk.ended(call).await;

    // The device has hung up, and Ben is busy: Anna is not left alone.
    (scene.call, scene.anna) = calls(&mut scene.desk, &mut scene.trunk, ANNA).await;
    let ben = scene.puts_through().await;
    scene.trunk.rings(ben).await;
    told(&mut scene.desk, StatusCode::RINGING).await;
    scene.desk.bye(scene.call).await;
    let call = scene.call;
    scene.desk.ended(call).await;
    scene.trunk.refuses(ben, 603).await;
    let anna = scene.anna;
    scene.trunk.ended(anna).await;
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn who_puts_through_may_hang_up_at_once_and_a_dead_line_gives_way() {
    let mut scene = Scene::standing().await;
    // From now on the first line takes no more calls.
    let mut second = Provider::open(Transport::Udp).await;
    let other = add(
        &scene.home,
        &fields("Second", 1, &second.server(), &json!({})),
    )
    .await;
    until(&scene.home, scene.line, |line| {
        line.health == LineHealth::Up
    })
    .await;
    let refused = scene.puts_through().await;
    scene.trunk.refuses(refused, 503).await;
    let (ben, _) = second.called().await;
    second.rings(ben).await;
    told(&mut scene.desk, StatusCode::RINGING).await;
    scene.desk.bye(scene.call).await;
    let call = scene.call;
    scene.desk.ended(call).await;
    second.accepts(ben, Some(Body::sdp(BENS))).await;
    is_offered(&mut scene.trunk, scene.anna, "42000", SDP).await;
    is_offered(&mut second, ben, "41000", BENS).await;
    let stands = row(&scene.home, |own| own.state == CallState::Confirmed).await;
    assert_eq!(stands.line, Some(scene.line));
    assert_eq!(stands.other_end.unwrap().line, other);
    let anna = scene.anna;
    scene.trunk.hangs_up(anna).await;
    second.ended(ben).await;
    let over = row(&scene.home, |own| own.state == CallState::Ended).await;
    assert_eq!(over.ending, Some(Ending::HungUp));
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn a_number_that_only_rings_is_left_in_time() {
    let defaults = LineTimers::default();
    assert_eq!(defaults.onward_ringing_max, Duration::from_secs(60));
    let mut scene = Scene::standing_within(LineTimers {
        onward_ringing_max: Duration::from_millis(500),
        ..defaults
    })
    .await;
    let ben = scene.puts_through().await;
    let ringing = StatusCode::RINGING;
    // On a slow machine its time may be up already.
    let _ = scene
        .trunk
        .act(move |endpoint, now| endpoint.ring(ben, ringing, None, false, now))
        .await;
    scene.trunk.ended(ben).await;
    let nobody = TransferProgress::Ended(Some(StatusCode::TEMPORARILY_UNAVAILABLE));
    assert_eq!(scene.desk.last_report().await, nobody);
    let missed = row(&scene.home, |own| own.state == CallState::Missed).await;
    assert_eq!(missed.ending, Some(Ending::NotJoined));
    // Whom the desk has it has still.
    let (call, anna) = (scene.call, scene.anna);
    scene.desk.bye(call).await;
    scene.trunk.ended(anna).await;
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn two_who_were_joined_are_parted_when_their_time_is_up() {
    let defaults = LineTimers::default();
    assert_eq!(defaults.joined_max, Duration::from_secs(4 * 3_600));
    let mut scene = Scene::standing_within(LineTimers {
        joined_max: Duration::from_millis(500),
        ..defaults
    })
    .await;
    let ben = scene.puts_through().await;
    scene.trunk.accepts(ben, Some(Body::sdp(BENS))).await;
    // The time begins when they have each other.
    scene.lines_agree(ben).await;
    let over = row(&scene.home, |own| own.state == CallState::Ended).await;
    assert_eq!(over.ending, Some(Ending::TimeUp));
    let mut left = vec![scene.anna, ben];
    while !left.is_empty() {
        let gone = scene
            .trunk
            .wait(|event| match event {
                Event::Ended { call, .. } => Some(*call),
                _ => None,
            })
            .await;
        left.retain(|own| *own != gone);
    }
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn calls_for_help_strangers_and_children_are_put_through_to_no_number() {
    let mut scene = Scene::standing().await;
    let mut taker = Provider::open(Transport::Udp).await;
    let drill = json!({"sip": {"drill": "service"}});
    add(&scene.home, &fields("Drill", 1, &taker.server(), &drill)).await;
    let call = scene.call;

    // To whom nobody is put through.
    for (to, status) in [
        ("urn:service:sos", 403),
        ("sip:112@home.test", 403),
        ("sip:1-1-0@elsewhere.example", 403),
        ("tel:112;phone-context=home.test", 403),
        ("sip:911@home.test", 403),
        ("sip:0112@home.test", 404),
        ("sip:*21@home.test", 404),
        (ANNA, 403),
    ] {
        refers(&scene.desk, call, to).await;
        assert_eq!(scene.desk.transfer_refused().await, Some(status), "{to}");
    }

    // A call for help, and its call-taker's callback.
    let (help, taken) = calls(&mut scene.desk, &mut taker, "sip:112@home.test").await;
    refers(&scene.desk, help, BEN).await;
    assert_eq!(scene.desk.transfer_refused().await, Some(403));
    taker.hangs_up(taken).await;
    scene.desk.ended(help).await;
    let hub = lines_address(&scene.home, Transport::Udp);
    let to = format!("sip:anyone@{hub}");
    let back = taker
        .calls(&to, "<sip:+12025550100@provider.test>", hub)
        .await;
    let rings = scene.desk.rings().await;
    scene.desk.accept(rings).await;
    taker.answered(back).await;
    scene.desk.confirmed(rings).await;
    refers(&scene.desk, rings, BEN).await;
    assert_eq!(scene.desk.transfer_refused().await, Some(403));
    taker.hangs_up(back).await;
    scene.desk.ended(rings).await;

    // A stranger who calls.
    let stranger = scene
        .trunk
        .calls(&to, "<sip:+12025550177@provider.test>", hub)
        .await;
    let rings = scene.desk.rings().await;
    scene.desk.accept(rings).await;
    scene.trunk.answered(stranger).await;
    scene.desk.confirmed(rings).await;
    refers(&scene.desk, rings, BEN).await;
    assert_eq!(scene.desk.transfer_refused().await, Some(403));
    scene.trunk.hangs_up(stranger).await;
    scene.desk.ended(rings).await;
    assert!(!scene.trunk.was_called());
    scene.desk.bye(call).await;
    let anna = scene.anna;
    scene.trunk.ended(anna).await;
    a_child_puts_nobody_through(scene, &to).await;
}

/// Neither a call that it makes nor one that it takes.
async fn a_child_puts_nobody_through(mut scene: Scene, to: &str) {
    let now = hearthline_hub::clock::Clock::default().now();
    let store = scene.home.hub.store();
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
    // Whoever knows this line knows her.
    let spare = Provider::open(Transport::Udp).await;
    add(
        &scene.home,
        &fields("Spare", 9, &spare.server(), &json!({})),
    )
    .await;
    // What it says of itself is not believed.
    let proof = vec![Credentials {
        username: toy.username.clone(),
        password: toy.password.clone(),
        realm: None,
    }];
    let (hub, claim) = (
        scene.home.address(Transport::Udp),
        "Hearthline-Contacts-Only: no\r\n",
    );
    let mut toy = Phone::saying(hub, &toy.username, proof, claim).await;
    toy.register().await.unwrap();
    // The contact is known to the switchboard once the child may call it.
    let began = Instant::now();
    let (own, grandmas) = loop {
        let call = toy.call("sip:030-555-0123-6@home.test").await;
        let called = tokio::select! {
            (far, _) = scene.trunk.called() => Some(far),
            _ = toy.failure(call) => None,
        };
        if let Some(far) = called {
            scene.trunk.accepts(far, Some(Body::sdp(SDP))).await;
            toy.answered(call).await;
            break (call, far);
        }
        assert!(began.elapsed() < ROW_TIME_MAX, "the child may not call");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    refers(&toy, own, BEN).await;
    assert_eq!(toy.transfer_refused().await, Some(403));
    toy.bye(own).await;
    scene.trunk.ended(grandmas).await;
    // Grandma calls; the desk is busy elsewhere, and the child takes it.
    let hub = lines_address(&scene.home, Transport::Udp);
    let from = "<sip:+493055501236@provider.test>";
    let calling = scene.trunk.calls(to, from, hub).await;
    let rings = toy.rings().await;
    let beside = scene.desk.rings().await;
    toy.accept(rings).await;
    scene.desk.ended(beside).await;
    scene.trunk.answered(calling).await;
    toy.confirmed(rings).await;
    refers(&toy, rings, BEN).await;
    assert_eq!(toy.transfer_refused().await, Some(403));
    // Where somebody else has it, she is put through.
    scene.trunk.hangs_up(calling).await;
    toy.ended(rings).await;
    let calling = scene.trunk.calls(to, from, hub).await;
    let rings = scene.desk.rings().await;
    scene.desk.accept(rings).await;
    scene.trunk.answered(calling).await;
    scene.desk.confirmed(rings).await;
    refers(&scene.desk, rings, BEN).await;
    let (ben, _) = scene.trunk.called().await;
    scene.trunk.accepts(ben, Some(Body::sdp(BENS))).await;
    is_offered(&mut scene.trunk, calling, "42000", SDP).await;
    is_offered(&mut scene.trunk, ben, "41000", BENS).await;
    let stands = row(&scene.home, |own| own.state == CallState::Confirmed).await;
    assert_eq!(stands.number.unwrap().as_str(), "+493055501236");
    assert!(stands.contact.is_some());
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn a_hub_that_starts_again_says_of_its_calls_over_lines_that_they_are_over() {
    let mut scene = Scene::standing().await;
    let ben = scene.puts_through().await;
    scene.trunk.accepts(ben, Some(Body::sdp(BENS))).await;
    scene.lines_agree(ben).await;
    row(&scene.home, |own| own.state == CallState::Confirmed).await;
    let Scene {
        home,
        mut trunk,
        anna,
        ..
    } = scene;
    let Home { hub, folder, sip } = home;
    hub.stop().await;
    // It leaves nobody in a call that it could not end any more.
    trunk.ended(anna).await;
    trunk.ended(ben).await;
    let lines = hearthline_hub::gateway::LinesConfig::default();
    let hub = crate::lines::start(folder.path(), &sip, lines).await;
    let home = Home { hub, folder, sip };
    let over = row(&home, |own| own.state == CallState::Ended).await;
    assert_eq!(over.ending, Some(Ending::HubStopped));
    assert!(over.ended_at_ms >= over.answered_at_ms);
    home.hub.stop().await;
}
