//! The ear of the device with the sentences of one house, and what it hears.
use crate::audio;
use crate::commands::Meant;
use hearthline_voice::engine::Engine;
use hearthline_voice::listen::{ListenConfig, ListenModels, Listener, Output};
use hearthline_voice::transcribe::{Moonshine, Transcript};
use hearthline_voice::understand::everyday::Everyday;
use hearthline_voice::understand::household::{Directory, KnownNames, Whom};
use hearthline_voice::understand::judge::{
    Head, Hearing, Judge, OperatingPoint, Understanding, Verdict,
};
use hearthline_voice::understand::mass::Mass;
use hearthline_voice::understand::sentences::{
    Grammar, House, NumberWords, Program, Recognition, SlotFrom,
};
use hearthline_voice::understand::{Country, Reply};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The house whose lights are switched.
const HOUSE: &str = include_str!("house.json");
const COUNTRY: Country = Country::UnitedStates;
const FRAME: usize = 160;
/// Samples in a second.
const RATE: usize = 16_000;
/// Room before the wake word, so that the endpointer knows its noise, and behind the words.
const LEAD_MS: usize = 1_500;
const TAIL_MS: usize = 3_000;

/// The listener and, for typed sentences, a judge of its own.
pub struct Ear {
    engine: Engine,
    listener: Listener,
    judge: Judge,
    recogniser: Moonshine,
    names: Arc<KnownNames>,
    /// Whom a name means, by sound as well.
    directory: Directory<String>,
}

/// What was heard.
pub struct Heard {
    pub woke: bool,
    pub text: String,
    /// Nothing when no sentence came out.
    pub meant: Option<Meant>,
    /// From the last sound of the speech to the verdict.
    pub delay_ms: f64,
}

/// Speech at 16 kHz with the sample behind its last sound.
pub struct Speech {
    samples: Vec<f32>,
    end: usize,
}

/// Sound for the ear, and the sample at which the speech ends.
pub struct Sound {
    samples: Vec<i16>,
    speech_end: usize,
}

impl Sound {
    /// Sound without a known end.
    pub fn of(samples: &[f32]) -> Self {
        Self {
            samples: samples.iter().map(|s| (s * 32_767.0) as i16).collect(),
            speech_end: 0,
        }
    }
}

