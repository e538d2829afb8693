//! The copy of a request that goes out on a branch (RFC 3261 section 16.6 steps 1 to 8).

use super::config::ProxyConfig;
use super::context::{Context, Plan};
use super::event::Way;
use super::route;
use crate::message::Request;
use crate::outbound::{FlowTokens, Hop, Side};
use crate::target;
use crate::via::Via;
use crate::{HeaderName, Method};

/// Rows that neither the decision nor the way may touch: they are the proxy's business, or the
/// dialog's.
const UNTOUCHABLE: [HeaderName; 9] = [
    HeaderName::Via,
    HeaderName::Route,
    HeaderName::RecordRoute,
    HeaderName::MaxForwards,
    HeaderName::MaxBreadth,
    HeaderName::From,
    HeaderName::To,
    HeaderName::CallId,
    HeaderName::CSeq,
];

/// Steps 1, 2 and 6 without the strict router: the Request-URI and the routes, as far as the
/// next hop depends on them.
pub(super) fn towards(request: &Request, way: &Way) -> Request {
    let mut copy = request.clone();
    // A service URN is for the one who answers it, not for us to translate.
    if request.uri.service().is_none() {
        copy.uri = match &way.uri {
            crate::Uri::Sip(uri) => crate::Uri::Sip(uri.for_request_uri()),
            other => other.clone(),
        };
    }
    for route in way.route.iter().rev() {
        copy.headers
            .push_front_behind_vias(HeaderName::Route, route.to_string());
    }
    copy
}

/// What the rest of a copy depends on.
pub(super) struct Outgoing<'a> {
    pub(super) config: &'a ProxyConfig,
    pub(super) tokens: &'a FlowTokens,
    pub(super) context: &'a Context,
    pub(super) plan: &'a Plan,
    pub(super) hop: &'a Hop,
    pub(super) branch: &'a str,
    pub(super) breadth: u16,
    /// The first route is the decision's, so it may be a strict router.
    pub(super) routed: bool,
}

impl Outgoing<'_> {
    /// The rest: Max-Forwards, Record-Route, the decision's rows, the strict router, Via.
    pub(super) fn finish(&self, copy: &mut Request) {
        let headers = &mut copy.headers;
        for name in &self.plan.forward.remove {
            if !UNTOUCHABLE.contains(name) {
                headers.remove(name);
            }
        }
        if self.context.in_dialog {
            for name in &self.config.only_ours {
                headers.remove(name);
            }
        }
        for (name, value) in &self.plan.forward.set {
            if !UNTOUCHABLE.contains(name) {
                headers.set(name.clone(), value);
            }
        }
        if let Some(display) = &self.plan.forward.from_display
            && let Ok(mut from) = headers.from()
        {
            from.display = Some(display.clone());
            headers.set_display(HeaderName::From, from);
        }
        let hops = match headers.max_forwards() {
            Ok(Some(hops)) => hops.saturating_sub(1),
            _ => 70,
        };
        headers.set_display(HeaderName::MaxForwards, hops);
        if headers.contains(&HeaderName::MaxBreadth)
            || self.breadth < self.config.limits.breadth_max
        {
            headers.set_display(HeaderName::MaxBreadth, self.breadth);
        }
        self.lead_back(copy);
        if self.routed {
            route::honour_strict_router(copy);
        }
        let transport = self.hop.transport();
        let identity = self.config.identity(transport);
        let via = Via::new(
            transport.as_via(),
            identity.host,
            identity.port,
            self.branch,
        );
        copy.headers.push_front_display(HeaderName::Via, via);
    }

    /// Path for a registration, Record-Route for a dialog that begins. The route set of a dialog
    /// is fixed once it stands (section 12.2), so its later requests get none.
    fn lead_back(&self, copy: &mut Request) {
        let Outgoing {
            config,
            tokens,
            context,
            plan,
            hop,
            ..
        } = self;
        let came_by = context.flow.transport;
        let came = config.identity(came_by);
        if plan.forward.path && copy.method == Method::Register {
            let token = tokens.path(context.flow.id, came_by);
            let value = route::path(&came, came_by, &token, route::is_first_hop(copy));
            copy.headers.push_front_behind_vias(HeaderName::Path, value);
            return;
        }
        if !plan.forward.record_route || context.in_dialog || !super::begins_dialog(&copy.method) {
            return;
        }
        let goes_by = hop.transport();
        let goes = config.identity(goes_by);
        let by_flow = route::caller_flow_counts(copy, came_by);
        // Behind another proxy the flow is that proxy's, and may be another one next time.
        let caller = match target::Transport::from_name(came_by.as_param()) {
            Some(transport) if !by_flow => Side::Address(transport, context.flow.remote),
            _ => Side::Flow(context.flow.id, came_by),
        };
        let callee = Side::from(*hop);
        let from = copy.headers.from();
        let tag = from.as_ref().ok().and_then(|from| from.tag());
        let call_id = copy.headers.call_id().unwrap_or_default();
        let token = tokens.dialog(caller, callee, call_id, tag.unwrap_or_default());
        let secure = copy.uri.as_sip().is_some_and(crate::SipUri::is_secure);
        let values = route::record_routes((&came, came_by), (&goes, goes_by), &token, secure);
        for value in values {
            copy.headers
                .push_front_behind_vias(HeaderName::RecordRoute, value);
        }
    }
}

/// The CANCEL of an INVITE that was sent (section 9.1), without its Reason: also what the ACK of
/// a refusal is made of (section 17.1.1.3).
pub(super) fn template(sent: &Request) -> Vec<u8> {
    let mut cancel = Request::new(Method::Cancel, sent.uri.clone());
    // Our Via stands in a row of its own.
    if let Some(via) = sent.headers.get(&HeaderName::Via) {
        cancel.headers.push(HeaderName::Via, via);
    }
    cancel.headers.push(HeaderName::MaxForwards, "70");
    for name in [
        HeaderName::Route,
        HeaderName::From,
        HeaderName::To,
        HeaderName::CallId,
    ] {
        cancel.headers.copy_from(&sent.headers, &name);
    }
    if let Ok(cseq) = sent.headers.cseq() {
        cancel
            .headers
            .push(HeaderName::CSeq, format!("{} CANCEL", cseq.seq));
    }
    cancel.to_bytes()
}
