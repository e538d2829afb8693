//! What must have been said: pieces of words without which a template cannot match.
//!
//! A sentence is walked once for all pieces of the language; a template is tried only when each of its clauses has one
//! of its pieces in the sentence. It never loses a match: a piece is asked for only where no other wording is possible.
use std::collections::BTreeMap;

use super::program::Program;
use super::template::Expression;
use super::text::{blank, folded};
use super::trie::Trie;

/// Rules deeper than this ask for nothing.
const DEPTH_MAX: usize = 24;
/// Most pieces in one clause: a longer one tells little.
const CLAUSE_MAX: usize = 64;

/// Pieces and clauses, while they are gathered.
#[derive(Default)]
pub(super) struct Fragments {
    numbers: BTreeMap<Vec<char>, u32>,
    clauses: Vec<(u32, u32)>,
    of_clauses: Vec<u32>,
}

type Clause = Vec<Vec<char>>;

impl Fragments {
    /// Adds the clauses of a template; gives their place.
    pub(super) fn clauses<'a>(
        &mut self,
        expression: &'a Expression,
        rule: &dyn Fn(&str) -> Option<&'a Expression>,
    ) -> (u32, u32) {
        let mut clauses = needed(expression, rule, 0);
        // The clause that is fulfilled least often first: few and long pieces.
        clauses.sort_by_key(|clause| {
            (
                clause.len(),
                std::cmp::Reverse(clause.iter().map(Vec::len).min()),
            )
        });
        clauses.dedup();
        let from = self.clauses.len() as u32;
        for clause in clauses {
            let start = self.of_clauses.len() as u32;
            for piece in clause {
                let next = self.numbers.len() as u32;
                self.of_clauses
                    .push(*self.numbers.entry(piece).or_insert(next));
            }
            self.clauses.push((start, self.of_clauses.len() as u32));
        }
        (from, self.clauses.len() as u32)
    }

    pub(super) fn into_program(self, program: &mut Program) {
        program.fragment_count = self.numbers.len() as u32;
        program.fragments = Trie::new(self.numbers);
        program.clauses = self.clauses;
        program.clause_fragments = self.of_clauses;
    }
}

fn needed<'a>(
    expression: &'a Expression,
    rule: &dyn Fn(&str) -> Option<&'a Expression>,
    depth: usize,
) -> Vec<Clause> {
    if depth > DEPTH_MAX {
        return Vec::new();
    }
    match expression {
        Expression::Text(text) => text
            .split_whitespace()
            .map(folded)
            .filter(|piece| !piece.iter().any(|&c| blank(&[c])))
            .map(|piece| vec![piece])
            .collect(),
        Expression::Sequence(items) | Expression::Permutation(items) => items
            .iter()
            .flat_map(|item| needed(item, rule, depth + 1))
            .collect(),
        Expression::Alternative(items) => {
            let mut either: Clause = Vec::new();
            for item in items {
                let Some(smallest) = needed(item, rule, depth + 1)
                    .into_iter()
                    .min_by_key(Vec::len)
                else {
                    return Vec::new();
                };
                either.extend(smallest);
            }
            either.sort();
            either.dedup();
            if either.is_empty() || either.len() > CLAUSE_MAX {
                Vec::new()
            } else {
                vec![either]
            }
        }
        Expression::Rule(name) => {
            rule(name).map_or_else(Vec::new, |body| needed(body, rule, depth + 1))
        }
        Expression::List(_) => Vec::new(),
    }
}

/// Which pieces stand in a sentence.
#[derive(Debug, Default, Clone)]
pub(super) struct Present(Vec<u64>);

impl Present {
    /// Looks at `texts`, folded.
    pub(super) fn look<'a>(
        &mut self,
        program: &Program,
        texts: impl IntoIterator<Item = &'a [char]>,
    ) {
        self.0.clear();
        self.0
            .resize((program.fragment_count as usize).div_ceil(64), 0);
        for text in texts {
            for from in 0..text.len() {
                program.fragments.prefixes(
                    |at| text.get(at).copied(),
                    from,
                    |_, fragment| {
                        if let Some(word) = self.0.get_mut(fragment as usize / 64) {
                            *word |= 1 << (fragment % 64);
                        }
                    },
                );
            }
        }
    }

    /// Whether the clauses of a template are fulfilled.
    pub(super) fn allows(&self, program: &Program, clauses: (u32, u32)) -> bool {
        let list = program
            .clauses
            .get(clauses.0 as usize..clauses.1 as usize)
            .unwrap_or_default();
        list.iter().all(|&(from, to)| {
            let pieces = program
                .clause_fragments
                .get(from as usize..to as usize)
                .unwrap_or_default();
            pieces.iter().any(|&piece| {
                self.0
                    .get(piece as usize / 64)
                    .is_some_and(|word| word & (1 << (piece % 64)) != 0)
            })
        })
    }
}
