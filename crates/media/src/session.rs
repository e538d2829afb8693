//! One call's media, both ways (see the crate's page for the loop).

use core::time::Duration;
use std::collections::VecDeque;

use crate::jitter_buffer::Inserted;
use crate::playout::{FRAME, Playout};
use crate::random::Random;
use crate::reception::{ntp_short, round_trip, ticks};
use crate::remote_source::{RemoteSource, Verdict};
use crate::rtcp::{
    ReportBlock, RtcpPacket, SDES_CNAME, SdesChunk, SdesItem, SenderInfo, parse_compound,
    write_compound,
};
use crate::rtp::RtpPacket;
use crate::session_config::{SessionConfig, SessionConfigError};
use crate::telephone_event::{DigitError, DigitReceiver, ReceivedDigit, TelephoneEvent};
use crate::transmission::{FRAME_TICKS, Transmission};

/// Mean spacing of our reports (RFC 3550 §6.2: five seconds for a session of two).
const REPORT_INTERVAL: Duration = Duration::from_secs(5);
/// Compensation of the timer reconsideration (§6.3.1): e - 3/2.
const REPORT_COMPENSATION: f64 = 1.21828;
/// A larger gap between two calls is a clock that jumped, not work to catch up with.
const CATCH_UP_MAX: Duration = Duration::from_secs(1);
/// Our own SSRC coming back more often is a loop, which no new number cures.
const COLLISIONS_MAX: u32 = 3;
/// RFC 3389, from peers that gate: accepted as a sign of life, never played, never sent.
const COMFORT_NOISE: u8 = 13;
/// Seconds from 1900 to 1970.
const NTP_UNIX_OFFSET: u64 = 2_208_988_800;

/// Something the call's owner should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The peer is heard for the first time.
    FirstPacketReceived,
    /// The peer pressed a digit.
    Digit {
        /// Which.
        digit: char,
        /// How long.
        duration: Duration,
    },
    /// Another source speaks now.
    SourceChanged {
        /// SSRC before.
        from: u32,
        /// SSRC now.
        to: u32,
    },
    /// Nothing came for the configured time (also when nothing ever came).
    MediaLost,
    /// The peer is heard again.
    MediaResumed,
    /// The microphone delivers nothing; silence is sent in its place.
    MicrophoneStalled,
    /// The microphone delivers again.
    MicrophoneResumed,
    /// The peer used our SSRC; ours was changed.
    SsrcCollision {
        /// Ours before.
        from: u32,
        /// Ours now.
        to: u32,
    },
    /// The peer left by RTCP BYE; the SIP dialog decides about the call.
    PeerLeft,
    /// Time jumped by more than a second between two calls.
    ClockJumped(Duration),
}

/// What the session wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send to the peer's RTP address.
    Rtp(Vec<u8>),
    /// Send to the peer's RTCP address.
    Rtcp(Vec<u8>),
    /// Play: 320 samples at 16 kHz, every 20 ms.
    Playout(Vec<i16>),
    /// Know.
    Event(Event),
    /// Nothing more now; call `handle_timeout` at this time, or never (closed).
    Timeout(Option<Duration>),
}

/// Packets not taken, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    /// Not RTP, or over a limit.
    pub malformed: u64,
    /// Payload type that was not negotiated.
    pub payload_type: u64,
    /// Another source than the one that speaks.
    pub foreign_source: u64,
    /// Sequence number far from the others.
    pub suspect_sequence: u64,
    /// Timestamp far ahead of the others.
    pub suspect_timestamp: u64,
    /// Seen before: repeated by the network or replayed.
    pub duplicate: u64,
    /// Our own SSRC: a loop.
    pub looped: u64,
    /// Event payload that is none.
    pub malformed_event: u64,
    /// Not RTCP, or over a limit.
    pub malformed_rtcp: u64,
    /// RTCP about other sources.
    pub foreign_rtcp: u64,
}

