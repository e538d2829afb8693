//! The whole way to a stand-in of Home Assistant: every message exactly, plain and over TLS, and what becomes of a
//! server that vanishes, refuses, says nothing, floods or sends garbage.
use std::sync::Arc;
use std::time::Duration;

use hearthline_speaker::player::{Asked, Doing, News, Order, Orderer, State};
use hearthline_speaker::skill::Reply;
use hearthline_transport::websocket::message;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::household::{Running, english};
use crate::stand_in::{Visitor, house};

/// A configuration beside its token.
fn sections(folder: &std::path::Path, port: u16) -> String {
    let token = folder.join("token");
    std::fs::write(&token, "a-token-of-the-test\n").unwrap();
    format!(
        "[home_assistant]\naddress = \"127.0.0.1:{port}\"\ntoken_file = \"{}\"\n",
        token.display()
    )
}

async fn listening() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

async fn visitor(listener: &TcpListener) -> Visitor {
    let (stream, _) = listener.accept().await.unwrap();
    Visitor::greet(Box::new(stream)).await
}

fn refused(reply: &Reply) -> &str {
    match reply {
        Reply::Refused(words) => words,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_message_is_as_home_assistant_documents_it() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, port) = listening().await;
    let mut running = Running::new("Kitchen", &sections(folder.path(), port));
    let server = tokio::spawn(async move {
        let mut visitor = visitor(&listener).await;
        assert!(
            visitor
                .head
                .starts_with("GET /api/websocket HTTP/1.1\r\nHost: 127.0.0.1:"),
            "{}",
            visitor.head
        );
        visitor.settle(&house()).await;
        while let Some(asked) = visitor.hear().await {
            assert_eq!(asked["type"], "call_service");
            let followed = visitor.followed();
            let is_on = asked["service"] == "turn_on";
            let change = json!({"c": {"light.counter": {"+": {"s": if is_on { "on" } else { "off" }, "a": {"brightness": 128}}}}});
            visitor
                .send(&json!({"id": followed, "type": "event", "event": change}))
                .await;
            visitor.send(&json!({"id": asked["id"], "type": "result", "success": true, "result": {"context": {}, "response": null}})).await;
            if asked["service"] == "turn_off" {
                break;
            }
        }
        visitor
    });
    running.shows("Counter", "off").await;
    if english().is_none() {
        return;
    }
    let things = running.shown["things"].as_array().unwrap();
    let names: Vec<&Value> = things.iter().map(|thing| &thing["name"]).collect();
    assert_eq!(
        names,
        ["Bed", "Counter", "Front Door"],
        "what is hidden, refused or for diagnosis is none of ours"
    );
    assert_eq!(things[0]["area"], "Bedroom", "by its device");
    let (reply, took) = running.say("set the counter brightness to 50%").await;
    assert!(matches!(reply, Reply::Response(_)), "{reply:?}");
    assert!(took < Duration::from_millis(500), "{took:?}");
    running.shows("Counter", "on").await;
    // By the aliases that the owner gave there: of the lamp, of its room, of the other floor.
    let (reply, _) = running.say("turn on the worktop").await;
    assert!(matches!(reply, Reply::Response(_)), "{reply:?}");
    let (reply, _) = running.say("turn on the lights in the galley").await;
    assert!(matches!(reply, Reply::Response(_)), "{reply:?}");
    let upstairs = running.understood("turn on the lights upstairs").unwrap();
    let floor = upstairs.slot("floor").map(|slot| slot.value.spoken());
    assert_eq!(floor.as_deref(), Some("First Floor"));
    let (reply, _) = running.say("kitchen lights off").await;
    assert!(matches!(reply, Reply::Response(_)), "{reply:?}");
    let visitor = server.await.unwrap();
    let calls: Vec<Value> = visitor
        .said
        .iter()
        .filter(|asked| asked["type"] == "call_service")
        .map(|asked| {
            let mut asked = asked.clone();
            assert!(
                asked
                    .as_object_mut()
                    .unwrap()
                    .remove("id")
                    .unwrap()
                    .is_u64()
            );
            asked
        })
        .collect();
    let call = |service: &str, data: Value| {
        json!({
            "type": "call_service",
            "domain": "light",
            "service": service,
            "service_data": data,
            "target": {"entity_id": "light.counter"},
        })
    };
    let expected = [
        call("turn_on", json!({"brightness_pct": 50})),
        call("turn_on", json!({})),
        call("turn_on", json!({})),
        call("turn_off", json!({})),
    ];
    assert_eq!(calls, expected);
    // Each message has an id of its own, which grows.
    let ids: Vec<u64> = visitor.said[1..]
        .iter()
        .map(|asked| asked["id"].as_u64().unwrap())
        .collect();
    assert!(
        ids.is_sorted() && ids.windows(2).all(|two| two[0] != two[1]),
        "{ids:?}"
    );
}

