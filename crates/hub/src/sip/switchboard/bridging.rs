//! Which calls have a bridge for their sound: those of a browser with a telephone or a line, and no others.

use hearthline_sip::outbound::FlowTransport;

use super::*;
use crate::device::DeviceKind;
use crate::sip::bridges::{End, Rings};

impl Switchboard {
    /// A call is about to be sent on: whether sound will have to be carried over to one of those that it rings.
    pub(super) fn bridge(
        &mut self,
        request: &Request,
        from: End,
        groups: &[Group],
        asleep: &[DeviceId],
        help: bool,
    ) {
        let branches = groups.iter().flat_map(|group| &group.branches);
        let ends = branches.map(|branch| self.end_of_branch(branch));
        let asleep = asleep.iter().map(|&device| self.end_of(device));
        let all: Vec<bool> = ends
            .chain(asleep)
            .map(|end| end.is_bridged_to(from))
            .collect();
        if all.contains(&true) {
            let rings = match all.contains(&false) {
                true => Rings::Others,
                false => Rings::Bridged,
            };
            self.bridges.begin(request, from, rings, help);
        }
    }

    /// What a message says on its way out, where a bridge stands between the two, or the gateway is asked to move a call.
    pub(super) fn retold(&mut self, hop: &Hop, bytes: Vec<u8>) -> Vec<u8> {
        if bytes.starts_with(b"REFER ") && hop.flow() == Some(self.door.flow.id) {
            // One that does not read, with nothing of ours in it, moves no call to a number.
            return self.vouched(&bytes).unwrap_or_default();
        }
        let (flows, directory, gateway) = (&self.flows, &self.directory, self.door.flow.id);
        let end = || end_at(hop, flows, directory, gateway);
        self.bridges.retold(&bytes, end).unwrap_or(bytes)
    }

    /// What a device is. One that the directory does not know yet is bridged to nobody.
    pub(super) fn end_of(&self, device: DeviceId) -> End {
        end_of(&self.directory, device)
    }

    fn end_of_branch(&self, branch: &Branch) -> End {
        let device = self.keys.device(branch.label);
        let hop = branch.ways.iter().find_map(|way| way.hop.as_ref());
        match (device, hop) {
            (Some(device), _) => self.end_of(device),
            (None, Some(hop)) => end_at(hop, &self.flows, &self.directory, self.door.flow.id),
            (None, None) => End::Telephone,
        }
    }
}

fn end_of(directory: &Directory, device: DeviceId) -> End {
    match directory.kind(device) {
        Some(DeviceKind::Browser) => End::Browser,
        Some(DeviceKind::SipPhone) => End::Telephone,
        Some(DeviceKind::Speaker | DeviceKind::Phone) | None => End::Device,
    }
}

/// Who is reached by a hop: whoever proved who they are on it, the gateway, else a telephone.
fn end_at(hop: &Hop, flows: &Flows, directory: &Directory, gateway: FlowId) -> End {
    let device = match hop {
        Hop::Flow { id, .. } if *id == gateway => return End::Telephone,
        Hop::Flow { id, .. } => flows.get(*id).and_then(OpenFlow::device),
        Hop::Target(_) => None,
    };
    let insecure = matches!(hop.transport(), FlowTransport::Udp | FlowTransport::Tcp);
    match device {
        Some(device) => end_of(directory, device),
        None if insecure => End::Telephone,
        None => End::Device,
    }
}
