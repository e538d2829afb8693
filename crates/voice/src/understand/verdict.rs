//! The verdict on one utterance: thresholds, what may come out, and the rule that decides. No model here.
//!
//! A text that is a question, a negation, a quotation and the like never becomes a call, whatever the sound says. A
//! call needs the mass above the threshold for what the text is, and no probable contrary reading. Between accepting
//! and ignoring lies a zone in which the speaker asks.
use super::mass::{Mass, log_add};
use super::reading::{AskReason, Intent, Reading, RefusedClass, Reply};
use super::sentences::Recognition;
use super::service::Service;

/// Thresholds, in natural logarithms, and the date and command that made them.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingPoint {
    /// Day of the calibration, `YYYY-MM-DD`.
    pub made_on: String,
    /// The command that made these figures.
    pub made_by: String,
    /// An order whose mass is above this is accepted, when the text is none of the two below.
    pub accept_nats: f32,
    /// The same when the text is near an order: mended, a call to somebody else, another number.
    pub accept_near_nats: f32,
    /// The same when the text reads as that order too.
    pub accept_agreed_nats: f32,
    /// Above this, and not accepted: ask.
    pub ask_nats: f32,
    /// Contrary readings must stay this far below the mass for accepting.
    pub veto_margin_nats: f32,
    /// Readings as a call to somebody else may stand this far above the mass for accepting.
    pub other_margin_nats: f32,
    /// Contrary readings this far above the mass forbid asking as well.
    pub ask_margin_nats: f32,
    /// Hypotheses looked at for contrary readings.
    pub beam_width: usize,
}

/// The operating point file does not say what it must.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the operating point is not usable: {0}; make it anew with the calibration example")]
pub struct BadOperatingPoint(String);

impl OperatingPoint {
    /// Read one from TOML.
    ///
    /// # Errors
    /// When a figure is missing, unknown, not finite, or the thresholds stand in the wrong order.
    pub fn from_toml(text: &str) -> Result<Self, BadOperatingPoint> {
        let point: Self = toml::from_str(text).map_err(|e| BadOperatingPoint(e.to_string()))?;
        let figures = [
            point.accept_nats,
            point.accept_near_nats,
            point.accept_agreed_nats,
            point.ask_nats,
            point.veto_margin_nats,
            point.other_margin_nats,
            point.ask_margin_nats,
        ];
        if figures.iter().any(|f| !f.is_finite()) {
            return Err(BadOperatingPoint("a figure is not finite".to_owned()));
        }
        let accepts = [
            point.accept_nats,
            point.accept_near_nats,
            point.accept_agreed_nats,
        ];
        if accepts
            .iter()
            .any(|accept| point.ask_nats > *accept || *accept > 0.0)
        {
            return Err(BadOperatingPoint(
                "ask_nats must lie below the accept thresholds, and these below 0".to_owned(),
            ));
        }
        if !(1..=16).contains(&point.beam_width) {
            return Err(BadOperatingPoint(
                "beam_width must lie between 1 and 16".to_owned(),
            ));
        }
        Ok(point)
    }

    /// The point that this version was calibrated to.
    ///
    /// # Panics
    /// Never: a test reads the same file.
    #[must_use]
    pub fn built_in() -> Self {
        Self::from_toml(include_str!("../../data/operating_point.toml"))
            .expect("a test reads this file")
    }
}

/// What the device may do about an utterance. Only its policy decides whether it does.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// An order to call for help.
    Emergency {
        /// Whom.
        service: Service,
        /// Without light, tone or speech.
        quiet: bool,
    },
    /// Perhaps: ask, "Do you need 911? Say yes or no."
    Ask {
        /// Whom a yes would call.
        service: Service,
        /// A yes calls quietly, and the question must not sound.
        quiet: bool,
        /// Why it is not taken as an order.
        why: Doubt,
    },
    /// Speaks of emergencies and must not call.
    Refused {
        /// The class that refused it.
        class: RefusedClass,
        /// The service that was named, if any.
        service: Option<Service>,
    },
    /// An answer to a question of ours, or "cancel".
    Reply(Reply),
    /// "Hang up the emergency call": ask first.
    HangUpEmergency,
    /// A sentence about calls, messages, volume, or one that the emergency sentences know.
    Act(Intent),
    /// An everyday sentence, read by the compiled sentences of the language.
    Meant(Box<Recognition>),
    /// One of several everyday sentences, and none of them surely: ask, do not guess.
    Which(Vec<String>),
    /// Words that mean nothing here.
    Other,
    /// No words at all.
    Nothing,
}

/// Why the device asks instead of calling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// The words themselves ask or tell a need.
    Words(AskReason),
    /// The sound is like an order, but not enough.
    Unsure,
    /// Something else is as probable.
    Contradicted,
}

/// Which rule gave the verdict, for the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Text and sound agree on an order.
    Agreed,
    /// The sound alone is sure enough.
    Sound,
    /// The words alone decide.
    Words,
    /// The sound lies in the zone between.
    Zone,
    /// A contrary reading is as probable as the order.
    Veto,
    /// Nothing spoke for an emergency, and the words are an everyday sentence.
    Household,
    /// The same, by the compiled sentences of the language.
    Sentences,
    /// The same, once words were taken for others that sound alike, or another text of the recogniser for the first.
    Mended,
    /// Nothing spoke for an emergency.
    None,
}

impl Rule {
    /// The rule in snake case, for records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agreed => "agreed",
            Self::Sound => "sound",
            Self::Words => "words",
            Self::Zone => "zone",
            Self::Veto => "veto",
            Self::Household => "household",
            Self::Sentences => "sentences",
            Self::Mended => "mended",
            Self::None => "none",
        }
    }
}

