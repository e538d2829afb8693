//! Where commands begin and end: no word is lost, nobody waits, noise does not hold a sentence open.
//! The voice is a synthetic vowel that the gate takes for one; recordings are measured by the example `endpoint_rates`.
use hearthline_voice::clock::SampleIndex;
use hearthline_voice::endpoint::{EndReason, EndpointConfig, EndpointOutput, Endpointer, Sentence};
use hearthline_voice::wake::Wake;
use proptest::prelude::*;

const MS: usize = 16;

/// A vowel: 130 Hz pulses through three resonances, with a little vibrato.
fn vowel(samples: usize) -> Vec<f32> {
    let mut resonators: Vec<(f64, f64, f64, f64)> =
        [(650.0, 80.0), (1_100.0, 90.0), (2_500.0, 120.0)]
            .iter()
            .map(|&(hz, width): &(f64, f64)| {
                let radius = (-std::f64::consts::PI * width / 16_000.0).exp();
                let angle = 2.0 * std::f64::consts::PI * hz / 16_000.0;
                (2.0 * radius * angle.cos(), -radius * radius, 0.0, 0.0)
            })
            .collect();
    let mut phase = 0.0;
    let sound: Vec<f64> = (0..samples)
        .map(|i| {
            phase += (130.0 + 6.0 * (i as f64 / 2_500.0).sin()) / 16_000.0;
            let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
            phase -= pulse;
            // Syllables: four a second.
            let syllable = 0.65 + 0.35 * (i as f64 / 16_000.0 * 8.0 * std::f64::consts::PI).sin();
            resonators
                .iter_mut()
                .map(|(a, b, y1, y2)| {
                    let y = pulse + *a * *y1 + *b * *y2;
                    (*y2, *y1) = (*y1, y);
                    y
                })
                .sum::<f64>()
                * syllable
        })
        .collect();
    let peak = sound.iter().fold(1e-9_f64, |peak, s| peak.max(s.abs()));
    sound.iter().map(|s| (s / peak * 9_000.0) as f32).collect()
}

/// Room of `total_ms` with voice in the given spans, and white noise of the given amplitude.
fn room(total_ms: usize, voices: &[(usize, usize)], noise: f32) -> Vec<i16> {
    let mut sum = vec![0.0_f32; total_ms * MS];
    for &(from, to) in voices {
        for (to, from) in sum[from * MS..].iter_mut().zip(vowel((to - from) * MS)) {
            *to += from;
        }
    }
    let mut state = 99_u32;
    sum.iter()
        .map(|&s| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (s + f32::from((state >> 16) as i16) / 32_768.0 * noise) as i16
        })
        .collect()
}

/// Plays a room in which the wake word was detected at `wake_ms`; `judge` answers each pause.
fn play(
    sound: &[i16],
    wake_ms: usize,
    judge: impl Fn(usize) -> Option<Sentence>,
) -> Vec<EndpointOutput> {
    let mut endpointer = Endpointer::new(EndpointConfig::default()).unwrap();
    let wake = Wake {
        keyword: "alexa".into(),
        score: 0.95,
        at: SampleIndex((wake_ms * MS) as u64),
    };
    let mut outputs = Vec::new();
    let mut pauses = 0;
    for (frame, index) in sound.as_chunks::<160>().0.iter().zip(0_u64..) {
        let at = SampleIndex(index * 160);
        if at == wake.at {
            endpointer.begin(&wake);
        }
        endpointer.handle_frame(frame, at);
        while let Some(output) = endpointer.poll_output() {
            if let EndpointOutput::Pause { .. } = output {
                if let Some(sentence) = judge(pauses) {
                    endpointer.set_sentence(sentence);
                }
                pauses += 1;
            }
            outputs.push(output);
        }
    }
    outputs
}

fn ended(outputs: &[EndpointOutput]) -> (usize, usize, usize, EndReason) {
    match outputs.last() {
        Some(&EndpointOutput::Ended {
            from,
            speech_end,
            at,
            reason,
        }) => {
            let ms = |index: SampleIndex| index.0 as usize / MS;
            (ms(from), ms(speech_end), ms(at), reason)
        }
        other => panic!("no end but {other:?} of {outputs:?}"),
    }
}

