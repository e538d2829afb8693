//! Calls that come: who calls, and whether it rings.
use core::time::Duration;

use hearthline_ledger::CallEvent;
use hearthline_sip::endpoint::{CallHandle, Endpoint, Refusal, Source};
use hearthline_sip::{HeaderName, NameAddr, Request, StatusCode};

use super::call::{Call, Party, State};
use super::leg::Demand;
use super::screening::{Admission, Arrival};
use super::whom::{HomeUser, Spoken, Whom, recognise};
use super::{CALLS_MAX, RINGING_HERE_MAX, Telephone, words};

impl Telephone {
    pub(super) fn incoming(
        &mut self,
        handle: CallHandle,
        request: Box<Request>,
        source: Source,
        endpoint: &mut Endpoint,
        now: Duration,
    ) {
        let from_hub = self
            .home
            .as_ref()
            .is_some_and(|home| home.is_hub(source.transport, source.remote));
        let party = self.party_of(&request, from_hub);
        let port = self.free_port();
        let replaced = endpoint.replaced_by(handle);
        let admission = if self.home.is_none() || port.is_none() {
            Admission::Refuse(StatusCode::BUSY_HERE)
        } else if let Some(old) = replaced {
            self.may_replace(old, from_hub)
        } else {
            let arrival = Arrival {
                request: &request,
                from_hub,
                address: &party.address,
                emergency: self.emergency || self.engaged,
                calls: self.calls.len(),
            };
            self.screening.admit(&arrival, CALLS_MAX)
        };
        let (Some(port), false) = (port, matches!(admission, Admission::Refuse(_))) else {
            let status = match admission {
                Admission::Refuse(status) => status,
                _ => StatusCode::BUSY_HERE,
            };
            let _ = endpoint.reject(handle, Refusal::new(status), now);
            self.step(format!("a call was turned away with {status}"));
            if status != StatusCode::DECLINE {
                self.miss(party, now);
            }
            return;
        };
        // Before anything rings: nobody is believed to be a device of the home without its signature.
        let (demand, proven) = match self.judge(&request, &party, now) {
            Ok(judged) => judged,
            Err((status, why)) => {
                let _ = endpoint.reject(handle, Refusal::new(status), now);
                return self.step(format!("a call was turned away with {status}: {why}"));
            }
        };
        let others = !self.calls.is_empty();
        let call = Call {
            handle,
            call_id: request.headers.call_id().unwrap_or_default().to_owned(),
            incoming: true,
            party: party.clone(),
            state: State::Offered(request),
            port,
            described: None,
            demand,
            way: None,
            leg: None,
            moved: false,
            signed_again: false,
            change_due: None,
            ring_until: Some(now + RINGING_HERE_MAX),
            drop_in: admission == Admission::LetIn,
            joined: false,
            heard: std::collections::VecDeque::new(),
        };
        self.record(call.entry(CallEvent::Invite, None, Some("a call came")));
        self.calls.push(call);
        self.last_caller = Some(party.clone());
        let name = party.spoken();
        if let Some(old) = replaced {
            if let Some(proven) = proven {
                self.met(proven, &name);
            }
            return self.take_over(handle, old, endpoint, now);
        }
        let let_in = admission == Admission::LetIn;
        if !let_in {
            // Reliable where the caller can: a lost 180 leaves the caller without a tone.
            let _ = endpoint.ring(handle, StatusCode::RINGING, None, true, now);
            self.step("it rings".into());
        }
        let mut said = match (let_in, others) {
            (true, _) => words::drops_in(&name),
            (false, true) => words::waits(&name),
            (false, false) => words::is_calling(&name),
        };
        if demand == Demand::Clear && matches!(party.whom, Some(Whom::Home(_))) {
            said = format!("{said} {}", words::NOT_PROTECTED);
        }
        self.say(said);
        if let Some(proven) = proven {
            self.met(proven, &name);
        }
        if let_in {
            self.step("somebody drops in".into());
            self.answer(endpoint, now);
        }
    }

    /// Whether our hub vouches that this call is from a device or person of the home.
    #[must_use]
    pub fn is_of_home(&self, request: &Request, source: &Source) -> bool {
        let from_hub = self
            .home
            .as_ref()
            .is_some_and(|home| home.is_hub(source.transport, source.remote));
        let marked = request
            .headers
            .get_str(&HeaderName::Priority)
            .is_some_and(|priority| priority.trim().eq_ignore_ascii_case("psap-callback"));
        from_hub && !marked && matches!(self.party_of(request, true).whom, Some(Whom::Home(_)))
    }

    /// Who calls. Only what our hub asserts counts: a From is whatever its writer likes.
    fn party_of(&self, request: &Request, from_hub: bool) -> Party {
        let asserted = request
            .headers
            .get_str(&HeaderName::PAssertedIdentity)
            .filter(|_| from_hub)
            .and_then(|text| NameAddr::parse(text).ok());
        let user = asserted
            .as_ref()
            .and_then(|asserted| asserted.uri.as_sip())
            .and_then(hearthline_sip::SipUri::user_unescaped)
            .and_then(|user| String::from_utf8(user).ok());
        let whom = user.and_then(|user| match HomeUser::new(&user) {
            Some(user) => Some(Whom::Home(user)),
            None => match recognise(&user, self.country) {
                Ok(Spoken::Number(digits)) => Some(Whom::Number(digits)),
                _ => None,
            },
        });
        let name = whom
            .as_ref()
            .and_then(|whom| self.directory.name_of(whom))
            .map(str::to_owned);
        Party {
            whom,
            name,
            address: asserted.map_or_else(String::new, |asserted| asserted.uri.to_string()),
        }
    }
}
