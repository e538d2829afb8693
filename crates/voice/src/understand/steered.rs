//! The decoder led along the everyday sentences: of all that they hold, the texts that the sound bears out best.
//!
//! At each place only tokens are followed that some sentence goes on with, so what comes out is a sentence, with the
//! probability that the decoder gives it. The rest of 1 is what the sentences do not hold: a text far less probable than
//! the free one was not said.
use super::automaton::letters;
use super::sentences::paths::{Paths, Spot};
use crate::transcribe::prefixes::{Node, Prefixes};
use crate::transcribe::{Alternative, TokenId, Vocabulary};

/// Texts kept at each length, and texts found at most.
const WIDTH: usize = 6;
/// The same, of those that have come to free words.
const FREE_WIDTH: usize = 3;
/// Tokens that are tried behind each of them.
const TRIED_MAX: usize = 200;
/// A text this much less probable than the best finished one is given up, in nats.
const BEHIND_NATS: f32 = 3.0;
/// Spaces and marks in a row.
const SILENT_MAX: u8 = 2;

/// A text on its way.
#[derive(Debug, Clone)]
struct Run {
    node: Node,
    spot: Spot,
    tokens: Vec<TokenId>,
    log_prob: f32,
    silent: u8,
}

/// A walk along the sentences on one segment.
#[derive(Debug)]
pub(super) struct Steered {
    live: Vec<Run>,
    finished: Vec<(Vec<TokenId>, f32)>,
    /// What is less probable is of no use.
    floor: f32,
    depth: usize,
}

impl Steered {
    /// Begin at the head of the segment; texts less probable than `floor` (a natural logarithm) are given up.
    pub(super) fn new(prefixes: &Prefixes<'_>, paths: &Paths, floor: f32) -> Self {
        Self {
            live: vec![Run {
                node: prefixes.root(),
                spot: paths.start(),
                tokens: Vec::new(),
                log_prob: 0.0,
                silent: 0,
            }],
            finished: Vec::new(),
            floor,
            depth: 0,
        }
    }

    /// Choose the next tokens and ask for them.
    pub(super) fn plan(
        &mut self,
        paths: &mut Paths,
        vocabulary: &Vocabulary,
        prefixes: &Prefixes<'_>,
        wanted: &mut Vec<(Node, TokenId)>,
    ) {
        if self.depth >= prefixes.audio().tokens_max() {
            self.live.clear();
        }
        self.depth += 1;
        let mut next: Vec<(usize, TokenId, Spot, f32, u8)> = Vec::new();
        for (index, run) in self.live.iter().enumerate() {
            let (logits, row) = prefixes.scores(run.node);
            for (token, gain) in logits.best(row, TRIED_MAX, self.depth > 1) {
                let log_prob = run.log_prob + gain;
                if log_prob <= self.floor {
                    break;
                }
                if token == Vocabulary::END {
                    if paths.ends(run.spot) {
                        self.finished.push((run.tokens.clone(), log_prob));
                    }
                    continue;
                }
                let Some(letters) = letters(vocabulary.text(token)) else {
                    continue;
                };
                let silent = if letters.is_empty() {
                    run.silent + 1
                } else {
                    0
                };
                if silent > SILENT_MAX {
                    continue;
                }
                if let Some(spot) = paths.next(run.spot, &letters) {
                    next.push((index, token, spot, log_prob, silent));
                }
            }
        }
        let best = self.finished.iter().map(|(_, log_prob)| *log_prob);
        let best = best.fold(self.floor, f32::max);
        self.floor = self.floor.max(best - BEHIND_NATS);
        next.retain(|(_, _, _, log_prob, _)| *log_prob > self.floor);
        next.sort_by(|a, b| b.3.total_cmp(&a.3));
        // Free words go on with anything: they get places of their own, and take none from the sentences that do not.
        let mut room = [WIDTH, FREE_WIDTH];
        next.retain(|(_, _, spot, _, _)| {
            let room = &mut room[usize::from(paths.is_free(*spot))];
            let left = *room > 0;
            *room = room.saturating_sub(1);
            left
        });
        self.live = next
            .into_iter()
            .map(|(index, token, spot, log_prob, silent)| {
                let before = &self.live[index];
                wanted.push((before.node, token));
                Run {
                    node: before.node,
                    spot,
                    tokens: [before.tokens.as_slice(), &[token]].concat(),
                    log_prob,
                    silent,
                }
            })
            .collect();
    }

    /// Go to the tokens that were asked for.
    pub(super) fn settle(&mut self, prefixes: &Prefixes<'_>) {
        for run in &mut self.live {
            let last = *run
                .tokens
                .last()
                .expect("every text has got a token by now");
            run.node = prefixes
                .longer(run.node, last)
                .expect("it was wanted and decoded");
        }
    }

    /// The texts, best first.
    pub(super) fn finish(mut self, vocabulary: &Vocabulary) -> Vec<Alternative> {
        self.finished.sort_by(|a, b| b.1.total_cmp(&a.1));
        self.finished.truncate(WIDTH);
        let texts = self.finished.iter().map(|(tokens, log_prob)| Alternative {
            text: vocabulary.decode(tokens),
            log_prob: *log_prob,
        });
        texts.collect()
    }
}
