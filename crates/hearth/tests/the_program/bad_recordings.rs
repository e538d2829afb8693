//! Files that are no recordings, and recordings of every shape: heard properly, or refused by name; the others of the same
//! command line are heard all the same.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a panic is the answer"
)]
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::scene::{HEARTH, Ran, flite, flite_is_absent, models_are_absent, samples, write_wav};
use hound::{SampleFormat, WavSpec, WavWriter};
use serde_json::Value;

const WAKE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/audio");
/// The most memory that a long recording may need.
const MEMORY_KB_MAX: u64 = 300 * 1_024;
/// The same where no word is spoken.
const SILENCE_KB_MAX: u64 = 60 * 1_024;

/// A WAV header of 44 bytes: 16 bit PCM unless said otherwise.
fn header(format: u16, channels: u16, rate_hz: u32, bits: u16, data_bytes: u32) -> Vec<u8> {
    let frame_bytes = channels.wrapping_mul(bits / 8);
    let mut bytes = Vec::new();
    bytes.extend(b"RIFF");
    bytes.extend(data_bytes.saturating_add(36).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    bytes.extend(format.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate_hz.to_le_bytes());
    bytes.extend(rate_hz.wrapping_mul(u32::from(frame_bytes)).to_le_bytes());
    bytes.extend(frame_bytes.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(data_bytes.to_le_bytes());
    bytes
}

fn with(mut header: Vec<u8>, body: &[u8]) -> Vec<u8> {
    header.extend_from_slice(body);
    header
}

fn dry(files: &[PathBuf]) -> Ran {
    let output = Command::new(HEARTH)
        .args(["hear", "--dry-run", "--json"])
        .args(files)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Ran::of(&output)
}

/// What was heard in a recording; none where it has only an error.
fn heard<'a>(outcomes: &'a [Value], file: &Path) -> Option<&'a Value> {
    outcome(outcomes, file).filter(|outcome| outcome.get("error").is_none())
}

fn outcome<'a>(outcomes: &'a [Value], file: &Path) -> Option<&'a Value> {
    outcomes
        .iter()
        .find(|outcome| outcome["file"].as_str() == file.to_str())
}

/// The order, spoken; the file every other is compared with.
fn spoken(folder: &Path) -> PathBuf {
    let path = folder.join("good.wav");
    flite("slt", "Alexa, call nine one one.", &path);
    path
}

