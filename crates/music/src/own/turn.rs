//! Whose turn it is: places of a queue in their order or mixed.

/// The order of a queue and the place in it.
#[derive(Debug, Clone)]
pub(super) struct Turns {
    order: Vec<usize>,
    at: usize,
    random: u64,
}

impl Turns {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            order: Vec::new(),
            at: 0,
            // The generator stands still at zero.
            random: seed | 1,
        }
    }

    /// A queue of so many, with this one first when it is mixed, else beginning there.
    pub(super) fn set(&mut self, count: usize, mixed: bool, now: Option<usize>) {
        self.order = (0..count).collect();
        self.at = now.unwrap_or(0).min(count.saturating_sub(1));
        if mixed {
            for last in (1..count).rev() {
                let other = self.below(last + 1);
                self.order.swap(last, other);
            }
            if let Some(now) = now
                && let Some(place) = self.order.iter().position(|at| *at == now)
            {
                self.order.swap(0, place);
            }
            self.at = 0;
        }
    }

    /// The place of the queue whose turn it is.
    pub(super) fn now(&self) -> Option<usize> {
        self.order.get(self.at).copied()
    }

    /// Goes on; false at the end, unless it goes around.
    pub(super) fn next(&mut self, around: bool) -> bool {
        if self.order.is_empty() {
            return false;
        }
        if self.at + 1 < self.order.len() {
            self.at += 1;
            true
        } else if around && self.order.len() > 1 {
            self.at = 0;
            true
        } else {
            around
        }
    }

    /// The one before; the first stays.
    pub(super) fn back(&mut self) {
        self.at = self.at.saturating_sub(1);
    }

    /// Below `bound`, by xorshift: which song is next need not be secret.
    fn below(&mut self, bound: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % bound as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixed_turns_play_each_once() {
        let mut turns = Turns::new(7);
        turns.set(50, true, Some(20));
        let mut played = vec![turns.now().unwrap()];
        assert_eq!(played, [20]);
        while turns.next(false) {
            played.push(turns.now().unwrap());
        }
        assert_ne!(played, (0..50).collect::<Vec<_>>());
        played.sort_unstable();
        assert_eq!(played, (0..50).collect::<Vec<_>>());
        assert!(turns.next(true));
        turns.back();
        assert_eq!(turns.now(), Some(20));
        turns.set(0, true, None);
        assert!(!turns.next(false) && turns.now().is_none());
    }
}
