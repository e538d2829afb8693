//! Messages on their way: what was said or recorded goes into the outbox, and what the hub answered is told.
use core::time::Duration;

use hearthline_ledger::Human;

use super::exchange::{Content, Letter, Outcome, Output, To};
use super::outbox::Waiting;
use super::{Activity, Messages, words};

impl Messages {
    /// The recording is over: it goes out.
    pub(super) fn recorded(&mut self) {
        let Activity::Recording(recording) = core::mem::replace(&mut self.activity, Activity::Idle)
        else {
            return;
        };
        let (to, spoken, announcement) = (
            recording.to.clone(),
            recording.spoken.clone(),
            recording.announcement,
        );
        self.outputs.push_back(Output::Light);
        if recording.is_full() {
            self.say(words::CUT);
            let entry = Human {
                action: "message".into(),
                by: "speech".into(),
                effect: Some(words::CUT_EFFECT.into()),
            };
            self.outputs.push_back(Output::Record(entry.into()));
        }
        match recording.finish() {
            Some(content) => self.post(to, spoken, content, announcement),
            None => self.say(words::HEARD_NOTHING),
        }
    }

    pub(super) fn post(&mut self, to: To, spoken: String, content: Content, announcement: bool) {
        let bytes = self.tokens.next_bytes();
        let client_id = bytes[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let letter = Letter {
            client_id,
            to,
            content,
            announcement,
            reminder_due_ms: None,
        };
        let waiting = Waiting {
            letter,
            spoken,
            untold: self.is_reachable,
        };
        if !self.outbox.push(waiting) {
            return self.say(words::OUTBOX_FULL);
        }
        self.keep_outbox();
        if !self.is_reachable {
            self.say(words::KEPT);
        }
    }

    pub(super) fn letter_answered(&mut self, outcome: &Outcome, now: Duration) {
        if *outcome == Outcome::Away {
            let untold = self
                .outbox
                .failed(now)
                .is_some_and(|waiting| core::mem::replace(&mut waiting.untold, false));
            if untold {
                self.say(words::KEPT);
            }
            return;
        }
        let Some(waiting) = self.outbox.settled() else {
            return;
        };
        self.keep_outbox();
        match outcome {
            Outcome::Refused(status) => {
                self.step(format!("the hub refused a message: {status}"));
                self.say(words::not_delivered(&waiting.spoken));
            }
            _ => {
                self.step("a message was sent".into());
                if waiting.untold && waiting.letter.announcement {
                    self.say(words::ANNOUNCED);
                } else if waiting.untold {
                    self.say(words::sent(&waiting.spoken));
                }
            }
        }
    }

    fn keep_outbox(&mut self) {
        self.outputs
            .push_back(Output::KeepOutbox(self.outbox.to_bytes()));
    }
}
