//! Two opinions, one verdict: what the transcript reads as, and how probable an order is given the sound.
//!
//! ```text
//!            ┌─► greedy text ─► read ─────────────► Reading ─┐
//! audio ─────┤                                               ├─► decide ─► Verdict and the rule that fired
//!            └─► prefix tree ─► mass ─► (beam ─► veto) ──────┘
//! ```
//! A text that is a question, a negation, a quotation and the like never becomes a call, whatever the sound says. A
//! call needs the mass above the threshold and no probable contrary reading. Between accepting and ignoring lies a
//! zone in which the speaker asks. The thresholds are data ([`OperatingPoint`]), made by the calibration program.
use super::automaton::{Automaton, Meaning, Payload, TooLarge, Wordings};
use super::mass::{Mass, Pruning, Scorer, log_add};
use super::reading::{AskReason, Intent, Reading, RefusedClass, Reply};
use super::service::Service;
use super::{Country, emergency_phrases, read};
use crate::transcribe::{Encoded, Moonshine, Step, TokenId, TranscribeError, Transcript, Vocabulary};

/// Thresholds, in natural logarithms, and the date and command that made them.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingPoint {
    /// Day of the calibration, `YYYY-MM-DD`.
    pub made_on: String,
    /// The command that made these figures.
    pub made_by: String,
    /// An order whose mass is above this is accepted.
    pub accept_nats: f32,
    /// The same when the text reads as that order too.
    pub accept_agreed_nats: f32,
    /// Above this, and not accepted: ask.
    pub ask_nats: f32,
    /// Contrary readings must stay this far below the mass for accepting.
    pub veto_margin_nats: f32,
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
            point.accept_agreed_nats,
            point.ask_nats,
            point.veto_margin_nats,
            point.ask_margin_nats,
        ];
        if figures.iter().any(|f| !f.is_finite()) {
            return Err(BadOperatingPoint("a figure is not finite".to_owned()));
        }
        if point.ask_nats > point.accept_nats || point.ask_nats > point.accept_agreed_nats || point.accept_nats > 0.0 {
            return Err(BadOperatingPoint("ask_nats must lie below both accept thresholds, and these below 0".to_owned()));
        }
        if !(1..=16).contains(&point.beam_width) {
            return Err(BadOperatingPoint("beam_width must lie between 1 and 16".to_owned()));
        }
        Ok(point)
    }

    /// The point that this version was calibrated to.
    ///
    /// # Panics
    /// Never: a test reads the same file.
    #[must_use]
    pub fn built_in() -> Self {
        Self::from_toml(include_str!("../../data/operating_point.toml")).expect("a test reads this file")
    }
}

/// What the device may do about an utterance. Only its policy decides whether it does.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// An everyday sentence.
    Act(Intent),
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
            Self::None => "none",
        }
    }
}

/// The figures behind a verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// What the text reads as.
    pub reading: Reading,
    /// Grammar mass by part.
    pub mass: Mass,
    /// Logarithm of the probability of contrary readings; minus infinity when none was found or looked for.
    pub contrary: f32,
    /// The rule that fired.
    pub rule: Rule,
    /// The thresholds it used.
    pub point: OperatingPoint,
}

/// One utterance, understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Understanding {
    /// What was said, without the wake word.
    pub transcript: Transcript,
    /// What the device may do about it.
    pub verdict: Verdict,
    /// Why.
    pub evidence: Evidence,
}

/// What is known to stand at the head of the segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// The wake word: the decoder is told so and goes on behind it.
    WakeWord,
    /// Nothing: an answer to a question of ours.
    Nothing,
}

/// Combines the two opinions for one country.
#[derive(Debug)]
pub struct Judge {
    country: Country,
    point: OperatingPoint,
    scorer: Scorer,
    wake: Vec<TokenId>,
}

/// Prefixes that turn an order into a polite question.
const POLITE: &[&str] = &[
    "can you", "could you", "would you", "will you", "can you please", "could you please", "would you please",
    "will you please", "please can you", "please could you", "can we", "can someone", "can somebody", "could someone",
];

impl Judge {
    /// A judge for a speaker in `country`, bound to a recogniser's vocabulary.
    ///
    /// # Errors
    /// When the country's phrase lists are absurdly long.
    pub fn new(country: Country, point: OperatingPoint, vocabulary: &Vocabulary) -> Result<Self, TooLarge> {
        let orders = Wordings::orders(&emergency_phrases(country));
        let polite = orders.behind(POLITE, Meaning::Polite);
        let number = Payload { meaning: Meaning::Contrary(RefusedClass::OtherNumber), service: Service::Sos, quiet: false };
        let numbers = Wordings {
            cores: ["call #", "dial #", "phone #", "ring #"].map(|core| (core.to_owned(), number)).into(),
            ..Wordings::default()
        };
        let automaton = Automaton::new(&[], &[orders, polite, numbers])?;
        let wake = WAKE_TEXT.iter().filter_map(|text| vocabulary.find(text.as_bytes())).collect::<Vec<_>>();
        Ok(Self { country, point, scorer: Scorer::new(automaton, vocabulary, Pruning::default()), wake })
    }

    /// The country whose grammar this is.
    #[must_use]
    pub fn country(&self) -> Country {
        self.country
    }

    /// The thresholds in use.
    #[must_use]
    pub fn point(&self) -> &OperatingPoint {
        &self.point
    }

