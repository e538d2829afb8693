//! What goes into a proxy, what comes out, and what its caller decides.

use core::fmt;
use core::time::Duration;

use crate::framer::Frame;
use crate::message::Response;
use crate::outbound::{Direction, Flow, FlowId, FlowTransport, Hop};
use crate::target::Target;
use crate::{HeaderName, NameAddr, StatusCode, Uri};

/// One request that waits for a decision or an answer; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub(super) u64);

/// One host name that waits for the resolver; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResolveId(pub(super) u64);

impl fmt::Display for AskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request {}", self.0)
    }
}

/// Something that happened outside.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // handed in at once, never kept
pub enum Input<'a> {
    /// A UDP datagram or a WebSocket message.
    Datagram {
        /// By which flow.
        flow: Flow,
        /// Its bytes.
        bytes: &'a [u8],
    },
    /// What the framer of a TCP or TLS connection gave.
    Frame {
        /// By which flow.
        flow: Flow,
        /// The frame.
        frame: Frame,
    },
    /// A connection is gone.
    FlowClosed {
        /// Which.
        flow: FlowId,
    },
    /// Bytes could not be sent to where [`Output::Transmit`] said.
    TransmitFailed {
        /// Where to.
        hop: &'a Hop,
    },
    /// The time of the last [`Output::Timeout`] has come.
    Timeout,
}

/// What the proxy wants done.
#[derive(Debug)]
#[must_use = "a dropped output is a lost message"]
pub enum Output {
    /// Send these bytes: one whole message.
    Transmit {
        /// Where to.
        hop: Hop,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Close this connection: what it brings cannot be read.
    Close {
        /// Which.
        flow: FlowId,
    },
    /// Where does this request go? Look at it with [`Proxy::request`](super::Proxy::request),
    /// answer with [`Proxy::decide`](super::Proxy::decide).
    Decide {
        /// The request.
        id: AskId,
        /// What it came by.
        flow: Flow,
        /// How it found us.
        passage: Passage,
    },
    /// A request taken with [`Decision::Take`] was cancelled and answered with 487.
    Cancelled {
        /// The request.
        id: AskId,
    },
    /// Resolve this URI (RFC 3263) and call [`Proxy::resolved`](super::Proxy::resolved).
    Resolve {
        /// The question.
        id: ResolveId,
        /// The next hop.
        uri: Uri,
    },
    /// Something to note about a call.
    Call(CallEvent),
    /// Nothing more; call again at this time, or when something happens.
    Timeout(Option<Duration>),
}

/// How a request found its way here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// By our name alone: judge it by who sent it.
    Outside,
    /// Along the Record-Route of a dialog that went through here, to a side that has no flow
    /// ([`Proxy::dialog_way`](super::Proxy::dialog_way) has the address that it was begun with),
    /// or whose flow failed.
    Dialog {
        /// Which way it goes.
        direction: Direction,
        /// The flow that failed.
        failed: Option<FlowId>,
    },
    /// Along a Path that we gave to a device: it is for the device at the end of this flow.
    Path {
        /// The flow.
        flow: (FlowId, FlowTransport),
    },
}

/// What is to become of a request.
#[derive(Debug, Clone)]
pub enum Decision {
    /// Refuse it.
    Reject(Reject),
    /// Send it on.
    Forward(Forward),
    /// Look at it again with this Request-URI, without a trip over the network (RFC 3261
    /// section 16.5 leaves it to us; a spiral by RFC 5393 otherwise).
    Spiral(Uri),
    /// The caller answers it with [`Proxy::respond`](super::Proxy::respond): a REGISTER, a
    /// MESSAGE to the store.
    Take,
}

/// A refusal of our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// 300 to 699.
    pub status: StatusCode,
    /// The reason phrase; `None`: the registered one.
    pub reason: Option<String>,
    /// Further rows: Proxy-Authenticate, Retry-After, Contact …
    pub headers: Vec<(HeaderName, Vec<u8>)>,
}

impl Reject {
    /// A refusal without further rows.
    #[must_use]
    pub fn new(status: StatusCode) -> Self {
        Reject {
            status,
            reason: None,
            headers: Vec::new(),
        }
    }

    /// With a row.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Sending a request on.
#[derive(Debug, Clone, Default)]
pub struct Forward {
    /// Groups are tried one after the other, the branches of a group at once.
    pub groups: Vec<Group>,
    /// Whether later requests of the dialog come through here too.
    pub record_route: bool,
    /// Whether a REGISTER gets a Path with a flow token (RFC 5626 section 5.1).
    pub path: bool,
    /// Rows to remove from the copy, before those of `set` are added. Via, Route, Max-Forwards
    /// and the headers that make the dialog cannot be removed or set.
    pub remove: Vec<HeaderName>,
    /// Rows to set in the copy: P-Asserted-Identity, Privacy …
    pub set: Vec<(HeaderName, Vec<u8>)>,
    /// What the copy's From calls the caller, in place of what the caller wrote there; its URI and
    /// tag stay. `None`: as it came.
    pub from_display: Option<String>,
    /// For an INVITE: so long further branches may [join](super::Proxy::join), and the call stands though none of these
    /// branches rings: somebody was told of it who may come. `None`: it is over when the branches are.
    pub open_for: Option<Duration>,
}

/// Targets of one preference.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// The branches.
    pub branches: Vec<Branch>,
    /// After this time without a final answer the group is cancelled and the next one tried;
    /// `None`: only timer C ends it.
    pub ringing_max: Option<Duration>,
}

