//! Lines to the outside telephone network, in the order in which they are tried.

use std::fmt;

use hearthline_emergency::target::{DrillTargets, SipUri as DrillUri};
use hearthline_sip::target::{Target, Transport};
use hearthline_sip::{Host, SipUri, Uri};
use hearthline_transport::Reach;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::UnixMs;
use crate::id::{DeviceId, LineId, RoomId};
use crate::number::Number;
use crate::text::Name;

/// Most lines of a household.
pub const LINES_MAX: usize = 16;
/// Most rooms, and most devices, that a line rings by name.
pub const RINGS_MAX: usize = 64;
/// Longest URI of a line's server, in bytes.
pub const SERVER_BYTES_MAX: usize = 255;
/// Longest account name, in bytes.
pub const ACCOUNT_BYTES_MAX: usize = 64;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// A SIP provider.
    SipTrunk,
    /// A landline behind an adapter (ATA, FXO gateway).
    Landline,
    /// A mobile modem.
    Modem,
}

impl LineKind {
    pub(crate) const ALL: [LineKind; 3] = [Self::SipTrunk, Self::Landline, Self::Modem];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::SipTrunk => "sip_trunk",
            Self::Landline => "landline",
            Self::Modem => "modem",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Whether a line works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineHealth {
    /// Nobody has tried yet.
    #[default]
    Unknown,
    /// The last try succeeded.
    Up,
    /// The last try failed.
    Down,
}

impl LineHealth {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Unknown, Self::Up, Self::Down]
            .into_iter()
            .find(|health| health.as_str() == text)
    }
}

/// What may be set about a line. Its secrets are given by file, never here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineFields {
    /// What people call it.
    pub name: Name,
    /// What it is.
    pub kind: LineKind,
    /// Its place in the order, from 0.
    #[schema(maximum = 255)]
    pub position: u8,
    /// The number that calls over it show.
    #[serde(default)]
    pub caller_number: Option<Number>,
    /// Where its incoming calls go when nobody answers; never an emergency number.
    #[serde(default)]
    pub forward_to: Option<Number>,
    /// Whether it is used.
    pub enabled: bool,
    /// How it is reached over SIP: providers and adapters. A line without it carries no calls.
    #[serde(default)]
    pub sip: Option<SipLine>,
    /// What unknown and withheld callers meet.
    #[serde(default)]
    pub unknown_callers: UnknownCallers,
    /// The rooms that its calls ring; with no room and no device named, every speaker and telephone of the home.
    #[serde(default, deserialize_with = "few")]
    #[schema(max_items = 64)]
    pub ring_rooms: Vec<RoomId>,
    /// The devices that its calls ring.
    #[serde(default, deserialize_with = "few")]
    #[schema(max_items = 64)]
    pub ring_devices: Vec<DeviceId>,
}

/// How a line is reached over SIP. Its password lies in a file (`gateway::LinesConfig`), never here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SipLine {
    /// The provider's or adapter's address.
    pub server: LineServer,
    /// The account's name there.
    #[serde(default)]
    pub username: Option<AccountName>,
    /// Whether the hub registers there, so that calls come in; an adapter that knows the hub's address needs none.
    #[serde(default)]
    pub register: bool,
    /// Whether drills of the emergency call go over it; without this none ever does.
    #[serde(default)]
    pub drill: Option<DrillAddress>,
}

/// How the drill call-taker behind a line is addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DrillAddress {
    /// By the service, `urn:service:sos`.
    Service,
    /// By the home's emergency number, for what knows telephone numbers only.
    Number,
}

impl DrillAddress {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Number => "number",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Service, Self::Number]
            .into_iter()
            .find(|address| address.as_str() == text)
    }
}

/// What callers meet who are no contact, or show no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownCallers {
    /// It rings, and says that the caller is unknown.
    #[default]
    Ring,
    /// They hear the busy tone. A call-taker's callback after an emergency call rings all the same.
    Busy,
    /// It does not ring: they can say who they are in a message. Where the home has no mailbox they hear the busy tone;
    /// a call-taker's callback rings all the same.
    Message,
}

