//! The second look: what else the words may be, when nothing was understood and the sound is far from any emergency.
//!
//! ```text
//!                       ┌─► beam: the most probable texts ─────────► read, mended ─┐
//! nothing understood ───┤                                                          ├─► one act, a question, or nothing
//!                       └─► steered: the most probable sentences ──► read ─────────┘
//! ```
//! Both walk side by side, so that what the decoder computes for one serves the other. It comes when the emergency judge
//! has spoken, and changes nothing that it has said.
use super::everyday::{self, Best, is_urgent};
use super::household;
use super::judge::{Judge, Rule, Understanding, Verdict};
use super::mishearing::hear;
use super::reading::Intent;
use super::sentences::left_by_emergency;
use super::steered::{Led, Steered};
use crate::transcribe::search::Beam;
use crate::transcribe::{Alternative, Encoded, Moonshine, Prefixes, TranscribeError};

/// An order this much less probable than one that is asked about is no order: other texts may be looked at.
const FAR_NATS: f32 = 4.0;
/// How much less probable than the best text another one may be.
const AGAIN_NATS: f32 = 5.0;
/// The same for a text that is a sentence from its first word to its last.
const STEERED_NATS: f32 = 10.0;
/// A sentence of the household that the decoder was led to may be this much less probable than the best text.
const LED_CALL_NATS: f32 = 3.0;
/// The same for one that is borne out from its second word on.
const LED_ACT_NATS: f32 = 5.0;
/// Another sentence this much less probable than that is no rival.
const LED_APART_NATS: f32 = 1.2;
/// How many other texts are looked at.
const AGAIN_WIDTH: usize = 8;

impl Judge {
    /// What else the words may be: the next best texts, if one of them is a sentence of the household about as probable.
    pub(super) fn look_again(
        &mut self,
        recogniser: &mut Moonshine,
        audio: &Encoded,
        mut understanding: Understanding,
    ) -> Result<Understanding, TranscribeError> {
        let mass = &understanding.evidence.mass;
        let far = mass.order.max(mass.ask) <= self.point.ask_nats - FAR_NATS;
        let text = &understanding.transcript.text;
        let open = matches!(understanding.verdict, Verdict::Other) && is_sentence(text);
        let doubtful = self.doubts(&understanding.verdict);
        let everyday = self.everyday.clone().filter(|_| open || doubtful);
        let near = household::may_mean_more(&understanding.verdict, text, self.names.as_deref());
        if !far || !near && everyday.is_none() {
            return Ok(understanding);
        }
        let first = understanding.transcript.log_prob;
        let (mut others, led) = self.others(recogniser, audio, first)?;
        let (text, names) = (&understanding.transcript.text, self.names.as_deref());
        others.retain(|other| other.log_prob >= first - AGAIN_NATS && other.text != *text);
        let less = |log_prob: f32| first - log_prob;
        let nearer = others.iter().map(|o| (o.text.as_str(), less(o.log_prob)));
        if let (Verdict::Meant(meant), Some(everyday)) = (&understanding.verdict, &everyday) {
            let led = led.iter().map(|l| (l.text.as_str(), less(l.log_prob)));
            let mut nearer: Vec<(&str, f32)> = nearer.chain(led).collect();
            nearer.sort_by(|a, b| a.1.total_cmp(&b.1));
            if let Some(better) = everyday.without_doubt(meant, &nearer, self.country) {
                understanding.verdict = Verdict::Meant(Box::new(better));
                understanding.evidence.rule = Rule::Mended;
                understanding.transcript.alternatives = others;
            }
            return Ok(understanding);
        }
        let mut written = vec![(text.as_str(), first)];
        written.extend(nearer.clone());
        let led: Vec<everyday::Led<'_>> = led
            .iter()
            .map(|led| everyday::Led {
                text: &led.text,
                nats: less(led.log_prob),
                behind: led.log_prob - led.head,
            })
            .collect();
        let texts = others.iter().map(|other| other.text.as_str());
        let act = if near {
            household::among(texts.clone(), self.country, names).or_else(|| {
                let straight = household::are_straight(texts.clone().chain([text.as_str()]));
                household::agreed(clear(&led)?, self.country, names).filter(|_| straight)
            })
        } else {
            None
        };
        let act = act.or_else(|| self.led_act(&written, &led).filter(|_| open));
        if let Some(intent) = act {
            understanding.verdict = Verdict::Act(intent);
            understanding.evidence.rule = Rule::Household;
        } else if let Some(everyday) = everyday {
            let mut texts = vec![(text.as_str(), 0.0)];
            texts.extend(nearer);
            // Calls and messages were looked at above: what is less probable than one of them was not said.
            let calls =
                |led: &&everyday::Led<'_>| household::read(led.text, self.country, names).is_some();
            let call = led.iter().find(calls).map_or(f32::INFINITY, |led| led.nats);
            let led: Vec<everyday::Led<'_>> =
                led.iter().filter(|led| led.nats < call).copied().collect();
            let left = |text: &str| left_by_emergency(&hear(text, self.country).reading);
            let urgent = texts.iter().any(|(text, _)| !left(text))
                || led.iter().any(|led| is_urgent(led.text, self.country));
            let best = if urgent {
                None
            } else {
                everyday
                    .led(&written, &led, self.country)
                    .or_else(|| everyday.among(&texts, self.country))
            };
            understanding.verdict = match best {
                Some(Best::Meant(meant)) => Verdict::Meant(meant),
                Some(Best::Which(sentences)) => Verdict::Which(sentences),
                None => return Ok(understanding),
            };
            understanding.evidence.rule = Rule::Mended;
            // The record tells what else the sound may have been.
            understanding.transcript.alternatives = others;
        }
        Ok(understanding)
    }

