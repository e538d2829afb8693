//! A real browser and a real speaker of a home call each other: each hears what the other says, and nobody else does.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a panic is the answer"
)]
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use hearthline_hub::person::{PersonFields, Role};
use hearthline_hub::session::Password;
use hearthline_hub::text::{Login, Name};

use crate::browser::script;
use crate::capture::Capture;
use crate::mouth_to_ear::{Mouth, Timed, Watched, delay_ms};
use crate::scene::{HEARTH, models_are_absent, samples};
use crate::speakers_call_each_other::{Home, Speaker, raw_samples, spoken, telephone, transcribed};

const PASSWORD: &str = "correct horse battery";
const TEST: &str = "browsers_call_speakers::the_tab_rings_answers_and_hears";
const PATIENCE: Duration = Duration::from_secs(60);
/// How long both sides are listened to.
const TALK: Duration = Duration::from_secs(9);

/// What the kitchen's loudspeaker played, without a head.
const PLAYED: &str = "played-in-the-kitchen.raw";

/// 4 s of the kitchen's loudspeaker.
const WINDOW_SAMPLES: usize = 64_000;

/// Anna at her browser.
pub(crate) struct Browser {
    child: Child,
    stdin: ChildStdin,
    lines: mpsc::Receiver<String>,
}

impl Browser {
    fn start(arguments: &[&str]) -> Option<Self> {
        let mut child = script("a_browser_and_a_speaker.mjs", arguments)?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let stdin = child.stdin.take().unwrap();
        Some(Self {
            child,
            stdin,
            lines,
        })
    }

    pub(crate) fn tells(&self, expected: &str) -> String {
        let line = self
            .lines
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("the browser does not say: {expected}"));
        assert!(line.starts_with(expected), "{line:?}, not {expected}");
        line
    }

    pub(crate) fn does(&mut self, what: &str, expected: &str) -> String {
        writeln!(self.stdin, "{what}").unwrap();
        self.stdin.flush().unwrap();
        self.tells(expected)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A microphone that plays a recording again and again needs a pause in it: 1.5 s.
fn followed_by_silence(path: &Path) {
    let mut all = samples(path);
    all.resize(all.len() + 24_000, 0);
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec).unwrap();
    all.into_iter()
        .for_each(|sample| wav.write_sample(sample).unwrap());
    wav.finalize().unwrap();
}

/// What the browser kept.
pub(crate) fn kept(path: &Path) -> Vec<i16> {
    raw_samples(&std::fs::read(path).unwrap())
}

fn heard_by_browser(path: &Path) -> String {
    transcribed(&kept(path)).to_lowercase()
}

/// What went out of the tab, and what came in, with their times.
fn of_the_tab(told: &str, heard: &Path) -> [Timed; 2] {
    let mut starts = told.split_whitespace().skip(1);
    ["out", "in"].map(|way| Timed {
        start_ms: starts.next().unwrap().parse().unwrap(),
        samples: kept(&heard.with_extension(format!("raw.{way}"))),
    })
}

#[test]
fn the_tab_rings_answers_and_hears() {
    if models_are_absent() {
        return;
    }
    let Some(capture) = Capture::of_test(TEST) else {
        return;
    };
    talk("loopback", &capture);
}

/// A browser as people have it hides the loopback addresses of its machine; sound finds the way all the same.
#[test]
fn a_tab_that_hides_its_loopback_is_connected_too() {
    if models_are_absent() {
        return;
    }
    let Some((mut tab, mut kitchen, mouth)) = Tab::new("ordinary").map(Tab::with_kitchen) else {
        return;
    };
    let answer = spoken(tab.home.folder.path(), "answer", "Alexa, answer.");
    tab.anna.does("call", "calling");
    kitchen.light("Ringing");
    mouth.says(&answer);
    tab.anna.does("protected", "protected");
    tab.anna.does("hang-up", "over");
    kitchen.light("Off");
    tab.anna.does("leave", "left");
    kitchen.stop();
    tab.runtime.block_on(tab.home.hub.stop());
}

/// What Anna's microphone says again and again.
pub(crate) const BY_ANNA: &str = "The garden needs water before the sun is up.";

/// A home with nobody but Anna at her browser.
pub(crate) struct Tab {
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) home: Home,
    pub(crate) anna: Browser,
    /// Where what she hears is kept.
    pub(crate) heard: std::path::PathBuf,
}

