//! The story of July 2017, told to the real program in real sound: the sentence that must call, and those that must not.
//!
//! Voices: Debian's flite (slt, rms, awb, kal16) and espeak-ng at test time, and the program's own. They say "nine one one"
//! because flite reads "911" as nine hundred eleven.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a panic is the answer"
)]
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::scene::{
    HEARTH, Ran, espeak, flite, flite_is_absent, has, heard_in_a_drill, hearth, models_are_absent,
    samples, unzip, write_wav,
};
use hearthline_speaker::io::recording::Recording;
use serde_json::Value;

const COMMAND: &str = "Alexa, call nine one one.";
/// Shared recordings; absent outside the project's own workplace.
const NOISE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/audio/noise/background"
);

fn decisions(files: &[PathBuf]) -> Vec<Value> {
    let ran = hearth(
        ["hear", "--dry-run", "--json"]
            .map(Into::into)
            .into_iter()
            .chain(files.iter().map(|file| file.as_os_str().to_owned())),
    );
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
    let outcomes = ran.json();
    assert_eq!(outcomes.len(), files.len());
    outcomes
}

/// Room noise 10 dB below the speech, over all of it and a second before.
fn in_a_noisy_room(clean: &Path, noise: &[i16], out: &Path) {
    let speech = samples(clean);
    let power = |samples: &[i16]| {
        samples
            .iter()
            .map(|sample| f64::from(*sample).powi(2))
            .sum::<f64>()
            / samples.len() as f64
    };
    let gain = (power(&speech) / power(noise) / 10.0).sqrt();
    let lead = 16_000;
    let mixed: Vec<i16> = (0..lead + speech.len())
        .map(|index| {
            let voice = index
                .checked_sub(lead)
                .map_or(0.0, |index| f64::from(speech[index]));
            (voice + gain * f64::from(noise[index % noise.len()]))
                .round()
                .clamp(-32_768.0, 32_767.0) as i16
        })
        .collect();
    write_wav(out, 16_000, 1, &mixed);
}

fn room_noise() -> Option<Vec<Vec<i16>>> {
    if !Path::new(NOISE).is_dir() {
        eprintln!("skipped: the shared recordings of rooms are not here");
        return None;
    }
    let names = ["pcd_bg_noise.flac", "sti_kitchen_a.flac"];
    Some(
        names
            .iter()
            .map(|name| {
                Recording::open(&Path::new(NOISE).join(name))
                    .unwrap()
                    .read_all()
                    .unwrap()
            })
            .collect(),
    )
}

#[test]
fn the_order_is_an_emergency_in_several_voices() {
    if models_are_absent() || flite_is_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for voice in ["slt", "rms", "awb", "kal16"] {
        let file = folder.path().join(format!("{voice}.wav"));
        flite(voice, COMMAND, &file);
        files.push(file);
    }
    if has("espeak-ng") {
        let file = folder.path().join("espeak.wav");
        espeak("en-us", COMMAND, &file);
        files.push(file);
    }
    let own = folder.path().join("own.wav");
    assert_eq!(
        hearth(["say", "-o", own.to_str().unwrap(), "Alexa, call 911."]).code,
        Some(0)
    );
    files.push(own);
    let outcomes = decisions(&files);
    // Measured when this was written: emergency in slt, rms, awb, kal16 and our own voice; espeak-ng is asked back.
    let emergencies = outcomes
        .iter()
        .filter(|outcome| outcome["decision"] == "emergency")
        .count();
    assert!(emergencies >= 3, "{outcomes:#?}");
    for outcome in &outcomes {
        assert_eq!(outcome["wake"]["keyword"], "alexa", "{outcome}");
        if outcome["decision"] == "emergency" {
            assert_eq!(outcome["service"], "urn:service:sos", "{outcome}");
            assert_eq!(outcome["intent"]["name"], "EmergencyCall", "{outcome}");
        } else {
            eprintln!("not understood at once: {outcome}");
        }
        assert_eq!(
            outcome["call"]["state"], "none",
            "a dry run never calls: {outcome}"
        );
    }
}

