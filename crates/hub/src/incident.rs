//! What a speaker reports of an incident: enough to find and check its bundle, none of its words.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::bundle::KeptBundle;
use crate::clock::UnixMs;
use crate::device::Fingerprint;
use crate::id::{CallId, DeviceId, IncidentId};

/// What a device reports. Rows are only ever added: a later report has more entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentReport {
    /// The device's own number of the incident.
    #[schema(maximum = 4_294_967_295_u64)]
    pub number: u32,
    /// When it was opened, by the device's clock.
    pub opened_at_ms: UnixMs,
    /// Always true until a live line has been configured.
    pub drill: bool,
    /// What came of it.
    pub outcome: IncidentOutcome,
    /// How many ledger entries the record has.
    pub entries: u32,
    /// SHA-256 of the bundle.
    pub bundle_sha256: Fingerprint,
}

/// What came of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentOutcome {
    /// A call was placed and answered.
    Answered,
    /// A call was placed and nobody answered.
    Unanswered,
    /// The caller cancelled before the call left.
    Cancelled,
    /// It was decided not to call.
    NotCalled,
    /// It still goes on.
    Open,
}

impl IncidentOutcome {
    pub(crate) const ALL: [IncidentOutcome; 5] = [
        Self::Answered,
        Self::Unanswered,
        Self::Cancelled,
        Self::NotCalled,
        Self::Open,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Unanswered => "unanswered",
            Self::Cancelled => "cancelled",
            Self::NotCalled => "not_called",
            Self::Open => "open",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
    }
}

/// Whose an incident is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncidentSource {
    /// A device that recorded it and reports it.
    Device(DeviceId),
    /// A telephone that reports nothing: the hub notes its call for help.
    Telephone {
        /// Which call.
        call: CallId,
        /// The telephone, where its connection or password proves it.
        device: Option<DeviceId>,
        /// Whom the caller claims to be, where nothing proves it: nobody who calls for help is asked for a password.
        claimed: Option<DeviceId>,
    },
}

/// A reported incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Incident {
    /// Id.
    pub id: IncidentId,
    /// Which device: that reported it, or whose call the hub noted. None: a telephone that nothing proves to be one of
    /// the home's.
    pub device: Option<DeviceId>,
    /// The device that such a telephone claims to be, unproven.
    pub claimed_device: Option<DeviceId>,
    /// The call, where the hub noted the incident itself because the telephone keeps no record.
    pub call: Option<CallId>,
    /// What was reported.
    #[serde(flatten)]
    pub report: IncidentReport,
    /// When the hub received the report.
    pub received_at_ms: UnixMs,
    /// The bundle, where its device handed it in: read it at `/api/v1/incidents/{id}/bundle`.
    pub bundle: Option<KeptBundle>,
}
