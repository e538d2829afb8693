//! The network changed under a call: another address of ours (RFC 8445 section 9).
//!
//! ```text
//! new address ─► a new connection to the hub, registered anew
//!             └► each call that stands: re-INVITE with our new port; a protected one restarts ICE and signs that again
//! ```
//! The keys stay: whoever answers at the new way must have them, so a re-INVITE can lead the sound of a call nowhere else.
use core::time::Duration;
use std::net::SocketAddr;

use hearthline_sip::endpoint::CallHandle;
use hearthline_sip::identity::header_name;
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::{Request, StatusCode};

use super::protecting::Unprotected;
use super::trust::Said;
use super::{Output, Telephone};

impl Telephone {
    /// Our address is another one from now on, and there these ports are for sound, in the order of those before.
    ///
    /// A call of ours that still rings there keeps what it has offered, and finds no way when it is answered.
    pub fn moved(&mut self, ports: &[SocketAddr], now: Duration) {
        let (Some(home), Some(first)) = (&mut self.home, ports.first()) else {
            return;
        };
        home.config.contact.set_ip(first.ip());
        let before = core::mem::replace(&mut home.config.ports, ports.to_vec());
        // A call for help may go by that connection: what is dead of it is found out, and nothing ends it here.
        if !self.emergency {
            // The connection came from the address that is gone.
            let hub = home.config.hub.clone();
            home.closed(&mut self.tokens, now);
            self.outputs.push_back(Output::Close {
                transport: hub.transport,
                remote: hub.remote,
            });
        }
        self.step("the network changed".into());
        for call in &mut self.calls {
            let at = before.iter().position(|port| *port == call.port);
            let Some(port) = at.and_then(|at| ports.get(at)).copied() else {
                continue;
            };
            if call.is_going_out() {
                continue;
            }
            call.port = port;
            if let Some(leg) = &mut call.leg
                && leg.moved(port, now).is_ok()
            {
                // Once the old connection is closed: with it ends whatever waits for an answer there.
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
