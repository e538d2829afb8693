//! The transport: ICE below, DTLS in the middle, SRTP above.

use core::fmt;
use core::time::Duration;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use dimpl::{Dtls, DtlsCertificate, Output};
use is::stun::{StunMessage, StunPacket};
use is::{Candidate, IceAgent, IceAgentEvent, IceConnectionState, IceCreds, Protocol};
use ring::digest::{Context, SHA256};
use ring::signature::KeyPair as _;
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use zeroize::Zeroizing;

use super::certificate::{Curve, fingerprint, public_key};
use super::description::{
    DtlsRole, IceRole, LOCAL_ADDRESSES_MAX, SecureConfig, SecureConfigError, SecureDescription,
    SecureDescriptionError,
};
use super::keys::keys;
use super::provider::{CheckIntegrity, config, signing_key};
use crate::rtp::is_rtcp;
use crate::srtp::{SrtpCounters, SrtpError, SrtpProfile, SrtpReceiver, SrtpSender};

/// From the other side's description to the first protected packet.
const CONNECT_MAX: Duration = Duration::from_secs(20);
/// Outputs that wait for an adapter that does not drain.
const OUTPUTS_MAX: usize = 1024;
/// Pairs of addresses that are tried.
const PAIRS_MAX: usize = 100;
/// Addresses that authentic checks may come from.
const SOURCES_MAX: usize = 32;
/// The longest that a check waits for its repetition.
const CHECK_RTO_MAX: Duration = Duration::from_secs(1);
/// Nothing authentic for so long: the path is silent. A session sends fifty packets a second and, held, still
/// a check, so five seconds do not pass by chance. (The agent's own judgement takes fifteen.)
const SILENCE_MAX: Duration = Duration::from_secs(5);
/// A DTLS record of the handshake at most; larger ones are asked for.
const RECORD_BYTES: usize = 2048;
/// Octets of a datagram that is looked at.
const DATAGRAM_BYTES_MAX: usize = 2048;

/// What the transport wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecureOutput {
    /// Send a datagram.
    Transmit {
        /// From this address of ours.
        from: SocketAddr,
        /// To the peer.
        to: SocketAddr,
        /// What.
        bytes: Vec<u8>,
    },
    /// The peer's RTP packet, for [`Session::handle_rtp`](crate::Session::handle_rtp).
    Rtp(Vec<u8>),
    /// The peer's RTCP packet, for [`Session::handle_rtcp`](crate::Session::handle_rtcp).
    Rtcp(Vec<u8>),
    /// Know.
    Event(SecureEvent),
    /// Nothing more now; call `handle_timeout` at this time, or never (over).
    Timeout(Option<Duration>),
}

/// Something the call's owner should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecureEvent {
    /// The peer is who its fingerprint says; packets flow both ways from now on.
    Connected {
        /// How the media is protected.
        profile: SrtpProfile,
        /// Where the peer is.
        remote: SocketAddr,
    },
    /// The same peer is reached at another address.
    PathChanged {
        /// Where it is now.
        remote: SocketAddr,
    },
    /// Nothing authentic came for five seconds. The path may come back by itself within some ten more; a
    /// new offer with what [`SecureTransport::restart`] gives finds another, and what the network
    /// announces ([`restart`](SecureTransport::restart) with its new address) need not wait for this.
    Interrupted,
    /// The peer answers again.
    Resumed,
    /// The peer closed the transport; the SIP dialog decides about the call.
    PeerClosed,
    /// It is over; nothing was or will be let through any more.
    Failed(SecureFailure),
}

/// Why a transport failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SecureFailure {
    /// No address of the peer answered.
    #[error("no address of the other side answers; is a firewall between?")]
    NoPath,
    /// The peer shows another certificate than its description promised: somebody stands in between.
    #[error("the other side's certificate is not the one that its description promised")]
    WrongFingerprint,
    /// The handshake did not end in time.
    #[error("no handshake within its time{}", .0.as_deref().map(|why| format!("; last problem: {why}")).unwrap_or_default())]
    HandshakeTimedOut(Option<String>),
    /// The handshake cannot go on.
    #[error("handshake failed: {0}")]
    Handshake(String),
}

/// Why a packet was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SecureSendError {
    /// No keys or no path yet (or no more); the packet is dropped, never sent in the clear.
    #[error("the transport is not connected")]
    NotConnected,
    /// Not protected.
    #[error(transparent)]
    Srtp(#[from] SrtpError),
}