    /// Whether something in what is meant can hardly be.
    fn doubts(&self, verdict: &Verdict) -> bool {
        match (verdict, &self.everyday) {
            (Verdict::Meant(meant), Some(everyday)) => everyday.has_doubt(meant),
            _ => false,
        }
    }

    /// The sentence of calls and messages that the sound bears out from its second word on, if nothing else is near it.
    fn led_act(&self, written: &[(&str, f32)], led: &[everyday::Led<'_>]) -> Option<Intent> {
        let country = self.country;
        let best = led.first()?;
        if best.nats > LED_ACT_NATS
            || !best.is_sure_behind(written)
            || led.iter().any(|led| is_urgent(led.text, country))
            || written.iter().any(|(text, _)| is_urgent(text, country))
        {
            return None;
        }
        let rivals = led
            .iter()
            .filter(|other| other.nats <= best.nats + LED_APART_NATS)
            .map(|other| other.text);
        household::whole(rivals, country, self.names.as_deref())
    }

    /// The most probable texts, and the most probable ones that are sentences of the household.
    fn others(
        &mut self,
        recogniser: &mut Moonshine,
        audio: &Encoded,
        first: f32,
    ) -> Result<(Vec<Alternative>, Vec<Led>), TranscribeError> {
        let paths = match (&mut self.paths, &self.everyday) {
            (Some(paths), _) => Some(paths),
            (none, Some(everyday)) => {
                Some(none.insert(everyday.paths(household::spoken(self.names.as_deref()))))
            }
            (None, None) => None,
        };
        let mut prefixes = Prefixes::new(audio);
        let mut beam = Beam::new(&prefixes, AGAIN_WIDTH);
        let mut steered = paths.map(|paths| {
            paths.rest();
            let walk = Steered::new(&prefixes, paths, first - STEERED_NATS);
            (walk, paths)
        });
        for depth in 1.. {
            let mut wanted = Vec::new();
            beam.plan(&prefixes, &mut wanted);
            if let Some((steered, paths)) = &mut steered {
                steered.plan(paths, recogniser.vocabulary(), &prefixes, &mut wanted);
            }
            if wanted.is_empty() {
                break;
            }
            prefixes.extend(recogniser, &wanted)?;
            beam.settle(&prefixes);
            if let Some((steered, _)) = &mut steered {
                steered.settle(&prefixes);
            }
            prefixes.forget(depth);
        }
        let vocabulary = recogniser.vocabulary();
        let led = steered.map(|(steered, _)| steered.finish(vocabulary));
        Ok((beam.finish(vocabulary), led.unwrap_or_default()))
    }
}

/// The best text that was led to and those that are about as probable, if it is not far from the best of all.
fn clear<'a>(led: &'a [everyday::Led<'a>]) -> Option<impl Iterator<Item = &'a str> + Clone> {
    let best = led.first()?.nats;
    let rivals = led
        .iter()
        .filter(move |other| other.nats <= best + LED_APART_NATS)
        .map(|other| other.text);
    (best <= LED_CALL_NATS).then_some(rivals)
}

/// Whether a text is long enough to be a sentence that was misheard, and short enough to be an order.
fn is_sentence(text: &str) -> bool {
    (2..=14).contains(&text.split_whitespace().count())
}
