//! Digest for many accounts: what a registrar and a proxy ask before they serve (RFC 3261
//! section 22, RFC 7616, RFC 8760).
//!
//! ```text
//! request ─► judge() ─► Authenticated (weak if by MD5)
//!                    ├► Challenge: 401 or 407, SHA-256 first, MD5 as a challenge of its own
//!                    └► Blocked: too many wrong answers from there
//! ```
//! Nothing is kept for a challenge: the nonce carries its time and our signature. Only a nonce
//! that right credentials used has a row, with a window of the counts seen, so that a flood of
//! strangers pushes nobody out. A nonce is good for the source that it was given to, and nothing
//! said with another one is looked at: whoever writes somebody else's address on a datagram never
//! sees the nonce that he would need to have him blocked. [`super::DigestServer`] is the small sister for one endpoint.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use super::{Algorithm, Challenge, Qop, Transcript};
use crate::auth::AuthValue;
use crate::hmac::Hmac;
use crate::message::Request;
use crate::uri::Uri;
use crate::{HeaderName, StatusCode};

/// What is kept of an account: HA1, never the password. An account without a SHA-256 value is
/// one of a phone that knows nothing better.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// [`Algorithm::ha1`] by SHA-256, where the account may be used so.
    pub sha256: Option<String>,
    /// [`Algorithm::ha1`] by MD5, where the account may be used so. Leave it out wherever the
    /// phone knows SHA-256: whoever reads MD5 answers can try passwords at home.
    pub md5: Option<String>,
}

impl Account {
    /// Whether MD5 is all that it can do.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        self.sha256.is_none()
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Account(..)")
    }
}

/// How an authenticator is set up.
#[derive(Clone)]
pub struct AuthenticatorConfig {
    /// The protection domain.
    pub realm: String,
    /// 32 random bytes, drawn anew at each start: what was seen before a restart is not
    /// remembered, so no nonce may outlive it.
    pub secret: [u8; 32],
    /// Offer MD5 behind SHA-256.
    pub md5: bool,
    /// How long a nonce is good; afterwards the challenge says `stale`.
    pub nonce_life: Duration,
    /// Bounds.
    pub limits: AuthenticatorLimits,
}

impl AuthenticatorConfig {
    /// The defaults: SHA-256 and MD5, nonces of five minutes.
    #[must_use]
    pub fn new(realm: &str, secret: [u8; 32]) -> Self {
        AuthenticatorConfig {
            realm: realm.to_owned(),
            secret,
            md5: true,
            nonce_life: Duration::from_secs(300),
            limits: AuthenticatorLimits::default(),
        }
    }
}

/// Bounds on guessing and on memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatorLimits {
    /// Wrong answers of one source for one user name before they are blocked together.
    pub failures_max: u32,
    /// A pair that was quiet for this long is forgiven; a blocked one waits for this long.
    pub failure_window: Duration,
    /// Pairs of source and user name remembered; beyond it the oldest is forgotten.
    pub sources_max: usize,
    /// Nonces in use; beyond it the oldest counts as stale.
    pub nonces_max: usize,
}

impl Default for AuthenticatorLimits {
    fn default() -> Self {
        AuthenticatorLimits {
            failures_max: 10,
            failure_window: Duration::from_secs(300),
            sources_max: 4_096,
            nonces_max: 16_384,
        }
    }
}

/// Who a request is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    /// The account's user name.
    pub username: String,
    /// Proven by MD5 only.
    pub weak: bool,
}

/// What a request's credentials are worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// They are right.
    Authenticated(Authenticated),
    /// There are none, or they are wrong, used before or stale: ask (again).
    Challenge {
        /// 401 or 407.
        status: StatusCode,
        /// The challenges, best first.
        headers: Vec<(HeaderName, Vec<u8>)>,
        /// Why what was there did not do; `None`: there was nothing.
        why: Option<&'static str>,
    },
    /// Too many wrong answers came from there: refuse with 403, or say nothing.
    Blocked {
        /// For how long.
        retry_after: Duration,
    },
}

/// The counts seen of one nonce: the highest, and which of the 64 up to it, as datagrams
/// overtake each other.
#[derive(Debug, Clone, Copy)]
struct Window {
    highest: u32,
    seen: u64,
    stamp: u64,
}

