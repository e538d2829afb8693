//! The policy: the only file that may decide to dial.
//!
//! ```text
//! Heard (wake word, verdict, evidence) + situation + setting ─► Decision
//! ```
//! [`Authorized`] is made here and nowhere else. It has no public constructor, cannot be copied or cloned, and is used up
//! by the one call that it allows. Everything that is not an utterance at this device's microphone (automation, message,
//! webhook, remote API) has no way to a [`Heard`] and so none to a call (DESIGN invariant 1).
use core::time::Duration;

use hearthline_emergency::call::ConfirmedEnd;
use hearthline_emergency::service::ServiceUrn;
use hearthline_voice::listen::Heard;
use hearthline_voice::understand::everyday::Everyday;
use hearthline_voice::understand::household::{self, KnownNames};
use hearthline_voice::understand::judge::{Doubt, Verdict};
use hearthline_voice::understand::sentences::{Recognition, left_by_emergency};
use hearthline_voice::understand::{
    AskReason, Country, Intent, Reading, RefusedClass, Reply, Service, read,
};

use crate::telephone::whom;

/// Longest cancel window that may be configured, in seconds.
pub const CANCEL_WINDOW_S_MAX: u64 = 10;
/// How long an answer to "Do you need 911?" is waited for, in milliseconds.
pub const REPLY_MS_MAX: u32 = 8_000;

/// How a call is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Says what it will do and leaves a window to cancel.
    Announced {
        /// From the decision to the INVITE: 0 to [`CANCEL_WINDOW_S_MAX`] seconds.
        cancel_window: Duration,
    },
    /// Calls at once.
    Immediate,
}

impl Default for Mode {
    fn default() -> Self {
        Self::Announced {
            cancel_window: Duration::from_secs(5),
        }
    }
}

/// Where the device stands when something is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Situation {
    /// Nothing is under way.
    Idle,
    /// A call is announced; no INVITE has left.
    Announcing,
    /// The device asked "Do you need 911?".
    Asking {
        /// Whom a yes calls.
        service: Service,
        /// Whether a yes calls quietly.
        quiet: bool,
        /// Whether it asked for the second time: then it does not ask again.
        again: bool,
    },
    /// An INVITE has left, or a call-taker is on the line.
    Calling,
    /// The caller asked to end the call and was asked whether they mean it.
    ConfirmingEnd {
        /// When they asked.
        asked_at: Duration,
    },
}

/// The permission to place one emergency call.
#[derive(Debug)]
#[must_use = "an authorised call that is not placed is a call for help that nobody hears"]
pub struct Authorized {
    service: ServiceUrn,
    quiet: bool,
    cancel_window: Duration,
}

impl Authorized {
    /// Made from a live utterance; private on purpose.
    fn by_utterance(service: Service, quiet: bool, mode: Mode) -> Self {
        let cancel_window = match mode {
            Mode::Announced { cancel_window } if !quiet => {
                cancel_window.min(Duration::from_secs(CANCEL_WINDOW_S_MAX))
            }
            _ => Duration::ZERO,
        };
        Self {
            service: urn_of(service),
            quiet,
            cancel_window,
        }
    }

    /// Whom to call.
    #[must_use]
    pub fn service(&self) -> &ServiceUrn {
        &self.service
    }

    /// No light, tone or speech.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// How long the person can cancel before the INVITE leaves.
    #[must_use]
    pub fn cancel_window(&self) -> Duration {
        self.cancel_window
    }
}

/// What to do about something heard.
#[derive(Debug)]
pub enum Decision {
    /// Place an emergency call.
    Emergency(Authorized),
    /// Ask "Do you need 911? Say yes or no."
    Ask {
        /// Whom a yes calls.
        service: Service,
        /// Without sound.
        quiet: bool,
        /// For the second and last time: somebody in the room spoke of a need, and nobody said yes.
        again: bool,
    },
    /// Do or answer something that is no emergency call.
    Act(Act),
    /// Understood, and not done.
    Refuse {
        /// The class of sentence.
        class: RefusedClass,
    },
    /// Not meant for the device.
    Ignore,
}

