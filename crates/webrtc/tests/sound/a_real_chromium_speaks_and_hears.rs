//! Debian's Chromium with its fake microphone (it beeps once a second), with and without leave to use loopback addresses.
//! Needs what the site's tests of the hub need; without it they say so and are skipped, unless `CI` is set.
use std::process::Stdio;
use std::time::{Duration, Instant};

use hearthline_webrtc::{FromBrowser, Keys, open};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use crate::browser::tone;
use crate::person::script;

const TIME_MAX: Duration = Duration::from_secs(60);

/// Whether this machine has an address beside loopback: a browser without the flag needs one.
fn has_another_address() -> bool {
    let table = std::fs::read_to_string("/proc/net/fib_trie").unwrap_or_default();
    let held = table
        .lines()
        .map(str::trim)
        .filter_map(|line| line.strip_prefix("|-- "));
    held.filter_map(|text| text.parse::<std::net::Ipv4Addr>().ok())
        .any(|ip| !ip.is_loopback() && hearthline_transport::reach::is_of_this_machine(ip.into()))
}

async fn talk(flag: &str) {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sound/chromium.mjs");
    let Some(page) = script(page, &[flag]) else {
        return;
    };
    let mut node = tokio::process::Command::from(page)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(node.stdout.take().unwrap()).lines();
    let mut stdin = node.stdin.take().unwrap();
    let offer = lines.next_line().await.unwrap().expect("an offer");
    let offer: String = serde_json::from_str(&offer).unwrap();
    let (answer, mut sound) = open(&offer, &Keys::generate().unwrap()).await.unwrap();
    let answer = serde_json::to_string(&answer).unwrap();
    stdin
        .write_all(format!("{answer}\n").as_bytes())
        .await
        .unwrap();
    let started = Instant::now();
    let (mut frame, mut heard, mut connected) = (0_u64, Vec::new(), None);
    let told = loop {
        assert!(
            started.elapsed() < TIME_MAX,
            "connected: {connected:?}, heard: {}",
            heard.len()
        );
        tokio::select! {
            line = lines.next_line() => break line.unwrap().expect("what the page heard"),
            news = sound.next() => match news.expect("it lasts") {
                FromBrowser::Connected => connected = Some(started.elapsed()),
                FromBrowser::Heard(frame) => heard.extend(frame),
                other => panic!("{other:?}"),
            },
            () = tokio::time::sleep(Duration::from_millis(5)) => {}
        }
        while let Some(since) = connected
            && started.elapsed() - since >= Duration::from_millis(20 * frame)
        {
            sound.to_browser.play(tone(1_000.0, frame));
            frame += 1;
        }
    };
    let page: serde_json::Value = serde_json::from_str(&told).unwrap();
    println!(
        "flag {flag:?}: connected after {:?}; the page: {page}",
        connected.unwrap()
    );
    let hz = page["hz"].as_f64().unwrap();
    assert!((950.0..=1_050.0).contains(&hz), "the page heard {hz} Hz");
    // The fake microphone's beeps.
    let loudest = heard
        .iter()
        .map(|sample| sample.unsigned_abs())
        .max()
        .unwrap();
    assert!(
        loudest > 1_000,
        "the loudest of {} samples was {loudest}",
        heard.len()
    );
    assert!(heard.len() > 16_000);
}

#[tokio::test]
async fn with_leave_to_use_loopback() {
    talk("--allow-loopback-in-peer-connection").await;
}

#[tokio::test]
async fn as_ordinary_people_start_it() {
    if !has_another_address() {
        println!("skipped: this machine has no address beside loopback");
        return;
    }
    talk("--no-first-run").await;
}
