//! What a person asks about messages, announcements and forwarding.
use core::time::Duration;

use hearthline_voice::understand::Intent;

use super::exchange::{Content, Forward, Part, To};
use super::recording::Recording;
use super::{Activity, Messages, words};
use crate::telephone::Addressee;

impl Messages {
    /// Whether a sentence says anything about messages.
    #[must_use]
    pub fn is_about(&self, intent: &Intent) -> bool {
        matches!(
            intent.name.as_str(),
            "MessageSend"
                | "MessagePlay"
                | "MessageNext"
                | "MessageAgain"
                | "MessageDelete"
                | "Announce"
                | "ForwardOn"
                | "ForwardOff"
        )
    }

    /// Does what an everyday sentence says about messages; false when it says nothing about them. `addressee` is whom the
    /// words of the sentence mean.
    pub fn take(&mut self, intent: &Intent, addressee: Option<Addressee>, now: Duration) -> bool {
        if !self.is_about(intent) {
            return false;
        }
        let named = intent.name.as_str();
        if self.emergency {
            self.say(words::EMERGENCY_FIRST);
            return true;
        }
        if !self.joined {
            self.say(words::NO_HOME);
            return true;
        }
        let text = intent.slots.get("text").map(|text| text.trim());
        let text = text.filter(|text| !text.is_empty());
        match named {
            "MessagePlay" => self.play(now),
            "MessageNext" => self.play_next(now),
            "MessageAgain" => self.play_again(now),
            "MessageDelete" => self.delete(),
            "ForwardOff" => self.forward(None, None),
            "Announce" if addressee.is_none() => {
                self.send(To::Speakers, "everyone".into(), text, true);
            }
            _ => match addressee {
                Some(Addressee::Home { user, spoken }) if named == "ForwardOn" => {
                    self.forward(Some(Forward::Called(user)), Some(spoken));
                }
                Some(Addressee::Number { digits, spoken }) if named == "ForwardOn" => {
                    self.forward(Some(Forward::Number(digits)), Some(spoken));
                }
                Some(Addressee::Home { user, spoken }) => {
                    self.send(To::Called(user), spoken, text, named == "Announce");
                }
                Some(Addressee::Number { .. }) => self.say(words::ONLY_THE_HOME),
                Some(Addressee::Unclear(what)) => self.say(what),
                // The device asks which before it comes here.
                Some(Addressee::Several { said, .. }) => self.say(words::nobody_alone(&said)),
                None => self.say(words::NO_MESSAGE),
            },
        }
        true
    }

    /// Sends the text, or asks for what is to be said.
    fn send(&mut self, to: To, spoken: String, text: Option<&str>, announcement: bool) {
        if let Some(text) = text {
            return self.post(to, spoken, Content::Text(text.to_owned()), announcement);
        }
        let question = if announcement {
            words::WHAT_SHALL_I_ANNOUNCE
        } else {
            words::WHAT_SHALL_I_SAY
        };
        let id = self.tell(vec![Part::Words(question.into())]);
        let recording = Recording::new(to, spoken, announcement, id);
        self.activity = Activity::Recording(Box::new(recording));
    }
}