    /// Transcribe a segment of 16 kHz audio and judge it. Keep half a second of room on both sides.
    ///
    /// # Errors
    /// When the segment is too long or the runtime fails.
    pub fn hear(&mut self, recogniser: &mut Moonshine, audio: &[f32], head: Head) -> Result<Understanding, TranscribeError> {
        let encoded = recogniser.encode(audio)?;
        self.hear_encoded(recogniser, &encoded, head)
    }

    /// The same for a segment that is encoded already.
    ///
    /// # Errors
    /// When the runtime fails.
    pub fn hear_encoded(
        &mut self,
        recogniser: &mut Moonshine,
        audio: &Encoded,
        head: Head,
    ) -> Result<Understanding, TranscribeError> {
        let prompted: Option<Step> = match head {
            Head::WakeWord => recogniser.prompt(audio, &self.wake)?,
            Head::Nothing => None,
        };
        let first = prompted.as_ref().unwrap_or(audio.first());
        let transcript = recogniser.greedy(audio, first)?;
        let reading = read(&transcript.text, self.country);
        let mass = match head {
            Head::WakeWord => self.scorer.mass(recogniser, audio, first)?,
            // An answer cannot start a call, so nobody asks how much it sounds like an order.
            Head::Nothing => Mass::nothing(),
        };
        let mut contrary = mass.contrary;
        let mut transcript = transcript;
        if mass.order.max(mass.ask) > self.point.ask_nats {
            let beam = recogniser.beam(audio, first, self.point.beam_width)?;
            let hypotheses = [(beam.text.as_str(), beam.log_prob), (transcript.text.as_str(), transcript.log_prob)];
            let others = beam.alternatives.iter().map(|a| (a.text.as_str(), a.log_prob));
            let mut seen: Vec<&str> = Vec::new();
            for (text, log_prob) in hypotheses.into_iter().chain(others) {
                if !seen.contains(&text) && self.scorer.automaton().read(text).is_none() && is_contrary(&read(text, self.country)) {
                    contrary = log_add(contrary, log_prob);
                }
                seen.push(text);
            }
            transcript.alternatives = beam.alternatives;
        }
        let (verdict, rule) = decide(&transcript.text, &reading, &mass, contrary, &self.point);
        Ok(Understanding { transcript, verdict, evidence: Evidence { reading, mass, contrary, rule, point: self.point.clone() } })
    }
}

/// The tokens of "Alexa," as the recogniser itself writes them.
const WAKE_TEXT: [&str; 3] = ["▁Alex", "a", ","];

/// Whether a text speaks against an order.
fn is_contrary(reading: &Reading) -> bool {
    matches!(reading, Reading::Refused { .. } | Reading::Intent(_) | Reading::Reply(_) | Reading::HangUpEmergency)
}

/// The verdict on one utterance, and the rule that gave it: no model, only the figures.
#[must_use]
pub fn decide(text: &str, reading: &Reading, mass: &Mass, contrary: f32, point: &OperatingPoint) -> (Verdict, Rule) {
    let order = mass.by_service.first().map(|&(service, quiet, _)| (service, quiet));
    let ask = |service, quiet, why| Verdict::Ask { service, quiet, why };
    let contradicted = contrary >= mass.order - point.veto_margin_nats;
    match reading {
        Reading::Command { service, quiet, .. } => {
            if order == Some((*service, *quiet)) && mass.order > point.accept_agreed_nats && !contradicted {
                return (Verdict::Emergency { service: *service, quiet: *quiet }, Rule::Agreed);
            }
            let why = if contradicted { Doubt::Contradicted } else { Doubt::Unsure };
            (ask(*service, *quiet, why), if contradicted { Rule::Veto } else { Rule::Zone })
        }
        Reading::Ask { service, why, quiet } => (ask(*service, *quiet, Doubt::Words(*why)), Rule::Words),
        Reading::Refused { class, service } if never(*class) => {
            (Verdict::Refused { class: *class, service: *service }, Rule::Words)
        }
        Reading::HangUpEmergency => (Verdict::HangUpEmergency, Rule::Words),
        _ => {
            let otherwise = || match reading {
                Reading::Refused { class, service } => (Verdict::Refused { class: *class, service: *service }, Rule::Words),
                Reading::Reply(reply) => (Verdict::Reply(*reply), Rule::Words),
                Reading::Intent(intent) => (Verdict::Act(intent.clone()), Rule::Words),
                _ if text.is_empty() => (Verdict::Nothing, Rule::None),
                _ => (Verdict::Other, Rule::None),
            };
            let best = mass.best.as_ref().map(|best| (best.payload.service, best.payload.quiet));
            let Some((service, quiet)) = order.or(best) else { return otherwise() };
            if mass.order > point.accept_nats && !contradicted && mass.order > mass.ask {
                return (Verdict::Emergency { service, quiet }, Rule::Sound);
            }
            let any = log_add(mass.order, mass.ask);
            if any <= point.ask_nats {
                return otherwise();
            }
            if contrary > any + point.ask_margin_nats {
                let (verdict, _) = otherwise();
                return (verdict, Rule::Veto);
            }
            let why = if contradicted { Doubt::Contradicted } else { Doubt::Unsure };
            (ask(service, quiet, why), Rule::Zone)
        }
    }
}

/// Classes that no sound overrules. The others are what a mis-heard order is often written as ("call mine one one").
fn never(class: RefusedClass) -> bool {
    use RefusedClass as C;
    match class {
        C::Question | C::Negation | C::Quotation | C::PastTense | C::Title | C::Reminder | C::Conditional => true,
        C::Cancelled | C::Message | C::Date => true,
        C::ForeignNumber | C::OtherNumber | C::Contact | C::Unclear => false,
    }
}
