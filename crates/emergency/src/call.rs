//! The emergency call: an ordered list of lines, tried until somebody answers.
//!
//! ```text
//! Locating ─► Routing ─► Calling ─► Ringing ─► Connected ─► Ended
//!                          ▲  │                    │
//!                          │  ▼                    │ dropped by the network
//!                       Exhausted ◄────────────────┘
//! ```
//! - The INVITE leaves at once when a fresh mapping is cached, else when LoST has answered, else after `lost_ms_max`.
//! - A line that refuses, fails or says nothing for `no_response_ms_max` gives way to the next. One that says only 100,
//!   or only rings, gives way later; its attempt is kept, the first answer wins, and every other attempt is abandoned.
//! - After the last line comes the first again, for ever, with a growing wait. Only an answer, the call-taker, or the
//!   caller's confirmed words end the call. `cancel` exists on [`BeforeInvite`] only, which nobody can obtain once an
//!   INVITE has been handed out (DESIGN invariant 4).

use core::time::Duration;

use crate::invite::EmergencyInvite;
use crate::lost_client::{CachedMapping, LostAtCall, LostPost, LostReply, LostRequestId};
use crate::profile::EmergencyProfile;
use crate::target::Refused;
use crate::timestamp::Timestamp;

pub use self::event::{CallEvent, EndedBy, EventKind, RouteSource};
pub use self::machine::{BeforeInvite, EmergencyCall};
pub use crate::line::{Line, Transport};

mod event;
mod machine;

/// Most lines of one call.
pub const LINES_MAX: usize = 16;
/// Most redirects followed on one line in one round.
pub const LINE_REDIRECTS_MAX: usize = 3;
/// How long after the call a callback is expected, and do-not-disturb is off (RFC 6881 SP-35, ED-68).
pub const CALLBACK_WINDOW: Duration = Duration::from_secs(30 * 60);

/// The call's timers, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallTimers {
    /// INVITE waits for a fresh mapping at most so long when none is cached: 500.
    pub lost_ms_max: u64,
    /// INVITE waits for a fresh location at most so long when one is being found: 250 (RFC 6881 ED-32).
    pub location_ms_max: u64,
    /// A line that says nothing gives way after so long: 2 000.
    pub no_response_ms_max: u64,
    /// A line that was asked again, with less or elsewhere, gives way so long after its first INVITE if nothing comes: 3 000.
    pub line_ms_max: u64,
    /// A line that says only 100 gives way after so long: 4 000. It is kept until another answers.
    pub trying_ms_max: u64,
    /// A line that only rings gives way after so long: 30 000. It is kept until another answers.
    pub ringing_ms_max: u64,
    /// A line that still says nothing is asked anew, in a later round, after so long: 8 000.
    pub silent_ms_max: u64,
    /// A line that never got beyond 100 is asked anew, in a later round, after so long: 32 000 (64*T1).
    pub stuck_ms_max: u64,
    /// Wait after the last line before the first is tried again: 1 000, doubled each round.
    pub retry_ms: u64,
    /// Longest such wait: 8 000.
    pub retry_ms_max: u64,
}

impl Default for CallTimers {
    fn default() -> Self {
        CallTimers {
            lost_ms_max: 500,
            location_ms_max: 250,
            no_response_ms_max: 2_000,
            line_ms_max: 3_000,
            trying_ms_max: 4_000,
            ringing_ms_max: 30_000,
            silent_ms_max: 8_000,
            stuck_ms_max: 32_000,
            retry_ms: 1_000,
            retry_ms_max: 8_000,
        }
    }
}

/// What a call is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct CallSetup {
    /// The household.
    pub profile: EmergencyProfile,
    /// Lines, the preferred first.
    pub lines: Vec<Line>,
    /// Timers.
    pub timers: CallTimers,
    /// LoST servers and what is cached, from [`crate::lost_client::LostClient::at_call`].
    pub lost: LostAtCall,
    /// Session description, if it is known already; else the device adds it with [`EmergencyInvite::with_sdp`].
    pub sdp: Option<Vec<u8>>,
    /// A token of this call, unique over time: 8 to 64 letters and digits.
    pub call_token: String,
    /// No INVITE leaves before this moment: the end of the announced window. LoST is asked meanwhile.
    pub invite_not_before: Duration,
    /// Whether a location is being found and may come as [`CallInput::Location`].
    pub await_location: bool,
    /// Wall time at `now` of [`EmergencyCall::new`].
    pub wall: Timestamp,
}

