//! What the ear costs: always on, and for a command spoken by our own voice.
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hearthline_speaker::io::recording::Recording;
use hearthline_voice::clock::FRAME_SAMPLES;
use hearthline_voice::engine::Engine;
use hearthline_voice::listen::{Listener, Output, segment};
use hearthline_voice::transcribe::moonshine::Moonshine;
use hearthline_voice::understand::Country;
use hearthline_voice::understand::judge::{Head, Judge, OperatingPoint};
use indicatif::{ProgressBar, ProgressStyle};

use super::Row;
use super::meter::{percentile, processor, processor_of, resident_mb};
use crate::ear;
use crate::models::ModelFolder;

/// Seconds of room noise for the share of a core.
const ROOM_S: usize = 60;
/// What our own voice says. Every one begins with the wake word.
const SENTENCES: [&str; 8] = [
    "Alexa, call 911.",
    "Alexa, call nine one one.",
    "Alexa, call the police.",
    "Alexa, call an ambulance.",
    "Alexa, set a timer for five minutes.",
    "Alexa, turn on the kitchen light.",
    "Alexa, what time is it?",
    "Alexa, please call the fire department.",
];
/// How often each is heard.
const ROUNDS: usize = 3;

/// The sentences among them that are orders for help.
const ORDERS: [usize; 5] = [0, 1, 2, 3, 7];

/// All rows, and the orders for help as our own voice says them. The first rows need a program that has loaded nothing
/// else yet.
pub(super) fn rows(folder: &ModelFolder) -> Result<(Vec<Row>, Vec<Vec<i16>>), String> {
    let mut rows = Vec::new();
    let mut listener = ear::listener(folder, Country::UnitedStates)?;
    let mut noise = Noise(1);
    feed_room(&mut listener, &mut noise, 5);
    let ((), spent) = processor_of(|| feed_room(&mut listener, &mut noise, ROOM_S));
    let share = 100.0 * spent.as_secs_f64() / ROOM_S as f64;
    rows.push(Row::new(
        "always-on listening, share of a core",
        share,
        Some(1.0),
        "%",
        ROOM_S,
    ));
    if let Some(mb) = resident_mb() {
        rows.push(Row::new(
            "memory before the first command",
            mb,
            Some(40.0),
            "MB",
            1,
        ));
    }

    let place = std::env::temp_dir().join(format!("hearth-bench-{}", std::process::id()));
    std::fs::create_dir_all(&place).map_err(|error| format!("{}: {error}", place.display()))?;
    let spoken = speak_all(&place);
    let _ = std::fs::remove_dir_all(&place);
    let spoken = spoken?;

    let mut latencies = Vec::new();
    let mut sounds = Vec::new();
    let mut first = None;
    for (round, sentence) in
        (0..ROUNDS).flat_map(|round| spoken.iter().map(move |sentence| (round, sentence)))
    {
        let Some((latency, sound)) = hear(&mut listener, sentence, &mut noise) else {
            continue;
        };
        if first.is_none() {
            // It has the models to load.
            first = Some(latency);
            if let Some(mb) = resident_mb() {
                rows.push(Row::new(
                    "memory after the first command",
                    mb,
                    None,
                    "MB",
                    1,
                ));
            }
            continue;
        }
        latencies.push(latency.as_secs_f64() * 1e3);
        if round == 0 {
            sounds.push(sound);
        }
    }
    if latencies.is_empty() {
        return Err(
            "none of the sentences of our own voice was understood; try `hearth models verify`"
                .into(),
        );
    }
    let count = latencies.len();
    let unheard = SENTENCES.len() * ROUNDS - count - 1;
    rows.push(Row::new(
        "own voice's commands without a decision",
        unheard as f64,
        None,
        "",
        SENTENCES.len() * ROUNDS,
    ));
    if let Some(first) = first {
        rows.push(Row::new(
            "end of speech to decision, first command",
            first.as_secs_f64() * 1e3,
            None,
            "ms",
            1,
        ));
    }
    rows.push(Row::new(
        "end of speech to decision, p50 (wall)",
        percentile(&mut latencies, 50),
        Some(400.0),
        "ms",
        count,
    ));
    rows.push(Row::new(
        "end of speech to decision, p95 (wall)",
        percentile(&mut latencies, 95),
        Some(800.0),
        "ms",
        count,
    ));
    drop(listener);
    rows.extend(recognise(folder, &sounds)?);
    let orders = ORDERS.map(|order| spoken[order].clone()).to_vec();
    Ok((rows, orders))
}

