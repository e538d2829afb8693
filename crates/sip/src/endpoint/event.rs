//! What goes into an [`Endpoint`](super::Endpoint) and what comes out.

use core::fmt;
use core::time::Duration;
use std::net::SocketAddr;

use crate::refer::ReferTo;
use crate::resolve::Question;
use crate::target::{Target, Transport};
use crate::{Request, Response, StatusCode};

/// One call of one endpoint; never used again after the call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallHandle(pub(super) u64);

/// One OPTIONS query, or another request outside a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryHandle(pub(super) u64);

/// One registration, kept alive until it is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistrationHandle(pub(super) u64);

/// One request outside a dialog that waits for [`Endpoint::respond`](super::Endpoint::respond).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestHandle(pub(super) u64);

/// One REFER of a peer that waits for [`Endpoint::accept_refer`](super::Endpoint::accept_refer), and then for reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferHandle(pub(super) u64);

macro_rules! display {
    ($($name:ident)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    )*};
}
display!(CallHandle QueryHandle RegistrationHandle RequestHandle ReferHandle);

/// Where a message came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// By which transport.
    pub transport: Transport,
    /// Our address.
    pub local: SocketAddr,
    /// The peer's address.
    pub remote: SocketAddr,
}

/// Something that happened outside.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// A datagram, or any piece of a TCP or TLS stream: streams are framed inside.
    Received {
        /// By which transport.
        transport: Transport,
        /// Our address.
        local: SocketAddr,
        /// The peer's address.
        remote: SocketAddr,
        /// The datagram, or the next bytes of the stream.
        bytes: &'a [u8],
    },
    /// A TCP or TLS connection to or from `remote` is gone.
    StreamClosed {
        /// By which transport.
        transport: Transport,
        /// The peer's address.
        remote: SocketAddr,
    },
    /// Bytes for this target could not be sent: refused, unreachable, TLS failed, not allowed.
    TransportFailed {
        /// The target of the [`Output::Transmit`].
        target: &'a Target,
    },
    /// The time of the last [`Output::Timeout`] has come.
    Timeout,
}

/// What the endpoint wants done.
#[derive(Debug)]
#[must_use = "a dropped output is a lost message"]
pub enum Output {
    /// Send these bytes.
    Transmit {
        /// Where to.
        target: Target,
        /// One whole message.
        bytes: Vec<u8>,
    },
    /// Something the user of the endpoint should know.
    Event(Event),
    /// Close this connection: it brought bytes that are no SIP, or half a message for too long.
    Close {
        /// By which transport.
        transport: Transport,
        /// The peer's address.
        remote: SocketAddr,
    },
    /// Nothing more now; call `handle_input(Input::Timeout)` at this time (same epoch as `now`),
    /// or, with `None`, only when something happens.
    Timeout(Option<Duration>),
}

/// Who ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// This side: `bye`, `reject`, `cancel`.
    Local,
    /// The peer: BYE, CANCEL.
    Remote,
    /// Nobody: no ACK, no PRACK, or the session timer ran out.
    Timeout,
    /// The dialog was gone on the other side (481, 408) or could not be reached.
    Lost,
}

/// Why a call of ours never came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureCause {
    /// A final response that nothing could be done about: busy, refused, not found, bad digest.
    Response(Box<Response>),
    /// No target answered at all (timer B, or `first_response_max`).
    Timeout,
    /// It rang, but nobody answered within `ringing_max`.
    NotAnswered,
    /// Every target refused the transport.
    TransportFailed,
    /// Redirected in a circle, or more often than allowed.
    RedirectLoop(Box<Response>),
    /// We cancelled it.
    Cancelled,
}

impl FailureCause {
    /// The status, where a response was the cause.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Response(response) | Self::RedirectLoop(response) => Some(response.status),
            _ => None,
        }
    }
}

/// How a transfer of ours goes (RFC 3515).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferProgress {
    /// The peer will try, and report.
    Accepted,
    /// The peer will try, and say nothing more (RFC 4488).
    Untold,
    /// A report: the status of its call so far, 100 to 199.
    Told(StatusCode),
    /// The last report; `None`: it said nothing of the call, or none came.
    Ended(Option<StatusCode>),
    /// The peer does not, or was not reached.
    Refused(FailureCause),
}

