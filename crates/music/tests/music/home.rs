//! A speaker's skill with its adapter and the sentences, driven as a device would.
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hearthline_music::io::{Control, Household, fit};
use hearthline_music::sentences;
use hearthline_speaker::config::MusicSettings;
use hearthline_speaker::io::skills::Port;
use hearthline_speaker::skill::{Asked, By, Deed, Engaged, Event, Reply, Skill};
use hearthline_voice::understand::sentences::{Grammar, Lists, NumberWords, Program};
use serde_json::Value;

use crate::sounds::pitch;

/// 2026-11-23 12:00:00 UTC.
pub(crate) const NOON_MS: u64 = 1_795_435_200_000;

/// What "play" is in Home Assistant's own sentences, as far as these tests need them; see `sentences` for all of them.
pub(crate) const PLAY: &str = r#"{
  "language": "en",
  "intents": {
    "HassMediaSearchAndPlay": {"data": [{"sentences": ["play {search_query}"]}]},
    "HassMediaPause": {"data": [{"sentences": ["pause", "stop [playing]"]}]},
    "HassMediaUnpause": {"data": [{"sentences": ["resume"]}]},
    "HassMediaNext": {"data": [{"sentences": ["next [track]"]}]},
    "HassMediaPrevious": {"data": [{"sentences": ["previous track"]}]}
  },
  "lists": {"search_query": {"wildcard": true}}
}"#;

pub(crate) fn program() -> Program {
    let mut grammar = Grammar::new("en");
    grammar.add_json("play.json", PLAY.as_bytes());
    for file in sentences::of("en") {
        grammar.add_ours(file.name, file.yaml);
    }
    let (program, complaints) = Program::compile(&grammar, &NumberWords::default());
    assert!(complaints.is_empty(), "{complaints:?}");
    program
}

/// What the loudspeaker was given, and whether it pulls.
#[derive(Default)]
pub(crate) struct Heard {
    samples: Vec<i16>,
    ended: bool,
}

pub(crate) struct Home {
    pub(crate) control: Control,
    pub(crate) skill: Box<dyn Skill>,
    port: Port,
    program: Program,
    started: Instant,
    heard: Arc<Mutex<Heard>>,
    answers: Vec<(u64, Reply)>,
    pub(crate) said: Vec<String>,
    pub(crate) shown: Value,
    /// What it was shown to do, one after the other.
    pub(crate) states: Vec<String>,
    pub(crate) kept: Vec<u8>,
    pub(crate) library: usize,
    pub(crate) missing: Vec<String>,
}

impl Home {
    pub(crate) fn new(music: MusicSettings) -> Self {
        Self::restored(music, &[])
    }

    pub(crate) fn restored(music: MusicSettings, kept: &[u8]) -> Self {
        Self::with_remote(music, kept, None)
    }

    /// Beside a media player of another system.
    pub(crate) fn with_remote(
        music: MusicSettings,
        kept: &[u8],
        remote: Option<hearthline_speaker::player::Orderer>,
    ) -> Self {
        let (fitted, control, notices) = fit(Household {
            music,
            room: "Kitchen".into(),
            remote,
            rooms: hearthline_speaker::player::Rooms::default(),
        });
        assert_eq!(notices, [""; 0]);
        let mut port = fitted.port.unwrap();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let mut source = port.music.take().unwrap();
        let ear = Arc::clone(&heard);
        // A loudspeaker that pulls in real time.
        std::thread::spawn(move || {
            let mut next = Instant::now();
            loop {
                let mut block = [0; 320];
                source.fill(&mut block);
                {
                    let mut ear = ear.lock().unwrap();
                    if ear.ended {
                        return;
                    }
                    ear.samples.extend(block);
                }
                next += Duration::from_millis(20);
                std::thread::sleep(next.saturating_duration_since(Instant::now()));
            }
        });
        let mut home = Self {
            control,
            skill: fitted.skill,
            port,
            program: program(),
            started: Instant::now(),
            heard,
            answers: Vec::new(),
            said: Vec::new(),
            shown: Value::Null,
            states: Vec::new(),
            kept: Vec::new(),
            library: 0,
            missing: Vec::new(),
        };
        home.handle(Event::Wall {
            ms_at_zero: NOON_MS,
        });
        home.handle(Event::Restored(kept));
        home
    }

    pub(crate) fn handle(&mut self, event: Event<'_>) {
        self.skill.handle(event, self.started.elapsed());
        self.drain();
    }

    pub(crate) fn engaged(&mut self, engaged: Engaged) {
        self.handle(Event::Engaged(engaged));
    }