/// The transport in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecureStatistics {
    /// RTP and RTCP let through and refused.
    pub received: SrtpCounters,
    /// RTP and RTCP packets sent.
    pub sent: u64,
    /// Dropped because nothing was connected.
    pub unsent: u64,
    /// Datagrams that are neither STUN, DTLS nor RTP, or too large.
    pub foreign: u64,
    /// Checks that were not authentic, or came from too many places.
    pub refused_checks: u64,
    /// DTLS records that did not fit.
    pub refused_records: u64,
    /// RTP before there were keys.
    pub early: u64,
    /// Outputs dropped because nobody drained them.
    pub outputs_dropped: u64,
    /// Round trip of the last check.
    pub round_trip: Option<Duration>,
}

enum Phase {
    /// The other side's description is not there.
    Waiting,
    /// Looking for a path, then shaking hands.
    Connecting {
        since: Duration,
    },
    /// Keys are there.
    Connected,
    /// Keys are there, the path is silent.
    Interrupted,
    Over,
}

/// See the module's page.
pub struct SecureTransport {
    origin: Instant,
    seed: Zeroizing<[u8; 32]>,
    restarts: u32,
    own_fingerprint: [u8; 32],
    addresses: Vec<SocketAddr>,
    agent: IceAgent,
    dtls: Dtls,
    dtls_started: bool,
    dtls_timeout: Option<Instant>,
    last_problem: Option<String>,
    phase: Phase,
    remote: Option<(SecureDescription, DtlsRole)>,
    /// From our address to the peer's.
    path: Option<(SocketAddr, SocketAddr)>,
    /// Where the peer shook hands from before a path was chosen.
    first_path: Option<(SocketAddr, SocketAddr)>,
    /// Where authentic checks came from.
    sources: Vec<SocketAddr>,
    /// The certificate is the promised one.
    verified: bool,
    /// The handshake is complete: the peer has the certificate's key.
    shaken: bool,
    srtp: Option<(SrtpSender, SrtpReceiver, SrtpProfile)>,
    outputs: VecDeque<SecureOutput>,
    next_timeout: Option<Duration>,
    buffer: Vec<u8>,
    statistics: SecureStatistics,
    /// When the peer was last heard for certain.
    heard: Duration,
}

impl fmt::Debug for SecureTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecureTransport")
            .field("path", &self.path)
            .field("statistics", &self.statistics)
            .finish_non_exhaustive()
    }
}

impl SecureTransport {
    /// A transport that knows its own side.
    ///
    /// # Errors
    /// [`SecureConfigError`].
    pub fn new(given: SecureConfig, now: Duration) -> Result<Self, SecureConfigError> {
        let key = public_key(&given.certificate).filter(|key| key.curve == Curve::P256);
        let key = key.ok_or(SecureConfigError::Certificate)?;
        let pair = signing_key(&given.private_key).ok_or(SecureConfigError::PrivateKey)?;
        if pair.public_key().as_ref() != key.point {
            return Err(SecureConfigError::Mismatch);
        }
        let seed = Zeroizing::new(given.seed);
        let mut agent = IceAgent::with_hmac(credentials(&seed, 0), &CheckIntegrity);
        agent.set_controlling(given.role == IceRole::Controlling);
        agent.set_max_candidate_pairs(PAIRS_MAX);
        agent.set_max_stun_rto(CHECK_RTO_MAX);
        add_addresses(&mut agent, &given.addresses)?;
        let origin = given.origin;
        let own_fingerprint = fingerprint(&given.certificate);
        let certificate = DtlsCertificate {
            certificate: given.certificate,
            private_key: given.private_key.to_vec(),
        };
        Ok(Self {
            origin,
            seed,
            restarts: 0,
            own_fingerprint,
            addresses: given.addresses,
            agent,
            dtls: Dtls::new_auto(config(), certificate, origin + now),
            dtls_started: false,
            dtls_timeout: None,
            last_problem: None,
            phase: Phase::Waiting,
            remote: None,
            path: None,
            first_path: None,
            sources: Vec::new(),
            verified: false,
            shaken: false,
            srtp: None,
            outputs: VecDeque::new(),
            next_timeout: Some(now),
            buffer: vec![0; RECORD_BYTES],
            statistics: SecureStatistics::default(),
            heard: now,
        })
    }

