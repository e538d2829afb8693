//! Calls to and from the outside telephone network over lines of the home.

use std::time::{Duration, Instant};

use crate::lines::{Provider, SDP, add, fields, home, lines_address, until};
use crate::telephone::{DOMAIN, Home, Phone};
use hearthline_hub::call::{CallState, Direction};
use hearthline_hub::line::{LineHealth, LineTrouble};
use hearthline_hub::person::PersonFields;
use hearthline_sip::endpoint::{Body, Event};
use hearthline_sip::target::Transport;
use hearthline_sip::{HeaderName, StatusCode};
use serde_json::json;

const DIALLED: &str = "sip:030-555-0123-4@home.test";
const GLOBAL: &str = "+493055501234";

async fn desk(home: &Home) -> Phone {
    let account = home.account("Desk", None).await;
    home.phone(&account, Transport::Udp).await
}

fn now() -> hearthline_hub::clock::UnixMs {
    hearthline_hub::clock::Clock::default().now()
}

#[tokio::test]
async fn a_number_is_dialled_over_a_trunk_with_its_own_account_and_caller_id() {
    let home = home(|_, _| {}).await;
    let mut trunk = Provider::asking(Transport::Udp, "anna").await;
    let more = json!({"caller_number": "+493012340000", "sip": {"username": "anna"}});
    let line = add(&home, &fields("Trunk", 0, &trunk.server(), &more)).await;
    let mut desk = desk(&home).await;
    let call = desk.call(DIALLED).await;
    let (far, invite) = trunk.called().await;
    assert_eq!(
        invite.uri.to_string(),
        format!("sip:{GLOBAL}@{};user=phone", trunk.local)
    );
    let from = invite.headers.from().unwrap().uri.to_string();
    assert_eq!(from, format!("sip:+493012340000@{}", trunk.local));
    // Nothing of the home's own names leaves it.
    let text = String::from_utf8(invite.to_bytes()).unwrap();
    assert!(
        !text.contains(&desk.user) && !text.contains(DOMAIN),
        "{text}"
    );
    assert!(text.contains("m=audio 40000"), "the device's own session");
    trunk.rings(far).await;
    desk.progress(call).await;
    trunk.accepts(far, Some(Body::sdp(SDP))).await;
    let answer = desk
        .wait(|event| match event {
            Event::Answered { response, .. } => Some(response.body.clone()),
            _ => None,
        })
        .await;
    assert_eq!(answer, SDP.as_bytes());
    let row = home
        .call_row(|call| call.state == CallState::Confirmed && call.line.is_some())
        .await;
    assert_eq!(row.direction, Direction::Outgoing);
    assert_eq!(row.line, Some(line));
    assert_eq!(row.number.as_ref().unwrap().as_str(), GLOBAL);
    assert!(!row.emergency);
    // Keys, hold, and the end pass.
    desk.act(move |endpoint, now| {
        endpoint.info(
            call,
            Body::new("application/dtmf-relay", "Signal=1\r\n"),
            now,
        )
    })
    .await
    .unwrap();
    let key = trunk
        .wait(|event| match event {
            Event::Info { request, .. } => Some(request.body.clone()),
            _ => None,
        })
        .await;
    assert_eq!(key, b"Signal=1\r\n");
    let held = SDP.replace("m=audio", "a=sendonly\r\nm=audio");
    desk.act(move |endpoint, now| endpoint.reinvite(call, Body::sdp(held), now))
        .await
        .unwrap();
    let asked = trunk
        .wait(|event| match event {
            Event::Reinvite { call, request } => Some((*call, request.body.clone())),
            _ => None,
        })
        .await;
    assert!(String::from_utf8(asked.1).unwrap().contains("a=sendonly"));
    trunk
        .act(move |endpoint, now| endpoint.answer_reinvite(far, Some(Body::sdp(SDP)), now))
        .await
        .unwrap();
    let status = desk
        .wait(|event| match event {
            Event::ReinviteAnswered { response, .. } => Some(response.status.code()),
            _ => None,
        })
        .await;
    assert_eq!(status, 200);
    desk.bye(call).await;
    trunk.ended(far).await;
    let row = home.call_row(|call| call.ended_at_ms.is_some()).await;
    assert_eq!(row.state, CallState::Ended);
    // The far side hangs up.
    let call = desk.call(DIALLED).await;
    let (far, _) = trunk.called().await;
    trunk.accepts(far, Some(Body::sdp(SDP))).await;
    desk.answered(call).await;
    trunk.hangs_up(far).await;
    desk.ended(call).await;
    home.hub.stop().await;
}

