//! What the switchboard decides about each request: who asks, whom it may reach, and what an emergency is told.
use super::*;
use crate::call::Direction;
use crate::sip::call_log::Begun;
use crate::sip::switchboard::screened::{Meant, Rung, wants_drop_in};

impl Switchboard {
    /// A request waits for a decision.
    pub(super) fn asked(&mut self, id: AskId, flow: &Flow, passage: Passage, now: Duration) {
        let Some(request) = self.proxy.request(id).cloned() else {
            return;
        };
        // Who knows a call's names but not its way is none of the two that have it; the device that has it would take this
        // for a change of theirs. No call begins so, also none for help: who answers it answers the same.
        let begun = request.headers.to().is_ok_and(|to| to.tag().is_some());
        if begun && passage == Passage::Outside && request.method == Method::Invite {
            return self.decide(id, along(Vec::new()), now);
        }
        let destination = Destination::read(&request.uri, self.country, |uri| self.names_us(uri));
        // What comes in over a line is for the home, whatever it asks for: nothing from outside is a call for help.
        if self.is_gateway(flow) {
            return self.outside_asked(id, &request, passage, &destination, now);
        }
        // First, before anything else is looked at: who asks does not matter here.
        if destination == Destination::Emergency {
            return self.help_asked(id, &request, flow, passage, now);
        }
        let decision = match passage {
            Passage::Dialog { failed, .. } => {
                match self.within_dialog(&request, &destination, failed, now) {
                    Ok(decision) => decision,
                    Err(device) => return self.await_return(id, device, now),
                }
            }
            // We give no Path to anybody.
            Passage::Path { .. } => Decision::Reject(Reject::new(StatusCode::FORBIDDEN)),
            Passage::Outside if request.method == Method::Register => {
                return self.register_asked(id, &request, flow, now);
            }
            Passage::Outside
                if request.method == Method::Options && destination == Destination::Hub =>
            {
                self.decide(id, Decision::Take, now);
                return self.respond(id, StatusCode::OK, now);
            }
            Passage::Outside if request.method != Method::Invite => {
                let reject = Reject::new(StatusCode::METHOD_NOT_ALLOWED);
                Decision::Reject(reject.with(HeaderName::Allow, ALLOWED))
            }
            Passage::Outside => match self.caller(&request, flow, true, now) {
                Err(reject) => Decision::Reject(reject),
                Ok(caller) => match self.call(&request, &destination, &caller, now) {
                    Err(reject) => Decision::Reject(reject),
                    Ok((mut forward, asleep)) => {
                        let from = self.end_of(caller.device);
                        self.bridge(&request, from, &forward.groups, &asleep, false);
                        let direction = match destination {
                            Destination::Number(_) => Direction::Outgoing,
                            _ => Direction::Inside,
                        };
                        let begun = Begun {
                            called: asleep.first().copied(),
                            ..Begun::by(caller.device, direction)
                        };
                        self.calls.begins(id, begun);
                        forward.open_for = self.await_called(id, asleep, now);
                        Decision::Forward(forward)
                    }
                },
            },
        };
        self.decide(id, decision, now);
    }

    pub(super) fn decide(&mut self, id: AskId, decision: Decision, now: Duration) {
        // Over: it was cancelled in the meantime, and answered.
        let _ = self.proxy.decide(id, decision, now);
    }

    pub(super) fn respond(&mut self, id: AskId, status: StatusCode, now: Duration) {
        let Some(request) = self.proxy.request(id) else {
            return;
        };
        let mut response = Response::to_request(request, status, Some("hearthline"));
        response.headers.push(HeaderName::Allow, ALLOWED);
        // It may have timed out in the meantime.
        let _ = self.proxy.respond(id, &response, now);
    }

