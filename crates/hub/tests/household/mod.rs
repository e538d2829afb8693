//! A hub on loopback with people, and clients that speak to it over real TLS.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part"
)]

mod enrolled;
pub mod recorded;
pub mod service;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hearthline_hub::clock::Clock;
use hearthline_hub::device::{DeviceFields, DeviceKind};
use hearthline_hub::id::DeviceId;
use hearthline_hub::join::{Membership, join};
use hearthline_hub::person::{Person, PersonFields, Role};
use hearthline_hub::rate::Rate;
use hearthline_hub::session::Password;
use hearthline_hub::sip::SipConfig;
use hearthline_hub::text::{Login, Name};
use hearthline_hub::{Hub, HubConfig, HubHandle, Limits};
use hearthline_ledger::TrustPolicy;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub const PASSWORD: &str = "correct horse battery";

/// So generous that only the tests of the limits meet them.
pub fn generous() -> Limits {
    let rate = Rate {
        burst: 1_000_000,
        every_ms: 1,
    };
    Limits {
        anonymous: rate,
        known: rate,
        tries_by_source: rate,
        tries_by_account: rate,
        tries_by_account_anywhere: rate,
        ..Limits::default()
    }
}

pub struct Household {
    pub hub: HubHandle,
    pub folder: tempfile::TempDir,
    pub clock: Clock,
    pub people: Vec<Person>,
    pub ca_pem: String,
}

impl Household {
    pub async fn new() -> Self {
        Self::with(generous()).await
    }

    pub async fn with(limits: Limits) -> Self {
        Self::of(limits, None).await
    }

    pub async fn with_sip(sip: SipConfig) -> Self {
        Self::of(generous(), Some(sip)).await
    }

    async fn of(limits: Limits, sip: Option<SipConfig>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::default();
        let mut config = HubConfig::new(folder.path());
        config.limits = limits;
        config.sip = sip;
        config.clock = clock.clone();
        let hub = Hub::start(config).await.unwrap();
        let mut people = Vec::new();
        for (role, name) in [
            (Role::Owner, "olive"),
            (Role::Adult, "adam"),
            (Role::Child, "chris"),
            (Role::Guest, "gail"),
        ] {
            let fields = PersonFields {
                name: Name::new(name).unwrap(),
                role,
                login: Some(Login::new(name).unwrap()),
            };
            let password = Password::try_from(PASSWORD.to_owned()).unwrap();
            people.push(hub.add_person(&fields, Some(password)).await.unwrap());
        }
        let mut household = Self {
            hub,
            folder,
            clock,
            people,
            ca_pem: String::new(),
        };
        household.ca_pem = read_ca(household.folder.path());
        household
    }

    /// The same home after its hub was switched off and on.
    pub async fn restart(self, sip: Option<SipConfig>) -> Self {
        self.hub.stop().await;
        let mut config = HubConfig::new(self.folder.path());
        config.limits = generous();
        config.sip = sip;
        config.clock = self.clock.clone();
        let hub = Hub::start(config).await.unwrap();
        Self { hub, ..self }
    }

    pub fn address(&self) -> SocketAddr {
        self.hub.addresses()[0]
    }

    /// The same home, whose hub believes these witnesses from now on.
    pub async fn believing(self, bundle_policy: TrustPolicy) -> Self {
        self.hub.stop().await;
        let mut config = HubConfig::new(self.folder.path());
        config.limits = generous();
        config.clock = self.clock.clone();
        config.bundle_policy = bundle_policy;
        let hub = Hub::start(config).await.unwrap();
        Self { hub, ..self }
    }

    /// Joins a device through a real invitation.
    pub async fn device(
        &self,
        kind: DeviceKind,
        name: &str,
        person: Option<&Person>,
    ) -> Membership {
        let fields = DeviceFields {
            name: Name::new(name).unwrap(),
            room: None,
            person: person.map(|person| person.id),
        };
        let invited = self.hub.invite(kind, fields).await.unwrap();
        let ca = self.hub.ca_fingerprint();
        join(self.address(), &invited.code, Some(ca)).await.unwrap()
    }

    pub fn anonymous(&self) -> Client {
        Client::new(self.address(), &self.ca_pem, None)
    }

    pub fn as_device(&self, membership: &Membership) -> Client {
        Client::new(self.address(), &self.ca_pem, Some(membership))
    }

