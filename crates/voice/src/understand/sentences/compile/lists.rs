//! Lists into trees of letters, ranges into trees of number words.
use super::super::grammar::Block;
use super::super::list::{List, Range};
use super::super::program::{ListBody, ListValue, Numbers, Op, Spelled, Values};
use super::super::template::ListReference;
use super::super::text::{folded, without_inner_spaces};
use super::super::trie::Trie;
use super::{Compiler, SPELLED_MAX, Scope};

impl Compiler<'_> {
    pub(super) fn list(
        &mut self,
        scope: Scope,
        block: &Block,
        list: &ListReference,
    ) -> Result<(), String> {
        let number = self.list_number(scope, block, list)?;
        let slots = self.slots.len();
        let slot = *self.slots.entry(list.slot.clone()).or_insert(slots as u16);
        if slot as usize == self.program.slots.len() {
            if slots >= u16::MAX.into() {
                return Err("more than 65,535 slots".into());
            }
            self.program.slots.push(list.slot.clone());
        }
        self.program.ops.push(Op::List {
            list: number,
            slot,
            ends_word: list.ends_word,
            capture: list.capture,
        });
        Ok(())
    }

    fn list_number(
        &mut self,
        scope: Scope,
        block: &Block,
        list: &ListReference,
    ) -> Result<u16, String> {
        let local = block.lists.get(&list.list);
        let key = (if local.is_some() { scope } else { 0 }, list.list.clone());
        if let Some(&known) = self.lists.get(&key) {
            return Ok(known);
        }
        let body = match local.or_else(|| self.grammar.lists.get(&list.list)) {
            Some(List::Values(_)) if self.program.lists.len() >= u16::MAX.into() => {
                return Err("more than 65,535 lists".into());
            }
            Some(List::Values(values)) => {
                let local_rules = Some(block).filter(|_| local.is_some());
                let mut texts = Vec::new();
                let mut kept = Vec::new();
                for value in values {
                    let wordings = self
                        .grammar
                        .wordings(local_rules, &value.said)
                        .map_err(|why| format!("list {}: {why}", list.list))?;
                    let number = kept.len() as u32;
                    kept.push(ListValue {
                        out: value.out.clone(),
                        context: value.context.clone(),
                        metadata: value.metadata.clone(),
                        letters: wordings
                            .iter()
                            .map(|w| w.chars().count())
                            .max()
                            .unwrap_or(0) as u16,
                    });
                    texts.extend(wordings.iter().map(|wording| (folded(wording), number)));
                }
                if self.program.dense {
                    for (text, _) in &mut texts {
                        *text = without_inner_spaces(text);
                    }
                }
                ListBody::Values(Values {
                    trie: Trie::new(texts),
                    values: kept,
                })
            }
            Some(List::Range(range)) => {
                let range = range.clone();
                self.range(&range)
            }
            Some(List::Wildcard) => ListBody::Wildcard,
            None => match list.range {
                Some((start, stop, step)) => self.range(&Range {
                    start,
                    stop,
                    step,
                    tenths: &[],
                    multiplier: None,
                    digits: true,
                    words: true,
                    words_language: None,
                }),
                None => ListBody::House,
            },
        };
        let number = self.program.lists.len() as u16;
        self.program.lists.push((list.list.clone(), body));
        self.lists.insert(key, number);
        Ok(number)
    }

    fn range(&mut self, range: &Range) -> ListBody {
        let mut numbers = Numbers {
            start: range.start,
            stop: range.stop,
            step: range.step,
            tenths: range.tenths.to_vec(),
            multiplier: range.multiplier,
            digits: range.digits,
            words: None,
        };
        if range.words {
            let language = range
                .words_language
                .as_ref()
                .unwrap_or(&self.grammar.language);
            let key = format!(
                "{language} {} {} {} {:?}",
                range.start, range.stop, range.step, range.tenths
            );
            numbers.words = match self.spelled.get(&key) {
                Some(&known) => known,
                None => {
                    let tree = self.words.rules(language).map(|rules| {
                        let tenths: Vec<i64> = numbers.in_tenths().take(SPELLED_MAX).collect();
                        let texts = tenths.iter().zip(0..).flat_map(|(&tenths, number)| {
                            rules
                                .spell(tenths)
                                .into_iter()
                                .map(move |text| (folded(&text), number))
                        });
                        Spelled {
                            trie: Trie::new(texts.collect::<Vec<_>>()),
                            tenths: tenths.clone(),
                        }
                    });
                    let number = tree.map(|tree| {
                        self.program.spelled.push(tree);
                        self.program.spelled.len() as u32 - 1
                    });
                    self.spelled.insert(key, number);
                    number
                }
            };
        }
        ListBody::Range(numbers)
    }
}
