//! Voicemail of the real program: a caller whom nobody answers hears the greeting and the tone, says something, and the
//! home has it as a voice message and as text.
#![allow(clippy::panic, reason = "in a test a panic is the answer")]
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::scene::{HEARTH, hearth, models_are_absent, samples};
use hearthline_hub::bus::LocalBus;
use hearthline_hub::clock::Clock;
use hearthline_hub::event::StreamId;
use hearthline_hub::message::{Message, VoiceCodec};
use hearthline_hub::person::Party;
use hearthline_hub::store::{Messages as _, SqliteConfig, SqliteStore};
use hearthline_media::{Codec, FRAME, FRAME_SAMPLES, Output, Session, SessionConfig};
use hearthline_sip::endpoint::{Body, Endpoint, EndpointConfig, Event, InviteRequest};
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::target::{Target, Transport};
use hearthline_sip::{NameAddr, Uri};
use hearthline_transport::{Driver, Reach, RtpPair, Sockets, SocketsConfig};

const SAID: &str = "This is Bob. I will be twenty minutes late for dinner.";

/// How much of a frame is the tone of 1 kHz (Goertzel), of its whole power.
fn tone(frame: &[i16]) -> f32 {
    let turn = std::f32::consts::TAU * 1_000.0 / 16_000.0;
    let (mut one, mut two, mut power) = (0.0_f32, 0.0_f32, 1.0_f32);
    for &sample in frame {
        let sample = f32::from(sample) / 32_768.0;
        let next = sample + 2.0 * turn.cos() * one - two;
        (two, one) = (one, next);
        power += sample * sample;
    }
    let found = one * one + two * two - 2.0 * turn.cos() * one * two;
    2.0 * found / (frame.len() as f32 * power)
}