    fn drain(&mut self) {
        while let Some(deed) = self.skill.poll_deed() {
            match deed {
                Deed::Answer { token, reply } => self.answers.push((token, reply)),
                Deed::Out(value) => self.port.out.try_send(value).unwrap(),
                Deed::Say(text) => self.said.push(text),
                Deed::Show(value) => {
                    let state = value["state"].as_str().unwrap();
                    if self.states.last().is_none_or(|last| last != state) {
                        self.states.push(state.to_owned());
                    }
                    self.shown = value;
                }
                Deed::Keep { token, bytes } => {
                    self.kept = bytes;
                    self.skill
                        .handle(Event::Kept(token), self.started.elapsed());
                }
                _ => {}
            }
        }
    }

    /// Lets things happen until this is so. Whether it became so in time.
    pub(crate) async fn until(&mut self, max: Duration, so: impl Fn(&Self) -> bool) -> bool {
        let end = Instant::now() + max;
        loop {
            self.drain();
            if so(self) {
                return true;
            }
            if Instant::now() >= end {
                return false;
            }
            let due = self
                .skill
                .poll_timeout()
                .map(|at| at.saturating_sub(self.started.elapsed()));
            let wait = due
                .unwrap_or(Duration::from_millis(20))
                .min(Duration::from_millis(20));
            if let Ok(Some(value)) = tokio::time::timeout(wait, self.port.came.recv()).await {
                if value["told"] == "library" {
                    self.library = value["tracks"].as_u64().unwrap() as usize;
                    self.missing = serde_json::from_value(value["missing"].clone()).unwrap();
                }
                self.handle(Event::Came(&value));
            }
            if due.is_some_and(|due| due.is_zero()) {
                self.handle(Event::Timeout);
            }
        }
    }

    pub(crate) async fn wait(&mut self, ms: u64) {
        self.until(Duration::from_millis(ms), |_| false).await;
    }

    /// Says this and gives back what is answered.
    pub(crate) async fn ask(&mut self, said: &str) -> String {
        let meant = self.program.recognise(said, &Lists::default(), &[]);
        let meant = meant.unwrap_or_else(|| panic!("nothing reads: {said}"));
        let asked = Asked {
            meant: &meant,
            said,
            by: By::Person,
            wall_ms: NOON_MS,
        };
        let reply = self.skill.take(&asked, self.started.elapsed());
        self.replied(reply).await
    }

    pub(crate) async fn answer(&mut self, said: &str) -> String {
        let reply = self.skill.answer(said, self.started.elapsed());
        self.replied(reply).await
    }

    /// A bare word; none when it is not the music's.
    pub(crate) async fn bare(&mut self, said: &str) -> Option<String> {
        match self.skill.bare(said, self.started.elapsed()) {
            Reply::Other => None,
            reply => Some(self.replied(reply).await),
        }
    }

    async fn replied(&mut self, reply: Reply) -> String {
        let reply = match reply {
            Reply::Later(token) => {
                let there = |home: &Self| home.answers.iter().any(|(other, _)| *other == token);
                assert!(
                    self.until(Duration::from_secs(4), there).await,
                    "no answer came"
                );
                let at = self
                    .answers
                    .iter()
                    .position(|(other, _)| *other == token)
                    .unwrap();
                self.answers.remove(at).1
            }
            reply => {
                self.drain();
                reply
            }
        };
        match reply {
            Reply::Silent => String::new(),
            Reply::Words(text) | Reply::Question(text) => text,
            Reply::Refused(text) => format!("no: {text}"),
            other => panic!("{other:?}"),
        }
    }

    /// The pitch of the last so many milliseconds.
    pub(crate) fn pitch(&self, ms: usize) -> Option<f32> {
        let heard = self.heard.lock().unwrap();
        let from = heard.samples.len().saturating_sub(ms * 16);
        pitch(&heard.samples[from..])
    }

    pub(crate) fn sounds_like(&self, hz: f32) -> bool {
        self.pitch(200)
            .is_some_and(|pitch| (pitch - hz).abs() < hz * 0.05 + 10.0)
    }

    /// The loudest of the last so many milliseconds.
    pub(crate) fn loudest(&self, ms: usize) -> u16 {
        let heard = self.heard.lock().unwrap();
        let from = heard.samples.len().saturating_sub(ms * 16);
        let loud = heard.samples[from..]
            .iter()
            .map(|sample| sample.unsigned_abs());
        loud.max().unwrap_or(0)
    }

    pub(crate) async fn hears(&mut self, hz: f32) -> bool {
        self.until(Duration::from_secs(5), |home| home.sounds_like(hz))
            .await
    }

    pub(crate) async fn knows(&mut self, tracks: usize) {
        let known = self
            .until(Duration::from_secs(10), |home| home.library == tracks)
            .await;
        assert!(
            known,
            "{} of {tracks} tracks; {:?}",
            self.library, self.missing
        );
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.heard.lock().unwrap().ended = true;
    }
}
