//! What nobody here takes is handed on, and what comes back is played: Home Assistant's two protocols, by its own libraries,
//! against the sockets and the skill. The loudspeaker is pretended.
use std::net::IpAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use hearthline_satellite::esphome::{About, Key};
use hearthline_satellite::hand_on::HandOn;
use hearthline_satellite::io::access::Door;
use hearthline_satellite::io::relay::{self, Places};
use hearthline_satellite::io::{esphome_server, satellite_server};
use hearthline_speaker::io::skills::{Port, port};
use hearthline_speaker::messages::Part;
use hearthline_speaker::skill::{Deed, Engaged, Event, Reply, Ringing, Skill as _};

use crate::oracle::{python, script};

/// What became of the skill's deeds.
#[derive(Debug, PartialEq)]
enum Seen {
    Samples(usize),
    Words(String),
    Said(String),
    Rings(bool),
}

struct Speaker {
    skill: HandOn,
    port: Port,
    seen: Vec<Seen>,
    shown: Vec<serde_json::Value>,
    started: Instant,
    /// The server, once it runs.
    peer: Option<Child>,
}

impl Speaker {
    fn new() -> (Self, Places) {
        let (port, outside) = port();
        let speaker = Self {
            skill: HandOn::new(),
            port,
            seen: Vec::new(),
            shown: Vec::new(),
            started: Instant::now(),
            peer: None,
        };
        (speaker, relay::start(outside))
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Does what the skill wants; sound is played at once.
    async fn drain(&mut self) {
        while let Some(deed) = self.skill.poll_deed() {
            match deed {
                Deed::Out(value) => self.port.out.send(value).await.unwrap(),
                Deed::Play { token, parts } => {
                    for part in parts {
                        match part {
                            Part::Sound(samples) => self.seen.push(Seen::Samples(samples.len())),
                            Part::Words(text) => self.seen.push(Seen::Words(text)),
                            Part::Chime => {}
                        }
                    }
                    let now = self.now();
                    self.skill.played(token, true, now);
                }
                Deed::Say(text) => self.seen.push(Seen::Said(text)),
                Deed::Ring(ring) => {
                    assert!(ring.is_none_or(|ring| ring == Ringing::Timer));
                    self.seen.push(Seen::Rings(ring.is_some()));
                }
                Deed::Show(value) => self.shown.push(value),
                Deed::Step(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next word of the adapter.
    async fn hears(&mut self) {
        // The first start of its peer, on a machine that does other things too.
        for _ in 0..60 {
            let came = tokio::time::timeout(Duration::from_secs(1), self.port.came.recv());
            if let Ok(value) = came.await {
                return self.came(&value.unwrap()).await;
            }
            self.peer_is_well();
        }
        panic!("the adapter says nothing");
    }

    async fn came(&mut self, value: &serde_json::Value) {
        let now = self.now();
        self.skill.handle(Event::Came(value), now);
        self.drain().await;
    }

    /// What its assertions say is worth more than what we then miss.
    fn peer_is_well(&mut self) {
        let Some(peer) = &mut self.peer else { return };
        if peer.try_wait().unwrap().is_some_and(|how| !how.success()) {
            let mut said = String::new();
            let mut stderr = peer.stderr.take().unwrap();
            std::io::Read::read_to_string(&mut stderr, &mut said).unwrap();
            panic!("the peer failed: {said}; seen: {:?}", self.seen);
        }
    }

    async fn until(&mut self, done: impl Fn(&Self) -> bool) {
        while !done(self) {
            self.hears().await;
        }
    }

    async fn says(&mut self) {
        let now = self.now();
        let reply = self.skill.overhear(&[7; 16_000], now);
        assert_eq!(reply, Reply::Silent);
        self.drain().await;
    }
}

async fn door() -> (Door, u16) {
    let peers = vec![IpAddr::from([127, 0, 0, 1])];
    let door = Door::open("127.0.0.1:0".parse().unwrap(), peers)
        .await
        .unwrap();
    let port = door.address().unwrap().port();
    (door, port)
}

/// What both scripts do with a speaker.
async fn story(mut speaker: Speaker, mut command: Command, sounds: &[Seen]) {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    speaker.peer = Some(command.spawn().unwrap());
    speaker.until(|speaker| speaker.skill.wants_sound()).await;
    speaker.says().await;
    speaker
        .until(|speaker| speaker.seen.len() >= sounds.len())
        .await;
    assert_eq!(speaker.seen, sounds);
    speaker.seen.clear();

    speaker.says().await;
    speaker.until(|speaker| !speaker.seen.is_empty()).await;
    assert_eq!(
        speaker.seen,
        [Seen::Said("I did not understand that.".into())]
    );
    speaker.seen.clear();

    speaker.until(|speaker| !speaker.seen.is_empty()).await;
    assert_eq!(speaker.seen, [Seen::Rings(true)]);
    let timers: Vec<String> = speaker
        .shown
        .iter()
        .map(|shown| shown["timers"].to_string())
        .collect();
    assert!(
        timers
            .iter()
            .any(|timers| timers.contains("\"seconds\":60") && timers.contains("tea")),
        "{timers:?}"
    );
    assert!(
        timers
            .iter()
            .any(|timers| timers.contains("\"seconds\":50") && timers.contains("false")),
        "{timers:?}"
    );
    let now = speaker.now();
    assert_eq!(speaker.skill.answer("hello", now), Reply::Other);
    assert_eq!(speaker.skill.answer("Stop.", now), Reply::Silent);
    speaker.drain().await;
    assert_eq!(speaker.seen.pop(), Some(Seen::Rings(false)));

    speaker
        .until(|speaker| {
            speaker
                .seen
                .contains(&Seen::Words("Dinner is ready".into()))
        })
        .await;
    speaker.until(|speaker| !speaker.skill.wants_sound()).await;
    let mut child = speaker.peer.take().unwrap();
    let ended = tokio::task::spawn_blocking(move || {
        let status = child.wait().unwrap();
        let mut said = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut said).unwrap();
        (status, said)
    });
    let (status, said) = ended.await.unwrap();
    assert!(status.success(), "{said}");
    // Gone: sentences are nobody's again.
    assert_eq!(
        speaker.skill.overhear(&[7; 100], Duration::ZERO),
        Reply::Other
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn to_the_server_of_a_wyoming_satellite() {
    let Some(python) = python() else { return };
    let (door, port) = door().await;
    let (speaker, places) = Speaker::new();
    tokio::spawn(satellite_server::serve(
        door,
        places,
        "Kitchen".into(),
        "alexa".into(),
    ));
    let mut command = Command::new(python);
    command
        .arg(script("home_assistant.py"))
        .arg(port.to_string());
    // The answer, of 9 s; the half second behind it is nobody's answer and sounds as an announcement.
    story(
        speaker,
        command,
        &[Seen::Samples(143_983), Seen::Samples(7_983)],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn to_esphomes_native_client() {
    let Some(python) = python() else { return };
    let (door, port) = door().await;
    let (mut speaker, places) = Speaker::new();
    let key = base64::engine::general_purpose::STANDARD.encode([42; 32]);
    let about = About {
        name: "kitchen".into(),
        friendly_name: "Kitchen".into(),
        mac: "02:00:5E:00:53:01".into(),
        wake_word: "alexa".into(),
        key: Key::parse(&key).unwrap(),
    };
    tokio::spawn(esphome_server::serve(door, places, Arc::new(about)));
    let mut command = Command::new(python);
    command
        .arg(script("esphome_client.py"))
        .arg(port.to_string())
        .arg(key);
    let now = speaker.now();
    speaker.skill.handle(Event::Engaged(Engaged::Free), now);
    story(speaker, command, &[Seen::Samples(8_000)]).await;
}
