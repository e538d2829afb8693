//! Civic addresses: every element of RFC 4119 and RFC 5139 by name, the four of RFC 6848, and any other extension kept byte for byte.

use std::collections::BTreeMap;

use crate::raw::RawXml;
use crate::xml::{Element, Writer, XmlError, collapse, read};

/// Namespace of RFC 5139.
pub const NS_CIVIC: &str = "urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr";
/// Namespace of RFC 6848's elements.
pub const NS_CIVIC_EXT: &str = "urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr:ext";
/// Namespace of RFC 4119's address, which RFC 5139 replaced; read, never written.
pub const NS_CIVIC_LOC: &str = "urn:ietf:params:xml:ns:pidf:geopriv10:civicLoc";
/// Longest value of one element, in bytes.
pub const CIVIC_VALUE_BYTES_MAX: usize = 512;
/// Most unknown extensions kept in one address.
pub const CIVIC_EXTENSIONS_MAX: usize = 32;

macro_rules! civic_elements {
    ($($(#[$doc:meta])* $variant:ident $name:literal;)+) => {
        /// An element of a civic address, in the order of RFC 5139's schema, then RFC 6848's.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum CivicElement { $($(#[$doc])* $variant,)+ }

        impl CivicElement {
            /// All elements in schema order.
            pub const ALL: &'static [CivicElement] = &[$(CivicElement::$variant,)+];

            /// The element's name.
            pub fn name(self) -> &'static str {
                match self { $(CivicElement::$variant => $name,)+ }
            }
        }
    };
}

civic_elements! {
    /// ISO 3166-1 alpha-2 country code.
    Country "country";
    /// State, province, region.
    A1 "A1";
    /// County, parish, district.
    A2 "A2";
    /// City, town.
    A3 "A3";
    /// Borough, city district.
    A4 "A4";
    /// Neighbourhood, block.
    A5 "A5";
    /// Group of streets below the neighbourhood; in RFC 4119 the street.
    A6 "A6";
    /// Road pre-modifier: Old.
    RoadPreModifier "PRM";
    /// Leading street direction: N.
    LeadingDirection "PRD";
    /// Primary road or street.
    Road "RD";
    /// Street suffix: Street.
    StreetSuffix "STS";
    /// Trailing street direction: SW.
    TrailingDirection "POD";
    /// Road post-modifier: Extended.
    RoadPostModifier "POM";
    /// Road section.
    RoadSection "RDSEC";
    /// Road branch.
    RoadBranch "RDBR";
    /// Road sub-branch.
    RoadSubBranch "RDSUBBR";
    /// House number.
    HouseNumber "HNO";
    /// House number suffix: A, 1/2.
    HouseNumberSuffix "HNS";
    /// Landmark or vanity address.
    Landmark "LMK";
    /// Additional location information.
    Location "LOC";
    /// Floor.
    Floor "FLR";
    /// Name: residence, business or office occupant.
    Name "NAM";
    /// Postal code.
    PostalCode "PC";
    /// Building.
    Building "BLD";
    /// Unit: apartment, suite.
    Unit "UNIT";
    /// Room.
    Room "ROOM";
    /// Seat, desk, cubicle.
    Seat "SEAT";
    /// Type of place (RFC 4589).
    PlaceType "PLC";
    /// Postal community name.
    PostalCommunity "PCN";
    /// Post office box.
    PostBox "POBOX";
    /// Additional code.
    AdditionalCode "ADDCODE";
    /// Post number on the road (RFC 6848 §5.1).
    PostNumber "PN";
    /// Milepost (RFC 6848 §5.2).
    Milepost "MP";
    /// Street type prefix: Rue (RFC 6848 §5.3).
    StreetTypePrefix "STP";
    /// House number prefix (RFC 6848 §5.4).
    HouseNumberPrefix "HNP";
}

impl CivicElement {
    /// The element of this name.
    pub fn from_name(name: &str) -> Option<CivicElement> {
        CivicElement::ALL
            .iter()
            .copied()
            .find(|element| element.name() == name)
    }

    /// Whether RFC 6848 added it, in its own namespace.
    pub fn is_extension(self) -> bool {
        self >= CivicElement::PostNumber
    }
}

/// Why an address is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CivicError {
    /// Empty, or longer than [`CIVIC_VALUE_BYTES_MAX`].
    #[error("the value of {element} is empty or longer than {CIVIC_VALUE_BYTES_MAX} bytes", element = .element.name())]
    Value {
        /// Which element.
        element: CivicElement,
    },
    /// Not two letters.
    #[error("the country is not an ISO 3166-1 code of two letters")]
    Country,
    /// No such element.
    #[error("{name:?} is no element of RFC 4119, 5139 or 6848")]
    UnknownElement {
        /// What was asked for.
        name: String,
    },
    /// More than [`CIVIC_EXTENSIONS_MAX`] extensions, or one whose prefixes clash with another's.
    #[error("too many extensions, or two that use one prefix for two namespaces")]
    Extensions,
    /// An extension without a namespace, or inside the civic namespaces.
    #[error("an extension element needs a namespace of its own (RFC 6848 section 2)")]
    ExtensionNamespace,
    /// Not XML.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// Not a civic address.
    #[error("the element is no civicAddress")]
    NotCivic,
}

