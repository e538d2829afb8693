//! The console in a real browser: `a_person_takes_calls_in_a_browser.mjs` is the call-taker, a caller on real sockets
//! rings. What each hears is measured: the caller's tone is 440 Hz, the call-taker's 1,000 Hz.
//!
//! It needs Node, npm and Debian's Chromium; without them it says so and is skipped, unless `CI` is set. With
//! `HEARTH_SCREENSHOTS=FOLDER` the page is photographed in both themes and three widths.

use core::time::Duration;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use hearthline_psap::report::AnsweredBy;
use hearthline_psap::{CallState, Print, PsapConfig, start};
use hearthline_sip::target::Transport;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use crate::answers_on_loopback::{get, http};
use crate::drill::on_sockets::{call_patiently, target};

const TIME_MAX: Duration = Duration::from_secs(180);
const CALL_TAKER_HZ: f64 = 1_000.0;
const CALLER_HZ: f64 = 440.0;

/// The libraries of the hub's site tests, installed once for this crate; or why there are none.
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

/// The call-taker's microphone: a tone, 16 bits, 48 kHz as browsers have it.
fn write_microphone(path: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..48_000 {
        let t = f64::from(n) / 48_000.0;
        let sample = 9_000.0 * (std::f64::consts::TAU * CALL_TAKER_HZ * t).sin();
        writer.write_sample(sample as i16).unwrap();
    }
    writer.finalize().unwrap();
}

