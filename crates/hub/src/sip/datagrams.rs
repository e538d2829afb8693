//! The sockets of UDP, read and written where their messages are handled.

use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hearthline_transport::Reach;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;

use super::switchboard::News;

const DATAGRAM_BYTES: usize = 65_535;
/// Datagrams that are nobody's, and errors, in a row, before others have their turn.
const SKIPPED_MAX: usize = 32;

/// A socket that wakes its task only when something can be read. Tokio's own asks to be woken for room to write as
/// well, and on loopback the system says so each time the peer has read a datagram: half as many wake-ups again.
pub(crate) struct DatagramSocket {
    local: SocketAddr,
    socket: AsyncFd<UdpSocket>,
}

impl DatagramSocket {
    /// Binds; port 0 takes a free one.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        let local = socket.local_addr()?;
        // Deprecated for owners whose descriptor changes; its successor is unsafe. Our owner is the standard library's.
        #[allow(deprecated, reason = "the only safe way to be woken for reading alone")]
        let socket = AsyncFd::with_interest(socket, Interest::READABLE)?;
        Ok(Self { local, socket })
    }

    /// Where it is bound.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Whether a datagram is on its way. One for which the system has no room is lost like others, and repeated.
    pub(crate) fn send_to(&self, bytes: &[u8], remote: SocketAddr) -> bool {
        match self.socket.get_ref().send_to(bytes, remote) {
            Ok(_) => true,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }

    fn poll_receive(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        loop {
            let mut ready = ready!(self.socket.poll_read_ready(context))?;
            let received = ready.try_io(|socket| socket.get_ref().recv_from(buffer));
            // Otherwise there was nothing after all.
            if let Ok(received) = received {
                return Poll::Ready(received);
            }
        }
    }
}

/// What the switchboard hears next.
#[allow(clippy::large_enum_variant)] // handed on at once, never kept
pub(crate) enum Heard<'a> {
    News(News),
    Datagram {
        local: SocketAddr,
        remote: SocketAddr,
        bytes: &'a [u8],
    },
    /// Nobody is left who could bring news.
    Nothing,
}

/// The datagrams of all sockets, read where they are handled.
pub(crate) struct Datagrams {
    sockets: Vec<Arc<DatagramSocket>>,
    buffer: Vec<u8>,
    /// Who is asked first: datagrams and news take turns, so that a flood of one does not silence the other.
    news_first: bool,
}

impl Datagrams {
    pub(crate) fn of(sockets: &[Arc<DatagramSocket>]) -> Self {
        Self {
            sockets: sockets.to_vec(),
            buffer: vec![0; DATAGRAM_BYTES],
            news_first: true,
        }
    }

    /// The next datagram, or the next news. Nothing is lost when the answer is not waited for.
    pub(crate) async fn or(&mut self, news: &mut mpsc::Receiver<News>) -> Heard<'_> {
        self.news_first = !self.news_first;
        let heard = poll_fn(|context| {
            if self.news_first
                && let Poll::Ready(heard) = news.poll_recv(context)
            {
                return Poll::Ready(Ok(heard));
            }
            for at in 0..self.sockets.len() {
                if let Poll::Ready(received) = self.poll_socket(at, context) {
                    return Poll::Ready(Err(received));
                }
            }
            if self.news_first {
                return Poll::Pending;
            }
            news.poll_recv(context).map(Ok)
        });
        match heard.await {
            Ok(Some(heard)) => Heard::News(heard),
            Ok(None) => Heard::Nothing,
            Err((local, remote, count)) => Heard::Datagram {
                local,
                remote,
                bytes: &self.buffer[..count],
            },
        }
    }

    fn poll_socket(
        &mut self,
        at: usize,
        context: &mut Context<'_>,
    ) -> Poll<(SocketAddr, SocketAddr, usize)> {
        let socket = &self.sockets[at];
        for _ in 0..SKIPPED_MAX {
            match socket.poll_receive(context, &mut self.buffer) {
                Poll::Ready(Ok((count, remote))) if Reach::LoopbackOnly.check(remote).is_ok() => {
                    return Poll::Ready((socket.local(), remote, count));
                }
                // From beyond; or an earlier datagram found nobody, and which one is not said.
                Poll::Ready(_) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
