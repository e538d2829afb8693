//! The whole adapter on real sockets: SIP by UDP, TCP and TLS, RTP both ways, WAV, JSON, LoST.

use core::time::Duration;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use hearthline_psap::{Behaviour, LostFault, Print, PsapConfig, start};
use hearthline_sip::target::Transport;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::drill::on_sockets::{call, target};

fn config(folder: &Path) -> PsapConfig {
    PsapConfig {
        sip_port: 0,
        http_port: 0,
        calls_max: 2,
        recordings: Some(folder.to_owned()),
        print: Print::Nothing,
        behaviours: vec![Behaviour::answering_after(Duration::from_millis(20))],
        ..PsapConfig::default()
    }
}

/// One HTTP/1.1 request; returns status and body.
pub(crate) async fn http(address: SocketAddr, request: String) -> (u16, String) {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let text = String::from_utf8(answer).unwrap();
    let status = text[9..12].parse().unwrap();
    (status, text.split_once("\r\n\r\n").unwrap().1.to_owned())
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    http(
        address,
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"),
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_by_each_transport_is_answered_recorded_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&certificate, certified.cert.pem()).unwrap();
    std::fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
    let mut own = config(folder.path());
    own.tls_port = Some(0);
    own.tls_certificate = Some(certificate);
    own.tls_key = Some(key);
    let running = start(own).await.unwrap();
    for (index, transport) in [Transport::Udp, Transport::Tcp, Transport::Tls]
        .into_iter()
        .enumerate()
    {
        let outcome = call(target(&running, transport), Duration::from_millis(1_500)).await;
        assert!(outcome.answered, "{transport}");
        assert!(
            outcome.packets > 55,
            "{transport}: {} packets",
            outcome.packets
        );
        assert!(
            outcome.heard_rms > 500.0,
            "{transport}: {}",
            outcome.heard_rms
        );
        let (status, body) = get(running.http, &format!("/calls/{}", index + 1)).await;
        assert_eq!(status, 200);
        let report: serde_json::Value = serde_json::from_str(&body).unwrap();
        let wrong: Vec<&serde_json::Value> = report["facts"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|fact| fact["ok"] != true)
            .collect();
        assert!(wrong.is_empty(), "{transport}: {wrong:#?}");
        assert_eq!(report["state"], "ended");
        println!(
            "{transport}: first audio after {} ms",
            report["first_audio_after_ms"]
        );
        assert!(
            report["first_audio_after_ms"].as_u64().unwrap() < 400,
            "{report:#}"
        );
        let recording = report["recording"].as_str().unwrap().to_owned();
        let reader = hound::WavReader::open(recording).unwrap();
        assert_eq!(reader.spec().sample_rate, 16_000);
        let samples: Vec<i16> = reader.into_samples().map(Result::unwrap).collect();
        assert!(samples.len() > 16_000, "{}", samples.len());
        assert!(crate::drill::rms(&samples) > 2_000.0);
    }
    let (status, body) = get(running.http, "/calls").await;
    let all: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, all.as_array().unwrap().len()), (200, 3));
    assert_eq!(get(running.http, "/calls/9").await.0, 404);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_of_8_khz_in_a_folder_that_cannot_be_written_harms_no_call() {
    let folder = tempfile::tempdir().unwrap();
    let mut narrow = config(folder.path());
    narrow.recording_rate_hz = 8_000;
    let running = start(narrow).await.unwrap();
    call(target(&running, Transport::Udp), Duration::from_millis(600)).await;
    running.stop().await;
    let reader = hound::WavReader::open(folder.path().join("call-1.wav")).unwrap();
    assert_eq!(reader.spec().sample_rate, 8_000);
    assert!(reader.duration() > 4_000);
    // A file where the folder should be.
    let file = folder.path().join("taken");
    std::fs::write(&file, b"x").unwrap();
    let running = start(config(&file)).await.unwrap();
    let outcome = call(target(&running, Transport::Udp), Duration::from_millis(600)).await;
    assert!(
        outcome.answered && outcome.packets > 15,
        "{}",
        outcome.packets
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_is_answered_over_http_and_fails_as_told() {
    use hearthline_emergency::civic::CivicAddress;
    use hearthline_emergency::lost::{FindService, LostLocation, LostRequest, LostResponse};
    use hearthline_emergency::service::ServiceUrn;
    let folder = tempfile::tempdir().unwrap();
    let running = start(config(folder.path())).await.unwrap();
    let civic = CivicAddress::from_pairs([("country", "US"), ("A1", "NM")]).unwrap();
    let request = LostRequest::FindService(FindService {
        locations: vec![LostLocation::civic("home", civic)],
        service: Some(ServiceUrn::SOS),
        path: Vec::new(),
        validate_location: false,
        boundary_by_value: false,
        recursive: false,
    });
    let body = String::from_utf8(request.to_bytes()).unwrap();
    let post = |kind: &str, host: String| {
        format!(
            "POST /lost HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let host = running.http.to_string();
    let (status, answer) = http(running.http, post("application/lost+xml", host.clone())).await;
    assert_eq!(status, 200);
    let LostResponse::FindService(found) = LostResponse::parse(answer.as_bytes()).unwrap() else {
        panic!("{answer}")
    };
    let sip = running.sip[0].1;
    assert_eq!(found.mappings[0].uris, [format!("sip:psap@{sip}")]);
    assert_eq!(
        http(running.http, post("text/xml", host.clone())).await.0,
        415
    );
    let elsewhere = post("application/lost+xml", "lost.example.com".to_owned());
    assert_eq!(http(running.http, elsewhere).await.0, 403);
    running.set_lost_fault(LostFault::Slow(300));
    let before = Instant::now();
    assert_eq!(
        http(running.http, post("application/lost+xml", host.clone()))
            .await
            .0,
        200
    );
    assert!(before.elapsed() >= Duration::from_millis(300));
    running.set_lost_fault(LostFault::HttpStatus(500));
    assert_eq!(
        http(running.http, post("application/lost+xml", host.clone()))
            .await
            .0,
        500
    );
    running.set_lost_fault(LostFault::Dead);
    let dead = http(running.http, post("application/lost+xml", host));
    assert!(
        tokio::time::timeout(Duration::from_millis(500), dead)
            .await
            .is_err()
    );
    running.stop().await;
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let mut outside = PsapConfig {
        sip_port: 0,
        http_port: 0,
        ..PsapConfig::default()
    };
    outside.address = "192.0.2.1".parse().unwrap();
    assert!(
        start(outside)
            .await
            .err()
            .unwrap()
            .to_string()
            .contains("loopback")
    );
    let missing = PsapConfig {
        sip_port: 0,
        http_port: 0,
        boundaries: Some("no-such-file.toml".into()),
        ..PsapConfig::default()
    };
    assert!(
        start(missing)
            .await
            .err()
            .unwrap()
            .to_string()
            .contains("no-such-file.toml")
    );
}
