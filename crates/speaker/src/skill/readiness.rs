//! "Are you ready to call for help?": answered by what `hearth doctor` finds, in one sentence. Nothing is called, nothing
//! is changed.
use core::time::Duration;
use std::collections::VecDeque;

use serde_json::{Value, json};

use super::{Asked, Deed, Event, Reply, Skill};

/// How long the examination is waited for; then what the last one found is said.
const EXAMINE_MAX: Duration = Duration::from_millis(3_000);
/// Most open points that are said; the rest is counted.
const TOLD_MAX: usize = 3;
const STILL_LOOKING: &str = "I am still looking. Hearth doctor tells you on the screen.";

/// Readiness, as found by an examination of the adapter's: it is asked `{"examine": token}` and says
/// `{"open": [what, …], "lines": count}`.
#[derive(Default)]
pub struct ReadinessSkill {
    waiting: Vec<(u64, Duration)>,
    last_token: u64,
    found: Option<String>,
    deeds: VecDeque<Deed>,
}

impl ReadinessSkill {
    /// Nothing has been examined yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn answer(&mut self, due: impl Fn(Duration) -> bool) {
        let text = self.found.as_deref().unwrap_or(STILL_LOOKING);
        let (now, later): (Vec<_>, Vec<_>) = core::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(_, until)| due(*until));
        self.waiting = later;
        for (token, _) in now {
            let reply = Reply::Words(text.to_owned());
            self.deeds.push_back(Deed::Answer { token, reply });
        }
    }
}

impl Skill for ReadinessSkill {
    fn name(&self) -> &'static str {
        "readiness"
    }

    fn take(&mut self, asked: &Asked<'_>, now: Duration) -> Reply {
        if asked.meant.intent != "EmergencyReadiness" {
            return Reply::Other;
        }
        self.last_token += 1;
        let token = self.last_token;
        self.waiting.push((token, now + EXAMINE_MAX));
        self.deeds.push_back(Deed::Out(json!({ "examine": token })));
        Reply::Later(token)
    }

    fn handle(&mut self, event: Event<'_>, now: Duration) {
        match event {
            Event::Came(value) => {
                self.found = Some(sentence(value));
                self.answer(|_| true);
            }
            Event::Timeout => self.answer(|until| until <= now),
            _ => {}
        }
    }

    fn poll_deed(&mut self) -> Option<Deed> {
        self.deeds.pop_front()
    }

    fn poll_timeout(&self) -> Option<Duration> {
        self.waiting.iter().map(|(_, until)| *until).min()
    }
}

/// One sentence of what was found.
fn sentence(found: &Value) -> String {
    let open: Vec<&str> = found["open"]
        .as_array()
        .map(|open| open.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let lines = match found["lines"].as_u64().unwrap_or(0) {
        1 => "one line".to_owned(),
        count => format!("{count} lines"),
    };
    if open.is_empty() {
        return format!(
            "Yes: this device is ready for a drill, with {lines}, an address and a number to call back; \
             in this version it reaches drill call-takers only."
        );
    }
    let more = match open.len().saturating_sub(TOLD_MAX) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let told = open[..open.len().min(TOLD_MAX)].join("; ");
    format!("No, not yet: {told}{more}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_said_in_one_sentence() {
        let ready = sentence(&json!({"open": [], "lines": 2}));
        assert!(ready.starts_with("Yes: ") && ready.contains("2 lines"));
        assert_eq!(
            sentence(&json!({"open": ["address lacks a street"], "lines": 1})),
            "No, not yet: address lacks a street."
        );
        assert_eq!(
            sentence(&json!({"open": ["a", "b", "c", "d", "e"]})),
            "No, not yet: a; b; c; and 2 more."
        );
    }
}
