//! Media of a call: RTP and RTCP, codecs, jitter buffer, concealment, digits. Pure: no socket, no clock.
//!
//! ```text
//! microphone ─► encode ─► RTP ─────────────────────► network
//!                          │ RTCP, digits
//! loudspeaker ◄─ conceal ◄─ decode ◄─ jitter buffer ◄─ RTP ◄─ network
//! ```
//! [`Session`] is the whole of it for one call: feed it with `handle_*(input, now)`, drain
//! `poll_output(now)` until it says [`Output::Timeout`], and call `handle_timeout` then. It sends
//! one packet every 20 ms from the first call to the last, whatever the microphone does: an emergency
//! call has no voice activity detection, no comfort noise and no gate.
//!
//! Samples are 16-bit mono at 16 kHz on the room's side; the codecs here all tick at 8 kHz in RTP.

mod codec;
mod concealment;
mod g711;
mod g722;
mod jitter_buffer;
mod playout;
mod random;
mod reception;
mod remote_source;
mod resample;
pub mod rtcp;
mod rtp;
pub mod secure;
mod session;
mod session_config;
pub mod srtp;
mod telephone_event;
mod transmission;

pub use codec::{Codec, Decoder, Encoder, RTP_CLOCK_HZ, SAMPLE_RATE_HZ, SAMPLES_PER_OCTET};
pub use concealment::Concealment;
pub use g711::{decode_a_law, decode_mu_law, encode_a_law, encode_mu_law};
pub use g722::{G722Decoder, G722Encoder};
pub use jitter_buffer::{Held, Inserted, JitterBuffer, JitterLimits, Next};
pub use playout::{FRAME, FRAME_SAMPLES, Playout, PlayoutCounters};
pub use reception::{
    DROPOUT_MAX, MISORDER_MAX, Reception, SequenceJudgement, ntp_short, round_trip,
};
pub use resample::{Downsampler, Upsampler};
pub use rtp::{CSRC_COUNT_MAX, Extension, HEADER_BYTES, RtpError, RtpLimits, RtpPacket, is_rtcp};
pub use session::{Event, Output, Refusals, Session, Statistics};
pub use session_config::{SessionConfig, SessionConfigError, SessionLimits};
pub use telephone_event::{
    DigitError, DigitReceiver, DigitSender, EventPacket, ReceivedDigit, TelephoneEvent, digit_of,
    event_of,
};
