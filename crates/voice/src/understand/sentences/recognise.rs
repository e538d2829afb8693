//! A sentence, a program, a house: what is meant.
use std::collections::BTreeMap;

use super::context;
use super::datum::Datum;
use super::grammar::Whose;
use super::program::{Edge, ListBody, ListValue, Program, Values};
use super::required::Present;
use super::score::Best;
use super::text::{
    Side, fold, folded, normal, spaced, trimmed, without_inner_spaces, without_skip_words,
};
use super::trie::Trie;
use super::walk::{Filled, Said, Walk};

/// Longest sentence, in characters.
pub const SAID_CHARS_MAX: usize = 500;
/// Most steps for one sentence, all templates together.
const STEPS_MAX: u32 = 400_000;
/// Most values of one list of the house.
pub const HOUSE_VALUES_MAX: usize = 200_000;

/// The lists that a house gives: names of devices, areas, floors.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    lists: BTreeMap<String, ListBody>,
}

/// One value of a house's list.
#[derive(Debug, Clone, PartialEq)]
pub struct HouseValue {
    /// The words that are said; compared without regard to case.
    pub said: String,
    /// What fills the slot.
    pub out: Datum,
    /// Circumstances that come with it, such as its domain.
    pub context: Vec<(String, Datum)>,
    /// Handed through to the result.
    pub metadata: Option<Datum>,
}

impl Lists {
    /// Sets a list. Values beyond 200,000, and values without words, are left out.
    pub fn set(&mut self, name: &str, values: impl IntoIterator<Item = HouseValue>) {
        let mut texts = Vec::new();
        let mut kept = Vec::new();
        for value in values.into_iter().take(HOUSE_VALUES_MAX) {
            let words = spaced(&value.said);
            let words = words.trim();
            if words.is_empty() {
                continue;
            }
            texts.push((folded(words), kept.len() as u32));
            kept.push(ListValue {
                out: Some(value.out),
                context: value.context,
                metadata: value.metadata,
                letters: words.chars().count().min(u16::MAX.into()) as u16,
            });
        }
        let body = ListBody::Values(Values {
            trie: Trie::new(texts),
            values: kept,
        });
        self.lists.insert(name.to_owned(), body);
    }

    pub(super) fn bodies(&self) -> impl Iterator<Item = &ListBody> {
        self.lists.values()
    }

    pub(super) fn body(&self, name: &str) -> Option<&ListBody> {
        self.lists.get(name)
    }

    /// Memory held, in bytes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.lists
            .values()
            .map(|body| match body {
                ListBody::Values(values) => values.trie.bytes() + values.values.len() * 200,
                _ => 0,
            })
            .sum()
    }
}

/// One filled slot.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// What fills it.
    pub value: Datum,
    /// The words that were said for it; none if it was not said.
    pub said: String,
    /// How it came to be filled.
    pub from: SlotFrom,
    /// What the list says about the value.
    pub metadata: Option<Datum>,
}

/// How a slot came to be filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotFrom {
    /// By a value of a list.
    List,
    /// By a number.
    Number,
    /// By free words.
    Words,
    /// By the block of templates.
    Block,
    /// By circumstances, such as the room.
    Context,
}

/// What a sentence means.
#[derive(Debug, Clone, PartialEq)]
pub struct Recognition {
    /// Name of the intent.
    pub intent: String,
    /// Slot combination, where the grammar names one.
    pub combination: Option<String>,
    /// Filled slots, one for each name.
    pub slots: Vec<Slot>,
    /// Words for the response only.
    pub captures: Vec<(String, String)>,
    /// Key of the response.
    pub response: String,
    /// The template that matched.
    pub template: String,
    /// Whose sentence it is.
    pub whose: Whose,
    /// Other intents that read the sentence just as well. Not empty: ask, do not guess.
    pub rivals: Vec<String>,
    /// What the block says about itself.
    pub metadata: Datum,
}

impl Recognition {
    /// A slot by its name.
    #[must_use]
    pub fn slot(&self, name: &str) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.name == name)
    }
}

impl Program {
    /// Reads one sentence. `context` holds the circumstances, such as `("area", "Kitchen")` for the room.
    ///
    /// Longer than [`SAID_CHARS_MAX`] is no command. Time is bounded whatever is said.
    #[must_use]
    pub fn recognise(
        &self,
        said: &str,
        lists: &Lists,
        context: &[(String, Datum)],
    ) -> Option<Recognition> {
        if said.chars().count() > SAID_CHARS_MAX {
            return None;
        }
        let texts = Texts::new(self, normal(said));
        if trimmed(&texts.with.letters).is_empty() {
            return None;
        }
        let mut present = Present::default();
        let dense = self.dense.then(|| without_inner_spaces(&texts.raw.folded));
        present.look(
            self,
            [&texts.with.folded[..], &texts.without.folded[..]]
                .into_iter()
                .chain(dense.as_deref()),
        );
        let house = ListBody::House;
        let bodies: Vec<&ListBody> = self
            .lists
            .iter()
            .map(|(name, body)| {
                lists.lists.get(name).unwrap_or(match body {
                    ListBody::House => &house,
                    body => body,
                })
            })
            .collect();
        let words: Vec<String> = if self.blocks.iter().any(|block| !block.keywords.is_empty()) {
            let all: String = texts.without.letters.iter().collect();
            all.split_whitespace().map(str::to_owned).collect()
        } else {
            Vec::new()
        };
        let mut best = Best::default();
        let mut steps = 0;
        let mut block_number = None;
        let mut block_open = true;
        for (number, template) in self.templates.iter().enumerate() {
            if block_number != Some(template.block) {
                block_number = Some(template.block);
                block_open = self
                    .blocks
                    .get(template.block as usize)
                    .is_some_and(|block| {
                        (block.keywords.is_empty()
                            || block.keywords.iter().any(|keyword| words.contains(keyword)))
                            && (context.is_empty()
                                || context::may_be(&block.requires, context)
                                    && !context::excluded(&block.excludes, context))
                    });
            }
            if !block_open || !present.allows(self, template.clauses) {
                continue;
            }
            for text in texts.of(template.edge).into_iter().flatten() {
                steps += Walk::template(self, &bodies, text, context, number as u32, &mut best);
            }
            if steps > STEPS_MAX {
                break;
            }
        }
        self.result(best, &bodies)
    }

