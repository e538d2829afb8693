use std::time::Duration;

use hearthline_modem::dbus::Value;
use hearthline_modem::io::TextRefused;
use hearthline_modem::line::Event;
use hearthline_modem::number::PhoneNumber;
use hearthline_modem::service::{Health, MODEM};
use hearthline_modem::stand_in::MODEM_PATH;
use hearthline_modem::text_message::{SENT_PER_HOUR_MAX, TextError};
use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::Body;

use crate::phone::Phone;
use crate::private_bus::Home;

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::new(text).unwrap()
}

#[tokio::test]
async fn a_text_that_comes_is_told_once_and_deleted_when_it_is_kept() {
    let Some(mut home) = Home::start().await else {
        return;
    };
    home.modem
        .text("+12025550142", "Dinner at 7?\n\u{7}Bring ☕")
        .await;
    let event = home
        .event(|event| matches!(event, Event::Text { .. }))
        .await;
    let Event::Text { handle, message } = event else {
        unreachable!("asked for that");
    };
    assert_eq!(message.number, Some(number("+12025550142")));
    assert_eq!(message.text, "Dinner at 7?\nBring ☕");
    assert_eq!(message.sent, "2026-11-23T01:02:03+00");
    assert!(!format!("{message:?}").contains("Dinner"));
    assert_eq!(home.modem.seen().await.stored, 1, "not kept yet");
    home.line.text_kept(handle).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(home.modem.seen().await.stored, 0);
    assert!(home.line.events.try_recv().is_err(), "told once");
}

#[tokio::test]
async fn a_text_in_parts_is_told_when_it_is_whole() {
    let Some(mut home) = Home::start().await else {
        return;
    };
    home.modem.text_in_parts("Bank", "").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let told = std::iter::from_fn(|| home.line.events.try_recv().ok());
    assert!(
        !told
            .into_iter()
            .any(|event| matches!(event, Event::Text { .. }))
    );
    home.modem.complete_text().await;
    let event = home
        .event(|event| matches!(event, Event::Text { .. }))
        .await;
    let Event::Text { message, .. } = event else {
        unreachable!("asked for that");
    };
    assert_eq!(message.number, None);
    assert_eq!(message.name.as_deref(), Some("Bank"));
    assert_eq!(message.text, "the first part, the second");
}

#[tokio::test]
async fn texts_that_were_not_kept_are_told_again_after_a_restart() {
    let Some(mut home) = Home::start().await else {
        return;
    };
    home.modem.text("+12025550142", "first").await;
    home.event(|event| matches!(event, Event::Text { .. }))
        .await;
    let config = hearthline_modem::io::ServeConfig::new(home.bus.address());
    home.line = hearthline_modem::io::start(config).await.unwrap();
    home.event(|event| matches!(event, Event::Text { message, .. } if message.text == "first"))
        .await;
}

#[tokio::test]
async fn a_text_is_sent_or_said_to_have_failed() {
    let Some(mut home) = Home::start().await else {
        return;
    };
    let to = number("+12025550142");
    let sent = home.line.send_text(to.clone(), "On my way").await.unwrap();
    let over = |event: &Event| matches!(event, Event::TextSent(_) | Event::TextFailed(_));
    assert_eq!(home.event(over).await, Event::TextSent(sent));
    let texts = home.modem.seen().await.texts;
    assert_eq!(texts, [("+12025550142".to_owned(), "On my way".to_owned())]);
    home.modem.fail_texts(true).await;
    let failed = home.line.send_text(to, "Again").await.unwrap();
    assert_eq!(home.event(over).await, Event::TextFailed(failed));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(home.modem.seen().await.stored, 0, "ours are taken off too");
}

