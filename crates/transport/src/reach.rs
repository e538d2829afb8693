//! How far this program may reach. Asked before every send and every connect.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// How far this program may reach.
///
/// A drill must not ring a real call-taker's phone, so the only value that can be made so far
/// keeps everything on this machine. A wider one needs what only a checked, human-confirmed
/// configuration can construct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reach {
    /// 127.0.0.0/8 and ::1.
    LoopbackOnly,
}

/// A refusal: the address lies beyond what this program may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not sent: the address is not on this machine, and this is a drill that stays on loopback")]
pub struct OutOfReach;

impl Reach {
    /// Whether `address` may be sent to.
    ///
    /// # Errors
    /// When it lies beyond.
    pub fn check(self, address: SocketAddr) -> Result<(), OutOfReach> {
        match self {
            Self::LoopbackOnly if is_loopback(address.ip()) => Ok(()),
            Self::LoopbackOnly => Err(OutOfReach),
        }
    }
}

/// Whether `ip` is an address that this very machine holds: loopback, or one of its interfaces' own. What is sent there
/// never leaves the kernel.
///
/// The kernel is asked by a connection without a packet: only for an address of the machine's own it would send from that
/// same address (a socket could also be bound to a broadcast address; one connects to none). Asked anew each time, since
/// addresses come and go. Link-local addresses of IPv6, which mean nothing without their interface, are none.
#[must_use]
pub fn is_of_this_machine(ip: IpAddr) -> bool {
    if is_loopback(ip) {
        return true;
    }
    if ip.is_multicast() || ip.is_unspecified() {
        return false;
    }
    let any: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let from = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((ip, DISCARD_PORT))?;
        socket.local_addr()
    });
    from.is_ok_and(|from| from.ip() == ip)
}

/// Any port will do: nothing is sent.
const DISCARD_PORT: u16 = 9;

fn is_loopback(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback(),
        // ::ffff:127.0.0.1 is the same place as 127.0.0.1.
        IpAddr::V6(ip) => {
            ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_within_reach() {
        let check = |text: &str| Reach::LoopbackOnly.check(text.parse().unwrap());
        for inside in [
            "127.0.0.1:5060",
            "127.255.0.9:1",
            "[::1]:5060",
            "[::ffff:127.0.0.1]:9",
        ] {
            assert_eq!(check(inside), Ok(()), "{inside}");
        }
        for outside in [
            "192.0.2.1:5060",
            "10.0.0.1:5060",
            "0.0.0.0:5060",
            "128.0.0.1:1",
            "255.255.255.255:5060",
            "224.0.0.1:5060",
            "[::]:5060",
            "[fe80::1]:5060",
            "[2001:db8::1]:5060",
            "[::ffff:192.0.2.1]:9",
        ] {
            assert_eq!(check(outside), Err(OutOfReach), "{outside}");
        }
    }

    /// The addresses that the machine running this test has, found by another way than the code's: the system's table.
    fn own_addresses() -> Vec<Ipv4Addr> {
        let table = std::fs::read_to_string("/proc/net/fib_trie").unwrap_or_default();
        let mut found = Vec::new();
        let mut last: Option<Ipv4Addr> = None;
        for line in table.lines().map(str::trim) {
            if let Some(address) = line.strip_prefix("|-- ") {
                last = address.parse().ok();
            } else if line == "/32 host LOCAL" {
                found.extend(last);
            }
        }
        found
    }

    #[test]
    fn the_addresses_of_this_machine_are_known_and_no_others() {
        let held = own_addresses();
        for ip in &held {
            assert!(is_of_this_machine((*ip).into()), "{ip}");
        }
        assert!(is_of_this_machine(Ipv4Addr::new(127, 3, 2, 1).into()));
        assert!(is_of_this_machine(Ipv6Addr::LOCALHOST.into()));
        for outside in [
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "8.8.8.8",
            "::",
            "ff02::1",
            "2001:db8::1",
            "::ffff:198.51.100.7",
        ] {
            assert!(!is_of_this_machine(outside.parse().unwrap()), "{outside}");
        }
        // Neighbours of its own addresses are others, and the broadcast address of their network is nobody's.
        for ip in held.iter().filter(|ip| !ip.is_loopback()) {
            let number = u32::from(*ip);
            for other in [number ^ 1, number | 0xff, number & !0xff] {
                let other = Ipv4Addr::from(other);
                if !held.contains(&other) {
                    assert!(!is_of_this_machine(other.into()), "{other}");
                }
            }
        }
    }
}
