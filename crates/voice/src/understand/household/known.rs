//! The names that a household knows, for finding where a name ends. Whom they mean is for [`super::Directory`].
use std::collections::{HashMap, HashSet};

use super::super::names::{ALIKE_MAX, NAME_BYTES_MAX, NAMES_MAX, Sounds};

/// Longest name that is looked for, in words.
pub(super) const NAME_WORDS_MAX: usize = 6;

/// Most sounds of a short name.
const SHORT_MAX: usize = 4;

/// Last words of a device's name that name nobody else than the words before them: where "Kitchen" and "Kitchen speaker"
/// are known, who said "kitchen" has said it.
const OF_A_DEVICE: [&str; 6] = [
    "speaker",
    "speakers",
    "phone",
    "telephone",
    "tablet",
    "display",
];

/// The names of people, rooms and devices, compared by sound: "kitchin" is known where "Kitchen" is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownNames {
    /// Names by their skeleton of sounds.
    whole: HashMap<Vec<u8>, Vec<String>>,
    /// Names without their last words: "Anna" of "Anna Smith".
    heads: HashSet<Vec<u8>>,
}

impl KnownNames {
    /// From full names, given names, nicknames, rooms. What cannot be spoken, or goes beyond
    /// [`NAMES_MAX`], is left out: it is then as unknown as any other word.
    #[must_use]
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known = Self::default();
        let short = |name: &&str| name.len() <= NAME_BYTES_MAX;
        for name in names.into_iter().filter(short).take(NAMES_MAX) {
            let words: Vec<&str> = name.split_whitespace().collect();
            let sounds = Sounds::of(name).skeleton();
            if sounds.is_empty() {
                continue;
            }
            known.whole.entry(sounds).or_default().push(name.to_owned());
            let device = words.last().is_some_and(|last| {
                let of = |word: &&str| word.eq_ignore_ascii_case(last);
                OF_A_DEVICE.iter().any(of)
            });
            let heads_end = words.len() - usize::from(device);
            for count in 1..heads_end.min(NAME_WORDS_MAX + 1) {
                known
                    .heads
                    .insert(Sounds::of(&words[..count].join(" ")).skeleton());
            }
        }
        known
    }

    /// All of them, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.whole.values().flatten().map(String::as_str)
    }

    /// Whether this is one of the names.
    #[must_use]
    pub fn knows(&self, spoken: &str) -> bool {
        if spoken.len() > NAME_BYTES_MAX {
            return false;
        }
        let said = Sounds::of(spoken);
        let sounds = said.skeleton();
        let count = spoken.split_whitespace().count();
        let alike = |name: &String| {
            // "In a" is no "Anna": a short name has as many words as were said.
            let split_alike = sounds.len() > SHORT_MAX || name.split_whitespace().count() == count;
            split_alike && said.unlikeness(&Sounds::of(name)) <= ALIKE_MAX
        };
        let names = self.whole.get(&sounds);
        names.is_some_and(|names| names.iter().any(alike))
    }

    /// The one name that sounds so.
    pub(super) fn sounding(&self, said: &Sounds) -> Option<&str> {
        let names = self.whole.get(&said.skeleton())?;
        let mut alike = names
            .iter()
            .filter(|name| said.unlikeness(&Sounds::of(name)) <= ALIKE_MAX);
        let only = alike.next()?;
        alike.next().is_none().then_some(only)
    }

    /// Whether a longer name begins so: who said "Anna" may go on with "Smith".
    #[must_use]
    pub fn may_go_on(&self, spoken: &str) -> bool {
        spoken.len() <= NAME_BYTES_MAX && self.heads.contains(&Sounds::of(spoken).skeleton())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_by_sound_and_their_heads_too() {
        let known = KnownNames::new(["Kitchen", "Anna", "Anna Smith", "\u{4e2d}"]);
        for spoken in ["kitchen", "kitchin", "Hannah", "ana", "Anna Smyth"] {
            assert!(known.knows(spoken), "{spoken}");
        }
        for spoken in ["", "Emma", "kit", "Anna Jones", "\u{4e2d}", "my"] {
            assert!(!known.knows(spoken), "{spoken}");
        }
        assert!(known.may_go_on("Anna") && !known.may_go_on("Kitchen"));
        assert!(!KnownNames::default().knows("anything"));
        let known = KnownNames::new(["Living room", "Living room Speaker", "Phone"]);
        assert!(known.may_go_on("living") && !known.may_go_on("living room"));
    }
}