#[tokio::test]
async fn a_certificate_that_was_given_is_taken_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let made =
        rcgen::generate_simple_self_signed(vec!["a-name-nobody-dials.test".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    for (given, is_taken) in [(made.cert.pem(), true), (other.cert.pem(), false)] {
        let (listener, port) = listening().await;
        let pem = folder.path().join("home.pem");
        std::fs::write(&pem, given).unwrap();
        let sections = format!(
            "{}certificate = \"{}\"\n",
            sections(folder.path(), port),
            pem.display()
        );
        let mut running = Running::new("Kitchen", &sections);
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![made.cert.der().clone()], key)
                .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let server = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let mut visitor = Visitor::greet(Box::new(stream)).await;
            visitor.settle(&house()).await;
            visitor.hear().await;
        });
        if is_taken {
            running.shows("Counter", "off").await;
        } else {
            running
                .until("it is refused", |running, _| {
                    running
                        .steps
                        .iter()
                        .any(|step| step.contains("certificate"))
                })
                .await;
        }
        drop(running);
        server.abort();
    }
}

#[tokio::test]
async fn one_that_vanishes_is_spoken_of_and_found_again() {
    if english().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (listener, port) = listening().await;
    let mut running = Running::new("Kitchen", &sections(folder.path(), port));
    let mut first = visitor(&listener).await;
    first.settle(&house()).await;
    running.shows("Counter", "off").await;
    // In the middle of an order.
    let vanishes = tokio::spawn(async move {
        first.hear().await.unwrap();
    });
    let (reply, took) = running.say("turn on the counter").await;
    vanishes.await.unwrap();
    assert_eq!(refused(&reply), "Counter: the connection broke.");
    assert!(took < Duration::from_secs(2), "{took:?}");
    running
        .until("it is known to be gone", |running, _| {
            running.shown["systems"][0]["answers"] == false
        })
        .await;
    let (reply, took) = running.say("turn on the counter").await;
    assert!(
        refused(&reply).starts_with("Counter: Home Assistant cannot be reached"),
        "{reply:?}"
    );
    assert!(took < Duration::from_millis(100), "{took:?}");
    let mut second = visitor(&listener).await;
    second.settle(&house()).await;
    running
        .until("it is found again", |running, _| {
            running.shown["systems"][0]["answers"] == true
        })
        .await;
    let server = tokio::spawn(async move {
        let asked = second.hear().await.unwrap();
        second
            .send(&json!({"id": asked["id"], "type": "result", "success": true, "result": {}}))
            .await;
        second
    });
    let (reply, _) = running.say("turn on the counter").await;
    assert!(matches!(reply, Reply::Response(_)), "{reply:?}");
    server.await.unwrap();
}

#[tokio::test]
async fn refusals_and_silence_are_said_in_time() {
    if english().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (listener, port) = listening().await;
    let mut running = Running::new("Kitchen", &sections(folder.path(), port));
    let mut visitor = visitor(&listener).await;
    visitor.settle(&house()).await;
    running.shows("Counter", "off").await;
    let server = tokio::spawn(async move {
        let asked = visitor.hear().await.unwrap();
        let error = json!({"code": "home_assistant_error", "message": "Device is\nasleep"});
        visitor
            .send(&json!({"id": asked["id"], "type": "result", "success": false, "error": error}))
            .await;
        visitor.hear().await.unwrap();
        // Nothing is said to that one.
        visitor.hear().await;
    });
    let (reply, _) = running.say("turn on the counter").await;
    assert_eq!(refused(&reply), "Counter: Device is asleep.");
    let (reply, took) = running.say("turn on the counter").await;
    assert_eq!(refused(&reply), "Counter: it did not answer.");
    assert!(took <= Duration::from_secs(2), "{took:?}");
    drop(running);
    server.abort();
}

