//! SIP registrations as rows (RFC 3261 section 10, RFC 5626), written through.

use crate::clock::UnixMs;
use crate::id::DeviceId;

/// One registration: where a device can be reached for an address of record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Address of record: `sip:…`, without parameters.
    pub aor: String,
    /// `+sip.instance` (RFC 5626 section 4.1), or the contact where the phone has none.
    pub instance_id: String,
    /// `reg-id` (RFC 5626 section 4.2), 0 where the phone has none.
    pub reg_id: u32,
    /// The device, where it is one of ours.
    pub device: Option<DeviceId>,
    /// Contact URI.
    pub contact: String,
    /// Path (RFC 3327), top first.
    pub path: Vec<String>,
    /// The instance of the hub that holds the flow.
    pub node_id: String,
    /// The flow on that instance.
    pub flow_id: u64,
    /// Call-ID of the REGISTER.
    pub call_id: String,
    /// CSeq of the REGISTER; an older one of the same Call-ID changes nothing (section 10.3, step 7).
    pub cseq: u32,
    /// When it ends.
    pub expires_at: UnixMs,
}
