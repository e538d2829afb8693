//! A real speaker is told to set a timer, killed with SIGKILL at the worst moments, and started again: the timer rings, on
//! time or at once, and what was stopped stays stopped. Without hub, without network.
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::scene::{HEARTH, hearth, models_are_absent};

/// Longest wait for anything: a laden machine loads its models slowly.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Speaker {
    pub(crate) child: Child,
    lines: Receiver<(Instant, Value)>,
    pub(crate) seen: Vec<Value>,
}

impl Speaker {
    fn start(data: &Path) -> Self {
        let mut program = Command::new(HEARTH);
        program.arg("speaker").env("XDG_CONFIG_HOME", data);
        Self::more(&mut program, data)
    }

    /// `hearth speaker`, which may have been given more.
    pub(crate) fn more(program: &mut Command, data: &Path) -> Self {
        let mut child = program
            .args(["--json", "--hear", "-", "--data"])
            .arg(data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if let Ok(value) = serde_json::from_str(&line)
                    && sender.send((Instant::now(), value)).is_err()
                {
                    return;
                }
            }
        });
        Self {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    pub(crate) fn hears(&mut self, recording: &Path) {
        let mut stdin = self.child.stdin.as_ref().unwrap();
        writeln!(stdin, "{}", recording.display()).unwrap();
    }

    fn next(
        &mut self,
        patience: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Option<(Instant, Value)> {
        let until = Instant::now() + patience;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let (at, value) = self.lines.recv_timeout(left).ok()?;
            self.seen.push(value.clone());
            if wanted(&value) {
                return Some((at, value));
            }
        }
    }

    pub(crate) fn wait(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> (Instant, Value) {
        let found = self.next(PATIENCE, wanted);
        found.unwrap_or_else(|| panic!("no {what}; before it came {:#?}", self.seen))
    }

    /// A step of the agenda.
    pub(crate) fn step(&mut self, begins: &str) -> (Instant, String) {
        let is = |line: &Value| line["step"] == "skill" && text(line, "what").contains(begins);
        let (at, line) = self.wait(begins, is);
        (at, text(&line, "what"))
    }

    pub(crate) fn says(&mut self, words: &str) -> (Instant, String) {
        let (at, line) = self.wait(words, |line| {
            line["step"] == "said" && text(line, "text").contains(words)
        });
        (at, text(&line, "text"))
    }

    /// SIGKILL: as a power cut, but for what the kernel still writes.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn text(line: &Value, key: &str) -> String {
    line[key].as_str().unwrap_or_default().to_owned()
}

pub(crate) fn spoken(folder: &Path, name: &str, words: &str) -> PathBuf {
    let path = folder.join(name);
    let ran = hearth(["say", "-o", path.to_str().unwrap(), words]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    path
}

#[test]
fn on_time_late_and_never_twice() {
    if models_are_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("device");
    let three = spoken(
        folder.path(),
        "three.wav",
        "Alexa, set a timer for three seconds.",
    );
    let five = spoken(
        folder.path(),
        "five.wav",
        "Alexa, set a timer for five seconds.",
    );
    let stop = spoken(folder.path(), "stop.wav", "Stop.");

    // On time, and silent at a word without the wake word.
    let mut speaker = Speaker::start(&data);
    speaker.hears(&three);
    let (set, _) = speaker.step("timer set");
    speaker.says("Timer set for 3 seconds.");
    let (rings, how_late) = speaker.step("timer rings");
    let off = rings.duration_since(set).abs_diff(Duration::from_secs(3));
    println!(
        "fire error {} ms; it says itself: {how_late}",
        off.as_millis()
    );
    assert!(off <= Duration::from_millis(100), "{off:?}");
    speaker.says("Your 3 second timer is done.");
    speaker.hears(&stop);
    speaker.step("timer stopped");

    // Killed the moment it was said to be set.
    speaker.hears(&five);
    let (said, _) = speaker.says("Timer set for 5 seconds.");
    speaker.kill();
    let mut speaker = Speaker::start(&data);
    speaker.step("timer rings");
    let (told, words) = speaker.says("Your 5 second timer");
    println!(
        "after a kill, {} ms after it was set: {words}",
        told.duration_since(said).as_millis()
    );
    assert!(told.duration_since(said) >= Duration::from_millis(4_900));

    // Killed while it rings: it rings on, late, and says so.
    speaker.kill();
    std::thread::sleep(Duration::from_secs(3));
    let mut speaker = Speaker::start(&data);
    let (_, words) = speaker.says("Your 5 second timer ended");
    println!("killed while it rang: {words}");
    speaker.hears(&stop);
    speaker.step("timer stopped");
    // Silence waits for the disk, no longer than this.
    std::thread::sleep(Duration::from_millis(500));
    speaker.kill();

    // What was stopped stays stopped.
    let mut speaker = Speaker::start(&data);
    let again = speaker.next(Duration::from_secs(4), |line| {
        text(line, "what").contains("rings")
    });
    assert!(again.is_none(), "{again:?}");
    speaker.kill();
}

/// What a speaker keeps its timers with, killed at fifty random moments.
#[test]
fn fifty_kills_lose_nothing_and_ring_nothing_twice() {
    let ran = hearth(["bench", "--kills", "50", "--json"]);
    let rows = ran.json();
    let measured = |what: &str| {
        let row = rows.iter().find(|row| text(row, "what").contains(what));
        let row = row.unwrap_or_else(|| panic!("no {what}: {} {}", ran.out, ran.err));
        (
            row["measured"].as_f64().unwrap(),
            row["samples"].as_u64().unwrap(),
        )
    };
    println!("{}", ran.out);
    assert_eq!(measured("real kills"), (50.0, 50));
    let (lost, promised) = measured("lost");
    assert_eq!(lost, 0.0);
    assert!(promised > 20, "{promised} promised");
    assert_eq!(measured("after silence").0, 0.0);
    assert_eq!(measured("rang early").0, 0.0);
}
