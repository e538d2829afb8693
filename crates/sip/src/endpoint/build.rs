//! Requests and responses with the rows that every one of them has.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use super::Endpoint;
use super::call::{Context, Purpose};
use super::request::{Body, Credentials};
use crate::dialog::{Dialog, DialogId, DialogState, ROUTES_MAX};
use crate::resolve::Question;
use crate::target::{Target, Transport};
use crate::via::Transport as ViaTransport;
use crate::{HeaderName, Host, Method, NameAddr, Request, Response, SipUri, StatusCode, Uri, Via};

/// Hops that a request of ours may take (RFC 3261 section 8.1.1.6).
const MAX_FORWARDS: &str = "70";

/// Everything of a request but its Via.
pub(super) struct Draft<'a> {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) routes: &'a [NameAddr],
    pub(super) from: &'a NameAddr,
    pub(super) to: &'a NameAddr,
    pub(super) call_id: &'a str,
    pub(super) seq: u32,
}

impl Draft<'_> {
    pub(super) fn request(self) -> Request {
        let seq = self.seq;
        let mut request = Request::new(self.method.clone(), self.uri);
        let headers = &mut request.headers;
        headers.push(HeaderName::MaxForwards, MAX_FORWARDS);
        for route in self.routes {
            headers.push_display(HeaderName::Route, route);
        }
        headers.push_display(HeaderName::From, self.from);
        headers.push_display(HeaderName::To, self.to);
        headers.push(HeaderName::CallId, self.call_id);
        headers.push(HeaderName::CSeq, format!("{seq} {}", self.method));
        request
    }
}

impl Endpoint {
    /// Our address for `transport`, of the family of `remote` where there is one.
    pub(super) fn local_for(&self, transport: Transport, remote: SocketAddr) -> SocketAddr {
        let local = &self.config.local;
        let fits = |entry: &&(Transport, SocketAddr)| entry.0 == transport;
        let family = |entry: &&(Transport, SocketAddr)| entry.1.is_ipv4() == remote.is_ipv4();
        local
            .iter()
            .find(|entry| fits(entry) && family(entry))
            .or_else(|| local.iter().find(fits))
            .or_else(|| local.iter().find(family))
            .or_else(|| local.first())
            .map_or_else(|| SocketAddr::from(([0, 0, 0, 0], 5060)), |entry| entry.1)
    }

    /// A Contact under which we can be called back: what was set for this way, else our address for the same transport
    /// where we listen on it.
    pub(super) fn contact_for(&self, target: &Target) -> NameAddr {
        let way = (target.transport, target.remote);
        if let Some((_, contact)) = self.contacts.iter().find(|(of, _)| *of == way) {
            return contact.clone();
        }
        let mut transport = target.transport;
        let mut listening = self.config.local.iter();
        if !listening.clone().any(|(bound, _)| *bound == transport)
            && let Some((other, _)) = listening.next()
        {
            transport = *other;
        }
        let local = self.local_for(transport, target.remote);
        let mut uri = SipUri::new(host_of(local)).with_port(local.port());
        if let Some(user) = &self.config.contact_user {
            uri = uri.with_user(user);
        }
        if transport != Transport::Udp {
            uri = uri.with_param("transport", Some(transport.as_param()));
        }
        NameAddr::new(uri)
    }

    /// Puts a fresh top Via in place.
    pub(super) fn put_via(&mut self, request: &mut Request, target: &Target) {
        let local = self.local_for(target.transport, target.remote);
        let via = Via::new(
            via_transport(target.transport),
            host_of(local),
            Some(local.port()),
            &self.tokens.branch(),
        );
        request.headers.remove(&HeaderName::Via);
        request.headers.push_front(HeaderName::Via, via.to_string());
    }

    /// A context for a request that goes to the first of `targets`; `None`: there is none.
    pub(super) fn context(
        purpose: Purpose,
        call: Option<u64>,
        request: Request,
        mut targets: VecDeque<Target>,
        credentials: Vec<Credentials>,
    ) -> Option<Context> {
        let target = targets.pop_front()?;
        Some(Context {
            purpose,
            call,
            request,
            target,
            remaining: targets,
            own_contact: false,
            large_tried: false,
            credentials,
            digests: Vec::new(),
            challenges: 0,
            acks: BTreeMap::new(),
            cancelled: false,
            give_up_at: None,
        })
    }

