//! How the mailbox answers.

use core::time::Duration;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Longest recording: what a voice message may last.
pub const RECORDING_MAX: Duration = Duration::from_secs(120);
/// Longest greeting.
pub const GREETING_MAX: Duration = Duration::from_secs(60);
/// So much silence after the tone ends the call.
pub const SILENCE_MAX: Duration = Duration::from_secs(8);
/// Less speech than this is no message: somebody who hung up at the tone.
pub const SPOKEN_MIN: Duration = Duration::from_millis(400);
/// Callers at once.
pub const VISITS_MAX: usize = 4;

/// How the mailbox answers.
#[derive(Clone, Debug)]
pub struct MailboxConfig {
    /// Where it listens for SIP (UDP, a free port) and takes media. Only loopback.
    pub address: IpAddr,
    /// What callers hear before the tone: 16 kHz, mono; cut at [`GREETING_MAX`].
    pub greeting: Arc<[i16]>,
    /// Longest recording, at most [`RECORDING_MAX`].
    pub recording_max: Duration,
    /// So much silence after the tone ends the call.
    pub silence_max: Duration,
    /// Callers at once, at most [`VISITS_MAX`].
    pub visits_max: usize,
}

impl Default for MailboxConfig {
    fn default() -> Self {
        Self {
            address: Ipv4Addr::LOCALHOST.into(),
            greeting: Arc::new([]),
            recording_max: RECORDING_MAX,
            silence_max: SILENCE_MAX,
            visits_max: VISITS_MAX,
        }
    }
}
