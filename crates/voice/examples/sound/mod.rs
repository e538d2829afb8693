//! Recordings and models for the measuring programs.
use std::path::{Path, PathBuf};

pub(crate) type Failure = Box<dyn std::error::Error>;

/// The folder with the models.
pub(crate) fn models() -> PathBuf {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    variable("HEARTH_MODELS")
        .or_else(|| variable("XDG_DATA_HOME").map(|d| d.join("hearthline/models")))
        .or_else(|| variable("HOME").map(|d| d.join(".local/share/hearthline/models")))
        .unwrap_or_default()
}

/// 16 kHz mono samples of a WAV, FLAC or Ogg Opus file, or of the WAV file that it was unpacked to.
pub(crate) fn read(path: &Path) -> Result<Vec<i16>, Failure> {
    let unpacked = path.with_extension("wav");
    let path = if unpacked.exists() { &unpacked } else { path };
    match path.extension().and_then(|name| name.to_str()) {
        Some("flac") => {
            let mut reader = claxon::FlacReader::open(path)?;
            Ok(reader
                .samples()
                .map(|sample| sample.map(|sample| sample as i16))
                .collect::<Result<_, _>>()?)
        }
        Some("opus") => {
            let mut packets = ogg::reading::PacketReader::new(std::fs::File::open(path)?);
            let head = packets.read_packet_expected()?.data;
            let skip = usize::from(u16::from_le_bytes([head[10], head[11]])) / 3;
            packets.read_packet_expected()?;
            let mut decoder = ropus::Decoder::new(16_000, ropus::Channels::Mono)?;
            let mut frame = [0; 1_920]; // the longest packet, 120 ms
            let mut samples = Vec::new();
            while let Some(packet) = packets.read_packet()? {
                let count = decoder.decode(&packet.data, &mut frame, ropus::DecodeMode::Normal)?;
                samples.extend_from_slice(&frame[..count]);
            }
            samples.drain(..skip.min(samples.len()));
            Ok(samples)
        }
        _ => Ok(hound::WavReader::open(path)?
            .samples()
            .collect::<Result<_, _>>()?),
    }
}
