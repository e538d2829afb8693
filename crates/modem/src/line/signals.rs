//! What ModemManager tells without being asked, and which of its modems is ours.

use core::time::Duration;

use hearthline_sip::StatusCode;

use super::ModemLine;
use super::bus::Asked;
use crate::dbus::{Message, Value};
use crate::service::{
    CALL, CallState, CallStateReason, MESSAGING, MODEM, ModemFacts, OBJECTS, PROPERTIES, ROOT, SIM,
    SMS, VOICE,
};

impl ModemLine {
    /// Takes the first modem that makes calls, else the first.
    pub(super) fn choose_modem(&mut self, objects: &Value, now: Duration) {
        let has = |interfaces: &Value, name: &str| interfaces.get(name).is_some();
        let mut modems: Vec<(&str, &Value)> = objects
            .entries()
            .filter_map(|(path, interfaces)| Some((path.as_path()?, interfaces)))
            .filter(|(_, interfaces)| has(interfaces, MODEM))
            .collect();
        modems.sort_by_key(|(path, interfaces)| (!has(interfaces, VOICE), *path));
        if let Some((path, interfaces)) = modems.first() {
            self.take_modem(path, interfaces, now);
        }
        self.judge();
    }

    fn take_modem(&mut self, path: &str, interfaces: &Value, now: Duration) {
        let mut modem = ModemFacts::new(path);
        for (interface, properties) in interfaces.entries() {
            if let Some(interface) = interface.as_str() {
                modem.merge(interface, properties);
            }
        }
        let (voice, messaging) = (modem.voice, modem.messaging);
        self.modem = Some(modem);
        self.judge();
        self.ask_sim(now);
        if voice {
            self.ask_modem(
                path,
                VOICE,
                "ListCalls",
                Vec::new(),
                Asked::StandingCalls,
                now,
            );
        }
        if messaging {
            self.ask_modem(path, MESSAGING, "List", Vec::new(), Asked::StoredTexts, now);
        }
    }

    fn ask_sim(&mut self, now: Duration) {
        if let Some(sim) = self.modem.as_ref().and_then(|modem| modem.sim.clone()) {
            self.ask_properties(&sim, SIM, Asked::Sim, now);
        }
    }

    pub(super) fn on_signal(&mut self, message: &Message, now: Duration) {
        let (Some(path), Some(interface), Some(member)) =
            (&message.path, &message.interface, &message.member)
        else {
            return;
        };
        let argument = |index: usize| message.body.get(index);
        let of_modem = self.modem.as_ref().is_some_and(|modem| modem.path == *path);
        let named = || argument(0).and_then(Value::as_path);
        match (interface.as_str(), member.as_str()) {
            (OBJECTS, "InterfacesAdded") => {
                if let (Some(path), Some(interfaces)) = (named(), argument(1)) {
                    self.on_interfaces_added(path, interfaces, now);
                }
            }
            (OBJECTS, "InterfacesRemoved") => {
                if let (Some(path), Some(interfaces)) = (named(), argument(1)) {
                    self.on_interfaces_removed(path, interfaces, now);
                }
            }
            (PROPERTIES, "PropertiesChanged") => {
                let interface = argument(0).and_then(Value::as_str);
                if let (Some(interface), Some(changed)) = (interface, argument(1)) {
                    self.on_properties(path, interface, changed, now);
                }
            }
            (VOICE, "CallAdded") if of_modem => {
                if let Some(path) = named() {
                    self.on_call_added(path, now);
                }
            }
            (VOICE, "CallDeleted") if of_modem => {
                if let Some(path) = named() {
                    self.on_call_deleted(path, now);
                }
            }
            (CALL, "StateChanged") => {
                let number = |index| argument(index).and_then(Value::as_number);
                if let Some(state) = number(1) {
                    let reason = number(2).map(CallStateReason::of);
                    self.on_state(path, CallState::of(state), reason, now);
                }
            }
            (CALL, "DtmfReceived") => {
                let digits = argument(0).and_then(Value::as_str).unwrap_or_default();
                let call = self.call.as_mut();
                let ours = call.filter(|call| call.path.as_deref() == Some(path));
                if let Some(media) = ours.and_then(|call| call.media.as_mut()) {
                    for digit in digits.chars().take(1) {
                        media.send_digit(digit, now);
                    }
                }
            }
            (MESSAGING, "Added") if of_modem => {
                let received = argument(1).and_then(Value::as_bool).unwrap_or(false);
                if let (Some(path), true) = (named(), received) {
                    self.on_text_added(path, now);
                }
            }
            (MESSAGING, "Deleted") if of_modem => {
                if let Some(path) = named() {
                    self.forget_text(path);
                }
            }
            _ => {}
        }
    }

