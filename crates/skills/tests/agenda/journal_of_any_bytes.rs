//! The journal: torn anywhere, damaged anywhere, written anew.
use std::collections::BTreeMap;

use hearthline_skills::item::{Id, Item, Line, Words};
use hearthline_skills::journal::{Change, Journal, recover};
use proptest::prelude::*;

fn line(text: &str) -> Item {
    Item::Line(Line {
        list: Words("shopping".into()),
        text: Words(text.into()),
        done: false,
    })
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        (1_u64..30, "[a-zé\n\"\\\\ ]{0,20}")
            .prop_map(|(id, text)| Change::Put(Id(id), line(&text))),
        (1_u64..30).prop_map(|id| Change::Drop(Id(id))),
    ];
    prop::collection::vec(change, 1..60)
}

fn apply(changes: &[Change]) -> BTreeMap<Id, Item> {
    let mut items = BTreeMap::new();
    for change in changes {
        match change {
            Change::Put(id, item) => drop(items.insert(*id, item.clone())),
            Change::Drop(id) => drop(items.remove(id)),
            Change::Used(_) | Change::Began(_) | Change::Mirrored(_) => {}
        }
    }
    items
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn cut_anywhere_what_was_whole_stands(changes in changes(), cut in 0.0..1.0_f64) {
        let mut journal = Journal::default();
        let mut bytes = Vec::new();
        let mut ends = Vec::new();
        for change in &changes {
            bytes.extend(journal.append(core::slice::from_ref(change)));
            ends.push(bytes.len());
        }
        let cut = (bytes.len() as f64 * cut) as usize;
        let whole = ends.iter().filter(|end| **end <= cut).count();
        let found = recover(&bytes[..cut]);
        prop_assert_eq!(&found.items, &apply(&changes[..whole]));
        prop_assert_eq!(found.whole_bytes + found.torn_bytes, cut);
        prop_assert_eq!(found.seq, whole as u64);
        prop_assert_eq!(found.damaged, 0);
    }

    #[test]
    fn one_damaged_line_costs_nothing_but_itself(changes in changes(), at in 0.0..1.0_f64, flip in 1_u8..=255) {
        let mut journal = Journal::default();
        let lines: Vec<Vec<u8>> = changes
            .iter()
            .map(|change| journal.append(core::slice::from_ref(change)))
            .collect();
        let mut bytes = lines.concat();
        let at = (bytes.len() as f64 * at) as usize;
        bytes[at] ^= flip;
        let found = recover(&bytes);
        // A damaged end of line takes the next line with it; anything else takes its own line only.
        let ends: Vec<usize> = lines
            .iter()
            .scan(0, |end, line| {
                *end += line.len();
                Some(*end)
            })
            .collect();
        let hit = ends.iter().position(|end| at < *end).unwrap();
        let without = |lost: &[usize]| {
            let left: Vec<Change> = changes
                .iter()
                .enumerate()
                .filter(|(place, _)| !lost.contains(place))
                .map(|(_, change)| change.clone())
                .collect();
            apply(&left)
        };
        let both = at + 1 == ends[hit];
        let expected = if both { without(&[hit, hit + 1]) } else { without(&[hit]) };
        prop_assert_eq!(found.items, expected);
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let found = recover(&bytes);
        prop_assert!(found.items.is_empty());
        prop_assert_eq!(found.torn_bytes, bytes.len());
    }

    #[test]
    fn written_anew_it_says_the_same_in_fewer_lines(changes in changes()) {
        let mut journal = Journal::default();
        let bytes = journal.append(&changes);
        let found = recover(&bytes);
        let mut again = Journal::behind(&found);
        let fresh = again.compact(&found.items, found.last_id);
        let kept = recover(&fresh);
        prop_assert_eq!(&kept.items, &found.items);
        prop_assert_eq!(kept.last_id, found.last_id);
        prop_assert!(kept.seq > found.seq);
        // And goes on.
        let mut all = fresh;
        all.extend(again.append(&[Change::Put(Id(99), line("more"))]));
        prop_assert_eq!(recover(&all).items.len(), found.items.len() + 1);
    }
}