    fn result(&self, best: Best, bodies: &[&ListBody]) -> Option<Recognition> {
        let found = best.found?;
        let template = self.templates.get(found.template as usize)?;
        let block = self.blocks.get(template.block as usize)?;
        let mut slots: Vec<Slot> = Vec::new();
        let mut captures = Vec::new();
        for capture in &found.captures {
            let letters = found
                .said
                .letters
                .get(capture.from as usize..capture.to as usize)?;
            let words: String = trimmed(letters).iter().collect();
            let name = self.slots.get(capture.slot as usize)?.clone();
            if capture.response_only {
                captures.push((name, words));
                continue;
            }
            let (value, from, metadata) = match capture.value {
                Filled::Number(number) => (Datum::Number(number), SlotFrom::Number, None),
                Filled::Words | Filled::Open { .. } => {
                    (Datum::Text(words.clone()), SlotFrom::Words, None)
                }
                Filled::Value(list, value) => {
                    let Some(ListBody::Values(values)) = bodies.get(list as usize) else {
                        return None;
                    };
                    let value = values.values.get(value as usize)?;
                    let out = value
                        .out
                        .clone()
                        .unwrap_or_else(|| Datum::Text(words.clone()));
                    (out, SlotFrom::List, value.metadata.clone())
                }
            };
            slots.retain(|slot| slot.name != name);
            slots.push(Slot {
                name,
                value,
                said: words,
                from,
                metadata,
            });
        }
        let said = slots.len();
        let unsaid = block.slots.iter().map(|slot| (slot, SlotFrom::Block));
        let unsaid = unsaid.chain(
            found
                .from_context
                .iter()
                .map(|slot| (slot, SlotFrom::Context)),
        );
        for ((name, value), from) in unsaid {
            if slots.iter().take(said).any(|slot| slot.name == *name) {
                continue;
            }
            slots.retain(|slot| slot.name != *name);
            slots.push(Slot {
                name: name.clone(),
                value: value.clone(),
                said: String::new(),
                from,
                metadata: None,
            });
        }
        let intent_of = |template: &u32| {
            let template = self.templates.get(*template as usize)?;
            self.blocks
                .get(template.block as usize)
                .map(|block| block.intent.clone())
        };
        Some(Recognition {
            intent: block.intent.clone(),
            combination: block
                .metadata
                .get("slot_combination")
                .and_then(Datum::text)
                .map(str::to_owned),
            slots,
            captures,
            response: block.response.clone().unwrap_or_else(|| "default".into()),
            template: template.text.clone(),
            whose: block.whose,
            rivals: found.rivals.iter().filter_map(intent_of).collect(),
            metadata: block.metadata.clone(),
        })
    }
}

/// A sentence in the forms in which it is matched.
struct Texts {
    raw: Said,
    /// As it was said.
    with: Said,
    /// Without skip words.
    without: Said,
    /// Skip words gone from the start only, and from the end only; absent where nothing changes.
    start: Option<Said>,
    end: Option<Said>,
}

impl Texts {
    fn new(program: &Program, raw: Vec<char>) -> Self {
        let ready = |mut letters: Vec<char>| {
            if program.dense {
                letters = without_inner_spaces(&letters);
            } else {
                letters.push(' ');
            }
            Said {
                folded: letters.iter().map(|&c| fold(c)).collect(),
                letters,
            }
        };
        let take = |side| without_skip_words(&raw, &program.skip_words, side, program.dense);
        let without = take(Side::Everywhere);
        let changed = without != raw;
        let edge = |side| changed.then(|| ready(take(side)));
        Self {
            start: edge(Side::Start),
            end: edge(Side::End),
            with: ready(raw.clone()),
            without: ready(without),
            raw: Said {
                folded: raw.iter().map(|&c| fold(c)).collect(),
                letters: raw,
            },
        }
    }

    /// The forms to be tried for a template, in this order.
    fn of(&self, edge: Edge) -> [Option<&Said>; 2] {
        let chosen = match edge {
            Edge::Closed => &self.without,
            Edge::Whole => &self.with,
            // Free words at the start keep skip words there: only those at the end go.
            Edge::Start => self.end.as_ref().unwrap_or(&self.without),
            Edge::End => self.start.as_ref().unwrap_or(&self.without),
        };
        // What was said goes before what is left of it.
        let literally = self.with != self.without && *chosen == self.without;
        [literally.then_some(&self.with), Some(chosen)]
    }
}
