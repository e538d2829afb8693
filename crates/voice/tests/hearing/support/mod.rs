//! What the tests share: where models and recordings lie, and how to read them.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "each test uses a part of it; tests read files and may fail"
)]
use hearthline_voice::engine::Engine;
use hearthline_voice::listen::{ListenConfig, ListenModels, Listener};
use hearthline_voice::transcribe::Moonshine;
use hearthline_voice::understand::Country;
use std::path::{Path, PathBuf};

/// The folder with the models, or nothing after saying that the test is skipped. Under `CI` the lack is a failure.
pub fn models() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|h| Path::new(&h).join(".local/share"));
    let folder = std::env::var_os("HEARTH_MODELS")
        .map(PathBuf::from)
        .or_else(|| {
            std::env::var_os("XDG_DATA_HOME")
                .map(PathBuf::from)
                .or_else(home)
                .map(|d| d.join("hearthline/models"))
        })?;
    if folder
        .join("moonshine-voice-0.0.73/encoder_model.ort")
        .exists()
    {
        return Some(folder);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "no models in {}: run `hearth models install`",
        folder.display()
    );
    println!("skipped: run `hearth models install`");
    None
}

/// The inference library.
pub fn engine(models: &Path) -> Engine {
    Engine::open(&models.join("onnxruntime-1.28.0/libonnxruntime.so.1.28.0")).unwrap()
}

/// The recogniser.
pub fn moonshine(models: &Path) -> Moonshine {
    let file =
        |name: &str| std::fs::read(models.join("moonshine-voice-0.0.73").join(name)).unwrap();
    let (encoder, decoder, tokenizer) = (
        file("encoder_model.ort"),
        file("decoder_model_merged.ort"),
        file("tokenizer.bin"),
    );
    Moonshine::load(&engine(models), &encoder, &decoder, &tokenizer).unwrap()
}

/// A listener for the United States, whose recogniser is loaded when it wakes.
pub fn listener(models: &Path) -> Listener {
    let folder = models.to_owned();
    let recogniser = Box::new(move || Ok(moonshine(&folder)));
    let wake = std::fs::read(models.join("pymicro-wakeword-2.5.0/alexa.tflite")).unwrap();
    Listener::new(
        ListenModels { wake, recogniser },
        ListenConfig::new(Country::UnitedStates),
    )
    .unwrap()
}

/// The folder with the shared recordings, or nothing after saying so.
pub fn recordings() -> Option<PathBuf> {
    let folder = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/audio"
    ))
    .to_owned();
    if folder.exists() {
        return Some(folder);
    }
    println!("skipped: the shared recordings are not here");
    None
}

/// 16 kHz samples of a FLAC file.
pub fn flac(path: &Path) -> Vec<i16> {
    let mut reader = claxon::FlacReader::open(path).unwrap();
    assert_eq!(reader.streaminfo().sample_rate, 16_000);
    reader
        .samples()
        .map(|s| i16::try_from(s.unwrap()).unwrap())
        .collect()
}

/// 16 kHz samples of an Ogg Opus file of one channel.
pub fn opus(path: &Path) -> Vec<i16> {
    let mut packets =
        ogg::reading::PacketReader::new(std::io::Cursor::new(std::fs::read(path).unwrap()));
    for _head_and_tags in 0..2 {
        packets.read_packet_expected().unwrap();
    }
    let mut decoder = ropus::Decoder::new(16_000, ropus::Channels::Mono).unwrap();
    let mut frame = [0; 1_920];
    let mut samples = Vec::new();
    while let Some(packet) = packets.read_packet().unwrap() {
        let mode = ropus::DecodeMode::Normal;
        let count = decoder.decode(&packet.data, &mut frame, mode).unwrap();
        samples.extend_from_slice(&frame[..count]);
    }
    samples
}

/// Samples as the recogniser takes them, with half a second of silence on both sides.
pub fn padded(samples: &[i16]) -> Vec<f32> {
    let silence = std::iter::repeat_n(0.0, 8000);
    silence
        .clone()
        .chain(samples.iter().map(|&s| f32::from(s) / 32768.0))
        .chain(silence)
        .collect()
}
