//! The LoST client (RFC 5222 §4, RFC 6881 ED-52…55), without sockets: it says what to post and is told what came back.

use core::time::Duration;
use std::collections::VecDeque;

use crate::civic::CivicAddress;
use crate::geodetic::Shape;
use crate::lost::{
    Expires, FindService, FindServiceResponse, ListServicesByLocation, LostErrorKind, LostLocation,
    LostParseError, LostRequest, LostWarning, Mapping, PROFILE_CIVIC,
};
use crate::service::ServiceUrn;
use crate::target::{DrillTargets, HttpUrl, SipUri};
use crate::timestamp::Timestamp;

pub(crate) use self::exchange::{Exchange, Step};

mod cache;
mod exchange;

/// Most services one client keeps asking for.
pub const SERVICES_MAX: usize = 16;
/// Most mappings in the cache.
pub const MAPPINGS_MAX: usize = 32;
/// Most redirects followed in one query (RFC 5222 §13.3).
pub const REDIRECTS_MAX: usize = 4;
/// Shortest time between two queries for one mapping, in milliseconds, however soon it expires.
pub const REFRESH_MS_MIN: u64 = 30_000;

/// Where to ask and how long to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostConfig {
    /// Servers, the preferred first (RFC 6881 ED-50, ED-51).
    pub servers: Vec<HttpUrl>,
    /// Servers a redirect may name, with their URLs: what U-NAPTR would answer (RFC 5222 §4). A name that is not here
    /// is asked at the redirecting server's scheme, port and path.
    pub names: Vec<(String, HttpUrl)>,
    /// Where a drill's queries may go; servers and redirects outside are not asked.
    pub targets: DrillTargets,
    /// How long one server has to answer outside a call, in milliseconds.
    pub answer_ms_max: u64,
    /// Wait after a failed start-up query, in milliseconds; doubled up to `retry_ms_max`.
    pub retry_ms: u64,
    /// Longest wait between two queries that fail, in milliseconds.
    pub retry_ms_max: u64,
    /// Longest time between two refreshes whatever `expires` says, in milliseconds (ED-30: about daily).
    pub refresh_ms_max: u64,
}

/// Identifies one HTTP request of one client or call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LostRequestId(pub u64);

/// An HTTP POST to make: media type `application/lost+xml`, `Cache-Control: no-cache` (RFC 5222 §14).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostPost {
    /// Given back with the reply.
    pub request: LostRequestId,
    /// Where to.
    pub url: HttpUrl,
    /// The document.
    pub body: Vec<u8>,
    /// After so long the answer is no longer awaited; the connection may be closed.
    pub give_up_after: Duration,
}

/// What came back from a [`LostPost`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LostReply<'a> {
    /// An HTTP response.
    Http {
        /// Status code.
        status: u16,
        /// Content-Type, empty when absent.
        content_type: &'a str,
        /// Body.
        body: &'a [u8],
    },
    /// No HTTP response: refused, reset, timed out, name not found, TLS failed.
    Failed,
}

/// What a client wants next.
#[derive(Debug, Clone, PartialEq)]
pub enum LostOutput {
    /// Make this request.
    Post(LostPost),
    /// Something worth a line in the record.
    Event(LostEvent),
    /// The cache has changed: write [`LostClient::cache_bytes`] to disk.
    CacheChanged,
    /// Nothing to do until then; none for ever.
    Timeout(Option<Duration>),
}

/// What happened to a query.
#[derive(Debug, Clone, PartialEq)]
pub enum LostEvent {
    /// A mapping came.
    Mapped {
        /// The server that made it.
        source: String,
        /// Servers it passed.
        path: Vec<String>,
        /// Warnings with it.
        warnings: Vec<LostWarning>,
        /// Names of civic elements the server knows to be wrong.
        invalid: Vec<String>,
    },
    /// A server sent us to another one.
    Redirected {
        /// To which.
        target: String,
    },
    /// A server gave nothing usable.
    Failed(LostFailure),
}

