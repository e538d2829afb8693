//! Two opinions, one verdict: what the transcript reads as, and how probable an order is given the sound.
//!
//! ```text
//!            ┌─► greedy text ─► read ─────────────► Reading ─┐
//! audio ─────┤                                               ├─► decide ─► Verdict and the rule that fired
//!            └─► prefix tree ─► mass ─► (beam ─► veto) ──────┘
//! ```
//! The decoder is told that the wake word stands at the head and goes on behind it: in real and synthetic speech alike
//! "Alexa" comes out as "the licks are" else, and drags the next words along. What follows from both opinions is said
//! in [`super::verdict`]; the thresholds are data ([`OperatingPoint`]), made by the calibration program.
use super::automaton::{Automaton, Meaning, Payload, TooLarge, Wordings};
use super::everyday::Everyday;
use super::household::{self, KnownNames};
use super::mass::{Mass, Pruning, Scorer};
use super::mishearing::{hear, is_past, pleads_unheard, slips, stands_before};
use super::reading::{Reading, RefusedClass, Reply};
use super::sentences::paths::Paths;
use super::service::Service;
pub use super::verdict::{
    BadOperatingPoint, Contrary, Doubt, OperatingPoint, Rule, Verdict, decide,
};
use super::{Country, emergency_phrases};
use crate::transcribe::search::{Beam, Greedy};
use crate::transcribe::{
    Encoded, Moonshine, Prefixes, TokenId, TranscribeError, Transcript, Vocabulary,
};
use std::sync::Arc;

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
    pub(super) country: Country,
    pub(super) point: OperatingPoint,
    scorer: Scorer,
    wake: Vec<TokenId>,
    pub(super) names: Option<Arc<KnownNames>>,
    pub(super) everyday: Option<Arc<Everyday>>,
    /// Made when it is needed first.
    pub(super) paths: Option<Paths>,
}

