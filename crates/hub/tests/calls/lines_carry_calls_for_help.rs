//! Calls for help over the home's line, in drill: as the caller wrote them, to the first drill line that works, with the
//! call-taker's callback to the device that called.

use std::time::{Duration, Instant};

use crate::lines::{Provider, SDP, add, fields, home, lines_address};
use crate::telephone::{DOMAIN, Home, Phone};
use hearthline_emergency::civic::CivicAddress;
use hearthline_emergency::geodetic::{Position, Shape};
use hearthline_emergency::invite::{Content, InviteRequest as EmergencyRequest};
use hearthline_emergency::line::Line;
use hearthline_emergency::profile::{DeviceProfile, EmergencyProfile, SubscriberProfile};
use hearthline_emergency::service::{DrillService, ServiceUrn};
use hearthline_emergency::target::{DrillTargets, SipUri};
use hearthline_emergency::timestamp::Timestamp;
use hearthline_hub::call::{CallState, Direction};
use hearthline_psap::{Behaviour, CallReport, Print, PsapConfig, Running};
use hearthline_sip::endpoint::{Body, CallHandle, Event, InviteRequest};
use hearthline_sip::multipart::{self, MultipartLimits, Part, find_by_type};
use hearthline_sip::target::{Target, Transport};
use hearthline_sip::{HeaderName, NameAddr, Request};
use serde_json::json;

fn now() -> hearthline_hub::clock::UnixMs {
    hearthline_hub::clock::Clock::default().now()
}

fn profile() -> EmergencyProfile {
    let civic = [
        ("country", "US"),
        ("A1", "NM"),
        ("A3", "Tijeras"),
        ("RD", "Juniper Road"),
        ("HNO", "12"),
    ];
    EmergencyProfile {
        civic: Some(CivicAddress::from_pairs(civic).unwrap()),
        shape: Some(Shape::circle(Position::new(35.08, -106.38).unwrap(), 30.0).unwrap()),
        identity: SipUri::parse("sip:home@example.test").unwrap(),
        contact: SipUri::parse("sip:home@127.0.0.1").unwrap(),
        callback_number: Some("tel:+15055550142".to_owned()),
        display_name: "Home".to_owned(),
        domain: "home.example.test".to_owned(),
        device: DeviceProfile {
            name: "Hub".to_owned(),
            manufacturer: "Hearthline".to_owned(),
            model: "hub".to_owned(),
            key_id: "key-0142".to_owned(),
        },
        subscriber: SubscriberProfile {
            full_name: "Test Household".to_owned(),
            languages: vec!["en".to_owned()],
            privacy_requested: false,
        },
        service_types: Vec::new(),
    }
}

/// Calls as our speaker does: location and data beside the session.
async fn calls_like_a_speaker(home: &Home, phone: &Phone) -> (CallHandle, Vec<u8>) {
    let permit = DrillService::new(ServiceUrn::SOS, DrillTargets::loopback()).unwrap();
    let hub = home.address(Transport::Tcp);
    let target = SipUri::parse(&format!("sip:{hub}")).unwrap();
    let mut own = profile();
    own.identity = SipUri::parse(&format!("sip:{}@{DOMAIN}", phone.user)).unwrap();
    let built = EmergencyRequest {
        permit: &permit,
        profile: &own,
        line: &Line::new("hub", target.clone(), Vec::new()),
        next_hop: &target,
        route: None,
        call_token: "speaker0001",
        content: Content::Full,
        sdp: Some(SDP.as_bytes()),
        wall: Timestamp::from_unix_ms(1_800_000_000_000),
    }
    .build();
    let parts: Vec<Part> = built.parts.iter().cloned().map(Part::from).collect();
    let (kind, bytes) = multipart::build(&parts);
    let address = |name: &str| NameAddr::parse(built.header(name).unwrap()).unwrap();
    let mut request = InviteRequest::new(
        built.request_uri.parse().unwrap(),
        address("From"),
        address("To"),
        Target::new(Transport::Tcp, hub),
    );
    for (name, value) in &built.headers {
        if !["To", "From", "Contact"].contains(name) {
            let name = HeaderName::parse(name.as_bytes()).unwrap();
            request.headers.push((name, value.clone().into_bytes()));
        }
    }
    request.body = Some(Body::new(kind, bytes.clone()));
    let call = phone.act(move |endpoint, now| endpoint.invite(request, now));
    (call.await.unwrap(), bytes)
}

async fn psap() -> Running {
    let config = PsapConfig {
        sip_port: 0,
        http_port: 0,
        calls_max: 4,
        print: Print::Nothing,
        behaviours: vec![Behaviour::answering_after(Duration::from_millis(20))],
        ..PsapConfig::default()
    };
    hearthline_psap::start(config).await.unwrap()
}

