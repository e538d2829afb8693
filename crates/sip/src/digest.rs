//! Digest authentication, both sides (RFC 3261 section 22, RFC 7616, RFC 8760).
//!
//! ```text
//! client: 401/407 ─► strongest() ─► DigestClient::authorize() ─► Authorization
//! server: DigestServer::challenges() ─► 401 ... request ─► DigestServer::verify() ─► Verdict
//! ```

mod authenticator;
mod client;
mod server;

use std::fmt;

use md5::Md5;
use sha2::Sha256;

use crate::auth::AuthValue;
use crate::method::Method;

pub(crate) use authenticator::subscriber;
pub use authenticator::{
    Account, Authenticated, Authenticator, AuthenticatorConfig, AuthenticatorLimits, Judgement,
};
pub use client::{Credentials, DigestClient, strongest};
pub use server::{DigestServer, Secret, Verdict};

/// Hash algorithms, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// `MD5`; also meant where no algorithm is named.
    Md5,
    /// `MD5-sess`.
    Md5Sess,
    /// `SHA-256` (RFC 8760).
    Sha256,
    /// `SHA-256-sess`.
    Sha256Sess,
}

impl Algorithm {
    /// Reads a token, without regard to case; `None` for algorithms we do not have.
    #[must_use]
    pub fn parse(token: &str) -> Option<Algorithm> {
        let all = [
            Algorithm::Md5,
            Algorithm::Md5Sess,
            Algorithm::Sha256,
            Algorithm::Sha256Sess,
        ];
        all.into_iter()
            .find(|a| a.as_str().eq_ignore_ascii_case(token))
    }

    /// The token.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Md5Sess => "MD5-sess",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha256Sess => "SHA-256-sess",
        }
    }

    fn is_session(self) -> bool {
        matches!(self, Algorithm::Md5Sess | Algorithm::Sha256Sess)
    }

    fn is_sha256(self) -> bool {
        matches!(self, Algorithm::Sha256 | Algorithm::Sha256Sess)
    }

    /// Lower-case hex digest of `parts` joined by colons.
    fn hash(self, parts: &[&[u8]]) -> String {
        fn joined<H: md5::Digest>(parts: &[&[u8]]) -> Vec<u8> {
            let mut hash = H::new();
            for (i, part) in parts.iter().enumerate() {
                if i > 0 {
                    hash.update(b":");
                }
                hash.update(part);
            }
            hash.finalize().to_vec()
        }
        hex(&if self.is_sha256() {
            joined::<Sha256>(parts)
        } else {
            joined::<Md5>(parts)
        })
    }

    /// H(username:realm:password): what a server may keep instead of the password. The same for
    /// the `-sess` variants.
    #[must_use]
    pub fn ha1(self, username: &str, realm: &str, password: &str) -> String {
        self.hash(&[username.as_bytes(), realm.as_bytes(), password.as_bytes()])
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Quality of protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Qop {
    /// Method and URI are protected.
    Auth,
    /// So is the body.
    AuthInt,
}

impl Qop {
    /// Reads a token, without regard to case.
    #[must_use]
    pub fn parse(token: &str) -> Option<Qop> {
        [Qop::Auth, Qop::AuthInt]
            .into_iter()
            .find(|q| q.as_str().eq_ignore_ascii_case(token))
    }

    /// The token.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Qop::Auth => "auth",
            Qop::AuthInt => "auth-int",
        }
    }
}

/// Why a challenge or credentials cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// No challenge at all.
    #[error("the response has no challenge")]
    NoChallenge,
    /// The scheme is not Digest.
    #[error("authentication scheme is not Digest")]
    Scheme,
    /// An algorithm we do not have.
    #[error("digest algorithm is not one of MD5, MD5-sess, SHA-256, SHA-256-sess")]
    Algorithm,
    /// Only qualities of protection we do not have.
    #[error("quality of protection is neither auth nor auth-int")]
    Qop,
    /// A mandatory parameter is missing.
    #[error("parameter {0} is missing")]
    Missing(&'static str),
}

