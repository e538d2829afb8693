//! The conversation with ModemManager: whom to believe, what was asked, which modem is ours.

use core::time::Duration;
use std::collections::BTreeMap;

use hearthline_sip::StatusCode;

use super::ModemLine;
use super::call::Phase;
use super::outcome;
use super::output::Output;
use super::permit::Permit;
use crate::dbus::{self, BUS, BUS_PATH, Connection, Kind, Message, Value};
use crate::service::{CALL, OBJECTS, PROPERTIES, ROOT, SERVICE, SIM, STAND_IN};
use crate::text_message::TextHandle;

/// Questions that may be open at once.
const ASKED_MAX: usize = 256;
/// Messages on the modem that are fetched at its start, at most.
const STORED_TEXTS_MAX: usize = 32;

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// Something whose answer changes nothing.
    Nothing,
    Owner,
    StandInOwner,
    Objects,
    Sim,
    StoredTexts,
    StandingCalls,
    CallFacts(String),
    Create(u64),
    Start(u64),
    Accept(u64),
    TextFacts(String),
    TextCreated(TextHandle),
    TextSent(TextHandle, String),
}

struct Question {
    asked: Asked,
    until: Duration,
}

/// A connected bus.
pub(super) struct Bus {
    connection: Connection,
    /// Who owns the service's name, by unique name.
    service: Option<String>,
    stand_in: Option<String>,
    asked: BTreeMap<u32, Question>,
}

impl Bus {
    fn new() -> Self {
        Self {
            connection: Connection::new(),
            service: None,
            stand_in: None,
            asked: BTreeMap::new(),
        }
    }

    pub(super) fn has_service(&self) -> bool {
        self.service.is_some()
    }

    pub(super) fn permit(&self) -> Option<Permit> {
        Permit::check(self.service.as_deref(), self.stand_in.as_deref())
    }

    pub(super) fn next_timeout(&self) -> Option<Duration> {
        self.asked.values().map(|question| question.until).min()
    }

    fn ask(&mut self, message: Message, asked: Asked, until: Duration) {
        let serial = self.connection.send(message);
        if self.asked.len() >= ASKED_MAX {
            self.asked.pop_first();
        }
        self.asked.insert(serial, Question { asked, until });
    }
}

impl ModemLine {
    /// The bus's socket is connected.
    pub fn handle_bus_opened(&mut self, now: Duration) {
        self.bus = Some(Bus::new());
        self.judge();
        self.pump(now);
    }

    /// Bytes from the bus.
    pub fn handle_bus_bytes(&mut self, bytes: &[u8], now: Duration) {
        if let Some(bus) = &mut self.bus {
            bus.connection.handle_bytes(bytes);
        }
        self.pump(now);
    }

    /// The bus's socket is closed, or could not be connected.
    pub fn handle_bus_closed(&mut self, now: Duration) {
        self.lose_bus(now);
        self.pump(now);
    }

    fn lose_bus(&mut self, now: Duration) {
        self.bus = None;
        self.lose_modem(true, now);
    }

    /// The modem, or the way to it, is gone. An emergency call that stands goes on while its sound does: the modem holds
    /// it without us. An ordinary one ends, for nobody could hang it up any more.
    pub(super) fn lose_modem(&mut self, way_only: bool, now: Duration) {
        self.modem = None;
        self.arriving.clear();
        self.forget_texts(now);
        let standing = |call: &super::Call| call.emergency && call.phase == Phase::Standing;
        let goes_on = way_only && self.call.as_ref().is_some_and(standing);
        if !goes_on {
            self.end_call(StatusCode::SERVICE_UNAVAILABLE, "the modem is gone", now);
        }
        self.judge();
    }

    /// Questions that nobody answered.
    pub(super) fn run_bus_due(&mut self, now: Duration) {
        loop {
            let Some(bus) = &mut self.bus else {
                return;
            };
            let due = bus.asked.iter().find(|(_, question)| question.until <= now);
            let Some(serial) = due.map(|(serial, _)| *serial) else {
                return;
            };
            if let Some(question) = bus.asked.remove(&serial) {
                self.on_refused(question.asked, "org.freedesktop.DBus.Error.NoReply", now);
            }
        }
    }

