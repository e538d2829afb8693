//! UDP sockets for media: an even port for RTP, the odd one above it for RTCP (RFC 3550 section 11).

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::UdpSocket;

use crate::reach::{OutOfReach, Reach, is_of_this_machine};

/// Pairs tried before giving up.
const ATTEMPTS_MAX: u32 = 64;

/// A UDP socket that sends only within reach.
#[derive(Debug)]
pub struct GuardedUdp {
    socket: UdpSocket,
    guard: Guard,
}

/// What is asked before each datagram.
#[derive(Debug, Clone, Copy)]
enum Guard {
    Reach(Reach),
    ThisMachine,
}

impl GuardedUdp {
    /// Binds; port 0 lets the system choose.
    ///
    /// # Errors
    /// When the address is taken or not ours.
    pub async fn bind(address: SocketAddr, reach: Reach) -> io::Result<Self> {
        Self::guarded(address, Guard::Reach(reach)).await
    }

    /// Binds a socket for a browser on this very machine, which sends to every address that the machine itself holds
    /// ([`is_of_this_machine`]): browsers hide their loopback addresses and come by those of other interfaces. For their
    /// sound alone; drill calls keep to [`Reach::LoopbackOnly`].
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub async fn bind_for_this_machine(address: SocketAddr) -> io::Result<Self> {
        Self::guarded(address, Guard::ThisMachine).await
    }

    async fn guarded(address: SocketAddr, guard: Guard) -> io::Result<Self> {
        let socket = UdpSocket::bind(address).await?;
        Ok(Self { socket, guard })
    }

    /// The address bound.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// `PermissionDenied` beyond reach, else what the system says.
    pub async fn send_to(&self, bytes: &[u8], target: SocketAddr) -> io::Result<usize> {
        self.check(target)?;
        self.socket.send_to(bytes, target).await
    }

    /// Sends one datagram, or drops it when the system's queue is full (`WouldBlock`): late audio
    /// is worth nothing.
    ///
    /// # Errors
    /// `PermissionDenied` beyond reach, else what the system says.
    pub fn try_send_to(&self, bytes: &[u8], target: SocketAddr) -> io::Result<usize> {
        self.check(target)?;
        self.socket.try_send_to(bytes, target)
    }

    /// Waits for one datagram.
    ///
    /// # Errors
    /// What the system says; an unreachable peer of an earlier send shows here.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.recv_from(buffer).await
    }

    fn check(&self, target: SocketAddr) -> io::Result<()> {
        let checked = match self.guard {
            Guard::Reach(reach) => reach.check(target),
            Guard::ThisMachine if is_of_this_machine(target.ip()) => Ok(()),
            Guard::ThisMachine => Err(OutOfReach),
        };
        checked.map_err(|refusal| io::Error::new(io::ErrorKind::PermissionDenied, refusal))
    }
}

/// The sockets of one media stream.
#[derive(Debug)]
pub struct RtpPair {
    /// Even port.
    pub rtp: GuardedUdp,
    /// The port above.
    pub rtcp: GuardedUdp,
}

impl RtpPair {
    /// Binds a pair on `ip`, on ports that the system chooses.
    ///
    /// # Errors
    /// When no pair of neighbouring ports was free in 64 attempts.
    pub async fn bind(ip: IpAddr, reach: Reach) -> io::Result<Self> {
        Self::guarded(ip, Guard::Reach(reach)).await
    }

    /// The same for ordinary calls, which browsers of this very machine may be at the other end of
    /// ([`GuardedUdp::bind_for_this_machine`]).
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub async fn bind_for_this_machine(ip: IpAddr) -> io::Result<Self> {
        Self::guarded(ip, Guard::ThisMachine).await
    }

    async fn guarded(ip: IpAddr, guard: Guard) -> io::Result<Self> {
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        // Kept until the end, so that the system does not offer the same odd port again.
        let mut unfit = Vec::new();
        for _ in 0..ATTEMPTS_MAX {
            let first = GuardedUdp::guarded(SocketAddr::new(ip, 0), guard).await?;
            let port = first.local_addr()?.port();
            let neighbour = if port % 2 == 0 { port + 1 } else { port - 1 };
            match GuardedUdp::guarded(SocketAddr::new(ip, neighbour), guard).await {
                Ok(second) if port % 2 == 0 => {
                    return Ok(Self {
                        rtp: first,
                        rtcp: second,
                    });
                }
                Ok(second) => {
                    return Ok(Self {
                        rtp: second,
                        rtcp: first,
                    });
                }
                Err(error) => last = error,
            }
            unfit.push(first);
        }
        Err(last)
    }

    /// The port for the SDP.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub fn port(&self) -> io::Result<u16> {
        Ok(self.rtp.local_addr()?.port())
    }
}
