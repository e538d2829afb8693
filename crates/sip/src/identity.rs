//! Who is really there: media fingerprints signed with enrolled keys (RFC 8224, RFC 8225 with `mky`).
//!
//! ```text
//! caller:  sign(Claims, certificate, key) ─► Identity row of the INVITE
//! callee:  Identities::verify(row, Expected, check) ─► Verified ─► KeyPins::meet ─► First | Known | Changed
//! callee:  sign(…) ─► Identity row of the 200, which the caller verifies the same way
//! ```
//! The hub carries descriptions and could put its own fingerprint into them. So each device signs the
//! fingerprints of its description together with who calls whom, when, and in which call, with the key that it
//! enrolled with; the other checks the signature against the home's authority. A hub that holds the authority
//! could still make a device of its own: [`KeyPins`] remembers each peer's key from its first call on and says
//! when it changes, which is shown to people.
//!
//! Three choices besides the RFCs, for calls within a home: the certificate comes along in the signed
//! header (`x5c`, RFC 7515 section 4.1.6), because devices do not fetch anything from each other and a MIME part
//! would turn the plain SDP body into a multipart that telephones do not read; the claim
//! `urn:hearthline:call-id` ties the signature to the Call-ID, which our proxy keeps; and responses carry the
//! row too, which RFC 8224 leaves to later documents.
//!
//! Signing and checking are given in as functions: ES256 lives where the keys are, this module has none.

mod media_key;
mod passport;
mod pins;

use std::collections::VecDeque;

use sha2::{Digest as _, Sha256};

pub use media_key::{MEDIA_KEYS_MAX, MediaKey};
pub use passport::{CERTIFICATE_BYTES_MAX, IDENTITY_BYTES_MAX, Passport};
pub use pins::{KeyPins, Meeting, PINS_MAX};

use crate::header_name::HeaderName;
use crate::sdp::SessionDescription;
use crate::uri::Uri;

/// How far `iat` may be from our clock, in seconds (RFC 8224 section 6.2.2, step 4).
pub const FRESHNESS_S: u64 = 60;
/// Signatures that are remembered within that time.
const SEEN_MAX: usize = 4096;

/// Why an identity is not signed or not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The row or the token in it does not read.
    #[error("Identity: {0}")]
    Malformed(&'static str),
    /// The URI names nobody that could be identified.
    #[error("the URI has no user or number to identify")]
    NoParty,
    /// The description has no fingerprint, or one that does not read.
    #[error("the description has no readable fingerprint to sign")]
    NoMediaKey,
    /// Our own key did not sign.
    #[error("the device's key did not sign")]
    NotSigned,
    /// Refusal: too old, or from a clock that is ahead (RFC 8224: 403 Stale Date).
    #[error("signed {0} s away from now; is a clock wrong, or an old call repeated?")]
    Stale(u64),
    /// Refusal: it was used before.
    #[error("this signature was used before")]
    Replayed,
    /// Refusal: signed for another caller, callee or call.
    #[error("signed for another {0}")]
    Other(&'static str),
    /// Refusal: the description's fingerprints are not the signed ones: somebody changed them on the way.
    #[error("the fingerprints are not the signed ones; somebody stands in between")]
    FingerprintChanged,
    /// Refusal: neither the home's certificate nor its signature.
    #[error("not signed by a device of this home")]
    NotTrusted,
}

/// A caller or callee, in the one form that is signed and compared (RFC 8224 sections 8.3 and 8.5).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Party {
    /// A telephone number: digits only.
    Number(String),
    /// An address of record: `sip:user@host` in small letters where case does not count.
    Address(String),
}

impl Party {
    /// Who a URI names, without parameters, port and password.
    ///
    /// # Errors
    /// [`IdentityError::NoParty`] for SIP URIs without a user and for other schemes.
    pub fn of(uri: &Uri) -> Result<Party, IdentityError> {
        match uri {
            Uri::Tel(tel) => Ok(Party::Number(tel.digits())),
            Uri::Sip(sip) => {
                let user = sip.user().ok_or(IdentityError::NoParty)?;
                // The secure scheme says how to get there, not who is there.
                Ok(Party::Address(format!("sip:{user}@{}", sip.host())))
            }
            _ => Err(IdentityError::NoParty),
        }
    }

    fn claim(&self) -> (&'static str, &str) {
        match self {
            Party::Number(digits) => ("tn", digits),
            Party::Address(uri) => ("uri", uri),
        }
    }
}

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Who signs: From of a request; who answers, in a response.
    pub origin: Party,
    /// To whom: To of a request; the caller, in a response.
    pub destination: Party,
    /// When, in seconds since 1970.
    pub issued_at: u64,
    /// Call-ID.
    pub call_id: String,
    /// Fingerprints of the description, sorted.
    pub media_keys: Vec<MediaKey>,
}

