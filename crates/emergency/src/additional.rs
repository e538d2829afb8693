//! Additional data about the call (RFC 7852): the five blocks a device sends, written schema-valid, read liberally.

use crate::body::{BodyPart, Disposition};
use crate::xml::{Element, Writer, XmlError, read};

/// Namespace of xCard (RFC 6351).
const NS_VCARD: &str = "urn:ietf:params:xml:ns:vcard-4.0";
/// Most repetitions of one element read.
pub const REPEATED_MAX: usize = 64;

/// Which block (RFC 7852 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BlockKind {
    /// Who adds the data (§4.1).
    ProviderInfo,
    /// What kind of line (§4.2).
    ServiceInfo,
    /// Which device (§4.3).
    DeviceInfo,
    /// Whose line (§4.4).
    SubscriberInfo,
    /// Remarks (§4.5).
    Comment,
}

impl BlockKind {
    /// All kinds, in the order they are sent.
    pub const ALL: [BlockKind; 5] = [
        BlockKind::ProviderInfo,
        BlockKind::ServiceInfo,
        BlockKind::DeviceInfo,
        BlockKind::SubscriberInfo,
        BlockKind::Comment,
    ];

    /// The block's name after `EmergencyCallData.`.
    pub fn name(self) -> &'static str {
        match self {
            BlockKind::ProviderInfo => "ProviderInfo",
            BlockKind::ServiceInfo => "ServiceInfo",
            BlockKind::DeviceInfo => "DeviceInfo",
            BlockKind::SubscriberInfo => "SubscriberInfo",
            BlockKind::Comment => "Comment",
        }
    }

    /// The media type (§11.2).
    pub fn content_type(self) -> String {
        format!("application/EmergencyCallData.{}+xml", self.name())
    }

    /// The value of Call-Info's `purpose` parameter.
    pub fn purpose(self) -> String {
        format!("EmergencyCallData.{}", self.name())
    }

    /// The namespace.
    pub fn namespace(self) -> String {
        format!("urn:ietf:params:xml:ns:EmergencyCallData:{}", self.name())
    }
}

/// A block of additional data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// Who adds the data.
    ProviderInfo(ProviderInfo),
    /// What kind of line.
    ServiceInfo(ServiceInfo),
    /// Which device.
    DeviceInfo(DeviceInfo),
    /// Whose line.
    SubscriberInfo(SubscriberInfo),
    /// Remarks.
    Comment(Comment),
}

/// RFC 7852 §4.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderInfo {
    /// `DataProviderReference`: one value for all blocks of one provider.
    pub reference: String,
    /// `DataProviderString`: its name.
    pub name: String,
    /// `ProviderID`.
    pub provider_id: Option<String>,
    /// `ProviderIDSeries`.
    pub provider_id_series: Option<String>,
    /// `TypeOfProvider`, such as `Client`.
    pub type_of_provider: String,
    /// `ContactURI`: of the device's owner when a device says it.
    pub contact_uri: String,
    /// `Language`, preferred first; RFC 5646 tags in lower case.
    pub languages: Vec<String>,
    /// `DataProviderContact`.
    pub contact: Option<VCard>,
}

/// RFC 7852 §4.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceInfo {
    /// `DataProviderReference`.
    pub reference: String,
    /// `ServiceEnvironment`: `Business`, `Residence` or `unknown`.
    pub environment: Option<String>,
    /// `ServiceType`, such as `OTT` or `POTS`; `one-way` when no call back is possible.
    pub types: Vec<String>,
    /// `ServiceMobility`: `Mobile`, `Fixed`, `Nomadic` or `Unknown`.
    pub mobility: String,
}

/// RFC 7852 §4.3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// `DataProviderReference`.
    pub reference: String,
    /// `DeviceClassification`, such as `fixed`.
    pub classification: Option<String>,
    /// `DeviceMfgr`.
    pub manufacturer: Option<String>,
    /// `DeviceModelNr`.
    pub model: Option<String>,
    /// `UniqueDeviceID` with its `TypeOfDeviceID`.
    pub ids: Vec<UniqueDeviceId>,
}

