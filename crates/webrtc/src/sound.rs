//! The sans-IO core: one browser's sound, from datagrams to samples and back.
use core::fmt;
use core::time::Duration;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use hearthline_media as media;
use hearthline_media::secure::{
    IceRole, SecureEvent, SecureFailure, SecureOutput, SecureTransport,
};

use crate::description::{self, OfferError};
use crate::keys::Keys;

/// A browser that is silent for longer is gone; the page makes a new connection when it comes back.
const SILENT_MAX: Duration = Duration::from_secs(15);

/// What a browser's sound is made of besides its offer.
#[derive(Debug, Clone)]
pub struct SoundConfig {
    /// Our key and certificate.
    pub keys: Keys,
    /// Where our socket is reached.
    pub local: SocketAddr,
    /// 32 octets of the system's randomness.
    pub seed: [u8; 32],
    /// The instant at which `now` is zero.
    pub origin: Instant,
}

/// Why a connection is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The page closed it.
    ByBrowser,
    /// Nothing came for 15 seconds.
    Silent,
    /// It never was one.
    Failed(SecureFailure),
    /// We closed it.
    ByUs,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByBrowser => f.write_str("the page closed its sound"),
            Self::Silent => f.write_str("nothing came from the page for 15 seconds"),
            Self::Failed(why) => write!(f, "no sound with the page: {why}"),
            Self::ByUs => f.write_str("closed here"),
        }
    }
}

/// What it wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a datagram from our socket.
    Transmit {
        /// To the browser.
        to: SocketAddr,
        /// What.
        bytes: Vec<u8>,
    },
    /// The browser is there; sound flows both ways.
    Connected,
    /// 20 ms of the browser's microphone: 320 samples at 16 kHz. One every 20 ms from the first packet on; what is lost on
    /// the way is concealed, then silence.
    Heard(Vec<i16>),
    /// Nothing comes any more; it may come back by itself.
    Interrupted,
    /// It came back.
    Resumed,
    /// It is over; nothing follows but what is to be sent.
    Ended(Ended),
    /// Nothing more now; call `handle_timeout` at this time, or never (over).
    Timeout(Option<Duration>),
}

/// One browser's sound.
#[derive(Debug)]
pub struct Sound {
    way: SecureTransport,
    session: media::Session,
    connected: bool,
    /// The microphone's first packet was there: what is played is its sound.
    heard: bool,
    interrupted: Option<Duration>,
    over: bool,
    outputs: VecDeque<Output>,
    next: Option<Duration>,
}

impl Sound {
    /// Answers a page's offer. The answer goes to the page as it is.
    ///
    /// # Errors
    /// [`OfferError`].
    pub fn answer(
        offer: &[u8],
        config: SoundConfig,
        now: Duration,
    ) -> Result<(Self, String), OfferError> {
        let number = |at: usize| {
            config.seed[at..at + 8]
                .iter()
                .fold(0_u64, |sum, octet| sum << 8 | u64::from(*octet))
        };
        // Browsers read session ids as signed numbers.
        let (session_id, seed) = (number(0) >> 2, number(8));
        let addresses = vec![config.local];
        let ours =
            config
                .keys
                .transport(IceRole::Controlled, addresses, config.seed, config.origin);
        let mut way = SecureTransport::new(ours, now)?;
        let (answer, negotiated) =
            description::answer(offer, &mut way, config.local, session_id, now)?;
        let codec = description::codec_of(negotiated.codec);
        let mut session = media::SessionConfig::new(codec, seed);
        session.payload_type = negotiated.payload_type;
        session.telephone_event_payload_type = None;
        let mut sound = Self {
            way,
            session: media::Session::new(session)?,
            connected: false,
            heard: false,
            interrupted: None,
            over: false,
            outputs: VecDeque::new(),
            next: None,
        };
        sound.settle(now);
        Ok((sound, answer))
    }

    /// A datagram that came to our socket. Anything may come.
    pub fn handle_datagram(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        bytes: &[u8],
        now: Duration,
    ) {
        self.way.handle_datagram(from, to, bytes, now);
        self.settle(now);
    }

