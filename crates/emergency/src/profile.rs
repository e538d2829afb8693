//! What a household states once, so that a call needs to ask nobody: address, point, callback, device, subscriber.

use crate::civic::CivicAddress;
use crate::geodetic::Shape;
use crate::target::SipUri;

/// The household's emergency profile.
#[derive(Debug, Clone, PartialEq)]
pub struct EmergencyProfile {
    /// Civic address, room included.
    pub civic: Option<CivicAddress>,
    /// Point or circle, when the owner gave one. Never derived from the address (RFC 6881 ED-13).
    pub shape: Option<Shape>,
    /// Address of record: the From header field (RFC 6881 ED-62.3).
    pub identity: SipUri,
    /// Where a callback reaches this device: the Contact header field (ED-62.5, ED-63).
    pub contact: SipUri,
    /// Telephone number for a callback, `tel:+1…`, when the line has one.
    pub callback_number: Option<String>,
    /// Name shown with the address of record; may be empty.
    pub display_name: String,
    /// Domain for Content-IDs, references and the PIDF entity, such as `kitchen.home.test`.
    pub domain: String,
    /// The device.
    pub device: DeviceProfile,
    /// The subscriber.
    pub subscriber: SubscriberProfile,
    /// `ServiceType` tokens of RFC 7852 §4.2.2; empty means `OTT`.
    pub service_types: Vec<String>,
}

/// The device in the profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceProfile {
    /// Its name in the home: `Kitchen`.
    pub name: String,
    /// Manufacturer.
    pub manufacturer: String,
    /// Model.
    pub model: String,
    /// The ledger's key id: the UniqueDeviceID of RFC 7852 §4.3.4, by which this device's record can be found.
    pub key_id: String,
}

/// The subscriber in the profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriberProfile {
    /// Whole name.
    pub full_name: String,
    /// Languages, preferred first.
    pub languages: Vec<String>,
    /// Whether the subscriber asks for privacy (RFC 7852 §4.4.1).
    pub privacy_requested: bool,
}
