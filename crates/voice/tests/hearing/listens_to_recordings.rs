//! The whole pipeline on real sound: wake word, words, silence, gaps, replies.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files and may fail"
)]
use hearthline_voice::listen::{
    EndReason, Heard, ListenConfig, ListenModels, Listener, Mode, Output,
};
use hearthline_voice::understand::Country;
use hearthline_voice::understand::judge::Verdict;
use std::path::{Path, PathBuf};

/// Real "alexa" recordings, shortest first.
fn wakes(recordings: &Path) -> Vec<PathBuf> {
    let manifest = std::fs::read_to_string(recordings.join("wake/manifest.jsonl")).unwrap();
    let mut all: Vec<(f64, PathBuf)> = manifest
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|e| e["keyword"] == "alexa" && e["path"].as_str().unwrap().ends_with("flac"))
        .map(|e| {
            (
                e["seconds"].as_f64().unwrap(),
                recordings.join("wake").join(e["path"].as_str().unwrap()),
            )
        })
        .collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all.into_iter().map(|w| w.1).collect()
}

/// The sound that wakes the listener, found by trying: the test is about what follows.
fn waking(models: &Path, recordings: &Path) -> Vec<i16> {
    let try_it = |sound: &Vec<i16>| {
        let mut listener = crate::support::listener(models);
        play(&mut listener, &[&silence(1000), sound, &silence(500)])
            .iter()
            .any(|o| matches!(o, Output::Wake(_)))
    };
    wakes(recordings)
        .iter()
        .take(20)
        .map(|path| crate::support::flac(path))
        .find(try_it)
        .expect("one of 20 recordings wakes it")
}

/// A quiet room.
fn silence(ms: usize) -> Vec<i16> {
    (0..ms * 16)
        .map(|i| ((i as u32).wrapping_mul(2_654_435_761) >> 29) as i16 - 4)
        .collect()
}

fn play(listener: &mut Listener, parts: &[&[i16]]) -> Vec<Output> {
    let mut outputs = Vec::new();
    for chunk in parts.concat().chunks(320) {
        listener.handle_samples(chunk);
        outputs.extend(std::iter::from_fn(|| listener.poll_output()));
    }
    outputs
}

