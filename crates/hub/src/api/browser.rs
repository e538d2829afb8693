//! A browser as a device of the home.
//!
//! A page shows no certificate on its connections, so what a device's certificate proves elsewhere is proven once for the
//! session: the device's key signs the session's own token against forged requests. From then on the session is that
//! device's: SIP over WebSocket is admitted as its, and a revocation of the device ends the session.

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::ParsedCertificate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::gate::{Caller, Shown, Who};
use super::given::Given;
use super::{Answered, Shared};
use crate::device::{Device, Fingerprint};
use crate::problem::Problem;
use crate::session::Session;

/// Before the token in what the key signs, so that no other signature of the device is taken for this one.
const SIGNED: &str = "hearthline browser session v1\n";
/// Before the point in the SubjectPublicKeyInfo of a P-256 key (RFC 5480 section 2).
const P256_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A,
    0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Which device this browser is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OwnDevice {
    /// The certificate that joining gave.
    certificate_pem: String,
    /// Base64 of 64 octets: ES256 of the device's key over `hearthline browser session v1`, a line feed and the
    /// `csrf_token` of this session.
    signature: String,
}

/// The session becomes the device's that this browser joined as. The device is the person's own or the whole household's.
#[utoipa::path(put, path = "/api/v1/me/device", tag = "sessions", request_body = OwnDevice,
    responses((status = 200, body = Session)))]
pub(super) async fn bind(
    State(home): State<Shared>,
    caller: Caller,
    shown: Shown,
    Given(wish): Given<OwnDevice>,
) -> Answered<Session> {
    let (Who::Person { person, session }, Some(token)) = (&caller.who, shown.csrf()) else {
        return Err(Problem::forbidden("this is for the sessions of browsers"));
    };
    let wrong = || Problem::forbidden("not a certificate of this home with its key's signature");
    let certificate = CertificateDer::from_pem_slice(wish.certificate_pem.as_bytes())
        .map_err(|_| Problem::invalid_field("certificate_pem", "not a PEM certificate"))?;
    let signature = STANDARD
        .decode(&wish.signature)
        .map_err(|_| Problem::invalid_field("signature", "not base64"))?;
    let found = home
        .store
        .device_by_certificate(&Fingerprint::of(&certificate))
        .await?;
    let (device, issued) = found.ok_or_else(wrong)?;
    if device.revoked_at_ms.is_some() {
        return Err(Problem::forbidden(
            "this browser's device was removed from the home; invite it anew",
        ));
    }
    if issued.not_after <= home.clock.now() {
        return Err(Problem::forbidden(
            "this browser's certificate has ended; invite it anew",
        ));
    }
    let signed = format!("{SIGNED}{token}");
    if !has_signed(&certificate, signed.as_bytes(), &signature) {
        return Err(wrong());
    }
    if device.fields.person.is_some_and(|own| own != person.id) {
        return Err(Problem::forbidden(
            "this browser is another person's device; invite it anew for yourself",
        ));
    }
    let id = session.id;
    home.store
        .bind_session(id, device.id, home.clock.now())
        .await?;
    Ok(Json(Session {
        device: Some(device.id),
        ..session.clone()
    }))
}

/// Whether the key of a certificate of ours made this signature.
fn has_signed(certificate: &CertificateDer<'_>, message: &[u8], signature: &[u8]) -> bool {
    let Ok(parsed) = ParsedCertificate::try_from(certificate) else {
        return false;
    };
    let key = parsed.subject_public_key_info();
    let Some(point) = key.strip_prefix(&P256_HEAD) else {
        return false;
    };
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(message, signature)
        .is_ok()
}

/// The device for which a further certificate is wanted: the one that shows its present one, or the one that the session
/// is bound to, whose key the request must then be of: only that key says that it is still the same browser.
pub(super) async fn renewing(
    home: &Shared,
    caller: &Caller,
    key: &Fingerprint,
) -> Result<Device, Problem> {
    match &caller.who {
        Who::Device { device, .. } => Ok(device.as_ref().clone()),
        Who::Person { session, .. } => {
            let bound = session.device.ok_or_else(|| {
                Problem::forbidden("this session is no device's; only devices have certificates")
            })?;
            let device = home.store.device(bound).await?;
            if device.key_fingerprint != *key {
                return Err(Problem::forbidden("the request is of another key"));
            }
            Ok(device)
        }
        Who::Nobody => Err(Problem::unauthenticated()),
    }
}
