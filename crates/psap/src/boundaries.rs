//! The boundary file: which service is answered where, by which URI.
//!
//! ```toml
//! source = "lost.drill.test"          # our name in answers
//! expires = "1d"                      # or "no-cache", "no-expiration", "90s", "12h"
//!
//! [[service]]
//! urn = "urn:service:sos"
//! name = "Drill call-taker"
//! uris = ["sip:psap@127.0.0.1:5060"]
//! number = "911"
//! civic = [{ country = "US", A1 = "NM" }]                 # any of these
//! polygons = [[[35.0, -106.5], [35.2, -106.5], [35.2, -106.2]]]  # latitude, longitude; closed by itself
//! ```
//! A service without `civic` and `polygons` is answered everywhere, with the warning `defaultMappingReturned`.

use std::collections::BTreeMap;

use hearthline_emergency::civic::CivicAddress;
use hearthline_emergency::geodetic::{Position, Shape};
use hearthline_emergency::service::ServiceUrn;
use hearthline_emergency::target::DrillTargets;
use hearthline_emergency::target::SipUri;
use hearthline_emergency::timestamp::Timestamp;
use serde::Deserialize;
use thiserror::Error;

/// Most services in one file.
pub const SERVICES_MAX: usize = 1_000;
/// Most bytes of a file.
pub const FILE_BYTES_MAX: usize = 4 << 20;

/// A boundary file, checked.
#[derive(Clone, Debug)]
pub struct Boundaries {
    /// Our name in answers.
    pub source: String,
    /// How long an answer may be used.
    pub expires: Lifetime,
    /// The services, in the order of the file.
    pub services: Vec<ServiceArea>,
}

/// One service in one area.
#[derive(Clone, Debug)]
pub struct ServiceArea {
    /// The service.
    pub urn: ServiceUrn,
    /// The identifier of the mapping, and the key of its boundary.
    pub id: String,
    /// Name shown, with its language.
    pub name: String,
    /// Language of the name.
    pub language: String,
    /// URIs, one a scheme.
    pub uris: Vec<String>,
    /// The number dialled there.
    pub number: Option<String>,
    /// When the mapping was last changed.
    pub last_updated: Timestamp,
    /// Civic areas; any of them.
    pub civic: Vec<CivicAddress>,
    /// Geodetic areas; any of them.
    pub polygons: Vec<Shape>,
    /// Roads that exist in the area, for validation; empty: roads are not checked.
    pub roads: Vec<String>,
}

impl ServiceArea {
    /// Whether it is answered everywhere.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.civic.is_empty() && self.polygons.is_empty()
    }
}

/// How long a mapping may be used (RFC 5222 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// So many seconds.
    Seconds(u32),
    /// Not to be kept.
    NoCache,
    /// For ever.
    NoExpiration,
}