/// What is done that is no emergency call.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Take back an announced call, before its INVITE.
    CancelAnnounced,
    /// Nobody needs help, they say.
    TakeNo,
    /// "Stay on the line and say that it was an accident."
    CoachToStay,
    /// Ask whether the caller really wants to end the call.
    AskWhetherToEnd,
    /// End the call: asked for and confirmed.
    EndCall(ConfirmedEnd),
    /// Go on with the call after a no.
    KeepCall,
    /// An everyday sentence.
    Answer(Intent),
    /// An everyday sentence that the compiled sentences read. No skill can call anybody.
    Do(Box<Recognition>),
    /// One of several everyday sentences may be meant: ask which.
    AskWhich(Vec<String>),
}

/// A decision and the rule behind it, in words for the record.
#[derive(Debug)]
pub struct Decided {
    /// What to do.
    pub decision: Decision,
    /// Which rule decided.
    pub reason: &'static str,
}

/// What becomes of words without the wake word, behind the button that is held to speak or typed. None of it can dial.
#[derive(Debug, Clone, PartialEq)]
pub enum ByHand {
    /// An everyday sentence.
    Do(Act),
    /// It speaks of help, in whatever way: the wake word must be in the utterance (DESIGN invariant 1).
    WakeWordFirst,
    /// No sentence reads it.
    NotUnderstood,
}

impl ByHand {
    /// Which rule decided, in words for the record.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Do(_) => "an everyday sentence behind the button",
            Self::WakeWordFirst => "about help, without the wake word: never a call",
            Self::NotUnderstood => "not understood",
        }
    }
}

/// The household's setting.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policy {
    mode: Mode,
}

