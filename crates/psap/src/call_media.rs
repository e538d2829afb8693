//! The audio of one call: a media session, where its packets go, and the voice that speaks into it.

use core::time::Duration;
use std::net::SocketAddr;

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

pub(crate) struct CallMedia {
    session: Session,
    remote: SocketAddr,
    speech: Speech,
    next_speech: Duration,
    manner: Voice,
    loudness: Loudness,
}

impl CallMedia {
    pub(crate) fn new(
        negotiated: &Negotiated,
        seed: u64,
        unix_time_at_zero: Duration,
        speech: Speech,
        manner: Voice,
        now: Duration,
    ) -> Result<Self, MediaError> {
        let remote = remote(negotiated)?;
        let mut config = SessionConfig::new(codec(negotiated.codec), seed);
        config.payload_type = negotiated.payload_type;
        config.also_receive = also_receive(negotiated);
        config.telephone_event_payload_type = negotiated.receive_telephone_event;
        config.unix_time_at_zero = unix_time_at_zero;
        Ok(Self {
            session: Session::new(config)?,
            remote,
            speech,
            next_speech: now,
            manner,
            loudness: Loudness::default(),
        })
    }

    /// A re-INVITE changed addresses or codecs.
    pub(crate) fn renegotiate(&mut self, negotiated: &Negotiated) -> Result<(), MediaError> {
        let remote = remote(negotiated)?;
        self.session.renegotiate(
            codec(negotiated.codec),
            negotiated.payload_type,
            also_receive(negotiated),
            negotiated.receive_telephone_event,
        )?;
        self.remote = remote;
        Ok(())
    }

    pub(crate) fn handle_rtp(&mut self, from: SocketAddr, datagram: &[u8], now: Duration) {
        // The port may differ (a sender need not send from where it receives), the host not.
        if from.ip() == self.remote.ip() {
            self.session.handle_rtp(datagram, now);
        }
    }

    /// The person at the console said so much more.
    pub(crate) fn handle_person(&mut self, samples: &[i16]) {
        self.speech.put(samples);
    }

    pub(crate) fn handle_rtcp(&mut self, from: SocketAddr, datagram: &[u8], now: Duration) {
        if from.ip() == self.remote.ip() {
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
        let mute = self.manner == Voice::Mute;
        let rtcp = SocketAddr::new(self.remote.ip(), self.remote.port().saturating_add(1));
        loop {
            match self.session.poll_output(now) {
                Output::Rtp(_) | Output::Rtcp(_) if mute => {}
                Output::Rtp(packet) => each(MediaOutput::Rtp(self.remote, packet)),
                Output::Rtcp(packet) => each(MediaOutput::Rtcp(rtcp, packet)),
                Output::Playout(samples) => {
                    self.loudness.add(&samples);
                    each(MediaOutput::Heard(samples));
                }
                Output::Event(event) => each(MediaOutput::Event(event)),
                Output::Timeout(next) => {
                    return next.map(|next| next.min(self.next_speech));
                }
            }
        }
    }

    pub(crate) fn close(&mut self, now: Duration) {
        self.session.close(now);
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