/// `UniqueDeviceID` (RFC 7852 §4.3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueDeviceId {
    /// `TypeOfDeviceID`: `SN` for a serial number, here the ledger's key.
    pub kind: String,
    /// The identifier.
    pub value: String,
}

/// RFC 7852 §4.4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriberInfo {
    /// `DataProviderReference`.
    pub reference: String,
    /// `privacyRequested`.
    pub privacy_requested: bool,
    /// `SubscriberData`.
    pub subscriber: VCard,
}

/// RFC 7852 §4.5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// `DataProviderReference`.
    pub reference: String,
    /// Remarks with their languages.
    pub comments: Vec<CommentText>,
}

/// One remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentText {
    /// `xml:lang`.
    pub lang: Option<String>,
    /// The remark.
    pub text: String,
}

/// What this crate uses of an xCard (RFC 6351).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VCard {
    /// `fn`: the whole name.
    pub full_name: String,
    /// `adr`: postal addresses.
    pub addresses: Vec<VCardAddress>,
    /// `tel`: URIs or numbers.
    pub telephones: Vec<String>,
    /// `email`.
    pub emails: Vec<String>,
    /// `lang`: preferred first.
    pub languages: Vec<String>,
}

/// `adr` of an xCard.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VCardAddress {
    /// Street and number.
    pub street: String,
    /// City.
    pub locality: String,
    /// State or region.
    pub region: String,
    /// Postal code.
    pub code: String,
    /// Country.
    pub country: String,
}

/// Why a document is no block this crate reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdditionalError {
    /// Not XML within the limits.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// Another root element.
    #[error("the root element {root:?} is no block of RFC 7852 section 4")]
    Root {
        /// What it is.
        root: String,
    },
    /// An element that must be there is not.
    #[error("{kind} has no {what} (RFC 7852 section 4)", kind = .kind.name())]
    Missing {
        /// Which block.
        kind: BlockKind,
        /// Which element.
        what: &'static str,
    },
}

impl Block {
    /// Which block it is.
    pub fn kind(&self) -> BlockKind {
        match self {
            Block::ProviderInfo(_) => BlockKind::ProviderInfo,
            Block::ServiceInfo(_) => BlockKind::ServiceInfo,
            Block::DeviceInfo(_) => BlockKind::DeviceInfo,
            Block::SubscriberInfo(_) => BlockKind::SubscriberInfo,
            Block::Comment(_) => BlockKind::Comment,
        }
    }

    /// `DataProviderReference`.
    pub fn reference(&self) -> &str {
        match self {
            Block::ProviderInfo(block) => &block.reference,
            Block::ServiceInfo(block) => &block.reference,
            Block::DeviceInfo(block) => &block.reference,
            Block::SubscriberInfo(block) => &block.reference,
            Block::Comment(block) => &block.reference,
        }
    }

    /// The block as a body part with this Content-ID.
    pub fn to_part(&self, content_id: &str) -> BodyPart {
        BodyPart {
            content_type: self.kind().content_type(),
            content_id: Some(content_id.to_owned()),
            disposition: Disposition::ByReference,
            bytes: self.to_bytes(),
        }
    }

    /// The value of the Call-Info header field that refers to it (RFC 7852 §6).
    pub fn call_info(&self, content_id: &str) -> String {
        format!("<cid:{content_id}>;purpose={}", self.kind().purpose())
    }

