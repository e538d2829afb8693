//! Calls over the home's lines, and calls for help: what the switchboard hands to the gateway and takes from it.

use hearthline_sip::{Limits, NameAddr, outbound::Hop, parse_datagram};

use super::deciding::{because, no_emergency_line, warned};
use super::*;
use crate::call::Direction;
use crate::gateway::{CALLBACK, CONTACTS_ONLY, FINDING, OnLine, UNWANTED, line_called};
use crate::id::LineId;
use crate::number::Number;
use crate::sip::bridges::End;
use crate::sip::call_log::{Begun, missed_from_outside};

use super::screened::{NotRung, Rung};

/// Emergency calls whose callers are remembered.
const HELPED_MAX: usize = 64;
/// How long the device that called for help rings alone before the others ring too.
const CALLBACK_ALONE: Duration = Duration::from_secs(20);

/// Who called for help, for the call-taker's callback.
pub(super) struct Helped {
    call_id: String,
    device: Option<DeviceId>,
    hop: Hop,
    contact: Option<Uri>,
}

impl Switchboard {
    /// Whether a request came from the gateway: by its connection, whatever it says.
    pub(super) fn is_gateway(&self, flow: &Flow) -> bool {
        flow.id == self.door.flow.id
    }

    /// An emergency: to the home's line where it has one for that, else the caller is told at once to take its own.
    pub(super) fn help_asked(
        &mut self,
        id: AskId,
        request: &Request,
        flow: &Flow,
        passage: Passage,
        now: Duration,
    ) {
        let begins = request.method == Method::Invite && passage == Passage::Outside;
        if !begins || !self.door.is_ready_for_help() {
            self.note_emergency(request, flow, now);
            return self.decide(id, Decision::Reject(no_emergency_line()), now);
        }
        let at = self.around.home.clock.now();
        let source = Counted::source(flow.remote.ip());
        let device = self.flows.get(flow.id).and_then(OpenFlow::device);
        let begun = Begun {
            direction: Direction::Outgoing,
            device,
            called: None,
            emergency: true,
            claimed: self.claimed(request, device),
            on_line: None,
            noted: self.emergency_rows.take(&source, at).is_ok(),
        };
        tracing::warn!("an emergency call, in drill, goes to the home's line");
        if self.helped.len() >= HELPED_MAX {
            self.helped.pop_front();
        }
        let contacts = request.headers.contacts().ok();
        let contact = contacts.and_then(|contacts| contacts.first().cloned());
        self.helped.push_back(Helped {
            call_id: request.headers.call_id().unwrap_or_default().to_owned(),
            device,
            hop: Hop::from(flow),
            contact: contact.map(|contact: NameAddr| contact.uri),
        });
        self.calls.begins(id, begun);
        let user = device.and_then(|device| self.directory.user_of(device));
        let asserted = user.map(|user| self.asserted(user));
        let mut forward = self.to_gateway(request, asserted);
        // A call for help takes no other call's place, and is not refused for one that it cannot take.
        forward.remove.push(HeaderName::Replaces);
        if let Some(device) = device {
            self.bridge(request, self.end_of(device), &forward.groups, &[], true);
        }
        self.decide(id, Decision::Forward(forward), now);
    }

    /// Whom a caller claims to be of whom nothing is proven.
    pub(super) fn claimed(&self, request: &Request, proven: Option<DeviceId>) -> Option<DeviceId> {
        let from = request.headers.from().ok().filter(|_| proven.is_none())?;
        let uri = from.uri.as_sip()?;
        let ours = self.domains.contains(uri.host());
        self.directory.device_of(uri.user()?).filter(|_| ours)
    }

    /// A number of the telephone network, for who may call it.
    pub(super) fn number_asked(
        &self,
        request: &Request,
        digits: &hearthline_emergency::numbers::OrdinaryDigits,
        caller: &Caller,
    ) -> Result<Forward, Reject> {
        let short = self.directory.speed_dial(digits.as_str());
        let number = match short {
            Some(number) => Ok(number.clone()),
            None => self.door.plan.number(digits),
        };
        match number {
            Err(why) => {
                let text = why.to_string();
                Err(warned(because(StatusCode::NOT_FOUND, &text), &text))
            }
            Ok(number) if !self.directory.may_call(caller.device, &number) => {
                let text = "children call the contacts that they were allowed";
                Err(warned(because(StatusCode::FORBIDDEN, text), text))
            }
            Ok(number) => {
                let mut forward = self.to_gateway(request, Some(self.asserted(&caller.user)));
                // Written as international numbers, none of which is an emergency number's.
                if short.is_some() {
                    let by_line = self.by_line(Some(caller.device), number.as_str());
                    forward.groups = by_line.into_iter().collect();
                }
                let name = HeaderName::parse(CONTACTS_ONLY.as_bytes());
                let child = self.directory.is_child(caller.device);
                if let Some(name) = name.filter(|_| child) {
                    forward.set.push((name, b"yes".to_vec()));
                }
                Ok(forward)
            }
        }
    }

