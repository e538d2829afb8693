//! All the keys of a file that nobody knows and all the values of the wrong kind, in one reading: a parser stops at the
//! first.
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

/// One value of each kind, to stand where one of the wrong kind stood.
const OF_EACH_KIND: &str = "a = 'x'\nb = 1\nc = true\nd = 1.5\ne = []\nf = {}\n";

/// What the text says, without what is wrong in it, and what that is; `None` when it says nothing without that. At most
/// `most` errors.
pub(super) fn read<T: DeserializeOwned>(text: &str, most: usize) -> (Option<T>, Vec<Error>) {
    let mut errors: Vec<Error> = Vec::new();
    // Sections that lack something because it was taken out here.
    let mut broken: Vec<usize> = Vec::new();
    let mut table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => return (None, vec![error]),
    };
    while errors.len() < most {
        let Some(error) = wrong::<T>(&table) else {
            return (T::deserialize(Deserializer::from(table)).ok(), errors);
        };
        let Some(at) = error.span().map(|span| span.start) else {
            errors.push(error);
            break;
        };
        let lacks = error.message().starts_with("missing field");
        let unknown = error.message().starts_with("unknown field");
        if !(lacks && (broken.contains(&at) || (at == 0 && !broken.is_empty()))) {
            errors.push(error);
        }
        if !lacks && !unknown && replaced::<T>(&mut table, at) {
            continue;
        }
        if !unknown {
            let before = text.get(..at).unwrap_or_default();
            broken.push(before.rfind("\n[").map_or(0, |header| header + 1));
        }
        if !remove(table.get_mut(), at) {
            break;
        }
    }
    (None, errors)
}

fn wrong<T: DeserializeOwned>(table: &Spanned<DeTable<'_>>) -> Option<Error> {
    T::deserialize(Deserializer::from(table.clone())).err()
}

/// Puts a value of another kind in the place of the one at this byte; `false` when none is right there.
fn replaced<T: DeserializeOwned>(table: &mut Spanned<DeTable<'_>>, at: usize) -> bool {
    let Ok(kinds) = DeTable::parse(OF_EACH_KIND) else {
        return false;
    };
    for kind in kinds.get_ref().values() {
        let mut tried = table.clone();
        if !put(tried.get_mut(), at, kind.get_ref()) {
            return false;
        }
        let still = wrong::<T>(&tried).and_then(|error| error.span());
        if still.is_none_or(|span| span.start != at) {
            *table = tried;
            return true;
        }
    }
    false
}

fn put<'i>(table: &mut DeTable<'i>, at: usize, new: &DeValue<'i>) -> bool {
    table
        .iter_mut()
        .any(|(_, value)| put_within(value, at, new))
}

fn put_within<'i>(value: &mut Spanned<DeValue<'i>>, at: usize, new: &DeValue<'i>) -> bool {
    let inside = match value.get_mut() {
        DeValue::Table(inner) => put(inner, at, new),
        DeValue::Array(elements) => elements.iter_mut().any(|own| put_within(own, at, new)),
        _ => false,
    };
    if !inside && value.span().contains(&at) {
        *value.get_mut() = new.clone();
        return true;
    }
    inside
}

/// Takes out the innermost key that stands at this byte, or whose value does.
fn remove(table: &mut DeTable<'_>, at: usize) -> bool {
    if table.iter_mut().any(|(_, value)| removed_within(value, at)) {
        return true;
    }
    let stands = |key: &Spanned<_>, value: &Spanned<DeValue<'_>>| {
        key.span().contains(&at) || value.span().contains(&at)
    };
    let found = table.iter().find(|(key, value)| stands(key, value));
    let found = found.map(|(key, _)| key.clone());
    found.is_some_and(|key| table.remove(&key).is_some())
}

fn removed_within(value: &mut Spanned<DeValue<'_>>, at: usize) -> bool {
    match value.get_mut() {
        DeValue::Table(inner) => remove(inner, at),
        DeValue::Array(elements) => elements.iter_mut().any(|own| removed_within(own, at)),
        _ => false,
    }
}
