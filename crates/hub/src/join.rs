//! The joining device's side: makes its own key, proves the code, checks the hub's proof.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hearthline_transport::Reach;
use hearthline_transport::reach::OutOfReach;
use hyper::body::Body as _;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::clock::UnixMs;
use crate::device::{DeviceFields, DeviceKind, Fingerprint};
use crate::id::DeviceId;
use crate::invitation::{Code, InvitationKey, JoinedAnswer};
use crate::tls::provider;

/// How long joining may take.
const TIME_MAX: Duration = Duration::from_secs(30);
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Why joining did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// Beyond this machine.
    #[error(transparent)]
    Reach(#[from] OutOfReach),
    /// Too slow.
    #[error("the hub did not answer within 30 s")]
    TimedOut,
    /// No connection.
    #[error("no connection to the hub: {0}")]
    Connection(String),
    /// The hub's authority is not the one of the QR code.
    #[error(
        "this is not the hub of the QR code: its certificate authority is another one. Somebody may stand in between"
    )]
    OtherAuthority,
    /// The hub refused.
    #[error("the hub refused ({status}): {detail}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What it said.
        detail: String,
    },
    /// The answer's proof does not hold.
    #[error(
        "the answer is not from a hub that knows the code. Somebody may stand in between; nothing was kept"
    )]
    NotProven,
    /// The answer does not read.
    #[error("the hub's answer does not read: {0}")]
    Answer(String),
    /// No key could be made.
    #[error("key: {0}")]
    Key(#[from] rcgen::Error),
    /// TLS.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// What a device keeps of joining.
pub struct Membership {
    /// Its id.
    pub device: DeviceId,
    /// What it is.
    pub kind: DeviceKind,
    /// Name, room, person.
    pub fields: DeviceFields,
    /// Its secret key, PKCS #8 PEM; write it to a file of mode 0600.
    pub key_pem: String,
    /// Its certificate.
    pub certificate_pem: String,
    /// The home's authority; trust no other.
    pub ca_pem: String,
    /// When the certificate ends.
    pub not_after: UnixMs,
}

impl std::fmt::Debug for Membership {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Membership({:?})", self.device)
    }
}

#[derive(Deserialize)]
struct Facts {
    ca_pem: String,
}

#[derive(Deserialize)]
struct Answer {
    device: AnsweredDevice,
    certificate_pem: String,
    ca_pem: String,
    not_after_ms: UnixMs,
    proof: String,
}

#[derive(Deserialize)]
struct AnsweredDevice {
    id: DeviceId,
    kind: DeviceKind,
    name: crate::text::Name,
    room: Option<crate::id::RoomId>,
    person: Option<crate::id::PersonId>,
}

/// Joins the home at `hub` with a code; with the fingerprint of the QR code, only that home.
///
/// # Errors
/// [`JoinError`]. Nothing is kept of a try that failed.
pub async fn join(
    hub: SocketAddr,
    code: &Code,
    ca: Option<Fingerprint>,
) -> Result<Membership, JoinError> {
    Reach::LoopbackOnly.check(hub)?;
    tokio::time::timeout(TIME_MAX, attempt(hub, code, ca))
        .await
        .map_err(|_| JoinError::TimedOut)?
}

/// A key and a request for it, PEM.
///
/// # Errors
/// When no key can be made.
pub fn make_request(key: &KeyPair) -> Result<(Vec<u8>, String), rcgen::Error> {
    let mut params = CertificateParams::default();
    // The hub decides the names.
    params.distinguished_name = DistinguishedName::new();
    let request = params.serialize_request(key)?;
    Ok((request.der().to_vec(), request.pem()?))
}

async fn attempt(
    hub: SocketAddr,
    code: &Code,
    pinned: Option<Fingerprint>,
) -> Result<Membership, JoinError> {
    let stranger = trusting_nobody_yet()?;
    let facts: Facts = ask(hub, &stranger, Method::GET, "/api/v1/join", None).await?;
    let ca = certificate(&facts.ca_pem)?;
    let ca_fingerprint = Fingerprint::of(&ca);
    if pinned.is_some_and(|pinned| pinned != ca_fingerprint) {
        return Err(JoinError::OtherAuthority);
    }
    let own = code.clone();
    let key = tokio::task::spawn_blocking(move || InvitationKey::derive(&own, &ca_fingerprint))
        .await
        .map_err(|error| JoinError::Answer(error.to_string()))?;
    let pair = KeyPair::generate()?;
    let (request, request_pem) = make_request(&pair)?;
    let proof = STANDARD.encode(key.join_proof(&request, &ca_fingerprint));
    let wish = serde_json::json!({ "request_pem": request_pem, "proof": proof });
    let wish = Some(wish.to_string());
    let answer: Answer = ask(hub, &stranger, Method::POST, "/api/v1/join", wish).await?;
    let (issued, answered_ca) = (
        certificate(&answer.certificate_pem)?,
        certificate(&answer.ca_pem)?,
    );
    let proof = STANDARD.decode(&answer.proof).unwrap_or_default();
    let fields = DeviceFields {
        name: answer.device.name,
        room: answer.device.room,
        person: answer.device.person,
    };
    let answered = JoinedAnswer {
        request: &request,
        certificate: &issued,
        ca: &ca,
        device: answer.device.id,
        kind: answer.device.kind,
        fields: &fields,
        not_after: answer.not_after_ms,
    };
    if answered_ca != ca || !key.proves_joined(&answered, &proof) {
        return Err(JoinError::NotProven);
    }
    Ok(Membership {
        device: answer.device.id,
        kind: answer.device.kind,
        fields,
        key_pem: pair.serialize_pem(),
        certificate_pem: answer.certificate_pem,
        ca_pem: answer.ca_pem,
        not_after: answer.not_after_ms,
    })
}