#[test]
fn questions_quotations_and_speech_without_the_wake_word_never_dial() {
    if models_are_absent() || flite_is_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Sentence, and whether the wake word is in it.
    let sentences = [
        ("Alexa, did you call nine one one?", true),
        ("Did you call the sheriff?", false),
        ("Alexa, don't call nine one one.", true),
        ("Call nine one one.", false),
    ];
    let noises = room_noise().unwrap_or_default();
    let mut files = Vec::new();
    let mut expected = Vec::new();
    for (number, (sentence, wakes)) in sentences.iter().enumerate() {
        for voice in ["slt", "rms", "kal16"] {
            let clean = folder.path().join(format!("{number}-{voice}.wav"));
            flite(voice, sentence, &clean);
            for (room, noise) in noises.iter().enumerate() {
                let noisy = folder
                    .path()
                    .join(format!("{number}-{voice}-room{room}.wav"));
                in_a_noisy_room(&clean, noise, &noisy);
                files.push(noisy);
                expected.push((*sentence, *wakes, true));
            }
            files.push(clean);
            expected.push((*sentence, *wakes, false));
        }
    }
    let mut understood = std::collections::BTreeMap::new();
    for (outcome, (sentence, wakes, noisy)) in decisions(&files).iter().zip(expected) {
        let decision = outcome["decision"].as_str().unwrap();
        assert_ne!(
            decision, "emergency",
            "{sentence} (noise: {noisy}): {outcome}"
        );
        assert_eq!(outcome["call"]["state"], "none");
        if !wakes {
            assert!(outcome["wake"].is_null(), "{sentence}: {outcome}");
            assert_eq!(decision, "ignore", "{sentence}: {outcome}");
        } else if !noisy {
            let right = match sentence.contains("don't") {
                true => decision == "refuse",
                false => ["act", "refuse"].contains(&decision),
            };
            *understood.entry(sentence).or_insert(0) += u32::from(right);
        }
    }
    // A sentence heard in a clean room is understood as what it is; the recogniser may fail with one voice of three.
    assert_eq!(understood.len(), 2);
    assert!(
        understood.values().all(|voices| *voices >= 2),
        "{understood:?}"
    );
}

#[test]
fn the_call_is_placed_answered_and_proven_and_the_question_is_not() {
    if models_are_absent() || flite_is_absent() {
        return;
    }
    // Both in real time, side by side.
    std::thread::scope(|scope| {
        scope.spawn(the_call);
        scope.spawn(the_question);
    });
}

fn the_call() {
    let folder = tempfile::tempdir().unwrap();
    let (recording, data) = (folder.path().join("call.wav"), folder.path().join("device"));
    flite("rms", COMMAND, &recording);
    let ran = Ran::of(
        &heard_in_a_drill(&recording, &data)
            .env("RUST_LOG", "trace")
            .output()
            .unwrap(),
    );
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
    let [outcome] = &ran.json()[..] else {
        panic!("{}", ran.out)
    };
    assert_eq!(outcome["decision"], "emergency", "{outcome}");
    assert_eq!(outcome["call"]["state"], "answered", "{outcome}");
    assert!(
        outcome["call"]["call_id"]
            .as_str()
            .is_some_and(|id| id.len() >= 16),
        "{outcome}"
    );
    assert_eq!(
        outcome["call"]["lines_tried"],
        serde_json::json!(["drill line"])
    );
    let waited = outcome["call"]["speech_end_to_invite_ms"].as_u64().unwrap();
    // The budget of 800 ms is for a release build on a quiet machine; here only: measured, and no confirmation window.
    assert!((1..60_000).contains(&waited), "{waited} ms");

    let bundle = PathBuf::from(outcome["bundle"].as_str().unwrap());
    assert!(bundle.starts_with(&data), "{}", bundle.display());
    assert_proven_but_unwitnessed(&bundle);
    assert_any_flipped_bit_is_refused(&bundle);
    assert_holds_the_command(
        &bundle,
        &samples(&recording),
        outcome["wake"]["at_ms"].as_u64().unwrap() * 16,
    );
}

