//! The last interaction, out of the very entries that were written of it: what was heard, and why something was done.
use core::time::Duration;

use hearthline_ledger::{Body, Outcome};

/// Most bodies that are kept of one.
const BODIES_MAX: usize = 64;
/// Longest text of a person's that is said back, in characters.
const QUOTED_CHARS_MAX: usize = 160;

/// The entries of an interaction that answer a question about it.
#[derive(Debug, Default)]
pub(crate) struct Interaction {
    pub(super) bodies: Vec<Body>,
    /// When it began.
    pub(super) at: Duration,
    /// It was itself a question about the one before.
    pub(super) explains: bool,
}

impl Interaction {
    pub(super) fn begun(at: Duration) -> Self {
        Self {
            at,
            ..Self::default()
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bodies.is_empty()
    }

    /// Whether an entry of this kind answers a question.
    pub(super) fn wants(body: &Body) -> bool {
        matches!(
            body,
            Body::Wake(_)
                | Body::Transcript(_)
                | Body::Intent(_)
                | Body::Decision(_)
                | Body::Human(_)
        )
    }

    pub(super) fn take(&mut self, body: Body) {
        if self.bodies.len() < BODIES_MAX {
            self.bodies.push(body);
        }
    }

    /// "Two minutes ago I heard …"
    pub(crate) fn heard(&self, now: Duration) -> String {
        let ago = ago(now.saturating_sub(self.at));
        match self.quoted() {
            Some(text) => format!("{ago} I heard \u{201c}{text}\u{201d}."),
            None if self.is_typed() => format!("{ago} something was typed; I heard nothing."),
            None => format!("{ago} I heard my name, but no words behind it."),
        }
    }

    /// "I heard …, took it to mean …, and did it."
    pub(crate) fn why(&self) -> String {
        let heard = match self.quoted() {
            Some(text) => format!("I heard \u{201c}{text}\u{201d}"),
            None if self.is_typed() => "I read what was typed".to_owned(),
            None => return "I heard my name, but no words behind it, so I did nothing.".to_owned(),
        };
        let decisions = || {
            self.bodies.iter().filter_map(|body| match body {
                Body::Decision(decision) => Some(decision),
                _ => None,
            })
        };
        // A call for help is what is asked about, whatever was said after it.
        let of = |wanted: Outcome| decisions().find(|decision| decision.outcome == wanted);
        let cancelled = of(Outcome::Cancel).is_some();
        let Some(decided) = of(Outcome::Emergency).or_else(|| decisions().next_back()) else {
            return format!("{heard}, and decided nothing.");
        };
        let reason = decided.reason.trim_end_matches('.');
        match decided.outcome {
            Outcome::Emergency if cancelled => {
                format!("{heard}, {reason}, and it was cancelled before the call was made.")
            }
            Outcome::Emergency => format!("{heard}, {reason}, so I called for help."),
            Outcome::Ask => format!("{heard}, and asked back because that was {reason}."),
            Outcome::Refuse => format!("{heard}, and called nobody because that was {reason}."),
            Outcome::Act => format!("{heard}{}{}.", self.meant(), self.came_of_it()),
            Outcome::Ignore | Outcome::Cancel => format!("{heard}, and did nothing: {reason}."),
        }
    }

    /// The words that a call for help was made for, else the last.
    fn quoted(&self) -> Option<String> {
        let is_emergency = |body: &Body| matches!(body, Body::Decision(decision) if decision.outcome == Outcome::Emergency);
        let end = self.bodies.iter().position(is_emergency);
        let heard = &self.bodies[..end.unwrap_or(self.bodies.len())];
        let text = heard.iter().rev().find_map(|body| match body {
            Body::Transcript(transcript) => Some(transcript.text.0.trim()),
            _ => None,
        })?;
        let text = text.trim_end_matches(['.', '!', '?', ',']);
        let short: String = text.chars().take(QUOTED_CHARS_MAX).collect();
        (!short.is_empty()).then_some(short)
    }

    fn is_typed(&self) -> bool {
        self.bodies
            .iter()
            .any(|body| matches!(body, Body::Human(human) if human.action == "typed"))
    }

    fn meant(&self) -> String {
        let name = self.bodies.iter().rev().find_map(|body| match body {
            Body::Intent(intent) if intent.name != "None" => Some(intent.name.as_str()),
            _ => None,
        });
        name.map_or_else(String::new, |name| {
            format!(
                ", took it to mean \u{201c}{}\u{201d}",
                crate::words::spoken_intent(name)
            )
        })
    }

    /// What the last deed became.
    fn came_of_it(&self) -> String {
        let effect = self.bodies.iter().rev().find_map(|body| match body {
            Body::Human(human) => human.effect.as_deref(),
            _ => None,
        });
        let Some(effect) = effect else {
            return ", and answered".to_owned();
        };
        let by = |what: &str| effect.strip_prefix(what);
        if let Some(part) = by("done by ").or_else(|| by("being done by ")) {
            match part {
                "knowing" => ", and worked out the answer".to_owned(),
                "agenda" => ", and my timers, alarms and lists did it".to_owned(),
                "routine" => ", and one of your routines did it".to_owned(),
                "finding" => ", and looked for the phone".to_owned(),
                "model" => ", and asked your language model".to_owned(),
                part => format!(", and my part for the {part} did it"),
            }
        } else if by("not done by ").is_some() {
            ", but could not do it".to_owned()
        } else if by("asked back by ").is_some() || effect == "asked which is meant" {
            ", and asked what was not clear".to_owned()
        } else if effect == "nothing here can do it" {
            ", but nothing here can do it".to_owned()
        } else {
            ", and did it".to_owned()
        }
    }
}

/// "Just now", "5 minutes ago".
fn ago(time: Duration) -> String {
    let count = |count: u64, what: &str| match count {
        1 => format!("1 {what} ago"),
        count => format!("{count} {what}s ago"),
    };
    match time.as_secs() {
        0..20 => "Just now".to_owned(),
        20..60 => "A moment ago".to_owned(),
        seconds @ 60..3_600 => count(seconds / 60, "minute"),
        seconds @ 3_600..86_400 => count(seconds / 3_600, "hour"),
        seconds => count(seconds / 86_400, "day"),
    }
}
