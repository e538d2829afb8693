//! Where the time of one judgement goes: encoder, first steps, greedy text, grammar mass, beam.
use crate::{clips, cpu_seconds};
use hearthline_voice::transcribe::{Cache, Moonshine};
use hearthline_voice::understand::judge::{Head, Judge};

/// Decoder steps that are timed together.
const STEPS: u32 = 20;

/// Print the median and the 95th percentile of each stage over the clips given.
pub fn profile(
    recogniser: &mut Moonshine,
    judge: &mut Judge,
    studio: &mut clips::Studio,
    all: &[clips::Clip],
) {
    let names = [
        "encode",
        "sense",
        "both",
        "step of 1",
        "step of 4",
        "step of 8",
        "step of 12",
    ];
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); names.len()];
    for clip in all {
        let Some(segment) = studio.segment(clip) else {
            continue;
        };
        let start = cpu_seconds();
        let encoded = judge.encode(recogniser, &segment, Head::WakeWord).unwrap();
        times[0].push((cpu_seconds() - start) * 1e3);
        let middle = cpu_seconds();
        judge.sense(recogniser, &encoded, Head::WakeWord).unwrap();
        times[1].push((cpu_seconds() - middle) * 1e3);
        times[2].push((cpu_seconds() - start) * 1e3);
        for (which, rows) in [(3, 1), (4, 4), (5, 8), (6, 12)] {
            let cache = Cache::gather(&vec![(&encoded.first().cache, 0); rows]).unwrap();
            // The kernel counts in ticks of some milliseconds: several steps at once.
            let from = cpu_seconds();
            for _ in 0..STEPS {
                recogniser
                    .step(&encoded, &cache, &vec![1000; rows])
                    .unwrap();
            }
            times[which].push((cpu_seconds() - from) * 1e3 / f64::from(STEPS));
        }
    }
    println!("| stage | median ms | 95th percentile ms |\n|---|---|---|");
    for (name, mut times) in names.into_iter().zip(times) {
        times.sort_by(f64::total_cmp);
        let at = |percent: usize| {
            times
                .get(times.len() * percent / 100)
                .copied()
                .unwrap_or(0.0)
        };
        println!("| {name} | {:.1} | {:.1} |", at(50), at(95));
    }
}
