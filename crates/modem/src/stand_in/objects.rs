//! The stand-in's objects and their properties.

use std::collections::BTreeMap;

use super::{MODEM_PATH, SIM_PATH, refusal};
use crate::dbus::{Message, Value};
use crate::service::{
    CALL, MESSAGING, MODEM, OBJECTS, PROPERTIES, ROOT, SIM, SMS, THREE_GPP, VOICE,
};

type Interfaces = BTreeMap<String, BTreeMap<String, Value>>;

/// Objects by path.
#[derive(Default)]
pub(super) struct Objects {
    there: BTreeMap<String, Interfaces>,
    hidden: BTreeMap<String, Interfaces>,
}

impl Objects {
    /// One modem in its home network, with a card.
    pub(super) fn with_modem() -> Self {
        let mut own = Self::default();
        let mut set = |path: &str, interface: &str, rows: &[(&str, Value)]| {
            for (name, value) in rows {
                own.set(path, interface, name, value.clone());
            }
        };
        let percent = Value::Struct(vec![Value::U32(72), Value::Bool(true)]);
        set(
            MODEM_PATH,
            MODEM,
            &[
                ("Manufacturer", Value::str("Hearthline")),
                ("Model", Value::str("Drill stand-in")),
                ("State", Value::I32(8)),
                ("StateFailedReason", Value::U32(0)),
                ("UnlockRequired", Value::U32(1)),
                ("SignalQuality", percent),
                ("Sim", Value::path(SIM_PATH)),
                ("OwnNumbers", Value::strings(["+12025550199"])),
            ],
        );
        set(
            MODEM_PATH,
            THREE_GPP,
            &[
                ("RegistrationState", Value::U32(1)),
                ("OperatorName", Value::str("Drill Mobile")),
            ],
        );
        set(
            MODEM_PATH,
            VOICE,
            &[
                ("Calls", Value::paths([])),
                ("EmergencyOnly", Value::Bool(false)),
            ],
        );
        set(
            MODEM_PATH,
            MESSAGING,
            &[
                ("Messages", Value::paths([])),
                ("DefaultStorage", Value::U32(2)),
            ],
        );
        set(
            SIM_PATH,
            SIM,
            &[("EmergencyNumbers", Value::strings(["112", "911"]))],
        );
        own
    }

    pub(super) fn set(&mut self, path: &str, interface: &str, name: &str, value: Value) {
        let object = if self.hidden.contains_key(path) {
            self.hidden.entry(path.to_owned())
        } else {
            self.there.entry(path.to_owned())
        };
        let properties = object.or_default().entry(interface.to_owned()).or_default();
        properties.insert(name.to_owned(), value);
    }

    pub(super) fn get(&self, path: &str, interface: &str, name: &str) -> Option<&Value> {
        self.there.get(path)?.get(interface)?.get(name)
    }

    pub(super) fn remove(&mut self, path: &str) {
        self.there.remove(path);
    }

    pub(super) fn hide(&mut self, path: &str) {
        if let Some(object) = self.there.remove(path) {
            self.hidden.insert(path.to_owned(), object);
        }
    }

    pub(super) fn show(&mut self, path: &str) {
        if let Some(object) = self.hidden.remove(path) {
            self.there.insert(path.to_owned(), object);
        }
    }

    pub(super) fn interfaces(&self, path: &str) -> Vec<String> {
        let object = self.there.get(path);
        object.map_or_else(Vec::new, |object| object.keys().cloned().collect())
    }

    fn with(&self, interface: &str) -> Vec<String> {
        let has = |(path, object): (&String, &Interfaces)| {
            object.contains_key(interface).then(|| path.clone())
        };
        self.there.iter().filter_map(has).collect()
    }

    /// Paths of the calls.
    pub(super) fn calls(&self) -> Vec<String> {
        self.with(CALL)
    }

    /// Paths of the texts.
    pub(super) fn texts(&self) -> Vec<String> {
        self.with(SMS)
    }

    /// `a{sa{sv}}` of one object.
    pub(super) fn all(&self, path: &str) -> Value {
        let rows = self.there.get(path).into_iter().flatten();
        let rows = rows.map(|(interface, properties)| {
            let properties = Value::properties(properties.clone());
            Value::Entry(Box::new((Value::str(interface), properties)))
        });
        Value::Array("{sa{sv}}".to_owned(), rows.collect())
    }

    /// Answers the standard interfaces; `None`: it is another one.
    pub(super) fn answer(&self, call: &Message) -> Option<Message> {
        let path = call.path.as_deref()?;
        let text = |index: usize| call.body.get(index).and_then(Value::as_str);
        if call.is(OBJECTS, "GetManagedObjects") && path == ROOT {
            // Calls, texts and cards are not in the list of ModemManager's either.
            let modems = self.with(MODEM).into_iter().map(|path| {
                let all = self.all(&path);
                Value::Entry(Box::new((Value::Path(path), all)))
            });
            let modems = Value::Array("{oa{sa{sv}}}".to_owned(), modems.collect());
            return Some(Message::answer(call).with(vec![modems]));
        }
        if call.interface.as_deref() != Some(PROPERTIES) {
            return None;
        }
        let interface = self.there.get(path).and_then(|own| own.get(text(0)?));
        let Some(properties) = interface else {
            return Some(refusal(call, "UnknownObject"));
        };
        Some(match call.member.as_deref() {
            Some("GetAll") => {
                Message::answer(call).with(vec![Value::properties(properties.clone())])
            }
            Some("Get") => match text(1).and_then(|name| properties.get(name)) {
                Some(value) => Message::answer(call).with(vec![Value::variant(value.clone())]),
                None => refusal(call, "UnknownProperty"),
            },
            _ => refusal(call, "UnknownMethod"),
        })
    }
}
