//! SIP over WebSocket (RFC 7118): browsers register and call, and nobody misuses the door.

use std::time::{Duration, Instant};

use crate::telephone::web::{frame, open};
use crate::telephone::{DOMAIN, Home, Phone, talk};
use hearthline_hub::person::{PersonFields, Role};
use hearthline_hub::session::Password;
use hearthline_hub::text::{Login, Name};
use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::Credentials;
use hearthline_sip::target::Transport;
use tokio::io::AsyncWriteExt as _;

const OPTIONS: &str = "OPTIONS sip:home.test SIP/2.0\r\nVia: SIP/2.0/WSS a.invalid;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
    From: <sip:a@home.test>;tag=1\r\nTo: <sip:home.test>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n";

#[tokio::test]
async fn a_browser_calls_a_speaker_and_is_called() {
    let home = Home::new().await;
    let (own, speaker) = (
        home.enrol("Browser", None).await,
        home.enrol("Kitchen", None).await,
    );
    // Names are known by the time an account has been added.
    let account = home.account("Desk", None).await;
    let mut browser = Phone::web(&home, &own).await.expect("an upgrade");
    browser.register().await.expect("registered");
    let mut kitchen = home.device(&speaker).await;
    talk(&mut browser, &mut kitchen, &format!("sip:kitchen@{DOMAIN}")).await;
    talk(&mut kitchen, &mut browser, &format!("sip:browser@{DOMAIN}")).await;
    let mut desk = home.phone(&account, Transport::Udp).await;
    talk(&mut desk, &mut browser, &format!("sip:browser@{DOMAIN}")).await;
    // Each under its own name, and emergencies reach no device from here either.
    let own_name = kitchen.address();
    let status = browser
        .refused_from(&format!("sip:desk@{DOMAIN}"), own_name)
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(
        browser.refused("urn:service:sos").await,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test]
async fn the_handshake_is_checked() {
    let home = Home::new().await;
    let own = home.enrol("Browser", None).await;
    let host = home.hub.addresses()[0].to_string();
    let origin = format!("https://{host}");
    for (headers, expected) in [
        (vec![("origin", origin.as_str())], 101),
        (vec![("origin", "https://example.com")], 403),
        (vec![("origin", "null")], 403),
        (vec![("sec-fetch-site", "cross-site")], 403),
        (vec![("sec-websocket-protocol", "")], 400),
        (vec![("sec-websocket-protocol", "chat")], 400),
        (vec![("sec-websocket-version", "8")], 400),
        (vec![("sec-websocket-key", "short")], 400),
        (vec![("upgrade", "")], 400),
        (vec![("connection", "close")], 400),
    ] {
        let (status, _) = open(&home, Some(&own), &headers).await.unwrap();
        assert_eq!(status, expected, "{headers:?}");
    }
    let (status, _) = open(&home, None, &[]).await.unwrap();
    assert_eq!(status, 401, "somebody unknown");
}

#[tokio::test]
async fn a_session_opens_the_door_and_a_phones_account_proves_the_calls() {
    let home = Home::new().await;
    let fields = PersonFields {
        name: Name::new("Anna").unwrap(),
        role: Role::Adult,
        login: Some(Login::new("anna").unwrap()),
    };
    let password = Password::try_from("correct horse battery".to_owned()).unwrap();
    let anna = home.hub.add_person(&fields, Some(password)).await.unwrap();
    let token = hearthline_hub::session::Token::random().unwrap();
    let now = hearthline_hub::clock::Clock::default().now();
    let store = home.hub.store();
    let kind = hearthline_hub::session::TokenKind::App;
    let session = store
        .open_session(
            anna.id,
            kind,
            None,
            &token.hash(),
            now,
            now.plus_ms(600_000),
        )
        .await
        .unwrap();
    let bearer = format!("Bearer {}", token.to_text());
    let headers = [("authorization", bearer.as_str())];
    let (status, socket) = open(&home, None, &headers).await.unwrap();
    assert_eq!(status, 101);
    let account = home.account("Softphone", None).await;
    let credentials = Credentials {
        username: account.username.clone(),
        password: account.password.clone(),
        realm: None,
    };
    let mut soft = Phone::on_socket(
        home.hub.addresses()[0],
        &account.username,
        vec![credentials],
        socket,
    );
    soft.register().await.expect("registered by digest");
    let wrong = Credentials {
        username: account.username.clone(),
        password: "guessed".to_owned(),
        realm: None,
    };
    let (_, socket) = open(&home, None, &headers).await.unwrap();
    let mut thief = Phone::on_socket(
        home.hub.addresses()[0],
        &account.username,
        vec![wrong],
        socket,
    );
    assert!(thief.register().await.is_err());
    // The next look finds the session gone.
    store.end_session(session.id, now).await.unwrap();
    assert!(
        tokio::time::timeout(Duration::from_secs(20), soft.gone())
            .await
            .is_ok()
    );
    assert_eq!(open(&home, None, &headers).await.unwrap().0, 401);
}

#[tokio::test]
async fn a_revoked_devices_socket_closes_at_once() {
    let home = Home::new().await;
    let (own, other) = (
        home.enrol("Browser", None).await,
        home.enrol("Hall", None).await,
    );
    let mut browser = Phone::web(&home, &own).await.unwrap();
    browser.register().await.unwrap();
    let mut hall = home.device(&other).await;
    let (_, mut silent) = open(&home, Some(&own), &[]).await.unwrap();
    let now = hearthline_hub::clock::Clock::default().now();
    home.hub
        .store()
        .revoke_device(own.device, now)
        .await
        .unwrap();
    assert!(browser.closed().await < Duration::from_secs(2));
    // By the cut or by the switchboard, whichever comes first: both say why.
    assert_eq!(silent.closed().await, Some(1008));
    assert_eq!(home.hub.live().count(own.device), 0);
    assert!(Phone::web(&home, &own).await.is_none());
    let status = hall.refused(&format!("sip:browser@{DOMAIN}")).await;
    // Gone from the list, or only its way is gone while the list follows.
    assert!([StatusCode::NOT_FOUND, StatusCode::TEMPORARILY_UNAVAILABLE].contains(&status));
}

#[tokio::test]
async fn garbage_floods_and_large_frames_end_their_own_connection_and_harm_nobody() {
    let home = Home::new().await;
    let own = home.enrol("Browser", None).await;
    let (a, b) = (
        home.enrol("Kitchen", None).await,
        home.enrol("Hall", None).await,
    );
    let (mut kitchen, mut hall) = (home.device(&a).await, home.device(&b).await);
    let socket = || async { open(&home, Some(&own), &[]).await.unwrap().1 };

    // Ping is answered, SIP too, and so is a CR LF CR LF in a message.
    let mut polite = socket().await;
    polite.send(9, b"are you there").await;
    assert_eq!(
        polite.receive().await,
        Some((10, b"are you there".to_vec()))
    );
    polite.send(1, b"\r\n\r\n").await;
    assert_eq!(polite.receive().await, Some((1, b"\r\n".to_vec())));
    polite.send(2, OPTIONS.as_bytes()).await;
    let (_, answer) = polite.receive().await.unwrap();
    assert!(
        answer.starts_with(b"SIP/2.0 200"),
        "{}",
        String::from_utf8_lossy(&answer)
    );

    let mut huge = socket().await;
    huge.send(1, &vec![b'x'; 70_000]).await;
    assert_eq!(huge.closed().await, Some(1009));
    let mut unmasked = socket().await;
    unmasked.stream.write_all(b"\x81\x02hi").await.unwrap();
    assert_eq!(unmasked.closed().await, Some(1002));
    let mut latin = socket().await;
    latin.send(1, b"\xff\xfe").await;
    assert_eq!(latin.closed().await, Some(1007));
    let mut garbage = socket().await;
    for n in 0..40_u8 {
        garbage.send(1, &[b'a' + n % 26; 40]).await;
    }
    assert_eq!(garbage.closed().await, Some(1008));
    // Two messages in one frame are one message with a wrong length; the rest is nobody's.
    let mut flood = socket().await;
    let many: Vec<u8> = (0..2_000).flat_map(|_| frame(9, b"")).collect();
    let _ = flood.stream.write_all(&many).await;
    assert_eq!(flood.closed().await, Some(1008));
    let mut storm = socket().await;
    let many: Vec<u8> = (0..2_000)
        .flat_map(|_| frame(1, OPTIONS.as_bytes()))
        .collect();
    let began = Instant::now();
    let _ = storm.stream.write_all(&many).await;
    talk(&mut kitchen, &mut hall, &format!("sip:hall@{DOMAIN}")).await;
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(storm.closed().await, Some(1008));
    // The polite one is still there.
    polite.send(9, b"still").await;
    assert_eq!(polite.receive().await, Some((10, b"still".to_vec())));
}

#[tokio::test]
async fn half_a_message_byte_by_byte_is_not_waited_for_for_ever() {
    let home = Home::new().await;
    let own = home.enrol("Browser", None).await;
    let (_, mut slow) = open(&home, Some(&own), &[]).await.unwrap();
    let bytes = frame(1, OPTIONS.as_bytes());
    let (closing, began) = (Instant::now(), Instant::now());
    let mut sent = 0;
    // A byte a second would keep it for minutes; it is cut at half a minute after the first.
    while closing.elapsed() < Duration::from_secs(45) {
        if slow.stream.write_all(&bytes[sent..=sent]).await.is_err()
            || slow.stream.flush().await.is_err()
        {
            break;
        }
        sent += 1;
        let waited = tokio::time::timeout(Duration::from_secs(1), slow.receive()).await;
        match waited {
            Ok(Some((8, status))) => {
                assert_eq!(status, 1008_u16.to_be_bytes());
                break;
            }
            Ok(None) => break,
            _ => {}
        }
    }
    assert!(
        began.elapsed() < Duration::from_secs(40),
        "{:?}",
        began.elapsed()
    );
    assert!(sent > 10, "it was given its time");
}