impl Tab {
    pub(crate) fn new(flag: &str) -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let home = runtime.block_on(Home::start());
        let fields = PersonFields {
            name: Name::new("Anna").unwrap(),
            role: Role::Owner,
            login: Some(Login::new("anna").unwrap()),
        };
        let password = Password::try_from(PASSWORD.to_owned()).unwrap();
        let added = home.hub.add_person(&fields, Some(password));
        runtime.block_on(added).unwrap();
        let sounds = home.folder.path();
        let theirs = spoken(sounds, "theirs", BY_ANNA);
        followed_by_silence(&theirs);
        let heard = sounds.join("heard-by-anna.raw");
        let address = format!("https://{}", home.hub.addresses()[0]);
        let (theirs, kept) = (theirs.to_str().unwrap(), heard.to_str().unwrap());
        let anna = Browser::start(&[&address, PASSWORD, theirs, kept, flag])?;
        anna.tells("ready");
        Some(Self {
            runtime,
            home,
            anna,
            heard,
        })
    }

    /// A speaker joins; its microphone and its loudspeaker are programs.
    fn with_kitchen(self) -> (Self, Speaker, Mouth) {
        let (folder, config) = self.runtime.block_on(self.home.speaker("Kitchen"));
        let said = self.home.folder.path().join(PLAYED);
        let loudspeaker = format!("tee {}", said.display());
        let command = Command::new(HEARTH);
        let sounding = (loudspeaker.as_str(), said);
        let mouth = Mouth::new(&folder);
        let microphone = mouth.microphone();
        let hearing = ["--microphone", microphone.as_str()];
        let mut kitchen = Speaker::start_hearing(command, &folder, &config, hearing, sounding);
        kitchen.is_at_home();
        (self, kitchen, mouth)
    }
}

fn talk(flag: &str, capture: &Capture) {
    let Some((tab, mut kitchen, mouth)) = Tab::new(flag).map(Tab::with_kitchen) else {
        return;
    };
    let Tab {
        runtime,
        home,
        mut anna,
        heard,
    } = tab;
    let sounds = home.folder.path();
    let call = spoken(sounds, "call", "Alexa, call Anna.");
    let answer = spoken(sounds, "answer", "Alexa, answer.");
    let hang_up = spoken(sounds, "hang-up", "Alexa, hang up.");
    let talk = spoken(
        sounds,
        "talk",
        "The soup is ready, and the table is set for four.",
    );

    // The speaker calls, the tab rings and answers.
    mouth.says(&call);
    assert_eq!(anna.does("rings", "rings"), "rings: Kitchen speaker");
    let answered = Instant::now();
    anna.does("answer", "protected");
    println!(
        "answered to protected in the tab: {} ms",
        answered.elapsed().as_millis()
    );
    kitchen.wait("protection", |line| {
        telephone(line, "protected from end to end")
    });
    anna.does("listen", "listening");
    anna.does("stamp", "stamping");
    let played = Watched::begin(&sounds.join(PLAYED));
    mouth.says(&talk);
    std::thread::sleep(TALK);
    anna.does("keep", "kept");
    let stamped = anna.does("stamped", "stamped");
    let in_kitchen = played.end();
    let [out, back] = of_the_tab(&stamped, &heard);
    let text = heard_by_browser(&heard);
    println!("heard in the tab: {text}");
    assert!(text.contains("table is set"), "{text}");
    anna.does("hold", "held and back");
    mouth.says(&hang_up);
    anna.does("over", "over");
    kitchen.light("Off");

    capture.holds_no_speech(&["soup", "table", "garden", "water"]);

    // The tab calls, the speaker rings and answers.
    anna.does("call", "calling");
    kitchen.light("Ringing");
    mouth.says(&answer);
    anna.does("protected", "protected");
    anna.does("hang-up", "over");
    kitchen.light("Off");
    anna.does("leave", "left");
    let said = kitchen.stop();
    for (way, mouth, ear) in [
        ("browser to speaker", &out, &in_kitchen),
        ("speaker to browser", &mouth.end(), &back),
    ] {
        match delay_ms(mouth, ear) {
            Some((late, parts)) => println!("mouth to ear, {way}: {late:.0} ms ({parts} parts)"),
            None => println!("mouth to ear, {way}: not found in what was recorded"),
        }
    }
    // The sentence comes again and again; where it begins in what was kept is chance.
    let mut texts = Vec::new();
    let mut windows = (0..said.len().saturating_sub(WINDOW_SAMPLES)).step_by(WINDOW_SAMPLES / 4);
    let whole = windows.any(|at| {
        let text = transcribed(&said[at..at + WINDOW_SAMPLES]).to_lowercase();
        let is_whole = text.contains("garden needs water");
        texts.push(text);
        is_whole
    });
    println!("heard in the kitchen: {texts:?}");
    assert!(whole, "{texts:?} in {} samples", said.len());
    runtime.block_on(home.hub.stop());
}
