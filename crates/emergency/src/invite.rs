//! The emergency INVITE: every header field and body part of it, from the household's profile.

use crate::body::BodyPart;
use crate::profile::EmergencyProfile;
use crate::service::DrillService;
use crate::target::SipUri;
use crate::timestamp::Timestamp;

/// An INVITE as plain fields. The SIP endpoint adds Via, Max-Forwards, Call-ID, CSeq, the From tag and the multipart framing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyInvite {
    /// `urn:service:sos` or a sub-service.
    pub request_uri: String,
    /// Where it is sent, whatever the Route says: the line.
    pub next_hop: SipUri,
    /// Header fields in order, as (name, value); a name may stand more than once.
    pub headers: Vec<(&'static str, String)>,
    /// Parts of the `multipart/mixed` body; the session description first when there is one.
    pub parts: Vec<BodyPart>,
}

impl EmergencyInvite {
    /// The same with this session description as its first part, replacing one that is there.
    #[must_use]
    pub fn with_sdp(mut self, sdp: Vec<u8>) -> Self {
        self.parts
            .retain(|part| part.content_type != crate::body::TYPE_SDP);
        self.parts.insert(
            0,
            BodyPart {
                content_type: crate::body::TYPE_SDP.to_owned(),
                content_id: None,
                disposition: crate::body::Disposition::Default,
                bytes: sdp,
            },
        );
        self
    }

    /// The first header field of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// How much an INVITE carries; less after a refusal that more would meet again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Content {
    /// Every location and every data block.
    Full,
    /// One location only, the most exact the owner stated: the one corrected retry after 424 (RFC 6442 §4.3).
    OneLocation,
    /// No location; data blocks stay.
    NoLocation,
    /// The session description alone, for a call-taker that takes no multipart (413, 415, 420, 513).
    SessionOnly,
}

/// What one INVITE is built from.
#[derive(Debug, Clone, Copy)]
pub struct InviteRequest<'a> {
    /// The permission, with the service.
    pub permit: &'a DrillService,
    /// The household.
    pub profile: &'a EmergencyProfile,
    /// The line it goes to.
    pub next_hop: &'a SipUri,
    /// The call-taker's URI from LoST; none when there is no mapping (RFC 6881 ED-55).
    pub route: Option<&'a SipUri>,
    /// A token of this call, unique over time: part of every Content-ID and of the data's reference.
    pub call_token: &'a str,
    /// How much to carry.
    pub content: Content,
    /// Session description, if it is known already.
    pub sdp: Option<&'a [u8]>,
    /// Wall time, for the location's timestamp.
    pub wall: Timestamp,
}

impl InviteRequest<'_> {
    /// Builds the INVITE.
    pub fn build(&self) -> EmergencyInvite {
        todo!()
    }
}
