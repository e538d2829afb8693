//! Digits as named events (RFC 4733): updates every 20 ms, three end packets, one timestamp an event.

use core::time::Duration;
use std::collections::VecDeque;

use thiserror::Error;

/// Ticks of the 8 kHz clock in one 20 ms update.
const UPDATE_TICKS: u16 = 160;
/// The end packet is sent three times (§2.5.1.4).
const END_PACKETS: u8 = 3;
/// Pause between two digits, in updates.
const PAUSE_UPDATES: u8 = 3;
/// -10 dBm0, in the middle of what receivers take.
const VOLUME: u8 = 10;
/// An event whose packets stop coming is over after this (§2.5.2.2, three update intervals of 50 ms).
const UPDATES_MISSING_MAX: Duration = Duration::from_millis(150);
const DIGITS: &[u8; 16] = b"0123456789*#ABCD";

/// The four octets of an event payload (§2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TelephoneEvent {
    /// 0-9, 10 `*`, 11 `#`, 12-15 A-D; others exist and are none of ours.
    pub event: u8,
    /// Last packet of the event.
    pub end: bool,
    /// Power in -dBm0, 0 to 63.
    pub volume: u8,
    /// Since the packet's timestamp, in ticks.
    pub duration: u16,
}

impl TelephoneEvent {
    /// Reads a payload; exactly four octets.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let &[event, flags, high, low] = payload else {
            return None;
        };
        Some(Self {
            event,
            end: flags & 0x80 != 0,
            volume: flags & 0x3f,
            duration: u16::from_be_bytes([high, low]),
        })
    }

    /// Writes the payload; the reserved bit is zero.
    #[must_use]
    pub fn write(&self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        [
            self.event,
            (u8::from(self.end) << 7) | (self.volume & 0x3f),
            high,
            low,
        ]
    }
}

/// The event code of a digit, in either case.
#[must_use]
pub fn event_of(digit: char) -> Option<u8> {
    let wanted = digit.to_ascii_uppercase();
    DIGITS
        .iter()
        .position(|&known| char::from(known) == wanted)
        .map(|code| code as u8)
}

/// The digit of an event code.
#[must_use]
pub fn digit_of(event: u8) -> Option<char> {
    DIGITS
        .get(usize::from(event))
        .map(|&digit| char::from(digit))
}

/// Why a digit is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DigitError {
    /// Not one of the sixteen.
    #[error("{0:?} is no telephone digit; use 0-9, *, #, A-D")]
    Unknown(char),
    /// The peer takes no events.
    #[error("the peer's SDP has no telephone-event, so digits cannot be sent on this call")]
    NotNegotiated,
    /// Too many wait.
    #[error("{0} digits already wait to be sent; wait until they are out")]
    QueueFull(usize),
}

/// One packet to send, sharing the audio's sequence and source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPacket {
    /// First packet of the event.
    pub marker: bool,
    /// Of the event's start.
    pub timestamp: u32,
    /// Payload.
    pub payload: [u8; 4],
}

/// Sends digits one after the other.
#[derive(Clone, Debug)]
pub struct DigitSender {
    waiting: VecDeque<u8>,
    duration_ticks: u16,
    state: Sending,
}

#[derive(Clone, Copy, Debug)]
enum Sending {
    Idle,
    Event {
        event: u8,
        timestamp: u32,
        duration: u16,
    },
    End {
        event: u8,
        timestamp: u32,
        left: u8,
    },
    Pause {
        left: u8,
    },
}

