//! Debian's Chromium with its fake microphone (it beeps once a second), with and without leave to use loopback addresses.
//! Needs what the site's tests of the hub need; without it they say so and are skipped, unless `CI` is set.
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use hearthline_webrtc::{FromBrowser, Keys, open};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use crate::browser::tone;

const TIME_MAX: Duration = Duration::from_secs(60);

/// The libraries that the hub's tests installed or would install: the same list, in this crate's own folder.
fn libraries() -> Result<PathBuf, String> {
    if !Path::new("/usr/bin/chromium").exists() {
        return Err("no Chromium; install chromium".to_owned());
    }
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hub/tests/site");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("site");
    std::fs::create_dir_all(&folder).unwrap();
    if folder.join("node_modules/playwright-core").exists() {
        return Ok(folder);
    }
    for name in ["package.json", "package-lock.json"] {
        std::fs::copy(list.join(name), folder.join(name)).unwrap();
    }
    let install = std::process::Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&folder)
        .stdout(Stdio::null())
        .output()
        .map_err(|error| format!("npm cannot be started ({error}); install npm"))?;
    if install.status.success() {
        Ok(folder)
    } else {
        Err(String::from_utf8_lossy(&install.stderr).into_owned())
    }
}

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
    let folder = match libraries() {
        Ok(folder) => folder,
        Err(why) if std::env::var_os("CI").is_none() => {
            println!("skipped: {why}");
            return;
        }
        Err(why) => panic!("{why}"),
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sound/chromium.mjs");
    let mut node = tokio::process::Command::new("node")
        .arg(script)
        .arg(&folder)
        .arg(flag)
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
