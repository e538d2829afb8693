use std::time::Duration;

use crate::phone::{Outcome, Phone, share};
use crate::private_bus::Home;

#[tokio::test]
async fn a_call_rings_with_its_number_and_sound_goes_both_ways() {
    let mut phone = Phone::new().await;
    let ring = phone.address;
    let Some(mut home) = Home::start_with(|config| config.ring = Some(ring)).await else {
        return;
    };
    home.modem.ring("+12025550142").await;
    let invite = phone.rung().await.expect("the home rings");
    let from = invite.headers.from().unwrap().uri.to_string();
    assert!(from.starts_with("sip:+12025550142@127.0.0.1"), "{from}");
    assert_eq!(home.modem.seen().await.connected, 0);
    phone.answer(&invite);
    phone.talk(Duration::from_secs(2)).await;
    let seen = home.modem.seen().await;
    assert_eq!(seen.connected, 1);
    let heard = &phone.heard[phone.heard.len() - 16_000..];
    assert!(share(heard, 16_000.0, 1_000.0) > 0.9);
    let heard = &seen.heard[seen.heard.len() - 8_000..];
    assert!(share(heard, 8_000.0, 600.0) > 0.9);
    home.modem.hang_up().await;
    assert!(phone.ends().await);
    assert_eq!(home.end().await, "the far end hung up");
}

#[tokio::test]
async fn a_withheld_number_is_anonymous() {
    let mut phone = Phone::new().await;
    let ring = phone.address;
    let Some(home) = Home::start_with(|config| config.ring = Some(ring)).await else {
        return;
    };
    home.modem.ring("").await;
    let invite = phone.rung().await.expect("the home rings");
    let from = invite.headers.from().unwrap().uri.to_string();
    assert_eq!(from, "sip:anonymous@anonymous.invalid");
}

#[tokio::test]
async fn a_caller_who_gives_up_ends_the_ringing() {
    let mut phone = Phone::new().await;
    let ring = phone.address;
    let Some(home) = Home::start_with(|config| config.ring = Some(ring)).await else {
        return;
    };
    home.modem.ring("+12025550142").await;
    phone.rung().await.expect("the home rings");
    home.modem.hang_up().await;
    assert!(phone.ends().await, "CANCEL came");
}

#[tokio::test]
async fn a_call_that_nobody_takes_is_ended() {
    let mut phone = Phone::new().await;
    let ring = phone.address;
    let Some(mut home) = Home::start_with(|config| config.ring = Some(ring)).await else {
        return;
    };
    home.modem.ring("+12025550142").await;
    phone.rung().await.expect("the home rings");
    phone.decline();
    phone.talk(Duration::from_millis(200)).await;
    assert_eq!(home.end().await, "nobody answered at home");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(home.modem.seen().await.calls, 0);
}

#[tokio::test]
async fn a_second_caller_hears_that_it_is_busy() {
    let mut phone = Phone::new().await;
    let ring = phone.address;
    let Some(home) = Home::start_with(|config| config.ring = Some(ring)).await else {
        return;
    };
    let line = home.line.sip;
    assert_eq!(phone.call(line, "+12025550123").await, Outcome::Answered);
    home.modem.ring("+12025550142").await;
    phone.talk(Duration::from_millis(500)).await;
    let seen = home.modem.seen().await;
    assert_eq!((seen.calls, seen.connected), (1, 1));
    assert!(!phone.ended);
}

#[tokio::test]
async fn without_a_place_to_ring_a_call_is_left_alone() {
    let Some(home) = Home::start().await else {
        return;
    };
    home.modem.ring("+12025550142").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(home.modem.seen().await.calls, 1);
}
