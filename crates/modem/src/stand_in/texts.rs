//! The stand-in's short messages.

use super::{MODEM_PATH, Service, modem_error, refusal};
use crate::dbus::{Message, Value};
use crate::service::{MESSAGING, SMS, SmsKind, SmsState};

/// A time as a network writes it.
const TIMESTAMP: &str = "2026-11-23T01:02:03+00";

impl Service {
    pub(super) fn messaging(&mut self, call: &Message, member: &str) -> Message {
        match member {
            "List" => {
                let texts = self.objects.texts();
                let texts = Value::paths(texts.iter().map(String::as_str));
                Message::answer(call).with(vec![texts])
            }
            "Create" => {
                let rows = call.body.first();
                let text = |name| rows.and_then(|rows| rows.get(name)).and_then(Value::as_str);
                let (Some(number), Some(text)) = (text("number"), text("text")) else {
                    return modem_error(call, "Core.InvalidArgs");
                };
                let (number, text) = (number.to_owned(), text.to_owned());
                let path = self.new_text(&number, &text, SmsKind::Submit, SmsState::Unknown);
                Message::answer(call).with(vec![Value::path(path)])
            }
            "Delete" => match call.body.first().and_then(Value::as_path) {
                Some(path) if self.objects.texts().iter().any(|own| own == path) => {
                    self.objects.remove(path);
                    let signal = Message::signal(MODEM_PATH, MESSAGING, "Deleted");
                    self.send(signal.with(vec![Value::path(path)]));
                    Message::answer(call)
                }
                _ => modem_error(call, "Core.NotFound"),
            },
            _ => refusal(call, "UnknownMethod"),
        }
    }

    pub(super) fn sms(&mut self, call: &Message, path: &str, member: &str) -> Message {
        let text = |name| self.objects.get(path, SMS, name).and_then(Value::as_str);
        let (Some(number), Some(words)) = (text("Number"), text("Text")) else {
            return refusal(call, "UnknownObject");
        };
        if member != "Send" {
            return refusal(call, "UnknownMethod");
        }
        if self.texts_fail {
            return modem_error(call, "Message.NetworkTimeout");
        }
        let sent = (number.to_owned(), words.to_owned());
        self.seen.texts.push(sent);
        let state = SmsState::Sent.number();
        let state = Value::U32(u32::try_from(state).unwrap_or(0));
        self.set_property(path, SMS, "State", state);
        Message::answer(call)
    }

    pub(super) fn text_arrives(&mut self, number: &str, text: &str, whole: bool) {
        let state = if whole {
            SmsState::Received
        } else {
            SmsState::Receiving
        };
        let text = if whole { text } else { "" };
        let path = self.new_text(number, text, SmsKind::Deliver, state);
        let signal = Message::signal(MODEM_PATH, MESSAGING, "Added");
        self.send(signal.with(vec![Value::path(path), Value::Bool(true)]));
    }

    pub(super) fn text_completes(&mut self) {
        let receiving = i64::from(SmsState::Receiving.number());
        for path in self.objects.texts() {
            let state = self.objects.get(&path, SMS, "State");
            if state.and_then(Value::as_number) == Some(receiving) {
                self.set_property(&path, SMS, "Text", Value::str("the first part, the second"));
                self.set_property(&path, SMS, "State", Value::U32(3));
            }
        }
    }

    fn new_text(&mut self, number: &str, text: &str, kind: SmsKind, state: SmsState) -> String {
        let path = self.next_path("SMS");
        let number_of = |number: i32| Value::U32(u32::try_from(number).unwrap_or(0));
        for (name, value) in [
            ("State", number_of(state.number())),
            ("PduType", number_of(kind.number())),
            ("Number", Value::str(number)),
            ("Text", Value::str(text)),
            ("Timestamp", Value::str(TIMESTAMP)),
        ] {
            self.objects.set(&path, SMS, name, value);
        }
        path
    }
}
