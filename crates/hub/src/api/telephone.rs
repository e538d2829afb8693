//! Where the home's SIP server is.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Answered, Shared};
use crate::problem::Problem;

/// What a device must know to register.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Telephone {
    /// Domain of the home's addresses; a device's own is `sip:ITS-ID@DOMAIN`.
    domain: String,
    /// Transport and address, `tls:127.0.0.1:5061`. Devices with a certificate of the home take TLS.
    servers: Vec<String>,
}

/// Where the home's SIP server is; 404 where this hub carries no calls.
#[utoipa::path(get, path = "/api/v1/telephone", tag = "devices", responses((status = 200, body = Telephone)))]
pub(super) async fn telephone(State(home): State<Shared>) -> Answered<Telephone> {
    let Some(sip) = home.sip.get() else {
        return Err(Problem::not_found(
            "this hub carries no calls; start it with --sip",
        ));
    };
    Ok(Json(Telephone {
        domain: sip.domain.clone(),
        servers: home.sip_servers(),
    }))
}
