//! a=crypto (RFC 4568): SRTP keys that stand in the description itself.
//!
//! Whoever reads the signalling reads the keys, so they are for the way to a trunk or a telephone
//! only, over TLS, and never for a call between devices of the home.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::attribute_error::{AttributeError, number};

/// a=crypto lines of one section that we read at most.
pub const CRYPTO_LINES_MAX: usize = 16;
/// Octets of the longest master key and salt (AEAD_AES_256_GCM).
const KEY_BYTES_MAX: usize = 44;
/// RFC 4568 section 6.1: no key lasts longer.
const LIFETIME_MAX: u64 = 1 << 48;

/// Suites that we can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CryptoSuite {
    /// `AES_CM_128_HMAC_SHA1_80` (RFC 4568 section 6.2.1), which everybody has.
    AesCm128HmacSha1_80,
    /// `AEAD_AES_128_GCM` (RFC 7714 section 14.2).
    AeadAes128Gcm,
}

impl CryptoSuite {
    const ALL: [CryptoSuite; 2] = [Self::AesCm128HmacSha1_80, Self::AeadAes128Gcm];

    /// The name in the attribute.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            CryptoSuite::AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            CryptoSuite::AeadAes128Gcm => "AEAD_AES_128_GCM",
        }
    }

    /// Octets of master key and master salt, one after the other.
    #[must_use]
    pub fn key_and_salt_bytes(self) -> usize {
        match self {
            CryptoSuite::AesCm128HmacSha1_80 => 16 + 14,
            CryptoSuite::AeadAes128Gcm => 16 + 12,
        }
    }
}

/// One a=crypto line that we can use. `Debug` does not show the key; it is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Crypto {
    tag: u32,
    suite: CryptoSuite,
    key_and_salt: Zeroizing<Vec<u8>>,
}

impl Crypto {
    /// With fresh randomness as key and salt.
    ///
    /// # Errors
    /// When the tag has more than nine digits or the key not the suite's length.
    pub fn new(tag: u32, suite: CryptoSuite, key_and_salt: &[u8]) -> Result<Self, AttributeError> {
        let wrong = |what| AttributeError {
            attribute: "crypto",
            what,
        };
        if tag > 999_999_999 {
            return Err(wrong("tag has more than nine digits"));
        }
        if key_and_salt.len() != suite.key_and_salt_bytes() {
            return Err(wrong("key and salt do not have the suite's length"));
        }
        Ok(Crypto {
            tag,
            suite,
            key_and_salt: Zeroizing::new(key_and_salt.to_vec()),
        })
    }

    /// Number of the line; an answer repeats the one it takes.
    #[must_use]
    pub fn tag(&self) -> u32 {
        self.tag
    }

    /// The suite.
    #[must_use]
    pub fn suite(&self) -> CryptoSuite {
        self.suite
    }

    /// Master key and master salt, one after the other, of whoever wrote the line.
    #[must_use]
    pub fn key_and_salt(&self) -> &[u8] {
        &self.key_and_salt
    }

    /// Reads the attribute's value. `None` when the line is well formed and asks for something that we
    /// do not do (another suite, a master key index, several keys, unencrypted streams): the next line may do.
    ///
    /// # Errors
    /// [`AttributeError`] with what breaks RFC 4568 section 9.
    pub fn parse(value: &str) -> Result<Option<Crypto>, AttributeError> {
        let wrong = |what| AttributeError {
            attribute: "crypto",
            what,
        };
        let mut words = value.split(' ').filter(|word| !word.is_empty());
        let tag = words.next().and_then(|word| number(word, 9));
        let tag = tag.ok_or(wrong("tag is not a number of up to nine digits"))? as u32;
        let suite = words.next().ok_or(wrong("no suite"))?;
        if !suite
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_')
        {
            return Err(wrong("suite is no name"));
        }
        let keys = words.next().ok_or(wrong("no key"))?;
        let suite = CryptoSuite::ALL.into_iter().find(|s| s.as_str() == suite);
        let mut usable = suite.is_some() && !keys.contains(';');
        let mut key = Zeroizing::new(Vec::new());
        for one in keys.split(';') {
            let inline = one
                .strip_prefix("inline:")
                .ok_or(wrong("key method is not inline"))?;
            let mut parts = inline.split('|');
            let text = parts.next().unwrap_or_default();
            if text.len() > KEY_BYTES_MAX.div_ceil(3) * 4 {
                return Err(wrong("key longer than any suite's"));
            }
            let decoded = STANDARD
                .decode(text)
                .map_err(|_| wrong("key is not base64"))?;
            key = Zeroizing::new(decoded);
            let (mut lifetime, mut index) = (false, false);
            for part in parts {
                if part.contains(':') {
                    if index || !is_key_index(part) {
                        return Err(wrong("master key index is not number:length"));
                    }
                    (index, usable) = (true, false);
                } else {
                    if lifetime || index || !is_lifetime(part) {
                        return Err(wrong("lifetime is not 2^n or a number up to 2^48"));
                    }
                    lifetime = true;
                }
            }
        }
        // Section 6.3.7: unknown parameters that begin with '-' may be passed over, others not.
        // WSH only says what window the other side would like.
        usable &= words.all(|word| word.starts_with('-') || word.starts_with("WSH="));
        let Some(suite) = suite.filter(|_| usable) else {
            return Ok(None);
        };
        Crypto::new(tag, suite, &key).map(Some)
    }
}

impl fmt::Display for Crypto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = Zeroizing::new(STANDARD.encode(&*self.key_and_salt));
        let (tag, suite) = (self.tag, self.suite.as_str());
        write!(f, "{tag} {suite} inline:{}", *key)
    }
}

impl fmt::Debug for Crypto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crypto({} {})", self.tag, self.suite.as_str())
    }
}

fn is_lifetime(text: &str) -> bool {
    let value = match text.strip_prefix("2^") {
        Some(power) => number(power, 2).and_then(|power| 1u64.checked_shl(power as u32)),
        None => number(text, 15),
    };
    value.is_some_and(|packets| (1..=LIFETIME_MAX).contains(&packets))
}

fn is_key_index(text: &str) -> bool {
    text.split_once(':').is_some_and(|(index, length)| {
        number(index, 19).is_some()
            && number(length, 3).is_some_and(|bytes| (1..=128).contains(&bytes))
    })
}
