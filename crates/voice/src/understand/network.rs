//! Many templates compiled into one automaton over words.
//!
//! Templates become Thompson's construction first; then each state learns, word by word, where it leads
//! (the closure over empty steps is taken once, when the network is built). Reading a sentence keeps a set of
//! states, so the time is linear in the words, whatever the templates hold.
use std::collections::{BTreeMap, HashMap};

use thiserror::Error;

use super::template::{Free, Template};
use super::words::Word;

/// Most states of one network.
const STATES_MAX: usize = 400_000;
/// Deepest nesting of rules.
pub(super) const RULE_DEPTH_MAX: usize = 16;
/// Most slots that one set of templates may name.
pub(crate) const SLOTS_MAX: usize = 4;
/// Most free parts that one set of templates may take down.
pub(crate) const CAPTURES_MAX: usize = 6;

/// What the slots hold: an index into the slot's values, plus one; 0 is empty.
pub(crate) type Slots = [u8; SLOTS_MAX];

/// The words that each free part took down: the first and the one behind the last; equal when there are none.
pub(crate) type Captures = [(u16, u16); CAPTURES_MAX];

/// What a path through the network remembers.
trait Trail: Copy + Default {
    /// What it has gained so far.
    fn gained(&mut self) -> &mut Slots;

    /// The word at `index` belongs to a free part: its number plus one, 0 is none.
    fn take_down(&mut self, capture: u32, index: u16);

    /// Words taken down: of two paths to the same end, the one with fewer explains more.
    fn taken(&self) -> u32;
}

impl Trail for Slots {
    fn gained(&mut self) -> &mut Slots {
        self
    }

    fn take_down(&mut self, _capture: u32, _index: u16) {}

    fn taken(&self) -> u32 {
        0
    }
}

impl Trail for (Slots, Captures) {
    fn gained(&mut self) -> &mut Slots {
        &mut self.0
    }

    fn take_down(&mut self, capture: u32, index: u16) {
        let Some(span) = (capture as usize)
            .checked_sub(1)
            .and_then(|capture| self.1.get_mut(capture))
        else {
            return;
        };
        if span.0 == span.1 {
            span.0 = index;
        }
        span.1 = index + 1;
    }

    fn taken(&self) -> u32 {
        self.1.iter().map(|(from, to)| u32::from(to - from)).sum()
    }
}

/// Templates cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum NetworkError {
    /// A template names a rule that does not exist.
    #[error("a sentence names the rule <{0}>, which is not defined: define it or correct the name")]
    UnknownRule(String),
    /// A template names a list that does not exist.
    #[error(
        "a sentence names the list {{{0}}}, which is not defined: define it or correct the name"
    )]
    UnknownList(String),
    /// Rules contain each other.
    #[error("the rule <{0}> contains itself, or rules are nested more than 16 deep")]
    RuleLoop(String),
    /// Too many slots or values.
    #[error(
        "the slot {0:?} is one too many: at most 4 slots with 250 values each, and 6 free parts"
    )]
    TooManySlots(String),
    /// Too many states or spellings.
    #[error("the sentences are too large: split the rule {0:?} or remove alternatives")]
    TooLarge(String),
    /// Words without end cannot be spelt out.
    #[error(
        "the template for {0:?} holds '...', a repetition or any word, which cannot be spelt out"
    )]
    Endless(String),
}

/// The named parts that templates may use.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parts {
    /// Rules by name.
    pub(crate) rules: BTreeMap<String, Template>,
    /// Lists by name: each value's wording and what the slot then holds.
    pub(crate) lists: BTreeMap<String, Vec<(Template, String)>>,
    /// What a slot holds when one sentence gives it two values.
    pub(crate) mixed: BTreeMap<String, String>,
}

/// A compiled network. `accept` numbers are those given to [`Builder::add`].
#[derive(Debug)]
pub(crate) struct Network {
    vocabulary: HashMap<String, u32>,
    states: Vec<State>,
    moves: Vec<Move>,
    slot_names: Vec<String>,
    slot_values: Vec<Vec<String>>,
    captures: Vec<String>,
    mixed: Vec<u8>,
}

