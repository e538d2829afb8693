//! `Noise_NNpsk0_25519_ChaChaPoly_SHA256`, the responder: two messages, then a key for each way.
//!
//! ```text
//! ─► psk, e          h, ck ◄─ name, prologue
//! ◄─ e, ee           split ─► receive key, send key
//! ```
//! Source: the Noise Protocol Framework, revision 34, sections 5, 7.5 and 9. Primitives are ring's.
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::rand::SecureRandom;
use ring::{digest, hmac};

/// Name of the protocol, which begins the hash.
const PROTOCOL: &[u8] = b"Noise_NNpsk0_25519_ChaChaPoly_SHA256";
/// What both ends know before the first message.
const PROLOGUE: &[u8] = b"NoiseAPIInit\0\0";
/// Bytes that encryption adds.
pub const TAG_BYTES: usize = 16;
const KEY_BYTES: usize = 32;

/// The key that the owner gives to both ends.
#[derive(Clone)]
pub struct Key([u8; KEY_BYTES]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// A text that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no key: it is 32 random bytes in base64, such as `openssl rand -base64 32` gives")]
pub struct KeyError;

impl Key {
    /// A key from base64, as Home Assistant asks for it.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| KeyError)?;
        bytes.try_into().map(Self).map_err(|_| KeyError)
    }
}

/// Why a handshake or a message is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoiseError {
    /// It is too short or its point is none.
    #[error("Handshake message damaged")]
    Damaged,
    /// It was sealed by another key, or changed.
    #[error("Handshake MAC failure")]
    Mac,
    /// No randomness, or too many messages.
    #[error("the system gives no randomness, or the keys are used up")]
    Ours,
}

fn sha256(parts: &[&[u8]]) -> [u8; KEY_BYTES] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    bytes32(context.finish().as_ref())
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; KEY_BYTES] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    bytes32(context.sign().as_ref())
}

fn bytes32(bytes: &[u8]) -> [u8; KEY_BYTES] {
    bytes.try_into().expect("SHA-256 gives 32 bytes")
}

/// HKDF of section 4.3, with three outputs.
fn hkdf(chaining: &[u8; KEY_BYTES], input: &[u8]) -> [[u8; KEY_BYTES]; 3] {
    let secret = hmac(chaining, &[input]);
    let one = hmac(&secret, &[&[1]]);
    let two = hmac(&secret, &[&one, &[2]]);
    let three = hmac(&secret, &[&two, &[3]]);
    [one, two, three]
}

/// A key and its counter.
struct Cipher {
    key: LessSafeKey,
    count: u64,
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cipher({})", self.count)
    }
}

impl Cipher {
    fn new(key: &[u8; KEY_BYTES]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).expect("the key has its length");
        Self {
            key: LessSafeKey::new(key),
            count: 0,
        }
    }

    fn nonce(&mut self) -> Result<Nonce, NoiseError> {
        if self.count == u64::MAX {
            return Err(NoiseError::Ours);
        }
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&self.count.to_le_bytes());
        self.count += 1;
        Ok(Nonce::assume_unique_for_key(nonce))
    }

    fn seal(&mut self, about: &[u8], plain: &[u8]) -> Result<Vec<u8>, NoiseError> {
        let nonce = self.nonce()?;
        let mut bytes = plain.to_vec();
        self.key
            .seal_in_place_append_tag(nonce, Aad::from(about), &mut bytes)
            .map_err(|_| NoiseError::Ours)?;
        Ok(bytes)
    }

    fn open(&mut self, about: &[u8], sealed: &[u8]) -> Result<Vec<u8>, NoiseError> {
        let nonce = self.nonce()?;
        let mut bytes = sealed.to_vec();
        let plain = self
            .key
            .open_in_place(nonce, Aad::from(about), &mut bytes)
            .map_err(|_| NoiseError::Mac)?
            .len();
        bytes.truncate(plain);
        Ok(bytes)
    }
}

/// Section 5.2.
struct Symmetric {
    chaining: [u8; KEY_BYTES],
    hash: [u8; KEY_BYTES],
    cipher: Option<Cipher>,
}

impl Symmetric {
    fn new() -> Self {
        let hash = sha256(&[PROTOCOL]);
        let mut symmetric = Self {
            chaining: hash,
            hash,
            cipher: None,
        };
        symmetric.mix_hash(PROLOGUE);
        symmetric
    }

