//! From scores to an operating point: search on the calibration half, report on the test half.
use hearthline_voice::transcribe::{Alternative, Transcript};
use hearthline_voice::understand::automaton::{Meaning, Payload};
use hearthline_voice::understand::judge::{
    Evidence, Hearing, Judge, OperatingPoint, Verdict, decide,
};
use hearthline_voice::understand::mass::{Mass, Wording};
use hearthline_voice::understand::{Country, Service};
use serde_json::Value;
use std::path::Path;

/// One scored clip, weighed: everything but the thresholds.
pub struct Weighed {
    pub country: Country,
    pub kind: String,
    pub said: String,
    pub voice: String,
    pub test: bool,
    pub snr_db: Option<i64>,
    pub text: String,
    pub evidence: Evidence,
    pub cpu_ms: f64,
}

/// What a verdict is worth in the tables.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Dialled,
    Asked,
    Neither,
}

/// Classes that must never dial. Sound-alikes are reported apart.
pub const NEVER: &[&str] = &[
    "question",
    "negation",
    "reported",
    "number",
    "foreign number",
    "date or title",
    "contact",
    "reminder or message",
    "exclamation",
    "everyday",
    "real speech",
    "noise",
];

pub fn load(path: &Path, judges: &[Judge]) -> Vec<Weighed> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .map(|line: Value| {
            let code = line["country"].as_str().unwrap_or("US");
            let judge = judges.iter().find(|j| j.country().code() == code);
            weighed(&line, judge.expect("a judge of every country"))
        })
        .collect()
}

fn weighed(line: &Value, judge: &Judge) -> Weighed {
    let number = |value: &Value| value.as_f64().map_or(f32::NEG_INFINITY, |n| n as f32);
    let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let service = |value: &Value| {
        value
            .as_str()
            .and_then(|urn| urn.parse().ok())
            .unwrap_or(Service::Sos)
    };
    let list = |key: &str| line[key].as_array().cloned().unwrap_or_default();
    let transcript = Transcript {
        text: string(&line["text"]),
        tokens: Vec::new(),
        log_prob: number(&line["log_prob"]),
        alternatives: list("alternatives")
            .iter()
            .map(|a| Alternative {
                text: string(&a[0]),
                log_prob: number(&a[1]),
            })
            .collect(),
    };
    let best = line["best"].as_array().map(|best| {
        let payload = Payload {
            meaning: Meaning::Order,
            service: service(&best[2]),
            quiet: best[3] == true,
        };
        Wording {
            text: string(&best[0]),
            log_prob: number(&best[1]),
            payload,
        }
    });
    let mass = Mass {
        order: number(&line["order"]),
        ask: number(&line["ask"]),
        contrary: number(&line["contrary"]),
        best,
        by_service: list("by_service")
            .iter()
            .map(|s| (service(&s[0]), s[1] == true, number(&s[2])))
            .collect(),
        ..Mass::nothing()
    };
    let text = transcript.text.clone();
    Weighed {
        country: judge.country(),
        kind: string(&line["kind"]),
        said: string(&line["said"]),
        voice: string(&line["voice"]),
        test: line["test"] == true,
        snr_db: line["snr_db"].as_i64(),
        text,
        evidence: judge.weigh(Hearing { transcript, mass }).evidence,
        cpu_ms: line["cpu_ms"].as_f64().unwrap_or(0.0),
    }
}

impl Weighed {
    pub fn verdict(&self, point: &OperatingPoint) -> Verdict {
        decide(
            &self.text,
            &self.evidence.reading,
            &self.evidence.mass,
            self.evidence.contrary,
            point,
        )
        .0
    }

    pub fn outcome(&self, point: &OperatingPoint) -> Outcome {
        match self.verdict(point) {
            Verdict::Emergency { .. } => Outcome::Dialled,
            Verdict::Ask { .. } => Outcome::Asked,
            _ => Outcome::Neither,
        }
    }
}

/// Lowest accept thresholds ever chosen (any text, a text near an order, an order): a few hundred negatives in each
/// level cannot vouch for less, and a text that has nothing of an order must not call on one chance in a thousand.
const ACCEPTS_MIN: [f32; 3] = [-7.0, -8.0, -9.0];

/// In quarters of a nat: a text that is a call to somebody else and twenty times as probable is believed.
const OTHER_MARGIN_STEPS_MAX: i32 = 12;

/// Which of the three accept thresholds a clip is measured by; nothing when it can never be accepted.
fn level(clip: &Weighed, point: &OperatingPoint) -> Option<usize> {
    let open = |which: usize| {
        let gate = |level| if which == level { f32::MIN } else { 0.5 };
        let (accept_nats, accept_near_nats, accept_agreed_nats) = (gate(0), gate(1), gate(2));
        OperatingPoint {
            accept_nats,
            accept_near_nats,
            accept_agreed_nats,
            ..point.clone()
        }
    };
    (0..3).find(|which| clip.outcome(&open(*which)) == Outcome::Dialled)
}