/// One value, with its own language if it states one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Value {
    text: String,
    lang: Option<String>,
}

/// A civic address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CivicAddress {
    values: BTreeMap<CivicElement, Value>,
    lang: Option<String>,
    extensions: Vec<RawXml>,
}

impl CivicAddress {
    /// An address without elements.
    pub fn new() -> Self {
        CivicAddress::default()
    }

    /// Sets an element, white space collapsed as `xs:token` asks; the country in upper case.
    ///
    /// # Errors
    /// [`CivicError::Value`], [`CivicError::Country`].
    pub fn set(&mut self, element: CivicElement, text: &str) -> Result<&mut Self, CivicError> {
        let mut text = collapse(text);
        if text.is_empty() || text.len() > CIVIC_VALUE_BYTES_MAX {
            return Err(CivicError::Value { element });
        }
        if element == CivicElement::Country {
            text.make_ascii_uppercase();
            if text.len() != 2 || !text.bytes().all(|byte| byte.is_ascii_uppercase()) {
                return Err(CivicError::Country);
            }
        }
        self.values.insert(element, Value { text, lang: None });
        Ok(self)
    }

    /// Sets elements by name, as a configuration file has them.
    ///
    /// # Errors
    /// [`CivicError`].
    pub fn from_pairs<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, CivicError> {
        let mut address = CivicAddress::new();
        for (name, value) in pairs {
            let element =
                CivicElement::from_name(name).ok_or_else(|| CivicError::UnknownElement {
                    name: name.chars().take(32).collect(),
                })?;
            address.set(element, value)?;
        }
        Ok(address)
    }

    /// The language of the address (RFC 5139 §3.5), such as `en`.
    pub fn set_lang(&mut self, lang: Option<String>) -> &mut Self {
        self.lang = lang;
        self
    }

    /// The language of the address.
    pub fn lang(&self) -> Option<&str> {
        self.lang.as_deref()
    }

    /// The value of an element.
    pub fn get(&self, element: CivicElement) -> Option<&str> {
        self.values.get(&element).map(|value| value.text.as_str())
    }

    /// Elements with their values, in schema order.
    pub fn elements(&self) -> impl Iterator<Item = (CivicElement, &str)> {
        self.values
            .iter()
            .map(|(element, value)| (*element, value.text.as_str()))
    }

    /// Elements this crate does not know, as they stood.
    pub fn extensions(&self) -> &[RawXml] {
        &self.extensions
    }

    /// Adds an extension element (RFC 6848 §2), byte for byte.
    ///
    /// # Errors
    /// [`CivicError`].
    pub fn add_extension(&mut self, xml: &str) -> Result<&mut Self, CivicError> {
        let root = read(xml.as_bytes())?;
        self.keep_extension(RawXml::of(&root, xml.as_bytes()))?;
        Ok(self)
    }

    fn keep_extension(&mut self, extension: RawXml) -> Result<(), CivicError> {
        match extension.namespace() {
            None | Some(NS_CIVIC | NS_CIVIC_LOC) => return Err(CivicError::ExtensionNamespace),
            Some(_) => {}
        }
        let clash = extension.declarations().iter().any(|(prefix, namespace)| {
            self.extensions
                .iter()
                .flat_map(RawXml::declarations)
                .any(|(own, other)| own == prefix && other != namespace)
        });
        if clash || self.extensions.len() >= CIVIC_EXTENSIONS_MAX {
            return Err(CivicError::Extensions);
        }
        self.extensions.push(extension);
        Ok(())
    }

