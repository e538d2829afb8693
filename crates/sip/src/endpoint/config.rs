//! How an endpoint is set up.

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::session_timer::SessionTimerConfig;
use crate::target::Transport;
use crate::transaction::Timers;
use crate::{Limits, Method};

/// How an endpoint is set up. Start from [`EndpointConfig::new`] and change what differs.
#[derive(Clone)]
pub struct EndpointConfig {
    /// Source of every token. 32 random bytes in production, a fixed seed in a test.
    pub seed: [u8; 32],
    /// The addresses that Via and Contact name, one per transport in use.
    pub local: Vec<(Transport, SocketAddr)>,
    /// Value of User-Agent and Server; `None` leaves them out.
    pub user_agent: Option<String>,
    /// User part of our Contact.
    pub contact_user: Option<String>,
    /// Base values of the transaction timers.
    pub timers: Timers,
    /// Bounds on what peers can make us hold.
    pub limits: EndpointLimits,
    /// Bounds on one message.
    pub message_limits: Limits,
    /// What to do with 3xx.
    pub redirects: RedirectPolicy,
    /// Session timer offered or granted to callers; `None` grants what callers ask for, within
    /// the smallest interval of the RFC.
    pub session_timer: Option<SessionTimerConfig>,
    /// Whether a call whose session timer ran out, or whose re-INVITE was never acknowledged, is
    /// ended with BYE. An emergency call is not: nothing but the call-taker or the caller ends it.
    pub end_on_session_expiry: bool,
    /// Whether incoming calls get reliable provisional responses (RFC 3262) where the caller can.
    pub reliable_provisional: bool,
    /// Methods outside a dialog that are handed up as [`Event::Request`](super::Event::Request);
    /// others get 405.
    pub methods: Vec<Method>,
    /// Whether calls can be transferred: REFER and NOTIFY inside calls, and INVITE with Replaces, are understood and
    /// handed up. `false`: 405, and Replaces counts for nothing.
    pub transfers: bool,
    /// Media types accepted in bodies, for Accept and 415.
    pub accept: Vec<String>,
    /// Challenge to everyone who calls or registers here; `None`: nobody is challenged.
    pub challenge: Option<ServerChallenge>,
    /// Send requests above 1,300 bytes by TCP where the target says UDP, and by UDP only when TCP
    /// fails (RFC 3261 section 18.1.1).
    pub large_over_tcp: bool,
    /// How long a call that only rings lives, for incoming calls.
    pub ringing_max: Duration,
}

impl EndpointConfig {
    /// The defaults: no redirect surprises, session timers granted, expired sessions ended.
    pub fn new(seed: [u8; 32], local: Vec<(Transport, SocketAddr)>) -> Self {
        Self {
            seed,
            local,
            user_agent: None,
            contact_user: None,
            timers: Timers::default(),
            limits: EndpointLimits::default(),
            message_limits: Limits::default(),
            redirects: RedirectPolicy::default(),
            session_timer: None,
            end_on_session_expiry: true,
            reliable_provisional: true,
            methods: Vec::new(),
            transfers: false,
            accept: vec!["application/sdp".to_owned(), "multipart/mixed".to_owned()],
            challenge: None,
            large_over_tcp: true,
            ringing_max: Duration::from_secs(180),
        }
    }
}

/// Bounds on what peers can make us hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointLimits {
    /// Calls at once, ours and incoming together.
    pub calls_max: usize,
    /// Client transactions at once.
    pub client_transactions_max: usize,
    /// Server transactions at once; beyond it requests get 503 without a transaction.
    pub server_transactions_max: usize,
    /// Messages waiting in `poll_output`; beyond it input is dropped and counted.
    pub outputs_max: usize,
    /// Early dialogs and forks of one call.
    pub forks_max: usize,
    /// Registrations and queries at once.
    pub queries_max: usize,
    /// Answers to digest challenges of one request.
    pub challenges_max: u32,
    /// Attempts of one call on all its targets, redirections and repetitions together.
    pub attempts_max: u32,
    /// REFERs of peers that wait or are reported on at once.
    pub referrals_max: usize,
    /// Streams that bring messages at once.
    pub streams_max: usize,
    /// How long a stream may hold half a message.
    pub half_message_max: Duration,
}

impl Default for EndpointLimits {
    fn default() -> Self {
        Self {
            calls_max: 64,
            client_transactions_max: 512,
            server_transactions_max: 1_024,
            outputs_max: 4_096,
            forks_max: 16,
            queries_max: 64,
            challenges_max: 4,
            attempts_max: 24,
            referrals_max: 16,
            streams_max: 256,
            half_message_max: Duration::from_secs(30),
        }
    }
}

/// What to do with a 3xx to our INVITE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectPolicy {
    /// Hand it up as a failure.
    Surface,
    /// Try its contacts in order of their q, never one twice, at most so many in one call.
    Follow {
        /// Most contacts tried.
        targets_max: usize,
    },
}

impl Default for RedirectPolicy {
    fn default() -> Self {
        Self::Follow { targets_max: 5 }
    }
}

/// Digest challenge to callers and registrants (RFC 3261 section 22, RFC 8760).
#[derive(Clone)]
pub struct ServerChallenge {
    /// Realm shown to the user.
    pub realm: String,
    /// Passwords by user name.
    pub users: BTreeMap<String, String>,
    /// Offer SHA-256 (first) as well as MD5.
    pub sha256: bool,
    /// Offer MD5.
    pub md5: bool,
    /// 407 as a proxy does, instead of 401.
    pub proxy: bool,
    /// How long a nonce is good; afterwards the challenge says `stale`.
    pub nonce_life: Duration,
}
