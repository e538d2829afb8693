//! TLS of the hub's HTTPS socket: 1.3 only, the home's certificate, and devices known by theirs.
//!
//! Whoever shows no certificate may still speak (browsers, joiners); what they may do is decided per request.
//! Whoever shows one must hold its key and have it from this home. Whether the device behind it was revoked is
//! asked of the store for each connection and each request, never of the certificate.

use std::fmt;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme,
};

use crate::authority::{Authority, RENEWAL_GRACE_MS, ServerIdentity};
use crate::clock::{Clock, UnixMs};

/// The crypto provider of the workspace.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The hub's own certificate; renewed while connections go on.
pub(crate) struct OwnCertificate(RwLock<Arc<CertifiedKey>>);

impl fmt::Debug for OwnCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnCertificate")
    }
}

impl OwnCertificate {
    pub(crate) fn new(identity: ServerIdentity) -> Result<Self, Error> {
        Ok(Self(RwLock::new(certified(identity)?)))
    }

    pub(crate) fn replace(&self, identity: ServerIdentity) -> Result<(), Error> {
        let fresh = certified(identity)?;
        *self
            .0
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = fresh;
        Ok(())
    }
}

fn certified(identity: ServerIdentity) -> Result<Arc<CertifiedKey>, Error> {
    CertifiedKey::from_der(identity.chain, identity.key, &provider()).map(Arc::new)
}

impl ResolvesServerCert for OwnCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let own = self
            .0
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        Some(own.clone())
    }
}

/// The configuration of the HTTPS socket.
pub(crate) fn https(
    authority: &Authority,
    own: Arc<OwnCertificate>,
    clock: Clock,
) -> Result<Arc<ServerConfig>, Error> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate().clone())?;
    let home = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .allow_unauthenticated()
        .build()
        .map_err(|error| Error::General(error.to_string()))?;
    // TLS 1.2 would send a device's certificate, and so its id, in the clear.
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(HomeVerifier { home, clock }))
        .with_cert_resolver(own);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The home's devices by the hub's own clock, with the grace in which an ended certificate may still renew itself.
#[derive(Debug)]
struct HomeVerifier {
    home: Arc<dyn ClientCertVerifier>,
    clock: Clock,
}

fn moment(at: UnixMs) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(at.seconds().max(0).cast_unsigned()))
}

impl ClientCertVerifier for HomeVerifier {
    fn offer_client_auth(&self) -> bool {
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.home.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let now = self.clock.now();
        let judge = |at| {
            self.home
                .verify_client_cert(end_entity, intermediates, moment(at))
        };
        judge(now).or_else(|error| judge(now.plus_ms(-RENEWAL_GRACE_MS)).map_err(|_| error))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.home.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.home.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.home.supported_verify_schemes()
    }
}
