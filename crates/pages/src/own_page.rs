//! A server of one machine answers its own page alone.
//!
//! A page of elsewhere can make the browser ask here in its own name. Refused are another `Host` (a foreign name that was
//! made to lead here: DNS rebinding), a foreign `Origin`, and what the browser itself calls cross-site (Fetch Metadata).

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// Who asks beside the page itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Askers {
    /// Nobody: each change names its origin, as browsers do.
    PageAlone,
    /// Programs of this machine, which name no origin.
    PageAndPrograms,
}

impl Askers {
    /// Answers 403 to whom is not among them (axum's `middleware::from_fn_with_state`).
    pub async fn alone(State(askers): State<Self>, request: Request, next: Next) -> Response {
        if is_of_this_machine(askers, request.method(), request.headers()) {
            next.run(request).await
        } else {
            StatusCode::FORBIDDEN.into_response()
        }
    }
}

/// Whether a request comes from the page that this machine served, or a program on it.
#[must_use]
pub fn is_of_this_machine(askers: Askers, method: &Method, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(HeaderValue::to_str);
    let Some(Ok(host)) = text(header::HOST.as_str()) else {
        return false;
    };
    let reads = method == Method::GET || method == Method::HEAD;
    let origin = match text(header::ORIGIN.as_str()) {
        // Browsers name it with everything but plain reading.
        None => askers == Askers::PageAndPrograms || reads,
        Some(Ok(origin)) => origin
            .strip_prefix("http://")
            .is_some_and(|own| own.eq_ignore_ascii_case(host)),
        Some(Err(_)) => false,
    };
    let site = match text("sec-fetch-site") {
        None | Some(Ok("same-origin" | "none")) => true,
        // A link to the page, from wherever: the page alone does nothing.
        Some(Ok(_)) => {
            method == Method::GET && matches!(text("sec-fetch-mode"), Some(Ok("navigate")))
        }
        Some(Err(_)) => false,
    };
    names_this_machine(host) && origin && site
}

fn names_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(""),
        None => host.split(':').next().unwrap_or(""),
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(askers: Askers, method: &Method, pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        is_of_this_machine(askers, method, &headers)
    }

    const OWN: (&str, &str) = ("origin", "http://localhost:8910");
    const HOST: (&str, &str) = ("host", "localhost:8910");
    const SAME: (&str, &str) = ("sec-fetch-site", "same-origin");
    const CROSS: (&str, &str) = ("sec-fetch-site", "cross-site");
    const NAVIGATE: (&str, &str) = ("sec-fetch-mode", "navigate");

    #[test]
    fn pages_of_elsewhere_are_refused() {
        for askers in [Askers::PageAlone, Askers::PageAndPrograms] {
            assert!(asked(askers, &Method::GET, &[HOST]));
            assert!(asked(askers, &Method::GET, &[("host", "127.0.0.1:8910")]));
            assert!(asked(askers, &Method::POST, &[HOST, OWN, SAME]));
            assert!(asked(askers, &Method::GET, &[HOST, CROSS, NAVIGATE]));
            for foreign in [
                "http://evil.example.com",
                "https://localhost:8910",
                "http://localhost:8060",
                "null",
            ] {
                let pairs = [HOST, ("origin", foreign)];
                assert!(!asked(askers, &Method::POST, &pairs), "{foreign}");
            }
            assert!(!asked(askers, &Method::POST, &[HOST, OWN, CROSS]));
            assert!(!asked(askers, &Method::POST, &[HOST, CROSS, NAVIGATE]));
            assert!(!asked(askers, &Method::GET, &[HOST, CROSS]));
            assert!(!asked(askers, &Method::GET, &[]));
            assert!(!asked(askers, &Method::POST, &[]));
            // A name of elsewhere that leads here.
            let rebound = [("host", "evil.example.com:8910")];
            assert!(!asked(askers, &Method::GET, &rebound));
        }
    }

    #[test]
    fn programs_are_answered_only_where_they_are_meant() {
        assert!(asked(Askers::PageAndPrograms, &Method::POST, &[HOST]));
        assert!(!asked(Askers::PageAlone, &Method::POST, &[HOST]));
    }

    #[test]
    fn only_names_of_this_machine_are_served() {
        for inside in ["127.0.0.1:8060", "localhost", "[::1]:8060", "127.9.9.9"] {
            assert!(names_this_machine(inside), "{inside}");
        }
        for outside in [
            "psap.example.com:8060",
            "192.0.2.1",
            "localhost.example.com",
            "",
        ] {
            assert!(!names_this_machine(outside), "{outside}");
        }
    }
}
