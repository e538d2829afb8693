//! Whether a call may ring a device: do not disturb, block and allow lists, forwarding, drop-in. One pure function.
//!
//! Emergencies never come here, and a call-taker's callback goes before every rule. Whom children may call outside is
//! judged where numbers are ([`super::directory::Directory::may_call`]).

use std::collections::HashMap;

use crate::call_settings::{CallSettings, ForwardTo};
use crate::clock::UnixMs;
use crate::id::{DeviceId, PersonId};
use crate::number::Number;
use crate::person::Party;

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Calling<'a> {
    /// A device of the home, and whose it is.
    Inside {
        device: DeviceId,
        person: Option<PersonId>,
    },
    /// Somebody on a line, whom the gateway has screened already; with the number that it found.
    Outside(Option<&'a Number>),
    /// A call-taker, after an emergency call.
    Callback,
}

/// Who is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Called {
    pub(crate) device: DeviceId,
    pub(crate) person: Option<PersonId>,
}

/// What becomes of the call at this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Screened<'a> {
    /// It rings; with `drop_in` it may be answered by itself.
    Rings { drop_in: bool },
    /// It goes there instead.
    Forwards(&'a ForwardTo),
    /// 480, and noted as missed.
    DoNotDisturb,
    /// 603.
    Declined,
}

/// Whether a number outside is on a person's or a device's own list.
pub(crate) fn blocks_number(settings: &CallSettings, number: Option<&Number>) -> bool {
    settings
        .blocked_numbers
        .iter()
        .any(|own| Some(own) == number)
}