impl Ear {
    pub fn new(models: &Path) -> Self {
        let engine = Engine::open(&models.join("onnxruntime-1.28.0/libonnxruntime.so.1.28.0"))
            .expect("the inference library");
        let file = |name: &str| {
            std::fs::read(models.join("moonshine-voice-0.0.73").join(name)).expect("a model file")
        };
        let recogniser = Moonshine::load(
            &engine,
            &file("encoder_model.ort"),
            &file("decoder_model_merged.ort"),
            &file("tokenizer.bin"),
        )
        .expect("the recogniser loads");
        let house: serde_json::Value = serde_json::from_str(HOUSE).expect("the house is JSON");
        let list = |key: &str| -> Vec<String> {
            let items = house[key].as_array().into_iter().flatten();
            items
                .filter_map(|item| item.as_str().or(item["name"].as_str()))
                .map(str::to_owned)
                .collect()
        };
        let people = [list("people"), list("areas")].concat();
        let names = Arc::new(KnownNames::new(people.iter().map(String::as_str)));
        let mut directory = Directory::default();
        for name in &people {
            directory
                .add(name, name.clone())
                .expect("a name that can be spoken");
        }
        let program = Arc::new(program(models));
        let house = House::from_json(&house).expect("a house");
        let everyday = Arc::new(Everyday::new(program, house));
        let mut judge = Judge::new(COUNTRY, OperatingPoint::built_in(), recogniser.vocabulary())
            .expect("the grammar fits");
        judge.know_names(Arc::clone(&names));
        judge.know_sentences(Arc::clone(&everyday));
        let own = recogniser.share();
        let wake = models.join("pymicro-wakeword-2.5.0/alexa.tflite");
        let listen_models = ListenModels {
            wake: std::fs::read(wake).expect("the wake word's model"),
            recogniser: Box::new(move || Ok(recogniser.share())),
        };
        let mut listener =
            Listener::new(listen_models, ListenConfig::new(COUNTRY)).expect("a listener");
        listener.know_names(Arc::clone(&names));
        listener.know_sentences(everyday);
        listener.load().expect("the recogniser loads");
        Self {
            engine,
            listener,
            judge,
            recogniser: own,
            names,
            directory,
        }
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What a typed sentence means: the words are sure, and no sound speaks for an emergency.
    pub fn read(&self, text: &str) -> Meant {
        let transcript = Transcript {
            text: text.to_owned(),
            tokens: Vec::new(),
            log_prob: 0.0,
            alternatives: Vec::new(),
        };
        let mass = Mass::nothing();
        self.meant(&self.judge.weigh(Hearing { transcript, mass }))
    }

    /// Sends a sound through the ear.
    pub fn hear(&mut self, sound: &Sound) -> Heard {
        self.listener.stop_listening();
        let mut heard = Heard {
            woke: false,
            text: String::new(),
            meant: None,
            delay_ms: 0.0,
        };
        // When the ear is free again if each frame comes in its time.
        let mut free_ms = 0.0_f64;
        for (index, frame) in sound.samples.chunks(FRAME).enumerate() {
            let before = cpu_ms();
            self.listener.handle_samples(frame);
            let arrived_ms = (index + 1) as f64 * 10.0;
            free_ms = free_ms.max(arrived_ms) + cpu_ms() - before;
            while let Some(output) = self.listener.poll_output() {
                match output {
                    Output::Wake(_) => heard.woke = true,
                    Output::Understood(understood) if heard.meant.is_none() => {
                        heard.text = understood.understanding.transcript.text.clone();
                        heard.meant = Some(self.meant(&understood.understanding));
                        heard.delay_ms = free_ms - sound.speech_end as f64 / 16.0;
                    }
                    _ => {}
                }
            }
        }
        heard
    }

    /// What a sound means as if the wake word had been noticed, and with an end that is known: the recogniser and the
    /// judge alone. The delay is what they compute.
    pub fn hear_woken(&mut self, sound: &Sound) -> Heard {
        let room = RATE / 2;
        let from = (LEAD_MS * 16).saturating_sub(room);
        let to = (sound.speech_end + room).min(sound.samples.len());
        let samples: Vec<f32> = sound.samples[from..to]
            .iter()
            .map(|&sample| f32::from(sample) / 32_768.0)
            .collect();
        let before = cpu_ms();
        let understood = self
            .judge
            .hear(&mut self.recogniser, &samples, Head::WakeWord)
            .expect("the recogniser runs");
        Heard {
            woke: true,
            text: understood.transcript.text.clone(),
            delay_ms: cpu_ms() - before,
            meant: Some(self.meant(&understood)),
        }
    }

    fn meant(&self, understanding: &Understanding) -> Meant {
        match &understanding.verdict {
            Verdict::Meant(meant) => recognition(meant),
            Verdict::Which(sentences) => Meant::Which(sentences.clone()),
            Verdict::Reply(Reply::Cancel) => Meant::Intent("Cancel".to_owned(), Default::default()),
            Verdict::Emergency { .. } | Verdict::Ask { .. } | Verdict::HangUpEmergency => {
                Meant::Urgent(format!("{:?}", understanding.verdict))
            }
            _ => match understanding.everyday(COUNTRY, Some(&self.names)) {
                Some(mut intent) => {
                    // The device looks a name up in its directory.
                    if let Some(who) = intent.slots.get_mut("who")
                        && let Whom::One { entry, .. } = self.directory.find(who)
                    {
                        who.clone_from(&entry.of);
                    }
                    Meant::Intent(intent.name, intent.slots.into_iter().collect())
                }
                None => Meant::Nothing,
            },
        }
    }
}

fn recognition(meant: &Recognition) -> Meant {
    let slots = meant
        .slots
        .iter()
        .filter(|slot| slot.from != SlotFrom::Context);
    let value = |slot: &hearthline_voice::understand::sentences::Slot| slot.value.spoken();
    Meant::Intent(
        meant.intent.clone(),
        slots.map(|slot| (slot.name.clone(), value(slot))).collect(),
    )
}

/// The sentences of the package and those of every crate of this workspace that has some.
fn program(models: &Path) -> Program {
    let mut grammar = Grammar::new("en");
    let package = models.join("home-assistant-intents-2026.10.27/en.json");
    grammar.add_json("en.json", &std::fs::read(package).expect("the sentences"));
    let crates = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut own: Vec<PathBuf> = std::fs::read_dir(crates)
        .expect("the workspace")
        .flatten()
        .filter_map(|folder| std::fs::read_dir(folder.path().join("data/en")).ok())
        .flat_map(|files| files.flatten().map(|file| file.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    own.sort();
    for path in own {
        let text = std::fs::read_to_string(&path).expect("a file of sentences");
        grammar.add_ours(&path.display().to_string(), &text);
    }
    let mut words = NumberWords::default();
    let xml = std::fs::read_to_string(models.join("unicode-rbnf-2.4.1/en.xml"));
    words
        .add("en", &xml.expect("number words"))
        .expect("number words");
    let (program, complaints) = Program::compile(&grammar, &words);
    for complaint in complaints {
        eprintln!("{complaint}");
    }
    program
}

/// Speech at the usual level, and where its last sound is: the last 20 ms within 40 dB of the loudest.
pub fn spoken(sound: &[f32]) -> Speech {
    let samples = audio::level(sound.to_vec());
    let power: Vec<f32> = samples
        .chunks(320)
        .map(|c| c.iter().map(|s| s * s).sum::<f32>() / c.len() as f32)
        .collect();
    let loudest = power.iter().copied().fold(0.0, f32::max);
    let last = power.iter().rposition(|&p| p > loudest * 1e-4).unwrap_or(0);
    let end = ((last + 1) * 320).min(samples.len());
    Speech { samples, end }
}

/// Real noises, dealt to the sentences.
pub struct Noises {
    all: Vec<Vec<f32>>,
    /// Another number deals others.
    deal: usize,
}

impl Noises {
    pub fn new(recordings: &Path, deal: usize) -> Self {
        let folder = recordings.join("noise");
        let manifest = std::fs::read_to_string(folder.join("manifest.jsonl")).unwrap_or_default();
        let entries = manifest
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter(|entry| entry["kind"] != "rir");
        let all = entries
            .filter_map(|entry| Some(audio::read(&folder.join(entry["path"].as_str()?))))
            .filter(|sound| {
                let power = sound.iter().map(|s| s * s).sum::<f32>();
                sound.len() > 8_000 && power > 1e-3 * sound.len() as f32 / 16e3
            });
        Self {
            all: all.collect(),
            deal,
        }
    }

    /// The speech in its room, with the noise that is dealt to voice and sentence.
    pub fn around(
        &mut self,
        speech: &Speech,
        snr_db: Option<i32>,
        voice: &str,
        said: &str,
    ) -> Sound {
        let padded = audio::pad(&speech.samples, LEAD_MS, TAIL_MS);
        let mixed = match snr_db {
            Some(snr_db) if !self.all.is_empty() => {
                let key = hash(&format!("{voice} {said}")).wrapping_add(self.deal * 7_919);
                let noise = &self.all[key % self.all.len()];
                audio::mix(&padded, noise, key, snr_db as f32)
            }
            _ => padded,
        };
        Sound {
            speech_end: LEAD_MS * 16 + speech.end,
            ..Sound::of(&mixed)
        }
    }
}

/// FNV-1a.
fn hash(text: &str) -> usize {
    text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    }) as usize
}

/// Processor time of this thread, which does all the computing; the clock on the wall would measure the neighbours.
fn cpu_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|t| t.parse::<f64>().ok());
    nanoseconds.unwrap_or(0.0) / 1e6
}
