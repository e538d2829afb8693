//! How long sound is on its way: two recordings of the same sound, each with the time of its samples, laid upon each other.
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::scene::samples;

const SAMPLES_MS: f64 = 16.0;
/// What is laid upon the other at once: 1.5 s, shorter than any sentence that is said.
const PART_SAMPLES: usize = 24_000;
/// Sound is looked for so far behind its beginning: 1.5 s.
const LATE_SAMPLES_MAX: usize = 24_000;
/// A part counts when it is this much the same, of 1.
const ALIKE_MIN: f64 = 0.3;
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Sound, and when it began by the machine's clock, in milliseconds.
pub(crate) struct Timed {
    pub(crate) start_ms: f64,
    pub(crate) samples: Vec<i16>,
}

/// Now, by the machine's clock.
pub(crate) fn now_ms() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs_f64() * 1_000.0
}

/// A file into which a loudspeaker's program writes: how long it was at which time.
pub(crate) struct Watched {
    ends: Arc<AtomicBool>,
    seen: JoinHandle<Vec<(f64, usize)>>,
    path: PathBuf,
}

impl Watched {
    /// Looks at it until it is asked.
    pub(crate) fn begin(path: &Path) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let (stop, file) = (Arc::clone(&ends), path.to_owned());
        let seen = std::thread::spawn(move || {
            let mut seen: Vec<(f64, usize)> = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let bytes = std::fs::metadata(&file).map_or(0, |known| known.len());
                let length = usize::try_from(bytes).unwrap() / 2;
                if seen.last().is_none_or(|(_, before)| *before != length) {
                    seen.push((now_ms(), length));
                }
                std::thread::sleep(LOOK_EVERY);
            }
            seen
        });
        let path = path.to_owned();
        Self { ends, seen, path }
    }

    /// What was written meanwhile, each sample as late as most of its pieces say.
    pub(crate) fn end(self) -> Timed {
        self.ends.store(true, Ordering::Relaxed);
        let seen = self.seen.join().unwrap();
        let samples =
            crate::speakers_call_each_other::raw_samples(&std::fs::read(self.path).unwrap());
        let (_, first) = seen[0];
        let samples = samples[first..seen.last().unwrap().1].to_vec();
        let starts = seen[1..].iter();
        let starts = starts.map(|(at, length)| at - (length - first) as f64 / SAMPLES_MS);
        Timed {
            start_ms: median(starts.collect()),
            samples,
        }
    }
}

/// What speaks into a microphone that is a program: silence and recordings, 20 ms at a time as time goes by.
pub(crate) struct Mouth {
    pipe: PathBuf,
    sentences: Option<mpsc::Sender<Vec<i16>>>,
    speaks: Option<JoinHandle<Timed>>,
}

impl Mouth {
    const FRAME_SAMPLES: usize = 320;
    const FRAME: Duration = Duration::from_millis(20);

    /// A pipe in a folder; nobody reads it yet.
    pub(crate) fn new(folder: &Path) -> Self {
        let pipe = folder.join("microphone");
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        let (sentences, waiting) = mpsc::channel::<Vec<i16>>();
        let place = pipe.clone();
        let speaks = std::thread::spawn(move || Self::speak(&place, &waiting));
        Self {
            pipe,
            sentences: Some(sentences),
            speaks: Some(speaks),
        }
    }

    /// The microphone that hears it.
    pub(crate) fn microphone(&self) -> String {
        format!("cat {}", self.pipe.display())
    }

    pub(crate) fn says(&self, recording: &Path) {
        let all = samples(recording);
        self.sentences.as_ref().unwrap().send(all).unwrap();
    }

    /// All that was said, each sample at the time at which it left.
    pub(crate) fn end(mut self) -> Timed {
        self.sentences = None;
        self.speaks.take().unwrap().join().unwrap()
    }

