//! What is kept of a request while it is under way: its server transaction, its branches.

use core::time::Duration;
use std::collections::VecDeque;

use super::event::{Branch, CallEvent, CallKey, Forward, Group, Way};
use super::mark::ServerMark;
use crate::headers::Headers;
use crate::message::{Request, Response};
use crate::outbound::{Flow, Hop};
use crate::target::Target;
use crate::transaction::{
    ClientInvite, ClientInviteState, ClientNonInvite, Effect, ServerInvite, ServerInviteState,
    ServerNonInvite, ServerNonInviteState, Timers, earlier,
};
use crate::{HeaderName, Method, StatusCode};

/// Where the response context stands (RFC 3261 section 16.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The caller of the core has been asked.
    Deciding,
    /// The caller of the core answers it himself.
    Taken,
    /// Branches are out or still to come.
    Forwarding,
    /// A final response went upstream; for an INVITE further 2xx still pass.
    Answered,
}

/// One server transaction and its response context.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) mark: ServerMark,
    pub(super) machine: ServerMachine,
    pub(super) phase: Phase,
    pub(super) flow: Flow,
    /// Where responses go.
    pub(super) upstream: Hop,
    /// The request, as long as it may have to be sent or answered; when no branch can follow,
    /// only the rows that an answer needs.
    pub(super) request: Option<Box<Request>>,
    pub(super) loop_mark: u64,
    /// The last response, to send again.
    pub(super) last: Vec<u8>,
    pub(super) plan: Option<Box<Plan>>,
    /// Branches that wait for a final response.
    pub(super) pending: Vec<u64>,
    pub(super) best: Option<Box<Response>>,
    /// Challenges of all branches (section 16.7 step 7).
    pub(super) challenges: Headers,
    pub(super) cancelled: bool,
    pub(super) in_dialog: bool,
    pub(super) asked_again: bool,
    pub(super) privileged: bool,
    pub(super) spirals: u8,
    /// Counted among the calls of its source until it is answered.
    pub(super) calling: bool,
    /// The call that this INVITE begins.
    pub(super) call: Option<Box<CallKey>>,
    /// What is to be said when this BYE is answered.
    pub(super) ending: Option<Box<CallEvent>>,
    /// Where this request of a dialog may go without a flow.
    pub(super) sealed: Option<Box<Target>>,
    pub(super) group_until: Option<Duration>,
    /// Until then branches may join, and the call waits for them.
    pub(super) open_until: Option<Duration>,
    pub(super) scheduled: Option<Duration>,
}

/// What is still to be tried, and how copies are made.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) groups: VecDeque<Group>,
    pub(super) forward: Forward,
    pub(super) breadth: u16,
}

impl Plan {
    pub(super) fn new(mut forward: Forward, breadth: u16) -> Self {
        let groups = std::mem::take(&mut forward.groups);
        Plan {
            groups: groups.into(),
            forward,
            breadth,
        }
    }
}

/// The server's machine by method.
#[derive(Debug)]
pub(super) enum ServerMachine {
    Invite(ServerInvite),
    Other(ServerNonInvite),
}

impl ServerMachine {
    pub(super) fn new(method: &Method, timers: Timers, reliable: bool, now: Duration) -> Self {
        if *method == Method::Invite {
            ServerMachine::Invite(ServerInvite::new(timers, reliable, now))
        } else {
            ServerMachine::Other(ServerNonInvite::new(timers, reliable, now))
        }
    }

    pub(super) fn is_invite(&self) -> bool {
        matches!(self, ServerMachine::Invite(_))
    }

    pub(super) fn send_response(&mut self, status: u16, now: Duration) -> Effect {
        match self {
            ServerMachine::Invite(machine) => machine.send_response(status, now),
            ServerMachine::Other(machine) => machine.send_response(status, now),
        }
    }

