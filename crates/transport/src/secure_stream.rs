//! One TLS connection for a protocol that is not SIP: the same roots, identity and reach.
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::connection::ClientTls;
use crate::reach::Reach;
use crate::sockets::SendError;
use crate::tls::{self, Identity, Trust};

/// Connects to a server whose certificate the roots vouch for, and shows ours where it asks.
///
/// # Errors
/// Beyond reach, nobody there, or a handshake that failed.
pub async fn connect(
    server: SocketAddr,
    roots_pem: &[u8],
    identity: Option<Identity>,
    reach: Reach,
) -> Result<TlsStream<TcpStream>, SendError> {
    reach.check(server)?;
    let failed = |error: tls::TlsError| SendError::Tls(error.to_string());
    let tls = ClientTls {
        roots: tls::roots(roots_pem).map_err(failed)?,
        trust: Trust::Verified,
        identity: identity.map(Arc::new),
    };
    let (config, _) = tls::client(&tls).map_err(failed)?;
    let stream = TcpStream::connect(server)
        .await
        .map_err(|error| SendError::Io(error.kind()))?;
    let _ = stream.set_nodelay(true);
    TlsConnector::from(config)
        .connect(ServerName::IpAddress(server.ip().into()), stream)
        .await
        .map_err(|error| SendError::Tls(error.to_string()))
}
