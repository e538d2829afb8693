//! Who is really there: this device's certificate and key, and what it believes of the other side's.
//!
//! ```text
//! caller:  INVITE with Identity ─► callee checks it before anything rings: certificate of the home, its device, its
//!          signature over caller, callee, call and the fingerprints of the media
//! callee:  200 with Identity    ─► caller checks the same before the first packet
//! both:    the handshake shows the certificate of the signed fingerprint, or nothing is heard
//! ```
//! The key of each device is remembered from its first call on: a hub that makes a device of its own for another's
//! name is told to people.
use core::fmt;
use core::time::Duration;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use hearthline_media::secure::{IceRole, SecureConfig, SecureConfigError, SecureTransport};
use hearthline_sip::Uri;
use hearthline_sip::identity::{
    Claims, Expected, Identities, IdentityError, KeyPins, Meeting, Party, Passport, sign,
};
use hearthline_sip::sdp::SessionDescription;
use hearthline_transport::home_authority::{
    DeviceCertificate, HomeAuthority, NoAuthority, is_of_device, public_key_fingerprint, sign_es256,
};
use hearthline_transport::{Identity, TlsError};
use zeroize::Zeroizing;

/// Bytes of the file of known keys: a line for each.
const KNOWN_BYTES_MAX: usize = 1 << 20;

/// What joining gave cannot protect calls.
#[derive(Debug, thiserror::Error)]
pub enum DeviceKeysError {
    /// Certificate or key.
    #[error(transparent)]
    Own(#[from] TlsError),
    /// The authority.
    #[error(transparent)]
    Authority(#[from] NoAuthority),
}

/// This device's certificate and key, and the authority of its home. Clones share them; `Debug` shows none.
#[derive(Clone)]
pub struct DeviceKeys(Arc<Keys>);

struct Keys {
    certificate: Vec<u8>,
    private_key: Zeroizing<Vec<u8>>,
    authority: HomeAuthority,
    origin: Instant,
}

impl fmt::Debug for DeviceKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceKeys").finish_non_exhaustive()
    }
}

impl DeviceKeys {
    /// Out of the files of joining, PEM. `origin` is the instant at which the device's time is zero.
    ///
    /// # Errors
    /// [`DeviceKeysError`].
    pub fn from_pem(
        certificate: &[u8],
        key: &[u8],
        authority: &[u8],
        origin: Instant,
    ) -> Result<Self, DeviceKeysError> {
        let DeviceCertificate {
            certificate,
            private_key,
        } = DeviceCertificate::from_pem(&Identity {
            certificates_pem: certificate.to_vec(),
            key_pem: key.to_vec(),
        })?;
        Ok(Self(Arc::new(Keys {
            certificate,
            private_key,
            authority: HomeAuthority::from_pem(authority)?,
            origin,
        })))
    }
}

/// Somebody who proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Proven {
    /// They had another key in the last call.
    pub(super) changed: bool,
    /// Remember the keys: there is a new one.
    pub(super) learnt: bool,
}

/// What is said and signed in one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'a> {
    /// Call-ID.
    pub(super) call_id: &'a str,
    /// The session description that goes with it.
    pub(super) description: &'a SessionDescription,
    /// Seconds since 1970.
    pub(super) now_s: u64,
}

/// The device's own key, and what it knows of others'.
pub(super) struct Trust {
    keys: DeviceKeys,
    identities: Identities,
    pins: KeyPins,
}

impl Trust {
    /// `known` is what [`Trust::known`] gave in an earlier run.
    pub(super) fn new(keys: DeviceKeys, known: &[u8]) -> Self {
        Self {
            keys,
            identities: Identities::new(),
            pins: KeyPins::load(read(known)),
        }
    }

    /// A way for sound that only the other end can read.
    pub(super) fn way(
        &self,
        role: IceRole,
        local: SocketAddr,
        seed: [u8; 32],
        now: Duration,
    ) -> Result<Box<SecureTransport>, SecureConfigError> {
        let keys = &self.keys.0;
        let config = SecureConfig {
            role,
            certificate: keys.certificate.clone(),
            private_key: keys.private_key.clone(),
            addresses: vec![local],
            seed,
            origin: keys.origin,
        };
        SecureTransport::new(config, now).map(Box::new)
    }

