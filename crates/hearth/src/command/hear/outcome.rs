//! What one recording led to, as `--json` and the terminal show it.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

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
    /// The recording broke off; said on stderr.
    #[serde(skip)]
    pub(crate) broken: bool,
    /// Transcript and intent whose decision is still to come.
    #[serde(skip)]
    newest: Option<(String, Option<IntentFact>)>,
    #[serde(skip)]
    newest_wake: Option<WakeFact>,
    #[serde(skip)]
    decided_once: bool,
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
            call: CallFact {
                state: "none",
                call_id: None,
                speech_end_to_invite_ms: None,
                lines_tried: Vec::new(),
            },
            bundle: None,
            broken: false,
            newest: None,
            newest_wake: None,
            decided_once: false,
        }
    }

    /// The same, from the device's own step.
    pub(crate) fn wake_fact(&mut self, keyword: &str, score: f32, at_sample: u64) {
        let fact = WakeFact {
            keyword: keyword.to_owned(),
            score,
            at_ms: ms(at_sample),
        };
        if self.wake.is_none() {
            self.wake = Some(fact.clone());
            self.reason = "wake word, then no words".into();
        }
        self.newest_wake = Some(fact);
    }

    /// What was heard; it counts when its decision does.
    pub(crate) fn heard(
        &mut self,
        transcript: &str,
        (name, slots): &(String, BTreeMap<String, String>),
    ) {
        let intent = (name != "None").then(|| IntentFact {
            name: name.clone(),
            slots: slots.clone(),
        });
        self.newest = Some((transcript.to_owned(), intent));
    }

    /// A decision. A recording with several tells its gravest.
    pub(crate) fn decide(&mut self, decision: &'static str, reason: &str, service: Option<&str>) {
        let Some((transcript, intent)) = self.newest.take() else {
            return;
        };
        if self.decided_once && gravity(decision) <= gravity(self.decision) {
            return;
        }
        self.decided_once = true;
        self.transcript = transcript;
        self.intent = intent;
        self.decision = decision;
        self.reason = reason.to_owned();
        self.service = service.map(str::to_owned);
        if let Some(wake) = self.newest_wake.take() {
            self.wake = Some(wake);
        }
    }

    /// One JSON object.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self)
            .expect("strings, numbers and paths of the command line serialise")
    }

    /// A few lines for a person.
    pub(crate) fn to_text(&self) -> String {
        let mut lines = vec![self.file.display().to_string()];
        match &self.wake {
            Some(wake) => {
                let seconds = wake.at_ms as f64 / 1_000.0;
                lines.push(format!(
                    "  wake       \"{}\" at {seconds:.2} s, score {:.2}",
                    wake.keyword, wake.score
                ));
                lines.push(format!("  heard      \"{}\"", self.transcript));
            }
            None => lines.push("  wake       none".into()),
        }
        if let Some(intent) = &self.intent {
            let slots: Vec<String> = intent
                .slots
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            lines.push(format!("  intent     {} {}", intent.name, slots.join(" ")));
        }
        let service = self
            .service
            .as_ref()
            .map_or_else(String::new, |service| format!(" {service}"));
        lines.push(format!(
            "  decision   {}{service}: {}",
            self.decision.to_uppercase(),
            self.reason
        ));
        lines.join("\n")
    }
}

/// The line of a recording that could not be heard.
pub(super) fn error_line(file: &Path, why: &str) -> String {
    #[derive(Serialize)]
    struct Unheard<'a> {
        file: &'a Path,
        error: &'a str,
    }
    serde_json::to_string(&Unheard { file, error: why })
        .expect("strings and paths of the command line serialise")
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
