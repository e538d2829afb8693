//! What an endpoint knows of one call.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::late_offer::OwedAnswer;
use super::request::{Body, Credentials, InviteRequest};
use crate::dialog::Dialog;
use crate::digest::DigestClient;
use crate::reliable::{ReliableReceiver, ReliableSender};
use crate::session_timer::{SessionTimer, SessionTimerConfig};
use crate::target::Target;
use crate::transaction::TransactionId;
use crate::{HeaderName, NameAddr, Request, Response, Uri};

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Our INVITE is out, or a redirection is being resolved.
    Calling,
    /// A provisional response came.
    Proceeding,
    /// We want it no more, but it has no final response yet.
    Cancelling,
    /// Their INVITE waits for our answer.
    Offered,
    /// Our 2xx is out, the ACK is not there yet.
    Accepted,
    /// It stands.
    Confirmed,
}

impl Phase {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Calling => "calling",
            Self::Proceeding => "proceeding",
            Self::Cancelling => "being cancelled",
            Self::Offered => "waiting for our answer",
            Self::Accepted => "waiting for the ACK",
            Self::Confirmed => "confirmed",
        }
    }
}

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) phase: Phase,
    pub(super) side: Side,
    /// The dialog that counts: confirmed, or the callee's early one.
    pub(super) dialog: Option<Dialog>,
    /// By which way the dialog was made; names in Contact and Record-Route lead there.
    pub(super) flow: Target,
    pub(super) contact: NameAddr,
    /// What the last re-INVITE of ours says besides its body.
    pub(super) change_rows: Vec<(HeaderName, Vec<u8>)>,
    pub(super) credentials: Vec<Credentials>,
    pub(super) session: Option<SessionTimer>,
    pub(super) session_config: Option<SessionTimerConfig>,
    pub(super) end_on_session_expiry: bool,
    /// The last offer or answer of ours, for a refresh by re-INVITE.
    pub(super) local_body: Option<Body>,
    pub(super) peer_allows_update: bool,
    /// Our re-INVITE or UPDATE under way.
    pub(super) change_out: Option<TransactionId>,
    /// Ours that met 491 and is tried again.
    pub(super) change_again: Option<ChangeAgain>,
    /// Theirs that waits for our answer.
    pub(super) change_in: Option<TransactionId>,
    /// Our 2xx to an INVITE or re-INVITE, repeated until the ACK.
    pub(super) ack_awaited: Option<AckAwaited>,
    /// A REFER of the peer came before.
    pub(super) was_referred: bool,
    /// BYE as soon as the ACK is there (RFC 3261 section 15); with its Reason.
    pub(super) bye_wanted: Option<Option<String>>,
}

/// Who called.
#[derive(Debug)]
pub(super) enum Side {
    /// We.
    Caller(Box<Caller>),
    /// They.
    Callee(Box<Callee>),
}

/// What the caller keeps until the call stands.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) request: InviteRequest,
    pub(super) call_id: String,
    pub(super) local_tag: String,
    pub(super) seq: u32,
    /// The INVITE under way.
    pub(super) transaction: Option<TransactionId>,
    /// Targets of the present Request-URI not tried yet.
    pub(super) targets: VecDeque<Target>,
    pub(super) target: Option<Target>,
    /// Contacts of redirections not tried yet, and all that were.
    pub(super) contacts: VecDeque<Uri>,
    pub(super) visited: BTreeSet<String>,
    pub(super) redirects: usize,
    /// The contact whose targets the user is finding.
    pub(super) resolving: Option<Uri>,
    pub(super) attempts: u32,
    pub(super) early: BTreeMap<String, Early>,
    pub(super) give_up_at: Option<Duration>,
    pub(super) ringing_until: Option<Duration>,
    pub(super) cancel: Cancel,
    /// Repairs that are made once each: 420, 421.
    pub(super) repaired: BTreeSet<u16>,
    pub(super) last_response: Option<Box<Response>>,
    /// A 2xx with an offer whose ACK waits for our answer.
    pub(super) owed: Option<OwedAnswer>,
}

/// One early dialog of a caller.
#[derive(Debug)]
pub(super) struct Early {
    pub(super) dialog: Dialog,
    pub(super) order: ReliableReceiver,
}

