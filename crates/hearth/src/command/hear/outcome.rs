//! What one recording led to, as `--json` and the terminal show it.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hearthline_speaker::policy::Decision;
use hearthline_speaker::record::intent_of;
use hearthline_voice::listen::Heard;
use hearthline_voice::wake::Wake;
use serde::Serialize;

/// One line of `hearth hear --json`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Outcome {
    pub(crate) file: PathBuf,
    pub(crate) wake: Option<WakeFact>,
    pub(crate) transcript: String,
    pub(crate) intent: Option<IntentFact>,
    /// `emergency`, `ask`, `act`, `refuse` or `ignore`.
    pub(crate) decision: &'static str,
    pub(crate) reason: String,
    pub(crate) service: Option<String>,
    pub(crate) call: CallFact,
    pub(crate) bundle: Option<PathBuf>,
}

/// The wake word.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct WakeFact {
    pub(crate) keyword: String,
    pub(crate) score: f32,
    pub(crate) at_ms: u64,
}

/// The intent.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct IntentFact {
    pub(crate) name: String,
    pub(crate) slots: BTreeMap<String, String>,
}

/// The call.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CallFact {
    /// `answered`, `failed` or `none`.
    pub(crate) state: &'static str,
    pub(crate) call_id: Option<String>,
    pub(crate) speech_end_to_invite_ms: Option<u64>,
    pub(crate) lines_tried: Vec<String>,
}

impl WakeFact {
    pub(crate) fn of(wake: &Wake) -> Self {
        Self { keyword: wake.keyword.clone(), score: wake.score, at_ms: ms(wake.at.0) }
    }
}

impl Outcome {
    /// Nothing heard yet.
    pub(crate) fn nothing(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            wake: None,
            transcript: String::new(),
            intent: None,
            decision: "ignore",
            reason: "no wake word".into(),
            service: None,
            call: CallFact { state: "none", call_id: None, speech_end_to_invite_ms: None, lines_tried: Vec::new() },
            bundle: None,
        }
    }

    /// The wake word was heard.
    pub(crate) fn wake(&mut self, wake: &Wake) {
        if self.wake.is_none() {
            self.wake = Some(WakeFact::of(wake));
            self.reason = "wake word, then no words".into();
        }
    }

    /// An utterance was decided. A recording with several tells its gravest.
    pub(crate) fn decided(&mut self, heard: &Heard, wake: Option<WakeFact>, decision: &Decision, reason: &str) {
        let (word, service) = match decision {
            Decision::Emergency(authorized) => ("emergency", Some(authorized.service().as_str().to_owned())),
            Decision::Ask { service, .. } => ("ask", Some(service.urn().to_owned())),
            Decision::Act(_) => ("act", None),
            Decision::Refuse { .. } => ("refuse", None),
            Decision::Ignore => ("ignore", None),
        };
        let first = self.transcript.is_empty() && self.intent.is_none();
        if !first && gravity(word) <= gravity(self.decision) {
            return;
        }
        let (name, slots) = intent_of(&heard.understanding.verdict);
        self.transcript.clone_from(&heard.understanding.transcript.text);
        self.intent = (name != "None").then_some(IntentFact { name, slots });
        self.decision = word;
        self.reason = reason.to_owned();
        self.service = service;
        if wake.is_some() {
            self.wake = wake;
        }
    }

    /// One JSON object.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and paths of the command line serialise")
    }

    /// A few lines for a person.
    pub(crate) fn to_text(&self) -> String {
        let mut lines = vec![self.file.display().to_string()];
        match &self.wake {
            Some(wake) => {
                let seconds = wake.at_ms as f64 / 1_000.0;
                lines.push(format!("  wake       \"{}\" at {seconds:.2} s, score {:.2}", wake.keyword, wake.score));
                lines.push(format!("  heard      \"{}\"", self.transcript));
            }
            None => lines.push("  wake       none".into()),
        }
        if let Some(intent) = &self.intent {
            let slots: Vec<String> = intent.slots.iter().map(|(name, value)| format!("{name}={value}")).collect();
            lines.push(format!("  intent     {} {}", intent.name, slots.join(" ")));
        }
        let service = self.service.as_ref().map_or_else(String::new, |service| format!(" {service}"));
        lines.push(format!("  decision   {}{service}: {}", self.decision.to_uppercase(), self.reason));
        lines.join("\n")
    }
}

fn gravity(decision: &str) -> u8 {
    match decision {
        "emergency" => 4,
        "ask" => 3,
        "act" => 2,
        "refuse" => 1,
        _ => 0,
    }
}

fn ms(samples: u64) -> u64 {
    samples / 16
}
