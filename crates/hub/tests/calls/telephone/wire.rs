//! A telephone's way to the hub: UDP, TCP, or TLS with the device's certificate.
use std::net::SocketAddr;
use std::sync::Arc;

use hearthline_hub::join::Membership;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;

pub fn client(own: &Membership) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(own.ca_pem.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![CertificateDer::from_pem_slice(own.certificate_pem.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(own.key_pem.as_bytes()).unwrap(),
        )
        .unwrap();
    Arc::new(config)
}

/// A connection with the device's certificate; `None`: the hub does not want it.
pub(super) async fn secure(
    hub: SocketAddr,
    own: &Membership,
) -> Option<(SocketAddr, tokio_rustls::client::TlsStream<TcpStream>)> {
    let stream = TcpStream::connect(hub).await.ok()?;
    stream.set_nodelay(true).unwrap();
    let local = stream.local_addr().unwrap();
    let name = ServerName::IpAddress(hub.ip().into());
    let mut stream = TlsConnector::from(client(own))
        .connect(name, stream)
        .await
        .ok()?;
    // With TLS 1.3 a refusal comes after the handshake: a ping is answered by whoever is wanted.
    stream.write_all(b"\r\n\r\n").await.ok()?;
    let mut pong = [0; 2];
    stream.read_exact(&mut pong).await.ok()?;
    Some((local, stream))
}

pub(super) struct Wire {
    pub(super) outgoing: mpsc::UnboundedReceiver<Vec<u8>>,
    pub(super) arriving: mpsc::UnboundedSender<Vec<u8>>,
    pub(super) hub: SocketAddr,
}

/// With these rows in every message.
pub(super) async fn datagrams(socket: UdpSocket, mut wire: Wire, rows: &'static str) {
    let mut buffer = vec![0; 65_535];
    loop {
        tokio::select! {
            sent = wire.outgoing.recv() => match sent {
                Some(mut bytes) => {
                    let line = bytes.windows(2).position(|two| two == b"\r\n");
                    if let Some(end) = line {
                        bytes.splice(end + 2..end + 2, rows.bytes());
                    }
                    let _ = socket.send_to(&bytes, wire.hub).await;
                }
                None => return,
            },
            received = socket.recv_from(&mut buffer) => {
                if let Ok((count, _)) = received {
                    let _ = wire.arriving.send(buffer[..count].to_vec());
                }
            }
        }
    }
}

pub(super) async fn bytes<S: AsyncRead + AsyncWrite>(stream: S, mut wire: Wire) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut buffer = vec![0; 16_384];
    loop {
        tokio::select! {
            sent = wire.outgoing.recv() => match sent {
                Some(bytes) => if writer.write_all(&bytes).await.is_err() { return },
                None => return,
            },
            received = reader.read(&mut buffer) => match received {
                Ok(count @ 1..) => { let _ = wire.arriving.send(buffer[..count].to_vec()); }
                _ => return,
            }
        }
    }
}
