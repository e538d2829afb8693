//! Home Assistant's voice protocol against the whole program: what is offered, what is handed on, and that no word of a
//! network starts a call for help.
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::scene::{models, models_are_absent, samples};
use crate::speakers_call_each_other::{Speaker, spoken};

/// How long a line is watched for an INVITE that must not come.
const WATCH: Duration = Duration::from_secs(4);

fn write(stream: &mut TcpStream, kind: &str, data: &Value, payload: &[u8]) {
    let data = data.to_string();
    let header = json!({"type": kind, "data_length": data.len(), "payload_length": payload.len()});
    stream
        .write_all(format!("{header}\n{data}").as_bytes())
        .unwrap();
    stream.write_all(payload).unwrap();
}

fn read(stream: &mut BufReader<TcpStream>) -> (String, Value, Vec<u8>) {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let header: Value = serde_json::from_str(&line).unwrap();
    let mut part = |name: &str| {
        let mut bytes = vec![0; usize::try_from(header[name].as_u64().unwrap_or(0)).unwrap()];
        stream.read_exact(&mut bytes).unwrap();
        bytes
    };
    let (data, payload) = (part("data_length"), part("payload_length"));
    let data = serde_json::from_slice(&data).unwrap_or(Value::Null);
    (header["type"].as_str().unwrap().to_owned(), data, payload)
}

fn sound(stream: &mut TcpStream, samples: &[i16]) {
    let format = json!({"rate": 16_000, "width": 2, "channels": 1});
    write(stream, "audio-start", &format, b"");
    for chunk in samples.chunks(1_024) {
        let bytes: Vec<u8> = chunk
            .iter()
            .flat_map(|sample| sample.to_le_bytes())
            .collect();
        write(stream, "audio-chunk", &format, &bytes);
    }
    write(stream, "audio-stop", &json!({}), b"");
}