/// Where a state leads.
#[derive(Debug, Default, Clone)]
struct State {
    /// Moves on one word, sorted by word: a range of `Network::moves`.
    on_word: (u32, u32),
    /// Moves on any word; their `word` is the free part that takes it down, plus one.
    on_any: (u32, u32),
    /// Moves on any number; the same.
    on_number: (u32, u32),
    /// Accepts here: which template, and what the slots gained on the way.
    accepts: Vec<(u32, Slots)>,
}

#[derive(Debug, Clone, Copy)]
struct Move {
    word: u32,
    to: u32,
    gained: Slots,
}

/// A word that no template knows.
const UNKNOWN: u32 = u32::MAX;
/// A word that no sentence can hold.
const NOTHING: u32 = u32::MAX - 1;

impl Network {
    /// Every template that matches the whole sentence: its number and the slots, in the order of the numbers.
    pub(crate) fn matches(&self, words: &[Word]) -> Vec<(u32, Slots)> {
        self.accepted(&self.walk::<Slots>(words))
    }

    /// The same, with the words that each free part took down.
    pub(crate) fn captures(&self, words: &[Word]) -> Vec<(u32, (Slots, Captures))> {
        if words.len() >= usize::from(u16::MAX) {
            return Vec::new();
        }
        self.accepted(&self.walk(words))
    }

    /// Whether some sentence begins with these words.
    pub(crate) fn begins(&self, words: &[Word]) -> bool {
        !self.walk::<Slots>(words).is_empty()
    }

    /// The states after these words, first path first, each once.
    fn walk<T: Trail>(&self, words: &[Word]) -> Vec<(u32, T)> {
        let mut active: Vec<(u32, T)> = vec![(0, T::default())];
        let mut next: Vec<(u32, T)> = Vec::new();
        let mut seen = vec![0_u32; self.states.len()];
        for (word, round) in words.iter().zip(1_u32..) {
            let index = u16::try_from(round - 1).unwrap_or(u16::MAX);
            let id = self
                .vocabulary
                .get(word.text.as_str())
                .copied()
                .unwrap_or(UNKNOWN);
            for &(at, trail) in &active {
                let state = &self.states[at as usize];
                let mut go = |moves: &[Move], free: bool| {
                    for step in moves {
                        if std::mem::replace(&mut seen[step.to as usize], round) != round {
                            let mut trail = trail;
                            let gained = trail.gained();
                            *gained = self.merge(*gained, step.gained);
                            if free {
                                trail.take_down(step.word, index);
                            }
                            next.push((step.to, trail));
                        }
                    }
                };
                if id != UNKNOWN {
                    let moves = self.slice(state.on_word);
                    let from = moves.partition_point(|step| step.word < id);
                    let count = moves[from..]
                        .iter()
                        .take_while(|step| step.word == id)
                        .count();
                    go(&moves[from..from + count], false);
                }
                if word.number {
                    go(self.slice(state.on_number), true);
                }
                go(self.slice(state.on_any), true);
            }
            std::mem::swap(&mut active, &mut next);
            next.clear();
            if active.is_empty() {
                return Vec::new();
            }
        }
        active
    }

    /// What the sentence is when it ends in these states.
    fn accepted<T: Trail>(&self, active: &[(u32, T)]) -> Vec<(u32, T)> {
        let mut out: Vec<(u32, T)> = Vec::new();
        for &(at, trail) in active {
            for &(accept, gained) in &self.states[at as usize].accepts {
                let mut trail = trail;
                let held = trail.gained();
                *held = self.merge(*held, gained);
                match out.iter_mut().find(|(known, _)| *known == accept) {
                    None => out.push((accept, trail)),
                    Some((_, known)) if trail.taken() < known.taken() => *known = trail,
                    Some(_) => {}
                }
            }
        }
        out.sort_unstable_by_key(|(accept, _)| *accept);
        out
    }

    /// Whether some template holds this word.
    pub(crate) fn knows(&self, word: &str) -> bool {
        self.vocabulary.contains_key(word)
    }

