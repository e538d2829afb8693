//! The flows that are open: which number belongs to which connection or pair of addresses.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hearthline_sip::outbound::{Flow, FlowId, FlowTransport};
use tokio::sync::mpsc;

use crate::device::Fingerprint;
use crate::id::DeviceId;

/// Most pairs of addresses that are remembered as flows of UDP.
const UDP_FLOWS_MAX: usize = 16_384;

/// Numbers of flows: consecutive from a random 64-bit one, so that no flow of an earlier process has the same.
#[derive(Clone)]
pub(crate) struct FlowNumbers(Arc<AtomicU64>);

impl FlowNumbers {
    pub(crate) fn from(start: u64) -> Self {
        Self(Arc::new(AtomicU64::new(start)))
    }

    pub(crate) fn next(&self) -> FlowId {
        loop {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            if number != 0 {
                return FlowId(number);
            }
        }
    }
}

/// A device that showed its certificate, or a session that was opened on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Certified {
    pub(crate) device: DeviceId,
    /// The certificate, where it was shown.
    pub(crate) certificate: Option<Fingerprint>,
}

/// One flow.
pub(crate) struct OpenFlow {
    pub(crate) flow: Flow,
    /// Proven by certificate: the connection is this device's.
    pub(crate) certified: Option<Certified>,
    /// Proven by digest on this flow: what a revocation closes.
    pub(crate) proven: Option<DeviceId>,
    /// Messages to the connection; `None` for UDP. Dropping it closes the connection.
    pub(crate) queue: Option<mpsc::Sender<Vec<u8>>>,
    heard: Duration,
}

impl OpenFlow {
    /// Whose it is, as far as it was proven.
    pub(crate) fn device(&self) -> Option<DeviceId> {
        let certified = self.certified.map(|certified| certified.device);
        certified.or(self.proven)
    }
}

/// All open flows.
#[derive(Default)]
pub(crate) struct Flows {
    open: HashMap<FlowId, OpenFlow>,
    udp: HashMap<(SocketAddr, SocketAddr), FlowId>,
    /// Connections by the peer's address, for requests that go to an address.
    streams: HashMap<(FlowTransport, SocketAddr), FlowId>,
}

impl Flows {
    /// The flow of a datagram; `forgotten` are numbers that had to make room.
    pub(crate) fn datagram(
        &mut self,
        local: SocketAddr,
        remote: SocketAddr,
        numbers: &FlowNumbers,
        now: Duration,
    ) -> (Flow, Vec<FlowId>) {
        if let Some(open) = self
            .udp
            .get(&(local, remote))
            .and_then(|id| self.open.get_mut(id))
        {
            open.heard = now;
            return (open.flow, Vec::new());
        }
        let forgotten = if self.udp.len() >= UDP_FLOWS_MAX {
            self.make_room()
        } else {
            Vec::new()
        };
        let flow = Flow {
            id: numbers.next(),
            transport: FlowTransport::Udp,
            local,
            remote,
        };
        self.udp.insert((local, remote), flow.id);
        self.open.insert(
            flow.id,
            OpenFlow {
                flow,
                certified: None,
                proven: None,
                queue: None,
                heard: now,
            },
        );
        (flow, forgotten)
    }

    /// Forgets a quarter: strangers first, then those that were silent longest.
    fn make_room(&mut self) -> Vec<FlowId> {
        let udp = self.udp.values().filter_map(|id| self.open.get(id));
        let mut ages: Vec<_> = udp
            .map(|open| (open.proven.is_some(), open.heard, open.flow.id))
            .collect();
        ages.sort_unstable();
        let forgotten: Vec<FlowId> = ages
            .into_iter()
            .take(UDP_FLOWS_MAX / 4)
            .map(|(.., id)| id)
            .collect();
        for id in &forgotten {
            self.close(*id);
        }
        forgotten
    }

    /// A connection stands.
    pub(crate) fn opened(
        &mut self,
        flow: Flow,
        certified: Option<Certified>,
        queue: mpsc::Sender<Vec<u8>>,
        now: Duration,
    ) {
        self.streams.insert((flow.transport, flow.remote), flow.id);
        self.open.insert(
            flow.id,
            OpenFlow {
                flow,
                certified,
                proven: None,
                queue: Some(queue),
                heard: now,
            },
        );
    }

    /// A flow by its number.
    pub(crate) fn get(&self, id: FlowId) -> Option<&OpenFlow> {
        self.open.get(&id)
    }

    /// The connection to or from an address.
    pub(crate) fn stream_to(
        &self,
        transport: FlowTransport,
        remote: SocketAddr,
    ) -> Option<&OpenFlow> {
        self.open.get(self.streams.get(&(transport, remote))?)
    }

    /// Notes who proved themselves on a flow.
    pub(crate) fn prove(&mut self, id: FlowId, device: DeviceId) {
        if let Some(open) = self.open.get_mut(&id) {
            open.proven = Some(device);
        }
    }

    /// Forgets a flow; a connection closes with it. `false`: it was not open.
    pub(crate) fn close(&mut self, id: FlowId) -> bool {
        let Some(open) = self.open.remove(&id) else {
            return false;
        };
        let Flow {
            transport,
            local,
            remote,
            ..
        } = open.flow;
        if transport == FlowTransport::Udp {
            self.udp.remove(&(local, remote));
        } else if self.streams.get(&(transport, remote)) == Some(&id) {
            self.streams.remove(&(transport, remote));
        }
        true
    }

    /// The flows of devices for which `ended` holds.
    pub(crate) fn of_devices(&self, ended: impl Fn(DeviceId) -> bool) -> Vec<FlowId> {
        let flows = self
            .open
            .values()
            .filter(|open| open.device().is_some_and(&ended));
        flows.map(|open| open.flow.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_strangers_pushes_no_phone_out() {
        let (mut flows, numbers) = (Flows::default(), FlowNumbers::from(u64::MAX - 3));
        let local: SocketAddr = "127.0.0.1:5060".parse().unwrap();
        let remote = |n: u32| SocketAddr::from((n.to_be_bytes(), 5060));
        let (phone, _) = flows.datagram(local, remote(0), &numbers, Duration::ZERO);
        flows.prove(phone.id, DeviceId::random().unwrap());
        let mut forgotten = 0;
        for n in 1..40_000 {
            let now = Duration::from_millis(u64::from(n));
            forgotten += flows.datagram(local, remote(n), &numbers, now).1.len();
        }
        assert!(forgotten > 20_000 && flows.udp.len() <= UDP_FLOWS_MAX);
        assert!(flows.get(phone.id).is_some());
        assert!(flows.get(FlowId(0)).is_none());
        assert_eq!(
            flows.datagram(local, remote(0), &numbers, Duration::MAX).0,
            phone
        );
    }
}
