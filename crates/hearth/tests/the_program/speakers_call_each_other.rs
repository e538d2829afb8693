//! Two speakers of a home as programs, with the real hub between them and sentences spoken by our own voice.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a panic is the answer"
)]
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::capture::Capture;
use crate::scene::{HEARTH, hearth, models, models_are_absent, samples};
use hearthline_emergency::numbers::Country;
use hearthline_hub::device::{DeviceFields, DeviceKind};
use hearthline_hub::join::{Membership, join};
use hearthline_hub::sip::SipConfig;
use hearthline_hub::text::Name;
use hearthline_hub::{Hub, HubConfig, HubHandle};
use hearthline_sip::outbound::FlowTransport;
use hearthline_voice::engine::Engine;
use hearthline_voice::transcribe::Moonshine;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(40);
/// How long the hall talks before it hangs up.
const TALK: Duration = Duration::from_secs(6);
/// The end of the kitchen's loudspeaker that is listened to: 11 s.
const HEARD_SAMPLES: usize = 176_000;

/// A running `hearth speaker`.
pub(crate) struct Speaker {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: mpsc::Receiver<(Instant, Value)>,
    seen: Vec<(Instant, Value)>,
    said: PathBuf,
}

impl Speaker {
    pub(crate) fn start(folder: &Path, config: &Path) -> Self {
        Self::start_by(Command::new(HEARTH), folder, config)
    }

    /// The same by a command that ends with the program's name.
    pub(crate) fn start_by(command: Command, folder: &Path, config: &Path) -> Self {
        let said = folder.join("loudspeaker.wav");
        let loudspeaker = said.display().to_string();
        Self::start_sounding(command, folder, config, (&loudspeaker, said))
    }

    /// The same with another loudspeaker, which leaves what it played in a file.
    pub(crate) fn start_sounding(
        command: Command,
        folder: &Path,
        config: &Path,
        sounding: (&str, PathBuf),
    ) -> Self {
        Self::start_hearing(command, folder, config, ["--hear", "-"], sounding)
    }

    /// The same with another microphone.
    pub(crate) fn start_hearing(
        mut command: Command,
        folder: &Path,
        config: &Path,
        hearing: [&str; 2],
        (loudspeaker, said): (&str, PathBuf),
    ) -> Self {
        let mut child = command
            .args(["speaker", "--json"])
            .args(hearing)
            .arg("--config")
            .arg(config)
            .arg("--data")
            .arg(folder.join("device"))
            .arg("--loudspeaker")
            .arg(loudspeaker)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap();
                if sender.send((Instant::now(), value)).is_err() {
                    return;
                }
            }
        });
        let stdin = child.stdin.take();
        Self {
            child,
            stdin,
            lines,
            seen: Vec::new(),
            said,
        }
    }

    pub(crate) fn hears(&mut self, recording: &Path) {
        let stdin = self.stdin.as_mut().unwrap();
        writeln!(stdin, "{}", recording.display()).unwrap();
        stdin.flush().unwrap();
    }

    /// The next line for which `wanted` holds, and when it came.
    pub(crate) fn wait(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> (Instant, Value) {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok((at, value)) = self.lines.recv_timeout(left) else {
                panic!("no {what}; before it came {:#?}", self.seen);
            };
            self.seen.push((at, value.clone()));
            if wanted(&value) {
                return (at, value);
            }
        }
    }

    /// What it has used of the processor since its start.
    fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let after_name = stat.rsplit_once(')').unwrap().1;
        let ticks = after_name.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        // Linux counts a hundred a second for every program.
        Duration::from_millis(10 * ticks)
    }

    /// Waits until it is registered and knows the names of the home.
    pub(crate) fn is_at_home(&mut self) {
        let (mut registered, mut named) = (false, false);
        while !(registered && named) {
            let (_, line) = self.wait("registration and names", |line| {
                telephone(line, "registered with the hub") || telephone(line, "names known")
            });
            registered |= telephone(&line, "registered");
            named |= telephone(&line, "names known");
        }
    }

    pub(crate) fn light(&mut self, light: &str) -> Instant {
        self.wait(light, |line| line["light"] == light).0
    }

    /// The end of one that hears a microphone.
    pub(crate) fn stop(self) -> Vec<i16> {
        rustix::process::kill_process(
            rustix::process::Pid::from_child(&self.child),
            rustix::process::Signal::INT,
        )
        .unwrap();
        self.end()
    }

    pub(crate) fn end(mut self) -> Vec<i16> {
        self.stdin = None;
        let code = self.child.wait().unwrap().code();
        assert_eq!(code, Some(0));
        if self.said.extension().is_some_and(|kind| kind == "wav") {
            return samples(&self.said);
        }
        raw_samples(&std::fs::read(&self.said).unwrap())
    }
}

