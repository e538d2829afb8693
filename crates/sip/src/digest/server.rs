//! Making challenges and verifying credentials.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{Algorithm, Challenge, Qop, Transcript, hex};
use crate::auth::AuthValue;
use crate::method::Method;
use crate::uri::Uri;

/// What the server knows of a user. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// The password.
    Password(String),
    /// [`Algorithm::ha1`] for exactly this algorithm family.
    Ha1(String),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What credentials are worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// They are right.
    Accepted {
        /// Whose they are.
        username: String,
    },
    /// They are right but the nonce has expired: challenge again with `stale`.
    Stale,
    /// They are for another realm or scheme, or incomplete: challenge as if there were none.
    Absent,
    /// They are wrong, or a replay: challenge again, count the failure.
    Wrong(&'static str),
}

/// Nonces whose counts are remembered at most; the oldest give way and count as stale.
const NONCES_MAX: usize = 4096;

/// One realm's server side. Nonces carry their own time and are signed with `secret`, so a
/// restart with the same secret invalidates only the counts.
pub struct DigestServer {
    realm: String,
    secret: [u8; 32],
    algorithms: Vec<Algorithm>,
    qop: Vec<Qop>,
    nonce_life: Duration,
    serial: u64,
    /// Highest count seen, by serial of the nonce.
    counts: BTreeMap<u64, u32>,
}

impl fmt::Debug for DigestServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestServer")
            .field("realm", &self.realm)
            .finish_non_exhaustive()
    }
}

impl DigestServer {
    /// A server that offers SHA-256 first and MD5 after it, both with qop `auth,auth-int`.
    /// `secret` is 32 random bytes.
    #[must_use]
    pub fn new(realm: &str, secret: [u8; 32]) -> Self {
        DigestServer {
            realm: realm.to_owned(),
            secret,
            algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
            qop: vec![Qop::Auth, Qop::AuthInt],
            nonce_life: Duration::from_secs(300),
            serial: 0,
            counts: BTreeMap::new(),
        }
    }

    /// With other algorithms, best first.
    #[must_use]
    pub fn with_algorithms(mut self, algorithms: &[Algorithm]) -> Self {
        self.algorithms = algorithms.to_vec();
        self
    }

    /// With another life of nonces.
    #[must_use]
    pub fn with_nonce_life(mut self, life: Duration) -> Self {
        self.nonce_life = life;
        self
    }

    /// Challenges for a 401 or 407, one header row each, best first.
    pub fn challenges(&mut self, stale: bool, now: Duration) -> Vec<AuthValue> {
        self.serial += 1;
        let nonce = self.nonce(self.serial, now.as_secs());
        let challenge = |algorithm: &Algorithm| {
            Challenge {
                realm: self.realm.clone(),
                nonce: nonce.clone(),
                opaque: None,
                stale,
                algorithm: *algorithm,
                qop: self.qop.clone(),
            }
            .to_value()
        };
        let values = self.algorithms.iter().map(challenge).collect();
        self.counts.insert(self.serial, 0);
        while self.counts.len() > NONCES_MAX {
            self.counts.pop_first();
        }
        values
    }

    /// Verifies one set of credentials. `lookup` gives the secret of a user name in this realm
    /// for an algorithm. Credentials without qop are refused: they could be replayed.
    pub fn verify(
        &mut self,
        value: &AuthValue,
        method: &Method,
        uri: &Uri,
        body: &[u8],
        lookup: impl FnOnce(&str, Algorithm) -> Option<Secret>,
        now: Duration,
    ) -> Verdict {
        if !value.is_digest() || value.get("realm") != Some(&self.realm) {
            return Verdict::Absent;
        }
        let fields = [
            "username", "nonce", "uri", "response", "cnonce", "nc", "qop",
        ];
        let [username, nonce, digest_uri, response, cnonce, nc, qop] =
            fields.map(|name| value.get(name).unwrap_or_default());
        if [username, nonce, digest_uri, response].contains(&"") {
            return Verdict::Absent;
        }
        let algorithm = match value.get("algorithm") {
            None => Some(Algorithm::Md5),
            Some(token) => Algorithm::parse(token),
        };
        let Some(algorithm) = algorithm.filter(|a| self.algorithms.contains(a)) else {
            return Verdict::Wrong("algorithm was not offered");
        };
        let Some(qop) = Qop::parse(qop).filter(|q| self.qop.contains(q)) else {
            return Verdict::Wrong("qop was not offered");
        };
        let count =
            Some(nc).filter(|nc| nc.len() == 8 && nc.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(count) = count.and_then(|nc| u32::from_str_radix(nc, 16).ok()) else {
            return Verdict::Wrong("nc is not eight hex digits");
        };
        if cnonce.is_empty() {
            return Verdict::Wrong("cnonce is missing");
        }
        let same_uri = Uri::parse(digest_uri).is_ok_and(|d| d == *uri || d.equivalent(uri));
        if !same_uri {
            return Verdict::Wrong("uri is not the request's");
        }
        let secret = lookup(username, algorithm);
        let ha1 = match &secret {
            Some(Secret::Ha1(ha1)) => ha1.clone(),
            Some(Secret::Password(password)) => algorithm.ha1(username, &self.realm, password),
            // Unknown users cost as much as known ones.
            None => algorithm.ha1(username, &self.realm, ""),
        };
        let transcript = Transcript {
            algorithm,
            nonce,
            cnonce,
            nc,
            qop: Some(qop),
            method,
            uri: digest_uri,
            body,
        };
        let expected = transcript.response(&ha1);
        let given = response.to_ascii_lowercase();
        let matches = bool::from(expected.as_bytes().ct_eq(given.as_bytes()));
        if !matches || secret.is_none() {
            return Verdict::Wrong("response does not match");
        }
        let Some((serial, made_s)) = self.read_nonce(nonce) else {
            return Verdict::Stale;
        };
        let age_s = now.as_secs().saturating_sub(made_s);
        let Some(seen) = self.counts.get_mut(&serial) else {
            return Verdict::Stale;
        };
        if age_s > self.nonce_life.as_secs() {
            self.counts.remove(&serial);
            return Verdict::Stale;
        }
        if count <= *seen {
            return Verdict::Wrong("nc was used before");
        }
        *seen = count;
        Verdict::Accepted {
            username: username.to_owned(),
        }
    }

    /// `serial.time.signature`, all hex.
    fn nonce(&self, serial: u64, made_s: u64) -> String {
        let claim = format!("{serial:x}.{made_s:x}");
        let mut hash = Sha256::new();
        // The inner hash has a fixed length, so the outer cannot be extended.
        hash.update(self.secret);
        hash.update(Sha256::digest(
            [&self.secret[..], claim.as_bytes()].concat(),
        ));
        let signature = hash.finalize();
        format!("{claim}.{}", hex(&signature[..16]))
    }

    fn read_nonce(&self, nonce: &str) -> Option<(u64, u64)> {
        let mut parts = nonce.split('.');
        let serial = u64::from_str_radix(parts.next()?, 16).ok()?;
        let made_s = u64::from_str_radix(parts.next()?, 16).ok()?;
        let expected = self.nonce(serial, made_s);
        bool::from(expected.as_bytes().ct_eq(nonce.as_bytes())).then_some((serial, made_s))
    }
}