fn certificate(pem: &str) -> Result<CertificateDer<'static>, JoinError> {
    CertificateDer::from_pem_slice(pem.as_bytes())
        .map_err(|error| JoinError::Answer(error.to_string()))
}

/// Where the telephone of a home is: what a member needs to register.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Telephone {
    /// Domain of the home's addresses; the member's own is `sip:ITS-ID@DOMAIN`.
    pub domain: String,
    /// Transport and address, `tls:127.0.0.1:5061`.
    pub servers: Vec<String>,
}

/// Asks the hub, as its member, where the home's telephone is; `None`: this hub carries no calls.
///
/// # Errors
/// [`JoinError`].
pub async fn telephone(
    hub: SocketAddr,
    member: &Membership,
) -> Result<Option<Telephone>, JoinError> {
    Reach::LoopbackOnly.check(hub)?;
    let config = as_member(member)?;
    let asked = ask(hub, &config, Method::GET, "/api/v1/telephone", None);
    match tokio::time::timeout(TIME_MAX, asked).await {
        Err(_) => Err(JoinError::TimedOut),
        Ok(Ok(telephone)) => Ok(Some(telephone)),
        Ok(Err(JoinError::Refused { status: 404, .. })) => Ok(None),
        Ok(Err(error)) => Err(error),
    }
}

/// TLS whose certificate nobody vouches for yet: the proofs do afterwards.
fn trusting_nobody_yet() -> Result<Arc<ClientConfig>, JoinError> {
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(NotYet))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn as_member(member: &Membership) -> Result<Arc<ClientConfig>, JoinError> {
    as_device(&member.ca_pem, &member.certificate_pem, &member.key_pem)
}

/// TLS that trusts the home's authority alone and shows the member's certificate.
pub(crate) fn as_device(
    ca_pem: &str,
    certificate_pem: &str,
    key_pem: &str,
) -> Result<Arc<ClientConfig>, JoinError> {
    let unread = |error: rustls::pki_types::pem::Error| JoinError::Answer(error.to_string());
    let mut roots = RootCertStore::empty();
    roots.add(certificate(ca_pem)?)?;
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(unread)?;
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![certificate(certificate_pem)?], key)?;
    Ok(Arc::new(config))
}

/// One request.
async fn ask<T: serde::de::DeserializeOwned>(
    hub: SocketAddr,
    config: &Arc<ClientConfig>,
    method: Method,
    path: &str,
    body: Option<String>,
) -> Result<T, JoinError> {
    let body = body.unwrap_or_default().into_bytes();
    send(hub, config, method, path, "application/json", body).await
}

/// The same with a body of any type.
pub(crate) async fn send<T: serde::de::DeserializeOwned>(
    hub: SocketAddr,
    config: &Arc<ClientConfig>,
    method: Method,
    path: &str,
    content_type: &str,
    body: Vec<u8>,
) -> Result<T, JoinError> {
    let failed = |error: &dyn std::fmt::Display| JoinError::Connection(error.to_string());
    let stream = TcpStream::connect(hub)
        .await
        .map_err(|error| failed(&error))?;
    let stream = TlsConnector::from(config.clone())
        .connect(ServerName::IpAddress(hub.ip().into()), stream)
        .await
        .map_err(|error| failed(&error))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failed(&error))?;
    let driver = tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, hub.to_string())
        .header(header::CONTENT_TYPE, content_type)
        .body(axum::body::Body::from(body))
        .map_err(|error| failed(&error))?;
    let answer = sender.send_request(request).await;
    let answer = answer.map_err(|error| failed(&error))?;
    let status = answer.status();
    let bytes = read(answer.into_body()).await?;
    driver.abort();
    if status.is_success() {
        return serde_json::from_slice(&bytes)
            .map_err(|error| JoinError::Answer(error.to_string()));
    }
    let detail = serde_json::from_slice::<serde_json::Value>(&bytes)
        .ok()
        .and_then(|problem| Some(problem.get("detail")?.as_str()?.to_owned()));
    let detail = detail.unwrap_or_else(|| reason(status));
    Err(JoinError::Refused {
        status: status.as_u16(),
        detail,
    })
}

fn reason(status: StatusCode) -> String {
    status
        .canonical_reason()
        .unwrap_or("no reason given")
        .to_owned()
}

async fn read(mut body: hyper::body::Incoming) -> Result<Bytes, JoinError> {
    let mut bytes = Vec::new();
    while let Some(frame) =
        std::future::poll_fn(|context| std::pin::Pin::new(&mut body).poll_frame(context)).await
    {
        let frame = frame.map_err(|error| JoinError::Connection(error.to_string()))?;
        if let Ok(data) = frame.into_data() {
            if bytes.len() + data.len() > ANSWER_BYTES_MAX {
                return Err(JoinError::Answer("it is too long".to_owned()));
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes.into())
}

/// Accepts any certificate whose key the peer holds. Used for joining alone, where the code's proofs decide.
#[derive(Debug)]
struct NotYet;

impl ServerCertVerifier for NotYet {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &provider().signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &provider().signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