    fn mix_hash(&mut self, data: &[u8]) {
        self.hash = sha256(&[&self.hash, data]);
    }

    fn mix_key(&mut self, input: &[u8]) {
        let [chaining, key, _] = hkdf(&self.chaining, input);
        self.chaining = chaining;
        self.cipher = Some(Cipher::new(&key));
    }

    fn mix_key_and_hash(&mut self, input: &[u8]) {
        let [chaining, hash, key] = hkdf(&self.chaining, input);
        self.chaining = chaining;
        self.mix_hash(&hash);
        self.cipher = Some(Cipher::new(&key));
    }

    fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>, NoiseError> {
        let about = self.hash;
        let cipher = self.cipher.as_mut().ok_or(NoiseError::Ours)?;
        let plain = cipher.open(&about, sealed)?;
        self.mix_hash(sealed);
        Ok(plain)
    }

    fn seal(&mut self, plain: &[u8]) -> Result<Vec<u8>, NoiseError> {
        let about = self.hash;
        let cipher = self.cipher.as_mut().ok_or(NoiseError::Ours)?;
        let sealed = cipher.seal(&about, plain)?;
        self.mix_hash(&sealed);
        Ok(sealed)
    }
}

/// The two keys of a connection that stands.
#[derive(Debug)]
pub struct Channel {
    receives: Cipher,
    sends: Cipher,
}

impl Channel {
    /// Opens a message.
    ///
    /// # Errors
    /// [`NoiseError::Mac`] when it was changed, left out or sent twice.
    pub fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>, NoiseError> {
        self.receives.open(&[], sealed)
    }

    /// Seals a message.
    ///
    /// # Errors
    /// [`NoiseError::Ours`].
    pub fn seal(&mut self, plain: &[u8]) -> Result<Vec<u8>, NoiseError> {
        self.sends.seal(&[], plain)
    }
}

/// Takes the first message of a handshake; gives the second, and the channel.
///
/// # Errors
/// [`NoiseError`]; the peer may be told its words.
pub fn respond(
    key: &Key,
    message: &[u8],
    random: &dyn SecureRandom,
) -> Result<(Vec<u8>, Channel), NoiseError> {
    let (theirs, sealed) = message
        .split_at_checked(KEY_BYTES)
        .ok_or(NoiseError::Damaged)?;
    let mut symmetric = Symmetric::new();
    symmetric.mix_key_and_hash(&key.0);
    symmetric.mix_hash(theirs);
    symmetric.mix_key(theirs);
    symmetric.open(sealed)?;

    let ours = EphemeralPrivateKey::generate(&X25519, random).map_err(|_| NoiseError::Ours)?;
    let public = ours.compute_public_key().map_err(|_| NoiseError::Ours)?;
    symmetric.mix_hash(public.as_ref());
    symmetric.mix_key(public.as_ref());
    let theirs = UnparsedPublicKey::new(&X25519, theirs);
    // A point of small order gives zeros, which ring refuses.
    agree_ephemeral(ours, &theirs, |secret| symmetric.mix_key(secret))
        .map_err(|_| NoiseError::Damaged)?;
    let mut answer = public.as_ref().to_vec();
    answer.extend(symmetric.seal(&[])?);
    let [receives, sends, _] = hkdf(&symmetric.chaining, &[]);
    let channel = Channel {
        receives: Cipher::new(&receives),
        sends: Cipher::new(&sends),
    };
    Ok((answer, channel))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_32_bytes_of_base64_and_are_not_shown() {
        let text = STANDARD.encode([7; 32]);
        let key = Key::parse(&format!(" {text}\n")).unwrap();
        assert_eq!(format!("{key:?}"), "Key(…)");
        for wrong in ["", "hello", &STANDARD.encode([7; 31])] {
            assert_eq!(Key::parse(wrong).unwrap_err(), KeyError);
        }
    }

    #[test]
    fn damage_is_refused() {
        let key = Key([1; 32]);
        let random = ring::rand::SystemRandom::new();
        for (message, why) in [
            (vec![], NoiseError::Damaged),
            (vec![9; 31], NoiseError::Damaged),
            (vec![9; 32], NoiseError::Mac),
            (vec![9; 48], NoiseError::Mac),
        ] {
            assert_eq!(respond(&key, &message, &random).unwrap_err(), why);
        }
    }
}