/// A text this much less probable than what could veto an order adds too little to count.
const FAINT_NATS: f32 = 2.0;

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
        let mut orders = Wordings::orders(&phrases);
        for index in 0..orders.cores.len() {
            let (text, payload) = &orders.cores[index];
            if let Some(whom) = text
                .strip_prefix("call the ")
                .or(text.strip_prefix("call an "))
            {
                let dialled = (
                    format!("dial {}{whom}", &text[5..text.len() - whom.len()]),
                    *payload,
                );
                if !orders.cores.contains(&dialled) {
                    orders.cores.push(dialled);
                }
            }
        }
        let polite = orders.behind(POLITE, Meaning::Polite);
        orders.cores.extend(slips(&orders.cores));
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
            names: None,
            everyday: None,
            paths: None,
        })
    }

    /// The names that the household knows, for its everyday sentences. They touch no emergency.
    pub fn know_names(&mut self, names: Arc<KnownNames>) {
        self.names = Some(names);
        self.paths = None;
    }

    /// The everyday sentences of the household. They read only what is left when all others have read.
    pub fn know_sentences(&mut self, everyday: Arc<Everyday>) {
        self.everyday = Some(everyday);
        self.paths = None;
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
        let encoded = self.encode(recogniser, audio, head)?;
        let hearing = self.sense(recogniser, &encoded, head)?;
        if head == Head::WakeWord {
            let understanding = self.weigh(hearing);
            return self.look_again(recogniser, &encoded, understanding);
        }
        let mut transcript = hearing.transcript;
        if consents(&transcript.text, self.country) {
            transcript.alternatives = recogniser.beam(&encoded, CONSENT_WIDTH)?;
            transcript
                .alternatives
                .retain(|a| a.text != transcript.text);
        }
        Ok(weigh_answer(transcript, self.country, &self.point))
    }

    /// Encode a segment for [`Judge::sense`].
    ///
    /// # Errors
    /// When the segment is too long or the runtime fails.
    pub fn encode(
        &self,
        recogniser: &mut Moonshine,
        audio: &[f32],
        head: Head,
    ) -> Result<Encoded, TranscribeError> {
        match head {
            Head::WakeWord => recogniser.encode_behind(audio, &self.wake),
            Head::Nothing => recogniser.encode(audio),
        }
    }

    /// What the models say about a segment, before anybody judges it.
    ///
    /// The greedy text and the grammar walk side by side. The beam joins them as soon as the grammar can no longer
    /// become sure of an order, and leaves when it finds none: what is left of 1 beside a sure order is too little for
    /// a veto, and without an order there is nothing to veto.
    ///
    /// # Errors
    /// When the runtime fails.
    pub fn sense(
        &mut self,
        recogniser: &mut Moonshine,
        audio: &Encoded,
        head: Head,
    ) -> Result<Hearing, TranscribeError> {
        self.sense_on(recogniser, &mut Prefixes::new(audio), head)
    }

    /// The same for a segment of which something is decoded already, such as by the judge of another country.
    ///
    /// # Errors
    /// When the runtime fails.
    pub fn sense_on(
        &mut self,
        recogniser: &mut Moonshine,
        prefixes: &mut Prefixes<'_>,
        head: Head,
    ) -> Result<Hearing, TranscribeError> {
        let audio = prefixes.audio();
        if head == Head::Nothing {
            // An answer cannot start a call, so nobody asks how much it sounds like an order.
            return Ok(Hearing {
                transcript: recogniser.greedy(audio)?,
                mass: Mass::nothing(),
            });
        }
        let sure = -(-self.point.veto_margin_nats).exp().ln_1p();
        let mut greedy = Greedy::new(prefixes);
        let mut walk = self.scorer.walk(prefixes);
        let mut beam: Option<Beam> = None;
        for depth in 1.. {
            let mut wanted = Vec::new();
            greedy.plan(prefixes, &mut wanted);
            self.scorer.plan(&mut walk, prefixes, &mut wanted);
            if walk.is_done() && self.hopeless(&walk.finish(recogniser.vocabulary())) {
                beam = None;
            } else if walk.order_at_most() <= sure {
                let beam = beam.get_or_insert_with(|| Beam::new(prefixes, self.point.beam_width));
                beam.raise_floor(walk.order_at_least() - self.point.veto_margin_nats - FAINT_NATS);
                // A beam that joins late has some steps to catch up with.
                while beam.depth() + 1 < depth {
                    let mut missed = Vec::new();
                    beam.plan(prefixes, &mut missed);
                    if missed.is_empty() {
                        break;
                    }
                    prefixes.extend(recogniser, &missed)?;
                    beam.settle(prefixes);
                }
                beam.plan(prefixes, &mut wanted);
            }
            if wanted.is_empty() {
                break;
            }
            prefixes.extend(recogniser, &wanted)?;
            greedy.settle(prefixes);
            walk.settle(prefixes);
            if let Some(beam) = &mut beam {
                beam.settle(prefixes);
            }
            if beam.is_some() || walk.is_done() {
                prefixes.forget(depth);
            }
        }
        let transcript = greedy.finish(recogniser.vocabulary());
        let mass = walk.finish(recogniser.vocabulary());
        let mut alternatives = match beam {
            Some(beam) if mass.order <= sure => beam.finish(recogniser.vocabulary()),
            // The words are an order that the sound does not bear out: see what else they may be.
            None if self.hopeless(&mass) && self.orders(&transcript.text) => {
                recogniser.beam(audio, self.point.beam_width)?
            }
            _ => Vec::new(),
        };
        alternatives.retain(|a| a.text != transcript.text);
        Ok(Hearing {
            transcript: Transcript {
                alternatives,
                ..transcript
            },
            mass,
        })
    }

    /// Whether the sound is no order whatever the words are.
    fn hopeless(&self, mass: &Mass) -> bool {
        mass.order.max(mass.ask) <= self.point.ask_nats
    }

    /// Whether the words are an order.
    fn orders(&self, text: &str) -> bool {
        matches!(hear(text, self.country).reading, Reading::Command { .. })
    }

    /// Judge what the models said behind the wake word; when that is no emergency, the sentences of the household may
    /// make an everyday act of it. Pure: the same hearing always gives the same understanding.
    #[must_use]
    pub fn weigh(&self, hearing: Hearing) -> Understanding {
        let Hearing {
            transcript,
            mut mass,
        } = hearing;
        let reading = hear(&transcript.text, self.country).reading;
        let mut contrary = Contrary {
            hard: mass.contrary,
            ..Contrary::NONE
        };
        if let Some(best) = &mass.best {
            let (text, order) = (&transcript.text, &best.text);
            // "Called 911" is the order, or what is left of "who called 911" when something stands before it.
            let told = matches!(reading, Reading::Other | Reading::Refused { .. })
                && is_past(order)
                && stands_before(text, order);
            // "Please call" may be "don't call", unless the words have the plea too.
            let pleaded =
                !matches!(reading, Reading::Command { .. }) && pleads_unheard(text, order);
            if told || pleaded {
                contrary.hard = contrary.hard.max(mass.order);
            }
        }
        let first = (transcript.text.as_str(), transcript.log_prob);
        let all = std::iter::once(first).chain(
            transcript
                .alternatives
                .iter()
                .map(|a| (a.text.as_str(), a.log_prob)),
        );
        // Without alternatives the sound was found to be no order at all, and nothing is added to that.
        let looked = matches!(reading, Reading::Command { .. })
            || mass.order.max(mass.ask) > f32::NEG_INFINITY
            || !transcript.alternatives.is_empty();
        for (text, log_prob) in all.filter(|_| looked) {
            if self.scorer.automaton().read(text).is_some() {
                continue; // Counted in the tree already.
            }
            let heard = hear(text, self.country);
            match heard.order {
                // The sentence reader knows more wordings than the tree.
                Some((service, quiet)) => mass.add_order(service, quiet, text, log_prob),
                None => contrary.add(&heard.reading, log_prob),
            }
        }
        let (judged, rule) = decide(&transcript.text, &reading, &mass, contrary, &self.point);
        let names = self.names.as_deref();
        let mut verdict = household::act(judged.clone(), &transcript.text, self.country, names);
        let mut rule = if verdict == judged {
            rule
        } else {
            Rule::Household
        };
        if let Some(everyday) = &self.everyday
            && is_left(&verdict)
            && let Some(meant) = everyday.read(&transcript.text, self.country)
            && everyday.makes_sense(&meant, self.country)
        {
            verdict = Verdict::Meant(Box::new(meant));
            rule = Rule::Sentences;
        }
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
}