/// The point that accepts most orders of the calibration half in all countries, with no dial in [`NEVER`] and `guard`
/// nats of room to the nearest of them (in each threshold by itself), and no question to real speech, everyday
/// commands and noise. A dialled sound-alike costs as much as `alike_cost` orders that are not accepted.
pub fn search(
    all: &[Weighed],
    start: &OperatingPoint,
    guard: f32,
    alike_cost: i64,
) -> OperatingPoint {
    let half: Vec<&Weighed> = all.iter().filter(|w| !w.test).collect();
    // What lies this deep is accepted at no threshold that is tried.
    let lowest = ACCEPTS_MIN.iter().copied().fold(0.0, f32::min) - guard;
    let of = |wanted: &[&str]| -> Vec<&Weighed> {
        half.iter()
            .filter(|w| wanted.contains(&w.kind.as_str()) && w.evidence.mass.order > lowest)
            .copied()
            .collect()
    };
    let (orders, never, alike) = (of(&["order"]), of(NEVER), of(&["sound-alike"]));
    let steps = |from: i32, to: i32| (from..=to).map(|n| n as f32 * 0.25);
    let mut best: Option<(i64, OperatingPoint)> = None;
    for veto_margin_nats in steps(0, 6) {
        for other_margin_nats in steps(4, OTHER_MARGIN_STEPS_MAX) {
            let margins = OperatingPoint {
                veto_margin_nats,
                other_margin_nats,
                ..start.clone()
            };
            let point = accepting(&never, &margins, guard);
            let count = |set: &[&Weighed]| {
                set.iter()
                    .filter(|w| w.outcome(&point) == Outcome::Dialled)
                    .count() as i64
            };
            let value = count(&orders) - alike_cost * count(&alike);
            if best.as_ref().is_none_or(|b| value > b.0) {
                best = Some((value, point));
            }
        }
    }
    let point = best.expect("the grid is not empty").1;
    let highest = point
        .accept_nats
        .min(point.accept_near_nats)
        .min(point.accept_agreed_nats);
    let quiet: Vec<&Weighed> = half
        .iter()
        .filter(|w| ["real speech", "everyday", "noise"].contains(&w.kind.as_str()))
        .filter(|w| w.evidence.mass.order.max(w.evidence.mass.ask) > -16.0)
        .copied()
        .collect();
    // Ask as far down as real speech and everyday commands stay unasked.
    let quiet_at = |ask_nats: f32| {
        let tried = OperatingPoint {
            ask_nats: ask_nats - guard,
            ..point.clone()
        };
        quiet
            .iter()
            .all(|w| w.outcome(&tried) != Outcome::Asked || w.asks_by_words())
    };
    let ask_nats = steps(-56, (highest * 4.0) as i32)
        .find(|ask| quiet_at(*ask))
        .unwrap_or(highest);
    OperatingPoint { ask_nats, ..point }
}

/// The lowest accept thresholds at which none of `never` dials, with `guard` nats of room, and should the margins be
/// wrong by as much.
fn accepting(never: &[&Weighed], margins: &OperatingPoint, guard: f32) -> OperatingPoint {
    let wrong = [
        margins.clone(),
        OperatingPoint {
            veto_margin_nats: margins.veto_margin_nats - guard,
            ..margins.clone()
        },
        OperatingPoint {
            other_margin_nats: margins.other_margin_nats + guard,
            ..margins.clone()
        },
    ];
    let mut accepts = ACCEPTS_MIN;
    for (index, margins) in wrong.iter().enumerate() {
        let room = if index == 0 { guard } else { 0.0 };
        for clip in never {
            if let Some(level) = level(clip, margins) {
                accepts[level] = accepts[level].max(clip.evidence.mass.order + room).min(0.0);
            }
        }
    }
    let [accept_nats, accept_near_nats, accept_agreed_nats] =
        accepts.map(|a| (a * 4.0).ceil() / 4.0);
    let lowest = accept_nats.min(accept_near_nats).min(accept_agreed_nats);
    OperatingPoint {
        accept_nats,
        accept_near_nats,
        accept_agreed_nats,
        ask_nats: margins.ask_nats.min(lowest),
        ..margins.clone()
    }
}

impl Weighed {
    /// Asked because of its words, whatever the thresholds.
    fn asks_by_words(&self) -> bool {
        let deaf = Mass::nothing();
        let none = hearthline_voice::understand::judge::Contrary::NONE;
        matches!(
            decide(
                &self.text,
                &self.evidence.reading,
                &deaf,
                none,
                &OperatingPoint::built_in()
            )
            .0,
            Verdict::Ask { .. }
        )
    }
}