/// The share of the energy that is at this frequency (Goertzel, by 50 ms), of the loudest second.
fn share(samples: &[i16], hertz: f64) -> f64 {
    let energy = |block: &[i16]| block.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>();
    let second = samples
        .chunks_exact(16_000)
        .max_by(|a, b| energy(a).total_cmp(&energy(b)));
    let Some(second) = second else { return 0.0 };
    let at = |block: &[i16]| {
        let (mut sine, mut cosine) = (0.0, 0.0);
        for (n, &sample) in block.iter().enumerate() {
            let phase = std::f64::consts::TAU * hertz * n as f64 / 16_000.0;
            sine += f64::from(sample) * phase.sin();
            cosine += f64::from(sample) * phase.cos();
        }
        (sine * sine + cosine * cosine) * 2.0 / block.len() as f64
    };
    second.chunks_exact(800).map(at).sum::<f64>() / energy(second).max(1.0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_rings_is_answered_by_key_and_both_hear_each_other() {
    let libraries = match libraries() {
        Ok(folder) => folder,
        Err(why) if std::env::var_os("CI").is_none() => {
            println!("skipped: {why}");
            return;
        }
        Err(why) => panic!("{why}"),
    };
    let folder = tempfile::tempdir().unwrap();
    let microphone = folder.path().join("microphone.wav");
    write_microphone(&microphone);
    let running = start(PsapConfig {
        sip_port: 0,
        http_port: 0,
        calls_max: 4,
        recordings: Some(folder.path().join("recordings")),
        print: Print::Nothing,
        person_answers_within_s: Some(25),
        ..PsapConfig::default()
    })
    .await
    .unwrap();
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/drills/a_person_takes_calls_in_a_browser.mjs"
    );
    let mut person = tokio::process::Command::new("node")
        .arg(script)
        .arg(&libraries)
        .arg(running.console_url())
        .arg(&microphone)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(person.stdout.take().unwrap()).lines();
    let mut stdin = person.stdin.take().unwrap();
    let mut calls = Vec::new();
    let drive = async {
        // The script says when it wants to be rung.
        while let Some(line) = lines.next_line().await.unwrap() {
            if line == "ring" {
                let to = target(&running, Transport::Udp);
                calls.push(tokio::spawn(call_patiently(
                    to,
                    Duration::from_secs(40),
                    Duration::from_secs(60),
                )));
                stdin.write_all(b"rung\n").await.unwrap();
            } else {
                println!("{line}");
            }
        }
        person.wait().await.unwrap()
    };
    let status = tokio::time::timeout(TIME_MAX, drive)
        .await
        .expect("the browser takes no longer");
    assert!(status.success(), "what went wrong stands above");
    let mut heard = Vec::new();
    for call in calls {
        heard.push(call.await.unwrap());
    }
    assert_eq!(heard.len(), 2);
    let (of_person, of_machine) = (
        share(&heard[0].heard, CALL_TAKER_HZ),
        share(&heard[0].heard, CALLER_HZ),
    );
    println!("the caller heard {of_person:.2} at 1,000 Hz");
    assert!(heard[0].answered);
    assert!(
        of_person > 0.8 && of_machine < 0.05,
        "{of_person} {of_machine}"
    );
    let report = running.handle().report(1).await.unwrap();
    assert_eq!(report.answered_by, Some(AnsweredBy::Person));
    assert_eq!(report.state, CallState::Ended);
    assert_eq!(report.ended_by.as_deref(), Some("call-taker"));
    assert!(report.fact("audio-continuous").unwrap().ok, "{report:?}");
    let sent = report.media.unwrap().sent_packets;
    let talked = report.ended_after_ms.unwrap() - report.answered_after_ms.unwrap();
    assert!(
        sent * 20 + 100 > talked,
        "{sent} packets in {talked} ms: the leg was never interrupted"
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_elsewhere_can_neither_look_nor_answer_nor_hang_up() {
    let running = start(PsapConfig {
        sip_port: 0,
        http_port: 0,
        print: Print::Nothing,
        person_answers_within_s: Some(25),
        ..PsapConfig::default()
    })
    .await
    .unwrap();
    let host = running.http;
    let caller = tokio::spawn(call_patiently(
        target(&running, Transport::Udp),
        Duration::from_secs(3),
        Duration::from_secs(3),
    ));
    let handle = running.handle();
    while handle.report(1).await.is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let post = |path: &str, more: &str, body: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\n{more}Content-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let evil = "Origin: http://evil.example.com\r\n";
    for path in ["/calls/1/answer", "/calls/1/hang-up", "/calls/1/audio"] {
        assert_eq!(http(host, post(path, evil, "")).await.0, 403, "{path}");
        let crossed = post(path, "Sec-Fetch-Site: cross-site\r\n", "");
        assert_eq!(http(host, crossed).await.0, 403, "{path}");
    }
    let rebound =
        post("/calls/1/answer", "", "").replace(&format!("Host: {host}"), "Host: evil.example.com");
    assert_eq!(http(host, rebound).await.0, 403);
    assert_eq!(handle.report(1).await.unwrap().state, CallState::Ringing);
    // What is not to be had is said.
    let sdp = "Content-Type: application/sdp\r\n";
    for (request, status) in [
        (post("/calls/1/audio", sdp, "v=0"), 409),
        (post("/calls/9/answer", "", ""), 409),
        (post("/calls/1/hang-up/", "", ""), 404),
        (post("/calls/1/recording", "", ""), 405),
    ] {
        assert_eq!(http(host, request.clone()).await.0, status, "{request}");
    }
    assert_eq!(get(host, "/calls/1/recording").await.0, 404);
    assert_eq!(http(host, post("/calls/1/answer", "", "")).await.0, 204);
    for (request, status) in [
        (post("/calls/1/answer", "", ""), 409),
        (post("/calls/1/audio", "", "v=0"), 415),
        (post("/calls/1/audio", sdp, "no description"), 400),
        (
            post(
                "/calls/1/audio",
                &format!("{sdp}Hearth-Page: {}\r\n", "x".repeat(65)),
                "v=0",
            ),
            400,
        ),
        (post("/calls/1/audio", sdp, &"x".repeat(300_000)), 413),
    ] {
        assert_eq!(http(host, request.clone()).await.0, status);
    }
    let export = get(host, "/calls/1/export").await;
    let export: serde_json::Value = serde_json::from_str(&export.1).unwrap();
    assert_eq!(export["drill"], true);
    assert_eq!(export["call"]["answered_by"], "person");
    assert_eq!(http(host, post("/calls/1/hang-up", "", "")).await.0, 204);
    assert!(caller.await.unwrap().answered);
    running.stop().await;
}
