//! Transfer: "put this call through to the kitchen", and being put through (RFC 3515, RFC 3891, RFC 5589).
//!
//! Whom a REFER names is judged as if it had been spoken here: a user of the home or the number of a contact, read by
//! emergency recognition first. There is no [`Whom`] of anything else, so none of it leads to an emergency number, and
//! during an emergency call nothing is followed at all.
use core::time::Duration;

use hearthline_sip::endpoint::{
    CallHandle, CommandError, Endpoint, Event, FailureCause, ReferHandle, Refusal, Source,
    TransferProgress, TransferRequest,
};
use hearthline_sip::refer::ReferTo;
use hearthline_sip::{HeaderName, Host, Request, StatusCode, Uri};
use hearthline_voice::understand::Country;

use super::call::{Call, Party, State};
use super::choosing::{Choice, Wish};
use super::directory::Meant;
use super::screening::Admission;
use super::whom::{HomeUser, Spoken, Whom, recognise};
use super::{CALLS_MAX, Telephone, words};

/// How long whoever put us through has to leave by themselves: who is told hangs up (RFC 5589 section 6.1).
const LEAVE_MAX: Duration = Duration::from_secs(3);
/// Longest Referred-By that is passed on, in bytes.
const REFERRED_BY_BYTES_MAX: usize = 512;

/// Transfers under way.
#[derive(Debug, Default)]
pub(super) struct Transfers {
    /// Calls of ours that we transfer, and to whom.
    ours: Vec<(CallHandle, Party)>,
    /// Calls that we make because a peer asked.
    asked: Vec<Asked>,
    /// Calls with peers that put us through: they leave by themselves, else we do then.
    leaving: Vec<(CallHandle, Duration)>,
}

impl Transfers {
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        self.leaving.iter().map(|(_, at)| *at).min()
    }
}

#[derive(Debug)]
struct Asked {
    refer: ReferHandle,
    /// In which call we were asked.
    from: CallHandle,
    /// Our call to whom the peer named.
    to: CallHandle,
}

/// A REFER of the peer of a call.
#[derive(Clone, Copy)]
pub(super) struct Referred<'a> {
    pub(super) from: CallHandle,
    pub(super) refer: ReferHandle,
    pub(super) to: &'a ReferTo,
    pub(super) request: &'a Request,
    pub(super) source: Source,
}

/// How a call of ours goes, for whoever asked for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Progressed {
    call: CallHandle,
    status: StatusCode,
}

impl Progressed {
    pub(super) fn of(event: &Event) -> Option<Self> {
        let (call, status) = match event {
            Event::Progress { call, response } | Event::Answered { call, response } => {
                (*call, response.status)
            }
            Event::Failed { call, cause } => {
                let without = match cause {
                    FailureCause::Cancelled => StatusCode::REQUEST_TERMINATED,
                    _ => StatusCode::TEMPORARILY_UNAVAILABLE,
                };
                (*call, cause.status().unwrap_or(without))
            }
            Event::Ended { call, .. } => (*call, StatusCode::REQUEST_TERMINATED),
            _ => return None,
        };
        Some(Self { call, status })
    }
}

impl Telephone {
    /// Transfers the present call to whom was spoken.
    pub(super) fn transfer(&mut self, to: Spoken, endpoint: &mut Endpoint, now: Duration) {
        match to {
            Spoken::Number(digits) => {
                let party = self.party_at(Whom::Number(digits));
                self.transfer_to(&party, endpoint, now);
            }
            Spoken::Name(name) => match self.meant(&name) {
                Meant::One(party) => self.transfer_to(&party, endpoint, now),
                Meant::Several(parties) => {
                    let names: Vec<String> = parties.iter().map(Party::spoken).collect();
                    self.say(words::which(&name, &names));
                    self.choice = Some(Choice::between(parties, Wish::Transfer, now));
                }
                Meant::Nobody => self.say(words::nobody(&name)),
            },
        }
    }

