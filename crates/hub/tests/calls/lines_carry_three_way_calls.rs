//! A device talks with two outside parties at once, each over a line of its own: it mixes, the hub carries two calls whose
//! sessions change together. Who hosts it and hangs up ends both; who leaves the two together puts one through to the
//! other; and when one of them hangs up, the other stays.

use crate::lines::{Provider, SDP, add, fields, home, lines_address};
use crate::telephone::{Home, Phone};
use hearthline_hub::call::{CallState, Direction, Ending};
use hearthline_sip::endpoint::{Body, CallHandle, Event, TransferProgress, TransferRequest};
use hearthline_sip::target::Transport;
use hearthline_sip::{StatusCode, Uri};
use serde_json::json;

const ANNA: &str = "sip:030-555-0123-4@home.test";
const DESKS: &str = "v=0\r\no=- 1 3 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n";

struct Scene {
    home: Home,
    desk: Phone,
    /// Two lines, and the telephones beyond them.
    lines: [Provider; 2],
    /// The desk's side and the far side of each call.
    calls: [(CallHandle, CallHandle); 2],
}

/// The desk changes a call's session in this direction, and the far side takes it.
async fn changes(desk: &mut Phone, far: &mut Provider, call: (CallHandle, CallHandle), to: &str) {
    let (ours, _) = call;
    let offer = format!("{DESKS}a={to}\r\n");
    let body = Body::sdp(offer.as_str());
    desk.act(move |endpoint, now| endpoint.reinvite(ours, body, now))
        .await
        .unwrap();
    is_changed(desk, far, call, to).await;
}

async fn is_changed(
    desk: &mut Phone,
    far: &mut Provider,
    (ours, theirs): (CallHandle, CallHandle),
    to: &str,
) {
    let told = far
        .wait(|event| match event {
            Event::Reinvite { call, request } if *call == theirs => {
                Some(String::from_utf8(request.body.clone()).unwrap())
            }
            _ => None,
        })
        .await;
    assert!(told.contains(&format!("a={to}")), "{told}");
    let answer = match to {
        "sendonly" => format!("{SDP}a=recvonly\r\n"),
        _ => SDP.to_owned(),
    };
    let body = Some(Body::sdp(answer.as_str()));
    far.act(move |endpoint, now| endpoint.answer_reinvite(theirs, body, now))
        .await
        .unwrap();
    let status = desk
        .wait(|event| match event {
            Event::ReinviteAnswered { call, response } if *call == ours => Some(response.status),
            _ => None,
        })
        .await;
    assert_eq!(status, StatusCode::OK);
}

impl Scene {
    /// The desk has called Anna and put her on hold for Clara, who called over the other line; then it has put the three
    /// together.
    async fn together() -> Self {
        let home = home(|_, _| {}).await;
        let mut lines = [
            Provider::open(Transport::Udp).await,
            Provider::open(Transport::Udp).await,
        ];
        let now = hearthline_hub::clock::Clock::default().now();
        let clara = serde_json::from_value(json!({
            "name": "Clara", "numbers": [{"label": "home", "number": "+12025550142"}],
        }));
        let store = home.hub.store();
        store.add_contact(&clara.unwrap(), now).await.unwrap();
        // Whoever knows the lines knows her from here on.
        for (name, at) in [("Trunk", 0_u8), ("Second", 1)] {
            let server = lines[usize::from(at)].server();
            add(&home, &fields(name, at, &server, &json!({}))).await;
        }
        let account = home.account("Desk", None).await;
        let mut desk = home.phone(&account, Transport::Udp).await;
        let [first, second] = &mut lines;
        let ours = desk.call(ANNA).await;
        let (far, _) = first.called().await;
        first.accepts(far, Some(Body::sdp(SDP))).await;
        desk.answered(ours).await;
        let anna = (ours, far);
        let hub = lines_address(&home, Transport::Udp);
        let from = "<sip:+12025550142@provider.test>";
        let far = second.calls(&format!("sip:anyone@{hub}"), from, hub).await;
        let ours = desk.rings().await;
        changes(&mut desk, first, anna, "sendonly").await;
        desk.accept(ours).await;
        second.answered(far).await;
        desk.confirmed(ours).await;
        let clara = (ours, far);
        changes(&mut desk, first, anna, "sendrecv").await;
        Self {
            home,
            desk,
            lines,
            calls: [anna, clara],
        }
    }
}

