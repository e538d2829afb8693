//! One template against one sentence: every way in which it matches, the best of which is kept.
//!
//! The walk is depth first with a bound on its steps; a place that led nowhere is not entered again.
mod fill;

use std::collections::HashSet;

use super::context;
use super::datum::Datum;
use super::program::{BlockHead, ListBody, Op, Program};
use super::score::{Best, Score};
use super::text::{blank, trimmed};

/// Most steps for one template in one sentence.
const STEPS_MAX: u32 = 20_000;
/// From this many steps on, places that led nowhere are remembered.
const REMEMBERED_FROM: u32 = 200;
/// Deepest nesting of choices.
const DEPTH_MAX: u32 = 400;

/// A sentence as it was said and as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) letters: Vec<char>,
    pub(super) folded: Vec<char>,
}

/// What filled a slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Capture {
    pub(super) slot: u16,
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) value: Filled,
    /// For the response only.
    pub(super) response_only: bool,
}

/// With what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Filled {
    /// Value `1` of list `0`.
    Value(u16, u32),
    Number(f64),
    /// Free words.
    Words,
    /// Free words that still grow.
    Open {
        ends_word: bool,
    },
}

#[derive(Clone, Copy)]
struct State {
    at: u32,
    word_starts: bool,
    /// From here on hyphens are read as spaces.
    broken: bool,
    /// The last capture is [`Filled::Open`].
    open: bool,
    frame: u32,
    frames: u32,
    captures: u32,
    literal: u32,
}

#[derive(Clone, Copy)]
struct Frame {
    back: u32,
    parent: u32,
    hash: u64,
}

/// The walk, with what it needs and what it found.
pub(super) struct Walk<'a> {
    pub(super) program: &'a Program,
    pub(super) lists: &'a [&'a ListBody],
    pub(super) said: &'a Said,
    pub(super) context: &'a [(String, Datum)],
    pub(super) best: &'a mut Best,
    template: u32,
    block: &'a BlockHead,
    captures: Vec<Capture>,
    frames: Vec<Frame>,
    dead: HashSet<u64>,
    steps: u32,
}