    /// Whether it has no element at all.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.extensions.is_empty()
    }

    /// Whether every element of this address equals that of `other`: a boundary in civic form contains `other`
    /// (RFC 5222 §12.3). Letter case is ignored.
    pub fn covers(&self, other: &CivicAddress) -> bool {
        self.elements().all(|(element, value)| {
            other
                .get(element)
                .is_some_and(|own| own.to_lowercase() == value.to_lowercase())
        })
    }

    /// One line a person can read, in postal order.
    pub fn one_line(&self) -> String {
        use CivicElement as E;
        let group = |elements: &[E]| {
            elements
                .iter()
                .filter_map(|&element| self.get(element))
                .collect::<Vec<_>>()
                .join(" ")
        };
        [
            group(&[E::Name, E::Building]),
            group(&[
                E::HouseNumberPrefix,
                E::HouseNumber,
                E::HouseNumberSuffix,
                E::RoadPreModifier,
                E::LeadingDirection,
                E::StreetTypePrefix,
                E::Road,
                E::A6,
                E::StreetSuffix,
                E::TrailingDirection,
                E::RoadPostModifier,
            ]),
            group(&[E::Unit, E::Floor, E::Room]),
            group(&[E::A3]),
            group(&[E::A1, E::PostalCode]),
            group(&[E::Country]),
        ]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
    }

    /// Writes the `civicAddress` element.
    pub(crate) fn write(&self, writer: &mut Writer) {
        let declared: Vec<(String, String)> = {
            let mut all: Vec<(String, String)> = Vec::new();
            for declaration in self.extensions.iter().flat_map(RawXml::declarations) {
                if !all.contains(declaration) {
                    all.push(declaration.clone());
                }
            }
            all
        };
        let free = |wanted: &str| {
            let mut prefix = wanted.to_owned();
            while declared.iter().any(|(own, _)| *own == prefix) {
                prefix.push('0');
            }
            prefix
        };
        let (civic, extension) = (free("ca"), free("cae"));
        let civic_declaration = format!("xmlns:{civic}");
        let extension_declaration = format!("xmlns:{extension}");
        let names: Vec<(String, &str)> = declared
            .iter()
            .map(|(prefix, namespace)| {
                let name = if prefix.is_empty() {
                    "xmlns".to_owned()
                } else {
                    format!("xmlns:{prefix}")
                };
                (name, namespace.as_str())
            })
            .collect();
        let mut attributes: Vec<(&str, &str)> = vec![(&civic_declaration, NS_CIVIC)];
        if self.values.keys().any(|element| element.is_extension()) {
            attributes.push((&extension_declaration, NS_CIVIC_EXT));
        }
        attributes.extend(
            names
                .iter()
                .map(|(name, namespace)| (name.as_str(), *namespace)),
        );
        if let Some(lang) = &self.lang {
            attributes.push(("xml:lang", lang));
        }
        let tag = format!("{civic}:civicAddress");
        if self.is_empty() {
            writer.empty(&tag, &attributes);
            return;
        }
        writer.open(&tag, &attributes);
        for (element, value) in &self.values {
            let prefix = if element.is_extension() {
                &extension
            } else {
                &civic
            };
            let lang: Vec<(&str, &str)> = value
                .lang
                .iter()
                .map(|lang| ("xml:lang", lang.as_str()))
                .collect();
            writer.leaf(&format!("{prefix}:{}", element.name()), &lang, &value.text);
        }
        for extension in &self.extensions {
            writer.raw(extension.as_str());
        }
        writer.close();
    }

    /// Reads a `civicAddress` element of RFC 5139, or of RFC 4119.
    pub(crate) fn read(element: &Element, document: &[u8]) -> Result<Self, CivicError> {
        if !element.is(NS_CIVIC, "civicAddress") && !element.is(NS_CIVIC_LOC, "civicAddress") {
            return Err(CivicError::NotCivic);
        }
        let mut address = CivicAddress {
            lang: element.lang().map(str::to_owned),
            ..CivicAddress::default()
        };
        for child in element.elements() {
            let known = CivicElement::from_name(&child.name).filter(|own| {
                if own.is_extension() {
                    child.is(NS_CIVIC_EXT, own.name())
                } else {
                    child.is(NS_CIVIC, own.name()) || child.is(NS_CIVIC_LOC, own.name())
                }
            });
            match known {
                Some(own) => {
                    let text = child.text();
                    // An empty element says nothing; senders write them out of forms.
                    if !text.is_empty() {
                        address.set(own, &text)?;
                        if let (Some(lang), Some(value)) =
                            (child.lang(), address.values.get_mut(&own))
                        {
                            value.lang = Some(lang.to_owned());
                        }
                    }
                }
                None if child.ns.is_some()
                    && !child.is(NS_CIVIC, &child.name)
                    && !child.is(NS_CIVIC_LOC, &child.name) =>
                {
                    address.keep_extension(RawXml::of(child, document))?;
                }
                // A name the civic namespace does not have: read on, the rest of the address still leads there.
                None => {}
            }
        }
        Ok(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_tokens_and_the_country_a_code() {
        let mut address = CivicAddress::new();
        address
            .set(CivicElement::Road, "  Example \n Road ")
            .unwrap();
        assert_eq!(address.get(CivicElement::Road), Some("Example Road"));
        assert_eq!(
            address.set(CivicElement::Country, "USA").unwrap_err(),
            CivicError::Country
        );
        assert!(address.set(CivicElement::Unit, " ").is_err());
        assert!(CivicAddress::from_pairs([("STREET", "x")]).is_err());
    }

    #[test]
    fn a_boundary_covers_what_agrees_with_it() {
        let boundary = CivicAddress::from_pairs([("country", "DE"), ("A3", "Munich")]).unwrap();
        let inside =
            CivicAddress::from_pairs([("country", "DE"), ("A3", "MUNICH"), ("HNO", "6")]).unwrap();
        let outside = CivicAddress::from_pairs([("country", "DE"), ("A3", "Berlin")]).unwrap();
        assert!(boundary.covers(&inside));
        assert!(!boundary.covers(&outside));
        assert!(!inside.covers(&boundary));
    }
}
