use std::time::Duration;

use hearthline_emergency::numbers::Country;
use hearthline_modem::dbus::Value;
use hearthline_modem::io::{ServeConfig, start};
use hearthline_modem::line::Event;
use hearthline_modem::service::{Health, MODEM, SIM, VOICE};
use hearthline_modem::stand_in::{MODEM_PATH, Plan, SIM_PATH, StandIn};
use hearthline_sip::endpoint::Body;

use crate::phone::{Outcome, Phone};
use crate::private_bus::{Home, PrivateBus};

#[tokio::test]
async fn a_service_becomes_the_countrys_number() {
    for (country, service, number) in [
        (Country::UnitedStates, "urn:service:sos", "911"),
        (Country::Germany, "urn:service:sos.police", "110"),
        (Country::Germany, "urn:service:sos.fire", "112"),
    ] {
        let Some(mut home) = Home::start_with(|config| config.country = country).await else {
            return;
        };
        let mut phone = Phone::new().await;
        let outcome = phone.call_uri(home.line.sip, service).await;
        assert_eq!(outcome, Outcome::Answered, "{service}");
        assert_eq!(home.modem.seen().await.dialled, [number]);
        home.event(|event| {
            matches!(
                event,
                Event::CallBegan {
                    emergency: true,
                    ..
                }
            )
        })
        .await;
    }
}

#[tokio::test]
async fn no_network_and_no_pin_do_not_keep_it_back() {
    let Some(mut home) = Home::start().await else {
        return;
    };
    let searching = Value::I32(7);
    home.modem.set(MODEM_PATH, MODEM, "State", searching).await;
    home.health(Health::NoNetwork).await;
    let mut phone = Phone::new().await;
    let line = home.line.sip;
    let ordinary = phone.call(line, "+12025550123").await;
    assert!(matches!(ordinary, Outcome::Refused(503, _)), "{ordinary:?}");
    assert_eq!(phone.call(line, "911").await, Outcome::Answered);
    phone.hang_up().await;
    home.end().await;
    let only = Value::Bool(true);
    home.modem
        .set(MODEM_PATH, MODEM, "State", Value::I32(8))
        .await;
    home.modem
        .set(MODEM_PATH, VOICE, "EmergencyOnly", only)
        .await;
    home.health(Health::EmergencyOnly).await;
    let ordinary = Phone::new().await.call(line, "+12025550123").await;
    let words = "emergency calls only".to_owned();
    assert_eq!(ordinary, Outcome::Refused(503, words));
    assert_eq!(
        Phone::new().await.call(line, "911").await,
        Outcome::Answered
    );
    assert_eq!(home.modem.seen().await.dialled, ["911", "911"]);
}

#[tokio::test]
async fn the_cards_own_numbers_are_emergencies_too() {
    let Some(mut home) = Home::start().await else {
        return;
    };
    let numbers = Value::strings(["08"]);
    home.modem
        .set(SIM_PATH, SIM, "EmergencyNumbers", numbers)
        .await;
    let only = Value::Bool(true);
    home.modem
        .set(MODEM_PATH, VOICE, "EmergencyOnly", only)
        .await;
    home.health(Health::EmergencyOnly).await;
    let mut phone = Phone::new().await;
    assert_eq!(phone.call(home.line.sip, "08").await, Outcome::Answered);
}

#[tokio::test]
async fn an_ordinary_call_gives_way() {
    let Some(home) = Home::start().await else {
        return;
    };
    let line = home.line.sip;
    let mut chat = Phone::new().await;
    assert_eq!(chat.call(line, "+12025550123").await, Outcome::Answered);
    let mut help = Phone::new().await;
    assert_eq!(help.call(line, "911").await, Outcome::Answered);
    assert!(chat.ends().await);
    assert_eq!(home.modem.seen().await.dialled, ["+12025550123", "911"]);
    // And nothing gives way to an ordinary one, nor a first emergency to a second.
    for number in ["+12025550124", "911"] {
        let other = Phone::new().await.call(line, number).await;
        assert!(matches!(other, Outcome::Refused(486, _)), "{other:?}");
    }
    help.talk(Duration::from_millis(300)).await;
    assert!(!help.ended);
}

#[tokio::test]
async fn a_connected_call_without_sound_counts_as_refused() {
    let Some(home) = Home::start().await else {
        return;
    };
    for plan in [Plan::WithoutSound, Plan::SilentSound] {
        home.modem.set_plan(plan).await;
        let outcome = Phone::new().await.call(home.line.sip, "911").await;
        let words = "connected, but without sound".to_owned();
        assert_eq!(outcome, Outcome::Refused(503, words));
    }
}

#[tokio::test]
async fn the_body_of_an_emergency_call_is_read_for_its_session() {
    let Some(home) = Home::start().await else {
        return;
    };
    let mut phone = Phone::new().await;
    let line = home.line.sip;
    let offer = phone.offer();
    let mut body = b"--b\r\nContent-Type: application/pidf+xml\r\n\r\n<presence/>\r\n--b\r\nContent-Type: application/sdp\r\n\r\n".to_vec();
    body.extend(offer.to_bytes());
    body.extend(b"\r\n--b--\r\n");
    let body = Body::new("multipart/mixed; boundary=b", body);
    phone.dial_with(line, "urn:service:sos", body);
    let outcome = phone.outcome(&offer, Duration::from_secs(5)).await;
    assert_eq!(outcome, Outcome::Answered);
}

/// Invariant 6: what is not marked as a stand-in is never rung, whatever is asked.
#[tokio::test]
async fn a_modem_that_is_not_marked_is_never_rung() {
    let Some(bus) = PrivateBus::start() else {
        return;
    };
    let modem = StandIn::start_unmarked(bus.address()).await.unwrap();
    let mut phone = Phone::new().await;
    let mut config = ServeConfig::new(bus.address());
    config.ring = Some(phone.address);
    let line = start(config).await.unwrap();
    let mut home = Home { line, modem, bus };
    home.health(Health::NotAStandIn).await;
    for uri in [
        "urn:service:sos",
        "sip:911@127.0.0.1",
        "sip:+12025550123@127.0.0.1",
    ] {
        let outcome = phone.call_uri(home.line.sip, uri).await;
        assert!(matches!(outcome, Outcome::Refused(503, _)), "{outcome:?}");
    }
    home.modem.ring("+12025550142").await;
    home.modem.text("+12025550142", "hello").await;
    phone.talk(Duration::from_millis(400)).await;
    let seen = home.modem.seen().await;
    assert_eq!(seen.dialled, [""; 0]);
    assert_eq!((seen.calls, seen.connected), (1, 0), "not even answered");
    assert_eq!(seen.stored, 1, "nor deleted");
    let number = hearthline_modem::number::PhoneNumber::new("+12025550142").unwrap();
    assert!(home.line.send_text(number, "hello").await.is_err());
    assert_eq!(home.modem.seen().await.texts, []);
}