    /// What our offer or answer says.
    #[must_use]
    pub fn local(&self) -> SecureDescription {
        let credentials = self.agent.local_credentials();
        SecureDescription {
            fingerprint: self.own_fingerprint,
            ufrag: credentials.ufrag.clone(),
            pwd: credentials.pass.clone(),
            candidates: self.addresses.clone(),
            lite: false,
        }
    }

    /// What the other side's offer or answer says, and which end of the handshake we are. Later calls add
    /// candidates, or follow an ICE restart after [`restart`](Self::restart); the DTLS role stays the first one.
    ///
    /// # Errors
    /// [`SecureDescriptionError`]; the transport then goes on as it was.
    pub fn set_remote(
        &mut self,
        remote: SecureDescription,
        role: DtlsRole,
        now: Duration,
    ) -> Result<(), SecureDescriptionError> {
        remote.check()?;
        if matches!(self.phase, Phase::Over) {
            return Err(SecureDescriptionError::Over);
        }
        if let Some((before, _)) = &self.remote
            && before.fingerprint != remote.fingerprint
        {
            return Err(SecureDescriptionError::FingerprintChanged);
        }
        let known = self.agent.remote_credentials();
        if known.is_some_and(|known| known.ufrag != remote.ufrag || known.pass != remote.pwd) {
            return Err(SecureDescriptionError::NeedsRestart);
        }
        self.agent.set_remote_credentials(IceCreds {
            ufrag: remote.ufrag.clone(),
            pass: remote.pwd.clone(),
        });
        // An agent that makes no checks cannot decide (RFC 8445 §6.1.1).
        if remote.lite {
            self.agent.set_controlling(true);
        }
        for address in &remote.candidates {
            // Addresses that no datagram goes to (multicast, 0.0.0.0) are passed over.
            if let Ok(candidate) = Candidate::host(*address, Protocol::Udp) {
                self.agent.add_remote_candidate(candidate);
            }
        }
        if matches!(self.phase, Phase::Waiting) {
            self.phase = Phase::Connecting { since: now };
        }
        let role = self.remote.take().map_or(role, |(_, role)| role);
        self.remote = Some((remote, role));
        self.agent.handle_timeout(self.instant(now));
        self.settle(now);
        Ok(())
    }

    /// Which end of the handshake we are, once the other side's description is there; it stays for the whole call.
    #[must_use]
    pub fn role(&self) -> Option<DtlsRole> {
        self.remote.as_ref().map(|(_, role)| *role)
    }

    /// Whether this description restarts ICE: answer it with what [`restart`](Self::restart) gives, then
    /// [`set_remote`](Self::set_remote).
    #[must_use]
    pub fn is_restart(&self, remote: &SecureDescription) -> bool {
        let known = self.agent.remote_credentials();
        known.is_some_and(|known| known.ufrag != remote.ufrag || known.pass != remote.pwd)
    }

    /// New addresses (the network changed, or the path is silent): new credentials for a new offer, or for the
    /// answer to one. Media goes on over the old path until a new one is found; keys stay.
    ///
    /// # Errors
    /// [`SecureConfigError::Address`]; nothing changes then.
    pub fn restart(
        &mut self,
        addresses: &[SocketAddr],
        now: Duration,
    ) -> Result<SecureDescription, SecureConfigError> {
        check_addresses(addresses)?;
        self.restarts += 1;
        let fresh = credentials(&self.seed, self.restarts);
        self.agent.ice_restart(fresh, false);
        add_addresses(&mut self.agent, addresses)?;
        self.addresses = addresses.to_vec();
        self.sources.clear();
        self.settle(now);
        Ok(self.local())
    }

    /// A datagram that came `to` one of our addresses. Anything may come; what does not fit is counted.
    pub fn handle_datagram(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        bytes: &[u8],
        now: Duration,
    ) {
        if matches!(self.phase, Phase::Over) {
            return;
        }
        if bytes.len() > DATAGRAM_BYTES_MAX {
            self.statistics.foreign += 1;
            return;
        }
        // RFC 7983: the first octet tells what it is.
        match bytes.first() {
            Some(0..=3) => self.on_check(from, to, bytes, now),
            Some(20..=63) => self.on_record(from, to, bytes, now),
            Some(128..=191) => self.on_media(bytes, now),
            _ => self.statistics.foreign += 1,
        }
    }