    /// The filled slots by name.
    pub(crate) fn slot<'a>(&'a self, slots: &Slots, name: &str) -> Option<&'a str> {
        let index = self.slot_names.iter().position(|known| known == name)?;
        let value = slots[index].checked_sub(1)?;
        self.slot_values[index]
            .get(usize::from(value))
            .map(String::as_str)
    }

    /// The words that a free part took down, as a range.
    pub(crate) fn capture(&self, captures: &Captures, name: &str) -> Option<(usize, usize)> {
        let index = self.captures.iter().position(|known| known == name)?;
        let (from, to) = captures[index];
        (from < to).then_some((usize::from(from), usize::from(to)))
    }

    /// How many states and moves there are, for the figures.
    #[cfg(test)]
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.states.len(), self.moves.len())
    }

    fn slice(&self, (from, to): (u32, u32)) -> &[Move] {
        &self.moves[from as usize..to as usize]
    }

    fn merge(&self, held: Slots, gained: Slots) -> Slots {
        merge(&self.mixed, held, gained)
    }
}

/// The first value stays; a different second one becomes the slot's mixed value, if it has one.
fn merge(mixed: &[u8], held: Slots, gained: Slots) -> Slots {
    let mut out = held;
    for slot in 0..SLOTS_MAX {
        if gained[slot] == 0 || gained[slot] == held[slot] {
            continue;
        }
        out[slot] = match held[slot] {
            0 => gained[slot],
            kept => mixed
                .get(slot)
                .copied()
                .filter(|value| *value != 0)
                .unwrap_or(kept),
        };
    }
    out
}

/// One step of Thompson's construction.
#[derive(Debug, Clone, Copy)]
enum Step {
    Word(u32, u32),
    /// The free part that takes the word down, plus one; then the next step.
    AnyWord(u32, u32),
    AnyNumber(u32, u32),
    Split(u32, u32),
    Gain(Slots, u32),
    Accept(u32),
}