/// Samples of 16 bits without a head.
pub(crate) fn raw_samples(bytes: &[u8]) -> Vec<i16> {
    let pairs = bytes.chunks_exact(2);
    pairs
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect()
}

impl Drop for Speaker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A home with a hub.
pub(crate) struct Home {
    pub(crate) hub: HubHandle,
    pub(crate) folder: tempfile::TempDir,
}

impl Home {
    pub(crate) async fn start() -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST).await
    }

    pub(crate) async fn start_at(address: Ipv4Addr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let any = vec![SocketAddr::from((address, 0))];
        let mut config = HubConfig::new(folder.path().join("hub"));
        config.https.clone_from(&any);
        config.sip = Some(SipConfig {
            udp: any.clone(),
            tcp: any.clone(),
            tls: any,
            ..SipConfig::new(Country::UnitedStates)
        });
        let hub = Hub::start(config).await.unwrap();
        Self { hub, folder }
    }

    /// The folder and configuration of a speaker that has joined.
    pub(crate) async fn speaker(&self, name: &str) -> (PathBuf, PathBuf) {
        let fields = serde_json::from_value(serde_json::json!({ "name": name })).unwrap();
        let now = hearthline_hub::clock::Clock::default().now();
        let room = self.hub.store().add_room(&fields, now).await.unwrap().id;
        let device = DeviceFields {
            name: Name::new(&format!("{name} speaker")).unwrap(),
            room: Some(room),
            person: None,
        };
        let invited = self.hub.invite(DeviceKind::Speaker, device).await.unwrap();
        let (https, ca) = (self.hub.addresses()[0], self.hub.ca_fingerprint());
        let member: Membership = join(https, &invited.code, Some(ca)).await.unwrap();
        let folder = self.folder.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        for (file, text) in [
            ("device.pem", &member.certificate_pem),
            ("device.key", &member.key_pem),
            ("home.pem", &member.ca_pem),
        ] {
            let path = folder.join(file);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let tls = self.hub.sip_addresses().iter();
        let (_, sip) = tls
            .clone()
            .find(|(transport, _)| *transport == FlowTransport::Tls)
            .unwrap();
        let domain = self.hub.sip_domain().unwrap();
        let id = member.device;
        let config = folder.join("speaker.toml");
        let text = format!(
            "[device]\nname = \"{name}\"\ncountry = \"US\"\n[person]\nname = \"Drill\"\n[household]\nhub = \"{sip}\"\n\
             domain = \"{domain}\"\nuser = \"{id}\"\ncertificate = \"device.pem\"\nkey = \"device.key\"\n\
             authority = \"home.pem\"\napi = \"{https}\"\n"
        );
        std::fs::write(&config, text).unwrap();
        (folder, config)
    }
}

