//! How a call-taker is set up.

use core::time::Duration;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use hearthline_sip::endpoint::EndpointConfig;
use hearthline_sip::target::Transport;
use hearthline_webrtc::Keys;

use crate::behaviour::Behaviour;
use crate::voice::test_voice;

/// How a call-taker is set up. Start from [`CallTakerConfig::new`] and change what differs.
#[derive(Clone)]
pub struct CallTakerConfig {
    /// The SIP endpoint.
    pub endpoint: EndpointConfig,
    /// Where our media sockets are; loopback.
    pub media_address: IpAddr,
    /// RTP ports, one a call at a time; RTCP is one above each.
    pub media_ports: Vec<u16>,
    /// What is done with the first call, the second, and so on; the last one goes for all further calls.
    pub behaviours: Vec<Behaviour>,
    /// A person at the console may take each call for so long before the behaviour answers it; none: nobody is there.
    pub person_answers_within: Option<Duration>,
    /// What the caller hears when no person answers, 16 kHz, repeated.
    pub voice: Arc<[i16]>,
    /// By what callers who protect their sound (browsers) are answered; none: in the clear, or not at all.
    pub secure: Option<SecureSound>,
    /// Unix time at `now == 0`, for RTCP; zero when unknown.
    pub unix_time_at_zero: Duration,
    /// Calls remembered; the oldest ended ones are forgotten.
    pub calls_kept_max: usize,
    /// Outputs that may wait; the oldest is dropped beyond.
    pub outputs_max: usize,
}

/// What a protected call needs of us.
#[derive(Clone, Debug)]
pub struct SecureSound {
    /// Our key and its certificate.
    pub keys: Keys,
    /// The instant at which `now` is zero.
    pub origin: Instant,
}

impl CallTakerConfig {
    /// A well-behaved call-taker on these SIP and RTP ports.
    #[must_use]
    pub fn new(seed: [u8; 32], local: Vec<(Transport, SocketAddr)>, media_ports: Vec<u16>) -> Self {
        let media_address = local
            .first()
            .map_or(IpAddr::from([127, 0, 0, 1]), |(_, address)| address.ip());
        let mut endpoint = EndpointConfig::new(seed, local);
        endpoint.user_agent = Some("hearth-drill-psap".to_owned());
        endpoint.contact_user = Some("psap".to_owned());
        Self {
            endpoint,
            media_address,
            media_ports,
            behaviours: vec![Behaviour::default()],
            person_answers_within: None,
            voice: test_voice().into(),
            secure: None,
            unix_time_at_zero: Duration::ZERO,
            calls_kept_max: 256,
            outputs_max: 8_192,
        }
    }
}
