//! The key of the trigger addresses: 256 random bits, of which only a hash is kept.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use crate::device::Fingerprint;
use crate::entropy::{NoEntropy, random};

/// A key as it is shown once.
#[derive(Clone)]
pub struct TriggerKey(String);

impl TriggerKey {
    /// A new one.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn random() -> Result<Self, NoEntropy> {
        Ok(Self(URL_SAFE_NO_PAD.encode(random::<32>()?)))
    }

    /// The text that stands in addresses.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is kept.
    #[must_use]
    pub fn hash(&self) -> String {
        hash(&self.0)
    }
}

impl fmt::Debug for TriggerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TriggerKey(…)")
    }
}

fn hash(text: &str) -> String {
    Fingerprint::of(text.as_bytes()).to_string()
}

/// Whether this is the key of the hash. Hashes are compared, in constant time: neither the key's length nor how much of
/// it is right can be measured.
pub(super) fn matches(given: &str, kept: Option<&str>) -> bool {
    let given = hash(given);
    let kept_or_none = kept.unwrap_or("");
    let same: bool = given.as_bytes().ct_eq(kept_or_none.as_bytes()).into();
    same && kept.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_itself_fits_and_it_is_never_shown() {
        let key = TriggerKey::random().unwrap();
        let kept = key.hash();
        assert!(matches(key.as_str(), Some(&kept)));
        for wrong in ["", "a", &key.as_str()[1..], &kept] {
            assert!(!matches(wrong, Some(&kept)), "{wrong}");
        }
        assert!(!matches(key.as_str(), None) && !matches("", None));
        assert!(!format!("{key:?}").contains(key.as_str()));
        assert!(!kept.contains(key.as_str()) && key.as_str().len() == 43);
    }
}