impl<'a> Walk<'a> {
    /// Tries one template; what it finds goes into `best`. Gives the steps taken.
    pub(super) fn template(
        program: &'a Program,
        lists: &'a [&'a ListBody],
        said: &'a Said,
        context: &'a [(String, Datum)],
        template: u32,
        best: &'a mut Best,
    ) -> u32 {
        let Some(start) = program.templates.get(template as usize) else {
            return 0;
        };
        let Some(block) = program.blocks.get(start.block as usize) else {
            return 0;
        };
        let mut walk = Self {
            program,
            lists,
            said,
            context,
            best,
            template,
            block,
            captures: Vec::new(),
            frames: Vec::new(),
            dead: HashSet::new(),
            steps: 0,
        };
        let state = State {
            at: 0,
            word_starts: true,
            broken: false,
            open: false,
            frame: 0,
            frames: 0,
            captures: 0,
            literal: 0,
        };
        walk.run(start.start, state, 0);
        walk.steps
    }

    fn len(&self) -> u32 {
        self.said.folded.len() as u32
    }

    fn letter(&self, at: u32, broken: bool) -> Option<char> {
        let letter = *self.said.folded.get(at as usize)?;
        Some(if broken && matches!(letter, '-' | '_') {
            ' '
        } else {
            letter
        })
    }

    fn skip_spaces(&self, mut at: u32) -> u32 {
        while self
            .said
            .folded
            .get(at as usize)
            .is_some_and(|c| c.is_whitespace())
        {
            at += 1;
        }
        at
    }

    /// Where matching begins: at the start of a word, spaces do not count.
    fn base(&self, state: &State) -> u32 {
        if state.word_starts && !self.program.dense {
            self.skip_spaces(state.at)
        } else {
            state.at
        }
    }

    /// Goes on from `pc`. Whether anything was found, or may be found under other circumstances.
    fn run(&mut self, mut pc: u32, mut state: State, depth: u32) -> bool {
        loop {
            self.steps += 1;
            if self.steps > STEPS_MAX || depth > DEPTH_MAX {
                return true;
            }
            let Some(&op) = self.program.ops.get(pc as usize) else {
                return true;
            };
            match op {
                Op::Jump(to) => pc = to,
                Op::Call(to) => {
                    let hash = mix(self.frame_hash(state.frame), u64::from(pc));
                    self.frames.truncate(state.frames as usize);
                    self.frames.push(Frame {
                        back: pc + 1,
                        parent: state.frame,
                        hash,
                    });
                    state.frames += 1;
                    state.frame = state.frames;
                    pc = to;
                }
                Op::Return => {
                    let Some(frame) = (state.frame as usize)
                        .checked_sub(1)
                        .and_then(|at| self.frames.get(at))
                    else {
                        return true;
                    };
                    pc = frame.back;
                    state.frame = frame.parent;
                }
                Op::Text {
                    at,
                    length,
                    literal,
                    ends_word,
                } => {
                    let letters = self
                        .program
                        .chars
                        .get(at as usize..at as usize + length as usize)
                        .unwrap_or_default();
                    if state.open {
                        let stripped = if state.word_starts && !self.program.dense {
                            start_trimmed(letters)
                        } else {
                            letters
                        };
                        if blank_only(stripped) {
                            state.at = self.base(&state);
                            state.word_starts = true;
                            pc += 1;
                            continue;
                        }
                        return self.text_after_words(
                            pc,
                            state,
                            stripped,
                            (literal, ends_word),
                            depth,
                        );
                    }
                    match self.literally(&state, letters, literal.into(), ends_word) {
                        Some(next) => state = next,
                        None => return false,
                    }
                    pc += 1;
                }
                Op::Fork { first, count } => {
                    let remembered = (self.steps > REMEMBERED_FROM).then(|| self.place(pc, &state));
                    if remembered.is_some_and(|place| self.dead.contains(&place)) {
                        return false;
                    }
                    let program = self.program;
                    let targets = program
                        .targets
                        .get(first as usize..first as usize + count as usize)
                        .unwrap_or_default();
                    let mut alive = false;
                    for &target in targets {
                        alive |= self.run(target, state, depth + 1);
                    }
                    if let (false, Some(place)) = (alive, remembered) {
                        self.dead.insert(place);
                    }
                    return alive;
                }
                Op::List {
                    list,
                    slot,
                    ends_word,
                    capture,
                } => {
                    if state.at >= self.len() {
                        return false;
                    }
                    let list_body: &'a ListBody = match self.lists.get(list as usize) {
                        Some(body) => body,
                        None => return false,
                    };
                    match list_body {
                        ListBody::House => return false,
                        ListBody::Wildcard => {
                            if state.open {
                                // The free words before would be none.
                                return false;
                            }
                            let value = Filled::Open { ends_word };
                            let free = Capture {
                                slot,
                                from: state.at,
                                to: state.at,
                                value,
                                response_only: capture,
                            };
                            self.push(&mut state, free);
                            state.open = true;
                            pc += 1;
                        }
                        ListBody::Values(values) => {
                            return self.values(pc, state, (list, slot, capture), values, depth);
                        }
                        ListBody::Range(numbers) => {
                            return self.number(pc, state, (slot, capture), numbers, depth);
                        }
                    }
                }
                Op::Match => return self.found(state),
            }
        }
    }

    fn push(&mut self, state: &mut State, capture: Capture) {
        self.captures.truncate(state.captures as usize);
        self.captures.push(capture);
        state.captures += 1;
    }

    fn frame_hash(&self, frame: u32) -> u64 {
        (frame as usize)
            .checked_sub(1)
            .and_then(|at| self.frames.get(at))
            .map_or(0, |frame| frame.hash)
    }

    fn place(&self, pc: u32, state: &State) -> u64 {
        let flags = u64::from(state.word_starts)
            | u64::from(state.broken) << 1
            | u64::from(state.open) << 2;
        mix(
            mix(self.frame_hash(state.frame), u64::from(pc)),
            u64::from(state.at) << 3 | flags,
        )
    }

    /// Whether `letters` stand at `at`.
    fn stand(&self, letters: &[char], at: u32, broken: bool) -> bool {
        letters
            .iter()
            .zip(at..)
            .all(|(&letter, at)| self.letter(at, broken) == Some(letter))
    }

    fn hyphen_from(&self, at: u32) -> bool {
        self.said
            .folded
            .get(at as usize..)
            .unwrap_or_default()
            .iter()
            .any(|c| matches!(c, '-' | '_'))
    }

    /// A text of the template, here and now.
    fn literally(
        &self,
        state: &State,
        letters: &[char],
        literal: u32,
        ends_word: bool,
    ) -> Option<State> {
        let base = self.base(state);
        let letters = if state.word_starts && !self.program.dense {
            start_trimmed(letters)
        } else {
            letters
        };
        let length = letters.len() as u32;
        if self.stand(letters, base, state.broken) {
            return Some(State {
                at: base + length,
                word_starts: ends_word,
                literal: state.literal + literal,
                ..*state
            });
        }
        let rest = self.said.folded.get(base as usize..).unwrap_or_default();
        if blank_only(rest) && !letters.is_empty() && blank_only(letters) {
            return Some(*state);
        }
        if !state.broken && self.hyphen_from(base) && self.stand(letters, base, true) {
            return Some(State {
                at: base + length,
                broken: true,
                ..*state
            });
        }
        None
    }

    /// The template is at its end: is the sentence, and do the circumstances fit?
    fn found(&mut self, mut state: State) -> bool {
        let rest = self
            .said
            .letters
            .get(state.at as usize..)
            .unwrap_or_default();
        self.captures.truncate(state.captures as usize);
        let open = state.open.then(|| self.captures.last().copied()).flatten();
        if let Some(open) = open {
            let at = self.skip_spaces(state.at);
            let words = trimmed(rest).len() as u32;
            if words == 0 {
                return false;
            }
            self.captures.pop();
            self.captures.push(Capture {
                from: at,
                to: at + words,
                value: Filled::Words,
                ..open
            });
            state.at = at + words;
        } else if !blank(rest) {
            return false;
        }
        let score = Score::of(
            self.program,
            self.block,
            self.said,
            &self.captures,
            state.literal,
        );
        if self.best.gives_way_to(&score)
            && let Some(from_context) =
                context::holds(self.block, &self.captures, self.lists, self.context)
        {
            self.best.take(
                self.program,
                score,
                self.template,
                self.captures.clone(),
                from_context,
                self.said,
            );
        }
        if let Some(open) = open {
            self.captures.pop();
            self.captures.push(open);
        }
        true
    }
}

fn mix(hash: u64, value: u64) -> u64 {
    (hash ^ value)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(29)
        .wrapping_add(value)
}

fn start_trimmed(letters: &[char]) -> &[char] {
    let from = letters
        .iter()
        .position(|c| !c.is_whitespace())
        .unwrap_or(letters.len());
    letters.get(from..).unwrap_or_default()
}

fn blank_only(letters: &[char]) -> bool {
    letters.iter().all(|c| c.is_whitespace())
}
