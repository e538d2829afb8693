//! The audio of one call: a media session, where its packets go, and the voice that speaks into it. A caller who protects
//! its sound (a browser: ICE and DTLS-SRTP) has it all on one port; others have RTP and RTCP in the clear on two.

use core::time::Duration;
use std::net::SocketAddr;

use hearthline_media::secure::{SecureOutput, SecureTransport};
use hearthline_media::{
    Codec, Event, FRAME, FRAME_SAMPLES, Output, Session, SessionConfig, SessionConfigError,
};
use hearthline_sip::offer_answer::{self, Negotiated};

use crate::behaviour::Voice;
use crate::report::{Loudness, MediaReport};
use crate::speech::Speech;

/// Why a negotiated session cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// A drill's media stay on this machine.
    #[error("the caller's media address is not loopback; a drill call-taker sends nowhere else")]
    NotLoopback,
    /// The payload types cannot be used.
    #[error(transparent)]
    Config(#[from] SessionConfigError),
}

/// What the call-taker is to do for the audio.
pub(crate) enum MediaOutput {
    Rtp(SocketAddr, Vec<u8>),
    Rtcp(SocketAddr, Vec<u8>),
    Heard(Vec<i16>),
    Event(Event),
}

/// The way of a call's packets.
pub(crate) enum Way {
    /// In the clear, to here; RTCP one port above.
    Plain(SocketAddr),
    /// By DTLS-SRTP, from our port.
    Secure(Box<SecureTransport>, SocketAddr),
}

impl Way {
    /// Where the caller wants it, in the clear.
    pub(crate) fn plain(negotiated: &Negotiated) -> Result<Self, MediaError> {
        remote(negotiated).map(Self::Plain)
    }
}

pub(crate) struct CallMedia {
    session: Session,
    way: Way,
    speech: Speech,
    next_speech: Duration,
    manner: Voice,
    loudness: Loudness,
}

impl CallMedia {
    pub(crate) fn new(
        negotiated: &Negotiated,
        way: Way,
        seed: u64,
        unix_time_at_zero: Duration,
        speech: Speech,
        manner: Voice,
        now: Duration,
    ) -> Result<Self, MediaError> {
        let mut config = SessionConfig::new(codec(negotiated.codec), seed);
        config.payload_type = negotiated.payload_type;
        config.also_receive = also_receive(negotiated);
        config.telephone_event_payload_type = negotiated.receive_telephone_event;
        config.unix_time_at_zero = unix_time_at_zero;
        Ok(Self {
            session: Session::new(config)?,
            way,
            speech,
            next_speech: now,
            manner,
            loudness: Loudness::default(),
        })
    }

    /// A re-INVITE changed addresses or codecs.
    pub(crate) fn renegotiate(&mut self, negotiated: &Negotiated) -> Result<(), MediaError> {
        let moved = match &self.way {
            Way::Plain(_) => Some(remote(negotiated)?),
            // Its own checks tell where it is.
            Way::Secure(..) => None,
        };
        self.session.renegotiate(
            codec(negotiated.codec),
            negotiated.payload_type,
            also_receive(negotiated),
            negotiated.receive_telephone_event,
        )?;
        if let (Way::Plain(remote), Some(moved)) = (&mut self.way, moved) {
            *remote = moved;
        }
        Ok(())
    }

    /// What protects it.
    pub(crate) fn secure(&mut self) -> Option<&mut SecureTransport> {
        match &mut self.way {
            Way::Plain(_) => None,
            Way::Secure(way, _) => Some(way),
        }
    }

    pub(crate) fn handle_rtp(&mut self, from: SocketAddr, datagram: &[u8], now: Duration) {
        match &mut self.way {
            // The port may differ (a sender need not send from where it receives), the host not.
            Way::Plain(remote) if from.ip() == remote.ip() => {
                self.session.handle_rtp(datagram, now);
            }
            // A drill's caller is on loopback; nothing would be sent elsewhere.
            Way::Secure(way, local) if from.ip().is_loopback() => {
                way.handle_datagram(from, *local, datagram, now);
            }
            _ => {}
        }
    }

    /// The person at the console said so much more.
    pub(crate) fn handle_person(&mut self, samples: &[i16]) {
        self.speech.put(samples);
    }

    pub(crate) fn handle_rtcp(&mut self, from: SocketAddr, datagram: &[u8], now: Duration) {
        if let Way::Plain(remote) = &self.way
            && from.ip() == remote.ip()
        {
            self.session.handle_rtcp(datagram, now);
        }
    }

