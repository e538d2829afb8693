//! Unguessable tokens out of a seed: branches, tags, Call-IDs, cnonces, SRV draws.
//!
//! SHA-256 in counter mode: the same seed gives the same calls, which is what replays a failing
//! run; a secret seed of 32 random bytes gives tokens that nobody outside can foresee
//! (RFC 3261 section 19.3 asks for 32 bits, these have 80 and more).

use core::fmt;

use sha2::{Digest, Sha256};

/// The magic cookie of a branch made by RFC 3261 (section 8.1.1.7).
pub const MAGIC_COOKIE: &str = "z9hG4bK";

/// A deterministic source of tokens.
#[derive(Clone)]
pub struct Tokens {
    seed: [u8; 32],
    counter: u64,
}

impl fmt::Debug for Tokens {
    /// The seed foretells every nonce, so it is never printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("counter", &self.counter)
            .finish_non_exhaustive()
    }
}

impl Tokens {
    /// Starts the sequence that belongs to `seed`.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self { seed, counter: 0 }
    }

    /// A sequence of its own for the part `name`, independent of how many tokens were drawn here.
    pub fn fork(&self, name: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.seed);
        hash.update(b"fork");
        hash.update(name.as_bytes());
        Self::from_seed(hash.finalize().into())
    }

    /// The next 32 bytes.
    pub fn next_bytes(&mut self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.seed);
        hash.update(self.counter.to_be_bytes());
        self.counter = self.counter.wrapping_add(1);
        hash.finalize().into()
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        let bytes = self.next_bytes();
        u64::from_be_bytes(bytes[..8].try_into().expect("8 of 32 bytes"))
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let drawn = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(drawn >> 64).expect("the high half of a 128-bit product")
    }

    /// A Via branch: magic cookie and 96 bits.
    pub fn branch(&mut self) -> String {
        format!("{MAGIC_COOKIE}{}", self.hex(12))
    }

    /// A From or To tag: 80 bits.
    pub fn tag(&mut self) -> String {
        self.hex(10)
    }

    /// A Call-ID without a host, so that it tells nothing about the home (128 bits).
    pub fn call_id(&mut self) -> String {
        self.hex(16)
    }

    /// A client nonce for digest (RFC 7616): 128 bits.
    pub fn cnonce(&mut self) -> String {
        self.hex(16)
    }

    /// A first CSeq: below 2^31, so that the dialog has room to count (RFC 3261 section 8.1.1.5).
    pub fn cseq(&mut self) -> u32 {
        u32::try_from(self.below(1 << 16)).expect("16 bits") + 1
    }

    fn hex(&mut self, bytes: usize) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let drawn = self.next_bytes();
        let mut text = String::with_capacity(bytes * 2);
        for byte in &drawn[..bytes.min(drawn.len())] {
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_tokens_and_no_token_twice() {
        let mut one = Tokens::from_seed([7; 32]);
        let mut two = Tokens::from_seed([7; 32]);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1_000 {
            let branch = one.branch();
            assert_eq!(branch, two.branch());
            assert!(branch.starts_with(MAGIC_COOKIE));
            assert!(seen.insert(branch));
        }
        assert_ne!(one.fork("a").tag(), one.fork("b").tag());
        assert!(!format!("{one:?}").contains("7, 7"));
    }

    #[test]
    fn below_stays_below() {
        let mut tokens = Tokens::from_seed([1; 32]);
        let mut seen = [0u32; 5];
        for _ in 0..1_000 {
            seen[usize::try_from(tokens.below(5)).unwrap()] += 1;
        }
        assert!(seen.iter().all(|count| *count > 100), "{seen:?}");
        assert_eq!(tokens.below(0), 0);
    }
}
