//! Whose sound comes where.
use std::net::{Ipv4Addr, SocketAddr};

/// Whose port for sound this is.
pub(super) enum Port {
    Call(usize),
    Emergency(usize, bool),
    Taker,
    Nobody,
}

/// Room n has 20,100 + 100 n for calls and 40,000 + 10 n for the emergency call.
pub(super) fn port_of(to: SocketAddr) -> Port {
    match to.port() {
        port @ 20_100..30_000 => Port::Call(usize::from((port - 20_100) / 100)),
        port @ 40_000..41_000 => Port::Emergency(usize::from((port - 40_000) / 10), port % 2 == 1),
        41_000..42_000 => Port::Taker,
        _ => Port::Nobody,
    }
}

/// The ports for calls of a room.
pub(super) fn call_ports(room: usize, address: Ipv4Addr) -> Vec<SocketAddr> {
    let first = 20_100 + 100 * u16::try_from(room).expect("few rooms");
    let port = |call: u16| SocketAddr::from((address, first + 2 * call));
    (0..4).map(port).collect()
}

pub(super) fn emergency_port(index: usize, address: Ipv4Addr, after: u16) -> SocketAddr {
    let port = 40_000 + 10 * u16::try_from(index).expect("few rooms") + after;
    SocketAddr::from((address, port))
}
