//! Templates spelt out into every text that they stand for.
use super::network::{NetworkError, Parts, RULE_DEPTH_MAX};
use super::template::Template;

/// Most texts that one template may be spelt out into.
const SPELT_OUT_MAX: usize = 20_000;

/// A spelt-out wording and the slot values it names.
pub(crate) type SpeltOut = (String, Vec<(String, String)>);

/// Spells a template out into every text it stands for.
pub(crate) fn spell_out(
    template: &Template,
    parts: &Parts,
    name: &str,
) -> Result<Vec<SpeltOut>, NetworkError> {
    spell(template, parts, name, 0)
}

fn spell(
    template: &Template,
    parts: &Parts,
    name: &str,
    depth: usize,
) -> Result<Vec<SpeltOut>, NetworkError> {
    if depth > RULE_DEPTH_MAX * 4 {
        return Err(NetworkError::RuleLoop(name.to_owned()));
    }
    let mut out = match template {
        Template::Word(word) => vec![(word.clone(), Vec::new())],
        Template::AnyWord
        | Template::AnyWords
        | Template::AnyNumber
        | Template::Capture { .. }
        | Template::Repeat(_) => {
            return Err(NetworkError::Endless(name.to_owned()));
        }
        Template::Sequence(items) => {
            let mut all: Vec<SpeltOut> = vec![(String::new(), Vec::new())];
            for item in items {
                let tails = spell(item, parts, name, depth + 1)?;
                if all.len() * tails.len() > SPELT_OUT_MAX {
                    return Err(NetworkError::TooLarge(name.to_owned()));
                }
                all = all
                    .iter()
                    .flat_map(|head| tails.iter().map(move |tail| join(head, tail)))
                    .collect();
            }
            all
        }
        Template::Choice(list) => {
            let mut all = Vec::new();
            for item in list {
                all.extend(spell(item, parts, name, depth + 1)?);
            }
            all
        }
        Template::Rule(rule) => {
            let inner = parts
                .rules
                .get(rule)
                .ok_or_else(|| NetworkError::UnknownRule(rule.clone()))?;
            spell(inner, parts, rule, depth + 1)?
        }
        Template::List { list, slot } => {
            let values = parts
                .lists
                .get(list)
                .ok_or_else(|| NetworkError::UnknownList(list.clone()))?;
            let mut all = Vec::new();
            for (wording, value) in values {
                for (text, mut slots) in spell(wording, parts, list, depth + 1)? {
                    slots.push((slot.clone(), value.clone()));
                    all.push((text, slots));
                }
            }
            all
        }
    };
    if out.len() > SPELT_OUT_MAX {
        return Err(NetworkError::TooLarge(name.to_owned()));
    }
    let mut known = std::collections::HashSet::new();
    out.retain(|one| known.insert(one.clone()));
    Ok(out)
}

fn join(head: &SpeltOut, tail: &SpeltOut) -> SpeltOut {
    let space = if head.0.is_empty() || tail.0.is_empty() {
        ""
    } else {
        " "
    };
    let slots = head.1.iter().chain(&tail.1).cloned().collect();
    (format!("{}{space}{}", head.0, tail.0), slots)
}
