//! Sizes, times, headers, and problems that name the field.

use std::time::{Duration, Instant};

use crate::household::{Household, generous};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hearthline_hub::Limits;
use hearthline_hub::person::Role;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::test]
async fn problems_name_the_field() {
    let home = Household::new().await;
    let owner = home.login(Role::Owner).await;
    for (method, path, body, field) in [
        ("POST", "/api/v1/rooms", json!({"name": ""}), Some("name")),
        (
            "POST",
            "/api/v1/rooms",
            json!({"name": "a\u{202e}b"}),
            Some("name"),
        ),
        ("POST", "/api/v1/rooms", json!({}), None),
        (
            "POST",
            "/api/v1/rooms",
            json!({"name": "x", "colour": "red"}),
            Some("colour"),
        ),
        (
            "POST",
            "/api/v1/people",
            json!({"name": "X", "role": "king"}),
            Some("role"),
        ),
        (
            "POST",
            "/api/v1/people",
            json!({"name": "X", "role": "adult", "login": "a b"}),
            Some("login"),
        ),
        (
            "POST",
            "/api/v1/contacts",
            json!({"name": "X", "numbers": [{"label": "m", "number": "12"}]}),
            Some("numbers[0].number"),
        ),
        (
            "POST",
            "/api/v1/contacts",
            json!({"name": "X", "numbers": [], "speed_dial": 10}),
            Some("speed_dial"),
        ),
        (
            "POST",
            "/api/v1/lines",
            json!({"name": "X", "kind": "sip_trunk", "position": 256, "enabled": true}),
            Some("position"),
        ),
        (
            "POST",
            "/api/v1/messages",
            json!({"client_id": "", "to": "everyone", "body": {"text": "x"}}),
            Some("client_id"),
        ),
        (
            "POST",
            "/api/v1/messages",
            json!({"client_id": "a", "to": "everyone", "body": {"voice": {"codec": "wav", "duration_ms": 0, "base64": ""}}}),
            Some("body.voice.duration_ms"),
        ),
        ("GET", "/api/v1/calls?limit=x", json!(null), Some("limit")),
    ] {
        let (status, problem) = owner.send(method, path, Some(&body)).await;
        assert_eq!(
            (status, problem["field"].as_str()),
            (400, field),
            "{body} {problem}"
        );
        assert_eq!(problem["status"], 400);
        assert!(problem["detail"].as_str().unwrap().len() > 5, "{problem}");
    }
    let (status, headers, _) = owner
        .send_bytes("POST", "/api/v1/rooms", b"{".to_vec())
        .await;
    assert_eq!(
        (status, headers["content-type"].to_str().unwrap()),
        (400, "application/problem+json")
    );
}

#[tokio::test]
async fn answers_carry_their_headers() {
    let home = Household::new().await;
    for path in ["/api/v1/join", "/api/v1/me", "/nothing"] {
        let (_, headers, _) = home.anonymous().send_bytes("GET", path, Vec::new()).await;
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            (
                "content-security-policy",
                "default-src 'none'; frame-ancestors 'none'",
            ),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(headers[name], value, "{path}");
        }
        assert!(!headers.contains_key("access-control-allow-origin"));
    }
}

#[tokio::test]
async fn bodies_and_heads_that_are_too_large_are_refused() {
    let home = Household::new().await;
    let owner = home.login(Role::Owner).await;
    let long = json!({"name": "x".repeat(70_000)}).to_string().into_bytes();
    let (status, _, _) = owner.send_bytes("POST", "/api/v1/rooms", long).await;
    assert_eq!(status, 413);
    let text = json!({"client_id": "a", "to": "everyone", "body": {"text": "x".repeat(4_001)}});
    assert_eq!(owner.post("/api/v1/messages", &text).await.0, 400);
    let mut heavy = owner.clone();
    heavy.header("x-long", &"x".repeat(64 * 1024));
    let answer = heavy.try_send("GET", "/api/v1/me", Vec::new()).await;
    assert!(answer.is_none_or(|answer| answer.status().as_u16() == 431));
    let mut many = owner.clone();
    for n in 0..100 {
        many.header(&format!("x-many-{n}"), "x");
    }
    let answer = many.try_send("GET", "/api/v1/me", Vec::new()).await;
    assert!(answer.is_none_or(|answer| answer.status().as_u16() == 431));
}

