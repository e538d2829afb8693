//! How a modem's line is set up.

use core::time::Duration;
use std::net::{IpAddr, SocketAddr};

use hearthline_emergency::numbers::Country;
use hearthline_sip::Method;
use hearthline_sip::endpoint::EndpointConfig;
use hearthline_sip::target::{Target, Transport};

/// An emergency call may ring for long, and nobody but its two sides ends it.
const RINGING_MAX: Duration = Duration::from_secs(3_600);

/// How a modem's line is set up. Start from [`ModemConfig::new`] and change what differs.
#[derive(Clone)]
pub struct ModemConfig {
    /// The SIP endpoint.
    pub endpoint: EndpointConfig,
    /// Where our media socket is; loopback.
    pub media_address: IpAddr,
    /// Its RTP port; RTCP is one above.
    pub media_port: u16,
    /// Where calls and texts that come in are sent: the hub's lines, or a speaker; `None`: calls are left to ring, texts
    /// are told as events.
    pub ring: Option<Target>,
    /// Whose emergency numbers a Request-URI such as `urn:service:sos` means.
    pub country: Country,
    /// Whether short messages are taken off the modem, once the home or whoever runs the line has them.
    pub take_texts: bool,
    /// Whether the sound is carried by commands instead of a device that the modem names.
    pub sound_by_command: bool,
    /// Unix time at `now == 0`, for RTCP; zero when unknown.
    pub unix_time_at_zero: Duration,
    /// How long a call that stands may wait for the first sound before it counts as refused: 2 s.
    pub sound_wait_max: Duration,
    /// How long ModemManager may take to answer: 20 s.
    pub answer_max: Duration,
}

impl ModemConfig {
    /// On these SIP addresses and this RTP port.
    #[must_use]
    pub fn new(seed: [u8; 32], local: Vec<(Transport, SocketAddr)>, media_port: u16) -> Self {
        let media_address = local
            .first()
            .map_or(IpAddr::from([127, 0, 0, 1]), |(_, address)| address.ip());
        let mut endpoint = EndpointConfig::new(seed, local);
        endpoint.user_agent = Some("hearth-modem".to_owned());
        endpoint.contact_user = Some("modem".to_owned());
        endpoint.ringing_max = RINGING_MAX;
        endpoint.end_on_session_expiry = false;
        // Texts of the home's (RFC 3428).
        endpoint.methods.push(Method::Message);
        // The home knows its line by its transport.
        endpoint.large_over_tcp = false;
        Self {
            endpoint,
            media_address,
            media_port,
            ring: None,
            country: Country::UnitedStates,
            take_texts: true,
            sound_by_command: false,
            unix_time_at_zero: Duration::ZERO,
            sound_wait_max: Duration::from_secs(2),
            answer_max: Duration::from_secs(20),
        }
    }
}
