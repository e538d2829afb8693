//! What listening costs, per 10 ms of sound. The budget of everything that is always on is 1 % of a core: 100 µs.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    reason = "criterion's macros make undocumented items; a benchmark reads the model"
)]
use criterion::{Criterion, criterion_group, criterion_main};
use hearthline_voice::clock::SampleIndex;
use hearthline_voice::endpoint::{EndpointConfig, Endpointer};
use hearthline_voice::ring::PreRoll;
use hearthline_voice::wake::{FrontEnd, WakeConfig, WakeWord};
use std::hint::black_box;
use std::path::PathBuf;

/// Loud pseudo-random noise: no step can take a shortcut.
fn noise(frames: usize) -> Vec<[i16; 160]> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as i16 / 8
    };
    (0..frames)
        .map(|_| std::array::from_fn(|_| next()))
        .collect()
}

fn models() -> Option<PathBuf> {
    let folder = std::env::var_os("HEARTH_MODELS")
        .map(PathBuf::from)
        .or_else(|| {
            std::env::var_os("XDG_DATA_HOME").map(|d| PathBuf::from(d).join("hearthline/models"))
        })
        .or_else(|| {
            std::env::var_os("HOME")
                .map(|d| PathBuf::from(d).join(".local/share/hearthline/models"))
        })?;
    folder.exists().then_some(folder)
}

fn per_frame(criterion: &mut Criterion) {
    let frames = noise(100);
    let mut front = FrontEnd::new();
    let mut turn = frames.iter().cycle();
    criterion.bench_function("features of 10 ms", |b| {
        b.iter(|| front.push(black_box(turn.next().expect("a cycle has no end"))));
    });
    let mut endpointer = Endpointer::new(EndpointConfig::default()).expect("defaults fit");
    let mut ring = PreRoll::new();
    let mut at = SampleIndex(0);
    criterion.bench_function("voice gate and pre-roll, 10 ms", |b| {
        b.iter(|| {
            let frame = turn.next().expect("a cycle has no end");
            ring.push(at, black_box(frame));
            endpointer.handle_frame(frame, at);
            at = at.plus(160);
            endpointer.poll_output()
        });
    });
    let Some(models) = models() else {
        println!("wake word skipped: run `hearth models install`");
        return;
    };
    let model = std::fs::read(models.join("pymicro-wakeword-2.5.0/alexa.tflite"))
        .expect("the models folder holds the wake word");
    let mut word = WakeWord::new(&model, WakeConfig::default()).expect("a known model");
    let mut at = SampleIndex(0);
    criterion.bench_function("wake word, 10 ms", |b| {
        b.iter(|| {
            let wake = word.handle_frame(black_box(turn.next().expect("a cycle has no end")), at);
            at = at.plus(160);
            wake
        });
    });
}

criterion_group!(benches, per_frame);
criterion_main!(benches);
