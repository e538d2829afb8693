//! An address book on a server: its address, who asks, and the connection there.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hearthline_transport::Reach;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::CarddavError;
use super::multistatus::HREF_BYTES_MAX;
use crate::gateway::config::{ROOTS_BYTES_MAX, roots};
use crate::tls::provider;

const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// An address book on a server.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    /// By TLS.
    secure: bool,
    /// Host and port, as they were given.
    pub(super) host: String,
    address: SocketAddr,
    /// Path of the collection, with a slash at its end.
    pub(super) path: String,
    pub(super) authorization: String,
    /// Who vouches for a server by TLS.
    ca_file: Option<PathBuf>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({})", self.address)
    }
}

impl Server {
    /// Reads `http://127.0.0.1:5232/anna/contacts/`, or the same with `https`; `localhost` is this machine as well.
    ///
    /// # Errors
    /// [`CarddavError::Url`], [`CarddavError::Reach`].
    pub fn new(url: &str, user: &str, password: &str) -> Result<Self, CarddavError> {
        let (scheme, rest) = url.split_once("://").ok_or(CarddavError::Url)?;
        let secure = match scheme {
            "http" => false,
            "https" => true,
            _ => return Err(CarddavError::Url),
        };
        let (host, path) = rest.split_once('/').ok_or(CarddavError::Url)?;
        let address: SocketAddr = match host.strip_prefix("localhost:") {
            Some(port) => {
                let port: u16 = port.parse().map_err(|_| CarddavError::Url)?;
                (Ipv4Addr::LOCALHOST, port).into()
            }
            None => host.parse().map_err(|_| CarddavError::Url)?,
        };
        Reach::LoopbackOnly.check(address)?;
        let mut path = format!("/{path}");
        if !path.ends_with('/') {
            path.push('/');
        }
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"<>\"?#\\".contains(&byte);
        if path.len() > HREF_BYTES_MAX || !path.bytes().all(plain) {
            return Err(CarddavError::Url);
        }
        if user.contains(':') || user.len() + password.len() > 1_024 {
            return Err(CarddavError::Refused);
        }
        let authorization = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        Ok(Self {
            secure,
            host: host.to_owned(),
            address,
            path,
            authorization,
            ca_file: None,
        })
    }

    /// With the PEM file of the authority that vouches for it; without one no server is believed by TLS.
    #[must_use]
    pub fn with_ca_file(mut self, ca_file: Option<&Path>) -> Self {
        self.ca_file = ca_file.map(Path::to_owned);
        self
    }

    /// By which the book is known in the store; without user and password.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}{}", self.origin(), self.path)
    }

    /// `http://127.0.0.1:5232`.
    pub(super) fn origin(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.host)
    }

    /// A connection of its own.
    pub(super) async fn connect(&self) -> Result<SendRequest<String>, CarddavError> {
        let connecting = async {
            let stream = TcpStream::connect(self.address).await;
            let stream = stream.map_err(|error| unreachable(&error))?;
            if !self.secure {
                return spoken(stream).await;
            }
            let name = self.host.rsplit_once(':').map_or("", |(name, _)| name);
            let name = match name {
                "localhost" => ServerName::try_from("localhost").map_err(|_| CarddavError::Url)?,
                _ => ServerName::from(self.address.ip()),
            };
            let connector = TlsConnector::from(self.tls()?);
            let stream = connector.connect(name, stream).await;
            spoken(stream.map_err(|error| unreachable(&error))?).await
        };
        let connected = timeout(CONNECT_TIME_MAX, connecting).await;
        connected.map_err(|error| unreachable(&error))?
    }

    /// Read anew each time, so that a renewed authority needs no restart.
    fn tls(&self) -> Result<Arc<ClientConfig>, CarddavError> {
        let Some(path) = &self.ca_file else {
            let why = "who vouches for the server is not known";
            return Err(CarddavError::Roots(why.to_owned()));
        };
        let wrong =
            |why: &dyn std::fmt::Display| CarddavError::Roots(format!("{}: {why}", path.display()));
        let bytes = roots(path).map_err(|error| wrong(&error))?;
        if bytes.len() as u64 > ROOTS_BYTES_MAX {
            return Err(wrong(&"too many bytes"));
        }
        let mut store = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(&bytes) {
            let root = root.map_err(|error| wrong(&error))?;
            store.add(root).map_err(|error| wrong(&error))?;
        }
        if store.is_empty() {
            return Err(wrong(&"no certificate that reads"));
        }
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(&error))?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

fn unreachable(error: &dyn std::fmt::Display) -> CarddavError {
    CarddavError::Unreachable(error.to_string())
}

/// HTTP/1.1 on this stream.
async fn spoken<S>(stream: S) -> Result<SendRequest<String>, CarddavError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let made = handshake(TokioIo::new(stream)).await;
    let (sender, connection) = made.map_err(|error| unreachable(&error))?;
    // Ends with the sender.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
}
