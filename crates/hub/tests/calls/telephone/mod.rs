//! A hub with its SIP server on loopback, and telephones that speak to it over real sockets.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part"
)]

mod changes;
mod transfers;
pub mod web;
mod wire;

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use hearthline_emergency::numbers::Country;
use hearthline_hub::call::Call;
use hearthline_hub::device::{DeviceFields, DeviceKind};
use hearthline_hub::id::RoomId;
use hearthline_hub::join::{Membership, join};
use hearthline_hub::sip::SipConfig;
use hearthline_hub::sip::account::{PhoneDigest, SipAccount};
use hearthline_hub::text::Name;
use hearthline_hub::{Hub, HubConfig, HubHandle};
use hearthline_sip::endpoint::{
    Body, CallHandle, Credentials, EndpointConfig, Event, FailureCause, Input, InviteRequest,
    Output, Refusal, RegisterRequest, RegistrationCause,
};
use hearthline_sip::gruu::Gruus;
use hearthline_sip::outbound::FlowTransport;
use hearthline_sip::registration::RegistrationConfig;
use hearthline_sip::target::{Target, Transport};
use hearthline_sip::{Endpoint, HeaderName, Host, NameAddr, Request, SipUri, StatusCode, Uri};
use serde_json::json;
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::{mpsc, oneshot};
pub use wire::client;
use wire::{Wire, bytes, datagrams, secure};

pub const DOMAIN: &str = "home.test";
const PATIENCE: Duration = Duration::from_secs(30);
/// Where everything comes from, for an endpoint.
const FROM_HUB: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n";

pub struct Home {
    pub hub: HubHandle,
    pub folder: tempfile::TempDir,
    pub sip: SipConfig,
}

pub async fn start(folder: &Path, sip: &SipConfig) -> HubHandle {
    let mut config = HubConfig::new(folder);
    config.sip = Some(sip.clone());
    Hub::start(config).await.unwrap()
}

impl Home {
    pub async fn new() -> Self {
        Self::of(Country::Germany).await
    }

