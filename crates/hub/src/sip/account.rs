//! Accounts of ordinary SIP phones: a user name and a password that is shown once.
//!
//! The password is made here, 100 random bits, so that nobody chooses one that can be guessed from an answer
//! overheard; the store keeps H(username:realm:password) alone.

use hearthline_sip::digest::{Account, Algorithm};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::device::{DeviceFields, Fingerprint};
use crate::entropy::{NoEntropy, random};
use crate::id::DeviceId;

/// The protection domain. Part of every hash, so it stays the same for good.
pub const REALM: &str = "hearthline";

/// Without letters and digits that look or sound alike.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// What an ordinary phone is to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhoneDigest {
    /// SHA-256 (RFC 8760).
    #[default]
    Sha256,
    /// MD5, for phones that know nothing else: they are asked by it alone, and the account is marked weak.
    Md5,
}

/// What is typed into the phone, shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct SipAccount {
    /// The device that was added.
    pub device: DeviceId,
    /// User name, also the user part of its address.
    pub username: String,
    /// Password; kept nowhere.
    pub password: String,
    /// The domain of its address.
    pub domain: String,
    /// Whether it is proven by MD5.
    pub weak: bool,
}

impl std::fmt::Debug for SipAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SipAccount({:?})", self.device)
    }
}

/// An account as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSipAccount {
    /// The device.
    pub device: DeviceId,
    /// Name, room, person.
    pub fields: DeviceFields,
    /// User name.
    pub username: String,
    /// H(username:realm:password) by SHA-256.
    pub ha1_sha256: String,
    /// The same by MD5, where the phone knows nothing else.
    pub ha1_md5: Option<String>,
}

impl NewSipAccount {
    /// Makes user name and password.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn make(
        fields: DeviceFields,
        digest: PhoneDigest,
        domain: &str,
    ) -> Result<(Self, SipAccount), NoEntropy> {
        let device = DeviceId::random()?;
        // A letter first and no digit between the letters of the prefix: never mistaken for a number.
        let username = format!("phone-{}", letters(random::<6>()?));
        let password = letters(random::<20>()?);
        let ha1 = |algorithm: Algorithm| algorithm.ha1(&username, REALM, &password);
        let weak = digest == PhoneDigest::Md5;
        let new = Self {
            device,
            fields,
            ha1_sha256: ha1(Algorithm::Sha256),
            ha1_md5: weak.then(|| ha1(Algorithm::Md5)),
            username: username.clone(),
        };
        let shown = SipAccount {
            device,
            username,
            password,
            domain: domain.to_owned(),
            weak,
        };
        Ok((new, shown))
    }

    /// A phone with an account has no key; the column that no two devices share holds this instead.
    #[must_use]
    pub fn placeholder_key(&self) -> Fingerprint {
        Fingerprint::of(format!("no key, SIP account of {}", self.device).as_bytes())
    }
}

/// An account of a device that is not revoked.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredSipAccount {
    /// The device.
    pub device: DeviceId,
    /// User name.
    pub username: String,
    /// By SHA-256.
    pub ha1_sha256: String,
    /// By MD5, where it is allowed.
    pub ha1_md5: Option<String>,
}

impl StoredSipAccount {
    pub(super) fn digest(&self) -> Account {
        Account {
            sha256: Some(self.ha1_sha256.clone()),
            md5: self.ha1_md5.clone(),
        }
    }
}

/// 32 letters: each byte gives five bits, evenly.
fn letters<const N: usize>(bytes: [u8; N]) -> String {
    let letter = |byte: u8| char::from(LETTERS[usize::from(byte & 31)]);
    bytes.into_iter().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Name;

    #[test]
    fn a_phone_gets_its_own_name_and_password_and_only_hashes_are_kept() {
        let fields = || DeviceFields {
            name: Name::new("Desk").unwrap(),
            room: None,
            person: None,
        };
        let (new, shown) = NewSipAccount::make(fields(), PhoneDigest::Sha256, "home.test").unwrap();
        let (other, _) = NewSipAccount::make(fields(), PhoneDigest::Md5, "home.test").unwrap();
        assert_ne!(new.username, other.username);
        assert_eq!(shown.password.len(), 20);
        assert!(new.ha1_md5.is_none() && other.ha1_md5.is_some());
        assert!(!new.ha1_sha256.contains(&shown.password));
        assert!(!format!("{shown:?}").contains(&shown.password));
    }
}
