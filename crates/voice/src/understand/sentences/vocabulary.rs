//! Every word that a compiled language can read: those of its templates, of its lists, and of the house.
//!
//! What the recogniser wrote wrongly is looked up here by letters and by sound ([`super::mended`]).
use std::collections::{BTreeSet, HashSet};

use super::super::names::Sounds;
use super::program::{ListBody, Op, Program};
use super::recognise::Lists;
use super::trie::Trie;

/// Most words; a house with more names than this is read as it is said only.
const WORDS_MAX: usize = 60_000;
/// Most steps through a program.
const STEPS_MAX: usize = 400_000;
/// Longest word, in letters.
const LETTERS_MAX: usize = 32;

/// One word.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) letters: Vec<char>,
    pub(super) sounds: Sounds,
}

/// The words of a language and a house.
#[derive(Debug, Default)]
pub struct Vocabulary {
    words: Vec<Word>,
}

impl Vocabulary {
    /// The words of `program` and of `lists`.
    #[must_use]
    pub fn new(program: &Program, lists: &Lists) -> Self {
        let mut out = BTreeSet::new();
        program.words(&mut out);
        let own = program.lists.iter().map(|(_, body)| body);
        for body in own.chain(lists.bodies()) {
            if let ListBody::Values(values) = body {
                values.trie.words(&mut out);
            }
        }
        for spelled in &program.spelled {
            spelled.trie.words(&mut out);
        }
        for word in &program.skip_words {
            add(&mut out, &mut word.iter().collect());
        }
        let words = out
            .into_iter()
            .take(WORDS_MAX)
            .map(|text| Word {
                letters: text.chars().collect(),
                sounds: Sounds::of(&text),
                text,
            })
            .collect();
        Self { words }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub(super) fn knows(&self, word: &str) -> bool {
        self.words
            .binary_search_by(|known| known.text.as_str().cmp(word))
            .is_ok()
    }

    pub(super) fn words(&self) -> &[Word] {
        &self.words
    }
}

/// Adds the letters gathered as a word.
fn add(out: &mut BTreeSet<String>, word: &mut String) {
    let is_word = word.chars().count() <= LETTERS_MAX && word.chars().any(char::is_alphabetic);
    if is_word && out.len() < WORDS_MAX {
        for part in word.split_whitespace() {
            out.insert(part.to_owned());
        }
    }
    word.clear();
}

fn in_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '\''
}

impl Program {
    /// Walks every way through the templates and gathers letters up to the next space. A rule begins and ends words: one
    /// that stands in the middle of a word gives two.
    fn words(&self, out: &mut BTreeSet<String>) {
        let mut seen: HashSet<(u32, String)> = HashSet::new();
        let starts = self.templates.iter().map(|template| template.start);
        let mut open: Vec<(u32, String)> = starts.map(|start| (start, String::new())).collect();
        let mut steps = 0;
        while let Some((mut pc, mut word)) = open.pop() {
            loop {
                steps += 1;
                if steps > STEPS_MAX {
                    return;
                }
                match self.ops.get(pc as usize).copied() {
                    Some(Op::Jump(to)) => {
                        if !seen.insert((to, word.clone())) {
                            break;
                        }
                        pc = to;
                    }
                    Some(Op::Call(to)) => {
                        if seen.insert((to, String::new())) {
                            open.push((to, String::new()));
                        }
                        add(out, &mut word);
                        pc += 1;
                    }
                    Some(Op::Text { at, length, .. }) => {
                        let letters = self.chars.get(at as usize..at as usize + length as usize);
                        for &letter in letters.unwrap_or_default() {
                            if in_word(letter) {
                                word.push(letter);
                            } else {
                                add(out, &mut word);
                            }
                        }
                        pc += 1;
                    }
                    Some(Op::Fork { first, count }) => {
                        let range = first as usize..first as usize + count as usize;
                        for &target in self.targets.get(range).unwrap_or_default() {
                            if seen.insert((target, word.clone())) {
                                open.push((target, word.clone()));
                            }
                        }
                        break;
                    }
                    Some(Op::List { .. }) => {
                        add(out, &mut word);
                        pc += 1;
                    }
                    Some(Op::Return | Op::Match) | None => {
                        add(out, &mut word);
                        break;
                    }
                }
            }
        }
    }
}

impl Trie {
    /// Every word of every text.
    fn words(&self, out: &mut BTreeSet<String>) {
        let mut seen: HashSet<(u32, String)> = HashSet::new();
        let mut open = vec![(0, String::new())];
        while let Some((node, word)) = open.pop() {
            if out.len() >= WORDS_MAX {
                return;
            }
            if !self.ends(node).is_empty() {
                add(out, &mut word.clone());
            }
            for &(letter, child) in self.children(node) {
                let mut longer = word.clone();
                if in_word(letter) {
                    longer.push(letter);
                } else {
                    add(out, &mut longer);
                }
                if longer.len() <= 4 * LETTERS_MAX && seen.insert((child, longer.clone())) {
                    open.push((child, longer));
                }
            }
        }
    }
}
