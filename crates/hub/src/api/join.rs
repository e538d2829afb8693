//! Joining with an invitation, and renewing a certificate.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::browser::renewing;
use super::gate::Caller;
use super::given::Given;
use super::{Answered, Created, Shared};
use crate::certificate_request::CertificateRequest;
use crate::clock::UnixMs;
use crate::device::{Device, NewDevice};
use crate::home::Counted;
use crate::id::DeviceId;
use crate::invitation::JoinedAnswer;
use crate::problem::Problem;
use crate::store::StoreError;

/// What a joiner needs to know first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JoinFacts {
    /// The home's certificate authority. Whoever has the QR code compares its SHA-256; whoever typed the code
    /// proves with it and checks the answer's proof.
    ca_pem: String,
}

/// A wish to join.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JoinRequest {
    /// PKCS #10, PEM: an ECDSA key on P-256.
    request_pem: String,
    /// Base64 of HMAC-SHA256 over the request and the authority's fingerprint, with the key derived from the code.
    proof: String,
}

/// What a device gets.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Joined {
    /// The device, with its id.
    device: Device,
    /// Its certificate.
    certificate_pem: String,
    /// The home's authority.
    ca_pem: String,
    /// When the certificate ends; renew it a month before.
    not_after_ms: UnixMs,
    /// Base64 of HMAC-SHA256 over request, certificate, authority, the device and the end: the hub knows the code too.
    proof: String,
}

/// A wish for a further certificate.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RenewRequest {
    /// PKCS #10, PEM: the same key or a fresh one.
    request_pem: String,
}

/// A further certificate.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Renewed {
    /// The certificate.
    certificate_pem: String,
    /// When it ends.
    not_after_ms: UnixMs,
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    let text = STANDARD.encode(certificate);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().copied().map(char::from));
        pem.push('\n');
    }
    pem + "-----END CERTIFICATE-----\n"
}

fn read_request(text: &str) -> Result<CertificateRequest, Problem> {
    let wrong = |detail: String| Problem::invalid_field("request_pem", detail);
    let der = CertificateSigningRequestDer::from_pem_slice(text.as_bytes())
        .map_err(|_| wrong("not a PEM block CERTIFICATE REQUEST".to_owned()))?;
    CertificateRequest::from_der(&der).map_err(|error| wrong(error.to_string()))
}

/// What a joiner needs to know first.
#[utoipa::path(get, path = "/api/v1/join", tag = "join", responses((status = 200, body = JoinFacts)))]
pub(super) async fn facts(State(home): State<Shared>) -> Json<JoinFacts> {
    Json(JoinFacts {
        ca_pem: pem(home.authority.certificate()),
    })
}

/// Join with a code: the proof shows that the joiner has it, the code itself does not travel.
#[utoipa::path(post, path = "/api/v1/join", tag = "join", request_body = JoinRequest,
    responses((status = 201, body = Joined)))]
pub(super) async fn join(
    State(home): State<Shared>,
    caller: Caller,
    Given(wish): Given<JoinRequest>,
) -> Created<Joined> {
    let now = home.clock.now();
    home.tries_by_source
        .take(&Counted::source(caller.peer.source), now)
        .map_err(Problem::too_many)?;
    let request = read_request(&wish.request_pem)?;
    let proof = STANDARD
        .decode(&wish.proof)
        .map_err(|_| Problem::invalid_field("proof", "not base64"))?;
    let ca = home.authority.fingerprint();
    let open = home.store.open_invitations(now).await?;
    let found = open
        .into_iter()
        .find(|(_, key)| key.proves_join(request.der(), &ca, &proof));
    let Some((invitation, key)) = found else {
        let locked = home.store.note_wrong_try(now).await?;
        if locked > 0 {
            tracing::warn!(locked, "invitations were locked after too many wrong codes");
        }
        return Err(Problem::forbidden(
            "no open invitation has this code; it may be mistyped, used, expired or locked. Make a new one with `hearth hub invite`",
        ));
    };
    let id = DeviceId::random()?;
    let (certificate, issued) = home.authority.issue_device(id, &request, now)?;
    let new = NewDevice {
        id,
        kind: invitation.kind,
        fields: invitation.fields,
        key_fingerprint: request.key_fingerprint(),
        certificate: issued,
    };
    let device = match home.store.accept_invitation(invitation.id, &new, now).await {
        Err(StoreError::NotFound(_)) => {
            return Err(Problem::forbidden("the invitation was used a moment ago"));
        }
        other => other?,
    };
    let authority = home.authority.certificate();
    let proof = key.joined_proof(&JoinedAnswer {
        request: request.der(),
        certificate: &certificate,
        ca: authority,
        device: device.id,
        kind: device.kind,
        fields: &device.fields,
        not_after: issued.not_after,
    });
    tracing::info!(device = %device.id, "a device joined");
    let joined = Joined {
        device,
        certificate_pem: pem(&certificate),
        ca_pem: pem(authority),
        not_after_ms: issued.not_after,
        proof: STANDARD.encode(proof),
    };
    Ok((StatusCode::CREATED, Json(joined)))
}

/// A further certificate for the device that shows its present one, also when that has ended not long ago, or for the
/// browser whose session is that device's, with the same key.
#[utoipa::path(post, path = "/api/v1/certificate", tag = "join", request_body = RenewRequest,
    responses((status = 200, body = Renewed)))]
pub(super) async fn renew(
    State(home): State<Shared>,
    caller: Caller,
    Given(wish): Given<RenewRequest>,
) -> Answered<Renewed> {
    let request = read_request(&wish.request_pem)?;
    let device = renewing(&home, &caller, &request.key_fingerprint()).await?;
    let now = home.clock.now();
    let (certificate, issued) = home.authority.issue_device(device.id, &request, now)?;
    home.store
        .add_certificate(device.id, &request.key_fingerprint(), &issued, now)
        .await?;
    Ok(Json(Renewed {
        certificate_pem: pem(&certificate),
        not_after_ms: issued.not_after,
    }))
}