/// Why a registration does not stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistrationCause {
    /// The registrar refused.
    Response(Box<Response>),
    /// It did not answer.
    Timeout,
    /// It could not be reached.
    TransportFailed,
}

/// Something the user of the endpoint should know.
///
/// Every call that [`Endpoint::invite`](super::Endpoint::invite) or [`Event::Incoming`] began
/// ends with exactly one [`Event::Failed`] or [`Event::Ended`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A provisional response above 100 to our INVITE. Reliable ones are acknowledged by
    /// themselves, in order.
    Progress {
        /// Which call.
        call: CallHandle,
        /// The response, perhaps with early media in its body.
        response: Box<Response>,
    },
    /// A first byte came back (100 included) from this target: the line is alive. A challenge (401, 407) is told whatever
    /// came before it: answered with credentials, the INVITE leaves anew and waits for its own first byte.
    Reached {
        /// Which call.
        call: CallHandle,
        /// Who answered.
        target: Target,
        /// With what.
        status: StatusCode,
    },
    /// The target did not work; the next one is being tried.
    TargetFailed {
        /// Which call.
        call: CallHandle,
        /// The one that failed.
        target: Target,
        /// Why.
        cause: FailureCause,
    },
    /// A 2xx to our INVITE; the ACK is on its way.
    Answered {
        /// Which call.
        call: CallHandle,
        /// The response.
        response: Box<Response>,
    },
    /// Our call never came about.
    Failed {
        /// Which call.
        call: CallHandle,
        /// Why.
        cause: FailureCause,
    },
    /// A redirection leads to a name: resolve it (RFC 3263) and call
    /// [`Endpoint::redirect`](super::Endpoint::redirect).
    RedirectNeedsTargets {
        /// Which call.
        call: CallHandle,
        /// What to resolve.
        question: Question,
    },
    /// Another fork answered too; it was acknowledged and ended (RFC 3261 section 13.2.2.4).
    ForkEnded {
        /// Which call.
        call: CallHandle,
        /// Its answer.
        response: Box<Response>,
    },
    /// Someone calls: answer with `ring`, `accept`, `reject`.
    Incoming {
        /// Which call.
        call: CallHandle,
        /// The INVITE.
        request: Box<Request>,
        /// Where it came in.
        source: Source,
    },
    /// The caller gave up; 487 was sent, [`Event::Ended`] follows.
    IncomingCancel {
        /// Which call.
        call: CallHandle,
        /// Its Reason header (RFC 3326), where it had one.
        reason: Option<String>,
    },
    /// The ACK for our 2xx (of an INVITE or re-INVITE) came.
    Confirmed {
        /// Which call.
        call: CallHandle,
        /// The ACK, perhaps with an answer in its body.
        ack: Box<Request>,
    },
    /// The ACK for our 2xx never came; the call is being ended.
    AckMissing {
        /// Which call.
        call: CallHandle,
    },
    /// A PRACK came and was answered with 200; its body may hold an offer or an answer.
    Acknowledged {
        /// Which call.
        call: CallHandle,
        /// The PRACK.
        prack: Box<Request>,
    },
    /// The peer changes the session: answer with `answer_reinvite` or `reject_reinvite`.
    /// Refreshes without a body are answered by themselves and not reported.
    Reinvite {
        /// Which call.
        call: CallHandle,
        /// The re-INVITE.
        request: Box<Request>,
    },
    /// The peer changes the session by UPDATE: answer with `answer_reinvite` or `reject_reinvite`.
    Update {
        /// Which call.
        call: CallHandle,
        /// The UPDATE.
        request: Box<Request>,
    },
    /// Our re-INVITE or UPDATE was answered (any final status).
    ReinviteAnswered {
        /// Which call.
        call: CallHandle,
        /// The response.
        response: Box<Response>,
    },
    /// The session was refreshed by us or by the peer (RFC 4028).
    SessionRefreshed {
        /// Which call.
        call: CallHandle,
    },
    /// The session timer ran out. With `end_on_session_expiry` the call ends, else it goes on.
    SessionExpired {
        /// Which call.
        call: CallHandle,
    },
    /// The peer asks us to call somebody else (RFC 3515): answer with `accept_refer` or `reject_refer`. Only where the
    /// configuration says `transfers`.
    Referred {
        /// In which call.
        call: CallHandle,
        /// Whom to answer, and to report to.
        refer: ReferHandle,
        /// Whom to call, read out of its Refer-To: only data, to be judged before anybody is called.
        to: Box<ReferTo>,
        /// The REFER.
        request: Box<Request>,
        /// Where it came in.
        source: Source,
    },
    /// How our transfer of a call goes.
    Transfer {
        /// Which call.
        call: CallHandle,
        /// How far it is.
        progress: TransferProgress,
    },
    /// An INFO inside the call; answered with 200.
    Info {
        /// Which call.
        call: CallHandle,
        /// The INFO.
        request: Box<Request>,
    },
    /// The end of a call that was offered to us or that stood.
    Ended {
        /// Which call.
        call: CallHandle,
        /// By whom.
        by: EndedBy,
        /// Reason header of the BYE or CANCEL, or a word of ours.
        reason: Option<String>,
    },
    /// An OPTIONS came and was answered by itself.
    OptionsReceived {
        /// The request.
        request: Box<Request>,
        /// Where it came in.
        source: Source,
    },
    /// A request outside a dialog that needs an answer of the user: REGISTER, MESSAGE and other
    /// methods named in the configuration. Answer with `respond`.
    Request {
        /// Whom to answer.
        handle: RequestHandle,
        /// The request.
        request: Box<Request>,
        /// Where it came in.
        source: Source,
        /// The user that digest proved, where a challenge is configured.
        user: Option<String>,
    },
    /// Our OPTIONS or MESSAGE was answered.
    QueryAnswered {
        /// Which query.
        query: QueryHandle,
        /// The response.
        response: Box<Response>,
    },
    /// Our OPTIONS or MESSAGE was not answered.
    QueryFailed {
        /// Which query.
        query: QueryHandle,
        /// Why.
        cause: FailureCause,
    },
    /// The registration stands; it is refreshed by itself.
    Registered {
        /// Which registration.
        registration: RegistrationHandle,
        /// For how long the registrar granted it.
        expires: Duration,
        /// The response: its Service-Route, its other bindings.
        response: Box<Response>,
    },
    /// The registration was taken back.
    Unregistered {
        /// Which registration.
        registration: RegistrationHandle,
    },
    /// The registration does not stand.
    RegistrationFailed {
        /// Which registration.
        registration: RegistrationHandle,
        /// Why.
        cause: RegistrationCause,
        /// When the next attempt is made; `None`: no more.
        retry_at: Option<Duration>,
    },
}

