//! A scene for the program: sound made at test time, and the real program that hears it.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "each test file uses its own part"
)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a panic is the answer"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The program under test.
pub const HEARTH: &str = env!("CARGO_BIN_EXE_hearth");

/// What one run gave.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The JSON objects printed, one a line.
    pub fn json(&self) -> Vec<serde_json::Value> {
        self.out
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
            })
            .collect()
    }
}

/// The program with these arguments.
pub fn hearth<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ran {
    Ran::of(
        &Command::new(HEARTH)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap(),
    )
}

/// One recording through speaker, line and call-taker; announced calls do not wait for a cancel.
pub fn heard_in_a_drill(recording: &Path, data: &Path) -> Command {
    let mut command = Command::new(HEARTH);
    command
        .args(["hear", "--json", "--cancel-window", "0", "--data"])
        .arg(data)
        .arg(recording)
        .stdin(Stdio::null());
    command
}

/// Something a test needs is not here: said, and under CI a failure.
pub fn skip(why: &str) -> bool {
    assert!(
        std::env::var_os("CI").is_none(),
        "under CI nothing is skipped: {why}"
    );
    eprintln!("skipped: {why}");
    true
}

/// The folder of the speech models, by the program's own rule; none when it is not there.
pub fn models() -> Option<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("HEARTH_MODELS")
        .or_else(|| set("XDG_DATA_HOME").map(|data| data.join("hearthline/models")))
        .or_else(|| set("HOME").map(|home| home.join(".local/share/hearthline/models")))
        .filter(|folder| folder.is_dir())
}

/// True, and said, when the speech models are not installed.
pub fn models_are_absent() -> bool {
    models().is_none() && skip("run `hearth models install`")
}

/// True when the program is on the path.
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// True, and said, when Debian's `flite` is not installed.
pub fn flite_is_absent() -> bool {
    !has("flite") && skip("flite is not installed (Debian package flite)")
}

/// A sentence spoken by one of flite's voices, 16 kHz mono.
pub fn flite(voice: &str, text: &str, path: &Path) {
    let ran = Command::new("flite")
        .args(["-voice", voice, "-t", text, "-o"])
        .arg(path)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", Ran::of(&ran).err);
}

/// A sentence spoken by espeak-ng, 22.05 kHz mono.
pub fn espeak(voice: &str, text: &str, path: &Path) {
    let ran = Command::new("espeak-ng")
        .args(["-v", voice, "-w"])
        .arg(path)
        .arg(text)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", Ran::of(&ran).err);
}

/// The samples of a 16 bit mono file.
pub fn samples(path: &Path) -> Vec<i16> {
    let mut wav = hound::WavReader::open(path).unwrap();
    assert_eq!(
        (
            wav.spec().sample_rate,
            wav.spec().channels,
            wav.spec().bits_per_sample
        ),
        (16_000, 1, 16)
    );
    wav.samples().map(Result::unwrap).collect()
}

/// Writes 16 bit samples, interleaved.
pub fn write_wav(path: &Path, sample_rate: u32, channels: u16, samples: &[i16]) {
    let spec = hound::WavSpec {
        channels,
        sample_rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    samples
        .iter()
        .for_each(|sample| writer.write_sample(*sample).unwrap());
    writer.finalize().unwrap();
}

/// The files of a bundle by name.
pub fn unzip(bundle: &Path) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(bundle).unwrap()).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut file = archive.by_index(index).unwrap();
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
            (file.name().unwrap().into_owned(), bytes)
        })
        .collect()
}
