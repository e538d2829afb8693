//! Talk that is no emergency call: questions and their answers, refusals, everyday sentences, cancelling.
use core::time::Duration;

use hearthline_ledger::Outcome;
use hearthline_voice::listen::Heard;
use hearthline_voice::understand::Service;

use super::calling::NotCancellable;
use super::{Device, Light, Output, Question, REPLY_GRACE_S, SPEECH_MS_MAX, Step};
use crate::policy::{Act, Decided, Decision, REPLY_MS_MAX, Situation};
use crate::words;

impl Device {
    /// Everything but an emergency call.
    pub(super) fn carry_out(
        &mut self,
        decision: Decision,
        reason: &'static str,
        heard: &Heard,
        now: Duration,
    ) {
        let mode = self.plain_mode();
        match decision {
            Decision::Emergency(_) => unreachable!("placed before it was recorded"),
            Decision::Ask {
                service,
                quiet,
                again,
            } => {
                self.recorder.decision(
                    Outcome::Ask,
                    mode,
                    reason,
                    Some((service.urn(), Duration::ZERO)),
                    now,
                );
                self.recorder.sound(heard, self.pre_roll.take(), now);
                self.step(Step::Decided {
                    decision: "ask",
                    reason,
                    service: Some(service.urn().into()),
                });
                self.ask(service, quiet, again, now);
            }
            Decision::Act(act) => {
                self.recorder
                    .decision(Outcome::Act, mode, reason, None, now);
                self.step(Step::Decided {
                    decision: "act",
                    reason,
                    service: None,
                });
                if let Act::Do(meant) = act {
                    let said = heard.understanding.transcript.text.trim();
                    self.hold_utterance(heard);
                    self.do_meant(&meant, said, now);
                    self.forget_utterance();
                    self.finish("answered", "an everyday sentence", now);
                } else {
                    self.act(act, now);
                }
            }
            Decision::Refuse { class } => {
                self.recorder
                    .decision(Outcome::Refuse, mode, reason, None, now);
                self.step(Step::Decided {
                    decision: "refuse",
                    reason,
                    service: None,
                });
                if let Some(text) = words::refused(class, self.country) {
                    self.say(&text, now);
                }
                self.finish("refused", reason, now);
            }
            Decision::Ignore => {
                self.recorder
                    .decision(Outcome::Ignore, mode, reason, None, now);
                self.step(Step::Decided {
                    decision: "ignore",
                    reason,
                    service: None,
                });
                self.finish("ignored", reason, now);
            }
        }
    }

    fn ask(&mut self, service: Service, quiet: bool, again: bool, now: Duration) {
        self.question = Some(Question {
            situation: Situation::Asking {
                service,
                quiet,
                again,
            },
            until: None,
            speech_until: now + Duration::from_millis(SPEECH_MS_MAX),
        });
        self.light(Light::Asking);
        if quiet {
            // A question aloud could give the person away: the light asks, and the answer is listened for at once.
            self.speech_ended(now);
        } else {
            self.say(&words::do_you_need(self.country), now);
        }
    }

    pub(super) fn act(&mut self, act: Act, now: Duration) {
        match act {
            Act::CancelAnnounced => self.cancel("speech", now),
            Act::TakeNo => {
                self.recorder.human("no", "speech", "no call was made", now);
                self.question = None;
                self.say(words::NOT_CALLED, now);
                self.finish("not called", "the person said no", now);
            }
            Act::CoachToStay => {
                self.recorder
                    .human("cancel", "speech", "coached to stay on the line", now);
                self.say(words::STAY_ON_THE_LINE, now);
            }
            Act::AskWhetherToEnd => {
                self.recorder
                    .human("hang up", "speech", "asked to confirm", now);
                self.question = Some(Question {
                    situation: Situation::ConfirmingEnd { asked_at: now },
                    until: None,
                    speech_until: now + Duration::from_millis(SPEECH_MS_MAX),
                });
                self.say(words::REALLY_END, now);
            }
            Act::EndCall(confirmed) => {
                self.recorder
                    .human("yes", "speech", "the call is ended", now);
                self.question = None;
                self.calling.caller_ends(confirmed, now);
            }
            Act::KeepCall => {
                self.recorder.human("no", "speech", "the call goes on", now);
                self.question = None;
                self.say(words::CALL_GOES_ON, now);
            }
            Act::AskWhich(sentences) => {
                self.say(&words::which_sentence(&sentences), now);
                self.finish("answered", "asked which sentence was meant", now);
            }
            Act::Do(meant) => self.do_meant(&meant, &meant.template, now),
            Act::Answer(intent) => {
                if !self.everyday(&intent, now) {
                    let answer = match self.ask_skills_first(&intent, now) {
                        Some(answer) => answer,
                        None => self.answer_to(&intent.name, now),
                    };
                    if !answer.is_empty() {
                        self.say(&answer, now);
                    }
                }
                self.finish("answered", "an everyday sentence", now);
            }
        }
    }

    pub(super) fn answer_to(&self, intent: &str, now: Duration) -> String {
        match intent {
            "EmergencyStatus" if self.calling.is_active() => {
                "An emergency call is under way.".into()
            }
            "EmergencyStatus" => match self.calling.last_call() {
                Some(ended) => {
                    let minutes = now.saturating_sub(ended).as_secs() / 60;
                    format!(
                        "The last drill call ended {minutes} minutes ago. I have not called anyone since."
                    )
                }
                None => "I have not called anyone.".into(),
            },
            "EmergencyReadiness" => {
                let lines = self.calling.lines();
                format!(
                    "This is a drill device. It has {lines} drill {}.",
                    if lines == 1 { "line" } else { "lines" }
                )
            }
            "GetTime" => {
                let minutes =
                    (self.wall_ms_at_zero + u64::try_from(now.as_millis()).unwrap_or(0)) / 60_000;
                format!(
                    "It is {} {:02} universal time.",
                    minutes / 60 % 24,
                    minutes % 60
                )
            }
            _ => "I cannot do that yet.".into(),
        }
    }