/// Why a server gave no mapping.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LostFailure {
    /// An error of RFC 5222 §13.1.
    #[error("the server answered {}", .0.name())]
    Error(LostErrorKind),
    /// An HTTP status outside 2xx (§14: its body is ignored).
    #[error("HTTP status {0}")]
    Http(u16),
    /// Not `application/lost+xml`.
    #[error("the answer is not application/lost+xml")]
    ContentType,
    /// Not readable.
    #[error("the answer is not readable: {0}")]
    Unreadable(LostParseError),
    /// No HTTP response.
    #[error("no HTTP response")]
    NoResponse,
    /// Not within the deadline.
    #[error("no answer in time")]
    TooSlow,
    /// Too many redirects, or one in a circle.
    #[error("redirected too often or in a circle")]
    RedirectLoop,
    /// A server or redirect outside the drill.
    #[error("the server lies outside the drill")]
    OutsideTheDrill,
    /// An answer to another question, or one without a usable URI.
    #[error("the answer does not fit the question: {0}")]
    DoesNotFit(&'static str),
    /// No server is configured.
    #[error("no LoST server is configured")]
    NoServer,
}

/// A mapping kept for later, with what it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct CachedMapping {
    /// The service asked for.
    pub service: ServiceUrn,
    /// Digest of the location asked for.
    pub location: u64,
    /// The mapping.
    pub mapping: Mapping,
    /// When it came.
    pub received: Timestamp,
}

/// What a call takes from the client: servers to race and what is cached.
#[derive(Debug, Clone, PartialEq)]
pub struct LostAtCall {
    /// Servers to ask.
    pub servers: Vec<HttpUrl>,
    /// Servers a redirect may name.
    pub names: Vec<(String, HttpUrl)>,
    /// The cached mapping, and whether it has expired.
    pub cached: Option<(CachedMapping, bool)>,
}

impl LostAtCall {
    /// Neither server nor cache: the call goes without a route at once.
    pub fn nothing() -> Self {
        LostAtCall {
            servers: Vec::new(),
            names: Vec::new(),
            cached: None,
        }
    }
}

impl Default for LostConfig {
    /// No server, loopback only, and the times this product uses.
    fn default() -> Self {
        LostConfig {
            servers: Vec::new(),
            names: Vec::new(),
            targets: DrillTargets::loopback(),
            answer_ms_max: 5_000,
            retry_ms: 5_000,
            retry_ms_max: 600_000,
            refresh_ms_max: 86_400_000,
        }
    }
}

/// The locations of a LoST query: the geodetic one first, which every server can place (RFC 5222 §12).
pub fn locations_of(civic: Option<&CivicAddress>, shape: Option<&Shape>) -> Vec<LostLocation> {
    let mut locations = Vec::new();
    // The profile geodetic-2d knows these shapes (§12.2); others stay in the PIDF-LO alone.
    if let Some(shape) = shape.filter(|shape| !matches!(shape, Shape::Other { .. })) {
        locations.push(LostLocation::geodetic("geodetic", shape.clone()));
    }
    if let Some(civic) = civic.filter(|civic| !civic.is_empty()) {
        locations.push(LostLocation::civic("civic", civic.clone()));
    }
    locations
}

/// A digest by which a changed location is noticed (FNV-1a; it protects nothing).
pub fn digest_of(locations: &[LostLocation]) -> u64 {
    let request = LostRequest::ListServicesByLocation(ListServicesByLocation {
        locations: locations.to_vec(),
        service: None,
        path: Vec::new(),
        recursive: false,
    });
    request
        .to_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
}

/// The URI a call is routed to: `sips` before `sip`, else none.
pub fn route_of(mapping: &Mapping) -> Option<SipUri> {
    let uris: Vec<SipUri> = mapping
        .uris
        .iter()
        .filter_map(|uri| SipUri::parse(uri).ok())
        .collect();
    uris.iter()
        .find(|uri| uri.is_sips())
        .or_else(|| uris.first())
        .cloned()
}