/// One device or peer.
#[derive(Debug, Clone)]
pub struct Branch {
    /// The ways to it, best first; the next is tried when one fails (430, 408, 503 of the
    /// transport), never when it answered (RFC 5626 section 7).
    pub ways: Vec<Way>,
    /// The caller's mark, given back in [`CallEvent`].
    pub label: u64,
    /// A way that brings nothing at all for this long, not even 100, is dead: the next is tried
    /// long before timer B. Should it wake up later, it is cancelled. `None`: timers B and F.
    pub silence_max: Option<Duration>,
}

impl Branch {
    /// A branch with one way.
    #[must_use]
    pub fn new(way: Way, label: u64) -> Self {
        Branch {
            ways: vec![way],
            label,
            silence_max: None,
        }
    }
}

/// One way to a device.
#[derive(Debug, Clone)]
pub struct Way {
    /// The Request-URI of the copy. One of `urn:service:` is never changed, whatever stands here.
    pub uri: Uri,
    /// Routes to put before those that the request has: a Path, a trunk's proxy. Only a request of
    /// a dialog has any of its own, and they do not say where it is sent.
    pub route: Vec<NameAddr>,
    /// Where to send; `None`: to the first of these routes, else to the Request-URI, resolved. A
    /// request of a dialog that keeps its Request-URI goes as
    /// [`Proxy::dialog_way`](super::Proxy::dialog_way) says.
    pub hop: Option<Hop>,
}

impl Way {
    /// To a URI by its own address.
    #[must_use]
    pub fn to(uri: impl Into<Uri>) -> Self {
        Way {
            uri: uri.into(),
            route: Vec::new(),
            hop: None,
        }
    }

    /// By this hop.
    #[must_use]
    pub fn by(mut self, hop: impl Into<Hop>) -> Self {
        self.hop = Some(hop.into());
        self
    }

    /// To this address.
    #[must_use]
    pub fn at(self, target: Target) -> Self {
        self.by(Hop::Target(target))
    }
}

/// What identifies a call in the record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey {
    /// Call-ID.
    pub call_id: String,
    /// The tag of the one who called.
    pub caller_tag: String,
}

/// What became of a call, for the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallEvent {
    /// An INVITE was sent on.
    Started {
        /// The call.
        call: CallKey,
        /// The request that was decided.
        id: AskId,
        /// URI of From.
        from: Box<Uri>,
        /// URI of To.
        to: Box<Uri>,
    },
    /// A device rings.
    Ringing {
        /// The call.
        call: CallKey,
        /// The device's tag.
        callee_tag: String,
        /// The mark of its branch.
        label: u64,
    },
    /// A device answered.
    Answered {
        /// The call.
        call: CallKey,
        /// The device's tag.
        callee_tag: String,
        /// The mark of its branch.
        label: u64,
    },
    /// Nobody answered.
    Failed {
        /// The call.
        call: CallKey,
        /// What the caller was told.
        status: StatusCode,
    },
    /// One side hung up, and the other has said so, knows of no such call, or is not there: the
    /// answer to the BYE tells.
    Ended {
        /// The call.
        call: CallKey,
        /// The other side's tag.
        callee_tag: String,
        /// Which way the BYE went.
        direction: Direction,
    },
}

impl CallEvent {
    /// The call that it is about.
    #[must_use]
    pub fn call(&self) -> &CallKey {
        match self {
            CallEvent::Started { call, .. }
            | CallEvent::Ringing { call, .. }
            | CallEvent::Answered { call, .. }
            | CallEvent::Failed { call, .. }
            | CallEvent::Ended { call, .. } => call,
        }
    }
}

/// What was refused or dropped so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Messages that could not be read and got an answer.
    pub malformed_answered: u64,
    /// Messages that could not be read and were dropped.
    pub malformed_dropped: u64,
    /// Responses to nothing we sent (dropped: RFC 6026 section 7.3 forbids to pass them on).
    pub stray_responses: u64,
    /// ACKs without a dialog of ours.
    pub stray_acks: u64,
    /// 482, 483 and 440.
    pub loops: u64,
    /// 503 for want of room, or because one source calls too much.
    pub overload: u64,
    /// Flow tokens that were not made here.
    pub forged_tokens: u64,
}

/// The request is no longer there: it was cancelled, it timed out, or it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request is over: it was cancelled, timed out or is answered already")]
pub struct Over;

impl From<&Reject> for Response {
    fn from(reject: &Reject) -> Self {
        let mut response = Response::new(reject.status);
        if let Some(reason) = &reject.reason {
            response = response.with_reason(reason);
        }
        for (name, value) in &reject.headers {
            response.headers.push(name.clone(), value.clone());
        }
        response
    }
}