    /// Logs in as an app.
    pub async fn login(&self, role: Role) -> Client {
        let mut client = self.anonymous();
        let person = self.person(role);
        let login = person.fields.login.as_ref().unwrap().as_str();
        let wish = json!({"login": login, "password": PASSWORD, "kind": "app"});
        let (status, body) = client.post("/api/v1/sessions", &wish).await;
        assert_eq!(status, 201, "{body}");
        client.header(
            "authorization",
            &format!("Bearer {}", body["token"].as_str().unwrap()),
        );
        client
    }

    pub fn person(&self, role: Role) -> &Person {
        self.people
            .iter()
            .find(|person| person.fields.role == role)
            .unwrap()
    }
}

fn read_ca(folder: &std::path::Path) -> String {
    let text = std::fs::read_to_string(folder.join("authority.pem")).unwrap();
    let start = text.find("-----BEGIN CERTIFICATE").unwrap();
    text[start..].to_owned()
}

/// A client that trusts the home's authority alone.
#[derive(Clone)]
pub struct Client {
    pub address: SocketAddr,
    pub tls: Arc<ClientConfig>,
    pub headers: Vec<(String, String)>,
}

impl Client {
    pub fn new(address: SocketAddr, ca_pem: &str, membership: Option<&Membership>) -> Self {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let tls = match membership {
            Some(own) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(own.certificate_pem.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(own.key_pem.as_bytes()).unwrap(),
                )
                .unwrap(),
            None => builder.with_no_client_auth(),
        };
        Self {
            address,
            tls: Arc::new(tls),
            headers: Vec::new(),
        }
    }

    pub fn header(&mut self, name: &str, value: &str) {
        self.headers.retain(|(own, _)| own != name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(own, _)| own != name);
        self
    }

    /// One connection; `None` when the hub does not want it.
    pub async fn connect(&self) -> Option<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(self.address).await.ok()?;
        let name = ServerName::IpAddress(self.address.ip().into());
        let stream = TlsConnector::from(self.tls.clone())
            .connect(name, stream)
            .await
            .ok()?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .ok()?;
        tokio::spawn(connection);
        Some(sender)
    }

    pub fn request(&self, method: &str, path: &str, body: Vec<u8>) -> Request<Full<Bytes>> {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header("host", self.address.to_string());
        if !self.headers.iter().any(|(name, _)| name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(Full::new(body.into())).unwrap()
    }

    pub async fn try_send(
        &self,
        method: &str,
        path: &str,
        body: Vec<u8>,
    ) -> Option<Response<Incoming>> {
        let mut sender = self.connect().await?;
        sender
            .send_request(self.request(method, path, body))
            .await
            .ok()
    }

    pub async fn send_bytes(
        &self,
        method: &str,
        path: &str,
        body: Vec<u8>,
    ) -> (u16, hyper::HeaderMap, Vec<u8>) {
        let answer = self.try_send(method, path, body).await.expect("an answer");
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        (head.status.as_u16(), head.headers, body)
    }

    pub async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let bytes = body
            .map(|body| body.to_string().into_bytes())
            .unwrap_or_default();
        let (status, _, body) = self.send_bytes(method, path, bytes).await;
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.send("GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send("POST", path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send("PUT", path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> (u16, Value) {
        self.send("DELETE", path, None).await
    }

    /// Opens the stream of events.
    pub async fn events(&self, last: Option<i64>) -> EventStream {
        let mut client = self.clone();
        if let Some(last) = last {
            client.header("last-event-id", &last.to_string());
        }
        let answer = client
            .try_send("GET", "/api/v1/events", Vec::new())
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        EventStream {
            body: answer.into_body(),
            text: String::new(),
        }
    }
}

pub struct EventStream {
    body: Incoming,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub id: i64,
    pub kind: String,
    pub subject: String,
}

impl EventStream {
    /// The next event; `None` when the hub ended the stream.
    pub async fn next(&mut self) -> Option<Told> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                let line = |name: &str| {
                    block
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .map(str::to_owned)
                };
                if let (Some(id), Some(kind), Some(data)) =
                    (line("id: "), line("event: "), line("data: "))
                {
                    let data: Value = serde_json::from_str(&data).unwrap();
                    return Some(Told {
                        id: id.parse().unwrap(),
                        kind,
                        subject: data["id"].as_str().unwrap_or("").to_owned(),
                    });
                }
            }
            let frame = tokio::time::timeout(Duration::from_secs(20), self.body.frame())
                .await
                .expect("an event or the end within 20 s")?;
            let data = frame.ok()?.into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// The next of this kind.
    pub async fn next_of(&mut self, kind: &str) -> Option<Told> {
        loop {
            let told = self.next().await?;
            if told.kind == kind {
                return Some(told);
            }
        }
    }
}

pub fn device_path(id: DeviceId) -> String {
    format!("/api/v1/devices/{id}")
}