    /// The Identity row of what we say (RFC 8224).
    pub(super) fn sign(
        &self,
        origin: &Uri,
        destination: &Uri,
        said: Said<'_>,
    ) -> Result<Vec<u8>, IdentityError> {
        let keys = &self.keys.0;
        let (origin, destination) = (Party::of(origin)?, Party::of(destination)?);
        let claims = Claims::new(
            origin,
            destination,
            said.now_s,
            said.call_id,
            said.description,
        )?;
        let row = sign(&claims, &keys.certificate, |message| {
            sign_es256(&keys.private_key, message)
        })?;
        Ok(row.into_bytes())
    }

    /// Checks the row of what they said. Without `origin` whoever of the home signed may have: which device answers is
    /// for the hub to choose.
    pub(super) fn verify(
        &mut self,
        row: &[u8],
        origin: Option<&Uri>,
        destination: &Uri,
        said: Said<'_>,
    ) -> Result<Proven, IdentityError> {
        let origin = match origin {
            Some(uri) => Party::of(uri)?,
            None => Passport::parse(row)?.claims.origin,
        };
        let device = user_of(&origin).ok_or(IdentityError::NoParty)?.to_owned();
        let expected = Expected {
            origin,
            destination: Party::of(destination)?,
            call_id: said.call_id,
            description: said.description,
            now_s: said.now_s,
        };
        let authority = &self.keys.0.authority;
        let verified = self.identities.verify(row, &expected, |passport| {
            authority.signed(passport, said.now_s) && is_of_device(&passport.certificate, &device)
        })?;
        let key = public_key_fingerprint(&verified.certificate).ok_or(IdentityError::NotTrusted)?;
        let meeting = self.pins.meet(&device, key);
        let changed = matches!(meeting, Meeting::Changed { .. });
        if changed {
            // It is told now; the next change is told again.
            self.pins.accept(&device, key);
        }
        Ok(Proven {
            changed,
            learnt: changed || meeting == Meeting::First,
        })
    }

    /// The keys of others, to be kept over a restart.
    pub(super) fn known(&self) -> Vec<u8> {
        let line = |(peer, key): (&str, &[u8; 32])| {
            let digits: String = key.iter().map(|octet| format!("{octet:02x}")).collect();
            format!("{digits} {peer}\n")
        };
        self.pins.iter().map(line).collect::<String>().into_bytes()
    }
}

/// Lines of [`Trust::known`]; what does not read is left out.
fn read(known: &[u8]) -> Vec<(String, [u8; 32])> {
    let text = known.get(..KNOWN_BYTES_MAX).unwrap_or(known);
    let line = |line: &str| {
        let (digits, peer) = line.split_once(' ')?;
        let mut key = [0; 32];
        if digits.len() != 64 || !digits.is_ascii() {
            return None;
        }
        for (index, octet) in key.iter_mut().enumerate() {
            *octet = u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).ok()?;
        }
        Some((peer.to_owned(), key))
    };
    String::from_utf8_lossy(text)
        .lines()
        .filter_map(line)
        .collect()
}

/// The user part of an address.
fn user_of(party: &Party) -> Option<&str> {
    match party {
        Party::Address(address) => Some(address.strip_prefix("sip:")?.split_once('@')?.0),
        Party::Number(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_keys_are_read_as_they_were_kept() {
        let known = format!("{} kitchen\nnonsense\nzz hall\n", "0f".repeat(32));
        assert_eq!(read(known.as_bytes()), [("kitchen".to_owned(), [0x0f; 32])]);
    }

    #[test]
    fn a_number_is_no_device() {
        assert_eq!(user_of(&Party::Number("15055550123".into())), None);
        let kitchen = Party::Address("sip:kitchen@home.test".into());
        assert_eq!(user_of(&kitchen), Some("kitchen"));
    }
}
