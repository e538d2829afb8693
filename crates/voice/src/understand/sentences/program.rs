//! Grammar into a program: every template is a run of operations, rules are subroutines, lists are trees of letters.
//!
//! ```text
//! turn on [the] {area} lights       0 Text "turn "   1 Text "on "   2 Fork 3|5   3 Text "the"   4 Jump 5 …
//! ```
//! It is built once for a language and the owner's files, and kept as bytes ([`super::store`]).
use serde::{Deserialize, Serialize};

use super::datum::Datum;
use super::grammar::Whose;
use super::trie::Trie;

/// One step of matching.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Op {
    /// These letters, `chars[at..at + length]`.
    Text {
        at: u32,
        length: u16,
        /// Letters without the spaces at both ends: how much was said literally.
        literal: u16,
        /// It ends with a space or an apostrophe, so a word starts after it.
        ends_word: bool,
    },
    /// Any of `targets[first..first + count]`, the first first.
    Fork { first: u32, count: u16 },
    /// Go on there.
    Jump(u32),
    /// A rule; comes back at `Return`.
    Call(u32),
    /// End of a rule.
    Return,
    /// A value of a list fills a slot.
    List {
        list: u16,
        slot: u16,
        ends_word: bool,
        capture: bool,
    },
    /// End of a template.
    Match,
}

/// Where a template has free words at its edge: there skip words are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Edge {
    Closed,
    Start,
    End,
    Whole,
}

/// One template.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Template {
    pub(super) start: u32,
    pub(super) block: u32,
    pub(super) edge: Edge,
    /// Clauses `clauses[from..to]`: of each, one fragment must have been said.
    pub(super) clauses: (u32, u32),
    /// As it was written.
    pub(super) text: String,
}

/// What templates of one block share.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct BlockHead {
    pub(super) intent: String,
    pub(super) slots: Vec<(String, Datum)>,
    pub(super) response: Option<String>,
    pub(super) requires: Vec<(String, Datum)>,
    pub(super) excludes: Vec<(String, Datum)>,
    pub(super) metadata: Datum,
    pub(super) keywords: Vec<String>,
    pub(super) whose: Whose,
}

/// A list, ready for matching.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum ListBody {
    Values(Values),
    Range(Numbers),
    Wildcard,
    /// Given by the house at the time of matching: names, areas, floors.
    House,
}

/// Values with their words.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Values {
    pub(super) trie: Trie,
    pub(super) values: Vec<ListValue>,
}

/// What one value means.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ListValue {
    /// The words themselves if absent.
    pub(super) out: Option<Datum>,
    pub(super) context: Vec<(String, Datum)>,
    pub(super) metadata: Option<Datum>,
    /// Letters in its longest wording.
    pub(super) letters: u16,
}

/// A range of numbers in digits, and in words where a tree of them is known.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Numbers {
    pub(super) start: i64,
    pub(super) stop: i64,
    pub(super) step: i64,
    pub(super) tenths: Vec<u8>,
    pub(super) multiplier: Option<f64>,
    pub(super) digits: bool,
    /// Number of a tree in `spelled`.
    pub(super) words: Option<u32>,
}

impl Numbers {
    /// Every number of the range in tenths, smallest first.
    pub(super) fn in_tenths(&self) -> impl Iterator<Item = i64> + '_ {
        let steps = (self.stop - self.start) / self.step.max(1);
        (0..=steps).flat_map(move |n| {
            let whole = (self.start + n * self.step) * 10;
            std::iter::once(whole).chain(
                self.tenths
                    .iter()
                    .map(move |&tenth| whole + i64::from(tenth)),
            )
        })
    }

    /// Whether `number` is one of the range.
    pub(super) fn holds(&self, number: f64) -> bool {
        let tenths = number * 10.0;
        if tenths.fract() != 0.0 || tenths.abs() > 1e15 {
            return false;
        }
        let tenths = tenths as i64;
        let (whole, tenth) = (tenths.div_euclid(10), tenths.rem_euclid(10) as u8);
        (self.start..=self.stop).contains(&whole)
            && (whole - self.start) % self.step.max(1) == 0
            && (tenth == 0 || self.tenths.contains(&tenth))
    }

    /// What the number means: halved, turned round, as the list says.
    pub(super) fn meant(&self, number: f64) -> f64 {
        self.multiplier.map_or(number, |by| number * by)
    }
}

/// A tree of number words; values are numbers in tenths, shifted to be positive.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Spelled {
    pub(super) trie: Trie,
    pub(super) tenths: Vec<i64>,
}

