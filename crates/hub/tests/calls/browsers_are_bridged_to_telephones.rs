//! Whose sound the hub carries over: that of a browser with a telephone, never that of two devices of the home. Nobody
//! is told a word of their own description where the hub does not stand in between, and what is between two devices
//! passes byte for byte.

use crate::telephone::{DOMAIN, Home, Phone};
use hearthline_hub::device::{DeviceFields, DeviceKind};
use hearthline_hub::join::{Membership, join};
use hearthline_hub::text::Name;
use hearthline_sip::endpoint::{Body, CallHandle, Event};
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::target::Transport;
use hearthline_sip::{HeaderName, Headers};

pub(crate) const PLAIN: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 40000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";

/// What a device says that protects its sound.
pub(crate) fn protected(setup: &str, number: u8) -> String {
    let print = vec![format!("{number:02X}"); 32].join(":");
    format!(
        "v=0\r\no=- 5 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 40004 UDP/TLS/RTP/SAVPF 0 126\r\n\
         c=IN IP4 127.0.0.1\r\na=rtpmap:126 telephone-event/8000\r\na=rtcp-mux\r\na=mid:0\r\n\
         a=ice-ufrag:abcd{number}\r\na=ice-pwd:abcdefghijklmnopqrstuvwx{number}\r\na=fingerprint:sha-256 {print}\r\n\
         a=setup:{setup}\r\na=candidate:1 1 UDP 2113937151 127.0.0.1 40004 typ host\r\na=sendrecv\r\n"
    )
}

/// What stands in a message: its session, and whether the hub said that it stands in between.
pub(crate) fn said(headers: &Headers, body: &[u8]) -> (String, bool) {
    let row = HeaderName::parse(b"Hearthline-Bridge").unwrap();
    let session = String::from_utf8(body.to_vec()).unwrap();
    (session, headers.contains(&row))
}

pub(crate) async fn rung(phone: &mut Phone) -> (CallHandle, (String, bool)) {
    phone
        .wait(|event| match event {
            Event::Incoming { call, request, .. } => {
                Some((*call, said(&request.headers, &request.body)))
            }
            _ => None,
        })
        .await
}

pub(crate) async fn accepts(phone: &Phone, call: CallHandle, session: &str) {
    let body = Body::sdp(session);
    phone
        .act(move |endpoint, now| endpoint.accept(call, Some(body), now))
        .await
        .unwrap();
}

pub(crate) async fn answered(phone: &mut Phone, wanted: CallHandle) -> (String, bool) {
    phone
        .wait(|event| match event {
            Event::Answered { call, response } if *call == wanted => {
                Some(said(&response.headers, &response.body))
            }
            _ => None,
        })
        .await
}

/// A browser that has joined, and is registered by WebSocket.
async fn browser(home: &Home, name: &str) -> Phone {
    let own = joins(home, name).await;
    let mut phone = Phone::web(home, &own).await.expect("an upgrade");
    phone.register().await.expect("registered");
    phone
}

/// A browser joins the home.
pub(crate) async fn joins(home: &Home, name: &str) -> Membership {
    let fields = DeviceFields {
        name: Name::new(name).unwrap(),
        room: None,
        person: None,
    };
    let invited = home.hub.invite(DeviceKind::Browser, fields).await.unwrap();
    let hub = home.hub.addresses()[0];
    let joined = join(hub, &invited.code, Some(home.hub.ca_fingerprint())).await;
    joined.unwrap()
}

fn profile(session: &str) -> String {
    let read = SessionDescription::parse(session.as_bytes()).unwrap();
    read.media[0].protocol.clone()
}

pub(crate) fn is_plain(session: &str) {
    assert_eq!(profile(session), "RTP/AVP");
    for gone in ["fingerprint", "candidate", "ice-", "mid", "40004"] {
        assert!(!session.contains(gone), "{gone}: {session}");
    }
}

pub(crate) fn is_of_the_hub(session: &str) {
    assert_eq!(profile(session), "UDP/TLS/RTP/SAVPF");
    for foreign in ["40000", "40004", "AA:AA:AA", "BB:BB:BB"] {
        assert!(!session.contains(foreign), "{foreign}: {session}");
    }
    assert!(session.contains("a=fingerprint:sha-256 ") && session.contains("a=candidate:"));
}

struct Scene {
    home: Home,
    tab: Phone,
    kitchen: Phone,
    desk: Phone,
}

/// In the study stand a speaker and a telephone.
async fn scene() -> Scene {
    let home = Home::new().await;
    let room = home.room("Study").await;
    let speaker = home.enrol("Kitchen", Some(room)).await;
    let tab = browser(&home, "Tab").await;
    let account = home.account("Desk", Some(room)).await;
    Scene {
        kitchen: home.device(&speaker).await,
        desk: home.phone(&account, Transport::Udp).await,
        tab,
        home,
    }
}

