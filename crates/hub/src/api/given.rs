//! What a request gives: its body, its ids, its query.

use std::str::FromStr;
use std::time::Duration;

use axum::RequestPartsExt as _;
use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// Largest body unless a route says more.
pub(super) const BODY_BYTES_MAX: usize = 64 * 1024;
/// How long a body may take.
const BODY_TIME_MAX: Duration = Duration::from_secs(20);

/// A JSON body of at most `BYTES`.
pub(super) struct Given<T, const BYTES: usize = BODY_BYTES_MAX>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync, const BYTES: usize> FromRequest<S> for Given<T, BYTES> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = body_of(request, "application/json", BYTES).await?;
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let field = error.path().to_string();
            let error = error.into_inner();
            // The words of the error may repeat what was sent, which goes back to the sender and nowhere else.
            if field == "." || field == "?" {
                Problem::invalid(error.to_string())
            } else {
                Problem::invalid_field(field, error.to_string())
            }
        })?;
        reader
            .end()
            .map_err(|error| Problem::invalid(error.to_string()))?;
        Ok(Self(value))
    }
}

/// An address book of at most `BYTES`, as `text/vcard` (RFC 6350 section 10.1).
pub(super) struct GivenCards<const BYTES: usize>(pub(super) Vec<u8>);

impl<S: Send + Sync, const BYTES: usize> FromRequest<S> for GivenCards<BYTES> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = body_of(request, "text/vcard", BYTES).await?;
        Ok(Self(bytes.into()))
    }
}

/// Bytes of at most `BYTES`, as `application/zip`.
pub(super) struct GivenZip<const BYTES: usize>(pub(super) Vec<u8>);

impl<S: Send + Sync, const BYTES: usize> FromRequest<S> for GivenZip<BYTES> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = body_of(request, "application/zip", BYTES).await?;
        Ok(Self(bytes.into()))
    }
}

/// The body, when it is of this type. A foreign page can send only other types without asking first.
async fn body_of(
    request: Request,
    essence: &'static str,
    bytes_max: usize,
) -> Result<Bytes, Problem> {
    let content_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    if !content_type.is_some_and(|given| given.eq_ignore_ascii_case(essence)) {
        return Err(Problem::media_type(essence));
    }
    tokio::time::timeout(BODY_TIME_MAX, to_bytes(request.into_body(), bytes_max))
        .await
        .map_err(|_| Problem::too_slow())?
        .map_err(|_| Problem::too_large(bytes_max))
}

/// The id in the path.
pub(super) struct Id<T>(pub(super) T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let unknown = || Problem::not_found("there is nothing with this id");
        let Path(text): Path<String> = parts.extract().await.map_err(|_| unknown())?;
        text.parse().map(Self).map_err(|_| unknown())
    }
}

/// The query.
pub(super) struct Asked(String);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(parts.uri.query().unwrap_or("").to_owned()))
    }
}

impl Asked {
    /// A parameter whose values need no percent-encoding.
    pub(super) fn get<T: FromStr>(&self, name: &str) -> Result<Option<T>, Problem> {
        let value = self
            .0
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        value
            .map(|value| {
                value
                    .parse()
                    .map_err(|_| Problem::invalid_field(name, "the parameter does not read"))
            })
            .transpose()
    }

    /// `limit`, from 1 to `max`.
    pub(super) fn limit(&self, max: u32) -> Result<u32, Problem> {
        Ok(self.get("limit")?.unwrap_or(max).clamp(1, max))
    }
}
