//! A grammar as its files give it: intents with blocks of templates, lists, rules, skip words, responses.
//!
//! Files are laid over each other; one that is broken, or a part of one, is left out with a [`Complaint`], and the rest
//! is read all the same.
use std::collections::BTreeMap;

use super::datum::Datum;
use super::list::{List, Said, list};
use super::template::{Expression, TemplateError};
use super::text::{spaced, trimmed};

/// Most complaints kept.
const COMPLAINTS_MAX: usize = 200;
/// Most wordings that one value of a list may stand for.
pub const VALUE_WORDINGS_MAX: usize = 512;

/// A part of a file that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {what}", line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct Complaint {
    /// Name of the file as it was given.
    pub file: String,
    /// Line, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong and what to do.
    pub what: String,
}

/// Whose sentence it is. Where two read the same words equally well, the greater has it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum Whose {
    /// Of this speaker: for what the package leaves out.
    Ours,
    /// Of the package of the language.
    Package,
    /// Of the owner's own files: before everything else, however well that reads.
    Owner,
}

/// One block of templates: they mean the same.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) intent: String,
    /// Each template as written and as read.
    pub(super) templates: Vec<(String, Expression)>,
    pub(super) slots: Vec<(String, Datum)>,
    pub(super) response: Option<String>,
    pub(super) requires: Vec<(String, Datum)>,
    pub(super) excludes: Vec<(String, Datum)>,
    pub(super) lists: BTreeMap<String, List>,
    pub(super) rules: BTreeMap<String, Expression>,
    pub(super) metadata: Datum,
    /// One of these words must be said.
    pub(super) keywords: Vec<String>,
    pub(super) whose: Whose,
    /// The file it stands in.
    pub(super) file: String,
}

/// All files of one language, laid over each other.
#[derive(Debug, Clone, Default)]
pub struct Grammar {
    pub(super) language: String,
    pub(super) blocks: Vec<Block>,
    pub(super) lists: BTreeMap<String, List>,
    pub(super) rules: BTreeMap<String, Expression>,
    pub(super) skip_words: Vec<String>,
    pub(super) dense: bool,
    pub(super) responses: BTreeMap<(String, String), String>,
    pub(super) complaints: Vec<Complaint>,
}

impl Grammar {
    /// An empty grammar of a language ("en", "pt-BR").
    #[must_use]
    pub fn new(language: &str) -> Self {
        Self {
            language: language.to_owned(),
            ..Self::default()
        }
    }

    /// What could not be used, in the order of the files.
    #[must_use]
    pub fn complaints(&self) -> &[Complaint] {
        &self.complaints
    }

    /// Templates read so far.
    #[must_use]
    pub fn templates(&self) -> usize {
        self.blocks.iter().map(|block| block.templates.len()).sum()
    }

    /// Adds one file of the package, in JSON.
    pub fn add_json(&mut self, file: &str, bytes: &[u8]) {
        match serde_json::from_slice::<serde_json::Value>(bytes) {
            Ok(value) => self.add(file, "", &Datum::from_json(&value), Whose::Package),
            Err(error) => {
                let line = Some(error.line());
                self.complain(file, line, format!("not JSON: {error}"));
            }
        }
    }

    /// Adds one of the owner's own files, in YAML (`custom_sentences/<language>/*.yaml`).
    pub fn add_yaml(&mut self, file: &str, text: &str) {
        self.add_text(file, text, Whose::Owner);
    }

    /// Adds one file of this speaker's sentences, in the same form. To be added before the owner's: of two lists, rules or
    /// responses of one name the later one stands.
    pub fn add_ours(&mut self, file: &str, text: &str) {
        self.add_text(file, text, Whose::Ours);
    }

    fn add_text(&mut self, file: &str, text: &str, whose: Whose) {
        match super::yaml::read(text) {
            Ok(datum) => self.add(file, text, &datum, whose),
            Err(error) => self.complain(file, Some(error.line), error.what),
        }
    }

    fn complain(&mut self, file: &str, line: Option<usize>, what: String) {
        if self.complaints.len() < COMPLAINTS_MAX {
            self.complaints.push(Complaint {
                file: file.to_owned(),
                line,
                what,
            });
        }
    }

    fn add(&mut self, file: &str, text: &str, datum: &Datum, whose: Whose) {
        if datum.entries().is_empty() {
            self.complain(
                file,
                None,
                "a mapping with intents, lists or expansion_rules is expected".into(),
            );
            return;
        }
        let at = |part: &str| {
            let line = text
                .lines()
                .position(|line| !part.is_empty() && line.contains(part));
            line.map(|line| line + 1)
        };
        for (name, body) in datum.get("lists").map_or(&[][..], Datum::entries) {
            match list(body) {
                Ok(list) => drop(self.lists.insert(name.clone(), list)),
                Err(why) => {
                    self.complain(file, at(&format!("{name}:")), format!("list {name}: {why}"));
                }
            }
        }
        for (name, body) in datum.get("expansion_rules").map_or(&[][..], Datum::entries) {
            match rule(body) {
                Ok(rule) => drop(self.rules.insert(name.clone(), rule)),
                Err(why) => {
                    self.complain(file, at(&format!("{name}:")), format!("rule {name}: {why}"));
                }
            }
        }
        let words = datum.get("skip_words").map_or(&[][..], Datum::items);
        self.skip_words
            .extend(words.iter().filter_map(Datum::text).map(str::to_owned));
        if let Some(dense) = datum
            .get("settings")
            .and_then(|s| s.get("ignore_whitespace"))
            .and_then(Datum::flag)
        {
            self.dense = dense;
        }
        for (intent, keys) in datum
            .get("responses")
            .and_then(|r| r.get("intents"))
            .map_or(&[][..], Datum::entries)
        {
            for (key, template) in keys.entries() {
                if let Some(template) = template.text() {
                    self.responses
                        .insert((intent.clone(), key.clone()), template.to_owned());
                }
            }
        }
        for (intent, body) in datum.get("intents").map_or(&[][..], Datum::entries) {
            for block in body.get("data").map_or(&[][..], Datum::items) {
                match self.block(file, intent, block, whose, &at) {
                    Ok(block) => self.blocks.push(block),
                    Err(why) => {
                        self.complain(file, at(&format!("{intent}:")), format!("{intent}: {why}"));
                    }
                }
            }
        }
    }