/// Judges a call at one device by the device's settings and its person's: what either refuses is refused.
pub(crate) fn screen<'a>(
    calling: Calling<'_>,
    called: Called,
    settings: &'a HashMap<Party, CallSettings>,
    now: UnixMs,
) -> Screened<'a> {
    if calling == Calling::Callback {
        return Screened::Rings { drop_in: false };
    }
    let person = called.person.map(Party::Person);
    let parties = [Some(Party::Device(called.device)), person];
    let own: Vec<&'a CallSettings> = parties
        .into_iter()
        .flatten()
        .filter_map(|party| settings.get(&party))
        .collect();
    let is_caller = |party: &Party| match (calling, party) {
        (Calling::Inside { device, .. }, Party::Device(id)) => device == *id,
        (Calling::Inside { person, .. }, Party::Person(id)) => person == Some(*id),
        _ => false,
    };
    let refuses = |settings: &CallSettings| {
        let blocked = match calling {
            Calling::Outside(number) => blocks_number(settings, number),
            _ => settings.blocked.iter().any(is_caller),
        };
        // Lists name people and devices of the home; who calls from outside is on none and judged by the address book.
        let inside = matches!(calling, Calling::Inside { .. });
        let listed = |only: &Vec<Party>| only.iter().any(is_caller);
        blocked || (inside && settings.only.as_ref().is_some_and(|only| !listed(only)))
    };
    if own.iter().any(|settings| refuses(settings)) {
        return Screened::Declined;
    }
    // Before do not disturb: what goes elsewhere disturbs nobody here.
    if let Some(to) = own.iter().find_map(|settings| settings.forward.as_ref()) {
        return Screened::Forwards(to);
    }
    if own.iter().any(|settings| settings.is_undisturbed(now)) {
        return Screened::DoNotDisturb;
    }
    let drop_in = own
        .iter()
        .any(|settings| settings.drop_in.iter().any(is_caller));
    Screened::Rings { drop_in }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_000);

    struct Two {
        anna: PersonId,
        kitchen: DeviceId,
        called: Called,
    }

    fn two() -> Two {
        let called = Called {
            device: DeviceId::random().unwrap(),
            person: Some(PersonId::random().unwrap()),
        };
        Two {
            anna: PersonId::random().unwrap(),
            kitchen: DeviceId::random().unwrap(),
            called,
        }
    }

    impl Two {
        fn judged(&self, party: Party, settings: CallSettings) -> Screened<'static> {
            let calling = Calling::Inside {
                device: self.kitchen,
                person: Some(self.anna),
            };
            self.judged_of(calling, party, settings)
        }

        fn judged_of(
            &self,
            calling: Calling<'_>,
            party: Party,
            settings: CallSettings,
        ) -> Screened<'static> {
            let settings = Box::leak(Box::new(HashMap::from([(party, settings)])));
            screen(calling, self.called, settings, NOW)
        }
    }

    #[test]
    fn what_the_device_or_its_person_refuses_is_refused() {
        let two = two();
        let rings = Screened::Rings { drop_in: false };
        let (kitchen, anna) = (Party::Device(two.kitchen), Party::Person(two.anna));
        for own in [
            Party::Device(two.called.device),
            two.called.person.map(Party::Person).unwrap(),
        ] {
            assert_eq!(two.judged(own, CallSettings::default()), rings);
            for party in [kitchen, anna] {
                let blocked = CallSettings {
                    blocked: vec![party],
                    ..CallSettings::default()
                };
                assert_eq!(two.judged(own, blocked), Screened::Declined);
                let only = CallSettings {
                    only: Some(vec![party]),
                    ..CallSettings::default()
                };
                assert_eq!(two.judged(own, only), rings);
                let drop_in = CallSettings {
                    drop_in: vec![party],
                    ..CallSettings::default()
                };
                let allowed = Screened::Rings { drop_in: true };
                assert_eq!(two.judged(own, drop_in.clone()), allowed);
                assert_eq!(two.judged_of(Calling::Outside(None), own, drop_in), rings);
            }
            let nobody = CallSettings {
                only: Some(Vec::new()),
                ..CallSettings::default()
            };
            assert_eq!(two.judged(own, nobody.clone()), Screened::Declined);
            assert_eq!(two.judged_of(Calling::Outside(None), own, nobody), rings);
        }
    }

    #[test]
    fn do_not_disturb_lasts_as_long_as_said_and_a_callback_goes_before_everything() {
        let two = two();
        let own = Party::Device(two.called.device);
        let until = |until| CallSettings {
            do_not_disturb: true,
            do_not_disturb_until_ms: until,
            ..CallSettings::default()
        };
        let rings = Screened::Rings { drop_in: false };
        assert_eq!(two.judged(own, until(None)), Screened::DoNotDisturb);
        let later = until(Some(UnixMs(1_001)));
        assert_eq!(two.judged(own, later.clone()), Screened::DoNotDisturb);
        let outside = two.judged_of(Calling::Outside(None), own, later);
        assert_eq!(outside, Screened::DoNotDisturb);
        assert_eq!(two.judged(own, until(Some(NOW))), rings);
        let everything = CallSettings {
            only: Some(Vec::new()),
            ..until(None)
        };
        assert_eq!(two.judged_of(Calling::Callback, own, everything), rings);
    }

    #[test]
    fn calls_go_elsewhere_but_not_a_blocked_callers_and_no_callback() {
        let two = two();
        let own = Party::Device(two.called.device);
        let to = ForwardTo::Called(crate::contact::ContactName::new("Study").unwrap());
        let away = CallSettings {
            forward: Some(to.clone()),
            do_not_disturb: true,
            ..CallSettings::default()
        };
        assert_eq!(two.judged(own, away.clone()), Screened::Forwards(&to));
        assert_eq!(
            two.judged_of(Calling::Outside(None), own, away.clone()),
            Screened::Forwards(&to)
        );
        let callback = two.judged_of(Calling::Callback, own, away.clone());
        assert_eq!(callback, Screened::Rings { drop_in: false });
        let number = Number::new("+15055550123").unwrap();
        let blocked = CallSettings {
            blocked: vec![Party::Device(two.kitchen)],
            blocked_numbers: vec![number.clone()],
            ..away
        };
        assert_eq!(two.judged(own, blocked.clone()), Screened::Declined);
        let outside = Calling::Outside(Some(&number));
        assert_eq!(
            two.judged_of(outside, own, blocked.clone()),
            Screened::Declined
        );
        let callback = two.judged_of(Calling::Callback, own, blocked);
        assert_eq!(callback, Screened::Rings { drop_in: false });
    }
}