#[tokio::test]
async fn a_dead_line_gives_way_within_three_seconds() {
    let home = home(|_, _| {}).await;
    let mut good = Provider::open(Transport::Udp).await;
    let mut desk = desk(&home).await;
    // A port where nobody listens, one where somebody listens and says nothing, and one that fails.
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("sip:{};transport=tcp", dead.local_addr().unwrap());
    drop(dead);
    let mute = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = format!("sip:{}", mute.local_addr().unwrap());
    let mut failing = Provider::open(Transport::Tcp).await;
    let second = add(&home, &fields("Second", 9, &good.server(), &json!({}))).await;
    for (name, server) in [
        ("nobody listens", nobody),
        ("says nothing", silent),
        ("answers 503", failing.server()),
    ] {
        let store = home.hub.store();
        let first = store
            .add_line(&fields(name, 0, &server, &json!({})), now())
            .await
            .unwrap()
            .id;
        // Told nothing of its health before: the line is tried first.
        tokio::time::sleep(Duration::from_millis(60)).await;
        let began = Instant::now();
        let call = desk.call(DIALLED).await;
        if name == "answers 503" {
            let (refused, _) = failing.called().await;
            failing.refuses(refused, 503).await;
        }
        let (far, _) = good.called().await;
        let took = began.elapsed();
        println!(
            "{name}: the next line's INVITE after {} ms",
            took.as_millis()
        );
        assert!(took < Duration::from_secs(3), "{name}: {took:?}");
        good.accepts(far, Some(Body::sdp(SDP))).await;
        desk.answered(call).await;
        let row = home
            .call_row(|call| call.state == CallState::Confirmed)
            .await;
        assert_eq!(row.line, Some(second), "{name}");
        let line = until(&home, first, |line| line.health == LineHealth::Down).await;
        println!("  and its health: {:?}", line.trouble);
        assert!(line.trouble.is_some() && line.health_since_ms.is_some());
        desk.bye(call).await;
        good.ended(far).await;
        store.remove_line(first, now()).await.unwrap();
        home.call_row(|call| call.ended_at_ms.is_some()).await;
    }
    home.hub.stop().await;
}

#[tokio::test]
async fn busy_and_declined_are_told_and_ringing_stays_with_its_line() {
    let home = home(|_, _| {}).await;
    let mut first = Provider::open(Transport::Udp).await;
    let mut second = Provider::open(Transport::Udp).await;
    add(&home, &fields("First", 0, &first.server(), &json!({}))).await;
    add(&home, &fields("Second", 1, &second.server(), &json!({}))).await;
    let mut desk = desk(&home).await;
    for code in [486, 603, 404, 480] {
        let call = desk.call(DIALLED).await;
        let (far, _) = first.called().await;
        first.refuses(far, code).await;
        assert_eq!(desk.failure(call).await.unwrap().code(), code);
    }
    // It rang there: no other telephone is rung for it.
    let call = desk.call(DIALLED).await;
    let (far, _) = first.called().await;
    first.rings(far).await;
    desk.progress(call).await;
    first.refuses(far, 500).await;
    assert_eq!(desk.failure(call).await.unwrap().code(), 500);
    // The caller gives up.
    let call = desk.call(DIALLED).await;
    let (far, _) = first.called().await;
    first.rings(far).await;
    desk.progress(call).await;
    desk.act(move |endpoint, now| endpoint.cancel(call, None, now))
        .await
        .unwrap();
    first.ended(far).await;
    assert_eq!(desk.failure(call).await, None);
    assert!(!second.was_called());
    home.hub.stop().await;
}

