//! What a person asks the telephone to do.
use core::time::Duration;

use hearthline_ledger::CallEvent;
use hearthline_sip::endpoint::{Body, CallHandle, CommandError, Endpoint, InviteRequest, Refusal};
use hearthline_sip::offer_answer::{answer, offer, reoffer};
use hearthline_sip::sdp::{Direction, SessionDescription};
use hearthline_sip::{HeaderName, Host, NameAddr, StatusCode};

use super::call::{Call, Party, State};
use super::deciding::{Deed, Last};
use super::directory::Meant;
use super::leg::{Leg, audio};
use super::screening::ANSWER_MODE_HEADER;
use super::whom::{HomeUser, Whom, recognise};
use super::{
    CALLS_MAX, Choice, Directory, Name, Output, RINGING_MAX, Reach, SPEECH_MAX, Telephone, words,
};

/// A change that met another one is tried again after so long.
const CHANGE_PAUSE: Duration = Duration::from_secs(2);
/// Missed calls that are read out.
const READ_OUT_MAX: usize = 3;

impl Telephone {
    /// Does what was decided.
    pub fn carry_out(&mut self, deed: Deed, endpoint: &mut Endpoint, now: Duration) {
        match deed {
            Deed::CallName { name, drop_in } => self.call_name(&name, drop_in, endpoint, now),
            Deed::CallNumber(digits) => {
                let whom = Whom::Number(digits);
                let name = self.directory.name_of(&whom).map(str::to_owned);
                let party = Party {
                    address: self.address_of(&whom),
                    whom: Some(whom),
                    name,
                };
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
            Deed::Resume => self.resume(endpoint, now),
            Deed::Merge => self.merge(endpoint, now),
            Deed::Press(keys) => self.press(&keys, now),
            Deed::Redial(last) => self.redial(last, endpoint, now),
            Deed::WhoCalled => self.who_called(now),
            Deed::DoNotDisturb(on) => {
                self.screening.do_not_disturb = on;
                self.say(if on { words::DND_ON } else { words::DND_OFF });
            }
            Deed::BlockCaller => match self.last_caller.clone() {
                Some(party) => {
                    self.screening.block(&party.address);
                    self.say(words::BLOCKED);
                }
                None => self.say(words::NONE_MISSED),
            },
            Deed::Say(text) => self.say(text),
            // Decided by the policy before; here nothing is dialled.
            Deed::NotOurs(_) => {}
        }
        self.settle();
    }

    /// The answer to "Which Anna?"; false when it was none.
    pub fn chosen(&mut self, said: &str, endpoint: &mut Endpoint, now: Duration) -> bool {
        let Some(choice) = self.choice.take() else {
            return false;
        };
        // Whom the words mean is looked at as if they came behind "call".
        if recognise(said, self.country).is_err() {
            return false;
        }
        let names: Vec<Name> = choice
            .parties
            .iter()
            .enumerate()
            .map(|(index, party)| Name {
                name: party.spoken(),
                also: also(&party.spoken(), index),
                reach: match &party.whom {
                    Some(Whom::Number(digits)) => Reach::Number(digits.as_str().to_owned()),
                    Some(Whom::Home(user)) => Reach::User(user.as_str().to_owned()),
                    None => Reach::User(String::new()),
                },
            })
            .collect();
        let said = said.trim().trim_end_matches(['.', '!', '?', ',']);
        match Directory::new(&names, self.country).find(said) {
            Meant::One(party) => self.place(party, choice.drop_in, endpoint, now),
            Meant::Several(_) | Meant::Nobody => self.say(words::nobody(said)),
        }
        self.settle();
        true
    }

    fn call_name(&mut self, name: &str, drop_in: bool, endpoint: &mut Endpoint, now: Duration) {
        let meant = if !self.directory.is_told() {
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
        };
        match meant {
            Meant::One(mut party) => {
                if let Some(whom) = &party.whom {
                    party.address = self.address_of(whom);
                }
                self.place(party, drop_in, endpoint, now);
            }
            Meant::Several(parties) => {
                let names: Vec<String> = parties.iter().map(Party::spoken).collect();
                self.say(words::which(name, &names));
                self.choice = Some(Choice {
                    parties,
                    drop_in,
                    until: None,
                    speech_until: now + SPEECH_MAX,
                });
            }
            Meant::Nobody => self.say(words::nobody(name)),
        }
    }

    fn address_of(&self, whom: &Whom) -> String {
        match &self.home {
            Some(home) => whom.uri(&home.config.domain).to_string(),
            None => String::new(),
        }
    }

    /// Calls.
    fn place(&mut self, party: Party, drop_in: bool, endpoint: &mut Endpoint, now: Duration) {
        if self.emergency {
            return self.say(words::EMERGENCY_FIRST);
        }
        let (Some(home), Some(whom)) = (&self.home, &party.whom) else {
            return self.say(words::NO_HOME);
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
            return self.say(words::TOO_MANY);
        };
        let (hub, from) = (home.config.hub.clone(), home.config.address_of_record());
        self.hold_others(None, endpoint, now);
        let described = offer(&audio(port, Direction::SendRecv), self.session_id(), 0);
        let mut request = InviteRequest::new(uri.clone().into(), from, NameAddr::new(uri), hub);
        request.body = Some(Body::sdp(described.to_bytes()));
        request.ringing_max = Some(RINGING_MAX);
        request.end_on_session_expiry = Some(true);
        if drop_in && let Some(name) = HeaderName::parse(ANSWER_MODE_HEADER.as_bytes()) {
            request.headers.push((name, b"Auto".to_vec()));
        }
        let handle = match endpoint.invite(request, now) {
            Ok(handle) => handle,
            Err(error) => {
                self.step(format!("no call: {error}"));
                return self.say(words::TOO_MANY);
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
            leg: None,
            change_due: None,
            ring_until: None,
            drop_in: false,
            joined: false,
            heard: std::collections::VecDeque::new(),
        };
        self.record(call.entry(CallEvent::Invite, None, None));
        self.calls.push(call);
        self.step("calling".into());
        self.say(words::calling(&party.spoken()));
        self.dialled = Some(party);
    }

    fn offered(&self) -> Option<CallHandle> {
        self.calls
            .iter()
            .find(|call| call.is_offered())
            .map(|call| call.handle)
    }

    pub(super) fn answer(&mut self, endpoint: &mut Endpoint, now: Duration) {
        let Some(handle) = self.offered() else {
            return;
        };
        self.hold_others(Some(handle), endpoint, now);
        let session_id = self.session_id();
        let seed = self.tokens.next_u64();
        let unix = self.unix_time_at_zero;
        let Some(call) = self.call(handle) else {
            return;
        };
        let State::Offered(request) = &call.state else {
            return;
        };
        let port = call.port;
        let settled = SessionDescription::parse(&super::events::session_of(request))
            .map_err(|error| error.to_string())
            .and_then(|theirs| {
                answer(&theirs, &audio(port, Direction::SendRecv), session_id, 0)
                    .map_err(|error| error.to_string())
            })
            .and_then(|(ours, negotiated)| {
                let leg =
                    Leg::new(&negotiated, port, seed, unix).map_err(|error| error.to_string())?;
                Ok((ours, leg))
            });
        match settled {
            Ok((ours, leg)) => {
                call.leg = Some(leg);
                call.ring_until = None;
                call.state = State::Confirmed {
                    held: false,
                    holds_us: false,
                };
                let body = Body::sdp(ours.to_bytes());
                call.described = Some(ours);
                let entry = call.entry(CallEvent::Answered, Some(200), Some("answered here"));
                self.record(entry);
                self.step("answered".into());
                if endpoint.accept(handle, Some(body), now).is_err() {
                    self.forget(handle, "the caller was gone", now);
                }
            }
            Err(why) => {
                self.step(format!("no sound: {why}"));
                self.say(words::failed("the caller", Some(488)));
                self.turn_away(handle, StatusCode::NOT_ACCEPTABLE_HERE, endpoint, now);
            }
        }
    }

    /// Refuses a call that rings.
    pub(super) fn turn_away(
        &mut self,
        handle: CallHandle,
        status: StatusCode,
        endpoint: &mut Endpoint,
        now: Duration,
    ) {
        let _ = endpoint.reject(handle, Refusal::new(status), now);
        if let Some(call) = self.call(handle) {
            let entry = call.entry(CallEvent::Failed, Some(status.code()), Some("refused here"));
            self.record(entry);
        }
        self.forget(handle, "refused", now);
    }

    fn hang_up(&mut self, endpoint: &mut Endpoint, now: Duration) {
        let joined = self.calls.iter().filter(|call| call.joined).count() > 1;
        let find = |of: &dyn Fn(&Call) -> bool| {
            self.calls
                .iter()
                .rev()
                .find(|call| of(call))
                .map(|call| call.handle)
        };
        let ended: Vec<CallHandle> = if let Some(handle) = find(&Call::is_going_out) {
            vec![handle]
        } else if joined {
            let all = self.calls.iter().filter(|call| call.joined);
            all.map(|call| call.handle).collect()
        } else {
            find(&Call::is_spoken)
                .or_else(|| find(&Call::is_offered))
                .or_else(|| find(&Call::is_held))
                .into_iter()
                .collect()
        };
        for handle in ended {
            self.hang_up_call(handle, endpoint, now);
        }
    }

    /// Ends one call, whatever its state.
    pub(super) fn hang_up_call(
        &mut self,
        handle: CallHandle,
        endpoint: &mut Endpoint,
        now: Duration,
    ) {
        let Some(call) = self.call(handle) else {
            return;
        };
        if call.is_offered() {
            return self.turn_away(handle, StatusCode::BUSY_HERE, endpoint, now);
        }
        let entry = call.entry(CallEvent::Bye, None, Some("ended here"));
        self.record(entry);
        // A call that has just ended by itself has nothing left to end.
        let _ = endpoint.bye(handle, None, now);
        self.forget(handle, "ended here", now);
    }

    /// Everybody but `except` is put on hold, at once for the sound, by re-INVITE for the other side.
    fn hold_others(&mut self, except: Option<CallHandle>, endpoint: &mut Endpoint, now: Duration) {
        let spoken: Vec<CallHandle> = self
            .calls
            .iter()
            .filter(|call| call.is_spoken() && Some(call.handle) != except)
            .map(|call| call.handle)
            .collect();
        for handle in spoken {
            self.set_held(handle, true, endpoint, now);
        }
    }

    fn set_held(&mut self, handle: CallHandle, hold: bool, endpoint: &mut Endpoint, now: Duration) {
        if let Some(call) = self.call(handle)
            && let State::Confirmed { held, .. } = &mut call.state
        {
            *held = hold;
            call.joined &= !hold;
            call.heard.clear();
            self.offer_change(handle, endpoint, now);
        }
    }

    /// Offers what the state of the call says: hold or both ways (RFC 3264 section 8.4).
    pub(super) fn offer_change(
        &mut self,
        handle: CallHandle,
        endpoint: &mut Endpoint,
        now: Duration,
    ) {
        let Some(call) = self.call(handle) else {
            return;
        };
        call.change_due = None;
        let (State::Confirmed { held, .. }, Some(previous)) = (&call.state, &call.described) else {
            return;
        };
        let direction = if *held {
            Direction::SendOnly
        } else {
            Direction::SendRecv
        };
        let ours = reoffer(previous, &audio(call.port, direction));
        match endpoint.reinvite(handle, Body::sdp(ours.to_bytes()), now) {
            Ok(()) => call.described = Some(ours),
            // Another change is under way, or the ACK has not come yet.
            Err(CommandError::Glare | CommandError::WrongState { .. }) => {
                call.change_due = Some(now + CHANGE_PAUSE);
            }
            Err(_) => {}
        }
    }

    fn resume(&mut self, endpoint: &mut Endpoint, now: Duration) {
        let held = self.calls.iter().rev().find(|call| call.is_held());
        let Some(handle) = held.map(|call| call.handle) else {
            return;
        };
        self.hold_others(Some(handle), endpoint, now);
        self.set_held(handle, false, endpoint, now);
        self.step("resumed".into());
    }

    fn merge(&mut self, endpoint: &mut Endpoint, now: Duration) {
        let held: Vec<CallHandle> = self
            .calls
            .iter()
            .filter(|call| call.is_held())
            .map(|call| call.handle)
            .collect();
        for handle in held {
            self.set_held(handle, false, endpoint, now);
        }
        for call in self.calls.iter_mut().filter(|call| call.is_confirmed()) {
            call.joined = true;
            call.heard.clear();
        }
        self.step("put together".into());
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

/// Other ways to answer "which one?": the surname alone, "the first".
fn also(name: &str, index: usize) -> Vec<String> {
    let ordinal = ["first", "second", "third", "fourth"].get(index);
    let last = name.split(' ').next_back().filter(|last| *last != name);
    [ordinal.copied(), last]
        .into_iter()
        .flatten()
        .map(str::to_owned)
        .collect()
}