    /// Writes the block.
    pub fn to_bytes(&self) -> Vec<u8> {
        let kind = self.kind();
        let mut writer = Writer::document();
        let root = format!("ad:EmergencyCallData.{}", kind.name());
        let namespace = kind.namespace();
        let mut attributes = vec![("xmlns:ad", namespace.as_str())];
        if let Block::SubscriberInfo(block) = self {
            attributes.push((
                "privacyRequested",
                if block.privacy_requested {
                    "true"
                } else {
                    "false"
                },
            ));
        }
        writer.open(&root, &attributes);
        writer.leaf("ad:DataProviderReference", &[], self.reference());
        match self {
            Block::ProviderInfo(block) => block.write(&mut writer),
            Block::ServiceInfo(block) => {
                write_optional(
                    &mut writer,
                    "ad:ServiceEnvironment",
                    block.environment.as_ref(),
                );
                for kind in &block.types {
                    writer.leaf("ad:ServiceType", &[], kind);
                }
                writer.leaf("ad:ServiceMobility", &[], &block.mobility);
            }
            Block::DeviceInfo(block) => {
                write_optional(
                    &mut writer,
                    "ad:DeviceClassification",
                    block.classification.as_ref(),
                );
                write_optional(&mut writer, "ad:DeviceMfgr", block.manufacturer.as_ref());
                write_optional(&mut writer, "ad:DeviceModelNr", block.model.as_ref());
                for id in &block.ids {
                    writer.leaf(
                        "ad:UniqueDeviceID",
                        &[("TypeOfDeviceID", &id.kind)],
                        &id.value,
                    );
                }
            }
            Block::SubscriberInfo(block) => {
                writer.open("ad:SubscriberData", &[]);
                block.subscriber.write(&mut writer);
                writer.close();
            }
            Block::Comment(block) => {
                for comment in &block.comments {
                    let lang: Vec<(&str, &str)> = comment
                        .lang
                        .iter()
                        .map(|lang| ("xml:lang", lang.as_str()))
                        .collect();
                    writer.leaf("ad:Comment", &lang, &comment.text);
                }
            }
        }
        writer.close();
        writer.finish()
    }

    /// Reads a block, whatever the order of its elements: deployed senders write their own.
    ///
    /// # Errors
    /// [`AdditionalError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, AdditionalError> {
        let root = read(bytes)?;
        let kind = BlockKind::ALL
            .into_iter()
            .find(|kind| {
                root.is(
                    &kind.namespace(),
                    &format!("EmergencyCallData.{}", kind.name()),
                )
            })
            .ok_or_else(|| AdditionalError::Root {
                root: root.name.chars().take(64).collect(),
            })?;
        let needed = |what: &'static str| {
            text_of(&root, what).ok_or(AdditionalError::Missing { kind, what })
        };
        let reference = needed("DataProviderReference")?;
        Ok(match kind {
            BlockKind::ProviderInfo => Block::ProviderInfo(ProviderInfo {
                reference,
                name: needed("DataProviderString")?,
                provider_id: text_of(&root, "ProviderID"),
                provider_id_series: text_of(&root, "ProviderIDSeries"),
                type_of_provider: needed("TypeOfProvider")?,
                contact_uri: needed("ContactURI")?,
                languages: texts_of(&root, "Language"),
                contact: root
                    .child("DataProviderContact")
                    .and_then(|contact| contact.child("vcard"))
                    .map(VCard::read),
            }),
            BlockKind::ServiceInfo => Block::ServiceInfo(ServiceInfo {
                reference,
                environment: text_of(&root, "ServiceEnvironment"),
                types: texts_of(&root, "ServiceType"),
                mobility: needed("ServiceMobility")?,
            }),
            BlockKind::DeviceInfo => Block::DeviceInfo(DeviceInfo {
                reference,
                classification: text_of(&root, "DeviceClassification"),
                manufacturer: text_of(&root, "DeviceMfgr"),
                model: text_of(&root, "DeviceModelNr"),
                ids: root
                    .elements()
                    .filter(|element| element.name == "UniqueDeviceID")
                    .take(REPEATED_MAX)
                    .map(|element| UniqueDeviceId {
                        kind: element.attribute("TypeOfDeviceID").unwrap_or("").to_owned(),
                        value: element.text(),
                    })
                    .collect(),
            }),
            BlockKind::SubscriberInfo => Block::SubscriberInfo(SubscriberInfo {
                reference,
                privacy_requested: matches!(
                    root.attribute("privacyRequested").map(str::trim),
                    Some("true" | "1")
                ),
                subscriber: root
                    .child("SubscriberData")
                    .and_then(|data| data.child("vcard"))
                    .map(VCard::read)
                    .ok_or(AdditionalError::Missing {
                        kind,
                        what: "vcard",
                    })?,
            }),
            BlockKind::Comment => Block::Comment(Comment {
                reference,
                comments: root
                    .elements()
                    .filter(|element| element.name == "Comment")
                    .take(REPEATED_MAX)
                    .map(|element| CommentText {
                        lang: element.lang().map(str::to_owned),
                        text: element.text(),
                    })
                    .collect(),
            }),
        })
    }
}

