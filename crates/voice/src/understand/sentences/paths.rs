//! Which letters may come next: the program and the names of a house as one automaton, made while it is walked.
//!
//! ```text
//! "turnonthek" ─► places in the templates where these letters may end ─► "i" ─► fewer places ─► … ─► a sentence may end
//! ```
//! The recogniser's decoder is led along it ([`super::super::steered`]). Only letters of a word and digits count: case,
//! spaces and marks are as the recogniser pleases. It lets through a little more than the program reads (circumstances
//! are not looked at, nor where words end), so what comes out is read again by [`Program::recognise`].
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::program::{ListBody, Op, Program, Values};
use super::recognise::Lists;
use super::trie::Trie;

/// Most places of one set: a program with more is not walked any further there.
const PLACES_MAX: usize = 100_000;
/// Places remembered in all sets together; beyond it everything but the start is forgotten.
const REMEMBERED_MAX: usize = 1_000_000;
/// Largest number in digits.
const NUMBER_MAX: u32 = 99_999;

/// A set of places that is reached by the same letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::understand) struct Spot(u32);

/// Where a sentence may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Place {
    pc: u32,
    frame: u32,
    within: Within,
}

/// How far into an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Within {
    /// The next letter of a text is `chars[at]`.
    Text(u32),
    /// At a node of the list's tree.
    List(u32),
    /// At a node of the tree of number words.
    Spelled(u32),
    /// Behind digits that make this number; `None` before the first.
    Digits(Option<u32>),
    /// In free words, or before their first letter.
    Free { begun: bool },
    /// Behind the sentence.
    End,
    /// At a node of the tree of plain sentences.
    Plain(u32),
}

/// The automaton, as far as it was walked.
#[derive(Debug)]
pub(in crate::understand) struct Paths {
    program: Arc<Program>,
    lists: Lists,
    plain: Trie,
    /// Where a rule goes back to, and the frame around it; frame 0 is the template itself.
    frames: Vec<(u32, u32)>,
    frame_numbers: HashMap<(u32, u32), u32>,
    sets: Vec<Vec<Place>>,
    numbers: HashMap<Vec<Place>, Spot>,
    next: HashMap<(Spot, u8, bool), Option<Spot>>,
    remembered: usize,
}

impl Paths {
    /// The sentences of a program with the names of a house, and `plain` sentences beside them.
    pub(in crate::understand) fn new(
        program: Arc<Program>,
        lists: Lists,
        plain: impl IntoIterator<Item = String>,
    ) -> Self {
        let plain = plain
            .into_iter()
            .map(|text| (text.chars().filter_map(letter).map(char::from).collect(), 0));
        let mut paths = Self {
            plain: Trie::new(plain),
            program,
            lists,
            frames: Vec::new(),
            frame_numbers: HashMap::new(),
            sets: Vec::new(),
            numbers: HashMap::new(),
            next: HashMap::new(),
            remembered: 0,
        };
        paths.begin();
        paths
    }

    /// Where every sentence begins.
    pub(in crate::understand) fn start(&self) -> Spot {
        Spot(0)
    }

    /// Whether a sentence may end here.
    pub(in crate::understand) fn ends(&self, spot: Spot) -> bool {
        let set = self.sets.get(spot.0 as usize);
        set.is_some_and(|set| set.iter().any(|place| place.within == Within::End))
    }

    /// Whether any words may stand here.
    pub(in crate::understand) fn is_free(&self, spot: Spot) -> bool {
        let set = self.sets.get(spot.0 as usize);
        set.is_some_and(|set| {
            set.iter()
                .any(|place| matches!(place.within, Within::Free { .. }))
        })
    }

    /// The spot behind some letters and digits (small ones), if any sentence goes on so. `begins` when they begin a word:
    /// free words begin nowhere else.
    pub(in crate::understand) fn next(
        &mut self,
        spot: Spot,
        letters: &[u8],
        mut begins: bool,
    ) -> Option<Spot> {
        let mut at = spot;
        for &letter in letters {
            at = match self.next.get(&(at, letter, begins)) {
                Some(known) => *known,
                None => {
                    let next = self.step(at, letter, begins);
                    self.next.insert((at, letter, begins), next);
                    next
                }
            }?;
            begins = false;
        }
        Some(at)
    }