#[tokio::test]
async fn a_line_that_lies_or_loops_is_a_clear_failure() {
    let home = home(|config, _| config.timers.trying_max = Duration::from_secs(1)).await;
    let mut trunk = Provider::open(Transport::Udp).await;
    let more = json!({"caller_number": "+493012340000"});
    let line = add(&home, &fields("Trunk", 0, &trunk.server(), &more)).await;
    let mut desk = desk(&home).await;
    // 200 without a session description.
    let call = desk.call(DIALLED).await;
    let (far, _) = trunk.called().await;
    trunk.accepts(far, None).await;
    trunk.ended(far).await;
    assert_eq!(desk.failure(call).await.unwrap().code(), 502);
    let seen = until(&home, line, |line| line.health == LineHealth::Down).await;
    assert_eq!(seen.trouble, Some(LineTrouble::Unusable));
    // 100 and no more (the provider's endpoint says 100 by itself).
    let call = desk.call(DIALLED).await;
    let (far, _) = trunk.called().await;
    assert_eq!(desk.failure(call).await.unwrap().code(), 504);
    trunk.ended(far).await;
    // Our own call comes back: by its mark, as a proxy or a careless B2BUA leaves it …
    let hub = lines_address(&home, Transport::Udp);
    let call = desk.call(DIALLED).await;
    let (far, invite) = trunk.called().await;
    let own = HeaderName::parse(b"Hearthline-Loop").unwrap();
    let mark = invite.headers.get(&own).unwrap().to_vec();
    let to = format!("sip:{GLOBAL}@{hub}");
    let from = "<sip:+4930999@provider.test>";
    let back = trunk.calls_with(&to, from, hub, vec![(own, mark)]).await;
    assert_eq!(trunk.refused(back).await, 482);
    // … and by the number that it shows, where nothing else is left.
    let shown = "<sip:+493012340000@provider.test>";
    let back = trunk.calls(&to, shown, hub).await;
    assert_eq!(trunk.refused(back).await, 482);
    trunk.refuses(far, 482).await;
    assert_eq!(desk.failure(call).await.unwrap().code(), 482);
    let seen = until(&home, line, |line| line.trouble == Some(LineTrouble::Loops)).await;
    assert_eq!(seen.health, LineHealth::Down);
    home.hub.stop().await;
}

