//! Tables by numbers that nobody outside can choose: our own, and marks that are hashes with a secret already. Among
//! ten thousand transactions one look-up in an ordered tree reads five places of memory, here it is two.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// From such a number to what it stands for. Its order means nothing, and is the same in each run.
pub(super) type Table<K, V> = HashMap<K, V, BuildHasherDefault<Spread>>;

/// Spreads a number over all bits.
#[derive(Default)]
pub(super) struct Spread(u64);

impl Hasher for Spread {
    fn write_u64(&mut self, number: u64) {
        // 2^64 by the golden ratio: consecutive numbers land far from each other.
        self.0 = (self.0.rotate_left(23) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}