/// Collects templates, then builds the network.
pub(crate) struct Builder<'a> {
    parts: &'a Parts,
    steps: Vec<Step>,
    starts: Vec<u32>,
    vocabulary: HashMap<String, u32>,
    slot_names: Vec<String>,
    slot_values: Vec<Vec<String>>,
    captures: Vec<String>,
    /// One accepting step for each number.
    accepts: HashMap<u32, u32>,
    /// Where a rule or list that goes on at a step was compiled already: equal endings are shared.
    compiled: HashMap<(Template, u32), u32>,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(parts: &'a Parts) -> Self {
        Self {
            parts,
            steps: Vec::new(),
            starts: Vec::new(),
            vocabulary: HashMap::new(),
            slot_names: Vec::new(),
            slot_values: Vec::new(),
            captures: Vec::new(),
            accepts: HashMap::new(),
            compiled: HashMap::new(),
        }
    }

    /// Adds a template whose whole match reports `accept`.
    pub(crate) fn add(&mut self, template: &Template, accept: u32) -> Result<(), NetworkError> {
        let end = match self.accepts.get(&accept) {
            Some(end) => *end,
            None => {
                let end = self.push(Step::Accept(accept))?;
                self.accepts.insert(accept, end);
                end
            }
        };
        let start = self.compile(template, end, 0)?;
        self.starts.push(start);
        Ok(())
    }

    /// Compiles `template` so that it goes on at `next`; gives its first step.
    fn compile(
        &mut self,
        template: &Template,
        next: u32,
        depth: usize,
    ) -> Result<u32, NetworkError> {
        if matches!(template, Template::Word(_)) {
            return self.compile_one(template, next, depth);
        }
        let key = (template.clone(), next);
        if let Some(known) = self.compiled.get(&key) {
            return Ok(*known);
        }
        let start = self.compile_one(template, next, depth)?;
        self.compiled.insert(key, start);
        Ok(start)
    }

    fn compile_one(
        &mut self,
        template: &Template,
        next: u32,
        depth: usize,
    ) -> Result<u32, NetworkError> {
        match template {
            Template::Word(word) => {
                let id = self.word(word);
                self.push(Step::Word(id, next))
            }
            Template::AnyWord => self.push(Step::AnyWord(0, next)),
            Template::AnyNumber => self.push(Step::AnyNumber(0, next)),
            Template::Capture { what, name } => {
                let capture = self.capture(name)?;
                match what {
                    Free::Word => self.push(Step::AnyWord(capture, next)),
                    Free::Number => self.push(Step::AnyNumber(capture, next)),
                    Free::Words => {
                        let split = self.push(Step::Split(next, next))?;
                        let any = self.push(Step::AnyWord(capture, split))?;
                        self.steps[split as usize] = Step::Split(next, any);
                        Ok(any)
                    }
                }
            }
            Template::AnyWords => {
                let split = self.push(Step::Split(next, next))?;
                let any = self.push(Step::AnyWord(0, split))?;
                self.steps[split as usize] = Step::Split(next, any);
                Ok(split)
            }
            Template::Sequence(items) => {
                let mut at = next;
                for item in items.iter().rev() {
                    at = self.compile(item, at, depth)?;
                }
                Ok(at)
            }
            Template::Choice(list) => {
                let mut at = None;
                for item in list.iter().rev() {
                    let one = self.compile(item, next, depth)?;
                    at = Some(match at {
                        None => one,
                        Some(rest) => self.push(Step::Split(one, rest))?,
                    });
                }
                Ok(at.unwrap_or(next))
            }
            Template::Repeat(inner) => {
                let split = self.push(Step::Split(next, next))?;
                let body = self.compile(inner, split, depth)?;
                self.steps[split as usize] = Step::Split(body, next);
                Ok(split)
            }
            Template::Rule(name) => {
                if depth >= RULE_DEPTH_MAX {
                    return Err(NetworkError::RuleLoop(name.clone()));
                }
                let parts = self.parts;
                let rule = parts
                    .rules
                    .get(name)
                    .ok_or_else(|| NetworkError::UnknownRule(name.clone()))?;
                self.compile(rule, next, depth + 1)
            }
            Template::List { list, slot } => {
                if depth >= RULE_DEPTH_MAX {
                    return Err(NetworkError::RuleLoop(list.clone()));
                }
                let parts = self.parts;
                let values = parts
                    .lists
                    .get(list)
                    .ok_or_else(|| NetworkError::UnknownList(list.clone()))?;
                let mut at = None;
                for (wording, value) in values.iter().rev() {
                    let gained = self.gain(slot, value)?;
                    let after = self.push(Step::Gain(gained, next))?;
                    let one = self.compile(wording, after, depth + 1)?;
                    at = Some(match at {
                        None => one,
                        Some(rest) => self.push(Step::Split(one, rest))?,
                    });
                }
                // An empty list is a list that nothing matches.
                at.map_or_else(|| self.push(Step::Word(NOTHING, next)), Ok)
            }
        }
    }

    fn push(&mut self, step: Step) -> Result<u32, NetworkError> {
        if self.steps.len() >= STATES_MAX {
            return Err(NetworkError::TooLarge("all".to_owned()));
        }
        let index = u32::try_from(self.steps.len()).expect("fewer than STATES_MAX steps");
        self.steps.push(step);
        Ok(index)
    }

    fn word(&mut self, word: &str) -> u32 {
        let fresh = u32::try_from(self.vocabulary.len()).expect("fewer words than steps");
        *self.vocabulary.entry(word.to_owned()).or_insert(fresh)
    }

    /// The number of a free part, plus one.
    fn capture(&mut self, name: &str) -> Result<u32, NetworkError> {
        let known = self.captures.iter().position(|known| known == name);
        let index = known.unwrap_or_else(|| {
            self.captures.push(name.to_owned());
            self.captures.len() - 1
        });
        if index >= CAPTURES_MAX {
            return Err(NetworkError::TooManySlots(name.to_owned()));
        }
        Ok(u32::try_from(index + 1).expect("free parts are few"))
    }

    fn gain(&mut self, slot: &str, value: &str) -> Result<Slots, NetworkError> {
        let too_many = || NetworkError::TooManySlots(slot.to_owned());
        let index = match self.slot_names.iter().position(|known| known == slot) {
            Some(index) => index,
            None if self.slot_names.len() < SLOTS_MAX => {
                self.slot_names.push(slot.to_owned());
                self.slot_values.push(Vec::new());
                self.slot_names.len() - 1
            }
            None => return Err(too_many()),
        };
        let values = &mut self.slot_values[index];
        let position = values
            .iter()
            .position(|known| known == value)
            .unwrap_or_else(|| {
                values.push(value.to_owned());
                values.len() - 1
            });
        let mut slots = Slots::default();
        slots[index] = u8::try_from(position + 1).map_err(|_| too_many())?;
        Ok(slots)
    }

    /// Takes the closure over empty steps and sorts the moves.
    pub(crate) fn build(mut self) -> Result<Network, NetworkError> {
        let mut mixed = vec![0_u8; SLOTS_MAX];
        let parts = self.parts;
        for (slot, value) in &parts.mixed {
            let gained = self.gain(slot, value)?;
            for (index, value) in gained.iter().enumerate().filter(|(_, value)| **value != 0) {
                mixed[index] = *value;
            }
        }
        let mut network = Network {
            vocabulary: HashMap::new(),
            states: vec![State::default()],
            moves: Vec::new(),
            slot_names: self.slot_names,
            slot_values: self.slot_values,
            captures: self.captures,
            mixed,
        };
        // State 0 is the start; every other state is the step after a word.
        let mut numbers: HashMap<u32, u32> = HashMap::new();
        let mut waiting: Vec<(u32, Vec<u32>)> = vec![(0, self.starts)];
        while let Some((state, from)) = waiting.pop() {
            let mut reach = closure(&self.steps, &network.mixed, &from);
            let mut target =
                |step: u32, states: &mut Vec<State>, waiting: &mut Vec<(u32, Vec<u32>)>| {
                    *numbers.entry(step).or_insert_with(|| {
                        let number = u32::try_from(states.len()).expect("fewer states than steps");
                        states.push(State::default());
                        waiting.push((number, vec![step]));
                        number
                    })
                };
            let (mut on_word, mut on_any, mut on_number) = (Vec::new(), Vec::new(), Vec::new());
            for (step, gained) in reach.drain(..) {
                let (list, word, next) = match self.steps[step as usize] {
                    Step::Word(word, next) => (&mut on_word, word, next),
                    Step::AnyWord(capture, next) => (&mut on_any, capture, next),
                    Step::AnyNumber(capture, next) => (&mut on_number, capture, next),
                    Step::Accept(accept) => {
                        network.states[state as usize]
                            .accepts
                            .push((accept, gained));
                        continue;
                    }
                    Step::Split(..) | Step::Gain(..) => continue,
                };
                let to = target(next, &mut network.states, &mut waiting);
                list.push(Move { word, to, gained });
            }
            on_word.sort_by_key(|step: &Move| step.word);
            let mut store = |list: Vec<Move>| {
                let from =
                    u32::try_from(network.moves.len()).expect("moves are counted in 32 bits");
                network.moves.extend(list);
                (
                    from,
                    u32::try_from(network.moves.len()).expect("moves are counted in 32 bits"),
                )
            };
            let ranges = (store(on_word), store(on_any), store(on_number));
            let state = &mut network.states[state as usize];
            (state.on_word, state.on_any, state.on_number) = ranges;
        }
        network.vocabulary = self.vocabulary;
        network.hear_without_apostrophes();
        Ok(network)
    }
}