/// A command that cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The handle belongs to nothing (any more).
    #[error("no such call: it has ended, or the handle is of another endpoint")]
    UnknownCall,
    /// The call is not in a state in which this makes sense.
    #[error("cannot {command}: the call is {state}")]
    WrongState {
        /// What was asked.
        command: &'static str,
        /// Where the call stands.
        state: &'static str,
    },
    /// A limit of the configuration.
    #[error("too many {what}: the limit is {max}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// Another offer is under way; wait for its answer (RFC 3311 section 5.1, RFC 3261 section 14.1).
    #[error("another re-INVITE or UPDATE is under way: wait for its answer")]
    Glare,
    /// The request lacks something or holds something that cannot be written.
    #[error("{0}")]
    Invalid(String),
}

/// What was refused or dropped; numbers only ever rise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages that did not parse and were answered with a 4xx or 5xx.
    pub malformed_answered: u64,
    /// Messages that did not parse and could not be answered, broken responses among them.
    pub malformed_dropped: u64,
    /// Requests refused with 503 because a limit was reached.
    pub overload_answered: u64,
    /// Messages dropped because a limit was reached.
    pub overload_dropped: u64,
    /// Responses that match no transaction.
    pub stray_responses: u64,
    /// ACKs that match nothing.
    pub stray_acks: u64,
    /// Requests inside a dialog that does not exist (481).
    pub unknown_dialogs: u64,
    /// Requests refused with 482: the same one by two ways.
    pub merged: u64,
    /// Requests with a CSeq that was there before (500).
    pub out_of_order: u64,
    /// Requests without valid credentials (401, 407).
    pub challenged: u64,
    /// Answers to challenges whose digest was wrong.
    pub digest_wrong: u64,
}