#[test]
fn what_is_no_recording_is_refused_by_name_and_the_rest_is_heard() {
    if models_are_absent() || flite_is_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let good = spoken(folder.path());
    let bytes = std::fs::read(&good).unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let directory = folder.path().join("directory.wav");
    std::fs::create_dir(&directory).unwrap();
    let nan: Vec<u8> = (0..32_000).flat_map(|_| f32::NAN.to_le_bytes()).collect();
    let infinite: Vec<u8> = (0..32_000)
        .flat_map(|_| f32::INFINITY.to_le_bytes())
        .collect();
    let mut bad = vec![
        file("empty.wav", b""),
        file("one-byte.wav", b"R"),
        file("text.wav", b"Alexa, call nine one one.\n"),
        file("riff-only.wav", b"RIFF"),
        file("header-cut.wav", &bytes[..30]),
        file("no-samples.wav", &header(1, 1, 16_000, 16, 0)),
        file("cut.wav", &bytes[..bytes.len() / 2]),
        file(
            "claims-4-gb.wav",
            &with(header(1, 1, 16_000, 16, u32::MAX - 36), &bytes[44..]),
        ),
        file(
            "rate-0.wav",
            &with(header(1, 1, 0, 16, 64_000), &[0; 64_000]),
        ),
        file(
            "rate-1.wav",
            &with(header(1, 1, 1, 16, 64_000), &[0; 64_000]),
        ),
        file(
            "rate-4-ghz.wav",
            &with(header(1, 1, u32::MAX, 16, 64_000), &[0; 64_000]),
        ),
        file(
            "channels-0.wav",
            &with(header(1, 0, 16_000, 16, 64_000), &[0; 64_000]),
        ),
        file(
            "channels-65535.wav",
            &with(header(1, 65_535, 16_000, 16, 64_000), &[0; 64_000]),
        ),
        file(
            "channels-100.wav",
            &with(header(1, 100, 16_000, 16, 64_000), &[0; 64_000]),
        ),
        file(
            "bits-0.wav",
            &with(header(1, 1, 16_000, 0, 64_000), &[0; 64_000]),
        ),
        file(
            "bits-13.wav",
            &with(header(1, 1, 16_000, 13, 64_000), &[0; 64_000]),
        ),
        file(
            "mp3-in-wav.wav",
            &with(header(0x55, 1, 16_000, 16, 64_000), &[0; 64_000]),
        ),
        file("nan.wav", &with(header(3, 1, 16_000, 32, 128_000), &nan)),
        file(
            "infinite.wav",
            &with(header(3, 1, 16_000, 32, 128_000), &infinite),
        ),
        file("magic.flac", b"fLaC"),
        file("noise.flac", &with(b"fLaC".to_vec(), &bytes[44..4_044])),
        file("magic.opus", b"OggS"),
        file("noise.opus", &with(b"OggS".to_vec(), &bytes[44..4_044])),
        directory,
        folder.path().join("missing.wav"),
    ];
    let large = folder.path().join("5-gib.wav");
    sparse(&large, header(1, 1, 16_000, 16, u32::MAX - 36), 5 << 30);
    bad.push(large);
    let mut files: Vec<PathBuf> = bad.clone();
    let again = folder.path().join("good-too.wav");
    std::fs::copy(&good, &again).unwrap();
    files.insert(bad.len() / 2, good.clone());
    files.push(again.clone());
    let ran = dry(&files);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let outcomes = ran.json();
    for path in &bad {
        let named = ran
            .err
            .lines()
            .filter(|line| line.starts_with("hearth: ") && line.contains(path.to_str().unwrap()))
            .count();
        assert_eq!(named, 1, "{}: {}", path.display(), ran.err);
        let line = outcome(&outcomes, path).unwrap();
        let told = line["error"].as_str().unwrap();
        assert!(ran.err.contains(told), "{line}: {}", ran.err);
        assert_eq!(line.as_object().unwrap().len(), 2, "{line}");
    }
    assert_eq!(
        ran.err.lines().count(),
        bad.len(),
        "one line for each: {}",
        ran.err
    );
    let told: Vec<_> = outcomes.iter().map(|line| line["file"].as_str()).collect();
    let given: Vec<_> = files.iter().map(|file| file.to_str()).collect();
    assert_eq!(told, given, "a line for each file, in order");
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    for path in [&good, &again] {
        assert_eq!(
            outcome(&outcomes, path).map(|outcome| &outcome["decision"]),
            Some(&"emergency".into()),
            "{}",
            ran.out
        );
    }
}