impl Window {
    /// Notes a count; `false`: it was there before, or is too old to tell.
    fn note(&mut self, count: u32) -> bool {
        if count > self.highest {
            let ahead = count - self.highest;
            self.seen = if ahead < 64 { self.seen << ahead } else { 0 };
            self.seen |= 1;
            self.highest = count;
            return true;
        }
        let behind = self.highest - count;
        let bit = 1_u64.checked_shl(behind).unwrap_or(0);
        if bit == 0 || self.seen & bit != 0 {
            return false;
        }
        self.seen |= bit;
        true
    }
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Duration,
}

/// Who gave wrong answers: a source, and the hash of the name that it gave.
type Suspect = (IpAddr, [u8; 8]);

/// Judges credentials.
pub struct Authenticator {
    config: AuthenticatorConfig,
    hmac: Hmac,
    serial: u32,
    nonces: BTreeMap<[u8; NONCE_BYTES], Window>,
    /// Nonces by their time, oldest first.
    order: BTreeSet<(u64, [u8; NONCE_BYTES])>,
    /// Every nonce made up to here that has no row is stale: it may have had one.
    horizon: Option<u64>,
    failures: BTreeMap<Suspect, Failures>,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator")
            .field("realm", &self.config.realm)
            .field("nonces", &self.nonces.len())
            .finish_non_exhaustive()
    }
}

/// Time (8), serial (4), and the mark of the source (4).
const CLAIM_BYTES: usize = 16;
const MAC_BYTES: usize = 14;
/// Claim and signature: a multiple of three.
const NONCE_BYTES: usize = CLAIM_BYTES + MAC_BYTES;

impl Authenticator {
    /// Without any nonce.
    #[must_use]
    pub fn new(config: AuthenticatorConfig) -> Self {
        Authenticator {
            hmac: Hmac::new(&config.secret, "digest nonce"),
            config,
            serial: 0,
            nonces: BTreeMap::new(),
            order: BTreeSet::new(),
            horizon: None,
            failures: BTreeMap::new(),
        }
    }

    /// Judges a request from `source`. `proxy`: as a proxy (407) rather than as the server asked
    /// (401). `account` finds what is kept of a user name.
    pub fn judge(
        &mut self,
        request: &Request,
        proxy: bool,
        source: IpAddr,
        account: impl Fn(&str) -> Option<Account>,
        now: Duration,
    ) -> Judgement {
        let source = subscriber(source);
        let headers = &request.headers;
        let values = if proxy {
            headers.proxy_authorization()
        } else {
            headers.authorization()
        };
        // What cannot be read is no credential; the challenge says what would be.
        let values = values.unwrap_or_default();
        let ours = |value: &&AuthValue| {
            value.is_digest() && value.get("realm") == Some(self.config.realm.as_str())
        };
        let Some(value) = values.iter().find(ours) else {
            return self.challenge(proxy, source, false, None, now);
        };
        let suspect = self.suspect(source, value.get("username").unwrap_or_default());
        if let Some(retry_after) = self.blocked(suspect, now) {
            return Judgement::Blocked { retry_after };
        }
        match self.verify(value, request, source, account, now) {
            Ok(who) => {
                self.failures.remove(&suspect);
                Judgement::Authenticated(who)
            }
            Err(Flaw::Stale) => self.challenge(proxy, source, true, Some("nonce is stale"), now),
            // Only who knows the password, or heard him, says it twice: that is no guess.
            Err(Flaw::Repeated) => {
                self.challenge(proxy, source, true, Some("nc was used before"), now)
            }
            Err(Flaw::Wrong(why)) => {
                self.note_failure(suspect, now);
                self.challenge(proxy, source, false, Some(why), now)
            }
        }
    }

    /// Pairs of source and user name with wrong answers of late.
    #[must_use]
    pub fn suspects(&self) -> usize {
        self.failures.len()
    }

