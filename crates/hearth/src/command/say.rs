//! `hearth say`: a text in the device's own voice.
use std::path::{Path, PathBuf};

use clap::Args;
use hearthline_voice::synthesise::{SAMPLE_RATE_HZ, SynthesiseError};

use crate::exit::Exit;
use crate::models::{Look, ModelFolder};
use crate::playback;
use crate::print::out;
use crate::voice;

/// What to say.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hearth say \"Dinner is ready.\"\n  hearth say -o call.wav \"Alexa, call 911.\" && hearth hear --dry-run call.wav\n\nExit codes: 0 said, 2 the text or the file cannot be used, 3 models or a player are missing."
)]
pub(crate) struct Arguments {
    /// The text; several words need no quotes.
    #[arg(required = true)]
    text: Vec<String>,
    /// Write a WAV file (16 kHz, mono, 16 bit) instead of playing.
    #[arg(short, long, value_name = "FILE.wav")]
    output: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Exit {
    match say(arguments) {
        Ok(()) => Exit::Ok,
        Err((why, exit)) => {
            if !why.is_empty() {
                eprintln!("hearth: {why}");
            }
            exit
        }
    }
}

fn say(arguments: &Arguments) -> Result<(), (String, Exit)> {
    let text = arguments.text.join(" ");
    if arguments.output.is_none() && playback::find(playback::PLAYER).is_none() {
        let why = format!(
            "no {} to play with: {}, or write a file with -o FILE.wav",
            playback::PLAYER,
            playback::MEND
        );
        return Err((why, Exit::Missing));
    }
    let folder = ModelFolder::locate().map_err(|why| (why, Exit::Input))?;
    match super::models::install_missing(&folder, Look::Sizes) {
        Exit::Ok => {}
        other => return Err((String::new(), other)),
    }
    let mut voice = voice::synthesiser(&folder).map_err(|why| (why, Exit::Missing))?;
    let samples = voice.speak(&text).map_err(|error| {
        let exit = if matches!(error, SynthesiseError::TooLong { .. }) {
            Exit::Input
        } else {
            Exit::Missing
        };
        (error.to_string(), exit)
    })?;
    if samples.is_empty() {
        return Err(("there is nothing to say in this text".into(), Exit::Input));
    }
    let Some(path) = &arguments.output else {
        return playback::play(&samples).map_err(|why| (why, Exit::Missing));
    };
    write_wav(path, &samples).map_err(|why| (why, Exit::Input))?;
    out!(
        "{} ({:.2} s)",
        path.display(),
        samples.len() as f64 / SAMPLE_RATE_HZ as f64
    );
    Ok(())
}

/// Writes 16 kHz mono samples.
///
/// # Errors
/// Says which file could not be written and why.
pub(crate) fn write_wav(path: &Path, samples: &[i16]) -> Result<(), String> {
    let named = |error: hound::Error| format!("{}: {error}", path.display());
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: SAMPLE_RATE_HZ as u32,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).map_err(named)?;
    for sample in samples {
        writer.write_sample(*sample).map_err(named)?;
    }
    writer.finalize().map_err(named)
}
