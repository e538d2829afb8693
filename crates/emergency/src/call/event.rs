//! What an emergency call says about itself: one event a transition, for the ledger and for speech.

use core::fmt;
use core::time::Duration;

use super::{AttemptId, CallState};
use crate::invite::Content;
use crate::lost::LostWarningKind;

/// One transition with its reason. Holds no address, number or name of a person.
#[derive(Debug, Clone, PartialEq)]
pub struct CallEvent {
    /// When.
    pub at: Duration,
    /// The state before.
    pub from: CallState,
    /// The state after.
    pub to: CallState,
    /// What happened.
    pub kind: EventKind,
}

/// Where a route came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteSource {
    /// A mapping asked for in this call.
    Fresh,
    /// A cached mapping that still holds.
    Cached,
    /// A cached mapping that has expired (RFC 6881 ED-55: it is used all the same).
    Stale,
    /// None: the call goes to the bare service URN without a Route.
    None,
}

/// Who ended the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// The call-taker hung up.
    CallTaker,
    /// The caller asked for it and confirmed.
    Caller,
    /// The caller cancelled before any INVITE left.
    CancelledBeforeInvite,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum EventKind {
    /// The call began.
    Began,
    /// The location was settled: found now, or the household's own.
    Located {
        /// Whether it was found in this call.
        fresh: bool,
    },
    /// Only the route is missing now.
    WaitingForRoute,
    /// The route was settled.
    Routed {
        /// From where.
        source: RouteSource,
        /// Why nothing better, in words; empty for a fresh one.
        reason: String,
    },
    /// A mapping named a call-taker outside the drill; it was left out.
    RouteOutsideTheDrill,
    /// LoST gave a mapping.
    Mapped {
        /// The server that made it.
        source: String,
        /// Servers it passed (RFC 5222 §6).
        path: Vec<String>,
        /// Warnings with it.
        warnings: Vec<LostWarningKind>,
    },
    /// LoST sent us to another server.
    LostRedirected {
        /// To which.
        target: String,
    },
    /// A LoST server gave nothing, in words.
    LostFailed {
        /// Why.
        reason: String,
    },
    /// An INVITE was handed out.
    Invited {
        /// Which attempt.
        attempt: AttemptId,
        /// Index of the line.
        line: usize,
        /// Name of the line.
        name: String,
        /// How much it carries.
        content: Content,
        /// Why now.
        reason: String,
    },
    /// A provisional response.
    Progressed {
        /// Which attempt.
        attempt: AttemptId,
        /// Index of the line.
        line: usize,
        /// Status code.
        status: u16,
    },
    /// A call-taker answered.
    Answered {
        /// Which attempt.
        attempt: AttemptId,
        /// Index of the line.
        line: usize,
    },
    /// An attempt came to nothing.
    Failed {
        /// Which attempt.
        attempt: AttemptId,
        /// Index of the line.
        line: usize,
        /// Why, in words.
        reason: String,
    },
    /// A line gave way to the next, its attempt kept.
    GaveWay {
        /// Which attempt.
        attempt: AttemptId,
        /// Index of the line.
        line: usize,
        /// Why, in words.
        reason: String,
    },
    /// An attempt is not wanted any more.
    Abandoned {
        /// Which attempt.
        attempt: AttemptId,
        /// Why, in words.
        reason: String,
    },
    /// Every line was tried.
    Exhausted {
        /// Rounds done.
        rounds: u32,
        /// Until the first line again.
        wait: Duration,
    },
    /// The caller's words did not end the call, in words.
    EndRefused {
        /// Why.
        reason: String,
    },
    /// The call is over.
    Ended {
        /// By whom.
        by: EndedBy,
    },
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EventKind::Began => f.write_str("the call begins"),
            EventKind::Located { fresh: true } => f.write_str("a location was found"),
            EventKind::Located { fresh: false } => {
                f.write_str("the household's own location is used")
            }
            EventKind::WaitingForRoute => f.write_str("the route is awaited"),
            EventKind::Routed { source, reason } => {
                f.write_str(match source {
                    RouteSource::Fresh => "a fresh mapping gives the route",
                    RouteSource::Cached => "a cached mapping gives the route",
                    RouteSource::Stale => "an expired mapping gives the route",
                    RouteSource::None => "no mapping: the call goes without a route",
                })?;
                if reason.is_empty() {
                    Ok(())
                } else {
                    write!(f, " ({reason})")
                }
            }
            EventKind::RouteOutsideTheDrill => {
                f.write_str("the mapping names a call-taker outside the drill; left out")
            }
            EventKind::Mapped {
                source, warnings, ..
            } if warnings.is_empty() => write!(f, "LoST server {source} gave a mapping"),
            EventKind::Mapped { source, .. } => {
                write!(f, "LoST server {source} gave a mapping with warnings")
            }
            EventKind::LostRedirected { target } => write!(f, "LoST redirects to {target}"),
            EventKind::EndRefused { reason } => write!(f, "the call goes on: {reason}"),
            EventKind::LostFailed { reason } => write!(f, "LoST gave no mapping: {reason}"),
            EventKind::Invited {
                line, name, reason, ..
            } => write!(f, "INVITE on line {line} ({name}): {reason}"),
            EventKind::Progressed { line, status, .. } => write!(f, "line {line} answers {status}"),
            EventKind::Answered { line, .. } => write!(f, "a call-taker answered on line {line}"),
            EventKind::Failed { line, reason, .. } => write!(f, "line {line} failed: {reason}"),
            EventKind::GaveWay { line, reason, .. } => write!(f, "line {line} gives way: {reason}"),
            EventKind::Abandoned { reason, .. } => write!(f, "an attempt is abandoned: {reason}"),
            EventKind::Exhausted { rounds, wait } => {
                write!(
                    f,
                    "every line was tried ({rounds} rounds); again in {} ms",
                    wait.as_millis()
                )
            }
            EventKind::Ended { by } => f.write_str(match by {
                EndedBy::CallTaker => "the call-taker hung up",
                EndedBy::Caller => "the caller asked to end and confirmed",
                EndedBy::CancelledBeforeInvite => "the caller cancelled before any INVITE left",
            }),
        }
    }
}
