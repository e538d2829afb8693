//! The device's place at its hub: a registration on one connection, kept alive and made anew (RFC 5626).
use core::time::Duration;
use std::net::SocketAddr;

use hearthline_sip::endpoint::{
    CommandError, Endpoint, RegisterRequest, RegistrationConfig, RegistrationHandle, Target,
    Transport,
};
use hearthline_sip::gruu::Gruus;
use hearthline_sip::outbound::{FlowKeeper, FlowTransport, KeepAliveStep};
use hearthline_sip::tokens::Tokens;
use hearthline_sip::{HeaderName, Host, NameAddr, Response, SipUri};

use super::screening::DropIn;
use super::trust::DeviceKeys;

/// Asked of the hub, in seconds.
const EXPIRES_S: u32 = 600;
/// First pause after a failure; doubles.
const PAUSE_BASE: Duration = Duration::from_secs(2);
/// Longest pause: a hub that was away is found again within it.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// After a refusal that repeating does not mend, such as a revoked certificate.
const REFUSED_PAUSE: Duration = Duration::from_secs(300);
/// A house full of speakers does not come back in one moment.
const SPREAD_MS: u64 = 500;

/// How a device belongs to a home.
#[derive(Debug, Clone)]
pub struct HomeConfig {
    /// The hub's SIP address.
    pub hub: Target,
    /// Domain of the home's addresses.
    pub domain: Host,
    /// Our user part: the device's id.
    pub user: String,
    /// Names this device over all its connections: `urn:uuid:…` (RFC 5626 section 4.1).
    pub instance: String,
    /// Where we are for SIP; the hub uses our connection, not this.
    pub contact: SocketAddr,
    /// Even ports for sound, RTCP one above; one for each call at once.
    pub ports: Vec<SocketAddr>,
    /// Whether the hub's people may drop in.
    pub drop_in: DropIn,
    /// What protects calls between devices.
    pub keys: DeviceKeys,
    /// The keys of other devices, as [`Output::KnownKeys`](super::Output::KnownKeys) gave them in an earlier run.
    pub known_keys: Vec<u8>,
}

impl HomeConfig {
    /// Our address of record.
    #[must_use]
    pub fn address_of_record(&self) -> NameAddr {
        NameAddr::new(SipUri::new(self.domain.clone()).with_user(&self.user))
    }
}

/// What the registration wants sent.
pub(super) enum Wire {
    /// A keep-alive.
    Ping,
    /// The connection is dead.
    Close,
}

/// The registration.
pub(super) struct Home {
    pub(super) config: HomeConfig,
    handle: Option<RegistrationHandle>,
    stands: bool,
    keeper: Option<FlowKeeper>,
    again_at: Option<Duration>,
}

impl Home {
    pub(super) fn new(config: HomeConfig) -> Self {
        Self {
            config,
            handle: None,
            stands: false,
            keeper: None,
            again_at: None,
        }
    }

    /// Whether the hub holds a registration of ours.
    pub(super) fn stands(&self) -> bool {
        self.stands
    }

    pub(super) fn owns(&self, registration: RegistrationHandle) -> bool {
        self.handle == Some(registration)
    }

    /// Whether this is the connection to the hub.
    pub(super) fn is_hub(&self, transport: Transport, remote: SocketAddr) -> bool {
        transport == self.config.hub.transport && remote == self.config.hub.remote
    }