/// The call in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistics {
    /// RTP packets sent, digits included.
    pub sent_packets: u64,
    /// Payload octets sent.
    pub sent_octets: u64,
    /// RTP packets taken.
    pub received_packets: u64,
    /// Payload octets taken.
    pub received_octets: u64,
    /// Expected less received (negative: the network repeats).
    pub lost: i64,
    /// Interarrival jitter by RFC 3550.
    pub jitter_ms: f32,
    /// Packets that came after their time.
    pub late: u64,
    /// Packets dropped because too many were held.
    pub overflowed: u64,
    /// Played audio that was invented.
    pub concealed_ms: u64,
    /// Inserted to lengthen the delay.
    pub stretched_ms: u64,
    /// Cut to shorten the delay.
    pub cut_ms: u64,
    /// Present and wanted playout delay.
    pub delay_ms: i64,
    /// The delay that the measured jitter asks for.
    pub delay_target_ms: i64,
    /// Round trip by RTCP, when measured.
    pub rtt_ms: Option<f32>,
    /// What the peer says it lost of ours.
    pub peer_lost: Option<i32>,
    /// What the peer says the jitter of ours is.
    pub peer_jitter_ms: Option<f32>,
    /// Silence sent for a stalled microphone.
    pub microphone_silence_ms: u64,
    /// Microphone audio dropped because more came than time passed.
    pub microphone_dropped_ms: u64,
    /// Outputs dropped because nobody drained them.
    pub outputs_dropped: u64,
    /// Packets not taken.
    pub refusals: Refusals,
}

/// The session.
#[derive(Clone, Debug)]
pub struct Session {
    config: SessionConfig,
    random: Random,
    phase: Phase,
    transmission: Transmission,
    remote: RemoteSource,
    playout: Playout,
    digits: DigitReceiver,
    outputs: VecDeque<Output>,
    /// Reused by the sending half.
    packets: Vec<Vec<u8>>,
    events: Vec<Event>,
    last_packet: Option<Duration>,
    media_lost: bool,
    collisions: u32,
    next_report: Duration,
    /// NTP short time of the peer's last SR, and when it came.
    last_sr: Option<(u32, Duration)>,
    received_packets: u64,
    received_octets: u64,
    /// Sent under an SSRC that we had to give up.
    sent_before: (u64, u64),
    late: u64,
    rtt: Option<Duration>,
    peer_report: Option<ReportBlock>,
    outputs_dropped: u64,
    refusals: Refusals,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Before the first call.
    New,
    /// On the grid: its start and its next tick.
    Running {
        started: Duration,
        next_tick: Duration,
    },
    Closed,
}

impl Session {
    /// A session that begins with the first `handle_*` or `poll_output`.
    ///
    /// # Errors
    /// [`SessionConfigError`].
    pub fn new(config: SessionConfig) -> Result<Self, SessionConfigError> {
        config.check()?;
        let mut random = Random::new(config.seed);
        let transmission = Transmission::new(&config, Random::new(random.next_u64()));
        Ok(Self {
            random,
            phase: Phase::New,
            transmission,
            remote: RemoteSource::default(),
            playout: Playout::new(config.codec, config.limits.jitter),
            digits: DigitReceiver::default(),
            outputs: VecDeque::new(),
            packets: Vec::new(),
            events: Vec::new(),
            last_packet: None,
            media_lost: false,
            collisions: 0,
            next_report: Duration::ZERO,
            last_sr: None,
            received_packets: 0,
            received_octets: 0,
            sent_before: (0, 0),
            late: 0,
            rtt: None,
            peer_report: None,
            outputs_dropped: 0,
            refusals: Refusals::default(),
            config,
        })
    }

    /// Our SSRC at present.
    #[must_use]
    pub fn ssrc(&self) -> u32 {
        self.transmission.ssrc
    }

    /// A re-INVITE changed codec or payload types; numbering, time and statistics run on.
    ///
    /// # Errors
    /// [`SessionConfigError`]; the session then stays as it was.
    pub fn renegotiate(
        &mut self,
        codec: crate::Codec,
        payload_type: u8,
        also_receive: Vec<(u8, crate::Codec)>,
        telephone_event_payload_type: Option<u8>,
    ) -> Result<(), SessionConfigError> {
        let config = SessionConfig {
            codec,
            payload_type,
            also_receive,
            telephone_event_payload_type,
            ..self.config.clone()
        };
        self.transmission.renegotiate(&config)?;
        self.config = config;
        Ok(())
    }