pub(crate) fn spoken(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(format!("{name}.wav"));
    let ran = hearth(["say", "-o", path.to_str().unwrap(), text]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    path
}

/// What a recogniser makes of it.
pub(crate) fn transcribed(samples: &[i16]) -> String {
    let models = models().unwrap();
    let engine = Engine::open(&models.join("onnxruntime-1.28.0/libonnxruntime.so.1.28.0")).unwrap();
    let read =
        |file: &str| std::fs::read(models.join("moonshine-voice-0.0.73").join(file)).unwrap();
    let mut moonshine = Moonshine::load(
        &engine,
        &read("encoder_model.ort"),
        &read("decoder_model_merged.ort"),
        &read("tokenizer.bin"),
    )
    .unwrap();
    let silence = || std::iter::repeat_n(0.0, 8_000);
    let sound = samples.iter().map(|sample| f32::from(*sample) / 32_768.0);
    let padded: Vec<f32> = silence().chain(sound).chain(silence()).collect();
    let encoded = moonshine.encode(&padded).unwrap();
    moonshine.greedy(&encoded).unwrap().text
}

pub(crate) fn telephone(line: &Value, what: &str) -> bool {
    line["step"] == "telephone" && line["what"].as_str().unwrap().contains(what)
}

/// The hall is told to call the kitchen, where it rings; how long that took is printed.
fn rings_after(time: &str, hall: &mut Speaker, kitchen: &mut Speaker, call: &Path) {
    hall.hears(call);
    let (woke_at, _) = hall.wait("wake word", |line| line["step"] == "wake");
    let (heard_at, heard) = hall.wait("sentence", |line| line["step"] == "heard");
    assert_eq!(heard["intent"], "CallStart", "{heard}");
    let rang_at = kitchen.light("Ringing");
    let after_speech = heard["after_speech_ms"].as_u64().unwrap();
    let ringing = rang_at.saturating_duration_since(heard_at);
    println!(
        "spoken \u{201c}call the kitchen\u{201d} to ringing, {time} time: {} ms, of which {after_speech} ms to the \
         verdict, which came {} ms after the wake word",
        after_speech + u64::try_from(ringing.as_millis()).unwrap(),
        heard_at.saturating_duration_since(woke_at).as_millis()
    );
    assert!(
        after_speech < 3_000 && ringing < Duration::from_secs(2),
        "{heard} {ringing:?}"
    );
}

#[test]
fn call_the_kitchen_is_spoken_answered_and_hung_up() {
    if models_are_absent() {
        return;
    }
    let Some(capture) = Capture::inside("call_the_kitchen_is_spoken_answered_and_hung_up") else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let home = runtime.block_on(Home::start());
    let (hall_folder, hall_config) = runtime.block_on(home.speaker("Hall"));
    let (kitchen_folder, kitchen_config) = runtime.block_on(home.speaker("Kitchen"));
    let sounds = home.folder.path();
    let call = spoken(sounds, "call", "Alexa, call the kitchen.");
    let answer = spoken(sounds, "answer", "Alexa, answer.");
    let talk = spoken(
        sounds,
        "talk",
        "The soup is ready, and the table is set for four.",
    );
    let hang_up = spoken(sounds, "hang-up", "Alexa, hang up.");

    let mut hall = Speaker::start(&hall_folder, &hall_config);
    let mut kitchen = Speaker::start(&kitchen_folder, &kitchen_config);
    hall.is_at_home();
    kitchen.is_at_home();

    // The first sentence of a speaker's life waits for its recogniser, which is loaded behind the wake word; from the
    // second on nothing does.
    rings_after("the first", &mut hall, &mut kitchen, &call);
    for again in ["the second", "the third"] {
        hall.hears(&hang_up);
        hall.light("Off");
        kitchen.light("Off");
        rings_after(again, &mut hall, &mut kitchen, &call);
    }

    let idle = [&hall, &kitchen].map(Speaker::processor_time);
    std::thread::sleep(TALK);
    let ringing = [&hall, &kitchen].map(Speaker::processor_time);
    kitchen.hears(&answer);
    let answered_at = kitchen.light("OnCall");
    // Only the two ends have the keys: DTLS, with the certificates that the home's authority signed.
    let protected = |line: &Value| telephone(line, "protected from end to end");
    for speaker in [&mut kitchen, &mut hall] {
        let protected_at = speaker.wait("protection", protected).0;
        let took = protected_at.saturating_duration_since(answered_at);
        println!("answered to protected: {} ms", took.as_millis());
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
    hall.hears(&talk);
    let talking = [&hall, &kitchen].map(Speaker::processor_time);
    std::thread::sleep(TALK);
    let talked = [&hall, &kitchen].map(Speaker::processor_time);
    for index in 0..2 {
        println!(
            "processor time in {} s: {:?} while it rings, {:?} while they talk",
            TALK.as_secs(),
            ringing[index] - idle[index],
            talked[index] - talking[index]
        );
    }
    hall.hears(&hang_up);
    kitchen.wait("the end", |line| telephone(line, "call over"));
    hall.light("Off");
    kitchen.light("Off");
    let heard_in_kitchen = kitchen.end();
    hall.end();
    // The sink keeps no silence: the end of our own words about the call may stand right before.
    let tail = &heard_in_kitchen[heard_in_kitchen.len().saturating_sub(HEARD_SAMPLES)..];
    let text = transcribed(tail).to_lowercase();
    println!("heard in the kitchen: {text}");
    assert!(text.contains("table is set"), "{text}");
    capture.holds_no_speech(&["soup", "ready", "table", "set"]);
    runtime.block_on(home.hub.stop());
}
