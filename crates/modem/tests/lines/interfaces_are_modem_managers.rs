//! The names and types that we use, against the descriptions that come with ModemManager.
use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::Event;

const FOLDER: &str = "/usr/share/dbus-1/interfaces";

/// Method, signal or property, and its types in order.
type Members = BTreeMap<(String, String), String>;

/// An interface, and of each member: kind, name, types.
type Interface = (&'static str, &'static [Member]);
type Member = (&'static str, &'static str, &'static str);

fn described(interface: &str) -> Option<Members> {
    let text = std::fs::read_to_string(format!("{FOLDER}/{interface}.xml")).ok()?;
    let mut reader = Reader::from_str(&text);
    let mut members = Members::new();
    let mut current: Option<(String, String)> = None;
    loop {
        let event = reader.read_event().unwrap();
        let element = match &event {
            Event::Start(element) | Event::Empty(element) => element,
            Event::Eof => return Some(members),
            _ => continue,
        };
        let attribute = |name: &str| {
            let own = element.try_get_attribute(name).unwrap();
            own.map(|own| own.value.into_owned())
        };
        let kind = element.name().as_ref().to_owned();
        match kind.as_str() {
            "method" | "signal" | "property" => {
                let key = (kind, attribute("name").unwrap());
                members.insert(key.clone(), attribute("type").unwrap_or_default());
                current = Some(key);
            }
            "arg" => {
                let way = attribute("direction").unwrap_or_default();
                let kind = attribute("type").unwrap();
                if let Some(types) = current.as_ref().and_then(|key| members.get_mut(key)) {
                    if way == "out" {
                        types.push('>');
                    }
                    types.push_str(&kind);
                }
            }
            _ => {}
        }
    }
}

#[test]
fn every_member_that_we_use_is_there_with_its_types() {
    let used: &[Interface] = &[
        (
            "org.freedesktop.ModemManager1.Modem",
            &[
                ("property", "State", "i"),
                ("property", "StateFailedReason", "u"),
                ("property", "UnlockRequired", "u"),
                ("property", "SignalQuality", "(ub)"),
                ("property", "Sim", "o"),
                ("property", "Model", "s"),
                ("property", "Manufacturer", "s"),
            ],
        ),
        (
            "org.freedesktop.ModemManager1.Modem.Modem3gpp",
            &[
                ("property", "RegistrationState", "u"),
                ("property", "OperatorName", "s"),
            ],
        ),
        (
            "org.freedesktop.ModemManager1.Modem.Voice",
            &[
                ("method", "CreateCall", "a{sv}>o"),
                ("method", "ListCalls", ">ao"),
                ("method", "DeleteCall", "o"),
                ("signal", "CallAdded", "o"),
                ("signal", "CallDeleted", "o"),
                ("property", "EmergencyOnly", "b"),
            ],
        ),
        (
            "org.freedesktop.ModemManager1.Call",
            &[
                ("method", "Start", ""),
                ("method", "Accept", ""),
                ("method", "Hangup", ""),
                ("method", "SendDtmf", "s"),
                ("signal", "StateChanged", "iiu"),
                ("signal", "DtmfReceived", "s"),
                ("property", "State", "i"),
                ("property", "StateReason", "i"),
                ("property", "Direction", "i"),
                ("property", "Number", "s"),
                ("property", "AudioPort", "s"),
                ("property", "AudioFormat", "a{sv}"),
            ],
        ),
        (
            "org.freedesktop.ModemManager1.Modem.Messaging",
            &[
                ("method", "List", ">ao"),
                ("method", "Create", "a{sv}>o"),
                ("method", "Delete", "o"),
                ("signal", "Added", "ob"),
                ("signal", "Deleted", "o"),
            ],
        ),
        (
            "org.freedesktop.ModemManager1.Sms",
            &[
                ("method", "Send", ""),
                ("property", "State", "u"),
                ("property", "PduType", "u"),
                ("property", "Number", "s"),
                ("property", "Text", "s"),
                ("property", "Timestamp", "s"),
            ],
        ),
        (
            "org.freedesktop.ModemManager1.Sim",
            &[("property", "EmergencyNumbers", "as")],
        ),
    ];
    for (interface, members) in used {
        let Some(described) = described(interface) else {
            assert!(
                std::env::var_os("CI").is_none(),
                "modemmanager-dev is not installed"
            );
            println!("skipped: install modemmanager-dev (cargo xtask packages)");
            return;
        };
        for (kind, name, types) in *members {
            let key = ((*kind).to_owned(), (*name).to_owned());
            assert_eq!(
                described.get(&key).map(String::as_str),
                Some(*types),
                "{interface}.{name}"
            );
        }
    }
}