    pub(super) fn cancel(&mut self, by: &str, now: Duration) {
        match self.calling.cancel(now) {
            Ok(()) => {
                self.recorder.human("cancel", by, "no INVITE left", now);
                let mode = self.plain_mode();
                self.recorder.decision(
                    Outcome::Cancel,
                    mode,
                    "cancelled before the INVITE",
                    None,
                    now,
                );
                self.outputs.push_back(Output::Hush);
                self.say(words::CANCELLED, now);
            }
            Err(NotCancellable::InviteHasLeft) => self.act(Act::CoachToStay, now),
            Err(NotCancellable::NoCall) => {}
        }
    }

    /// The ear waited in vain: behind the wake word, or for an answer.
    pub(super) fn no_speech(&mut self, addressed: bool, now: Duration) {
        if addressed && self.is_awaited(now) && self.listen_on(now) {
            self.light_again();
        } else if addressed || self.situation() != Situation::Idle {
            self.nothing_said(now);
            self.rings_on(now);
        } else {
            self.rings_on(now);
        }
    }

    /// Words that the recogniser could not take. When nobody asked and nobody said our name, they are none of ours. While a
    /// call is announced nothing is said: "use another phone" would be untrue, and last longer than the time to cancel.
    pub(super) fn not_understood(&mut self, why: &str, addressed: bool, now: Duration) {
        if !addressed && matches!(self.situation(), Situation::Idle | Situation::Calling) {
            self.rings_on(now);
            return;
        }
        self.step(Step::Trouble { what: why.into() });
        self.light(Light::Error);
        if self.situation() != Situation::Announcing {
            self.say(words::CANNOT_UNDERSTAND, now);
        }
        self.finish("failed", "speech could not be understood", now);
        self.listen_on(now);
    }

    pub(super) fn nothing_said(&mut self, now: Duration) {
        match self.question.as_ref().map(|question| question.situation) {
            Some(Situation::Asking { .. }) => self.no_reply(now),
            Some(Situation::ConfirmingEnd { .. }) => {
                self.question = None;
                self.recorder
                    .human("nothing", "speech", "the call goes on", now);
                self.light_again();
            }
            _ if self.calling.is_active() => self.light_again(),
            _ => self.finish("nothing said", "no words after the wake word", now),
        }
    }

    pub(super) fn no_reply(&mut self, now: Duration) {
        let Decided { reason, .. } = self.policy.no_reply();
        let quiet = matches!(
            self.question,
            Some(Question {
                situation: Situation::Asking { quiet: true, .. },
                ..
            })
        );
        self.question = None;
        self.recorder
            .human("nothing", "speech", "no call was made", now);
        let mode = self.plain_mode();
        self.recorder
            .decision(Outcome::Ignore, mode, reason, None, now);
        if !quiet {
            self.say(words::NOT_CALLED, now);
        }
        self.finish("not called", reason, now);
    }

    pub(super) fn speech_ended(&mut self, now: Duration) {
        self.telephone.speech_ended(now);
        self.skill_question_asked(now);
        if let Some(question) = &mut self.question
            && question.until.is_none()
        {
            question.until = Some(
                now + Duration::from_millis(u64::from(REPLY_MS_MAX))
                    + Duration::from_secs(REPLY_GRACE_S),
            );
            self.listen_for(Duration::from_millis(u64::from(REPLY_MS_MAX)), now);
        } else {
            self.listen_on(now);
        }
    }

    /// One sentence ends the ear's listening. When it was no answer, the rest of the time still belongs to the person: a
    /// stranger's "no, don't call" must not use up the window in which "cancel" counts, nor the person's own "what time is
    /// it" the answer. False when there is nothing to listen for, or no time left for it.
    pub(super) fn listen_on(&mut self, now: Duration) -> bool {
        let left = match self.question {
            // Our own words still ask: their end opens the ear.
            Some(Question { until: None, .. }) => return true,
            Some(Question {
                until: Some(until), ..
            }) => until.saturating_sub(now + Duration::from_secs(REPLY_GRACE_S)),
            None => self
                .calling
                .announcing_left(now)
                .unwrap_or_else(|| self.telephone.listens_for(now))
                .max(self.messages.listens_for(now))
                .max(self.skills.listens_for(now)),
        };
        if left.is_zero() {
            return false;
        }
        self.listen_for(left, now);
        true
    }

    /// Whether an answer is waited for by more than a skill: a ring goes on when nobody says anything.
    fn is_awaited(&self, now: Duration) -> bool {
        self.question.is_some()
            || self.calling.announcing_left(now).is_some()
            || !self.telephone.listens_for(now).is_zero()
            || !self.messages.listens_for(now).is_zero()
    }

    /// Opens the ear for an answer; not while we speak, for it would hear us, and not while somebody who said our name is
    /// being heard, for it would forget their words. The end of either brings us back here.
    fn listen_for(&mut self, left: Duration, now: Duration) {
        if self.addressed || self.speech_until.is_some_and(|until| now < until) {
            return;
        }
        let ms = u32::try_from(left.as_millis()).unwrap_or(REPLY_MS_MAX);
        self.outputs
            .push_back(Output::ListenForReply { ms: ms.max(1) });
    }
}