    /// Samples from the room, 16 kHz mono, any number. Every one is sent; none is judged.
    pub fn handle_microphone(&mut self, samples: &[i16], now: Duration) {
        if self.advance(now) {
            let (packets, events) = (&mut self.packets, &mut self.events);
            self.transmission
                .handle_microphone(samples, packets, events);
            self.collect();
        }
    }

    /// One datagram from the peer's RTP address. Anything may come; what is no RTP for us is counted.
    pub fn handle_rtp(&mut self, datagram: &[u8], now: Duration) {
        if !self.advance(now) {
            return;
        }
        let Ok(packet) = RtpPacket::parse(datagram, &self.config.limits.rtp) else {
            self.refusals.malformed += 1;
            return;
        };
        let codec = self.config.codec_of(packet.payload_type);
        let is_event = self.config.telephone_event_payload_type == Some(packet.payload_type);
        let is_noise = packet.payload_type == COMFORT_NOISE && self.remote.ssrc().is_some();
        if codec.is_none() && !is_event && !is_noise {
            self.refusals.payload_type += 1;
            return;
        }
        if packet.ssrc == self.transmission.ssrc {
            self.on_own_ssrc();
            return;
        }
        match self.remote.judge(packet.ssrc, packet.sequence) {
            Verdict::First => self.event(Event::FirstPacketReceived),
            Verdict::Play => {}
            Verdict::Restarted => self.playout.reset(),
            Verdict::Changed { from } => {
                self.playout.reset();
                self.digits = DigitReceiver::default();
                self.last_sr = None;
                self.event(Event::SourceChanged {
                    from,
                    to: packet.ssrc,
                });
            }
            Verdict::Duplicate => {
                self.refusals.duplicate += 1;
                return;
            }
            Verdict::Suspect => {
                self.refusals.suspect_sequence += 1;
                return;
            }
            Verdict::Foreign => {
                self.refusals.foreign_source += 1;
                return;
            }
        }
        self.received_packets += 1;
        self.received_octets += packet.payload.len() as u64;
        self.last_packet = Some(now);
        if core::mem::take(&mut self.media_lost) {
            self.event(Event::MediaResumed);
        }
        if let Some(codec) = codec {
            self.remote.on_arrival(packet.timestamp, now);
            match self
                .playout
                .insert(packet.timestamp, codec, packet.payload, now)
            {
                Inserted::Late => self.late += 1,
                Inserted::Ahead => self.refusals.suspect_timestamp += 1,
                Inserted::Duplicate => self.refusals.duplicate += 1,
                Inserted::Held | Inserted::Resynchronized | Inserted::Empty => {}
            }
        } else if is_event {
            match TelephoneEvent::parse(packet.payload) {
                Some(event) => {
                    let digit = self.digits.receive(packet.timestamp, event, now);
                    self.digit(digit);
                }
                None => self.refusals.malformed_event += 1,
            }
        }
    }

    /// One datagram from the peer's RTCP address.
    pub fn handle_rtcp(&mut self, datagram: &[u8], now: Duration) {
        if !self.advance(now) {
            return;
        }
        let Ok(packets) = parse_compound(datagram, &self.config.limits.rtcp) else {
            self.refusals.malformed_rtcp += 1;
            return;
        };
        let remote = self.remote.ssrc();
        for packet in packets {
            match packet {
                RtcpPacket::SenderReport {
                    ssrc,
                    info,
                    reports,
                } => {
                    if remote == Some(ssrc) {
                        self.last_sr = Some(((info.ntp >> 16) as u32, now));
                    }
                    self.on_reports(ssrc, &reports, now);
                }
                RtcpPacket::ReceiverReport { ssrc, reports } => {
                    self.on_reports(ssrc, &reports, now);
                }
                RtcpPacket::Goodbye { sources, .. } => {
                    if remote.is_some_and(|ssrc| sources.contains(&ssrc)) {
                        self.event(Event::PeerLeft);
                    }
                }
                RtcpPacket::SourceDescription(_) | RtcpPacket::Other { .. } => {}
            }
        }
    }

