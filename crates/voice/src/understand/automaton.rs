//! The acoustic grammar as one automaton over letters and digits.
//!
//! A wording is `[wake word] [prefix] core [suffix]`. Only `a-z` and `0-9` count: case, spaces and punctuation are as
//! the recogniser pleases. A digit may also stand spelt ("9 one 1"), so that "911", "9-1-1" and "nine one one" are
//! one wording. Hundreds of thousands of wordings become some thousand states, and [`Automaton::tokens`] answers
//! which of the recogniser's tokens keep a state viable.
use super::phrases::PhraseSet;
use super::reading::RefusedClass;
use super::service::Service;
use crate::transcribe::{TokenId, Vocabulary};
use std::collections::HashMap;

/// Number of a state.
pub type State = u16;
/// Letters, then digits.
const SYMBOLS: usize = 36;
/// No way on.
const DEAD: State = State::MAX;
/// More states than any grammar of ours has.
const STATES_MAX: usize = DEAD as usize - 1;

/// What a finished wording means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Meaning {
    /// A wording that must not call: it stands in the tree to win the mass of what sounds like an order.
    Contrary(RefusedClass),
    /// A polite question: asks back.
    Polite,
    /// A plain need: asks back.
    Need,
    /// An order to call.
    Order,
}

/// What stands at the end of a wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Payload {
    /// Order, question, need, or the contrary.
    pub meaning: Meaning,
    /// Whom it calls; any service for the contrary.
    pub service: Service,
    /// Whether the call must be silent.
    pub quiet: bool,
}

/// A list of wordings that mean the same kind of thing.
#[derive(Debug, Clone, Default)]
pub struct Wordings {
    /// What may stand before, besides nothing.
    pub prefixes: Vec<String>,
    /// Whether a prefix must stand before.
    pub prefix_needed: bool,
    /// What is said. `#` stands for one or more digits.
    pub cores: Vec<(String, Payload)>,
    /// What may stand after, besides nothing.
    pub suffixes: Vec<String>,
}

impl Wordings {
    /// The orders of a country.
    #[must_use]
    pub fn orders(set: &PhraseSet) -> Self {
        let payload = |service, quiet| Payload {
            meaning: Meaning::Order,
            service,
            quiet,
        };
        Self {
            prefixes: set.prefixes.clone(),
            prefix_needed: false,
            cores: set
                .cores
                .iter()
                .map(|core| (core.text.clone(), payload(core.service, core.quiet)))
                .collect(),
            suffixes: set.suffixes.clone(),
        }
    }

    /// The same wordings behind other prefixes, one of which must be there, with another meaning.
    #[must_use]
    pub fn behind(&self, prefixes: &[&str], meaning: Meaning) -> Self {
        Self {
            prefixes: prefixes.iter().map(ToString::to_string).collect(),
            prefix_needed: true,
            cores: self
                .cores
                .iter()
                .map(|(text, payload)| {
                    (
                        text.clone(),
                        Payload {
                            meaning,
                            ..*payload
                        },
                    )
                })
                .collect(),
            suffixes: self.suffixes.clone(),
        }
    }
}

/// The automaton is too large: the grammar has more wordings than ours ever had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the phrase lists make more than {STATES_MAX} states; shorten them")]
pub struct TooLarge;

/// A deterministic automaton over `[a-z0-9]`.
#[derive(Debug, Clone)]
pub struct Automaton {
    next: Vec<[State; SYMBOLS]>,
    accepts: Vec<Option<Payload>>,
}