impl Policy {
    /// A policy with this mode.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        Self { mode }
    }

    /// The mode of spoken calls that are not quiet.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Decides about one utterance of a household in `country`: as [`Policy::decide`], and an everyday sentence that names an
    /// emergency number or service ("call" and a contact of that number) is asked back or refused here. The telephone never
    /// gets it (DESIGN invariants 1 and 2). `on_call`: an ordinary call rings or stands, and what is an answer to nothing
    /// otherwise ("hang up") is said about it; `names` are those of the home, which end such a sentence.
    #[must_use]
    pub fn decide_in(
        &self,
        heard: &Heard,
        situation: Situation,
        country: Country,
        names: Option<&KnownNames>,
        on_call: bool,
        now: Duration,
    ) -> Decided {
        let mut decided = self.decide(heard, situation, now);
        let unused = matches!(decided.decision, Decision::Ignore) && situation == Situation::Idle;
        if on_call
            && unused
            && heard.wake.is_some()
            && let Some(intent) = heard.understanding.everyday(country, names)
        {
            decided = self::decided(Decision::Act(Act::Answer(intent)), "about an ordinary call");
        }
        let Decision::Act(Act::Answer(intent)) = &decided.decision else {
            return decided;
        };
        match everyday_emergency(intent, country) {
            // A repeated order neither shortens the window nor starts a second call.
            Some(_) if situation == Situation::Announcing => {
                self::decided(Decision::Ignore, "a call is being announced already")
            }
            Some(emergency) => emergency,
            None => decided,
        }
    }

    /// Decides about one utterance.
    #[must_use]
    pub fn decide(&self, heard: &Heard, situation: Situation, now: Duration) -> Decided {
        let addressed = heard.wake.is_some();
        let verdict = &heard.understanding.verdict;
        match situation {
            Situation::Announcing => self.while_announcing(heard, addressed),
            Situation::Calling => self.while_calling(verdict, addressed, None, now),
            Situation::ConfirmingEnd { asked_at } => {
                self.while_calling(verdict, addressed, Some(asked_at), now)
            }
            Situation::Asking {
                service,
                quiet,
                again,
            } => {
                let reading = &heard.understanding.evidence.reading;
                self.while_asking(verdict, reading, addressed, service, quiet, again)
            }
            Situation::Idle if addressed => self.when_addressed(verdict),
            Situation::Idle => decided(Decision::Ignore, "no wake word"),
        }
    }

    /// Decides about words without the wake word, behind the button or typed: by their text alone, everyday sentences and
    /// nothing else. No emergency, question or refusal comes of them, and no order about a call for help under way.
    #[must_use]
    pub fn decide_by_hand(
        &self,
        said: &str,
        country: Country,
        names: Option<&KnownNames>,
        sentences: Option<&Everyday>,
    ) -> ByHand {
        let reading = read(said, country);
        let intent = match &reading {
            Reading::Intent(intent) => Some(intent.clone()),
            _ => household::read(said, country, names),
        };
        if let Some(intent) = intent {
            return match everyday_emergency(&intent, country) {
                Some(_) => ByHand::WakeWordFirst,
                None => ByHand::Do(Act::Answer(intent)),
            };
        }
        if !left_by_emergency(&reading) {
            return ByHand::WakeWordFirst;
        }
        let meant = sentences.and_then(|sentences| {
            let meant = sentences.read(said, country)?;
            sentences.makes_sense(&meant, country).then_some(meant)
        });
        meant.map_or(ByHand::NotUnderstood, |meant| {
            ByHand::Do(Act::Do(Box::new(meant)))
        })
    }

    /// Nobody answered "Do you need 911?".
    #[must_use]
    pub fn no_reply(&self) -> Decided {
        decided(
            Decision::Act(Act::TakeNo),
            "no answer to the question: no call without a human yes",
        )
    }

    fn when_addressed(&self, verdict: &Verdict) -> Decided {
        match verdict {
            Verdict::Emergency { service, quiet } => {
                let authorized = Authorized::by_utterance(*service, *quiet, self.mode);
                decided(
                    Decision::Emergency(authorized),
                    "wake word and an order to call an emergency service",
                )
            }
            Verdict::Ask {
                service,
                quiet,
                why,
            } => decided(
                Decision::Ask {
                    service: *service,
                    quiet: *quiet,
                    again: false,
                },
                match why {
                    Doubt::Words(_) => "a question or a need, not an order: asked back",
                    Doubt::Unsure => "perhaps an order, not heard clearly enough: asked back",
                    Doubt::Contradicted => {
                        "perhaps an order, another reading is as likely: asked back"
                    }
                },
            ),
            Verdict::Refused { class, .. } => {
                decided(Decision::Refuse { class: *class }, class.describe())
            }
            Verdict::Act(intent) => decided(
                Decision::Act(Act::Answer(intent.clone())),
                "an everyday sentence",
            ),
            Verdict::Meant(meant) => decided(
                Decision::Act(Act::Do(meant.clone())),
                "an everyday sentence",
            ),
            Verdict::Which(sentences) => decided(
                Decision::Act(Act::AskWhich(sentences.clone())),
                "one of several everyday sentences: asked back",
            ),
            Verdict::Reply(_) => decided(Decision::Ignore, "an answer without a question"),
            Verdict::HangUpEmergency => decided(Decision::Ignore, "there is no call to end"),
            Verdict::Other => decided(Decision::Ignore, "not understood"),
            Verdict::Nothing => decided(Decision::Ignore, "no words"),
        }
    }

    fn while_announcing(&self, heard: &Heard, addressed: bool) -> Decided {
        match &heard.understanding.verdict {
            Verdict::Reply(Reply::Cancel) if addressed || says_cancel(heard) => decided(
                Decision::Act(Act::CancelAnnounced),
                "cancelled by voice before the INVITE",
            ),
            // A scream of "no" or an attacker's "don't call" must not take the call back; said to the device, they do.
            Verdict::Reply(Reply::No)
            | Verdict::HangUpEmergency
            | Verdict::Refused {
                class: RefusedClass::Negation | RefusedClass::Cancelled,
                ..
            } if addressed => decided(
                Decision::Act(Act::CancelAnnounced),
                "cancelled by voice before the INVITE",
            ),
            Verdict::Act(intent) if addressed && intent.name == "CallHangUp" => decided(
                Decision::Act(Act::CancelAnnounced),
                "cancelled by voice before the INVITE",
            ),
            Verdict::Act(intent) if addressed => decided(
                Decision::Act(Act::Answer(intent.clone())),
                "an everyday sentence",
            ),
            // A repeated order neither shortens the window nor starts a second call.
            _ => decided(Decision::Ignore, "a call is being announced already"),
        }
    }

    fn while_asking(
        &self,
        verdict: &Verdict,
        reading: &Reading,
        addressed: bool,
        service: Service,
        quiet: bool,
        again: bool,
    ) -> Decided {
        if let Some((service, now_quiet)) = repeated_order(verdict, reading) {
            let authorized = Authorized::by_utterance(service, quiet || now_quiet, self.mode);
            return decided(
                Decision::Emergency(authorized),
                "asked, and the person repeated the order",
            );
        }
        match verdict {
            Verdict::Reply(Reply::Yes) => {
                let authorized = Authorized::by_utterance(service, quiet, self.mode);
                decided(
                    Decision::Emergency(authorized),
                    "asked, and the person said yes",
                )
            }
            // A bark is written as "Yep." at times, but not in answer to both questions.
            Verdict::Ask {
                why: Doubt::Unsure, ..
            } if *reading == Reading::Reply(Reply::Yes) && again => {
                let authorized = Authorized::by_utterance(service, quiet, self.mode);
                decided(
                    Decision::Emergency(authorized),
                    "asked twice, and a yes was heard again, not clearly",
                )
            }
            Verdict::Ask {
                why: Doubt::Unsure, ..
            } if *reading == Reading::Reply(Reply::Yes) => decided(
                Decision::Ask {
                    service,
                    quiet,
                    again: true,
                },
                "asked, and perhaps a yes was heard, not clearly: asked once more",
            ),
            Verdict::Ask {
                why: Doubt::Words(AskReason::PlainNeed),
                quiet: now_quiet,
                ..
            } if addressed => {
                let authorized = Authorized::by_utterance(service, quiet || *now_quiet, self.mode);
                decided(
                    Decision::Emergency(authorized),
                    "asked, and the person told the device what help is needed",
                )
            }
            // "Help me!" in a film is no yes. It may also be the person who asked, so it is not passed over either.
            Verdict::Ask {
                why: Doubt::Words(AskReason::PlainNeed),
                quiet: now_quiet,
                ..
            } if !again => decided(
                Decision::Ask {
                    service,
                    quiet: quiet || *now_quiet,
                    again: true,
                },
                "asked, and a need was said without the wake word, which is no yes: asked once more",
            ),
            Verdict::Reply(Reply::No | Reply::Cancel) => {
                decided(Decision::Act(Act::TakeNo), "asked, and the person said no")
            }
            _ if addressed => self.when_addressed(verdict),
            _ => decided(Decision::Ignore, "neither yes nor no"),
        }
    }

    fn while_calling(
        &self,
        verdict: &Verdict,
        addressed: bool,
        asked_at: Option<Duration>,
        now: Duration,
    ) -> Decided {
        match (verdict, asked_at) {
            (Verdict::Reply(Reply::Yes), Some(asked_at)) => {
                match ConfirmedEnd::new(asked_at, now) {
                    Ok(end) => decided(
                        Decision::Act(Act::EndCall(end)),
                        "asked for and confirmed by the caller",
                    ),
                    Err(_) => decided(
                        Decision::Act(Act::KeepCall),
                        "the confirmation came too late",
                    ),
                }
            }
            (Verdict::Reply(Reply::No | Reply::Cancel), Some(_)) => decided(
                Decision::Act(Act::KeepCall),
                "the caller wants to stay on the line",
            ),
            // Talk with the call-taker is full of such words; only what is said to the device counts.
            (Verdict::HangUpEmergency, _) if addressed => decided(
                Decision::Act(Act::AskWhetherToEnd),
                "the caller asks to end the call: confirmed first",
            ),
            (Verdict::Act(intent), _) if addressed && intent.name == "CallHangUp" => decided(
                Decision::Act(Act::AskWhetherToEnd),
                "the caller asks to end the call: confirmed first",
            ),
            (Verdict::Reply(Reply::Cancel), None) if addressed => decided(
                Decision::Act(Act::CoachToStay),
                "the INVITE has left: nothing is cancelled, the caller is coached",
            ),
            (
                Verdict::Refused {
                    class: RefusedClass::Negation | RefusedClass::Cancelled,
                    ..
                },
                None,
            ) if addressed => decided(
                Decision::Act(Act::CoachToStay),
                "the INVITE has left: nothing is cancelled, the caller is coached",
            ),
            _ => decided(Decision::Ignore, "an emergency call is under way"),
        }
    }
}