    /// Samples for the browser's loudspeaker, 16 kHz mono, any number; half a second may wait, silence is sent in between.
    pub fn handle_samples(&mut self, samples: &[i16], now: Duration) {
        if self.connected && !self.over {
            self.session.handle_microphone(samples, now);
            self.settle(now);
        }
    }

    /// The time named by [`Output::Timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.way.handle_timeout(now);
        self.settle(now);
    }

    /// Ends it; the browser is told.
    pub fn close(&mut self, now: Duration) {
        self.end(Ended::ByUs, now);
    }

    /// The next thing to do. Drain until [`Output::Timeout`].
    pub fn poll_output(&mut self) -> Output {
        self.outputs
            .pop_front()
            .unwrap_or(Output::Timeout(self.next))
    }

    /// The sound in numbers.
    #[must_use]
    pub fn statistics(&self) -> media::Statistics {
        self.session.statistics()
    }

    /// Carries between transport and session until both are quiet.
    fn settle(&mut self, now: Duration) {
        let mut next = self.drain_way(now);
        if self.connected && !self.over {
            let tick = self.drain_session(now);
            // What the session sent waits in the transport.
            let again = self.drain_way(now);
            next = [tick, again].into_iter().flatten().min();
        }
        if let Some(since) = self.interrupted.filter(|_| !self.over) {
            if now >= since + SILENT_MAX {
                self.end(Ended::Silent, now);
                return;
            }
            next = Some(next.unwrap_or(now).min(since + SILENT_MAX));
        }
        self.next = next.filter(|_| !self.over);
    }

    fn drain_way(&mut self, now: Duration) -> Option<Duration> {
        loop {
            match self.way.poll_output() {
                SecureOutput::Transmit { to, bytes, .. } => {
                    self.outputs.push_back(Output::Transmit { to, bytes });
                }
                SecureOutput::Rtp(packet) => self.session.handle_rtp(&packet, now),
                SecureOutput::Rtcp(packet) => self.session.handle_rtcp(&packet, now),
                SecureOutput::Event(event) => self.event(event, now),
                SecureOutput::Timeout(at) => return at,
            }
        }
    }

    fn drain_session(&mut self, now: Duration) -> Option<Duration> {
        loop {
            match self.session.poll_output(now) {
                // Not sent is dropped: late sound is worth nothing.
                media::Output::Rtp(packet) => drop(self.way.send_rtp(&packet)),
                media::Output::Rtcp(packet) => drop(self.way.send_rtcp(&packet)),
                media::Output::Playout(frame) if self.heard => {
                    self.outputs.push_back(Output::Heard(frame));
                }
                media::Output::Event(media::Event::FirstPacketReceived) => self.heard = true,
                media::Output::Playout(_) | media::Output::Event(_) => {}
                media::Output::Timeout(at) => return at,
            }
        }
    }

    fn event(&mut self, event: SecureEvent, now: Duration) {
        match event {
            SecureEvent::Connected { .. } => {
                self.connected = true;
                self.outputs.push_back(Output::Connected);
            }
            SecureEvent::Interrupted => {
                self.interrupted = Some(now);
                self.outputs.push_back(Output::Interrupted);
            }
            SecureEvent::Resumed => {
                self.interrupted = None;
                self.outputs.push_back(Output::Resumed);
            }
            SecureEvent::PathChanged { .. } => {}
            SecureEvent::PeerClosed => self.end(Ended::ByBrowser, now),
            SecureEvent::Failed(why) => self.end(Ended::Failed(why), now),
        }
    }

    fn end(&mut self, why: Ended, now: Duration) {
        if self.over {
            return;
        }
        self.over = true;
        self.next = None;
        self.way.close(now);
        loop {
            match self.way.poll_output() {
                SecureOutput::Transmit { to, bytes, .. } => {
                    self.outputs.push_back(Output::Transmit { to, bytes });
                }
                SecureOutput::Rtp(_) | SecureOutput::Rtcp(_) | SecureOutput::Event(_) => {}
                SecureOutput::Timeout(_) => break,
            }
        }
        self.outputs.push_back(Output::Ended(why));
    }
}
