//! A file of a page, inside the program.

use std::fmt::Write as _;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use sha2::{Digest as _, Sha256};

use crate::content_type::HTML;
use crate::headers::POLICY;

/// A file of a page.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Where it is served, from `/`.
    pub path: &'static str,
    /// Its type (`content_type`).
    pub content_type: &'static str,
    /// Its content.
    pub bytes: &'static [u8],
}

/// A list of files as `&'static [Asset]`: `assets! { in "../hub/web/"; "/app.js" => "app.js", SCRIPT; }`. The folder is
/// read from the folder of the crate that asks.
#[macro_export]
macro_rules! assets {
    (in $folder:literal; $($path:literal => $file:literal, $content_type:expr;)+) => {
        &[$($crate::Asset {
            path: $path,
            content_type: $content_type,
            bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $folder, $file)),
        }),+]
    };
}

impl Asset {
    /// By which a browser asks whether its copy is still the present one (RFC 9110 §8.8.3).
    fn tag(&self) -> String {
        let mut tag = String::from("\"");
        for byte in Sha256::digest(self.bytes) {
            let _ = write!(tag, "{byte:02x}");
        }
        tag.push('"');
        tag
    }

    /// What a page may load and run: [`POLICY`]; a page that brings its own in its head is held to that one, and framed
    /// by nobody either.
    #[must_use]
    pub fn policy(&self) -> String {
        let own = std::str::from_utf8(self.bytes)
            .ok()
            .filter(|_| self.content_type == HTML)
            .and_then(|text| text.split_once("http-equiv=\"Content-Security-Policy\" content=\""))
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(policy, _)| format!("{policy}; frame-ancestors 'none'"));
        own.unwrap_or_else(|| POLICY.to_owned())
    }
}

/// A route to each file.
pub fn router<S: Clone + Send + Sync + 'static>(assets: &'static [Asset]) -> Router<S> {
    assets.iter().fold(Router::new(), |router, asset| {
        let (tag, policy) = (asset.tag(), asset.policy());
        let answer = move |request: Request| {
            let response = respond(asset, &tag, &policy, request.headers());
            async move { response }
        };
        router.route(asset.path, get(answer))
    })
}

fn respond(asset: &'static Asset, tag: &str, policy: &str, asked: &HeaderMap) -> Response {
    let kept = asked
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|given| given.trim() == tag));
    let mut response = if kept {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        asset.bytes.into_response()
    };
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(asset.content_type),
    );
    // Kept, but asked about each time: an updated program is an updated page.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    for (name, text) in [
        (header::ETAG, tag),
        (header::CONTENT_SECURITY_POLICY, policy),
    ] {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_brings_its_own_policy_keeps_it_and_is_framed_by_nobody() {
        let page = |bytes| Asset {
            path: "/",
            content_type: HTML,
            bytes,
        };
        let own = br#"<meta http-equiv="Content-Security-Policy" content="default-src 'none'">"#;
        assert_eq!(
            page(own).policy(),
            "default-src 'none'; frame-ancestors 'none'"
        );
        assert_eq!(page(b"<!DOCTYPE html>").policy(), POLICY);
        let script = Asset {
            content_type: crate::content_type::SCRIPT,
            ..page(own)
        };
        assert_eq!(script.policy(), POLICY, "only a page has a head");
    }
}