/// What is wrong with a boundary file.
#[derive(Debug, Error)]
pub enum BoundaryError {
    /// Not TOML, or an unknown key.
    #[error("boundary file: {0}")]
    Toml(#[from] toml::de::Error),
    /// Too large.
    #[error("boundary file of {0} bytes; {FILE_BYTES_MAX} are allowed")]
    TooLarge(usize),
    /// A value that cannot work.
    #[error("boundary file, service {index} ({urn}): {what}")]
    Service {
        /// Counting from 1.
        index: usize,
        /// As written.
        urn: String,
        /// What, and what to do.
        what: String,
    },
    /// Something about the whole.
    #[error("boundary file: {0}")]
    Whole(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    source: String,
    #[serde(default = "one_day")]
    expires: String,
    #[serde(default)]
    service: Vec<FileService>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileService {
    urn: String,
    id: Option<String>,
    #[serde(default)]
    name: String,
    #[serde(default = "english")]
    language: String,
    uris: Vec<String>,
    number: Option<String>,
    last_updated: Option<String>,
    #[serde(default)]
    civic: Vec<BTreeMap<String, String>>,
    #[serde(default)]
    polygons: Vec<Vec<[f64; 2]>>,
    #[serde(default)]
    roads: Vec<String>,
}

fn one_day() -> String {
    "1d".to_owned()
}

fn english() -> String {
    "en".to_owned()
}

impl Boundaries {
    /// Reads a boundary file.
    ///
    /// # Errors
    /// [`BoundaryError`], with the service at fault.
    pub fn parse(text: &str) -> Result<Self, BoundaryError> {
        if text.len() > FILE_BYTES_MAX {
            return Err(BoundaryError::TooLarge(text.len()));
        }
        let file: File = toml::from_str(text)?;
        if file.source.is_empty() {
            return Err(BoundaryError::Whole(
                "source is empty; give the server a name".to_owned(),
            ));
        }
        if file.service.is_empty() || file.service.len() > SERVICES_MAX {
            let count = file.service.len();
            return Err(BoundaryError::Whole(format!(
                "{count} services; 1 to {SERVICES_MAX} work"
            )));
        }
        let expires = lifetime(&file.expires).ok_or_else(|| {
            BoundaryError::Whole(format!(
                "expires {:?} is not like 90s, 15m, 12h, 1d, no-cache, no-expiration",
                file.expires
            ))
        })?;
        let services = file
            .service
            .into_iter()
            .enumerate()
            .map(|(index, service)| {
                let urn = service.urn.clone();
                area(index, service).map_err(|what| BoundaryError::Service {
                    index: index + 1,
                    urn,
                    what,
                })
            });
        Ok(Self {
            source: file.source,
            expires,
            services: services.collect::<Result<_, _>>()?,
        })
    }

    /// One service everywhere: the least that a drill needs.
    #[must_use]
    pub fn everywhere(source: &str, psap: &str, number: &str) -> Self {
        Self {
            source: source.to_owned(),
            expires: Lifetime::Seconds(86_400),
            services: vec![ServiceArea {
                urn: ServiceUrn::SOS,
                id: "sos-1".to_owned(),
                name: "Drill call-taker".to_owned(),
                language: "en".to_owned(),
                uris: vec![psap.to_owned()],
                number: Some(number.to_owned()),
                last_updated: Timestamp::from_unix_ms(0),
                civic: Vec::new(),
                polygons: Vec::new(),
                roads: Vec::new(),
            }],
        }
    }
}

fn area(index: usize, service: FileService) -> Result<ServiceArea, String> {
    let urn = ServiceUrn::parse(&service.urn).map_err(|error| error.to_string())?;
    if service.uris.is_empty() {
        return Err("no uris; say where calls go".to_owned());
    }
    let mut schemes = Vec::new();
    for uri in &service.uris {
        let parsed = SipUri::parse(uri).map_err(|error| format!("{uri}: {error}"))?;
        // A drill's server must not send anybody to a real call-taker (DESIGN invariant 6).
        if !DrillTargets::loopback().permit(&parsed) {
            return Err(format!(
                "{uri} is not on loopback; a drill's calls stay on this machine"
            ));
        }
        if schemes.contains(&parsed.is_sips()) {
            return Err("two uris of one scheme; RFC 5222 §5.8 allows one".to_owned());
        }
        schemes.push(parsed.is_sips());
    }
    let civic = service.civic.iter().map(|fields| {
        let pairs = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        CivicAddress::from_pairs(pairs).map_err(|error| error.to_string())
    });
    let polygons = service.polygons.iter().map(|corners| {
        let positions: Result<Vec<Position>, _> = corners
            .iter()
            .map(|[latitude, longitude]| Position::new(*latitude, *longitude))
            .collect();
        positions
            .and_then(Shape::polygon)
            .map_err(|error| error.to_string())
    });
    let last_updated = service
        .last_updated
        .as_deref()
        .map(Timestamp::parse)
        .transpose();
    Ok(ServiceArea {
        id: service
            .id
            .unwrap_or_else(|| format!("mapping-{}", index + 1)),
        name: service.name,
        language: service.language,
        uris: service.uris,
        number: service.number,
        last_updated: last_updated
            .map_err(|error| format!("last_updated: {error}"))?
            .unwrap_or(Timestamp::from_unix_ms(0)),
        civic: civic.collect::<Result<_, _>>()?,
        polygons: polygons.collect::<Result<_, _>>()?,
        roads: service.roads,
        urn,
    })
}

fn lifetime(text: &str) -> Option<Lifetime> {
    match text {
        "no-cache" => return Some(Lifetime::NoCache),
        "no-expiration" => return Some(Lifetime::NoExpiration),
        _ => {}
    }
    let unit = text.chars().last()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let count: u32 = text[..text.len() - 1].parse().ok()?;
    count.checked_mul(seconds).map(Lifetime::Seconds)
}
