//! A browser's protected sound (ICE, DTLS-SRTP) carried over to a telephone's or a line's (RTP in the clear, or SRTP with
//! keys in the description), and back. Nothing is decoded, mixed, gated or held back: each packet is unprotected,
//! protected anew for the other side, and sent on, RTCP and telephone-events too.
//!
//! ```text
//! browser ── UDP: ICE, DTLS, SRTP ──► Bridge ── RTP, RTCP ──► telephone, line
//!         ◄──────────────────────────        ◄──────────────
//! offer_of_browser ─► what the far side is offered    answer_of_far ─► what the browser is answered
//!                                                      early_of_far ─► and before that
//! offer_of_far ─────► what the browser is offered  answer_of_browser ─► what the far side is answered
//! ```
//! [`Bridge`] is sans-IO; [`open_bridge`] runs one on sockets of its own. Whoever stands here can hear the call: it is for
//! calls with telephones, which protect nothing, and never for one between devices of a home.

mod error;
mod far;
mod output;
mod retelling;
mod run;

use core::time::Duration;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use hearthline_media::secure::{
    DtlsRole, IceRole, SecureConfigError, SecureDescription, SecureEvent, SecureOutput,
    SecureTransport,
};
use hearthline_sip::sdp::fingerprint::Setup;
use hearthline_sip::sdp::security::{DtlsDescription, Security};
use hearthline_sip::sdp::{Direction, Media, SessionDescription};

pub use error::BridgeError;
pub use output::{BridgeOutput, BridgeStatistics};
pub use run::{BridgeHandle, open_bridge};

use crate::dtls::{self, DtlsError};
use crate::keys::Keys;
use far::Far;

/// A browser that is away for longer does not come back. Until then the call is its people's to end.
const AWAY_MAX: Duration = Duration::from_secs(600);
/// Bytes of an RTP header's first part.
const RTP_HEADER_BYTES: usize = 12;

/// Who made the first offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offerer {
    /// The browser calls.
    Browser,
    /// The browser is called.
    Far,
}

/// What a bridge is made of.
#[derive(Debug, Clone)]
pub struct BridgeConfig {
    /// Our key and certificate.
    pub keys: Keys,
    /// Where our socket for the browser is reached.
    pub browser_side: SocketAddr,
    /// Where our RTP socket for the far side is reached; RTCP is one above.
    pub far_side: SocketAddr,
    /// 32 octets of the system's randomness.
    pub seed: [u8; 32],
    /// The instant at which `now` is zero.
    pub origin: Instant,
    /// Who made the first offer.
    pub first: Offerer,
}

/// One call's bridge.
#[derive(Debug)]
pub struct Bridge {
    way: SecureTransport,
    browser_side: SocketAddr,
    far: Far,
    /// The browser's last offer, and what it says of its transport, until that is answered.
    browser_offer: Option<SessionDescription>,
    awaited: Option<(SecureDescription, DtlsRole)>,
    /// The far side's last offer.
    far_offer: Option<SessionDescription>,
    /// The browser's name for the stream.
    mid: String,
    /// Payload types on their way to the far side, where it has others.
    numbers: Vec<(u8, u8)>,
    /// Whether somebody has answered. Until then nobody is heard who has not.
    answered: bool,
    away: Option<Duration>,
    over: bool,
    outputs: VecDeque<BridgeOutput>,
    next: Option<Duration>,
    statistics: BridgeStatistics,
}

impl Bridge {
    /// A bridge that knows neither side yet.
    ///
    /// # Errors
    /// When keys or addresses cannot be used.
    pub fn new(config: &BridgeConfig, now: Duration) -> Result<Self, SecureConfigError> {
        let role = match config.first {
            Offerer::Browser => IceRole::Controlled,
            Offerer::Far => IceRole::Controlling,
        };
        let addresses = vec![config.browser_side];
        let keys = config.keys.clone();
        let ours = keys.transport(role, addresses, config.seed, config.origin);
        let mut bridge = Self {
            way: SecureTransport::new(ours, now)?,
            browser_side: config.browser_side,
            far: Far::new(config.far_side),
            browser_offer: None,
            awaited: None,
            far_offer: None,
            mid: "0".to_owned(),
            numbers: Vec::new(),
            answered: false,
            away: None,
            over: false,
            outputs: VecDeque::new(),
            next: None,
            statistics: BridgeStatistics::default(),
        };
        bridge.handle_timeout(now);
        Ok(bridge)
    }

    /// What the far side is offered in place of the browser's offer, the first or a later one. It may be asked again.
    ///
    /// # Errors
    /// [`BridgeError`].
    pub fn offer_of_browser(&mut self, sdp: &[u8], now: Duration) -> Result<Vec<u8>, BridgeError> {
        let theirs = self.read(sdp)?;
        let index = retelling::offered(&theirs)?;
        let dtls = protected(&theirs, &theirs.media[index])?;
        let described = dtls::read(&dtls)?;
        let mut stream = retelling::stream(&theirs, &theirs.media[index], self.far.port())?;
        self.far.offered(&mut stream);
        if self.way.is_restart(&described) {
            self.way.restart(&[self.browser_side], now)?;
        }
        let role = match (self.way.role(), dtls.setup) {
            (Some(role), _) => role,
            (None, Setup::Active) => DtlsRole::Server,
            (None, _) => DtlsRole::Client,
        };
        self.awaited = Some((described, role));
        self.learn_mid(&theirs.media[index]);
        let told = retelling::around(&theirs, stream, self.far.local(), None);
        self.browser_offer = Some(theirs);
        self.settle(now);
        Ok(told.to_bytes())
    }