/// A compiled language.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Program {
    pub(super) language: String,
    pub(super) dense: bool,
    pub(super) ops: Vec<Op>,
    pub(super) targets: Vec<u32>,
    pub(super) chars: Vec<char>,
    pub(super) templates: Vec<Template>,
    pub(super) blocks: Vec<BlockHead>,
    pub(super) lists: Vec<(String, ListBody)>,
    pub(super) slots: Vec<String>,
    pub(super) spelled: Vec<Spelled>,
    /// Fragments of words that templates need.
    pub(super) fragments: Trie,
    pub(super) fragment_count: u32,
    /// Clause n: `clause_fragments[clauses[n].0..clauses[n].1]`.
    pub(super) clauses: Vec<(u32, u32)>,
    pub(super) clause_fragments: Vec<u32>,
    /// Folded, longest first.
    pub(super) skip_words: Vec<Vec<char>>,
    /// `(intent, key, template)`, sorted.
    pub(super) responses: Vec<(String, String, String)>,
}

impl Program {
    /// The language that was compiled.
    #[must_use]
    pub fn language(&self) -> &str {
        &self.language
    }

    /// Templates that can match.
    #[must_use]
    pub fn templates(&self) -> usize {
        self.templates.len()
    }

    /// Memory held, in bytes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let lists: usize = self
            .lists
            .iter()
            .map(|(name, body)| {
                name.len()
                    + match body {
                        ListBody::Values(values) => values.trie.bytes() + values.values.len() * 80,
                        _ => 64,
                    }
            })
            .sum();
        let templates: usize = self
            .templates
            .iter()
            .map(|t| t.text.len() + size_of::<Template>())
            .sum();
        let spelled: usize = self
            .spelled
            .iter()
            .map(|s| s.trie.bytes() + s.tenths.len() * 8)
            .sum();
        let responses: usize = self
            .responses
            .iter()
            .map(|(a, b, c)| a.len() + b.len() + c.len() + 72)
            .sum();
        self.ops.len() * size_of::<Op>()
            + (self.targets.len() + self.chars.len() + self.clause_fragments.len()) * 4
            + self.clauses.len() * 8
            + self.fragments.bytes()
            + lists
            + templates
            + spelled
            + responses
            + self.blocks.len() * 256
    }

    /// The response of an intent under a key, as it was written.
    #[must_use]
    pub fn response(&self, intent: &str, key: &str) -> Option<&str> {
        self.responses
            .binary_search_by(|(i, k, _)| (i.as_str(), k.as_str()).cmp(&(intent, key)))
            .ok()
            .and_then(|at| self.responses.get(at))
            .map(|(_, _, template)| template.as_str())
    }

    /// Every response of the language: intent, key, template.
    pub fn responses(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.responses
            .iter()
            .map(|(intent, key, text)| (intent.as_str(), key.as_str(), text.as_str()))
    }

    /// Whether every number in it points to something: bytes from a disk may be anything.
    pub(super) fn is_sound(&self) -> bool {
        let ops = self.ops.len() as u32;
        let within = |from: u32, to: u32, length: usize| from <= to && to as usize <= length;
        self.ops.iter().all(|op| match *op {
            Op::Text { at, length, .. } => {
                within(at, at.saturating_add(length.into()), self.chars.len())
            }
            Op::Fork { first, count } => within(
                first,
                first.saturating_add(count.into()),
                self.targets.len(),
            ),
            Op::Jump(to) | Op::Call(to) => to < ops,
            Op::List { list, slot, .. } => {
                (list as usize) < self.lists.len() && (slot as usize) < self.slots.len()
            }
            Op::Return | Op::Match => true,
        }) && self.targets.iter().all(|&target| target < ops)
            && self.templates.iter().all(|template| {
                template.start < ops
                    && (template.block as usize) < self.blocks.len()
                    && within(template.clauses.0, template.clauses.1, self.clauses.len())
            })
            && self
                .clauses
                .iter()
                .all(|&(from, to)| within(from, to, self.clause_fragments.len()))
            && self
                .clause_fragments
                .iter()
                .all(|&fragment| fragment < self.fragment_count)
            && self.fragment_count < 1 << 24
            && self.lists.iter().all(|(_, body)| match body {
                ListBody::Range(numbers) => numbers
                    .words
                    .is_none_or(|tree| (tree as usize) < self.spelled.len()),
                _ => true,
            })
    }
}

/// Every order of `count` things.
pub(super) fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut out: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..count {
        let mut longer = Vec::new();
        for order in &out {
            for next in (0..count).filter(|next| !order.contains(next)) {
                let mut order = order.clone();
                order.push(next);
                longer.push(order);
            }
        }
        out = longer;
    }
    out
}
