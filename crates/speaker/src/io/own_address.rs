//! Our address on the way to the hub: what the other devices of the home send their sound to. It changes when the network
//! does, and is looked at every few seconds, and at once when something could not be sent.
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hearthline_transport::Reach;
use tokio::sync::Notify;

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// Not more often than this, however much fails.
const LOOK_PAUSE: Duration = Duration::from_millis(200);

/// The address that the system would send from to `hub`. Nothing is sent. `None`: no way there, or none that we may use.
fn route(hub: SocketAddr) -> Option<IpAddr> {
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
}

/// Our address on the way to `hub`; without a hub or a way there 127.0.0.1.
pub(super) fn own_address(hub: Option<SocketAddr>) -> IpAddr {
    hub.and_then(route).unwrap_or(Ipv4Addr::LOCALHOST.into())
}

/// Whether an address is one of this machine's now.
fn is_held(own: IpAddr) -> bool {
    UdpSocket::bind((own, 0)).is_ok()
}

/// What the device knows that bears on its address.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    doubt: Notify,
    stays: AtomicBool,
}

impl Doubts {
    /// Something could not be sent, or the connection to the hub broke: look now.
    pub(super) fn raise(&self) {
        self.doubt.notify_one();
    }

    /// Stay as long as the address exists: a call for help stands on it, and a better way is no reason to touch it.
    pub(super) fn stay(&self, stays: bool) {
        self.stays.store(stays, Ordering::Relaxed);
    }

    /// Waits until our address on the way to `hub` is no longer `at`, and gives the new one. While there is no way at all
    /// we stay where we are.
    pub(super) async fn changed(&self, hub: SocketAddr, at: IpAddr) -> IpAddr {
        loop {
            tokio::time::sleep(LOOK_PAUSE).await;
            if let Some(own) = route(hub)
                && own != at
                && !(self.stays.load(Ordering::Relaxed) && is_held(at))
            {
                return own;
            }
            // In time or in doubt.
            let _ = tokio::time::timeout(LOOK_EVERY, self.doubt.notified()).await;
        }
    }
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

    #[tokio::test(start_paused = true)]
    async fn another_address_is_found_and_a_call_for_help_stays_where_it_can() {
        let (hub, doubts) = ("127.0.0.1:5061".parse().unwrap(), Doubts::default());
        let here: IpAddr = Ipv4Addr::LOCALHOST.into();
        let elsewhere: IpAddr = "127.9.9.9".parse().unwrap();
        let gone: IpAddr = "192.0.2.7".parse().unwrap();
        assert_eq!(doubts.changed(hub, elsewhere).await, here);
        let within = Duration::from_secs(60);
        assert!(
            tokio::time::timeout(within, doubts.changed(hub, here))
                .await
                .is_err(),
            "nothing changed"
        );
        doubts.stay(true);
        assert!(
            tokio::time::timeout(within, doubts.changed(hub, elsewhere))
                .await
                .is_err(),
            "it is still ours"
        );
        assert_eq!(doubts.changed(hub, gone).await, here);
    }
}
