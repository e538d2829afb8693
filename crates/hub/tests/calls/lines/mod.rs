//! A home with lines, and providers behind them: our own user agent on a socket of its own, with moods.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its own part; a test that cannot go on fails"
)]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use hearthline_emergency::numbers::Country;
use hearthline_hub::gateway::{LineSecret, LinesConfig};
use hearthline_hub::id::LineId;
use hearthline_hub::line::{Line, LineFields, LineHealth};
use hearthline_hub::sip::SipConfig;
use hearthline_hub::{Hub, HubConfig, HubHandle};
use hearthline_sip::endpoint::{
    Body, CallHandle, EndpointConfig, Event, InviteRequest, Refusal, ServerChallenge,
};
use hearthline_sip::outbound::FlowTransport;
use hearthline_sip::target::{Target, Transport};
use hearthline_sip::{Endpoint, HeaderName, NameAddr, Request, StatusCode, Uri};
use hearthline_transport::{Driver, Reach, Sockets, SocketsConfig};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::telephone::{DOMAIN, Home};

pub const SDP: &str = "v=0\r\no=- 7 7 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 41000 RTP/AVP 0\r\n";
pub const PASSWORD: &str = "drill only";
pub const PATIENCE: Duration = Duration::from_secs(30);
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A home in Germany whose lines run like this.
pub async fn home(lines: impl FnOnce(&mut LinesConfig, &Path)) -> Home {
    home_of(Country::Germany, lines).await
}

pub async fn home_of(country: Country, lines: impl FnOnce(&mut LinesConfig, &Path)) -> Home {
    let folder = tempfile::tempdir().unwrap();
    let mut sip = SipConfig::new(country);
    sip.domain = DOMAIN.to_owned();
    let secret = LineSecret {
        line: "Trunk".to_owned(),
        file: password_file(folder.path(), "trunk"),
    };
    let mut config = LinesConfig {
        secrets: vec![secret],
        ..LinesConfig::default()
    };
    lines(&mut config, folder.path());
    let hub = start(folder.path(), &sip, config).await;
    for (transport, address) in hub.sip_addresses() {
        match transport {
            FlowTransport::Udp => sip.udp = vec![*address],
            FlowTransport::Tcp => sip.tcp = vec![*address],
            _ => sip.tls = vec![*address],
        }
    }
    Home { hub, folder, sip }
}

pub async fn start(folder: &Path, sip: &SipConfig, lines: LinesConfig) -> HubHandle {
    let mut config = HubConfig::new(folder);
    config.sip = Some(sip.clone());
    config.lines = lines;
    Hub::start(config).await.unwrap()
}

/// A password's file for its owner alone.
pub fn password_file(folder: &Path, name: &str) -> std::path::PathBuf {
    let path = folder.join(format!("{name}.password"));
    let file = std::fs::File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path);
    std::io::Write::write_all(&mut file.unwrap(), PASSWORD.as_bytes()).unwrap();
    path
}

/// A line's fields: what `more` says on top of a SIP trunk at `server`.
pub fn fields(name: &str, position: u8, server: &str, more: &Value) -> LineFields {
    let mut all = json!({
        "name": name, "kind": "sip_trunk", "position": position, "enabled": true,
        "sip": {"server": server},
    });
    merge(&mut all, more);
    serde_json::from_value(all).unwrap()
}

fn merge(all: &mut Value, more: &Value) {
    for (name, value) in more.as_object().unwrap() {
        match all.get_mut(name) {
            Some(inner @ Value::Object(_)) => merge(inner, value),
            _ => all[name] = value.clone(),
        }
    }
}

/// Adds a line and waits until the gateway has it.
pub async fn add(home: &Home, fields: &LineFields) -> LineId {
    let now = hearthline_hub::clock::Clock::default().now();
    let line = home.hub.store().add_line(fields, now).await.unwrap().id;
    // Its health says when it was looked at.
    until(home, line, |line| line.health != LineHealth::Unknown).await;
    line
}