    fn verify(
        &mut self,
        value: &AuthValue,
        request: &Request,
        source: IpAddr,
        account: impl Fn(&str) -> Option<Account>,
        now: Duration,
    ) -> Result<Authenticated, Flaw> {
        let field = |name| value.get(name).unwrap_or_default();
        // First of all, so that nothing can be learned or blamed with a nonce of somebody else.
        let nonce = field("nonce");
        let (opened, made_ms) = self.open_nonce(nonce, source, now)?;
        let algorithm = match value.get("algorithm") {
            None => Some(Algorithm::Md5),
            Some(token) => Algorithm::parse(token),
        };
        let offered =
            |a: &Algorithm| *a == Algorithm::Sha256 || (self.config.md5 && *a == Algorithm::Md5);
        let algorithm = algorithm
            .filter(offered)
            .ok_or(Flaw::Wrong("algorithm was not offered"))?;
        // Without qop there is no count, and what was heard once could be said again.
        if Qop::parse(field("qop")) != Some(Qop::Auth) {
            return Err(Flaw::Wrong("qop is not auth"));
        }
        let nc = field("nc");
        let count = Some(nc)
            .filter(|nc| nc.len() == 8 && nc.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|nc| u32::from_str_radix(nc, 16).ok())
            .filter(|count| *count > 0)
            .ok_or(Flaw::Wrong("nc is not a count of eight hex digits"))?;
        let (username, cnonce) = (field("username"), field("cnonce"));
        if username.is_empty() || cnonce.is_empty() {
            return Err(Flaw::Wrong("username or cnonce is missing"));
        }
        let digest_uri = field("uri");
        let same = |uri: Uri| uri == request.uri || uri.equivalent(&request.uri);
        if !Uri::parse(digest_uri).is_ok_and(same) {
            return Err(Flaw::Wrong("uri is not the request's"));
        }
        let found = account(username);
        let ha1 = found.as_ref().and_then(|account| match algorithm {
            Algorithm::Sha256 => account.sha256.clone(),
            _ => account.md5.clone(),
        });
        let transcript = Transcript {
            algorithm,
            nonce,
            cnonce,
            nc,
            qop: Some(Qop::Auth),
            method: &request.method,
            uri: digest_uri,
            body: &[],
        };
        // An unknown name costs as much as a known one.
        let expected = transcript.response(ha1.as_deref().unwrap_or("no such account"));
        let given = field("response").to_ascii_lowercase();
        let right = bool::from(expected.as_bytes().ct_eq(given.as_bytes()));
        if !right || ha1.is_none() {
            return Err(Flaw::Wrong("response does not match"));
        }
        self.use_nonce(opened, made_ms, count)?;
        Ok(Authenticated {
            username: username.to_owned(),
            weak: algorithm == Algorithm::Md5,
        })
    }

    /// A nonce that was given to this source and is not too old.
    fn open_nonce(
        &self,
        nonce: &str,
        source: IpAddr,
        now: Duration,
    ) -> Result<([u8; NONCE_BYTES], u64), Flaw> {
        let (bytes, made_ms) = self.read_nonce(nonce).ok_or(Flaw::Stale)?;
        let life = self.config.nonce_life.as_millis();
        let expired = u128::from(made_ms).saturating_add(life) < now.as_millis();
        if expired || bytes[12..CLAIM_BYTES] != self.source_mark(source) {
            return Err(Flaw::Stale);
        }
        Ok((bytes, made_ms))
    }

    /// Notes that a nonce was used by somebody who knows a password.
    fn use_nonce(
        &mut self,
        bytes: [u8; NONCE_BYTES],
        made_ms: u64,
        count: u32,
    ) -> Result<(), Flaw> {
        if let Some(window) = self.nonces.get_mut(&bytes) {
            return if window.note(count) {
                Ok(())
            } else {
                Err(Flaw::Repeated)
            };
        }
        if self.horizon.is_some_and(|horizon| made_ms <= horizon) {
            return Err(Flaw::Stale);
        }
        let mut window = Window {
            highest: 0,
            seen: 0,
            stamp: made_ms,
        };
        window.note(count);
        self.nonces.insert(bytes, window);
        self.order.insert((window.stamp, bytes));
        while self.nonces.len() > self.config.limits.nonces_max {
            let Some((made_ms, oldest)) = self.order.pop_first() else {
                break;
            };
            self.nonces.remove(&oldest);
            self.horizon = self.horizon.max(Some(made_ms));
        }
        Ok(())
    }