    pub(super) fn handle_retransmission(&mut self) -> Effect {
        match self {
            ServerMachine::Invite(machine) => machine.handle_retransmission(),
            ServerMachine::Other(machine) => machine.handle_retransmission(),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Duration) -> Effect {
        match self {
            ServerMachine::Invite(machine) => machine.handle_timeout(now),
            ServerMachine::Other(machine) => machine.handle_timeout(now),
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Duration> {
        match self {
            ServerMachine::Invite(machine) => machine.next_timeout(),
            ServerMachine::Other(machine) => machine.next_timeout(),
        }
    }

    pub(super) fn is_terminated(&self) -> bool {
        match self {
            ServerMachine::Invite(machine) => machine.state() == ServerInviteState::Terminated,
            ServerMachine::Other(machine) => machine.state() == ServerNonInviteState::Terminated,
        }
    }

    /// Whether nothing is left to it but to absorb what is repeated for a while. On a connection only the two of a 2xx
    /// do that; the others end at once.
    pub(super) fn only_ends(&self, reliable: bool) -> bool {
        match self {
            ServerMachine::Invite(machine) => match machine.state() {
                ServerInviteState::Accepted => true,
                state => state == ServerInviteState::Confirmed && !reliable,
            },
            ServerMachine::Other(machine) => {
                machine.state() == ServerNonInviteState::Completed && !reliable
            }
        }
    }

    /// Whether the last response may have to be sent again.
    pub(super) fn repeats(&self) -> bool {
        match self {
            ServerMachine::Invite(machine) => !matches!(
                machine.state(),
                ServerInviteState::Accepted | ServerInviteState::Confirmed
            ),
            ServerMachine::Other(_) => true,
        }
    }
}

/// The client's machine by method.
#[derive(Debug)]
pub(super) enum ClientMachine {
    Invite(ClientInvite),
    Other(ClientNonInvite),
    /// Its next hop is being resolved.
    Resolving,
}

impl ClientMachine {
    pub(super) fn handle_response(&mut self, status: u16, now: Duration) -> Effect {
        match self {
            ClientMachine::Invite(machine) => machine.handle_response(status, now),
            ClientMachine::Other(machine) => machine.handle_response(status, now),
            ClientMachine::Resolving => Effect::Nothing,
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Duration) -> Effect {
        match self {
            ClientMachine::Invite(machine) => machine.handle_timeout(now),
            ClientMachine::Other(machine) => machine.handle_timeout(now),
            ClientMachine::Resolving => Effect::Nothing,
        }
    }

    pub(super) fn handle_transport_failure(&mut self) -> Effect {
        match self {
            ClientMachine::Invite(machine) => machine.handle_transport_failure(),
            ClientMachine::Other(machine) => machine.handle_transport_failure(),
            ClientMachine::Resolving => Effect::Nothing,
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Duration> {
        match self {
            ClientMachine::Invite(machine) => machine.next_timeout(),
            ClientMachine::Other(machine) => machine.next_timeout(),
            ClientMachine::Resolving => None,
        }
    }

    pub(super) fn is_terminated(&self) -> bool {
        use crate::transaction::ClientNonInviteState;
        match self {
            ClientMachine::Invite(machine) => machine.state() == ClientInviteState::Terminated,
            ClientMachine::Other(machine) => machine.state() == ClientNonInviteState::Terminated,
            ClientMachine::Resolving => false,
        }
    }

    pub(super) fn invite_state(&self) -> Option<ClientInviteState> {
        match self {
            ClientMachine::Invite(machine) => Some(machine.state()),
            _ => None,
        }
    }
}

/// Whether and how far a branch is cancelled.
#[derive(Debug)]
pub(super) enum Cancel {
    /// It is not.
    No,
    /// As soon as a provisional response comes (section 9.1), with this Reason.
    Wanted(Vec<Vec<u8>>),
    /// CANCEL is out.
    Sent {
        machine: ClientNonInvite,
        bytes: Box<[u8]>,
    },
}

/// One client transaction: a branch of a context.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) context: u64,
    pub(super) secret: u64,
    pub(super) machine: ClientMachine,
    pub(super) hop: Option<Hop>,
    /// What is sent again over UDP, and to a device that comes back by another connection; dropped as soon as nothing is.
    pub(super) sent: Box<[u8]>,
    /// The CANCEL of this INVITE without Reason: CANCEL and ACK are made of it.
    pub(super) template: Box<[u8]>,
    /// Ways that are left when this one fails.
    pub(super) ways: VecDeque<Way>,
    /// The way in use, while its hop is not known.
    pub(super) resolving: Option<Box<Way>>,
    pub(super) label: u64,
    pub(super) breadth: u16,
    pub(super) cancel: Cancel,
    /// The final response is in, or given up.
    pub(super) done: bool,
    pub(super) answered: bool,
    pub(super) rang: bool,
    pub(super) silence_max: Option<Duration>,
    /// The way is dead if nothing has come by then.
    pub(super) silent_until: Option<Duration>,
    /// Timer C (section 16.6 step 11).
    pub(super) timer_c: Option<Duration>,
    /// When the INVITE was sent.
    pub(super) sent_at: Duration,
    /// After CANCEL: nobody waits longer (section 9.1).
    pub(super) give_up_at: Option<Duration>,
    pub(super) scheduled: Option<Duration>,
}

impl Client {
    pub(super) fn new(context: u64, branch: Branch, secret: u64, breadth: u16) -> Self {
        Client {
            context,
            secret,
            machine: ClientMachine::Resolving,
            hop: None,
            sent: Box::default(),
            template: Box::default(),
            ways: branch.ways.into(),
            resolving: None,
            label: branch.label,
            breadth,
            cancel: Cancel::No,
            done: false,
            answered: false,
            rang: false,
            silence_max: branch.silence_max,
            silent_until: None,
            timer_c: None,
            sent_at: Duration::ZERO,
            give_up_at: None,
            scheduled: None,
        }
    }

    /// As [`ServerMachine::only_ends`].
    pub(super) fn only_ends(&self) -> bool {
        use crate::transaction::ClientNonInviteState;
        let reliable = self
            .hop
            .as_ref()
            .is_some_and(|hop| hop.transport().is_reliable());
        let completed = match &self.machine {
            ClientMachine::Invite(machine) => match machine.state() {
                ClientInviteState::Accepted => true,
                state => state == ClientInviteState::Completed && !reliable,
            },
            ClientMachine::Other(machine) => {
                machine.state() == ClientNonInviteState::Completed && !reliable
            }
            ClientMachine::Resolving => false,
        };
        let waits = self.timer_c.or(self.silent_until).or(self.give_up_at);
        completed && waits.is_none() && !matches!(self.cancel, Cancel::Sent { .. })
    }

    pub(super) fn next_timeout(&self) -> Option<Duration> {
        let cancelling = match &self.cancel {
            Cancel::Sent { machine, .. } => machine.next_timeout(),
            _ => None,
        };
        let own = earlier(self.machine.next_timeout(), self.timer_c);
        let own = earlier(own, self.silent_until);
        earlier(own, earlier(cancelling, self.give_up_at))
    }
}

/// The request without what only a copy needs.
pub(super) fn answerable(request: &Request) -> Request {
    let mut kept = Request::new(request.method.clone(), request.uri.clone());
    for name in [
        HeaderName::Via,
        HeaderName::From,
        HeaderName::To,
        HeaderName::CallId,
        HeaderName::CSeq,
        HeaderName::Timestamp,
    ] {
        kept.headers.copy_from(&request.headers, &name);
    }
    kept
}

/// The rank of a final response among those of all branches, best first (section 16.7 step 6).
pub(super) fn rank(status: StatusCode) -> (u8, u8, u16) {
    let code = status.code();
    let class = match status.class() {
        6 => 0,
        2 => 1,
        class => u8::try_from(class).unwrap_or(9),
    };
    let within = match code {
        // What changes how the request is sent again.
        401 | 407 | 415 | 420 | 484 => 0,
        // What says nothing about the user.
        408 | 430 | 503 => 3,
        487 => 2,
        _ => 1,
    };
    (class, within, code)
}
