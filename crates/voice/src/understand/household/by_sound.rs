//! Sentences that the recogniser wrote in other words, known by their sound: "block this collar", "and the call",
//! "Colanna".
//!
//! Only what the sentences themselves do not hold comes here, in few words, and without a word that would make it
//! something else: no sound turns "don't hang up" into "hang up".
use std::collections::BTreeMap;

use super::super::names::Sounds;
use super::super::reading::Intent;
use super::super::words::Word;
use super::guard::guard;
use super::known::KnownNames;
use super::sentences::sentences;

/// A text this near to a sentence by sound is taken for it.
const NEAR_MAX: f32 = 0.17;
/// A sentence of another intent must be this much further away.
const APART_MIN: f32 = 0.05;
/// Fewest sounds that tell a sentence from others.
const SOUNDS_MIN: usize = 6;
/// Most words that are compared.
const WORDS_MAX: usize = 8;

/// Words in front and behind that are not compared.
const PADDING: &str = "alexa alexia alexis computer echo hearth please okay ok hey now thanks";

/// Words that make a sentence another one, however it sounds: they stand in both or in neither.
const TURNING: &str = "don't dont not never no nobody did didn't do does doesn't why how when what who whom whose where \
    which should shall if i i'll i've he she they we you was were is are has have had said says told would won't can't \
    cannot stop off on up down unless until";

/// Words of our sentences, and what is often written for them.
const OURS: &str = "call calls called calling caller phone phoned ring rang bring bringing dial message messages \
    volume mute unmute announce announced forward forwarding voicemail hold press drop dropping disturb block decline \
    declined redial transfer transferred film form";

/// Those that may stand in an order as well.
const HARMLESS: [&str; 4] = ["off", "on", "up", "down"];

/// What a text means by its sound.
pub(super) fn by_sound(list: &[Word], names: Option<&KnownNames>) -> Option<Intent> {
    let words: Vec<&str> = list.iter().map(|word| word.text.as_str()).collect();
    let words = stripped(&words);
    if words.is_empty() || words.len() > WORDS_MAX {
        return None;
    }
    let said = Sounds::of(&words.join(" "));
    sentence(&said, words).or_else(|| call(&said, words, names?))
}

/// Whether a text is short and holds no word that makes a sentence another one.
pub(super) fn is_straight(list: &[Word]) -> bool {
    let words: Vec<&str> = list.iter().map(|word| word.text.as_str()).collect();
    let words = stripped(&words);
    let against = |word: &&str| {
        let asks_or_denies = TURNING.split_whitespace().any(|known| known == *word);
        asks_or_denies && !HARMLESS.contains(word)
    };
    !words.is_empty() && words.len() <= WORDS_MAX && !words.iter().any(against)
}

/// Whether a text comes near enough to a sentence of the household to look further: by a word or by its sound.
pub(super) fn is_near(list: &[Word]) -> bool {
    let words: Vec<&str> = list.iter().map(|word| word.text.as_str()).collect();
    let words = stripped(&words);
    let said = Sounds::of(&words.join(" "));
    let speaks_of = |word: &&str| OURS.split_whitespace().any(|known| known == *word);
    words.iter().any(speaks_of)
        || !said.behind_call().is_empty()
        || sentences()
            .spoken
            .iter()
            .any(|spoken| said.unlikeness(&spoken.sounds).is_finite())
}

/// The one sentence that sounds like it.
fn sentence(said: &Sounds, words: &[&str]) -> Option<Intent> {
    if said.count() < SOUNDS_MIN {
        return None;
    }
    let mut near: Vec<(f32, &Intent)> = sentences()
        .spoken
        .iter()
        .filter(|spoken| turns_alike(&spoken.text, words))
        .map(|spoken| (said.unlikeness(&spoken.sounds), &spoken.intent))
        .filter(|(cost, _)| *cost <= NEAR_MAX + APART_MIN)
        .collect();
    near.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let (best, intent) = near.first()?;
    let rival = near.iter().find(|(_, other)| other != intent);
    let apart = rival.is_none_or(|(cost, _)| *cost >= best + APART_MIN);
    (*best <= NEAR_MAX && apart).then(|| (*intent).clone())
}

/// "Call" and a name in one: "Colanna".
fn call(said: &Sounds, words: &[&str], names: &KnownNames) -> Option<Intent> {
    if !turns_alike("call", words) {
        return None;
    }
    let who = said
        .behind_call()
        .iter()
        .find_map(|rest| names.sounding(rest))?;
    let list = super::super::words::words(who);
    (!guard().names(&list, who)).then(|| Intent {
        name: "CallStart".to_owned(),
        slots: BTreeMap::from([("who".to_owned(), who.to_owned())]),
    })
}

fn turns_alike(sentence: &str, words: &[&str]) -> bool {
    let turning = |word: &&str| TURNING.split_whitespace().any(|known| known == *word);
    let of_sentence: Vec<&str> = sentence.split(' ').filter(turning).collect();
    let of_words: Vec<&str> = words.iter().copied().filter(turning).collect();
    of_sentence == of_words
}

fn stripped<'a, 'b>(mut words: &'a [&'b str]) -> &'a [&'b str] {
    let is_padding = |word: &str| PADDING.split(' ').any(|known| known == word);
    while let [first, rest @ ..] = words
        && is_padding(first)
    {
        words = rest;
    }
    while let [rest @ .., last] = words
        && is_padding(last)
    {
        words = rest;
    }
    words
}
