//! Location objects: PIDF-LO (RFC 3863, 4119, 5139, 5491) written schema-valid and deterministic, read liberally and within limits.

use crate::civic::{CivicAddress, CivicError};
use crate::geodetic::{GeodeticError, Shape};
use crate::raw::RawXml;
use crate::timestamp::Timestamp;
use crate::xml::XmlError;

/// Most location objects read from one document.
pub const LOCATIONS_MAX: usize = 32;
/// How long a recipient may keep a location when nothing else is said, in seconds (RFC 4119 §2.2.2).
pub const RETENTION_SECONDS: i64 = 86_400;

/// A PIDF-LO document: whose presence, and where, the most important location first (RFC 5491 §3).
#[derive(Debug, Clone, PartialEq)]
pub struct PidfLo {
    /// The presentity, such as `pres:kitchen@example.test`.
    pub entity: String,
    /// The locations in document order; devices come before tuples, persons last (RFC 5491 §3 rule 8).
    pub locations: Vec<LocationObject>,
}

/// One `geopriv` element with what surrounds it.
#[derive(Debug, Clone, PartialEq)]
pub struct LocationObject {
    /// The `id` of the device, tuple or person that holds it.
    pub id: String,
    /// What holds it.
    pub holder: Holder,
    /// The civic part.
    pub civic: Option<CivicAddress>,
    /// The geodetic part.
    pub shape: Option<Shape>,
    /// Location elements this crate does not know, as they stood.
    pub others: Vec<RawXml>,
    /// Usage rules.
    pub usage: UsageRules,
    /// How the location was found, such as `Manual` (IANA method tokens, RFC 4119 §6.1).
    pub method: Option<String>,
    /// Who provided it.
    pub provided_by: ProvidedBy,
    /// When it was true.
    pub timestamp: Option<Timestamp>,
    /// `deviceID` of a device.
    pub device_id: Option<String>,
}

/// What a `geopriv` element stands in (RFC 5491 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// `dm:device` (RFC 4479).
    Device,
    /// `tuple` with a `status` (RFC 3863).
    Tuple,
    /// `dm:person` (RFC 4479).
    Person,
}

/// Usage rules (RFC 4119 §2.2.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageRules {
    /// Whether the recipient may pass the location on.
    pub retransmission_allowed: Option<bool>,
    /// Until when it may be kept.
    pub retention_expiry: Option<Timestamp>,
}

/// Who provided a location (RFC 4119 §2.2.4, RFC 7852 §5.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ProvidedBy {
    /// Not stated.
    #[default]
    Unstated,
    /// The `ProviderInfo` block with this Content-ID in the same message.
    ProviderInfo {
        /// Content-ID without angle brackets.
        content_id: String,
    },
    /// Something else, as it stood.
    Other(RawXml),
}

/// Why a document is no location object this crate reads.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PidfError {
    /// Not XML within the limits.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// The root is not `presence`.
    #[error("the root element is {root:?}, not presence (RFC 3863)")]
    NotPresence {
        /// What it is.
        root: String,
    },
    /// No `geopriv` element.
    #[error("the presence document has no geopriv element (RFC 4119)")]
    NoLocation,
    /// More than [`LOCATIONS_MAX`].
    #[error("more than {LOCATIONS_MAX} locations in one document")]
    TooMany,
    /// The civic address cannot be read.
    #[error("civic address: {0}")]
    Civic(#[from] CivicError),
    /// The shape cannot be read.
    #[error("geodetic location: {0}")]
    Geodetic(#[from] GeodeticError),
}

impl PidfLo {
    /// Writes the document.
    pub fn to_bytes(&self) -> Vec<u8> {
        todo!()
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`PidfError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PidfError> {
        let _ = bytes;
        todo!()
    }
}
