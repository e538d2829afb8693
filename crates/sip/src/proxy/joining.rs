//! Branches that join a call while it rings: a device that was told of it has come (as RFC 8599 has it, a proxy that keeps
//! the INVITE until a device has registered). Nobody has to ring yet.

use core::time::Duration;

use super::Proxy;
use super::context::Phase;
use super::event::{AskId, Branch, Over, Reject};
use super::route::our_uri;
use crate::{HeaderName, SipUri, StatusCode};

impl Proxy {
    /// One more branch of a call that was forwarded with [`Forward::open_for`](super::Forward::open_for).
    ///
    /// # Errors
    /// When it is answered, over, cancelled, no longer open, or rings as many as it may.
    pub fn join(&mut self, id: AskId, branch: Branch, now: Duration) -> Result<(), Over> {
        let branches_max = self.config.limits.branches_max;
        let context = self.contexts.get_mut(&id.0).ok_or(Over)?;
        let refused = context
            .best
            .as_ref()
            .is_some_and(|best| best.status.class() == 6);
        let open = context.open_until.is_some_and(|until| until > now);
        let plan = context.plan.as_ref().ok_or(Over)?;
        let breadth = usize::from(plan.breadth);
        let most = branches_max.min(breadth);
        if context.phase != Phase::Forwarding
            || context.cancelled
            || refused
            || !open
            || context.pending.len() >= most
        {
            return Err(Over);
        }
        let share = breadth / (context.pending.len() + 1);
        let share = u16::try_from(share).unwrap_or(u16::MAX).max(1);
        let client = self.add_client(id.0, branch, share);
        self.next_way(client, now);
        self.schedule_context(id.0);
        Ok(())
    }

    /// Nobody rings, and somebody may come: the caller is told that they are being called (section 13.2.2.1), once.
    pub(super) fn await_joining(&mut self, id: u64, now: Duration) {
        let Some(context) = self.contexts.get(&id) else {
            return;
        };
        let nothing_said = context.last.is_empty() || context.last.starts_with(b"SIP/2.0 100");
        let request = context.request.as_deref().filter(|_| nothing_said);
        let ringing = request.and_then(|request| {
            // One that wants every provisional answer acknowledged gets none of ours (RFC 3262 section 3).
            if request.headers.lists(&HeaderName::Require, "100rel") {
                return None;
            }
            let via = request.headers.top_via().ok()?;
            let tag = self.marks.tag(request, &via);
            let reject = Reject::new(StatusCode::RINGING);
            let mut response = self.local_response(request, &reject, &tag);
            let transport = context.flow.transport;
            let secure = request.uri.as_sip().is_some_and(SipUri::is_secure);
            let own = our_uri(&self.config.identity(transport), transport, secure);
            response
                .headers
                .push(HeaderName::Contact, format!("<{own}>"));
            Some(response)
        });
        if let Some(ringing) = ringing {
            self.send_upstream(id, &ringing, now);
        }
        self.schedule_context(id);
    }

    /// Nobody came who was waited for.
    pub(super) fn open_timeout(&mut self, id: u64, now: Duration) {
        let Some(context) = self.contexts.get_mut(&id) else {
            return;
        };
        if context.open_until.is_some_and(|until| until <= now) {
            context.open_until = None;
            self.advance(id, now);
            self.shrink(id);
        }
    }
}
