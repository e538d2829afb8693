//! Messages within the device: whose a sentence is, what gives way to what, what is heard and shown of them.
use core::time::Duration;

use hearthline_voice::listen::{Heard, Output as Hearing};
use hearthline_voice::understand::Intent;

use super::{Device, Light, Output, Step};
use crate::messages::{News, Output as Wanted, TellId, Wish};
use crate::policy::Situation;
use crate::skill::{Happened, Own};
use crate::telephone::Addressee;

/// A whole sentence is not said in so short a time behind the wake word: what is understood sooner was said while a
/// message still played.
const SENTENCE_MIN: Duration = Duration::from_millis(400);

impl Device {
    /// What the disk kept of messages that the hub did not have at the last run.
    pub fn restore_outbox(&mut self, bytes: &[u8], now: Duration) {
        self.messages.restore(bytes);
        self.drain(now);
    }

    /// Whether a message is recorded or played.
    #[must_use]
    pub fn is_message_busy(&self) -> bool {
        self.messages.is_busy()
    }

    /// Hears for a message; false when it is none of the messages'. The wake word ends whatever sounds or is recorded:
    /// who speaks to us is heard, and a message that says our name says nothing more.
    pub(super) fn took_hearing(&mut self, hearing: &Hearing, now: Duration) -> bool {
        if let Hearing::Wake(_) = hearing {
            let playing = self.messages.is_playing() || self.skills.relayed.sounded_lately(now);
            self.woken_over_message = playing.then_some(now);
            self.hush_relayed(now);
            self.messages.interrupt("the wake word");
            return false;
        }
        if !self.records_message() {
            return false;
        }
        match hearing {
            Hearing::VoiceStarted { .. } => self.messages.voice_started(),
            Hearing::NoSpeech { .. } | Hearing::Failed(_) => self.messages.nothing_said(),
            _ => return false,
        }
        true
    }

    /// A sentence without the wake word while a message is recorded is part of it.
    pub(super) fn took_sentence(&mut self, heard: &Heard, now: Duration) -> bool {
        let ours = heard.wake.is_none() && self.records_message();
        if ours {
            self.messages.sentence(&heard.understanding, now);
        }
        ours
    }

    fn records_message(&self) -> bool {
        self.messages.is_recording() && !self.addressed && self.situation() == Situation::Idle
    }

    /// Whether what was understood now was said while a message played.
    pub(super) fn is_said_over_message(&mut self, now: Duration) -> bool {
        let woken = self.woken_over_message.take();
        woken.is_some_and(|at| now.saturating_sub(at) < SENTENCE_MIN)
    }

    /// Does what an everyday sentence says about messages; false when it is none about them.
    pub(super) fn everyday_message(&mut self, intent: &Intent, now: Duration) -> bool {
        let slot = |name: &str| intent.slots.get(name);
        let named = slot("number").or(slot("who")).or(slot("where"));
        let mut addressee = named.map(|said| self.telephone.addressee(said));
        if matches!(intent.name.as_str(), "MessageSend" | "Announce") {
            addressee = addressee.map(Addressee::of_the_home);
        }
        if let Some(Addressee::Several { said, parties }) = addressee {
            if !self.messages.is_about(intent) {
                return false;
            }
            self.telephone.ask_which(&said, parties, now);
            self.for_whom = Some(intent.clone());
            self.drain_telephone(now);
            return true;
        }
        if !self.messages.take(intent, addressee, now) {
            return false;
        }
        // What it says belongs to this interaction.
        self.drain_messages(now);
        true
    }

    /// "Anna Jones", in answer to "Which Anna?": what was to be sent goes to her.
    pub(super) fn addressee_chosen(&mut self, now: Duration) {
        let intent = self.for_whom.take();
        let (Some(intent), Some(addressee)) = (intent, self.telephone.take_addressee()) else {
            return;
        };
        self.messages.take(&intent, Some(addressee), now);
        self.drain_messages(now);
    }

    /// What was said here about calls, the hub shall do as well.
    pub(super) fn tell_hub(&mut self, intent: &Intent, now: Duration) {
        match intent.name.as_str() {
            "DndOn" => self.messages.wish(Wish::DoNotDisturb(true)),
            "DndOff" => self.messages.wish(Wish::DoNotDisturb(false)),
            "BlockCaller" => {
                if let Some(caller) = self.telephone.last_caller() {
                    self.messages.block(caller);
                    self.drain_messages(now);
                }
            }
            _ => {}
        }
    }

    /// The hub says something.
    pub(super) fn hub_says(&mut self, news: News, now: Duration) {
        if self.hub_says_to_skills(&news, now) {
            return;
        }
        self.messages.news(news, now);
        self.telephone
            .set_do_not_disturb(self.messages.is_undisturbed());
    }

    /// What was told is over.
    pub(super) fn told(&mut self, id: TellId, now: Duration) {
        if !self.told_relayed(id, now) {
            self.messages.told(id, now);
        }
    }

    /// Our own words come before a message that plays.
    pub(super) fn hush_message(&mut self, now: Duration) {
        self.hush_relayed(now);
        if self.messages.is_playing() {
            self.messages.interrupt("something else is to be said");
            self.drain_messages(now);
        }
    }

    /// The emergency call, then calls, questions and whoever is being heard come before messages.
    pub(super) fn messages_give_way(&mut self, emergency: bool) {
        if emergency {
            self.messages.stand_back();
        } else {
            self.messages.resume_service();
        }
        let engaged = self.telephone.is_busy()
            || self.question.is_some()
            || self.addressed
            || self.recorder.incident().is_some();
        self.messages.set_engaged(engaged);
    }

    /// Carries out what messages want; true when something happened.
    pub(super) fn drain_messages(&mut self, now: Duration) -> bool {
        let mut moved = self.messages.run(now);
        while let Some(wanted) = self.messages.poll_output() {
            moved = true;
            match wanted {
                Wanted::Hub(request, what) => self.outputs.push_back(Output::Hub { request, what }),
                Wanted::Say(text) => self.speak(&text, now),
                Wanted::Tell(id, parts) => self.outputs.push_back(Output::Tell { id, parts }),
                Wanted::Hush => {
                    self.speech_until = None;
                    self.outputs.push_back(Output::Hush);
                }
                Wanted::Light => {
                    if !self.addressed && !self.messages.is_recording() {
                        self.rest_light();
                    }
                }
                Wanted::Listen => {
                    self.light(Light::Listening);
                    self.listen_on(now);
                }
                Wanted::KeepOutbox(bytes) => self.outputs.push_back(Output::KeepOutbox(bytes)),
                Wanted::Arrived => self.happened(&Happened::Own(Own::MessageArrives), now),
                Wanted::Record(entry) => self.recorder.write(entry, None, now),
                Wanted::Step(what) => self.step(Step::Telephone { what }),
            }
        }
        moved
    }
}
