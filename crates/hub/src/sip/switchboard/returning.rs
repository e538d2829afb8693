//! Devices that lost their connection in mid-call and come back by another: a network that changed, a hub that was
//! restarted. A device behind TLS or on a WebSocket is reached by its connection alone, and the token in a call's Route
//! names that connection; whose it was is remembered here and in the rows of registrations, and the call goes on along
//! the one that the device has registered since (RFC 5626 section 5.3).

use hearthline_sip::{Limits, Message, parse_datagram};

use super::deciding::along;
use super::*;

/// Closed flows whose devices are remembered.
const LEFT_MAX: usize = 4_096;
/// How long a request of a call waits for its device to register again.
const RETURN_WAIT: Duration = Duration::from_secs(8);
/// A BYE waits almost as long as its sender does (timer F, 32 s): a browser that has tried in vain a few times comes back
/// later than after 8 s, and the end of its call is not to be lost for that. Nobody hears the wait: who hung up, has.
const BYE_RETURN_WAIT: Duration = Duration::from_secs(28);
/// Requests that wait so.
const RETURNING_MAX: usize = 1_024;

/// A request of a call that waits for its device.
pub(super) struct Returning {
    id: AskId,
    device: DeviceId,
    until: Duration,
}

impl Returning {
    pub(super) fn until(&self) -> Duration {
        self.until
    }
}

/// Whose flows the process before left behind.
pub(super) fn left_behind(bindings: &[Binding]) -> VecDeque<(FlowId, DeviceId)> {
    let flows = bindings.iter().filter(|row| row.flow_id != 0);
    flows
        .filter_map(|row| Some((FlowId(row.flow_id), row.device?)))
        .take(LEFT_MAX)
        .collect()
}

impl Switchboard {
    pub(super) fn note_left(&mut self, flow: FlowId, device: Option<DeviceId>) {
        let Some(device) = device else {
            return;
        };
        if self.left.len() >= LEFT_MAX {
            self.left.pop_front();
        }
        self.left.push_back((flow, device));
    }

    /// Whose a flow was that is gone: as it is remembered, else by the address that the device gave in the call.
    pub(super) fn leaver(&self, flow: FlowId, request: &Request) -> Option<DeviceId> {
        let mut latest = self.left.iter().rev();
        let left = latest.find(|(left, _)| *left == flow);
        left.map(|(_, device)| *device).or_else(|| {
            let user = request.uri.as_sip().and_then(SipUri::user)?;
            self.owner_of(user)
        })
    }

    /// Whose address by TLS a request of a call goes to, where no connection leads there: we connect to nobody by TLS.
    pub(super) fn cut_off(&self, request: &Request) -> Option<DeviceId> {
        let uri = request.uri.as_sip()?;
        let transport = uri.params().get("transport");
        let secure = match transport.map(FlowTransport::from_name) {
            None => uri.is_secure(),
            Some(named) => named? != FlowTransport::Udp && named? != FlowTransport::Tcp,
        };
        let remote = SocketAddr::new(uri.host().ip()?, uri.port()?);
        let stands = self.flows.stream_to(FlowTransport::Tls, remote).is_some();
        let device = uri.user().and_then(|user| self.owner_of(user));
        device.filter(|_| secure && !stands)
    }

    /// A request of a call waits until its device has registered again.
    pub(super) fn await_return(&mut self, id: AskId, device: DeviceId, now: Duration) {
        if self.returning.len() >= RETURNING_MAX {
            return self.decide(id, along(Vec::new()), now);
        }
        let request = self.proxy.request(id);
        let wait = match request.is_some_and(|request| request.method == Method::Bye) {
            true => BYE_RETURN_WAIT,
            false => RETURN_WAIT,
        };
        let until = now.saturating_add(wait);
        self.returning.push(Returning { id, device, until });
    }

    /// An ACK is asked about by nobody, and answered by nothing: it goes to a device that came back by another connection
    /// along that one, or the call would end for want of it.
    pub(super) fn acknowledge_returned(&self, hop: &Hop, ack: Vec<u8>, now: Duration) -> bool {
        let Ok(Message::Request(request)) = parse_datagram(&ack, &Limits::default()) else {
            return false;
        };
        let device = match hop {
            Hop::Flow { id, .. } => self.leaver(*id, &request),
            Hop::Target(_) => self.cut_off(&request),
        };
        let groups = self.ways_to(device.as_slice(), now);
        let branches = groups.iter().flat_map(|group| &group.branches);
        let mut hops = branches.flat_map(|branch| &branch.ways);
        let flow = hops.find_map(|way| way.hop.as_ref()?.flow());
        flow.is_some_and(|flow| self.send_on_flow(flow, ack))
    }

    /// Sends on what waited for a device that is back.
    pub(super) fn look_for_returned(&mut self, now: Duration) {
        for own in std::mem::take(&mut self.returning) {
            let groups = self.ways_to(&[own.device], now);
            if groups.is_empty() && own.until > now {
                self.returning.push(own);
            } else {
                self.decide(own.id, along(groups), now);
            }
        }
    }
}
