//! The devices that were invited in, and the certificates by which the hub knows them.

use std::fmt;
use std::str::FromStr;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::UnixMs;
use crate::id::{DeviceId, PersonId, RoomId};
use crate::text::Name;

/// What a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// A speaker in a room.
    Speaker,
    /// Our app on a phone.
    Phone,
    /// A browser.
    Browser,
    /// An ordinary SIP phone, softphone or adapter.
    SipPhone,
}

impl DeviceKind {
    pub(crate) const ALL: [DeviceKind; 4] =
        [Self::Speaker, Self::Phone, Self::Browser, Self::SipPhone];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Speaker => "speaker",
            Self::Phone => "phone",
            Self::Browser => "browser",
            Self::SipPhone => "sip_phone",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// SHA-256 of a certificate or of a public key as DER, 64 hexadecimal digits in text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[0-9a-f]{64}$")]
pub struct Fingerprint([u8; 32]);

/// Not a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 64 lower-case hexadecimal digits")]
pub struct FingerprintError;

impl Fingerprint {
    /// Of these bytes.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, der).as_ref());
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let mut bytes = [0; 32];
        if text.len() != 64 {
            return Err(FingerprintError);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digit = |character: u8| match character {
                b'0'..=b'9' => Ok(character - b'0'),
                b'a'..=b'f' => Ok(character - b'a' + 10),
                _ => Err(FingerprintError),
            };
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = FingerprintError;
    fn try_from(text: String) -> Result<Self, FingerprintError> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> String {
        fingerprint.to_string()
    }
}

/// What may be set about a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceFields {
    /// What people call it.
    pub name: Name,
    /// Where it stands.
    #[serde(default)]
    pub room: Option<RoomId>,
    /// Whose it is; none is the whole household's.
    #[serde(default)]
    pub person: Option<PersonId>,
}

/// A device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Device {
    /// Id; also in its certificate.
    pub id: DeviceId,
    /// What it is.
    pub kind: DeviceKind,
    /// What may be set.
    #[serde(flatten)]
    pub fields: DeviceFields,
    /// Of an ordinary telephone, its account's name: the user part of its SIP address.
    pub username: Option<String>,
    /// SHA-256 of its public key (SubjectPublicKeyInfo).
    pub key_fingerprint: Fingerprint,
    /// When it joined.
    pub created_at_ms: UnixMs,
    /// Since when it may do nothing any more.
    pub revoked_at_ms: Option<UnixMs>,
}

/// A device as it joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDevice {
    /// Chosen before the certificate is made, because it stands in it.
    pub id: DeviceId,
    /// What it is.
    pub kind: DeviceKind,
    /// Name, room, person.
    pub fields: DeviceFields,
    /// SHA-256 of its public key.
    pub key_fingerprint: Fingerprint,
    /// Its first certificate.
    pub certificate: IssuedCertificate,
}

/// What the hub keeps of a certificate that it issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssuedCertificate {
    /// SHA-256 of the whole certificate.
    pub fingerprint: Fingerprint,
    /// When it ends.
    pub not_after: UnixMs,
}
