//! What a person asks the telephone to do.
use core::time::Duration;

use hearthline_ledger::CallEvent;
use hearthline_media::secure::IceRole;
use hearthline_sip::endpoint::{Body, CallHandle, Endpoint, InviteRequest};
use hearthline_sip::{HeaderName, Host, NameAddr, StatusCode, Uri};

use super::call::{Call, Party, State};
use super::choosing::{Choice, Wish};
use super::deciding::{Deed, Last};
use super::directory::Meant;
use super::leg::{Demand, first_offer};
use super::screening::ANSWER_MODE_HEADER;
use super::whom::{HomeUser, Whom, recognise};
use super::{CALLS_MAX, Output, RINGING_MAX, Telephone, words};

/// Missed calls that are read out.
const READ_OUT_MAX: usize = 3;

impl Telephone {
    /// Does what was decided.
    pub fn carry_out(&mut self, deed: Deed, endpoint: &mut Endpoint, now: Duration) {
        match deed {
            Deed::CallName { name, drop_in } => self.call_name(&name, drop_in, endpoint, now),
            Deed::CallNumber(digits) => {
                let party = self.party_at(Whom::Number(digits));
                self.place(party, false, endpoint, now);
            }
            Deed::Answer => self.answer(endpoint, now),
            Deed::Decline => {
                if let Some(handle) = self.offered() {
                    self.turn_away(handle, StatusCode::DECLINE, endpoint, now);
                }
            }
            Deed::HangUp => self.hang_up(endpoint, now),
            Deed::Hold => {
                self.hold_others(None, endpoint, now);
                self.say(words::HELD);
            }
            Deed::Silence(on) => {
                self.silenced = on;
                self.say(if on {
                    words::SILENCED
                } else {
                    words::HEARD_AGAIN
                });
            }
            Deed::Resume => self.resume(endpoint, now),
            Deed::Merge => self.merge(endpoint, now),
            Deed::Transfer(to) => self.transfer(to, endpoint, now),
            Deed::Press(keys) => self.press(&keys, now),
            Deed::Redial(last) => self.redial(last, endpoint, now),
            Deed::WhoCalled => self.who_called(now),
            Deed::DoNotDisturb(on) => {
                self.screening.do_not_disturb = on;
                self.say(if on { words::DND_ON } else { words::DND_OFF });
            }
            Deed::BlockCaller => match self.last_caller.clone() {
                // What the hub makes of it is said when it has answered.
                Some(party) if party.whom.is_some() => self.screening.block(&party.address),
                Some(_) => self.say(words::HIDDEN_CALLER),
                None => self.say(words::NONE_MISSED),
            },
            Deed::Say(text) => self.say(text),
            // Decided by the policy before; here nothing is dialled.
            Deed::NotOurs(_) => {}
        }
        self.settle();
    }

    /// Whom a spoken name means.
    pub(super) fn meant(&self, name: &str) -> Meant {
        if !self.directory.is_told() {
            // Nothing is known here: the hub knows its rooms and people by name.
            HomeUser::new(words::without_the(name)).map_or(Meant::Nobody, |user| {
                let whom = Whom::Home(user);
                Meant::One(Party {
                    address: self.address_of(&whom),
                    whom: Some(whom),
                    name: Some(name.to_owned()),
                })
            })
        } else {
            self.directory.find(name)
        }
    }

    fn call_name(&mut self, name: &str, drop_in: bool, endpoint: &mut Endpoint, now: Duration) {
        match self.meant(name) {
            Meant::One(mut party) => {
                if let Some(whom) = &party.whom {
                    party.address = self.address_of(whom);
                }
                self.place(party, drop_in, endpoint, now);
            }
            Meant::Several(parties) => {
                let names: Vec<String> = parties.iter().map(Party::spoken).collect();
                self.say(words::which(name, &names));
                self.choice = Some(Choice::between(parties, Wish::Call { drop_in }, now));
            }
            Meant::Nobody => self.say(words::nobody(name)),
        }
    }

    pub(super) fn address_of(&self, whom: &Whom) -> String {
        match &self.home {
            Some(home) => whom.uri(&home.config.domain).to_string(),
            None => String::new(),
        }
    }

    /// Calls.
    pub(super) fn place(
        &mut self,
        party: Party,
        drop_in: bool,
        endpoint: &mut Endpoint,
        now: Duration,
    ) {
        let _ = self.begin(party, drop_in, None, endpoint, now);
    }