fn assert_proven_but_unwitnessed(bundle: &Path) {
    let verified = hearth(["verify".as_ref(), bundle.as_os_str()]);
    assert_eq!(
        (verified.code, verified.err.as_str()),
        (Some(1), ""),
        "{}",
        verified.out
    );
    assert!(verified.out.contains("holds"), "{}", verified.out);
    assert!(!verified.out.contains("FAILS"), "{}", verified.out);
}

fn assert_any_flipped_bit_is_refused(bundle: &Path) {
    let bytes = std::fs::read(bundle).unwrap();
    for part in 0..12 {
        let at = bytes.len() * (2 * part + 1) / 24;
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (part % 8);
        let path = bundle.with_file_name(format!("changed-{part}.zip"));
        std::fs::write(&path, changed).unwrap();
        let verified = hearth(["verify".as_ref(), path.as_os_str()]);
        assert!(
            [Some(2), Some(3)].contains(&verified.code),
            "bit {} of byte {at}: {verified:?}",
            part % 8
        );
    }
}

/// The microphone's stored sound is sample for sample what was spoken, from the wake word on to the end of the order.
fn assert_holds_the_command(bundle: &Path, spoken: &[i16], wake_sample: u64) {
    let audio: Vec<_> = unzip(bundle)
        .into_iter()
        .filter(|(name, _)| name.contains("-microphone-"))
        .collect();
    let mut held = vec![false; spoken.len()];
    for (name, bytes) in audio {
        let first: usize = name
            .trim_end_matches(".wav")
            .rsplit('-')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let mut wav = hound::WavReader::new(std::io::Cursor::new(bytes)).unwrap();
        for (index, sample) in wav.samples::<i16>().map(Result::unwrap).enumerate() {
            // Silence follows the recording.
            let expected = spoken.get(first + index).copied().unwrap_or(0);
            assert_eq!(sample, expected, "{name}: sample {}", first + index);
            if let Some(held) = held.get_mut(first + index) {
                *held = true;
            }
        }
    }
    let wake_sample = usize::try_from(wake_sample).unwrap();
    let loud = |index: &usize| spoken[*index].unsigned_abs() > 64;
    let lost: Vec<usize> = (wake_sample..spoken.len())
        .filter(loud)
        .filter(|index| !held[*index])
        .collect();
    assert!(
        lost.is_empty(),
        "{} samples of the order are not in the bundle, from {:?}",
        lost.len(),
        lost.first()
    );
    assert!(
        (wake_sample..spoken.len()).filter(loud).count() > 4_000,
        "the order is a quarter of a second at least"
    );
}