impl UnknownCallers {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::Busy => "busy",
            Self::Message => "message",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Ring, Self::Busy, Self::Message]
            .into_iter()
            .find(|choice| choice.as_str() == text)
    }
}

/// Why a text is no line's server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineServerError {
    /// Not a URI of a server.
    #[error(
        "it is no address of a SIP server; write sip:ADDRESS:PORT, with ;transport=tcp or ;transport=tls where the line wants it"
    )]
    Shape,
    /// Beyond this machine.
    #[error(
        "a line's server lies on this machine for now: write sip:127.0.0.1:PORT or sip:localhost:PORT; others are refused"
    )]
    OutOfReach,
}

/// A line's server: `sip:127.0.0.1:5060;transport=tcp`. No name beside `localhost` is asked of a DNS.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, max_length = 255)]
pub struct LineServer(Server);

#[derive(Clone, PartialEq, Eq)]
struct Server {
    uri: SipUri,
    target: Target,
}

impl LineServer {
    /// Reads a `sip:` or `sips:` URI without a user.
    ///
    /// # Errors
    /// [`LineServerError`].
    pub fn new(text: &str) -> Result<Self, LineServerError> {
        let text = text.trim();
        if text.len() > SERVER_BYTES_MAX {
            return Err(LineServerError::Shape);
        }
        let Ok(Uri::Sip(uri)) = Uri::parse(text) else {
            return Err(LineServerError::Shape);
        };
        let known = |(name, _): (&str, Option<&str>)| name.eq_ignore_ascii_case("transport");
        let plain = uri.user().is_none() && uri.headers().is_empty();
        if !plain || !uri.params().iter().all(known) {
            return Err(LineServerError::Shape);
        }
        let named = uri.params().get("transport");
        let transport = match (named.map(Transport::from_name), uri.is_secure()) {
            (Some(None), _) | (Some(Some(Transport::Udp)), true) => {
                return Err(LineServerError::Shape);
            }
            (_, true) => Transport::Tls,
            (Some(Some(transport)), false) => transport,
            (None, false) => Transport::Udp,
        };
        let local = uri.host().to_string().eq_ignore_ascii_case("localhost");
        let ip = match uri.host() {
            Host::Name(_) if local => std::net::Ipv4Addr::LOCALHOST.into(),
            host => host.ip().ok_or(LineServerError::OutOfReach)?,
        };
        let port = uri.port().unwrap_or(transport.default_port());
        let mut target = Target::new(transport, (ip, port).into());
        if Reach::LoopbackOnly.check(target.remote).is_err() {
            return Err(LineServerError::OutOfReach);
        }
        if local {
            target.server_name = Some("localhost".to_owned());
        }
        Ok(Self(Server { uri, target }))
    }

    /// Where its requests are sent.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.0.target
    }

    /// The URI.
    #[must_use]
    pub fn uri(&self) -> &SipUri {
        &self.0.uri
    }

    /// Whether a drill may go there (DESIGN invariant 6).
    #[must_use]
    pub fn permits(&self, targets: &DrillTargets) -> bool {
        DrillUri::parse(&self.0.uri.to_string()).is_ok_and(|uri| targets.permit(&uri))
    }
}

impl fmt::Debug for LineServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LineServer(…)")
    }
}

impl TryFrom<String> for LineServer {
    type Error = LineServerError;
    fn try_from(text: String) -> Result<Self, LineServerError> {
        Self::new(&text)
    }
}

impl From<LineServer> for String {
    fn from(server: LineServer) -> String {
        server.0.uri.to_string()
    }
}

/// Not an account's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an account's name has 1 to {ACCOUNT_BYTES_MAX} letters, digits and . _ + @ - signs")]
pub struct AccountNameError;

/// The name of an account at a provider; often a telephone number, so never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 64)]
pub struct AccountName(String);

