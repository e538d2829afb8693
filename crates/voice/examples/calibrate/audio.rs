//! Reading sound of any kind into 16 kHz floats, and mixing noise into it.
use std::path::Path;

/// The recogniser's rate.
pub const RATE: u32 = 16_000;
/// The longest packet: 120 ms (RFC 6716 §2.1.4).
const OPUS_PACKET_SAMPLES_MAX: usize = 1_920;

/// Samples of a WAV, FLAC or Ogg Opus file at 16 kHz, one channel, -1 to 1.
pub fn read(path: &Path) -> Vec<f32> {
    let (samples, rate) = match path.extension().and_then(|e| e.to_str()) {
        Some("wav") => wav(path),
        Some("flac") => flac(path),
        Some("opus") => (opus(path), RATE),
        _ => panic!("{}: neither wav, flac nor opus", path.display()),
    };
    resample(&samples, rate)
}

fn wav(path: &Path) -> (Vec<f32>, u32) {
    let mut reader =
        hound::WavReader::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let spec = reader.spec();
    let all: Vec<f32> = reader
        .samples::<i16>()
        .map(|s| f32::from(s.expect("16-bit WAV")) / 32768.0)
        .collect();
    (
        all.chunks(usize::from(spec.channels))
            .map(|frame| frame[0])
            .collect(),
        spec.sample_rate,
    )
}

fn flac(path: &Path) -> (Vec<f32>, u32) {
    let mut reader =
        claxon::FlacReader::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let info = reader.streaminfo();
    let scale = (1_i64 << (info.bits_per_sample - 1)) as f32;
    let all: Vec<f32> = reader
        .samples()
        .map_while(Result::ok)
        .map(|s| s as f32 / scale)
        .collect();
    (
        all.chunks(info.channels as usize)
            .map(|frame| frame[0])
            .collect(),
        info.sample_rate,
    )
}

fn opus(path: &Path) -> Vec<f32> {
    let file = std::fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut packets = ogg::reading::PacketReader::new(file);
    let head = packets.read_packet_expected().expect("an Opus head").data;
    let skip = usize::from(u16::from_le_bytes([head[10], head[11]])) / 3;
    packets.read_packet_expected().expect("Opus tags");
    let mut decoder =
        ropus::Decoder::new(RATE, ropus::Channels::Mono).expect("a decoder for 16 kHz");
    let mut frame = [0.0; OPUS_PACKET_SAMPLES_MAX];
    let mut samples = Vec::new();
    while let Ok(Some(packet)) = packets.read_packet() {
        let count = decoder
            .decode_float(&packet.data, &mut frame, ropus::DecodeMode::Normal)
            .unwrap_or(0);
        samples.extend_from_slice(&frame[..count]);
    }
    samples.drain(..skip.min(samples.len()));
    samples
}

/// Band-limited resampling with a windowed sinc of 32 taps, its weights computed once for each phase.
pub fn resample(samples: &[f32], rate: u32) -> Vec<f32> {
    if rate == RATE {
        return samples.to_vec();
    }
    let divisor = (1..=RATE)
        .rev()
        .find(|d| RATE.is_multiple_of(*d) && rate.is_multiple_of(*d))
        .unwrap_or(1);
    let (up, down) = ((RATE / divisor) as usize, (rate / divisor) as usize);
    let cut = (up as f64 / down as f64).min(1.0) * 0.95;
    let reach = (16.0 / cut).ceil() as isize;
    let weight = |x: f64| {
        let angle = std::f64::consts::PI * x * cut;
        let sinc = if angle.abs() < 1e-9 {
            1.0
        } else {
            angle.sin() / angle
        };
        (cut * sinc * (0.5 + 0.5 * (std::f64::consts::PI * x / (reach + 1) as f64).cos())) as f32
    };
    let phases: Vec<Vec<f32>> = (0..up)
        .map(|phase| {
            (-reach..=reach)
                .map(|tap| weight(tap as f64 - phase as f64 / up as f64))
                .collect()
        })
        .collect();
    (0..samples.len() * up / down)
        .map(|i| {
            let (centre, phase) = ((i * down / up) as isize, i * down % up);
            (-reach..=reach)
                .zip(&phases[phase])
                .filter_map(|(tap, weight)| {
                    samples
                        .get(usize::try_from(centre + tap).ok()?)
                        .map(|s| s * weight)
                })
                .sum()
        })
        .collect()
}

/// Root of the mean square of the loud part: frames within 30 dB of the loudest.
fn active_power(samples: &[f32]) -> f32 {
    let power: Vec<f32> = samples
        .chunks(320)
        .map(|c| c.iter().map(|s| s * s).sum::<f32>() / c.len() as f32)
        .collect();
    let loudest = power.iter().copied().fold(0.0, f32::max);
    let active: Vec<f32> = power.into_iter().filter(|&p| p > loudest * 1e-3).collect();
    active.iter().sum::<f32>() / active.len().max(1) as f32
}

/// The same sound at -24 dB below full scale.
pub fn level(mut samples: Vec<f32>) -> Vec<f32> {
    let power = active_power(&samples).max(1e-12);
    let gain = (10_f32.powf(-2.4) / power).sqrt();
    samples
        .iter_mut()
        .for_each(|s| *s = (*s * gain).clamp(-1.0, 1.0));
    samples
}

/// Add `noise`, looped from `offset`, so that speech stands `snr_db` above it.
pub fn mix(speech: &[f32], noise: &[f32], offset: usize, snr_db: f32) -> Vec<f32> {
    let noise_power = (noise.iter().map(|s| s * s).sum::<f32>() / noise.len() as f32).max(1e-12);
    let gain = (active_power(speech) / noise_power / 10_f32.powf(snr_db / 10.0)).sqrt();
    let looped = noise.iter().cycle().skip(offset % noise.len());
    speech
        .iter()
        .zip(looped)
        .map(|(s, n)| (s + n * gain).clamp(-1.0, 1.0))
        .collect()
}

/// Silence (with a whisper of hiss, as microphones have) before and after.
pub fn pad(samples: &[f32], before_ms: usize, after_ms: usize) -> Vec<f32> {
    let mut seed = 12_345_u32;
    let mut hiss = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f32::from((seed >> 16) as u16) / 32768.0 - 1.0) * 2e-4
    };
    let mut all: Vec<f32> = (0..before_ms * 16).map(|_| hiss()).collect();
    all.extend(samples);
    all.extend((0..after_ms * 16).map(|_| hiss()));
    all
}