    pub(super) fn note_emergency(&mut self, request: &Request, flow: &Flow, now: Duration) {
        let in_dialog = request.headers.to().is_ok_and(|to| to.tag().is_some());
        if request.method != Method::Invite || in_dialog {
            return;
        }
        let at = self.around.home.clock.now();
        let source = Counted::source(flow.remote.ip());
        if self.emergency_rows.take(&source, at).is_err() {
            return;
        }
        let device = self.flows.get(flow.id).and_then(OpenFlow::device);
        tracing::warn!("an emergency call reached the hub, which has no emergency line");
        if let Some(row) = refused_emergency(device, self.claimed(request, device), at) {
            self.rows_of_calls.add(row, now);
        }
    }

    /// Who sends this, proven by certificate or digest, and under their own name (`proxy`: 407, not 401).
    pub(super) fn caller(
        &mut self,
        request: &Request,
        flow: &Flow,
        proxy: bool,
        now: Duration,
    ) -> Result<Caller, Reject> {
        let device = self.device(request, flow, proxy, now)?;
        if self.directory.is_revoked(device) {
            return Err(because(StatusCode::FORBIDDEN, "the device was revoked"));
        }
        let user = match self.directory.user_of(device) {
            Some(user) => user.to_owned(),
            // It joined a moment ago: admitted by SQL, the directory is about to know it.
            None => device.to_string(),
        };
        self.flows.prove(flow.id, device);
        let mut display = None;
        if proxy {
            let from = request.headers.from().ok();
            let uri = from.as_ref().and_then(|from| from.uri.as_sip());
            let own = uri.is_some_and(|uri| {
                self.domains.contains(uri.host()) && uri.user() == Some(user.as_str())
            });
            if !own {
                let why = "From is not the caller's own address";
                return Err(because(StatusCode::FORBIDDEN, why));
            }
            display = from.and_then(|from| from.display);
        }
        Ok(Caller {
            device,
            user,
            display,
        })
    }

    pub(super) fn device(
        &mut self,
        request: &Request,
        flow: &Flow,
        proxy: bool,
        now: Duration,
    ) -> Result<DeviceId, Reject> {
        let certified = self.flows.get(flow.id).and_then(|open| open.certified);
        if let Some(certified) = certified {
            return Ok(certified.device);
        }
        let directory = &self.directory;
        let accounts = |name: &str| directory.account(name);
        let source = flow.remote.ip();
        match self.gate.judge(request, proxy, source, accounts, now) {
            Judgement::Authenticated(who) => directory
                .device_of(&who.username)
                .ok_or_else(|| Reject::new(StatusCode::FORBIDDEN)),
            Judgement::Challenge {
                status, headers, ..
            } => {
                let mut reject = Reject::new(status);
                reject.headers = headers;
                let named = request.headers.from().ok().map(|from| from.uri);
                let named = named.as_ref().and_then(Uri::as_sip).and_then(SipUri::user);
                let weak = named.is_some_and(|user| directory.is_weak(user));
                reject.headers.retain(|(_, value)| is_md5(value) == weak);
                Err(reject)
            }
            Judgement::Blocked { retry_after } => {
                let seconds = retry_after.as_secs().max(1).to_string();
                let why = "too many wrong passwords from this address";
                Err(because(StatusCode::FORBIDDEN, why).with(HeaderName::RetryAfter, seconds))
            }
        }
    }

    /// Where a call goes that is no emergency, and those who may come to it.
    pub(super) fn call(
        &mut self,
        request: &Request,
        destination: &Destination,
        caller: &Caller,
        now: Duration,
    ) -> Result<(Forward, Vec<DeviceId>), Reject> {
        let Rung { groups, asleep } = match (destination, &request.uri) {
            (Destination::User(name), Uri::Sip(uri)) => {
                let drop_in = wants_drop_in(request);
                self.rung(name, uri, caller, drop_in, now)?
            }
            (Destination::ForeignEmergency, _) => {
                let main = self.country.main_number();
                let text = format!("not an emergency number here; {main} is");
                return Err(warned(because(StatusCode::NOT_FOUND, &text), &text));
            }
            (Destination::Number(digits), _) => {
                return Ok((self.number_asked(request, digits, caller)?, Vec::new()));
            }
            _ => return Err(Reject::new(StatusCode::NOT_FOUND)),
        };
        let own = &self.domains[0];
        let asserted = format!("<sip:{}@{own}>", caller.user);
        let mut forward = Forward {
            record_route: true,
            from_display: self.corrected_display(caller),
            // Credentials were for us; who somebody is, we say.
            remove: vec![
                HeaderName::ProxyAuthorization,
                HeaderName::PAssertedIdentity,
            ],
            set: vec![(HeaderName::PAssertedIdentity, asserted.into_bytes())],
            ..Forward::default()
        };
        self.mark_drop_in(request, &groups, caller, &mut forward);
        forward.groups = groups;
        Ok((forward, asleep))
    }