    /// The time named by [`SecureOutput::Timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        if matches!(self.phase, Phase::Over) {
            return;
        }
        let at = self.instant(now);
        if self.agent.poll_timeout().is_none_or(|due| due <= at) {
            self.agent.handle_timeout(at);
        }
        if self.dtls_timeout.is_some_and(|due| due <= at)
            && let Err(error) = self.dtls.handle_timeout(at)
        {
            self.on_dtls_error(&error);
        }
        if let Phase::Connecting { since } = self.phase
            && now.saturating_sub(since) >= CONNECT_MAX
        {
            let failure = if self.path.is_none() {
                SecureFailure::NoPath
            } else {
                SecureFailure::HandshakeTimedOut(self.last_problem.take())
            };
            self.fail(failure);
        }
        if now.saturating_sub(self.heard) >= SILENCE_MAX {
            self.on_silence();
        }
        self.settle(now);
    }

    /// Sends one RTP packet of the session.
    ///
    /// # Errors
    /// [`SecureSendError`]; the packet is dropped then.
    pub fn send_rtp(&mut self, packet: &[u8]) -> Result<(), SecureSendError> {
        self.send(packet, SrtpSender::protect_rtp)
    }

    /// Sends one compound RTCP packet of the session.
    ///
    /// # Errors
    /// [`SecureSendError`]; the packet is dropped then.
    pub fn send_rtcp(&mut self, packet: &[u8]) -> Result<(), SecureSendError> {
        self.send(packet, SrtpSender::protect_rtcp)
    }

    /// The call is over: the peer is told, then nothing more happens.
    pub fn close(&mut self, now: Duration) {
        if matches!(self.phase, Phase::Over) {
            return;
        }
        if self.srtp.is_some() && self.dtls.close().is_ok() {
            self.settle(now);
        }
        self.over();
    }

    /// Whether packets flow.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::Connected)
    }

    /// The next thing to do. Drain until [`SecureOutput::Timeout`].
    pub fn poll_output(&mut self) -> SecureOutput {
        let over = matches!(self.phase, Phase::Over);
        self.outputs
            .pop_front()
            .unwrap_or(SecureOutput::Timeout(if over {
                None
            } else {
                self.next_timeout
            }))
    }

    /// The transport in numbers.
    #[must_use]
    pub fn statistics(&self) -> SecureStatistics {
        let received = self
            .srtp
            .as_ref()
            .map(|(_, receiver, _)| receiver.counters());
        SecureStatistics {
            received: received.unwrap_or_default(),
            round_trip: self.agent.nominated_pair_rtt(),
            ..self.statistics
        }
    }

    fn instant(&self, now: Duration) -> Instant {
        self.origin.checked_add(now).unwrap_or(self.origin)
    }

    fn on_check(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8], now: Duration) {
        let known = self.sources.contains(&from);
        let message = StunMessage::parse(bytes).ok();
        let message = message.filter(|_| known || self.sources.len() < SOURCES_MAX);
        let Some(message) = message else {
            self.statistics.refused_checks += 1;
            return;
        };
        let packet = StunPacket {
            proto: Protocol::Udp,
            source: from,
            destination: to,
            message,
        };
        let at = self.instant(now);
        if self.agent.handle_packet(at, packet) {
            if !known {
                self.sources.push(from);
            }
            self.on_heard(now);
            self.agent.handle_timeout(at);
            self.settle(now);
        } else {
            self.statistics.refused_checks += 1;
        }
    }

    fn on_record(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8], now: Duration) {
        let Some((_, role)) = self.remote else {
            self.statistics.refused_records += 1;
            return;
        };
        let started = self.dtls_started || role == DtlsRole::Server;
        if !started || !self.sources.contains(&from) {
            self.statistics.refused_records += 1;
            return;
        }
        self.dtls_started = true;
        self.first_path = Some((to, from));
        // The engine reckons from the last time that it was told.
        let at = self.instant(now);
        let told = self.dtls.handle_timeout(at);
        let told = told.and_then(|()| self.dtls.handle_packet(bytes));
        if let Err(error) = told {
            self.statistics.refused_records += 1;
            self.on_dtls_error(&error);
        }
        self.settle(now);
    }

    /// Datagrams can be forged before there are keys, so only the engine's own end of time is an end.
    fn on_dtls_error(&mut self, error: &dimpl::Error) {
        if self.srtp.is_some() {
            return;
        }
        match error {
            dimpl::Error::Timeout(_) => {
                let problem = self.last_problem.take();
                self.fail(SecureFailure::HandshakeTimedOut(problem));
            }
            other => self.last_problem = Some(other.to_string()),
        }
    }

    fn on_media(&mut self, bytes: &[u8], now: Duration) {
        let proven = self.verified && self.shaken;
        let Some((_, receiver, _)) = self.srtp.as_mut().filter(|_| proven) else {
            self.statistics.early += 1;
            return;
        };
        // Wrong ones are counted by the receiver.
        let output = if is_rtcp(bytes) {
            receiver.unprotect_rtcp(bytes).map(SecureOutput::Rtcp)
        } else {
            receiver.unprotect_rtp(bytes).map(SecureOutput::Rtp)
        };
        if let Ok(output) = output {
            self.on_heard(now);
            self.push(output);
        }
    }

    fn send(
        &mut self,
        packet: &[u8],
        protect: impl FnOnce(&mut SrtpSender, &[u8]) -> Result<Vec<u8>, SrtpError>,
    ) -> Result<(), SecureSendError> {
        let ready = matches!(self.phase, Phase::Connected | Phase::Interrupted);
        let (Some((sender, ..)), Some((from, to)), true) = (&mut self.srtp, self.path, ready)
        else {
            self.statistics.unsent += 1;
            return Err(SecureSendError::NotConnected);
        };
        let bytes = protect(sender, packet)?;
        self.statistics.sent += 1;
        self.push(SecureOutput::Transmit { from, to, bytes });
        Ok(())
    }

    /// Takes what ICE and DTLS have to say, and reckons the next timeout.
    fn settle(&mut self, now: Duration) {
        while let Some(event) = self.agent.poll_event() {
            self.on_ice(&event, now);
        }
        while let Some(transmit) = self.agent.poll_transmit() {
            self.push(SecureOutput::Transmit {
                from: transmit.source,
                to: transmit.destination,
                bytes: transmit.contents.into(),
            });
        }
        self.drain_dtls();
        if let (Phase::Connecting { .. }, true, Some((.., profile)), Some((_, remote))) = (
            &self.phase,
            self.verified && self.shaken,
            &self.srtp,
            self.path,
        ) {
            let profile = *profile;
            self.phase = Phase::Connected;
            self.push(SecureOutput::Event(SecureEvent::Connected {
                profile,
                remote,
            }));
        }
        let ice = self.agent.poll_timeout();
        let dtls = self.dtls_timeout.filter(|_| self.dtls_started);
        let due = ice.into_iter().chain(dtls).min();
        // No agent that was never told the time has a timeout; a jump of the clock must not spin us.
        let mut due = due.map_or(now, |at| at.saturating_duration_since(self.origin));
        match self.phase {
            Phase::Connecting { since } => due = due.min(since + CONNECT_MAX),
            Phase::Connected => due = due.min(self.heard + SILENCE_MAX),
            _ => {}
        }
        self.next_timeout = Some(due.max(now + Duration::from_millis(1)));
    }

    fn on_ice(&mut self, event: &IceAgentEvent, now: Duration) {
        match event {
            IceAgentEvent::NominatedSend {
                source,
                destination,
                ..
            } => {
                let before = self.path.replace((*source, *destination));
                if before.is_none_or(|(_, remote)| remote != *destination)
                    && matches!(self.phase, Phase::Connected | Phase::Interrupted)
                {
                    self.push(SecureOutput::Event(SecureEvent::PathChanged {
                        remote: *destination,
                    }));
                }
                self.start_dtls(now);
            }
            IceAgentEvent::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                self.on_silence();
            }
            IceAgentEvent::IceConnectionStateChange(_)
            | IceAgentEvent::IceRestart(_)
            | IceAgentEvent::DiscoveredRecv { .. } => {}
        }
    }

    fn on_heard(&mut self, now: Duration) {
        self.heard = now;
        if matches!(self.phase, Phase::Interrupted) {
            self.phase = Phase::Connected;
            self.push(SecureOutput::Event(SecureEvent::Resumed));
        }
    }

    fn on_silence(&mut self) {
        if matches!(self.phase, Phase::Connected) {
            self.phase = Phase::Interrupted;
            self.push(SecureOutput::Event(SecureEvent::Interrupted));
        }
    }

    fn start_dtls(&mut self, now: Duration) {
        let Some((_, role)) = self.remote else {
            return;
        };
        if self.dtls_started {
            return;
        }
        self.dtls_started = true;
        if role == DtlsRole::Client {
            self.dtls.set_active(true);
        }
        if let Err(error) = self.dtls.handle_timeout(self.instant(now)) {
            self.on_dtls_error(&error);
        }
    }

    fn drain_dtls(&mut self) {
        let mut buffer = core::mem::take(&mut self.buffer);
        while !matches!(self.phase, Phase::Over) {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(record) => {
                    let bytes = record.to_vec();
                    // Without a path yet, the flight is repeated later.
                    if let Some((from, to)) = self.path.or(self.first_path) {
                        self.push(SecureOutput::Transmit { from, to, bytes });
                    }
                }
                Output::BufferTooSmall { needed } => buffer.resize(needed, 0),
                Output::Timeout(at) => {
                    self.dtls_timeout = Some(at);
                    break;
                }
                Output::PeerCert(certificate) => {
                    let shown = fingerprint(certificate);
                    let promised = self.remote.as_ref().map(|(remote, _)| remote.fingerprint);
                    let same = |promised: [u8; 32]| bool::from(promised.ct_eq(&shown));
                    if promised.is_some_and(same) {
                        self.verified = true;
                    } else {
                        self.fail(SecureFailure::WrongFingerprint);
                    }
                }
                Output::KeyingMaterial(material, profile) => {
                    self.srtp = keys(&material, profile, self.dtls.is_active());
                    if self.srtp.is_none() {
                        let why = "no SRTP profile in common".to_owned();
                        self.fail(SecureFailure::Handshake(why));
                    }
                }
                Output::Connected => self.shaken = true,
                Output::CloseNotify => self.push(SecureOutput::Event(SecureEvent::PeerClosed)),
                _ => {}
            }
        }
        self.buffer = buffer;
    }

    fn fail(&mut self, failure: SecureFailure) {
        if matches!(self.phase, Phase::Over) {
            return;
        }
        self.over();
        self.push(SecureOutput::Event(SecureEvent::Failed(failure)));
    }

    fn over(&mut self) {
        self.phase = Phase::Over;
        self.verified = false;
        self.srtp = None;
        self.path = None;
    }

    fn push(&mut self, output: SecureOutput) {
        let event = matches!(output, SecureOutput::Event(_));
        if self.outputs.len() >= OUTPUTS_MAX && !event {
            self.statistics.outputs_dropped += 1;
            return;
        }
        self.outputs.push_back(output);
    }
}

