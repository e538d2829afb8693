//! WLED and Philips Hue: a stand-in notes the very bytes, answers as the real ones do, and misbehaves.
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hearthline_speaker::skill::Reply;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::household::{Running, english};
use crate::stand_in::Stream;

/// Requests as they came, and what is answered to them: status and body by the first line.
type Answers = Arc<dyn Fn(&str, &str) -> Option<(u16, String)> + Send + Sync>;
type Noted = Arc<Mutex<Vec<String>>>;

async fn serve(mut stream: Box<dyn Stream>, noted: Noted, answers: Answers) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if bytes.len() >= end + 4 + length {
                let request: Vec<u8> = bytes.drain(..end + 4 + length).collect();
                let body = String::from_utf8(request[end + 4..].to_vec()).unwrap();
                let first = head.lines().next().unwrap().to_owned();
                noted.lock().unwrap().push(format!("{head}\r\n\r\n{body}"));
                let Some((status, answer)) = answers(&first, &body) else {
                    // It never answers.
                    std::future::pending::<()>().await;
                    return;
                };
                let kind = if first.contains("eventstream") {
                    "text/event-stream"
                } else {
                    "application/json"
                };
                let length = if first.contains("eventstream") {
                    String::new()
                } else {
                    format!("Content-Length: {}\r\n", answer.len())
                };
                let text =
                    format!("HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{length}\r\n{answer}");
                if stream.write_all(text.as_bytes()).await.is_err() || stream.flush().await.is_err()
                {
                    return;
                }
                continue;
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(length) => bytes.extend_from_slice(&buffer[..length]),
        }
    }
}

/// Serves on a port until the test ends.
async fn serving(tls: Option<TlsAcceptor>, answers: Answers) -> (u16, Noted) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let noted = Noted::default();
    let all = Arc::clone(&noted);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (tls, all, answers) = (tls.clone(), Arc::clone(&all), Arc::clone(&answers));
            tokio::spawn(async move {
                let stream: Box<dyn Stream> = match tls {
                    None => Box::new(stream),
                    Some(tls) => match tls.accept(stream).await {
                        Ok(stream) => Box::new(stream),
                        Err(_) => return,
                    },
                };
                serve(stream, all, answers).await;
            });
        }
    });
    (port, noted)
}

/// The requests that are no GET: first line and body.
fn orders(noted: &Noted) -> Vec<(String, Value)> {
    let all = noted.lock().unwrap();
    let orders = all.iter().filter(|request| !request.starts_with("GET"));
    let orders = orders.map(|request| {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let first = head.lines().next().unwrap().to_owned();
        (first, serde_json::from_str(body).unwrap())
    });
    orders.collect()
}

fn done(reply: &Reply) {
    assert!(matches!(reply, Reply::Response(_)), "{reply:?}");
}

#[tokio::test]
async fn a_strip_is_told_as_wled_wants_it() {
    if english().is_none() {
        return;
    }
    let state = Arc::new(Mutex::new(
        json!({"on": false, "bri": 127, "seg": [{"col": [[255, 160, 0], [0, 0, 0]]}]}),
    ));
    let silent = Arc::new(Mutex::new(false));
    let (held, mute) = (Arc::clone(&state), Arc::clone(&silent));
    let answers: Answers = Arc::new(move |_, body| {
        if *mute.lock().unwrap() {
            return None;
        }
        let mut state = held.lock().unwrap();
        if let Ok(Value::Object(change)) = serde_json::from_str(body) {
            for (key, value) in change
                .into_iter()
                .filter(|(key, _)| key == "on" || key == "seg")
            {
                state[key] = value;
            }
        }
        Some((200, state.to_string()))
    });
    let (port, noted) = serving(None, answers).await;
    let sections =
        format!("[[wled]]\nname = \"Shelf\"\naddress = \"127.0.0.1:{port}\"\nroom = \"Kitchen\"\n");
    let mut running = Running::new("Kitchen", &sections);
    running.shows("Shelf", "off").await;
    done(&running.say("turn on the shelf").await.0);
    running.shows("Shelf", "on").await;
    done(&running.say("make the lights red").await.0);
    done(&running.say("set the shelf brightness to 50%").await.0);
    done(&running.say("make it dimmer").await.0);
    done(
        &running
            .say("set the shelf temperature to warm white")
            .await
            .0,
    );
    done(&running.say("turn off the lights").await.0);
    running.shows("Shelf", "off").await;
    let path = "/json/state";
    let expected = [
        (path, json!({"on": true, "v": true})),
        (
            path,
            json!({"on": true, "seg": [{"col": [[255, 0, 0]]}], "v": true}),
        ),
        (path, json!({"on": true, "bri": 127, "v": true})),
        (path, json!({"on": true, "bri": "~-51", "v": true})),
        (
            path,
            json!({"on": true, "seg": [{"cct": 2700, "col": [[255, 169, 87]]}], "v": true}),
        ),
        (path, json!({"on": false, "v": true})),
    ];
    let expected = expected.map(|(path, body)| (format!("POST {path} HTTP/1.1"), body));
    assert_eq!(orders(&noted), expected);
    *silent.lock().unwrap() = true;
    let (reply, took) = running.say("turn on the shelf").await;
    assert_eq!(
        reply,
        Reply::Refused("Shelf: it does not answer in time.".into())
    );
    assert!(took <= Duration::from_secs(2), "{took:?}");
    running
        .until("it is known to be silent", |running, _| {
            running.shown["systems"][0]["answers"] == false
        })
        .await;
    let (_, took) = running.say("turn on the shelf").await;
    assert!(took < Duration::from_millis(100), "{took:?}");
}

