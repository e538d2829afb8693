//! The device's side of handing in a bundle.

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::Method;
use hearthline_transport::Reach;
use serde::Deserialize;

use crate::id::IncidentId;
use crate::join::{JoinError, as_device, send};

/// How long it may take, the hub's check included.
const TIME_MAX: Duration = Duration::from_secs(60);

/// By what a device shows that it belongs to the home, as PEM.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// The home's authority.
    pub authority_pem: &'a str,
    /// The device's certificate.
    pub certificate_pem: &'a str,
    /// Its secret key.
    pub key_pem: &'a str,
}

#[derive(Deserialize)]
struct Reported {
    id: IncidentId,
}

/// Hands in a bundle. The same again changes nothing, so whoever does not know whether it arrived asks again.
///
/// # Errors
/// [`JoinError`]; refused with status 400 or 409, it will never be taken.
pub async fn hand_in(
    hub: SocketAddr,
    shown: Shown<'_>,
    bundle: Vec<u8>,
) -> Result<IncidentId, JoinError> {
    Reach::LoopbackOnly.check(hub)?;
    let config = as_device(shown.authority_pem, shown.certificate_pem, shown.key_pem)?;
    let path = "/api/v1/incidents/bundles";
    let sent = send::<Reported>(hub, &config, Method::POST, path, "application/zip", bundle);
    match tokio::time::timeout(TIME_MAX, sent).await {
        Err(_) => Err(JoinError::TimedOut),
        Ok(answer) => answer.map(|reported| reported.id),
    }
}
