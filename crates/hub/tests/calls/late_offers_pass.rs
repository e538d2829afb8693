//! Calls over lines that begin without an offer, and what a telephone's call for help leaves behind.

use std::time::{Duration, Instant};

use crate::lines::{Provider, SDP, add, fields, home, lines_address};
use crate::telephone::{Home, Phone};
use hearthline_hub::call::CallState;
use hearthline_hub::incident::{Incident, IncidentOutcome};
use hearthline_psap::{Behaviour, Print, PsapConfig};
use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::{Body, CallHandle, Event};
use hearthline_sip::target::Transport;
use serde_json::json;

const ANSWER: &str = "v=0\r\no=- 9 9 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 42000 RTP/AVP 0\r\n";

async fn desk(home: &Home) -> Phone {
    let account = home.account("Desk", None).await;
    home.phone(&account, Transport::Udp).await
}

/// The offer that came with the 200; then the answer goes with the ACK.
async fn answers_the_offer(phone: &mut Phone, call: CallHandle) -> Vec<u8> {
    let offer = phone.answered_with(call).await;
    phone
        .act(move |endpoint, now| endpoint.acknowledge_with(call, Some(&Body::sdp(ANSWER)), now))
        .await
        .unwrap();
    offer
}

/// The answer that came with the ACK.
fn acknowledged(event: &Event) -> Option<Vec<u8>> {
    match event {
        Event::Confirmed { ack, .. } => Some(ack.body.clone()),
        _ => None,
    }
}

/// The newest incident, once `enough` says so of it.
async fn incident(home: &Home, enough: impl Fn(&Incident) -> bool) -> Incident {
    let began = Instant::now();
    loop {
        let all = home.hub.store().incidents(10).await.unwrap();
        if let Some(incident) = all.iter().find(|incident| enough(incident)) {
            return incident.clone();
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{all:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn the_lines_offer_goes_to_the_telephone_and_its_answer_to_the_line() {
    let home = home(|_, _| {}).await;
    let mut trunk = Provider::open(Transport::Udp).await;
    add(&home, &fields("Trunk", 0, &trunk.server(), &json!({}))).await;
    let mut desk = desk(&home).await;
    let call = desk.call_without_offer("sip:03055501234@home.test").await;
    let (far, invite) = trunk.called().await;
    assert!(invite.body.is_empty(), "no offer was made up");
    let timer = invite.headers.session_expires().unwrap();
    assert!(timer.is_some(), "a session timer is asked for");
    trunk.accepts(far, Some(Body::sdp(SDP))).await;
    assert_eq!(answers_the_offer(&mut desk, call).await, SDP.as_bytes());
    assert_eq!(trunk.wait(acknowledged).await, ANSWER.as_bytes());
    home.call_row(|call| call.state == CallState::Confirmed)
        .await;
    trunk.hangs_up(far).await;
    desk.ended(call).await;
    // One that rings and is given up before the answer leaves nothing behind.
    let call = desk.call_without_offer("sip:03055501234@home.test").await;
    let (far, _) = trunk.called().await;
    trunk.rings(far).await;
    desk.progress(call).await;
    desk.bye(call).await;
    trunk.ended(far).await;
    home.hub.stop().await;
}

#[tokio::test]
async fn a_line_may_ring_the_home_without_an_offer() {
    let home = home(|_, _| {}).await;
    let mut trunk = Provider::open(Transport::Udp).await;
    add(&home, &fields("Trunk", 0, &trunk.server(), &json!({}))).await;
    let mut desk = desk(&home).await;
    let hub = lines_address(&home, Transport::Udp);
    let from = "<sip:+12025550123@provider.test>";
    let call = trunk
        .calls_without_offer("sip:desk@home.test", from, hub)
        .await;
    let (ringing, invite) = desk
        .wait(|event| match event {
            Event::Incoming { call, request, .. } => Some((*call, (**request).clone())),
            _ => None,
        })
        .await;
    assert!(invite.body.is_empty());
    desk.act(move |endpoint, now| endpoint.accept(ringing, Some(Body::sdp(SDP)), now))
        .await
        .unwrap();
    trunk.answered(call).await;
    trunk
        .act(move |endpoint, now| endpoint.acknowledge_with(call, Some(&Body::sdp(ANSWER)), now))
        .await
        .unwrap();
    assert_eq!(desk.wait(acknowledged).await, ANSWER.as_bytes());
    home.hub.stop().await;
}

#[tokio::test]
async fn a_telephone_that_calls_for_help_without_an_offer_reaches_the_call_taker_and_leaves_an_incident()
 {
    let home = home(|_, _| {}).await;
    let config = PsapConfig {
        sip_port: 0,
        http_port: 0,
        print: Print::Nothing,
        behaviours: vec![Behaviour::answering_after(Duration::from_millis(20))],
        ..PsapConfig::default()
    };
    let psap = hearthline_psap::start(config).await.unwrap();
    let tcp = psap.sip.iter().find(|(own, _)| *own == Transport::Tcp);
    let server = format!("sip:{};transport=tcp", tcp.unwrap().1);
    let drill = json!({"sip": {"drill": "service"}});
    add(&home, &fields("Drill", 0, &server, &drill)).await;
    let mut desk = desk(&home).await;
    let call = desk.call_without_offer("sip:112@home.test").await;
    let offer = answers_the_offer(&mut desk, call).await;
    assert!(offer.starts_with(b"v=0"), "the call-taker's offer");
    let answered = incident(&home, |one| one.report.outcome == IncidentOutcome::Answered).await;
    assert!(answered.report.drill);
    let report = psap.handle().reports().await.unwrap().pop().unwrap();
    assert_eq!(report.service.as_deref(), Some("urn:service:sos"));
    desk.bye(call).await;
    let ended = incident(&home, |one| one.report.entries == 4).await;
    assert_eq!(
        (ended.device, ended.report.number),
        (answered.device, answered.report.number)
    );
    assert_eq!(
        home.hub
            .store()
            .device(ended.device.unwrap())
            .await
            .unwrap()
            .fields
            .name
            .as_str(),
        "Desk"
    );
    psap.stop().await;
    home.hub.stop().await;
}

/// A line may answer in a reliable 183 and say nothing more in its 200 (RFC 6337 section 3.1.1): the call stands, an
/// ordinary one and one for help.
#[tokio::test]
async fn an_answer_in_a_reliable_183_is_the_answer() {
    let home = home(|_, _| {}).await;
    let mut trunk = Provider::open(Transport::Udp).await;
    let drill = json!({"sip": {"drill": "service"}});
    add(&home, &fields("Trunk", 0, &trunk.server(), &drill)).await;
    let mut desk = desk(&home).await;
    for dialled in ["sip:030-555-0123-4@home.test", "sip:112@home.test"] {
        let call = desk.call(dialled).await;
        let (far, _) = trunk.called().await;
        trunk
            .act(move |endpoint, now| {
                let body = Some(Body::sdp(SDP));
                endpoint.ring(far, StatusCode::SESSION_PROGRESS, body, true, now)
            })
            .await
            .unwrap();
        trunk.accepts(far, None).await;
        let answer = desk.answered_with(call).await;
        assert_eq!(answer, SDP.as_bytes(), "{dialled}");
        desk.bye(call).await;
        trunk.ended(far).await;
    }
    home.hub.stop().await;
}