    /// Begins a call; with rows of its own where the other side of another one asked for it. `None`: why was said.
    pub(super) fn begin(
        &mut self,
        party: Party,
        drop_in: bool,
        asked: Option<Vec<(HeaderName, Vec<u8>)>>,
        endpoint: &mut Endpoint,
        now: Duration,
    ) -> Option<CallHandle> {
        if self.emergency {
            self.say(words::EMERGENCY_FIRST);
            return None;
        }
        let (Some(home), Some(whom)) = (&self.home, &party.whom) else {
            self.say(words::NO_HOME);
            return None;
        };
        let domain: Host = home.config.domain.clone();
        let uri = whom.uri(&domain);
        assert!(
            recognise(
                &uri.user_unescaped().map_or_else(String::new, |user| {
                    String::from_utf8_lossy(&user).into_owned()
                }),
                self.country
            )
            .is_ok(),
            "the telephone dials no emergency number: Whom holds none"
        );
        let Some(port) = self.free_port().filter(|_| self.calls.len() < CALLS_MAX) else {
            self.say(words::TOO_MANY);
            return None;
        };
        let (hub, from) = (home.config.hub.clone(), home.config.address_of_record());
        let demand = self.directory.demand(whom);
        // An ordinary phone of the home: others could think that it is protected as the rest of the home is.
        let told = demand == Demand::Clear && matches!(whom, Whom::Home(_));
        let (session_id, call_id) = (self.session_id(), self.tokens.call_id());
        let to = Uri::from(uri.clone());
        let prepared = self
            .way(demand, IceRole::Controlling, port, now)
            .and_then(|way| {
                let described = first_offer(port, way.as_deref(), demand, session_id);
                let row = self.signed(&to, &call_id, &described, now)?;
                Ok((way, described, row))
            });
        let (way, described, row) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                self.step(format!("no call: {error}"));
                self.say(words::unprotected(&party.spoken()));
                return None;
            }
        };
        self.hold_others(None, endpoint, now);
        let mut request = InviteRequest::new(to, from, NameAddr::new(uri), hub);
        request.call_id = Some(call_id);
        request.headers.extend(row);
        request.body = Some(Body::sdp(described.to_bytes()));
        request.ringing_max = Some(RINGING_MAX);
        request.end_on_session_expiry = Some(true);
        if drop_in && let Some(name) = HeaderName::parse(ANSWER_MODE_HEADER.as_bytes()) {
            request.headers.push((name, b"Auto".to_vec()));
        }
        let put_through = asked.is_some();
        request.headers.extend(asked.unwrap_or_default());
        let handle = match endpoint.invite(request, now) {
            Ok(handle) => handle,
            Err(error) => {
                self.step(format!("no call: {error}"));
                self.say(words::TOO_MANY);
                return None;
            }
        };
        let call = Call {
            handle,
            call_id: endpoint.call_id(handle).unwrap_or_default().to_owned(),
            incoming: false,
            party: party.clone(),
            state: State::Calling,
            port,
            described: Some(described),
            demand,
            way,
            leg: None,
            moved: false,
            signed_again: false,
            change_due: None,
            ring_until: None,
            drop_in: false,
            joined: false,
            heard: std::collections::VecDeque::new(),
        };
        self.record(call.entry(CallEvent::Invite, None, None));
        self.calls.push(call);
        self.step("calling".into());
        let mut said = match put_through {
            true => words::put_through(&party.spoken()),
            false => words::calling(&party.spoken()),
        };
        if told {
            said = format!("{said} {}", words::NOT_PROTECTED);
        }
        self.say(said);
        if !put_through {
            self.dialled = Some(party);
        }
        Some(handle)
    }

    fn press(&mut self, keys: &[char], now: Duration) {
        let mut refused = false;
        for call in self.calls.iter_mut().filter(|call| call.is_spoken()) {
            if let Some(leg) = &mut call.leg {
                for key in keys {
                    refused |= leg.press(*key, now).is_err();
                }
            }
        }
        if refused {
            self.say(words::NO_DIGITS);
        }
    }

    fn redial(&mut self, last: Last, endpoint: &mut Endpoint, now: Duration) {
        let party = match last {
            Last::Dialled => self.dialled.clone(),
            Last::Missed => self.missed.back().map(|missed| missed.party.clone()),
        };
        match party.filter(|party| party.whom.is_some()) {
            Some(party) => self.place(party, false, endpoint, now),
            None => self.say(words::NOBODY_YET),
        }
    }

    fn who_called(&mut self, now: Duration) {
        let told: Vec<String> = self
            .missed
            .iter()
            .rev()
            .take(READ_OUT_MAX)
            .map(|missed| {
                let ago = words::ago(now.saturating_sub(missed.at).as_secs());
                words::called(&missed.party.spoken(), &ago)
            })
            .collect();
        if told.is_empty() {
            self.say(words::NONE_MISSED);
        } else {
            self.say(told.join(" "));
        }
    }

    pub(super) fn session_id(&mut self) -> u64 {
        self.tokens.next_u64() >> 2
    }

    /// A call is over: its sound ends, and what it was goes into the record.
    pub(super) fn forget(&mut self, handle: CallHandle, how: &str, now: Duration) {
        let Some(at) = self.calls.iter().position(|call| call.handle == handle) else {
            return;
        };
        let mut call = self.calls.remove(at);
        self.transfer_over(handle);
        if let Some(mut leg) = call.leg.take() {
            leg.close(now);
            while let Ok(output) = leg.poll(now) {
                if let super::LegOutput::Packet { from, to, bytes } = output {
                    self.outputs.push_back(Output::Packet { from, to, bytes });
                }
            }
            self.record(leg.statistics(&call.call_id));
        }
        if self.calls.iter().filter(|call| call.joined).count() < 2 {
            for call in &mut self.calls {
                call.joined = false;
                call.heard.clear();
            }
        }
        self.step(format!("call over: {how}"));
        self.settle();
    }
}