fn the_question() {
    let folder = tempfile::tempdir().unwrap();
    let (recording, data) = (
        folder.path().join("question.wav"),
        folder.path().join("device"),
    );
    flite("rms", "Alexa, did you call nine one one?", &recording);
    let ran = Ran::of(&heard_in_a_drill(&recording, &data).output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
    let [outcome] = &ran.json()[..] else {
        panic!("{}", ran.out)
    };
    assert!(outcome["wake"].is_object(), "{outcome}");
    assert!(
        ["act", "refuse"].contains(&outcome["decision"].as_str().unwrap()),
        "{outcome}"
    );
    assert_eq!(outcome["call"]["state"], "none", "{outcome}");
    assert_eq!(outcome["call"]["lines_tried"], serde_json::json!([]));
    assert!(
        outcome["call"]["call_id"].is_null()
            && outcome["call"]["speech_end_to_invite_ms"].is_null(),
        "{outcome}"
    );
    assert!(
        !data.join("call-taker").exists()
            || std::fs::read_dir(data.join("call-taker"))
                .unwrap()
                .next()
                .is_none()
    );
}

/// Values that occur nowhere else.
const HOUSEHOLD: &str = r#"
[device]
name = "Zanzibar nook"
country = "US"
[emergency]
cancel_window_s = 0
[address]
country = "US"
A1 = "NM"
A3 = "Quillonville"
RD = "Wobblewick"
STS = "Lane"
HNO = "8675"
[point]
latitude = 35.0713
longitude = -106.4719
[person]
name = "Philippa Xanthorrhoea"
callback = "+15055550187"
"#;
const PRIVATE: [&str; 12] = [
    "Zanzibar",
    "Quillonville",
    "Wobblewick",
    "8675",
    "35.0713",
    "106.4719",
    "Xanthorrhoea",
    "5550187",
    "call 911",
    "nine one one",
    "Calling",
    "911",
];

#[test]
fn the_demo_ends_well_and_logs_nothing_of_the_household() {
    if models_are_absent() {
        return;
    }
    std::thread::scope(|scope| {
        scope.spawn(|| the_demo(false));
        scope.spawn(|| the_demo(true));
        scope.spawn(a_demo_over_a_dead_line);
    });
}

/// By the hub's line, or, with the hub dead, by the speaker's own.
fn the_demo(hub_dead: bool) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("household.toml");
    std::fs::write(&config, HOUSEHOLD).unwrap();
    let data = folder.path().join("device");
    let mut demo = Command::new(HEARTH);
    demo.env("RUST_LOG", "trace")
        .arg("demo")
        .arg("--config")
        .arg(&config)
        .arg("--data")
        .arg(&data)
        .args(hub_dead.then_some("--hub-dead"));
    let ran = Ran::of(&demo.output().unwrap());
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    // The hub tells of its start and of its line; ids and ports may hold the digits of the last one by chance.
    for private in &PRIVATE[..PRIVATE.len() - 1] {
        assert!(!ran.err.contains(private), "{private}:\n{}", ran.err);
    }
    let line = match hub_dead {
        true => "drill line",
        false => "hub",
    };
    assert!(ran.out.contains(line), "{}", ran.out);
    assert!(
        ran.out.contains("call      the call goes over TLS"),
        "{}",
        ran.out
    );
    let (_, after) = ran
        .out
        .split_once("What the drill call-taker saw:\n")
        .unwrap();
    let facts: Vec<&str> = after
        .lines()
        .take_while(|line| !line.trim_start().starts_with("The room"))
        .collect();
    assert!(facts.len() >= 20, "{}", ran.out);
    for fact in &facts {
        assert!(fact.starts_with("  ok "), "{fact}");
    }
    // What the log must not have, the call-taker must.
    for value in [
        "Quillonville",
        "Wobblewick",
        "8675",
        "Philippa Xanthorrhoea",
        "+15055550187",
        "35.0713",
    ] {
        assert!(
            facts.iter().any(|fact| fact.contains(value)),
            "{value} did not reach the call-taker: {facts:#?}"
        );
    }
    assert!(
        facts.iter().any(|fact| fact.contains("drill")),
        "a drill says so: {facts:#?}"
    );
    let bundle = ran
        .out
        .lines()
        .find_map(|line| line.strip_prefix("The signed record of why: "))
        .expect("the bundle's path");
    assert_proven_but_unwitnessed(Path::new(bundle));
}

/// Refused connections and retransmissions are what logs are made of; still nothing private.
fn a_demo_over_a_dead_line() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("household.toml");
    let line = "\n[[line]]\nname = \"dead\"\nuri = \"sip:127.0.0.1:9\"\n[lost]\nservers = [\"http://127.0.0.1:9/lost\"]\n";
    std::fs::write(&config, format!("{HOUSEHOLD}{line}")).unwrap();
    let log = folder.path().join("log");
    let mut demo = Command::new(HEARTH);
    demo.env("RUST_LOG", "trace")
        .arg("demo")
        .arg("--config")
        .arg(&config)
        .arg("--data")
        .arg(folder.path().join("device"));
    let mut child = demo
        .stdout(std::process::Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    // It goes on trying the line for as long as the person wants help; some seconds of that show enough.
    let started = std::time::Instant::now();
    loop {
        let stored = std::fs::read(folder.path().join("device/log")).unwrap_or_default();
        if String::from_utf8_lossy(&stored).contains("dead") {
            break;
        }
        assert!(
            started.elapsed() < std::time::Duration::from_secs(90),
            "the dead line is not tried"
        );
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended: {:?}",
            std::fs::read_to_string(&log)
        );
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    std::thread::sleep(std::time::Duration::from_secs(4));
    child.kill().unwrap();
    child.wait().unwrap();
    let log = std::fs::read_to_string(&log).unwrap();
    for private in PRIVATE {
        assert!(!log.contains(private), "{private} is in the log:\n{log}");
    }
}
