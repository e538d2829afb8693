//! All transactions of one endpoint: matching, retransmission, limits.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;

use super::{
    ClientInvite, ClientInviteState, ClientKey, ClientNonInvite, ClientNonInviteState, Effect,
    ServerInvite, ServerInviteState, ServerKey, ServerNonInvite, ServerNonInviteState, Timers,
};
use crate::target::{Target, Transport};
use crate::{HeaderError, HeaderName, Method, Request, Response, StatusCode};

/// One transaction; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(u64);

/// Bounds on the number of transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionLimits {
    /// Client transactions at once.
    pub client_max: usize,
    /// Server transactions at once.
    pub server_max: usize,
}

/// No room for another transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no room for another transaction: the limit is {max}")]
pub struct Full {
    /// The limit.
    pub max: usize,
}

/// What the layer tells its user.
#[derive(Debug)]
pub enum TransactionEvent {
    /// A response to a request of ours.
    Response(TransactionId, Box<Response>),
    /// A request of ours got no answer: timer B or F.
    TimedOut(TransactionId),
    /// A request of ours could not be sent.
    TransportFailed(TransactionId),
    /// A client transaction is over; no further event names it.
    ClientEnded(TransactionId),
    /// Our final response above 299 to an INVITE was never acknowledged: timer H.
    AckMissing(TransactionId),
    /// A server transaction is over.
    ServerEnded(TransactionId),
}

/// What became of a request that arrived.
#[derive(Debug)]
pub enum Received {
    /// It began a server transaction.
    New(TransactionId, Box<Request>),
    /// A retransmission, or the ACK of a refusal: dealt with.
    Absorbed,
    /// An ACK that belongs to no refusal: the user's (the ACK of a 2xx).
    Ack(Box<Request>),
    /// The same request came by another way (section 8.2.2.2): answer 482 without a transaction.
    Merged(Box<Request>),
    /// No room: answer 503 without a transaction.
    Overload(Box<Request>),
    /// Its headers cannot be read.
    Unreadable(HeaderError),
}

/// The four machines, by the names of the RFC.
#[allow(clippy::enum_variant_names)]
#[derive(Debug)]
enum Machine {
    ClientInvite(ClientInvite),
    ClientNonInvite(ClientNonInvite),
    ServerInvite(ServerInvite),
    ServerNonInvite(ServerNonInvite),
}

impl Machine {
    fn next_timeout(&self) -> Option<Duration> {
        match self {
            Self::ClientInvite(machine) => machine.next_timeout(),
            Self::ClientNonInvite(machine) => machine.next_timeout(),
            Self::ServerInvite(machine) => machine.next_timeout(),
            Self::ServerNonInvite(machine) => machine.next_timeout(),
        }
    }

    fn handle_timeout(&mut self, now: Duration) -> Effect {
        match self {
            Self::ClientInvite(machine) => machine.handle_timeout(now),
            Self::ClientNonInvite(machine) => machine.handle_timeout(now),
            Self::ServerInvite(machine) => machine.handle_timeout(now),
            Self::ServerNonInvite(machine) => machine.handle_timeout(now),
        }
    }

    fn is_terminated(&self) -> bool {
        match self {
            Self::ClientInvite(machine) => machine.state() == ClientInviteState::Terminated,
            Self::ClientNonInvite(machine) => machine.state() == ClientNonInviteState::Terminated,
            Self::ServerInvite(machine) => machine.state() == ServerInviteState::Terminated,
            Self::ServerNonInvite(machine) => machine.state() == ServerNonInviteState::Terminated,
        }
    }

    fn is_client(&self) -> bool {
        matches!(self, Self::ClientInvite(_) | Self::ClientNonInvite(_))
    }
}

/// From tag, Call-ID, CSeq: what two copies of one request share.
type MergeKey = (String, String, String);

#[derive(Debug)]
enum Keys {
    Client(ClientKey),
    Server(ServerKey, Option<MergeKey>),
}

