//! What a bridge wants done, and what it has done.
use core::time::Duration;
use std::net::SocketAddr;

/// What it wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BridgeOutput {
    /// Send from the browser's socket.
    ToBrowser {
        /// Where to.
        to: SocketAddr,
        /// What.
        bytes: Vec<u8>,
    },
    /// Send from the far side's RTP socket.
    Rtp {
        /// Where to.
        to: SocketAddr,
        /// What.
        bytes: Vec<u8>,
    },
    /// Send from the far side's RTCP socket.
    Rtcp {
        /// Where to.
        to: SocketAddr,
        /// What.
        bytes: Vec<u8>,
    },
    /// Nothing more now; call `handle_timeout` at this time, or never (over).
    Timeout(Option<Duration>),
}

/// Packets that went each way, and those that nobody was there for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BridgeStatistics {
    /// RTP from the browser to the far side.
    pub to_far: u64,
    /// RTP from the far side to the browser.
    pub to_browser: u64,
    /// RTP that was not sent: the other side is not there yet, or not to be sent to.
    pub dropped: u64,
}
