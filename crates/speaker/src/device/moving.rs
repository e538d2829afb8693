//! The network changed under the device: everybody in it learns the new addresses.
use core::time::Duration;
use std::net::SocketAddr;

use hearthline_sip::endpoint::Transport;

use super::Device;

impl Device {
    pub(super) fn moved(
        &mut self,
        ports: &[SocketAddr],
        sip: Vec<(Transport, SocketAddr)>,
        rtp: SocketAddr,
        now: Duration,
    ) {
        let contact = sip.first().map(|(_, local)| *local);
        self.endpoint.moved(sip);
        self.telephone.moved(ports, &mut self.endpoint, now);
        let hub = self.telephone.hub();
        if let Some(contact) = contact {
            self.calling
                .moved(contact, rtp, hub, &mut self.endpoint, now);
        }
    }
}
