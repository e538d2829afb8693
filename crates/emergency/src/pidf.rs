//! Location objects: PIDF-LO (RFC 3863, 4119, 5139, 5491) written schema-valid and deterministic, read liberally and within limits.

use crate::civic::CivicAddress;
use crate::geodetic::Shape;
use crate::raw::RawXml;
use crate::timestamp::Timestamp;
use crate::xml::{Element, Writer, XmlError, read};

/// Namespace of presence (RFC 3863).
pub const NS_PIDF: &str = "urn:ietf:params:xml:ns:pidf";
/// Namespace of location objects (RFC 4119).
pub const NS_GEOPRIV: &str = "urn:ietf:params:xml:ns:pidf:geopriv10";
const NS_POLICY: &str = "urn:ietf:params:xml:ns:pidf:geopriv10:basicPolicy";
const NS_DATA_MODEL: &str = "urn:ietf:params:xml:ns:pidf:data-model";
const NS_CALL_DATA: &str = "urn:ietf:params:xml:ns:EmergencyCallData";

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
    /// Location elements this crate does not read, with the reason; the readable ones count all the same.
    pub unread: Vec<Unread>,
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

/// A location element that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The element as it stood.
    pub xml: RawXml,
    /// Why, in words.
    pub why: String,
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
}

impl LocationObject {
    /// A location a household states about itself: method `Manual`, to be passed on (to whoever comes to help) and kept for a day.
    pub fn manual(
        id: &str,
        civic: Option<CivicAddress>,
        shape: Option<Shape>,
        at: Timestamp,
    ) -> Self {
        LocationObject {
            id: id.to_owned(),
            holder: Holder::Tuple,
            civic,
            shape,
            unread: Vec::new(),
            usage: UsageRules {
                retransmission_allowed: Some(true),
                retention_expiry: Some(at.plus_seconds(RETENTION_SECONDS)),
            },
            method: Some("Manual".to_owned()),
            provided_by: ProvidedBy::Unstated,
            timestamp: Some(at),
            device_id: None,
        }
    }

    fn write_geopriv(&self, writer: &mut Writer) {
        writer.open("gp:geopriv", &[]);
        if self.civic.is_none() && self.shape.is_none() && self.unread.is_empty() {
            writer.empty("gp:location-info", &[]);
        } else {
            writer.open("gp:location-info", &[]);
            // The geodetic part first: a civic floor refines it (RFC 5491 §3 rule 5, figure 1).
            if let Some(shape) = &self.shape {
                shape.write(writer);
            }
            if let Some(civic) = &self.civic {
                civic.write(writer);
            }
            for unread in &self.unread {
                writer.raw(&unread.xml.standalone());
            }
            writer.close();
        }
        let rules = &self.usage;
        if rules.retransmission_allowed.is_none() && rules.retention_expiry.is_none() {
            writer.empty("gp:usage-rules", &[]);
        } else {
            writer.open("gp:usage-rules", &[]);
            if let Some(allowed) = rules.retransmission_allowed {
                writer.leaf(
                    "gbp:retransmission-allowed",
                    &[],
                    if allowed { "true" } else { "false" },
                );
            }
            if let Some(expiry) = rules.retention_expiry {
                writer.leaf("gbp:retention-expiry", &[], &expiry.to_string());
            }
            writer.close();
        }
        if let Some(method) = &self.method {
            writer.leaf("gp:method", &[], method);
        }
        match &self.provided_by {
            ProvidedBy::Unstated => {}
            ProvidedBy::ProviderInfo { content_id } => {
                writer.open("gp:provided-by", &[]);
                writer.empty(
                    "ad:EmergencyCallDataReference",
                    &[
                        ("xmlns:ad", NS_CALL_DATA),
                        ("purpose", "EmergencyCallData.ProviderInfo"),
                        ("ref", &format!("cid:{content_id}")),
                    ],
                );
                writer.close();
            }
            ProvidedBy::Other(xml) => writer.raw(&xml.standalone()),
        }
        writer.close();
    }

    fn write(&self, id: &str, writer: &mut Writer) {
        let timestamp = self.timestamp.map(|timestamp| timestamp.to_string());
        match (self.written_holder(), &self.device_id) {
            (Holder::Device, Some(device_id)) => {
                writer.open("dm:device", &[("xmlns:dm", NS_DATA_MODEL), ("id", id)]);
                self.write_geopriv(writer);
                writer.leaf("dm:deviceID", &[], device_id);
                if let Some(timestamp) = &timestamp {
                    writer.leaf("dm:timestamp", &[], timestamp);
                }
            }
            (Holder::Person, _) => {
                writer.open("dm:person", &[("xmlns:dm", NS_DATA_MODEL), ("id", id)]);
                self.write_geopriv(writer);
                if let Some(timestamp) = &timestamp {
                    writer.leaf("dm:timestamp", &[], timestamp);
                }
            }
            _ => {
                writer.open("tuple", &[("id", id)]);
                writer.open("status", &[]);
                self.write_geopriv(writer);
                writer.close();
                if let Some(timestamp) = &timestamp {
                    writer.leaf("timestamp", &[], timestamp);
                }
            }
        }
        writer.close();
    }

    /// A device without a deviceID would not be valid (RFC 4479 §3.3), so it is written as a tuple.
    fn written_holder(&self) -> Holder {
        match self.holder {
            Holder::Device if self.device_id.is_none() => Holder::Tuple,
            holder => holder,
        }
    }