impl Claims {
    /// For our description.
    ///
    /// # Errors
    /// [`IdentityError::NoMediaKey`].
    pub fn new(
        origin: Party,
        destination: Party,
        issued_at: u64,
        call_id: &str,
        description: &SessionDescription,
    ) -> Result<Claims, IdentityError> {
        Ok(Claims {
            origin,
            destination,
            issued_at,
            call_id: call_id.to_owned(),
            media_keys: MediaKey::all_of(description)?,
        })
    }
}

/// Name of the row.
#[must_use]
pub fn header_name() -> HeaderName {
    HeaderName::parse(b"Identity").expect("a token")
}

/// The row's value. `sign` makes an ES256 signature (64 octets, RFC 7518 section 3.4) with the key of
/// `certificate` (DER).
///
/// # Errors
/// When something is too large or `sign` gives none.
pub fn sign(
    claims: &Claims,
    certificate: &[u8],
    sign: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
) -> Result<String, IdentityError> {
    passport::write(claims, certificate, sign)
}

/// What the message itself says; the signed claims must say the same.
#[derive(Debug, Clone)]
pub struct Expected<'a> {
    /// Who says to have signed.
    pub origin: Party,
    /// To whom the message goes: we.
    pub destination: Party,
    /// Call-ID.
    pub call_id: &'a str,
    /// The description that came with the row.
    pub description: &'a SessionDescription,
    /// Our clock, in seconds since 1970.
    pub now_s: u64,
}

/// Somebody who proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Who.
    pub origin: Party,
    /// Their certificate, DER.
    pub certificate: Vec<u8>,
    /// Whether the media's certificate is this very one; else its fingerprint is only vouched for.
    pub same_certificate: bool,
}

/// Checks identities and remembers those it saw.
#[derive(Debug, Clone, Default)]
pub struct Identities {
    /// Digests of signed bytes, with the time at which they are too old anyway.
    seen: VecDeque<([u8; 32], u64)>,
}

impl Identities {
    /// Nobody seen yet.
    #[must_use]
    pub fn new() -> Self {
        Identities::default()
    }

    /// Checks a row against the message that it came with. `check` decides about trust: whether
    /// [`Passport::certificate`] chains to the home's authority and is valid now, and whether
    /// [`Passport::signature`] is its ES256 signature over [`Passport::signed`].
    ///
    /// # Errors
    /// [`IdentityError`], the refusals among them.
    pub fn verify(
        &mut self,
        row: &[u8],
        expected: &Expected<'_>,
        check: impl FnOnce(&Passport) -> bool,
    ) -> Result<Verified, IdentityError> {
        let passport = Passport::parse(row)?;
        let claims = &passport.claims;
        let away = claims.issued_at.abs_diff(expected.now_s);
        if away > FRESHNESS_S {
            return Err(IdentityError::Stale(away));
        }
        for (same, what) in [
            (claims.origin == expected.origin, "caller"),
            (claims.destination == expected.destination, "callee"),
            (claims.call_id == expected.call_id, "call"),
        ] {
            if !same {
                return Err(IdentityError::Other(what));
            }
        }
        let shown = MediaKey::all_of(expected.description)?;
        if shown != claims.media_keys {
            return Err(IdentityError::FingerprintChanged);
        }
        if !check(&passport) {
            return Err(IdentityError::NotTrusted);
        }
        // Only what is authentic is remembered, so strangers cannot push others out.
        self.remember(&passport, expected.now_s)?;
        let own = MediaKey::of_certificate(&passport.certificate);
        Ok(Verified {
            origin: passport.claims.origin,
            same_certificate: shown.contains(&own),
            certificate: passport.certificate,
        })
    }

    fn remember(&mut self, passport: &Passport, now_s: u64) -> Result<(), IdentityError> {
        let digest: [u8; 32] = Sha256::digest(&passport.signed).into();
        self.seen.retain(|(_, until)| *until >= now_s);
        if self.seen.iter().any(|(seen, _)| *seen == digest) {
            return Err(IdentityError::Replayed);
        }
        if self.seen.len() >= SEEN_MAX {
            self.seen.pop_front();
        }
        let until = passport.claims.issued_at.saturating_add(FRESHNESS_S);
        self.seen.push_back((digest, until));
        Ok(())
    }
}
