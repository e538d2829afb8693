//! One line: where it is, whose account it is, how we know its calls.

use std::time::Duration;

use hearthline_sip::endpoint::{Credentials, Endpoint, QueryHandle, RegistrationHandle, Source};
use hearthline_sip::target::Target;
use hearthline_sip::{NameAddr, Request, SipUri, Uri};
use ring::hmac;

use super::{DialPlan, LineSetup};
use crate::id::LineId;
use crate::line::{
    AccountName, DrillAddress, LineHealth, LineKind, LineServer, LineTrouble, SipLine,
};
use crate::number::Number;

/// Bytes of a contact's name that nobody guesses.
const CONTACT_BYTES: usize = 10;

/// A line and what is known of it.
pub(super) struct Trunk {
    pub(super) setup: LineSetup,
    /// The user part of our Contact there: who calls it was told so by the line's server.
    pub(super) contact_user: String,
    pub(super) registration: Option<RegistrationHandle>,
    pub(super) registered: bool,
    /// The question that is out, and when it counts as unanswered.
    pub(super) probe: Option<(QueryHandle, Duration)>,
    /// When the next is asked, or the next registration is tried; `None`: never.
    pub(super) probe_at: Option<Duration>,
    pub(super) health: LineHealth,
    pub(super) trouble: Option<LineTrouble>,
}

impl Trunk {
    pub(super) fn new(setup: LineSetup, secret: &[u8; 32]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let tag = hmac::sign(&key, format!("line contact {}", setup.line.id).as_bytes());
        let hex: String = tag.as_ref()[..CONTACT_BYTES]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            contact_user: format!("line-{hex}"),
            registration: None,
            registered: false,
            probe: None,
            probe_at: Some(Duration::ZERO),
            health: setup.line.health,
            trouble: setup.line.trouble,
            setup,
        }
    }

    pub(super) fn id(&self) -> LineId {
        self.setup.line.id
    }

    pub(super) fn sip(&self) -> Option<&SipLine> {
        self.setup.line.fields.sip.as_ref()
    }

    pub(super) fn server(&self) -> Option<&LineServer> {
        self.sip().map(|sip| &sip.server)
    }

    pub(super) fn credentials(&self) -> Vec<Credentials> {
        let own = self.setup.credentials.as_ref().ok();
        own.and_then(Option::as_ref).cloned().into_iter().collect()
    }

    /// Why it cannot be used at all.
    pub(super) fn obstacle(&self) -> Option<LineTrouble> {
        match (&self.setup.line.fields.sip, &self.setup.credentials) {
            (None, _) => Some(LineTrouble::NotSetUp),
            (Some(_), Err(())) => Some(LineTrouble::NoPassword),
            (Some(_), Ok(_)) => None,
        }
    }

    pub(super) fn is_usable(&self) -> bool {
        self.setup.line.fields.enabled && self.obstacle().is_none()
    }

    /// How drills go over it; `None`: they do not.
    pub(super) fn drill(&self) -> Option<DrillAddress> {
        self.sip()?.drill.filter(|_| self.is_usable())
    }

    pub(super) fn next_timeout(&self) -> Option<Duration> {
        if !self.is_usable() {
            return None;
        }
        match self.probe {
            Some((_, until)) => Some(until),
            None => self.probe_at,
        }
    }

    /// Whether a request came from this line: over the connection that leads to it, from its very address, or from its
    /// machine to the contact that only it was told. A line by TLS is believed over TLS alone.
    pub(super) fn sent(&self, request: &Request, source: &Source) -> bool {
        let Some(target) = self.server().map(LineServer::target) else {
            return false;
        };
        if !self.setup.line.fields.enabled || source.transport != target.transport {
            return false;
        }
        let named = request.uri.as_sip().and_then(SipUri::user) == Some(&self.contact_user);
        source.remote == target.remote || (named && source.remote.ip() == target.remote.ip())
    }

    /// Our Contact there.
    pub(super) fn contact(&self, outside: &Endpoint, target: &Target) -> NameAddr {
        let local = outside.config().local.iter();
        let own = local
            .clone()
            .find(|(transport, _)| *transport == target.transport)
            .or_else(|| outside.config().local.first());
        let address = own.map_or(target.remote, |(_, address)| *address);
        let mut uri = SipUri::new(address.ip().into())
            .with_port(address.port())
            .with_user(&self.contact_user);
        if target.transport.is_reliable() {
            uri = uri.with_param("transport", Some(target.transport.as_param()));
        }
        NameAddr::new(uri)
    }

    /// A user at this line's server.
    pub(super) fn user_at(&self, server: &LineServer, user: &str) -> SipUri {
        let own = server.uri();
        let mut uri = SipUri::new(own.host().clone())
            .with_secure(own.is_secure())
            .with_user(user);
        if let Some(port) = own.port() {
            uri = uri.with_port(port);
        }
        uri
    }

    /// The account's address of record, or, without an account, the number that the line shows.
    pub(super) fn account(&self, server: &LineServer) -> SipUri {
        let fields = &self.setup.line.fields;
        let username = self.sip().and_then(|sip| sip.username.as_ref());
        let user = username
            .map(AccountName::as_str)
            .or(fields.caller_number.as_ref().map(Number::as_str));
        self.user_at(server, user.unwrap_or("hearthline"))
    }

    /// What our calls show: the line's number, else its account.
    pub(super) fn identity(&self, server: &LineServer) -> SipUri {
        match &self.setup.line.fields.caller_number {
            Some(number) => self.user_at(server, number.as_str()),
            None => self.account(server),
        }
    }

    /// A number as this line dials it.
    pub(super) fn number_uri(
        &self,
        server: &LineServer,
        number: &Number,
        plan: &DialPlan,
    ) -> Option<Uri> {
        let user = match self.setup.line.fields.kind {
            LineKind::Landline => plan.as_dialled(number)?,
            LineKind::SipTrunk | LineKind::Modem => number.as_str().to_owned(),
        };
        let uri = self.user_at(server, &user);
        Some(uri.with_param("user", Some("phone")).into())
    }
}
