//! The set of clips: what is said, by whom, in which noise, and the segment of sound that the judge gets.
use crate::audio;
use crate::voices::{Half, Speaker, Voice};
use crate::wordings::{self, Kind, Sentence};
use hearthline_voice::understand::Country;
use std::path::{Path, PathBuf};

/// One thing to judge.
#[derive(Clone, Debug)]
pub struct Clip {
    /// What it is in each country; the kind of recordings is the same everywhere.
    pub roles: Vec<(Country, Kind)>,
    /// What is said behind the wake word, or the recording's name.
    pub said: String,
    pub voice: String,
    pub half: Half,
    /// Decibels of speech above noise; nothing for clean.
    pub snr_db: Option<i32>,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Spoken(Voice),
    /// A file and the part of it, in samples.
    Recorded(PathBuf, usize, usize),
}

/// FNV-1a: deals noise, voices and speakers out, always the same way.
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// Every spoken clip: each wording in each voice, clean and in noise.
pub fn spoken(voices: &[Voice]) -> Vec<Clip> {
    let mut clips = Vec::new();
    for voice in voices {
        for Sentence { text, roles } in wordings::all() {
            // Orders clean and in one noise, the rest once: the noise is dealt.
            let dealt = (hash(&format!("{} {text}", voice.name)) >> 20) as usize;
            let noises = if roles.iter().any(|r| r.1 == Kind::Order) {
                vec![None, [Some(10), Some(5)][dealt % 2]]
            } else {
                vec![[None, Some(10), Some(5)][dealt % 3]]
            };
            clips.extend(noises.into_iter().map(|snr_db| Clip {
                roles: roles.clone(),
                said: text.clone(),
                voice: voice.name.to_owned(),
                half: voice.half,
                snr_db,
                source: Source::Spoken(voice.clone()),
            }));
        }
    }
    clips
}

/// Every stretch of real speech and of noise, dealt to the halves by speaker.
pub fn recorded(shared: &Path) -> Vec<Clip> {
    let mut clips = Vec::new();
    let mut add = |kind, name: String, speaker: &str, path: PathBuf, from: f64, to: f64| {
        let half = if hash(speaker).is_multiple_of(2) {
            Half::Calibration
        } else {
            Half::Test
        };
        let to = to.min(from + 8.0);
        let source = Source::Recorded(path, (from * 16_000.0) as usize, (to * 16_000.0) as usize);
        clips.push(Clip {
            roles: Country::ALL.map(|country| (country, kind)).to_vec(),
            said: name,
            voice: speaker.to_owned(),
            half,
            snr_db: None,
            source,
        });
    };
    for folder in ["negatives", "asr", "digits", "noise"] {
        for entry in manifest(&shared.join(folder)) {
            let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
            let path = shared.join(folder).join(text("path"));
            if folder == "negatives" {
                for segment in entry["segments"].as_array().into_iter().flatten() {
                    let (from, to) = (
                        segment["start"].as_f64().unwrap_or(0.0),
                        segment["end"].as_f64().unwrap_or(0.0),
                    );
                    // A third of the streams is enough: an hour, all speakers.
                    if !hash(segment["id"].as_str().unwrap_or_default()).is_multiple_of(3) {
                        continue;
                    }
                    let id = segment["id"].as_str().unwrap_or_default().to_owned();
                    add(
                        Kind::Real,
                        id,
                        segment["speaker"].as_str().unwrap_or(""),
                        path.clone(),
                        from,
                        to,
                    );
                }
                continue;
            }
            let kind = match (folder, text("kind").as_str()) {
                ("noise", "rir") | ("digits", "isolated") => continue,
                ("noise", _) => Kind::Noise,
                _ => Kind::Real,
            };
            add(
                kind,
                text("path"),
                &text("speaker"),
                path,
                0.0,
                entry["seconds"].as_f64().unwrap_or(0.0),
            );
        }
    }
    clips
}

fn manifest(folder: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(folder.join("manifest.jsonl")).unwrap_or_default();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// Makes segments: wake word and words, in noise, with the room around them that the listener gives.
pub struct Studio {
    speaker: Speaker,
    noises: Vec<Recording>,
    wakes: Vec<Recording>,
    /// The recording opened last: streams of ten minutes are cut into many clips.
    open: Option<(PathBuf, Vec<f32>)>,
}

impl Studio {
    pub fn new(speaker: Speaker, shared: &Path) -> Self {
        let of = |folder: &str, keep: fn(&serde_json::Value) -> bool| -> Vec<Recording> {
            let kept = manifest(&shared.join(folder)).into_iter().filter(keep);
            kept.map(|e| Recording {
                path: shared
                    .join(folder)
                    .join(e["path"].as_str().unwrap_or_default()),
                sound: None,
            })
            .collect()
        };
        let noises = of("noise", |e| e["kind"] != "rir");
        let wakes = of("wake", |e| e["keyword"] == "alexa");
        Self {
            speaker,
            noises,
            wakes,
            open: None,
        }
    }

    /// The segment of a clip at 16 kHz; nothing when its voice is not installed or its file is missing.
    pub fn segment(&mut self, clip: &Clip) -> Option<Vec<f32>> {
        let key = hash(&format!("{} {}", clip.voice, clip.said)) as usize;
        let words = match &clip.source {
            Source::Spoken(voice) => {
                // Half of the sentences follow the wake word without a pause.
                let comma = if hash(&clip.said).is_multiple_of(2) {
                    ","
                } else {
                    ""
                };
                audio::level(
                    self.speaker
                        .say(voice, &format!("Alexa{comma} {}.", clip.said))?,
                )
            }
            Source::Recorded(path, from, to) => {
                if self.open.as_ref().is_none_or(|open| open.0 != *path) {
                    self.open = Some((path.clone(), audio::read(path)));
                }
                let all = &self.open.as_ref()?.1;
                let part = all.get(*from..(*to).min(all.len()))?;
                let wake = pick(&mut self.wakes, key);
                let mut words = audio::level(wake);
                words.extend(if clip.roles.iter().any(|r| r.1 == Kind::Noise) {
                    part.to_vec()
                } else {
                    audio::level(part.to_vec())
                });
                words
            }
        };
        let padded = audio::pad(&words, 300, 250);
        let heard = match clip.snr_db {
            Some(snr) => audio::mix(&padded, &pick(&mut self.noises, key), key, snr as f32),
            None => padded,
        };
        let room = std::iter::repeat_n(0.0, 8000);
        Some(room.clone().chain(heard).chain(room).collect())
    }
}

/// A recording, read when it is first wanted.
struct Recording {
    path: PathBuf,
    sound: Option<Vec<f32>>,
}

/// The recording dealt to `key`, or the next one that is not all but silent.
fn pick(all: &mut [Recording], key: usize) -> Vec<f32> {
    for place in 0..all.len() {
        let recording = &mut all[(key + place) % all.len()];
        let sound = recording
            .sound
            .get_or_insert_with(|| audio::read(&recording.path));
        if sound.len() > 8000
            && sound.iter().map(|s| s * s).sum::<f32>() > 1e-3 * sound.len() as f32 / 16e3
        {
            return sound.clone();
        }
    }
    panic!("no usable recording: are the shared recordings there?")
}
