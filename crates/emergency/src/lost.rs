//! LoST (RFC 5222): requests and answers as types, for the device and for a server; `read` and `write` turn them from and into documents.

use crate::civic::CivicAddress;
use crate::geodetic::Shape;
use crate::raw::RawXml;
use crate::service::ServiceUrn;
use crate::timestamp::Timestamp;

mod read;
mod write;

/// Namespace of LoST.
pub const NS_LOST: &str = "urn:ietf:params:xml:ns:lost1";
/// Media type of LoST over HTTP (RFC 5222 §14).
pub const TYPE_LOST: &str = "application/lost+xml";
/// Baseline profile for a point (RFC 5222 §12.2).
pub const PROFILE_GEODETIC: &str = "geodetic-2d";
/// Baseline profile for an address (RFC 5222 §12.3).
pub const PROFILE_CIVIC: &str = "civic";
/// Most servers in one path.
pub const PATH_MAX: usize = 32;

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub enum LostRequest {
    /// `findService` (§8).
    FindService(FindService),
    /// `listServices` (§10).
    ListServices(ListServices),
    /// `listServicesByLocation` (§11).
    ListServicesByLocation(ListServicesByLocation),
    /// `getServiceBoundary` (§9) of a key.
    GetServiceBoundary {
        /// The boundary's key.
        key: String,
    },
}

/// `findService` (RFC 5222 §8.2).
#[derive(Debug, Clone, PartialEq)]
pub struct FindService {
    /// At most one location a profile (§8.3.1).
    pub locations: Vec<LostLocation>,
    /// The service; a server that gets none answers badRequest or its default.
    pub service: Option<ServiceUrn>,
    /// Servers the request has passed.
    pub path: Vec<String>,
    /// Whether the address is to be validated (§8.4.2).
    pub validate_location: bool,
    /// Whether the boundary itself is wanted, instead of a reference to it (§8.3.3).
    pub boundary_by_value: bool,
    /// Whether the server may ask others (§8.3.4).
    pub recursive: bool,
}

/// `listServices` (RFC 5222 §10.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListServices {
    /// Services below this one; none for all.
    pub service: Option<ServiceUrn>,
    /// Servers the request has passed.
    pub path: Vec<String>,
}

/// `listServicesByLocation` (RFC 5222 §11.1).
#[derive(Debug, Clone, PartialEq)]
pub struct ListServicesByLocation {
    /// At most one location a profile.
    pub locations: Vec<LostLocation>,
    /// Services below this one; none for all.
    pub service: Option<ServiceUrn>,
    /// Servers the request has passed.
    pub path: Vec<String>,
    /// Whether the server may ask others; true by default here.
    pub recursive: bool,
}

/// A location in a request (RFC 5222 §7, §12).
#[derive(Debug, Clone, PartialEq)]
pub struct LostLocation {
    /// Identifier, returned in `locationUsed`.
    pub id: String,
    /// The location profile.
    pub profile: String,
    /// The location itself.
    pub value: LostLocationValue,
}

impl LostLocation {
    /// A civic location.
    pub fn civic(id: &str, address: CivicAddress) -> Self {
        LostLocation {
            id: id.to_owned(),
            profile: PROFILE_CIVIC.to_owned(),
            value: LostLocationValue::Civic(address),
        }
    }

    /// A geodetic location.
    pub fn geodetic(id: &str, shape: Shape) -> Self {
        LostLocation {
            id: id.to_owned(),
            profile: PROFILE_GEODETIC.to_owned(),
            value: LostLocationValue::Shape(shape),
        }
    }
}

