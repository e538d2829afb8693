//! A SIP line that does not work gives way to the home's mobile modem, and a mobile call rings the home: with our stand-in
//! for ModemManager on a real D-Bus. No real modem was at hand.

use std::time::{Duration, Instant};

use crate::lines::{Provider, add, fields, home, lines_address, until};
use crate::private_bus;
use crate::telephone::Phone;
use hearthline_emergency::numbers::Country;
use hearthline_hub::call::CallState;
use hearthline_hub::line::LineHealth;
use hearthline_sip::endpoint::{Body, Event};
use hearthline_sip::target::Transport;
use serde_json::json;

const SESSION: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 42000 RTP/AVP 0\r\na=sendrecv\r\n";

#[tokio::test]
async fn within_three_seconds_and_in_the_persons_order() {
    let home = home(|_, _| {}).await;
    let ring = lines_address(&home, Transport::Udp);
    let modem = private_bus::Home::start_with(|config| {
        config.ring = Some(ring);
        config.country = Country::Germany;
    });
    let Some(mobile) = modem.await else {
        return;
    };
    // The first line says nothing at all: a socket that nobody reads.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let server = format!("sip:{}", silent.local_addr().unwrap());
    let trunk = fields("Trunk", 0, &server, &json!({}));
    let now = hearthline_hub::clock::Clock::default().now();
    let store = home.hub.store();
    let dead = store.add_line(&trunk, now).await.unwrap().id;
    let kind = json!({"kind": "modem"});
    let line = fields("Mobile", 1, &format!("sip:{}", mobile.line.sip), &kind);
    let line = add(&home, &line).await;
    until(&home, line, |line| line.health == LineHealth::Up).await;
    let account = home.account("Desk", None).await;
    let mut desk: Phone = home.phone(&account, Transport::Udp).await;
    let began = Instant::now();
    let call = desk
        .call_describing("sip:030-555-0123-4@home.test", SESSION)
        .await;
    desk.answered(call).await;
    let took = began.elapsed();
    println!("answered over the modem {took:?} after dialling");
    assert!(
        took < Duration::from_secs(4),
        "2 s of patience, and the stand-in's own"
    );
    let row = home
        .call_row(|call| call.state == CallState::Confirmed)
        .await;
    assert_eq!(row.line, Some(line));
    assert_eq!(mobile.modem.seen().await.connected, 1);
    desk.bye(call).await;
    until(&home, dead, |line| line.health == LineHealth::Down).await;
    // Known not to work: the modem is called at once.
    let began = Instant::now();
    let call = desk
        .call_describing("sip:030-555-0123-4@home.test", SESSION)
        .await;
    desk.answered(call).await;
    assert!(began.elapsed() < Duration::from_secs(2));
    desk.bye(call).await;
    home.call_row(|call| call.state == CallState::Ended).await;
    // And the other way round: who calls the mobile rings the home, over the line that it came by.
    tokio::time::sleep(Duration::from_millis(300)).await;
    mobile.modem.ring("+12025550142").await;
    let ringing = desk.rings().await;
    desk.act(move |endpoint, now| endpoint.accept(ringing, Some(Body::sdp(SESSION)), now))
        .await
        .unwrap();
    desk.wait(|event| matches!(event, Event::Confirmed { .. }).then_some(()))
        .await;
    let row = home
        .call_row(|call| call.state == CallState::Confirmed)
        .await;
    assert_eq!(row.line, Some(line));
    assert_eq!(row.number.unwrap().as_str(), "+12025550142");
    home.hub.stop().await;
}

#[tokio::test]
async fn a_modem_without_its_card_gives_way_to_the_next_line() {
    let home = home(|_, _| {}).await;
    let Some(mut mobile) = private_bus::Home::start().await else {
        return;
    };
    let locked = hearthline_modem::dbus::Value::U32(2);
    let place = hearthline_modem::stand_in::MODEM_PATH;
    let interface = hearthline_modem::service::MODEM;
    mobile
        .modem
        .set(place, interface, "UnlockRequired", locked)
        .await;
    let lock = hearthline_modem::service::Lock::SimPin;
    mobile
        .health(hearthline_modem::service::Health::SimLocked(lock))
        .await;
    let kind = json!({"kind": "modem"});
    let line = fields("Mobile", 0, &format!("sip:{}", mobile.line.sip), &kind);
    let line = add(&home, &line).await;
    let seen = until(&home, line, |line| line.health == LineHealth::Down).await;
    assert!(seen.trouble.is_some());
    let mut trunk = Provider::open(Transport::Udp).await;
    add(&home, &fields("Trunk", 1, &trunk.server(), &json!({}))).await;
    let account = home.account("Desk", None).await;
    let mut desk = home.phone(&account, Transport::Udp).await;
    let call = desk
        .call_describing("sip:030-555-0123-4@home.test", SESSION)
        .await;
    let (far, _) = trunk.called().await;
    trunk.accepts(far, Some(Body::sdp(crate::lines::SDP))).await;
    desk.answered(call).await;
    assert_eq!(mobile.modem.seen().await.connected, 0);
    home.hub.stop().await;
}
