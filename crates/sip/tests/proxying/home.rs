//! What a hub does with the cores: digest, registrar, lookup, forward.

use std::time::Duration;

use hearthline_sip::digest::{Account, Algorithm, Authenticator, AuthenticatorConfig, Judgement};
use hearthline_sip::outbound::Flow;
use hearthline_sip::proxy::{AskId, Decision, Forward, Proxy, Reject};
use hearthline_sip::registrar::{Aor, Registering, Registrar, RegistrarConfig};
use hearthline_sip::{Host, Method, Request, StatusCode, Uri};

pub struct Home {
    pub door: Authenticator,
    pub registrar: Registrar,
    /// Users that were believed, in order.
    pub believed: Vec<String>,
}

impl Home {
    pub fn new() -> Self {
        let domains = vec![Host::parse("home.example").unwrap()];
        let config = RegistrarConfig::new([1; 32], [2; 32], domains);
        Home {
            door: Authenticator::new(AuthenticatorConfig::new("home.example", [3; 32])),
            registrar: Registrar::new(config, Vec::new(), Duration::ZERO),
            believed: Vec::new(),
        }
    }

    pub fn serve(
        &mut self,
        proxy: &mut Proxy,
        id: AskId,
        request: &Request,
        flow: &Flow,
        now: Duration,
    ) {
        let accounts = |name: &str| {
            let ha1 = Algorithm::Sha256.ha1(name, "home.example", "secret");
            Some(Account {
                sha256: Some(ha1),
                md5: None,
            })
        };
        let register = request.method == Method::Register;
        let judged = self
            .door
            .judge(request, !register, flow.remote.ip(), accounts, now);
        let who = match judged {
            Judgement::Authenticated(who) => who.username,
            Judgement::Challenge {
                status, headers, ..
            } => {
                let mut reject = Reject::new(status);
                reject.headers = headers;
                proxy.decide(id, Decision::Reject(reject), now).unwrap();
                return;
            }
            Judgement::Blocked { .. } => {
                let reject = Reject::new(StatusCode::FORBIDDEN);
                proxy.decide(id, Decision::Reject(reject), now).unwrap();
                return;
            }
        };
        self.believed.push(who.clone());
        if register {
            let owner = Aor::from_column(&format!("sip:{who}@home.example")).unwrap();
            let input = Registering {
                request,
                flow: *flow,
                owner: &owner,
                unix_time_s: None,
            };
            let response = self.registrar.register(&input, now);
            proxy.decide(id, Decision::Take, now).unwrap();
            proxy.respond(id, &response, now).unwrap();
            return;
        }
        let decision = match &request.uri {
            Uri::Sip(uri) => match self.registrar.lookup(uri, now) {
                Ok(groups) => Decision::Forward(Forward {
                    groups,
                    record_route: true,
                    ..Forward::default()
                }),
                Err(_) => Decision::Reject(Reject::new(StatusCode::TEMPORARILY_UNAVAILABLE)),
            },
            _ => Decision::Reject(Reject::new(StatusCode::NOT_FOUND)),
        };
        proxy.decide(id, decision, now).unwrap();
    }
}