/// What the compiled sentences may read: what nobody else has understood, and the time, which they tell better.
fn is_left(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Other => true,
        Verdict::Act(intent) => intent.name == "GetTime",
        _ => false,
    }
}

/// Texts among which the probability of a yes is summed: "Yes.", "Yes", "Yeah.", "Yep." share it.
const CONSENT_WIDTH: usize = 8;
/// A yes less probable than this is not clear. Of 630 sounds of a home without a word (barks, sneezes, cocks, clocks),
/// eight were written as a yes, at 0.57 at the most; of 90 spoken ones in quiet 78 lay above.
const CONSENT_MIN: f32 = 0.6;

/// Whether a text says yes, or repeats the order, which is as good.
fn consents(text: &str, country: Country) -> bool {
    matches!(
        hear(text, country).reading,
        Reading::Reply(Reply::Yes) | Reading::Command { .. }
    )
}

/// Judge an answer to a question of ours: the words alone decide, for nobody asked how much they sound like an order. So
/// no answer is ever a [`Verdict::Emergency`], in whatever wording; what an order that is repeated counts for, the policy
/// finds in [`Evidence::reading`]. A yes that is not clear, as the recogniser writes for a dog's bark, is none: the
/// verdict is then in doubt, and the policy may ask once more.
#[must_use]
pub fn weigh_answer(
    transcript: Transcript,
    country: Country,
    point: &OperatingPoint,
) -> Understanding {
    let reading = hear(&transcript.text, country).reading;
    let (mass, contrary) = (Mass::nothing(), Contrary::NONE);
    let (mut verdict, rule) = decide(&transcript.text, &reading, &mass, contrary, point);
    let others = transcript.alternatives.iter();
    let yes: f32 = others
        .filter(|other| consents(&other.text, country))
        .map(|other| other.log_prob.exp())
        .sum::<f32>()
        + transcript.log_prob.exp();
    if verdict == Verdict::Reply(Reply::Yes) && yes < CONSENT_MIN {
        verdict = Verdict::Ask {
            service: Service::Sos,
            quiet: false,
            why: Doubt::Unsure,
        };
    }
    Understanding {
        transcript,
        verdict,
        evidence: Evidence {
            reading,
            mass,
            contrary,
            rule,
            point: point.clone(),
        },
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcribe::Alternative;
    use crate::understand::AskReason;

    fn answer(text: &str) -> Understanding {
        probably(text, 0.9, &[])
    }

    /// An answer with the probability of its text and of others.
    fn probably(text: &str, probability: f32, others: &[(&str, f32)]) -> Understanding {
        let alternative = |(text, probability): &(&str, f32)| Alternative {
            text: (*text).to_owned(),
            log_prob: probability.ln(),
        };
        let transcript = Transcript {
            text: text.to_owned(),
            tokens: Vec::new(),
            log_prob: probability.ln(),
            alternatives: others.iter().map(alternative).collect(),
        };
        weigh_answer(
            transcript,
            Country::UnitedStates,
            &OperatingPoint::built_in(),
        )
    }

    #[test]
    fn an_order_as_an_answer_is_read_as_one_and_is_no_emergency_by_itself() {
        // The second and third are wordings that the tree does not hold.
        for text in [
            " Call 911!",
            "Go ahead and call 911.",
            "Oh God, call the police!",
        ] {
            let heard = answer(text);
            assert!(
                matches!(heard.evidence.reading, Reading::Command { .. }),
                "{text}: {:?}",
                heard.evidence.reading
            );
            assert!(
                matches!(
                    heard.verdict,
                    Verdict::Ask {
                        why: Doubt::Unsure,
                        ..
                    }
                ),
                "{text}: {:?}",
                heard.verdict
            );
        }
    }

    #[test]
    fn a_yes_that_is_not_clear_is_in_doubt() {
        let clear = probably(
            "Yes",
            0.3,
            &[("Yes.", 0.25), ("Yeah.", 0.1), ("Guess", 0.2)],
        );
        assert_eq!(clear.verdict, Verdict::Reply(Reply::Yes));
        let bark = probably("Yep.", 0.3, &[("Yes.", 0.25), ("Map.", 0.3)]);
        let doubt = Verdict::Ask {
            service: Service::Sos,
            quiet: false,
            why: Doubt::Unsure,
        };
        assert_eq!(bark.verdict, doubt);
        assert_eq!(bark.evidence.reading, Reading::Reply(Reply::Yes));
        // A no needs no such care: it calls nobody.
        let no = probably("No.", 0.2, &[]);
        assert_eq!(no.verdict, Verdict::Reply(Reply::No));
    }

    #[test]
    fn other_answers_mean_what_their_words_mean() {
        for (text, verdict) in [
            (" Yes.", Verdict::Reply(Reply::Yes)),
            ("No!", Verdict::Reply(Reply::No)),
            (" ...", Verdict::Nothing),
            ("What a lovely day.", Verdict::Other),
        ] {
            assert_eq!(answer(text).verdict, verdict, "{text}");
        }
        let need = answer("I need an ambulance.").verdict;
        let doubt = Doubt::Words(AskReason::PlainNeed);
        assert!(
            matches!(need, Verdict::Ask { why, .. } if why == doubt),
            "{need:?}"
        );
    }
}