#[tokio::test]
async fn who_hosts_it_and_hangs_up_ends_both() {
    let mut scene = Scene::together().await;
    let [anna, clara] = scene.calls;
    // Both change at once, as a device does whose network changed.
    let body = Body::sdp(format!("{DESKS}a=sendrecv\r\n").as_str());
    scene
        .desk
        .act(move |endpoint, now| {
            for (call, _) in [anna, clara] {
                endpoint.reinvite(call, body.clone(), now).unwrap();
            }
        })
        .await;
    let [first, second] = &mut scene.lines;
    is_changed(&mut scene.desk, first, anna, "sendrecv").await;
    let (_, theirs) = clara;
    second
        .wait(|event| {
            matches!(event, Event::Reinvite { call, .. } if *call == theirs).then_some(())
        })
        .await;
    second
        .act(move |endpoint, now| endpoint.answer_reinvite(theirs, Some(Body::sdp(SDP)), now))
        .await
        .unwrap();
    let ours = clara.0;
    scene
        .desk
        .wait(|event| {
            matches!(event, Event::ReinviteAnswered { call, .. } if *call == ours).then_some(())
        })
        .await;
    scene.desk.bye(anna.0).await;
    scene.desk.bye(clara.0).await;
    first.ended(anna.1).await;
    second.ended(clara.1).await;
    scene
        .home
        .call_row(|call| call.state == CallState::Ended)
        .await;
    let rows = scene.home.hub.store().calls(10).await.unwrap();
    let outside = |call: &&hearthline_hub::call::Call| call.direction == Direction::Outside;
    assert_eq!(rows.iter().filter(outside).count(), 0, "nobody was joined");
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn when_one_of_them_hangs_up_the_other_stays() {
    let mut scene = Scene::together().await;
    let [anna, clara] = scene.calls;
    let [first, second] = &mut scene.lines;
    second.hangs_up(clara.1).await;
    scene.desk.ended(clara.0).await;
    changes(&mut scene.desk, first, anna, "sendonly").await;
    changes(&mut scene.desk, first, anna, "sendrecv").await;
    scene.desk.bye(anna.0).await;
    first.ended(anna.1).await;
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn who_leaves_the_two_together_puts_one_through_to_the_other() {
    let mut scene = Scene::together().await;
    let [anna, clara] = scene.calls;
    let second = clara.0;
    let (_, replaces) = scene
        .desk
        .act(move |endpoint, _| endpoint.replaces(second))
        .await
        .unwrap();
    let mut wanted = TransferRequest::new(Uri::parse("sip:+12025550142@home.test").unwrap());
    wanted.refer_to.replaces = Some(replaces);
    let own = anna.0;
    scene
        .desk
        .act(move |endpoint, now| endpoint.refer(own, wanted, now))
        .await
        .unwrap();
    for (line, (_, far)) in scene.lines.iter_mut().zip([anna, clara]) {
        line.wait(|event| {
            matches!(event, Event::Reinvite { call, .. } if *call == far).then_some(())
        })
        .await;
        line.act(move |endpoint, now| endpoint.answer_reinvite(far, Some(Body::sdp(SDP)), now))
            .await
            .unwrap();
    }
    let done = scene
        .desk
        .wait(|event| match event {
            Event::Transfer {
                progress: TransferProgress::Ended(status),
                ..
            } => Some(*status),
            _ => None,
        })
        .await;
    assert_eq!(done, Some(StatusCode::OK));
    scene.desk.ended(clara.0).await;
    scene.lines[0].hangs_up(anna.1).await;
    scene.lines[1].ended(clara.1).await;
    let row = scene
        .home
        .call_row(|call| call.direction == Direction::Outside && call.ended_at_ms.is_some())
        .await;
    assert_eq!(row.ending, Some(Ending::HungUp));
    assert!(row.other_end.unwrap().contact.is_some(), "Clara is known");
    scene.home.hub.stop().await;
}
