//! A device with a made-up skill in a room of the test's: what is said to it, and what it says and does.
use core::time::Duration;
use std::sync::{Arc, mpsc};

use hearthline_emergency::call::{CallTimers, Line};
use hearthline_emergency::lost_client::LostConfig;
use hearthline_emergency::target::SipUri;
use hearthline_ledger::{BootId, IdentityKey, Setup};
use hearthline_sip::endpoint::Transport;
use hearthline_sip::tokens::Tokens;
use hearthline_voice::clock::SampleIndex;
use hearthline_voice::listen::{EndReason, Heard, Output as Hearing};
use hearthline_voice::transcribe::Transcript;
use hearthline_voice::understand::everyday::Everyday;
use hearthline_voice::understand::judge::{
    Contrary, Doubt, Evidence, OperatingPoint, Rule, Understanding, Verdict,
};
use hearthline_voice::understand::mass::Mass;
use hearthline_voice::understand::sentences::{Grammar, House, NumberWords, Program};
use hearthline_voice::understand::{Country, Reading, household, read};
use hearthline_voice::wake::Wake;

use hearthline_speaker::config::Household;
use hearthline_speaker::device::{Device, DeviceConfig, Input, Light, Output};
use hearthline_speaker::policy::Mode;
use hearthline_speaker::record::{Keep, Recorder};
use hearthline_speaker::skill::{Asked, By, Deed, Engaged, Event, Reply, Skill};
use hearthline_speaker::telephone::Tone;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

const HOUSEHOLD: &str = r#"
[device]
name = "Kitchen"
country = "US"
[address]
country = "US"
A1 = "NM"
[person]
name = "Drill Household"
"#;

const SENTENCES: &str = r#"{"language": "en", "intents": {
    "HassStartTimer": {"data": [{"sentences": ["set a timer for {minutes} minutes"]}]},
    "HassTurnOn": {"data": [{"sentences": ["turn on the (light|lamp)", "light up"]}]},
    "HassTurnOff": {"data": [{"sentences": ["light up", "turn off {name}"]}]},
    "HassGetState": {"data": [{"sentences": ["call 9 1 1", "call nine one one", "is the (door|window) open"]}]},
    "HassSetVolume": {"data": [{"sentences": ["loudness {volume_level}"]}]},
    "HassGetWeather": {"data": [{"sentences": ["weather report"]}]},
    "HeardWhat": {"data": [{"sentences": ["what did you hear"]}]},
    "WhyDone": {"data": [{"sentences": ["why did you do that"]}]}
  }, "lists": {"minutes": {"range": {"from": 1, "to": 100}}, "volume_level": {"range": {"from": 0, "to": 100}}},
  "responses": {"intents": {"HassStartTimer": {
    "default": "Timer set for {{ slots.minutes }} minutes{% if slots.place %} in the {{ slots.place }}{% endif %}"}}}}"#;

/// What the skill was asked and told, for the test to look at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Seen {
    Taken(String, By),
    Answered(String),
    Heard(String),
    Engaged(Engaged),
    Kept(u64),
    Restored(Vec<u8>),
    Wall(u64),
    Came(serde_json::Value),
    /// Another one than at the start.
    Volume(u8, bool),
    Timeout,
}

pub(crate) struct Pretend {
    pub(crate) seen: mpsc::Sender<Seen>,
    pub(crate) reply: Reply,
    pub(crate) answer: Reply,
    pub(crate) heard: Reply,
    pub(crate) deeds: mpsc::Receiver<Deed>,
    pub(crate) rings: bool,
    pub(crate) due: Option<Duration>,
}

impl Skill for Pretend {
    fn name(&self) -> &'static str {
        "pretend"
    }

    fn take(&mut self, asked: &Asked<'_>, _: Duration) -> Reply {
        let _ = self
            .seen
            .send(Seen::Taken(asked.meant.intent.clone(), asked.by));
        self.reply.clone()
    }

    fn hear(&mut self, said: &str, _: u64, _: Duration) -> Reply {
        let _ = self.seen.send(Seen::Heard(said.to_owned()));
        self.heard.clone()
    }

    fn answer(&mut self, said: &str, _: Duration) -> Reply {
        let _ = self.seen.send(Seen::Answered(said.to_owned()));
        if self.answer != Reply::Other {
            self.rings = false;
        }
        self.answer.clone()
    }

    fn handle(&mut self, event: Event<'_>, _: Duration) {
        let seen = match event {
            Event::Restored(bytes) => Seen::Restored(bytes.to_vec()),
            Event::Kept(token) => Seen::Kept(token),
            Event::Engaged(engaged) => Seen::Engaged(engaged),
            Event::Wall { ms_at_zero } => Seen::Wall(ms_at_zero),
            Event::Came(value) => Seen::Came(value.clone()),
            Event::Happened(_) => return,
            Event::Timeout => {
                self.due = None;
                Seen::Timeout
            }
        };
        let _ = self.seen.send(seen);
    }

    fn volume(&mut self, percent: u8, muted: bool, _: Duration) {
        if (percent, muted) != (60, false) {
            let _ = self.seen.send(Seen::Volume(percent, muted));
        }
    }

    fn poll_deed(&mut self) -> Option<Deed> {
        let deed = self.deeds.try_recv().ok()?;
        if let Deed::Ring(ring) = &deed {
            self.rings = ring.is_some();
        }
        Some(deed)
    }

    fn poll_timeout(&self) -> Option<Duration> {
        self.due
    }

    fn is_ringing(&self) -> bool {
        self.rings
    }
}

