//! The wires to the hub: SIP over TLS with the device's certificate, sockets for the sound of calls, the names of the home.
//!
//! They are the hub's alone. Lines for emergency calls have sockets of their own, which show no certificate of the home.
use std::fs::File;
use std::io::Read as _;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use hearthline_sip::endpoint::{Target, Transport};
use hearthline_transport::{
    FromNetwork, Identity, Reach, RtpPair, Sockets, SocketsConfig, ToNetwork, Trust,
};
use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::api::Asked;
use super::household;
use super::line_wires::LineWires;
use super::own_address::Doubts;
use crate::config::HomeSettings;
use crate::messages::{News, Request, RequestId};
use crate::telephone::{CALLS_MAX, DeviceKeys, HomeConfig, Name};

/// Largest certificate, key or authority, in bytes.
const PEM_BYTES_MAX: u64 = 64 * 1_024;
/// Requests that wait for the hub's API.
const REQUESTS_MAX: usize = 64;

/// What comes in by these wires.
#[derive(Debug)]
pub(super) enum HomeNews {
    /// SIP.
    Sip(FromNetwork),
    /// A datagram of a call's sound.
    Media {
        /// Where it came from.
        from: SocketAddr,
        /// Our address that it came to.
        to: SocketAddr,
        /// The datagram.
        bytes: Vec<u8>,
    },
    /// The names of the home.
    Names(Vec<Name>),
    /// The hub's API says something.
    Hub(News),
    /// Our address is another one, and everything is bound there.
    Moved(Box<Bound>),
    /// Something does not work; what and how to mend it. Told once until it changes.
    Trouble(String),
}

/// Everything that is bound to one address of ours.
#[derive(Debug)]
pub(super) struct Bound {
    /// SIP to the hub.
    sip: Sockets,
    /// For the sound of calls.
    pairs: Vec<(SocketAddr, Arc<RtpPair>)>,
    /// For the lines.
    pub(super) lines: LineWires,
}

/// What is needed to bind it.
#[derive(Clone)]
struct Ground {
    hub: SocketAddr,
    config: SocketsConfig,
    /// Whose certificates are taken from lines.
    roots_pem: Option<Vec<u8>>,
}

impl Ground {
    async fn sip(&self) -> Result<Sockets, String> {
        let bound = Sockets::bind(self.config.clone()).await;
        bound.map_err(|error| format!("[household]: {error}"))
    }

    async fn bind(&self, own: IpAddr) -> Result<Bound, String> {
        Ok(Bound {
            sip: self.sip().await?,
            pairs: pairs(own).await?,
            lines: LineWires::bind(own, self.roots_pem.as_deref()).await?,
        })
    }
}

/// A pair for each call at once.
async fn pairs(own: IpAddr) -> Result<Vec<(SocketAddr, Arc<RtpPair>)>, String> {
    let mut pairs = Vec::new();
    for _ in 0..CALLS_MAX {
        // Of ordinary calls alone: a browser of this machine hides its loopback. Lines have sockets of their own.
        let pair = RtpPair::bind_for_this_machine(own).await;
        let pair = pair.map_err(|error| format!("sockets for sound: {error}"))?;
        let port = pair.port().map_err(|error| error.to_string())?;
        pairs.push((SocketAddr::new(own, port), Arc::new(pair)));
    }
    Ok(pairs)
}

/// Binds anew wherever our address goes.
async fn follow_address(
    ground: Ground,
    mut at: IpAddr,
    doubts: Arc<Doubts>,
    news: mpsc::Sender<HomeNews>,
) {
    loop {
        let own = doubts.changed(ground.hub, at).await;
        // An address that is gone again before everything is bound: the next look tells.
        if let Ok(bound) = ground.bind(own).await {
            at = own;
            if news.send(HomeNews::Moved(Box::new(bound))).await.is_err() {
                return;
            }
        }
    }
}

/// The wires. Dropping them closes everything.
pub(super) struct HomeWires {
    hub: SocketAddr,
    sender: mpsc::Sender<ToNetwork>,
    pairs: Vec<(SocketAddr, Arc<RtpPair>)>,
    requests: Option<mpsc::Sender<(RequestId, Request)>>,
    news: mpsc::Sender<HomeNews>,
    doubts: Arc<Doubts>,
    /// Told when our address is another one.
    moves: watch::Sender<()>,
    /// Those that listen at the present address.
    listening: JoinSet<()>,
    _tasks: JoinSet<()>,
}

