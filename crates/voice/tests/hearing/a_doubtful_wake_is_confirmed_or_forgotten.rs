//! A word that is only perhaps the wake word: taken up in silence, then confirmed by the recogniser or gone.
//!
//! An accepting cutoff of 1 makes every wake word doubtful; a candidate cutoff of 0 makes all speech a candidate.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files and may fail"
)]
use hearthline_voice::listen::{Heard, ListenConfig, ListenModels, Listener, Mode, Output};
use hearthline_voice::transcribe::VocabularyError;
use hearthline_voice::understand::Country;
use hearthline_voice::understand::judge::Verdict;
use proptest::prelude::*;
use std::path::{Path, PathBuf};

struct Place {
    models: PathBuf,
    recordings: PathBuf,
}

fn place() -> Option<Place> {
    Some(Place {
        models: crate::support::models()?,
        recordings: crate::support::recordings()?,
    })
}

impl Place {
    fn listener(&self, change: impl Fn(&mut ListenConfig)) -> Listener {
        let folder = self.models.clone();
        let recogniser = Box::new(move || Ok(crate::support::moonshine(&folder)));
        let wake = wake_model(&self.models);
        let mut config = ListenConfig::new(Country::UnitedStates);
        change(&mut config);
        Listener::new(ListenModels { wake, recogniser }, config).unwrap()
    }

    /// No wake word is sure.
    fn doubtful(&self) -> Listener {
        self.listener(|config| config.wake.cutoff = 1.0)
    }

    /// A real "alexa".
    fn word(&self) -> Vec<i16> {
        crate::support::flac(&self.recordings.join("wake/alexa/10.flac"))
    }

    fn flac(&self, path: &str) -> Vec<i16> {
        crate::support::flac(&self.recordings.join(path))
    }

    fn words(&self) -> Vec<i16> {
        self.flac("digits/so762_000010035.flac")
    }
}

fn wake_model(models: &Path) -> Vec<u8> {
    std::fs::read(models.join("pymicro-wakeword-2.5.0/alexa.tflite")).unwrap()
}

/// A quiet room.
fn silence(ms: usize) -> Vec<i16> {
    (0..ms * 16)
        .map(|i| ((i as u32).wrapping_mul(2_654_435_761) >> 29) as i16 - 4)
        .collect()
}

/// Outputs with the sample index at which they came.
fn play(listener: &mut Listener, parts: &[&[i16]]) -> Vec<(u64, Output)> {
    let mut outputs = Vec::new();
    for chunk in parts.concat().chunks(160) {
        listener.handle_samples(chunk);
        while let Some(output) = listener.poll_output() {
            outputs.push((listener.now().0, output));
        }
    }
    outputs
}

fn heard(outputs: &[(u64, Output)]) -> &Heard {
    let Some((_, Output::Understood(heard))) = outputs.last() else {
        panic!("{outputs:?}");
    };
    heard
}

#[test]
fn it_counts_when_the_recogniser_finds_it_at_the_head_of_the_sentence() {
    let Some(place) = place() else { return };
    let sound = [
        &silence(1_000)[..],
        &place.word(),
        &place.words(),
        &silence(1_500),
    ]
    .concat();
    let outputs = play(&mut place.doubtful(), &[&sound]);
    let sure = play(&mut place.listener(|_| {}), &[&sound]);
    let [
        (at, Output::Wake(wake)),
        (_, Output::VoiceStarted { .. }),
        ..,
    ] = &outputs[..]
    else {
        panic!("{outputs:?}");
    };
    let config = ListenConfig::new(Country::UnitedStates);
    assert!(f64::from(wake.score) > config.candidate.cutoff);
    assert!(*at > wake.at.0 + 3_200, "silent until the words pause");
    let (heard, sure) = (heard(&outputs), heard(&sure));
    assert_eq!(heard.wake.as_ref(), Some(wake));
    assert_eq!(
        heard.understanding.transcript.text,
        sure.understanding.transcript.text
    );
    assert_eq!(
        (heard.speech_end, heard.decided),
        (sure.speech_end, sure.decided)
    );
    assert_eq!(heard.sound.len() as u64, heard.decided.since(heard.start));
    assert!(
        config.wake.is_sure(sure.wake.as_ref().unwrap()),
        "the same word, above the cutoff"
    );
}

#[test]
fn said_alone_it_is_answered_and_the_command_awaited() {
    let Some(place) = place() else { return };
    let mut listener = place.doubtful();
    let outputs = play(
        &mut listener,
        &[&silence(1_000), &place.word(), &silence(2_000)],
    );
    assert!(
        matches!(&outputs[..], [(_, Output::Wake(_))]),
        "{outputs:?}"
    );
    assert_eq!(listener.mode(), Mode::Listening);
    let outputs = play(&mut listener, &[&silence(5_000)]);
    assert!(
        matches!(&outputs[..], [(_, Output::NoSpeech { .. })]),
        "{outputs:?}"
    );
}

#[test]
fn what_it_was_not_leaves_no_trace() {
    let Some(place) = place() else { return };
    let mut listener = place.listener(|config| config.candidate.cutoff = 0.0);
    for name in [
        "asr/libri_1998-15444-0003.flac",
        "asr/libri_367-130732-0000.flac",
    ] {
        let sound = [&place.flac(name)[..], &silence(1_500)].concat();
        for chunk in sound.chunks(160) {
            listener.handle_samples(chunk);
            assert!(listener.poll_output().is_none());
            assert_eq!(listener.mode(), Mode::WaitingForWake);
        }
    }
    listener.handle_end();
    assert!(listener.poll_output().is_none());
    assert!(listener.take_before_wake().is_none());
    assert!(listener.checks() > 0, "nothing was doubtful");
}

