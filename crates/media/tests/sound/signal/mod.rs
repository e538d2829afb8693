//! Signals made in code: nothing recorded.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::f64::consts::TAU;

/// SplitMix64, for noise and for networks.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    /// In 0.0..1.0.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// A voice-like signal at 16 kHz: a gliding pitch with formant-weighted harmonics, syllables of 250 ms,
/// unvoiced noise between them.
pub fn speech(samples: usize) -> Vec<i16> {
    let mut dice = Dice(7);
    let mut phase = 0.0f64;
    (0..samples)
        .map(|n| {
            let t = n as f64 / 16000.0;
            let pitch = 120.0 + 30.0 * (TAU * 0.7 * t).sin();
            phase += pitch / 16000.0;
            let voiced: f64 = (1..=25)
                .map(|k| {
                    let f = f64::from(k) * pitch;
                    let formant = |centre: f64, width: f64| (-((f - centre) / width).powi(2)).exp();
                    let gain = formant(500.0, 300.0)
                        + 0.5 * formant(1500.0, 400.0)
                        + 0.2 * formant(2500.0, 500.0);
                    gain * (TAU * f64::from(k) * phase).sin()
                })
                .sum();
            let syllable = (TAU * 2.0 * t).sin().max(0.0).powf(0.6);
            let hiss = (dice.unit() - 0.5) * 0.15 * (1.0 - syllable);
            ((voiced * syllable * 0.25 + hiss) * 12000.0) as i16
        })
        .collect()
}

pub fn tone(frequency: f64, amplitude: f64, samples: usize) -> Vec<i16> {
    (0..samples)
        .map(|n| (amplitude * (TAU * frequency * n as f64 / 16000.0).sin()) as i16)
        .collect()
}

/// Signal-to-noise ratio in dB of `heard` against `sent`, at the delay (0..=delay_max) where it is best.
pub fn snr_db(sent: &[i16], heard: &[i16], delay_max: usize) -> (f64, usize) {
    (0..=delay_max)
        .map(|delay| {
            let (mut signal, mut noise) = (1e-9, 1e-9);
            for (&s, &h) in sent.iter().zip(&heard[delay..]) {
                signal += f64::from(s).powi(2);
                noise += (f64::from(s) - f64::from(h)).powi(2);
            }
            (10.0 * (signal / noise).log10(), delay)
        })
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap()
}

pub fn rms(samples: &[i16]) -> f64 {
    let energy: f64 = samples.iter().map(|&s| f64::from(s).powi(2)).sum();
    (energy / samples.len().max(1) as f64).sqrt()
}
