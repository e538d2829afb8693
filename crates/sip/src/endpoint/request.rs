//! What the user asks an endpoint to send.

use core::time::Duration;

use crate::refer::ReferTo;
use crate::registration::RegistrationConfig;
use crate::session_timer::SessionTimerConfig;
use crate::target::Target;
use crate::{HeaderName, NameAddr, StatusCode, Uri};

/// A body with its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Value of Content-Type, with its parameters.
    pub content_type: String,
    /// The bytes, sent as they are.
    pub bytes: Vec<u8>,
}

impl Body {
    /// A body of this type.
    pub fn new(content_type: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            content_type: content_type.into(),
            bytes: bytes.into(),
        }
    }

    /// A session description.
    pub fn sdp(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new("application/sdp", bytes)
    }
}

/// User name and password for digest. The password is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
    /// The realm they are for; `None`: any.
    pub realm: Option<String>,
}

impl Drop for Credentials {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.password);
    }
}

impl core::fmt::Debug for Credentials {
    /// Without the password and without the name, which may be a phone number.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// Use of reliable provisional responses (RFC 3262) in our call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reliable {
    /// Not mentioned.
    Off,
    /// `Supported: 100rel`.
    #[default]
    Supported,
    /// `Require: 100rel`.
    Required,
}

/// A call to make.
#[derive(Debug, Clone)]
pub struct InviteRequest {
    /// Whom to call, for example `urn:service:sos`.
    pub request_uri: Uri,
    /// To, without a tag.
    pub to: NameAddr,
    /// From, without a tag.
    pub from: NameAddr,
    /// Contact; `None`: made from the local address.
    pub contact: Option<NameAddr>,
    /// Route set to start with: the outbound proxies, outermost first.
    pub route: Vec<NameAddr>,
    /// Call-ID, for rows that are signed together with it; `None`: made here. It must be as hard to guess as those of
    /// [`Tokens::call_id`](crate::tokens::Tokens::call_id).
    pub call_id: Option<String>,
    /// Further rows: Geolocation, Priority, Call-Info …
    pub headers: Vec<(HeaderName, Vec<u8>)>,
    /// Body, for example `multipart/mixed` of SDP and PIDF-LO.
    pub body: Option<Body>,
    /// Where to send it, best first; the next one is tried when one is dead (RFC 3263 section 4.3).
    pub targets: Vec<Target>,
    /// Credentials for digest challenges.
    pub credentials: Vec<Credentials>,
    /// Reliable provisional responses.
    pub reliable: Reliable,
    /// Session timer; `None`: not asked for, granted when the peer asks.
    pub session_timer: Option<SessionTimerConfig>,
    /// A target that sends nothing at all for this long is dead, before timer B says so.
    pub first_response_max: Option<Duration>,
    /// Cancel when nobody answered for this long after the first provisional response.
    pub ringing_max: Option<Duration>,
    /// Whether a session timer that ran out ends this call; `None`: as the endpoint is set up.
    pub end_on_session_expiry: Option<bool>,
    /// The callee's 2xx brings the offer: it is acknowledged by
    /// [`Endpoint::acknowledge_with`](super::Endpoint::acknowledge_with), with the answer.
    pub late_offer: bool,
}

impl InviteRequest {
    /// A call without body and extras, to one target.
    pub fn new(request_uri: Uri, from: NameAddr, to: NameAddr, target: Target) -> Self {
        Self {
            request_uri,
            to,
            from,
            contact: None,
            route: Vec::new(),
            call_id: None,
            headers: Vec::new(),
            body: None,
            targets: vec![target],
            credentials: Vec::new(),
            reliable: Reliable::default(),
            session_timer: None,
            first_response_max: None,
            ringing_max: None,
            end_on_session_expiry: None,
            late_offer: false,
        }
    }
}

/// A request outside a dialog: OPTIONS or MESSAGE.
#[derive(Debug, Clone)]
pub struct QueryRequest {
    /// Whom to ask.
    pub request_uri: Uri,
    /// To, without a tag.
    pub to: NameAddr,
    /// From, without a tag.
    pub from: NameAddr,
    /// Route set.
    pub route: Vec<NameAddr>,
    /// Further rows.
    pub headers: Vec<(HeaderName, Vec<u8>)>,
    /// Body.
    pub body: Option<Body>,
    /// Where to send it.
    pub target: Target,
    /// Credentials for digest challenges.
    pub credentials: Vec<Credentials>,
}

/// A transfer to ask the peer of a call for (RFC 3515).
#[derive(Debug, Clone)]
pub struct TransferRequest {
    /// Whom the peer is to call, and in whose place.
    pub refer_to: ReferTo,
    /// Who asks (RFC 3892).
    pub referred_by: Option<NameAddr>,
    /// Whether the peer reports how it goes (RFC 4488).
    pub reports: bool,
}

impl TransferRequest {
    /// To a target, with reports.
    pub fn new(uri: Uri) -> Self {
        Self {
            refer_to: ReferTo {
                uri,
                replaces: None,
            },
            referred_by: None,
            reports: true,
        }
    }
}

/// A registration to hold.
#[derive(Debug, Clone)]
pub struct RegisterRequest {
    /// The registrar's domain, as Request-URI: `sip:example.com`.
    pub registrar: Uri,
    /// The address of record, as To and From.
    pub address_of_record: NameAddr,
    /// Contact; `None`: made from the local address.
    pub contact: Option<NameAddr>,
    /// Where to send it.
    pub target: Target,
    /// Route set.
    pub route: Vec<NameAddr>,
    /// Credentials.
    pub credentials: Vec<Credentials>,
    /// Wanted life and pauses.
    pub config: RegistrationConfig,
}

/// A refusal.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// 300 to 699.
    pub status: StatusCode,
    /// Further rows: Contact, Retry-After, Warning …
    pub headers: Vec<(HeaderName, Vec<u8>)>,
}

impl Refusal {
    /// A refusal without further rows.
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            headers: Vec::new(),
        }
    }
}
