//! GRUUs: addresses of one device of a user, good from anywhere (RFC 5627).
//!
//! ```text
//! public     sip:anna@home.example;gr=urn:uuid:…        says who and which device
//! temporary  sip:tgruu.XXXXXXXX@home.example;gr         says nothing, dies with the Call-ID
//! ```
//! Neither needs a table of its own: the public one names the device, the temporary one holds
//! the number of the registration, enciphered so that two of them cannot be linked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use crate::Response;
use crate::hmac::Hmac;
use crate::typed::Contacts;
use crate::uri::{SipUri, Uri};

/// What the user part of a temporary GRUU begins with.
const PREFIX: &str = "tgruu.";
const NONCE_BYTES: usize = 8;
const MAC_BYTES: usize = 11;
/// Nonce, enciphered number, signature: a multiple of three, so that base64 has no spare bits.
const BYTES: usize = NONCE_BYTES + 8 + MAC_BYTES;

/// What a Request-URI with `gr` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gruu {
    /// One device of a user.
    Public {
        /// The URI without `gr`: the address of record.
        aor: SipUri,
        /// The instance, `urn:uuid:…`.
        instance_id: String,
    },
    /// The registration with this number.
    Temporary {
        /// Drawn anew whenever a device registers with another Call-ID.
        gruu_id: u64,
    },
}

/// Why a URI is no GRUU of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GruuError {
    /// It has no `gr`.
    #[error("the URI has no gr parameter")]
    NotGruu,
    /// Its user part was not made here.
    #[error("the temporary GRUU was not made here, or was changed")]
    Forged,
}

/// Makes and reads GRUUs.
#[derive(Clone)]
pub struct Gruus {
    cipher: Hmac,
    mac: Hmac,
}

impl std::fmt::Debug for Gruus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gruus").finish_non_exhaustive()
    }
}

impl Gruus {
    /// With 32 secret random bytes, kept over restarts so that GRUUs live as long as their
    /// registrations.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Gruus {
            cipher: Hmac::new(secret, "temporary GRUU, cipher"),
            mac: Hmac::new(secret, "temporary GRUU, signature"),
        }
    }

    /// The public GRUU of a device (section 5.1: the address of record with `gr`).
    #[must_use]
    pub fn public(aor: &SipUri, instance_id: &str) -> SipUri {
        aor.clone().with_param("gr", Some(instance_id))
    }

    /// The public GRUU that a registrar gave to our `instance_id` (section 4.2): of this address of record, or none.
    #[must_use]
    pub fn granted(response: &Response, aor: &SipUri, instance_id: &str) -> Option<SipUri> {
        let Ok(Contacts::List(contacts)) = response.headers.contacts() else {
            return None;
        };
        let quoted = format!("<{instance_id}>");
        let ours = contacts
            .iter()
            .find(|contact| contact.params.get("+sip.instance") == Some(&quoted))?;
        let given = Uri::parse(ours.params.get("pub-gruu")?).ok()?;
        let given = given.as_sip()?.clone();
        let same = given.host() == aor.host() && given.user_unescaped() == aor.user_unescaped();
        (same && given.params().get("gr").is_some()).then_some(given)
    }

    /// A fresh temporary GRUU. `nonce` is drawn anew each time.
    #[must_use]
    pub fn temporary(&self, domain: &SipUri, gruu_id: u64, nonce: u64) -> SipUri {
        let mut bytes = [0u8; BYTES];
        let nonce = nonce.to_be_bytes();
        bytes[..NONCE_BYTES].copy_from_slice(&nonce);
        bytes[NONCE_BYTES..NONCE_BYTES + 8]
            .copy_from_slice(&self.mask(gruu_id.to_be_bytes(), &nonce));
        let mac = self.mac.of_parts(&[&bytes[..NONCE_BYTES + 8]]);
        bytes[NONCE_BYTES + 8..].copy_from_slice(&mac[..MAC_BYTES]);
        let user = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        let mut uri = SipUri::new(domain.host().clone())
            .with_secure(domain.is_secure())
            .with_user(&user)
            .with_param("gr", None);
        if let Some(port) = domain.port() {
            uri = uri.with_port(port);
        }
        uri
    }

    /// Whether a URI has `gr`, of ours or not.
    #[must_use]
    pub fn is_gruu(uri: &SipUri) -> bool {
        uri.params().has("gr")
    }

    /// Reads a GRUU of either kind.
    ///
    /// # Errors
    /// When it is none, or a temporary one that was not made here.
    pub fn read(&self, uri: &SipUri) -> Result<Gruu, GruuError> {
        if !Gruus::is_gruu(uri) {
            return Err(GruuError::NotGruu);
        }
        if let Some(instance_id) = uri.params().get("gr") {
            let mut aor = SipUri::new(uri.host().clone()).with_secure(uri.is_secure());
            if let Some(user) = uri.user_unescaped() {
                aor = aor.with_user(&String::from_utf8(user).map_err(|_| GruuError::Forged)?);
            }
            if let Some(port) = uri.port() {
                aor = aor.with_port(port);
            }
            let instance_id = crate::uri::unescape(instance_id);
            let instance_id = String::from_utf8(instance_id).map_err(|_| GruuError::Forged)?;
            return Ok(Gruu::Public { aor, instance_id });
        }
        let token = uri.user().and_then(|user| user.strip_prefix(PREFIX));
        let bytes = token.and_then(|token| URL_SAFE_NO_PAD.decode(token).ok());
        let bytes: [u8; BYTES] = bytes
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(GruuError::Forged)?;
        let (claim, given) = bytes.split_at(NONCE_BYTES + 8);
        let mac = self.mac.of_parts(&[claim]);
        if !bool::from(mac[..MAC_BYTES].ct_eq(given)) {
            return Err(GruuError::Forged);
        }
        let (nonce, hidden) = claim.split_at(NONCE_BYTES);
        let hidden: [u8; 8] = hidden.try_into().map_err(|_| GruuError::Forged)?;
        let gruu_id = u64::from_be_bytes(self.mask(hidden, nonce));
        Ok(Gruu::Temporary { gruu_id })
    }

    /// Enciphers and deciphers: one block of a keystream that belongs to the nonce.
    fn mask(&self, number: [u8; 8], nonce: &[u8]) -> [u8; 8] {
        let stream = self.cipher.of_parts(&[nonce]);
        let mut masked = number;
        for (byte, mask) in masked.iter_mut().zip(stream) {
            *byte ^= mask;
        }
        masked
    }
}
