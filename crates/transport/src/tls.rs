//! TLS for SIP on rustls with the ring provider, the one crypto provider of the workspace.
//!
//! An emergency call is not given up for a certificate: RFC 6881 ED-58 has it placed without TLS
//! when TLS fails, and an unverified TLS connection is still better than none. So [`Trust::Any`]
//! accepts every certificate and records whether it would have been good.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::connection::ClientTls;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig, SignatureScheme,
};

/// Our certificate chain and its key, PEM.
#[derive(Clone)]
pub struct Identity {
    /// The certificate, and those that lead to its root.
    pub certificates_pem: Vec<u8>,
    /// The private key: PKCS #8, SEC1 or PKCS #1.
    pub key_pem: Vec<u8>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// Which servers we talk to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Those whose certificate one of the roots vouches for.
    Verified,
    /// Any, for emergency calls; whether the certificate is good is recorded.
    Any,
}

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The PEM text holds no certificate, or a broken one.
    #[error("certificates: {0}; give PEM text with at least one CERTIFICATE block")]
    Certificates(String),
    /// The PEM text holds no private key, or a broken one.
    #[error("private key: {0}; give PEM text with one PRIVATE KEY block")]
    Key(String),
    /// Certificate and key do not fit, or rustls refuses them.
    #[error("TLS refuses the configuration: {0}")]
    Refused(#[from] Error),
    /// The name cannot stand in a certificate.
    #[error("not a host name or address that a certificate can carry")]
    ServerName,
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| TlsError::Certificates(error.to_string()))
}

/// The roots out of PEM text; empty text gives no roots.
pub(crate) fn roots(pem: &[u8]) -> Result<Arc<RootCertStore>, TlsError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(pem)? {
        store.add(certificate)?;
    }
    Ok(Arc::new(store))
}

pub(crate) type ChainAndKey = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

pub(crate) fn chain_and_key(identity: &Identity) -> Result<ChainAndKey, TlsError> {
    let chain = certificates(&identity.certificates_pem)?;
    if chain.is_empty() {
        return Err(TlsError::Certificates("none found".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(&identity.key_pem)
        .map_err(|error| TlsError::Key(error.to_string()))?;
    Ok((chain, key))
}

/// The server's side.
pub(crate) fn server(identity: &Identity) -> Result<Arc<ServerConfig>, TlsError> {
    let (chain, key) = chain_and_key(identity)?;
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(Arc::new(config))
}

/// The client's side of one connection, and where it notes whether the certificate is good.
pub(crate) fn client(tls: &ClientTls) -> Result<(Arc<ClientConfig>, Arc<AtomicBool>), TlsError> {
    let (roots, trust) = (&tls.roots, tls.trust);
    let provider = provider();
    let verified = Arc::new(AtomicBool::new(false));
    let strict = if roots.is_empty() {
        None
    } else {
        WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone())
            .build()
            .ok()
    };
    let verifier = Recorder {
        strict,
        trust,
        provider: provider.clone(),
        verified: verified.clone(),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let config = match &tls.identity {
        None => config.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = chain_and_key(identity)?;
            config.with_client_auth_cert(chain, key)?
        }
    };
    Ok((Arc::new(config), verified))
}

/// The name for the handshake.
pub(crate) fn server_name(name: Option<&str>, ip: IpAddr) -> Result<ServerName<'static>, TlsError> {
    match name {
        Some(name) => ServerName::try_from(name.to_owned()).map_err(|_| TlsError::ServerName),
        None => Ok(ServerName::IpAddress(ip.into())),
    }
}

/// Judges as the roots say, notes the judgement, and with [`Trust::Any`] lets it pass.
#[derive(Debug)]
struct Recorder {
    strict: Option<Arc<WebPkiServerVerifier>>,
    trust: Trust,
    provider: Arc<CryptoProvider>,
    verified: Arc<AtomicBool>,
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judgement = match &self.strict {
            Some(strict) => strict.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ),
            None => Err(Error::General("no roots are configured".to_owned())),
        };
        self.verified.store(judgement.is_ok(), Ordering::Release);
        match (judgement, self.trust) {
            (Err(error), Trust::Verified) => Err(error),
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    // The peer must hold the key of the certificate it shows, whoever vouches for that.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
