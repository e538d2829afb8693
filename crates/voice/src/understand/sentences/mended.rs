//! A second, tolerant pass: words that the recogniser wrote wrongly are taken for words of the language that sound or are
//! spelt alike, and what comes out is read by the same program.
//!
//! ```text
//! "turn on the kitchen night" ─► night: light 0.2, right 0.3 … ─► cheapest changes first ─► Program ─► readings
//! ```
//! Bounded in every way: few changes, few candidates for a word, few sentences. A word that turns the meaning ("don't",
//! "off") is neither changed nor made. No word is left out and none is added.
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashSet};

use super::datum::Datum;
use super::program::Program;
use super::recognise::{Lists, Recognition};
use super::text::{fold, normal};
use super::vocabulary::{Vocabulary, Word};

/// Longest sentence that is mended, in words.
const WORDS_MAX: usize = 14;
/// Shortest: one word alone sounds like too much.
const WORDS_MIN: usize = 2;
/// Most words that are changed.
const CHANGES_MAX: usize = 2;
/// Candidates for one word.
const CANDIDATES_MAX: usize = 4;
/// Sentences that are read.
const SENTENCES_MAX: usize = 48;
/// Most that a change may cost.
const CHANGE_MAX: f32 = 0.34;
/// Most that all changes may cost.
const COST_MAX: f32 = 0.5;
/// What two words that were written as one cost, or one as two.
const JOINT: f32 = 0.12;
/// A reading this much dearer than the best one is no rival.
pub(super) const MARGIN: f32 = 0.12;

/// Words that make a sentence another one: they are not changed and none becomes one of them.
const TURNING: &str = "don't dont not never no nobody none did didn't do does doesn't why how when what what's who who's \
    whom whose where where's which should shall if i i'll i've i'm he she they we you was were is are has have had said \
    says told would won't can't cannot can could will stop off on up down unless until open close opened closed start \
    cancel lock unlock mute unmute pause resume increase decrease raise lower";

/// A reading of changed words.
#[derive(Debug, Clone, PartialEq)]
pub struct Mended {
    /// The words that were read.
    pub said: String,
    /// How far they are from what was said: 0 is the same, at most 0.5.
    pub cost: f32,
    /// What they mean.
    pub meant: Recognition,
}

/// A sentence with some changes.
#[derive(Debug, PartialEq)]
struct Change {
    cost: f32,
    /// Which alternative of each place.
    chosen: Vec<u8>,
}

impl Eq for Change {}

impl PartialOrd for Change {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Change {
    /// The cheapest is the greatest: a heap gives it first.
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .cost
            .total_cmp(&self.cost)
            .then_with(|| other.chosen.cmp(&self.chosen))
    }
}

impl Program {
    /// What a sentence may mean that is read as it stands by nothing: the cheapest reading and, behind it, those that
    /// mean something else and are not much dearer. Empty when nothing is near.
    #[must_use]
    pub fn mend(
        &self,
        said: &str,
        vocabulary: &Vocabulary,
        lists: &Lists,
        context: &[(String, Datum)],
    ) -> Vec<Mended> {
        let letters: Vec<char> = normal(said).into_iter().map(fold).collect();
        let text: String = letters.into_iter().collect();
        let words: Vec<&str> = text.split_whitespace().collect();
        if !(WORDS_MIN..=WORDS_MAX).contains(&words.len()) || self.dense {
            return Vec::new();
        }
        let places: Vec<Vec<(String, f32)>> = (0..words.len())
            .map(|at| alternatives(&words, at, vocabulary))
            .collect();
        let mut heap = BinaryHeap::from([Change {
            cost: 0.0,
            chosen: vec![0; words.len()],
        }]);
        let mut seen = HashSet::new();
        let mut found: Vec<Mended> = Vec::new();
        let mut read = 0;
        while let Some(change) = heap.pop() {
            let best = found.first().map_or(COST_MAX, |best| best.cost + MARGIN);
            if change.cost > best || read >= SENTENCES_MAX {
                break;
            }
            let changed = change.chosen.iter().filter(|&&one| one != 0).count();
            if changed > 0 {
                read += 1;
                let said = joined(&places, &change.chosen);
                let meant = self.recognise(&said, lists, context);
                if let Some(meant) = meant.filter(|meant| !swallows(meant, &said)) {
                    let same = |other: &Mended| {
                        other.meant.intent == meant.intent && other.meant.slots == meant.slots
                    };
                    if !found.iter().any(same) {
                        let cost = change.cost;
                        found.push(Mended { said, cost, meant });
                    }
                }
            }
            if changed >= CHANGES_MAX {
                continue;
            }
            for (at, place) in places.iter().enumerate() {
                if change.chosen[at] != 0 {
                    continue;
                }
                for (number, (_, cost)) in place.iter().enumerate().skip(1) {
                    let mut chosen = change.chosen.clone();
                    chosen[at] = number as u8;
                    let cost = change.cost + cost;
                    if cost <= COST_MAX && seen.insert(chosen.clone()) {
                        heap.push(Change { cost, chosen });
                    }
                }
            }
        }
        found
    }
}

