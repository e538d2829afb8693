//! How much of a sentence a recogniser still hears in what arrived.
use crate::speakers_call_each_other::transcribed;

/// What is listened to at once: 12 s, and the next begins 8 s later.
const WINDOW_SAMPLES: usize = 192_000;
const STEP_SAMPLES: usize = 128_000;

/// How much of what was said was understood: of its words, how many stand in the text.
pub(crate) fn words_of(said: &str, heard: &str) -> (usize, usize) {
    let plain = |text: &str| -> Vec<String> {
        let letters = |c: char| !c.is_alphanumeric();
        let words = text.to_lowercase();
        words
            .split(letters)
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let mut heard = plain(heard);
    let said = plain(said);
    let found = said.iter().filter(|word| {
        let at = heard.iter().position(|other| other == *word);
        at.map(|at| heard.remove(at)).is_some()
    });
    (found.count(), said.len())
}

/// More than half of its words must be understood, exactly as they were said, somewhere in the recording: a recogniser
/// also writes "soup" as "suit", and programs that share two cores with others leave gaps.
pub(crate) fn understood(what: &str, said: &str, sound: &[i16]) {
    let (_, all) = words_of(said, "");
    let (mut found, mut heard) = (0, String::new());
    for at in (0..sound.len()).step_by(STEP_SAMPLES) {
        let end = sound.len().min(at + WINDOW_SAMPLES);
        let text = transcribed(&sound[at..end]);
        let (here, _) = words_of(said, &text);
        if here > found {
            (found, heard) = (here, text);
        }
        if found == all {
            break;
        }
    }
    println!("{what}: {found} of {all} words: {heard}");
    assert!(found * 2 > all, "{what}: {said}: {heard}");
}