impl Automaton {
    /// Build it from wordings, each of which may begin with one of `wakes`.
    ///
    /// # Errors
    /// When the grammar is too large.
    pub fn new(wakes: &[&str], wordings: &[Wordings]) -> Result<Self, TooLarge> {
        let mut graph = Graph::default();
        let start = graph.node();
        let awake = graph.node();
        graph.skip(start, awake);
        for wake in wakes {
            let end = graph.path(start, wake);
            graph.skip(end, awake);
        }
        for group in wordings {
            let root = graph.node();
            let core = graph.node();
            graph.skip(awake, root);
            if !group.prefix_needed {
                graph.skip(root, core);
            }
            for prefix in &group.prefixes {
                let end = graph.path(root, prefix);
                graph.skip(end, core);
            }
            let mut tails: HashMap<(bool, Payload), usize> = HashMap::new();
            for (text, payload) in &group.cores {
                let end = graph.path(core, text);
                let any = text.contains('#');
                let tail = *tails.entry((any, *payload)).or_insert_with(|| {
                    let tail = graph.node();
                    graph.accept(tail, any, *payload);
                    for suffix in &group.suffixes {
                        let end = graph.path(tail, suffix);
                        graph.accept(end, any, *payload);
                    }
                    tail
                });
                graph.skip(end, tail);
            }
        }
        graph.determine(start)
    }

    /// Where every wording begins.
    #[must_use]
    pub fn start(&self) -> State {
        0
    }

    /// Number of states.
    #[must_use]
    pub fn len(&self) -> usize {
        self.next.len()
    }

    /// Whether there is no state; never true.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.next.is_empty()
    }

    /// What a wording that ends here means, if one does.
    #[must_use]
    pub fn accepts(&self, state: State) -> Option<Payload> {
        self.accepts.get(usize::from(state)).copied().flatten()
    }

    /// The state after one letter or digit, if any wording goes on so.
    #[must_use]
    pub fn next(&self, state: State, letter: u8) -> Option<State> {
        let next = *self.next.get(usize::from(state))?.get(symbol(letter)?)?;
        (next != DEAD).then_some(next)
    }

    /// The meaning of a whole text, if it is a wording of the grammar.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<Payload> {
        let letters = text
            .bytes()
            .map(|b| b.to_ascii_lowercase())
            .filter(u8::is_ascii_alphanumeric);
        let end = letters
            .into_iter()
            .try_fold(self.start(), |state, letter| self.next(state, letter))?;
        self.accepts(end)
    }

    /// Every token that keeps `state` viable, with the state behind it. Tokens without a letter or digit are not
    /// among them: they change nothing, see [`TokenTree::silent`].
    #[must_use]
    pub fn tokens(&self, state: State, tree: &TokenTree) -> Vec<(TokenId, State)> {
        let mut found = Vec::new();
        let mut open = vec![(0_u32, state)];
        while let Some((node, state)) = open.pop() {
            for &(letter, child) in &tree.nodes[node as usize].children {
                if let Some(next) = self.next(state, letter) {
                    found.extend(
                        tree.nodes[child as usize]
                            .tokens
                            .iter()
                            .map(|&token| (token, next)),
                    );
                    open.push((child, next));
                }
            }
        }
        found
    }
}

fn symbol(letter: u8) -> Option<usize> {
    match letter {
        b'a'..=b'z' => Some(usize::from(letter - b'a')),
        b'0'..=b'9' => Some(usize::from(letter - b'0') + 26),
        _ => None,
    }
}

/// How a digit is said.
fn spoken(digit: u8) -> &'static [&'static str] {
    const WORDS: [&[&str]; 10] = [
        &["zero", "oh", "o"],
        &["one"],
        &["two"],
        &["three"],
        &["four"],
        &["five"],
        &["six"],
        &["seven"],
        &["eight"],
        &["nine"],
    ];
    WORDS[usize::from(digit - b'0')]
}

/// A graph with letters and free steps, before it is made deterministic.
#[derive(Default)]
struct Graph {
    nodes: Vec<Node>,
}

#[derive(Default)]
struct Node {
    edges: Vec<(u8, usize)>,
    skips: Vec<usize>,
    accepts: Option<(bool, Payload)>,
}

impl Graph {
    fn node(&mut self) -> usize {
        self.nodes.push(Node::default());
        self.nodes.len() - 1
    }

    fn skip(&mut self, from: usize, to: usize) {
        if !self.nodes[from].skips.contains(&to) {
            self.nodes[from].skips.push(to);
        }
    }

