//! How a run is set up: the network, the lines and who answers on them, what is broken.
use hearthline_emergency::call::Transport as LineTransport;
use hearthline_emergency::line::{AddressAs, LineBody, LineCredentials};
use hearthline_psap::{Behaviour, LostFault};
use hearthline_speaker::policy::Mode;

use super::WALL_MS_AT_ZERO;
use crate::network::Faults;

/// How a run is set up.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Seed of everything random.
    pub seed: u8,
    /// What the network does.
    pub faults: Faults,
    /// One call-taker a line, each with its behaviours.
    pub lines: Vec<Vec<Behaviour>>,
    /// Lines with nobody at their address.
    pub dead_lines: usize,
    /// What is wrong with LoST.
    pub lost: LostFault,
    /// How calls are announced.
    pub mode: Mode,
    /// Whether the disk takes entries.
    pub disk_works: bool,
    /// Transports of each line.
    pub transports: Vec<LineTransport>,
    /// How each line is addressed.
    pub address_as: AddressAs,
    /// What each line carries.
    pub body: LineBody,
    /// What the first line lets the device in with.
    pub credentials: Option<LineCredentials>,
    /// What a fault in the middle does to SIP bytes from the call-takers.
    pub meddle: Option<fn(Vec<u8>) -> Vec<u8>>,
    /// The log that an earlier run left on the disk.
    pub stored_log: Vec<u8>,
    /// The LoST cache that an earlier run left.
    pub stored_lost_cache: Option<Vec<u8>>,
    /// Counts the starts of the device: randomness of one run is never that of another.
    pub start: u8,
    /// What the wall clock says when the run begins.
    pub wall_ms_at_zero: u64,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            seed: 1,
            faults: Faults::default(),
            lines: vec![vec![Behaviour::default()]],
            dead_lines: 0,
            lost: LostFault::None,
            mode: Mode::default(),
            disk_works: true,
            transports: vec![LineTransport::Tls, LineTransport::Tcp, LineTransport::Udp],
            address_as: AddressAs::Service,
            body: LineBody::Full,
            credentials: None,
            meddle: None,
            stored_log: Vec::new(),
            stored_lost_cache: None,
            start: 0,
            wall_ms_at_zero: WALL_MS_AT_ZERO,
        }
    }
}
