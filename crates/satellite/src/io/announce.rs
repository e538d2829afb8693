//! A service told to this machine by multicast DNS, as long as it is held. Only loopback: whoever listens there is reached
//! from there alone, and nothing of ours goes further.
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket as Std};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ring::rand::{SecureRandom as _, SystemRandom};
use rustix::net::{AddressFamily, SocketType, bind, socket, sockopt};
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;

use crate::mdns::responder::PORT;
use crate::mdns::{Output, Responder, Service, To};

/// The group (RFC 6762 section 3).
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
/// Largest datagram that is looked at, in bytes.
const DATAGRAM_BYTES_MAX: usize = 9_000;

/// A service that is announced; dropped, it is taken back.
#[derive(Debug)]
pub struct Announcement {
    socket: Arc<UdpSocket>,
    goodbye: Arc<Mutex<Vec<u8>>>,
    serving: AbortHandle,
}

impl Drop for Announcement {
    fn drop(&mut self) {
        self.serving.abort();
        let goodbye = self.goodbye.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever does not hear it finds nobody there.
        let _ = self.socket.try_send_to(&goodbye, group());
    }
}

/// Announces a service that listens at this address; `service` without it.
///
/// # Errors
/// In words, where it does not listen on loopback or the socket cannot be had.
pub fn announce(mut service: Service, at: SocketAddr) -> Result<Announcement, String> {
    let IpAddr::V4(address) = at.ip() else {
        return Err("is not announced: multicast DNS is over IPv4 here".into());
    };
    if !address.is_loopback() {
        return Err("is not announced: this version tells nobody beyond this machine".into());
    }
    (service.address, service.port) = (address, at.port());
    let failed = |error: std::io::Error| format!("is not announced: multicast DNS: {error}");
    let socket = open(address).map_err(failed)?;
    let socket = Arc::new(UdpSocket::from_std(socket).map_err(failed)?);
    let mut seed = [0; 8];
    // Without randomness two begin at the same moment, and the later asks again.
    let _ = SystemRandom::new().fill(&mut seed);
    let responder = Responder::new(service, u64::from_be_bytes(seed), Duration::ZERO);
    let goodbye = Arc::new(Mutex::new(responder.goodbye()));
    let task = tokio::spawn(serve(responder, socket.clone(), goodbye.clone()));
    Ok(Announcement {
        socket,
        goodbye,
        serving: task.abort_handle(),
    })
}

fn open(interface: Ipv4Addr) -> std::io::Result<Std> {
    let socket = socket(AddressFamily::INET, SocketType::DGRAM, None)?;
    // Others on this machine announce as well.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    sockopt::set_socket_reuseport(&socket, true)?;
    sockopt::set_ip_multicast_if(&socket, &interface)?;
    // To the group alone: what other networks of this machine send to its addresses does not come here.
    bind(&socket, &SocketAddrV4::new(GROUP, PORT))?;
    let socket = Std::from(socket);
    socket.join_multicast_v4(&GROUP, &interface)?;
    socket.set_multicast_loop_v4(true)?;
    socket.set_multicast_ttl_v4(255)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn group() -> SocketAddr {
    SocketAddr::from((GROUP, PORT))
}

async fn serve(mut responder: Responder, socket: Arc<UdpSocket>, goodbye: Arc<Mutex<Vec<u8>>>) {
    let started = Instant::now();
    let mut datagram = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        let wait = loop {
            match responder.poll_output() {
                Output::Send(to, bytes) => {
                    let to = match to {
                        To::Everybody => group(),
                        To::One(peer) => peer,
                    };
                    // A lost datagram is asked for again.
                    let _ = socket.send_to(&bytes, to).await;
                }
                Output::Timeout(at) => break at,
            }
        };
        *goodbye.lock().unwrap_or_else(PoisonError::into_inner) = responder.goodbye();
        let wait = wait.map_or(Duration::from_secs(3_600), |at| {
            at.saturating_sub(started.elapsed())
        });
        tokio::select! {
            received = socket.recv_from(&mut datagram) => match received {
                // The kernel hands in what any network of this machine sends to the group.
                Ok((length, from)) if from.ip().is_loopback() => {
                    responder.handle_datagram(&datagram[..length], from, started.elapsed());
                }
                Ok(_) => {}
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            },
            () = tokio::time::sleep(wait) => responder.handle_timeout(started.elapsed()),
        }
    }
}
