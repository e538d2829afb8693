//! How a place in a template takes words: free words up to what follows, values of a list, numbers.
use super::super::context;
use super::super::program::{Numbers, Values};
use super::super::text::{in_word, trimmed};
use super::{Capture, Filled, State, Walk};

impl<'a> Walk<'a> {
    /// Whether a word begins or ends between two letters.
    fn boundary(&self, at: u32, from: u32) -> bool {
        let before = at > from && self.letter(at - 1, false).is_some_and(in_word);
        before != self.letter(at, false).is_some_and(in_word)
    }

    /// A text after free words: they reach up to each place where it stands.
    pub(super) fn text_after_words(
        &mut self,
        pc: u32,
        state: State,
        letters: &[char],
        how: (u16, bool),
        depth: u32,
    ) -> bool {
        let base = self.base(&state);
        let Some(&open) = self.captures.get(state.captures as usize - 1) else {
            return true;
        };
        let ends_word =
            matches!(open.value, Filled::Open { ends_word: true }) && !self.program.dense;
        let mut alive = false;
        let mut first = true;
        // The slice in which the first place is looked for begins one letter later when the text stands at its start.
        let mut slice = base;
        if self.stand(letters, base, state.broken) && (!ends_word || self.boundary(base, base)) {
            slice = base + 1;
        }
        for at in slice..self.len() {
            if at == base || !self.stand(letters, at, state.broken) {
                continue;
            }
            if first && ends_word && !self.boundary(at, slice) {
                continue;
            }
            first = false;
            alive |= self.close_at(state, open, (base, at), |walk, mut next| {
                next.word_starts = true;
                match walk.literally(&next, letters, how.0.into(), how.1) {
                    Some(next) => walk.run(pc + 1, next, depth + 1),
                    None => false,
                }
            });
        }
        alive
    }

    /// Ends the open words at a place, goes on, and opens them again.
    fn close_at(
        &mut self,
        mut state: State,
        open: Capture,
        (from, to): (u32, u32),
        go_on: impl FnOnce(&mut Self, State) -> bool,
    ) -> bool {
        let words = self
            .said
            .letters
            .get(from as usize..to as usize)
            .unwrap_or_default();
        if trimmed(words).is_empty() {
            return false;
        }
        self.captures.truncate(state.captures as usize - 1);
        self.captures.push(Capture {
            from,
            to,
            value: Filled::Words,
            ..open
        });
        state.open = false;
        state.at = to;
        let alive = go_on(self, state);
        self.captures.truncate(state.captures as usize - 1);
        self.captures.push(open);
        alive
    }

    pub(super) fn values(
        &mut self,
        pc: u32,
        state: State,
        (list, slot, response_only): (u16, u16, bool),
        values: &'a Values,
        depth: u32,
    ) -> bool {
        let base = self.base(&state);
        let mut here: Vec<(u32, u32, u32, bool)> = Vec::new();
        let at_place =
            |walk: &Self, from: u32, broken: bool, here: &mut Vec<(u32, u32, u32, bool)>| {
                values.trie.prefixes(
                    |at| walk.letter(at as u32, broken),
                    from as usize,
                    |end, value| here.push((from, end as u32, value, broken)),
                );
            };
        if state.open {
            for from in base + 1..self.len() {
                at_place(self, from, state.broken, &mut here);
            }
        } else {
            at_place(self, base, state.broken, &mut here);
            if !state.broken && self.hyphen_from(base) {
                let plain = here.clone();
                at_place(self, base, true, &mut here);
                here.retain(|found| !found.3 || !plain.iter().any(|known| known.2 == found.2));
            }
        }
        let open = state
            .open
            .then(|| self.captures.get(state.captures as usize - 1).copied())
            .flatten();
        let ends_word = open
            .is_some_and(|open| matches!(open.value, Filled::Open { ends_word: true }))
            && !self.program.dense;
        let mut begun: Vec<u32> = Vec::new();
        let mut alive = false;
        for (from, end, value, broken) in here {
            let Some(meaning) = values.values.get(value as usize) else {
                continue;
            };
            if !context::may_be(&self.block.requires, &meaning.context)
                || context::excluded(&self.block.excludes, &meaning.context)
            {
                continue;
            }
            let filled = Filled::Value(list, value);
            // Spaces before a value belong to it, unless free words end there.
            let start = if open.is_some() { from } else { state.at };
            let go_on = move |walk: &mut Self, mut next: State| {
                next.at = end;
                next.broken |= broken;
                walk.push(
                    &mut next,
                    Capture {
                        slot,
                        from: start,
                        to: end,
                        value: filled,
                        response_only,
                    },
                );
                walk.run(pc + 1, next, depth + 1)
            };
            alive |= match open {
                None => go_on(self, state),
                Some(open) => {
                    let known = begun.contains(&value);
                    if !known && ends_word && !self.boundary(from, base) {
                        continue;
                    }
                    if !known {
                        begun.push(value);
                    }
                    self.close_at(state, open, (base, from), go_on)
                }
            };
        }
        alive
    }

