//! Who asks, and whether they may: once for every route.

use std::time::Duration;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use hyper::body::Body as _;

use super::Shared;
use super::given::BODY_BYTES_MAX;
use crate::clock::UnixMs;
use crate::device::Device;
use crate::home::{Counted, Home, Peer};
use crate::person::{Party, Person, Role};
use crate::problem::Problem;
use crate::role::{Scope, Standing, rule_of, scope_of};
use crate::serve::Stranger;
use crate::session::{Session, Token, TokenKind};
use crate::store::{Answer, StoreError};

/// The cookie of browsers; the prefix binds it to this host, to TLS and to the whole path.
pub(super) const COOKIE: &str = "__Host-hearth";
/// What a browser's changes carry besides.
pub(super) const CSRF_HEADER: &str = "x-csrf-token";
/// How long a handler may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);

/// Who asks.
#[derive(Debug, Clone)]
pub(super) enum Who {
    Person {
        person: Box<Person>,
        session: Session,
    },
    Device {
        device: Box<Device>,
        /// What its person is, where it belongs to one.
        role: Option<Role>,
        /// Its certificate has ended: it may renew it and nothing else.
        ended: bool,
    },
    Nobody,
}

/// Who asks, and how much of this route is theirs.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) who: Who,
    pub(super) scope: Scope,
    pub(super) peer: Peer,
}

impl Who {
    fn counted(&self, peer: &Peer) -> Counted {
        match self {
            Self::Person { person, .. } => Counted::Person(person.id),
            Self::Device { device, .. } => Counted::Device(device.id),
            Self::Nobody => Counted::source(peer.source),
        }
    }
}

impl Caller {
    fn counted(&self) -> Counted {
        self.who.counted(&self.peer)
    }

    /// Owners see everything in a list; others what is theirs.
    pub(super) fn sees_all(&self) -> bool {
        self.scope == Scope::All
    }

    /// The mailboxes that are theirs, the first for sending.
    pub(super) fn parties(&self) -> Vec<Party> {
        match &self.who {
            Who::Person { person, .. } => vec![Party::Person(person.id)],
            Who::Device { device, .. } => {
                let person = device.fields.person.map(Party::Person);
                std::iter::once(Party::Device(device.id))
                    .chain(person)
                    .collect()
            }
            Who::Nobody => Vec::new(),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // A route without the gate has no caller and answers nothing.
        parts
            .extensions
            .get::<Caller>()
            .cloned()
            .ok_or_else(Problem::internal)
    }
}

/// How the caller showed who they are; kept by streams to look again later.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    peer: Peer,
    token: Option<std::sync::Arc<Token>>,
    by_cookie: bool,
}

impl Shown {
    fn read(headers: &HeaderMap, peer: Peer) -> Self {
        let text = |name| {
            headers
                .get(name)
                .and_then(|value: &HeaderValue| value.to_str().ok())
        };
        let bearer = text(header::AUTHORIZATION)
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        let cookie = || {
            text(header::COOKIE)?
                .split(';')
                .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
        };
        let by_cookie = bearer.is_none();
        let token = bearer.or_else(cookie).and_then(Token::from_text);
        Self {
            peer,
            token: token.map(std::sync::Arc::new),
            by_cookie,
        }
    }

    /// Asks the store who that is now. A token comes before a certificate: a person on a device is the person.
    pub(super) async fn identify(&self, home: &Home) -> Answer<Who> {
        let now = home.clock.now();
        let device = self.device(home, now).await?;
        // The revoked device's connection says nothing any more, not even as a person.
        if matches!(&device, Some((device, ..)) if device.revoked_at_ms.is_some()) {
            return Ok(Who::Nobody);
        }
        if let Some(token) = &self.token {
            let wanted = if self.by_cookie {
                TokenKind::Browser
            } else {
                TokenKind::App
            };
            if let Some((session, person)) = home.store.session(&token.hash(), now).await?
                && session.kind == wanted
            {
                let person = Box::new(person);
                return Ok(Who::Person { person, session });
            }
        }
        Ok(match device {
            Some((device, role, ended)) => Who::Device {
                device: Box::new(device),
                role,
                ended,
            },
            None => Who::Nobody,
        })
    }

    async fn device(
        &self,
        home: &Home,
        now: UnixMs,
    ) -> Answer<Option<(Device, Option<Role>, bool)>> {
        let Some(fingerprint) = &self.peer.certificate else {
            return Ok(None);
        };
        let Some((device, certificate)) = home.store.device_by_certificate(fingerprint).await?
        else {
            return Ok(None);
        };
        let role = match device.fields.person {
            Some(id) => match home.store.person(id).await {
                Ok(person) => Some(person.fields.role),
                Err(StoreError::NotFound(_)) => None,
                Err(error) => return Err(error),
            },
            None => None,
        };
        Ok(Some((device, role, certificate.not_after <= now)))
    }
}