    /// Blind, or, where we talk with both already, attended: then one takes our place in the call of the other.
    pub(super) fn transfer_to(&mut self, party: &Party, endpoint: &mut Endpoint, now: Duration) {
        if self.emergency {
            return self.say(words::EMERGENCY_FIRST);
        }
        let (Some(home), Some(whom)) = (&self.home, &party.whom) else {
            return self.say(words::NO_HOME);
        };
        let mut wanted = TransferRequest::new(whom.uri(&home.config.domain).into());
        wanted.referred_by = Some(home.config.address_of_record());
        let is_theirs = |call: &&Call| call.is_confirmed() && call.party.whom == party.whom;
        let theirs = self.calls.iter().find(is_theirs).map(|call| call.handle);
        let others = self
            .calls
            .iter()
            .rev()
            .filter(|call| call.is_confirmed() && Some(call.handle) != theirs);
        // "This call": the one that is heard, else the one on hold.
        let other = others.clone().find(|call| call.is_spoken());
        let Some(call) = other.or_else(|| others.clone().next()).map(|c| c.handle) else {
            return self.say(match theirs {
                Some(_) => words::SAME_CALL,
                None => words::NO_CALL,
            });
        };
        wanted.refer_to.replaces = theirs.and_then(|own| Some(endpoint.replaces(own)?.1));
        match endpoint.refer(call, wanted, now) {
            Ok(()) => {
                self.transfers.ours.push((call, party.clone()));
                self.step("a call is being transferred".into());
                self.say(words::transferring(&party.spoken()));
            }
            Err(CommandError::WrongState { .. }) => self.say(words::NOT_TRANSFERRED),
            Err(error) => {
                self.step(format!("not transferred: {error}"));
                self.say(words::NOT_TRANSFERRED);
            }
        }
    }

    /// How a transfer of ours goes. Until the other side has been answered, we stay connected.
    pub(super) fn transfer_progress(
        &mut self,
        call: CallHandle,
        progress: &TransferProgress,
        endpoint: &mut Endpoint,
        now: Duration,
    ) {
        let Some(at) = self.transfers.ours.iter().position(|own| own.0 == call) else {
            return;
        };
        let done = match progress {
            TransferProgress::Accepted | TransferProgress::Told(_) => return,
            TransferProgress::Untold => true,
            TransferProgress::Ended(status) => status.is_some_and(StatusCode::is_success),
            TransferProgress::Refused(_) => false,
        };
        let (_, party) = self.transfers.ours.remove(at);
        if done {
            self.step("the call was transferred".into());
            self.hang_up_call(call, endpoint, now);
            return self.say(words::TRANSFERRED);
        }
        self.step("the call was not transferred".into());
        let status = match progress {
            TransferProgress::Ended(Some(status)) => Some(status.code()),
            _ => None,
        };
        let why = status.map(|status| words::failed(&party.spoken(), Some(status)));
        let still = words::NOT_TRANSFERRED;
        self.say(why.map_or_else(|| still.to_owned(), |why| format!("{why} {still}")));
    }

    /// The peer of a call asks us to call somebody else.
    pub(super) fn referred(&mut self, asked: Referred<'_>, endpoint: &mut Endpoint, now: Duration) {
        let Referred {
            from,
            refer,
            to,
            request,
            source,
        } = asked;
        let party = match self.may_follow(from, to, source) {
            Ok(party) => party,
            Err(status) => {
                let _ = endpoint.reject_refer(refer, Refusal::new(status), now);
                return self.step(format!("a transfer was refused with {status}"));
            }
        };
        let mut rows = Vec::new();
        if let Some(replaces) = &to.replaces {
            rows.push((HeaderName::Replaces, replaces.to_string().into_bytes()));
        }
        // Only what reads, and not more than an address needs.
        if let Ok(Some(by)) = request.headers.referred_by() {
            let by = by.to_string().into_bytes();
            if by.len() <= REFERRED_BY_BYTES_MAX {
                rows.push((HeaderName::ReferredBy, by));
            }
        }
        // The call may have ended a moment ago.
        let _ = endpoint.accept_refer(refer, now);
        self.step("put through by the other side".into());
        match self.begin(party, false, Some(rows), endpoint, now) {
            Some(to) => self.transfers.asked.push(Asked { refer, from, to }),
            None => {
                let _ = endpoint.report(refer, StatusCode::TEMPORARILY_UNAVAILABLE, now);
            }
        }
    }