#[tokio::test]
async fn a_browser_and_a_telephone_are_told_of_the_hub_alone() {
    let mut scene = scene().await;
    let (tab, desk) = (&mut scene.tab, &mut scene.desk);
    let theirs = protected("actpass", 0xAA);
    let out = tab
        .call_describing(&format!("sip:desk@{DOMAIN}"), &theirs)
        .await;
    let (call, (offer, _)) = rung(desk).await;
    is_plain(&offer);
    accepts(desk, call, PLAIN).await;
    let (answer, bridged) = answered(tab, out).await;
    is_of_the_hub(&answer);
    assert!(bridged, "the browser is told");
    desk.confirmed(call).await;

    // Held by the telephone, then by the browser: it is the same bridge.
    let held = PLAIN.replace("o=- 1 1", "o=- 1 2") + "a=sendonly\r\n";
    let body = Body::sdp(held.as_str());
    desk.act(move |endpoint, now| endpoint.reinvite(call, body, now))
        .await
        .unwrap();
    let offered = tab
        .wait(|event| match event {
            Event::Reinvite { request, .. } => Some(said(&request.headers, &request.body).0),
            _ => None,
        })
        .await;
    is_of_the_hub(&offered);
    assert!(offered.contains("a=sendonly"), "{offered}");
    let print = |text: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with("a=fingerprint"))
            .unwrap();
        line.to_owned()
    };
    assert_eq!(print(&offered), print(&answer));
    let body = Body::sdp(protected("passive", 0xAA).replace("sendrecv", "recvonly"));
    tab.act(move |endpoint, now| endpoint.answer_reinvite(out, Some(body), now))
        .await
        .unwrap();
    let taken = desk
        .wait(|event| match event {
            Event::ReinviteAnswered { response, .. } => {
                Some(said(&response.headers, &response.body).0)
            }
            _ => None,
        })
        .await;
    is_plain(&taken);
    assert!(taken.contains("a=recvonly"), "{taken}");
    tab.bye(out).await;
    desk.ended(call).await;

    // The other way round.
    let out = desk
        .call_describing(&format!("sip:tab@{DOMAIN}"), PLAIN)
        .await;
    let (call, (offer, bridged)) = rung(tab).await;
    is_of_the_hub(&offer);
    assert!(bridged && offer.contains("a=setup:actpass"), "{offer}");
    accepts(tab, call, &protected("active", 0xAA)).await;
    let (answer, _) = answered(desk, out).await;
    is_plain(&answer);
    desk.bye(out).await;
    tab.ended(call).await;
    scene.home.hub.stop().await;
}

#[tokio::test]
async fn what_two_devices_say_to_each_other_passes_byte_for_byte() {
    let mut scene = scene().await;
    let mut second = browser(&scene.home, "Second tab").await;
    let kitchen = format!("sip:kitchen@{DOMAIN}");
    let tab = format!("sip:tab@{DOMAIN}");
    let (offer, answer) = (protected("actpass", 0xAA), protected("active", 0xBB));
    // Browser to speaker, speaker to browser, browser to browser; and a speaker that does not protect itself is
    // nobody's telephone.
    for caller in [&mut scene.tab, &mut second] {
        passes(caller, &mut scene.kitchen, &kitchen, &offer, &answer).await;
    }
    for offer in [offer.as_str(), PLAIN] {
        passes(&mut scene.kitchen, &mut scene.tab, &tab, offer, &answer).await;
        passes(&mut second, &mut scene.tab, &tab, offer, &answer).await;
    }
    scene.home.hub.stop().await;
}

async fn passes(caller: &mut Phone, callee: &mut Phone, uri: &str, offer: &str, answer: &str) {
    let out = caller.call_describing(uri, offer).await;
    let (call, told) = rung(callee).await;
    assert_eq!(told, (offer.to_owned(), false));
    accepts(callee, call, answer).await;
    assert_eq!(answered(caller, out).await, (answer.to_owned(), false));
    callee.confirmed(call).await;
    caller.bye(out).await;
    callee.ended(call).await;
}

#[tokio::test]
async fn in_a_room_with_both_the_speaker_hears_nothing_of_the_hub() {
    let mut scene = scene().await;
    let offer = protected("actpass", 0xAA);
    let study = format!("sip:study@{DOMAIN}");
    let out = scene.tab.call_describing(&study, &offer).await;
    let (_, (plain, _)) = rung(&mut scene.desk).await;
    let (at_kitchen, told) = rung(&mut scene.kitchen).await;
    is_plain(&plain);
    assert_eq!(told, (offer.clone(), false));
    // The speaker takes it: from end to end, as if there were no telephone.
    let answer = protected("active", 0xBB);
    accepts(&scene.kitchen, at_kitchen, &answer).await;
    assert_eq!(answered(&mut scene.tab, out).await, (answer, false));
    scene.kitchen.confirmed(at_kitchen).await;
    // Later descriptions pass, too.
    let held = offer.replace("sendrecv", "sendonly");
    let body = Body::sdp(held.as_str());
    scene
        .tab
        .act(move |endpoint, now| endpoint.reinvite(out, body, now))
        .await
        .unwrap();
    let told = scene
        .kitchen
        .wait(|event| match event {
            Event::Reinvite { request, .. } => Some(said(&request.headers, &request.body)),
            _ => None,
        })
        .await;
    assert_eq!(told, (held, false));
    scene.tab.bye(out).await;
    scene.kitchen.ended(at_kitchen).await;

    // The telephone takes it: by the hub, and the browser is told.
    let out = scene.tab.call_describing(&study, &offer).await;
    let (at_desk, _) = rung(&mut scene.desk).await;
    rung(&mut scene.kitchen).await;
    accepts(&scene.desk, at_desk, PLAIN).await;
    let (answer, bridged) = answered(&mut scene.tab, out).await;
    is_of_the_hub(&answer);
    assert!(bridged);
    scene.desk.confirmed(at_desk).await;
    scene.desk.bye(at_desk).await;
    scene.tab.ended(out).await;
    scene.home.hub.stop().await;
}