#[test]
fn every_shape_of_wav_is_heard_alike() {
    if models_are_absent() || flite_is_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let good = spoken(folder.path());
    let sound = samples(&good);
    let spec = |bits_per_sample, sample_format| WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample,
        sample_format,
    };
    let integers = |name: &str, bits: u16| {
        let path = folder.path().join(name);
        let mut writer = WavWriter::create(&path, spec(bits, SampleFormat::Int)).unwrap();
        for sample in &sound {
            let wide = i32::from(*sample);
            let value = if bits < 16 {
                wide >> (16 - bits)
            } else {
                wide << (bits - 16)
            };
            writer.write_sample(value).unwrap();
        }
        writer.finalize().unwrap();
        path
    };
    let floats = folder.path().join("float.wav");
    let mut writer = WavWriter::create(&floats, spec(32, SampleFormat::Float)).unwrap();
    sound
        .iter()
        .for_each(|sample| writer.write_sample(f32::from(*sample) / 32_768.0).unwrap());
    writer.finalize().unwrap();
    let seven: Vec<i16> = sound.iter().flat_map(|sample| [*sample; 7]).collect();
    let (channels, fast, slow) = (
        folder.path().join("7-channels.wav"),
        folder.path().join("96-khz.wav"),
        folder.path().join("8-khz.wav"),
    );
    write_wav(&channels, 16_000, 7, &seven);
    // Straight lines between the samples: what they add lies above 8 kHz, where the change of rate takes it away.
    let six: Vec<i16> = sound
        .windows(2)
        .flat_map(|pair| {
            (0..6).map(|step| {
                ((i32::from(pair[0]) * (6 - step) + i32::from(pair[1]) * step) / 6) as i16
            })
        })
        .collect();
    write_wav(&fast, 96_000, 1, &six);
    let half: Vec<i16> = sound
        .chunks_exact(2)
        .map(|pair| i32::midpoint(pair[0].into(), pair[1].into()) as i16)
        .collect();
    write_wav(&slow, 8_000, 1, &half);

    let alike = [
        good,
        integers("24-bit.wav", 24),
        integers("32-bit.wav", 32),
        floats,
        channels,
        fast,
    ];
    // Less sound than was spoken. The eight bits wake it; without what lies above 4 kHz this voice does not.
    let poorer = [integers("8-bit.wav", 8), slow];
    let files: Vec<PathBuf> = alike.iter().chain(&poorer).cloned().collect();
    let ran = dry(&files);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
    let outcomes = ran.json();
    for file in &alike {
        let heard = outcome(&outcomes, file).unwrap();
        assert_eq!(heard["decision"], "emergency", "{heard}");
        assert_eq!(heard["wake"]["keyword"], "alexa", "{heard}");
    }
    let heard = outcome(&outcomes, &poorer[0]).unwrap();
    assert_eq!(heard["wake"]["keyword"], "alexa", "{heard}");
    assert!(outcome(&outcomes, &poorer[1]).is_some(), "{}", ran.out);
}