    /// Whom a REFER leads to: in an answered call of ours that nobody dropped in by, from our hub, to the home or a contact.
    fn may_follow(
        &self,
        from: CallHandle,
        to: &ReferTo,
        source: Source,
    ) -> Result<Party, StatusCode> {
        let Some(home) = self
            .home
            .as_ref()
            .filter(|_| !self.emergency && !self.engaged)
        else {
            return Err(StatusCode::FORBIDDEN);
        };
        let stands = self
            .calls
            .iter()
            .any(|call| call.handle == from && call.is_confirmed() && !call.drop_in);
        if !stands || !home.is_hub(source.transport, source.remote) {
            return Err(StatusCode::FORBIDDEN);
        }
        if self.calls.len() >= CALLS_MAX {
            return Err(StatusCode::BUSY_HERE);
        }
        let whom = whom_of(&to.uri, &home.config.domain, self.country);
        let whom = whom.ok_or(StatusCode::FORBIDDEN)?;
        let party = self.party_at(whom);
        match (&party.whom, &party.name) {
            // A stranger's number may be one that costs.
            (Some(Whom::Number(_)), None) => Err(StatusCode::FORBIDDEN),
            _ => Ok(party),
        }
    }

    /// Who is at an address.
    pub(super) fn party_at(&self, whom: Whom) -> Party {
        Party {
            name: self.directory.name_of(&whom).map(str::to_owned),
            address: self.address_of(&whom),
            whom: Some(whom),
        }
    }

    /// Our call for somebody who asked went on: they are told, and leave once it stands.
    pub(super) fn progressed(&mut self, of: Progressed, endpoint: &mut Endpoint, now: Duration) {
        let asked = &self.transfers.asked;
        let Some(at) = asked.iter().position(|own| own.to == of.call) else {
            return;
        };
        let Asked { refer, from, .. } = self.transfers.asked[at];
        let stands = self.call(of.call).is_some_and(|call| call.is_confirmed());
        let status = match of.status {
            // Answered, but without a sound that we understand.
            status if status.is_success() && !stands => StatusCode::NOT_ACCEPTABLE_HERE,
            status => status,
        };
        // Whoever asked may have hung up.
        let _ = endpoint.report(refer, status, now);
        if status.is_provisional() {
            return;
        }
        self.transfers.asked.remove(at);
        if status.is_success() {
            self.transfers.leaving.push((from, now + LEAVE_MAX));
        } else if self.call(from).is_some_and(|call| call.is_held()) {
            self.set_held(from, false, endpoint, now);
        }
    }

    /// Whether an incoming call may take the place of this one: it comes from our hub, and ours is one of the telephone's
    /// that was answered by a person. An emergency call is none of the telephone's.
    pub(super) fn may_replace(&self, old: CallHandle, from_hub: bool) -> Admission {
        let known = self
            .calls
            .iter()
            .any(|call| call.handle == old && !call.is_offered() && !call.drop_in);
        if known && from_hub && !self.emergency && !self.engaged {
            Admission::Ring
        } else {
            Admission::Refuse(StatusCode::FORBIDDEN)
        }
    }

    /// Answers a call that takes the place of another, whose people talk already.
    pub(super) fn take_over(
        &mut self,
        new: CallHandle,
        old: CallHandle,
        endpoint: &mut Endpoint,
        now: Duration,
    ) {
        // Not put on hold for the other side: it ends in a moment.
        let was_held = match self.call(old).map(|call| &mut call.state) {
            Some(State::Confirmed { held, .. }) => core::mem::replace(held, true),
            _ => false,
        };
        self.answer_call(new, endpoint, now);
        if self.call(new).is_some_and(|call| call.is_confirmed()) {
            self.hang_up_call(old, endpoint, now);
            self.step("somebody else took the other side's place".into());
            if let Some(name) = self.call(new).map(|call| call.party.spoken()) {
                self.say(words::put_through(&name));
            }
        } else if let Some(State::Confirmed { held, .. }) =
            self.call(old).map(|call| &mut call.state)
        {
            *held = was_held;
        }
    }

    /// A call is over: its transfer has nothing left to tell.
    pub(super) fn transfer_over(&mut self, call: CallHandle) {
        self.transfers.ours.retain(|own| own.0 != call);
        self.transfers.leaving.retain(|own| own.0 != call);
    }

