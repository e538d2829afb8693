//! The call-taker's voice when none is given: two tones in the rhythm and range of speech, made in code.

use core::f32::consts::TAU;

const SAMPLE_RATE: f32 = 16_000.0;
/// Fundamentals of the two tones in Hz, one each syllable, and their peak.
const LOW: f32 = 210.0;
const HIGH: f32 = 280.0;
const PEAK: f32 = 7_000.0;
/// A syllable of 160 ms and a pause of 60 ms; after six of them a breath of 500 ms.
const SYLLABLE: usize = 2_560;
const PAUSE: usize = 960;
const SYLLABLES: usize = 6;
const BREATH: usize = 8_000;

/// One phrase of 1.8 s at 16 kHz, to be repeated: voiced, with harmonics, never mistaken for silence.
#[must_use]
pub fn test_voice() -> Vec<i16> {
    let mut samples = Vec::with_capacity(SYLLABLES * (SYLLABLE + PAUSE) + BREATH);
    for syllable in 0..SYLLABLES {
        let frequency = if syllable % 2 == 0 { HIGH } else { LOW };
        for n in 0..SYLLABLE {
            let t = n as f32 / SAMPLE_RATE;
            let envelope = (core::f32::consts::PI * n as f32 / SYLLABLE as f32)
                .sin()
                .sqrt();
            let wave: f32 = [(1.0, 0.6), (2.0, 0.25), (4.0, 0.15)]
                .iter()
                .map(|(harmonic, gain)| gain * (TAU * harmonic * frequency * t).sin())
                .sum();
            samples.push((PEAK * envelope * wave) as i16);
        }
        samples.extend([0; PAUSE]);
    }
    samples.extend([0; BREATH]);
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_voice_is_heard_and_does_not_clip() {
        let voice = test_voice();
        assert_eq!(voice.len(), 29_120);
        let peak = voice
            .iter()
            .map(|sample| sample.unsigned_abs())
            .max()
            .unwrap();
        assert!((4_000..8_000).contains(&peak), "{peak}");
    }
}