/// The value of a location or of a service boundary.
#[derive(Debug, Clone, PartialEq)]
pub enum LostLocationValue {
    /// Profile `civic`.
    Civic(CivicAddress),
    /// Profile `geodetic-2d`.
    Shape(Shape),
    /// Of a profile this crate does not know, or not readable in its own; as it stood.
    Other(RawXml),
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub enum LostResponse {
    /// `findServiceResponse` (§8.4).
    FindService(FindServiceResponse),
    /// `listServicesResponse` (§10.2) and `listServicesByLocationResponse` (§11.2).
    Services(ServicesResponse),
    /// `getServiceBoundaryResponse` (§9.2).
    Boundary(BoundaryResponse),
    /// `errors` (§13.1).
    Errors(LostErrors),
    /// `redirect` (§13.3).
    Redirect(Redirect),
}

/// `findServiceResponse` (RFC 5222 §8.4).
#[derive(Debug, Clone, PartialEq)]
pub struct FindServiceResponse {
    /// One mapping or more; the first counts.
    pub mappings: Vec<Mapping>,
    /// What became of the address's validation.
    pub validation: Option<LocationValidation>,
    /// Warnings (§13.2).
    pub warnings: Vec<LostWarning>,
    /// Servers the answer has passed (§6).
    pub path: Vec<String>,
    /// Which location was used.
    pub location_used: Option<String>,
}

/// A mapping (RFC 5222 §5).
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// The server that made it.
    pub source: String,
    /// Its identifier there.
    pub source_id: String,
    /// When it was last changed.
    pub last_updated: Timestamp,
    /// Until when it may be used.
    pub expires: Expires,
    /// Names with their languages.
    pub display_names: Vec<DisplayName>,
    /// The service, which may differ from the one asked for (§5.4).
    pub service: Option<ServiceUrn>,
    /// Where the mapping holds.
    pub boundary: Option<ServiceBoundary>,
    /// URIs of the service, one a scheme.
    pub uris: Vec<String>,
    /// The number dialled for it there.
    pub service_number: Option<String>,
}

/// A name in a language (RFC 5222 §5.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName {
    /// `xml:lang`.
    pub lang: Option<String>,
    /// The name.
    pub text: String,
}

/// `expires` (RFC 5222 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expires {
    /// Until then.
    At(Timestamp),
    /// `NO-CACHE`.
    NoCache,
    /// `NO-EXPIRATION`.
    NoExpiration,
}

impl Expires {
    /// Whether a mapping with it may still be used at `wall` without asking again.
    pub fn is_fresh(self, wall: Timestamp) -> bool {
        match self {
            Expires::At(until) => wall < until,
            Expires::NoCache => false,
            Expires::NoExpiration => true,
        }
    }
}

/// A service boundary (RFC 5222 §5.5).
#[derive(Debug, Clone, PartialEq)]
pub enum ServiceBoundary {
    /// The boundary, in one profile or more.
    Value(Vec<BoundaryValue>),
    /// A reference to it.
    Reference {
        /// The server that knows it.
        source: String,
        /// Its key there.
        key: String,
    },
}

/// A boundary in one profile.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundaryValue {
    /// The profile.
    pub profile: String,
    /// The boundary, in as many pieces as it was given.
    pub pieces: Vec<LostLocationValue>,
}

/// `locationValidation` (RFC 5222 §8.4.2): names of civic elements, their prefixes removed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LocationValidation {
    /// Known and right.
    pub valid: Vec<String>,
    /// Known to be wrong.
    pub invalid: Vec<String>,
    /// Not looked at.
    pub unchecked: Vec<String>,
}

/// `listServicesResponse`, or with `by_location` `listServicesByLocationResponse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicesResponse {
    /// The services.
    pub services: Vec<ServiceUrn>,
    /// Whether a location was asked for.
    pub by_location: bool,
    /// Warnings.
    pub warnings: Vec<LostWarning>,
    /// Servers the answer has passed.
    pub path: Vec<String>,
    /// Which location was used.
    pub location_used: Option<String>,
}

/// `getServiceBoundaryResponse` (RFC 5222 §9.2).
#[derive(Debug, Clone, PartialEq)]
pub struct BoundaryResponse {
    /// The boundary.
    pub boundary: Vec<BoundaryValue>,
    /// Warnings.
    pub warnings: Vec<LostWarning>,
    /// Servers the answer has passed.
    pub path: Vec<String>,
}

/// `errors` (RFC 5222 §13.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostErrors {
    /// The server that met them.
    pub source: String,
    /// One or more.
    pub errors: Vec<LostError>,
}

/// An error with its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostError {
    /// Which one.
    pub kind: LostErrorKind,
    /// In words.
    pub message: Option<String>,
}