/// Whether half of what was said or more went into free words: then the template says too little about it.
fn swallows(meant: &Recognition, said: &str) -> bool {
    2 * free_words(meant) >= said.split_whitespace().count()
}

/// How many words of a sentence went where any words may stand.
pub(in crate::understand) fn free_words(meant: &Recognition) -> usize {
    use super::recognise::SlotFrom;
    let slots = meant
        .slots
        .iter()
        .filter(|slot| slot.from == SlotFrom::Words)
        .map(|slot| &slot.said);
    let captures = meant.captures.iter().map(|(_, said)| said);
    slots
        .chain(captures)
        .map(|said| said.split_whitespace().count())
        .sum()
}

/// An empty alternative stands for a word that was joined to the one before.
fn joined(places: &[Vec<(String, f32)>], chosen: &[u8]) -> String {
    let mut out: Vec<&str> = Vec::new();
    let mut skip = false;
    for (place, &number) in places.iter().zip(chosen) {
        let Some((text, _)) = place.get(number as usize) else {
            continue;
        };
        if skip {
            skip = false;
            continue;
        }
        // A joint with the next word ends with the mark of it.
        match text.strip_suffix('\u{2040}') {
            Some(text) => {
                out.push(text);
                skip = true;
            }
            None => out.push(text),
        }
    }
    out.join(" ")
}

fn is_turning(word: &str) -> bool {
    TURNING.split_whitespace().any(|known| known == word)
}

/// The word itself, then what else it may be, the nearest first.
fn alternatives(words: &[&str], at: usize, vocabulary: &Vocabulary) -> Vec<(String, f32)> {
    let word = words[at];
    let mut out = vec![(word.to_owned(), 0.0)];
    let has_digit = word.chars().any(|letter| letter.is_ascii_digit());
    if is_turning(word) || has_digit {
        return out;
    }
    if word == "of" && vocabulary.knows("off") {
        // The one that recognisers write most, and nothing else is meant by it behind "turn".
        out.push(("off".into(), 0.1));
        return out;
    }
    let letters: Vec<char> = word.chars().collect();
    if letters.len() >= 3 {
        let sounds = super::super::names::Sounds::of(word);
        let mut near: Vec<(&Word, f32)> = vocabulary
            .words()
            .iter()
            .filter(|known| known.text != word && known.letters.len() >= 2)
            .filter_map(|known| {
                let cost = unlike(&letters, &sounds, known);
                (cost <= CHANGE_MAX).then_some((known, cost))
            })
            .filter(|(known, _)| !is_turning(&known.text))
            .collect();
        near.sort_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.text.cmp(&b.0.text)));
        near.truncate(CANDIDATES_MAX);
        out.extend(
            near.into_iter()
                .map(|(known, cost)| (known.text.clone(), cost)),
        );
    }
    if let Some(next) = words.get(at + 1) {
        let both = format!("{word}{next}");
        if !is_turning(next) && vocabulary.knows(&both) {
            out.push((format!("{both}\u{2040}"), JOINT));
        }
    }
    // Two words written as one: each half is a word of the language.
    for cut in 3..letters.len().saturating_sub(2) {
        let (first, second): (String, String) = (
            letters[..cut].iter().collect(),
            letters[cut..].iter().collect(),
        );
        if vocabulary.knows(&first) && vocabulary.knows(&second) && !is_turning(&second) {
            out.push((format!("{first} {second}"), JOINT));
        }
    }
    out
}

/// How unlike two words are, by sound or by letters, the nearer: 0 is the same.
fn unlike(letters: &[char], sounds: &super::super::names::Sounds, known: &Word) -> f32 {
    let longest = letters.len().max(known.letters.len());
    let apart = letters.len().abs_diff(known.letters.len());
    if apart > 3 {
        return f32::INFINITY;
    }
    let heard = sounds.unlikeness(&known.sounds);
    if longest < 4 || apart > 2 {
        // So few letters are alike by chance: only what sounds the same counts.
        return if heard <= 0.05 { 0.1 } else { f32::INFINITY };
    }
    let spelt = distance(letters, &known.letters) as f32 / longest as f32;
    heard.max(0.05).min(spelt * 1.2)
}

/// Levenshtein's distance.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
