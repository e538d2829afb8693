use std::time::Duration;

use hearthline_modem::line::Event;
use hearthline_modem::stand_in::Plan;
use hearthline_sip::endpoint::Event as Sip;

use crate::phone::{Outcome, Phone, share};
use crate::private_bus::Home;

const NUMBER: &str = "+12025550123";

#[tokio::test]
async fn a_call_connects_and_sound_goes_both_ways() {
    let Some(mut home) = Home::start().await else {
        return;
    };
    let mut phone = Phone::new().await;
    assert_eq!(phone.call(home.line.sip, NUMBER).await, Outcome::Answered);
    assert!(phone.rang, "180 came before 200");
    phone.talk(Duration::from_secs(2)).await;
    let seen = home.modem.seen().await;
    assert_eq!(seen.dialled, [NUMBER]);
    assert_eq!(seen.connected, 1);
    // The first half second is jitter buffer and pseudo-terminal.
    let heard = &phone.heard[phone.heard.len() - 16_000..];
    let here = share(heard, 16_000.0, 1_000.0);
    assert!(
        here > 0.9,
        "the far end's tone is {here} of what is heard here"
    );
    let heard = &seen.heard[seen.heard.len() - 8_000..];
    let there = share(heard, 8_000.0, 600.0);
    assert!(there > 0.9, "our tone is {there} of what is heard there");
    phone.hang_up().await;
    assert_eq!(home.end().await, "the home's side hung up");
    let seen = home.modem.seen().await;
    assert_eq!((seen.calls, seen.connected), (0, 0));
}

#[tokio::test]
async fn the_far_end_hangs_up() {
    let Some(mut home) = Home::start().await else {
        return;
    };
    let mut phone = Phone::new().await;
    assert_eq!(phone.call(home.line.sip, NUMBER).await, Outcome::Answered);
    home.modem.hang_up().await;
    assert!(phone.ends().await);
    assert_eq!(home.end().await, "the far end hung up");
    // The line is free again.
    assert_eq!(phone.call(home.line.sip, NUMBER).await, Outcome::Answered);
}

#[tokio::test]
async fn digits_go_both_ways() {
    let Some(home) = Home::start().await else {
        return;
    };
    let mut phone = Phone::new().await;
    assert_eq!(phone.call(home.line.sip, NUMBER).await, Outcome::Answered);
    phone.talk(Duration::from_millis(300)).await;
    for digit in ['1', '*', '9'] {
        phone.press(digit);
        phone.talk(Duration::from_millis(300)).await;
    }
    home.modem.press('5').await;
    home.modem.press('#').await;
    phone.talk(Duration::from_millis(600)).await;
    assert_eq!(home.modem.seen().await.digits, "1*9");
    assert_eq!(phone.digits, "5#");
}

