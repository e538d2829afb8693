//! a=fingerprint (RFC 8122) and a=setup (RFC 4145, as RFC 5763 uses it).

use std::fmt;

use super::attribute_error::AttributeError;

/// Octets of the longest digest (SHA-512).
const DIGEST_BYTES_MAX: usize = 64;

/// Hash functions of RFC 8122 section 5 that are good enough to name a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HashFunction {
    /// `sha-256`, which every implementation knows.
    Sha256,
    /// `sha-384`
    Sha384,
    /// `sha-512`
    Sha512,
}

impl HashFunction {
    const ALL: [HashFunction; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name in the attribute.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            HashFunction::Sha256 => "sha-256",
            HashFunction::Sha384 => "sha-384",
            HashFunction::Sha512 => "sha-512",
        }
    }

    /// Octets of a digest.
    #[must_use]
    pub fn digest_bytes(self) -> usize {
        match self {
            HashFunction::Sha256 => 32,
            HashFunction::Sha384 => 48,
            HashFunction::Sha512 => 64,
        }
    }
}

/// The digest of the certificate that the writer will show in DTLS.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    hash: HashFunction,
    digest: Vec<u8>,
}

impl Fingerprint {
    /// With a SHA-256 digest.
    #[must_use]
    pub fn sha256(digest: [u8; 32]) -> Self {
        Fingerprint {
            hash: HashFunction::Sha256,
            digest: digest.to_vec(),
        }
    }

    /// The hash function.
    #[must_use]
    pub fn hash(&self) -> HashFunction {
        self.hash
    }

    /// The digest, of the function's length.
    #[must_use]
    pub fn digest(&self) -> &[u8] {
        &self.digest
    }

    /// The digest, when the function is SHA-256.
    #[must_use]
    pub fn as_sha256(&self) -> Option<[u8; 32]> {
        self.digest
            .as_slice()
            .try_into()
            .ok()
            .filter(|_| self.hash == HashFunction::Sha256)
    }

    /// Reads the attribute's value; small letters are read too, which RFC 4572 had. A function that is
    /// unknown or too weak to rely on (SHA-1, MD5) reads as `None`: RFC 8122 section 5 lets it stand beside a good one.
    ///
    /// # Errors
    /// [`AttributeError`] when the grammar is broken.
    pub fn parse(value: &str) -> Result<Option<Fingerprint>, AttributeError> {
        let wrong = |what| AttributeError {
            attribute: "fingerprint",
            what,
        };
        let (name, text) = value
            .split_once(' ')
            .ok_or(wrong("no hash function and digest"))?;
        if text.len() > 3 * DIGEST_BYTES_MAX {
            return Err(wrong("digest longer than SHA-512's"));
        }
        let mut digest = Vec::with_capacity(DIGEST_BYTES_MAX);
        for pair in text.split(':') {
            let hex = pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
            let octet = hex.then(|| u8::from_str_radix(pair, 16).ok()).flatten();
            digest.push(octet.ok_or(wrong("digest is not hexadecimal pairs between colons"))?);
        }
        let known = HashFunction::ALL
            .into_iter()
            .find(|hash| hash.as_str().eq_ignore_ascii_case(name));
        let Some(hash) = known else {
            return Ok(None);
        };
        if digest.len() != hash.digest_bytes() {
            return Err(wrong("digest does not have the hash function's length"));
        }
        Ok(Some(Fingerprint { hash, digest }))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.hash.as_str())?;
        for (index, octet) in self.digest.iter().enumerate() {
            if index > 0 {
                f.write_str(":")?;
            }
            write!(f, "{octet:02X}")?;
        }
        Ok(())
    }
}

/// Who begins the handshake: client (`active`) or server (`passive`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Setup {
    /// Sends the ClientHello.
    Active,
    /// Waits for it.
    Passive,
    /// Leaves the choice to the answer; what every offer says (RFC 5763 section 5).
    ActPass,
    /// Not now.
    HoldConn,
}

impl Setup {
    const ALL: [Setup; 4] = [Self::Active, Self::Passive, Self::ActPass, Self::HoldConn];

    /// The attribute's value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Setup::Active => "active",
            Setup::Passive => "passive",
            Setup::ActPass => "actpass",
            Setup::HoldConn => "holdconn",
        }
    }

    /// Reads the attribute's value.
    ///
    /// # Errors
    /// [`AttributeError`] when it is none of the four words.
    pub fn parse(value: &str) -> Result<Setup, AttributeError> {
        let found = Setup::ALL.into_iter().find(|setup| setup.as_str() == value);
        found.ok_or(AttributeError {
            attribute: "setup",
            what: "neither active, passive, actpass nor holdconn",
        })
    }

    /// Our answer to this word of an offer: active wherever we may, which saves half a round trip
    /// (RFC 5763 section 5). None for `holdconn`.
    #[must_use]
    pub fn answered(self) -> Option<Setup> {
        match self {
            Setup::ActPass | Setup::Passive => Some(Setup::Active),
            Setup::Active => Some(Setup::Passive),
            Setup::HoldConn => None,
        }
    }
}
