//! The configuration is changed under running programs: what can count at once does, what is broken changes nothing, what
//! waits is told with its place, and a timer that runs meanwhile rings on time.
use std::fs::Permissions;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::program::Home;
use crate::scene::{HEARTH, models_are_absent};
use crate::timers_outlive_kills::{Speaker, spoken};

/// The reference library's Python is made once for all tests.
#[path = "../../../satellite/tests/on_the_wire/oracle.rs"]
#[allow(dead_code, reason = "the tests of the protocols use all of it")]
mod oracle;

const PATIENCE: Duration = Duration::from_secs(60);
const HOUSEHOLD: &str = "[device]\nname = \"Kitchen\"\ncountry = \"US\"\n\n[person]\nname = \"Drill\"\n\n\
                         [emergency]\nmode = \"announced\"\n";

/// What a program tells on standard error.
struct Told {
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Told {
    fn by(err: ChildStderr) -> Self {
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(err).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let seen = Vec::new();
        Self { lines, seen }
    }

    fn wait(&mut self, words: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("nobody told \"{words}\", but {:#?}", self.seen);
            };
            self.seen.push(line.clone());
            if line.contains(words) {
                return line;
            }
        }
    }
}

/// Home Assistant at the door.
struct Guest(BufReader<TcpStream>);

impl Guest {
    fn at(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    fn is_answered(&mut self) {
        let describe = b"{\"type\": \"describe\"}\n";
        self.0.get_mut().write_all(describe).unwrap();
        let mut head = String::new();
        self.0.read_line(&mut head).unwrap();
        assert!(head.contains("\"info\""), "{head}");
        let head: serde_json::Value = serde_json::from_str(&head).unwrap();
        let length = head["data_length"].as_u64().unwrap_or(0);
        let mut data = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut data).unwrap();
    }

    fn ends(mut self) {
        let mut rest = Vec::new();
        // A reset is an end, too.
        if let Err(error) = self.0.read_to_end(&mut rest) {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        }
    }
}