#[tokio::test]
async fn garbage_and_lies_end_the_connection_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let garbage: [(&str, Vec<u8>); 4] = [
        ("no handshake", b"HTTP/1.1 404 Not Found\r\n\r\n".to_vec()),
        (
            "another protocol",
            b"220 mail.example.com ESMTP\r\n\r\n".to_vec(),
        ),
        ("no end", vec![b'x'; 40_000]),
        ("nothing", Vec::new()),
    ];
    for (what, bytes) in garbage {
        let (listener, port) = listening().await;
        let mut running = Running::new("Kitchen", &sections(folder.path(), port));
        let accepting = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        };
        let ended = running.until(what, |running, _| !running.steps.is_empty());
        tokio::join!(accepting, ended);
    }
    // A token that is not taken, a masked frame, a message without an end, nonsense without an end.
    let mut big = vec![0x81, 127];
    big.extend((64_u64 << 20).to_be_bytes());
    let greeting = message(br#"{"type":"auth_required"}"#);
    let refusal = message(br#"{"type":"auth_invalid","message":"no"}"#);
    for (what, bytes, why) in [
        (
            "token",
            [greeting, refusal].concat(),
            "does not accept the token",
        ),
        (
            "masked",
            vec![0x81, 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9],
            "masked",
        ),
        ("big", big, "larger than"),
        (
            "nonsense",
            message(b"[[[]]]").repeat(200),
            "does not speak as Home Assistant",
        ),
        (
            "strange",
            message(br#"{"type":"event"}"#).repeat(200),
            "does not speak as Home Assistant",
        ),
    ] {
        let (listener, port) = listening().await;
        let mut running = Running::new("Kitchen", &sections(folder.path(), port));
        let accepting = async {
            let mut visitor = visitor(&listener).await;
            visitor.send_bytes(&bytes).await;
            while visitor.hear().await.is_some() {}
        };
        let ended = running.until(what, |running, _| {
            running.steps.iter().any(|step| step.contains(why))
        });
        tokio::join!(accepting, ended);
    }
}

/// What music hears of its player, until this is so.
async fn hears(news: &mut tokio::sync::mpsc::Receiver<News>, so: impl Fn(&News) -> bool) -> News {
    let mut last = None;
    loop {
        let next = tokio::time::timeout(Duration::from_secs(30), news.recv()).await;
        let next = next.unwrap_or_else(|_| panic!("nothing comes; the last was {last:?}"));
        let next = next.expect("the house is there");
        if so(&next) {
            return next;
        }
        last = Some(next);
    }
}

#[tokio::test]
async fn a_media_player_does_what_music_wants_and_tells_what_it_plays() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, port) = listening().await;
    let sections = format!(
        "{}[music]\nhome_assistant = \"media_player.kitchen\"\n",
        sections(folder.path(), port)
    );
    let (orderer, wired) = hearthline_speaker::player::ends();
    // The skill holds the adapter.
    let _running = Running::with_player("Kitchen", &sections, Some(wired));
    let Orderer { ask, mut news } = orderer;
    let server = tokio::spawn(async move {
        let mut house = house();
        house["states"]["media_player.kitchen"] = json!({"s": "playing", "a": {
            "friendly_name": "Kitchen Speaker", "media_title": "Harbours", "media_artist": "Catherine Vale",
            "media_duration": 180, "media_position": 12.5, "volume_level": 0.35, "shuffle": true, "repeat": "one",
            "source_list": ["a", "b"], "entity_picture": "/x.png",
        }});
        house["get_states"].as_array_mut().unwrap().push(
            json!({"entity_id": "media_player.kitchen", "state": "playing", "attributes": {}}),
        );
        // Not exposed to assistants: the owner has named it in our configuration all the same.
        house["homeassistant/expose_entity/list"]["exposed_entities"]["media_player.kitchen"] =
            json!({"conversation": false});
        let mut visitor = visitor(&listener).await;
        visitor.settle(&house).await;
        while let Some(asked) = visitor.hear().await {
            let result = match asked["service"].as_str() {
                Some("search_media") => {
                    let found = json!([
                        {"title": "A folder", "media_content_id": "x", "media_content_type": "music", "can_play": false},
                        {"title": "Harbours", "media_content_id": "library://7", "media_content_type": "album", "can_play": true},
                    ]);
                    json!({"success": true, "result": {"response": {"media_player.kitchen": {"result": found}}}})
                }
                Some("media_next_track") => {
                    json!({"success": false, "error": {"code": "x", "message": "No more tracks"}})
                }
                Some("media_pause") => {
                    let followed = visitor.followed();
                    let change = json!({"c": {"media_player.kitchen": {"+": {"s": "paused"}}}});
                    visitor
                        .send(&json!({"id": followed, "type": "event", "event": change}))
                        .await;
                    json!({"success": true, "result": {"context": {}}})
                }
                _ => json!({"success": true, "result": {"context": {}}}),
            };
            let mut answer = result;
            answer["id"] = asked["id"].clone();
            answer["type"] = "result".into();
            visitor.send(&answer).await;
            if asked["service"] == "media_stop" {
                break;
            }
        }
        visitor
    });
    let state = hears(&mut news, |news| matches!(news, News::State(_))).await;
    let expected = State {
        doing: Doing::Playing,
        title: "Harbours".into(),
        artist: "Catherine Vale".into(),
        position_ms: 12_500,
        length_ms: 180_000,
        shuffle: true,
        repeat: "one".into(),
        percent: Some(35),
        ..State::default()
    };
    assert_eq!(state, News::State(expected));
    let search = Order::Search {
        words: "harbours".into(),
        class: Some("album".into()),
    };
    for (token, order) in [
        (1, Order::Resume),
        (2, Order::Next),
        (3, Order::Previous),
        (4, Order::Volume(70)),
        (5, Order::Again),
        (6, Order::Shuffle(false)),
        (7, Order::Repeat("all")),
        (8, Order::Url("http://127.0.0.1:8000/stream".into())),
        (9, search),
        (10, Order::Pause),
        (11, Order::Stop),
    ] {
        ask.send(Asked { token, order }).await.unwrap();
        let ended = hears(&mut news, |news| {
            matches!(news, News::Done { .. } | News::Failed { .. })
        })
        .await;
        let wanted = match token {
            2 => News::Failed {
                token,
                why: "No more tracks".into(),
            },
            token => News::Done { token },
        };
        assert_eq!(ended, wanted);
    }
    let visitor = server.await.unwrap();
    let calls: Vec<(Value, Value)> = visitor
        .said
        .iter()
        .filter(|asked| asked["type"] == "call_service")
        .inspect(|asked| {
            assert_eq!(asked["domain"], "media_player");
            assert_eq!(
                asked["target"],
                json!({"entity_id": "media_player.kitchen"})
            );
            let searches = asked["service"] == "search_media";
            assert_eq!(asked.get("return_response").is_some(), searches, "{asked}");
        })
        .map(|asked| (asked["service"].clone(), asked["service_data"].clone()))
        .collect();
    let expected = [
        ("media_play", json!({})),
        ("media_next_track", json!({})),
        ("media_previous_track", json!({})),
        ("volume_set", json!({"volume_level": 0.7})),
        ("media_seek", json!({"seek_position": 0})),
        ("shuffle_set", json!({"shuffle": false})),
        ("repeat_set", json!({"repeat": "all"})),
        (
            "play_media",
            json!({"media_content_id": "http://127.0.0.1:8000/stream", "media_content_type": "music"}),
        ),
        (
            "search_media",
            json!({"search_query": "harbours", "media_filter_classes": ["album"]}),
        ),
        (
            "play_media",
            json!({"media_content_id": "library://7", "media_content_type": "album"}),
        ),
        ("media_pause", json!({})),
        ("media_stop", json!({})),
    ];
    let expected = expected.map(|(service, data)| (json!(service), data));
    assert_eq!(calls, expected);
    // The server hangs up: music is told, and what it asks then is not kept for later.
    drop(visitor);
    hears(&mut news, |news| matches!(news, News::Away { .. })).await;
    let order = Order::Resume;
    ask.send(Asked { token: 12, order }).await.unwrap();
    let ended = hears(&mut news, |news| matches!(news, News::Failed { .. })).await;
    assert_eq!(
        ended,
        News::Failed {
            token: 12,
            why: "Home Assistant is not ready".into()
        }
    );
}
