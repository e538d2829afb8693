//! The LoST client (RFC 5222 §4, RFC 6881 ED-52…55), without sockets: it says what to post and is told what came back.

use core::time::Duration;

use crate::lost::{
    FindServiceResponse, LostErrorKind, LostLocation, LostParseError, LostWarning, Mapping,
};
use crate::service::ServiceUrn;
use crate::target::{DrillTargets, HttpUrl};
use crate::timestamp::Timestamp;

/// Where to ask and how long to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostConfig {
    /// Servers, the preferred first (RFC 6881 ED-50, ED-51).
    pub servers: Vec<HttpUrl>,
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
    /// The cached mapping, and whether it has expired.
    pub cached: Option<(CachedMapping, bool)>,
}

/// The client of one household: asks at start, keeps the answer, refreshes it on expiry.
#[derive(Debug)]
pub struct LostClient {
    _private: (),
}

impl LostClient {
    /// A client with an empty cache.
    pub fn new(config: LostConfig) -> Self {
        let _ = config;
        todo!()
    }

    /// Restores the cache from disk; what cannot be read is left out and says why.
    ///
    /// # Errors
    /// [`CacheError`]; the client works without the cache.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<usize, CacheError> {
        let _ = bytes;
        todo!()
    }

    /// The cache as bytes for disk.
    pub fn cache_bytes(&self) -> Vec<u8> {
        todo!()
    }

    /// Asks for these services at this place from now on, and again on expiry or when the place changes.
    pub fn start(
        &mut self,
        locations: Vec<LostLocation>,
        services: Vec<ServiceUrn>,
        now: Duration,
        wall: Timestamp,
    ) {
        let _ = (locations, services, now, wall);
        todo!()
    }

    /// Takes what came back.
    pub fn handle_reply(
        &mut self,
        request: LostRequestId,
        reply: &LostReply<'_>,
        now: Duration,
        wall: Timestamp,
    ) {
        let _ = (request, reply, now, wall);
        todo!()
    }

    /// Takes the passing of time.
    pub fn handle_timeout(&mut self, now: Duration, wall: Timestamp) {
        let _ = (now, wall);
        todo!()
    }

    /// What to do next; drain until it says `Timeout`.
    pub fn poll_output(&mut self) -> LostOutput {
        todo!()
    }

    /// What an emergency call of `service` takes along.
    pub fn at_call(&self, service: &ServiceUrn, wall: Timestamp) -> LostAtCall {
        let _ = (service, wall);
        todo!()
    }

    /// Keeps a mapping that a call learned.
    pub fn learn(&mut self, mapping: CachedMapping, now: Duration) {
        let _ = (mapping, now);
        todo!()
    }

    /// The last validation answer, for the "ready" check: civic elements known to be wrong.
    pub fn invalid_elements(&self) -> &[String] {
        todo!()
    }

    /// The last answer, for the record.
    pub fn last_answer(&self) -> Option<&FindServiceResponse> {
        todo!()
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