/// The same by ESPHome's native API.
struct VoiceGuest {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl VoiceGuest {
    fn at(port: u16, key: &str, python: &Path) -> Self {
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/the_program/esphome_guest.py");
        let mut child = Command::new(python)
            .arg(script)
            .args([&port.to_string(), key])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    fn says(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    fn asked(&mut self, what: &str) -> String {
        writeln!(self.child.stdin.as_ref().unwrap(), "{what}").unwrap();
        self.says()
    }
}

impl Drop for VoiceGuest {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Written beside and renamed, as editors do.
fn write(path: &Path, text: &str) {
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, text).unwrap();
    std::fs::rename(&fresh, path).unwrap();
}

#[test]
fn a_speaker_goes_on_by_the_new_file_and_keeps_its_timer() {
    if models_are_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let timer = spoken(
        folder.path(),
        "timer.wav",
        "Alexa, set a timer for six seconds.",
    );
    let file = folder.path().join("household.toml");
    write(&file, HOUSEHOLD);
    let mut program = Command::new(HEARTH);
    program
        .arg("speaker")
        .arg("--config")
        .arg(&file)
        .stderr(Stdio::piped());
    let mut speaker = Speaker::more(&mut program, &folder.path().join("device"));
    let mut told = Told::by(speaker.child.stderr.take().unwrap());
    speaker.hears(&timer);
    let (set, _) = speaker.step("timer set");
    // Calls and routines count at once.
    let immediate = HOUSEHOLD.replace("announced", "immediate");
    let routine =
        "\n[[routine]]\nname = \"night\"\nphrases = [\"good night\"]\ndo = [\"what time is it\"]\n";
    let second = format!("{immediate}{routine}");
    write(&file, &second);
    told.wait("was read again: [emergency], [routine] as it is now");
    // A broken one changes nothing, and says where.
    write(&file, &second.replace("immediate", "sudden"));
    let place = told.wait("[emergency] mode");
    assert!(place.contains("household.toml:9:1: "), "{place}");
    told.wait("Everything stays as it was");
    write(&file, "[device\n");
    told.wait("household.toml:1:");
    told.wait("Everything stays as it was");
    // What waits for the next start is told with its key.
    let third = second.replace("Kitchen", "Hall");
    write(&file, &third);
    let later = told.wait("[device] name: has changed; it is read at the next start");
    assert!(later.contains("household.toml:2:1"), "{later}");
    kill_process(Pid::from_child(&speaker.child), Signal::HUP).unwrap();
    told.wait("nothing has changed");
    // What speaks to other systems goes on by what has changed, and by that alone.
    let port = crate::home_assistant_is_a_guest::free().port();
    let guest = format!("\n[wyoming]\nsatellite = \"127.0.0.1:{port}\"\npeers = [\"127.0.0.1\"]\n");
    let station = "\n[[music.station]]\nname = \"Gull\"\nurl = \"http://127.0.0.1:9/\"\n";
    let waits = format!("waits for Home Assistant at tcp://127.0.0.1:{port}");
    write(&file, &format!("{third}{guest}"));
    told.wait(&waits);
    told.wait("was read again: [wyoming] as it is now");
    let mut first = Guest::at(port);
    first.is_answered();
    write(&file, &format!("{third}{guest}{station}"));
    told.wait("was read again: [music] as it is now");
    first.is_answered();
    let more = guest.replace("[\"127.0.0.1\"]", "[\"127.0.0.1\", \"127.0.0.2\"]");
    write(&file, &format!("{third}{more}{station}"));
    told.wait(&waits);
    first.ends();
    let mut second = Guest::at(port);
    second.is_answered();
    write(&file, &third);
    told.wait("was read again: [music], [wyoming] as it is now");
    second.ends();
    // All the while the timer runs.
    let (rings, how_late) = speaker.step("timer rings");
    let off = rings.duration_since(set).abs_diff(Duration::from_secs(6));
    println!("{how_late}; {} ms as seen from here", off.as_millis());
    assert!(off <= PATIENCE, "{off:?}");
    let again = "the configuration was read again";
    let seen = speaker
        .seen
        .iter()
        .any(|line| line.to_string().contains(again));
    if !seen {
        speaker.step(again);
    }
    speaker.kill();
}

#[test]
fn a_door_for_voice_devices_opens_closes_and_takes_another_key_while_the_speaker_runs() {
    let Some(python) = oracle::python() else {
        return;
    };
    if models_are_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (file, key_file) = (
        folder.path().join("household.toml"),
        folder.path().join("key"),
    );
    let key = |text: &str, mode: u32| {
        let fresh = key_file.with_extension("new");
        std::fs::write(&fresh, text).unwrap();
        std::fs::set_permissions(&fresh, Permissions::from_mode(mode)).unwrap();
        std::fs::rename(&fresh, &key_file).unwrap();
    };
    let (first, second) = (
        "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=",
        "ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICA=",
    );
    key(first, 0o600);
    write(&file, HOUSEHOLD);
    let mut program = Command::new(HEARTH);
    program
        .arg("speaker")
        .arg("--config")
        .arg(&file)
        .stderr(Stdio::piped());
    let mut speaker = Speaker::more(&mut program, &folder.path().join("device"));
    let mut told = Told::by(speaker.child.stderr.take().unwrap());
    let port = crate::home_assistant_is_a_guest::free().port();
    let door = format!(
        "\n[esphome]\nlisten = \"127.0.0.1:{port}\"\npeers = [\"127.0.0.1\"]\nkey_file = \"{}\"\n",
        key_file.display()
    );
    let waits = format!("waits for Home Assistant at 127.0.0.1:{port} (ESPHome, encrypted)");
    write(&file, &format!("{HOUSEHOLD}{door}"));
    told.wait(&waits);
    let mut guest = VoiceGuest::at(port, first, &python);
    assert_eq!(guest.says(), "let in");
    assert_eq!(guest.asked("name"), "kitchen");
    assert_eq!(VoiceGuest::at(port, second, &python).says(), "refused");
    // What cannot be used leaves the door as it is, and who came by it.
    std::fs::remove_file(&key_file).unwrap();
    told.wait("It stays as it was");
    key("no key", 0o600);
    told.wait("It stays as it was");
    key(second, 0o644);
    let why = told.wait("It stays as it was");
    assert!(why.contains("chmod 600") && !why.contains(second), "{why}");
    let station = "\n[[music.station]]\nname = \"Gull\"\nurl = \"http://127.0.0.1:9/\"\n";
    write(&file, &format!("{HOUSEHOLD}{door}{station}"));
    told.wait("was read again: [music] as it is now");
    assert_eq!(guest.asked("name"), "kitchen");
    // Another key: who came by the old one is gone.
    std::fs::set_permissions(&key_file, Permissions::from_mode(0o600)).unwrap();
    told.wait("has changed, and is read again");
    told.wait(&waits);
    assert_eq!(guest.asked("end"), "ended");
    assert_eq!(VoiceGuest::at(port, first, &python).says(), "refused");
    let mut guest = VoiceGuest::at(port, second, &python);
    assert_eq!(guest.says(), "let in");
    // And the door is closed.
    write(&file, &format!("{HOUSEHOLD}{station}"));
    told.wait("was read again: [esphome] as it is now");
    assert_eq!(guest.asked("end"), "ended");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    speaker.kill();
}

#[test]
fn a_hub_says_what_waits_and_is_not_ended_by_being_asked() {
    let home = Home::new();
    let path = home.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let manager_hears = |wanted: &str| {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let mut datagram = [0; 4_096];
            let Ok(count) = socket.recv(&mut datagram) else {
                continue;
            };
            let text = String::from_utf8_lossy(&datagram[..count]);
            if text.lines().any(|line| line == wanted) {
                return;
            }
        }
        panic!("{wanted} was never told");
    };
    let file = home.path("household.toml");
    write(&file, HOUSEHOLD);
    let mut hub = home
        .hearth()
        .args(["hub", "--listen", "127.0.0.1:0", "--sip"])
        .args(["--sip-listen", "tls:127.0.0.1:0", "--config"])
        .arg(&file)
        .env("NOTIFY_SOCKET", &path)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = Told::by(hub.stderr.take().unwrap());
    manager_hears("READY=1");
    kill_process(Pid::from_child(&hub), Signal::HUP).unwrap();
    told.wait("nothing has changed");
    manager_hears("RELOADING=1");
    manager_hears("READY=1");
    write(&file, &format!("{HOUSEHOLD}\n[hub]\narea_code = \"x\"\n"));
    told.wait("[hub] area_code");
    told.wait("Everything stays as it was");
    write(&file, &format!("{HOUSEHOLD}\n[hub]\narea_code = \"505\"\n"));
    let later = told.wait("[hub] area_code: has changed");
    assert!(later.contains("household.toml:12:1"), "{later}");
    kill_process(Pid::from_child(&hub), Signal::TERM).unwrap();
    assert_eq!(hub.wait().unwrap().code(), Some(0));
}
