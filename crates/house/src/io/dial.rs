//! A connection to a system of the owner's: plain, or TLS with a certificate that the owner gave.
//!
//! Reach is asked like everywhere: this version goes no further than this machine, whatever the configuration says.
use std::net::SocketAddr;
use std::sync::Arc;

use hearthline_transport::{Reach, given};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::CONNECT_MAX;

/// What can be read and written.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Where to, and how.
#[derive(Clone)]
pub(super) struct Dial {
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
}

impl Dial {
    /// Plain where there are no certificates.
    ///
    /// # Errors
    /// Certificates that are none.
    pub(super) fn new(
        address: SocketAddr,
        certificates_pem: Option<&[u8]>,
    ) -> Result<Self, String> {
        let tls = certificates_pem.map(given::client_config).transpose()?;
        Ok(Self { address, tls })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connects.
    ///
    /// # Errors
    /// In words, without the address.
    pub(super) async fn connect(&self) -> Result<Box<dyn Stream>, String> {
        Reach::LoopbackOnly
            .check(self.address)
            .map_err(|error| error.to_string())?;
        let dialling = async {
            let stream =
                TcpStream::connect(self.address)
                    .await
                    .map_err(|error| match error.kind() {
                        std::io::ErrorKind::ConnectionRefused => "nobody answers there".to_owned(),
                        _ => error.to_string(),
                    })?;
            let _ = stream.set_nodelay(true);
            let stream: Box<dyn Stream> = match &self.tls {
                None => Box::new(stream),
                Some(config) => {
                    let name = ServerName::IpAddress(self.address.ip().into());
                    let tls = TlsConnector::from(Arc::clone(config)).connect(name, stream);
                    Box::new(
                        tls.await
                            .map_err(|error| format!("its certificate or TLS: {error}"))?,
                    )
                }
            };
            Ok(stream)
        };
        match timeout(CONNECT_MAX, dialling).await {
            Ok(connected) => connected,
            Err(_) => Err("it does not answer in time".to_owned()),
        }
    }
}
