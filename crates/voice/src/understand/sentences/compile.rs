//! From a [`Grammar`] to a [`Program`].
mod lists;

use std::collections::BTreeMap;

use super::grammar::{Block, Complaint, Grammar};
use super::list::List;
use super::program::{BlockHead, Edge, Op, Program, Template};
use super::required;
use super::spellout::NumberWords;
use super::template::Expression;
use super::text::{folded, spaced, without_inner_spaces};

/// Most operations of one language. German, the largest, has 90,000.
const OPS_MAX: usize = 4_000_000;
/// Most items of a permutation: six have 720 orders.
const PERMUTED_MAX: usize = 6;
/// Most numbers of one range that are known in words.
const SPELLED_MAX: usize = 20_000;

impl Program {
    /// Compiles a grammar. Templates that name what is not there are left out, each with a complaint.
    #[must_use]
    pub fn compile(grammar: &Grammar, words: &NumberWords) -> (Self, Vec<Complaint>) {
        let mut compiler = Compiler {
            grammar,
            words,
            program: Self {
                language: grammar.language.clone(),
                dense: grammar.dense,
                skip_words: skip_words(&grammar.skip_words),
                responses: grammar
                    .responses
                    .iter()
                    .map(|((intent, key), text)| (intent.clone(), key.clone(), text.clone()))
                    .collect(),
                ..Self::default()
            },
            rules: BTreeMap::new(),
            lists: BTreeMap::new(),
            slots: BTreeMap::new(),
            texts: BTreeMap::new(),
            spelled: BTreeMap::new(),
            fragments: required::Fragments::default(),
        };
        let mut complaints = grammar.complaints.clone();
        for (number, block) in grammar.blocks.iter().enumerate() {
            compiler.block(number, block, &mut complaints);
        }
        let Compiler {
            mut program,
            fragments,
            ..
        } = compiler;
        fragments.into_program(&mut program);
        (program, complaints)
    }
}

/// Longest first, so that "for me please" goes before "for me".
fn skip_words(words: &[String]) -> Vec<Vec<char>> {
    let mut list: Vec<Vec<char>> = words
        .iter()
        .map(|word| folded(spaced(word).trim()))
        .filter(|word| !word.is_empty())
        .collect();
    list.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    list.dedup();
    list
}

/// How far a rule is.
#[derive(Clone)]
enum Rule {
    Open,
    At(u32),
    Broken(String),
}

/// Blocks with lists or rules of their own have their own scope; all others share scope 0.
type Scope = usize;

struct Compiler<'a> {
    grammar: &'a Grammar,
    words: &'a NumberWords,
    program: Program,
    rules: BTreeMap<(Scope, String), Rule>,
    lists: BTreeMap<(Scope, String), u16>,
    slots: BTreeMap<String, u16>,
    texts: BTreeMap<String, (u32, u16)>,
    spelled: BTreeMap<String, Option<u32>>,
    fragments: required::Fragments,
}