    /// What From is to call the caller, where it says what is not a name of the caller's: telephones show it.
    fn corrected_display(&self, caller: &Caller) -> Option<String> {
        let display = caller.display.as_deref()?;
        let own = self.directory.called(display).contains(&caller.device);
        (!own).then(|| match self.directory.name(caller.device) {
            Some(name) => name.to_owned(),
            None => caller.user.clone(),
        })
    }

    /// Whom a user part means, an address, a GRUU, or a name: those that ring, and those that may come.
    fn rung(
        &mut self,
        name: &str,
        uri: &SipUri,
        caller: &Caller,
        drop_in: bool,
        now: Duration,
    ) -> Result<Rung, Reject> {
        let meant = if uri.params().has("gr") {
            match self.registrar.lookup(uri, now) {
                Ok(groups) => Meant::Places(groups),
                Err(Unreachable::NotRegistered) => return Err(not_there()),
                Err(Unreachable::Unknown) => return Err(Reject::new(StatusCode::NOT_FOUND)),
            }
        } else if let Some(device) = self.owner_of(name) {
            Meant::Devices(vec![device])
        } else {
            let called = self.directory.called(name);
            if called.is_empty() {
                return Err(Reject::new(StatusCode::NOT_FOUND));
            }
            // Who stands in the kitchen and calls the kitchen means the others there.
            let others = called.iter().filter(|&&device| device != caller.device);
            Meant::Devices(others.copied().collect())
        };
        let mut rung = self.screened(meant, caller)?;
        if uri.is_secure() {
            rung.groups = secure_only(rung.groups);
        }
        // Nobody is there to be dropped in on.
        if drop_in {
            rung.asleep.clear();
        }
        if rung.groups.is_empty() && rung.asleep.is_empty() {
            return Err(not_there());
        }
        Ok(rung)
    }

    /// The target sets of some devices as one: what is preferred everywhere rings first.
    pub(super) fn ways_to(&self, devices: &[DeviceId], now: Duration) -> Vec<Group> {
        let mut all: Vec<Group> = Vec::new();
        for &device in devices {
            if self.directory.is_revoked(device) {
                continue;
            }
            // It joined a moment ago, and registered: the directory is about to know it.
            let own = device.to_string();
            let user = self.directory.user_of(device).unwrap_or(&own);
            for aor in self.addresses(user) {
                let groups = self.registrar.groups_of(&aor, now);
                for (index, group) in groups.into_iter().enumerate() {
                    match all.get_mut(index) {
                        Some(merged) => merged.branches.extend(group.branches),
                        None => all.push(group),
                    }
                }
            }
        }
        all
    }

    /// The addresses of record of a user, one for each of our names: phones know us by either.
    pub(super) fn addresses(&self, user: &str) -> Vec<Aor> {
        let uri = |domain: &Host| SipUri::new(domain.clone()).with_user(user);
        let domains = self.domains.iter();
        domains
            .filter_map(|domain| Aor::of(&uri(domain), &self.domains))
            .collect()
    }