fn lists(kind: &str) -> Value {
    let light = |id: &str, owner: &str, on: bool| {
        json!({"id": id, "type": "light", "owner": {"rid": owner, "rtype": "device"}, "metadata": {"name": "old"},
            "on": {"on": on}, "dimming": {"brightness": 50.0}, "color": {"xy": {"x": 0.3, "y": 0.3}}, "color_temperature": {"mirek": 366}})
    };
    let data = match kind {
        "light" => json!([light("l-1", "d-1", false), light("l-2", "d-2", true)]),
        "device" => {
            json!([{"id": "d-1", "metadata": {"name": "Counter"}}, {"id": "d-2", "metadata": {"name": "Bed"}}])
        }
        "room" => json!([
            {"id": "r-1", "metadata": {"name": "Kitchen"}, "children": [{"rid": "d-1", "rtype": "device"}]},
            {"id": "r-2", "metadata": {"name": "Bedroom"}, "children": [{"rid": "d-2", "rtype": "device"}]},
        ]),
        _ => {
            json!([{"id": "s-1", "metadata": {"name": "Relax"}, "group": {"rid": "r-1", "rtype": "room"}}])
        }
    };
    json!({"errors": [], "data": data})
}

#[tokio::test]
async fn a_bridge_is_told_as_clip_wants_it_and_only_the_right_one() {
    if english().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // As a bridge's is: by itself, for its own number, not for an address.
    let made = rcgen::generate_simple_self_signed(vec!["001788fffe000000".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
    let answers: Answers = Arc::new(|first, body| {
        let path = first.split(' ').nth(1).unwrap();
        if path == "/eventstream/clip/v2" {
            let event = json!([{"type": "update", "data": [{"id": "l-2", "type": "light", "on": {"on": false}}]}]);
            return Some((200, format!(": hi\n\nid: 1:0\ndata: {event}\n\n")));
        }
        let mut parts = path.trim_start_matches("/clip/v2/resource/").split('/');
        match (parts.next().unwrap(), parts.next()) {
            (kind, None) => Some((200, lists(kind).to_string())),
            (_, Some("l-2")) => Some((
                200,
                json!({"errors": [{"description": "device (light) is unreachable"}], "data": []})
                    .to_string(),
            )),
            (_, Some(_)) if body.is_empty() => Some((404, String::new())),
            (_, Some(id)) => Some((
                200,
                json!({"errors": [], "data": [{"rid": id}]}).to_string(),
            )),
        }
    });
    let (port, noted) = serving(Some(TlsAcceptor::from(Arc::new(config))), answers).await;
    let (key, pem) = (folder.path().join("hue.key"), folder.path().join("hue.pem"));
    std::fs::write(&key, "a-key-of-the-test\n").unwrap();
    let sections = format!(
        "[hue]\naddress = \"127.0.0.1:{port}\"\nkey_file = \"{}\"\ncertificate = \"{}\"\n",
        key.display(),
        pem.display()
    );
    std::fs::write(&pem, other.cert.pem()).unwrap();
    let mut stranger = Running::new("Kitchen", &sections);
    stranger
        .until("another bridge is refused", |running, _| {
            running
                .steps
                .iter()
                .any(|step| step.contains("certificate"))
        })
        .await;
    drop(stranger);
    assert!(
        noted.lock().unwrap().is_empty(),
        "the key was not shown to a stranger"
    );
    std::fs::write(&pem, made.cert.pem()).unwrap();
    let mut running = Running::new("Kitchen", &sections);
    running.shows("Counter", "off").await;
    running.shows("Bed", "off").await; // by the stream
    done(&running.say("turn on the counter").await.0);
    done(&running.say("set the kitchen color to red").await.0);
    done(&running.say("set the counter brightness to 30%").await.0);
    done(
        &running
            .say("set the counter temperature to warm white")
            .await
            .0,
    );
    done(&running.say("dim the counter").await.0);
    done(&running.say("activate relax").await.0);
    let (reply, _) = running.say("turn on the bed").await;
    assert_eq!(
        reply,
        Reply::Refused("Bed: device (light) is unreachable.".into())
    );
    let on = json!({"on": true});
    let expected = [
        ("light/l-1", json!({"on": on})),
        (
            "light/l-1",
            json!({"on": on, "color": {"xy": {"x": 0.7006, "y": 0.2993}}}),
        ),
        (
            "light/l-1",
            json!({"on": on, "dimming": {"brightness": 30}}),
        ),
        (
            "light/l-1",
            json!({"on": on, "color_temperature": {"mirek": 370}}),
        ),
        (
            "light/l-1",
            json!({"on": on, "dimming_delta": {"action": "down", "brightness_delta": 20}}),
        ),
        ("scene/s-1", json!({"recall": {"action": "active"}})),
        ("light/l-2", json!({"on": on})),
    ];
    let expected =
        expected.map(|(path, body)| (format!("PUT /clip/v2/resource/{path} HTTP/1.1"), body));
    assert_eq!(orders(&noted), expected);
    let all = noted.lock().unwrap();
    let key = "hue-application-key: a-key-of-the-test";
    assert!(all.iter().all(|request| request.contains(key)));
}