impl Compiler<'_> {
    fn block(&mut self, number: usize, block: &Block, complaints: &mut Vec<Complaint>) {
        let scope = if block.lists.is_empty() && block.rules.is_empty() {
            0
        } else {
            number + 1
        };
        let head = self.program.blocks.len() as u32;
        self.program.blocks.push(BlockHead {
            intent: block.intent.clone(),
            slots: block.slots.clone(),
            response: block.response.clone(),
            requires: block.requires.clone(),
            excludes: block.excludes.clone(),
            metadata: block.metadata.clone(),
            keywords: block.keywords.clone(),
            whose: block.whose,
        });
        let mut templates: Vec<(usize, &(String, Expression))> = block
            .templates
            .iter()
            .map(|template| (self.first_tries(&template.1), template))
            .collect();
        // Free words go to the template with more words of its own.
        templates.sort_by_key(|(texts, _)| std::cmp::Reverse(*texts));
        for (_, (text, expression)) in templates {
            match self.template(scope, block, expression) {
                Ok(start) => {
                    let grammar = self.grammar;
                    let clauses = self
                        .fragments
                        .clauses(expression, &|name| grammar.rule(block, name));
                    self.program.templates.push(Template {
                        start,
                        block: head,
                        edge: self.edge(expression),
                        clauses,
                        text: text.clone(),
                    });
                }
                Err(why) => complaints.push(Complaint {
                    file: block.file.clone(),
                    line: None,
                    what: format!("{}: \"{text}\": {why}", block.intent),
                }),
            }
        }
    }

    /// Pieces of text of a template with free words; 0 for all others.
    fn first_tries(&self, expression: &Expression) -> usize {
        let mut lists = Vec::new();
        expression.lists(&mut lists);
        let free = lists
            .iter()
            .any(|list| matches!(self.grammar.lists.get(&list.list), Some(List::Wildcard)));
        if free { expression.texts() } else { 0 }
    }

    fn edge(&self, expression: &Expression) -> Edge {
        let wildcard = |item: Option<&Expression>| match item {
            Some(Expression::List(list)) => {
                matches!(self.grammar.lists.get(&list.list), Some(List::Wildcard))
            }
            _ => false,
        };
        match expression {
            Expression::Sequence(items) if items.len() == 1 && wildcard(items.first()) => {
                Edge::Whole
            }
            Expression::Sequence(items) if items.len() > 1 && wildcard(items.first()) => {
                Edge::Start
            }
            Expression::Sequence(items) if items.len() > 1 && wildcard(items.last()) => Edge::End,
            _ => Edge::Closed,
        }
    }

    fn template(
        &mut self,
        scope: Scope,
        block: &Block,
        expression: &Expression,
    ) -> Result<u32, String> {
        self.ensure_rules(scope, block, expression)?;
        let start = self.program.ops.len();
        match self.emit(scope, block, expression) {
            Ok(()) => {
                self.program.ops.push(Op::Match);
                Ok(start as u32)
            }
            Err(why) => {
                self.program.ops.truncate(start);
                Err(why)
            }
        }
    }

    /// Compiles the rules that an expression calls, and theirs.
    fn ensure_rules(
        &mut self,
        scope: Scope,
        block: &Block,
        expression: &Expression,
    ) -> Result<(), String> {
        match expression {
            Expression::Text(_) | Expression::List(_) => Ok(()),
            Expression::Sequence(items)
            | Expression::Alternative(items)
            | Expression::Permutation(items) => items
                .iter()
                .try_for_each(|item| self.ensure_rules(scope, block, item)),
            Expression::Rule(name) => {
                let key = (scope, name.clone());
                match self.rules.get(&key) {
                    Some(Rule::At(_)) => return Ok(()),
                    Some(Rule::Broken(why)) => return Err(why.clone()),
                    Some(Rule::Open) => {
                        return Err(format!(
                            "rule <{name}> refers to itself: take it out of its own body"
                        ));
                    }
                    None => {}
                }
                let Some(body) = self.grammar.rule(block, name) else {
                    return Err(format!("there is no rule <{name}>"));
                };
                self.rules.insert(key.clone(), Rule::Open);
                let done = self.ensure_rules(scope, block, body).and_then(|()| {
                    let start = self.program.ops.len();
                    self.emit(scope, block, body)
                        .inspect_err(|_| self.program.ops.truncate(start))?;
                    self.program.ops.push(Op::Return);
                    Ok(start as u32)
                });
                match done {
                    Ok(start) => {
                        self.rules.insert(key, Rule::At(start));
                        Ok(())
                    }
                    Err(why) => {
                        self.rules.insert(key, Rule::Broken(why.clone()));
                        Err(why)
                    }
                }
            }
        }
    }

    fn emit(&mut self, scope: Scope, block: &Block, expression: &Expression) -> Result<(), String> {
        if self.program.ops.len() > OPS_MAX {
            return Err("the grammar is too large".into());
        }
        match expression {
            Expression::Text(text) => self.text(text),
            Expression::Sequence(items) => items
                .iter()
                .try_for_each(|item| self.emit(scope, block, item)),
            Expression::Alternative(items) => {
                let (fork, first) = self.fork(items.len());
                let mut jumps = Vec::new();
                for (n, item) in items.iter().enumerate() {
                    self.aim(first, n);
                    self.emit(scope, block, item)?;
                    jumps.push(self.program.ops.len());
                    self.program.ops.push(Op::Jump(0));
                }
                self.land(&jumps);
                debug_assert!(fork < self.program.ops.len());
                Ok(())
            }
            Expression::Permutation(items) if items.len() > PERMUTED_MAX => Err(format!(
                "more than {PERMUTED_MAX} items in any order: group some of them"
            )),
            Expression::Permutation(items) => {
                let items: Vec<&Expression> = items.iter().collect();
                self.any_order(scope, block, &items)
            }
            Expression::Rule(name) => match self.rules.get(&(scope, name.clone())) {
                Some(Rule::At(start)) => {
                    self.program.ops.push(Op::Call(*start));
                    Ok(())
                }
                _ => Err(format!("there is no rule <{name}>")),
            },
            Expression::List(list) => self.list(scope, block, list),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        if text.is_empty() {
            return Ok(());
        }
        let (at, length) = match self.texts.get(text) {
            Some(&known) => known,
            None => {
                let mut letters = folded(text);
                if self.program.dense {
                    letters = without_inner_spaces(&letters);
                }
                let length = u16::try_from(letters.len())
                    .map_err(|_| "a text has more than 65,535 letters")?;
                let at = self.program.chars.len() as u32;
                self.program.chars.extend(letters);
                self.texts.insert(text.to_owned(), (at, length));
                (at, length)
            }
        };
        self.program.ops.push(Op::Text {
            at,
            length,
            literal: text.trim().chars().count().min(u16::MAX.into()) as u16,
            ends_word: text.ends_with([' ', '\'']),
        });
        Ok(())
    }

    /// A fork whose targets are set by [`Self::aim`].
    fn fork(&mut self, count: usize) -> (usize, usize) {
        let (op, first) = (self.program.ops.len(), self.program.targets.len());
        self.program.targets.resize(first + count, 0);
        self.program.ops.push(Op::Fork {
            first: first as u32,
            count: count as u16,
        });
        (op, first)
    }

    /// Branch `n` begins at the next operation.
    fn aim(&mut self, first: usize, n: usize) {
        let here = self.program.ops.len() as u32;
        if let Some(target) = self.program.targets.get_mut(first + n) {
            *target = here;
        }
    }

    /// These jumps go to the next operation.
    fn land(&mut self, jumps: &[usize]) {
        let here = self.program.ops.len() as u32;
        for &jump in jumps {
            if let Some(op) = self.program.ops.get_mut(jump) {
                *op = Op::Jump(here);
            }
        }
    }

    fn any_order(
        &mut self,
        scope: Scope,
        block: &Block,
        items: &[&Expression],
    ) -> Result<(), String> {
        if let [one] = items {
            return self.emit(scope, block, one);
        }
        let (_, first) = self.fork(items.len());
        let mut jumps = Vec::new();
        for (n, item) in items.iter().enumerate() {
            self.aim(first, n);
            self.emit(scope, block, item)?;
            let rest: Vec<&Expression> = items
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != n)
                .map(|(_, item)| *item)
                .collect();
            self.any_order(scope, block, &rest)?;
            jumps.push(self.program.ops.len());
            self.program.ops.push(Op::Jump(0));
        }
        self.land(&jumps);
        Ok(())
    }
}

impl Grammar {
    /// The body of a rule: the block's own goes before the language's.
    pub(super) fn rule<'a>(&'a self, block: &'a Block, name: &str) -> Option<&'a Expression> {
        block.rules.get(name).or_else(|| self.rules.get(name))
    }
}
