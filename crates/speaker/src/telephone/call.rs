//! One ordinary call and where it stands.
use core::time::Duration;
use std::collections::VecDeque;
use std::net::SocketAddr;

use hearthline_ledger::{CallEvent, Private, Telephone as Entry};
use hearthline_media::secure::SecureTransport;
use hearthline_sip::Request;
use hearthline_sip::endpoint::CallHandle;
use hearthline_sip::sdp::SessionDescription;

use super::leg::{Demand, Leg, after};
use super::whom::Whom;

/// Samples of the other side that wait to be mixed: 200 ms.
const HEARD_SAMPLES_MAX: usize = 3_200;

/// Who is on the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// How they are called back; none when they hid themselves.
    pub whom: Option<Whom>,
    /// As it is spoken: `Anna`, `the kitchen`; none for a stranger.
    pub name: Option<String>,
    /// Address of record, for block lists and the record.
    pub address: String,
}

impl Party {
    /// Whether it is a device, room or person of the home.
    #[must_use]
    pub fn is_of_home(&self) -> bool {
        matches!(self.whom, Some(Whom::Home(_)))
    }

    /// As it is spoken.
    #[must_use]
    pub fn spoken(&self) -> String {
        match (&self.name, &self.whom) {
            (Some(name), _) => name.clone(),
            (None, Some(Whom::Number(_))) => "an unknown number".into(),
            (None, _) => "somebody unknown".into(),
        }
    }
}

/// Where a call stands (RFC 3261 sections 13 and 14). What has ended is gone.
#[derive(Debug)]
pub(super) enum State {
    /// Ours; nobody has answered the INVITE yet.
    Calling,
    /// Ours; the other side rings (early dialog).
    Proceeding,
    /// Theirs; it rings here.
    Offered(Box<Request>),
    /// Answered. On hold by us, by them, by both or not at all (RFC 3264 section 8.4).
    Confirmed {
        /// We put it on hold.
        held: bool,
        /// They put us on hold.
        holds_us: bool,
    },
}

/// One call.
pub(super) struct Call {
    pub(super) handle: CallHandle,
    pub(super) call_id: String,
    pub(super) incoming: bool,
    pub(super) party: Party,
    pub(super) state: State,
    /// Our RTP port; RTCP is one above.
    pub(super) port: SocketAddr,
    /// Our last session description.
    pub(super) described: Option<SessionDescription>,
    /// How well it must be protected.
    pub(super) demand: Demand,
    /// What our first offer speaks of, until it is answered.
    pub(super) way: Option<Box<SecureTransport>>,
    pub(super) leg: Option<Leg>,
    /// Our offer names an address that is gone: it is made anew once this one is answered.
    pub(super) moved: bool,
    /// The last re-INVITE is being made again.
    pub(super) signed_again: bool,
    /// A re-INVITE waits until another change is over.
    pub(super) change_due: Option<Duration>,
    /// It is not answered by then.
    pub(super) ring_until: Option<Duration>,
    /// Answered by itself; shown as such until it ends.
    pub(super) drop_in: bool,
    /// Part of the three-way call.
    pub(super) joined: bool,
    /// What the other side said and nobody has mixed yet.
    pub(super) heard: VecDeque<i16>,
}

impl Call {
    /// Answered and on hold by nobody of ours.
    pub(super) fn is_spoken(&self) -> bool {
        matches!(self.state, State::Confirmed { held: false, .. })
    }

    /// Answered.
    pub(super) fn is_confirmed(&self) -> bool {
        matches!(self.state, State::Confirmed { .. })
    }

    /// On hold by us.
    pub(super) fn is_held(&self) -> bool {
        matches!(self.state, State::Confirmed { held: true, .. })
    }

    /// Rings here.
    pub(super) fn is_offered(&self) -> bool {
        matches!(self.state, State::Offered(_))
    }

    /// Ours, not answered yet.
    pub(super) fn is_going_out(&self) -> bool {
        matches!(self.state, State::Calling | State::Proceeding)
    }

    /// A datagram on one of its ports. What comes before the answer is a check of the way that we offered.
    pub(super) fn packet(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8], now: Duration) {
        if to != self.port && to != after(self.port) {
            return;
        }
        match (&mut self.leg, &mut self.way) {
            (Some(leg), _) => leg.packet(from, to, bytes, now),
            (None, Some(way)) if to == self.port => way.handle_datagram(from, to, bytes, now),
            (None, _) => {}
        }
    }

    /// Keeps sound for the mixer; the oldest goes when too much waits.
    pub(super) fn hear(&mut self, samples: &[i16]) {
        self.heard.extend(samples);
        let over = self.heard.len().saturating_sub(HEARD_SAMPLES_MAX);
        self.heard.drain(..over);
    }

    /// An entry of the record.
    pub(super) fn entry(
        &self,
        event: CallEvent,
        status: Option<u16>,
        reason: Option<&str>,
    ) -> Entry {
        Entry {
            event,
            call_id: self.call_id.clone(),
            incoming: self.incoming,
            status,
            reason: reason.map(str::to_owned),
            peer: Some(Private(self.party.address.clone())),
        }
    }
}
