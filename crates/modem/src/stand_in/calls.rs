//! The stand-in's calls: what the modem answers, and what the far end does.

use std::time::Duration;

use tokio::time::Instant;

use super::sound::FarEnd;
use super::{Call, Due, MODEM_PATH, Plan, Service, modem_error, refusal};
use crate::dbus::{Message, Value};
use crate::service::{CALL, CallDirection, CallState, CallStateReason, VOICE};

/// Between the steps of a call that is set up.
const STEP: Duration = Duration::from_millis(20);

impl Service {
    pub(super) fn voice(&mut self, call: &Message, member: &str) -> Message {
        match member {
            "ListCalls" => {
                let calls = self.objects.calls();
                let calls = Value::paths(calls.iter().map(String::as_str));
                Message::answer(call).with(vec![calls])
            }
            "CreateCall" => {
                let number = call.body.first().and_then(|rows| rows.get("number"));
                let Some(number) = number.and_then(Value::as_str).map(str::to_owned) else {
                    return modem_error(call, "Core.InvalidArgs");
                };
                let path = self.new_call(&number, true, CallState::Unknown);
                Message::answer(call).with(vec![Value::path(path)])
            }
            "DeleteCall" => match call.body.first().and_then(Value::as_path) {
                Some(path) if self.calls.contains_key(path) => {
                    self.delete_call(path);
                    Message::answer(call)
                }
                _ => modem_error(call, "Core.NotFound"),
            },
            "HangupAll" => {
                for path in self.objects.calls() {
                    self.change(&path, CallState::Terminated, CallStateReason::Terminated);
                }
                Message::answer(call)
            }
            _ => refusal(call, "UnknownMethod"),
        }
    }

    pub(super) fn call(&mut self, message: &Message, path: &str, member: &str) -> Message {
        let Some(call) = self.calls.get(path).cloned() else {
            return refusal(message, "UnknownObject");
        };
        match (member, call.state) {
            ("Start", CallState::Unknown) if call.outgoing => self.start(message, path),
            ("Accept", CallState::RingingIn) => {
                let at = Instant::now() + STEP;
                self.plan_state(path, at, CallState::Active, CallStateReason::Accepted);
                Message::answer(message)
            }
            ("Hangup", state) if state != CallState::Terminated => {
                self.change(path, CallState::Terminated, CallStateReason::Terminated);
                Message::answer(message)
            }
            ("SendDtmf", CallState::Active) => {
                let digit = message.body.first().and_then(Value::as_str);
                self.seen.digits.push_str(digit.unwrap_or_default());
                Message::answer(message)
            }
            ("Start" | "Accept" | "Hangup" | "SendDtmf", _) => {
                modem_error(message, "Core.WrongState")
            }
            _ => refusal(message, "UnknownMethod"),
        }
    }

    fn start(&mut self, message: &Message, path: &str) -> Message {
        let number = self.objects.get(path, CALL, "Number");
        let number = number
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        self.seen.dialled.push(number);
        if let Plan::Refuse(error) = &self.plan {
            return modem_error(message, error);
        }
        let now = Instant::now();
        let started = CallStateReason::OutgoingStarted;
        if self.plan != Plan::Hang {
            self.plan_state(path, now + STEP, CallState::Dialing, started);
        }
        let (ringing, end) = (now + 2 * STEP, now + 3 * STEP);
        match self.plan.clone() {
            Plan::Answer(after) => {
                self.plan_state(path, ringing, CallState::RingingOut, started);
                let at = ringing + after;
                self.plan_state(path, at, CallState::Active, CallStateReason::Accepted);
            }
            Plan::NoAnswer(after) => {
                self.plan_state(path, ringing, CallState::RingingOut, started);
                let at = ringing + after;
                self.plan_state(path, at, CallState::Terminated, CallStateReason::Terminated);
            }
            Plan::Busy => {
                let reason = CallStateReason::RefusedOrBusy;
                self.plan_state(path, end, CallState::Terminated, reason);
            }
            Plan::NetworkFails => {
                self.plan_state(path, end, CallState::Terminated, CallStateReason::Error);
            }
            Plan::WithoutSound | Plan::SoundAt(_) | Plan::SilentSound => {
                self.plan_state(path, end, CallState::Active, CallStateReason::Accepted);
            }
            Plan::Hang | Plan::Refuse(_) => {}
        }
        Message::answer(message)
    }