    fn read(geopriv: &Element, holder: Holder, around: &Element, document: &[u8]) -> Self {
        let mut object = LocationObject {
            id: around.attribute("id").unwrap_or("").to_owned(),
            holder,
            civic: None,
            shape: None,
            unread: Vec::new(),
            usage: UsageRules::default(),
            method: geopriv
                .child("method")
                .map(Element::text)
                .filter(|method| !method.is_empty()),
            provided_by: ProvidedBy::Unstated,
            timestamp: around
                .child("timestamp")
                .and_then(|own| Timestamp::parse(&own.text()).ok()),
            device_id: around.child("deviceID").map(Element::text),
        };
        if let Some(info) = geopriv.child("location-info") {
            for element in info.elements() {
                object.read_location(element, document);
            }
        }
        if let Some(rules) = geopriv.child("usage-rules") {
            // RFC 4119's own figures write yes and no.
            object.usage.retransmission_allowed =
                rules.child("retransmission-allowed").and_then(|own| {
                    match own.text().to_ascii_lowercase().as_str() {
                        "true" | "1" | "yes" => Some(true),
                        "false" | "0" | "no" => Some(false),
                        _ => None,
                    }
                });
            object.usage.retention_expiry = rules
                .child("retention-expiry")
                .and_then(|own| Timestamp::parse(&own.text()).ok());
        }
        if let Some(provider) = geopriv.child("provided-by") {
            let content_id = provider
                .elements()
                .find(|own| {
                    own.name == "EmergencyCallDataReference"
                        && own.attribute("purpose") == Some("EmergencyCallData.ProviderInfo")
                })
                .and_then(|own| own.attribute("ref"))
                .and_then(|reference| reference.strip_prefix("cid:"));
            object.provided_by = match content_id {
                Some(id) if provider.elements().count() == 1 => ProvidedBy::ProviderInfo {
                    content_id: id.to_owned(),
                },
                _ => ProvidedBy::Other(RawXml::of(provider, document)),
            };
        }
        object
    }

    fn read_location(&mut self, element: &Element, document: &[u8]) {
        // `gml:location` around a shape stands in figures of RFC 4119 and 6442.
        if element.name == "location" {
            for inner in element.elements() {
                self.read_location(inner, document);
            }
            return;
        }
        let why = if element.name == "civicAddress" {
            match CivicAddress::read(element, document) {
                Ok(_) if self.civic.is_some() => {
                    "a second civic address in one geopriv (RFC 5491 section 3)".to_owned()
                }
                Ok(civic) => {
                    self.civic = Some(civic);
                    return;
                }
                Err(error) => error.to_string(),
            }
        } else if element.name == "confidence" {
            "the confidence of RFC 7459 is kept and not used".to_owned()
        } else {
            match Shape::read(element, document) {
                Ok(_) if self.shape.is_some() => {
                    "a second shape in one geopriv (RFC 5491 section 3)".to_owned()
                }
                Ok(shape) => {
                    self.shape = Some(shape);
                    return;
                }
                Err(error) => error.to_string(),
            }
        };
        self.unread.push(Unread {
            xml: RawXml::of(element, document),
            why,
        });
    }
}

impl PidfLo {
    /// Writes the document: tuples first, as the schema of RFC 3863 asks, then devices, then persons.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::document();
        writer.open(
            "presence",
            &[
                ("xmlns", NS_PIDF),
                ("xmlns:gp", NS_GEOPRIV),
                ("xmlns:gbp", NS_POLICY),
                ("entity", &self.entity),
            ],
        );
        let mut written: Vec<String> = Vec::new();
        for holder in [Holder::Tuple, Holder::Device, Holder::Person] {
            for object in self
                .locations
                .iter()
                .filter(|own| own.written_holder() == holder)
            {
                let mut id = xml_id(&object.id);
                while written.contains(&id) {
                    id.push('_');
                }
                object.write(&id, &mut writer);
                written.push(id);
            }
        }
        writer.close();
        writer.finish()
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`PidfError`]; a single unreadable location among readable ones is no error but [`LocationObject::unread`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PidfError> {
        let root = read(bytes)?;
        if root.name != "presence" {
            return Err(PidfError::NotPresence {
                root: root.name.chars().take(64).collect(),
            });
        }
        let mut locations = Vec::new();
        for around in root.elements() {
            let holder = match around.name.as_str() {
                "device" => Holder::Device,
                "tuple" => Holder::Tuple,
                "person" => Holder::Person,
                _ => continue,
            };
            let inside = if holder == Holder::Tuple {
                around.child("status")
            } else {
                Some(around)
            };
            for geopriv in inside
                .into_iter()
                .flat_map(Element::elements)
                .filter(|own| own.is(NS_GEOPRIV, "geopriv"))
            {
                if locations.len() >= LOCATIONS_MAX {
                    return Err(PidfError::TooMany);
                }
                locations.push(LocationObject::read(geopriv, holder, around, bytes));
            }
        }
        if locations.is_empty() {
            return Err(PidfError::NoLocation);
        }
        locations.sort_by_key(|object| object.holder);
        Ok(PidfLo {
            entity: root.attribute("entity").unwrap_or("").to_owned(),
            locations,
        })
    }

    /// The most important civic address.
    pub fn civic(&self) -> Option<&CivicAddress> {
        self.locations
            .iter()
            .find_map(|object| object.civic.as_ref())
    }

    /// The most important shape.
    pub fn shape(&self) -> Option<&Shape> {
        self.locations
            .iter()
            .find_map(|object| object.shape.as_ref())
    }
}

/// A text as an `xs:ID`: an NCName, other characters as hyphens.
fn xml_id(text: &str) -> String {
    let mut id: String = text
        .chars()
        .take(64)
        .map(|character| {
            if character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.') {
                character
            } else {
                '-'
            }
        })
        .collect();
    if !id.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
        id.insert(0, '_');
    }
    id
}