    pub(super) fn number(
        &mut self,
        pc: u32,
        state: State,
        (slot, response_only): (u16, bool),
        numbers: &'a Numbers,
        depth: u32,
    ) -> bool {
        let open = state
            .open
            .then(|| self.captures.get(state.captures as usize - 1).copied())
            .flatten();
        let mut alive = false;
        let mut digits = false;
        let mut from = state.at;
        while from < self.len() {
            let found = self.digits(from, !numbers.tenths.is_empty());
            if let Some((value, end)) = found {
                digits = true;
                if numbers.digits && numbers.holds(value) {
                    let capture = Capture {
                        slot,
                        from,
                        to: end,
                        value: Filled::Number(numbers.meant(value)),
                        response_only,
                    };
                    let go_on = move |walk: &mut Self, mut next: State| {
                        next.at = end;
                        walk.push(&mut next, capture);
                        walk.run(pc + 1, next, depth + 1)
                    };
                    alive |= match open {
                        None => go_on(self, state),
                        Some(open) => self.close_at(state, open, (state.at, from), go_on),
                    };
                }
            }
            if open.is_none() {
                break;
            }
            from = found.map_or(from + 1, |(_, end)| end);
        }
        let tree = numbers
            .words
            .and_then(|tree| self.program.spelled.get(tree as usize));
        let Some(tree) = tree.filter(|_| !digits) else {
            return alive;
        };
        let mut here: Vec<(u32, u32, u32)> = Vec::new();
        let last = if open.is_some() {
            self.len()
        } else {
            state.at + 1
        };
        for from in state.at..last {
            tree.trie.prefixes(
                |at| self.letter(at as u32, state.broken),
                from as usize,
                |end, value| {
                    if !here
                        .iter()
                        .any(|known| known.2 == value && known.1 - known.0 == end as u32 - from)
                    {
                        here.push((from, end as u32, value));
                    }
                },
            );
        }
        for (from, end, value) in here {
            let Some(&tenths) = tree.tenths.get(value as usize) else {
                continue;
            };
            let value = Filled::Number(numbers.meant(tenths as f64 / 10.0));
            let capture = Capture {
                slot,
                from,
                to: end,
                value,
                response_only,
            };
            let go_on = move |walk: &mut Self, mut next: State| {
                next.at = end;
                next.word_starts = false;
                next.literal += end - from;
                walk.push(&mut next, capture);
                walk.run(pc + 1, next, depth + 1)
            };
            alive |= match open {
                None => go_on(self, state),
                Some(open) => self.close_at(state, open, (state.at, from), go_on),
            };
        }
        alive
    }

    /// A number in digits at a place, spaces before it allowed.
    fn digits(&self, from: u32, fraction: bool) -> Option<(f64, u32)> {
        let mut at = self.skip_spaces(from);
        let mut text = String::new();
        if self.letter(at, false) == Some('-') {
            text.push('-');
            at += 1;
        }
        let whole = at;
        while let Some(digit) = self.letter(at, false).filter(char::is_ascii_digit) {
            text.push(digit);
            at += 1;
        }
        if at == whole || text.len() > 15 {
            return None;
        }
        if fraction && matches!(self.letter(at, false), Some('.' | ',')) {
            let mut tail = String::from(".");
            let mut end = at + 1;
            while let Some(digit) = self.letter(end, false).filter(char::is_ascii_digit) {
                tail.push(digit);
                end += 1;
            }
            if end > at + 1 && tail.len() < 16 {
                text.push_str(&tail);
                at = end;
            }
        }
        text.parse().ok().map(|value| (value, at))
    }
}