    /// `any`: the wording holds "any digits", and gives way to one that names its digits.
    fn accept(&mut self, node: usize, any: bool, payload: Payload) {
        let held = &mut self.nodes[node].accepts;
        *held = Some(held.map_or((any, payload), |h| h.min((any, payload))));
    }

    /// The node after one letter, shared with earlier paths.
    fn letter(&mut self, from: usize, letter: u8) -> usize {
        if let Some(&(_, to)) = self.nodes[from].edges.iter().find(|e| e.0 == letter) {
            return to;
        }
        let to = self.node();
        self.nodes[from].edges.push((letter, to));
        to
    }

    /// The node after a text; a digit leads there as itself and as its words, `#` as any digits.
    fn path(&mut self, mut at: usize, text: &str) -> usize {
        for letter in text.bytes().map(|b| b.to_ascii_lowercase()) {
            match letter {
                b'a'..=b'z' => at = self.letter(at, letter),
                b'0'..=b'9' => at = self.digit(at, letter),
                b'#' => {
                    let (from, to) = (self.node(), self.node());
                    self.skip(at, from);
                    for digit in b'0'..=b'9' {
                        let end = self.digit(from, digit);
                        self.skip(end, to);
                    }
                    self.skip(to, from);
                    at = to;
                }
                _ => {}
            }
        }
        at
    }

    fn digit(&mut self, from: usize, digit: u8) -> usize {
        let to = self.letter(from, digit);
        for word in spoken(digit) {
            let end = word
                .bytes()
                .fold(from, |at, letter| self.letter(at, letter));
            self.skip(end, to);
        }
        to
    }

    /// All nodes reached without a letter, sorted.
    fn closure(&self, mut open: Vec<usize>) -> Vec<usize> {
        let mut seen = open.clone();
        while let Some(node) = open.pop() {
            for &to in &self.nodes[node].skips {
                if !seen.contains(&to) {
                    seen.push(to);
                    open.push(to);
                }
            }
        }
        seen.sort_unstable();
        seen.dedup();
        seen
    }

    fn determine(&self, start: usize) -> Result<Automaton, TooLarge> {
        let first = self.closure(vec![start]);
        let mut numbers: HashMap<Vec<usize>, State> = HashMap::from([(first.clone(), 0)]);
        let mut sets = vec![first];
        let mut automaton = Automaton {
            next: Vec::new(),
            accepts: Vec::new(),
        };
        let mut at = 0;
        while at < sets.len() {
            let mut reached: [Vec<usize>; SYMBOLS] = std::array::from_fn(|_| Vec::new());
            // A wording that is both an order and the contrary is the contrary: the smallest meaning wins.
            let mut accepts: Option<(bool, Payload)> = None;
            for &node in &sets[at] {
                for &(letter, to) in &self.nodes[node].edges {
                    if let Some(symbol) = symbol(letter) {
                        reached[symbol].push(to);
                    }
                }
                accepts = match (accepts, self.nodes[node].accepts) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
            let mut row = [DEAD; SYMBOLS];
            for (symbol, set) in reached
                .into_iter()
                .enumerate()
                .filter(|(_, set)| !set.is_empty())
            {
                let set = self.closure(set);
                row[symbol] = match numbers.get(&set) {
                    Some(&number) => number,
                    None => {
                        let number = sets.len();
                        if number > STATES_MAX {
                            return Err(TooLarge);
                        }
                        #[allow(clippy::cast_possible_truncation)] // Checked one line above.
                        let number = number as State;
                        numbers.insert(set.clone(), number);
                        sets.push(set);
                        number
                    }
                };
            }
            automaton.next.push(row);
            automaton.accepts.push(accepts.map(|a| a.1));
            at += 1;
        }
        Ok(automaton)
    }
}

/// The recogniser's vocabulary by letters and digits: built once for each vocabulary.
#[derive(Debug, Clone)]
pub struct TokenTree {
    nodes: Vec<TokenNode>,
    silent: Vec<TokenId>,
}

#[derive(Debug, Clone, Default)]
struct TokenNode {
    children: Vec<(u8, u32)>,
    tokens: Vec<TokenId>,
}

impl TokenTree {
    /// Sort a vocabulary into a tree. Tokens with anything but ASCII and the space mark are left out.
    #[must_use]
    pub fn new(vocabulary: &Vocabulary) -> Self {
        let mut tree = Self {
            nodes: vec![TokenNode::default()],
            silent: Vec::new(),
        };
        for token in (0..).take(vocabulary.len()) {
            let Some(letters) = letters(vocabulary.text(token)) else {
                continue;
            };
            if letters.is_empty() {
                tree.silent.push(token);
                continue;
            }
            let mut at = 0;
            for letter in letters {
                at = match tree.nodes[at].children.iter().find(|c| c.0 == letter) {
                    Some(&(_, child)) => child as usize,
                    None => {
                        let child = tree.nodes.len();
                        tree.nodes.push(TokenNode::default());
                        #[allow(clippy::cast_possible_truncation)]
                        // Fewer nodes than bytes in the vocabulary.
                        tree.nodes[at].children.push((letter, child as u32));
                        child
                    }
                };
            }
            tree.nodes[at].tokens.push(token);
        }
        tree
    }

