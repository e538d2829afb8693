//! Walks through the decoder's tokens: the best token at each place, and the best few texts.
//!
//! A walker plans (says which runs of tokens it wants one longer) and settles (takes what was decoded), so that
//! several of them share the decoder's steps.
use super::prefixes::{Node, Prefixes};
use super::{Alternative, TokenId, Transcript, Vocabulary};

/// The text by always taking the best token. The end is forbidden as the first token; a runaway is cut.
#[derive(Debug)]
pub struct Greedy {
    at: Node,
    tokens: Vec<TokenId>,
    log_prob: f32,
    done: bool,
}

impl Greedy {
    /// Begin at the head of the segment.
    #[must_use]
    pub fn new(prefixes: &Prefixes<'_>) -> Self {
        Self {
            at: prefixes.root(),
            tokens: Vec::new(),
            log_prob: 0.0,
            done: false,
        }
    }

    /// Choose the next token and ask for it.
    pub fn plan(&mut self, prefixes: &Prefixes<'_>, wanted: &mut Vec<(Node, TokenId)>) {
        self.done |= self.tokens.len() >= prefixes.audio().tokens_max();
        if self.done {
            return;
        }
        let (logits, row) = prefixes.scores(self.at);
        let (token, gain) = logits.best(row, 1, !self.tokens.is_empty())[0];
        self.log_prob += gain;
        if token == Vocabulary::END {
            self.done = true;
        } else {
            self.tokens.push(token);
            wanted.push((self.at, token));
        }
    }

    /// Go to the token that was asked for.
    pub fn settle(&mut self, prefixes: &Prefixes<'_>) {
        if let (false, Some(&token)) = (self.done, self.tokens.last()) {
            self.at = prefixes
                .longer(self.at, token)
                .expect("it was wanted and decoded");
        }
    }

    /// The text.
    #[must_use]
    pub fn finish(self, vocabulary: &Vocabulary) -> Transcript {
        Transcript {
            text: vocabulary.decode(&self.tokens),
            tokens: self.tokens,
            log_prob: self.log_prob,
            alternatives: Vec::new(),
        }
    }
}

/// The most probable texts that a beam of some width finds.
#[derive(Debug)]
pub struct Beam {
    width: usize,
    /// Unfinished texts with the run that they are.
    live: Vec<(Node, Vec<TokenId>, f32)>,
    finished: Vec<(Vec<TokenId>, f32)>,
    depth: usize,
    /// A text less probable than this is of no use to whoever asked.
    floor: f32,
}

impl Beam {
    /// Begin at the head of the segment; `width` is 1 to 16.
    #[must_use]
    pub fn new(prefixes: &Prefixes<'_>, width: usize) -> Self {
        Self {
            width: width.clamp(1, 16),
            live: vec![(prefixes.root(), Vec::new(), 0.0)],
            finished: Vec::new(),
            depth: 0,
            floor: f32::NEG_INFINITY,
        }
    }

    /// Tokens that the unfinished texts have.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Give up texts that are less probable than this, in natural logarithms.
    pub fn raise_floor(&mut self, floor: f32) {
        self.floor = self.floor.max(floor);
    }

    /// Choose the next tokens and ask for them.
    pub fn plan(&mut self, prefixes: &Prefixes<'_>, wanted: &mut Vec<(Node, TokenId)>) {
        if self.depth >= prefixes.audio().tokens_max() {
            if self.finished.is_empty() {
                // Cut by the cap: what there is.
                self.finished = self.live.iter().map(|l| (l.1.clone(), l.2)).collect();
            }
            self.live.clear();
            return;
        }
        let mut next: Vec<(usize, TokenId, f32)> = Vec::new();
        for (index, (node, _, log_prob)) in self.live.iter().enumerate() {
            let (logits, row) = prefixes.scores(*node);
            for (token, gain) in logits.best(row, self.width + 1, self.depth > 0) {
                next.push((index, token, log_prob + gain));
            }
        }
        next.sort_by(|a, b| b.2.total_cmp(&a.2));
        let worst = self
            .finished
            .get(self.width - 1)
            .map_or(f32::NEG_INFINITY, |f| f.1);
        let floor = worst.max(self.floor);
        let mut longer = Vec::new();
        for (index, token, log_prob) in next {
            if log_prob <= floor || longer.len() == self.width {
                break;
            }
            let (node, tokens, _) = &self.live[index];
            if token == Vocabulary::END {
                self.finished.push((tokens.clone(), log_prob));
            } else {
                wanted.push((*node, token));
                longer.push((*node, [tokens.as_slice(), &[token]].concat(), log_prob));
            }
        }
        self.finished.sort_by(|a, b| b.1.total_cmp(&a.1));
        self.finished.truncate(self.width);
        self.live = longer;
        self.depth += 1;
    }

    /// Go to the tokens that were asked for.
    pub fn settle(&mut self, prefixes: &Prefixes<'_>) {
        for (node, tokens, _) in &mut self.live {
            let last = *tokens.last().expect("every text has got a token by now");
            *node = prefixes
                .longer(*node, last)
                .expect("it was wanted and decoded");
        }
    }

    /// The texts, best first.
    #[must_use]
    pub fn finish(self, vocabulary: &Vocabulary) -> Vec<Alternative> {
        let texts = self.finished.iter().map(|(tokens, log_prob)| Alternative {
            text: vocabulary.decode(tokens),
            log_prob: *log_prob,
        });
        texts.collect()
    }
}