    fn challenge(
        &mut self,
        proxy: bool,
        source: IpAddr,
        stale: bool,
        why: Option<&'static str>,
        now: Duration,
    ) -> Judgement {
        let nonce = self.make_nonce(source, now);
        let (status, name) = if proxy {
            let status = StatusCode::PROXY_AUTHENTICATION_REQUIRED;
            (status, HeaderName::ProxyAuthenticate)
        } else {
            (StatusCode::UNAUTHORIZED, HeaderName::WwwAuthenticate)
        };
        let mut headers = Vec::new();
        for algorithm in [Algorithm::Sha256, Algorithm::Md5] {
            if algorithm == Algorithm::Md5 && !self.config.md5 {
                continue;
            }
            let challenge = Challenge {
                realm: self.config.realm.clone(),
                nonce: nonce.clone(),
                opaque: None,
                stale,
                algorithm,
                qop: vec![Qop::Auth],
            };
            let value = challenge.to_value().to_string();
            headers.push((name.clone(), value.into_bytes()));
        }
        Judgement::Challenge {
            status,
            headers,
            why,
        }
    }

    fn make_nonce(&mut self, source: IpAddr, now: Duration) -> String {
        // Four thousand million in one millisecond are not made.
        self.serial = self.serial.wrapping_add(1);
        let mut bytes = [0u8; NONCE_BYTES];
        let made_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        bytes[..8].copy_from_slice(&made_ms.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.serial.to_be_bytes());
        bytes[12..CLAIM_BYTES].copy_from_slice(&self.source_mark(source));
        let mac = self.hmac.of_parts(&[&bytes[..CLAIM_BYTES]]);
        bytes[CLAIM_BYTES..].copy_from_slice(&mac[..MAC_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn read_nonce(&self, nonce: &str) -> Option<([u8; NONCE_BYTES], u64)> {
        let bytes: [u8; NONCE_BYTES] = URL_SAFE_NO_PAD.decode(nonce).ok()?.try_into().ok()?;
        let mac = self.hmac.of_parts(&[&bytes[..CLAIM_BYTES]]);
        let genuine = bool::from(mac[..MAC_BYTES].ct_eq(&bytes[CLAIM_BYTES..]));
        let made_ms = u64::from_be_bytes(bytes[..8].try_into().ok()?);
        genuine.then_some((bytes, made_ms))
    }

    /// What stands for a source in a nonce; the key is ours, so nobody finds another source with
    /// the same mark but by asking from there.
    fn source_mark(&self, source: IpAddr) -> [u8; 4] {
        let mac = self.hmac.of_parts(&[b"source", &octets(source)]);
        [mac[0], mac[1], mac[2], mac[3]]
    }

    fn suspect(&self, source: IpAddr, username: &str) -> Suspect {
        let mac = self.hmac.of_parts(&[b"username", username.as_bytes()]);
        let mut name = [0; 8];
        name.copy_from_slice(&mac[..8]);
        (source, name)
    }

    fn blocked(&mut self, suspect: Suspect, now: Duration) -> Option<Duration> {
        let limits = &self.config.limits;
        let failures = *self.failures.get(&suspect)?;
        let until = failures.last.saturating_add(limits.failure_window);
        if until <= now {
            self.failures.remove(&suspect);
            return None;
        }
        (failures.count >= limits.failures_max).then(|| until.saturating_sub(now))
    }

    fn note_failure(&mut self, suspect: Suspect, now: Duration) {
        if self.failures.len() >= self.config.limits.sources_max
            && !self.failures.contains_key(&suspect)
        {
            let oldest = self
                .failures
                .iter()
                .min_by_key(|(_, failures)| failures.last);
            if let Some(oldest) = oldest.map(|(suspect, _)| *suspect) {
                self.failures.remove(&oldest);
            }
        }
        let failures = self.failures.entry(suspect).or_insert(Failures {
            count: 0,
            last: now,
        });
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
    }
}

/// Why credentials do not do.
enum Flaw {
    Stale,
    /// Right, but said before.
    Repeated,
    Wrong(&'static str),
}

fn octets(source: IpAddr) -> Vec<u8> {
    match source {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// One subscriber has a whole /64 of IPv6 addresses.
pub(crate) fn subscriber(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6((ip.to_bits() & !u128::from(u64::MAX)).into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_takes_each_count_once_in_any_order() {
        let mut window = Window {
            highest: 0,
            seen: 0,
            stamp: 0,
        };
        for count in [1, 3, 2, 70, 8, 69] {
            assert!(window.note(count), "{count}");
            assert!(!window.note(count), "{count} again");
        }
        assert!(!window.note(6), "64 behind: too old to tell");
        assert!(!window.note(2));
        assert!(window.note(u32::MAX));
        assert!(!window.note(70));
    }
}
