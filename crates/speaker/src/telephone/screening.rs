//! Which incoming calls ring here, and which may open the microphone by themselves.
use std::collections::BTreeSet;

use hearthline_sip::{HeaderName, Request, StatusCode};

/// Set by the hub alone, and only where the called household allows that caller to drop in. The hub removes it from
/// whatever callers send.
pub const DROP_IN_HEADER: &str = "Hearthline-Drop-In";
/// Its only value.
pub const DROP_IN_ALLOWED: &str = "allowed";
/// What a caller asks the hub with (RFC 5373).
pub const ANSWER_MODE_HEADER: &str = "Answer-Mode";

/// Whether this device lets anybody in without being answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DropIn {
    /// Nobody.
    #[default]
    Never,
    /// Whom the hub vouches for.
    Household,
}

/// What becomes of an incoming call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It rings.
    Ring,
    /// It is let in at once, with light and tone.
    LetIn,
    /// It is refused without a sound.
    Refuse(StatusCode),
}

/// What is known about an incoming call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival<'a> {
    /// The request.
    pub(super) request: &'a Request,
    /// It came on the connection to our hub, whose certificate was checked.
    pub(super) from_hub: bool,
    /// Address of record of the caller, as the hub asserts it.
    pub(super) address: &'a str,
    /// An emergency call stands or was just made.
    pub(super) emergency: bool,
    /// Calls that exist already.
    pub(super) calls: usize,
}

/// Quiet hours and block list of this device.
#[derive(Debug, Clone, Default)]
pub(super) struct Screening {
    pub(super) drop_in: DropIn,
    pub(super) do_not_disturb: bool,
    blocked: BTreeSet<String>,
}

/// Most blocked callers; the hub has the whole list.
const BLOCKED_MAX: usize = 1_000;

impl Screening {
    pub(super) fn new(drop_in: DropIn) -> Self {
        Self {
            drop_in,
            ..Self::default()
        }
    }

    pub(super) fn block(&mut self, address: &str) {
        if self.blocked.len() < BLOCKED_MAX && !address.is_empty() {
            self.blocked.insert(address.to_owned());
        }
    }

    /// The one place that admits calls. A call-taker's call back does not come here: it is taken before.
    pub(super) fn admit(&self, arrival: &Arrival<'_>, calls_max: usize) -> Admission {
        if arrival.emergency || arrival.calls >= calls_max {
            return Admission::Refuse(StatusCode::BUSY_HERE);
        }
        if self.blocked.contains(arrival.address) {
            return Admission::Refuse(StatusCode::DECLINE);
        }
        if self.do_not_disturb {
            return Admission::Refuse(StatusCode::TEMPORARILY_UNAVAILABLE);
        }
        let vouched = arrival.from_hub && has(arrival.request, DROP_IN_HEADER, DROP_IN_ALLOWED);
        // Into a conversation nobody drops: then it rings like any other call.
        if vouched && self.drop_in == DropIn::Household && arrival.calls == 0 {
            return Admission::LetIn;
        }
        Admission::Ring
    }
}

fn has(request: &Request, name: &str, value: &str) -> bool {
    HeaderName::parse(name.as_bytes())
        .and_then(|name| request.headers.get_str(&name).map(str::to_owned))
        .is_some_and(|found| found.trim().eq_ignore_ascii_case(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearthline_sip::{Method, Uri};

    fn invite(header: Option<&str>) -> Request {
        let mut request =
            Request::new(Method::Invite, Uri::parse("sip:speaker@127.0.0.1").unwrap());
        if let Some(value) = header {
            let name = HeaderName::parse(DROP_IN_HEADER.as_bytes()).unwrap();
            request.headers.push(name, value);
        }
        request
    }

    fn admit(screening: &Screening, request: &Request, from_hub: bool, calls: usize) -> Admission {
        let arrival = Arrival {
            request,
            from_hub,
            address: "sip:anna@home.test",
            emergency: false,
            calls,
        };
        screening.admit(&arrival, 4)
    }

    #[test]
    fn the_microphone_opens_by_itself_only_when_hub_and_device_both_say_so() {
        let (asked, plain) = (invite(Some("allowed")), invite(None));
        let open = Screening::new(DropIn::Household);
        let closed = Screening::new(DropIn::Never);
        let mut quiet = open.clone();
        quiet.do_not_disturb = true;
        for (screening, request, from_hub, calls, expected) in [
            (&open, &asked, true, 0, Admission::LetIn),
            (&open, &asked, false, 0, Admission::Ring),
            (&open, &asked, true, 1, Admission::Ring),
            (&open, &plain, true, 0, Admission::Ring),
            (&open, &invite(Some("yes")), true, 0, Admission::Ring),
            (&closed, &asked, true, 0, Admission::Ring),
            (
                &quiet,
                &asked,
                true,
                0,
                Admission::Refuse(StatusCode::TEMPORARILY_UNAVAILABLE),
            ),
        ] {
            assert_eq!(admit(screening, request, from_hub, calls), expected);
        }
    }

    #[test]
    fn blocked_callers_and_full_devices_refuse() {
        let mut screening = Screening::new(DropIn::Household);
        screening.block("sip:anna@home.test");
        let asked = invite(Some("allowed"));
        assert_eq!(
            admit(&screening, &asked, true, 0),
            Admission::Refuse(StatusCode::DECLINE)
        );
        assert_eq!(
            admit(&Screening::default(), &asked, true, 4),
            Admission::Refuse(StatusCode::BUSY_HERE)
        );
    }
}
