//! The sound of one ordinary call: offers and answers, the RTP session, and the way its packets travel.
mod secure;
#[cfg(test)]
mod tests;

use core::time::Duration;
use std::net::SocketAddr;

use hearthline_ledger::Media;
use hearthline_media as media;
use hearthline_media::secure::{
    DtlsRole, SecureConfigError, SecureDescriptionError, SecureEvent, SecureOutput, SecureTransport,
};
use hearthline_sip::offer_answer::{
    self, LocalAudio, Negotiated, NegotiationError, answer_received, reoffer,
};
use hearthline_sip::sdp::secure_offer_answer::SecureNegotiationError;
use hearthline_sip::sdp::{Direction, SessionDescription};

use hearthline_webrtc::dtls::DtlsError;
pub(super) use secure::is_offered;

use crate::sound::{address_of, codec_of, name_of, others, statistics};

/// Why there is no sound.
#[derive(Debug, thiserror::Error)]
pub(super) enum LegError {
    /// No address to send to.
    #[error("the other side names no IP address and port for its sound")]
    NoAddress,
    /// Payload types that cannot be.
    #[error(transparent)]
    Session(#[from] media::SessionConfigError),
    /// No agreement on the codec.
    #[error(transparent)]
    Negotiation(#[from] NegotiationError),
    /// No agreement on a protected stream; too weak a one is refused here.
    #[error(transparent)]
    Protection(#[from] SecureNegotiationError),
    /// The other side offers or answers without DTLS.
    #[error("the other side does not protect its sound, and this call must be protected")]
    Unprotected,
    /// Certificates are named by digests that we do not take.
    #[error("the other side names its certificate by no SHA-256 fingerprint")]
    NoFingerprint,
    /// The other side's description of its transport.
    #[error(transparent)]
    Description(#[from] SecureDescriptionError),
    /// Our own transport.
    #[error(transparent)]
    Transport(#[from] SecureConfigError),
}

impl From<DtlsError> for LegError {
    fn from(error: DtlsError) -> Self {
        match error {
            DtlsError::Negotiation(error) => Self::Protection(error),
            DtlsError::NoFingerprint => Self::NoFingerprint,
            DtlsError::Description(error) => Self::Description(error),
            DtlsError::Ours(error) => Self::Transport(error),
            _ => Self::Unprotected,
        }
    }
}

/// How well a call must be protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Demand {
    /// By DTLS-SRTP, or there is no call: between devices of the home.
    Protected,
    /// By DTLS-SRTP with who can, in the clear with the others (RFC 8643): a room where an ordinary phone stands
    /// beside a device of ours. Which it became is said.
    Either,
    /// In the clear: ordinary phones and outside lines.
    Clear,
}

/// The way below RTP.
enum Way {
    /// RTP and RTCP in the clear, on two ports.
    Plain { rtp: SocketAddr },
    /// Everything on one port, and only the two ends have the keys.
    Secure {
        transport: Box<SecureTransport>,
        role: DtlsRole,
    },
}

/// What a leg wants done.
pub(super) enum LegOutput {
    /// Send this.
    Packet {
        /// Our port.
        from: SocketAddr,
        /// Where to.
        to: SocketAddr,
        /// The packet.
        bytes: Vec<u8>,
    },
    /// 20 ms of the other side.
    Sound(Vec<i16>),
    /// Something to know.
    Event(media::Event),
    /// Something to know of the protection.
    Protection(SecureEvent),
}

/// What a leg is made of besides what the two sides say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground {
    /// Our even port.
    pub(super) local: SocketAddr,
    /// For names of streams.
    pub(super) seed: u64,
    /// Wall clock at zero.
    pub(super) unix_time_at_zero: Duration,
}

/// The sound of one call.
pub(super) struct Leg {
    session: media::Session,
    codec: &'static str,
    local: SocketAddr,
    way: Way,
    direction: Direction,
}

/// Our first offer on `local`; protected when there is a way.
pub(super) fn first_offer(
    local: SocketAddr,
    way: Option<&SecureTransport>,
    demand: Demand,
    session_id: u64,
) -> SessionDescription {
    let audio = audio(local, Direction::SendRecv);
    match way {
        None => offer_answer::offer(&audio, session_id, 0),
        Some(way) => secure::offer(way, &audio, demand, session_id),
    }
}

impl Leg {
    /// The caller's: the other side has answered our offer. `way` is what the offer spoke of.
    pub(super) fn of_caller(
        offer: &SessionDescription,
        answer: &SessionDescription,
        way: Option<Box<SecureTransport>>,
        demand: Demand,
        ground: Ground,
        now: Duration,
    ) -> Result<Self, LegError> {
        match way {
            Some(mut transport) if demand == Demand::Protected || secure::is_offered(answer) => {
                let (negotiated, role) =
                    secure::answer_received(&mut transport, offer, answer, now)?;
                Self::new(&negotiated, Way::Secure { transport, role }, ground)
            }
            None if demand == Demand::Protected => Err(LegError::Unprotected),
            _ => {
                let negotiated = answer_received(&secure::cleared(offer), answer)?;
                let rtp = address_of(&negotiated).ok_or(LegError::NoAddress)?;
                Self::new(&negotiated, Way::Plain { rtp }, ground)
            }
        }
    }

    /// The callee's, and our answer to their offer. Without a way it is in the clear.
    pub(super) fn of_callee(
        offer: &SessionDescription,
        way: Option<Box<SecureTransport>>,
        session_id: u64,
        ground: Ground,
        now: Duration,
    ) -> Result<(SessionDescription, Self), LegError> {
        let audio = audio(ground.local, Direction::SendRecv);
        let Some(mut transport) = way else {
            let (ours, negotiated) = offer_answer::answer(offer, &audio, session_id, 0)?;
            let rtp = address_of(&negotiated).ok_or(LegError::NoAddress)?;
            return Ok((ours, Self::new(&negotiated, Way::Plain { rtp }, ground)?));
        };
        let (ours, negotiated, role) =
            secure::answer(&mut transport, offer, &audio, (session_id, 0), now)?;
        let leg = Self::new(&negotiated, Way::Secure { transport, role }, ground)?;
        Ok((ours, leg))
    }

    fn new(negotiated: &Negotiated, way: Way, ground: Ground) -> Result<Self, LegError> {
        let mut config = media::SessionConfig::new(codec_of(negotiated.codec), ground.seed);
        config.payload_type = negotiated.payload_type;
        config.telephone_event_payload_type = negotiated.telephone_event;
        config.also_receive = others(negotiated);
        config.unix_time_at_zero = ground.unix_time_at_zero;
        Ok(Self {
            session: media::Session::new(config)?,
            codec: name_of(negotiated.codec),
            local: ground.local,
            way,
            direction: negotiated.direction,
        })
    }

    /// Our port is another one: the next offer says so, and a protected way looks for a path from there.
    pub(super) fn moved(&mut self, local: SocketAddr, now: Duration) -> Result<(), LegError> {
        if let Way::Secure { transport, .. } = &mut self.way {
            transport.restart(&[local], now)?;
        }
        self.local = local;
        Ok(())
    }

    /// Whether this later offer of theirs looks for another path of a protected call.
    pub(super) fn is_restarted_by(&self, theirs: &SessionDescription) -> bool {
        match &self.way {
            Way::Plain { .. } => false,
            Way::Secure { transport, .. } => secure::is_restarted(transport, theirs),
        }
    }

    /// Whether only the two ends hear it.
    pub(super) fn is_protected(&self) -> bool {
        matches!(self.way, Way::Secure { .. })
    }

    /// Our later offer: hold, resume. What protects the call stays.
    pub(super) fn reoffer(
        &self,
        previous: &SessionDescription,
        direction: Direction,
    ) -> SessionDescription {
        let audio = audio(self.local, direction);
        match &self.way {
            Way::Plain { .. } => reoffer(&secure::cleared(previous), &audio),
            Way::Secure { transport, role } => secure::reoffer(transport, *role, previous, &audio),
        }
    }

    /// Our answer to a later offer of theirs. Less protection than before is refused.
    pub(super) fn reanswer(
        &mut self,
        theirs: &SessionDescription,
        direction: Direction,
        version: (u64, u64),
        now: Duration,
    ) -> Result<SessionDescription, LegError> {
        let audio = audio(self.local, direction);
        let (ours, negotiated) = match &mut self.way {
            Way::Plain { .. } => offer_answer::answer(theirs, &audio, version.0, version.1)?,
            Way::Secure { transport, .. } => {
                let answered = secure::answer(transport, theirs, &audio, version, now)?;
                (answered.0, answered.1)
            }
        };
        self.renegotiated(&negotiated)?;
        Ok(ours)
    }

    /// Their answer to a later offer of ours.
    pub(super) fn reanswered(
        &mut self,
        offer: &SessionDescription,
        answer: &SessionDescription,
        now: Duration,
    ) -> Result<(), LegError> {
        let negotiated = match &mut self.way {
            Way::Plain { .. } => answer_received(offer, answer)?,
            Way::Secure { transport, .. } => {
                secure::answer_received(transport, offer, answer, now)?.0
            }
        };
        self.renegotiated(&negotiated)
    }

    fn renegotiated(&mut self, negotiated: &Negotiated) -> Result<(), LegError> {
        if let Way::Plain { rtp } = &mut self.way {
            *rtp = address_of(negotiated).ok_or(LegError::NoAddress)?;
        }
        self.session.renegotiate(
            codec_of(negotiated.codec),
            negotiated.payload_type,
            others(negotiated),
            negotiated.telephone_event,
        )?;
        self.codec = name_of(negotiated.codec);
        self.direction = negotiated.direction;
        Ok(())
    }

    /// Whether the other side takes sound now.
    pub(super) fn sends(&self) -> bool {
        self.direction.sends()
    }

    pub(super) fn microphone(&mut self, samples: &[i16], now: Duration) {
        self.session.handle_microphone(samples, now);
    }

    /// A datagram on one of our two ports.
    pub(super) fn packet(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8], now: Duration) {
        let first = to.port() == self.local.port();
        match &mut self.way {
            Way::Plain { .. } if first => self.session.handle_rtp(bytes, now),
            Way::Plain { .. } => self.session.handle_rtcp(bytes, now),
            Way::Secure { transport, .. } if first => {
                transport.handle_datagram(from, to, bytes, now);
            }
            Way::Secure { .. } => {}
        }
    }

    pub(super) fn press(&mut self, digit: char, now: Duration) -> Result<(), media::DigitError> {
        self.session.send_digit(digit, now)
    }

    pub(super) fn handle_timeout(&mut self, now: Duration) {
        self.session.handle_timeout(now);
        if let Way::Secure { transport, .. } = &mut self.way {
            transport.handle_timeout(now);
        }
    }

    /// The last packets are left to be polled.
    pub(super) fn close(&mut self, now: Duration) {
        self.session.close(now);
        if let Way::Secure { transport, .. } = &mut self.way {
            // Before the transport, which sends nothing after its end.
            loop {
                match self.session.poll_output(now) {
                    media::Output::Rtcp(bytes) => {
                        let _ = transport.send_rtcp(&bytes);
                    }
                    media::Output::Timeout(_) => break,
                    _ => {}
                }
            }
            transport.close(now);
        }
    }

    /// The next output, or when to come back.
    pub(super) fn poll(&mut self, now: Duration) -> Result<LegOutput, Option<Duration>> {
        loop {
            let session_at = match self.session.poll_output(now) {
                // A side that asked for silence gets none of the room (RFC 3264 section 8.4).
                media::Output::Rtp(_) if !self.direction.sends() => continue,
                media::Output::Playout(_) if !self.direction.receives() => continue,
                media::Output::Rtp(bytes) => match &mut self.way {
                    Way::Plain { rtp } => {
                        return Ok(LegOutput::Packet {
                            from: self.local,
                            to: *rtp,
                            bytes,
                        });
                    }
                    // Before there are keys it is dropped, never sent in the clear.
                    Way::Secure { transport, .. } => {
                        let _ = transport.send_rtp(&bytes);
                        continue;
                    }
                },
                media::Output::Rtcp(bytes) => match &mut self.way {
                    Way::Plain { rtp } => {
                        return Ok(LegOutput::Packet {
                            from: after(self.local),
                            to: after(*rtp),
                            bytes,
                        });
                    }
                    Way::Secure { transport, .. } => {
                        let _ = transport.send_rtcp(&bytes);
                        continue;
                    }
                },
                media::Output::Playout(samples) => return Ok(LegOutput::Sound(samples)),
                media::Output::Event(event) => return Ok(LegOutput::Event(event)),
                media::Output::Timeout(at) => at,
            };
            let Way::Secure { transport, .. } = &mut self.way else {
                return Err(session_at);
            };
            match transport.poll_output() {
                SecureOutput::Transmit { from, to, bytes } => {
                    return Ok(LegOutput::Packet { from, to, bytes });
                }
                SecureOutput::Rtp(bytes) => self.session.handle_rtp(&bytes, now),
                SecureOutput::Rtcp(bytes) => self.session.handle_rtcp(&bytes, now),
                SecureOutput::Event(event) => return Ok(LegOutput::Protection(event)),
                SecureOutput::Timeout(at) => {
                    return Err([session_at, at].into_iter().flatten().min());
                }
            }
        }
    }

    /// The counters, for the record.
    pub(super) fn statistics(&self, call_id: &str) -> Media {
        statistics(&self.session, self.codec, call_id)
    }
}

/// What we offer and answer with on `local`.
fn audio(local: SocketAddr, direction: Direction) -> LocalAudio {
    LocalAudio::new(local.ip(), local.port()).with_direction(direction)
}

/// The RTCP port of an RTP port (RFC 3550 section 11).
pub(super) fn after(mut address: SocketAddr) -> SocketAddr {
    address.set_port(address.port().saturating_add(1));
    address
}
