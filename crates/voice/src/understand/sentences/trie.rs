//! Words in a tree by their letters: what a list holds, found from the left in one walk.
use serde::{Deserialize, Serialize};

/// A set of folded texts, each with the number of the value that it names.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Trie {
    /// `(letter, first child)` in order of parent, then letter.
    edges: Vec<(char, u32)>,
    /// For node n: its edges are `edges[first[n].0..first[n].1]`.
    first: Vec<(u32, u32)>,
    /// For node n: the values that end there are `values[ends[n].0..ends[n].1]`.
    ends: Vec<(u32, u32)>,
    values: Vec<u32>,
}

impl Trie {
    /// Builds the tree. A text that stands twice keeps both values, in the order given.
    pub(super) fn new(texts: impl IntoIterator<Item = (Vec<char>, u32)>) -> Self {
        let mut list: Vec<(Vec<char>, u32)> = texts
            .into_iter()
            .filter(|(text, _)| !text.is_empty())
            .collect();
        list.sort_by(|a, b| a.0.cmp(&b.0));
        let mut trie = Self::default();
        if list.is_empty() {
            return trie;
        }
        // Level by level, so that the edges of one node stand side by side.
        let mut level: Vec<(usize, usize, usize)> = vec![(0, list.len(), 0)];
        trie.first.push((0, 0));
        trie.ends.push((0, 0));
        let mut node = 0;
        while node < level.len() {
            let Some(&(from, to, depth)) = level.get(node) else {
                break;
            };
            let start = trie.edges.len() as u32;
            let mut at = from;
            while at < to {
                let Some(letter) = list.get(at).and_then(|(text, _)| text.get(depth)).copied()
                else {
                    at += 1;
                    continue;
                };
                let mut end = at + 1;
                while end < to
                    && list.get(end).and_then(|(text, _)| text.get(depth)) == Some(&letter)
                {
                    end += 1;
                }
                let child = level.len() as u32;
                trie.edges.push((letter, child));
                let values = trie.values.len() as u32;
                trie.values.extend(
                    list.get(at..end)
                        .unwrap_or_default()
                        .iter()
                        .filter(|(text, _)| text.len() == depth + 1)
                        .map(|(_, value)| *value),
                );
                level.push((at, end, depth + 1));
                trie.first.push((0, 0));
                trie.ends.push((values, trie.values.len() as u32));
                at = end;
            }
            if let Some(first) = trie.first.get_mut(node) {
                *first = (start, trie.edges.len() as u32);
            }
            node += 1;
        }
        trie
    }

    /// The node below `node` by `letter`; node 0 is the root.
    pub(super) fn step(&self, node: u32, letter: char) -> Option<u32> {
        let &(from, to) = self.first.get(node as usize)?;
        let edges = self.edges.get(from as usize..to as usize)?;
        // Below the root a node has few children: looking at each is faster than halving.
        if edges.len() < 8 {
            return edges
                .iter()
                .find(|(has, _)| *has == letter)
                .map(|(_, child)| *child);
        }
        edges
            .binary_search_by(|(has, _)| has.cmp(&letter))
            .ok()
            .and_then(|at| edges.get(at))
            .map(|(_, child)| *child)
    }

    /// What follows `node`.
    pub(super) fn children(&self, node: u32) -> &[(char, u32)] {
        self.first
            .get(node as usize)
            .and_then(|&(from, to)| self.edges.get(from as usize..to as usize))
            .unwrap_or_default()
    }

    /// The values whose text ends at `node`.
    pub(super) fn ends(&self, node: u32) -> &[u32] {
        self.ends
            .get(node as usize)
            .and_then(|&(from, to)| self.values.get(from as usize..to as usize))
            .unwrap_or_default()
    }

    /// Calls `found(end, value)` for each text that stands at `from`, the shortest first.
    pub(super) fn prefixes(
        &self,
        letter: impl Fn(usize) -> Option<char>,
        from: usize,
        mut found: impl FnMut(usize, u32),
    ) {
        let mut node = 0;
        let mut at = from;
        while let Some(next) = letter(at).and_then(|letter| self.step(node, letter)) {
            node = next;
            at += 1;
            for &value in self.ends(node) {
                found(at, value);
            }
        }
    }

    /// Bytes held, about.
    pub(super) fn bytes(&self) -> usize {
        self.edges.len() * 8 + (self.first.len() + self.ends.len()) * 8 + self.values.len() * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_prefix() {
        let texts = ["six", "sixteen", "sixty", "sixty four", "six"];
        let trie = Trie::new(
            texts
                .iter()
                .zip(0..)
                .map(|(text, value)| (text.chars().collect(), value)),
        );
        let said: Vec<char> = "sixty four lamps".chars().collect();
        let mut found = Vec::new();
        trie.prefixes(
            |at| said.get(at).copied(),
            0,
            |end, value| found.push((end, value)),
        );
        assert_eq!(found, [(3, 0), (3, 4), (5, 2), (10, 3)]);
        assert!(Trie::new([]).step(0, 'a').is_none());
    }
}