/// A quiet room.
struct Noise(u32);

impl Noise {
    fn frame(&mut self) -> [i16; FRAME_SAMPLES] {
        std::array::from_fn(|_| {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.0 >> 16) as i16 / 256
        })
    }
}

fn feed_room(listener: &mut Listener, noise: &mut Noise, seconds: usize) {
    for _ in 0..seconds * 100 {
        listener.handle_samples(&noise.frame());
        while listener.poll_output().is_some() {}
    }
}

/// Each sentence in a process of its own, so that the voice's memory is not counted here.
fn speak_all(place: &Path) -> Result<Vec<Vec<i16>>, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let bar = ProgressBar::new(SENTENCES.len() as u64);
    bar.set_style(
        ProgressStyle::with_template("speaking {bar:32} {pos}/{len}")
            .expect("the template is well formed"),
    );
    let mut all = Vec::new();
    for (number, sentence) in SENTENCES.iter().enumerate() {
        let file: PathBuf = place.join(format!("{number}.wav"));
        let status = Command::new(&program)
            .args(["say", "-o"])
            .arg(&file)
            .arg(sentence)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .map_err(|error| format!("the voice does not start: {error}"))?;
        if !status.success() {
            return Err("our own voice could not speak; try `hearth say -o test.wav hello`".into());
        }
        let samples = Recording::open(&file).and_then(|mut recording| recording.read_all());
        all.push(samples.map_err(|error| error.to_string())?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(all)
}

/// From the end of speech to the decision as it would be live: each 10 ms arrives in its time, and waits while the
/// one before is still worked on. Also the sound that was judged.
fn hear(
    listener: &mut Listener,
    sentence: &[i16],
    noise: &mut Noise,
) -> Option<(Duration, Vec<i16>)> {
    feed_room(listener, noise, 3);
    let start = listener.now();
    let mut free = Duration::ZERO;
    let mut result = None;
    let mut rest = sentence;
    for turn in 0..sentence.len() / FRAME_SAMPLES + 400 {
        let mut frame = noise.frame();
        let (now, later) = rest.split_at(rest.len().min(FRAME_SAMPLES));
        frame[..now.len()]
            .iter_mut()
            .zip(now)
            .for_each(|(room, voice)| *room = room.saturating_add(*voice));
        rest = later;
        let arrived = Duration::from_millis(10 * (turn as u64 + 1));
        let started = Instant::now();
        listener.handle_samples(&frame);
        free = free.max(arrived) + started.elapsed();
        while let Some(output) = listener.poll_output() {
            if let Output::Understood(heard) = output {
                let end = Duration::from_micros(heard.speech_end.since(start) * 1_000 / 16);
                result = result.or_else(|| Some((free.saturating_sub(end), heard.sound)));
            }
        }
    }
    listener.stop_listening();
    result
}

/// Processor time to transcribe and judge a segment, alone.
fn recognise(folder: &ModelFolder, sounds: &[Vec<i16>]) -> Result<Vec<Row>, String> {
    let engine = Engine::open(&folder.runtime_library()).map_err(|error| error.to_string())?;
    let read = |file: &str| folder.read("moonshine-voice", file);
    let (encoder, decoder, words) = (
        read("encoder_model.ort")?,
        read("decoder_model_merged.ort")?,
        read("tokenizer.bin")?,
    );
    let mut recogniser =
        Moonshine::load(&engine, &encoder, &decoder, &words).map_err(|error| error.to_string())?;
    let mut judge = Judge::new(
        Country::UnitedStates,
        OperatingPoint::built_in(),
        recogniser.vocabulary(),
    )
    .map_err(|error| error.to_string())?;
    let mut spent_ms = Vec::new();
    for round in 0..=ROUNDS {
        for sound in sounds {
            let audio = segment(sound);
            let before = processor();
            judge
                .hear(&mut recogniser, &audio, Head::WakeWord)
                .map_err(|error| error.to_string())?;
            if round > 0 {
                spent_ms.push(processor().saturating_sub(before).as_secs_f64() * 1e3);
            }
        }
    }
    let count = spent_ms.len();
    Ok(vec![
        Row::new(
            "transcribe and rescore one command, p50",
            percentile(&mut spent_ms, 50),
            Some(120.0),
            "ms",
            count,
        ),
        Row::new(
            "transcribe and rescore one command, p95",
            percentile(&mut spent_ms, 95),
            None,
            "ms",
            count,
        ),
    ])
}