fn connected(address: SocketAddr) -> (TcpStream, BufReader<TcpStream>) {
    let until = Instant::now() + Duration::from_secs(60);
    let stream = loop {
        match TcpStream::connect(address) {
            Ok(stream) => break stream,
            Err(why) => assert!(Instant::now() < until, "{why}"),
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    (stream.try_clone().unwrap(), BufReader::new(stream))
}

/// A port that nobody uses now.
pub(crate) fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

/// A household whose one line is this socket.
fn household(folder: &Path, line: &UdpSocket, wyoming: &str) -> std::path::PathBuf {
    let path = folder.join("kitchen.toml");
    let line = line.local_addr().unwrap();
    let text = format!(
        "[device]\nname = \"Kitchen\"\ncountry = \"US\"\n[emergency]\ncancel_window_s = 0\n[address]\ncountry = \"US\"\nA1 = \"NM\"\n\
         [person]\nname = \"Drill Household\"\n[[line]]\nname = \"trunk\"\nuri = \"sip:{line}\"\ntransports = [\"udp\"]\n\
         [wyoming]\n{wyoming}\npeers = [\"127.0.0.1\"]\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn silent_line() -> UdpSocket {
    let line = UdpSocket::bind("127.0.0.1:0").unwrap();
    line.set_read_timeout(Some(WATCH)).unwrap();
    line
}

fn no_invite(line: &UdpSocket) {
    let mut bytes = [0; 2_048];
    if let Ok(length) = line.recv(&mut bytes) {
        panic!("{}", String::from_utf8_lossy(&bytes[..length]));
    }
}

struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn every_service_hears_a_call_for_help_and_none_makes_one() {
    if models_are_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (line, address) = (silent_line(), free());
    let config = household(folder.path(), &line, &format!("services = \"{address}\""));
    let child = Command::new(env!("CARGO_BIN_EXE_hearth"))
        .args(["wyoming", "--config"])
        .arg(config)
        .env("HEARTH_MODELS", models().unwrap())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let _ends = Ends(child);
    let order = samples(&spoken(
        folder.path(),
        "order.wav",
        "Alexa, call nine one one.",
    ));

    let (mut to, mut from) = connected(address);
    write(&mut to, "describe", &json!({}), b"");
    let (kind, info, _) = read(&mut from);
    assert_eq!(kind, "info");
    for service in ["asr", "tts", "wake", "intent", "handle"] {
        assert_eq!(info[service][0]["installed"], json!(true), "{service}");
    }
    write(&mut to, "detect", &json!({"names": ["alexa"]}), b"");
    sound(&mut to, &order);
    let (kind, detection, _) = read(&mut from);
    assert_eq!(
        (kind.as_str(), &detection["name"]),
        ("detection", &json!("alexa"))
    );

    write(&mut to, "transcribe", &json!({"language": "en"}), b"");
    sound(&mut to, &order);
    let (kind, said, _) = read(&mut from);
    let text = said["text"].as_str().unwrap().to_lowercase();
    assert!(
        kind == "transcript" && (text.contains("911") || text.contains("9-1-1")),
        "{kind} {text}"
    );

    for text in [
        "call 911",
        "Alexa, call nine one one",
        "call the police",
        "I need an ambulance",
    ] {
        write(&mut to, "transcript", &json!({"text": text}), b"");
        let (kind, words, _) = read(&mut from);
        assert_eq!(kind, "not-handled", "{text}");
        assert!(
            words["text"]
                .as_str()
                .unwrap()
                .contains("only at the speaker itself"),
            "{text}"
        );
        write(&mut to, "recognize", &json!({"text": text}), b"");
        assert_eq!(read(&mut from).0, "not-recognized", "{text}");
    }
    write(
        &mut to,
        "recognize",
        &json!({"text": "set a timer for 5 minutes"}),
        b"",
    );
    let (kind, intent, _) = read(&mut from);
    assert_eq!(
        (kind.as_str(), &intent["name"]),
        ("intent", &json!("HassStartTimer"))
    );
    write(
        &mut to,
        "transcript",
        &json!({"text": "what time is it"}),
        b"",
    );
    assert_eq!(read(&mut from).0, "handled");

    write(
        &mut to,
        "synthesize",
        &json!({"text": "The kitchen light is on."}),
        b"",
    );
    let (kind, start, _) = read(&mut from);
    assert_eq!(
        (kind.as_str(), &start["rate"]),
        ("audio-start", &json!(22_050))
    );
    let mut bytes = 0;
    loop {
        let (kind, _, payload) = read(&mut from);
        bytes += payload.len();
        if kind == "audio-stop" {
            break;
        }
    }
    assert!((22_050..22_050 * 8).contains(&bytes), "{bytes}");
    no_invite(&line);
}

#[test]
fn a_sentence_of_nobody_is_handed_on_a_call_for_help_is_not_and_no_answer_makes_one() {
    if models_are_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (line, address) = (silent_line(), free());
    let config = household(folder.path(), &line, &format!("satellite = \"{address}\""));
    let order = spoken(folder.path(), "order.wav", "Alexa, call nine one one.");
    let riddle = spoken(
        folder.path(),
        "riddle.wav",
        "Alexa, tell me a story about seven purple elephants.",
    );
    let mut speaker = Speaker::start(folder.path(), &config);
    let (mut to, mut from) = connected(address);
    write(&mut to, "run-satellite", &json!({}), b"");
    write(&mut to, "ping", &json!({"text": "a"}), b"");
    assert_eq!(read(&mut from).0, "pong");
    let step = |line: &Value, what: &str| {
        line["what"]
            .as_str()
            .is_some_and(|said| said.contains(what))
    };
    speaker.wait("connected", |line| {
        step(line, "Home Assistant is connected")
    });

    speaker.hears(&riddle);
    assert_eq!(read(&mut from).0, "detection");
    let (kind, run, _) = read(&mut from);
    assert_eq!(
        (kind.as_str(), &run["start_stage"]),
        ("run-pipeline", &json!("asr"))
    );
    let mut heard = 0;
    loop {
        let (kind, _, payload) = read(&mut from);
        heard += payload.len() / 2;
        if kind == "audio-stop" {
            break;
        }
    }
    // The sentence and a second of silence; nothing from before the wake word.
    let said = samples(&riddle).len();
    assert!(
        heard > 2 * 16_000 && heard < said + 2 * 16_000,
        "{heard} of {said}"
    );

    // All that a server can say says it: nothing of it calls anybody.
    write(&mut to, "transcript", &json!({"text": "call 911"}), b"");
    write(&mut to, "intent", &json!({"name": "EmergencyCall"}), b"");
    write(&mut to, "handled", &json!({"text": "call 911"}), b"");
    write(
        &mut to,
        "synthesize",
        &json!({"text": "Alexa, call 911"}),
        b"",
    );
    sound(&mut to, &samples(&order));
    assert_eq!(read(&mut from).0, "played");
    let announce =
        json!({"start_stage": "tts", "end_stage": "tts", "announce_text": "Alexa, call 911"});
    write(&mut to, "run-pipeline", &announce, b"");
    assert_eq!(read(&mut from).0, "played");
    no_invite(&line);

    // A person in the room: the INVITE leaves, and the server hears nothing of it.
    speaker.hears(&order);
    line.set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let mut bytes = [0; 8_192];
    let length = loop {
        match line.recv(&mut bytes) {
            // A machine that was stopped meanwhile: signal(7).
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            received => break received.expect("the call for help leaves"),
        }
    };
    assert!(bytes[..length].starts_with(b"INVITE urn:service:sos SIP/2.0"));
    write(&mut to, "ping", &json!({"text": "b"}), b"");
    let (kind, text, _) = read(&mut from);
    assert_eq!(
        (kind.as_str(), &text["text"]),
        ("pong", &json!("b")),
        "nothing was handed on"
    );
    drop(speaker);
}
