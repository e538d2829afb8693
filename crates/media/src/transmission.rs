//! The sending half: microphone samples to RTP packets, one every 20 ms without exception.
//!
//! Each tick of the 20 ms grid owes the peer one frame. A frame that the microphone has not delivered yet
//! is owed for up to the stall time (so its arrival sets the phase, and nothing is delayed twice);
//! after that silence goes in its place and the stall is said.

use std::collections::VecDeque;

use crate::codec::{Encoder, RTP_CLOCK_HZ};
use crate::playout::{FRAME, FRAME_SAMPLES};
use crate::random::Random;
use crate::rtp::RtpPacket;
use crate::session::Event;
use crate::session_config::{SessionConfig, SessionConfigError};
use crate::telephone_event::{DigitError, DigitSender};

/// Ticks of the RTP clock in one frame.
pub(crate) const FRAME_TICKS: u32 = RTP_CLOCK_HZ / 50;

#[derive(Clone, Debug)]
pub(crate) struct Transmission {
    encoder: Encoder,
    payload_type: u8,
    event_payload_type: Option<u8>,
    digits: DigitSender,
    digits_queued_max: usize,
    random: Random,
    pub(crate) ssrc: u32,
    sequence: u16,
    /// Of the next frame.
    timestamp: u32,
    microphone: VecDeque<i16>,
    microphone_samples_max: usize,
    /// Ticks whose frame has not been sent, and how many may be.
    owed: usize,
    owed_max: usize,
    stalled: bool,
    /// Nothing sent yet, or a discontinuity.
    marker: bool,
    octets: Vec<u8>,
    pub(crate) packets_sent: u64,
    pub(crate) octets_sent: u64,
    pub(crate) silent_frames: u64,
    pub(crate) dropped_samples: u64,
}

impl Transmission {
    pub(crate) fn new(config: &SessionConfig, mut random: Random) -> Self {
        let frames = |duration: core::time::Duration| {
            (duration.as_nanos() / FRAME.as_nanos()).clamp(1, 500) as usize
        };
        Self {
            encoder: Encoder::new(config.codec),
            payload_type: config.payload_type,
            event_payload_type: config.telephone_event_payload_type,
            digits: DigitSender::new(config.digit_duration),
            digits_queued_max: config.limits.digits_queued_max,
            ssrc: random.next_u32(),
            // The first half of the numbers, so that SRTP could follow (RFC 3711 §3.3.1).
            sequence: (random.next_u32() & 0x7fff) as u16,
            timestamp: random.next_u32(),
            random,
            microphone: VecDeque::new(),
            microphone_samples_max: frames(config.limits.microphone_queue_max).max(2)
                * FRAME_SAMPLES,
            owed: 0,
            owed_max: frames(config.limits.microphone_stall),
            stalled: false,
            marker: true,
            octets: Vec::with_capacity(FRAME_SAMPLES / 2),
            packets_sent: 0,
            octets_sent: 0,
            silent_frames: 0,
            dropped_samples: 0,
        }
    }

    pub(crate) fn send_digit(&mut self, digit: char) -> Result<(), DigitError> {
        if self.event_payload_type.is_none() {
            return Err(DigitError::NotNegotiated);
        }
        if self.digits.waiting() >= self.digits_queued_max {
            return Err(DigitError::QueueFull(self.digits.waiting()));
        }
        self.digits.send(digit)
    }

    /// A re-INVITE may choose another codec; numbering and time run on.
    pub(crate) fn renegotiate(&mut self, config: &SessionConfig) -> Result<(), SessionConfigError> {
        config.check()?;
        if self.encoder.codec() != config.codec {
            self.encoder = Encoder::new(config.codec);
        }
        self.payload_type = config.payload_type;
        self.event_payload_type = config.telephone_event_payload_type;
        Ok(())
    }

    /// Another SSRC, after a collision (RFC 3550 §8.2).
    pub(crate) fn change_ssrc(&mut self) -> u32 {
        self.ssrc = self.random.next_u32();
        self.marker = true;
        self.packets_sent = 0;
        self.octets_sent = 0;
        self.ssrc
    }