impl ProviderInfo {
    fn write(&self, writer: &mut Writer) {
        writer.leaf("ad:DataProviderString", &[], &self.name);
        write_optional(writer, "ad:ProviderID", self.provider_id.as_ref());
        write_optional(
            writer,
            "ad:ProviderIDSeries",
            self.provider_id_series.as_ref(),
        );
        writer.leaf("ad:TypeOfProvider", &[], &self.type_of_provider);
        writer.leaf("ad:ContactURI", &[], &self.contact_uri);
        for language in &self.languages {
            // The schema's pattern knows lower case only, although RFC 5646 tags have no case.
            writer.leaf("ad:Language", &[], &language.to_ascii_lowercase());
        }
        if let Some(contact) = &self.contact {
            writer.open("ad:DataProviderContact", &[]);
            contact.write(writer);
            writer.close();
        }
    }
}

impl VCard {
    /// Properties in the order of RFC 7852's schema, which the RFC's own figures break.
    fn write(&self, writer: &mut Writer) {
        writer.open("vc:vcard", &[("xmlns:vc", NS_VCARD)]);
        for address in &self.addresses {
            writer.open("vc:adr", &[]);
            writer.empty("vc:pobox", &[]);
            writer.empty("vc:ext", &[]);
            writer.leaf("vc:street", &[], &address.street);
            writer.leaf("vc:locality", &[], &address.locality);
            writer.leaf("vc:region", &[], &address.region);
            writer.leaf("vc:code", &[], &address.code);
            writer.leaf("vc:country", &[], &address.country);
            writer.close();
        }
        for email in &self.emails {
            wrapped(writer, "vc:email", "vc:text", email);
        }
        wrapped(writer, "vc:fn", "vc:text", &self.full_name);
        for language in &self.languages {
            wrapped(
                writer,
                "vc:lang",
                "vc:language-tag",
                &language.to_ascii_lowercase(),
            );
        }
        for telephone in &self.telephones {
            let value = if telephone.contains(':') {
                "vc:uri"
            } else {
                "vc:text"
            };
            wrapped(writer, "vc:tel", value, telephone);
        }
        writer.close();
    }

    fn read(element: &Element) -> Self {
        let values = |name: &str| -> Vec<String> {
            element
                .elements()
                .filter(|own| own.name == name)
                .take(REPEATED_MAX)
                .filter_map(|own| own.elements().find(|value| value.name != "parameters"))
                .map(Element::text)
                .collect()
        };
        let full_name = values("fn").into_iter().next().unwrap_or_default();
        VCard {
            full_name,
            addresses: element
                .elements()
                .filter(|own| own.name == "adr")
                .take(REPEATED_MAX)
                .map(|own| {
                    let part = |name: &str| own.child(name).map(Element::text).unwrap_or_default();
                    VCardAddress {
                        street: part("street"),
                        locality: part("locality"),
                        region: part("region"),
                        code: part("code"),
                        country: part("country"),
                    }
                })
                .collect(),
            telephones: values("tel"),
            emails: values("email"),
            languages: values("lang"),
        }
    }
}

fn wrapped(writer: &mut Writer, property: &str, value: &str, text: &str) {
    writer.open(property, &[]);
    writer.leaf(value, &[], text);
    writer.close();
}

fn write_optional(writer: &mut Writer, name: &str, text: Option<&String>) {
    if let Some(text) = text {
        writer.leaf(name, &[], text);
    }
}

fn text_of(root: &Element, name: &str) -> Option<String> {
    root.child(name)
        .map(Element::text)
        .filter(|text| !text.is_empty())
}

fn texts_of(root: &Element, name: &str) -> Vec<String> {
    root.elements()
        .filter(|element| element.name == name)
        .take(REPEATED_MAX)
        .map(Element::text)
        .collect()
}