    /// What the browser is answered in place of the far side's answer; sound flows from here on.
    ///
    /// # Errors
    /// [`BridgeError`].
    pub fn answer_of_far(&mut self, sdp: &[u8], now: Duration) -> Result<Vec<u8>, BridgeError> {
        let told = self.answer(sdp, None, now);
        self.answered |= told.is_ok();
        told
    }

    /// What the browser is told of the far side before that has answered: it is heard already ("the number you have
    /// dialled…"), and hears nothing of the browser yet: what that sends is dropped here, whatever it was told.
    ///
    /// # Errors
    /// [`BridgeError`].
    pub fn early_of_far(&mut self, sdp: &[u8], now: Duration) -> Result<Vec<u8>, BridgeError> {
        self.answer(sdp, Some(Direction::SendOnly), now)
    }

    fn answer(
        &mut self,
        sdp: &[u8],
        direction: Option<Direction>,
        now: Duration,
    ) -> Result<Vec<u8>, BridgeError> {
        let theirs = self.read(sdp)?;
        let section = retelling::answered(&theirs)?;
        let offer = self.browser_offer.as_ref().ok_or(BridgeError::NoOffer)?;
        let index = retelling::offered(offer)?;
        let offered = &offer.media[index];
        let mut stream = retelling::stream(&theirs, section, self.browser_side.port())?;
        let to_browser = retelling::numbers(section, offered);
        retelling::renumber(&mut stream, &to_browser);
        let numbers = to_browser.iter().map(|(far, own)| (*own, *far));
        let numbers = numbers.filter(|(own, far)| own != far).collect();
        self.far.answered(&theirs, section)?;
        if let Some((described, role)) = self.awaited.clone() {
            let set = self.way.set_remote(described, role, now);
            set.map_err(DtlsError::Description)?;
            self.awaited = None;
        }
        let ours = dtls::described(&self.way, self.setup(Setup::Active));
        Security::Dtls(ours).write(&mut stream);
        if let Some(direction) = direction {
            stream.attributes.set_direction(direction);
        }
        stream.protocol.clone_from(&offered.protocol);
        let at = self.browser_side;
        let mut told = retelling::around(&theirs, stream, at, Some((offer, index)));
        if offered.attributes.has("mid") {
            retelling::bundle(&mut told, index, &self.mid);
        }
        self.numbers = numbers;
        self.settle(now);
        Ok(told.to_bytes())
    }

    /// What the browser is offered in place of the far side's offer, the first or a later one. It may be asked again.
    ///
    /// # Errors
    /// [`BridgeError`].
    pub fn offer_of_far(&mut self, sdp: &[u8], now: Duration) -> Result<Vec<u8>, BridgeError> {
        let theirs = self.read(sdp)?;
        let index = retelling::offered(&theirs)?;
        let section = &theirs.media[index];
        if matches!(Security::of(&theirs, section)?, Security::Dtls(_)) {
            return Err(BridgeError::OtherProtection);
        }
        let mut stream = retelling::stream(&theirs, section, self.browser_side.port())?;
        let ours = dtls::described(&self.way, self.setup(Setup::ActPass));
        Security::Dtls(ours).write(&mut stream);
        let mut told = retelling::around(&theirs, stream, self.browser_side, None);
        retelling::bundle(&mut told, 0, &self.mid);
        self.far_offer = Some(theirs);
        self.settle(now);
        Ok(told.to_bytes())
    }

    /// What the far side is answered in place of the browser's answer; sound flows from here on.
    ///
    /// # Errors
    /// [`BridgeError`].
    pub fn answer_of_browser(&mut self, sdp: &[u8], now: Duration) -> Result<Vec<u8>, BridgeError> {
        let theirs = self.read(sdp)?;
        let section = retelling::answered(&theirs)?;
        let offer = self.far_offer.as_ref().ok_or(BridgeError::NoOffer)?;
        let index = retelling::offered(offer)?;
        let offered = &offer.media[index];
        let dtls = protected(&theirs, section)?;
        let mut stream = retelling::stream(&theirs, section, self.far.port())?;
        self.far.offer_taken(offer, offered, &mut stream)?;
        stream.protocol.clone_from(&offered.protocol);
        let role = match dtls.setup {
            Setup::Active => DtlsRole::Server,
            _ => DtlsRole::Client,
        };
        let set = self.way.set_remote(dtls::read(&dtls)?, role, now);
        set.map_err(DtlsError::Description)?;
        self.numbers.clear();
        let at = self.far.local();
        let told = retelling::around(&theirs, stream, at, Some((offer, index)));
        self.learn_mid(&theirs.media[0]);
        self.answered = true;
        self.settle(now);
        Ok(told.to_bytes())
    }

