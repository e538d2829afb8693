//! The sockets of the lines: SIP of emergency calls by our own lines, and the sound of every emergency call.
use std::net::{IpAddr, SocketAddr};

use hearthline_sip::endpoint::Transport;
use hearthline_transport::{Reach, RtpPair, Sockets, SocketsConfig, Trust};

/// What is bound for lines on one address of ours.
#[derive(Debug)]
pub(super) struct LineWires {
    pub(super) sockets: Sockets,
    pub(super) rtp: RtpPair,
    pub(super) udp: SocketAddr,
    pub(super) tcp: SocketAddr,
    pub(super) rtp_local: SocketAddr,
}

impl LineWires {
    /// Binds on `own`. `roots_pem`: whose certificates are taken; without any, every certificate is.
    ///
    /// # Errors
    /// In words.
    pub(super) async fn bind(own: IpAddr, roots_pem: Option<&[u8]>) -> Result<Self, String> {
        let any = SocketAddr::new(own, 0);
        let mut config = SocketsConfig::new(Reach::LoopbackOnly);
        config.udp = vec![any];
        config.tcp = vec![any];
        match roots_pem {
            Some(roots) => config.roots_pem = roots.to_vec(),
            None => config.trust = Trust::Any,
        }
        let sockets = Sockets::bind(config)
            .await
            .map_err(|error| format!("SIP sockets: {error}"))?;
        let sound = |error: std::io::Error| format!("RTP sockets: {error}");
        let rtp = RtpPair::bind(own, Reach::LoopbackOnly)
            .await
            .map_err(sound)?;
        let rtp_local = SocketAddr::new(own, rtp.port().map_err(sound)?);
        Ok(Self {
            udp: sockets.local(Transport::Udp).unwrap_or(any),
            tcp: sockets.local(Transport::Tcp).unwrap_or(any),
            sockets,
            rtp,
            rtp_local,
        })
    }

    /// As the device is told them.
    pub(super) fn sip_local(&self) -> Vec<(Transport, SocketAddr)> {
        vec![
            (Transport::Udp, self.udp),
            (Transport::Tcp, self.tcp),
            (Transport::Tls, self.tcp),
        ]
    }
}
