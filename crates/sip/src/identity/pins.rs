//! Keys of peers, remembered from their first call on.

use std::collections::BTreeMap;

/// Peers that are remembered.
pub const PINS_MAX: usize = 10_000;

/// What meeting a peer tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meeting {
    /// Never met; remembered now.
    First,
    /// The key that is known.
    Known,
    /// Another key than before: a new device, or somebody who stands in between. Show it to people; the old
    /// one stays remembered until they say [`KeyPins::accept`].
    Changed {
        /// The key that is known.
        before: [u8; 32],
    },
    /// Never met, and there is no room to remember.
    Full,
}

/// Which key each peer had. A key is the SHA-256 of its public half, which outlives renewed certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyPins {
    pins: BTreeMap<String, [u8; 32]>,
}

impl KeyPins {
    /// Nobody known.
    #[must_use]
    pub fn new() -> Self {
        KeyPins::default()
    }

    /// As it was stored ([`iter`](Self::iter)); what is too much is left out.
    #[must_use]
    pub fn load(stored: impl IntoIterator<Item = (String, [u8; 32])>) -> Self {
        KeyPins {
            pins: stored.into_iter().take(PINS_MAX).collect(),
        }
    }

    /// A verified peer shows this key.
    pub fn meet(&mut self, peer: &str, key: [u8; 32]) -> Meeting {
        match self.pins.get(peer) {
            Some(before) if *before == key => Meeting::Known,
            Some(before) => Meeting::Changed { before: *before },
            None if self.pins.len() >= PINS_MAX => Meeting::Full,
            None => {
                self.pins.insert(peer.to_owned(), key);
                Meeting::First
            }
        }
    }

    /// A person has looked at the change and takes the new key.
    pub fn accept(&mut self, peer: &str, key: [u8; 32]) {
        if self.pins.contains_key(peer) || self.pins.len() < PINS_MAX {
            self.pins.insert(peer.to_owned(), key);
        }
    }

    /// Forgets a peer; the next meeting is the first.
    pub fn forget(&mut self, peer: &str) {
        self.pins.remove(peer);
    }

    /// All of them, to be stored.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8; 32])> {
        self.pins.iter().map(|(peer, key)| (peer.as_str(), key))
    }
}