/// The line once `enough` says so of it.
pub async fn until(home: &Home, wanted: LineId, enough: impl Fn(&Line) -> bool) -> Line {
    let began = Instant::now();
    loop {
        let lines = home.hub.store().lines().await.unwrap();
        let line = lines.into_iter().find(|line| line.id == wanted).unwrap();
        if enough(&line) {
            return line;
        }
        assert!(began.elapsed() < PATIENCE, "{line:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Where the hub hears its lines.
pub fn lines_address(home: &Home, transport: Transport) -> SocketAddr {
    let all = home.hub.line_addresses();
    all.iter().find(|(own, _)| *own == transport).unwrap().1
}

type Act = Box<dyn FnOnce(&mut Endpoint, Duration) + Send>;

/// What is behind a line.
pub struct Provider {
    pub local: SocketAddr,
    transport: Transport,
    acts: mpsc::UnboundedSender<Act>,
    events: mpsc::UnboundedReceiver<Event>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Provider {
    /// One that asks nobody for a password.
    pub async fn open(transport: Transport) -> Self {
        Self::with(transport, |_| {}).await
    }

    /// One that asks `user` for the password.
    pub async fn asking(transport: Transport, user: &str) -> Self {
        let users = BTreeMap::from([(user.to_owned(), PASSWORD.to_owned())]);
        Self::with(transport, move |config| {
            config.challenge = Some(ServerChallenge {
                realm: "provider.test".to_owned(),
                users,
                sha256: true,
                md5: true,
                proxy: false,
                nonce_life: Duration::from_secs(60),
            });
            config.methods = vec![hearthline_sip::Method::Register];
        })
        .await
    }

    /// One by TLS; the root that vouches for it is written to this file.
    pub async fn tls(root: &Path) -> Self {
        let mut authority = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        let authority = rcgen::CertifiedIssuer::self_signed(authority, key).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let leaf = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &authority).unwrap();
        std::fs::write(root, authority.pem()).unwrap();
        let mut sockets = SocketsConfig::new(Reach::LoopbackOnly);
        sockets.tls.push(SocketAddr::new(LOOPBACK, 0));
        sockets.identity = Some(hearthline_transport::Identity {
            certificates_pem: leaf.pem().into_bytes(),
            key_pem: key.serialize_pem().into_bytes(),
        });
        Self::on(sockets, Transport::Tls, |_| {}).await
    }

    pub async fn with(transport: Transport, change: impl FnOnce(&mut EndpointConfig)) -> Self {
        let mut sockets = SocketsConfig::new(Reach::LoopbackOnly);
        let any = SocketAddr::new(LOOPBACK, 0);
        match transport {
            Transport::Udp => sockets.udp.push(any),
            _ => sockets.tcp.push(any),
        }
        Self::on(sockets, transport, change).await
    }

    async fn on(
        sockets: SocketsConfig,
        transport: Transport,
        change: impl FnOnce(&mut EndpointConfig),
    ) -> Self {
        let sockets = Sockets::bind(sockets).await.unwrap();
        let local = sockets.local(transport).unwrap();
        let mut seed = [3; 32];
        seed[..2].copy_from_slice(&local.port().to_be_bytes());
        let mut config = EndpointConfig::new(seed, sockets.local.clone());
        change(&mut config);
        let mut driver = Driver::new(Endpoint::new(config), sockets);
        let (acts, mut acting) = mpsc::unbounded_channel::<Act>();
        let (telling, events) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            loop {
                tokio::select! {
                    act = acting.recv() => match act {
                        Some(act) => {
                            let now = driver.now();
                            act(&mut driver.endpoint, now);
                        }
                        None => return,
                    },
                    event = driver.next_event() => match event {
                        Some(event) => drop(telling.send(event)),
                        None => return,
                    },
                }
            }
        });
        Self {
            local,
            transport,
            acts,
            events,
            task,
        }
    }

    /// As a line's server.
    pub fn server(&self) -> String {
        format!("sip:{};transport={}", self.local, self.transport.as_param())
    }

    pub async fn act<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Endpoint, Duration) -> T + Send + 'static,
    ) -> T {
        let (done, result) = oneshot::channel();
        let act: Act = Box::new(move |endpoint, now| {
            let _ = done.send(act(endpoint, now));
        });
        self.acts.send(act).unwrap();
        result.await.unwrap()
    }

    /// It is offered another session in a call that stands; the session.
    pub async fn offered(&mut self, far: CallHandle) -> String {
        self.wait(|event| match event {
            Event::Reinvite { call, request } if *call == far => {
                Some(String::from_utf8(request.body.clone()).unwrap())
            }
            _ => None,
        })
        .await
    }

    /// It takes such an offer.
    pub async fn answers_offer(&self, far: CallHandle, session: &'static str) {
        self.act(move |endpoint, now| endpoint.answer_reinvite(far, Some(Body::sdp(session)), now))
            .await
            .unwrap();
    }

    pub async fn wait<T>(&mut self, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let event = self.events.recv().await.expect("the provider lives");
                if let Some(found) = wanted(&event) {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .expect("an event in time")
    }

    /// A call arrives, and whence.
    pub async fn called_from(&mut self) -> (CallHandle, SocketAddr) {
        self.wait(|event| match event {
            Event::Incoming { call, source, .. } => Some((*call, source.remote)),
            _ => None,
        })
        .await
    }

    /// A call arrives.
    pub async fn called(&mut self) -> (CallHandle, Request) {
        self.wait(|event| match event {
            Event::Incoming { call, request, .. } => Some((*call, (**request).clone())),
            _ => None,
        })
        .await
    }

    /// No call has arrived.
    pub fn was_called(&mut self) -> bool {
        let mut called = false;
        while let Ok(event) = self.events.try_recv() {
            called |= matches!(event, Event::Incoming { .. });
        }
        called
    }

    pub async fn rings(&self, call: CallHandle) {
        self.act(move |endpoint, now| endpoint.ring(call, StatusCode::RINGING, None, false, now))
            .await
            .unwrap();
    }

    pub async fn accepts(&self, call: CallHandle, body: Option<Body>) {
        self.act(move |endpoint, now| endpoint.accept(call, body, now))
            .await
            .unwrap();
    }

    pub async fn refuses(&self, call: CallHandle, code: u16) {
        let refusal = Refusal::new(StatusCode::new(code).unwrap());
        self.act(move |endpoint, now| endpoint.reject(call, refusal, now))
            .await
            .unwrap();
    }

    pub async fn hangs_up(&self, call: CallHandle) {
        self.act(move |endpoint, now| endpoint.bye(call, None, now))
            .await
            .unwrap();
    }

    pub async fn ended(&mut self, wanted: CallHandle) {
        self.wait(|event| match event {
            Event::Ended { call, .. } if *call == wanted => Some(()),
            _ => None,
        })
        .await;
    }

    /// Somebody outside calls over this line; answers what the hub said.
    pub async fn calls(&self, to: &str, from: &str, hub: SocketAddr) -> CallHandle {
        self.calls_with(to, from, hub, Vec::new()).await
    }

    /// Calls the hub without an offer.
    pub async fn calls_without_offer(&self, to: &str, from: &str, hub: SocketAddr) -> CallHandle {
        let uri: Uri = to.parse().unwrap();
        let to = NameAddr::new(uri.clone());
        let from = NameAddr::parse(from).unwrap();
        let target = Target::new(self.transport, hub);
        let mut request = InviteRequest::new(uri, from, to, target);
        request.late_offer = true;
        self.act(move |endpoint, now| endpoint.invite(request, now))
            .await
            .unwrap()
    }

    pub async fn calls_with(
        &self,
        to: &str,
        from: &str,
        hub: SocketAddr,
        headers: Vec<(HeaderName, Vec<u8>)>,
    ) -> CallHandle {
        let uri: Uri = to.parse().unwrap();
        let from = NameAddr::parse(from).unwrap();
        let target = Target::new(self.transport, hub);
        let mut request = InviteRequest::new(uri.clone(), from, NameAddr::new(uri), target);
        request.body = Some(Body::sdp(SDP));
        request.headers = headers;
        self.act(move |endpoint, now| endpoint.invite(request, now))
            .await
            .unwrap()
    }

    /// What became of a call of its own before it was answered.
    pub async fn refused(&mut self, wanted: CallHandle) -> u16 {
        self.wait(|event| match event {
            Event::Failed { call, cause } if *call == wanted => {
                Some(cause.status().map_or(0, StatusCode::code))
            }
            Event::Answered { call, .. } if *call == wanted => panic!("it was answered"),
            _ => None,
        })
        .await
    }

    pub async fn answered(&mut self, wanted: CallHandle) {
        self.wait(|event| match event {
            Event::Answered { call, .. } if *call == wanted => Some(()),
            Event::Failed { call, cause } if *call == wanted => panic!("{cause:?}"),
            _ => None,
        })
        .await;
    }

    /// Answers a REGISTER with 200 as a registrar; the Contact that came with it.
    pub async fn registers(&mut self) -> NameAddr {
        let (handle, request) = self
            .wait(|event| match event {
                Event::Request {
                    handle, request, ..
                } => Some((*handle, (**request).clone())),
                _ => None,
            })
            .await;
        let contacts = request.headers.contacts().unwrap();
        let contact = contacts.first().unwrap().clone();
        let mut answer = Refusal::new(StatusCode::OK);
        let row = format!("<{}>;expires=600", contact.uri);
        answer.headers.push((HeaderName::Contact, row.into_bytes()));
        self.act(move |endpoint, now| endpoint.respond(handle, answer, None, now))
            .await
            .unwrap();
        contact
    }
}