    fn asserted(&self, user: &str) -> String {
        format!("<sip:{user}@{}>", self.domains[0])
    }

    /// The request as it came, body and rows, but for who calls: that we say.
    fn to_gateway(&self, request: &Request, asserted: Option<String>) -> Forward {
        let way = Way::to(request.uri.clone()).by(Hop::from(&self.door.flow));
        let set = asserted.map(|asserted| (HeaderName::PAssertedIdentity, asserted.into_bytes()));
        let mut remove = vec![
            HeaderName::ProxyAuthorization,
            HeaderName::PAssertedIdentity,
        ];
        let own = [CALLBACK, CONTACTS_ONLY, FINDING];
        remove.extend(
            own.iter()
                .filter_map(|own| HeaderName::parse(own.as_bytes())),
        );
        Forward {
            groups: vec![Group {
                branches: vec![Branch::new(way, 0)],
                ringing_max: None,
            }],
            record_route: true,
            remove,
            set: set.into_iter().collect(),
            ..Forward::default()
        }
    }

    /// A request of the gateway's own: a call that came in over a line. None of these is ever a call for help.
    pub(super) fn outside_asked(
        &mut self,
        id: AskId,
        request: &Request,
        passage: Passage,
        destination: &Destination,
        now: Duration,
    ) {
        let begins = request.method == Method::Invite && passage == Passage::Outside;
        if begins && let Some(decision) = self.mailbox_asked(request, now) {
            return self.decide(id, decision, now);
        }
        let decision = match passage {
            Passage::Dialog { failed, .. } => {
                match self.within_dialog(request, destination, failed, now) {
                    Ok(decision) => decision,
                    Err(device) => return self.await_return(id, device, now),
                }
            }
            Passage::Outside if request.method == Method::Invite => {
                let call_id = request.headers.call_id().unwrap_or_default();
                let on_line = self.calls.coming(call_id);
                let on_line = on_line.filter(|_| line_rung(request).1.is_some());
                match self.rung_by_line(request, now) {
                    Ok(Rung { groups, asleep }) => {
                        self.bridge(request, End::Telephone, &groups, &asleep, false);
                        let begun = Begun {
                            direction: Direction::Incoming,
                            device: None,
                            called: None,
                            emergency: false,
                            claimed: None,
                            on_line,
                            // One that is looked for was called by nobody.
                            noted: !is_finding(request),
                        };
                        self.calls.begins(id, begun);
                        let open_for = self.await_called(id, asleep, now);
                        Decision::Forward(Forward {
                            groups,
                            open_for,
                            record_route: true,
                            remove: [CALLBACK, FINDING]
                                .iter()
                                .filter_map(|own| HeaderName::parse(own.as_bytes()))
                                .collect(),
                            ..Forward::default()
                        })
                    }
                    Err(NotRung::Unwanted) => Decision::Reject(Reject::new(UNWANTED)),
                    Err(NotRung::Missed(device)) => {
                        self.note_missed(on_line, device, now);
                        Decision::Reject(Reject::new(StatusCode::TEMPORARILY_UNAVAILABLE))
                    }
                }
            }
            _ => Decision::Reject(Reject::new(StatusCode::METHOD_NOT_ALLOWED)),
        };
        self.decide(id, decision, now);
    }

    /// A call from outside that rang nobody is a missed one all the same; a call that is moved is none.
    pub(super) fn note_missed(
        &mut self,
        on_line: Option<OnLine>,
        device: Option<DeviceId>,
        now: Duration,
    ) {
        let at = self.around.home.clock.now();
        if let Some(row) = on_line.and_then(|on_line| missed_from_outside(on_line, device, at)) {
            self.rows_of_calls.add(row, now);
        }
    }

