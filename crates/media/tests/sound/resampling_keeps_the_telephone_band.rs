//! The half-band filter: flat where speech is, silent where it must not fold.

use crate::signal::{rms, snr_db, speech, tone};
use hearthline_media::{Downsampler, Upsampler};
use proptest::prelude::*;

fn down(samples: &[i16]) -> Vec<i16> {
    let mut out = Vec::new();
    Downsampler::new().process(samples, &mut out);
    out
}

fn gain_db(frequency: f64) -> f64 {
    let sent = tone(frequency, 10_000.0, 16_000);
    20.0 * (rms(&down(&sent)[500..]).max(0.01) / rms(&sent)).log10()
}

#[test]
fn the_telephone_band_is_flat_and_what_would_fold_is_gone() {
    for frequency in [50.0, 300.0, 1000.0, 2000.0, 3000.0, 3300.0] {
        assert!(
            gain_db(frequency).abs() < 0.15,
            "{frequency} Hz: {} dB",
            gain_db(frequency)
        );
    }
    for frequency in [4700.0, 5000.0, 6000.0, 7500.0] {
        assert!(
            gain_db(frequency) < -55.0,
            "{frequency} Hz: {} dB",
            gain_db(frequency)
        );
    }
}

#[test]
fn down_and_up_again_gives_narrowband_speech_back() {
    let sent: Vec<i16> = speech(32_000);
    let narrow = down(&sent);
    let mut back = Vec::new();
    Upsampler::new().process(&narrow, &mut back);
    let again = {
        // Once through, the band is limited: a second pass must then be transparent.
        let mut wide = Vec::new();
        Upsampler::new().process(&down(&back), &mut wide);
        wide
    };
    let (snr, delay) = snr_db(&back[..31_000], &again, 80);
    println!("{snr:.1} dB at {delay}");
    assert_eq!(delay, 62); // 31 samples each way
    assert!(snr > 35.0, "{snr}");
}

proptest! {
    #[test]
    fn any_split_of_any_samples_gives_the_same_output(
        samples in proptest::collection::vec(any::<i16>(), 0..600), piece in 1usize..50,
    ) {
        let mut filter = Downsampler::new();
        let mut out = Vec::new();
        for part in samples.chunks(piece) {
            filter.process(part, &mut out);
        }
        prop_assert_eq!(out, down(&samples));
    }
}