    /// Tokens of spaces and punctuation only: they may stand anywhere.
    #[must_use]
    pub fn silent(&self) -> &[TokenId] {
        &self.silent
    }
}

/// The letters and digits of a token, small; nothing when it holds what no wording has.
pub(super) fn letters(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    let mut letters = Vec::new();
    for c in text.chars() {
        match c {
            '▁' | ' ' | ',' | '.' | '!' | '?' | '\'' | '"' | '-' | ':' | ';' | '…' | '–' | '—'
            | '’' => {}
            c if c.is_ascii_alphanumeric() => letters.push(c.to_ascii_lowercase() as u8),
            _ => return None,
        }
    }
    Some(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(service: Service) -> Payload {
        Payload {
            meaning: Meaning::Order,
            service,
            quiet: false,
        }
    }

    fn small() -> Automaton {
        let orders = Wordings {
            prefixes: vec!["please".into(), "oh god".into()],
            prefix_needed: false,
            cores: vec![
                ("call 911".into(), order(Service::Sos)),
                ("call the police".into(), order(Service::Police)),
            ],
            suffixes: vec!["now".into(), "please".into()],
        };
        let polite = orders.behind(&["can you", "could you please"], Meaning::Polite);
        let numbers = Wordings {
            cores: vec![(
                "call #".into(),
                Payload {
                    meaning: Meaning::Contrary(RefusedClass::OtherNumber),
                    ..order(Service::Sos)
                },
            )],
            ..Wordings::default()
        };
        Automaton::new(&["alexa", "a lexus"], &[orders, polite, numbers]).unwrap()
    }

    #[test]
    fn every_way_to_write_a_wording_is_read() {
        let automaton = small();
        for text in [
            "call 911",
            "Call 9-1-1.",
            "Alexa, call nine one one, please!",
            "A Lexus. Oh, God: CALL 9 one 1 now",
        ] {
            assert_eq!(automaton.read(text), Some(order(Service::Sos)), "{text}");
        }
        assert_eq!(
            automaton.read("alexa please call the police"),
            Some(order(Service::Police))
        );
        assert_eq!(
            automaton
                .read("can you call the police now")
                .map(|p| p.meaning),
            Some(Meaning::Polite)
        );
        assert_eq!(
            automaton.read("call 9 2 1").map(|p| p.meaning),
            Some(Meaning::Contrary(RefusedClass::OtherNumber))
        );
        for text in [
            "",
            "alexa",
            "call",
            "call the police station",
            "please",
            "don't call the police",
            "call the policeé now x",
        ] {
            assert_eq!(automaton.read(text), None, "{text}");
        }
    }
}
