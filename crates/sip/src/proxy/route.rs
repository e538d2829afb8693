//! Route information: what is ours comes off (RFC 3261 section 16.4), what is to lead back here
//! goes on (section 16.6 step 4, RFC 3327, RFC 5626 section 5), and where the next hop is.

use std::borrow::Cow;

use super::check::{Seen, malformed};
use super::config::{Identity, ProxyConfig};
use super::event::Reject;
use crate::message::Request;
use crate::outbound::{Direction, FlowId, FlowTokens, FlowTransport, Hop, Side};
use crate::target::{self, Target};
use crate::{HeaderName, Host, NameAddr, SipUri, StatusCode, Uri};

/// How a request found us, after our own routes came off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// By name alone.
    Outside,
    /// Along our Record-Route.
    Dialog { direction: Direction, side: Side },
    /// Along a Path of ours.
    Path { flow: (FlowId, FlowTransport) },
}

/// Section 16.4. Outside a dialog of ours no Route is left: where a stranger's request goes is the
/// decision's to say, not the stranger's (section 16.5 would follow any route). Errors: a token
/// that was not made here (403, RFC 5626 section 5.3.1).
pub(super) fn preprocess(
    config: &ProxyConfig,
    tokens: &FlowTokens,
    request: &mut Request,
    seen: &Seen,
) -> Result<Found, Reject> {
    let found = find(config, tokens, request, seen)?;
    if !matches!(found, Found::Dialog { .. }) {
        request.headers.remove(&HeaderName::Route);
    }
    Ok(found)
}

fn find(
    config: &ProxyConfig,
    tokens: &FlowTokens,
    request: &mut Request,
    seen: &Seen,
) -> Result<Found, Reject> {
    let mut token = None;
    let routes = seen.routes.as_ref().map_err(malformed)?;
    let mut routes = Cow::Borrowed(routes.as_slice());
    // A strict router before us put our own URI into the Request-URI.
    if let Some(uri) = request.uri.as_sip()
        && config.is_us(uri)
        && let Some(user) = shaped(uri)
    {
        let user = user.to_owned();
        if let Some(last) = routes.to_mut().pop() {
            request.uri = last.uri;
            set_routes(request, &routes);
            token = Some(user);
        }
    }
    if let Uri::Sip(uri) = &request.uri
        && let Some(maddr) = uri.params().get("maddr")
    {
        let ours = Host::parse(maddr).is_ok_and(|host| config.is_us(&SipUri::new(host)));
        if ours {
            let mut stripped = uri.clone();
            stripped.params_mut().remove("maddr");
            stripped.params_mut().remove("transport");
            request.uri = Uri::Sip(stripped);
        }
    }
    // One value of ours, or the two of a change of transport.
    for route in routes.iter().take(2) {
        let own = route.uri.as_sip().filter(|uri| config.is_us(uri));
        let Some(own) = own else {
            break;
        };
        if token.is_none() {
            token = shaped(own).map(str::to_owned);
        }
        // They were read before.
        let _ = request.headers.remove_first_route();
    }
    let Some(token) = token else {
        return Ok(Found::Outside);
    };
    if let Some(to_tag) = &seen.to_tag {
        let call_id = request.headers.call_id().unwrap_or_default();
        let opened = tokens.open_dialog(&token, call_id, &seen.from_tag, to_tag);
        if let Ok((direction, sealed)) = opened {
            let side = sealed.side(direction);
            return Ok(Found::Dialog { direction, side });
        }
    }
    match tokens.open_path(&token) {
        Ok(flow) => Ok(Found::Path { flow }),
        Err(_) => Err(Reject::new(StatusCode::FORBIDDEN)),
    }
}

fn shaped(uri: &SipUri) -> Option<&str> {
    uri.user().filter(|user| FlowTokens::is_shaped(user))
}

fn set_routes(request: &mut Request, routes: &[NameAddr]) {
    request.headers.remove(&HeaderName::Route);
    for route in routes {
        request.headers.push_display(HeaderName::Route, route);
    }
}

/// Record-Route values for a request that goes from one side to the other, in the order in
/// which they are put on top. Two where the transports differ, so that each side can reach the
/// one that it sees first (RFC 3261 section 16.7 step 8 rewrites instead; RFC 5658 advises this).
pub(super) fn record_routes(
    caller: (&Identity, FlowTransport),
    callee: (&Identity, FlowTransport),
    token: &str,
    secure: bool,
) -> Vec<String> {
    let value = |side: (&Identity, FlowTransport)| {
        let uri = our_uri(side.0, side.1, secure).with_user(token);
        format!("<{}>", uri.with_param("lr", None))
    };
    if caller == callee {
        vec![value(caller)]
    } else {
        vec![value(caller), value(callee)]
    }
}

