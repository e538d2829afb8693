//! How a proxy is set up.

use core::time::Duration;
use std::sync::Arc;

use crate::message::Request;
use crate::outbound::FlowTransport;
use crate::transaction::Timers;
use crate::uri::{Host, SipUri};
use crate::{HeaderName, Limits, Uri};

/// A name of ours for one transport: what stands in our Via and Record-Route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The transport that it is for.
    pub transport: FlowTransport,
    /// Name or address that peers on this transport reach us by.
    pub host: Host,
    /// The port; `None`: the transport's own.
    pub port: Option<u16>,
}

impl Identity {
    /// Whether a URI leads to this name: the same host, and the same port, written or meant.
    #[must_use]
    pub fn is_named_by(&self, uri: &SipUri) -> bool {
        let default = self.transport.as_via().default_port();
        let port = uri.port().unwrap_or(default);
        self.host == *uri.host() && self.port.unwrap_or(default) == port
    }
}

/// Tells the requests that go before others; see [`ProxyConfig::privileged`].
pub type Privileged = Arc<dyn Fn(&Request) -> bool + Send + Sync>;

/// How a proxy is set up. Start from [`ProxyConfig::new`] and change what differs.
#[derive(Clone)]
pub struct ProxyConfig {
    /// Source of branches and keys of hashes: 32 random bytes, drawn anew at each start.
    pub seed: [u8; 32],
    /// Signs flow tokens: 32 secret random bytes, kept over restarts.
    pub flow_secret: [u8; 32],
    /// Our names, one for each transport in use. At least one.
    pub identities: Vec<Identity>,
    /// The domains that we answer for (RFC 3261 section 16.5).
    pub domains: Vec<Host>,
    /// Base values of the transaction timers.
    pub timers: Timers,
    /// Transactions that only absorb repetitions end together, at multiples of this: late by less than it, and one
    /// wake-up for many. Zero: each at its own time.
    pub endings_every: Duration,
    /// Bounds on what peers can make us hold.
    pub limits: ProxyLimits,
    /// Bounds on one message.
    pub message_limits: Limits,
    /// Value of Server in answers of our own; `None` leaves it out.
    pub server: Option<String>,
    /// Whether an INVITE may use the room that is kept free for emergencies, passes the limits of
    /// its source (as far as [`ProxyLimits::privileged_per_source_max`]), is not cancelled when
    /// its caller's connection breaks, and waits in a queue beyond timer C. By default: a
    /// Request-URI `urn:service:sos` and below. Whoever knows more numbers says so here. Other
    /// methods are not asked about.
    pub privileged: Privileged,
    /// Rows that mean something because nobody but us writes them: taken out of responses and out
    /// of requests of dialogs, whoever wrote them there. Those of a request that begins something
    /// are the decision's to remove ([`Forward::remove`](super::Forward::remove)).
    pub only_ours: Vec<HeaderName>,
}

impl ProxyConfig {
    /// The defaults, for these names and domains.
    #[must_use]
    pub fn new(
        seed: [u8; 32],
        flow_secret: [u8; 32],
        identities: Vec<Identity>,
        domains: Vec<Host>,
    ) -> Self {
        ProxyConfig {
            seed,
            flow_secret,
            identities,
            domains,
            timers: Timers::default(),
            endings_every: Duration::ZERO,
            limits: ProxyLimits::default(),
            message_limits: Limits::default(),
            server: None,
            privileged: Arc::new(|request| is_emergency_urn(&request.uri)),
            only_ours: Vec::new(),
        }
    }

    /// Our name on a transport; another of ours where there is none for it.
    pub(super) fn identity(&self, transport: FlowTransport) -> Identity {
        let exact = self.identities.iter().find(|i| i.transport == transport);
        let found = exact.or(self.identities.first()).cloned();
        found.unwrap_or(Identity {
            transport,
            host: Host::V4(std::net::Ipv4Addr::LOCALHOST),
            port: None,
        })
    }

    /// Whether a URI names this proxy itself: one of its names with its port.
    pub(super) fn is_us(&self, uri: &SipUri) -> bool {
        self.identities.iter().any(|name| name.is_named_by(uri))
            || (uri.port().is_none() && self.is_ours(uri.host()))
    }

    /// Whether we answer for a host.
    pub(super) fn is_ours(&self, host: &Host) -> bool {
        self.domains.contains(host)
    }
}

impl std::fmt::Debug for ProxyConfig {
    /// Without the secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProxyConfig")
            .field("identities", &self.identities)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// `urn:service:sos` and its sub-services (RFC 5031).
#[must_use]
pub fn is_emergency_urn(uri: &Uri) -> bool {
    uri.service()
        .is_some_and(|service| service == "sos" || service.starts_with("sos."))
}

/// Bounds on what peers can make us hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyLimits {
    /// Server transactions at once; beyond it requests get 503.
    pub transactions_max: usize,
    /// Room above that for privileged requests; half of it also for those of standing calls, so
    /// that they can be ended.
    pub transactions_reserved: usize,
    /// Server transactions of one source at once, answered or not; beyond it 503. Twice as many
    /// for requests of standing calls. A source is an IPv4 address, or the /64 of an IPv6 address.
    pub transactions_per_source_max: u32,
    /// Privileged INVITEs of one source that use the room kept free; further ones are treated as
    /// any other call.
    pub privileged_per_source_max: u32,
    /// Unanswered INVITEs of one source at once; beyond it 503.
    pub calls_per_source_max: u32,
    /// Branches of one request, over all groups.
    pub branches_max: usize,
    /// Max-Breadth of a request that names none, and the most that is honoured (RFC 5393).
    pub breadth_max: u16,
    /// How often the decision may send one request back to itself with another Request-URI.
    pub spirals_max: u8,
    /// How long an INVITE waits for a decision before it is answered with 504.
    pub decision_max: Duration,
    /// Host names that wait for the resolver at once.
    pub resolving_max: usize,
    /// Seconds in Retry-After of a 503.
    pub retry_after_s: u32,
}

impl Default for ProxyLimits {
    fn default() -> Self {
        ProxyLimits {
            transactions_max: 100_000,
            transactions_reserved: 256,
            transactions_per_source_max: 4_096,
            privileged_per_source_max: 8,
            calls_per_source_max: 64,
            branches_max: 32,
            breadth_max: 60,
            spirals_max: 8,
            decision_max: Duration::from_secs(30),
            resolving_max: 1_024,
            retry_after_s: 5,
        }
    }
}
