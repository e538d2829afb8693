//! Sentences as the ear would report them, for runs without models: the text goes through the product's own sentence
//! grammar, and behind the wake word the sound is taken to agree with it. An answer is judged by the ear's own function.
use core::time::Duration;

use hearthline_voice::clock::SampleIndex;
use hearthline_voice::listen::{EndReason, Heard, Output as Hearing};
use hearthline_voice::transcribe::Transcript;
use hearthline_voice::understand::household::act;
use hearthline_voice::understand::judge::{
    Contrary, Doubt, Evidence, OperatingPoint, Rule, Understanding, Verdict, weigh_answer,
};
use hearthline_voice::understand::mass::Mass;
use hearthline_voice::understand::{Country, Intent, Reading, read};
use hearthline_voice::wake::Wake;

/// Something said in the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// The words behind the wake word.
    pub words: String,
    /// Whether the wake word was said before them.
    pub wake: bool,
    /// Whether the device listens for an answer now: then words count without the wake word.
    pub as_reply: bool,
}

impl Spoken {
    /// "Alexa, …"
    #[must_use]
    pub fn after_wake_word(words: &str) -> Self {
        Self {
            words: words.to_owned(),
            wake: true,
            as_reply: false,
        }
    }

    /// An answer to the device's question.
    #[must_use]
    pub fn reply(words: &str) -> Self {
        Self {
            words: words.to_owned(),
            wake: false,
            as_reply: true,
        }
    }

    /// Said in the room, to nobody of ours.
    #[must_use]
    pub fn in_the_room(words: &str) -> Self {
        Self {
            words: words.to_owned(),
            wake: false,
            as_reply: false,
        }
    }

    /// What the ear reports at `now`. Without the wake word and without a question the ear reports nothing at all.
    #[must_use]
    pub fn hearing(&self, country: Country, now: Duration) -> Vec<Hearing> {
        let end = SampleIndex(u64::try_from(now.as_micros()).unwrap_or(0) * 16 / 1_000);
        let wake = Wake {
            keyword: "alexa".into(),
            score: 0.97,
            at: end.minus(16_000),
        };
        match (self.wake, self.as_reply) {
            (true, _) => vec![
                Hearing::Wake(wake.clone()),
                Hearing::Understood(Box::new(self.heard(country, Some(wake), end))),
            ],
            (false, true) => vec![Hearing::Reply(Box::new(self.heard(country, None, end)))],
            (false, false) => Vec::new(),
        }
    }

    /// What the ear reports when the wake word and this sentence mean this intent, whatever today's grammar makes of it.
    #[must_use]
    pub fn meaning(&self, intent: &Intent, country: Country, now: Duration) -> Vec<Hearing> {
        let mut all = self.hearing(country, now);
        for hearing in &mut all {
            if let Hearing::Understood(heard) = hearing {
                heard.understanding.verdict = Verdict::Act(intent.clone());
            }
        }
        all
    }

    fn heard(&self, country: Country, wake: Option<Wake>, end: SampleIndex) -> Heard {
        let point = OperatingPoint::built_in();
        let transcript = Transcript {
            text: self.words.clone(),
            tokens: Vec::new(),
            log_prob: -0.1, // said clearly
            alternatives: Vec::new(),
        };
        let understanding = match wake {
            Some(_) => {
                let reading = read(&self.words, country);
                let evidence = Evidence {
                    reading: reading.clone(),
                    mass: Mass::nothing(),
                    contrary: Contrary::NONE,
                    rule: Rule::Words,
                    point,
                };
                Understanding {
                    transcript,
                    verdict: act(verdict_of(reading), &self.words, country, None),
                    evidence,
                }
            }
            None => weigh_answer(transcript, country, &point),
        };
        Heard {
            understanding,
            wake,
            start: end.minus(32_000),
            speech_end: end.minus(4_800),
            decided: end,
            reason: EndReason::Complete,
            sound: vec![0; 32_000],
        }
    }
}

fn verdict_of(reading: Reading) -> Verdict {
    match reading {
        Reading::Command { service, quiet, .. } => Verdict::Emergency { service, quiet },
        Reading::Ask {
            service,
            why,
            quiet,
        } => Verdict::Ask {
            service,
            quiet,
            why: Doubt::Words(why),
        },
        Reading::Refused { class, service } => Verdict::Refused { class, service },
        Reading::Reply(reply) => Verdict::Reply(reply),
        Reading::HangUpEmergency => Verdict::HangUpEmergency,
        Reading::Intent(intent) => Verdict::Act(intent),
        Reading::Other => Verdict::Other,
    }
}
