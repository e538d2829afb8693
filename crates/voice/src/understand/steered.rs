//! The decoder led along the everyday sentences: of all that they hold, the texts that the sound bears out best.
//!
//! At each place only tokens are followed that some sentence goes on with, so what comes out is a sentence, with the
//! probability that the decoder gives it. The rest of 1 is what the sentences do not hold: a text far less probable than
//! the free one was not said.
use super::automaton::letters;
use super::sentences::paths::{Paths, Spot};
use crate::transcribe::prefixes::{Node, Prefixes};
use crate::transcribe::{TokenId, Vocabulary};
use std::collections::HashMap;

/// Texts kept at each length.
const WIDTH: usize = 8;
/// The same among their first tokens, for the first word is the one that is heard worst.
const HEAD_WIDTH: usize = 14;
const HEAD_TOKENS: usize = 3;
/// Texts found at most.
const FOUND_MAX: usize = 8;
/// Texts kept with the same letters.
const WAYS_MAX: usize = 2;
/// How a token begins that begins a word.
const SPACE: &[u8] = "\u{2581}".as_bytes();
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
    /// What it was behind its first word; nothing while that goes on.
    head: Option<f32>,
    /// It has come through free words.
    free: bool,
    silent: u8,
}

/// A text that the decoder was led to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Led {
    pub(super) text: String,
    /// Natural logarithm of its probability.
    pub(super) log_prob: f32,
    /// The part of it that its first word has.
    pub(super) head: f32,
}

/// A walk along the sentences on one segment.
#[derive(Debug)]
pub(super) struct Steered {
    live: Vec<Run>,
    finished: Vec<(Vec<TokenId>, f32, f32)>,
    /// What is less probable is of no use.
    floor: f32,
    /// The most probable one that is finished and holds no free words: those are at hand for anything.
    best: f32,
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
                head: None,
                free: false,
                silent: 0,
            }],
            finished: Vec::new(),
            floor,
            best: f32::NEG_INFINITY,
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
        let mut next: Vec<Next> = Vec::new();
        for (index, run) in self.live.iter().enumerate() {
            let (logits, row) = prefixes.scores(run.node);
            for (token, gain) in logits.best(row, TRIED_MAX, self.depth > 1) {
                let log_prob = run.log_prob + gain;
                if log_prob <= self.floor {
                    break;
                }
                if token == Vocabulary::END {
                    if paths.ends(run.spot) {
                        let head = run.head.unwrap_or(run.log_prob);
                        self.finished.push((run.tokens.clone(), log_prob, head));
                        if !run.free {
                            self.best = self.best.max(log_prob);
                        }
                    }
                    continue;
                }
                let text = vocabulary.text(token);
                let Some(letters) = letters(text) else {
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
                let begins = text.starts_with(SPACE);
                if let Some(spot) = paths.next(run.spot, &letters, begins) {
                    let behind = begins && self.depth > 1;
                    let head = run.head.or(behind.then_some(run.log_prob));
                    next.push(Next {
                        index,
                        token,
                        spot,
                        log_prob,
                        head,
                        silent,
                    });
                }
            }
        }
        self.floor = self.floor.max(self.best - BEHIND_NATS);
        next.retain(|next| next.log_prob > self.floor);
        next.sort_by(|a, b| b.log_prob.total_cmp(&a.log_prob));
        // Free words go on with anything: they get places of their own, and take none from the sentences that do not.
        let width = if self.depth <= HEAD_TOKENS {
            HEAD_WIDTH
        } else {
            WIDTH
        };
        let mut room = [width, FREE_WIDTH];
        let mut ways: HashMap<Spot, usize> = HashMap::new();
        next.retain(|next| {
            let free = paths.is_free(next.spot);
            // "Kitchen" and "kitchen" go on alike.
            let ways = ways.entry(next.spot).or_insert(0);
            *ways += 1;
            let room = &mut room[usize::from(free)];
            let kept = *room > 0 && (free || *ways <= WAYS_MAX);
            *room -= usize::from(kept);
            kept
        });
        self.live = next
            .into_iter()
            .map(|next| {
                let before = &self.live[next.index];
                wanted.push((before.node, next.token));
                Run {
                    node: before.node,
                    spot: next.spot,
                    tokens: [before.tokens.as_slice(), &[next.token]].concat(),
                    log_prob: next.log_prob,
                    head: next.head,
                    free: before.free || paths.is_free(next.spot),
                    silent: next.silent,
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
    pub(super) fn finish(mut self, vocabulary: &Vocabulary) -> Vec<Led> {
        self.finished.sort_by(|a, b| b.1.total_cmp(&a.1));
        self.finished.truncate(FOUND_MAX);
        let texts = self.finished.iter().map(|(tokens, log_prob, head)| Led {
            text: vocabulary.decode(tokens),
            log_prob: *log_prob,
            head: *head,
        });
        texts.collect()
    }
}

/// A text one token longer than run `index`.
struct Next {
    index: usize,
    token: TokenId,
    spot: Spot,
    log_prob: f32,
    head: Option<f32>,
    silent: u8,
}
