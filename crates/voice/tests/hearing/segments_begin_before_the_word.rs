//! The segment never starts late: on every real recording that wakes it begins before the wake word's first sound.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files and may fail"
)]
use hearthline_voice::clock::SampleIndex;
use hearthline_voice::endpoint::{EndpointConfig, Endpointer};
use hearthline_voice::wake::{WakeConfig, WakeWord};

const LEAD: usize = 16_000;

/// First sound within 30 dB of the word's loudest, over pauses of up to 250 ms; the word is what was loudest in the
/// 1.5 s before `detected`.
fn onset(sound: &[i16], detected: u64) -> u64 {
    let power = |part: &[i16]| part.iter().map(|&s| f32::from(s).powi(2)).sum::<f32>();
    let mut powers: Vec<f32> = sound.chunks_exact(160).map(power).collect();
    powers.truncate(detected as usize / 160);
    let word = powers.len().saturating_sub(150)..powers.len();
    let loudest = word
        .max_by(|&a, &b| powers[a].total_cmp(&powers[b]))
        .unwrap();
    let mut first = loudest;
    for place in (0..loudest).rev() {
        if powers[place] > powers[loudest] * 1e-3 {
            if first - place > 25 {
                break;
            }
            first = place;
        }
    }
    first as u64 * 160
}

/// A second of room, the recording, half a second of room; all in white noise of this share of the active level.
fn in_room(sound: &[i16], share: f32) -> Vec<i16> {
    let mut powers: Vec<f32> = sound
        .chunks_exact(320)
        .map(|part| part.iter().map(|&s| f32::from(s).powi(2)).sum::<f32>() / 320.0)
        .collect();
    powers.sort_by(f32::total_cmp);
    let loud = powers[powers.len() * 9 / 10].sqrt();
    let mut state = 7_u32;
    let mut all = vec![0; LEAD];
    all.extend_from_slice(sound);
    all.resize(all.len() + 8_000, 0);
    all.iter()
        .map(|&s| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = f32::from((state >> 16) as i16) / 32_768.0 * 1.73 * (loud * share).max(3.0);
            (f32::from(s) + noise).clamp(-32_768.0, 32_767.0) as i16
        })
        .collect()
}

#[test]
fn of_every_recording_that_wakes_the_whole_word_is_in_the_segment() {
    let (Some(models), Some(recordings)) = (crate::support::models(), crate::support::recordings())
    else {
        return;
    };
    let model = std::fs::read(models.join("pymicro-wakeword-2.5.0/alexa.tflite")).unwrap();
    let mut all = (0, Vec::new());
    // Quiet, about 10 dB and about 5 dB of speech above noise; doubtful words as well as sure ones.
    for (cutoff, share, woken_min) in [
        (0.9, 0.0, 140),
        (0.9, 0.3, 100),
        (0.9, 0.56, 60),
        (0.05, 0.3, 120),
    ] {
        let config = WakeConfig {
            cutoff,
            ..WakeConfig::default()
        };
        let mut word = WakeWord::new(&model, config).unwrap();
        let mut endpointer = Endpointer::new(EndpointConfig::default()).unwrap();
        let (mut woken, mut late) = (0, Vec::new());
        for file in std::fs::read_dir(recordings.join("wake/alexa")).unwrap() {
            let path = file.unwrap().path();
            let sound = crate::support::flac(&path);
            word.reset();
            endpointer.reset();
            for (frame, index) in in_room(&sound, share)
                .as_chunks::<160>()
                .0
                .iter()
                .zip(0_u64..)
            {
                let at = SampleIndex(index * 160);
                if let Some(wake) = word.handle_frame(frame, at) {
                    woken += 1;
                    let lead = LEAD as u64;
                    let onset = onset(&sound, wake.at.0.saturating_sub(lead)) + lead;
                    if endpointer.begin(&wake).0 > onset {
                        late.push(path.clone());
                    }
                    break;
                }
                endpointer.handle_frame(frame, at);
            }
        }
        println!(
            "cutoff {cutoff}, noise {share}: {woken} woke, {} late",
            late.len()
        );
        assert!(woken >= woken_min, "{woken}");
        all.0 += woken;
        all.1.extend(late);
    }
    // In the slowest recording (263) the level that counts as its first sound is the hum of its own room.
    let (woken, late) = all;
    assert!(
        late.len() * 200 <= woken,
        "{} of {woken}: {late:?}",
        late.len()
    );
}