    pub async fn of(country: Country) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut sip = SipConfig::new(country);
        sip.domain = DOMAIN.to_owned();
        let hub = start(folder.path(), &sip).await;
        // A restart finds the same ports.
        for (transport, address) in hub.sip_addresses() {
            match transport {
                FlowTransport::Udp => sip.udp = vec![*address],
                FlowTransport::Tcp => sip.tcp = vec![*address],
                _ => sip.tls = vec![*address],
            }
        }
        Self { hub, folder, sip }
    }

    pub async fn restart(self) -> Self {
        let Self { hub, folder, sip } = self;
        hub.stop().await;
        let hub = start(folder.path(), &sip).await;
        Self { hub, folder, sip }
    }

    pub fn address(&self, transport: Transport) -> SocketAddr {
        match transport {
            Transport::Udp => self.sip.udp[0],
            Transport::Tcp => self.sip.tcp[0],
            Transport::Tls => self.sip.tls[0],
        }
    }

    pub async fn room(&self, name: &str) -> RoomId {
        let fields = serde_json::from_value(json!({"name": name})).unwrap();
        let now = hearthline_hub::clock::Clock::default().now();
        self.hub.store().add_room(&fields, now).await.unwrap().id
    }

    pub async fn account(&self, name: &str, room: Option<RoomId>) -> SipAccount {
        self.account_by(name, room, PhoneDigest::Sha256).await
    }

    pub async fn account_by(
        &self,
        name: &str,
        room: Option<RoomId>,
        digest: PhoneDigest,
    ) -> SipAccount {
        let fields = DeviceFields {
            name: Name::new(name).unwrap(),
            room,
            person: None,
        };
        self.hub.add_sip_account(fields, digest).await.unwrap()
    }

    pub async fn enrol(&self, name: &str, room: Option<RoomId>) -> Membership {
        let fields = DeviceFields {
            name: Name::new(name).unwrap(),
            room,
            person: None,
        };
        let invited = self.hub.invite(DeviceKind::Speaker, fields).await.unwrap();
        let ca = self.hub.ca_fingerprint();
        join(self.hub.addresses()[0], &invited.code, Some(ca))
            .await
            .unwrap()
    }

    /// A phone with an account, registered.
    pub async fn phone(&self, account: &SipAccount, transport: Transport) -> Phone {
        let mut phone = Phone::plain(self, account, transport).await;
        phone.register().await.expect("registered");
        phone
    }

    /// A device with its certificate, registered.
    pub async fn device(&self, own: &Membership) -> Phone {
        let mut phone = Phone::certified(self, own).await.expect("a connection");
        phone.register().await.expect("registered");
        phone
    }

    /// The newest call's row, once `enough` says so of it.
    pub async fn call_row(&self, enough: impl Fn(&Call) -> bool) -> Call {
        let began = Instant::now();
        loop {
            let calls = self.hub.store().calls(10).await.unwrap();
            if let Some(call) = calls.first()
                && enough(call)
            {
                return call.clone();
            }
            assert!(began.elapsed() < PATIENCE, "{calls:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

type Act = Box<dyn FnOnce(&mut Endpoint, Duration) + Send>;

/// An endpoint on a socket of its own, served by a task of its own.
pub struct Phone {
    pub user: String,
    pub local: SocketAddr,
    hub: Target,
    credentials: Vec<Credentials>,
    acts: mpsc::UnboundedSender<Act>,
    events: mpsc::UnboundedReceiver<Event>,
    /// Says when the hub has closed the connection.
    closed: Option<oneshot::Receiver<()>>,
    rewire: mpsc::UnboundedSender<Rewired>,
    task: tokio::task::JoinHandle<()>,
}

type Rewired = (
    mpsc::UnboundedSender<Vec<u8>>,
    mpsc::UnboundedReceiver<Vec<u8>>,
);

impl Drop for Phone {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Phone {
    /// With user name and password.
    pub async fn plain(home: &Home, account: &SipAccount, transport: Transport) -> Self {
        let credentials = Credentials {
            username: account.username.clone(),
            password: account.password.clone(),
            realm: None,
        };
        Self::with(home, &account.username, vec![credentials], transport).await
    }

    pub async fn with(
        home: &Home,
        user: &str,
        credentials: Vec<Credentials>,
        transport: Transport,
    ) -> Self {
        Self::on(home.address(transport), user, credentials, transport).await
    }

    /// At a hub that is somebody else's.
    pub async fn on(
        hub: SocketAddr,
        user: &str,
        credentials: Vec<Credentials>,
        transport: Transport,
    ) -> Self {
        if transport == Transport::Udp {
            return Self::saying(hub, user, credentials, "").await;
        }
        let stream = TcpStream::connect(hub).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let local = stream.local_addr().unwrap();
        Self::serve(user, credentials, transport, local, hub, |wire| {
            tokio::spawn(bytes(stream, wire));
        })
    }

    /// By UDP, with these rows in every message.
    pub async fn saying(
        hub: SocketAddr,
        user: &str,
        credentials: Vec<Credentials>,
        rows: &'static str,
    ) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let local = socket.local_addr().unwrap();
        Self::serve(user, credentials, Transport::Udp, local, hub, |wire| {
            tokio::spawn(datagrams(socket, wire, rows));
        })
    }

    /// With the device's certificate; `None`: the hub does not want it.
    pub async fn certified(home: &Home, own: &Membership) -> Option<Self> {
        Self::certified_on(home.address(Transport::Tls), own).await
    }

    /// The same at a hub that is somebody else's.
    pub async fn certified_on(hub: SocketAddr, own: &Membership) -> Option<Self> {
        let (local, stream) = secure(hub, own).await?;
        let user = own.device.to_string();
        let (tls, none) = (Transport::Tls, Vec::new());
        Some(Self::serve(&user, none, tls, local, hub, |wire| {
            tokio::spawn(bytes(stream, wire));
        }))
    }

    /// The connection is gone, and a new one comes from another address; calls and what it knows stay.
    pub async fn moves_to_another_network(&mut self, own: &Membership) {
        let (local, stream) = secure(self.hub.remote, own).await.unwrap();
        let (to_hub, outgoing) = mpsc::unbounded_channel();
        let (arriving, incoming) = mpsc::unbounded_channel();
        let hub = self.hub.remote;
        tokio::spawn(bytes(
            stream,
            Wire {
                outgoing,
                arriving,
                hub,
            },
        ));
        self.rewire.send((to_hub, incoming)).unwrap();
        self.local = local;
    }

    /// As a browser: SIP over WebSocket on HTTPS, with the device's certificate.
    pub async fn web(home: &Home, own: &Membership) -> Option<Self> {
        Self::web_on(home.hub.addresses()[0], own).await
    }

    /// The same at a hub that is somebody else's.
    pub async fn web_on(https: SocketAddr, own: &Membership) -> Option<Self> {
        let (status, socket) = web::open_on(https, client(own), &[]).await?;
        (status == 101).then(|| Self::on_socket(https, &own.device.to_string(), Vec::new(), socket))
    }

    /// On a WebSocket that stands.
    pub fn on_socket(
        hub: SocketAddr,
        user: &str,
        credentials: Vec<Credentials>,
        socket: web::Socket,
    ) -> Self {
        let local = socket.local;
        Self::serve(user, credentials, Transport::Tls, local, hub, |wire| {
            tokio::spawn(web::messages(socket, wire));
        })
    }

    fn serve(
        user: &str,
        credentials: Vec<Credentials>,
        transport: Transport,
        local: SocketAddr,
        hub: SocketAddr,
        connect: impl FnOnce(Wire),
    ) -> Self {
        let mut seed = [0; 32];
        let noise = tempfile::tempdir().unwrap();
        let name = noise.path().to_string_lossy().into_owned();
        for (place, byte) in seed.iter_mut().zip(name.bytes().rev()) {
            *place = byte;
        }
        seed[30..].copy_from_slice(&local.port().to_be_bytes());
        let mut config = EndpointConfig::new(seed, vec![(transport, local)]);
        config.contact_user = Some(user.to_owned());
        config.transfers = true;
        // A benchmark makes more calls in half a minute than a person does: over UDP each holds its transactions for so long.
        config.limits.client_transactions_max = 8_192;
        config.limits.server_transactions_max = 8_192;
        let endpoint = Endpoint::new(config);
        let (to_hub, outgoing) = mpsc::unbounded_channel();
        let (arriving, incoming) = mpsc::unbounded_channel();
        let (acts, acting) = mpsc::unbounded_channel();
        let (telling, events) = mpsc::unbounded_channel();
        let (gone, closed) = oneshot::channel();
        let (rewire, rewired) = mpsc::unbounded_channel();
        connect(Wire {
            outgoing,
            arriving,
            hub,
        });
        let task = tokio::spawn(run(Running {
            endpoint,
            transport,
            local,
            to_hub,
            incoming,
            acting,
            telling,
            gone: Some(gone),
            rewired,
        }));
        Phone {
            user: user.to_owned(),
            local,
            hub: Target::new(transport, hub),
            credentials,
            acts,
            events,
            closed: Some(closed),
            rewire,
            task,
        }
    }

    pub fn credentials(&self) -> Vec<Credentials> {
        self.credentials.clone()
    }

    pub fn address(&self) -> NameAddr {
        NameAddr::parse(&format!("<sip:{}@{DOMAIN}>", self.user)).unwrap()
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

    /// The next event for which `wanted` gives something.
    pub async fn wait<T>(&mut self, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let event = self.events.recv().await.expect("the phone lives");
                if let Some(found) = wanted(&event) {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .expect("an event in time")
    }

    /// Nothing of this kind comes for a while.
    pub async fn hears_nothing(&mut self, wait: Duration) -> bool {
        tokio::time::sleep(wait).await;
        let mut rang = false;
        while let Ok(event) = self.events.try_recv() {
            rang |= matches!(event, Event::Incoming { .. });
        }
        !rang
    }

    pub async fn register(&mut self) -> Result<(), StatusCode> {
        let own = self.address();
        self.register_as(&own).await
    }

    pub async fn register_as(&mut self, own: &NameAddr) -> Result<(), StatusCode> {
        self.asks_to_register(own).await;
        self.wait(|event| match event {
            Event::Registered { .. } => Some(Ok(())),
            Event::RegistrationFailed { cause, .. } => Some(Err(match cause {
                RegistrationCause::Response(response) => response.status,
                _ => StatusCode::REQUEST_TIMEOUT,
            })),
            _ => None,
        })
        .await
    }

    /// Registers by a flow of its own, as our devices do (RFC 5626), and calls itself by the name that the hub gives it
    /// for that (RFC 5627), which is answered.
    pub async fn register_by_flow(&mut self, instance: &str) -> SipUri {
        self.register_by_flow_hearing(instance, |_| {}).await
    }

    /// The same, shown what comes before the answer: who waits for a device tells it as soon as it can be reached.
    pub async fn register_by_flow_hearing(
        &mut self,
        instance: &str,
        mut hears: impl FnMut(&Event),
    ) -> SipUri {
        let own = SipUri::new(Host::from(self.local.ip()))
            .with_user(&self.user)
            .with_port(self.local.port())
            .with_param("transport", Some(self.hub.transport.as_param()));
        let mut contact = NameAddr::new(own);
        contact
            .params
            .set_quoted("+sip.instance", &format!("<{instance}>"));
        contact.params.set("reg-id", "1");
        let request = RegisterRequest {
            registrar: format!("sip:{DOMAIN}").parse().unwrap(),
            address_of_record: self.address(),
            contact: Some(contact),
            target: self.hub.clone(),
            route: Vec::new(),
            credentials: self.credentials.clone(),
            config: RegistrationConfig::default(),
        };
        self.act(move |endpoint, now| endpoint.register(request, now))
            .await
            .unwrap();
        let own = self.address();
        let name = self
            .wait(|event| match event {
                Event::Registered { response, .. } => {
                    Gruus::granted(response, own.uri.as_sip()?, instance)
                }
                other => {
                    hears(other);
                    None
                }
            })
            .await;
        let named = NameAddr::new(name.clone());
        // What comes is said to come from there.
        let from_hub = Target::new(self.hub.transport, FROM_HUB);
        for way in [self.hub.clone(), from_hub] {
            let named = Some(named.clone());
            self.act(move |endpoint, _| endpoint.set_contact(&way, named))
                .await;
        }
        name
    }

    /// As a browser whose hub was restarted: another WebSocket; calls and what it knows stay.
    pub async fn returns_by_web(&mut self, https: SocketAddr, own: &Membership) {
        let (status, socket) = web::open_on(https, client(own), &[]).await.unwrap();
        assert_eq!(status, 101);
        let (to_hub, outgoing) = mpsc::unbounded_channel();
        let (arriving, incoming) = mpsc::unbounded_channel();
        self.local = socket.local;
        let wire = Wire {
            outgoing,
            arriving,
            hub: self.hub.remote,
        };
        tokio::spawn(web::messages(socket, wire));
        self.rewire.send((to_hub, incoming)).unwrap();
    }

    /// Without waiting for the answer: what comes before it is still to be heard.
    pub async fn asks_to_register(&self, own: &NameAddr) {
        let request = RegisterRequest {
            registrar: format!("sip:{DOMAIN}").parse().unwrap(),
            address_of_record: own.clone(),
            contact: None,
            target: self.hub.clone(),
            route: Vec::new(),
            credentials: self.credentials.clone(),
            config: RegistrationConfig::default(),
        };
        self.act(move |endpoint, now| endpoint.register(request, now))
            .await
            .unwrap();
    }

    /// Calls a Request-URI.
    pub async fn call(&self, uri: &str) -> CallHandle {
        self.call_from(uri, self.address()).await
    }

    pub async fn call_from(&self, uri: &str, from: NameAddr) -> CallHandle {
        let uri: Uri = uri.parse().unwrap();
        let to = NameAddr::new(uri.clone());
        let mut request = InviteRequest::new(uri, from, to, self.hub.clone());
        request.body = Some(Body::sdp(SDP));
        request.credentials = self.credentials.clone();
        self.act(move |endpoint, now| endpoint.invite(request, now))
            .await
            .unwrap()
    }

    /// Calls a Request-URI without an offer, as a telephone does that wants the other side's first.
    pub async fn call_without_offer(&self, uri: &str) -> CallHandle {
        let uri: Uri = uri.parse().unwrap();
        let to = NameAddr::new(uri.clone());
        let mut request = InviteRequest::new(uri, self.address(), to, self.hub.clone());
        request.late_offer = true;
        request.credentials = self.credentials.clone();
        self.act(move |endpoint, now| endpoint.invite(request, now))
            .await
            .unwrap()
    }

    /// Calls a Request-URI with a session of one's own.
    pub async fn call_describing(&self, uri: &str, session: &str) -> CallHandle {
        let uri: Uri = uri.parse().unwrap();
        let to = NameAddr::new(uri.clone());
        let mut request = InviteRequest::new(uri, self.address(), to, self.hub.clone());
        request.body = Some(Body::sdp(session));
        request.credentials = self.credentials.clone();
        self.act(move |endpoint, now| endpoint.invite(request, now))
            .await
            .unwrap()
    }

    /// Calls a Request-URI with rows of one's own.
    pub async fn call_with(&self, uri: &str, rows: &[(&str, &str)]) -> CallHandle {
        let uri: Uri = uri.parse().unwrap();
        let to = NameAddr::new(uri.clone());
        let mut request = InviteRequest::new(uri, self.address(), to, self.hub.clone());
        request.body = Some(Body::sdp(SDP));
        request.credentials = self.credentials.clone();
        for (name, value) in rows {
            let name = HeaderName::parse(name.as_bytes()).unwrap();
            request.headers.push((name, value.as_bytes().to_vec()));
        }
        self.act(move |endpoint, now| endpoint.invite(request, now))
            .await
            .unwrap()
    }

    /// The INVITE that comes, declined at once.
    pub async fn declines(&mut self) -> Request {
        let (call, request) = self
            .wait(|event| match event {
                Event::Incoming { call, request, .. } => Some((*call, (**request).clone())),
                _ => None,
            })
            .await;
        self.act(move |endpoint, now| {
            endpoint.reject(call, Refusal::new(StatusCode::BUSY_HERE), now)
        })
        .await
        .unwrap();
        request
    }

    /// What a call to this Request-URI is refused with.
    pub async fn refused(&mut self, uri: &str) -> StatusCode {
        let own = self.address();
        self.refused_from(uri, own).await
    }

    pub async fn refused_from(&mut self, uri: &str, from: NameAddr) -> StatusCode {
        let call = self.call_from(uri, from).await;
        self.failure(call).await.expect("a status")
    }

    pub async fn failure(&mut self, wanted: CallHandle) -> Option<StatusCode> {
        self.wait(|event| match event {
            Event::Failed { call, cause } if *call == wanted => Some(match cause {
                FailureCause::Cancelled => None,
                other => other.status(),
            }),
            Event::Answered { call, .. } if *call == wanted => panic!("it was answered"),
            _ => None,
        })
        .await
    }

    pub async fn rings(&mut self) -> CallHandle {
        let call = self
            .wait(|event| match event {
                Event::Incoming { call, .. } => Some(*call),
                _ => None,
            })
            .await;
        self.act(move |endpoint, now| endpoint.ring(call, StatusCode::RINGING, None, false, now))
            .await
            .unwrap();
        call
    }

    pub async fn accept(&self, call: CallHandle) {
        self.act(move |endpoint, now| endpoint.accept(call, Some(Body::sdp(SDP)), now))
            .await
            .unwrap();
    }

    pub async fn progress(&mut self, wanted: CallHandle) {
        self.wait(|event| match event {
            Event::Progress { call, response } if *call == wanted => {
                (response.status == StatusCode::RINGING).then_some(())
            }
            _ => None,
        })
        .await;
    }

    pub async fn answered(&mut self, wanted: CallHandle) {
        self.answered_with(wanted).await;
    }

    /// The session that came with the answer.
    pub async fn answered_with(&mut self, wanted: CallHandle) -> Vec<u8> {
        self.wait(|event| match event {
            Event::Answered { call, response } if *call == wanted => Some(response.body.clone()),
            Event::Failed { cause, .. } => panic!("{cause:?}"),
            _ => None,
        })
        .await
    }

    pub async fn confirmed(&mut self, wanted: CallHandle) {
        self.wait(|event| match event {
            Event::Confirmed { call, .. } if *call == wanted => Some(()),
            _ => None,
        })
        .await;
    }

    pub async fn bye(&self, call: CallHandle) {
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

    /// The connection has been closed, whenever.
    pub async fn gone(&mut self) {
        let closed = self.closed.take().expect("asked once");
        closed.await.unwrap();
    }

    /// The hub closes the connection; how long that took.
    pub async fn closed(&mut self) -> Duration {
        let began = Instant::now();
        let closed = self.closed.take().expect("asked once");
        tokio::time::timeout(PATIENCE, closed)
            .await
            .expect("closed in time")
            .unwrap();
        began.elapsed()
    }
}

/// A whole call between two phones, ended by the caller.
pub async fn talk(caller: &mut Phone, callee: &mut Phone, uri: &str) {
    let out = caller.call(uri).await;
    let incoming = callee.rings().await;
    caller.progress(out).await;
    callee.accept(incoming).await;
    caller.answered(out).await;
    callee.confirmed(incoming).await;
    caller.bye(out).await;
    callee.ended(incoming).await;
}

struct Running {
    endpoint: Endpoint,
    transport: Transport,
    local: SocketAddr,
    to_hub: mpsc::UnboundedSender<Vec<u8>>,
    incoming: mpsc::UnboundedReceiver<Vec<u8>>,
    acting: mpsc::UnboundedReceiver<Act>,
    telling: mpsc::UnboundedSender<Event>,
    gone: Option<oneshot::Sender<()>>,
    rewired: mpsc::UnboundedReceiver<Rewired>,
}

async fn run(mut phone: Running) {
    let epoch = tokio::time::Instant::now();
    let hub = FROM_HUB;
    loop {
        let wake = loop {
            match phone.endpoint.poll_output(epoch.elapsed()) {
                Output::Transmit { bytes, .. } => {
                    let _ = phone.to_hub.send(bytes);
                }
                Output::Event(event) => {
                    let _ = phone.telling.send(event);
                }
                Output::Close { .. } => {}
                Output::Timeout(at) => break at,
            }
        };
        let sleep = async {
            match wake {
                Some(at) => tokio::time::sleep_until(epoch + at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // A move comes before what is asked after it.
            biased;
            Some((to_hub, incoming)) = phone.rewired.recv() => {
                (phone.to_hub, phone.incoming) = (to_hub, incoming);
                // Read again, also where the old one had closed; who waits for a close waited for the first.
                phone.gone.get_or_insert_with(|| oneshot::channel().0);
                let transport = phone.transport;
                let closed = Input::StreamClosed { transport, remote: hub };
                phone.endpoint.handle_input(closed, epoch.elapsed());
            }
            act = phone.acting.recv() => match act {
                Some(act) => act(&mut phone.endpoint, epoch.elapsed()),
                None => return,
            },
            bytes = phone.incoming.recv(), if phone.gone.is_some() => match bytes {
                Some(bytes) => {
                    let input = Input::Received {
                        transport: phone.transport,
                        local: phone.local,
                        remote: hub,
                        bytes: &bytes,
                    };
                    phone.endpoint.handle_input(input, epoch.elapsed());
                }
                None => {
                    if let Some(gone) = phone.gone.take() {
                        let _ = gone.send(());
                    }
                }
            },
            () = sleep => phone.endpoint.handle_input(Input::Timeout, epoch.elapsed()),
        }
    }
}