fn server_of(psap: &Running) -> String {
    let tcp = psap.sip.iter().find(|(own, _)| *own == Transport::Tcp);
    format!("sip:{};transport=tcp", tcp.unwrap().1)
}

async fn report(psap: &Running) -> CallReport {
    psap.handle().reports().await.unwrap().pop().unwrap()
}

/// What a call-taker needs to know, each as it should be.
fn facts_are_good(report: &CallReport) {
    for name in [
        "request-uri",
        "to",
        "from",
        "contact",
        "identity",
        "priority",
        "geolocation",
        "geolocation-routing",
        "pidf-lo",
        "location-civic",
        "location-geodetic",
        "location-source",
        "data-provider",
        "data-service",
        "data-device",
        "data-subscriber",
        "data-comment",
        "data-reference",
        "unique-device-id",
        "drill",
        "sdp",
        "audio-both-ways",
    ] {
        let fact = report.fact(name).unwrap_or_else(|| panic!("no {name}"));
        assert!(fact.ok, "{fact:?}");
    }
    assert!(report.drill);
}

async fn phone(home: &Home, name: &str, transport: Transport) -> Phone {
    let account = home.account(name, None).await;
    home.phone(&account, transport).await
}

#[tokio::test]
async fn a_device_s_call_reaches_the_call_taker_as_it_was_written() {
    let home = home(|_, _| {}).await;
    let psap = psap().await;
    // The first line is mute, the second is no drill line, the third has the call-taker.
    let mute = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let mute = format!("sip:{}", mute.local_addr().unwrap());
    let drill = json!({"sip": {"drill": "service"}});
    let mut ordinary = Provider::open(Transport::Udp).await;
    let last = add(&home, &fields("Drill", 2, &server_of(&psap), &drill)).await;
    add(
        &home,
        &fields("Provider", 1, &ordinary.server(), &json!({})),
    )
    .await;
    let store = home.hub.store();
    store
        .add_line(&fields("Mute", 0, &mute, &drill), now())
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut kitchen = phone(&home, "Kitchen", Transport::Tcp).await;
    let began = Instant::now();
    let (call, _) = calls_like_a_speaker(&home, &kitchen).await;
    kitchen.answered(call).await;
    let took = began.elapsed();
    println!(
        "dead line, then answered by the call-taker after {} ms",
        took.as_millis()
    );
    assert!(took < Duration::from_secs(3), "{took:?}");
    facts_are_good(&report(&psap).await);
    let row = home
        .call_row(|call| call.state == CallState::Confirmed && call.line == Some(last))
        .await;
    assert!(row.emergency && row.direction == Direction::Outgoing);
    assert!(row.device.is_some() && row.number.is_none());
    kitchen.bye(call).await;
    home.call_row(|call| call.ended_at_ms.is_some()).await;
    assert!(!ordinary.was_called(), "an ordinary line carried a drill");
    home.hub.stop().await;
}

