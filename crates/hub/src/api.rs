//! The HTTP API: `/api/v1/…`, JSON, described by the OpenAPI document that it serves.
//!
//! ```text
//! request ─► headers, limits ─► gate: who? ─► role table ─► handler ─► store
//! ```
//! No route starts a call of any kind: the handlers have the store, and the store has no method for it.

mod agendas;
mod browser;
mod call_settings;
mod calls;
mod contacts;
mod devices;
mod events;
mod gate;
mod given;
mod incidents;
mod invitations;
mod join;
mod light_orders;
mod lines;
mod messages;
mod people;
mod push;
mod rooms;
mod routines;
mod sessions;
mod sip_accounts;
mod sip_socket;
mod telephone;
mod texts;
mod trigger;

use std::sync::Arc;

use axum::http::{StatusCode, header};
use axum::middleware;
use axum::routing::get;
use axum::{Json, Router};
use hearthline_pages::with_strict_headers;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, ResponseBuilder,
};
use utoipa::{PartialSchema as _, ToSchema as _};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::home::Home;
use crate::problem::Problem;

pub(crate) type Shared = Arc<Home>;
/// What handlers answer.
pub(crate) type Answered<T> = Result<Json<T>, Problem>;
/// What handlers answer that made something.
pub(crate) type Created<T> = Result<(StatusCode, Json<T>), Problem>;

fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(join::facts, join::join))
        .routes(routes!(join::renew))
        .routes(routes!(sessions::me))
        .routes(routes!(browser::bind))
        .routes(routes!(sessions::log_in, sessions::sessions))
        .routes(routes!(sessions::end))
        .routes(routes!(people::list, people::add))
        .routes(routes!(people::one, people::change, people::remove))
        .routes(routes!(people::set_password))
        .routes(routes!(sessions::sessions_of))
        .routes(routes!(devices::list))
        .routes(routes!(devices::one, devices::change, devices::revoke))
        .routes(routes!(telephone::telephone))
        .routes(routes!(sip_accounts::list, sip_accounts::add))
        .routes(routes!(sip_accounts::revoke))
        .routes(routes!(
            call_settings::of_person,
            call_settings::set_of_person
        ))
        .routes(routes!(
            call_settings::of_device,
            call_settings::set_of_device
        ))
        .routes(routes!(call_settings::block))
        .routes(routes!(rooms::list, rooms::add))
        .routes(routes!(rooms::change, rooms::remove))
        .routes(routes!(contacts::list, contacts::add))
        .routes(routes!(contacts::one, contacts::change, contacts::remove))
        .routes(routes!(contacts::export, contacts::import))
        .routes(routes!(lines::list, lines::add))
        .routes(routes!(lines::days))
        .routes(routes!(lines::change, lines::remove))
        .routes(routes!(calls::list))
        .routes(routes!(calls::one))
        .routes(routes!(messages::list, messages::send))
        .routes(routes!(messages::acknowledge))
        .routes(routes!(messages::one, messages::delete))
        .routes(routes!(messages::voice))
        .routes(routes!(texts::send))
        .routes(routes!(incidents::list, incidents::report))
        .routes(routes!(incidents::hand_in))
        .routes(routes!(incidents::bundle))
        .routes(routes!(events::events))
        .routes(routes!(agendas::list))
        .routes(routes!(agendas::own, agendas::keep))
        .routes(routes!(invitations::list, invitations::invite))
        .routes(routes!(invitations::withdraw))
        .routes(routes!(routines::list, routines::set))
        .routes(routes!(routines::renew_key))
        .routes(routes!(routines::ring))
        .routes(routes!(routines::find_phone))
        .routes(routes!(light_orders::list))
        .routes(routes!(light_orders::own))
        .routes(routes!(light_orders::end))
        .routes(routes!(push::key, push::subscribe, push::unsubscribe))
}

/// The OpenAPI document, as committed in `openapi.json`.
#[must_use]
pub fn document() -> OpenApi {
    let mut document = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Hearthline hub")
                .version("1")
                .description(Some(
                    "The home's server. No request starts a call of any kind, an emergency call least of all. Beside \
                     it stands /sip, SIP over WebSocket (RFC 7118) for the home's devices, and \
                     /trigger/{event}/with/key/{key}, which starts the routines that the owner wrote.",
                ))
                .build(),
        )
        .build();
    document.merge(routes().into_openapi());
    let components = document.components.get_or_insert_default();
    components
        .schemas
        .insert(Problem::name().into_owned(), Problem::schema());
    for path in document.paths.paths.values_mut() {
        let operations = [
            &mut path.get,
            &mut path.put,
            &mut path.post,
            &mut path.delete,
        ];
        operations.into_iter().flatten().for_each(complete);
    }
    document
}

/// Every operation has a name of its own and may answer with a problem.
fn complete(operation: &mut Operation) {
    let tag = operation.tags.as_ref().and_then(|tags| tags.first());
    if let (Some(tag), Some(id)) = (tag, &operation.operation_id) {
        operation.operation_id = Some(format!("{tag}_{id}"));
    }
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    let response = ResponseBuilder::new()
        .description("What went wrong (RFC 9457)")
        .content("application/problem+json", content)
        .build();
    operation
        .responses
        .responses
        .insert("default".to_owned(), RefOr::T(response));
}

/// The document as pretty JSON.
#[must_use]
pub fn document_json() -> String {
    let mut text = document().to_pretty_json().expect("the document is JSON");
    text.push('\n');
    text
}

pub(crate) fn router(home: Shared) -> Router {
    let (router, _) = routes().split_for_parts();
    let document: Arc<str> = document_json().into();
    let serve_document = move || async move {
        let text: String = document.as_ref().to_owned();
        ([(header::CONTENT_TYPE, "application/json")], text)
    };
    router
        .route("/api/v1/openapi.json", get(serve_document))
        .route("/sip", get(sip_socket::open))
        .route_layer(middleware::from_fn_with_state(home.clone(), gate::gate))
        // Behind the gate's layer: the pages are for everybody.
        .merge(crate::site::router())
        .merge(trigger::router())
        .fallback(|| async {
            Problem::not_found("there is no such path; see /api/v1/openapi.json")
        })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        // There is no HTTP port beside this one, so nothing is redirected and no Strict-Transport-Security would add to it.
        .layer(middleware::from_fn(with_strict_headers))
        .with_state(home)
}