#[test]
fn the_recogniser_is_not_loaded_before_there_is_something_to_ask() {
    let Some(place) = place() else { return };
    let mut listener = place.doubtful();
    play(
        &mut listener,
        &[&silence(3_000), &place.words(), &silence(1_500)],
    );
    assert!(!listener.is_loaded());
    play(&mut listener, &[&place.word(), &silence(1_500)]);
    assert!(listener.is_loaded());
}

#[test]
fn a_sure_wake_word_is_as_if_there_had_been_no_doubt() {
    let Some(place) = place() else { return };
    let sound = [
        &silence(1_000)[..],
        &place.word(),
        &place.words(),
        &silence(1_500),
    ]
    .concat();
    let all = |listener: &mut Listener| -> Vec<String> {
        let outputs = play(listener, &[&sound]);
        outputs.iter().map(|output| format!("{output:?}")).collect()
    };
    let without = all(&mut place.listener(|config| config.candidate.cutoff = 1.0));
    let mut listener = place.listener(|_| {});
    assert_eq!(all(&mut listener), without);
    assert_eq!(listener.checks(), 0, "nobody had to ask");
}

#[test]
fn the_recogniser_is_asked_so_often_only() {
    let Some(place) = place() else { return };
    let talk = [
        place.flac("asr/libri_1998-15444-0003.flac"),
        silence(1_500),
        place.flac("asr/libri_367-130732-0000.flac"),
        silence(1_500),
    ]
    .concat();
    let checks = |checks_max| {
        let mut listener = place.listener(|config| {
            config.candidate.cutoff = 0.0;
            config.candidate.checks_max = checks_max;
        });
        assert!(play(&mut listener, &[&talk, &talk]).is_empty());
        listener.checks()
    };
    assert!(checks(20) > 1);
    assert_eq!(checks(1), 1);
    assert_eq!(checks(0), 0);
}

#[test]
fn an_order_behind_it_is_no_answer_to_a_question() {
    let Some(place) = place() else { return };
    let mut listener = place.doubtful();
    play(&mut listener, &[&silence(1_000)]);
    listener.listen_for_reply(8_000);
    let outputs = play(
        &mut listener,
        &[
            &silence(500),
            &place.word(),
            &place.words(),
            &silence(1_500),
        ],
    );
    assert!(heard(&outputs).wake.is_some());
    // The same words without it are an answer.
    listener.listen_for_reply(8_000);
    let outputs = play(
        &mut listener,
        &[&silence(500), &place.words(), &silence(1_500)],
    );
    let Some((_, Output::Reply(heard))) = outputs.last() else {
        panic!("{outputs:?}");
    };
    assert!(!matches!(
        heard.understanding.verdict,
        Verdict::Emergency { .. }
    ));
}

#[test]
fn a_recogniser_that_is_missing_confirms_nothing_and_does_not_complain() {
    let Some(place) = place() else { return };
    let broken = ListenModels {
        wake: wake_model(&place.models),
        recogniser: Box::new(|| Err(VocabularyError::TooFew(0).into())),
    };
    let mut config = ListenConfig::new(Country::UnitedStates);
    config.wake.cutoff = 1.0;
    let mut listener = Listener::new(broken, config).unwrap();
    let outputs = play(
        &mut listener,
        &[
            &silence(1_000),
            &place.word(),
            &place.words(),
            &silence(1_500),
        ],
    );
    assert!(outputs.is_empty(), "{outputs:?}");
}

#[test]
fn the_sound_before_it_is_handed_out_with_the_wake_word() {
    let Some(place) = place() else { return };
    let mut listener = place.doubtful();
    let sound = [
        &silence(3_500)[..],
        &place.word(),
        &place.words(),
        &silence(1_500),
    ]
    .concat();
    let mut before = None;
    let mut start = None;
    for chunk in sound.chunks(160) {
        listener.handle_samples(chunk);
        while let Some(output) = listener.poll_output() {
            match output {
                Output::Wake(_) => before = listener.take_before_wake(),
                Output::Understood(heard) => start = Some(heard.start),
                _ => {}
            }
        }
    }
    let (first, samples) = before.expect("it woke");
    assert_eq!(first.plus(samples.len() as u64), start.unwrap());
    assert!(samples.len() > 8_000, "{}", samples.len());
    let from = first.0 as usize;
    assert_eq!(samples[..], sound[from..from + samples.len()]);
    assert!(listener.take_before_wake().is_none(), "once");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]
    /// The pieces in which the sound comes decide nothing.
    #[test]
    fn pieces_of_any_size_give_the_same_outputs(sizes in prop::collection::vec(1_usize..5_000, 1..40)) {
        let Some(place) = place() else { return Ok(()) };
        let sound = [&silence(900)[..], &place.word(), &place.words(), &silence(2_000)].concat();
        let run = |sizes: &[usize]| {
            let mut listener = place.doubtful();
            let (mut outputs, mut rest, mut turn) = (Vec::new(), &sound[..], 0);
            while !rest.is_empty() {
                let (now, later) = rest.split_at(sizes[turn % sizes.len()].min(rest.len()));
                (rest, turn) = (later, turn + 1);
                listener.handle_samples(now);
                outputs.extend(std::iter::from_fn(|| listener.poll_output()).map(|o| format!("{o:?}")));
            }
            outputs
        };
        let whole = run(&[160]);
        prop_assert!(whole.iter().any(|o| o.starts_with("Understood")), "{whole:?}");
        prop_assert_eq!(run(&sizes), whole);
    }
}