/// What becomes of words that were said while a message played here: an order to call for help is asked back, for no
/// message may give one (DESIGN invariant 1).
#[must_use]
pub fn over_a_message(given: Decided) -> Decided {
    match given.decision {
        Decision::Emergency(authorized) => decided(
            Decision::Ask {
                service: authorized.service.as_str().parse().unwrap_or(Service::Sos),
                quiet: authorized.quiet,
                again: false,
            },
            "an order that was said while a message played: asked back",
        ),
        _ => given,
    }
}

/// What an everyday call becomes whose callee is an emergency number or service: a question or a refusal, never a call.
fn everyday_emergency(intent: &Intent, country: Country) -> Option<Decided> {
    let callee = ["number", "who"]
        .into_iter()
        .find_map(|slot| intent.slots.get(slot))?;
    match whom::recognise(callee, country) {
        Err(whom::NotDialled::Emergency(service)) => Some(decided(
            Decision::Ask {
                service,
                quiet: false,
                again: false,
            },
            "an everyday sentence with an emergency number in it: asked back",
        )),
        Err(whom::NotDialled::Foreign) => Some(decided(
            Decision::Refuse {
                class: RefusedClass::ForeignNumber,
            },
            RefusedClass::ForeignNumber.describe(),
        )),
        Ok(_) => None,
    }
}