/// The middleware of every route.
pub(super) async fn gate(State(home): State<Shared>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let (caller, shown) = match admit(&home, &parts).await {
        Ok(admitted) => admitted,
        Err(problem) => return problem.into_response(),
    };
    let counted = caller.counted();
    if !matches!(caller.who, Who::Nobody)
        && let Some(stranger) = parts.extensions.get::<Stranger>()
    {
        stranger.is_known();
    }
    parts.extensions.insert(caller);
    parts.extensions.insert(shown);
    // Of unknown length is large. Held until the answer is made: the body lives on in it as JSON and as bytes.
    let large = body
        .size_hint()
        .upper()
        .is_none_or(|bytes| bytes > BODY_BYTES_MAX as u64);
    let _place = if large {
        let (all, own) = (home.large_bodies_max, home.large_bodies_by_caller_max);
        let Some(place) = home.large_bodies.count(counted, all, own) else {
            return Problem::unavailable("too many large requests at once").into_response();
        };
        Some(place)
    } else {
        None
    };
    let request = Request::from_parts(parts, body);
    match tokio::time::timeout(ANSWER_TIME_MAX, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unavailable("the hub took too long").into_response(),
    }
}

async fn admit(home: &Home, request: &Parts) -> Result<(Caller, Shown), Problem> {
    let extensions = &request.extensions;
    let peer = *extensions.get::<Peer>().ok_or_else(Problem::internal)?;
    let path = extensions
        .get::<MatchedPath>()
        .ok_or_else(Problem::internal)?;
    let method = &request.method;
    // HEAD is GET without its body.
    let asked = if *method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    let rule = rule_of(asked, path.as_str())
        .ok_or_else(|| Problem::forbidden("this route is nobody's"))?;
    let changes = !matches!(*asked, Method::GET | Method::OPTIONS);
    if changes && comes_from_elsewhere(&request.headers) {
        return Err(Problem::forbidden(
            "the request comes from a page of another site",
        ));
    }
    let shown = Shown::read(&request.headers, peer);
    let who = shown.identify(home).await?;
    let now = home.clock.now();
    let (standing, role) = match &who {
        Who::Person { person, .. } => (Standing::Person(person.fields.role), None),
        Who::Device { role, .. } => (Standing::Device, *role),
        Who::Nobody => (Standing::Nobody, None),
    };
    let counted = who.counted(&peer);
    let limit = if matches!(who, Who::Nobody) {
        &home.anonymous
    } else {
        &home.known
    };
    limit.take(&counted, now).map_err(Problem::too_many)?;
    if matches!(who, Who::Device { ended: true, .. }) && path.as_str() != "/api/v1/certificate" {
        return Err(Problem::forbidden(
            "the device's certificate has ended; renew it first at /api/v1/certificate",
        ));
    }
    if changes
        && let (Who::Person { .. }, true, Some(token)) = (&who, shown.by_cookie, &shown.token)
    {
        let given = request.headers.get(CSRF_HEADER);
        let given = given.and_then(|value| value.to_str().ok()).unwrap_or("");
        if !token.csrf_matches(given) {
            return Err(Problem::forbidden(
                "the x-csrf-token header is missing or wrong; take the one of /api/v1/me",
            ));
        }
    }
    let scope = scope_of(rule, standing, role);
    if scope == Scope::Nothing {
        return Err(match who {
            Who::Nobody => Problem::unauthenticated(),
            _ => Problem::forbidden("your role in this household does not allow it"),
        });
    }
    Ok((Caller { who, scope, peer }, shown))
}

/// A page of another site made the browser send it: `Origin` names another host, or the browser says so.
pub(super) fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return true;
    }
    let Some(origin) = text("origin") else {
        return false;
    };
    let host = text("host").unwrap_or("");
    host.is_empty() || origin.strip_prefix("https://") != Some(host)
}

impl Shown {
    /// The token against forged requests, for a browser.
    pub(super) fn csrf(&self) -> Option<String> {
        let token = self.token.as_ref().filter(|_| self.by_cookie)?;
        Some(token.csrf())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Shown {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Shown>()
            .cloned()
            .ok_or_else(Problem::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_made_by_foreign_pages_are_seen() {
        let with = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            comes_from_elsewhere(&headers)
        };
        let host = ("host", "127.0.0.1:8443");
        assert!(!with(&[host]));
        assert!(!with(&[host, ("origin", "https://127.0.0.1:8443")]));
        assert!(!with(&[host, ("sec-fetch-site", "same-origin")]));
        for foreign in [
            "https://example.com",
            "http://127.0.0.1:8443",
            "null",
            "https://127.0.0.1:8444",
        ] {
            assert!(with(&[host, ("origin", foreign)]), "{foreign}");
        }
        assert!(with(&[host, ("sec-fetch-site", "cross-site")]));
        assert!(with(&[("origin", "https://")]));
    }
}