/// A Digest challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Protection domain, shown to the user and part of the hash.
    pub realm: String,
    /// The server's nonce.
    pub nonce: String,
    /// To be sent back unchanged.
    pub opaque: Option<String>,
    /// The credentials were right, only the nonce had expired.
    pub stale: bool,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// What the server offers of what we know; empty means the form without qop of RFC 2069.
    pub qop: Vec<Qop>,
}

impl Challenge {
    /// Reads a challenge. Unknown entries of the qop list are read over (RFC 7616 section 3.3),
    /// a list of nothing else is an error.
    ///
    /// # Errors
    /// When it cannot be answered; see [`DigestError`].
    pub fn from_value(value: &AuthValue) -> Result<Challenge, DigestError> {
        if !value.is_digest() {
            return Err(DigestError::Scheme);
        }
        let text = |name: &'static str| value.get(name).map(str::to_owned);
        let algorithm = match value.get("algorithm") {
            None => Algorithm::Md5,
            Some(token) => Algorithm::parse(token).ok_or(DigestError::Algorithm)?,
        };
        let mut qop = Vec::new();
        if let Some(list) = value.get("qop") {
            qop.extend(list.split(',').filter_map(|token| Qop::parse(token.trim())));
            if qop.is_empty() {
                return Err(DigestError::Qop);
            }
        }
        Ok(Challenge {
            realm: text("realm").ok_or(DigestError::Missing("realm"))?,
            nonce: text("nonce").ok_or(DigestError::Missing("nonce"))?,
            opaque: text("opaque"),
            stale: value
                .get("stale")
                .is_some_and(|v| v.eq_ignore_ascii_case("true")),
            algorithm,
            qop,
        })
    }

    /// As a header value.
    #[must_use]
    pub fn to_value(&self) -> AuthValue {
        let mut value = AuthValue::new("Digest")
            .with_quoted("realm", &self.realm)
            .with_quoted("nonce", &self.nonce);
        if let Some(opaque) = &self.opaque {
            value = value.with_quoted("opaque", opaque);
        }
        if self.stale {
            value = value.with_token("stale", "TRUE");
        }
        value = value.with_token("algorithm", self.algorithm.as_str());
        if !self.qop.is_empty() {
            let list: Vec<_> = self.qop.iter().map(|q| q.as_str()).collect();
            value = value.with_quoted("qop", &list.join(","));
        }
        value
    }
}

/// What goes into a response hash besides the secret.
struct Transcript<'a> {
    algorithm: Algorithm,
    nonce: &'a str,
    cnonce: &'a str,
    /// Eight hex digits, as written.
    nc: &'a str,
    qop: Option<Qop>,
    method: &'a Method,
    uri: &'a str,
    body: &'a [u8],
}

impl Transcript<'_> {
    /// RFC 7616 section 3.4.1 to 3.4.3.
    fn response(&self, ha1: &str) -> String {
        let a = self.algorithm;
        let ha1 = if a.is_session() {
            a.hash(&[
                ha1.as_bytes(),
                self.nonce.as_bytes(),
                self.cnonce.as_bytes(),
            ])
        } else {
            ha1.to_owned()
        };
        let (method, uri) = (self.method.as_str().as_bytes(), self.uri.as_bytes());
        let ha2 = if self.qop == Some(Qop::AuthInt) {
            a.hash(&[method, uri, a.hash(&[self.body]).as_bytes()])
        } else {
            a.hash(&[method, uri])
        };
        let (ha1, nonce, ha2) = (ha1.as_bytes(), self.nonce.as_bytes(), ha2.as_bytes());
        match self.qop {
            None => a.hash(&[ha1, nonce, ha2]),
            Some(qop) => {
                let (nc, cnonce) = (self.nc.as_bytes(), self.cnonce.as_bytes());
                a.hash(&[ha1, nonce, nc, cnonce, qop.as_str().as_bytes(), ha2])
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    out
}
