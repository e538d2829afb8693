//! `hearth demo --page` with a real browser: `a_person_speaks_in_a_browser.mjs` is the person, who speaks with the
//! program's own voice into the browser's microphone.
//!
//! It needs the models, Node, npm and Debian's Chromium; without them it says so and is skipped, unless `CI` is set. With
//! `HEARTH_SCREENSHOTS=FOLDER` the page is photographed.
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::browser;
use crate::scene::{HEARTH, hearth, models_are_absent};

const TIME_MAX: Duration = Duration::from_secs(240);
/// The browser opens the microphone when the button is first held, and the connection stands some tenths of a second later.
pub(crate) const LEAD_SAMPLES: usize = 32_000;

/// A program that ends with the test.
pub(crate) struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Silence and sentences by our own voice, as a file for the browser's microphone: each with the silence before it.
pub(crate) fn spoken(folder: &Path, name: &str, sentences: &[(usize, &str)]) -> PathBuf {
    let mut samples: Vec<i16> = Vec::new();
    for (number, (silence, text)) in sentences.iter().enumerate() {
        let part = folder.join(format!("{name}-{number}.wav"));
        let said = hearth(["say", "-o", part.to_str().unwrap(), *text]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        samples.resize(samples.len() + silence, 0);
        let mut reader = hound::WavReader::open(&part).unwrap();
        samples.extend(reader.samples::<i16>().map(Result::unwrap));
    }
    samples.resize(samples.len() + 480_000, 0);
    let whole = folder.join(format!("{name}.wav"));
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&whole, spec).unwrap();
    for sample in samples {
        writer.write_sample(sample).unwrap();
    }
    writer.finalize().unwrap();
    whole
}

#[test]
fn and_calls_for_help_asks_the_time_types_and_is_never_misunderstood() {
    if models_are_absent() {
        return;
    }
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/the_program/a_person_speaks_in_a_browser.mjs"
    );
    let Some(mut person) = browser::script(script, &[]) else {
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let help = [
        (LEAD_SAMPLES, "Alexa, call 911!"),
        (160_000, "There is smoke in my kitchen."),
    ];
    let help = spoken(place.path(), "help", &help);
    let everyday = [
        (LEAD_SAMPLES, "What time is it?"),
        (200_000, "Alexa, what time is it?"),
    ];
    let everyday = spoken(place.path(), "everyday", &everyday);
    let (_demo, page, desk) = simulator(&place.path().join("device"));
    let person = person.args([&page, &desk]).args([&help, &everyday]).spawn();
    ends_well(&mut person.unwrap());
}

/// The simulator, running: it ends with the first of these, the others are the addresses of its page and of the
/// call-taker's.
pub(crate) fn simulator(data: &Path) -> (Ends, String, String) {
    let mut demo = Command::new(HEARTH)
        .args(["demo", "--page", "--no-open", "--port", "0", "--data"])
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let demo = Ends(demo);
    let (mut page, mut desk) = (String::new(), String::new());
    for line in lines.map_while(Result::ok) {
        let last = line
            .split_whitespace()
            .last()
            .unwrap_or_default()
            .to_owned();
        if line.contains("Simulator") {
            page = last;
        } else if line.contains("Call-taker") {
            desk = last;
        } else if line.contains("Ctrl-C") {
            break;
        }
    }
    assert!(page.starts_with("http://localhost:"), "{page}");
    (demo, page, desk)
}

/// Waits for a person's script; it must succeed.
pub(crate) fn ends_well(person: &mut Child) {
    let started = Instant::now();
    let status = loop {
        if let Some(status) = person.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > TIME_MAX {
            let _ = person.kill();
            panic!("the browser takes too long");
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(status.success());
}