#[tokio::test]
async fn what_the_modem_says_becomes_the_right_status() {
    let Some(home) = Home::start().await else {
        return;
    };
    let cases = [
        (Plan::Busy, 486),
        (Plan::NoAnswer(Duration::from_millis(100)), 480),
        (Plan::NetworkFails, 503),
        (Plan::Refuse("Connection.NoDialtone".to_owned()), 503),
        (Plan::Refuse("Connection.Busy".to_owned()), 486),
        (Plan::Refuse("Core.InvalidArgs".to_owned()), 404),
        (Plan::WithoutSound, 503),
        (Plan::SilentSound, 503),
        (Plan::SoundAt("../etc/passwd".to_owned()), 503),
        (Plan::SoundAt("no-such-device".to_owned()), 503),
    ];
    for (plan, status) in cases {
        home.modem.set_plan(plan.clone()).await;
        let mut phone = Phone::new().await;
        let outcome = phone.call(home.line.sip, NUMBER).await;
        assert!(
            matches!(outcome, Outcome::Refused(found, _) if found == status),
            "{plan:?}: {outcome:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(home.modem.seen().await.calls, 0, "{plan:?} left a call");
    }
}

#[tokio::test]
async fn a_second_call_meets_a_busy_line() {
    let Some(home) = Home::start().await else {
        return;
    };
    let mut first = Phone::new().await;
    assert_eq!(first.call(home.line.sip, NUMBER).await, Outcome::Answered);
    let mut second = Phone::new().await;
    let outcome = second.call(home.line.sip, "+12025550124").await;
    assert!(matches!(outcome, Outcome::Refused(486, _)), "{outcome:?}");
    first.talk(Duration::from_millis(200)).await;
    assert!(!first.ended);
}

#[tokio::test]
async fn what_is_no_number_is_not_dialled() {
    let Some(home) = Home::start().await else {
        return;
    };
    let line = home.line.sip;
    for (uri, status) in [
        (format!("sip:**21*5550123%23@{line}"), 403),
        (format!("sip:anna@{line}"), 404),
        (format!("sip:{line}"), 404),
        (format!("sip:{}@{line}", "5".repeat(21)), 404),
        ("urn:service:test.sos".to_owned(), 404),
        ("urn:service:counseling".to_owned(), 404),
        ("mailto:anna@example.com".to_owned(), 416),
    ] {
        let mut phone = Phone::new().await;
        let outcome = phone.call_uri(line, &uri).await;
        assert!(
            matches!(outcome, Outcome::Refused(found, _) if found == status),
            "{uri}: {outcome:?}"
        );
    }
    assert_eq!(home.modem.seen().await.dialled, [""; 0]);
}

#[tokio::test]
async fn a_caller_who_gives_up_leaves_no_call() {
    let Some(mut home) = Home::start().await else {
        return;
    };
    home.modem
        .set_plan(Plan::Answer(Duration::from_secs(60)))
        .await;
    let mut phone = Phone::new().await;
    phone.dial(home.line.sip, &format!("sip:{NUMBER}@{}", home.line.sip));
    let ringing = |event: &Sip| matches!(event, Sip::Progress { .. });
    let rang = phone.run(Duration::from_secs(5), ringing).await;
    assert!(rang.is_some());
    phone.hang_up().await;
    phone.talk(Duration::from_millis(300)).await;
    assert_eq!(home.end().await, "the home's side hung up");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(home.modem.seen().await.calls, 0);
}

#[tokio::test]
async fn sound_may_go_by_commands() {
    let folder = tempfile::tempdir().unwrap();
    let played = folder.path().join("played");
    let Some(home) = Home::start_with(|config| {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect();
        config.sound = Some(hearthline_modem::io::SoundCommands {
            capture: words("cat /dev/zero"),
            playback: vec!["tee".to_owned(), played.display().to_string()],
        });
    })
    .await
    else {
        return;
    };
    home.modem.set_plan(Plan::WithoutSound).await;
    let mut phone = Phone::new().await;
    assert_eq!(phone.call(home.line.sip, NUMBER).await, Outcome::Answered);
    phone.talk(Duration::from_secs(1)).await;
    phone.hang_up().await;
    phone.talk(Duration::from_millis(200)).await;
    let played = std::fs::read(played).unwrap();
    let samples: Vec<i16> = played
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    let there = share(&samples[samples.len() / 2..], 8_000.0, 600.0);
    assert!(there > 0.8, "{there}");
}

#[tokio::test]
async fn sound_that_breaks_is_opened_again() {
    let Some(mut home) = Home::start().await else {
        return;
    };
    let mut phone = Phone::new().await;
    assert_eq!(phone.call(home.line.sip, NUMBER).await, Outcome::Answered);
    phone.talk(Duration::from_millis(500)).await;
    home.modem.break_sound().await;
    phone.talk(Duration::from_secs(2)).await;
    assert!(!phone.ended, "the call goes on");
    let heard = &phone.heard[phone.heard.len() - 8_000..];
    let here = share(heard, 16_000.0, 1_000.0);
    assert!(here > 0.9, "{here}");
    phone.hang_up().await;
    phone.talk(Duration::from_millis(100)).await;
    home.event(|event| matches!(event, Event::CallEnded { .. }))
        .await;
}