impl Network {
    /// "dont" is "don't", unless the bare letters are another word.
    fn hear_without_apostrophes(&mut self) {
        const OTHER_WORDS: [&str; 10] = [
            "ill", "were", "well", "hell", "shell", "wed", "id", "its", "cant's", "shed",
        ];
        let with: Vec<(String, u32)> = self
            .vocabulary
            .iter()
            .filter(|(word, _)| word.contains('\''))
            .map(|(word, id)| (word.replace('\'', ""), *id))
            .collect();
        for (bare, id) in with {
            if !OTHER_WORDS.contains(&bare.as_str()) {
                self.vocabulary.entry(bare).or_insert(id);
            }
        }
    }
}

/// The steps that can be reached without a word, each once, first path first.
fn closure(steps: &[Step], mixed: &[u8], from: &[u32]) -> Vec<(u32, Slots)> {
    let mut out = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut stack: Vec<(u32, Slots)> = from
        .iter()
        .rev()
        .map(|start| (*start, Slots::default()))
        .collect();
    while let Some((at, gained)) = stack.pop() {
        if !seen.insert(at) {
            continue;
        }
        match steps[at as usize] {
            Step::Split(first, second) => {
                stack.push((second, gained));
                stack.push((first, gained));
            }
            Step::Gain(slots, next) => stack.push((next, merge(mixed, gained, slots))),
            Step::Word(..) | Step::AnyWord(..) | Step::AnyNumber(..) | Step::Accept(_) => {
                out.push((at, gained));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::spell::spell_out;
    use super::super::words::words;
    use super::*;

    fn network(templates: &[&str]) -> Network {
        let mut parts = Parts::default();
        parts
            .rules
            .insert("polite".to_owned(), Template::parse("please|now").unwrap());
        let value = |text: &str, out: &str| (Template::parse(text).unwrap(), out.to_owned());
        parts.lists.insert(
            "who".to_owned(),
            vec![value("[the] police", "p"), value("an ambulance", "a")],
        );
        parts.mixed.insert("who".to_owned(), "both".to_owned());
        let mut builder = Builder::new(&parts);
        for (index, text) in templates.iter().enumerate() {
            builder
                .add(
                    &Template::parse(text).unwrap(),
                    u32::try_from(index).unwrap(),
                )
                .unwrap();
        }
        builder.build().unwrap()
    }

    fn accepted(network: &Network, text: &str) -> Vec<(u32, Option<String>)> {
        let found = network.matches(&words(text));
        found
            .iter()
            .map(|(accept, slots)| (*accept, network.slot(slots, "who").map(str::to_owned)))
            .collect()
    }

    #[test]
    fn matches_whole_sentences_and_remembers_the_slot() {
        let network = network(&[
            "call {who} (<polite>)*",
            "... police ...",
            "call {who} and {who}",
            "{any_number} don't",
        ]);
        assert_eq!(
            accepted(&network, "Call the police"),
            vec![(0, Some("p".to_owned())), (1, None)]
        );
        assert_eq!(
            accepted(&network, "call an ambulance now please now"),
            vec![(0, Some("a".to_owned()))]
        );
        assert_eq!(accepted(&network, "the police is here"), vec![(1, None)]);
        assert_eq!(
            accepted(&network, "call an ambulance and the police")[1],
            (2, Some("both".to_owned()))
        );
        assert_eq!(accepted(&network, "47 dont"), vec![(3, None)]);
        assert_eq!(accepted(&network, "call"), vec![]);
        assert_eq!(accepted(&network, ""), vec![]);
    }

    #[test]
    fn free_parts_take_down_as_few_words_as_the_rest_allows() {
        let network = network(&[
            "call {any_words:name} (<polite>)*",
            "tell {any_words:name} that {any_words:text}",
            "dial {any_number:digits}",
        ]);
        let taken = |text: &str, part: &str| -> Option<String> {
            let list = words(text);
            let found = network.captures(&list);
            let (_, (_, captures)) = found.first()?;
            let (from, to) = network.capture(captures, part)?;
            let texts: Vec<&str> = list[from..to]
                .iter()
                .map(|word| word.text.as_str())
                .collect();
            Some(texts.join(" "))
        };
        for (text, part, wanted) in [
            ("call anna please now", "name", Some("anna")),
            ("call anna now or never", "name", Some("anna now or never")),
            ("tell anna that i know that", "name", Some("anna")),
            ("tell anna that i know that", "text", Some("i know that")),
            ("dial 5550123", "digits", Some("5550123")),
            ("dial anna", "digits", None),
            ("call", "name", None),
            ("tell that that", "name", None),
        ] {
            assert_eq!(taken(text, part).as_deref(), wanted, "{text}");
        }
        assert!(network.begins(&words("tell anna")) && !network.begins(&words("anna")));
    }

    #[test]
    fn names_what_is_missing() {
        let parts = Parts::default();
        let add = |text: &str| Builder::new(&parts).add(&Template::parse(text).unwrap(), 0);
        assert_eq!(add("<x>"), Err(NetworkError::UnknownRule("x".to_owned())));
        assert_eq!(add("{x}"), Err(NetworkError::UnknownList("x".to_owned())));
        let mut parts = Parts::default();
        parts
            .rules
            .insert("x".to_owned(), Template::parse("a <x>").unwrap());
        let mut builder = Builder::new(&parts);
        assert!(matches!(
            builder.add(&Template::parse("<x>").unwrap(), 0),
            Err(NetworkError::RuleLoop(_))
        ));
        let endless = spell_out(&Template::parse("a ...").unwrap(), &parts, "t");
        assert_eq!(endless, Err(NetworkError::Endless("t".to_owned())));
    }
}