    /// A request of a dialog of ours whose way is not known: after a restart, or to an address of record. `Err`: it
    /// waits for this device.
    pub(super) fn within_dialog(
        &self,
        request: &Request,
        destination: &Destination,
        failed: Option<FlowId>,
        now: Duration,
    ) -> Result<Decision, DeviceId> {
        let left = failed.and_then(|flow| self.leaver(flow, request));
        if let Some(device) = left.or_else(|| self.cut_off(request)) {
            return match self.ways_to(&[device], now) {
                groups if groups.is_empty() => Err(device),
                groups => Ok(along(groups)),
            };
        }
        let groups = match (destination, &request.uri) {
            (Destination::User(name), Uri::Sip(uri)) if self.is_home_name(name, uri) => {
                let device = self.directory.device_of(name);
                if uri.params().has("gr") {
                    self.registrar.lookup(uri, now).unwrap_or_default()
                } else {
                    self.ways_to(device.as_slice(), now)
                }
            }
            (_, uri) => vec![Group {
                branches: vec![Branch::new(Way::to(uri.clone()), 0)],
                ringing_max: None,
            }],
        };
        Ok(along(groups))
    }

    /// Whose address this user part is; a device that joined a moment ago is known by its id.
    pub(super) fn owner_of(&self, user: &str) -> Option<DeviceId> {
        let known = self.directory.device_of(user);
        let device = known.or_else(|| user.parse().ok())?;
        (!self.directory.is_revoked(device)).then_some(device)
    }

    pub(super) fn is_home_name(&self, name: &str, uri: &SipUri) -> bool {
        uri.params().has("gr") || self.directory.device_of(name).is_some()
    }

    /// Whether host and port of a URI are the home's: its domain, or an address of ours with its port.
    pub(super) fn names_us(&self, uri: &SipUri) -> bool {
        let by_name = uri.port().is_none() && self.domains.contains(uri.host());
        let by_domain = uri.host() == &self.domains[0];
        by_name || by_domain || self.identities.iter().any(|own| own.is_named_by(uri))
    }

    // Registrations.

    pub(super) fn register_asked(
        &mut self,
        id: AskId,
        request: &Request,
        flow: &Flow,
        now: Duration,
    ) {
        let caller = match self.caller(request, flow, false, now) {
            Ok(caller) => caller,
            Err(reject) => return self.decide(id, Decision::Reject(reject), now),
        };
        let to = request.headers.to().ok().map(|to| to.uri);
        let to = to.as_ref().and_then(Uri::as_sip).map(SipUri::host);
        let domain = to.filter(|host| self.domains.contains(host));
        let own = SipUri::new(domain.unwrap_or(&self.domains[0]).clone()).with_user(&caller.user);
        let owner = Aor::of(&own, &self.domains);
        let room = self.vetting.len() < VETTING_MAX;
        let Some(owner) = owner.filter(|_| room) else {
            let reject = Reject::new(StatusCode::SERVICE_UNAVAILABLE);
            let reject = reject.with(HeaderName::RetryAfter, "10");
            return self.decide(id, Decision::Reject(reject), now);
        };
        self.decide(id, Decision::Take, now);
        let vetting = Vetting {
            flow: *flow,
            device: caller.device,
            owner,
        };
        self.vetting.insert(id, vetting);
        let certified = self.flows.get(flow.id).and_then(|open| open.certified);
        let certificate = certified.and_then(|certified| certified.certificate);
        let (home, news) = (self.around.home.clone(), self.around.news.clone());
        let (store, at) = (&home.store, home.clock.now());
        if store.is_known_to_stand(caller.device, certificate.as_ref(), at) {
            return self.vetted(id, Some(true), now);
        }
        tokio::spawn(async move {
            let allowed = may_register(&home, caller.device, certificate).await.ok();
            let _ = news.send(News::Vetted { id, allowed }).await;
        });
    }

