//! Additional data about the call (RFC 7852): the five blocks a device sends, written schema-valid, read liberally.

use crate::body::BodyPart;
use crate::xml::XmlError;

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

    /// Writes the block.
    pub fn to_bytes(&self) -> Vec<u8> {
        todo!()
    }

    /// Reads a block, whatever the order of its elements.
    ///
    /// # Errors
    /// [`AdditionalError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, AdditionalError> {
        let _ = bytes;
        todo!()
    }

    /// The block as a body part with this Content-ID.
    pub fn to_part(&self, content_id: &str) -> BodyPart {
        let _ = content_id;
        todo!()
    }

    /// The value of the Call-Info header field that refers to it (RFC 7852 §6).
    pub fn call_info(&self, content_id: &str) -> String {
        format!("<cid:{content_id}>;purpose={}", self.kind().purpose())
    }
}
