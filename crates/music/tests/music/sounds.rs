//! Files of sine waves, and what is heard of them.
use std::path::Path;
use std::process::{Command, Stdio};

/// A track to be made.
pub(crate) struct Song {
    pub(crate) title: &'static str,
    pub(crate) artist: &'static str,
    pub(crate) album: &'static str,
    pub(crate) genre: &'static str,
    pub(crate) number: u32,
    pub(crate) hz: f32,
    pub(crate) seconds: f32,
}

/// Made up, like all names here.
pub(crate) const SONGS: [Song; 4] = [
    song(
        "First Lantern",
        "The Brass Kettles",
        "Lamplight",
        "Jazz",
        1,
        400.0,
    ),
    song(
        "Second Lantern",
        "The Brass Kettles",
        "Lamplight",
        "Jazz",
        2,
        700.0,
    ),
    song(
        "Copper Morning",
        "Catherine Vale",
        "Harbours",
        "Folk",
        1,
        1_000.0,
    ),
    song(
        "Copper Morning",
        "Quiet Weather",
        "Rain",
        "Ambient",
        1,
        1_300.0,
    ),
];

const fn song(
    title: &'static str,
    artist: &'static str,
    album: &'static str,
    genre: &'static str,
    number: u32,
    hz: f32,
) -> Song {
    Song {
        title,
        artist,
        album,
        genre,
        number,
        hz,
        seconds: 3.0,
    }
}

/// Whether a program of a Debian package is there. In CI it must be.
pub(crate) fn have(program: &str) -> bool {
    let found = std::env::var_os("PATH").is_some_and(|paths| {
        std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
    });
    if !found {
        assert!(std::env::var_os("CI").is_none(), "{program} is missing");
        eprintln!("skipped: there is no {program} (Debian package of that name)");
    }
    found
}

pub(crate) fn wave(path: &Path, hz: f32, seconds: f32, rate: u32) {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for at in 0..(seconds * rate as f32) as u32 {
        let sample = (core::f32::consts::TAU * hz * at as f32 / rate as f32).sin();
        for _ in 0..2 {
            writer.write_sample((sample * 12_000.0) as i16).unwrap();
        }
    }
    writer.finalize().unwrap();
}

/// An MP3 with tags.
pub(crate) fn mp3(song: &Song, path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let wav = path.with_extension("wav.tmp");
    wave(&wav, song.hz, song.seconds, 44_100);
    let status = Command::new("lame")
        .args(["--quiet", "--id3v2-only", "-b", "128"])
        .args([
            "--tt",
            song.title,
            "--ta",
            song.artist,
            "--tl",
            song.album,
            "--tg",
            song.genre,
        ])
        .args(["--tn", &song.number.to_string()])
        .args([&wav, path])
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    std::fs::remove_file(wav).unwrap();
}

/// The folder of all songs: as MP3.
pub(crate) fn folder(root: &Path) {
    for (at, song) in SONGS.iter().enumerate() {
        mp3(
            song,
            &root.join(format!("{}/{}/{at}.mp3", song.artist, song.album)),
        );
    }
}

/// The pitch of samples at 16 kHz by their crossings of zero; none of silence.
pub(crate) fn pitch(samples: &[i16]) -> Option<f32> {
    let loudest = samples.iter().map(|sample| sample.unsigned_abs()).max()?;
    if loudest < 200 {
        return None;
    }
    let ups = samples
        .windows(2)
        .filter(|pair| pair[0] < 0 && pair[1] >= 0)
        .count();
    Some(ups as f32 * 16_000.0 / samples.len() as f32)
}