/// Whether the very word of the announcement was said. "Don't call" and "hang up" mean the same, but an attacker shouts
/// them; without the wake word only the word that the device has just asked for counts.
fn says_cancel(heard: &Heard) -> bool {
    let text = heard.understanding.transcript.text.to_lowercase();
    text.split(|c: char| !c.is_alphanumeric())
        .any(|word| word.starts_with("cancel"))
}

/// The order that an utterance repeats while the question is open: whom to call, and whether quietly. An answer is judged
/// by its words alone and is never [`Verdict::Emergency`], so its reading counts: the person was asked, and orders it
/// again. Where the sound says something else as well ("don't call 911"), it is asked back as before.
fn repeated_order(verdict: &Verdict, reading: &Reading) -> Option<(Service, bool)> {
    match (verdict, reading) {
        (Verdict::Emergency { service, quiet }, _) => Some((*service, *quiet)),
        (
            Verdict::Ask {
                why: Doubt::Unsure, ..
            },
            Reading::Command { service, quiet, .. },
        ) => Some((*service, *quiet)),
        _ => None,
    }
}

fn decided(decision: Decision, reason: &'static str) -> Decided {
    Decided { decision, reason }
}

/// The RFC 5031 name of a spoken service.
fn urn_of(service: Service) -> ServiceUrn {
    // The voice crate's services are the registered ones; an unregistered name falls back to the general number.
    ServiceUrn::parse(service.urn()).unwrap_or(ServiceUrn::SOS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What "Do you need 911?" makes of this, asked for the first or the second time.
    fn asked(verdict: &Verdict, addressed: bool, again: bool) -> Decided {
        heard(verdict, &Reading::Other, addressed, again)
    }

    fn heard(verdict: &Verdict, reading: &Reading, addressed: bool, again: bool) -> Decided {
        Policy::new(Mode::Immediate).while_asking(
            verdict,
            reading,
            addressed,
            Service::Sos,
            false,
            again,
        )
    }

    fn need() -> Verdict {
        Verdict::Ask {
            service: Service::Sos,
            quiet: false,
            why: Doubt::Words(AskReason::PlainNeed),
        }
    }

    #[test]
    fn a_need_is_a_yes_only_when_it_is_said_to_the_device() {
        for again in [false, true] {
            let to_the_device = asked(&need(), true, again);
            assert!(matches!(to_the_device.decision, Decision::Emergency(_)));
        }
        let in_the_room = asked(&need(), false, false);
        assert!(
            matches!(
                in_the_room.decision,
                Decision::Ask {
                    again: true,
                    quiet: false,
                    ..
                }
            ),
            "{in_the_room:?}"
        );
        assert!(in_the_room.reason.contains("no yes"));
        assert!(matches!(
            asked(&need(), false, true).decision,
            Decision::Ignore
        ));
    }

    #[test]
    fn a_plain_yes_and_the_repeated_order_need_no_wake_word() {
        let order = Verdict::Emergency {
            service: Service::Sos,
            quiet: false,
        };
        for verdict in [Verdict::Reply(Reply::Yes), order] {
            for again in [false, true] {
                let decided = asked(&verdict, false, again);
                assert!(matches!(decided.decision, Decision::Emergency(_)));
            }
        }
    }

    #[test]
    fn an_order_by_its_words_is_a_yes_unless_the_sound_contradicts_it() {
        let words = Reading::Command {
            service: Service::Police,
            quiet: true,
            words: "call the police quietly".into(),
        };
        let verdict = |why| Verdict::Ask {
            service: Service::Police,
            quiet: true,
            why,
        };
        for (addressed, again) in [(false, false), (false, true), (true, false)] {
            let Decided { decision, reason } =
                heard(&verdict(Doubt::Unsure), &words, addressed, again);
            let Decision::Emergency(authorized) = decision else {
                panic!("{decision:?}: {reason}");
            };
            assert_eq!(authorized.service().as_str(), "urn:service:sos.police");
            assert!(authorized.is_quiet());
            assert_eq!(reason, "asked, and the person repeated the order");
        }
        let contradicted = heard(&verdict(Doubt::Contradicted), &words, false, false);
        assert!(matches!(contradicted.decision, Decision::Ignore));
        let contradicted = heard(&verdict(Doubt::Contradicted), &words, true, false);
        assert!(matches!(contradicted.decision, Decision::Ask { .. }));
        // The sound of something like an order, and other words: no yes.
        let unsure = heard(&verdict(Doubt::Unsure), &Reading::Other, false, false);
        assert!(matches!(unsure.decision, Decision::Ignore));
    }

    #[test]
    fn a_yes_that_is_not_clear_is_asked_again_and_counts_when_it_comes_again() {
        let verdict = Verdict::Ask {
            service: Service::Sos,
            quiet: false,
            why: Doubt::Unsure,
        };
        let yes = Reading::Reply(Reply::Yes);
        let first = heard(&verdict, &yes, false, false);
        assert!(matches!(first.decision, Decision::Ask { again: true, .. }));
        let second = heard(&verdict, &yes, false, true);
        assert!(matches!(second.decision, Decision::Emergency(_)));
    }

    #[test]
    fn no_other_doubt_is_asked_again_without_the_wake_word() {
        for why in [
            Doubt::Unsure,
            Doubt::Contradicted,
            Doubt::Words(AskReason::PoliteQuestion),
        ] {
            let verdict = Verdict::Ask {
                service: Service::Sos,
                quiet: false,
                why,
            };
            assert!(matches!(
                asked(&verdict, false, false).decision,
                Decision::Ignore
            ));
        }
    }

    #[test]
    fn a_quiet_question_stays_quiet_when_it_is_asked_again() {
        let decided = Policy::default().while_asking(
            &need(),
            &Reading::Other,
            false,
            Service::Sos,
            true,
            false,
        );
        assert!(matches!(
            decided.decision,
            Decision::Ask {
                again: true,
                quiet: true,
                ..
            }
        ));
    }
}