pub(crate) struct Room {
    pub(crate) device: Device,
    pub(crate) everyday: Arc<Everyday>,
    pub(crate) seen: mpsc::Receiver<Seen>,
    pub(crate) deeds: mpsc::Sender<Deed>,
    pub(crate) now: Duration,
    pub(crate) said: Vec<String>,
    pub(crate) tones: Vec<Option<Tone>>,
    pub(crate) lights: Vec<Light>,
    pub(crate) kept: Vec<(u64, Vec<u8>, bool)>,
    pub(crate) out: Vec<serde_json::Value>,
    pub(crate) log: String,
    pub(crate) sent: usize,
    pub(crate) listens: usize,
    pub(crate) hushed: usize,
}

pub(crate) fn pretend(reply: Reply) -> (Pretend, mpsc::Receiver<Seen>, mpsc::Sender<Deed>) {
    let (seen, look) = mpsc::channel();
    let (give, deeds) = mpsc::channel();
    let skill = Pretend {
        seen,
        reply,
        answer: Reply::Other,
        heard: Reply::Other,
        deeds,
        rings: false,
        due: None,
    };
    (skill, look, give)
}

pub(crate) fn device(lines: Vec<Line>) -> Device {
    let tokens = Tokens::from_seed([7; 32]);
    let setup = Setup {
        origin: "hearthline.local/device/test".into(),
        identity: IdentityKey::from_secret(&tokens.fork("identity").next_bytes()),
        epoch_seed: tokens.fork("epoch").next_bytes(),
        previous_epoch_seed: None,
        boot: BootId([1; 16]),
        software: "test".into(),
        firmware: None,
        previous_segment: None,
    };
    let (recorder, recovery) =
        Recorder::open(&[], setup, tokens.fork("record"), 1_000, Duration::ZERO).unwrap();
    let household = Household::parse(HOUSEHOLD).unwrap();
    let contact = SipUri::parse("sip:kitchen@127.0.0.1:5070").unwrap();
    let profile = household
        .profile(contact, recorder.key_id().to_string())
        .unwrap();
    let config = DeviceConfig {
        profile,
        lines,
        timers: CallTimers::default(),
        lost: LostConfig::default(),
        country: Country::UnitedStates,
        mode: Mode::default(),
        sip_local: vec![(Transport::Udp, "127.0.0.1:5070".parse().unwrap())],
        rtp_local: "127.0.0.1:40000".parse().unwrap(),
        seed: [3; 32],
        wall_ms_at_zero: 1_000,
    };
    Device::new(config, recorder, &recovery, None, Duration::ZERO)
}

impl Room {
    pub(crate) fn new(skill: Option<(Pretend, mpsc::Receiver<Seen>, mpsc::Sender<Deed>)>) -> Self {
        let mut skills: Vec<Box<dyn Skill>> = Vec::new();
        let (seen, deeds) = match skill {
            Some((skill, seen, deeds)) => {
                skills.push(Box::new(skill));
                (seen, deeds)
            }
            None => (mpsc::channel().1, mpsc::channel().0),
        };
        let mut room = Self::with(skills, Vec::new());
        (room.seen, room.deeds) = (seen, deeds);
        room
    }

    /// A device with these skills and lines.
    pub(crate) fn with(skills: Vec<Box<dyn Skill>>, lines: Vec<Line>) -> Self {
        let mut grammar = Grammar::new("en");
        grammar.add_json("en.json", SENTENCES.as_bytes());
        let (program, complaints) = Program::compile(&grammar, &NumberWords::default());
        assert_eq!(complaints, []);
        let everyday = Arc::new(Everyday::new(Arc::new(program), House::default()));
        let mut device = device(lines);
        device.know_sentences(Arc::clone(&everyday), Duration::ZERO);
        for skill in skills {
            device.add_skill(skill, b"kept before", Duration::ZERO);
        }
        let mut room = Self {
            device,
            everyday,
            seen: mpsc::channel().1,
            deeds: mpsc::channel().0,
            now: SECOND,
            said: Vec::new(),
            tones: Vec::new(),
            lights: Vec::new(),
            kept: Vec::new(),
            out: Vec::new(),
            log: String::new(),
            sent: 0,
            listens: 0,
            hushed: 0,
        };
        room.drain();
        room
    }