/// One INVITE of this call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId(pub u32);

/// The call's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallState {
    /// Waiting for a location, or for the announced window to end.
    Locating,
    /// Waiting for a mapping.
    Routing,
    /// An INVITE is out on a line, and nobody has rung yet.
    Calling {
        /// Index of the newest line.
        line: usize,
    },
    /// A line rings.
    Ringing {
        /// Index of the line.
        line: usize,
    },
    /// A call-taker is there.
    Connected {
        /// Index of the line.
        line: usize,
        /// The attempt that was answered.
        attempt: AttemptId,
    },
    /// Every line was tried; the first is tried again at the next timeout.
    Exhausted {
        /// Rounds done.
        rounds: u32,
    },
    /// Over.
    Ended,
}

/// What happens to the call.
#[derive(Debug, Clone, PartialEq)]
pub enum CallInput<'a> {
    /// A location was found.
    Location {
        /// Civic address, if that was found.
        civic: Option<crate::civic::CivicAddress>,
        /// Shape, if that was found.
        shape: Option<crate::geodetic::Shape>,
    },
    /// What came back from a [`CallOutput::LostPost`].
    Lost {
        /// Which.
        request: LostRequestId,
        /// What.
        reply: LostReply<'a>,
    },
    /// Something happened to an attempt.
    Progress {
        /// Which.
        attempt: AttemptId,
        /// What.
        progress: Progress,
    },
    /// The caller's words, said and confirmed.
    CallerEnds(ConfirmedEnd),
}

/// What happens to an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// 100.
    Trying,
    /// 401 or 407 that was answered with the line's user name and password: the INVITE has left anew, and whatever the line
    /// said before, it now says nothing.
    Challenged {
        /// Status code.
        status: u16,
    },
    /// 180 to 189: somebody is being called.
    Ringing {
        /// Status code.
        status: u16,
    },
    /// 2xx.
    Answered,
    /// 3xx to 6xx.
    Rejected {
        /// Status code.
        status: u16,
        /// Retry-After in seconds.
        retry_after_s: Option<u32>,
        /// Contacts of a 3xx, the preferred first.
        contacts: Vec<String>,
    },
    /// Every transport of the line failed.
    TransportFailed,
    /// The transaction timed out (timer B of RFC 3261 §17.1.1.2).
    TimedOut,
    /// The call-taker hung up (BYE).
    HungUp,
    /// The dialog was lost without anybody hanging up.
    Dropped,
}

/// The caller asked to end the call and said yes when asked again. A single "hang up" makes none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmedEnd {
    confirmed_at: Duration,
}

impl ConfirmedEnd {
    /// How long a request to end waits for its confirmation.
    pub const WITHIN: Duration = Duration::from_secs(20);

    /// From the moments of the two utterances.
    ///
    /// # Errors
    /// [`Refused::NotConfirmed`], when the second did not follow the first within [`Self::WITHIN`].
    pub fn new(asked_at: Duration, confirmed_at: Duration) -> Result<Self, Refused> {
        match confirmed_at.checked_sub(asked_at) {
            Some(gap) if !gap.is_zero() && gap <= Self::WITHIN => Ok(ConfirmedEnd { confirmed_at }),
            _ => Err(Refused::NotConfirmed { within_ms: 20_000 }),
        }
    }

    /// When it was confirmed.
    pub fn confirmed_at(&self) -> Duration {
        self.confirmed_at
    }
}

/// What the call wants.
#[derive(Debug, Clone, PartialEq)]
pub enum CallOutput {
    /// Make this HTTP request.
    LostPost(LostPost),
    /// Send this INVITE.
    Invite {
        /// Given back with its progress.
        attempt: AttemptId,
        /// Index of the line.
        line: usize,
        /// Transports in order.
        transports: Vec<Transport>,
        /// The message.
        invite: Box<EmergencyInvite>,
    },
    /// This attempt is not wanted any more: CANCEL before its final response, ACK and BYE after a 2xx.
    Abandon {
        /// Which.
        attempt: AttemptId,
    },
    /// End the connected dialog: BYE.
    HangUp {
        /// Which.
        attempt: AttemptId,
    },
    /// A mapping to keep: give it to [`crate::lost_client::LostClient::learn`].
    Learned(Box<CachedMapping>),
    /// For the ledger and for speech.
    Event(CallEvent),
    /// Nothing to do until then; none when the call is over or connected.
    Timeout(Option<Duration>),
}