    /// Registers, for the first time or anew.
    pub(super) fn register(
        &mut self,
        endpoint: &mut Endpoint,
        now: Duration,
    ) -> Result<(), CommandError> {
        self.again_at = None;
        if let Some(handle) = self.handle
            && endpoint.register_again(handle, now).is_ok()
        {
            return Ok(());
        }
        let config = &self.config;
        let mut contact = NameAddr::new(
            SipUri::new(Host::from(config.contact.ip()))
                .with_user("speaker")
                .with_port(config.contact.port())
                .with_param("transport", Some(config.hub.transport.as_param())),
        );
        let instance = format!("<{}>", config.instance);
        contact.params.set_quoted("+sip.instance", &instance);
        contact.params.set("reg-id", "1");
        let request = RegisterRequest {
            registrar: SipUri::new(config.domain.clone()).into(),
            address_of_record: config.address_of_record(),
            contact: Some(contact),
            target: config.hub.clone(),
            route: Vec::new(),
            credentials: Vec::new(),
            config: RegistrationConfig {
                expires_s: EXPIRES_S,
                pause_base: PAUSE_BASE,
                pause_max: PAUSE_MAX,
            },
        };
        self.handle = Some(endpoint.register(request, now)?);
        Ok(())
    }

    /// The hub took it; true when it did not stand before.
    pub(super) fn registered(
        &mut self,
        response: &Response,
        tokens: &mut Tokens,
        now: Duration,
    ) -> bool {
        let flow_timer = response
            .headers
            .get_str(&HeaderName::FlowTimer)
            .and_then(|seconds| seconds.trim().parse().ok())
            .map(Duration::from_secs);
        let transport = FlowTransport::from(self.config.hub.transport);
        self.keeper = Some(FlowKeeper::new(transport, flow_timer, tokens, now));
        !core::mem::replace(&mut self.stands, true)
    }

    /// The hub gave us a name of our own: who has us in a call reaches us by it from anywhere (RFC 5627 section 4.4), so a
    /// telephone can put somebody through to us.
    pub(super) fn take_name(&self, response: &Response, endpoint: &mut Endpoint) {
        let HomeConfig { hub, instance, .. } = &self.config;
        let aor = self.config.address_of_record();
        let aor = aor.uri.as_sip();
        let name = aor.and_then(|aor| Gruus::granted(response, aor, instance));
        if let Some(name) = name {
            endpoint.set_contact(hub, Some(NameAddr::new(name)));
        }
    }

    /// It does not stand. Without another attempt by the endpoint we make one ourselves, later.
    pub(super) fn failed(&mut self, retry_at: Option<Duration>, now: Duration) {
        self.stands = false;
        self.keeper = None;
        if retry_at.is_none() {
            self.handle = None;
            self.again_at = Some(now + REFUSED_PAUSE);
        }
    }

    /// Bytes came on the hub's connection: it lives.
    pub(super) fn heard(&mut self, tokens: &mut Tokens, now: Duration) {
        if let Some(keeper) = &mut self.keeper {
            keeper.handle_pong(tokens, now);
        }
    }

    /// The connection is gone: a new one soon (section 4.5).
    pub(super) fn closed(&mut self, tokens: &mut Tokens, now: Duration) {
        self.keeper = None;
        if core::mem::replace(&mut self.stands, false) {
            let pause = Duration::from_millis(tokens.below(SPREAD_MS));
            self.again_at = Some(now + pause);
        }
    }

    /// The connection is a new one from another address: it is told at once (section 4.5).
    pub(super) fn moved(&mut self, now: Duration) {
        self.keeper = None;
        self.stands = false;
        self.again_at = Some(now);
    }

    /// What is due.
    pub(super) fn handle_timeout(
        &mut self,
        endpoint: &mut Endpoint,
        tokens: &mut Tokens,
        now: Duration,
    ) -> Option<Wire> {
        if self.again_at.is_some_and(|at| at <= now) && self.register(endpoint, now).is_err() {
            self.again_at = Some(now + PAUSE_MAX);
        }
        let step = self.keeper.as_mut()?.handle_timeout(now);
        match step {
            KeepAliveStep::Wait => None,
            KeepAliveStep::Ping => Some(Wire::Ping),
            KeepAliveStep::FlowFailed => {
                self.closed(tokens, now);
                Some(Wire::Close)
            }
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        let keeper = self.keeper.as_ref().map(FlowKeeper::next_timeout);
        [keeper, self.again_at].into_iter().flatten().min()
    }
}
