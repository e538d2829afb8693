//! A browser's side of SIP over WebSocket: handshake, masked frames, `.invalid` names (RFC 7118 section 5).

use std::net::SocketAddr;

use hearthline_hub::join::Membership;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{Home, Wire, client};

/// What a browser calls itself.
const NAME: &str = "df7jal23ls0d.invalid";

pub struct Socket {
    pub stream: TlsStream<TcpStream>,
    pub local: SocketAddr,
    buffer: Vec<u8>,
}

/// A client that trusts the home and shows no certificate.
fn anonymous(home: &Home) -> Arc<ClientConfig> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    let text = std::fs::read_to_string(home.folder.path().join("authority.pem")).unwrap();
    let start = text.find("-----BEGIN CERTIFICATE").unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(&text.as_bytes()[start..]).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// Connects and asks to upgrade; headers with the same name replace the usual ones, empty ones leave them out.
/// `None`: the hub does not want the connection at all.
pub async fn open(
    home: &Home,
    own: Option<&Membership>,
    headers: &[(&str, &str)],
) -> Option<(u16, Socket)> {
    let config = own.map_or_else(|| anonymous(home), client);
    open_on(home.hub.addresses()[0], config, headers).await
}

/// The same at a hub that is somebody else's.
pub async fn open_on(
    hub: SocketAddr,
    config: Arc<ClientConfig>,
    headers: &[(&str, &str)],
) -> Option<(u16, Socket)> {
    let stream = TcpStream::connect(hub).await.ok()?;
    let local = stream.local_addr().unwrap();
    let name = ServerName::IpAddress(hub.ip().into());
    let stream = TlsConnector::from(config)
        .connect(name, stream)
        .await
        .ok()?;
    let mut socket = Socket {
        stream,
        local,
        buffer: Vec::new(),
    };
    let host = hub.to_string();
    let usual = [
        ("host", host.as_str()),
        ("upgrade", "websocket"),
        ("connection", "keep-alive, Upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-protocol", "other, sip"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let mut text = String::from("GET /sip HTTP/1.1\r\n");
    let kept = usual
        .iter()
        .filter(|(name, _)| headers.iter().all(|(own, _)| own != name));
    for (name, value) in kept.chain(headers) {
        if !value.is_empty() {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    text.push_str("\r\n");
    socket.stream.write_all(text.as_bytes()).await.ok()?;
    let head = loop {
        if let Some(end) = socket
            .buffer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
        {
            break socket.buffer.drain(..end + 4).collect::<Vec<u8>>();
        }
        if !socket.more().await {
            return None;
        }
    };
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let status = head[9..12].parse().unwrap();
    if status == 101 {
        assert!(
            head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="),
            "{head}"
        );
        assert!(head.contains("sec-websocket-protocol: sip"), "{head}");
    }
    Some((status, socket))
}

/// A client's frame: whole, masked.
pub fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80 | opcode];
    match payload.len() {
        short @ 0..=125 => bytes.push(0x80 | u8::try_from(short).unwrap()),
        medium @ 126..=0xFFFF => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(medium).unwrap().to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    let mask = [7, 77, 177, 17];
    bytes.extend(mask);
    bytes.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    bytes
}

impl Socket {
    async fn more(&mut self) -> bool {
        let mut buffer = [0; 16_384];
        match self.stream.read(&mut buffer).await {
            Ok(count @ 1..) => {
                self.buffer.extend(&buffer[..count]);
                true
            }
            _ => false,
        }
    }

    pub async fn send(&mut self, opcode: u8, payload: &[u8]) -> bool {
        self.stream.write_all(&frame(opcode, payload)).await.is_ok()
    }

    fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let (first, second) = (*self.buffer.first()?, *self.buffer.get(1)?);
        assert_eq!(second & 0x80, 0, "a server masks nothing");
        let (length, head) = match second {
            126 => (
                usize::from(u16::from_be_bytes([
                    *self.buffer.get(2)?,
                    *self.buffer.get(3)?,
                ])),
                4,
            ),
            127 => panic!("nothing so long is sent here"),
            short => (usize::from(short), 2),
        };
        let payload = self.buffer.get(head..head + length)?.to_vec();
        self.buffer.drain(..head + length);
        Some((first & 0x0F, payload))
    }

    /// The next frame; `None`: the hub closed the connection.
    pub async fn receive(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some(frame) = self.next() {
                return Some(frame);
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// The status of the Close frame that ends this connection.
    pub async fn closed(&mut self) -> Option<u16> {
        let waiting = async {
            loop {
                match self.receive().await? {
                    (8, payload) => break Some(u16::from_be_bytes([payload[0], payload[1]])),
                    _ => continue,
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), waiting)
            .await
            .expect("closed in time")
    }
}

/// Carries a phone's messages, its name written as a browser does, which knows neither its address nor its port.
pub(super) async fn messages(mut socket: Socket, mut wire: Wire) {
    let local = socket.local;
    let names = [
        (
            format!("SIP/2.0/TLS {local}"),
            format!("SIP/2.0/WSS {NAME}"),
        ),
        (
            format!("@{local};transport=tls"),
            format!("@{NAME};transport=ws"),
        ),
    ];
    loop {
        tokio::select! {
            sent = wire.outgoing.recv() => match sent {
                Some(bytes) => {
                    let mut text = String::from_utf8(bytes).unwrap();
                    for (own, web) in &names {
                        text = text.replace(own, web);
                    }
                    assert!(!text.contains(&local.to_string()), "{text}");
                    if !socket.send(1, text.as_bytes()).await {
                        return;
                    }
                }
                None => return,
            },
            received = socket.receive() => match received {
                Some((1, payload)) => {
                    let mut text = String::from_utf8(payload).unwrap();
                    for (own, web) in &names {
                        text = text.replace(web, own);
                    }
                    let _ = wire.arriving.send(text.into_bytes());
                }
                Some((9, payload)) => {
                    socket.send(10, &payload).await;
                }
                Some(_) => {}
                None => return,
            }
        }
    }
}