#[test]
fn flac_and_opus_cut_anywhere_are_heard_or_refused_by_name() {
    if models_are_absent() {
        return;
    }
    let sources = [
        "noise/background/pcd_bg_noise.flac",
        "asr/ast_agent-alreadyon.opus",
    ]
    .map(|name| Path::new(WAKE).join(name));
    if !sources.iter().all(|source| source.is_file()) {
        eprintln!("skipped: the shared recordings are not here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for source in &sources {
        let bytes = std::fs::read(source).unwrap();
        let extension = source.extension().unwrap().to_str().unwrap();
        for tenth in [1, 5, 9] {
            let path = folder.path().join(format!("cut-{tenth}.{extension}"));
            std::fs::write(&path, &bytes[..bytes.len() * tenth / 10]).unwrap();
            files.push(path);
            let mut damaged = bytes.clone();
            let at = bytes.len() * tenth / 10;
            damaged[at] ^= 0x40;
            damaged[at + 1] ^= 0xff;
            let path = folder.path().join(format!("damaged-{tenth}.{extension}"));
            std::fs::write(&path, damaged).unwrap();
            files.push(path);
        }
    }
    files.extend(sources);
    let ran = dry(&files);
    let outcomes = ran.json();
    let mut refused = 0;
    for file in &files {
        let named = ran
            .err
            .lines()
            .filter(|line| line.contains(file.to_str().unwrap()))
            .count();
        let heard = usize::from(heard(&outcomes, file).is_some());
        assert_eq!(named + heard, 1, "{}: {ran:?}", file.display());
        refused += named;
    }
    assert!(
        refused >= 3,
        "a FLAC that is cut cannot be heard to its end: {ran:?}"
    );
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let whole = &files[files.len() - 2..];
    assert!(
        whole.iter().all(|file| heard(&outcomes, file).is_some()),
        "{ran:?}"
    );
}

/// In a drill too a broken recording is told by the exit code, and the device listens to what there was.
#[test]
fn a_drill_with_a_broken_recording_says_so() {
    if models_are_absent() || flite_is_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let good = spoken(folder.path());
    let mut bytes = std::fs::read(&good).unwrap();
    bytes.truncate(bytes.len() - 3_000);
    let cut = folder.path().join("cut.wav");
    std::fs::write(&cut, bytes).unwrap();
    let missing = folder.path().join("missing.wav");
    let output = Command::new(HEARTH)
        .args(["hear", "--json", "--cancel-window", "0", "--data"])
        .arg(folder.path().join("device"))
        .args([&missing, &cut])
        .output()
        .unwrap();
    let ran = Ran::of(&output);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    for path in [&missing, &cut] {
        assert_eq!(
            ran.err
                .lines()
                .filter(|line| line.contains(path.to_str().unwrap()))
                .count(),
            1,
            "{ran:?}"
        );
    }
    let outcomes = ran.json();
    let there = heard(&outcomes, &cut).expect("what was there was heard");
    assert!(there["wake"].is_object(), "{there}");
    assert_eq!(heard(&outcomes, &missing), None);
}

/// A file of `bytes` bytes that is all zeros behind its header, and takes no room on the disk.
fn sparse(path: &Path, header: Vec<u8>, bytes: u64) {
    std::fs::write(path, header).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(bytes).unwrap();
}

/// One hour of a sparse file, an order two minutes before its end. Ten hours take this profile some minutes; they are run by
/// hand, see docs/figures.md.
#[test]
fn an_hour_needs_no_more_memory_than_a_minute() {
    const SECONDS: u32 = 3_600;
    const ORDER_S: u32 = SECONDS - 120;
    if models_are_absent() || flite_is_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hour.wav");
    let data_bytes = SECONDS * 16_000 * 2;
    sparse(
        &path,
        header(1, 1, 16_000, 16, data_bytes),
        u64::from(data_bytes) + 44,
    );
    let order: Vec<u8> = samples(&spoken(folder.path()))
        .into_iter()
        .flat_map(i16::to_le_bytes)
        .collect();
    let file = File::options().write(true).open(&path).unwrap();
    file.write_all_at(&order, u64::from(ORDER_S) * 32_000 + 44)
        .unwrap();
    let (ran, memory_kb) = heard_in(&path, Duration::from_secs(240));
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    let heard = &ran.json()[0];
    assert_eq!(heard["decision"], "emergency", "{heard}");
    let at_s = heard["wake"]["at_ms"].as_u64().unwrap() / 1_000;
    assert!(
        (u64::from(ORDER_S)..u64::from(ORDER_S) + 3).contains(&at_s),
        "{heard}"
    );
    // The recogniser is loaded by the order.
    assert!(
        memory_kb > 1_024 && memory_kb < MEMORY_KB_MAX,
        "{memory_kb} kB"
    );
}

/// Without a word nothing is loaded, whatever the rate.
#[test]
fn a_long_silence_of_eight_bits_loads_nothing() {
    const SECONDS: u32 = 1_200;
    if models_are_absent() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("silence.wav");
    sparse(
        &path,
        header(1, 1, 8_000, 8, SECONDS * 8_000),
        u64::from(SECONDS) * 8_000 + 44,
    );
    let (ran, memory_kb) = heard_in(&path, Duration::from_secs(120));
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    assert_eq!(ran.json()[0]["decision"], "ignore");
    assert!(
        memory_kb > 1_024 && memory_kb < SILENCE_KB_MAX,
        "{memory_kb} kB"
    );
}

/// Hears one recording and says the most memory that it took, in kB.
fn heard_in(path: &Path, at_most: Duration) -> (Ran, u64) {
    let started = Instant::now();
    let mut child = Command::new(HEARTH)
        .args(["hear", "--dry-run", "--json"])
        .arg(path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut memory_kb = 0;
    while child.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < at_most, "not heard in {at_most:?}");
        // A process that is ending has no memory to tell of.
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|rest| rest.split_whitespace().next());
        memory_kb = peak.map_or(memory_kb, |peak| peak.parse().unwrap());
        std::thread::sleep(Duration::from_millis(20));
    }
    let took = started.elapsed();
    eprintln!("{took:.1?}, peak {} MB", memory_kb / 1_024);
    (Ran::of(&child.wait_with_output().unwrap()), memory_kb)
}