impl DigitSender {
    /// Digits last `duration`, rounded to 20 ms, 40 ms to 5 s.
    #[must_use]
    pub fn new(duration: Duration) -> Self {
        let updates = (duration.as_millis() / 20).clamp(2, 250) as u16;
        Self {
            waiting: VecDeque::new(),
            duration_ticks: updates * UPDATE_TICKS,
            state: Sending::Idle,
        }
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Queues one digit.
    ///
    /// # Errors
    /// [`DigitError::Unknown`].
    pub fn send(&mut self, digit: char) -> Result<(), DigitError> {
        self.waiting
            .push_back(event_of(digit).ok_or(DigitError::Unknown(digit))?);
        Ok(())
    }

    /// The packet due in this 20 ms, if any. `timestamp` is that of the audio frame of this instant.
    pub fn update(&mut self, timestamp: u32) -> Option<EventPacket> {
        if let Sending::Pause { left } = self.state {
            self.state = if left > 1 {
                Sending::Pause { left: left - 1 }
            } else {
                Sending::Idle
            };
            return None;
        }
        if matches!(self.state, Sending::Idle) {
            let event = self.waiting.pop_front()?;
            self.state = Sending::Event {
                event,
                timestamp,
                duration: 0,
            };
        }
        match self.state {
            Sending::Event {
                event,
                timestamp,
                duration,
            } => {
                let marker = duration == 0;
                let duration = duration + UPDATE_TICKS;
                let end = duration >= self.duration_ticks;
                self.state = if end {
                    Sending::End {
                        event,
                        timestamp,
                        left: END_PACKETS - 1,
                    }
                } else {
                    Sending::Event {
                        event,
                        timestamp,
                        duration,
                    }
                };
                Some(packet(event, end, duration, timestamp, marker))
            }
            Sending::End {
                event,
                timestamp,
                left,
            } => {
                self.state = if left > 1 {
                    Sending::End {
                        event,
                        timestamp,
                        left: left - 1,
                    }
                } else {
                    Sending::Pause {
                        left: PAUSE_UPDATES,
                    }
                };
                Some(packet(event, true, self.duration_ticks, timestamp, false))
            }
            Sending::Idle | Sending::Pause { .. } => None,
        }
    }
}

fn packet(event: u8, end: bool, duration: u16, timestamp: u32, marker: bool) -> EventPacket {
    let payload = TelephoneEvent {
        event,
        end,
        volume: VOLUME,
        duration,
    }
    .write();
    EventPacket {
        marker,
        timestamp,
        payload,
    }
}

/// A digit that the peer pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceivedDigit {
    /// Which.
    pub digit: char,
    /// How long, as far as it was told.
    pub duration: Duration,
}

/// Reports every event once, however many of its packets come, twice, late or not at all.
#[derive(Clone, Debug, Default)]
pub struct DigitReceiver {
    current: Option<Receiving>,
    /// Timestamp of the last event reported: its end packets still come.
    reported: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Receiving {
    digit: char,
    timestamp: u32,
    duration: u16,
    last_update: Duration,
}

impl DigitReceiver {
    /// Takes in one event packet; at most one digit ends by it.
    pub fn receive(
        &mut self,
        timestamp: u32,
        event: TelephoneEvent,
        now: Duration,
    ) -> Option<ReceivedDigit> {
        let digit = digit_of(event.event)?;
        // Not newer than the last one reported: a repeated end, or an update that came late.
        if self
            .reported
            .is_some_and(|last| (timestamp.wrapping_sub(last) as i32) <= 0)
        {
            return None;
        }
        let before = match self.current {
            Some(current) if current.timestamp == timestamp => None,
            // An older event's straggler must not displace the present one.
            Some(current) if (timestamp.wrapping_sub(current.timestamp) as i32) < 0 => return None,
            // The end of the event before was lost altogether.
            Some(_) => self.finish(),
            None => None,
        };
        let duration = self
            .current
            .map_or(0, |current| current.duration)
            .max(event.duration);
        self.current = Some(Receiving {
            digit,
            timestamp,
            duration,
            last_update: now,
        });
        // When an older digit has just been found complete, this one's end comes with its next packet.
        if before.is_none() && event.end {
            self.finish()
        } else {
            before
        }
    }

    /// Reports an event whose packets stopped coming.
    pub fn handle_timeout(&mut self, now: Duration) -> Option<ReceivedDigit> {
        let last_update = self.current?.last_update;
        (now.saturating_sub(last_update) >= UPDATES_MISSING_MAX).then(|| self.finish())?
    }

    fn finish(&mut self) -> Option<ReceivedDigit> {
        let current = self.current.take()?;
        self.reported = Some(current.timestamp);
        let duration = Duration::from_micros(u64::from(current.duration) * 125);
        Some(ReceivedDigit {
            digit: current.digit,
            duration,
        })
    }
}