    /// Lets go of what was walked, when that is much. No spot but the start may be held over it.
    pub(in crate::understand) fn rest(&mut self) {
        if self.remembered > REMEMBERED_MAX {
            self.begin();
        }
    }

    fn begin(&mut self) {
        self.frames.clear();
        self.frame_numbers.clear();
        self.sets.clear();
        self.numbers.clear();
        self.next.clear();
        self.remembered = 0;
        if self.program.dense {
            self.keep(Vec::new());
            return;
        }
        let mut open = Opening::default();
        let program = Arc::clone(&self.program);
        for template in &program.templates {
            self.open(&program, template.start, 0, &mut open);
        }
        // A sentence that begins with free words may begin with anything: the sound would lead nowhere.
        open.places
            .retain(|place| !matches!(place.within, Within::Free { .. }));
        open.places.push(Place {
            pc: 0,
            frame: 0,
            within: Within::Plain(0),
        });
        self.keep(open.places);
    }

    fn keep(&mut self, mut places: Vec<Place>) -> Option<Spot> {
        places.sort_unstable();
        places.dedup();
        if let Some(&known) = self.numbers.get(&places) {
            return Some(known);
        }
        if self.remembered > 4 * REMEMBERED_MAX {
            // One sentence has led to so much: it goes no further.
            return None;
        }
        let spot = Spot(u32::try_from(self.sets.len()).ok()?);
        self.remembered += 2 * places.len();
        self.numbers.insert(places.clone(), spot);
        self.sets.push(places);
        Some(spot)
    }

    fn step(&mut self, spot: Spot, letter: u8, begins: bool) -> Option<Spot> {
        let program = Arc::clone(&self.program);
        let set = std::mem::take(self.sets.get_mut(spot.0 as usize)?);
        let mut open = Opening::default();
        for place in &set {
            if place.within == (Within::Free { begun: false }) && !begins {
                continue;
            }
            self.advance(&program, *place, letter, &mut open);
            if open.places.len() > PLACES_MAX {
                break;
            }
        }
        if let Some(held) = self.sets.get_mut(spot.0 as usize) {
            *held = set;
        }
        (!open.places.is_empty())
            .then(|| self.keep(open.places))
            .flatten()
    }

    fn advance(&mut self, program: &Program, place: Place, letter: u8, out: &mut Opening) {
        let Place { pc, frame, within } = place;
        let place = |within| Place { pc, frame, within };
        match within {
            Within::Text(at) => {
                let Some(&Op::Text {
                    at: from, length, ..
                }) = program.ops.get(pc as usize)
                else {
                    return;
                };
                let end = from + u32::from(length);
                if program
                    .chars
                    .get(at as usize)
                    .and_then(|&c| self::letter(c))
                    != Some(letter)
                {
                    return;
                }
                match next_letter(program, at + 1, end) {
                    Some(at) => out.places.push(place(Within::Text(at))),
                    None => self.open(program, pc + 1, frame, out),
                }
            }
            Within::List(node) => {
                let Some(values) = self.values(program, pc) else {
                    return;
                };
                let mut ends = false;
                for node in below(&values.trie, node, letter) {
                    ends |= !values.trie.ends(node).is_empty();
                    out.places.push(place(Within::List(node)));
                }
                if ends {
                    self.open(program, pc + 1, frame, out);
                }
            }
            Within::Spelled(node) => {
                let Some(trie) = spelled(program, pc) else {
                    return;
                };
                let mut ends = false;
                for node in below(trie, node, letter) {
                    ends |= !trie.ends(node).is_empty();
                    out.places.push(place(Within::Spelled(node)));
                }
                if ends {
                    self.open(program, pc + 1, frame, out);
                }
            }
            Within::Digits(before) => {
                if !letter.is_ascii_digit() {
                    return;
                }
                let number = before.unwrap_or(0) * 10 + u32::from(letter - b'0');
                if number > NUMBER_MAX {
                    return;
                }
                out.places.push(place(Within::Digits(Some(number))));
                if let Some(&Op::List { list, .. }) = program.ops.get(pc as usize)
                    && let Some((_, ListBody::Range(range))) = program.lists.get(list as usize)
                    && range.holds(f64::from(number))
                {
                    self.open(program, pc + 1, frame, out);
                }
            }
            Within::Free { .. } => {
                out.places.push(place(Within::Free { begun: true }));
                self.open(program, pc + 1, frame, out);
            }
            Within::End => {}
            Within::Plain(node) => {
                if let Some(node) = self.plain.step(node, char::from(letter)) {
                    out.places.push(place(Within::Plain(node)));
                    if !self.plain.ends(node).is_empty() {
                        out.places.push(place(Within::End));
                    }
                }
            }
        }
    }

