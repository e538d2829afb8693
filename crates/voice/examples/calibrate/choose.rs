//! From scores to an operating point: search on the calibration half, report on the test half.
use hearthline_voice::transcribe::{Alternative, Transcript};
use hearthline_voice::understand::automaton::{Meaning, Payload};
use hearthline_voice::understand::judge::{
    Evidence, Hearing, Judge, OperatingPoint, Verdict, decide,
};
use hearthline_voice::understand::mass::{Mass, Wording};
use hearthline_voice::understand::{Country, Service};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// One scored clip, weighed: everything but the thresholds.
pub struct Weighed {
    country: Country,
    kind: String,
    said: String,
    voice: String,
    test: bool,
    snr_db: Option<i64>,
    text: String,
    evidence: Evidence,
    cpu_ms: f64,
}

/// What a verdict is worth in the tables.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Dialled,
    Asked,
    Neither,
}

/// Classes that must never dial. Sound-alikes are reported apart.
const NEVER: &[&str] = &[
    "question",
    "negation",
    "reported",
    "number",
    "foreign number",
    "date or title",
    "contact",
    "reminder or message",
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
    fn verdict(&self, point: &OperatingPoint) -> Verdict {
        decide(
            &self.text,
            &self.evidence.reading,
            &self.evidence.mass,
            self.evidence.contrary,
            point,
        )
        .0
    }

    fn outcome(&self, point: &OperatingPoint) -> Outcome {
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

/// Percent with its count.
fn percent(part: usize, whole: usize) -> String {
    if whole == 0 {
        "-".to_owned()
    } else {
        format!("{:.1}", 100.0 * part as f64 / whole as f64)
    }
}

/// Accepted, and accepted or asked.
fn rates<'a>(
    set: impl Iterator<Item = &'a Weighed>,
    point: &OperatingPoint,
) -> (usize, usize, usize) {
    set.fold((0, 0, 0), |(all, dialled, either), w| {
        let outcome = w.outcome(point);
        (
            all + 1,
            dialled + usize::from(outcome == Outcome::Dialled),
            either + usize::from(outcome != Outcome::Neither),
        )
    })
}

/// The report as Markdown.
pub fn report(all: &[Weighed], point: &OperatingPoint) -> String {
    let mut out = String::new();
    let conditions = [("clean", None), ("10 dB", Some(10)), ("5 dB", Some(5))];
    let halves = [("calibration voices", false), ("test voices", true)];
    let w = &mut out;
    let _ = writeln!(
        w,
        "## Orders: accepted / accepted or asked, %\n\n| voices | clean | 10 dB | 5 dB |\n|---|---|---|---|"
    );
    for (name, test) in halves {
        let cells = conditions.map(|(_, snr)| {
            let (n, yes, either) = rates(
                all.iter()
                    .filter(|c| c.kind == "order" && c.test == test && c.snr_db == snr),
                point,
            );
            format!("{} / {} (n = {n})", percent(yes, n), percent(either, n))
        });
        let _ = writeln!(w, "| {name} | {} |", cells.join(" | "));
    }
    let _ = writeln!(
        w,
        "\nBy voice:\n\n| voice | half | clean | 10 dB | 5 dB |\n|---|---|---|---|---|"
    );
    let voices: BTreeMap<&str, bool> = all
        .iter()
        .filter(|c| c.kind == "order")
        .map(|c| (c.voice.as_str(), c.test))
        .collect();
    for (voice, test) in &voices {
        let cells = conditions.map(|(_, snr)| {
            let (n, yes, either) = rates(
                all.iter()
                    .filter(|c| c.kind == "order" && c.voice == *voice && c.snr_db == snr),
                point,
            );
            format!("{} / {} ({n})", percent(yes, n), percent(either, n))
        });
        let _ = writeln!(
            w,
            "| {voice} | {} | {} |",
            if *test { "test" } else { "calibration" },
            cells.join(" | ")
        );
    }
    let _ = writeln!(
        w,
        "\nBy target (test voices, all conditions):\n\n| target | accepted / or asked | n |\n|---|---|---|"
    );
    for target in [
        "nine one one",
        "police",
        "cops",
        "sheriff",
        "ambulance",
        "paramedics",
        "fire",
        "emergency",
    ] {
        let (n, yes, either) = rates(
            all.iter()
                .filter(|c| c.kind == "order" && c.test && c.said.contains(target)),
            point,
        );
        let _ = writeln!(
            w,
            "| {target} | {} / {} | {n} |",
            percent(yes, n),
            percent(either, n)
        );
    }
    let _ = writeln!(
        w,
        "\n## Questions that must ask (\"can you call 911\", \"I need an ambulance\")\n\n| voices | n | dialled | asked |\n|---|---|---|---|"
    );
    for (name, test) in halves {
        let (n, yes, either) = rates(
            all.iter().filter(|c| c.kind == "ask" && c.test == test),
            point,
        );
        let _ = writeln!(w, "| {name} | {n} | {yes} | {} |", either - yes);
    }
    let _ = writeln!(
        w,
        "\n## What must not dial\n\n| class | calibration: n / dialled / asked | test: n / dialled / asked |\n|---|---|---|"
    );
    for kind in NEVER.iter().copied().chain(["sound-alike"]) {
        let cells = halves.map(|(_, test)| {
            let (n, yes, either) = rates(
                all.iter().filter(|c| c.kind == kind && c.test == test),
                point,
            );
            format!("{n} / {yes} / {}", either - yes)
        });
        let _ = writeln!(w, "| {kind} | {} |", cells.join(" | "));
    }
    let _ = writeln!(w, "\nEvery dial among these:\n");
    for c in all
        .iter()
        .filter(|c| c.kind != "order" && c.outcome(point) == Outcome::Dialled)
    {
        let (mass, contrary) = (c.evidence.mass.order, c.evidence.contrary);
        let snr = c.snr_db.map_or("clean".to_owned(), |s| format!("{s} dB"));
        let _ = writeln!(
            w,
            "- {} ({}, {snr}, {}): \"{}\" heard as \"{}\", mass {mass:.1}, contrary {:.1}, other {:.1}",
            c.kind,
            c.voice,
            if c.test { "test" } else { "calibration" },
            c.said,
            c.text,
            contrary.hard,
            contrary.other
        );
    }
    let quiet = |c: &&Weighed| ["real speech", "everyday", "noise"].contains(&c.kind.as_str());
    let asked: Vec<String> = all
        .iter()
        .filter(quiet)
        .filter(|c| c.outcome(point) == Outcome::Asked)
        .map(|c| format!("\"{}\"", c.text))
        .collect();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    asked
        .iter()
        .for_each(|text| *kinds.entry(text).or_default() += 1);
    let kinds: Vec<String> = kinds
        .iter()
        .map(|(text, n)| format!("{text} ({n})"))
        .collect();
    let _ = writeln!(
        w,
        "\nAsked among real speech, everyday commands and noise, as heard: {}.",
        kinds.join(", ")
    );
    let _ = writeln!(
        w,
        "\n## Operating curve\n\nThe accept thresholds moved together, test voices: accepted % and dials.\n\n| moved by, nats | clean | 10 dB | 5 dB | sound-alikes | all else |\n|---|---|---|---|---|---|"
    );
    for shift in [-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0] {
        let moved = OperatingPoint {
            accept_nats: point.accept_nats + shift,
            accept_near_nats: point.accept_near_nats + shift,
            accept_agreed_nats: point.accept_agreed_nats + shift,
            ..point.clone()
        };
        let cells = conditions.map(|(_, snr)| {
            let (n, yes, _) = rates(
                all.iter()
                    .filter(|c| c.kind == "order" && c.test && c.snr_db == snr),
                &moved,
            );
            percent(yes, n)
        });
        let dials = |kinds: &[&str]| {
            rates(
                all.iter()
                    .filter(|c| c.test && kinds.contains(&c.kind.as_str())),
                &moved,
            )
        };
        let (alike, rest) = (dials(&["sound-alike"]), dials(NEVER));
        let _ = writeln!(
            w,
            "| {shift:+} | {} | {} of {} | {} of {} |",
            cells.join(" | "),
            alike.1,
            alike.0,
            rest.1,
            rest.0
        );
    }
    let _ = writeln!(
        w,
        "\n## CPU\n\n| clips | mean ms | 95th percentile ms |\n|---|---|---|"
    );
    for kind in ["order", "ask", "everyday", "real speech"] {
        let mut times: Vec<f64> = all
            .iter()
            .filter(|c| c.kind == kind)
            .map(|c| c.cpu_ms)
            .collect();
        times.sort_by(f64::total_cmp);
        if let Some(p95) = times.get(times.len() * 95 / 100) {
            let _ = writeln!(
                w,
                "| {kind} | {:.0} | {p95:.0} |",
                times.iter().sum::<f64>() / times.len() as f64
            );
        }
    }
    out
}

/// The misses on the test voices, for whoever wants to make it better.
pub fn missed(all: &[Weighed], point: &OperatingPoint) -> String {
    let mut out = String::new();
    for c in all
        .iter()
        .filter(|c| c.kind == "order" && c.outcome(point) != Outcome::Dialled)
    {
        let e = &c.evidence;
        let _ = writeln!(
            out,
            "{} {:?} {} | {} | {} | mass {:.1} hard {:.1} other {:.1} | {:?}",
            if c.test { "test" } else { "cal " },
            c.snr_db,
            c.voice,
            c.said,
            c.text,
            e.mass.order,
            e.contrary.hard,
            e.contrary.other,
            c.verdict(point)
        );
    }
    out
}

/// What came nearest to a false dial, nearest first.
pub fn nearest(all: &[Weighed]) -> String {
    let mut near: Vec<&Weighed> = all
        .iter()
        .filter(|c| NEVER.contains(&c.kind.as_str()) && c.evidence.mass.order > -12.0)
        .collect();
    near.sort_by(|a, b| b.evidence.mass.order.total_cmp(&a.evidence.mass.order));
    let mut out = String::new();
    for c in near {
        let e = &c.evidence;
        let _ = writeln!(
            out,
            "{} {} {:?} {} | {} | {} | mass {:.1} hard {:.1} other {:.1} | {:?} | {:?}",
            if c.test { "test" } else { "cal " },
            c.kind,
            c.snr_db,
            c.voice,
            c.said,
            c.text,
            e.mass.order,
            e.contrary.hard,
            e.contrary.other,
            e.reading,
            e.mass.best.as_ref().map(|b| &b.text)
        );
    }
    out
}