    /// Whether anything came.
    pub(super) fn drain_bus(&mut self, now: Duration) -> bool {
        let mut any = false;
        while let Some(output) = self
            .bus
            .as_mut()
            .and_then(|bus| bus.connection.poll_output())
        {
            any = true;
            match output {
                dbus::Output::Transmit(bytes) => self.push(Output::Bus(bytes)),
                dbus::Output::Ready(_) => self.begin_bus(now),
                dbus::Output::Message(message) => self.on_message(&message, now),
                dbus::Output::Broken(_) => {
                    self.push(Output::CloseBus);
                    self.lose_bus(now);
                }
            }
        }
        any
    }

    fn begin_bus(&mut self, now: Duration) {
        let owner_changed = format!(
            "type='signal',sender='{BUS}',interface='{BUS}',member='NameOwnerChanged',arg0="
        );
        let rules = [
            format!("{owner_changed}'{SERVICE}'"),
            format!("{owner_changed}'{STAND_IN}'"),
            format!("type='signal',sender='{SERVICE}'"),
        ];
        for rule in rules {
            self.ask_bus("AddMatch", &rule, Asked::Nothing, now);
        }
        // The stand-in's name first: the other one's answer decides.
        self.ask_bus("GetNameOwner", STAND_IN, Asked::StandInOwner, now);
        self.ask_bus("GetNameOwner", SERVICE, Asked::Owner, now);
    }

    fn ask_bus(&mut self, member: &str, argument: &str, asked: Asked, now: Duration) {
        let until = now.saturating_add(self.config.answer_max);
        if let Some(bus) = &mut self.bus {
            let message = Message::call(BUS, BUS_PATH, BUS, member);
            bus.ask(message.with(vec![Value::str(argument)]), asked, until);
        }
    }

    /// Asks the service, by its unique name: whoever takes the name over meanwhile is not asked.
    pub(super) fn ask_modem(
        &mut self,
        path: &str,
        interface: &str,
        member: &str,
        arguments: Vec<Value>,
        asked: Asked,
        now: Duration,
    ) {
        let until = now.saturating_add(self.config.answer_max);
        if let Some(bus) = &mut self.bus
            && let Some(service) = bus.service.clone()
        {
            let message = Message::call(&service, path, interface, member);
            bus.ask(message.with(arguments), asked, until);
        }
    }

    pub(super) fn ask_properties(
        &mut self,
        path: &str,
        interface: &str,
        asked: Asked,
        now: Duration,
    ) {
        let arguments = vec![Value::str(interface)];
        self.ask_modem(path, PROPERTIES, "GetAll", arguments, asked, now);
    }

    /// Asks for all properties of our call.
    pub(super) fn ask_call(&mut self, now: Duration) {
        if let Some(path) = self.call.as_ref().and_then(|call| call.path.clone()) {
            self.ask_properties(&path, CALL, Asked::CallFacts(path.clone()), now);
        }
    }

    fn on_message(&mut self, message: &Message, now: Duration) {
        let Some(bus) = &mut self.bus else {
            return;
        };
        let sender = message.sender.as_deref();
        let from_bus = sender == Some(BUS);
        let from_service = sender.is_some() && sender == bus.service.as_deref();
        match message.kind {
            Kind::Return | Kind::Error => {
                let Some(serial) = message.reply_serial else {
                    return;
                };
                // The daemon answers for a service that has gone; nobody else answers for anybody.
                if !from_bus && !from_service {
                    return;
                }
                let Some(question) = bus.asked.remove(&serial) else {
                    return;
                };
                match &message.error {
                    Some(error) => self.on_refused(question.asked, error, now),
                    None => self.on_answered(question.asked, &message.body, now),
                }
            }
            Kind::Signal if from_bus => self.on_owner_changed(message, now),
            Kind::Signal if from_service => self.on_signal(message, now),
            Kind::Call if !message.no_reply => {
                let error = "org.freedesktop.DBus.Error.UnknownMethod";
                bus.connection
                    .send(Message::refusal(message, error, "a client has no methods"));
            }
            Kind::Signal | Kind::Call => {}
        }
    }