    /// A datagram that came to the browser's socket. Anything may come.
    pub fn handle_browser(&mut self, from: SocketAddr, bytes: &[u8], now: Duration) {
        self.way
            .handle_datagram(from, self.browser_side, bytes, now);
        self.settle(now);
    }

    /// A datagram that came to the far side's RTP socket. Anything may come.
    pub fn handle_rtp(&mut self, from: SocketAddr, bytes: &[u8], now: Duration) {
        let packet = self.far.received_rtp(from, bytes);
        let sent = packet.is_some_and(|packet| self.way.send_rtp(&packet).is_ok());
        let count = match sent {
            true => &mut self.statistics.to_browser,
            false => &mut self.statistics.dropped,
        };
        *count += 1;
        self.settle(now);
    }

    /// The same of the RTCP socket.
    pub fn handle_rtcp(&mut self, from: SocketAddr, bytes: &[u8], now: Duration) {
        if let Some(packet) = self.far.received_rtcp(from, bytes) {
            // Before there are keys it is dropped: the next report says the same.
            let _ = self.way.send_rtcp(&packet);
            self.settle(now);
        }
    }

    /// The time named by [`BridgeOutput::Timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.way.handle_timeout(now);
        self.settle(now);
    }

    /// The call is over; the browser is told.
    pub fn close(&mut self, now: Duration) {
        self.way.close(now);
        self.settle(now);
        self.over = true;
    }

    /// Whether it carries nothing any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// The bridge in numbers.
    #[must_use]
    pub fn statistics(&self) -> BridgeStatistics {
        self.statistics
    }

    /// The next thing to do. Drain until [`BridgeOutput::Timeout`].
    pub fn poll_output(&mut self) -> BridgeOutput {
        let next = self.next.filter(|_| !self.over);
        let first = self.outputs.pop_front();
        first.unwrap_or(BridgeOutput::Timeout(next))
    }

    fn read(&self, sdp: &[u8]) -> Result<SessionDescription, BridgeError> {
        if self.over {
            return Err(BridgeError::Over);
        }
        Ok(SessionDescription::parse(sdp)?)
    }

    /// Who begins the handshake stays for the whole call (RFC 8842 section 5.5).
    fn setup(&self, first: Setup) -> Setup {
        match self.way.role() {
            None => first,
            Some(DtlsRole::Client) => Setup::Active,
            Some(DtlsRole::Server) => Setup::Passive,
        }
    }

    fn learn_mid(&mut self, section: &Media) {
        if let Some(mid) = section.attributes.get("mid") {
            mid.clone_into(&mut self.mid);
        }
    }

    /// Carries from the browser to the far side until the transport is quiet.
    fn settle(&mut self, now: Duration) {
        let mut next = loop {
            match self.way.poll_output() {
                SecureOutput::Transmit { to, bytes, .. } => {
                    self.outputs
                        .push_back(BridgeOutput::ToBrowser { to, bytes });
                }
                SecureOutput::Rtp(packet) => self.carry_far(packet),
                SecureOutput::Rtcp(packet) => {
                    if let Some((to, bytes)) = self.far.protected_rtcp(packet) {
                        self.outputs.push_back(BridgeOutput::Rtcp { to, bytes });
                    }
                }
                SecureOutput::Event(event) => match event {
                    SecureEvent::Interrupted => self.away = Some(now),
                    SecureEvent::Resumed => self.away = None,
                    SecureEvent::Failed(_) | SecureEvent::PeerClosed => self.over = true,
                    SecureEvent::Connected { .. } | SecureEvent::PathChanged { .. } => {}
                },
                SecureOutput::Timeout(at) => break at,
            }
        };
        if let Some(since) = self.away {
            let until = since.saturating_add(AWAY_MAX);
            self.over |= now >= until;
            next = next.into_iter().chain([until]).min();
        }
        self.next = next;
    }

    fn carry_far(&mut self, mut packet: Vec<u8>) {
        if let [_, second, ..] = packet.as_mut_slice()
            && let Some((_, far)) = self.numbers.iter().find(|(own, _)| *own == *second & 0x7f)
        {
            *second = (*second & 0x80) | far;
        }
        let packet = Some(packet).filter(|_| self.answered);
        let sent = packet.and_then(|packet| self.far.protected_rtp(packet));
        let count = match &sent {
            Some(_) => &mut self.statistics.to_far,
            None => &mut self.statistics.dropped,
        };
        *count += 1;
        if let Some((to, bytes)) = sent {
            self.outputs.push_back(BridgeOutput::Rtp { to, bytes });
        }
    }
}

fn protected(theirs: &SessionDescription, section: &Media) -> Result<DtlsDescription, BridgeError> {
    match Security::of(theirs, section)? {
        Security::Dtls(dtls) => Ok(dtls),
        _ => Err(BridgeError::OtherProtection),
    }
}
