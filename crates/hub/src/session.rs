//! Sessions of people: passwords (argon2id), opaque tokens, and the token against forged requests.
//!
//! A token is 256 random bits; the database keeps its SHA-256 only, so a stolen database opens no session.
//! Browsers carry it in a `__Host-` cookie, which a foreign page can make them send; so each request of theirs
//! that changes something also carries `x-csrf-token`, which a foreign page cannot read. Apps carry it as bearer.

use std::fmt;
use std::sync::LazyLock;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use ring::hmac;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use utoipa::ToSchema;

use crate::clock::UnixMs;
use crate::entropy::{NoEntropy, random};
use crate::id::{DeviceId, PersonId, TokenId};

/// Most sessions of one person; the oldest makes room.
pub const SESSIONS_MAX: u32 = 32;
/// Shortest password, in characters.
pub const PASSWORD_CHARACTERS_MIN: usize = 10;
/// Longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 256;
const DAY_MS: i64 = 24 * 3_600_000;

/// How the token travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// In a cookie, with a token against forged requests; 30 days.
    Browser,
    /// As bearer; 365 days.
    App,
}

impl TokenKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::App => "app",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Browser, Self::App]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }

    /// How long a session of this kind lasts, in milliseconds.
    #[must_use]
    pub fn lasts_ms(self) -> i64 {
        match self {
            Self::Browser => 30 * DAY_MS,
            Self::App => 365 * DAY_MS,
        }
    }
}

/// A session, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Session {
    /// Id, to end it by.
    pub id: TokenId,
    /// Whose.
    pub person: PersonId,
    /// How the token travels.
    pub kind: TokenKind,
    /// The device on which it was opened, where that showed its certificate; it ends when the device is revoked.
    pub device: Option<DeviceId>,
    /// When it was opened.
    pub created_at_ms: UnixMs,
    /// When it ends.
    pub expires_at_ms: UnixMs,
}

/// A session's secret: 256 random bits.
pub struct Token([u8; 32]);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn random() -> Result<Self, NoEntropy> {
        random().map(Self)
    }

    /// Reads what [`Token::to_text`] wrote.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// 43 characters of base64url: the secret itself.
    #[must_use]
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What the database keeps.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, &self.0).as_ref());
        TokenHash(bytes)
    }

    /// What a browser's requests carry besides the cookie. It follows from the token and does not lead back to it.
    #[must_use]
    pub fn csrf(&self) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        URL_SAFE_NO_PAD.encode(hmac::sign(&key, b"hearthline csrf v1"))
    }

    /// Compares in constant time.
    #[must_use]
    pub fn csrf_matches(&self, given: &str) -> bool {
        bool::from(self.csrf().as_bytes().ct_eq(given.as_bytes()))
    }
}

/// SHA-256 of a token.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenHash([u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

impl TokenHash {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A password as typed.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 10, max_length = 256, format = Password)]
pub struct Password(String);

/// Not a password that can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a password has at least {PASSWORD_CHARACTERS_MIN} characters and at most {PASSWORD_BYTES_MAX} bytes"
)]
pub struct PasswordError;

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl TryFrom<String> for Password {
    type Error = PasswordError;
    fn try_from(text: String) -> Result<Self, PasswordError> {
        if text.chars().count() < PASSWORD_CHARACTERS_MIN || text.len() > PASSWORD_BYTES_MAX {
            return Err(PasswordError);
        }
        Ok(Self(text))
    }
}

/// A hashed password: `argon2id$m,t,p$salt$hash`, so that the costs may rise later.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

// 19 MiB and two passes: the OWASP password cheat sheet's first choice for argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What is compared with when nobody has the login, so that the answer takes as long.
static NOBODY: LazyLock<PasswordHash> = LazyLock::new(|| {
    let salt = [0x5A; 16];
    PasswordHash::with_salt("nobody has this password", &salt)
});

impl PasswordHash {
    /// Hashes with a fresh salt. Takes tens of milliseconds and 19 MiB.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn of(password: &Password) -> Result<Self, NoEntropy> {
        Ok(Self::with_salt(&password.0, &random::<16>()?))
    }

    /// A hash that no login has.
    #[must_use]
    pub fn of_nobody() -> Self {
        NOBODY.clone()
    }

    /// For the database.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn with_salt(password: &str, salt: &[u8; 16]) -> Self {
        let hash = argon2id(password, salt, MEMORY_KIB, PASSES, LANES)
            .expect("the costs and lengths above are valid");
        Self(format!(
            "argon2id${MEMORY_KIB},{PASSES},{LANES}${}${}",
            STANDARD_NO_PAD.encode(salt),
            STANDARD_NO_PAD.encode(hash)
        ))
    }

    /// Whether this is the password. Takes tens of milliseconds.
    #[must_use]
    pub fn matches(&self, password: &str) -> bool {
        self.parts().is_some_and(|(costs, salt, hash)| {
            argon2id(password, &salt, costs[0], costs[1], costs[2])
                .is_some_and(|computed| bool::from(computed.ct_eq(&hash)))
        })
    }

    fn parts(&self) -> Option<([u32; 3], Vec<u8>, Vec<u8>)> {
        let mut parts = self.0.strip_prefix("argon2id$")?.split('$');
        let mut costs = [0; 3];
        let mut given = parts.next()?.split(',');
        for cost in &mut costs {
            *cost = given.next()?.parse().ok()?;
        }
        let salt = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
        let hash = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
        (given.next().is_none() && parts.next().is_none()).then_some((costs, salt, hash))
    }
}

impl TryFrom<String> for PasswordHash {
    type Error = PasswordError;
    fn try_from(text: String) -> Result<Self, PasswordError> {
        let hash = Self(text);
        if hash.parts().is_some() {
            Ok(hash)
        } else {
            Err(PasswordError)
        }
    }
}

fn argon2id(password: &str, salt: &[u8], memory: u32, passes: u32, lanes: u32) -> Option<[u8; 32]> {
    let params = Params::new(memory, passes, lanes, Some(32)).ok()?;
    let mut hash = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut hash)
        .ok()?;
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let password = Password::try_from("correct horse".to_owned()).unwrap();
        let hash = PasswordHash::of(&password).unwrap();
        assert!(hash.matches("correct horse"));
        assert!(!hash.matches("correct horsf"));
        assert_ne!(hash, PasswordHash::of(&password).unwrap(), "salted");
        assert!(PasswordHash::try_from("argon2id$1,2$x".to_owned()).is_err());
        assert!(!PasswordHash("argon2id$0,0,0$AA$AA".to_owned()).matches("x"));
        assert!(Password::try_from("short".to_owned()).is_err());
        assert_eq!(
            format!("{password:?} {hash:?}"),
            "Password(…) PasswordHash(…)"
        );
    }

    #[test]
    fn tokens_read_back_and_their_csrf_token_is_their_own() {
        let token = Token::random().unwrap();
        let again = Token::from_text(&token.to_text()).unwrap();
        assert_eq!(again.hash(), token.hash());
        assert!(token.csrf_matches(&again.csrf()));
        assert!(!token.csrf_matches(&Token::random().unwrap().csrf()));
        assert!(!token.csrf_matches(""));
        for wrong in ["", "x", &"A".repeat(42), &"A".repeat(44)] {
            assert!(Token::from_text(wrong).is_none());
        }
    }
}
