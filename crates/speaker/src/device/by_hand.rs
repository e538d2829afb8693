//! The button that is held to speak, and words that are typed: everyday sentences without the wake word, and never a call
//! for help. Whoever holds the button and says the wake word all the same is heard as ever.
use core::time::Duration;

use hearthline_ledger::Outcome;
use hearthline_voice::listen::Heard;

use super::skills::SKILL_WORDS;
use super::{Device, Light, Output, Step};
use crate::policy::{Act, ByHand, Situation};
use crate::record::intent_of;
use crate::words;

/// Longest time that the button opens the ear, in ms: the longest utterance.
const HELD_MS_MAX: u32 = 15_000;
/// Longest typed sentence, in bytes.
const TYPED_BYTES_MAX: usize = 500;

impl Device {
    /// The button is held: the ear opens. Whoever is asked something, or is in a call for help, is heard without it.
    pub(super) fn held(&mut self, now: Duration) {
        if self.situation() != Situation::Idle || self.addressed {
            return;
        }
        self.by_hand = true;
        self.hush_message(now);
        if self.speech_until.take().is_some() {
            self.outputs.push_back(Output::Hush);
        }
        self.light(Light::Listening);
        let ms = HELD_MS_MAX;
        self.outputs.push_back(Output::ListenForReply { ms });
    }

    /// The button was let go. The ear has understood by now what was on its way, and closes.
    pub(super) fn released(&mut self) {
        if self.by_hand {
            self.outputs.push_back(Output::ListenForReply { ms: 1 });
        }
    }

    /// Nothing, or nothing that could be understood, was said behind the button.
    pub(super) fn by_hand_in_vain(&mut self) {
        if core::mem::take(&mut self.by_hand) && self.situation() == Situation::Idle {
            self.rest_light();
        }
    }

    /// A sentence behind the button, without the wake word.
    pub(super) fn took_by_hand(&mut self, heard: &Heard, now: Duration) -> bool {
        let by_hand = core::mem::take(&mut self.by_hand);
        if !by_hand || heard.wake.is_some() || self.situation() != Situation::Idle {
            return false;
        }
        let said = heard.understanding.transcript.text.trim().to_owned();
        if said.is_empty() {
            self.rest_light();
            return true;
        }
        if self.recorder.incident().is_none() {
            self.recorder.begin_incident();
        }
        self.recorder.heard(heard, now);
        self.step(Step::Heard {
            transcript: said.clone(),
            intent: intent_of(&heard.understanding.verdict),
            speech_end_sample: heard.speech_end.0,
            decided_sample: heard.decided.0,
        });
        self.do_by_hand(&said, now);
        true
    }

    /// A typed sentence.
    pub(super) fn typed(&mut self, text: &str, now: Duration) {
        let said = text.trim();
        if said.is_empty() || said.len() > TYPED_BYTES_MAX || self.situation() != Situation::Idle {
            return;
        }
        if self.recorder.incident().is_none() {
            self.recorder.begin_incident();
        }
        self.recorder
            .human("typed", "text", "an everyday sentence at most", now);
        if !self.took_typed(said, now) {
            self.do_by_hand(said, now);
        }
    }

    fn do_by_hand(&mut self, said: &str, now: Duration) {
        let sentences = self.skills.sentences();
        let names = self.names.as_ref();
        let decided = self
            .policy
            .decide_by_hand(said, self.country, names, sentences);
        // Asked before it is decided: what a skill answers is not "not understood".
        let own = match &decided {
            ByHand::NotUnderstood => self.own_sentence(said, now),
            ByHand::Do(_) | ByHand::WakeWordFirst => None,
        };
        let (outcome, decision, reason) = match &decided {
            _ if own.is_some() => (Outcome::Act, "act", SKILL_WORDS),
            ByHand::Do(_) => (Outcome::Act, "act", decided.reason()),
            ByHand::WakeWordFirst | ByHand::NotUnderstood => {
                (Outcome::Ignore, "ignore", decided.reason())
            }
        };
        let mode = self.plain_mode();
        self.recorder.decision(outcome, mode, reason, None, now);
        self.step(Step::Decided {
            decision,
            reason,
            service: None,
        });
        match decided {
            ByHand::Do(Act::Do(meant)) => {
                self.do_meant(&meant, said, now);
                self.finish("answered", "an everyday sentence", now);
            }
            ByHand::Do(act) => self.act(act, now),
            ByHand::WakeWordFirst => {
                let text = words::wake_word_first(self.country);
                self.say(&text, now);
                self.finish("ignored", reason, now);
            }
            ByHand::NotUnderstood => match own {
                Some(answer) => {
                    if !answer.is_empty() {
                        self.say(&answer, now);
                    }
                    self.finish("answered", SKILL_WORDS, now);
                }
                None => {
                    self.say(words::NOT_UNDERSTOOD, now);
                    self.finish("ignored", reason, now);
                }
            },
        }
    }
}