impl HomeWires {
    /// Reads the files, binds, and starts. What a person should know comes with it. `origin` is when the device's time
    /// began, `lines` what is bound for the lines on our present address, `roots_pem` whose certificates are taken there.
    ///
    /// # Errors
    /// In words: a file that cannot be read, or a socket that cannot be bound.
    pub(super) async fn open(
        settings: &HomeSettings,
        (lines, roots_pem): (&LineWires, Option<Vec<u8>>),
        origin: Instant,
        news: mpsc::Sender<HomeNews>,
    ) -> Result<(Self, HomeConfig, Vec<String>), String> {
        let identity = Identity {
            certificates_pem: read(&settings.certificate)?,
            key_pem: read(&settings.key)?,
        };
        let authority_pem = read(&settings.authority)?;
        let keys = DeviceKeys::from_pem(
            &identity.certificates_pem,
            &identity.key_pem,
            &authority_pem,
            origin,
        )
        .map_err(|error| format!("[household]: {error}"))?;
        let mut notices = Vec::new();
        if others_can_read(&settings.key) {
            notices.push(
                "[household] key: others on this machine can read it; take that from them: chmod 600"
                    .to_owned(),
            );
        }
        let mut config = SocketsConfig::new(Reach::LoopbackOnly);
        config.client_identity = Some(identity.clone());
        config.roots_pem.clone_from(&authority_pem);
        config.trust = Trust::Verified;
        let ground = Ground {
            hub: settings.hub,
            config,
            roots_pem,
        };
        let own = lines.rtp_local.ip();
        let (sip, pairs) = (ground.sip().await?, pairs(own).await?);
        let sender = sip.sender.clone();
        let (moves, moved) = watch::channel(());
        let doubts = Arc::new(Doubts::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(follow_address(ground, own, doubts.clone(), news.clone()));
        let requests = settings.api.map(|api| {
            let asked = Asked {
                api,
                authority_pem,
                identity,
                moved,
            };
            let (sender, requests) = mpsc::channel(REQUESTS_MAX);
            let user = settings.user.clone();
            tasks.spawn(household::serve(
                asked.clone(),
                user.clone(),
                requests,
                news.clone(),
            ));
            tasks.spawn(household::follow(asked, user, news.clone()));
            sender
        });
        let words = |error: crate::config::ConfigError| error.to_string();
        let config = HomeConfig {
            hub: Target::new(Transport::Tls, settings.hub),
            domain: settings.domain().map_err(words)?,
            user: settings.user.clone(),
            instance: instance(&settings.user),
            contact: lines.tcp,
            ports: pairs.iter().map(|(rtp, _)| *rtp).collect(),
            drop_in: settings.drop_in().map_err(words)?,
            keys,
            known_keys: Vec::new(),
        };
        let mut wires = Self {
            hub: settings.hub,
            sender,
            pairs,
            requests,
            news,
            doubts,
            moves,
            listening: JoinSet::new(),
            _tasks: tasks,
        };
        wires.listen(sip);
        Ok((wires, config, notices))
    }

    /// Listens at what is bound now, and no longer at what was before.
    fn listen(&mut self, mut sip: Sockets) {
        self.listening = JoinSet::new();
        let told = self.news.clone();
        self.listening.spawn(async move {
            while let Some(received) = sip.receiver.recv().await {
                if told.send(HomeNews::Sip(received)).await.is_err() {
                    return;
                }
            }
        });
        for (rtp, pair) in &self.pairs {
            for rtcp in [false, true] {
                let (pair, news) = (pair.clone(), self.news.clone());
                self.listening.spawn(listen(pair, *rtp, rtcp, news));
            }
        }
    }

    /// Goes on at another address of ours, where these are bound. Gives the ports for sound there, and the wires of lines.
    pub(super) fn moved(&mut self, bound: Bound) -> (Vec<SocketAddr>, LineWires) {
        let Bound { sip, pairs, lines } = bound;
        self.sender = sip.sender.clone();
        self.pairs = pairs;
        self.listen(sip);
        self.moves.send_replace(());
        (self.pairs.iter().map(|(rtp, _)| *rtp).collect(), lines)
    }

    /// Something could not be sent: is our address still ours?
    pub(super) fn doubt(&self) {
        self.doubts.raise();
    }

    /// As [`Doubts::stay`].
    pub(super) fn stay(&self, stays: bool) {
        self.doubts.stay(stays);
    }

    /// Whether this is news of the connection to the hub, and bad news.
    pub(super) fn is_broken_by(&self, news: &FromNetwork) -> bool {
        match news {
            FromNetwork::Closed { remote, .. } => *remote == self.hub,
            FromNetwork::Failed { target, .. } => target.remote == self.hub,
            FromNetwork::Received { .. } | FromNetwork::Connected { .. } => false,
        }
    }

    /// Whether a message for this target goes by these wires.
    pub(super) fn leads_to(&self, transport: Transport, remote: SocketAddr) -> bool {
        transport == Transport::Tls && remote == self.hub
    }

    /// Sends or closes; false when too much waits already.
    pub(super) fn sip(&self, message: ToNetwork) -> bool {
        self.sender.try_send(message).is_ok()
    }

    /// Asks the hub's API; false when it cannot be asked, or too much waits already.
    pub(super) fn ask(&self, request: RequestId, what: Request) -> bool {
        let requests = self.requests.as_ref();
        requests.is_some_and(|requests| requests.try_send((request, what)).is_ok())
    }

    /// Sends sound. A datagram that the system does not take now is lost; sound bears that.
    pub(super) fn media(&self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        for (rtp, pair) in &self.pairs {
            let sent = if from == *rtp {
                pair.rtp.try_send_to(bytes, to)
            } else if from.port() == rtp.port() + 1 {
                pair.rtcp.try_send_to(bytes, to)
            } else {
                continue;
            };
            if sent.is_err_and(|error| tells_of_us(&error)) {
                self.doubt();
            }
        }
    }
}

/// Whether an error may mean that our own address is gone, and not that a queue is full or a target beyond our reach.
pub(super) fn tells_of_us(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionRefused, PermissionDenied, WouldBlock};
    !matches!(
        error.kind(),
        WouldBlock | PermissionDenied | ConnectionRefused
    )
}