/// Peers that dribble: one before TLS, one in the head of a request. Both are closed in time, and meanwhile
/// everybody else is served.
#[tokio::test]
async fn slow_peers_are_closed_and_hold_nobody_up() {
    let home = Household::new().await;
    let owner = home.login(Role::Owner).await;
    let began = Instant::now();
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(home.address()).await.unwrap());
    }
    let tcp = TcpStream::connect(home.address()).await.unwrap();
    let name = rustls::pki_types::ServerName::IpAddress(home.address().ip().into());
    let mut dribbling = tokio_rustls::TlsConnector::from(owner.tls.clone())
        .connect(name, tcp)
        .await
        .unwrap();
    dribbling
        .write_all(b"GET /api/v1/me HTTP/1.1\r\nhost: x\r\n")
        .await
        .unwrap();
    for _ in 0..5 {
        assert_eq!(owner.get("/api/v1/me").await.0, 200);
    }
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "served beside them: {:?}",
        began.elapsed()
    );
    let closed = async {
        let mut buffer = [0; 1024];
        while silent[0]
            .read(&mut buffer)
            .await
            .is_ok_and(|count| count > 0)
        {}
        loop {
            dribbling.write_all(b"x: y\r\n").await.ok();
            let read =
                tokio::time::timeout(Duration::from_millis(500), dribbling.read(&mut buffer)).await;
            if matches!(read, Ok(Ok(0) | Err(_))) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), closed)
        .await
        .expect("both are closed");
}

#[tokio::test]
async fn few_large_bodies_are_held_at_once() {
    let limits = Limits {
        large_bodies_by_caller_max: 1,
        large_bodies_max: 2,
        ..generous()
    };
    let home = Household::with(limits).await;
    let owner = home.login(Role::Owner).await;
    let adult = home.login(Role::Adult).await;
    let bytes = STANDARD.encode(vec![7; 100_000]);
    let voice = json!({"codec": "g722", "duration_ms": 12_500, "base64": bytes});
    let wish = |id: &str| json!({"client_id": id, "to": "everyone", "body": {"voice": voice}});
    // A body that does not come takes the one place.
    let (_, bearer) = &owner.headers[0];
    let head = format!(
        "POST /api/v1/messages HTTP/1.1\r\nhost: {}\r\nauthorization: {bearer}\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{{",
        home.address()
    );
    let begun = async || {
        let tcp = TcpStream::connect(home.address()).await.unwrap();
        let name = rustls::pki_types::ServerName::IpAddress(home.address().ip().into());
        let connector = tokio_rustls::TlsConnector::from(owner.tls.clone());
        let mut slow = connector.connect(name, tcp).await.unwrap();
        slow.write_all(head.as_bytes()).await.unwrap();
        slow
    };
    let mut slow = begun().await;
    let began = Instant::now();
    let mut n = 0;
    loop {
        n += 1;
        let (status, _) = owner.post("/api/v1/messages", &wish(&format!("{n}"))).await;
        if status == 503 {
            break;
        }
        assert_eq!(status, 201);
        assert!(began.elapsed() < Duration::from_secs(10), "never full");
        // Either the hub has not read the head yet, or ours came first and the slow one was turned away.
        tokio::time::sleep(Duration::from_millis(50)).await;
        slow = begun().await;
    }
    let small = json!({"client_id": "small", "to": "everyone", "body": {"text": "x"}});
    assert_eq!(owner.post("/api/v1/messages", &small).await.0, 201);
    assert_eq!(
        adult.post("/api/v1/messages", &wish("a")).await.0,
        201,
        "others have places of their own"
    );
    drop(slow);
    while owner.post("/api/v1/messages", &wish("after")).await.0 == 503 {
        assert!(began.elapsed() < Duration::from_secs(15), "never free");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn strangers_take_few_places_and_none_of_those_who_are_known() {
    let limits = Limits {
        unknown_connections_by_source_max: 4,
        ..generous()
    };
    let home = Household::with(limits).await;
    let owner = home.login(Role::Owner).await;
    let speaker = home
        .device(hearthline_hub::device::DeviceKind::Speaker, "Kitchen", None)
        .await;
    let mut known = Vec::new();
    for client in [&owner, &home.as_device(&speaker)] {
        for _ in 0..6 {
            let mut connection = connected(&home, client).await;
            let request = client.request("GET", "/api/v1/me", Vec::new());
            let answer = connection.send_request(request).await.unwrap();
            assert_eq!(answer.status().as_u16(), 200);
            known.push((client.clone(), connection));
        }
    }
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(TcpStream::connect(home.address()).await.unwrap());
    }
    assert!(
        home.anonymous().connect().await.is_none(),
        "the fifth is closed at once"
    );
    for (client, connection) in &mut known {
        connection.ready().await.unwrap();
        let request = client.request("GET", "/api/v1/me", Vec::new());
        let answer = connection.send_request(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
    }
    drop(silent);
    connected(&home, &home.anonymous()).await;
}

/// A place is given back a moment after its connection has ended.
async fn connected(
    home: &Household,
    client: &crate::household::Client,
) -> hyper::client::conn::http1::SendRequest<http_body_util::Full<hyper::body::Bytes>> {
    for _ in 0..100 {
        if let Some(connection) = client.connect().await {
            return connection;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no place at {} for 5 s", home.address());
}

#[tokio::test]
async fn stopping_lets_what_is_answered_finish_and_ends_streams() {
    let home = Household::new().await;
    let owner = home.login(Role::Owner).await;
    let mut stream = owner.events(None).await;
    let began = Instant::now();
    let address = home.address();
    home.hub.stop().await;
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(stream.next().await, None);
    assert!(TcpStream::connect(address).await.is_err());
}
