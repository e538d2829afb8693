//! Who may connect: the addresses that the owner chose, and nobody else. Neither protocol is worth more than that in the
//! clear, so nothing is offered to a peer that was not named.
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most connections at once.
pub const CONNECTIONS_MAX: usize = 32;

/// A listening socket and its peers.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    peers: Vec<IpAddr>,
    places: Arc<Semaphore>,
}

/// A connection that may stay, and its place.
#[derive(Debug)]
pub struct Visitor {
    /// The connection.
    pub stream: TcpStream,
    /// Where it comes from.
    pub from: SocketAddr,
    /// Held as long as the connection lives.
    pub place: OwnedSemaphorePermit,
}

impl Door {
    /// Listens.
    ///
    /// # Errors
    /// Says which address cannot be listened at, and what to do.
    pub async fn open(address: SocketAddr, peers: Vec<IpAddr>) -> Result<Self, String> {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            format!("cannot listen at {address}: {error}; is it in use by another program?")
        })?;
        Ok(Self {
            listener,
            peers: peers.iter().map(IpAddr::to_canonical).collect(),
            places: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The next connection of a chosen peer. Others are closed before a byte is read or written.
    pub async fn next_visitor(&self) -> Visitor {
        loop {
            let Ok((stream, from)) = self.listener.accept().await else {
                // Out of descriptors, most likely: others must end first.
                tokio::time::sleep(core::time::Duration::from_millis(200)).await;
                continue;
            };
            if !self.peers.contains(&from.ip().to_canonical()) {
                tracing::info!("a peer that is not among the chosen ones was turned away");
                continue;
            }
            let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
                tracing::info!("more than {CONNECTIONS_MAX} connections: one was turned away");
                continue;
            };
            let _ = stream.set_nodelay(true);
            return Visitor {
                stream,
                from,
                place,
            };
        }
    }
}