    fn plan_state(&mut self, path: &str, at: Instant, state: CallState, reason: CallStateReason) {
        self.due.push(Due {
            at,
            path: path.to_owned(),
            state,
            reason,
        });
    }

    pub(super) fn run_due(&mut self) {
        let now = Instant::now();
        let (mut due, later): (Vec<Due>, Vec<Due>) =
            self.due.drain(..).partition(|due| due.at <= now);
        self.due = later;
        due.sort_by_key(|due| due.at);
        for due in due {
            self.change(&due.path, due.state, due.reason);
        }
    }

    /// A call changes its state, as ModemManager tells it: properties, then the signal.
    fn change(&mut self, path: &str, state: CallState, reason: CallStateReason) {
        let Some(call) = self.calls.get_mut(path) else {
            return;
        };
        let before = call.state;
        if before == state || before == CallState::Terminated {
            return;
        }
        call.state = state;
        if state == CallState::Active {
            self.connect_sound(path);
        }
        if state == CallState::Terminated
            && let Some(far_end) = self.far_end.take()
        {
            self.seen.heard = far_end.heard();
        }
        let number = |number: i32| u32::try_from(number).unwrap_or(0);
        self.set_property(path, CALL, "StateReason", Value::I32(reason.number()));
        self.set_property(path, CALL, "State", Value::I32(state.number()));
        let signal = Message::signal(path, CALL, "StateChanged");
        self.send(signal.with(vec![
            Value::I32(before.number()),
            Value::I32(state.number()),
            Value::U32(number(reason.number())),
        ]));
    }

    fn connect_sound(&mut self, path: &str) {
        let silent = self.plan == Plan::SilentSound;
        let port = match &self.plan {
            Plan::WithoutSound => return,
            Plan::SoundAt(name) => name.clone(),
            _ => {
                let says = if silent {
                    Vec::new()
                } else {
                    self.says.clone()
                };
                let Ok((far_end, name)) = FarEnd::open(says) else {
                    return;
                };
                self.far_end = Some(far_end);
                name
            }
        };
        let format = Value::properties([
            ("encoding".to_owned(), Value::str("pcm")),
            ("resolution".to_owned(), Value::str("s16le")),
            ("rate".to_owned(), Value::U32(8_000)),
        ]);
        self.set_property(path, CALL, "AudioFormat", format);
        self.set_property(path, CALL, "AudioPort", Value::str(port));
    }

    /// The device goes, and another comes.
    pub(super) fn break_sound(&mut self) {
        self.far_end = None;
        let active = |call: &Call| call.state == CallState::Active;
        let path = self.calls.iter().find(|(_, call)| active(call));
        if let Some(path) = path.map(|(path, _)| path.clone()) {
            self.connect_sound(&path);
        }
    }

    pub(super) fn ring_in(&mut self, number: &str) {
        self.new_call(number, false, CallState::RingingIn);
    }

    fn new_call(&mut self, number: &str, outgoing: bool, state: CallState) -> String {
        let path = self.next_path("Call");
        let direction = if outgoing {
            CallDirection::Outgoing
        } else {
            CallDirection::Incoming
        };
        for (name, value) in [
            ("State", Value::I32(state.number())),
            ("StateReason", Value::I32(0)),
            ("Direction", Value::I32(direction.number())),
            ("Number", Value::str(number)),
            ("Multiparty", Value::Bool(false)),
            ("AudioPort", Value::str("")),
            ("AudioFormat", Value::properties([])),
        ] {
            self.objects.set(&path, CALL, name, value);
        }
        self.calls.insert(path.clone(), Call { state, outgoing });
        let signal = Message::signal(MODEM_PATH, VOICE, "CallAdded");
        self.send(signal.with(vec![Value::path(&*path)]));
        path
    }

    fn delete_call(&mut self, path: &str) {
        self.change(path, CallState::Terminated, CallStateReason::Terminated);
        self.calls.remove(path);
        self.objects.remove(path);
        let signal = Message::signal(MODEM_PATH, VOICE, "CallDeleted");
        self.send(signal.with(vec![Value::path(path)]));
    }

    pub(super) fn far_end_hangs_up(&mut self) {
        for path in self.objects.calls() {
            self.change(&path, CallState::Terminated, CallStateReason::Terminated);
        }
    }

    pub(super) fn far_end_presses(&mut self, digit: char) {
        for path in self.objects.calls() {
            let signal = Message::signal(&path, CALL, "DtmfReceived");
            self.send(signal.with(vec![Value::str(digit.to_string())]));
        }
    }
}
