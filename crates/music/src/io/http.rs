//! One GET over HTTP/1.0, within reach only, plain or over TLS: for radio and for servers of music. Blocking, for threads of
//! their own.
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use hearthline_transport::Reach;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::stream::{self, Head};

/// How long a connection may take.
const CONNECT_MAX: Duration = Duration::from_millis(1_500);
/// How long nothing may come.
const SILENCE_MAX: Duration = Duration::from_secs(5);
/// Most addresses that send us on.
const REDIRECTS_MAX: usize = 5;

/// An answer whose body is to be read.
pub(super) struct Answer {
    pub(super) head: Head,
    /// Where it was in the end.
    pub(super) url: String,
    ahead: Vec<u8>,
    stream: Box<dyn Stream>,
}

/// What can be read and written.
trait Stream: Read + Write + Send {}
impl<S: Read + Write + Send> Stream for S {}

/// The certificates that servers over TLS are known by; none: there is no way to them.
pub(super) type Certificates = Option<Arc<ClientConfig>>;

impl Read for Answer {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.ahead.is_empty() {
            return match read(&mut *self.stream, buffer) {
                // Stations hang up as they like: what HTTP/1.0 ends so may end without TLS's own word.
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(0),
                read => read,
            };
        }
        let count = self.ahead.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.ahead[..count]);
        self.ahead.drain(..count);
        Ok(count)
    }
}

/// One read; a machine that slept in it (EINTR, where a timeout is set: signal(7)) reads on.
fn read(stream: &mut dyn Stream, buffer: &mut [u8]) -> std::io::Result<usize> {
    loop {
        match stream.read(buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// Asks for it, and again where it is said to be instead. The words are for the speaker to say.
pub(super) fn get(url: &str, titles: bool, tls: &Certificates) -> Result<Answer, String> {
    let mut url = url.to_owned();
    for _ in 0..=REDIRECTS_MAX {
        let answer = ask(&url, titles, tls)?;
        match (answer.head.status, &answer.head.location) {
            (200, _) if answer.head.chunked => {
                return Err("its server sends it in pieces that I can't put together".into());
            }
            (200, _) => return Ok(answer),
            (301 | 302 | 303 | 307 | 308, Some(location)) => {
                if url.starts_with("https://") && location.starts_with("http://") {
                    return Err("its server sends me on without encryption".into());
                }
                url = if location.starts_with('/') {
                    let begin = url.find("://").map_or(0, |at| at + 3);
                    let end = url[begin..].find('/').map_or(url.len(), |at| begin + at);
                    format!("{}{location}", &url[..end])
                } else {
                    location.clone()
                };
            }
            (401 | 403, _) => return Err("its server does not let us in".into()),
            (404 | 410, _) => return Err("its server no longer has it".into()),
            (status, _) => return Err(format!("its server answers with {status}")),
        }
    }
    Err("its server sends me from one address to the next".into())
}

fn ask(url: &str, titles: bool, tls: &Certificates) -> Result<Answer, String> {
    let (rest, tls, port) = match (
        url.strip_prefix("http://"),
        url.strip_prefix("https://"),
        tls,
    ) {
        (Some(rest), ..) => (rest, None, 80),
        (None, Some(rest), Some(tls)) => (rest, Some(tls), 443),
        (None, Some(_), None) => {
            let why = "its address is encrypted (https), and no certificate is set up for it";
            return Err(why.into());
        }
        (None, None, _) => return Err("its address is none of the web".into()),
    };
    let (authority, path) = match rest.find(['/', '?']) {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let path = if path.starts_with('?') {
        format!("/{path}")
    } else {
        path.to_owned()
    };
    if path.chars().any(|c| c.is_control() || c == ' ') || authority.contains('@') {
        return Err("its address is none of the web".into());
    }
    let with_port = match authority.rsplit_once(':') {
        Some((_, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => authority.to_owned(),
        _ => format!("{authority}:{port}"),
    };
    let address = with_port
        .to_socket_addrs()
        .map_err(|_| "its server has no address".to_owned())?
        .find(|address| Reach::LoopbackOnly.check(*address).is_ok())
        .ok_or("its server is beyond this machine, where this version stays")?;
    let stream =
        TcpStream::connect_timeout(&address, CONNECT_MAX).map_err(|error| spoken(&error))?;
    let set = stream
        .set_read_timeout(Some(SILENCE_MAX))
        .and_then(|()| stream.set_write_timeout(Some(CONNECT_MAX)));
    set.map_err(|error| spoken(&error))?;
    let mut stream: Box<dyn Stream> = match tls {
        None => Box::new(stream),
        Some(config) => Box::new(protected(stream, authority, Arc::clone(config))?),
    };
    let wants = if titles { "Icy-MetaData: 1\r\n" } else { "" };
    let request = format!(
        "GET {path} HTTP/1.0\r\nHost: {authority}\r\nUser-Agent: hearthline\r\nAccept: */*\r\n{wants}Connection: close\r\n\r\n"
    );
    stream
        .write_all(request.as_bytes())
        .map_err(|error| spoken(&error))?;
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 2_048];
        let count = read(&mut *stream, &mut chunk).map_err(|error| spoken(&error))?;
        bytes.extend_from_slice(&chunk[..count]);
        match stream::head(&bytes) {
            Ok(Some((head, length))) => {
                bytes.drain(..length);
                let url = url.to_owned();
                return Ok(Answer {
                    head,
                    url,
                    ahead: bytes,
                    stream,
                });
            }
            Ok(None) if count > 0 => {}
            Ok(None) => return Err("its server hangs up".into()),
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// TLS over a connection to this host, its certificate checked.
fn protected(
    mut stream: TcpStream,
    authority: &str,
    config: Arc<ClientConfig>,
) -> Result<StreamOwned<ClientConnection, TcpStream>, String> {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    };
    let name = ServerName::try_from(host.unwrap_or_default().to_owned())
        .map_err(|_| "its address is none of the web".to_owned())?;
    let mut session =
        ClientConnection::new(config, name).map_err(|_| "TLS does not begin".to_owned())?;
    while session.is_handshaking() {
        session
            .complete_io(&mut stream)
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::InvalidData => {
                    "its server does not show the certificate that is set up for it".to_owned()
                }
                _ => spoken(&error),
            })?;
    }
    Ok(StreamOwned::new(session, stream))
}

/// A whole body up to a size.
pub(super) fn body(answer: Answer, bytes_max: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let limit = bytes_max as u64 + 1;
    answer
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| spoken(&error))?;
    if bytes.len() > bytes_max {
        return Err("its server sends more than anybody asked for".into());
    }
    Ok(bytes)
}

/// A fault of the network as it is said.
pub(super) fn spoken(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::ConnectionRefused => "the connection was refused",
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "nobody answers",
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => "the connection broke off",
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => "there is no network to it",
        _ => "the connection failed",
    }
    .to_owned()
}