    pub(crate) fn handle_microphone(
        &mut self,
        samples: &[i16],
        packets: &mut Vec<Vec<u8>>,
        events: &mut Vec<Event>,
    ) {
        // Only the newest can be kept; older ones would be dropped anyway.
        let kept = &samples[samples.len().saturating_sub(self.microphone_samples_max)..];
        self.dropped_samples += (samples.len() - kept.len()) as u64;
        self.microphone.extend(kept);
        while self.owed > 0 && self.microphone.len() >= FRAME_SAMPLES {
            self.owed -= 1;
            self.send_frame(packets);
        }
        let excess = self
            .microphone
            .len()
            .saturating_sub(self.microphone_samples_max);
        self.microphone.drain(..excess);
        self.dropped_samples += excess as u64;
        if self.stalled && self.microphone.len() >= FRAME_SAMPLES {
            self.stalled = false;
            events.push(Event::MicrophoneResumed);
        }
    }

    /// One 20 ms of the grid has passed.
    pub(crate) fn tick(&mut self, packets: &mut Vec<Vec<u8>>, events: &mut Vec<Event>) {
        self.owed += 1;
        // A microphone clock that runs fast fills the queue; its surplus is real audio, so it is sent.
        if self.microphone.len() > self.microphone_samples_max / 2 {
            self.owed += 1;
        }
        while self.owed > 0 && self.microphone.len() >= FRAME_SAMPLES {
            self.owed -= 1;
            self.send_frame(packets);
        }
        if self.owed > 0 && (self.stalled || self.owed > self.owed_max) {
            if !self.stalled {
                self.stalled = true;
                events.push(Event::MicrophoneStalled);
            }
            for _ in 0..core::mem::take(&mut self.owed) {
                self.silent_frames += 1;
                self.send_frame(packets);
            }
        }
        if let Some(event) = self.digits.update(self.timestamp)
            && let Some(payload_type) = self.event_payload_type
        {
            let packet = self.packet(payload_type, event.marker, event.timestamp, &event.payload);
            packets.push(packet);
        }
    }

    /// Time was lost (the machine slept): the timestamp runs on, nothing is made up.
    pub(crate) fn skip_frames(&mut self, frames: u64) {
        self.timestamp = self
            .timestamp
            .wrapping_add((frames as u32).wrapping_mul(FRAME_TICKS));
        self.owed = 0;
        self.marker = true;
    }

    /// The RTP timestamp of the present grid instant, for sender reports.
    pub(crate) fn timestamp(&self) -> u32 {
        self.timestamp.wrapping_add(self.owed as u32 * FRAME_TICKS)
    }

    /// Sends what the microphone has, filled up with silence.
    fn send_frame(&mut self, packets: &mut Vec<Vec<u8>>) {
        let mut frame = [0i16; FRAME_SAMPLES];
        let there = self.microphone.len().min(FRAME_SAMPLES);
        for (slot, sample) in frame.iter_mut().zip(self.microphone.drain(..there)) {
            *slot = sample;
        }
        let mut octets = core::mem::take(&mut self.octets);
        octets.clear();
        self.encoder.encode(&frame, &mut octets);
        let marker = core::mem::take(&mut self.marker);
        packets.push(self.packet(self.payload_type, marker, self.timestamp, &octets));
        self.octets = octets;
        self.timestamp = self.timestamp.wrapping_add(FRAME_TICKS);
    }

    fn packet(
        &mut self,
        payload_type: u8,
        marker: bool,
        timestamp: u32,
        payload: &[u8],
    ) -> Vec<u8> {
        let packet = RtpPacket {
            marker,
            payload_type,
            sequence: self.sequence,
            timestamp,
            ssrc: self.ssrc,
            csrc: Vec::new(),
            extension: None,
            payload,
            padding: 0,
        };
        self.sequence = self.sequence.wrapping_add(1);
        self.packets_sent += 1;
        self.octets_sent += payload.len() as u64;
        packet
            .write()
            .expect("the payload type was checked with the configuration")
    }
}