async fn listen(pair: Arc<RtpPair>, rtp: SocketAddr, rtcp: bool, news: mpsc::Sender<HomeNews>) {
    let (socket, mut to) = (if rtcp { &pair.rtcp } else { &pair.rtp }, rtp);
    to.set_port(rtp.port() + u16::from(rtcp));
    let mut buffer = vec![0; 2_048];
    loop {
        // An error here is a peer that was not there for an earlier packet.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else {
            tokio::task::yield_now().await;
            continue;
        };
        let bytes = buffer[..length].to_vec();
        match news.try_send(HomeNews::Media { from, to, bytes }) {
            Err(mpsc::error::TrySendError::Closed(_)) => return,
            // Late sound is worth nothing.
            Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => {}
        }
    }
}

/// A name for this device over all its connections, the same after each start (RFC 5626 section 4.1): a UUID of version
/// 8 (RFC 9562) out of its id.
fn instance(user: &str) -> String {
    let mut id: [u8; 16] = [0; 16];
    id.copy_from_slice(&Sha256::digest(user.as_bytes())[..16]);
    id[6] = id[6] & 0x0f | 0x80;
    id[8] = id[8] & 0x3f | 0x80;
    let mut text = String::from("urn:uuid:");
    for (index, byte) in id.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text += &format!("{byte:02x}");
    }
    text
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let wrong = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| wrong(&error))?;
    file.take(PEM_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| wrong(&error))?;
    if bytes.len() as u64 > PEM_BYTES_MAX {
        return Err(wrong(&format_args!(
            "more than {PEM_BYTES_MAX} bytes are no PEM file of ours"
        )));
    }
    Ok(bytes)
}

fn others_can_read(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_one_instance_for_good() {
        let own = instance("k7q2");
        assert_eq!(own, instance("k7q2"));
        assert_ne!(own, instance("k7q3"));
        assert_eq!(
            own.len(),
            "urn:uuid:00000000-0000-8000-8000-000000000000".len()
        );
        assert_eq!(own.as_bytes()["urn:uuid:00000000-0000-".len()], b'8');
    }
}