    fn on_owner_changed(&mut self, message: &Message, now: Duration) {
        if !message.is(BUS, "NameOwnerChanged") {
            return;
        }
        let text = |index: usize| message.body.get(index).and_then(Value::as_str);
        let owner = text(2).filter(|name| !name.is_empty()).map(str::to_owned);
        match text(0) {
            Some(SERVICE) => self.set_service(owner, now),
            Some(STAND_IN) => {
                if let Some(bus) = &mut self.bus {
                    bus.stand_in = owner;
                }
                self.judge();
            }
            _ => {}
        }
    }

    fn set_service(&mut self, owner: Option<String>, now: Duration) {
        let Some(bus) = &mut self.bus else {
            return;
        };
        if bus.service == owner {
            return;
        }
        let there = owner.is_some();
        bus.service = owner;
        self.lose_modem(true, now);
        if there {
            self.ask_modem(
                ROOT,
                OBJECTS,
                "GetManagedObjects",
                Vec::new(),
                Asked::Objects,
                now,
            );
        }
    }

    fn on_answered(&mut self, asked: Asked, body: &[Value], now: Duration) {
        let first = body.first();
        let path = || first.and_then(Value::as_path);
        match asked {
            Asked::Nothing => {}
            Asked::Owner => {
                let owner = first.and_then(Value::as_str).map(str::to_owned);
                self.set_service(owner, now);
            }
            Asked::StandInOwner => {
                if let Some(bus) = &mut self.bus {
                    bus.stand_in = first.and_then(Value::as_str).map(str::to_owned);
                }
            }
            Asked::Objects => {
                if let Some(objects) = first {
                    self.choose_modem(objects, now);
                }
            }
            Asked::Sim => {
                if let (Some(modem), Some(properties)) = (&mut self.modem, first) {
                    modem.merge(SIM, properties);
                }
            }
            Asked::StoredTexts => {
                let stored = first.map(Value::items).unwrap_or_default();
                for path in stored
                    .iter()
                    .filter_map(Value::as_path)
                    .take(STORED_TEXTS_MAX)
                {
                    self.on_text_added(path, now);
                }
            }
            Asked::StandingCalls => {
                let standing = first.map(Value::items).unwrap_or_default();
                for path in standing.iter().filter_map(Value::as_path) {
                    self.on_call_added(path, now);
                }
            }
            Asked::CallFacts(path) => {
                if let Some(properties) = first {
                    self.on_call_facts(&path, properties, now);
                }
            }
            Asked::TextFacts(path) => {
                if let Some(properties) = first {
                    self.on_text_facts(&path, properties, now);
                }
            }
            Asked::Create(id) => match path() {
                Some(path) => self.on_created(id, path, now),
                None => self.on_refused(Asked::Create(id), "", now),
            },
            Asked::Start(id) => self.on_started(id, now),
            // Its state says when it is connected.
            Asked::Accept(_) => {}
            Asked::TextCreated(handle) => match path() {
                Some(path) => self.on_text_created(handle, path, now),
                None => self.on_text_over(handle, None, false, now),
            },
            Asked::TextSent(handle, path) => self.on_text_over(handle, Some(&path), true, now),
        }
    }

    fn on_refused(&mut self, asked: Asked, error: &str, now: Duration) {
        match asked {
            Asked::Create(id) | Asked::Start(id) | Asked::Accept(id) => {
                if self.call.as_ref().is_some_and(|call| call.id == id) {
                    let (status, why) = outcome::of_error(error);
                    self.end_call(status, why, now);
                }
            }
            Asked::Owner => self.set_service(None, now),
            Asked::TextCreated(handle) => self.on_text_over(handle, None, false, now),
            Asked::TextSent(handle, path) => self.on_text_over(handle, Some(&path), false, now),
            Asked::TextFacts(path) => self.forget_text(&path),
            Asked::CallFacts(path) => {
                self.arriving.remove(&path);
            }
            Asked::Objects => self.judge(),
            Asked::Nothing
            | Asked::StandInOwner
            | Asked::Sim
            | Asked::StoredTexts
            | Asked::StandingCalls => {}
        }
        self.judge();
    }
}