    /// Speaks what is due and hands out what the session wants; returns when it wants to be called.
    pub(crate) fn drain(
        &mut self,
        now: Duration,
        mut each: impl FnMut(MediaOutput),
    ) -> Option<Duration> {
        // After a pause of the whole machine the rest of the phrase is not made up for.
        if now.saturating_sub(self.next_speech) > Duration::from_secs(1) {
            self.next_speech = now;
        }
        while self.next_speech <= now {
            let frame = self.next_frame();
            self.session
                .handle_microphone(&frame, self.next_speech.max(now));
            self.next_speech += FRAME;
        }
        if let Way::Secure(way, _) = &mut self.way {
            way.handle_timeout(now);
        }
        self.drain_way(now, &mut each);
        let next = self.drain_session(now, &mut each);
        // What the session sent waits in the way.
        let checks = self.drain_way(now, &mut each);
        let speech = next.map(|_| self.next_speech);
        [next, speech, checks].into_iter().flatten().min()
    }

    fn drain_session(
        &mut self,
        now: Duration,
        each: &mut impl FnMut(MediaOutput),
    ) -> Option<Duration> {
        let mute = self.manner == Voice::Mute;
        loop {
            match (self.session.poll_output(now), &mut self.way) {
                (Output::Rtp(_) | Output::Rtcp(_), _) if mute => {}
                (Output::Rtp(packet), Way::Plain(remote)) => {
                    each(MediaOutput::Rtp(*remote, packet));
                }
                (Output::Rtcp(packet), Way::Plain(remote)) => {
                    let rtcp = SocketAddr::new(remote.ip(), remote.port().saturating_add(1));
                    each(MediaOutput::Rtcp(rtcp, packet));
                }
                // Before there are keys it is dropped, never sent in the clear.
                (Output::Rtp(packet), Way::Secure(way, _)) => drop(way.send_rtp(&packet)),
                (Output::Rtcp(packet), Way::Secure(way, _)) => drop(way.send_rtcp(&packet)),
                (Output::Playout(samples), _) => {
                    self.loudness.add(&samples);
                    each(MediaOutput::Heard(samples));
                }
                (Output::Event(event), _) => each(MediaOutput::Event(event)),
                (Output::Timeout(next), _) => return next,
            }
        }
    }

    /// Takes what the protected way brings and wants sent; when it wants to be woken.
    fn drain_way(&mut self, now: Duration, each: &mut impl FnMut(MediaOutput)) -> Option<Duration> {
        let Way::Secure(way, _) = &mut self.way else {
            return None;
        };
        loop {
            match way.poll_output() {
                SecureOutput::Transmit { to, bytes, .. } => each(MediaOutput::Rtp(to, bytes)),
                SecureOutput::Rtp(packet) => self.session.handle_rtp(&packet, now),
                SecureOutput::Rtcp(packet) => self.session.handle_rtcp(&packet, now),
                // The dialog says when the call is over; a silent path is seen by the session.
                SecureOutput::Event(_) => {}
                SecureOutput::Timeout(at) => return at,
            }
        }
    }

    fn close(&mut self, now: Duration) {
        self.session.close(now);
    }

    /// Nothing more is said: the caller's transport is told, too.
    pub(crate) fn end(&mut self, now: Duration, mut each: impl FnMut(MediaOutput)) {
        self.close(now);
        self.drain(now, &mut each);
        if let Way::Secure(way, _) = &mut self.way {
            way.close(now);
            self.drain_way(now, &mut each);
        }
    }

    pub(crate) fn report(&self) -> MediaReport {
        MediaReport::new(&self.session.statistics(), &self.loudness)
    }

    fn next_frame(&mut self) -> [i16; FRAME_SAMPLES] {
        match self.manner {
            Voice::Speaks => self.speech.frame(),
            Voice::Silent | Voice::Mute => [0; FRAME_SAMPLES],
        }
    }
}

fn codec(codec: offer_answer::Codec) -> Codec {
    match codec {
        offer_answer::Codec::Pcmu => Codec::Pcmu,
        offer_answer::Codec::Pcma => Codec::Pcma,
        offer_answer::Codec::G722 => Codec::G722,
    }
}

/// The number under which the same codec comes in, where it differs.
fn also_receive(negotiated: &Negotiated) -> Vec<(u8, Codec)> {
    if negotiated.receive_payload_type == negotiated.payload_type {
        Vec::new()
    } else {
        vec![(negotiated.receive_payload_type, codec(negotiated.codec))]
    }
}

fn remote(negotiated: &Negotiated) -> Result<SocketAddr, MediaError> {
    let address = negotiated
        .remote_address
        .ip()
        .filter(std::net::IpAddr::is_loopback);
    address
        .map(|address| SocketAddr::new(address, negotiated.remote_port))
        .ok_or(MediaError::NotLoopback)
}