/// Probability of readings that speak against an order, as natural logarithms; minus infinity when none was found or
/// looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrary {
    /// Questions, negations, other numbers, titles, everyday intents.
    pub hard: f32,
    /// A call to somebody or something else: often a mis-heard order ("call him yours", "call the police out").
    pub other: f32,
}

impl Contrary {
    /// Nothing found.
    pub const NONE: Self = Self {
        hard: f32::NEG_INFINITY,
        other: f32::NEG_INFINITY,
    };

    /// Whether an order of this mass must not be accepted beside these. What was not found forbids nothing.
    fn forbids(self, mass: f32, point: &OperatingPoint) -> bool {
        let found = |log_prob: f32| log_prob > f32::NEG_INFINITY;
        found(self.hard) && self.hard >= mass - point.veto_margin_nats
            || found(self.other) && self.other >= mass + point.other_margin_nats
    }
}

impl Contrary {
    /// Count a hypothesis that reads so.
    pub(super) fn add(&mut self, reading: &Reading, log_prob: f32) {
        let sum = match reading {
            Reading::Refused {
                class: RefusedClass::Contact | RefusedClass::Unclear,
                ..
            }
            | Reading::Ask {
                why: AskReason::Unclear,
                ..
            } => &mut self.other,
            Reading::Refused { .. }
            | Reading::Ask {
                why: AskReason::OhBehind,
                ..
            }
            | Reading::Intent(_)
            | Reading::HangUpEmergency => &mut self.hard,
            _ => return,
        };
        *sum = log_add(*sum, log_prob);
    }
}

/// The verdict on one utterance, and the rule that gave it: no model, only the figures.
#[must_use]
pub fn decide(
    text: &str,
    reading: &Reading,
    mass: &Mass,
    contrary: Contrary,
    point: &OperatingPoint,
) -> (Verdict, Rule) {
    let order = mass
        .by_service
        .first()
        .map(|&(service, quiet, _)| (service, quiet));
    let threshold = match reading {
        // Words that ask or answer, and everyday sentences, decide alone.
        Reading::Ask { why, .. } if !why.may_be_order() => return by_words(text, reading),
        Reading::Reply(_) | Reading::HangUpEmergency => return by_words(text, reading),
        Reading::Refused { class, .. } if never(*class) => f32::INFINITY,
        Reading::Intent(_) => f32::INFINITY,
        Reading::Command { service, quiet, .. } if order != Some((*service, *quiet)) => {
            f32::INFINITY
        }
        Reading::Command { .. } => point.accept_agreed_nats,
        Reading::Ask { .. } | Reading::Refused { .. } => point.accept_near_nats,
        Reading::Other => point.accept_nats,
    };
    let contradicted = contrary.forbids(mass.order, point);
    if let Some((service, quiet)) = order
        && mass.order > threshold
        && mass.order > mass.ask
        && !contradicted
    {
        let agreed = matches!(reading, Reading::Command { .. });
        return (
            Verdict::Emergency { service, quiet },
            if agreed { Rule::Agreed } else { Rule::Sound },
        );
    }
    let (why, rule) = if contradicted {
        (Doubt::Contradicted, Rule::Veto)
    } else {
        (Doubt::Unsure, Rule::Zone)
    };
    if let Reading::Command { service, quiet, .. } = reading {
        return (
            Verdict::Ask {
                service: *service,
                quiet: *quiet,
                why,
            },
            rule,
        );
    }
    let any = log_add(mass.order, mass.ask);
    let best = mass
        .best
        .as_ref()
        .map(|best| (best.payload.service, best.payload.quiet));
    match order.or(best) {
        Some((service, quiet))
            if any > point.ask_nats
                && contrary.hard <= any + point.ask_margin_nats
                && contrary.other <= any + point.other_margin_nats + point.ask_margin_nats =>
        {
            (
                Verdict::Ask {
                    service,
                    quiet,
                    why,
                },
                rule,
            )
        }
        _ => by_words(text, reading),
    }
}

/// What the words alone mean.
fn by_words(text: &str, reading: &Reading) -> (Verdict, Rule) {
    let verdict = match reading {
        Reading::Command { service, quiet, .. } => Verdict::Ask {
            service: *service,
            quiet: *quiet,
            why: Doubt::Unsure,
        },
        Reading::Ask {
            service,
            why,
            quiet,
        } => Verdict::Ask {
            service: *service,
            quiet: *quiet,
            why: Doubt::Words(*why),
        },
        Reading::Refused { class, service } => Verdict::Refused {
            class: *class,
            service: *service,
        },
        Reading::Reply(reply) => Verdict::Reply(*reply),
        Reading::HangUpEmergency => Verdict::HangUpEmergency,
        Reading::Intent(intent) => Verdict::Act(intent.clone()),
        Reading::Other if !text.contains(char::is_alphanumeric) => {
            return (Verdict::Nothing, Rule::None);
        }
        Reading::Other => return (Verdict::Other, Rule::None),
    };
    (verdict, Rule::Words)
}

/// Classes that no sound overrules. The others are what a mis-heard order is often written as ("call mine one one").
fn never(class: RefusedClass) -> bool {
    use RefusedClass as C;
    match class {
        C::Question
        | C::Negation
        | C::Quotation
        | C::PastTense
        | C::Title
        | C::Reminder
        | C::Conditional => true,
        C::Cancelled | C::Message | C::Date => true,
        C::ForeignNumber | C::OtherNumber | C::Contact | C::Unclear => false,
    }
}