    /// Rows that tell the peer what we can.
    pub(super) fn push_abilities(&self, request_or_response: &mut crate::Headers) {
        request_or_response.push(HeaderName::Allow, self.allow());
        self.push_agent(request_or_response, HeaderName::UserAgent);
    }

    pub(super) fn push_agent(&self, headers: &mut crate::Headers, name: HeaderName) {
        if let Some(agent) = &self.config.user_agent {
            headers.push(name, agent.as_str());
        }
    }

    /// Value of Allow.
    pub(super) fn allow(&self) -> String {
        let mut allow = "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO".to_owned();
        if self.config.transfers {
            allow.push_str(", REFER, NOTIFY");
        }
        for method in &self.config.methods {
            allow.push_str(", ");
            allow.push_str(method.as_str());
        }
        allow
    }

    /// Value of Supported in our answers.
    pub(super) fn supported(&self) -> &'static str {
        match self.config.transfers {
            true => "100rel, timer, replaces, norefersub",
            false => "100rel, timer",
        }
    }

    /// A response with our tag, Server, and inside a dialog Contact and Record-Route.
    pub(super) fn response(
        &self,
        request: &Request,
        status: StatusCode,
        to_tag: Option<&str>,
        contact: Option<&NameAddr>,
    ) -> Response {
        let mut response = Response::to_request(request, status, to_tag);
        if let Some(contact) = contact {
            response
                .headers
                .copy_from(&request.headers, &HeaderName::RecordRoute);
            response.headers.push_display(HeaderName::Contact, contact);
        }
        self.push_agent(&mut response.headers, HeaderName::Server);
        response
    }
}

/// Sets the body, where there is one.
pub(super) fn put_body(headers: &mut crate::Headers, into: &mut Vec<u8>, body: Option<&Body>) {
    if let Some(body) = body {
        headers.set(HeaderName::ContentType, body.content_type.as_str());
        into.clone_from(&body.bytes);
    }
}

impl Endpoint {
    /// Sends a request of ours for the first time or again; the branch is a new one each time.
    /// `false`: there is no room for another transaction.
    pub(super) fn send(&mut self, mut context: Context, now: core::time::Duration) -> bool {
        if self.config.large_over_tcp
            && !context.large_tried
            && context.target.transport == Transport::Udp
            && context.request.to_bytes().len() + VIA_BYTES > LARGE_BYTES
        {
            context.large_tried = true;
            context.remaining.push_front(context.target.clone());
            context.target.transport = Transport::Tcp;
        }
        let target = context.target.clone();
        if context.own_contact {
            let contact = self.contact_for(&target);
            context
                .request
                .headers
                .set_display(HeaderName::Contact, contact);
        }
        self.put_via(&mut context.request, &target);
        match self
            .transactions
            .send_request(context.request.clone(), target.clone(), now)
        {
            Ok(id) => {
                self.note_sent(&context, id, target);
                self.contexts.insert(id, context);
                true
            }
            Err(_) => {
                self.counters.overload_dropped += 1;
                false
            }
        }
    }
}

/// Above this a request must not go over UDP while the path's MTU is unknown
/// (RFC 3261 section 18.1.1).
const LARGE_BYTES: usize = 1_300;
/// About what a Via adds.
const VIA_BYTES: usize = 100;

/// The host of an address.
pub(super) fn host_of(address: SocketAddr) -> Host {
    match address {
        SocketAddr::V4(address) => Host::V4(*address.ip()),
        SocketAddr::V6(address) => Host::V6(*address.ip()),
    }
}

fn via_transport(transport: Transport) -> ViaTransport {
    match transport {
        Transport::Tls => ViaTransport::Tls,
        Transport::Tcp => ViaTransport::Tcp,
        Transport::Udp => ViaTransport::Udp,
    }
}