    pub(super) fn vetted(&mut self, id: AskId, allowed: Option<bool>, now: Duration) {
        let Some(vetting) = self.vetting.remove(&id) else {
            return;
        };
        let Some(request) = self.proxy.request(id) else {
            return;
        };
        let Some(allowed) = allowed else {
            // A store in trouble is no refusal: it is tried again soon.
            tracing::warn!("a registration waits: the store did not say whether its device may");
            let mut response =
                Response::to_request(request, StatusCode::SERVICE_UNAVAILABLE, Some("hearthline"));
            response.headers.push(HeaderName::RetryAfter, "2");
            // It may have timed out in the meantime.
            let _ = self.proxy.respond(id, &response, now);
            return;
        };
        if !allowed || self.directory.is_revoked(vetting.device) {
            self.respond(id, StatusCode::FORBIDDEN, now);
            if vetting.flow.transport.is_reliable() {
                self.close(vetting.flow.id, now);
            }
            return;
        }
        let unix_s = self.around.home.clock.now().seconds();
        let input = Registering {
            request,
            flow: vetting.flow,
            owner: &vetting.owner,
            unix_time_s: u64::try_from(unix_s).ok(),
        };
        let place = lingering::Place::of(request, vetting.device);
        let response = self.registrar.register(&input, now);
        let (changes, _) = self.changes(now);
        if response.headers.contains(&HeaderName::FlowTimer) {
            let timer = FLOW_TIMER;
            self.silence.heard(vetting.flow.id, timer, now);
            if let Some(place) = place {
                self.stands(place, &vetting.flow, now);
            }
        }
        if changes.is_empty() {
            // It may have timed out in the meantime.
            let _ = self.proxy.respond(id, &response, now);
        } else {
            self.write(changes, Some((id, Box::new(response))), now);
        }
    }
}

/// Whoever is meant is not registered.
pub(super) fn not_there() -> Reject {
    Reject::new(StatusCode::TEMPORARILY_UNAVAILABLE)
}

/// On along these ways, within a call; without one there is no such call.
pub(super) fn along(groups: Vec<Group>) -> Decision {
    if groups.is_empty() {
        return Decision::Reject(Reject::new(StatusCode::CALL_DOES_NOT_EXIST));
    }
    Decision::Forward(Forward {
        groups,
        ..Forward::default()
    })
}

pub(super) fn because(status: StatusCode, why: &str) -> Reject {
    let mut reject = Reject::new(status);
    reject.reason = Some(format!("{}: {why}", status.reason()));
    reject
}

pub(super) fn warned(reject: Reject, text: &str) -> Reject {
    let warning = Warning {
        code: 399,
        agent: "hearthline".to_owned(),
        text: text.to_owned(),
    };
    reject.with(HeaderName::Warning, warning.to_string())
}

/// Phones that know MD5 alone give up at a challenge by SHA-256 beside it (baresip 1.0.0), and phones that know both
/// must not be led to MD5: each account is asked by its own algorithm alone.
fn is_md5(challenge: &[u8]) -> bool {
    !String::from_utf8_lossy(challenge).contains("algorithm=SHA-256")
}

/// The hub has no line for it: the caller takes its own.
pub(super) fn no_emergency_line() -> Reject {
    let text = "this hub has no emergency line; call by the device's own line";
    warned(because(StatusCode::SERVICE_UNAVAILABLE, text), text)
}

/// `sips:` reaches nobody over a wire that others can read (RFC 5630 section 3.1.3).
fn secure_only(groups: Vec<Group>) -> Vec<Group> {
    let secure = |way: &Way| {
        way.hop
            .as_ref()
            .is_some_and(|hop| hop.transport().is_secure())
    };
    let mut kept = Vec::new();
    for mut group in groups {
        for branch in &mut group.branches {
            branch.ways.retain(secure);
        }
        group.branches.retain(|branch| !branch.ways.is_empty());
        if !group.branches.is_empty() {
            kept.push(group);
        }
    }
    kept
}

/// Whether a device may register: it is there, not revoked, and its certificate has not ended.
async fn may_register(
    home: &Home,
    device: DeviceId,
    certificate: Option<Fingerprint>,
) -> Answer<bool> {
    let own = match home.store.device(device).await {
        Ok(own) => own,
        Err(StoreError::NotFound(_)) => return Ok(false),
        Err(error) => return Err(error),
    };
    let Some(certificate) = certificate else {
        return Ok(own.revoked_at_ms.is_none());
    };
    let found = home.store.device_by_certificate(&certificate).await?;
    let stands = found.is_some_and(|(_, issued)| issued.not_after > home.clock.now());
    Ok(stands && own.revoked_at_ms.is_none())
}
