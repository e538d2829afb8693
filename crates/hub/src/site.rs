//! The site: the household's app and the page that checks bundles. Plain files of `web/`, inside the program, served at
//! `/`.
//!
//! They are for everybody: what they show comes from the API, which asks who that is. Each carries a policy that lets
//! nothing run but itself, and a tag by which a browser asks whether its copy is still the present one.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::device::Fingerprint;

/// Policy of the app: its own files and its own hub, nothing inline, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; \
    connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// A file of the site.
struct Asset {
    path: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

macro_rules! assets {
    ($($path:literal => $file:literal, $content_type:expr;)+) => {
        const ASSETS: &[Asset] = &[$(Asset {
            path: $path,
            content_type: $content_type,
            bytes: include_bytes!(concat!("../web/", $file)),
        }),+];
    };
}

assets! {
    "/" => "index.html", HTML;
    "/join" => "index.html", HTML;
    "/verify.html" => "verify.html", HTML;
    "/base.css" => "base.css", STYLE;
    "/app.css" => "app.css", STYLE;
    "/app.js" => "app.js", SCRIPT;
    "/api.js" => "api.js", SCRIPT;
    "/dom.js" => "dom.js", SCRIPT;
    "/pages.js" => "pages.js", SCRIPT;
    "/push.js" => "push.js", SCRIPT;
    "/parts.js" => "parts.js", SCRIPT;
    "/ring.js" => "ring.js", SCRIPT;
    "/sw.js" => "sw.js", SCRIPT;
    "/call/emergency.js" => "call/emergency.js", SCRIPT;
    "/call/identity.js" => "call/identity.js", SCRIPT;
    "/call/media.js" => "call/media.js", SCRIPT;
    "/call/session.js" => "call/session.js", SCRIPT;
    "/call/sheet.js" => "call/sheet.js", SCRIPT;
    "/call/telephone.js" => "call/telephone.js", SCRIPT;
    "/call/tones.js" => "call/tones.js", SCRIPT;
    "/device/bytes.js" => "device/bytes.js", SCRIPT;
    "/device/certificate.js" => "device/certificate.js", SCRIPT;
    "/device/der.js" => "device/der.js", SCRIPT;
    "/device/enrolment.js" => "device/enrolment.js", SCRIPT;
    "/sip/agent.js" => "sip/agent.js", SCRIPT;
    "/sip/call.js" => "sip/call.js", SCRIPT;
    "/sip/connection.js" => "sip/connection.js", SCRIPT;
    "/sip/message.js" => "sip/message.js", SCRIPT;
    "/voice/capture.js" => "voice/capture.js", SCRIPT;
    "/voice/g722.js" => "voice/g722.js", SCRIPT;
    "/voice/recording.js" => "voice/recording.js", SCRIPT;
    "/pages/phone.js" => "pages/phone.js", SCRIPT;
    "/pages/calls.js" => "pages/calls.js", SCRIPT;
    "/pages/contacts.js" => "pages/contacts.js", SCRIPT;
    "/pages/home.js" => "pages/home.js", SCRIPT;
    "/pages/incidents.js" => "pages/incidents.js", SCRIPT;
    "/pages/lines.js" => "pages/lines.js", SCRIPT;
    "/pages/messages.js" => "pages/messages.js", SCRIPT;
    "/pages/readiness.js" => "pages/readiness.js", SCRIPT;
    "/pages/settings.js" => "pages/settings.js", SCRIPT;
    "/icon.svg" => "icon.svg", "image/svg+xml";
    "/manifest.webmanifest" => "manifest.webmanifest", "application/manifest+json";
}

impl Asset {
    fn tag(&self) -> String {
        format!("\"{}\"", Fingerprint::of(self.bytes))
    }

    /// The app's policy; a page that brings its own in its head is held to that one, and framed by nobody either.
    fn policy(&self) -> String {
        let own = std::str::from_utf8(self.bytes)
            .ok()
            .filter(|_| self.content_type == HTML)
            .and_then(|text| text.split_once("http-equiv=\"Content-Security-Policy\" content=\""))
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(policy, _)| format!("{policy}; frame-ancestors 'none'"));
        own.unwrap_or_else(|| POLICY.to_owned())
    }
}

/// Routes of every file.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ASSETS.iter().fold(Router::new(), |router, asset| {
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
    // Kept, but asked about each time: an updated hub is an updated app.
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

    /// A page with everything that it loads (issue: 300 kB).
    const WEIGHT_BYTES_MAX: usize = 300_000;

    fn is_verify(asset: &Asset) -> bool {
        asset.path == "/verify.html"
    }

    #[test]
    fn the_pages_are_light() {
        let weight = |is: fn(&Asset) -> bool| -> usize {
            ASSETS
                .iter()
                .filter(|asset| is(asset))
                .map(|asset| asset.bytes.len())
                .sum()
        };
        let simulator = weight(|asset| !is_verify(asset));
        let app = weight(|asset| !is_verify(asset) && !asset.path.starts_with("/simulator"));
        let verify = weight(is_verify);
        println!("app {app} bytes, with the simulator {simulator}, verify.html {verify}");
        for page in [app, simulator, verify] {
            assert!(page <= WEIGHT_BYTES_MAX, "{page} bytes");
        }
    }

    #[test]
    fn every_file_that_is_imported_is_served_and_nothing_comes_from_elsewhere() {
        for asset in ASSETS {
            let text = std::str::from_utf8(asset.bytes).unwrap();
            for scheme in ["https://", "http://"] {
                let foreign = text
                    .match_indices(scheme)
                    .filter(|(at, _)| !text[*at..].starts_with("http://www.w3.org/2000/svg"));
                assert_eq!(foreign.count(), 0, "{} names an address", asset.path);
            }
            for way in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
            ] {
                assert!(!text.contains(way), "{} uses {way}", asset.path);
            }
            if asset.content_type != SCRIPT {
                continue;
            }
            let folder = asset.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            for line in text.lines().filter(|line| line.starts_with("import ")) {
                let named = line.split('"').nth(1).unwrap();
                let path = match named.strip_prefix("../") {
                    Some(rest) => format!("/{rest}"),
                    None => format!("{folder}/{}", named.trim_start_matches("./")),
                };
                assert!(
                    ASSETS.iter().any(|other| other.path == path),
                    "{} imports {path}, which is not served",
                    asset.path
                );
            }
        }
    }

    #[test]
    fn the_page_of_one_file_keeps_its_own_policy() {
        let page = ASSETS
            .iter()
            .find(|asset| asset.path == "/verify.html")
            .unwrap();
        let policy = page.policy();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'sha256-"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
    }
}
