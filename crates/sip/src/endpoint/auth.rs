//! Digest on both sides of an endpoint (RFC 3261 section 22, RFC 8760).

use core::time::Duration;

use super::Endpoint;
use super::call::Context;
use super::config::ServerChallenge;
use super::request::Credentials;
use crate::digest::{Algorithm, DigestClient, DigestServer, Secret, Verdict, strongest};
use crate::tokens::Tokens;
use crate::{HeaderName, Method, Request, Response, StatusCode};

/// The server's side, where the configuration asks for it.
pub(super) struct Gate {
    challenge: ServerChallenge,
    server: DigestServer,
}

/// What a gate says to a request.
pub(super) enum Passage {
    /// No gate, or the digest of this user is right.
    Open(Option<String>),
    /// Answer with this challenge.
    Closed(Box<Response>),
}

impl Gate {
    pub(super) fn new(challenge: ServerChallenge, tokens: &mut Tokens) -> Self {
        let mut algorithms = Vec::new();
        if challenge.sha256 {
            algorithms.push(Algorithm::Sha256);
        }
        if challenge.md5 {
            algorithms.push(Algorithm::Md5);
        }
        let server = DigestServer::new(&challenge.realm, tokens.next_bytes())
            .with_algorithms(&algorithms)
            .with_nonce_life(challenge.nonce_life);
        Self { challenge, server }
    }
}

impl Endpoint {
    /// Puts answers to the challenges of a 401 or 407 into the context's request. `false`: there
    /// are no credentials, the digest was refused, or it was tried often enough.
    pub(super) fn answer_challenge(&mut self, context: &mut Context, response: &Response) -> bool {
        if context.challenges >= self.config.limits.challenges_max {
            return false;
        }
        context.challenges += 1;
        let proxy = response.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED;
        let values = if proxy {
            response.headers.proxy_authenticate()
        } else {
            response.headers.www_authenticate()
        };
        let Ok(challenges) = values.map_err(|_| ()).and_then(|values| {
            // Challenges nobody here can answer are left alone; others may do.
            strongest(&values).map_err(|_| ())
        }) else {
            return false;
        };
        let mut any = false;
        for challenge in challenges {
            if credentials_for(&context.credentials, &challenge.realm).is_none() {
                continue;
            }
            let known = context.digests.iter_mut().find(|(of_proxy, digest)| {
                *of_proxy == proxy && digest.challenge().realm == challenge.realm
            });
            any |= match known {
                // Refused with this nonce already: only a stale one is worth another try.
                Some((_, digest)) => digest.renew(challenge),
                None => {
                    context.digests.push((proxy, DigestClient::new(challenge)));
                    true
                }
            };
        }
        any
    }

    /// Writes the credentials for every challenge answered so far, each with its next count.
    pub(super) fn put_credentials(&mut self, context: &mut Context) {
        let request = &mut context.request;
        request.headers.remove(&HeaderName::Authorization);
        request.headers.remove(&HeaderName::ProxyAuthorization);
        let uri = request.uri.to_string();
        for (proxy, digest) in &mut context.digests {
            let Some(credentials) =
                credentials_for(&context.credentials, &digest.challenge().realm)
            else {
                continue;
            };
            let secret = crate::digest::Credentials {
                username: credentials.username.clone(),
                password: credentials.password.clone(),
            };
            let value = digest.authorize(
                &secret,
                &request.method,
                &uri,
                &request.body,
                &self.tokens.cnonce(),
            );
            let name = if *proxy {
                HeaderName::ProxyAuthorization
            } else {
                HeaderName::Authorization
            };
            request.headers.push_display(name, value);
        }
    }

    /// Whether a request of a peer may pass.
    pub(super) fn pass(&mut self, request: &Request, tag: &str, now: Duration) -> Passage {
        let Some(gate) = &mut self.gate else {
            return Passage::Open(None);
        };
        // Neither can be sent again with credentials (section 22.1).
        if matches!(request.method, Method::Ack | Method::Cancel) {
            return Passage::Open(None);
        }
        let proxy = gate.challenge.proxy;
        let values = if proxy {
            request.headers.proxy_authorization()
        } else {
            request.headers.authorization()
        };
        let users = &gate.challenge.users;
        let mut stale = false;
        for value in values.unwrap_or_default() {
            let verdict = gate.server.verify(
                &value,
                &request.method,
                &request.uri,
                &request.body,
                |user, _| users.get(user).cloned().map(Secret::Password),
                now,
            );
            match verdict {
                Verdict::Accepted { username } => return Passage::Open(Some(username)),
                Verdict::Stale => stale = true,
                Verdict::Wrong(_) => self.counters.digest_wrong += 1,
                Verdict::Absent => {}
            }
        }
        self.counters.challenged += 1;
        let (status, name) = if proxy {
            (
                StatusCode::PROXY_AUTHENTICATION_REQUIRED,
                HeaderName::ProxyAuthenticate,
            )
        } else {
            (StatusCode::UNAUTHORIZED, HeaderName::WwwAuthenticate)
        };
        let mut response = Response::to_request(request, status, Some(tag));
        for challenge in gate.server.challenges(stale, now) {
            response.headers.push_display(name.clone(), challenge);
        }
        Passage::Closed(Box::new(response))
    }
}

fn credentials_for<'a>(credentials: &'a [Credentials], realm: &str) -> Option<&'a Credentials> {
    credentials
        .iter()
        .find(|candidate| candidate.realm.as_deref() == Some(realm))
        .or_else(|| {
            credentials
                .iter()
                .find(|candidate| candidate.realm.is_none())
        })
}
