//! The device asked something: an answer counts for its time and no longer, whatever else sounds in the room.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads files and may fail"
)]
use hearthline_voice::listen::{Listener, Mode, Output};

/// How long the answer is waited for, in milliseconds.
const ASKED_MS: u32 = 8_000;

fn quiet(ms: usize) -> Vec<i16> {
    (0..ms * 16)
        .map(|i| ((i as u32).wrapping_mul(2_654_435_761) >> 29) as i16 - 4)
        .collect()
}

fn play(listener: &mut Listener, sound: &[i16]) -> Vec<Output> {
    let mut outputs = Vec::new();
    for chunk in sound.chunks(160) {
        listener.handle_samples(chunk);
        while let Some(output) = listener.poll_output() {
            outputs.push(output);
        }
    }
    outputs
}

/// Short sounds of a home that are no words, from where they are loudest.
fn sounds() -> Option<Vec<(String, Vec<i16>)>> {
    let folder = crate::support::recordings()?.join("noise/esc10");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("sneeze") || name.contains("dog") || name.contains("baby"))
        .collect();
    names.sort();
    let read = |name: String| {
        let sound = crate::support::opus(&folder.join(&name));
        let loudest = (0..sound.len())
            .max_by_key(|i| sound[*i].unsigned_abs())
            .unwrap();
        let from = loudest.saturating_sub(3_200);
        let to = (from + 9_600).min(sound.len());
        (name, sound[from..to].to_vec())
    };
    Some(names.into_iter().map(read).collect())
}

#[test]
fn a_cough_does_not_keep_the_ear_open() {
    let (Some(models), Some(sounds)) = (crate::support::models(), sounds()) else {
        return;
    };
    assert!(!sounds.is_empty());
    let mut listener = crate::support::listener(&models);
    for (name, sound) in sounds {
        listener.listen_for_reply(ASKED_MS);
        let mut outputs = play(&mut listener, &quiet(1_000));
        outputs.extend(play(&mut listener, &sound));
        outputs.extend(play(&mut listener, &quiet(30_000)));
        assert_eq!(listener.mode(), Mode::WaitingForWake, "{name}: {outputs:?}");
        let ends = outputs
            .iter()
            .filter(|output| matches!(output, Output::NoSpeech { .. } | Output::Reply(_)))
            .count();
        assert_eq!(ends, 1, "{name}: {outputs:?}");
    }
}

#[test]
fn behind_a_cough_the_answer_is_still_heard() {
    let (Some(models), Some(sounds), Some(recordings)) = (
        crate::support::models(),
        sounds(),
        crate::support::recordings(),
    ) else {
        return;
    };
    let words = crate::support::flac(&recordings.join("digits/so762_000010035.flac"));
    let mut listener = crate::support::listener(&models);
    let mut alone = None;
    let mut same = 0;
    let mut bursts: Vec<(String, Vec<i16>)> = sounds;
    bursts.insert(0, ("nothing".to_owned(), quiet(700)));
    for (name, sound) in bursts {
        listener.stop_listening();
        listener.listen_for_reply(ASKED_MS);
        let mut outputs = play(&mut listener, &quiet(500));
        outputs.extend(play(&mut listener, &sound));
        outputs.extend(play(&mut listener, &quiet(2_500)));
        let answered = outputs.iter().any(|o| matches!(o, Output::Reply(_)));
        if answered {
            continue; // It was taken for words.
        }
        outputs = play(&mut listener, &words);
        outputs.extend(play(&mut listener, &quiet(1_500)));
        let [.., Output::Reply(heard)] = &outputs[..] else {
            panic!("{name}: {outputs:?}");
        };
        let text = heard.understanding.transcript.text.clone();
        same += usize::from(alone.get_or_insert(text.clone()) == &text);
    }
    assert!(same > 1, "some sound was heard as no word at all");
}
