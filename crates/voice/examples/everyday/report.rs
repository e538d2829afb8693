//! Shares and delays, as Markdown.
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What came of one command in one voice.
pub struct Take {
    pub class: String,
    pub voice: &'static str,
    pub snr_db: Option<i32>,
    pub outcome: Outcome,
    pub delay_ms: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Right,
    /// Another thing was done.
    Wrong,
    /// The speaker asks which of several is meant.
    Asked,
    /// It heard words and knows nothing to do.
    Nothing,
    /// It woke and heard no words.
    Silent,
    /// It did not wake.
    Asleep,
    /// It asked about an emergency, or dialled. There must be none.
    Urgent,
}

impl Outcome {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong => "wrong",
            Self::Asked => "asked",
            Self::Nothing => "not understood",
            Self::Silent => "no words",
            Self::Asleep => "asleep",
            Self::Urgent => "URGENT",
        }
    }
}

const OUTCOMES: [Outcome; 7] = [
    Outcome::Right,
    Outcome::Wrong,
    Outcome::Asked,
    Outcome::Nothing,
    Outcome::Silent,
    Outcome::Asleep,
    Outcome::Urgent,
];

fn percent(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    format!("{:.1}", 100.0 * part as f64 / whole as f64)
}

/// Middle and slow end of the delays of what was done right.
fn delays(takes: &[&Take]) -> String {
    let right = takes.iter().filter(|take| take.outcome == Outcome::Right);
    let mut all: Vec<f64> = right.map(|take| take.delay_ms).collect();
    all.sort_by(f64::total_cmp);
    let at = |percent: usize| all.get(all.len() * percent / 100).copied().unwrap_or(0.0);
    format!("{:.0} / {:.0}", at(50), at(95))
}

/// The tables.
pub fn report(commands: usize, takes: &[Take], note: &str) -> String {
    let mut out = String::new();
    let w = &mut out;
    let voices: BTreeMap<&str, ()> = takes.iter().map(|take| (take.voice, ())).collect();
    let _ = writeln!(
        w,
        "# Spoken everyday commands\n\n{commands} commands in {} voices, each clean and with a real noise at 10 dB, through the device's ear: \
         `cargo run --release -p hearthline-voice --example everyday_speech -- CACHE`. {note}\n\n\
         | | n | right, % | of those that woke it, % | {} |\n|---|---|---|---|{}",
        voices.len(),
        OUTCOMES[1..]
            .iter()
            .map(|outcome| outcome.name())
            .collect::<Vec<_>>()
            .join(" | "),
        "---|".repeat(OUTCOMES.len() - 1),
    );
    for (name, snr_db) in [("clean", None), ("10 dB", Some(10))] {
        let all: Vec<&Take> = takes.iter().filter(|take| take.snr_db == snr_db).collect();
        let count = |outcome| all.iter().filter(|take| take.outcome == outcome).count();
        let right = count(Outcome::Right);
        let woke = all.len() - count(Outcome::Asleep);
        let others: Vec<String> = OUTCOMES[1..]
            .iter()
            .map(|o| count(*o).to_string())
            .collect();
        let _ = writeln!(
            w,
            "| {name} | {} | {} | {} | {} |",
            all.len(),
            percent(right, all.len()),
            percent(right, woke),
            others.join(" | ")
        );
    }
    let mut table = |title: &str, of: &dyn Fn(&Take) -> String| {
        let _ = writeln!(
            w,
            "\n| {title} | clean: right of those that woke it, % (n) | 10 dB | clean: p50 / p95, ms | 10 dB |\n|---|---|---|---|---|"
        );
        let names: BTreeMap<String, ()> = takes.iter().map(|take| (of(take), ())).collect();
        for name in names.keys() {
            let part = |snr_db: Option<i32>| -> Vec<&Take> {
                let of_it = takes
                    .iter()
                    .filter(|take| take.snr_db == snr_db && of(take) == *name);
                of_it
                    .filter(|take| take.outcome != Outcome::Asleep)
                    .collect()
            };
            let cell = |all: &[&Take]| {
                let right = all
                    .iter()
                    .filter(|take| take.outcome == Outcome::Right)
                    .count();
                format!("{} ({})", percent(right, all.len()), all.len())
            };
            let (clean, noisy) = (part(None), part(Some(10)));
            let _ = writeln!(
                w,
                "| {name} | {} | {} | {} | {} |",
                cell(&clean),
                cell(&noisy),
                delays(&clean),
                delays(&noisy)
            );
        }
    };
    table("class", &|take| take.class.clone());
    table("voice", &|take| take.voice.to_owned());
    table("all", &|_| "all".to_owned());
    out
}