/// Calls, waits for the end of the tone, says it, and hangs up.
async fn leaves_a_message(hub: SocketAddr, mut driver: Driver, own: SocketAddr, said: &[i16]) {
    let pair = RtpPair::bind(own.ip(), Reach::LoopbackOnly).await.unwrap();
    let port = pair.port().unwrap();
    let uri: Uri = format!("sip:home@{hub}").parse().unwrap();
    let from = NameAddr::parse("<sip:+12025550123@provider.test>").unwrap();
    let target = Target::new(Transport::Udp, hub);
    let mut invite = InviteRequest::new(uri.clone(), from, NameAddr::new(uri), target);
    invite.body = Some(Body::sdp(format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
    )));
    let now = driver.now();
    let call = driver.endpoint.invite(invite, now).unwrap();
    let remote = loop {
        match driver.next_event().await.unwrap() {
            Event::Answered { response, .. } => {
                let session = SessionDescription::parse(&response.body).unwrap();
                break SocketAddr::new(own.ip(), session.media[0].port);
            }
            Event::Failed { cause, .. } => panic!("{cause:?}"),
            _ => {}
        }
    };
    let mut media = Session::new(SessionConfig::new(Codec::Pcmu, 7)).unwrap();
    let began = Instant::now();
    let (mut heard_tone, mut speaks_at, mut position) = (false, None, 0);
    let mut next = Duration::ZERO;
    let mut buffer = [0; 2_048];
    while position < said.len() {
        assert!(began.elapsed() < Duration::from_secs(60), "no tone");
        let now = began.elapsed();
        while next <= now {
            let mut frame = [0; FRAME_SAMPLES];
            if speaks_at.is_some_and(|at| at <= now) {
                let rest = &said[position..];
                let count = rest.len().min(FRAME_SAMPLES);
                frame[..count].copy_from_slice(&rest[..count]);
                position += count;
            }
            media.handle_microphone(&frame, now);
            next += FRAME;
        }
        loop {
            match media.poll_output(now) {
                Output::Rtp(bytes) => drop(pair.rtp.try_send_to(&bytes, remote)),
                Output::Playout(frame) => {
                    let is_tone = tone(&frame) > 0.6;
                    if heard_tone && !is_tone && speaks_at.is_none() {
                        speaks_at = Some(now + Duration::from_millis(200));
                    }
                    heard_tone |= is_tone;
                }
                Output::Timeout(_) => break,
                _ => {}
            }
        }
        tokio::select! {
            got = pair.rtp.recv_from(&mut buffer) => if let Ok((length, _)) = got {
                media.handle_rtp(&buffer[..length], began.elapsed());
            },
            event = driver.next_event() => assert!(
                !matches!(event, Some(Event::Ended { .. }) | None),
                "it hung up before it was told anything"
            ),
            () = tokio::time::sleep(Duration::from_millis(10)) => {}
        }
    }
    // What is still on its way is heard as well.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let now = driver.now();
    driver.endpoint.bye(call, None, now).unwrap();
    let _ = tokio::time::timeout(Duration::from_millis(500), driver.next_event()).await;
    let _ = tokio::time::timeout(Duration::from_millis(500), driver.next_event()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_caller_says_after_the_tone_is_a_message_with_a_transcript() {
    if models_are_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("hub");
    let data = data.to_str().unwrap();
    let mut hub = Command::new(HEARTH)
        .args(["hub", "--listen", "127.0.0.1:0", "--data", data])
        .args([
            "--sip",
            "--country",
            "US",
            "--sip-listen",
            "udp:127.0.0.1:0",
        ])
        .args(["--voicemail", "--voicemail-after", "5"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(hub.stdout.take().unwrap()).lines();
    let mut address: Option<SocketAddr> = None;
    for line in lines.by_ref().map_while(Result::ok) {
        if let Some(rest) = line.trim().strip_prefix("lines UDP") {
            address = rest.trim().parse().ok();
        }
        if line.contains("hub invite Kitchen") {
            break;
        }
    }
    let address = address.expect("where lines reach the hub");
    let mut sockets = SocketsConfig::new(Reach::LoopbackOnly);
    sockets.udp.push(([127, 0, 0, 1], 0).into());
    let sockets = Sockets::bind(sockets).await.unwrap();
    let own = sockets.local(Transport::Udp).unwrap();
    let endpoint = Endpoint::new(EndpointConfig::new([9; 32], sockets.local.clone()));
    let driver = Driver::new(endpoint, sockets);

    let added = hearth([
        "hub",
        "add-person",
        "Anna",
        "--role",
        "owner",
        "--data",
        data,
    ]);
    assert_eq!(added.code, Some(0), "{}", added.err);
    let person = added.out.trim().trim_start_matches("Added, id ");
    let person = person.trim_end_matches('.').parse().unwrap();
    let server = format!("sip:{own}");
    let line = hearth([
        "hub", "lines", "add", "Trunk", "--server", &server, "--data", data,
    ]);
    assert_eq!(line.code, Some(0), "{}", line.err);
    let wav = folder.path().join("said.wav");
    let spoken = hearth(["say", "-o", wav.to_str().unwrap(), SAID]);
    assert_eq!(spoken.code, Some(0), "{}", spoken.err);

    leaves_a_message(address, driver, own, &samples(&wav)).await;
    let pid = rustix::process::Pid::from_child(&hub);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(hub.wait().unwrap().code(), Some(0));

    let config = SqliteConfig::new(data.as_ref());
    let store = SqliteStore::open(&config, Arc::new(LocalBus::default())).await;
    let store = store.unwrap();
    let now = Clock::default().now();
    let owner = Party::Person(person);
    let messages = store.mailbox(owner, StreamId(0), 10, true, now).await;
    let messages: Vec<Message> = messages.unwrap();
    let [voice, text] = messages.as_slice() else {
        panic!("a voice and a text: {}", messages.len());
    };
    assert_eq!(voice.voice, Some(VoiceCodec::G722));
    let length = voice.voice_duration_ms.unwrap();
    assert!((2_000..9_000).contains(&length), "{length} ms");
    let bytes = store.voice(voice.id, &[owner]).await.unwrap().bytes;
    assert_eq!(bytes.len() as u32 / 8, length, "64 kbit/s");
    let text = text.text.as_ref().unwrap().as_str();
    println!("{text}");
    assert!(
        text.starts_with("Voice message from +12025550123: "),
        "{text}"
    );
    let words = text.to_lowercase();
    for word in ["bob", "late", "dinner"] {
        assert!(words.contains(word), "{text}");
    }
}