/// The query for one service.
#[derive(Debug)]
struct Entry {
    service: ServiceUrn,
    exchange: Option<Exchange>,
    ask_at: Option<Duration>,
    wait_ms: u64,
}

/// The client of one household: asks at start, keeps the answer, refreshes it on expiry.
#[derive(Debug)]
pub struct LostClient {
    config: LostConfig,
    locations: Vec<LostLocation>,
    location: Option<u64>,
    entries: Vec<Entry>,
    cache: Vec<CachedMapping>,
    outputs: VecDeque<LostOutput>,
    next_request: u64,
    last_answer: Option<FindServiceResponse>,
}

impl LostClient {
    /// A client with an empty cache.
    pub fn new(config: LostConfig) -> Self {
        LostClient {
            config,
            locations: Vec::new(),
            location: None,
            entries: Vec::new(),
            cache: Vec::new(),
            outputs: VecDeque::new(),
            next_request: 1,
            last_answer: None,
        }
    }

    /// Restores the cache from disk, and says how many mappings it held.
    ///
    /// # Errors
    /// [`CacheError`]; what stood before the error is restored, and the client works either way.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<usize, CacheError> {
        let (mappings, result) = cache::read(bytes);
        let count = mappings.len();
        for mapping in mappings {
            self.keep(mapping);
        }
        result.map(|()| count)
    }

    /// The cache as bytes for disk.
    pub fn cache_bytes(&self) -> Vec<u8> {
        cache::write(&self.cache)
    }

    /// Asks these servers, from the next question on.
    pub fn set_servers(&mut self, servers: Vec<HttpUrl>) {
        self.config.servers = servers;
    }

    /// Asks for these services at this place from now on, and again on expiry or when the place changes.
    pub fn start(
        &mut self,
        locations: Vec<LostLocation>,
        services: Vec<ServiceUrn>,
        now: Duration,
        wall: Timestamp,
    ) {
        self.location = Some(digest_of(&locations));
        self.locations = locations;
        self.entries = services
            .into_iter()
            .take(SERVICES_MAX)
            .map(|service| Entry {
                service,
                exchange: None,
                ask_at: Some(now),
                wait_ms: self.config.retry_ms,
            })
            .collect();
        self.handle_timeout(now, wall);
    }

    /// Takes what came back.
    pub fn handle_reply(
        &mut self,
        request: LostRequestId,
        reply: &LostReply<'_>,
        now: Duration,
        wall: Timestamp,
    ) {
        for index in 0..self.entries.len() {
            let Some(exchange) = &mut self.entries[index].exchange else {
                continue;
            };
            if exchange.awaits(request) {
                let step = exchange.handle_reply(reply, &mut self.next_request, now);
                self.take_step(index, step, now, wall);
                return;
            }
        }
    }

    /// Takes the passing of time.
    pub fn handle_timeout(&mut self, now: Duration, wall: Timestamp) {
        for index in 0..self.entries.len() {
            let entry = &mut self.entries[index];
            if let Some(exchange) = &mut entry.exchange {
                if exchange.deadline().is_some_and(|deadline| deadline <= now) {
                    let step = exchange.handle_too_slow(&mut self.next_request, now);
                    self.take_step(index, step, now, wall);
                }
            } else if entry.ask_at.is_some_and(|at| at <= now) && !self.locations.is_empty() {
                entry.ask_at = None;
                let find = FindService {
                    locations: self.locations.clone(),
                    service: Some(entry.service.clone()),
                    path: Vec::new(),
                    // Validation rides along with the set-up query (RFC 6881 ED-43), never with a call's.
                    validate_location: self
                        .locations
                        .iter()
                        .any(|own| own.profile == PROFILE_CIVIC),
                    boundary_by_value: false,
                    recursive: true,
                };
                let (exchange, step) = Exchange::begin(
                    find,
                    &self.config.servers,
                    &self.config.names,
                    &self.config.targets,
                    self.config.answer_ms_max,
                    &mut self.next_request,
                    now,
                );
                entry.exchange = Some(exchange);
                self.take_step(index, step, now, wall);
            }
        }
    }

    fn take_step(&mut self, index: usize, step: Step, now: Duration, wall: Timestamp) {
        for event in step.events {
            self.outputs.push_back(LostOutput::Event(event));
        }
        if let Some(post) = step.post {
            self.outputs.push_back(LostOutput::Post(post));
            return;
        }
        let entry = &mut self.entries[index];
        entry.exchange = None;
        let Some(answer) = step.answer else {
            entry.ask_at = Some(now + Duration::from_millis(entry.wait_ms));
            entry.wait_ms = (entry.wait_ms * 2).min(self.config.retry_ms_max);
            return;
        };
        let mapping = answer.mappings[0].clone();
        let until_ms = match mapping.expires {
            Expires::At(until) => u64::try_from(until.unix_ms() - wall.unix_ms()).unwrap_or(0),
            Expires::NoCache | Expires::NoExpiration => u64::MAX,
        };
        entry.wait_ms = self.config.retry_ms;
        entry.ask_at = Some(
            now + Duration::from_millis(until_ms.clamp(REFRESH_MS_MIN, self.config.refresh_ms_max)),
        );
        let cached = CachedMapping {
            service: entry.service.clone(),
            location: self.location.unwrap_or(0),
            mapping,
            received: wall,
        };
        self.last_answer = Some(*answer);
        self.keep(cached);
        self.outputs.push_back(LostOutput::CacheChanged);
    }

    /// What to do next; drain until it says `Timeout`.
    pub fn poll_output(&mut self) -> LostOutput {
        self.outputs.pop_front().unwrap_or_else(|| {
            LostOutput::Timeout(
                self.entries
                    .iter()
                    .filter_map(|entry| match &entry.exchange {
                        Some(exchange) => exchange.deadline(),
                        None => entry.ask_at.filter(|_| !self.locations.is_empty()),
                    })
                    .min(),
            )
        })
    }

    /// What an emergency call of `service` takes along: its own mapping, else that of the service above it.
    pub fn at_call(&self, service: &ServiceUrn, wall: Timestamp) -> LostAtCall {
        let mut wanted = Some(service.clone());
        let mut cached = None;
        while let (Some(current), None) = (&wanted, &cached) {
            cached = self
                .cache
                .iter()
                .find(|own| own.service == *current && Some(own.location) == self.location)
                .map(|own| (own.clone(), !own.mapping.expires.is_fresh(wall)));
            wanted = current.parent();
        }
        LostAtCall {
            servers: self.config.servers.clone(),
            names: self.config.names.clone(),
            cached,
        }
    }

    /// Keeps a mapping that a call learned; the cache has changed then.
    pub fn learn(&mut self, mapping: CachedMapping) {
        self.keep(mapping);
        self.outputs.push_back(LostOutput::CacheChanged);
    }

    fn keep(&mut self, mapping: CachedMapping) {
        self.cache
            .retain(|own| own.service != mapping.service || own.location != mapping.location);
        if self.cache.len() >= MAPPINGS_MAX {
            self.cache.remove(0);
        }
        self.cache.push(mapping);
    }

    /// Civic elements that the last answer knows to be wrong, for the "ready" check; none of them stops a call.
    pub fn invalid_elements(&self) -> &[String] {
        self.last_answer
            .as_ref()
            .and_then(|answer| answer.validation.as_ref())
            .map_or(&[], |validation| &validation.invalid)
    }

    /// The last answer, for the record and for the local emergency number it names (RFC 6881 ED-7).
    pub fn last_answer(&self) -> Option<&FindServiceResponse> {
        self.last_answer.as_ref()
    }
}

/// Why a cache file is not restored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CacheError {
    /// Not written by this version, or cut short.
    #[error("the LoST cache is not readable at line {line}: {what}; it is asked for anew")]
    Unreadable {
        /// Which line, from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
}