#[tokio::test]
async fn a_registered_line_rings_the_home_and_shows_the_contacts_name() {
    let home = home(|_, _| {}).await;
    let kitchen = home.room("kitchen").await;
    let in_kitchen = home.account("Wall", Some(kitchen)).await;
    let mut wall = home.phone(&in_kitchen, Transport::Tcp).await;
    let mut desk = desk(&home).await;
    let mut trunk = Provider::asking(Transport::Udp, "anna").await;
    let more = json!({
        "ring_rooms": [kitchen.to_string()], "unknown_callers": "busy",
        "sip": {"username": "anna", "register": true},
    });
    let store = home.hub.store();
    let line = fields("Trunk", 0, &trunk.server(), &more);
    let line = store.add_line(&line, now()).await.unwrap().id;
    let contact = trunk.registers().await;
    until(&home, line, |line| line.health == LineHealth::Up).await;
    for (name, number, screening) in [
        ("Anna", "+12025550123", "allow"),
        ("Pest", "+12025550199", "block"),
    ] {
        let fields = serde_json::from_value(json!({
            "name": name, "screening": screening,
            "numbers": [{"label": "mobile", "number": number}],
        }));
        store.add_contact(&fields.unwrap(), now()).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let hub = lines_address(&home, Transport::Udp);
    let to = contact.uri.to_string();
    // A claim to be somebody of the home, and a name of one's own, are worth nothing.
    let liar = format!("\"Kitchen\" <sip:{}@{DOMAIN}>", desk.user);
    for (from, code) in [
        ("\"Anna\" <sip:+12025550177@provider.test>", 486),
        ("<sip:anonymous@anonymous.invalid>", 486),
        (liar.as_str(), 486),
        ("<sip:+12025550199@provider.test>", 603),
    ] {
        let call = trunk.calls(&to, from, hub).await;
        assert_eq!(trunk.refused(call).await, code, "{from}");
    }
    let call = trunk
        .calls(&to, "\"Not Anna\" <sip:0012025550123@provider.test>", hub)
        .await;
    let (incoming, invite) = wall
        .wait(|event| match event {
            Event::Incoming { call, request, .. } => Some((*call, (**request).clone())),
            _ => None,
        })
        .await;
    let shown = invite.headers.from().unwrap();
    assert_eq!(shown.display.as_deref(), Some("Anna"));
    assert_eq!(
        shown.uri.to_string(),
        format!("sip:+12025550123@{DOMAIN};user=phone")
    );
    let asserted = invite.headers.asserted_identities().unwrap();
    assert_eq!(asserted[0].uri, shown.uri);
    wall.accept(incoming).await;
    trunk.answered(call).await;
    let row = home
        .call_row(|call| call.state == CallState::Confirmed)
        .await;
    assert_eq!(
        (row.direction, row.line, row.device),
        (Direction::Incoming, Some(line), Some(in_kitchen.device))
    );
    assert_eq!(row.number.unwrap().as_str(), "+12025550123");
    assert!(row.contact.is_some());
    trunk.hangs_up(call).await;
    wall.ended(incoming).await;
    assert!(
        desk.hears_nothing(Duration::ZERO).await,
        "not in the kitchen"
    );
    // The caller gives up while it rings.
    let call = trunk
        .calls(&to, "<sip:+12025550123@provider.test>", hub)
        .await;
    let ringing = wall.rings().await;
    trunk
        .wait(|event| match event {
            Event::Progress { response, .. } => {
                (response.status == StatusCode::RINGING).then_some(())
            }
            _ => None,
        })
        .await;
    trunk.hangs_up(call).await;
    wall.ended(ringing).await;
    home.hub.stop().await;
}

#[tokio::test]
async fn only_the_line_itself_may_call_and_nobody_asks_for_help_from_outside() {
    let home = home(|_, _| {}).await;
    let mut desk = desk(&home).await;
    let mut trunk = Provider::open(Transport::Udp).await;
    let more = json!({"sip": {"drill": "service"}});
    add(&home, &fields("Trunk", 0, &trunk.server(), &more)).await;
    let hub = lines_address(&home, Transport::Udp);
    let mut stranger = Provider::open(Transport::Udp).await;
    for to in [
        format!("sip:desk@{hub}"),
        format!("sip:112@{hub}"),
        format!("sip:{GLOBAL}@{hub}"),
        "urn:service:sos".to_owned(),
    ] {
        let call = stranger.calls(&to, "<sip:+12025550123@x.test>", hub).await;
        assert_eq!(stranger.refused(call).await, 403, "{to}");
    }
    let tcp = lines_address(&home, Transport::Tcp);
    let mut other = Provider::open(Transport::Tcp).await;
    let call = other
        .calls(&format!("sip:desk@{tcp}"), "<sip:+12025550123@x.test>", tcp)
        .await;
    assert_eq!(other.refused(call).await, 403);
    assert!(desk.hears_nothing(Duration::from_millis(50)).await);
    // From the line itself, an emergency URI is a call to the home like any other, and goes nowhere else.
    for to in [format!("sip:112@{hub}"), "urn:service:sos".to_owned()] {
        let call = trunk.calls(&to, "<sip:+12025550123@x.test>", hub).await;
        let rang = desk.rings().await;
        trunk.hangs_up(call).await;
        desk.ended(rang).await;
        assert!(!trunk.was_called(), "{to} came back");
    }
    home.hub.stop().await;
}

#[tokio::test]
async fn what_cannot_be_dialled_is_refused_and_children_call_whom_they_may() {
    let home = home(|_, _| {}).await;
    let mut desk = desk(&home).await;
    // Without a line.
    assert_eq!(desk.refused(DIALLED).await.code(), 404);
    let mut trunk = Provider::open(Transport::Udp).await;
    add(&home, &fields("Trunk", 0, &trunk.server(), &json!({}))).await;
    for dialled in ["0112", "9110", "12345", "*21*030123456", "0049"] {
        let uri = format!("sip:{}@{DOMAIN}", dialled.replace('#', "%23"));
        assert_eq!(desk.refused(&uri).await.code(), 404, "{dialled}");
    }
    assert!(!trunk.was_called());
    let child: PersonFields =
        serde_json::from_value(json!({"name": "Tim", "role": "child"})).unwrap();
    let child = home.hub.add_person(&child, None).await.unwrap();
    let fields = hearthline_hub::device::DeviceFields {
        name: hearthline_hub::text::Name::new("Toy").unwrap(),
        room: None,
        person: Some(child.id),
    };
    let digest = hearthline_hub::sip::account::PhoneDigest::Sha256;
    let account = home.hub.add_sip_account(fields, digest).await.unwrap();
    let mut toy = home.phone(&account, Transport::Udp).await;
    assert_eq!(toy.refused(DIALLED).await.code(), 403);
    let grandma = serde_json::from_value(json!({
        "name": "Grandma", "children_may_call": true, "speed_dial": 5,
        "numbers": [{"label": "home", "number": GLOBAL}],
    }));
    let store = home.hub.store();
    store.add_contact(&grandma.unwrap(), now()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let call = toy.call(DIALLED).await;
    let (far, _) = trunk.called().await;
    trunk.refuses(far, 486).await;
    assert_eq!(toy.failure(call).await.unwrap().code(), 486);
    // One digit for her whole number; no other digit, and no more of them.
    for (phone, who) in [(&mut toy, "a child"), (&mut desk, "the desk")] {
        let call = phone.call(&format!("sip:5@{DOMAIN}")).await;
        let (far, invite) = trunk.called().await;
        let uri = invite.uri.to_string();
        assert!(uri.starts_with(&format!("sip:{GLOBAL}@")), "{who}: {uri}");
        trunk.refuses(far, 486).await;
        assert_eq!(phone.failure(call).await.unwrap().code(), 486);
        for other in ["4", "05", "55"] {
            let refused = phone.refused(&format!("sip:{other}@{DOMAIN}")).await;
            assert_eq!(refused.code(), 404, "{who}: {other}");
        }
    }
    home.hub.stop().await;
}

#[tokio::test]
async fn a_line_by_tls_is_believed_over_its_own_verified_connection() {
    let folder = tempfile::tempdir().unwrap();
    let (good, other) = (
        folder.path().join("good.pem"),
        folder.path().join("other.pem"),
    );
    let mut trunk = Provider::tls(&good).await;
    let liar = Provider::tls(&other).await;
    let home = home(|config, _| config.tls_roots = Some(good)).await;
    let mut desk = desk(&home).await;
    let line = add(&home, &fields("Trunk", 0, &trunk.server(), &json!({}))).await;
    until(&home, line, |line| line.health == LineHealth::Up).await;
    // Nobody that we know vouches for this one.
    let doubtful = add(&home, &fields("Liar", 1, &liar.server(), &json!({}))).await;
    let down = until(&home, doubtful, |line| line.health == LineHealth::Down).await;
    assert_eq!(down.trouble, Some(LineTrouble::Unreachable));
    let call = desk.call(DIALLED).await;
    let (far, hub) = trunk.called_from().await;
    trunk.accepts(far, Some(Body::sdp(SDP))).await;
    desk.answered(call).await;
    desk.bye(call).await;
    trunk.ended(far).await;
    // It calls over the connection that we made; nobody else's plain connection passes for it.
    let back = trunk
        .calls(
            "sip:home@127.0.0.1",
            "<sip:+12025550123@provider.test>",
            hub,
        )
        .await;
    let rang = desk.rings().await;
    desk.accept(rang).await;
    trunk.answered(back).await;
    trunk.hangs_up(back).await;
    desk.ended(rang).await;
    let tcp = lines_address(&home, Transport::Tcp);
    let mut plain = Provider::open(Transport::Tcp).await;
    let call = plain
        .calls(
            "sip:home@127.0.0.1",
            "<sip:+12025550123@provider.test>",
            tcp,
        )
        .await;
    assert_eq!(plain.refused(call).await, 403);
    home.hub.stop().await;
}

#[tokio::test]
async fn a_hub_that_stops_leaves_its_lines_in_order() {
    let home = home(|_, _| {}).await;
    let mut desk = desk(&home).await;
    let mut trunk = Provider::asking(Transport::Udp, "anna").await;
    let more = json!({"sip": {"username": "anna", "register": true}});
    let line = fields("Trunk", 0, &trunk.server(), &more);
    let line = home.hub.store().add_line(&line, now()).await.unwrap().id;
    trunk.registers().await;
    until(&home, line, |line| line.health == LineHealth::Up).await;
    let call = desk.call(DIALLED).await;
    let (far, _) = trunk.called().await;
    trunk.accepts(far, Some(Body::sdp(SDP))).await;
    desk.answered(call).await;
    let began = Instant::now();
    let stopping = tokio::spawn(home.hub.stop());
    trunk.ended(far).await;
    let expires = trunk
        .wait(|event| match event {
            Event::Request { request, .. } => request.headers.expires().ok().flatten(),
            _ => None,
        })
        .await;
    assert_eq!(expires, 0);
    stopping.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(3));
}