    /// Whoever put us through has not left.
    pub(super) fn transfers_due(&mut self, endpoint: &mut Endpoint, now: Duration) {
        let leaving = core::mem::take(&mut self.transfers.leaving);
        let (due, rest): (Vec<_>, Vec<_>) = leaving.into_iter().partition(|(_, at)| *at <= now);
        self.transfers.leaving = rest;
        for (call, _) in due {
            self.hang_up_call(call, endpoint, now);
        }
    }

    /// Forgets every transfer: the emergency call comes first.
    pub(super) fn forget_transfers(&mut self) {
        self.transfers = Transfers::default();
    }
}

/// Whom a URI means: a user of the home, or an ordinary number. Emergency numbers and services first, whatever host they
/// stand at; of them and of everything else there is none.
fn whom_of(uri: &Uri, domain: &Host, country: Country) -> Option<Whom> {
    let (said, of_home) = match uri {
        Uri::Tel(tel) => (tel.number().to_owned(), false),
        Uri::Sip(uri) => {
            let user = String::from_utf8(uri.user_unescaped()?).ok()?;
            let digits = user.split([';', ':']).next()?.to_owned();
            (digits, uri.host() == domain)
        }
        Uri::Urn(_) | Uri::Other(_) => return None,
    };
    match recognise(&said, country).ok()? {
        Spoken::Number(digits) => Some(Whom::Number(digits)),
        Spoken::Name(name) if of_home => HomeUser::new(&name).map(Whom::Home),
        Spoken::Name(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearthline_emergency::numbers::Country as Numbers;
    use proptest::prelude::*;

    fn of(uri: &str, country: Country) -> Option<Whom> {
        let domain = Host::parse("home.test").unwrap();
        whom_of(&Uri::parse(uri).unwrap(), &domain, country)
    }

    #[test]
    fn a_refer_leads_to_the_home_or_to_an_ordinary_number() {
        let country = Country::UnitedStates;
        let kitchen = Some(Whom::Home(HomeUser::new("living room").unwrap()));
        assert_eq!(of("sip:living%20room@home.test", country), kitchen);
        assert_eq!(
            of("sip:living%20room@home.test;gr=urn:uuid:1", country),
            kitchen
        );
        for number in [
            "sip:+15055550123@home.test;user=phone",
            "tel:+1-505-555-0123",
            "sip:+15055550123@elsewhere.example",
        ] {
            assert!(
                matches!(of(number, country), Some(Whom::Number(_))),
                "{number}"
            );
        }
        for none in [
            "sip:kitchen@elsewhere.example",
            "sip:kitchen@127.0.0.1:5060",
            "sip:home.test",
            "urn:service:sos",
            "urn:service:counseling",
            "mailto:kitchen@home.test",
            "sip:police@home.test",
            "sip:the%20police@home.test",
            "sip:%FF%FE@home.test",
        ] {
            assert_eq!(of(none, country), None, "{none}");
        }
    }

    proptest! {
        /// However it is spelled and wherever it stands: a REFER never leads to an emergency number of any country.
        #[test]
        fn no_refer_leads_to_an_emergency_number(
            country in prop::sample::select(&[
                Country::UnitedStates, Country::Canada, Country::UnitedKingdom, Country::EuropeanUnion, Country::Australia,
            ][..]),
            of_country in prop::sample::select(Numbers::ALL),
            which in any::<prop::sample::Index>(),
            between in prop::sample::select(&["", "-", ".", "%20"][..]),
            rest in prop::sample::select(&[
                "@home.test", "@home.test;user=phone", "@127.0.0.1:5060", "@elsewhere.example",
                ";phone-context=+1@home.test", ":x@home.test", "@home.test;gr=urn:uuid:1",
            ][..]),
            escaped in any::<bool>(),
        ) {
            let strings = of_country.dial_strings();
            let digits = strings[which.index(strings.len())].digits;
            let spelled: Vec<String> = digits
                .bytes()
                .map(|digit| match escaped {
                    true => format!("%{digit:02X}"),
                    false => char::from(digit).to_string(),
                })
                .collect();
            let uri = format!("sip:{}{rest}", spelled.join(between));
            prop_assert_eq!(of(&uri, country), None, "{}", uri);
        }
    }
}
