//! Circumstances that a block asks for or rules out: the room, the kind of device behind a name.
use super::datum::Datum;
use super::program::{BlockHead, ListBody};
use super::walk::{Capture, Filled};

/// What is asked for: `value`, and the slot that it fills if it holds.
fn asked<'a>(key: &'a str, datum: &'a Datum) -> (Option<&'a Datum>, Option<&'a str>) {
    let Datum::Map(_) = datum else {
        return (Some(datum).filter(|datum| **datum != Datum::Null), None);
    };
    let slot = match datum.get("slot") {
        Some(Datum::Text(slot)) => Some(slot.as_str()),
        Some(Datum::Flag(true)) => Some(key),
        _ => None,
    };
    (
        datum.get("value").filter(|value| **value != Datum::Null),
        slot,
    )
}

fn actual(datum: &Datum) -> &Datum {
    match datum {
        Datum::Map(_) => datum.get("value").unwrap_or(&Datum::Null),
        other => other,
    }
}

fn fits(wanted: Option<&Datum>, actual: &Datum) -> bool {
    match wanted {
        None => *actual != Datum::Null,
        Some(Datum::List(any)) => any.contains(actual),
        Some(one) => one == actual,
    }
}

/// Whether `known` contradicts nothing that is asked for; what is not known may still come.
pub(super) fn may_be(requires: &[(String, Datum)], known: &[(String, Datum)]) -> bool {
    requires.iter().all(|(key, datum)| {
        let (wanted, _) = asked(key, datum);
        match known.iter().find(|(name, _)| name == key) {
            Some((_, value)) => wanted.is_none() || fits(wanted, actual(value)),
            None => true,
        }
    })
}

/// Whether something that is ruled out is so.
pub(super) fn excluded(excludes: &[(String, Datum)], known: &[(String, Datum)]) -> bool {
    excludes.iter().any(|(key, datum)| {
        let unwanted = match datum {
            Datum::Map(_) => datum.get("value").unwrap_or(&Datum::Null),
            other => other,
        };
        known
            .iter()
            .find(|(name, _)| name == key)
            .is_some_and(|(_, value)| match unwanted {
                Datum::List(any) => any.contains(actual(value)),
                one => one == actual(value),
            })
    })
}

/// The slots that circumstances fill, if all that a block asks for is so after a match.
pub(super) fn holds(
    block: &BlockHead,
    captures: &[Capture],
    lists: &[&ListBody],
    context: &[(String, Datum)],
) -> Option<Vec<(String, Datum)>> {
    if block.requires.is_empty() && block.excludes.is_empty() {
        return Some(Vec::new());
    }
    // What a value brings goes before what the room brings.
    let mut known: Vec<(String, Datum)> = Vec::new();
    for capture in captures.iter().rev() {
        let Filled::Value(list, value) = capture.value else {
            continue;
        };
        let Some(ListBody::Values(values)) = lists.get(list as usize) else {
            continue;
        };
        if let Some(value) = values.values.get(value as usize) {
            for entry in &value.context {
                if !known.iter().any(|(key, _)| *key == entry.0) {
                    known.push(entry.clone());
                }
            }
        }
    }
    for entry in context {
        if !known.iter().any(|(key, _)| *key == entry.0) {
            known.push(entry.clone());
        }
    }
    if excluded(&block.excludes, &known) {
        return None;
    }
    let mut slots = Vec::new();
    for (key, datum) in &block.requires {
        let (wanted, slot) = asked(key, datum);
        let value = known
            .iter()
            .find(|(name, _)| name == key)
            .map_or(&Datum::Null, |(_, value)| actual(value));
        if !fits(wanted, value) {
            return None;
        }
        if let Some(slot) = slot {
            slots.push((slot.to_owned(), value.clone()));
        }
    }
    Some(slots)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Datum {
        Datum::Text(text.into())
    }

    #[test]
    fn what_is_not_known_may_still_come() {
        let requires = [(
            "domain".to_owned(),
            Datum::List(vec![text("light"), text("fan")]),
        )];
        assert!(may_be(&requires, &[]));
        assert!(may_be(&requires, &[("domain".into(), text("fan"))]));
        assert!(!may_be(&requires, &[("domain".into(), text("lock"))]));
        assert!(excluded(&requires, &[("domain".into(), text("fan"))]));
        assert!(!excluded(&requires, &[]));
    }
}