    /// The values of the list at an operation: the house's own go before the language's.
    fn values<'a>(&'a self, program: &'a Program, pc: u32) -> Option<&'a Values> {
        let &Op::List { list, .. } = program.ops.get(pc as usize)? else {
            return None;
        };
        let (name, body) = program.lists.get(list as usize)?;
        match self.lists.body(name).unwrap_or(body) {
            ListBody::Values(values) => Some(values),
            _ => None,
        }
    }

    /// Goes on without a letter, up to every place that wants one.
    fn open(&mut self, program: &Program, pc: u32, frame: u32, out: &mut Opening) {
        let mut todo = vec![(pc, frame)];
        while let Some((pc, frame)) = todo.pop() {
            if out.places.len() > PLACES_MAX || !out.seen.insert((pc, frame)) {
                continue;
            }
            let place = |within| Place { pc, frame, within };
            match program.ops.get(pc as usize).copied() {
                Some(Op::Jump(to)) => todo.push((to, frame)),
                Some(Op::Call(to)) => todo.push((to, self.frame(pc + 1, frame))),
                Some(Op::Return) => {
                    let back = (frame as usize).checked_sub(1);
                    if let Some(&(back, around)) = back.and_then(|at| self.frames.get(at)) {
                        todo.push((back, around));
                    }
                }
                Some(Op::Text { at, length, .. }) => {
                    match next_letter(program, at, at + u32::from(length)) {
                        Some(at) => out.places.push(place(Within::Text(at))),
                        None => todo.push((pc + 1, frame)),
                    }
                }
                Some(Op::Fork { first, count }) => {
                    let range = first as usize..first as usize + count as usize;
                    let targets = program.targets.get(range).unwrap_or_default();
                    todo.extend(targets.iter().map(|&target| (target, frame)));
                }
                Some(Op::List { list, .. }) => {
                    let Some((name, body)) = program.lists.get(list as usize) else {
                        continue;
                    };
                    match self.lists.body(name).unwrap_or(body) {
                        ListBody::Values(_) => out.places.push(place(Within::List(0))),
                        ListBody::Range(_) => {
                            out.places.push(place(Within::Digits(None)));
                            if spelled(program, pc).is_some() {
                                out.places.push(place(Within::Spelled(0)));
                            }
                        }
                        ListBody::Wildcard => out.places.push(place(Within::Free { begun: false })),
                        ListBody::House => {}
                    }
                }
                Some(Op::Match) => out.places.push(place(Within::End)),
                None => {}
            }
        }
    }

    fn frame(&mut self, back: u32, around: u32) -> u32 {
        let frames = &mut self.frames;
        *self.frame_numbers.entry((back, around)).or_insert_with(|| {
            frames.push((back, around));
            frames.len() as u32
        })
    }
}

/// Places on their way, and what was gone through without a letter.
#[derive(Default)]
struct Opening {
    places: Vec<Place>,
    seen: HashSet<(u32, u32)>,
}

/// A letter or digit as the walk compares it; nothing for spaces and marks.
fn letter(c: char) -> Option<u8> {
    c.is_ascii_alphanumeric()
        .then(|| c.to_ascii_lowercase() as u8)
}

