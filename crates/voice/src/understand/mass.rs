//! Grammar mass: how probable it is that the audio holds *some* wording of the grammar.
//!
//! The decoder is walked along the grammar's automaton as a prefix tree: at each level only tokens that keep a wording
//! viable are followed, all hypotheses of a level in one batch over a shared cache. The probabilities of the finished
//! wordings add up; what the grammar does not hold is the rest of 1, because the decoder is normalised, so no list of
//! garbage words is needed. Contrary wordings walk in the same tree and take their share.
use super::automaton::{Automaton, Meaning, Payload, State, TokenTree};
use super::service::Service;
use crate::transcribe::prefixes::{Node, Prefixes};
use crate::transcribe::{TokenId, Vocabulary};
use std::collections::HashMap;

/// How wide and how deep the tree is searched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pruning {
    /// Prefixes kept per level.
    pub width: usize,
    /// A prefix less probable than `exp(-floor)` is given up.
    pub floor_nats: f32,
    /// A prefix this much less probable than the best finished wording is given up.
    pub behind_nats: f32,
}

impl Default for Pruning {
    fn default() -> Self {
        Self {
            width: 6,
            floor_nats: 13.0,
            behind_nats: 5.0,
        }
    }
}

/// One finished wording.
#[derive(Debug, Clone, PartialEq)]
pub struct Wording {
    /// As the recogniser would write it.
    pub text: String,
    /// Natural logarithm of its probability.
    pub log_prob: f32,
    /// What it means.
    pub payload: Payload,
}

/// Probabilities of the grammar's parts given the audio, as natural logarithms; minus infinity for nothing found.
#[derive(Debug, Clone, PartialEq)]
pub struct Mass {
    /// All orders to call.
    pub order: f32,
    /// Polite questions and plain needs.
    pub ask: f32,
    /// Contrary wordings.
    pub contrary: f32,
    /// The most probable order, question or need.
    pub best: Option<Wording>,
    /// The most probable contrary wording.
    pub best_contrary: Option<Wording>,
    /// The orders' mass by service and by whether they must be silent, largest first.
    pub by_service: Vec<(Service, bool, f32)>,
    /// Decoder rows that were computed.
    pub nodes: usize,
}

impl Mass {
    /// Add a wording that the tree does not hold but that reads as an order.
    pub(crate) fn add_order(&mut self, service: Service, quiet: bool, text: &str, log_prob: f32) {
        self.order = log_add(self.order, log_prob);
        if self
            .best
            .as_ref()
            .is_none_or(|best| best.log_prob < log_prob)
        {
            let payload = Payload {
                meaning: Meaning::Order,
                service,
                quiet,
            };
            self.best = Some(Wording {
                text: text.to_owned(),
                log_prob,
                payload,
            });
        }
        match self
            .by_service
            .iter_mut()
            .find(|s| (s.0, s.1) == (service, quiet))
        {
            Some(held) => held.2 = log_add(held.2, log_prob),
            None => self.by_service.push((service, quiet, log_prob)),
        }
        self.by_service.sort_by(|a, b| b.2.total_cmp(&a.2));
    }

    /// Nothing found.
    #[must_use]
    pub fn nothing() -> Self {
        let none = f32::NEG_INFINITY;
        Self {
            order: none,
            ask: none,
            contrary: none,
            best: None,
            best_contrary: None,
            by_service: Vec::new(),
            nodes: 0,
        }
    }
}

/// A grammar tied to a recogniser's vocabulary.
#[derive(Debug)]
pub struct Scorer {
    automaton: Automaton,
    tree: TokenTree,
    /// Which tokens may follow a state; filled as states are met, for there are more than are ever met.
    follow: HashMap<State, Vec<(TokenId, State)>>,
    pruning: Pruning,
}

/// States whose followers are kept at most.
const FOLLOW_MAX: usize = 4096;
/// Spaces and punctuation allowed in a row ("Help! ...").
const SILENT_MAX: u8 = 2;

/// A prefix on its way.
#[derive(Debug, Clone)]
struct Prefix {
    node: Node,
    state: State,
    log_prob: f32,
    tokens: Vec<TokenId>,
    silent: u8,
}

impl Scorer {
    /// Tie `automaton` to the vocabulary of a recogniser.
    #[must_use]
    pub fn new(automaton: Automaton, vocabulary: &Vocabulary, pruning: Pruning) -> Self {
        Self {
            automaton,
            tree: TokenTree::new(vocabulary),
            follow: HashMap::new(),
            pruning,
        }
    }

    /// The grammar.
    #[must_use]
    pub fn automaton(&self) -> &Automaton {
        &self.automaton
    }

    /// A walk through the grammar, beginning at the head of the segment.
    #[must_use]
    pub fn walk(&self, prefixes: &Prefixes<'_>) -> Walk {
        Walk {
            live: vec![Prefix {
                node: prefixes.root(),
                state: self.automaton.start(),
                log_prob: 0.0,
                tokens: Vec::new(),
                silent: 0,
            }],
            finished: Vec::new(),
            order: f32::NEG_INFINITY,
            depth: 0,
            nodes: 0,
        }
    }