/// The caller's dialog out of its request and a response with a tag (section 12.1.2). `None`: the
/// response has no usable Contact where one is needed.
pub(super) fn caller_dialog(
    request: &Request,
    response: &Response,
    state: DialogState,
    fallback: &Uri,
) -> Option<Dialog> {
    let remote = response.headers.to().ok()?;
    let local = request.headers.from().ok()?;
    let mut route_set = response.headers.record_routes().unwrap_or_default();
    route_set.reverse();
    route_set.truncate(ROUTES_MAX);
    let contact = response
        .headers
        .contacts()
        .ok()
        .and_then(|contacts| contacts.first().map(|contact| contact.uri.clone()));
    Some(Dialog {
        id: DialogId {
            call_id: request.headers.call_id().ok()?.to_owned(),
            local_tag: local.tag().unwrap_or_default().to_owned(),
            remote_tag: remote.tag().unwrap_or_default().to_owned(),
        },
        state,
        local_seq: request.headers.cseq().ok()?.seq,
        remote_seq: None,
        // Without a Contact the Request-URI is the best guess; a call is worth it.
        remote_target: contact.unwrap_or_else(|| fallback.clone()),
        route_set,
        secure: matches!(&request.uri, Uri::Sip(uri) if uri.is_secure()),
        local,
        remote,
    })
}

/// The callee's dialog out of the INVITE (section 12.1.1).
pub(super) fn callee_dialog(request: &Request, local_tag: &str) -> Option<Dialog> {
    let remote = request.headers.from().ok()?;
    let local = request.headers.to().ok()?.with_tag(local_tag);
    let mut route_set = request.headers.record_routes().ok()?;
    route_set.truncate(ROUTES_MAX);
    let contacts = request.headers.contacts().ok()?;
    Some(Dialog {
        id: DialogId {
            call_id: request.headers.call_id().ok()?.to_owned(),
            local_tag: local_tag.to_owned(),
            remote_tag: remote.tag().unwrap_or_default().to_owned(),
        },
        state: DialogState::Early,
        local_seq: 0,
        remote_seq: Some(request.headers.cseq().ok()?.seq),
        remote_target: contacts.first()?.uri.clone(),
        route_set,
        secure: matches!(&request.uri, Uri::Sip(uri) if uri.is_secure()),
        local,
        remote,
    })
}

/// Where requests of a dialog go. A numeric next hop is used as it stands; a name leads along the
/// way by which the dialog was made, as does a connection that is open already.
pub(super) fn dialog_targets(dialog: &Dialog, flow: &Target) -> VecDeque<Target> {
    let mut targets = VecDeque::new();
    if let Some(direct) = numeric_target(dialog.next_hop(), Some(flow)) {
        let same_way = direct.transport == flow.transport && direct.remote.ip() == flow.remote.ip();
        if direct.transport.is_reliable() && same_way {
            targets.push_back(flow.clone());
        }
        if !targets.contains(&direct) {
            targets.push_back(direct);
        }
    }
    if !targets.contains(flow) {
        targets.push_back(flow.clone());
    }
    targets
}

/// The target of a URI with a numeric host.
pub(super) fn numeric_target(uri: &Uri, flow: Option<&Target>) -> Option<Target> {
    let uri = uri.as_sip()?;
    let ip = uri.host().ip()?;
    let flow = flow.filter(|flow| flow.remote.ip() == ip);
    let named = uri.params().get("transport");
    let transport = if uri.is_secure() {
        Transport::Tls
    } else if let Some(name) = named {
        Transport::from_name(name)?
    } else {
        flow.map_or(Transport::Udp, |flow| flow.transport)
    };
    let port = uri.port().unwrap_or_else(|| transport.default_port());
    let mut target = Target::new(transport, SocketAddr::new(ip, port));
    if transport == Transport::Tls {
        target.server_name = flow.and_then(|flow| flow.server_name.clone());
    }
    Some(target)
}

/// What to resolve for a URI with a name.
pub(super) fn question(uri: &Uri) -> Option<Question> {
    let uri = uri.as_sip()?;
    Some(Question {
        host: uri.host().to_string(),
        port: uri.port(),
        transport: uri.params().get("transport").and_then(Transport::from_name),
        secure: uri.is_secure(),
        emergency: false,
    })
}

/// A request inside a dialog (section 12.2.1.1), without Via.
pub(super) fn in_dialog(dialog: &crate::dialog::Dialog, method: Method, seq: u32) -> Request {
    let (uri, routes) = dialog.request_line();
    Draft {
        method,
        uri,
        routes: &routes,
        from: &dialog.local,
        to: &dialog.remote,
        call_id: &dialog.id.call_id,
        seq,
    }
    .request()
}