    fn drain(&mut self) {
        loop {
            match self.device.poll_output() {
                Output::Timeout(_) => break,
                Output::Say(text) => self.said.push(text),
                Output::Tone(tone) => self.tones.push(tone),
                Output::Light(light) => self.lights.push(light),
                Output::Sip { .. } => self.sent += 1,
                Output::Hush => self.hushed += 1,
                Output::ListenForReply { .. } => self.listens += 1,
                Output::KnowSentences(everyday) => self.everyday = everyday,
                Output::Out { skill, value } => {
                    assert!(["pretend", "model", "weather", "readiness"].contains(&skill));
                    self.out.push(value);
                }
                Output::Keep(Keep::Entry { bytes, .. }) => {
                    self.log.push_str(&String::from_utf8_lossy(&bytes));
                }
                Output::KeepOf {
                    skill,
                    token,
                    bytes,
                    appends,
                } => {
                    assert!(["pretend", "routine", "weather"].contains(&skill));
                    self.kept.push((token, bytes, appends));
                }
                _ => {}
            }
        }
    }

    pub(crate) fn input(&mut self, input: Input<'_>) {
        self.device.handle(input, self.now);
        self.drain();
    }

    pub(crate) fn wait(&mut self, time: Duration) {
        self.now += time;
        self.input(Input::Timeout);
    }

    pub(crate) fn deed(&mut self, deed: Deed) {
        self.deeds.send(deed).unwrap();
        self.wait(Duration::ZERO);
    }

    /// Our own words have been said.
    pub(crate) fn spoken(&mut self) {
        self.input(Input::SpeechEnded);
    }

    pub(crate) fn say(&mut self, words: &str) {
        let wake = wake();
        self.input(Input::Hearing(Hearing::Wake(wake.clone())));
        let heard = self.heard(words, Some(wake));
        self.input(Input::Hearing(Hearing::Understood(Box::new(heard))));
    }

    pub(crate) fn say_without_the_wake_word(&mut self, words: &str) {
        let heard = self.heard(words, None);
        self.input(Input::Hearing(Hearing::Reply(Box::new(heard))));
    }

    pub(crate) fn heard(&self, words: &str, wake: Option<Wake>) -> Heard {
        let country = Country::UnitedStates;
        let reading = read(words, country);
        let verdict = match &reading {
            Reading::Command { service, quiet, .. } if wake.is_some() => Verdict::Emergency {
                service: *service,
                quiet: *quiet,
            },
            Reading::Command { service, .. } | Reading::Ask { service, .. } => Verdict::Ask {
                service: *service,
                quiet: false,
                why: Doubt::Unsure,
            },
            Reading::Refused { class, service } => Verdict::Refused {
                class: *class,
                service: *service,
            },
            Reading::Reply(reply) => Verdict::Reply(*reply),
            Reading::HangUpEmergency => Verdict::HangUpEmergency,
            Reading::Intent(intent) => Verdict::Act(intent.clone()),
            Reading::Other => match household::read(words, country, None) {
                Some(intent) if wake.is_some() => Verdict::Act(intent),
                _ => match self.everyday.read(words, country) {
                    Some(meant) if wake.is_some() => Verdict::Meant(Box::new(meant)),
                    _ => Verdict::Other,
                },
            },
        };
        Heard {
            understanding: Understanding {
                transcript: Transcript {
                    text: words.to_owned(),
                    tokens: Vec::new(),
                    log_prob: -0.1,
                    alternatives: Vec::new(),
                },
                verdict,
                evidence: Evidence {
                    reading,
                    mass: Mass::nothing(),
                    contrary: Contrary::NONE,
                    rule: Rule::Sentences,
                    point: OperatingPoint::built_in(),
                },
            },
            wake,
            start: SampleIndex(0),
            speech_end: SampleIndex(10),
            decided: SampleIndex(20),
            reason: EndReason::Complete,
            sound: vec![1; 20],
        }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.try_iter().collect()
    }
}

pub(crate) fn wake() -> Wake {
    Wake {
        keyword: "alexa".into(),
        score: 0.97,
        at: SampleIndex(5),
    }
}