#[test]
fn nobody_speaks() {
    let outputs = play(&room(9_000, &[(300, 900)], 30.0), 1_000, |_| None);
    assert_eq!(outputs.len(), 1, "{outputs:?}");
    let EndpointOutput::NoSpeech { at } = outputs[0] else {
        panic!("{outputs:?}")
    };
    assert!((6_000..6_050).contains(&(at.0 as usize / MS)), "{at:?}");
}

#[test]
fn complete_sentence_ends_soon_and_unknown_one_later() {
    let sound = room(8_000, &[(300, 900), (1_500, 3_000)], 30.0);
    let soon = ended(&play(&sound, 1_000, |_| Some(Sentence::Complete)));
    let later = ended(&play(&sound, 1_000, |_| None));
    let same = ended(&play(&sound, 1_000, |_| Some(Sentence::Incomplete)));
    assert_eq!((soon.3, later.3), (EndReason::Complete, EndReason::Silence));
    assert!(soon.2.abs_diff(3_000) < 420, "{soon:?}");
    assert!(later.2.abs_diff(3_800) < 120, "{later:?}");
    assert_eq!(later, same);
    assert!(soon.1.abs_diff(3_000) < 120, "{soon:?}");
}

#[test]
fn segment_begins_before_the_wake_word_and_speech_without_a_pause_is_all_in_it() {
    // The wake word ends at 900, the command follows at once, the detection comes in the middle of it.
    let sound = room(6_000, &[(2_000, 4_000)], 30.0);
    let outputs = play(&sound, 2_800, |_| Some(Sentence::Complete));
    let EndpointOutput::SpeechStarted { at } = outputs[0] else {
        panic!("{outputs:?}")
    };
    assert!(at.0 as usize / MS <= 3_060, "{at:?}");
    let (from, end, ..) = ended(&outputs);
    assert!(from <= 1_300, "begins at {from} ms");
    assert!(end.abs_diff(4_000) < 120);
}

#[test]
fn pause_inside_an_incomplete_sentence_is_bridged() {
    let sound = room(9_000, &[(300, 900), (1_400, 2_400), (3_000, 4_000)], 30.0);
    let outputs = play(&sound, 1_000, |pause| {
        Some(if pause == 0 {
            Sentence::Incomplete
        } else {
            Sentence::Complete
        })
    });
    let kinds: Vec<&str> = outputs
        .iter()
        .map(|output| match output {
            EndpointOutput::SpeechStarted { .. } => "started",
            EndpointOutput::Pause { .. } => "pause",
            EndpointOutput::SpeechResumed { .. } => "resumed",
            EndpointOutput::Ended { .. } => "ended",
            EndpointOutput::NoSpeech { .. } => "nothing",
        })
        .collect();
    assert_eq!(kinds, ["started", "pause", "resumed", "pause", "ended"]);
    let (_, end, ..) = ended(&outputs);
    assert!(end.abs_diff(4_000) < 120);
}

#[test]
fn an_old_judgement_does_not_end_new_words() {
    // Complete after the first part, then more words: they need their own judgement.
    let sound = room(9_000, &[(300, 900), (1_400, 2_400), (2_660, 3_600)], 30.0);
    let outputs = play(&sound, 1_000, |pause| {
        (pause == 0).then_some(Sentence::Complete)
    });
    let (_, end, _, reason) = ended(&outputs);
    assert!(end.abs_diff(3_600) < 120, "{outputs:?}");
    assert_eq!(reason, EndReason::Silence);
}

#[test]
fn nothing_but_the_wake_word_goes_on_waiting() {
    // A drawn-out wake word looks like speech; the transcript shows that it is none.
    let sound = room(9_000, &[(300, 1_600), (3_500, 4_500)], 30.0);
    let outputs = play(&sound, 1_000, |pause| {
        Some(if pause == 0 {
            Sentence::Empty
        } else {
            Sentence::Complete
        })
    });
    let (_, end, _, reason) = ended(&outputs);
    assert!(end.abs_diff(4_500) < 120, "{outputs:?}");
    assert_eq!(reason, EndReason::Complete);
}

