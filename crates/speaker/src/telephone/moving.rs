//! The network changed under a call: another address of ours (RFC 8445 section 9).
//!
//! ```text
//! new address ─► a new connection to the hub, registered anew: the hub leads there what it led to the old one
//!             ├► each call that stands: re-INVITE with our new port; a protected one restarts ICE and signs that again
//!             ├► a call that rings there rings on; once it is answered, its sound is led to the new port like that
//!             └► a call that rings here rings on, and is answered with the new port
//! ```
//! The keys stay: whoever answers at the new way must have them, so a re-INVITE can lead the sound of a call nowhere else.
use core::time::Duration;
use std::net::SocketAddr;

use hearthline_sip::endpoint::{CallHandle, Endpoint};
use hearthline_sip::identity::header_name;
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::{Request, StatusCode};

use super::Telephone;
use super::protecting::Unprotected;
use super::trust::Said;

impl Telephone {
    /// Our address is another one from now on, and there these ports are for sound, in the order of those before. The
    /// connection to the hub is a new one, too.
    pub fn moved(&mut self, ports: &[SocketAddr], endpoint: &mut Endpoint, now: Duration) {
        let Some(home) = self.home.as_mut().filter(|_| !ports.is_empty()) else {
            return;
        };
        let before = core::mem::replace(&mut home.config.ports, ports.to_vec());
        let hub = &home.config.hub;
        endpoint.stream_replaced(hub.transport, hub.remote, now);
        home.moved(now);
        self.step("the network changed".into());
        for call in &mut self.calls {
            let at = before.iter().position(|port| *port == call.port);
            let Some(port) = at.and_then(|at| ports.get(at)).copied() else {
                continue;
            };
            call.port = port;
            call.moved |= call.is_going_out();
            if let Some(leg) = &mut call.leg
                && leg.moved(port, now).is_ok()
            {
                call.change_due = Some(now);
            }
        }
        self.settle();
    }

    /// Whether somebody of the home signed a later offer: what a restart of ICE needs, since it leads the sound elsewhere.
    ///
    /// # Errors
    /// With what it is refused.
    pub(super) fn judge_change(
        &mut self,
        handle: CallHandle,
        request: &Request,
        theirs: &SessionDescription,
        now: Duration,
    ) -> Result<(), (StatusCode, Unprotected)> {
        let call = self.calls.iter().find(|call| call.handle == handle);
        let leg = call.and_then(|call| call.leg.as_ref());
        if !leg.is_some_and(|leg| leg.is_restarted_by(theirs)) {
            return Ok(());
        }
        let Some(row) = request.headers.get(&header_name()) else {
            return Err((StatusCode::USE_IDENTITY_HEADER, Unprotected::Unsigned));
        };
        let said = Said {
            call_id: request.headers.call_id().unwrap_or_default(),
            description: theirs,
            now_s: self.unix_s(now),
        };
        let to = request.headers.to().ok().map(|to| to.uri);
        let (Some(trust), Some(to)) = (&mut self.trust, to) else {
            return Err((StatusCode::USE_IDENTITY_HEADER, Unprotected::Unsigned));
        };
        let proven = trust.verify(row, None, &to, said);
        proven.map(drop).map_err(|error| {
            let status = StatusCode::INVALID_IDENTITY_HEADER;
            (status, Unprotected::Identity(error))
        })
    }
}