    fn speak(pipe: &Path, waiting: &mpsc::Receiver<Vec<i16>>) -> Timed {
        let mut pipe = OpenOptions::new().write(true).open(pipe).unwrap();
        let (start, start_ms) = (Instant::now(), now_ms());
        let mut said = Vec::new();
        let mut now: Vec<i16> = Vec::new();
        for number in 1_u32.. {
            if now.is_empty() {
                match waiting.try_recv() {
                    Ok(sentence) => now = sentence,
                    Err(mpsc::TryRecvError::Empty) => {}
                    Err(mpsc::TryRecvError::Disconnected) => break,
                }
            }
            let mut frame: Vec<i16> = now.drain(..now.len().min(Self::FRAME_SAMPLES)).collect();
            frame.resize(Self::FRAME_SAMPLES, 0);
            // A frame is there when its last sample has been spoken.
            let due = start + Self::FRAME * number;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let bytes: Vec<u8> = frame
                .iter()
                .flat_map(|sample| sample.to_le_bytes())
                .collect();
            // The speaker may have ended.
            if pipe.write_all(&bytes).is_err() {
                break;
            }
            said.extend(frame);
        }
        Timed {
            start_ms,
            samples: said,
        }
    }
}

/// How long after `mouth` the same is in `ear`: the middle of all parts in which it was found, in milliseconds, and how
/// many they are. None when it was found nowhere.
pub(crate) fn delay_ms(mouth: &Timed, ear: &Timed) -> Option<(f64, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at + PART_SAMPLES <= mouth.samples.len() {
        let spoken_ms = mouth.start_ms + at as f64 / SAMPLES_MS;
        let from = (spoken_ms - ear.start_ms) * SAMPLES_MS;
        let part = &mouth.samples[at..at + PART_SAMPLES];
        at += PART_SAMPLES / 2;
        if from < 0.0 {
            continue;
        }
        let from = from as usize;
        let end = ear
            .samples
            .len()
            .min(from + PART_SAMPLES + LATE_SAMPLES_MAX);
        let Some(place) = ear.samples.get(from..end) else {
            continue;
        };
        if let Some(late) = best_place(part, place) {
            found.push(late as f64 / SAMPLES_MS);
        }
    }
    let parts = found.len();
    (parts > 0).then(|| (median(found), parts))
}

/// Where in `place` the part is, by the largest correlation at 4 kHz; none when nothing is like it.
fn best_place(part: &[i16], place: &[i16]) -> Option<usize> {
    const EACH: usize = 4;
    let fewer = |samples: &[i16]| -> Vec<f32> {
        let groups = samples.chunks_exact(EACH);
        groups
            .map(|group| group.iter().map(|sample| f32::from(*sample)).sum())
            .collect()
    };
    let (part, place) = (fewer(part), fewer(place));
    let squares =
        |samples: &[f32]| -> Vec<f64> { samples.iter().map(|s| f64::from(*s).powi(2)).collect() };
    let own: f64 = squares(&part).iter().sum();
    // Silence is like any silence.
    if own < part.len() as f64 * 40_000.0 || place.len() < part.len() {
        return None;
    }
    let theirs = squares(&place);
    let mut there: f64 = theirs[..part.len()].iter().sum();
    let mut best = (0, ALIKE_MIN);
    for late in 0..=place.len() - part.len() {
        if late > 0 {
            there += theirs[late + part.len() - 1] - theirs[late - 1];
        }
        let pairs = part.iter().zip(&place[late..]);
        let product: f32 = pairs.map(|(a, b)| a * b).sum();
        let alike = f64::from(product) / (own * there.max(1.0)).sqrt();
        if alike > best.1 {
            best = (late, alike);
        }
    }
    (best.1 > ALIKE_MIN).then_some(EACH * best.0)
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}

#[test]
fn is_found_where_it_is() {
    let mut seed = 1_u32;
    let noise: Vec<i16> = (0..160_000)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 18) as i16 - 8_192
        })
        .collect();
    let mouth = Timed {
        start_ms: 1_000.0,
        samples: noise.clone(),
    };
    // It began 200 ms earlier, and the sound came 150 ms late.
    let mut samples = vec![0; 16 * 350];
    samples.extend(&noise);
    let ear = Timed {
        start_ms: 800.0,
        samples,
    };
    let (late, parts) = delay_ms(&mouth, &ear).unwrap();
    assert!((late - 150.0).abs() < 0.2, "{late}");
    assert!(parts > 3, "{parts}");
    let silence = Timed {
        start_ms: 800.0,
        samples: vec![0; 160_000],
    };
    assert_eq!(delay_ms(&mouth, &silence), None);
}
