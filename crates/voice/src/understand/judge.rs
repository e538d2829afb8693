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
use crate::transcribe::{
    Alternative, Encoded, Moonshine, Step, TokenId, TranscribeError, Transcript, Vocabulary,
};

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
            point.accept_agreed_nats,
            point.ask_nats,
            point.veto_margin_nats,
            point.other_margin_nats,
            point.ask_margin_nats,
        ];
        if figures.iter().any(|f| !f.is_finite()) {
            return Err(BadOperatingPoint("a figure is not finite".to_owned()));
        }
        if point.ask_nats > point.accept_nats
            || point.ask_nats > point.accept_agreed_nats
            || point.accept_nats > 0.0
        {
            return Err(BadOperatingPoint(
                "ask_nats must lie below both accept thresholds, and these below 0".to_owned(),
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
    /// Readings that speak against an order.
    pub contrary: Contrary,
    /// The rule that fired.
    pub rule: Rule,
    /// The thresholds it used.
    pub point: OperatingPoint,
}

/// Probability of readings that speak against an order, as natural logarithms; minus infinity when none was found or
/// looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contrary {
    /// Questions, negations, other numbers, an emergency word with more words around it.
    pub hard: f32,
    /// A call to somebody or something else, with no emergency word: often a mis-heard order ("call him yours").
    pub other: f32,
}

impl Contrary {
    /// Nothing found.
    pub const NONE: Self = Self {
        hard: f32::NEG_INFINITY,
        other: f32::NEG_INFINITY,
    };

    fn forbids(self, mass: f32, point: &OperatingPoint) -> bool {
        self.hard >= mass - point.veto_margin_nats || self.other >= mass + point.other_margin_nats
    }
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

/// What the models say about a segment: everything that [`Judge::weigh`] needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Hearing {
    /// The greedy text, and other texts where the sound may be an order.
    pub transcript: Transcript,
    /// Grammar mass from the prefix tree.
    pub mass: Mass,
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

/// Prefixes that the tree leaves out: so short that they swallow a "don't" or "have you". The transcript may hold them.
const SWALLOWING: &[&str] = &[
    "and",
    "so",
    "oh",
    "now",
    "just",
    "hey",
    "god",
    "okay",
    "go ahead and",
];

/// Prefixes that turn an order into a polite question.
const POLITE: &[&str] = &[
    "can you",
    "could you",
    "would you",
    "will you",
    "can you please",
    "could you please",
    "would you please",
    "will you please",
    "please can you",
    "please could you",
    "can we",
    "can someone",
    "can somebody",
    "could someone",
];

impl Judge {
    /// A judge for a speaker in `country`, bound to a recogniser's vocabulary.
    ///
    /// # Errors
    /// When the country's phrase lists are absurdly long.
    pub fn new(
        country: Country,
        point: OperatingPoint,
        vocabulary: &Vocabulary,
    ) -> Result<Self, TooLarge> {
        let mut phrases = emergency_phrases(country);
        phrases
            .prefixes
            .retain(|prefix| !SWALLOWING.contains(&prefix.as_str()));
        let orders = Wordings::orders(&phrases);
        let polite = orders.behind(POLITE, Meaning::Polite);
        let number = Payload {
            meaning: Meaning::Contrary(RefusedClass::OtherNumber),
            service: Service::Sos,
            quiet: false,
        };
        let numbers = Wordings {
            cores: ["call #", "dial #", "phone #", "ring #"]
                .map(|core| (core.to_owned(), number))
                .into(),
            ..Wordings::default()
        };
        let automaton = Automaton::new(&[], &[orders, polite, numbers])?;
        let wake = prompt(&WAKE_TEXT, vocabulary);
        Ok(Self {
            country,
            point,
            scorer: Scorer::new(automaton, vocabulary, Pruning::default()),
            wake,
        })
    }

    /// The same judge, telling the decoder these tokens for the wake word instead: for another keyword, or to measure.
    #[must_use]
    pub fn with_wake_text(mut self, text: &[&str], vocabulary: &Vocabulary) -> Self {
        self.wake = prompt(text, vocabulary);
        self
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
    pub fn hear(
        &mut self,
        recogniser: &mut Moonshine,
        audio: &[f32],
        head: Head,
    ) -> Result<Understanding, TranscribeError> {
        let encoded = recogniser.encode(audio)?;
        let hearing = self.sense(recogniser, &encoded, head)?;
        Ok(self.weigh(hearing))
    }

    /// What the models say about a segment, before anybody judges it.
    ///
    /// # Errors
    /// When the runtime fails.
    pub fn sense(
        &mut self,
        recogniser: &mut Moonshine,
        audio: &Encoded,
        head: Head,
    ) -> Result<Hearing, TranscribeError> {
        let prompted: Option<Step> = match head {
            Head::WakeWord => recogniser.prompt(audio, &self.wake)?,
            Head::Nothing => None,
        };
        let first = prompted.as_ref().unwrap_or(audio.first());
        let transcript = recogniser.greedy(audio, first)?;
        // An answer cannot start a call, so nobody asks how much it sounds like an order.
        let asked = head == Head::WakeWord;
        let mass = if asked {
            self.scorer.mass(recogniser, audio, first)?
        } else {
            Mass::nothing()
        };
        let ordered = asked && matches!(self.read(&transcript.text), Reading::Command { .. });
        let mut alternatives = Vec::new();
        if ordered || mass.order.max(mass.ask) > self.point.ask_nats {
            let beam = recogniser.beam(audio, first, self.point.beam_width)?;
            alternatives.push(Alternative {
                text: beam.text,
                log_prob: beam.log_prob,
            });
            alternatives.extend(beam.alternatives);
            alternatives.retain(|a| a.text != transcript.text);
        }
        Ok(Hearing {
            transcript: Transcript {
                alternatives,
                ..transcript
            },
            mass,
        })
    }

    /// Judge what the models said. Pure: the same hearing always gives the same understanding.
    #[must_use]
    pub fn weigh(&self, hearing: Hearing) -> Understanding {
        let Hearing {
            transcript,
            mut mass,
        } = hearing;
        let reading = self.read(&transcript.text);
        let mut contrary = Contrary {
            hard: mass.contrary,
            ..Contrary::NONE
        };
        let first = (transcript.text.as_str(), transcript.log_prob);
        let all = std::iter::once(first).chain(
            transcript
                .alternatives
                .iter()
                .map(|a| (a.text.as_str(), a.log_prob)),
        );
        // Without alternatives the sound was found to be no order at all, and nothing is added to that.
        let looked =
            mass.order.max(mass.ask) > f32::NEG_INFINITY || !transcript.alternatives.is_empty();
        for (text, log_prob) in all.filter(|_| looked) {
            if self.scorer.automaton().read(text).is_some() {
                continue; // Counted in the tree already.
            }
            match self.read(text) {
                // The sentence reader knows more wordings than the tree.
                Reading::Command { service, quiet, .. } => {
                    mass.add_order(service, quiet, text, log_prob)
                }
                reading => contrary.add(&reading, log_prob),
            }
        }
        let (verdict, rule) = decide(&transcript.text, &reading, &mass, contrary, &self.point);
        Understanding {
            transcript,
            verdict,
            evidence: Evidence {
                reading,
                mass,
                contrary,
                rule,
                point: self.point.clone(),
            },
        }
    }

    /// Read a text as one behind the wake word. "Called the police" has lost its "call": nobody tells the speaker a
    /// story without saying who called; and "and call" may be what is left of "don't call". Both ask, so that only
    /// the sound can make them orders.
    fn read(&self, text: &str) -> Reading {
        let reading = read(text, self.country);
        let head = text.trim_start_matches(|c: char| !c.is_alphanumeric());
        let word = head
            .split(|c: char| !c.is_alphanumeric())
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let misheard = |reading| match reading {
            Reading::Command { service, quiet, .. } => Reading::Ask {
                service,
                why: AskReason::Misheard,
                quiet,
            },
            other => other,
        };
        match (word.as_str(), &reading) {
            ("and", _) => misheard(reading),
            ("called", Reading::Refused { .. } | Reading::Other) => {
                misheard(read(&format!("call{}", &head[6..]), self.country))
            }
            _ => reading,
        }
    }
}

/// The tokens of "Alexa," as the recogniser itself writes them.
const WAKE_TEXT: [&str; 3] = ["▁Alex", "a", ","];

/// The tokens of a text that is cut into tokens already; none when one of them is missing.
fn prompt(text: &[&str], vocabulary: &Vocabulary) -> Vec<TokenId> {
    text.iter()
        .map(|part| vocabulary.find(part.as_bytes()))
        .collect::<Option<_>>()
        .unwrap_or_default()
}

impl Contrary {
    /// Count a hypothesis that reads so.
    fn add(&mut self, reading: &Reading, log_prob: f32) {
        use RefusedClass as C;
        match reading {
            Reading::Refused {
                class: C::Contact | C::Unclear,
                service: None,
            } => self.other = log_add(self.other, log_prob),
            Reading::Refused { .. } | Reading::Intent(_) | Reading::HangUpEmergency => {
                self.hard = log_add(self.hard, log_prob)
            }
            _ => {}
        }
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
    let ask = |service, quiet, why| Verdict::Ask {
        service,
        quiet,
        why,
    };
    let contradicted = contrary.forbids(mass.order, point);
    match reading {
        Reading::Command { service, quiet, .. } => {
            if order == Some((*service, *quiet))
                && mass.order > point.accept_agreed_nats
                && !contradicted
            {
                return (
                    Verdict::Emergency {
                        service: *service,
                        quiet: *quiet,
                    },
                    Rule::Agreed,
                );
            }
            let why = if contradicted {
                Doubt::Contradicted
            } else {
                Doubt::Unsure
            };
            (
                ask(*service, *quiet, why),
                if contradicted { Rule::Veto } else { Rule::Zone },
            )
        }
        Reading::Ask {
            service,
            why,
            quiet,
        } if *why != AskReason::Misheard => {
            (ask(*service, *quiet, Doubt::Words(*why)), Rule::Words)
        }
        Reading::Refused { class, service } if never(*class) => (
            Verdict::Refused {
                class: *class,
                service: *service,
            },
            Rule::Words,
        ),
        Reading::HangUpEmergency => (Verdict::HangUpEmergency, Rule::Words),
        _ => {
            let otherwise = || match reading {
                Reading::Refused { class, service } => (
                    Verdict::Refused {
                        class: *class,
                        service: *service,
                    },
                    Rule::Words,
                ),
                Reading::Ask {
                    service,
                    why,
                    quiet,
                } => (ask(*service, *quiet, Doubt::Words(*why)), Rule::Words),
                Reading::Reply(reply) => (Verdict::Reply(*reply), Rule::Words),
                Reading::Intent(intent) => (Verdict::Act(intent.clone()), Rule::Words),
                _ if !text.contains(char::is_alphanumeric) => (Verdict::Nothing, Rule::None),
                _ => (Verdict::Other, Rule::None),
            };
            let best = mass
                .best
                .as_ref()
                .map(|best| (best.payload.service, best.payload.quiet));
            let Some((service, quiet)) = order.or(best) else {
                return otherwise();
            };
            if mass.order > point.accept_nats && !contradicted && mass.order > mass.ask {
                return (Verdict::Emergency { service, quiet }, Rule::Sound);
            }
            let any = log_add(mass.order, mass.ask);
            if any <= point.ask_nats {
                return otherwise();
            }
            if contrary.hard > any + point.ask_margin_nats {
                let (verdict, _) = otherwise();
                return (verdict, Rule::Veto);
            }
            let why = if contradicted {
                Doubt::Contradicted
            } else {
                Doubt::Unsure
            };
            (ask(service, quiet, why), Rule::Zone)
        }
    }
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