    /// Whom a line's call rings: its rooms and devices; a call-taker's callback first the device that called for help; a
    /// call that is moved within the home, whom it is moved to.
    fn rung_by_line(&self, request: &Request, now: Duration) -> Result<Rung, NotRung> {
        let (user, line) = line_rung(request);
        let moved: Vec<DeviceId>;
        let devices = match line {
            Some(line) => self.directory.rung_by(line),
            None => {
                moved = match self.owner_of(&user) {
                    Some(device) => vec![device],
                    None => self.directory.called(&user).to_vec(),
                };
                &moved
            }
        };
        // A telephone that is looked for rings itself, whatever it wants of calls, and no other in its place.
        if line.is_none() && is_finding(request) {
            return Rung::awake(self.ways_to(devices, now));
        }
        let name = HeaderName::parse(CALLBACK.as_bytes());
        let mark = name.and_then(|name| request.headers.get_str(&name));
        let Some(mark) = mark else {
            let rung = self.undisturbed(devices, calling_number(request).as_ref());
            return match line {
                Some(line) => self.going_on(line, rung),
                None => rung,
            };
        };
        let mut groups = self.helped_caller(mark, now);
        for group in &mut groups {
            group.ringing_max = Some(CALLBACK_ALONE);
        }
        // Then everybody: the line's list does not matter now.
        let all = self.ways_to(devices, now);
        let everybody = match all.is_empty() {
            true => self.ways_to(self.directory.everybody(), now),
            false => all,
        };
        groups.extend(everybody);
        Rung::awake(groups)
    }

    /// Where nobody answers a line's call, it goes where its owner sends it; whoever is not wanted goes nowhere.
    fn going_on(&self, line: LineId, rung: Result<Rung, NotRung>) -> Result<Rung, NotRung> {
        let number = self.directory.goes_on_to(line);
        let Some(group) = number.and_then(|number| self.by_line(None, number.as_str())) else {
            return rung;
        };
        let mut rung = match rung {
            Err(NotRung::Unwanted) => return rung,
            Err(NotRung::Missed(_)) => Rung::default(),
            Ok(rung) => rung,
        };
        for own in &mut rung.groups {
            own.ringing_max.get_or_insert(self.door.unanswered_after);
        }
        rung.groups.push(group);
        Ok(rung)
    }

    /// The device that called for help: as it is registered, else by the connection and address that it called from.
    fn helped_caller(&self, mark: &str, now: Duration) -> Vec<Group> {
        let by_device = mark.strip_prefix("device ").and_then(|id| id.parse().ok());
        let helped = mark.strip_prefix("call ").and_then(|call_id| {
            let mut latest = self.helped.iter().rev();
            latest.find(|helped| helped.call_id == call_id)
        });
        let device = by_device.or(helped.and_then(|helped| helped.device));
        let registered = self.ways_to(device.as_slice(), now);
        if !registered.is_empty() {
            return registered;
        }
        let Some((hop, uri)) = helped.and_then(|own| Some((&own.hop, own.contact.clone()?))) else {
            return Vec::new();
        };
        let mut branch = Branch::new(Way::to(uri.clone()).by(hop.clone()), 0);
        branch.ways.push(Way::to(uri));
        vec![Group {
            branches: vec![branch],
            ringing_max: None,
        }]
    }

    /// A REFER on its way to the gateway, with our word whether whose call it is in may have any number called: a child
    /// may not, nor anybody who is not known. What the sender says of that is dropped.
    pub(super) fn vouched(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut message = parse_datagram(bytes, &Limits::default()).ok()?;
        let name = HeaderName::parse(CONTACTS_ONLY.as_bytes())?;
        let holder = self.calls.holder(message.headers());
        let bound = holder.is_none_or(|device| self.directory.is_child(device));
        let headers = message.headers_mut();
        headers.remove(&name);
        headers.push(name, if bound { "yes" } else { "no" });
        Some(message.to_bytes())
    }

    /// The gateway said how a call between two outside parties goes.
    pub(super) fn between(&mut self, news: Between, now: Duration) {
        let at = self.around.home.clock.now();
        if let Some(row) = self.calls.between(news, at) {
            self.rows_of_calls.add(row, now);
        }
    }

    /// The gateway said by which line a call goes.
    pub(super) fn on_line(&mut self, news: OnLine, now: Duration) {
        if let Some(row) = self.calls.on_line(news) {
            self.rows_of_calls.add(row, now);
        }
    }
}

/// Whom the gateway calls, and the line when that means whom the line rings.
fn line_rung(request: &Request) -> (String, Option<LineId>) {
    let user = request.uri.as_sip().and_then(SipUri::user_unescaped);
    let user = user.and_then(|user| String::from_utf8(user).ok());
    let user = user.unwrap_or_default();
    let line = line_called(&user);
    (user, line)
}

/// Whether a telephone rings so that it is found.
fn is_finding(request: &Request) -> bool {
    let name = HeaderName::parse(FINDING.as_bytes());
    name.is_some_and(|name| request.headers.contains(&name))
}

/// The number that the gateway found behind a call from outside.
fn calling_number(request: &Request) -> Option<Number> {
    let asserted = request.headers.asserted_identities().ok()?;
    let user = asserted.iter().find_map(|own| own.uri.as_sip()?.user());
    Number::new(user?).ok()
}