#[test]
fn steady_noise_does_not_hold_a_sentence_open() {
    // White noise 10 dB and 5 dB below the voice.
    for noise in [1_500.0, 2_600.0] {
        let sound = room(12_000, &[(1_300, 1_900), (2_500, 4_500)], noise);
        let (_, end, at, reason) = ended(&play(&sound, 2_000, |_| None));
        assert_eq!(reason, EndReason::Silence, "noise {noise}");
        assert!(
            end.abs_diff(4_500) < 300 && at < 5_700,
            "noise {noise}: {end} {at}"
        );
    }
}

#[test]
fn whoever_never_stops_is_cut() {
    let outputs = play(&room(18_000, &[(500, 18_000)], 30.0), 1_000, |_| None);
    let (_, _, at, reason) = ended(&outputs);
    assert_eq!(reason, EndReason::TooLong);
    assert!((16_000..16_050).contains(&at), "{at}");
}

#[test]
fn a_click_is_no_word() {
    let mut sound = room(9_000, &[], 30.0);
    for at in (2_000..6_000).step_by(700) {
        sound[at * MS..at * MS + 40].fill(20_000);
    }
    let outputs = play(&sound, 1_000, |_| None);
    assert!(
        matches!(outputs.as_slice(), [EndpointOutput::NoSpeech { .. }]),
        "{outputs:?}"
    );
}

#[test]
fn a_reply_needs_no_wake_word() {
    let sound = room(5_000, &[(1_500, 2_200)], 30.0);
    let mut endpointer = Endpointer::new(EndpointConfig::default()).unwrap();
    let mut ends = Vec::new();
    for (frame, index) in sound.as_chunks::<160>().0.iter().zip(0_u64..) {
        if index == 100 {
            endpointer.begin_reply(SampleIndex(16_000));
            assert!(endpointer.is_open());
        }
        endpointer.handle_frame(frame, SampleIndex(index * 160));
        while let Some(output) = endpointer.poll_output() {
            if let EndpointOutput::Ended { from, .. } = output {
                ends.push(from);
            }
        }
    }
    assert_eq!(ends, [SampleIndex(16_000)]);
    assert!(!endpointer.is_open());
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let base = EndpointConfig::default;
    for config in [
        EndpointConfig {
            pause_ms: 400,
            ..base()
        },
        EndpointConfig {
            pause_ms: 10,
            ..base()
        },
        EndpointConfig {
            hang_complete_ms: 900,
            ..base()
        },
        EndpointConfig {
            utterance_ms_max: 500,
            ..base()
        },
        EndpointConfig {
            no_speech_ms: 20_000,
            ..base()
        },
        EndpointConfig {
            voice_min: 1.5,
            ..base()
        },
        EndpointConfig {
            voice_min: f32::NAN,
            ..base()
        },
    ] {
        assert!(Endpointer::new(config).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn every_utterance_ends_once_and_in_order(
        spans in proptest::collection::vec((100_usize..900, 50_usize..1_500), 0..8),
        noise in 0_f32..4_000.0,
        answers in proptest::collection::vec(0_u8..4, 12),
    ) {
        let (mut at, mut voices) = (1_000, Vec::new());
        for (gap, length) in spans {
            voices.push((at + gap, at + gap + length));
            at += gap + length;
        }
        let sound = room(at + 17_000, &voices, noise);
        let outputs = play(&sound, 1_000, |pause| Some(match answers[pause % answers.len()] {
            0 => Sentence::Unknown,
            1 => Sentence::Incomplete,
            2 => Sentence::Complete,
            _ => Sentence::Empty,
        }));
        let last = |output: &EndpointOutput| matches!(output, EndpointOutput::Ended { .. } | EndpointOutput::NoSpeech { .. });
        prop_assert_eq!(outputs.iter().filter(|output| last(output)).count(), 1);
        prop_assert!(last(outputs.last().unwrap()));
        if let Some(EndpointOutput::Ended { from, speech_end, at, .. }) = outputs.last() {
            prop_assert!(from <= speech_end && speech_end <= at);
        }
    }
}
