//! Our engines for others: the reference library and its benchmark as clients, pretended engines behind the server.
use std::process::Command;
use std::sync::Arc;

use hearthline_satellite::io::access::Door;
use hearthline_satellite::io::engines::Engines;
use hearthline_satellite::io::wyoming_server::serve;
use hearthline_satellite::wyoming::service::describe::{Offered, info};
use hearthline_satellite::wyoming::service::{Meaning, Offer, ServiceLimits};
use serde_json::json;
use tokio::io::AsyncReadExt as _;

use crate::oracle::{python, ran, script};

fn offer() -> Offer {
    let offered = Offered {
        wake_word: Some("alexa".into()),
        asr: true,
        voice: Some("pretended".into()),
        sentences: Some("en".into()),
    };
    Offer {
        info: info(&offered),
        wake: None,
        speech_rate_hz: Some(22_050),
        limits: ServiceLimits::default(),
    }
}

fn engines() -> Engines {
    Engines::start(
        Some(Box::new(|samples| {
            Ok(format!("heard {} ms", samples.len() / 16))
        })),
        Some(Box::new(|_| Ok(vec![100; 2_205]))),
        Some(Box::new(|said| match said {
            "call 911" => Meaning::Emergency,
            "what time is it" => Meaning::Intent {
                name: "HassGetCurrentTime".into(),
                slots: vec![],
                response: Some("noon".into()),
                answers: true,
            },
            "turn on the lamp" => Meaning::Intent {
                name: "HassTurnOn".into(),
                slots: vec![("name".into(), json!("lamp"))],
                response: None,
                answers: false,
            },
            _ => Meaning::Nothing,
        })),
    )
    .unwrap()
}

/// A server that the given peers may use, and its port.
async fn server(peers: &[&str]) -> u16 {
    let peers = peers.iter().map(|peer| peer.parse().unwrap()).collect();
    let door = Door::open("127.0.0.1:0".parse().unwrap(), peers)
        .await
        .unwrap();
    let port = door.address().unwrap().port();
    tokio::spawn(serve(door, Arc::new(offer()), engines()));
    port
}

async fn runs(mut command: Command) {
    let ran = tokio::task::spawn_blocking(move || ran(&mut command)).await;
    if let Err(why) = ran.unwrap() {
        panic!("{why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_library_is_served_six_times_at_once() {
    let Some(python) = python() else { return };
    let port = server(&["127.0.0.1"]).await;
    let mut command = Command::new(python);
    command
        .arg(script("wyoming_client.py"))
        .arg(port.to_string());
    runs(command).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_benchmark_finds_a_voice_that_streams() {
    let Some(python) = python() else { return };
    let port = server(&["127.0.0.1"]).await;
    let bench = python.with_file_name("wyoming-bench");
    let at = format!("127.0.0.1:{port}");
    let mut info = Command::new(&bench);
    info.args(["info", &at]);
    runs(info).await;
    let mut tts = Command::new(&bench);
    tts.args([
        "tts",
        &at,
        "--rounds",
        "1",
        "--warmup",
        "0",
        "--mode",
        "both",
        "--texts",
        "Hello there. How are you today?",
    ]);
    runs(tts).await;
}

#[tokio::test]
async fn a_peer_that_was_not_chosen_gets_nothing() {
    let port = server(&["127.0.0.2", "::1"]).await;
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .unwrap();
    let mut got = Vec::new();
    // Closed, or reset: nothing comes.
    let _ = stream.read_to_end(&mut got).await;
    assert_eq!(got, b"");
}
