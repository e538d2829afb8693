//! What a test does to a world and asks of it: plugs, faults, callers, the record.
use core::time::Duration;
use std::net::SocketAddr;

use hearthline_ledger::{
    AudioChunk, Bundle, BundleError, Entry, ExportRequest, IncidentId, PublicKey, StoredLog,
};
use hearthline_psap::{Behaviour, LostFault};
use hearthline_sip::endpoint::Transport;
use hearthline_speaker::device::Settings;

use super::{DEVICE_SIP, ORIGIN, World};
use crate::network::Arrival;
use crate::trace::TraceInput;

impl World {
    /// The call-taker of a line behaves so from the next call on.
    pub fn set_behaviours(&mut self, index: usize, behaviours: Vec<Behaviour>) {
        self.takers[index].core.set_behaviours(behaviours);
    }

    /// Pulls the plug of a line: what is sent there is refused or lost.
    pub fn unplug(&mut self, index: usize) {
        let taker = &mut self.takers[index];
        taker.plugged_in = false;
        let (sip, secure) = (
            taker.sip,
            SocketAddr::new(taker.sip.ip(), taker.sip.port() + 1),
        );
        self.network.unlisten(sip);
        self.network.unlisten(secure);
    }

    /// Puts the plug of a line back.
    pub fn plug_in(&mut self, index: usize) {
        let taker = &mut self.takers[index];
        taker.plugged_in = true;
        let (sip, secure) = (
            taker.sip,
            SocketAddr::new(taker.sip.ip(), taker.sip.port() + 1),
        );
        self.network.listen(Transport::Tcp, sip);
        self.network.listen(Transport::Tls, secure);
    }

    /// The line takes connections of these stream transports only.
    pub fn listen_only(&mut self, index: usize, transports: &[Transport]) {
        self.plug_in(index);
        let sip = self.takers[index].sip;
        for (transport, at) in [
            (Transport::Tcp, sip),
            (Transport::Tls, SocketAddr::new(sip.ip(), sip.port() + 1)),
        ] {
            if !transports.contains(&transport) {
                self.network.unlisten(at);
            }
        }
    }

    /// LoST fails so from now on.
    pub fn set_lost_fault(&mut self, fault: LostFault) {
        self.lost.set_fault(fault);
    }

    /// The disk takes entries from now on, or does not.
    pub fn set_disk_works(&mut self, works: bool) {
        self.disk_works = works;
    }

    /// The device's settings are changed while it runs.
    pub fn reconfigure(&mut self, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.device.settings();
        change(&mut settings);
        self.device.reconfigure(settings, self.now);
        self.drain();
    }

    /// SIP bytes from `from` reach the device by UDP.
    pub fn receive_sip(&mut self, from: SocketAddr, bytes: &[u8]) {
        let to: SocketAddr = DEVICE_SIP.parse().expect("an address");
        self.arrive(Arrival::Sip {
            transport: Transport::Udp,
            from,
            to,
            bytes: bytes.to_vec(),
        });
        self.drain();
    }

    /// The other caller calls the device.
    pub fn caller_calls(&mut self) {
        let to: SocketAddr = DEVICE_SIP.parse().expect("an address");
        self.caller.call(to, self.now);
        self.drain_caller();
    }

    /// The other caller hangs up.
    pub fn caller_hangs_up(&mut self) {
        self.caller.hang_up(self.now);
        self.drain_caller();
    }

    /// Hands an input to the device, as it is.
    pub fn feed(&mut self, input: TraceInput) {
        self.input(input);
    }

    /// Public key of the device's identity.
    #[must_use]
    pub fn identity(&self) -> PublicKey {
        self.identity
    }

    /// The entries of the log as the disk has it.
    ///
    /// # Panics
    /// When the log does not read.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let stored = StoredLog::read(&self.log, ORIGIN, self.identity).expect("our own log reads");
        stored
            .entries
            .iter()
            .map(|entry| Entry::from_line(entry.line).expect("our own entry reads"))
            .collect()
    }

    /// Incidents in the log, oldest first.
    #[must_use]
    pub fn incidents(&self) -> Vec<IncidentId> {
        let mut all: Vec<IncidentId> = self
            .entries()
            .into_iter()
            .filter_map(|entry| entry.incident)
            .collect();
        all.dedup();
        all
    }

    /// Exports an incident with the audio that was kept.
    ///
    /// # Errors
    /// [`BundleError`].
    pub fn export(&self, incident: &IncidentId) -> Result<Bundle, BundleError> {
        let audio: Vec<AudioChunk> = self
            .audio
            .iter()
            .filter(|(own, _)| own == incident)
            .map(|(_, chunk)| chunk.clone())
            .collect();
        let wall_ms = self.wall_ms_at_zero + u64::try_from(self.now.as_millis()).unwrap_or(0);
        let request = ExportRequest {
            incident,
            audio: &audio,
            cosigned: &[],
            exported_ms: Some(wall_ms),
        };
        self.device.recorder().log().export(&self.log, &request)
    }

    /// How many requests of this method the device sent to this port, retransmissions included.
    #[must_use]
    pub fn sent_to(&self, method: &str, line: usize) -> Vec<Duration> {
        let port = 5_100 + 10 * u16::try_from(line).expect("few lines");
        let found = self.sent_addresses.iter().filter(|(_, to, request)| {
            to.port() / 10 == port / 10
                && request
                    .strip_prefix(method)
                    .is_some_and(|rest| rest.starts_with(' '))
        });
        found.map(|(at, ..)| *at).collect()
    }

    /// When the first INVITE left.
    #[must_use]
    pub fn first_invite_at(&self) -> Option<Duration> {
        self.sent
            .iter()
            .find(|(_, request)| request.starts_with("INVITE "))
            .map(|(at, _)| *at)
    }
}