/// Whether the caller gave up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cancel {
    /// No.
    No,
    /// Yes, but CANCEL must wait for a provisional response (section 9.1).
    Wanted {
        reason: Option<String>,
        unanswered: bool,
    },
    /// CANCEL is out; the INVITE is given up at this time.
    Sent { until: Duration, unanswered: bool },
}

/// What the callee keeps until the call stands.
#[derive(Debug)]
pub(super) struct Callee {
    pub(super) transaction: TransactionId,
    pub(super) request: Request,
    pub(super) reliable: ReliableSender<Response>,
    /// The call of ours whose place it takes (RFC 3891).
    pub(super) replaces: Option<u64>,
    pub(super) requires_reliable: bool,
    pub(super) supports_reliable: bool,
    /// A provisional response with our tag was sent.
    pub(super) rang: bool,
    /// A 2xx that waits for a PRACK.
    pub(super) accept_wanted: Option<Option<Body>>,
    /// Further rows of the 2xx.
    pub(super) accept_rows: Vec<(HeaderName, Vec<u8>)>,
    pub(super) ringing_until: Option<Duration>,
}

/// Our 2xx that waits for its ACK (section 13.3.1.4).
#[derive(Debug)]
pub(super) struct AckAwaited {
    pub(super) transaction: TransactionId,
    pub(super) response: Response,
    pub(super) seq: u32,
    pub(super) gap: Duration,
    pub(super) retransmit_at: Duration,
    pub(super) end_at: Duration,
}

/// A change of ours that is offered again after 491.
#[derive(Debug)]
pub(super) struct ChangeAgain {
    pub(super) at: Duration,
    pub(super) by_update: bool,
    pub(super) refresh: bool,
    pub(super) body: Option<Body>,
}

impl Call {
    pub(super) fn caller(&mut self) -> Option<&mut Caller> {
        match &mut self.side {
            Side::Caller(caller) => Some(caller),
            Side::Callee(_) => None,
        }
    }

    pub(super) fn callee(&mut self) -> Option<&mut Callee> {
        match &mut self.side {
            Side::Callee(callee) => Some(callee),
            Side::Caller(_) => None,
        }
    }

    /// When something of this call is due next; transactions have their own times.
    pub(super) fn next_timeout(&self) -> Option<Duration> {
        let mut next = None;
        let mut consider = |at: Option<Duration>| next = crate::transaction::earlier(next, at);
        consider(self.session.as_ref().and_then(SessionTimer::next_timeout));
        consider(self.change_again.as_ref().map(|again| again.at));
        consider(
            self.ack_awaited
                .as_ref()
                .map(|awaited| awaited.retransmit_at.min(awaited.end_at)),
        );
        match &self.side {
            Side::Caller(caller) => {
                consider(caller.give_up_at);
                consider(caller.ringing_until);
                if let Cancel::Sent { until, .. } = caller.cancel {
                    consider(Some(until));
                }
            }
            Side::Callee(callee) => {
                consider(callee.reliable.next_timeout());
                consider(callee.ringing_until);
            }
        }
        next
    }
}

/// Why a request of ours was sent, and what it takes to send it again.
#[derive(Debug, Clone)]
pub(super) struct Context {
    pub(super) purpose: Purpose,
    pub(super) call: Option<u64>,
    pub(super) request: Request,
    pub(super) target: Target,
    /// Targets for when this one fails in transport.
    pub(super) remaining: VecDeque<Target>,
    /// Contact was made here and follows the transport.
    pub(super) own_contact: bool,
    /// TCP was tried for a request too large for a datagram.
    pub(super) large_tried: bool,
    pub(super) credentials: Vec<Credentials>,
    /// Challenges answered so far; the flag says: of a proxy.
    pub(super) digests: Vec<(bool, DigestClient)>,
    pub(super) challenges: u32,
    /// Our ACKs of 2xx, by the tag of the fork.
    pub(super) acks: BTreeMap<String, (Target, Vec<u8>)>,
    /// CANCEL was sent for it.
    pub(super) cancelled: bool,
    /// When an INVITE that nobody waits for any more is forgotten.
    pub(super) give_up_at: Option<Duration>,
}

/// Why a request of ours was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Invite,
    Reinvite {
        refresh: bool,
    },
    Update {
        refresh: bool,
    },
    Bye,
    Cancel,
    Prack,
    Info,
    Refer,
    /// A report on a REFER of the peer.
    Notify(u64),
    Query(u64),
    Register(u64),
}