fn understood(outputs: Vec<Output>) -> Heard {
    let mut all: Vec<Heard> = outputs
        .into_iter()
        .filter_map(|o| match o {
            Output::Understood(heard) | Output::Reply(heard) => Some(*heard),
            Output::Failed(error) => panic!("{error}"),
            _ => None,
        })
        .collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn the_wake_word_alone_ends_with_no_speech() {
    let (Some(models), Some(recordings)) = (crate::support::models(), crate::support::recordings())
    else {
        return;
    };
    let wake = waking(&models, &recordings);
    let mut listener = crate::support::listener(&models);
    let outputs = play(&mut listener, &[&silence(1000), &wake, &silence(6500)]);
    assert!(
        matches!(outputs.first(), Some(Output::Wake(w)) if w.keyword == "alexa"),
        "{outputs:?}"
    );
    assert!(
        matches!(outputs.last(), Some(Output::NoSpeech { .. })),
        "{outputs:?}"
    );
    assert_eq!(listener.mode(), Mode::WaitingForWake);
}

#[test]
fn real_words_behind_the_wake_word_are_understood_and_do_not_call() {
    let (Some(models), Some(recordings)) = (crate::support::models(), crate::support::recordings())
    else {
        return;
    };
    let wake = waking(&models, &recordings);
    let words = crate::support::flac(&recordings.join("asr/libri_367-130732-0000.flac"));
    for pause_ms in [0, 400] {
        let mut listener = crate::support::listener(&models);
        let heard = understood(play(
            &mut listener,
            &[
                &silence(1000),
                &wake,
                &silence(pause_ms),
                &words,
                &silence(1500),
            ],
        ));
        let text = heard.understanding.transcript.text.to_lowercase();
        println!("{text}");
        assert!(text.split_whitespace().count() >= 3, "{text}");
        assert!(
            !matches!(
                heard.understanding.verdict,
                Verdict::Emergency { .. } | Verdict::Ask { .. }
            ),
            "{heard:?}"
        );
        let wake = heard.wake.expect("it began with the wake word");
        assert!(
            heard.start < wake.at && wake.at < heard.speech_end && heard.speech_end < heard.decided
        );
        assert_eq!(
            heard.sound.len() as u64,
            heard.decided.since(heard.start),
            "nothing of the segment is trimmed"
        );
    }
}

#[test]
fn the_same_recording_gives_the_same_outputs_in_pieces_of_any_size() {
    let (Some(models), Some(recordings)) = (crate::support::models(), crate::support::recordings())
    else {
        return;
    };
    let wake = waking(&models, &recordings);
    let words = crate::support::flac(&recordings.join("digits/so762_000010035.flac"));
    let all = [silence(900), wake, words, silence(2000)].concat();
    let run = |size: usize| {
        let mut listener = crate::support::listener(&models);
        let mut outputs = Vec::new();
        for chunk in all.chunks(size) {
            listener.handle_samples(chunk);
            outputs.extend(std::iter::from_fn(|| listener.poll_output()).map(|o| format!("{o:?}")));
        }
        outputs
    };
    let small = run(97);
    assert!(
        small.iter().any(|o| o.starts_with("Understood")),
        "{small:?}"
    );
    assert_eq!(small, run(4096));
}

#[test]
fn speech_without_the_wake_word_gives_nothing() {
    let (Some(models), Some(recordings)) = (crate::support::models(), crate::support::recordings())
    else {
        return;
    };
    let mut listener = crate::support::listener(&models);
    let words = crate::support::flac(&recordings.join("asr/libri_1998-15444-0003.flac"));
    assert!(play(&mut listener, &[&words, &silence(1000)]).is_empty());
}

#[test]
fn an_answer_counts_without_the_wake_word_and_never_calls() {
    let (Some(models), Some(recordings)) = (crate::support::models(), crate::support::recordings())
    else {
        return;
    };
    let mut listener = crate::support::listener(&models);
    // "nine one one" by a real child, with no verb.
    let words = crate::support::flac(&recordings.join("digits/so762_000010035.flac"));
    play(&mut listener, &[&silence(1000)]);
    listener.listen_for_reply(8000);
    assert_eq!(listener.mode(), Mode::AwaitingReply);
    let heard = understood(play(
        &mut listener,
        &[&silence(1200), &words, &silence(1500)],
    ));
    assert_eq!(heard.wake, None);
    assert!(
        !matches!(heard.understanding.verdict, Verdict::Emergency { .. }),
        "{heard:?}"
    );
    assert_eq!(
        heard.understanding.evidence.mass.order,
        f32::NEG_INFINITY,
        "nobody asked how much it sounds like an order"
    );
    assert_eq!(listener.mode(), Mode::WaitingForWake);
}

#[test]
fn no_answer_ends_after_the_time_given() {
    let Some(models) = crate::support::models() else {
        return;
    };
    for ms in [1000, 7000] {
        let mut listener = crate::support::listener(&models);
        listener.listen_for_reply(ms);
        let outputs = play(&mut listener, &[&silence(ms as usize + 500)]);
        assert!(
            matches!(outputs[..], [Output::NoSpeech { at }] if at.0.abs_diff(u64::from(ms) * 16) < 1600),
            "{outputs:?}"
        );
    }
}

#[test]
fn a_gap_or_the_end_of_the_sound_ends_the_sentence_with_what_there_is() {
    let (Some(models), Some(recordings)) = (crate::support::models(), crate::support::recordings())
    else {
        return;
    };
    let wake = waking(&models, &recordings);
    let words = crate::support::flac(&recordings.join("asr/libri_367-130732-0000.flac"));
    for gap in [true, false] {
        let mut listener = crate::support::listener(&models);
        let mut outputs = play(
            &mut listener,
            &[&silence(1000), &wake, &words[..words.len() / 2]],
        );
        if gap {
            listener.handle_lost(16_000);
        } else {
            listener.handle_end();
        }
        outputs.extend(std::iter::from_fn(|| listener.poll_output()));
        let heard = understood(outputs);
        assert_eq!(heard.reason, EndReason::Cut);
        assert_eq!(listener.mode(), Mode::WaitingForWake);
    }
}

#[test]
fn missing_models_are_said_once_there_is_something_to_understand() {
    let (Some(models), Some(recordings)) = (crate::support::models(), crate::support::recordings())
    else {
        return;
    };
    let wake = waking(&models, &recordings);
    let words = crate::support::flac(&recordings.join("digits/so762_000010035.flac"));
    let missing = || Err(hearthline_voice::transcribe::VocabularyError::TooFew(0).into());
    let bytes = std::fs::read(models.join("pymicro-wakeword-2.5.0/alexa.tflite")).unwrap();
    let broken = ListenModels {
        wake: bytes,
        recogniser: Box::new(missing),
    };
    let mut listener = Listener::new(broken, ListenConfig::new(Country::UnitedStates)).unwrap();
    let outputs = play(
        &mut listener,
        &[&silence(1000), &wake, &words, &silence(1500)],
    );
    let failures = outputs
        .iter()
        .filter(|o| matches!(o, Output::Failed(_)))
        .count();
    assert_eq!(failures, 1, "{outputs:?}");
}