/// The errors of RFC 5222 §13.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LostErrorKind {
    /// `badRequest`.
    BadRequest,
    /// `forbidden`.
    Forbidden,
    /// `internalError`.
    InternalError,
    /// `locationProfileUnrecognized`.
    LocationProfileUnrecognized,
    /// `locationInvalid`.
    LocationInvalid,
    /// `SRSInvalid`.
    SrsInvalid,
    /// `loop`.
    Loop,
    /// `notFound`.
    NotFound,
    /// `serverError`.
    ServerError,
    /// `serverTimeout`.
    ServerTimeout,
    /// `serviceNotImplemented`.
    ServiceNotImplemented,
    /// An element this crate does not know.
    Unknown,
}

impl LostErrorKind {
    /// The errors of RFC 5222 §13.1, in its order.
    pub const ALL: [LostErrorKind; 11] = [
        LostErrorKind::BadRequest,
        LostErrorKind::Forbidden,
        LostErrorKind::InternalError,
        LostErrorKind::LocationProfileUnrecognized,
        LostErrorKind::LocationInvalid,
        LostErrorKind::SrsInvalid,
        LostErrorKind::Loop,
        LostErrorKind::NotFound,
        LostErrorKind::ServerError,
        LostErrorKind::ServerTimeout,
        LostErrorKind::ServiceNotImplemented,
    ];

    /// The element's name.
    pub fn name(self) -> &'static str {
        match self {
            LostErrorKind::BadRequest => "badRequest",
            LostErrorKind::Forbidden => "forbidden",
            LostErrorKind::InternalError => "internalError",
            LostErrorKind::LocationProfileUnrecognized => "locationProfileUnrecognized",
            LostErrorKind::LocationInvalid => "locationInvalid",
            LostErrorKind::SrsInvalid => "SRSInvalid",
            LostErrorKind::Loop => "loop",
            LostErrorKind::NotFound => "notFound",
            LostErrorKind::ServerError => "serverError",
            LostErrorKind::ServerTimeout => "serverTimeout",
            LostErrorKind::ServiceNotImplemented => "serviceNotImplemented",
            LostErrorKind::Unknown => "an unknown error",
        }
    }
}

/// A warning with its message (RFC 5222 §13.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostWarning {
    /// The server that gave it.
    pub source: String,
    /// Which one.
    pub kind: LostWarningKind,
    /// In words.
    pub message: Option<String>,
}

/// The warnings of RFC 5222 §13.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LostWarningKind {
    /// `locationValidationUnavailable`.
    LocationValidationUnavailable,
    /// `serviceSubstitution`.
    ServiceSubstitution,
    /// `defaultMappingReturned`.
    DefaultMappingReturned,
    /// An element this crate does not know.
    Unknown,
}

/// `redirect` (RFC 5222 §13.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// The server to ask instead: an application unique string (RFC 5222 §4), a domain name.
    pub target: String,
    /// The server that says so.
    pub source: String,
    /// In words.
    pub message: Option<String>,
}

/// Why a document is no LoST message this crate reads.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LostParseError {
    /// Not XML within the limits.
    #[error(transparent)]
    Xml(#[from] crate::xml::XmlError),
    /// Another root element.
    #[error("the root element is {root:?}, no {expected} of RFC 5222")]
    Root {
        /// What it is.
        root: String,
        /// What was expected.
        expected: &'static str,
    },
    /// An element or attribute is missing or cannot be read.
    #[error("{what} is missing or not readable (RFC 5222 section {section})")]
    Missing {
        /// Which one.
        what: &'static str,
        /// Where it is defined.
        section: &'static str,
    },
    /// More than the limit of something.
    #[error("more {what} than {max}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// A location of a request whose profile is known cannot be read.
    #[error("the location {id:?} is not readable: {why}")]
    Location {
        /// Its identifier.
        id: String,
        /// Which LoST error a server answers.
        kind: LostErrorKind,
        /// In words.
        why: String,
    },
}

impl LostParseError {
    /// The error a server answers with (RFC 5222 §13.1).
    pub fn answer(&self) -> LostErrorKind {
        match self {
            LostParseError::Location { kind, .. } => *kind,
            _ => LostErrorKind::BadRequest,
        }
    }
}