    /// The time named by [`Output::Timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.advance(now);
    }

    /// Sends one digit as a named event, after those that wait. The audio runs on beside it.
    ///
    /// # Errors
    /// [`DigitError`].
    pub fn send_digit(&mut self, digit: char, now: Duration) -> Result<(), DigitError> {
        self.transmission.send_digit(digit)?;
        self.advance(now);
        Ok(())
    }

    /// The call is over: a BYE goes out, then nothing more.
    pub fn close(&mut self, now: Duration) {
        if self.advance(now) {
            let bye = RtcpPacket::Goodbye {
                sources: vec![self.ssrc()],
                reason: None,
            };
            self.report(now, Some(bye));
            self.phase = Phase::Closed;
        }
    }

    /// The next thing to do. Drain until [`Output::Timeout`].
    pub fn poll_output(&mut self, now: Duration) -> Output {
        self.advance(now);
        self.outputs
            .pop_front()
            .unwrap_or(Output::Timeout(match self.phase {
                Phase::Running { next_tick, .. } => Some(next_tick),
                Phase::New | Phase::Closed => None,
            }))
    }

    /// The call in numbers so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let ms = |samples: u64| samples / 16;
        let counters = self.playout.counters();
        let now = match self.phase {
            Phase::Running { next_tick, .. } => next_tick,
            Phase::New | Phase::Closed => Duration::ZERO,
        };
        let (delay_ms, delay_target_ms) = self.playout.delay_ms(now);
        Statistics {
            sent_packets: self.sent_before.0 + self.transmission.packets_sent,
            sent_octets: self.sent_before.1 + self.transmission.octets_sent,
            received_packets: self.received_packets,
            received_octets: self.received_octets,
            lost: self.remote.lost(),
            jitter_ms: self.remote.jitter_ms(),
            late: self.late,
            overflowed: self.playout.overflowed(),
            concealed_ms: ms(counters.concealed_samples),
            stretched_ms: ms(counters.stretched_samples),
            cut_ms: ms(counters.cut_samples),
            delay_ms: if self.phase == Phase::Closed {
                0
            } else {
                delay_ms
            },
            delay_target_ms,
            rtt_ms: self.rtt.map(|rtt| rtt.as_secs_f32() * 1000.0),
            peer_lost: self.peer_report.map(|report| report.cumulative_lost),
            peer_jitter_ms: self.peer_report.map(|report| report.jitter as f32 / 8.0),
            microphone_silence_ms: self.transmission.silent_frames * 20,
            microphone_dropped_ms: ms(self.transmission.dropped_samples),
            outputs_dropped: self.outputs_dropped,
            refusals: self.refusals,
        }
    }

    /// Runs the grid up to `now`. False when closed.
    fn advance(&mut self, now: Duration) -> bool {
        match self.phase {
            Phase::Closed => return false,
            Phase::New => {
                self.phase = Phase::Running {
                    started: now,
                    next_tick: now,
                };
                self.next_report = now + self.report_interval() / 2;
            }
            Phase::Running { .. } => {}
        }
        while let Phase::Running { started, next_tick } = self.phase
            && next_tick <= now
        {
            let behind = now - next_tick;
            if behind > CATCH_UP_MAX {
                let frames = (behind.as_nanos() / FRAME.as_nanos()) as u64;
                self.transmission.skip_frames(frames);
                self.event(Event::ClockJumped(behind));
                self.phase = Phase::Running {
                    started,
                    next_tick: now,
                };
                self.last_packet = self.last_packet.map(|_| now);
                continue;
            }
            self.phase = Phase::Running {
                started,
                next_tick: next_tick + FRAME,
            };
            self.tick(started, next_tick);
        }
        true
    }

    fn tick(&mut self, started: Duration, at: Duration) {
        self.transmission.tick(&mut self.packets, &mut self.events);
        self.collect();
        let frame = self.playout.pull(at);
        self.push(Output::Playout(frame));
        let digit = self.digits.handle_timeout(at);
        self.digit(digit);
        let silent = at.saturating_sub(self.last_packet.unwrap_or(started));
        if !self.media_lost && silent >= self.config.limits.media_loss {
            self.media_lost = true;
            self.event(Event::MediaLost);
        }
        if at >= self.next_report {
            self.report(at, None);
            self.next_report = at + self.report_interval();
        }
    }

    fn on_own_ssrc(&mut self) {
        self.refusals.looped += 1;
        if self.collisions >= COLLISIONS_MAX {
            return;
        }
        self.collisions += 1;
        let from = self.transmission.ssrc;
        self.sent_before.0 += self.transmission.packets_sent;
        self.sent_before.1 += self.transmission.octets_sent;
        let to = self.transmission.change_ssrc();
        self.event(Event::SsrcCollision { from, to });
    }

    fn on_reports(&mut self, from: u32, reports: &[ReportBlock], now: Duration) {
        let Some(report) = reports
            .iter()
            .find(|report| report.ssrc == self.transmission.ssrc)
        else {
            self.refusals.foreign_rtcp += u64::from(Some(from) != self.remote.ssrc());
            return;
        };
        self.peer_report = Some(*report);
        let arrival = ntp_short(self.ntp_time(now));
        if let Some(rtt) = round_trip(arrival, report) {
            self.rtt = Some(rtt);
        }
    }

    /// Seconds since 1900 by the wall clock that the configuration gave.
    fn ntp_time(&self, now: Duration) -> Duration {
        let unix = self.config.unix_time_at_zero.saturating_add(now);
        unix.saturating_add(Duration::from_secs(NTP_UNIX_OFFSET))
    }

    /// SR, SDES and perhaps BYE (RFC 3550 §6.1).
    fn report(&mut self, now: Duration, bye: Option<RtcpPacket>) {
        let last_sr = self.last_sr;
        let reports = self.remote.reception().map(|reception| {
            let mut block = reception.report();
            if let Some((sr, came)) = last_sr {
                block.last_sr = sr;
                block.delay_since_last_sr = ntp_short(now.saturating_sub(came));
            }
            block
        });
        let ntp = self.ntp_time(now);
        let fraction = (u64::from(ntp.subsec_nanos()) << 32) / 1_000_000_000;
        let ssrc = self.transmission.ssrc;
        let mut packets = vec![
            RtcpPacket::SenderReport {
                ssrc,
                info: SenderInfo {
                    ntp: (ntp.as_secs() << 32) | fraction,
                    rtp_timestamp: self.rtp_timestamp(now),
                    packets: self.transmission.packets_sent as u32,
                    octets: self.transmission.octets_sent as u32,
                },
                reports: reports.into_iter().collect(),
            },
            RtcpPacket::SourceDescription(vec![SdesChunk {
                ssrc,
                items: vec![SdesItem {
                    kind: SDES_CNAME,
                    text: self.config.cname.clone().into(),
                }],
            }]),
        ];
        packets.extend(bye);
        let compound = write_compound(&packets).expect("one chunk, a checked name, one block");
        self.push(Output::Rtcp(compound));
    }

    /// The RTP time of `now`: that of the last grid instant plus what has passed since.
    fn rtp_timestamp(&self, now: Duration) -> u32 {
        let Phase::Running { next_tick, .. } = self.phase else {
            return self.transmission.timestamp();
        };
        let ahead = ticks(next_tick.saturating_sub(now)) as u32;
        self.transmission
            .timestamp()
            .wrapping_add(FRAME_TICKS.saturating_sub(ahead))
    }

    /// Five seconds, spread over half to one and a half (§6.3.1).
    fn report_interval(&mut self) -> Duration {
        REPORT_INTERVAL.mul_f64((0.5 + self.random.unit()) / REPORT_COMPENSATION)
    }

    fn digit(&mut self, digit: Option<ReceivedDigit>) {
        if let Some(ReceivedDigit { digit, duration }) = digit {
            self.event(Event::Digit { digit, duration });
        }
    }

    fn event(&mut self, event: Event) {
        self.push(Output::Event(event));
    }

    fn collect(&mut self) {
        for packet in core::mem::take(&mut self.packets) {
            self.push(Output::Rtp(packet));
        }
        for event in core::mem::take(&mut self.events) {
            self.push(Output::Event(event));
        }
    }

    fn push(&mut self, output: Output) {
        if self.outputs.len() >= self.config.limits.outputs_queued_max.max(1) {
            self.outputs.pop_front();
            self.outputs_dropped += 1;
        }
        self.outputs.push_back(output);
    }
}
