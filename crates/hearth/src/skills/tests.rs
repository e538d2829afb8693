//! Music and house in one speaker: what is played here, what a player elsewhere plays, and who is told to pause.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hearthline_speaker::io::skills::Port;
use hearthline_speaker::skill::{Asked, By, Deed, Event, Reply, Skill};
use hearthline_voice::understand::Country;
use hearthline_voice::understand::everyday::Everyday;
use hearthline_voice::understand::sentences::House;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use self::stand_in::{Visitor, house};
use super::of;
use crate::compiled;
use crate::household;
use crate::models::ModelFolder;

#[path = "../../../house/tests/lights/stand_in.rs"]
#[allow(dead_code, reason = "the house's tests use all of it")]
mod stand_in;

/// Longest that anything may take here.
const PATIENCE: Duration = Duration::from_secs(60);

/// All skills of a speaker, asked as its device asks them.
struct Speaker {
    skills: Vec<(Box<dyn Skill>, Option<Port>)>,
    everyday: Everyday,
    houses: BTreeMap<&'static str, House>,
    shown: BTreeMap<&'static str, Value>,
    answers: Vec<(&'static str, u64, Reply)>,
    started: Instant,
}

impl Speaker {
    /// None, where the sentences are not installed.
    fn new(text: &str) -> Option<Self> {
        let folder = ModelFolder::locate().ok()?;
        let everyday =
            compiled::everyday(&folder, &household::parse("x.toml".as_ref(), text).unwrap());
        let Some(everyday) = everyday else {
            assert!(
                std::env::var_os("CI").is_none(),
                "no sentences: run `hearth models install`"
            );
            println!("skipped: run `hearth models install`");
            return None;
        };
        let skills = of(&household::parse("x.toml".as_ref(), text).unwrap());
        let mut fitted = Vec::new();
        for mut one in skills.fitted {
            if let Some(mut music) = one.port.as_mut().and_then(|port| port.music.take()) {
                // A loudspeaker that pulls; it ends with the test.
                std::thread::spawn(move || {
                    let begun = Instant::now();
                    while begun.elapsed() < 2 * PATIENCE {
                        music.fill(&mut [0; 320]);
                        std::thread::sleep(Duration::from_millis(20));
                    }
                });
            }
            one.skill
                .handle(Event::Wall { ms_at_zero: 0 }, Duration::ZERO);
            one.skill.handle(Event::Restored(&[]), Duration::ZERO);
            fitted.push((one.skill, one.port));
        }
        Some(Self {
            skills: fitted,
            everyday: everyday.with_house(everyday.house().clone()),
            houses: BTreeMap::new(),
            shown: BTreeMap::new(),
            answers: Vec::new(),
            started: Instant::now(),
        })
    }

