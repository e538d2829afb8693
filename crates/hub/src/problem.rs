//! Errors of the HTTP API as `application/problem+json` (RFC 9457), with the field that is at fault.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::authority::AuthorityError;
use crate::store::StoreError;

/// A problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// What kind, as a relative reference.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The same in words.
    title: &'static str,
    /// HTTP status.
    status: u16,
    /// What happened here and what to do.
    detail: String,
    /// The field of the request that is at fault: `numbers[0].number`.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// After how many seconds to try again.
    #[serde(skip)]
    retry_after_s: Option<u32>,
}

impl Problem {
    fn new(
        kind: &'static str,
        title: &'static str,
        status: StatusCode,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            title,
            status: status.as_u16(),
            detail: detail.into(),
            field: None,
            retry_after_s: None,
        }
    }

    /// A request that does not read.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        let status = StatusCode::BAD_REQUEST;
        Self::new(
            "/problems/invalid",
            "The request is not valid",
            status,
            detail,
        )
    }

    /// The same, with the field.
    pub(crate) fn invalid_field(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            field: Some(field.into()),
            ..Self::invalid(detail)
        }
    }

    /// Nobody known asks.
    pub(crate) fn unauthenticated() -> Self {
        let detail = "log in, or show the device's certificate";
        let status = StatusCode::UNAUTHORIZED;
        Self::new("/problems/unauthenticated", "Who are you?", status, detail)
    }

    /// Somebody known may not.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        let status = StatusCode::FORBIDDEN;
        Self::new("/problems/forbidden", "Not allowed", status, detail)
    }

    /// There is no such thing.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        let status = StatusCode::NOT_FOUND;
        Self::new("/problems/not-found", "Not found", status, detail)
    }

    /// The path knows other methods.
    pub(crate) fn method_not_allowed() -> Self {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        let detail = "this path knows other methods; see /api/v1/openapi.json";
        Self::new("/problems/method", "Method not allowed", status, detail)
    }

    /// It does not go with what is there.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        let status = StatusCode::CONFLICT;
        Self::new(
            "/problems/conflict",
            "It does not go with what is there",
            status,
            detail,
        )
    }

    /// A body that is too long.
    pub(crate) fn too_large(bytes_max: usize) -> Self {
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        let detail = format!("the body has more than {bytes_max} bytes");
        Self::new("/problems/too-large", "Too large", status, detail)
    }

    /// A body that does not come.
    pub(crate) fn too_slow() -> Self {
        let status = StatusCode::REQUEST_TIMEOUT;
        Self::new(
            "/problems/too-slow",
            "Too slow",
            status,
            "the request took too long to arrive",
        )
    }

    /// A body of another type.
    pub(crate) fn media_type(wanted: &str) -> Self {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let detail = format!("send {wanted}");
        Self::new(
            "/problems/media-type",
            "Unsupported media type",
            status,
            detail,
        )
    }

    /// Too many requests.
    pub(crate) fn too_many(wait_ms: u32) -> Self {
        let seconds = wait_ms.div_ceil(1000).max(1);
        let status = StatusCode::TOO_MANY_REQUESTS;
        let detail = format!("too many requests; try again in {seconds} s");
        Self {
            retry_after_s: Some(seconds),
            ..Self::new("/problems/too-many", "Too many requests", status, detail)
        }
    }

    /// The hub cannot, for now.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self {
            retry_after_s: Some(5),
            ..Self::new("/problems/unavailable", "Not now", status, detail)
        }
    }

    /// Our fault.
    pub(crate) fn internal() -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let detail = "the hub failed; its log says more";
        Self::new("/problems/internal", "The hub failed", status, detail)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::NotFound(_) => Self::not_found(error.to_string()),
            StoreError::Taken { field, .. } => Self {
                field: Some((*field).to_owned()),
                ..Self::conflict(error.to_string())
            },
            StoreError::Dangling | StoreError::Limit { .. } | StoreError::Refused(_) => {
                Self::conflict(error.to_string())
            }
            passing if passing.is_passing() => {
                tracing::error!(%error, "the database cannot be used");
                Self::unavailable(error.to_string())
            }
            _ => {
                tracing::error!(%error, "the database failed");
                Self::internal()
            }
        }
    }
}

impl From<AuthorityError> for Problem {
    fn from(error: AuthorityError) -> Self {
        tracing::error!(%error, "the certificate authority failed");
        Self::internal()
    }
}

impl From<crate::entropy::NoEntropy> for Problem {
    fn from(error: crate::entropy::NoEntropy) -> Self {
        tracing::error!(%error, "no randomness");
        Self::internal()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after_s;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