/// The next letter or digit in `chars[from..to]`. A letter that is not ASCII stands in its own way.
fn next_letter(program: &Program, from: u32, to: u32) -> Option<u32> {
    let chars = program.chars.get(from as usize..to as usize)?;
    let at = chars.iter().position(|c| c.is_alphanumeric())?;
    Some(from + at as u32)
}

/// The nodes that `letter` leads to below `node`, over spaces and marks.
fn below(trie: &Trie, node: u32, letter: u8) -> Vec<u32> {
    let mut out = Vec::new();
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        for &(has, child) in trie.children(node) {
            if self::letter(has) == Some(letter) {
                out.push(child);
            } else if !has.is_alphanumeric() {
                open.push(child);
            }
        }
    }
    out
}

/// The number words of the range at an operation.
fn spelled(program: &Program, pc: u32) -> Option<&Trie> {
    let &Op::List { list, .. } = program.ops.get(pc as usize)? else {
        return None;
    };
    let (_, ListBody::Range(range)) = program.lists.get(list as usize)? else {
        return None;
    };
    let tree = program.spelled.get(range.words? as usize)?;
    Some(&tree.trie)
}

#[cfg(test)]
mod tests {
    use super::super::{Grammar, House, NumberWords};
    use super::*;

    fn paths() -> Paths {
        let mut grammar = Grammar::new("en");
        grammar.add_yaml(
            "own.yaml",
            "intents:\n  A:\n    data:\n      - sentences: ['(turn|switch) on [the] {name}', 'set <it> to {n}[ ]%', \
             'play {w} in the {area}', \"what's on\"]\nlists:\n  w: {wildcard: true}\n  n: {range: {from: 0, to: 100}}\n\
             expansion_rules:\n  it: '[the] volume'\n",
        );
        let (program, complaints) = Program::compile(&grammar, &NumberWords::default());
        assert_eq!(complaints, []);
        let house = House::from_json(&serde_json::json!({
            "entities": [{"name": "Kitchen Light", "domain": "light"}], "areas": [{"name": "Living Room"}],
        }));
        let plain = ["hang up".to_owned(), "Call Anna's mobile".to_owned()];
        Paths::new(Arc::new(program), house.unwrap().lists(), plain)
    }

    fn walk(paths: &mut Paths, text: &str) -> Option<bool> {
        let mut spot = paths.start();
        for word in text.split(' ') {
            let letters: Vec<u8> = word.chars().filter_map(letter).collect();
            spot = paths.next(spot, &letters, true)?;
        }
        Some(paths.ends(spot))
    }

    #[test]
    fn letters_of_a_sentence_lead_to_its_end() {
        let mut paths = paths();
        for text in [
            "Turn on the kitchen light.",
            "switch on Kitchen Light",
            "Set volume to 50%.",
            "set the volume to 100 %",
            "Play some jazz, in the living room!",
            "What's on?",
            "Hang up.",
            "call Anna's mobile",
        ] {
            assert_eq!(walk(&mut paths, text), Some(true), "{text}");
            let half = &text[..text.len() / 2];
            assert_eq!(walk(&mut paths, half), Some(false), "{half}");
        }
    }

    #[test]
    fn letters_that_no_sentence_has_lead_nowhere() {
        let mut paths = paths();
        for text in [
            "turn off the kitchen light",
            "turn on the kitchen night",
            "call Bob",
            "what is on",
            "\u{e9}turn off",
        ] {
            assert_eq!(walk(&mut paths, text), None, "{text}");
        }
        // What has begun may go on, but it is no sentence.
        assert_eq!(walk(&mut paths, "set volume to 101%"), Some(false));
        assert_eq!(walk(&mut paths, "play in the"), Some(false));
        assert_eq!(walk(&mut paths, ""), Some(false));
    }

    #[test]
    fn what_was_walked_is_let_go_and_found_again() {
        let mut paths = paths();
        assert_eq!(walk(&mut paths, "hang up"), Some(true));
        paths.remembered = REMEMBERED_MAX + 1;
        paths.rest();
        assert!(paths.sets.len() == 1 && paths.remembered <= REMEMBERED_MAX);
        assert_eq!(walk(&mut paths, "hang up"), Some(true));
    }
}
