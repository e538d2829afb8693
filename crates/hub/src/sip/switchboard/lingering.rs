//! Connections that broke while something was under way on them. A device whose network changed registers the same place
//! by another connection within moments (RFC 5626 section 4.5): until then nothing of it is given up, and what waited on
//! the broken connection goes on by the new one. So a call rings on while its caller, or who is called, changes networks.

use super::*;

/// How long a broken connection is waited for.
const LINGER: Duration = Duration::from_secs(4);
/// Broken connections that are waited for.
const LINGERING_MAX: usize = 256;
/// Longest name of a place that is remembered, in bytes: an instance is a URN.
const PLACE_BYTES_MAX: usize = 256;

/// Where a device registered: its instance and which of its flows. Only the device itself, by its key or its password,
/// comes back to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    device: DeviceId,
    instance: String,
    reg_id: String,
}

impl Place {
    /// The one that a REGISTER names; none for a device that names none.
    pub(super) fn of(request: &Request, device: DeviceId) -> Option<Self> {
        let contacts = request.headers.contacts().ok()?;
        let params = &contacts.first()?.params;
        let place = Self {
            device,
            instance: params.get("+sip.instance")?.to_owned(),
            reg_id: params.get("reg-id")?.to_owned(),
        };
        let bytes = place.instance.len() + place.reg_id.len();
        (bytes <= PLACE_BYTES_MAX).then_some(place)
    }
}

/// Who registered by which connection, and those that broke.
#[derive(Default)]
pub(super) struct Lingering {
    stood: HashMap<FlowId, Place>,
    broken: Vec<(FlowId, Place, Duration)>,
}

impl Lingering {
    pub(super) fn next_timeout(&self) -> Option<Duration> {
        self.broken.iter().map(|(_, _, until)| *until).min()
    }

    pub(super) fn forget(&mut self, flow: FlowId) {
        self.stood.remove(&flow);
    }
}

impl Switchboard {
    /// A connection broke, which nobody here has closed.
    pub(super) fn broke(&mut self, flow: FlowId, now: Duration) {
        let place = self.lingering.stood.remove(&flow);
        let room = self.lingering.broken.len() < LINGERING_MAX;
        let Some(place) = place.filter(|_| room) else {
            return self.close(flow, now);
        };
        if self.flows.close(flow) {
            self.note_left(flow, Some(place.device));
            self.silence.forget(flow);
            self.registrar.flow_closed(flow);
            let until = now.saturating_add(LINGER);
            self.lingering.broken.push((flow, place, until));
        }
    }

    /// A device has registered by this connection: what waited on its broken one goes on here.
    pub(super) fn stands(&mut self, place: Place, by: &Flow, now: Duration) {
        let waiting = &mut self.lingering.broken;
        while let Some(at) = waiting.iter().position(|(_, own, _)| *own == place) {
            let (flow, _, _) = waiting.swap_remove(at);
            self.proxy.flow_moved(flow, by);
            self.proxy.handle_input(Input::FlowClosed { flow }, now);
        }
        self.lingering.stood.insert(by.id, place);
    }

    /// Gives up what nobody came back for.
    pub(super) fn end_lingering(&mut self, now: Duration) {
        let waiting = &mut self.lingering.broken;
        while let Some(at) = waiting.iter().position(|(_, _, until)| *until <= now) {
            let (flow, _, _) = waiting.swap_remove(at);
            self.proxy.handle_input(Input::FlowClosed { flow }, now);
        }
    }
}