#[tokio::test]
async fn body_and_rows_pass_byte_for_byte() {
    let home = home(|_, _| {}).await;
    let mut taker = Provider::open(Transport::Tcp).await;
    let drill = json!({"sip": {"drill": "service"}});
    add(&home, &fields("Drill", 0, &taker.server(), &drill)).await;
    let mut kitchen = phone(&home, "Kitchen", Transport::Tcp).await;
    let (call, body) = calls_like_a_speaker(&home, &kitchen).await;
    let (far, invite) = taker.called().await;
    assert_eq!(invite.body, body);
    assert_eq!(invite.uri.to_string(), "urn:service:sos");
    let all = |name: &str| {
        let name = HeaderName::parse(name.as_bytes()).unwrap();
        let rows = invite.headers.get_all(&name);
        rows.map(|row| String::from_utf8(row.to_vec()).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        all("Geolocation"),
        ["<cid:speaker0001.location@home.example.test>"]
    );
    assert_eq!(all("Geolocation-Routing"), ["yes"]);
    assert_eq!(all("Call-Info").len(), 5);
    assert_eq!(all("Emergency-Drill"), ["yes"]);
    assert_eq!(all("Priority"), ["emergency"]);
    assert_eq!(
        all("P-Asserted-Identity"),
        [format!("<sip:{}@{DOMAIN}>", kitchen.user)]
    );
    taker.rings(far).await;
    kitchen.progress(call).await;
    // The caller hangs up before the answer: the line hears so.
    kitchen.bye(call).await;
    taker.ended(far).await;
    home.hub.stop().await;
}

#[tokio::test]
async fn a_telephone_that_dials_112_brings_the_homes_location() {
    let home = home(|config, _| config.profile = Some(profile())).await;
    let psap = psap().await;
    let drill = json!({"sip": {"drill": "service"}});
    add(&home, &fields("Drill", 0, &server_of(&psap), &drill)).await;
    let account = home.account("Desk", None).await;
    let mut desk = home.phone(&account, Transport::Udp).await;
    let call = desk.call(&format!("sip:112@{DOMAIN}")).await;
    desk.answered(call).await;
    let first = report(&psap).await;
    facts_are_good(&first);
    assert_eq!(first.service.as_deref(), Some("urn:service:sos"));
    desk.bye(call).await;
    // Nobody is asked who they are: not a telephone with a wrong password, not one that the hub has never seen.
    let mut nobody = Phone::with(&home, "nobody", Vec::new(), Transport::Tcp).await;
    let call = nobody.call("sip:1-1-0@127.0.0.1;user=phone").await;
    nobody.answered(call).await;
    let second = report(&psap).await;
    facts_are_good(&second);
    assert_eq!(second.service.as_deref(), Some("urn:service:sos.police"));
    nobody.bye(call).await;
    home.hub.stop().await;
}

#[tokio::test]
async fn a_line_that_knows_numbers_gets_the_number_and_less_when_it_wants_less() {
    let home = home(|config, _| config.profile = Some(profile())).await;
    let mut adapter = Provider::asking(Transport::Udp, "anna").await;
    let more = json!({"kind": "landline", "sip": {"drill": "number", "username": "anna"}});
    add(&home, &fields("Trunk", 0, &adapter.server(), &more)).await;
    let mut desk = phone(&home, "Desk", Transport::Udp).await;
    let call = desk.call("urn:service:sos.fire").await;
    let (far, invite) = adapter.called().await;
    assert_eq!(invite.uri.to_string(), format!("sip:112@{}", adapter.local));
    let from = invite.headers.from().unwrap().uri.to_string();
    assert_eq!(from, format!("sip:anna@{}", adapter.local));
    assert!(has_location(&invite));
    adapter.refuses(far, 415).await;
    let (far, invite) = adapter.called().await;
    assert!(!has_location(&invite));
    assert!(String::from_utf8_lossy(&invite.body).starts_with("v=0"));
    let drill = HeaderName::parse(b"Emergency-Drill").unwrap();
    assert_eq!(invite.headers.get_str(&drill), Some("yes"));
    adapter.accepts(far, Some(Body::sdp(SDP))).await;
    desk.answered(call).await;
    // The call-taker hangs up.
    adapter.hangs_up(far).await;
    desk.ended(call).await;
    home.hub.stop().await;
}

fn has_location(invite: &Request) -> bool {
    let parts = multipart::parts_of(&invite.headers, &invite.body, &MultipartLimits::default());
    find_by_type(&parts.unwrap(), "application/pidf+xml").is_some()
        && invite.headers.contains(&HeaderName::Geolocation)
}

#[tokio::test]
async fn a_line_that_only_says_100_is_kept_while_the_next_is_called() {
    let home = home(|config, _| config.timers.help_trying_max = Duration::from_millis(500)).await;
    let mut first = Provider::open(Transport::Udp).await;
    let mut second = Provider::open(Transport::Udp).await;
    let drill = json!({"sip": {"drill": "service"}});
    add(&home, &fields("First", 0, &first.server(), &drill)).await;
    add(&home, &fields("Second", 1, &second.server(), &drill)).await;
    let mut desk = phone(&home, "Desk", Transport::Udp).await;
    let call = desk.call("urn:service:sos").await;
    let (kept, _) = first.called().await;
    let (other, _) = second.called().await;
    second.rings(other).await;
    desk.progress(call).await;
    // The first wakes up, and wins.
    first.accepts(kept, Some(Body::sdp(SDP))).await;
    desk.answered(call).await;
    second.ended(other).await;
    desk.bye(call).await;
    first.ended(kept).await;
    // Whatever a line refuses with, the next is called; when all have refused the caller is told, and takes its own.
    let call = desk.call("urn:service:sos").await;
    let (far, _) = first.called().await;
    first.refuses(far, 603).await;
    let (far, _) = second.called().await;
    second.refuses(far, 486).await;
    assert!(desk.failure(call).await.is_some());
    home.hub.stop().await;
}

#[tokio::test]
async fn without_a_drill_line_the_caller_is_told_at_once() {
    let home = home(|_, _| {}).await;
    let mut trunk = Provider::open(Transport::Udp).await;
    let mut off = Provider::open(Transport::Udp).await;
    add(&home, &fields("Trunk", 0, &trunk.server(), &json!({}))).await;
    let drill = json!({"enabled": false, "sip": {"drill": "service"}});
    let store = home.hub.store();
    store
        .add_line(&fields("Off", 1, &off.server(), &drill), now())
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut desk = phone(&home, "Desk", Transport::Udp).await;
    for uri in [
        "urn:service:sos",
        "sip:112@home.test",
        "tel:110;phone-context=+49",
    ] {
        let began = Instant::now();
        assert_eq!(desk.refused(uri).await.code(), 503, "{uri}");
        assert!(began.elapsed() < Duration::from_millis(500));
    }
    assert!(!trunk.was_called() && !off.was_called());
    home.hub.stop().await;
}

#[tokio::test]
async fn the_call_takers_callback_rings_the_device_that_called_through_every_list() {
    let home = home(|_, _| {}).await;
    let study = home.room("study").await;
    let mut taker = Provider::open(Transport::Udp).await;
    // The line rings the study, and nobody who is unknown; the call-taker's number is even blocked.
    let more = json!({
        "unknown_callers": "busy", "ring_rooms": [study.to_string()], "sip": {"drill": "service"},
    });
    add(&home, &fields("Drill", 0, &taker.server(), &more)).await;
    let blocked = json!({
        "name": "Pest", "screening": "block",
        "numbers": [{"label": "work", "number": "+12025550177"}],
    });
    let store = home.hub.store();
    let blocked = serde_json::from_value(blocked).unwrap();
    store.add_contact(&blocked, now()).await.unwrap();
    let in_study = home.account("Study", Some(study)).await;
    let mut in_study = home.phone(&in_study, Transport::Udp).await;
    let account = home.account("Kitchen", None).await;
    // Its own calls go elsewhere, that number's are declined, and it is not to be disturbed.
    let wishes = json!({
        "do_not_disturb": true, "forward": {"called": "study"}, "blocked_numbers": ["+12025550177"],
    });
    let wishes = serde_json::from_value(wishes).unwrap();
    let kitchen = hearthline_hub::person::Party::Device(account.device);
    store
        .set_call_settings(kitchen, &wishes, now())
        .await
        .unwrap();
    let mut kitchen = home.phone(&account, Transport::Tcp).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    let hub = lines_address(&home, Transport::Udp);
    let to = format!("sip:home@{hub}");
    let psap = "<sip:+12025550177@psap.test>";
    // Before any emergency the lists hold.
    let call = taker.calls(&to, psap, hub).await;
    assert_eq!(taker.refused(call).await, 603);
    let call = kitchen.call("urn:service:sos").await;
    let (far, _) = taker.called().await;
    taker.accepts(far, Some(Body::sdp(SDP))).await;
    kitchen.answered(call).await;
    taker.hangs_up(far).await;
    kitchen.ended(call).await;
    home.call_row(|call| call.ended_at_ms.is_some()).await;
    for from in [psap, "<sip:anonymous@anonymous.invalid>"] {
        let back = taker.calls(&to, from, hub).await;
        let (rang, invite) = kitchen
            .wait(|event| match event {
                Event::Incoming { call, request, .. } => Some((*call, (**request).clone())),
                _ => None,
            })
            .await;
        assert_eq!(
            invite.headers.get_str(&HeaderName::Priority),
            Some("psap-callback")
        );
        let text = String::from_utf8(invite.to_bytes()).unwrap();
        assert!(!text.contains("Hearthline-Callback"), "{text}");
        kitchen.accept(rang).await;
        taker.answered(back).await;
        taker.hangs_up(back).await;
        kitchen.ended(rang).await;
    }
    assert!(in_study.hears_nothing(Duration::ZERO).await);
    // A hub that was restarted in between still knows.
    drop((in_study, kitchen));
    let Home { hub, folder, sip } = home;
    hub.stop().await;
    let hub = crate::lines::start(
        folder.path(),
        &sip,
        hearthline_hub::gateway::LinesConfig::default(),
    )
    .await;
    let home = Home { hub, folder, sip };
    let mut kitchen = home.phone(&account, Transport::Udp).await;
    let hub = lines_address(&home, Transport::Udp);
    let back = taker.calls(&format!("sip:home@{hub}"), psap, hub).await;
    let rang = kitchen.rings().await;
    kitchen.accept(rang).await;
    taker.answered(back).await;
    taker.hangs_up(back).await;
    kitchen.ended(rang).await;
    home.hub.stop().await;
}