/// Name and password of the checks: 48 and 192 bits that nobody can guess without the seed.
fn credentials(seed: &[u8; 32], restart: u32) -> IceCreds {
    let letters = |purpose: &[u8], count| {
        let mut context = Context::new(&SHA256);
        context.update(seed);
        context.update(purpose);
        context.update(&restart.to_be_bytes());
        let digest = context.finish();
        let octets = digest.as_ref().iter().take(count);
        octets
            .map(|octet| char::from(ICE_LETTERS[usize::from(octet & 63)]))
            .collect()
    };
    IceCreds {
        ufrag: letters(b"ufrag", 8),
        pass: letters(b"pwd", 32),
    }
}

/// RFC 8839 §5.4: each letter is six bits.
const ICE_LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn check_addresses(addresses: &[SocketAddr]) -> Result<Vec<Candidate>, SecureConfigError> {
    let wrong = |text: String| Err(SecureConfigError::Address(text));
    if addresses.is_empty() {
        return wrong("nothing".to_owned());
    }
    if addresses.len() > LOCAL_ADDRESSES_MAX {
        return wrong(format!("a list of {}", addresses.len()));
    }
    let mut candidates = Vec::new();
    for address in addresses {
        match Candidate::host(*address, Protocol::Udp) {
            Ok(candidate) if address.port() != 0 => candidates.push(candidate),
            _ => return wrong(address.to_string()),
        }
    }
    Ok(candidates)
}

fn add_addresses(agent: &mut IceAgent, addresses: &[SocketAddr]) -> Result<(), SecureConfigError> {
    for candidate in check_addresses(addresses)? {
        agent.add_local_candidate(candidate);
    }
    Ok(())
}
