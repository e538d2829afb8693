//! HMAC-SHA-256 (RFC 2104), for tokens that only we can make.

use sha2::{Digest as _, Sha256};

/// Bytes of a SHA-256 block.
const BLOCK: usize = 64;

/// A key, ready for use.
#[derive(Clone)]
pub(crate) struct Hmac {
    inner: Sha256,
    outer: Sha256,
}

impl Hmac {
    /// With a key of one hash, for the purpose `name`: tokens of one purpose are no tokens of
    /// another.
    pub(crate) fn new(secret: &[u8; 32], name: &str) -> Self {
        let derived: [u8; 32] = Hmac::with_key(secret).tag(&[name.as_bytes()]);
        Hmac::with_key(&derived)
    }

    fn with_key(key: &[u8]) -> Self {
        let mut block = [0u8; BLOCK];
        block[..key.len()].copy_from_slice(key);
        let padded = |pad: u8| {
            let mut hash = Sha256::new();
            hash.update(block.map(|byte| byte ^ pad));
            hash
        };
        Hmac {
            inner: padded(0x36),
            outer: padded(0x5c),
        }
    }

    /// The tag of `parts`, each with its length before it, so that no byte can change its part.
    pub(crate) fn of_parts(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut inner = self.inner.clone();
        for part in parts {
            inner.update((part.len() as u64).to_be_bytes());
            inner.update(part);
        }
        self.finish(inner)
    }

    /// The tag of the parts written one after the other.
    fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut inner = self.inner.clone();
        for part in parts {
            inner.update(part);
        }
        self.finish(inner)
    }

    fn finish(&self, inner: Sha256) -> [u8; 32] {
        let mut outer = self.outer.clone();
        outer.update(inner.finalize());
        outer.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4231() {
        let one = Hmac::with_key(&[0x0b; 20]).tag(&[b"Hi There"]);
        assert_eq!(one[..4], [0xb0, 0x34, 0x4c, 0x61]);
        assert_eq!(one[28..], [0x2e, 0x32, 0xcf, 0xf7]);
        let two = Hmac::with_key(b"Jefe").tag(&[b"what do ya ", b"want for nothing?"]);
        assert_eq!(two[..4], [0x5b, 0xdc, 0xc1, 0x46]);
        assert_eq!(two[28..], [0x64, 0xec, 0x38, 0x43]);
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let hmac = Hmac::new(&[1; 32], "test");
        assert_ne!(hmac.of_parts(&[b"ab", b"c"]), hmac.of_parts(&[b"a", b"bc"]));
        let other = Hmac::new(&[1; 32], "other");
        assert_ne!(hmac.of_parts(&[b"a"]), other.of_parts(&[b"a"]));
    }
}