    fn block(
        &mut self,
        file: &str,
        intent: &str,
        datum: &Datum,
        whose: Whose,
        at: &dyn Fn(&str) -> Option<usize>,
    ) -> Result<Block, String> {
        let sentences = datum.get("sentences").ok_or("a block has no sentences")?;
        let mut templates = Vec::new();
        for sentence in sentences.items() {
            let Some(text) = sentence.text() else {
                self.complain(
                    file,
                    None,
                    format!("{intent}: a sentence is not text: put quotes around it"),
                );
                continue;
            };
            match Expression::parse(text) {
                Ok(expression) => templates.push((text.to_owned(), expression)),
                Err(why) => self.complain(file, at(text), format!("{intent}: \"{text}\": {why}")),
            }
        }
        let entries = |key: &str| datum.get(key).map_or(&[][..], Datum::entries);
        let mut lists = BTreeMap::new();
        for (name, body) in entries("lists") {
            lists.insert(
                name.clone(),
                list(body).map_err(|why| format!("list {name}: {why}"))?,
            );
        }
        let mut rules = BTreeMap::new();
        for (name, body) in entries("expansion_rules") {
            rules.insert(
                name.clone(),
                rule(body).map_err(|why| format!("rule {name}: {why}"))?,
            );
        }
        let texts = |key: &str| -> Vec<String> {
            let items = datum.get(key).map_or(&[][..], Datum::items);
            items
                .iter()
                .filter_map(Datum::text)
                .map(str::to_owned)
                .collect()
        };
        Ok(Block {
            intent: intent.to_owned(),
            templates,
            slots: entries("slots").to_vec(),
            response: datum
                .get("response")
                .and_then(Datum::text)
                .map(str::to_owned),
            requires: entries("requires_context").to_vec(),
            excludes: entries("excludes_context").to_vec(),
            lists,
            rules,
            metadata: datum.get("metadata").cloned().unwrap_or(Datum::Null),
            keywords: texts("required_keywords"),
            whose,
            file: file.to_owned(),
        })
    }

    /// Every wording of a value of a list, composed and trimmed.
    pub(super) fn wordings(
        &self,
        block: Option<&Block>,
        said: &Said,
    ) -> Result<Vec<String>, String> {
        let mut out = match said {
            Said::Plain(text) => vec![text.clone()],
            Said::Template(expression) => self.sample(block, expression, 0)?,
        };
        for text in &mut out {
            let chars: Vec<char> = spaced(text).chars().collect();
            *text = trimmed(&chars).iter().collect();
        }
        out.retain(|text| !text.is_empty());
        Ok(out)
    }

    fn sample(
        &self,
        block: Option<&Block>,
        expression: &Expression,
        depth: usize,
    ) -> Result<Vec<String>, String> {
        let too_many =
            || format!("a value stands for more than {VALUE_WORDINGS_MAX} wordings: split it");
        if depth > 2 * super::template::TEMPLATE_DEPTH_MAX {
            return Err("its rules refer to each other without end".into());
        }
        Ok(match expression {
            Expression::Text(text) => vec![text.clone()],
            Expression::List(list) => {
                return Err(format!(
                    "{{{}}} cannot stand in a value of a list",
                    list.list
                ));
            }
            Expression::Rule(name) => {
                let local = block.and_then(|block| block.rules.get(name));
                let body = local
                    .or_else(|| self.rules.get(name))
                    .ok_or_else(|| format!("there is no rule <{name}>"))?;
                self.sample(block, body, depth + 1)?
            }
            Expression::Alternative(items) => {
                let mut out = Vec::new();
                for item in items {
                    out.extend(self.sample(block, item, depth + 1)?);
                    if out.len() > VALUE_WORDINGS_MAX {
                        return Err(too_many());
                    }
                }
                out
            }
            Expression::Sequence(items) => {
                let mut out = vec![String::new()];
                for item in items {
                    let next = self.sample(block, item, depth + 1)?;
                    if out.len() * next.len() > VALUE_WORDINGS_MAX {
                        return Err(too_many());
                    }
                    out = out
                        .iter()
                        .flat_map(|before| next.iter().map(move |after| format!("{before}{after}")))
                        .collect();
                }
                out
            }
            Expression::Permutation(items) if items.len() > 4 => return Err(too_many()),
            Expression::Permutation(items) => {
                let mut out = Vec::new();
                for order in super::program::orders(items.len()) {
                    let items = order
                        .into_iter()
                        .filter_map(|at| items.get(at).cloned())
                        .collect();
                    out.extend(self.sample(block, &Expression::Sequence(items), depth + 1)?);
                    if out.len() > VALUE_WORDINGS_MAX {
                        return Err(too_many());
                    }
                }
                out
            }
        })
    }
}

fn rule(body: &Datum) -> Result<Expression, String> {
    let text = body
        .text()
        .ok_or("the body is not text: put quotes around it")?;
    Expression::parse(text).map_err(|why: TemplateError| why.to_string())
}
