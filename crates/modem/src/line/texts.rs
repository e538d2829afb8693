//! Short messages both ways.

use core::time::Duration;
use std::collections::BTreeMap;

use hearthline_sip::endpoint::{QueryHandle, RequestHandle};

use super::ModemLine;
use super::bus::Asked;
use super::output::{Event, Output};
use super::permit::Permit;
use crate::dbus::Value;
use crate::number::PhoneNumber;
use crate::service::{self, SmsFacts, SmsKind, SmsState};
use crate::text_message::{TextError, TextHandle, TextMessage, check};

/// Messages whose parts are awaited at once, at most.
const AWAITED_MAX: usize = 64;

/// Messages that are not whole yet, by object.
#[derive(Debug, Default)]
pub(super) struct Texts {
    awaited: BTreeMap<String, SmsFacts>,
    /// Told, and not yet kept elsewhere.
    pub(super) told: BTreeMap<TextHandle, String>,
    /// Told to the home by SIP, whose answer is awaited.
    pub(super) passing: BTreeMap<QueryHandle, (TextHandle, TextMessage)>,
    /// What the home did not take, and when it is told again.
    pub(super) refused: Vec<TextHandle>,
    pub(super) again_at: Option<Duration>,
    /// Messages of the home's, and whom to answer.
    pub(super) asked: BTreeMap<TextHandle, RequestHandle>,
    last: u64,
}

impl ModemLine {
    /// Sends a short message. What becomes of it comes as an event.
    ///
    /// # Errors
    /// [`TextError`].
    pub fn send_text(
        &mut self,
        number: &PhoneNumber,
        text: &str,
        now: Duration,
    ) -> Result<TextHandle, TextError> {
        let handle = self.begin_text(number, text, now)?;
        self.pump(now);
        Ok(handle)
    }

    pub(super) fn begin_text(
        &mut self,
        number: &PhoneNumber,
        text: &str,
        now: Duration,
    ) -> Result<TextHandle, TextError> {
        check(text)?;
        if self.is_emergency(number) {
            return Err(TextError::Emergency);
        }
        let permit = self.permit().filter(|_| self.health.is_ready());
        let Some(permit) = permit else {
            return Err(TextError::NotReady(self.health));
        };
        let modem = self.modem.as_ref().filter(|modem| modem.messaging);
        let Some(path) = modem.map(|modem| modem.path.clone()) else {
            return Err(TextError::NoMessaging);
        };
        if !self.allowance.take(now) {
            return Err(TextError::TooMany);
        }
        self.texts.last += 1;
        let handle = TextHandle(self.texts.last);
        self.write_text(&permit, handle, &path, number, text, now);
        Ok(handle)
    }

    /// The only place where a modem is given a message to send.
    fn write_text(
        &mut self,
        _permit: &Permit,
        handle: TextHandle,
        modem: &str,
        number: &PhoneNumber,
        text: &str,
        now: Duration,
    ) {
        let rows = [
            ("number".to_owned(), Value::str(number.as_str())),
            ("text".to_owned(), Value::str(text)),
        ];
        let asked = Asked::TextCreated(handle);
        let arguments = vec![Value::properties(rows)];
        self.ask_modem(modem, service::MESSAGING, "Create", arguments, asked, now);
    }

    pub(super) fn on_text_created(&mut self, handle: TextHandle, path: &str, now: Duration) {
        let asked = Asked::TextSent(handle, path.to_owned());
        self.ask_modem(path, service::SMS, "Send", Vec::new(), asked, now);
    }

    pub(super) fn on_text_over(
        &mut self,
        handle: TextHandle,
        path: Option<&str>,
        sent: bool,
        now: Duration,
    ) {
        if let Some(path) = path {
            self.delete_text(path, now);
        }
        self.answer_home(handle, sent, now);
        self.push(Output::Event(if sent {
            Event::TextSent(handle)
        } else {
            Event::TextFailed(handle)
        }));
    }

    /// A message is there, or begins to come.
    pub(super) fn on_text_added(&mut self, path: &str, now: Duration) {
        let wanted = self.config.take_texts && self.permit().is_some();
        let told = self.texts.told.values().any(|told| told == path);
        if !wanted || told || self.texts.awaited.len() >= AWAITED_MAX {
            return;
        }
        self.texts
            .awaited
            .insert(path.to_owned(), SmsFacts::default());
        let asked = Asked::TextFacts(path.to_owned());
        self.ask_properties(path, service::SMS, asked, now);
    }

    /// More is known of it; when it is whole, it is told.
    pub(super) fn on_text_facts(&mut self, path: &str, properties: &Value, now: Duration) {
        let Some(facts) = self.texts.awaited.get_mut(path) else {
            return;
        };
        facts.merge(properties);
        let theirs = matches!(facts.kind, Some(SmsKind::Deliver) | None);
        match facts.state {
            Some(SmsState::Received) if theirs => {}
            Some(SmsState::Receiving | SmsState::Unknown) | None => return,
            // Ours, or a report: nothing to tell.
            _ => {
                self.texts.awaited.remove(path);
                return;
            }
        }
        let Some(facts) = self.texts.awaited.remove(path) else {
            return;
        };
        self.texts.last += 1;
        let handle = TextHandle(self.texts.last);
        self.texts.told.insert(handle, path.to_owned());
        let message = TextMessage {
            number: facts.number,
            name: facts.name,
            text: facts.text,
            sent: facts.sent,
        };
        self.tell_text(handle, message, now);
    }

    /// A message that was told is kept elsewhere now: it is taken off the modem, which has room for few. One that is not
    /// is told again after the next start.
    pub fn text_kept(&mut self, handle: TextHandle, now: Duration) {
        self.take_off(handle, now);
        self.pump(now);
    }

    pub(super) fn take_off(&mut self, handle: TextHandle, now: Duration) {
        if let Some(path) = self.texts.told.remove(&handle) {
            self.delete_text(&path, now);
        }
    }

    pub(super) fn forget_text(&mut self, path: &str) {
        self.texts.awaited.remove(path);
        self.texts.told.retain(|_, told| told != path);
    }

    /// The modem is gone; a new one names its messages anew.
    pub(super) fn forget_texts(&mut self, now: Duration) {
        self.texts.awaited.clear();
        self.texts.told.clear();
        let unsent: Vec<TextHandle> = self.texts.asked.keys().copied().collect();
        for handle in unsent {
            self.answer_home(handle, false, now);
        }
    }

    fn delete_text(&mut self, path: &str, now: Duration) {
        if let Some(modem) = self.modem.as_ref().map(|modem| modem.path.clone()) {
            let arguments = vec![Value::path(path)];
            self.ask_modem(
                &modem,
                service::MESSAGING,
                "Delete",
                arguments,
                Asked::Nothing,
                now,
            );
        }
    }
}