impl AccountName {
    /// Checks.
    ///
    /// # Errors
    /// [`AccountNameError`].
    pub fn new(text: &str) -> Result<Self, AccountNameError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._+@-".contains(&byte);
        if text.is_empty() || text.len() > ACCOUNT_BYTES_MAX || !text.bytes().all(allowed) {
            return Err(AccountNameError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountName(…)")
    }
}

impl TryFrom<String> for AccountName {
    type Error = AccountNameError;
    fn try_from(text: String) -> Result<Self, AccountNameError> {
        Self::new(&text)
    }
}

impl From<AccountName> for String {
    fn from(name: AccountName) -> String {
        name.0
    }
}

fn few<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    let all = Vec::<T>::deserialize(from)?;
    if all.len() > RINGS_MAX {
        let most = format!("a line rings at most {RINGS_MAX} of them by name");
        return Err(serde::de::Error::custom(most));
    }
    Ok(all)
}

/// Why a line does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineTrouble {
    /// It is not set up for calls: no server.
    NotSetUp,
    /// Its password's file is missing, cannot be read, or holds no password.
    NoPassword,
    /// The server refuses the account or its password.
    AccountRefused,
    /// The server cannot be reached: no connection, or TLS is refused.
    Unreachable,
    /// The server says nothing.
    Silent,
    /// The server answers that it does not work.
    ServerFails,
    /// The server answered a call with what cannot be used: no session description, or one that does not read.
    Unusable,
    /// Our own calls come back over it.
    Loops,
}

impl LineTrouble {
    pub(crate) const ALL: [LineTrouble; 8] = [
        Self::NotSetUp,
        Self::NoPassword,
        Self::AccountRefused,
        Self::Unreachable,
        Self::Silent,
        Self::ServerFails,
        Self::Unusable,
        Self::Loops,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NotSetUp => "not_set_up",
            Self::NoPassword => "no_password",
            Self::AccountRefused => "account_refused",
            Self::Unreachable => "unreachable",
            Self::Silent => "silent",
            Self::ServerFails => "server_fails",
            Self::Unusable => "unusable",
            Self::Loops => "loops",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|trouble| trouble.as_str() == text)
    }
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Line {
    /// Id.
    pub id: LineId,
    /// What may be set.
    #[serde(flatten)]
    pub fields: LineFields,
    /// Whether it works.
    pub health: LineHealth,
    /// Since when it has been so.
    pub health_since_ms: Option<UnixMs>,
    /// Why it does not work.
    pub trouble: Option<LineTrouble>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_address_of_this_machine_and_says_how_it_is_reached() {
        for (text, transport, port) in [
            ("sip:127.0.0.1", Transport::Udp, 5060),
            ("sip:127.0.0.1:5070;transport=tcp", Transport::Tcp, 5070),
            ("sip:[::1]:5070;transport=TLS", Transport::Tls, 5070),
            ("sips:localhost", Transport::Tls, 5061),
        ] {
            let server = LineServer::new(text).unwrap();
            assert_eq!(
                (server.target().transport, server.target().remote.port()),
                (transport, port),
                "{text}"
            );
            assert!(server.permits(&DrillTargets::loopback()));
        }
        for far in [
            "sip:192.0.2.1",
            "sip:sip.example.com",
            "sip:[2001:db8::1]:5060",
        ] {
            assert_eq!(
                LineServer::new(far),
                Err(LineServerError::OutOfReach),
                "{far}"
            );
        }
        for wrong in [
            "",
            "127.0.0.1",
            "tel:+12025550123",
            "sip:user@127.0.0.1",
            "sip:127.0.0.1;maddr=192.0.2.1",
            "sip:127.0.0.1;transport=sctp",
            "sips:127.0.0.1;transport=udp",
            "sip:127.0.0.1?Route=%3Csip:example.com%3E",
        ] {
            assert_eq!(
                LineServer::new(wrong),
                Err(LineServerError::Shape),
                "{wrong}"
            );
        }
    }

    #[test]
    fn an_account_is_never_shown() {
        let name = AccountName::new("+12025550123").unwrap();
        assert_eq!(format!("{name:?}"), "AccountName(…)");
        assert!(AccountName::new("a b").is_err() && AccountName::new("").is_err());
    }
}