#[tokio::test]
async fn texts_have_limits() {
    let Some(mut home) = Home::start().await else {
        return;
    };
    let to = number("+12025550142");
    let refused = |error| Err(TextRefused::Line(error));
    let send = |to: &PhoneNumber, text: &str| home.line.send_text(to.clone(), text.to_owned());
    assert_eq!(send(&to, " ").await, refused(TextError::Empty));
    assert_eq!(
        send(&to, &"x".repeat(1_501)).await,
        refused(TextError::Long)
    );
    assert_eq!(
        send(&number("911"), "help").await,
        refused(TextError::Emergency)
    );
    for _ in 0..SENT_PER_HOUR_MAX {
        send(&to, "x").await.unwrap();
    }
    assert_eq!(send(&to, "x").await, refused(TextError::TooMany));
    let locked = Value::U32(2);
    home.modem
        .set(MODEM_PATH, MODEM, "UnlockRequired", locked)
        .await;
    let locked = Health::SimLocked(hearthline_modem::service::Lock::SimPin);
    home.health(locked).await;
    let outcome = home.line.send_text(to, "x".to_owned()).await;
    assert_eq!(outcome, refused(TextError::NotReady(locked)));
}

fn plain(text: &str) -> Body {
    Body::new("text/plain;charset=utf-8", text.as_bytes())
}

#[tokio::test]
async fn the_home_is_told_of_a_text_and_the_modem_keeps_it_until_the_home_has_it() {
    let mut hub = Phone::new().await;
    let ring = hub.address;
    let Some(home) = Home::start_with(|config| config.ring = Some(ring)).await else {
        return;
    };
    home.modem
        .text("+12025550142", "Dinner at 7?\nBring ☕")
        .await;
    let told = hub.reads(StatusCode::OK).await;
    let from = told.headers.from().unwrap();
    let from = from.uri.to_string();
    assert!(from.starts_with("sip:+12025550142@127.0.0.1"), "{from}");
    assert_eq!(told.body, "Dinner at 7?\nBring ☕".as_bytes());
    let sent = hearthline_sip::HeaderName::parse(b"Hearthline-Sent").unwrap();
    assert_eq!(told.headers.get_str(&sent), Some("2026-11-23T01:02:03+00"));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(home.modem.seen().await.stored, 0, "the home has it");
    // Who has no number is called by the name that the network gave.
    home.modem.text("Bank", "Code 1234").await;
    let told = hub.reads(StatusCode::SERVICE_UNAVAILABLE).await;
    let from = told.headers.from().unwrap();
    assert_eq!(from.display.as_deref(), Some("Bank"));
    assert!(from.uri.to_string().contains("anonymous"));
    assert_eq!(home.modem.seen().await.stored, 1, "kept for another try");
    // Told by name that nobody wants it: it is not told again.
    home.modem.text("+12025550143", "Buy now").await;
    hub.reads(StatusCode::DECLINE).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(home.modem.seen().await.stored, 1);
}

#[tokio::test]
async fn a_text_of_the_homes_is_answered_when_the_network_has_it() {
    let mut hub = Phone::new().await;
    let Some(home) = Home::start().await else {
        return;
    };
    let line = home.line.sip;
    let to = format!("sip:+12025550142@{line};user=phone");
    let (status, why) = hub.write(line, &to, plain("On my way ☕")).await;
    assert_eq!(status, 200, "{why}");
    let texts = home.modem.seen().await.texts;
    assert_eq!(
        texts,
        [("+12025550142".to_owned(), "On my way ☕".to_owned())]
    );
    home.modem.fail_texts(true).await;
    assert_eq!(hub.write(line, &to, plain("Again")).await.0, 502);
    home.modem.fail_texts(false).await;
    // Emergency services are called, not written to; and what is no text is none.
    for (user, body, code) in [
        ("911", plain("help"), 403),
        ("*21*030123456#", plain("x"), 403),
        ("kitchen", plain("x"), 404),
        ("+12025550142", plain(" "), 400),
        ("+12025550142", plain(&"x".repeat(1_501)), 513),
        ("+12025550142", Body::new("text/plain", [0xff, 0xfe]), 400),
        ("+12025550142", Body::new("text/html", *b"<b>"), 415),
    ] {
        let uri = format!("sip:{}@{line}", user.replace('#', "%23"));
        let (status, why) = hub.write(line, &uri, body).await;
        assert_eq!(status, code, "{user}: {why}");
    }
    let (status, _) = hub.write(line, "urn:service:sos", plain("help")).await;
    assert_eq!(status, 403);
    assert_eq!(
        home.modem.seen().await.texts.len(),
        1,
        "nothing else was sent"
    );
}