#[derive(Debug)]
struct Entry {
    machine: Machine,
    keys: Keys,
    /// The request of a client transaction; that of a server transaction, for its responses.
    request: Box<Request>,
    target: Target,
    /// What is sent again: the request, the last response, or the ACK.
    last: Vec<u8>,
    scheduled: Option<Duration>,
}

/// The layer.
#[derive(Debug)]
pub struct Transactions {
    timers: Timers,
    limits: TransactionLimits,
    next_id: u64,
    entries: BTreeMap<TransactionId, Entry>,
    clients: BTreeMap<ClientKey, TransactionId>,
    servers: BTreeMap<ServerKey, TransactionId>,
    merges: BTreeMap<MergeKey, TransactionId>,
    deadlines: BTreeSet<(Duration, TransactionId)>,
    transmits: VecDeque<(Target, Vec<u8>)>,
    events: VecDeque<TransactionEvent>,
}

impl Transactions {
    /// No transactions. Base values below 1 ms count as 1 ms: a gap of nothing never ends.
    pub fn new(timers: Timers, limits: TransactionLimits) -> Self {
        let least = Duration::from_millis(1);
        Self {
            timers: Timers {
                t1: timers.t1.max(least),
                t2: timers.t2.max(least),
                t4: timers.t4.max(least),
            },
            limits,
            next_id: 0,
            entries: BTreeMap::new(),
            clients: BTreeMap::new(),
            servers: BTreeMap::new(),
            merges: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Client and server transactions that exist.
    pub fn counts(&self) -> (usize, usize) {
        (self.clients.len(), self.servers.len())
    }

    /// Sends a request (not ACK) whose Via is in place, and waits for its responses.
    ///
    /// # Errors
    /// When there is no room.
    pub fn send_request(
        &mut self,
        request: Request,
        target: Target,
        now: Duration,
    ) -> Result<TransactionId, Full> {
        let max = self.limits.client_max;
        let full = Full { max };
        if self.clients.len() >= max {
            return Err(full);
        }
        // Our own request always has a Via; a branch that is taken would break both.
        let key = ClientKey::of_request(&request).map_err(|_| full)?;
        if self.clients.contains_key(&key) {
            return Err(full);
        }
        let reliable = target.transport.is_reliable();
        let machine = if request.method == Method::Invite {
            Machine::ClientInvite(ClientInvite::new(self.timers, reliable, now))
        } else {
            Machine::ClientNonInvite(ClientNonInvite::new(self.timers, reliable, now))
        };
        let bytes = request.to_bytes();
        self.transmits.push_back((target.clone(), bytes.clone()));
        let id = self.add(machine, Keys::Client(key.clone()), request, target, bytes);
        self.clients.insert(key, id);
        Ok(id)
    }

    /// A response arrived; `false`: it matches no transaction.
    pub fn handle_response(&mut self, response: Response, now: Duration) -> bool {
        let Ok(key) = ClientKey::of_response(&response) else {
            return false;
        };
        let Some(&id) = self.clients.get(&key) else {
            return false;
        };
        let Some(entry) = self.entries.get_mut(&id) else {
            return false;
        };
        let status = response.status.code();
        let effect = match &mut entry.machine {
            Machine::ClientInvite(machine) => machine.handle_response(status, now),
            Machine::ClientNonInvite(machine) => machine.handle_response(status, now),
            _ => Effect::Nothing,
        };
        if effect == Effect::AcknowledgeAndDeliver {
            entry.last = ack_of_refusal(&entry.request, &response).to_bytes();
        }
        if matches!(effect, Effect::Acknowledge | Effect::AcknowledgeAndDeliver) {
            self.transmits
                .push_back((entry.target.clone(), entry.last.clone()));
        }
        if matches!(effect, Effect::Deliver | Effect::AcknowledgeAndDeliver) {
            self.events
                .push_back(TransactionEvent::Response(id, Box::new(response)));
        }
        self.reschedule(id);
        true
    }

    /// A request arrived. Notes its source in the top Via (RFC 3581).
    pub fn handle_request(
        &mut self,
        mut request: Request,
        transport: Transport,
        remote: SocketAddr,
        now: Duration,
    ) -> Received {
        let key = match ServerKey::of(&request) {
            Ok(key) => key,
            Err(error) => return Received::Unreadable(error),
        };
        if let Some(&id) = self.servers.get(&key) {
            return self.known_request(id, request, now);
        }
        if request.method == Method::Ack {
            return Received::Ack(Box::new(request));
        }
        let merge = merge_key(&request);
        if let Some(merge) = &merge
            && request.method != Method::Cancel
            && self.merges.contains_key(merge)
        {
            note_source(&mut request, remote);
            return Received::Merged(Box::new(request));
        }
        note_source(&mut request, remote);
        if self.servers.len() >= self.limits.server_max {
            return Received::Overload(Box::new(request));
        }
        let target = response_target(&request, transport, remote);
        let reliable = transport.is_reliable();
        let machine = if request.method == Method::Invite {
            Machine::ServerInvite(ServerInvite::new(self.timers, reliable, now))
        } else {
            Machine::ServerNonInvite(ServerNonInvite::new(self.timers, reliable, now))
        };
        let merge = merge.filter(|_| request.method != Method::Cancel);
        let keys = Keys::Server(key.clone(), merge.clone());
        let id = self.add(machine, keys, request.clone(), target, Vec::new());
        self.servers.insert(key, id);
        if let Some(merge) = merge {
            self.merges.insert(merge, id);
        }
        Received::New(id, Box::new(request))
    }

    fn known_request(&mut self, id: TransactionId, request: Request, now: Duration) -> Received {
        let Some(entry) = self.entries.get_mut(&id) else {
            return Received::Absorbed;
        };
        let effect = match (&mut entry.machine, &request.method) {
            (Machine::ServerInvite(machine), Method::Ack) => {
                if machine.handle_ack(now) == Effect::Deliver {
                    self.reschedule(id);
                    return Received::Ack(Box::new(request));
                }
                Effect::Nothing
            }
            (Machine::ServerInvite(machine), _) => machine.handle_retransmission(),
            (Machine::ServerNonInvite(machine), _) => machine.handle_retransmission(),
            _ => Effect::Nothing,
        };
        if effect == Effect::Retransmit && !entry.last.is_empty() {
            self.transmits
                .push_back((entry.target.clone(), entry.last.clone()));
        }
        self.reschedule(id);
        Received::Absorbed
    }

    /// Sends a response; `false`: the transaction is over, or this status may not follow.
    pub fn respond(&mut self, id: TransactionId, response: &Response, now: Duration) -> bool {
        let Some(entry) = self.entries.get_mut(&id) else {
            return false;
        };
        let status = response.status.code();
        let effect = match &mut entry.machine {
            Machine::ServerInvite(machine) => machine.send_response(status, now),
            Machine::ServerNonInvite(machine) => machine.send_response(status, now),
            _ => Effect::Nothing,
        };
        if effect != Effect::Deliver {
            return false;
        }
        entry.last = response.to_bytes();
        self.transmits
            .push_back((entry.target.clone(), entry.last.clone()));
        self.reschedule(id);
        true
    }

    /// The request of a transaction.
    pub fn request(&self, id: TransactionId) -> Option<&Request> {
        self.entries.get(&id).map(|entry| &*entry.request)
    }

    /// Where a transaction's messages go.
    pub fn target(&self, id: TransactionId) -> Option<&Target> {
        self.entries.get(&id).map(|entry| &entry.target)
    }

    /// The INVITE that a CANCEL means and that has no final response yet (`Some(id)`), or the
    /// fact that one is there but answered (`None` in the `Ok`).
    pub fn cancelled(&self, cancel: &Request) -> Result<Option<TransactionId>, NoSuchTransaction> {
        let key = ServerKey::cancelled_by(cancel).map_err(|_| NoSuchTransaction)?;
        let id = *self.servers.get(&key).ok_or(NoSuchTransaction)?;
        match self.entries.get(&id).map(|entry| &entry.machine) {
            Some(Machine::ServerInvite(machine))
                if machine.state() == ServerInviteState::Proceeding =>
            {
                Ok(Some(id))
            }
            Some(_) => Ok(None),
            None => Err(NoSuchTransaction),
        }
    }

    /// State of an INVITE client transaction.
    pub fn client_invite_state(&self, id: TransactionId) -> Option<ClientInviteState> {
        match &self.entries.get(&id)?.machine {
            Machine::ClientInvite(machine) => Some(machine.state()),
            _ => None,
        }
    }

    /// Ends a client transaction at once, without an event but `ClientEnded`.
    pub fn abandon(&mut self, id: TransactionId) {
        if let Some(entry) = self.entries.get_mut(&id)
            && let Machine::ClientInvite(machine) = &mut entry.machine
        {
            machine.terminate();
            self.reschedule(id);
        }
    }

    /// Bytes for `target` could not be sent.
    pub fn handle_transport_failure(&mut self, target: &Target) {
        self.fail(|entry| entry.target == *target);
    }

    /// A connection is gone: what waits on it fails.
    pub fn handle_stream_closed(&mut self, transport: Transport, remote: SocketAddr) {
        self.fail(|entry| entry.target.transport == transport && entry.target.remote == remote);
    }

    /// Another connection to the same peer took the place of the one that was: what nobody has answered goes out again
    /// by it, and a peer that has it already takes it for a repetition. What is answered waits on; an INVITE that rings
    /// there rings on.
    pub fn handle_stream_replaced(&mut self, transport: Transport, remote: SocketAddr) {
        for entry in self.entries.values() {
            let concerned = entry.target.transport == transport && entry.target.remote == remote;
            let waits = match &entry.machine {
                Machine::ClientInvite(machine) => machine.state() == ClientInviteState::Calling,
                Machine::ClientNonInvite(machine) => matches!(
                    machine.state(),
                    ClientNonInviteState::Trying | ClientNonInviteState::Proceeding
                ),
                Machine::ServerInvite(_) | Machine::ServerNonInvite(_) => false,
            };
            if concerned && waits {
                let again = (entry.target.clone(), entry.last.clone());
                self.transmits.push_back(again);
            }
        }
    }

    fn fail(&mut self, concerns: impl Fn(&Entry) -> bool) {
        let ids: Vec<TransactionId> = self
            .entries
            .iter()
            .filter(|(_, entry)| concerns(entry))
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            let Some(entry) = self.entries.get_mut(&id) else {
                continue;
            };
            let effect = match &mut entry.machine {
                Machine::ClientInvite(machine) => machine.handle_transport_failure(),
                Machine::ClientNonInvite(machine) => machine.handle_transport_failure(),
                // A server's response is lost, but its user may still learn of an ACK or a CANCEL
                // by another connection; its timers end it.
                Machine::ServerInvite(_) | Machine::ServerNonInvite(_) => Effect::Nothing,
            };
            if effect == Effect::TransportFailed {
                self.events.push_back(TransactionEvent::TransportFailed(id));
            }
            self.reschedule(id);
        }
    }

    /// Does everything that is due.
    pub fn handle_timeout(&mut self, now: Duration) {
        while let Some(&(at, id)) = self.deadlines.first() {
            if at > now {
                break;
            }
            let Some(entry) = self.entries.get_mut(&id) else {
                self.deadlines.pop_first();
                continue;
            };
            match entry.machine.handle_timeout(now) {
                Effect::Retransmit => self
                    .transmits
                    .push_back((entry.target.clone(), entry.last.clone())),
                Effect::SendTrying => {
                    let trying = Response::to_request(&entry.request, StatusCode::TRYING, None);
                    self.respond(id, &trying, now);
                }
                Effect::TimedOut => {
                    let client = entry.machine.is_client();
                    let invite = matches!(entry.machine, Machine::ServerInvite(_));
                    if client {
                        self.events.push_back(TransactionEvent::TimedOut(id));
                    } else if invite {
                        self.events.push_back(TransactionEvent::AckMissing(id));
                    }
                }
                _ => {}
            }
            self.reschedule(id);
        }
    }

    /// When `handle_timeout` is due next.
    pub fn next_timeout(&self) -> Option<Duration> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// The next message for the wire.
    pub fn poll_transmit(&mut self) -> Option<(Target, Vec<u8>)> {
        self.transmits.pop_front()
    }

    /// The next event for the user.
    pub fn poll_event(&mut self) -> Option<TransactionEvent> {
        self.events.pop_front()
    }

    fn add(
        &mut self,
        machine: Machine,
        keys: Keys,
        request: Request,
        target: Target,
        last: Vec<u8>,
    ) -> TransactionId {
        let id = TransactionId(self.next_id);
        self.next_id += 1;
        self.entries.insert(
            id,
            Entry {
                machine,
                keys,
                request: Box::new(request),
                target,
                last,
                scheduled: None,
            },
        );
        self.reschedule(id);
        id
    }

    /// Brings the deadline up to date, or forgets a transaction that is over.
    fn reschedule(&mut self, id: TransactionId) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        if let Some(at) = entry.scheduled.take() {
            self.deadlines.remove(&(at, id));
        }
        if !entry.machine.is_terminated() {
            if let Some(at) = entry.machine.next_timeout() {
                entry.scheduled = Some(at);
                self.deadlines.insert((at, id));
            }
            return;
        }
        let event = if entry.machine.is_client() {
            TransactionEvent::ClientEnded(id)
        } else {
            TransactionEvent::ServerEnded(id)
        };
        self.events.push_back(event);
        match self.entries.remove(&id).map(|entry| entry.keys) {
            Some(Keys::Client(key)) => {
                self.clients.remove(&key);
            }
            Some(Keys::Server(key, merge)) => {
                self.servers.remove(&key);
                if let Some(merge) = merge {
                    self.merges.remove(&merge);
                }
            }
            None => {}
        }
    }
}

