//! What was heard is handed to the policy, and what it decides is done: the call first, the record of it after.
use core::time::Duration;

use hearthline_ledger::{DecisionMode, Outcome};
use hearthline_voice::listen::Heard;

use super::{Device, Light, Step};
use crate::policy::{Decided, Decision, Mode, Situation, over_a_message};
use crate::record::intent_of;
use crate::words;

impl Device {
    pub(super) fn understood(&mut self, heard: &Heard, now: Duration) {
        if self.took_sentence(heard, now)
            || self.took_choice(heard, now)
            || self.took_words(heard, now)
            || self.took_by_hand(heard, now)
        {
            return;
        }
        let situation = self.situation();
        let over_message = self.is_said_over_message(now);
        let decided = self.policy.decide_in(
            heard,
            situation,
            self.country,
            self.names.as_ref(),
            self.telephone.is_busy(),
            now,
        );
        let Decided { decision, reason } = if over_message {
            over_a_message(decided)
        } else {
            decided
        };
        // Talk that is not meant for the device leaves no trace: not in a call, and not when it comes as an answer to a
        // question that is closed by now.
        if matches!(decision, Decision::Ignore) && heard.wake.is_none() {
            self.listen_on(now);
            return;
        }
        // The call first, the record of it after: nothing is on its critical path.
        let placed = match decision {
            Decision::Emergency(authorized) => {
                let mode = mode_of(&authorized, self.policy.mode());
                let window = authorized.cancel_window();
                let service = authorized.service().as_str().to_owned();
                let quiet = authorized.is_quiet();
                self.question = None;
                let begun = self
                    .calling
                    .begin(authorized, &self.lost, self.wall(now), now);
                Ok((mode, window, service, quiet, begun))
            }
            other => Err(other),
        };
        if self.recorder.incident().is_none() {
            self.recorder.begin_incident();
        }
        self.recorder.heard(heard, now);
        let (name, slots) = intent_of(&heard.understanding.verdict);
        self.step(Step::Heard {
            transcript: heard.understanding.transcript.text.clone(),
            intent: (name, slots),
            speech_end_sample: heard.speech_end.0,
            decided_sample: heard.decided.0,
        });
        match placed {
            Ok((mode, window, service, quiet, begun)) => {
                self.forget_sentences();
                self.recorder.decision(
                    Outcome::Emergency,
                    mode,
                    reason,
                    Some((&service, window)),
                    now,
                );
                self.recorder.sound(heard, self.pre_roll.take(), now);
                self.step(Step::Decided {
                    decision: "emergency",
                    reason,
                    service: Some(service),
                });
                if let Err(error) = begun {
                    // Never "Calling": somebody would wait for help that nobody was asked for.
                    self.step(Step::Trouble {
                        what: error.to_string(),
                    });
                    if !quiet {
                        self.say(words::CANNOT_CALL, now);
                    }
                    self.finish("failed", "no call could be begun", now);
                    if !quiet {
                        self.light(Light::Error);
                    }
                } else if !quiet {
                    self.light(Light::Announcing);
                    let text = if window.is_zero() {
                        words::calling_now(self.country)
                    } else {
                        words::calling(self.country)
                    };
                    self.say(&text, now);
                }
            }
            Err(decision) => {
                let asks = matches!(decision, Decision::Ask { .. });
                self.carry_out(decision, reason, heard, now);
                if situation != Situation::Idle && self.question.is_none() {
                    self.light_again();
                }
                // A new question opens the ear by itself.
                if !asks {
                    self.listen_on(now);
                }
            }
        }
    }
}

fn mode_of(authorized: &crate::policy::Authorized, mode: Mode) -> DecisionMode {
    match mode {
        _ if authorized.is_quiet() => DecisionMode::Quiet,
        Mode::Announced { .. } => DecisionMode::Announced,
        Mode::Immediate => DecisionMode::Immediate,
    }
}
