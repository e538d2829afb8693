//! A binding: one row of the location table, with Kamailio's columns.

use core::time::Duration;
use std::fmt;
use std::net::IpAddr;

use crate::name_addr::NameAddr;
use crate::outbound::{FlowId, FlowTransport, Hop};
use crate::proxy::Way;
use crate::uri::{Host, SipUri};

/// An address of record in canonical form, `sip:user@domain`: what registrations and accounts
/// are compared by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Aor(String);

impl Aor {
    /// The address of record of a URI in one of `domains`; parameters, port and the difference
    /// of `sips` do not count (RFC 3261 section 10.3 step 5). `None`: no user, or another domain.
    #[must_use]
    pub fn of(uri: &SipUri, domains: &[Host]) -> Option<Aor> {
        let user = uri.user()?;
        domains
            .contains(uri.host())
            .then(|| Aor(format!("sip:{user}@{}", uri.host())))
    }

    /// As text, for the `aor` column.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads the `aor` column; `None`: it is none.
    #[must_use]
    pub fn from_column(text: &str) -> Option<Aor> {
        let uri: crate::Uri = text.parse().ok()?;
        let uri = uri.as_sip()?;
        Aor::of(uri, std::slice::from_ref(uri.host()))
    }

    /// As a URI.
    #[must_use]
    pub fn to_uri(&self) -> SipUri {
        let uri: Result<crate::Uri, _> = self.0.parse();
        match uri {
            Ok(crate::Uri::Sip(uri)) => uri,
            _ => unreachable!("an address of record is made of a SIP URI"),
        }
    }
}

impl fmt::Display for Aor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The parameter of a stored contact with the address that it was registered from.
pub(super) const RECEIVED: &str = "received";

/// Whether a URI leads to this address and nowhere else: its host, and its `maddr` if it has one.
pub(super) fn leads_to(uri: &SipUri, address: IpAddr) -> bool {
    let is = |host: &Host| host.ip().map(|ip| ip.to_canonical()) == Some(address.to_canonical());
    let maddr = uri.params().get("maddr").map(Host::parse);
    is(uri.host()) && maddr.is_none_or(|maddr| maddr.is_ok_and(|host| is(&host)))
}

/// What identifies a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BindingKey {
    /// The user.
    pub aor: Aor,
    /// The row's own number.
    pub ruid: u64,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The user.
    pub aor: Aor,
    /// The row's own number; stays the same as long as the binding lives.
    pub ruid: u64,
    /// The device, `urn:uuid:…` without brackets, where it says so (RFC 5626 section 4.1).
    pub instance_id: Option<String>,
    /// Which of the device's flows; 0: it does not register flows.
    pub reg_id: u32,
    /// The contact with all its parameters but `expires` and the GRUUs, and with `received`: the
    /// address that the device itself registered from. It is kept with the contact and never
    /// taken from a device nor told to one.
    pub contact: NameAddr,
    /// The route to it, nearest to us first (RFC 3327).
    pub path: Vec<NameAddr>,
    /// The flow that it registered by, where nobody stands between the device and us.
    pub flow: Option<(FlowId, FlowTransport)>,
    /// Call-ID of the last REGISTER.
    pub call_id: String,
    /// CSeq of the last REGISTER.
    pub cseq: u32,
    /// When it ends.
    pub expires_at: Duration,
    /// When it was last registered; the newest of a device's bindings is tried first.
    pub updated_at: Duration,
    /// Preference in thousandths; 1000 where nothing is said.
    pub q: u16,
    /// User-Agent, cut to 128 bytes.
    pub user_agent: Option<String>,
    /// The number behind the temporary GRUUs; 0: none.
    pub gruu_id: u64,
}

impl Binding {
    /// The row's key.
    #[must_use]
    pub fn key(&self) -> BindingKey {
        BindingKey {
            aor: self.aor.clone(),
            ruid: self.ruid,
        }
    }

    /// Whether the device can be reached by its flow alone: it registered one (RFC 5626), it
    /// listens nowhere (RFC 7118), or its contact is not where it registered from, so that
    /// without the flow a call would go wherever the device likes.
    #[must_use]
    pub fn needs_its_flow(&self) -> bool {
        self.reg_id != 0
            || self
                .flow
                .is_some_and(|(_, transport)| transport.is_websocket())
            || (self.path.is_empty() && !self.is_where_it_came_from())
    }

    fn is_where_it_came_from(&self) -> bool {
        let received = self.contact.params.get(RECEIVED);
        let received = received.and_then(|text| text.parse().ok());
        let uri = self.contact.uri.as_sip();
        uri.zip(received)
            .is_some_and(|(uri, received)| leads_to(uri, received))
    }

    /// The way to the device.
    #[must_use]
    pub fn way(&self) -> Way {
        let hop = self.flow.map(|(id, transport)| Hop::Flow { id, transport });
        Way {
            uri: self.contact.uri.clone(),
            route: self.path.clone(),
            hop: hop.filter(|_| self.path.is_empty()),
        }
    }
}
