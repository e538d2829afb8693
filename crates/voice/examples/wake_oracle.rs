//! Prints features and probabilities of a sound in the form of `tests/oracle_wake.py`:
//! `wake_oracle MODEL.tflite IN.wav|IN.s16 OUT.txt`. A difference between the two files is a bug.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a measuring program reads files; the crate itself does not"
)]
use hearthline_voice::clock::SampleIndex;
use hearthline_voice::wake::{FrontEnd, WakeConfig, WakeWord};
use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, source, out] = arguments.as_slice() else {
        return Err("usage: wake_oracle MODEL IN OUT".into());
    };
    let samples: Vec<i16> = if source.ends_with(".wav") {
        hound::WavReader::open(source)?
            .samples()
            .collect::<Result<_, _>>()?
    } else {
        std::fs::read(source)?
            .chunks_exact(2)
            .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
            .collect()
    };
    let mut word = WakeWord::new(
        &std::fs::read(model)?,
        WakeConfig {
            window: 1,
            ..WakeConfig::default()
        },
    )?;
    let mut front = FrontEnd::new();
    let mut file = std::io::BufWriter::new(std::fs::File::create(out)?);
    let (mut at, mut inferences) = (SampleIndex(0), 0);
    for frame in samples.as_chunks::<160>().0 {
        word.handle_frame(frame, at);
        at = at.plus(160);
        if let Some(features) = front.push(frame) {
            let numbers: Vec<String> = features.iter().map(u16::to_string).collect();
            writeln!(file, "f {}", numbers.join(" "))?;
        }
        if word.inferences() > inferences {
            inferences = word.inferences();
            writeln!(file, "p {}", (word.probability() * 256.0).round())?;
        }
    }
    Ok(())
}
