//! Our address on the way to the hub: what the other devices of the home send their sound to.
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use hearthline_transport::Reach;

/// The address that the system would send from to `hub`. Nothing is sent. Without a hub, without a way to it, or where
/// the answer is none that we may use: 127.0.0.1.
pub(super) fn own_address(hub: Option<SocketAddr>) -> IpAddr {
    let route = |hub: SocketAddr| {
        Reach::LoopbackOnly.check(hub).ok()?;
        let any: IpAddr = match hub {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.connect(hub).ok()?;
        let own = socket.local_addr().ok()?;
        Reach::LoopbackOnly.check(own).ok()?;
        Some(own.ip())
    };
    hub.and_then(route).unwrap_or(Ipv4Addr::LOCALHOST.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_address_is_the_one_that_the_hub_sees() {
        let hub = |text: &str| own_address(Some(text.parse().unwrap()));
        assert_eq!(hub("127.0.0.1:5061"), Ipv4Addr::LOCALHOST);
        assert_eq!(own_address(None), Ipv4Addr::LOCALHOST);
        // Beyond our reach.
        assert_eq!(hub("192.0.2.1:5061"), Ipv4Addr::LOCALHOST);
    }
}