    fn on_interfaces_added(&mut self, path: &str, interfaces: &Value, now: Duration) {
        match &mut self.modem {
            Some(modem) if modem.path == path => {
                for (interface, properties) in interfaces.entries() {
                    if let Some(interface) = interface.as_str() {
                        modem.merge(interface, properties);
                    }
                }
                self.judge();
            }
            None if interfaces.get(MODEM).is_some() => self.take_modem(path, interfaces, now),
            _ => {}
        }
    }

    fn on_interfaces_removed(&mut self, path: &str, interfaces: &Value, now: Duration) {
        let Some(modem) = self.modem.as_mut().filter(|modem| modem.path == path) else {
            return;
        };
        let names: Vec<&str> = interfaces
            .items()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        if names.contains(&MODEM) {
            self.lose_modem(false, now);
            // There may be another.
            let asked = Asked::Objects;
            return self.ask_modem(ROOT, OBJECTS, "GetManagedObjects", Vec::new(), asked, now);
        }
        for name in names {
            modem.forget(name);
        }
        self.judge();
    }

    fn on_properties(&mut self, path: &str, interface: &str, changed: &Value, now: Duration) {
        match interface {
            CALL => return self.on_call_facts(path, changed, now),
            SMS => return self.on_text_facts(path, changed, now),
            _ => {}
        }
        let Some(modem) = &mut self.modem else {
            return;
        };
        if modem.sim.as_deref() == Some(path) && interface == SIM {
            modem.merge(SIM, changed);
        } else if modem.path == path {
            let sim = modem.sim.clone();
            modem.merge(interface, changed);
            if modem.sim != sim {
                self.ask_sim(now);
            }
            self.judge();
        }
    }

    pub(super) fn on_call_facts(&mut self, path: &str, properties: &Value, now: Duration) {
        if let Some(call) = self
            .call
            .as_mut()
            .filter(|call| call.path.as_deref() == Some(path))
        {
            call.facts.merge(properties);
            let state = call.facts.state;
            self.try_sound(now);
            if let Some(state) = state {
                self.on_call_state(state, now);
            }
        } else if let Some(facts) = self.arriving.get_mut(path) {
            facts.merge(properties);
            self.on_arriving(path, now);
        }
    }

    fn on_state(
        &mut self,
        path: &str,
        state: CallState,
        reason: Option<CallStateReason>,
        now: Duration,
    ) {
        if let Some(call) = self
            .call
            .as_mut()
            .filter(|call| call.path.as_deref() == Some(path))
        {
            call.facts.state = Some(state);
            call.facts.reason = reason;
            self.on_call_state(state, now);
        } else if let Some(facts) = self.arriving.get_mut(path) {
            facts.state = Some(state);
            self.on_arriving(path, now);
        }
    }

    fn on_call_deleted(&mut self, path: &str, now: Duration) {
        self.arriving.remove(path);
        let ours = self
            .call
            .as_mut()
            .filter(|call| call.path.as_deref() == Some(path));
        if let Some(call) = ours {
            call.path = None;
            self.end_call(
                StatusCode::TEMPORARILY_UNAVAILABLE,
                "the far end hung up",
                now,
            );
        }
    }
}
