//! The sound of one ordinary call: offers and answers, the RTP session, and the way its packets travel.
use core::time::Duration;
use std::net::SocketAddr;

use hearthline_ledger::Media;
use hearthline_media as media;
use hearthline_sip::offer_answer::{LocalAudio, Negotiated};
use hearthline_sip::sdp::Direction;

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
}

/// The way below RTP.
#[derive(Debug)]
enum Way {
    /// RTP and RTCP in the clear, on two ports: telephones and outside lines.
    Plain { rtp: SocketAddr },
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
}

/// The sound of one call.
pub(super) struct Leg {
    session: media::Session,
    codec: &'static str,
    local: SocketAddr,
    way: Way,
    direction: Direction,
}

impl Leg {
    /// From what offer and answer settled; `local` is our even port.
    pub(super) fn new(
        negotiated: &Negotiated,
        local: SocketAddr,
        seed: u64,
        unix_time_at_zero: Duration,
    ) -> Result<Self, LegError> {
        let mut config = media::SessionConfig::new(codec_of(negotiated.codec), seed);
        config.payload_type = negotiated.payload_type;
        config.telephone_event_payload_type = negotiated.telephone_event;
        config.also_receive = others(negotiated);
        config.unix_time_at_zero = unix_time_at_zero;
        Ok(Self {
            session: media::Session::new(config)?,
            codec: name_of(negotiated.codec),
            local,
            way: Way::Plain {
                rtp: address_of(negotiated).ok_or(LegError::NoAddress)?,
            },
            direction: negotiated.direction,
        })
    }

    /// A later offer or answer changed the session.
    pub(super) fn renegotiated(&mut self, negotiated: &Negotiated) -> Result<(), LegError> {
        let rtp = address_of(negotiated).ok_or(LegError::NoAddress)?;
        self.session.renegotiate(
            codec_of(negotiated.codec),
            negotiated.payload_type,
            others(negotiated),
            negotiated.telephone_event,
        )?;
        self.codec = name_of(negotiated.codec);
        self.direction = negotiated.direction;
        self.way = Way::Plain { rtp };
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
    pub(super) fn packet(&mut self, to: SocketAddr, bytes: &[u8], now: Duration) {
        match self.way {
            Way::Plain { .. } if to.port() == self.local.port() => {
                self.session.handle_rtp(bytes, now);
            }
            Way::Plain { .. } => self.session.handle_rtcp(bytes, now),
        }
    }

    /// Whether a datagram to this port is this leg's.
    pub(super) fn takes(&self, to: SocketAddr) -> bool {
        to == self.local || to == after(self.local)
    }

    pub(super) fn press(&mut self, digit: char, now: Duration) -> Result<(), media::DigitError> {
        self.session.send_digit(digit, now)
    }

    pub(super) fn handle_timeout(&mut self, now: Duration) {
        self.session.handle_timeout(now);
    }

    pub(super) fn close(&mut self, now: Duration) {
        self.session.close(now);
    }

    /// The next output, or when to come back.
    pub(super) fn poll(&mut self, now: Duration) -> Result<LegOutput, Option<Duration>> {
        loop {
            let Way::Plain { rtp } = self.way;
            return match self.session.poll_output(now) {
                // A side that asked for silence gets none of the room (RFC 3264 section 8.4).
                media::Output::Rtp(_) if !self.direction.sends() => continue,
                media::Output::Playout(_) if !self.direction.receives() => continue,
                media::Output::Rtp(bytes) => Ok(LegOutput::Packet {
                    from: self.local,
                    to: rtp,
                    bytes,
                }),
                media::Output::Rtcp(bytes) => Ok(LegOutput::Packet {
                    from: after(self.local),
                    to: after(rtp),
                    bytes,
                }),
                media::Output::Playout(samples) => Ok(LegOutput::Sound(samples)),
                media::Output::Event(event) => Ok(LegOutput::Event(event)),
                media::Output::Timeout(at) => Err(at),
            };
        }
    }

    /// The counters, for the record.
    pub(super) fn statistics(&self, call_id: &str) -> Media {
        statistics(&self.session, self.codec, call_id)
    }
}

/// What we offer and answer with on `local`.
pub(super) fn audio(local: SocketAddr, direction: Direction) -> LocalAudio {
    LocalAudio::new(local.ip(), local.port()).with_direction(direction)
}

/// The RTCP port of an RTP port (RFC 3550 section 11).
fn after(mut address: SocketAddr) -> SocketAddr {
    address.set_port(address.port().saturating_add(1));
    address
}
