//! Answering challenges.

use std::fmt;

use super::{Challenge, DigestError, Qop, Transcript};
use crate::auth::AuthValue;
use crate::method::Method;

/// Name and password for one realm. Never shown by `Debug`; the password is overwritten when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl Drop for Credentials {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.password);
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// The challenges to answer, one for each realm in the order in which the realms first appear:
/// of several for one realm, the strongest algorithm that we have (RFC 8760 section 2.4 lets
/// local policy choose; ours is never to take MD5 where SHA-256 is offered).
///
/// # Errors
/// When there is none that we can answer: what is wrong with the first.
pub fn strongest(values: &[AuthValue]) -> Result<Vec<Challenge>, DigestError> {
    let mut chosen: Vec<Challenge> = Vec::new();
    let mut first_error = None;
    for value in values {
        match Challenge::from_value(value) {
            Ok(challenge) => match chosen.iter_mut().find(|c| c.realm == challenge.realm) {
                Some(other) if other.algorithm < challenge.algorithm => *other = challenge,
                Some(_) => {}
                None => chosen.push(challenge),
            },
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    if chosen.is_empty() {
        return Err(first_error.unwrap_or(DigestError::NoChallenge));
    }
    Ok(chosen)
}

/// One accepted challenge, and how often its nonce was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestClient {
    challenge: Challenge,
    nonce_count: u32,
}

impl DigestClient {
    /// Begins to use a challenge.
    #[must_use]
    pub fn new(challenge: Challenge) -> Self {
        DigestClient {
            challenge,
            nonce_count: 0,
        }
    }

    /// The challenge.
    #[must_use]
    pub fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    /// Takes a new challenge for the same realm. Says whether trying again makes sense: only if
    /// the nonce was merely stale, or if no credentials were sent with the old one.
    pub fn renew(&mut self, challenge: Challenge) -> bool {
        let retry =
            self.nonce_count == 0 || (challenge.stale && challenge.nonce != self.challenge.nonce);
        *self = DigestClient::new(challenge);
        retry
    }

    /// The value of Authorization or Proxy-Authorization for a request. `uri` is the Request-URI
    /// as it is written; `cnonce` a token the server cannot foresee, new for each call.
    #[must_use]
    pub fn authorize(
        &mut self,
        credentials: &Credentials,
        method: &Method,
        uri: &str,
        body: &[u8],
        cnonce: &str,
    ) -> AuthValue {
        self.nonce_count = self.nonce_count.saturating_add(1);
        let challenge = &self.challenge;
        // Proxies may change bodies, so auth-int is taken only where nothing else is offered.
        let qop = if challenge.qop.contains(&Qop::Auth) {
            Some(Qop::Auth)
        } else {
            challenge.qop.first().copied()
        };
        let nc = format!("{:08x}", self.nonce_count);
        let algorithm = challenge.algorithm;
        let nonce = challenge.nonce.as_str();
        let ha1 = algorithm.ha1(
            &credentials.username,
            &challenge.realm,
            &credentials.password,
        );
        let response = Transcript {
            algorithm,
            nonce,
            cnonce,
            nc: &nc,
            qop,
            method,
            uri,
            body,
        }
        .response(&ha1);
        let mut value = AuthValue::new("Digest")
            .with_quoted("username", &credentials.username)
            .with_quoted("realm", &challenge.realm)
            .with_quoted("nonce", nonce)
            .with_quoted("uri", uri)
            .with_quoted("response", &response)
            .with_token("algorithm", algorithm.as_str());
        if let Some(qop) = qop {
            value = value.with_token("qop", qop.as_str()).with_token("nc", &nc);
        }
        if qop.is_some() || algorithm.is_session() {
            value = value.with_quoted("cnonce", cnonce);
        }
        if let Some(opaque) = &challenge.opaque {
            value = value.with_quoted("opaque", opaque);
        }
        value
    }
}