    /// Carries out what the skills want, once.
    async fn turn(&mut self) {
        for (skill, port) in &mut self.skills {
            let now = self.started.elapsed();
            while let Some(value) = port.as_mut().and_then(|port| port.came.try_recv().ok()) {
                skill.handle(Event::Came(&value), now);
            }
            if skill.poll_timeout().is_some_and(|at| at <= now) {
                skill.handle(Event::Timeout, now);
            }
            let name = skill.name();
            while let Some(deed) = skill.poll_deed() {
                match deed {
                    Deed::Out(value) => port.as_ref().unwrap().out.send(value).await.unwrap(),
                    Deed::House(house) => drop(self.houses.insert(name, *house)),
                    Deed::Show(value) => drop(self.shown.insert(name, value)),
                    Deed::Answer { token, reply } => self.answers.push((name, token, reply)),
                    Deed::Keep { token, .. } | Deed::Append { token, .. } => {
                        skill.handle(Event::Kept(token), now);
                    }
                    _ => {}
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    async fn until(&mut self, what: &str, mut so: impl FnMut(&Self) -> bool) {
        let last = Instant::now() + PATIENCE;
        while !so(self) {
            assert!(Instant::now() < last, "{what}: {:?}", self.shown);
            self.turn().await;
        }
    }

    fn heard(&self) -> Everyday {
        let mut all = self.everyday.house().clone();
        for house in self.houses.values() {
            all.join(house);
        }
        self.everyday.with_house(all)
    }

    /// Whose a sentence is, and what it says in the end.
    async fn say(&mut self, said: &str) -> (&'static str, String) {
        let meant = self.heard().read(said, Country::UnitedStates);
        let meant = meant.unwrap_or_else(|| panic!("\"{said}\" is not understood"));
        let asked = Asked {
            meant: &meant,
            said,
            by: By::Person,
            wall_ms: 0,
        };
        let now = self.started.elapsed();
        let mut replies =
            (self.skills.iter_mut()).map(|(skill, _)| (skill.name(), skill.take(&asked, now)));
        let taken = replies.find(|(_, reply)| *reply != Reply::Other);
        let (name, mut reply) = taken.unwrap_or_else(|| panic!("\"{said}\" is nobody's"));
        if let Reply::Later(token) = reply {
            let is_it = |answer: &(&str, u64, Reply)| answer.0 == name && answer.1 == token;
            self.until(said, |all| all.answers.iter().any(is_it)).await;
            let at = self.answers.iter().position(is_it).unwrap();
            reply = self.answers.remove(at).2;
        }
        let words = match reply {
            Reply::Words(words) | Reply::Refused(words) | Reply::Question(words) => words,
            Reply::Response(facts) => facts.otherwise,
            _ => String::new(),
        };
        (name, words)
    }
}

/// A tone of a minute.
fn tone(file: &std::path::Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(file, spec).unwrap();
    for at in 0..60 * 16_000_i32 {
        writer
            .write_sample(((at % 40) * 200 - 4_000) as i16)
            .unwrap();
    }
    writer.finalize().unwrap();
}

/// A Home Assistant with a speaker in the kitchen; every call of a service is told. It ends when `unplugged` is dropped.
async fn home_assistant(
    listener: TcpListener,
    calls: mpsc::UnboundedSender<Value>,
    mut unplugged: mpsc::Receiver<()>,
) {
    let id = "media_player.kitchen";
    let mut house = house();
    let attributes =
        json!({"friendly_name": "Kitchen Speaker", "supported_features": 4_194_304 + 512 + 1});
    house["states"][id] = json!({"s": "idle", "a": attributes});
    let known = json!({"entity_id": id, "state": "idle", "attributes": {}});
    house["get_states"].as_array_mut().unwrap().push(known);
    house["config/entity_registry/get_entries"][id] =
        json!({"area_id": "kitchen", "device_id": null, "aliases": []});
    let (stream, _) = listener.accept().await.unwrap();
    let mut visitor = Visitor::greet(Box::new(stream)).await;
    visitor.settle(&house).await;
    loop {
        let asked = tokio::select! {
            asked = visitor.hear() => asked,
            _ = unplugged.recv() => None,
        };
        let Some(asked) = asked else { return };
        let found =
            json!([{"media_content_id": "jazz", "media_content_type": "genre", "can_play": true}]);
        let mut answer = json!({"type": "result", "success": true,
            "result": {"context": {}, "response": {id: {"result": found}}}});
        answer["id"] = asked["id"].clone();
        let state = match asked["service"].as_str() {
            Some("play_media" | "media_play") => Some("playing"),
            Some("media_pause") => Some("paused"),
            _ => None,
        };
        if let Some(state) = state {
            let change = json!({"c": {id: {"+": {"s": state}}}});
            let event = json!({"id": visitor.followed(), "type": "event", "event": change});
            visitor.send(&event).await;
        }
        visitor.send(&answer).await;
        calls.send(asked).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_plays_here_and_what_plays_elsewhere_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    tone(&folder.path().join("Long Tone.wav"));
    let token = folder.path().join("token");
    std::fs::write(&token, "a-token-of-the-test\n").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let text = format!(
        "[device]\nname = \"Hall\"\ncountry = \"US\"\n[person]\nname = \"Drill\"\n\
         [home_assistant]\naddress = \"127.0.0.1:{port}\"\ntoken_file = \"{}\"\n\
         [music]\nfolders = [\"{}\"]\n",
        token.display(),
        folder.path().display()
    );
    let (told, mut calls) = mpsc::unbounded_channel();
    let (plug, unplugged) = mpsc::channel(1);
    tokio::spawn(home_assistant(listener, told, unplugged));
    let Some(mut speaker) = Speaker::new(&text) else {
        return;
    };
    let knows = |speaker: &Speaker| {
        let shown = &speaker.shown;
        let answers = shown
            .get("house")
            .map(|house| house["systems"][0]["answers"] == true);
        let read = speaker
            .heard()
            .read("play jazz on the kitchen speaker", Country::UnitedStates);
        answers == Some(true) && read.is_some_and(|meant| meant.slot("name").is_some())
    };
    speaker.until("the house is known", knows).await;
    let begun = Instant::now();
    while speaker.say("play long tone here").await.1 != "Playing Long Tone." {
        assert!(begun.elapsed() < PATIENCE, "the folder is read");
        speaker.turn().await;
    }
    let state = |speaker: &Speaker, state: &str| speaker.shown["music"]["state"] == state;
    speaker
        .until("it plays here", |all| state(all, "playing"))
        .await;
    assert!(calls.try_recv().is_err(), "nobody else was asked");
    // The kitchen's plays beside it.
    for said in [
        "play some jazz on the kitchen speaker",
        "play some jazz in the kitchen",
    ] {
        let words = "Playing jazz on the Kitchen Speaker.".to_owned();
        assert_eq!(speaker.say(said).await, ("house", words));
        for service in ["search_media", "play_media"] {
            assert_eq!(calls.recv().await.unwrap()["service"], service);
        }
    }
    assert!(state(&speaker, "playing"), "it goes on here");
    // Each pause goes to the one that is meant.
    assert_eq!(speaker.say("pause").await.0, "music");
    speaker
        .until("it has paused here", |all| state(all, "paused"))
        .await;
    assert!(calls.try_recv().is_err());
    assert_eq!(speaker.say("resume").await.0, "music");
    speaker
        .until("it plays here again", |all| state(all, "playing"))
        .await;
    assert_eq!(speaker.say("pause the kitchen speaker").await.0, "house");
    let pause = calls.recv().await.unwrap();
    assert_eq!(pause["service"], "media_pause");
    assert_eq!(
        pause["target"],
        json!({"entity_id": "media_player.kitchen"})
    );
    assert!(state(&speaker, "playing"));
    // Unplugged: which, and why; what is here goes on.
    drop(plug);
    let gone = |speaker: &Speaker| speaker.shown["house"]["systems"][0]["answers"] == false;
    speaker.until("it is known to be gone", gone).await;
    let (name, words) = speaker.say("play jazz on the kitchen speaker").await;
    assert_eq!(name, "house");
    let begin = "Kitchen Speaker: Home Assistant cannot be reached, ";
    assert!(
        words.starts_with(begin) && words.len() > begin.len(),
        "{words}"
    );
    let words = "Playing Long Tone.".to_owned();
    assert_eq!(speaker.say("play long tone").await, ("music", words));
}