/// The Path value of an edge proxy (RFC 5626 section 5.1). `first_hop`: nobody stands between
/// the device and us.
pub(super) fn path(
    identity: &Identity,
    transport: FlowTransport,
    token: &str,
    first_hop: bool,
) -> String {
    let mut uri = our_uri(identity, transport, false)
        .with_user(token)
        .with_param("lr", None);
    if first_hop {
        uri = uri.with_param("ob", None);
    }
    format!("<{uri}>")
}

pub(super) fn our_uri(identity: &Identity, transport: FlowTransport, secure: bool) -> SipUri {
    let mut uri = SipUri::new(identity.host.clone()).with_secure(secure);
    if let Some(port) = identity.port {
        uri = uri.with_port(port);
    }
    match transport {
        // `sips` says it already; UDP is what nobody needs to say.
        FlowTransport::Udp => uri,
        FlowTransport::Tls | FlowTransport::Tcp if secure => uri,
        // RFC 7118 section 5.3: `ws` for both.
        FlowTransport::Wss => uri.with_param("transport", Some("ws")),
        other => uri.with_param("transport", Some(other.as_param())),
    }
}

/// Puts a strict router's URI into the Request-URI and the Request-URI at the end of the routes
/// (section 16.6 step 6). Only for routes of a decision: from a caller's own Route this step
/// would let him choose where the request goes. A service URN stays where it is.
pub(super) fn honour_strict_router(request: &mut Request) {
    let Ok(mut routes) = request.headers.routes() else {
        return;
    };
    let strict = routes
        .first()
        .and_then(|route| route.uri.as_sip())
        .is_some_and(|uri| !uri.is_loose_router());
    if !strict || request.uri.service().is_some() {
        return;
    }
    let first = routes.remove(0);
    let target = std::mem::replace(&mut request.uri, first.uri);
    routes.push(NameAddr::new(target));
    set_routes(request, &routes);
}

/// The target of a request to a side of a dialog that has no flow: its next hop, where that is at
/// the address that the token seals, and otherwise that address itself. Where the request says
/// that it wants to go cannot lead it anywhere else.
pub(super) fn at_sealed(
    request: &Request,
    transport: target::Transport,
    remote: std::net::SocketAddr,
) -> Target {
    let routes = request.headers.routes().unwrap_or_default();
    let next = routes.first().map_or(&request.uri, |route| &route.uri);
    if let Reach::Hop(Hop::Target(target)) = reach(next)
        && target.transport == transport
        && target.remote.ip() == remote.ip()
    {
        return target;
    }
    let mut target = Target::new(transport, remote);
    if transport == target::Transport::Tls
        && let Some(Host::Name(name)) = next.as_sip().map(SipUri::host)
    {
        // The certificate's name; the address stays the sealed one.
        target.server_name = Some(name.as_str().to_owned());
    }
    target
}

/// What can be said of a next hop without asking a resolver.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// An address.
    Hop(Hop),
    /// A name to resolve.
    Name,
    /// Nothing that can be reached: `.invalid`, a WebSocket without its flow, a URN.
    Nowhere,
}

/// RFC 3263 for addresses (section 4.1: the transport that is named, else UDP, TLS for `sips`).
pub(super) fn reach(uri: &Uri) -> Reach {
    let Some(uri) = uri.as_sip() else {
        return Reach::Nowhere;
    };
    let named = uri.params().get("transport");
    let transport = match named.map(target::Transport::from_name) {
        Some(None) => return Reach::Nowhere,
        Some(Some(_)) if uri.is_secure() => target::Transport::Tls,
        Some(Some(transport)) => transport,
        None if uri.is_secure() => target::Transport::Tls,
        None => target::Transport::Udp,
    };
    let maddr = uri.params().get("maddr").map(Host::parse);
    let host = match &maddr {
        Some(Ok(host)) => host,
        Some(Err(_)) => return Reach::Nowhere,
        None => uri.host(),
    };
    match host {
        Host::Name(name) => {
            let name = name.as_str().trim_end_matches('.');
            if name == "invalid" || name.ends_with(".invalid") {
                Reach::Nowhere
            } else {
                Reach::Name
            }
        }
        Host::V4(_) | Host::V6(_) => {
            let port = uri.port().unwrap_or(transport.default_port());
            match host.ip() {
                Some(ip) => Reach::Hop(Hop::Target(Target::new(transport, (ip, port).into()))),
                None => Reach::Nowhere,
            }
        }
    }
}

/// Whether a device at the other end of this request is best reached by the flow it came on: it
/// is the sender itself, or it has no address at all.
pub(super) fn caller_flow_counts(request: &Request, transport: FlowTransport) -> bool {
    transport.is_websocket() || is_first_hop(request)
}

/// Whether nobody stands between the sender and us (RFC 5626 section 5.1: by the Via).
pub(super) fn is_first_hop(request: &Request) -> bool {
    let mut rows = request.headers.get_all(&HeaderName::Via);
    let first = rows.next();
    let one_row = first.is_some() && rows.next().is_none();
    one_row && request.headers.vias().is_ok_and(|vias| vias.len() == 1)
}