/// A CANCEL matches nothing: answer 481.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no transaction matches this CANCEL")]
pub struct NoSuchTransaction;

/// Where responses to a request go (section 18.2.2, RFC 3581): back along a connection; over UDP
/// to the port that `rport` asks for, else to the port of sent-by, always to the source address.
pub fn response_target(request: &Request, transport: Transport, remote: SocketAddr) -> Target {
    let mut target = Target::new(transport, remote);
    if transport == Transport::Udp
        && let Ok(via) = request.headers.top_via()
        && !via.wants_rport()
    {
        target.remote.set_port(via.port.unwrap_or(5060));
    }
    target
}

fn note_source(request: &mut Request, remote: SocketAddr) {
    if let Ok(mut via) = request.headers.top_via() {
        via.set_source(remote.ip(), remote.port());
        // The Via was read a line above, so it can be replaced.
        let _ = request.headers.set_top_via(&via);
    }
}

/// Only requests outside a dialog can be merged (section 8.2.2.2: no tag in To).
fn merge_key(request: &Request) -> Option<MergeKey> {
    let headers = &request.headers;
    if headers.to().ok()?.tag().is_some() {
        return None;
    }
    Some((
        headers.from().ok()?.tag()?.to_owned(),
        headers.call_id().ok()?.to_owned(),
        headers.cseq().ok()?.to_string(),
    ))
}

/// The ACK for a response above 299 (section 17.1.1.3): of the INVITE only the top Via and the
/// routes, To from the response.
fn ack_of_refusal(invite: &Request, response: &Response) -> Request {
    let mut ack = Request::new(Method::Ack, invite.uri.clone());
    if let Some(via) = invite.headers.get(&HeaderName::Via) {
        ack.headers.push(HeaderName::Via, via);
    }
    ack.headers.push(HeaderName::MaxForwards, "70");
    ack.headers.copy_from(&invite.headers, &HeaderName::Route);
    ack.headers.copy_from(&invite.headers, &HeaderName::From);
    ack.headers.copy_from(&response.headers, &HeaderName::To);
    ack.headers.copy_from(&invite.headers, &HeaderName::CallId);
    if let Ok(cseq) = invite.headers.cseq() {
        ack.headers
            .push(HeaderName::CSeq, format!("{} ACK", cseq.seq));
    }
    ack
}
