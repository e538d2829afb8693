//! How far this program may reach. Asked before every send and every connect.

use std::net::{IpAddr, SocketAddr};

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
}
