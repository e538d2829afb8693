//! The device's identity key and the epoch keys it vouches for (reference/ledger.md 3.3.7).
//!
//! The identity key signs the enrolment note and epoch keys, nothing else. An epoch key signs
//! checkpoints for a day or an incident, then it is dropped and its bytes are wiped.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::body;
use crate::hash::{Hash, HexError};
use crate::note::{Note, NoteError, NoteKey};

/// An Ed25519 public key (RFC 8032) that is a valid point.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// The 32 bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Refuses bytes that are no point of the curve, and the weak points.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::Public)?;
        if key.is_weak() {
            Err(KeyError::Public)
        } else {
            Ok(Self(key))
        }
    }

    /// Base64 with padding.
    #[must_use]
    pub fn to_base64(self) -> String {
        STANDARD.encode(self.to_bytes())
    }

    /// Reads base64 with padding.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        let bytes = STANDARD.decode(text).map_err(|_| KeyError::Public)?;
        Self::from_bytes(&bytes.try_into().map_err(|_| KeyError::Public)?)
    }

    /// The key's fingerprint.
    #[must_use]
    pub fn id(self) -> KeyId {
        KeyId(Hash::of(&[&self.to_bytes()]))
    }

    /// Strict verification: one message and key have no second valid spelling of a signature.
    pub(crate) fn verifies(self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = Signature::from_slice(signature) else {
            return false;
        };
        self.0.verify_strict(message, &signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.to_base64())
    }
}

/// SHA-256 of an identity's public key, 64 hexadecimal digits: the device's UniqueDeviceID
/// (RFC 7852 section 4.3.2) and what is printed on its enrolment card.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct KeyId(Hash);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for KeyId {
    type Err = HexError;
    fn from_str(text: &str) -> Result<Self, HexError> {
        text.parse().map(Self)
    }
}

/// What is wrong with a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not an Ed25519 public key.
    #[error("not an Ed25519 public key")]
    Public,
    /// A key entry whose signature does not hold.
    #[error("key of epoch {epoch}: the signature {by} is missing or does not hold")]
    Signature {
        /// The epoch.
        epoch: u64,
        /// Whose signature.
        by: &'static str,
    },
    /// A key entry out of turn.
    #[error("key entry names epoch {found}, epoch {expected} was expected")]
    Epoch {
        /// What the entry says.
        found: u64,
        /// What must come.
        expected: u64,
    },
}

/// The key made at enrolment. Its secret is wiped when dropped.
pub struct IdentityKey(SigningKey);

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityKey({})", self.key_id())
    }
}

impl IdentityKey {
    /// From 32 secret random bytes. The caller wipes its own copy.
    #[must_use]
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The device's name: UniqueDeviceID in additional data, `log` line in a policy.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.public().id()
    }

    pub(crate) fn signing(&self) -> &SigningKey {
        &self.0
    }
}

/// The key of one epoch. Its secret is wiped when dropped.
pub struct EpochKey {
    number: u64,
    key: SigningKey,
}

impl fmt::Debug for EpochKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "EpochKey({}, {})",
            self.number,
            self.public().to_base64()
        )
    }
}

impl EpochKey {
    /// From the epoch's number and 32 secret random bytes.
    #[must_use]
    pub fn from_seed(number: u64, seed: &[u8; 32]) -> Self {
        Self {
            number,
            key: SigningKey::from_bytes(seed),
        }
    }

    /// Number of the epoch.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.key.verifying_key())
    }

    pub(crate) fn signing(&self) -> &SigningKey {
        &self.key
    }

    /// The key entry that commits this key at position `seq` of the log `origin`.
    pub(crate) fn commit(
        &self,
        origin: &str,
        seq: u64,
        reason: &str,
        identity: &IdentityKey,
        previous: Option<&EpochKey>,
    ) -> body::Key {
        let text = statement(origin, seq, self.number, self.public());
        let sign = |key: &SigningKey| STANDARD.encode(key.sign(text.as_bytes()).to_bytes());
        body::Key {
            epoch: self.number,
            public: self.public().to_base64(),
            reason: reason.to_owned(),
            by_identity: sign(&identity.0),
            by_previous: previous.map(|previous| sign(&previous.key)),
            by_next: sign(&self.key),
        }
    }
}

/// What the signatures of a key entry cover. The position is part of it, so that an entry cannot be
/// presented elsewhere in the log.
fn statement(origin: &str, seq: u64, epoch: u64, public: PublicKey) -> String {
    format!(
        "hearthline epoch key v1\norigin {origin}\nentry {seq}\nepoch {epoch}\nkey {}\n",
        public.to_base64()
    )
}

/// Checks a key entry; `previous` is the key of the epoch before, when the reader has it.
/// The signature by the previous key may be absent (a restart loses it), but a wrong one is an error.
pub(crate) fn check_key_entry(
    entry: &body::Key,
    origin: &str,
    seq: u64,
    identity: PublicKey,
    previous: Option<PublicKey>,
) -> Result<PublicKey, KeyError> {
    let public = PublicKey::from_base64(&entry.public)?;
    let text = statement(origin, seq, entry.epoch, public);
    let holds = |key: PublicKey, signature: &str| {
        STANDARD
            .decode(signature)
            .is_ok_and(|bytes| key.verifies(text.as_bytes(), &bytes))
    };
    let wrong = |by| {
        Err(KeyError::Signature {
            epoch: entry.epoch,
            by,
        })
    };
    if !holds(identity, &entry.by_identity) {
        return wrong("by the identity key");
    }
    if !holds(public, &entry.by_next) {
        return wrong("by the new key");
    }
    if let (Some(signature), Some(previous)) = (&entry.by_previous, previous)
        && !holds(previous, signature)
    {
        return wrong("by the epoch before");
    }
    Ok(public)
}

const ENROLMENT: &str = "hearthline enrolment v1";

/// The note that says which identity key a log belongs to, signed by that key.
/// It proves nothing by itself: whoever checks compares the key id with the card printed at enrolment.
pub fn enrolment_note(identity: &IdentityKey, origin: &str) -> Result<Note, NoteError> {
    let key = NoteKey::device(origin, identity.public())?;
    let text = format!(
        "{ENROLMENT}\norigin {origin}\ndevice {}\nkey {}\n",
        identity.key_id(),
        key.to_vkey()
    );
    Note::sign(text, &[(origin, identity.signing())])
}

/// Origin and identity key out of an enrolment note whose signature holds.
pub(crate) fn read_enrolment(note: &Note) -> Result<(String, PublicKey), NoteError> {
    let shape = NoteError::Text("it is not an enrolment note");
    let lines: Vec<&str> = note.text().lines().collect();
    let [ENROLMENT, origin, device, key] = lines.as_slice() else {
        return Err(shape);
    };
    let (Some(origin), Some(device), Some(key)) = (
        origin.strip_prefix("origin "),
        device.strip_prefix("device "),
        key.strip_prefix("key "),
    ) else {
        return Err(shape);
    };
    let key = NoteKey::parse_vkey(key)?;
    if key.name() != origin || key.public().id().to_string() != device {
        return Err(shape);
    }
    note.verify(&key)?;
    Ok((origin.to_owned(), key.public()))
}
