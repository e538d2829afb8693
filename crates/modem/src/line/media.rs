//! The sound of a call: RTP on one side, the modem's 8 kHz samples on the other.

use core::time::Duration;
use std::net::SocketAddr;

use hearthline_media::{
    Codec, Downsampler, Event, Output, Session, SessionConfig, SessionConfigError, Upsampler,
};
use hearthline_sip::offer_answer::{self, LocalAudio, Negotiated};

use super::config::ModemConfig;

/// Why a negotiated session cannot be served.
#[derive(Debug, thiserror::Error)]
pub(super) enum MediaError {
    /// Media stay on this machine.
    #[error("the media address is not on this machine")]
    NotLoopback,
    /// Payload types that cannot be used.
    #[error(transparent)]
    Config(#[from] SessionConfigError),
}

/// What is to be done for the sound.
pub(super) enum MediaOutput {
    Packet {
        rtcp: bool,
        to: SocketAddr,
        bytes: Vec<u8>,
    },
    Play(Vec<i16>),
    Digit(char),
}

pub(super) struct CallMedia {
    session: Session,
    remote: SocketAddr,
    up: Upsampler,
    down: Downsampler,
}

/// What we offer and take: what a telephone network has.
pub(super) fn local_audio(config: &ModemConfig) -> LocalAudio {
    let mut local = LocalAudio::new(config.media_address, config.media_port);
    local.codecs = vec![offer_answer::Codec::Pcmu, offer_answer::Codec::Pcma];
    local
}

impl CallMedia {
    pub(super) fn new(
        negotiated: &Negotiated,
        config: &ModemConfig,
        call: u64,
    ) -> Result<Self, MediaError> {
        let mut word = [0; 8];
        word.copy_from_slice(&config.endpoint.seed[..8]);
        let seed = u64::from_le_bytes(word) ^ call.rotate_left(32);
        let mut own = SessionConfig::new(codec(negotiated), seed);
        own.payload_type = negotiated.payload_type;
        own.also_receive = also_receive(negotiated);
        own.telephone_event_payload_type = negotiated.receive_telephone_event;
        own.unix_time_at_zero = config.unix_time_at_zero;
        Ok(Self {
            session: Session::new(own)?,
            remote: remote(negotiated)?,
            up: Upsampler::new(),
            down: Downsampler::new(),
        })
    }

    /// A re-INVITE changed address or codec.
    pub(super) fn renegotiate(&mut self, negotiated: &Negotiated) -> Result<(), MediaError> {
        let remote = remote(negotiated)?;
        self.session.renegotiate(
            codec(negotiated),
            negotiated.payload_type,
            also_receive(negotiated),
            negotiated.receive_telephone_event,
        )?;
        self.remote = remote;
        Ok(())
    }

    pub(super) fn handle(&mut self, rtcp: bool, from: SocketAddr, datagram: &[u8], now: Duration) {
        // The port may differ (a sender need not send from where it receives), the host not.
        if from.ip() != self.remote.ip() {
            return;
        }
        if rtcp {
            self.session.handle_rtcp(datagram, now);
        } else {
            self.session.handle_rtp(datagram, now);
        }
    }

    /// What the far end says, 8 kHz.
    pub(super) fn handle_far_end(&mut self, samples: &[i16], now: Duration) {
        let mut wide = Vec::with_capacity(samples.len() * 2);
        self.up.process(samples, &mut wide);
        self.session.handle_microphone(&wide, now);
    }

    /// The far end pressed a digit.
    pub(super) fn send_digit(&mut self, digit: char, now: Duration) {
        // Refused where the other side takes no digits, or too many wait: then it is not heard.
        let _ = self.session.send_digit(digit, now);
    }

    /// Hands out what is to be done; returns when to come again.
    pub(super) fn drain(
        &mut self,
        now: Duration,
        mut each: impl FnMut(MediaOutput),
    ) -> Option<Duration> {
        let rtcp_to = SocketAddr::new(self.remote.ip(), self.remote.port().saturating_add(1));
        loop {
            each(match self.session.poll_output(now) {
                Output::Rtp(bytes) => MediaOutput::Packet {
                    rtcp: false,
                    to: self.remote,
                    bytes,
                },
                Output::Rtcp(bytes) => MediaOutput::Packet {
                    rtcp: true,
                    to: rtcp_to,
                    bytes,
                },
                Output::Playout(wide) => {
                    let mut narrow = Vec::with_capacity(wide.len() / 2);
                    self.down.process(&wide, &mut narrow);
                    MediaOutput::Play(narrow)
                }
                Output::Event(Event::Digit { digit, .. }) => MediaOutput::Digit(digit),
                Output::Event(_) => continue,
                Output::Timeout(next) => return next,
            });
        }
    }

    pub(super) fn close(&mut self, now: Duration) {
        self.session.close(now);
    }
}

fn codec(negotiated: &Negotiated) -> Codec {
    match negotiated.codec {
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
        vec![(negotiated.receive_payload_type, codec(negotiated))]
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