    /// Finish what may end here, choose the tokens that keep a wording viable, and ask for them.
    pub fn plan(
        &mut self,
        walk: &mut Walk,
        prefixes: &Prefixes<'_>,
        wanted: &mut Vec<(Node, TokenId)>,
    ) {
        if walk.depth >= prefixes.audio().tokens_max() {
            walk.live.clear();
        }
        walk.depth += 1;
        let mut next: Vec<(usize, TokenId, State, f32, u8)> = Vec::new();
        for (index, prefix) in walk.live.iter().enumerate() {
            let (logits, row) = prefixes.scores(prefix.node);
            let scores = logits.row(row);
            let base = prefix.log_prob - logits.log_sum(row);
            if let Some(payload) = self.automaton.accepts(prefix.state) {
                let log_prob = base + scores[Vocabulary::END as usize];
                if payload.meaning == Meaning::Order {
                    walk.order = log_add(walk.order, log_prob);
                }
                let ended = Prefix {
                    log_prob,
                    ..prefix.clone()
                };
                walk.finished.push((ended, payload));
            }
            let floor = -self.pruning.floor_nats;
            if !self.follow.contains_key(&prefix.state) {
                if self.follow.len() >= FOLLOW_MAX {
                    self.follow.clear();
                }
                self.follow.insert(
                    prefix.state,
                    self.automaton.tokens(prefix.state, &self.tree),
                );
            }
            for &(token, state) in &self.follow[&prefix.state] {
                let log_prob = base + scores[token as usize];
                if log_prob > floor {
                    next.push((index, token, state, log_prob, 0));
                }
            }
            if prefix.silent < SILENT_MAX {
                for &token in self.tree.silent() {
                    let log_prob = base + scores[token as usize];
                    if log_prob > floor {
                        next.push((index, token, prefix.state, log_prob, prefix.silent + 1));
                    }
                }
            }
        }
        let best = walk
            .finished
            .iter()
            .map(|f| f.0.log_prob)
            .fold(f32::NEG_INFINITY, f32::max);
        next.retain(|n| n.3 > best - self.pruning.behind_nats);
        next.sort_by(|a, b| b.3.total_cmp(&a.3));
        next.truncate(self.pruning.width);
        walk.nodes += next.len();
        walk.live = next
            .into_iter()
            .map(|(index, token, state, log_prob, silent)| {
                let parent = &walk.live[index];
                wanted.push((parent.node, token));
                Prefix {
                    node: parent.node,
                    state,
                    log_prob,
                    tokens: [parent.tokens.as_slice(), &[token]].concat(),
                    silent,
                }
            })
            .collect();
    }
}

/// A walk through the grammar on one segment.
#[derive(Debug)]
pub struct Walk {
    live: Vec<Prefix>,
    finished: Vec<(Prefix, Payload)>,
    order: f32,
    depth: usize,
    nodes: usize,
}

impl Walk {
    /// Go to the tokens that were asked for.
    pub fn settle(&mut self, prefixes: &Prefixes<'_>) {
        for prefix in &mut self.live {
            let last = *prefix.tokens.last().expect("it has got a token by now");
            prefix.node = prefixes
                .longer(prefix.node, last)
                .expect("it was wanted and decoded");
        }
    }

    /// Whether every wording is finished or given up.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.live.is_empty()
    }

    /// Natural logarithm of the orders' mass so far: it only grows.
    #[must_use]
    pub fn order_at_least(&self) -> f32 {
        self.order
    }

    /// Natural logarithm of what the orders' mass can become at most: it only falls.
    #[must_use]
    pub fn order_at_most(&self) -> f32 {
        let live = self.live.iter().map(|prefix| prefix.log_prob);
        live.fold(self.order, log_add)
    }

    /// The mass, by part.
    #[must_use]
    pub fn finish(&self, vocabulary: &Vocabulary) -> Mass {
        sum(&self.finished, vocabulary, self.nodes)
    }
}

fn sum(finished: &[(Prefix, Payload)], vocabulary: &Vocabulary, nodes: usize) -> Mass {
    let mut mass = Mass {
        nodes,
        ..Mass::nothing()
    };
    let wording = |prefix: &Prefix, payload: &Payload| Wording {
        text: vocabulary.decode(&prefix.tokens),
        log_prob: prefix.log_prob,
        payload: *payload,
    };
    for (prefix, payload) in finished {
        let (total, best) = match payload.meaning {
            Meaning::Order => (&mut mass.order, &mut mass.best),
            Meaning::Polite | Meaning::Need => (&mut mass.ask, &mut mass.best),
            Meaning::Contrary(_) => (&mut mass.contrary, &mut mass.best_contrary),
        };
        *total = log_add(*total, prefix.log_prob);
        if best
            .as_ref()
            .is_none_or(|best| best.log_prob < prefix.log_prob)
        {
            *best = Some(wording(prefix, payload));
        }
        if payload.meaning == Meaning::Order {
            let key = (payload.service, payload.quiet);
            match mass.by_service.iter_mut().find(|s| (s.0, s.1) == key) {
                Some(held) => held.2 = log_add(held.2, prefix.log_prob),
                None => mass.by_service.push((key.0, key.1, prefix.log_prob)),
            }
        }
    }
    mass.by_service.sort_by(|a, b| b.2.total_cmp(&a.2));
    mass
}

/// `ln(e^a + e^b)`.
pub(crate) fn log_add(a: f32, b: f32) -> f32 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if high == f32::NEG_INFINITY {
        high
    } else {
        high + (low - high).exp().ln_1p()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_add() {
        assert!((log_add(0.5_f32.ln(), 0.25_f32.ln()) - 0.75_f32.ln()).abs() < 1e-6);
        assert_eq!(
            log_add(f32::NEG_INFINITY, f32::NEG_INFINITY),
            f32::NEG_INFINITY
        );
        assert_eq!(log_add(-3.0, f32::NEG_INFINITY), -3.0);
    }
}
