//! What an operating point does, as Markdown.
use crate::choose::{NEVER, Outcome, Weighed};
use hearthline_voice::understand::Country;
use hearthline_voice::understand::judge::OperatingPoint;
use std::collections::BTreeMap;
use std::fmt::Write as _;

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

/// The report as Markdown: the United States at length, then every country.
pub fn report(everywhere: &[Weighed], point: &OperatingPoint) -> String {
    let mut out = String::new();
    let all: Vec<&Weighed> = everywhere
        .iter()
        .filter(|w| w.country == Country::UnitedStates)
        .collect();
    let all = || all.iter().copied();
    let _ = writeln!(out, "## United States\n");
    let conditions = [("clean", None), ("10 dB", Some(10)), ("5 dB", Some(5))];
    let halves = [("calibration voices", false), ("test voices", true)];
    let w = &mut out;
    let _ = writeln!(
        w,
        "### Orders: accepted / accepted or asked, %\n\n| voices | clean | 10 dB | 5 dB |\n|---|---|---|---|"
    );
    for (name, test) in halves {
        let cells = conditions.map(|(_, snr)| {
            let (n, yes, either) = rates(
                all().filter(|c| c.kind == "order" && c.test == test && c.snr_db == snr),
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
    let voices: BTreeMap<&str, bool> = all()
        .filter(|c| c.kind == "order")
        .map(|c| (c.voice.as_str(), c.test))
        .collect();
    for (voice, test) in &voices {
        let cells = conditions.map(|(_, snr)| {
            let (n, yes, either) = rates(
                all().filter(|c| c.kind == "order" && c.voice == *voice && c.snr_db == snr),
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
            all().filter(|c| c.kind == "order" && c.test && c.said.contains(target)),
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
        "\n### Questions that must ask (\"can you call 911\", \"I need an ambulance\")\n\n| voices | n | dialled | asked |\n|---|---|---|---|"
    );
    for (name, test) in halves {
        let (n, yes, either) = rates(all().filter(|c| c.kind == "ask" && c.test == test), point);
        let _ = writeln!(w, "| {name} | {n} | {yes} | {} |", either - yes);
    }
    let _ = writeln!(
        w,
        "\n### Orders among exclamations (\"call nine one one oh god\", \"help me call an ambulance\"): dialled, asked, neither\n\n| voices | clean | 10 dB | 5 dB |\n|---|---|---|---|"
    );
    for (name, test) in halves {
        let cells = conditions.map(|(_, snr)| {
            let (n, yes, either) = rates(
                all().filter(|c| c.kind == "cry" && c.test == test && c.snr_db == snr),
                point,
            );
            format!("{yes}, {}, {} (n = {n})", either - yes, n - either)
        });
        let _ = writeln!(w, "| {name} | {} |", cells.join(" | "));
    }
    let _ = writeln!(
        w,
        "\n### What must not dial\n\n| class | calibration: n / dialled / asked | test: n / dialled / asked |\n|---|---|---|"
    );
    for kind in NEVER.iter().copied().chain(["sound-alike"]) {
        let cells = halves.map(|(_, test)| {
            let (n, yes, either) = rates(all().filter(|c| c.kind == kind && c.test == test), point);
            format!("{n} / {yes} / {}", either - yes)
        });
        let _ = writeln!(w, "| {kind} | {} |", cells.join(" | "));
    }
    let _ = writeln!(w, "\nEvery dial among these:\n");
    for c in all().filter(|c| {
        !["order", "cry"].contains(&c.kind.as_str()) && c.outcome(point) == Outcome::Dialled
    }) {
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
    let asked: Vec<String> = all()
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
        "\n### Operating curve\n\nThe accept thresholds moved together, test voices: accepted % and dials.\n\n| moved by, nats | clean | 10 dB | 5 dB | sound-alikes | all else |\n|---|---|---|---|---|---|"
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
                all().filter(|c| c.kind == "order" && c.test && c.snr_db == snr),
                &moved,
            );
            percent(yes, n)
        });
        let dials = |kinds: &[&str]| {
            rates(
                all().filter(|c| c.test && kinds.contains(&c.kind.as_str())),
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
        "\n### CPU\n\n| clips | median ms | mean ms | 95th percentile ms |\n|---|---|---|---|"
    );
    for kind in ["order", "ask", "everyday", "real speech"] {
        let mut times: Vec<f64> = all().filter(|c| c.kind == kind).map(|c| c.cpu_ms).collect();
        times.sort_by(f64::total_cmp);
        if let Some(p95) = times.get(times.len() * 95 / 100) {
            let _ = writeln!(
                w,
                "| {kind} | {:.0} | {:.0} | {p95:.0} |",
                times[times.len() / 2],
                times.iter().sum::<f64>() / times.len() as f64
            );
        }
    }
    countries(everywhere, point, &mut out);
    out
}

/// Every country at the same operating point.
fn countries(everywhere: &[Weighed], point: &OperatingPoint, out: &mut String) {
    let conditions = [None, Some(10), Some(5)];
    for (name, test) in [("test voices", true), ("calibration voices", false)] {
        let _ = writeln!(
            out,
            "\n## Every country, {name}\n\n| | {} |\n|---|{}",
            Country::ALL.map(Country::code).join(" | "),
            "---|".repeat(Country::ALL.len())
        );
        let mut row = |title: &str, cell: &dyn Fn(&[&Weighed]) -> String| {
            let cells = Country::ALL.map(|country| {
                let half: Vec<&Weighed> = everywhere
                    .iter()
                    .filter(|w| w.country == country && w.test == test)
                    .collect();
                cell(&half)
            });
            let _ = writeln!(out, "| {title} | {} |", cells.join(" | "));
        };
        let accepted = |set: &[&Weighed], snr: Option<i64>, numbers: Option<bool>| {
            let of = |w: &&&Weighed| {
                w.kind == "order"
                    && w.snr_db == snr
                    && numbers.is_none_or(|wanted| wanted == names_number(&w.said))
            };
            let (n, yes, either) = rates(set.iter().filter(of).copied(), point);
            format!("{} / {} ({n})", percent(yes, n), percent(either, n))
        };
        for (snr, title) in conditions.into_iter().zip(["clean", "10 dB", "5 dB"]) {
            row(
                &format!("orders, {title}: accepted / or asked, % (n)"),
                &|set| accepted(set, snr, None),
            );
        }
        row("to a number, clean", &|set| accepted(set, None, Some(true)));
        row("to a service, clean", &|set| {
            accepted(set, None, Some(false))
        });
        let dials = |set: &[&Weighed], kinds: &[&str]| {
            let of = |w: &&&Weighed| kinds.contains(&w.kind.as_str());
            let (n, yes, either) = rates(set.iter().filter(of).copied(), point);
            format!("{n} / {yes} / {}", either - yes)
        };
        let refused: Vec<&str> = NEVER[..NEVER.len() - 3].to_vec();
        row("refused classes: n / dialled / asked", &|set| {
            dials(set, &refused)
        });
        for kind in [
            "number",
            "foreign number",
            "everyday",
            "real speech",
            "noise",
            "ask",
            "cry",
            "exclamation",
            "sound-alike",
        ] {
            row(&format!("{kind}: n / dialled / asked"), &|set| {
                dials(set, &[kind])
            });
        }
    }
    let _ = writeln!(
        out,
        "\nEvery dial that must not be, outside the sound-alikes:\n"
    );
    let mut none = true;
    for c in everywhere
        .iter()
        .filter(|c| NEVER.contains(&c.kind.as_str()) && c.outcome(point) == Outcome::Dialled)
    {
        none = false;
        let snr = c.snr_db.map_or("clean".to_owned(), |s| format!("{s} dB"));
        let _ = writeln!(
            out,
            "- {}, {} ({}, {snr}, {}): \"{}\" heard as \"{}\", mass {:.1}",
            c.country,
            c.kind,
            c.voice,
            if c.test { "test" } else { "calibration" },
            c.said,
            c.text,
            c.evidence.mass.order
        );
    }
    if none {
        let _ = writeln!(out, "None.");
    }
}

/// Whether an order names a number in words.
fn names_number(said: &str) -> bool {
    ["nine", "one", "zero", "twelve"]
        .iter()
        .any(|word| said.split(' ').any(|w| w == *word))
}

/// The misses on the test voices, for whoever wants to make it better.
pub fn missed(all: &[Weighed], point: &OperatingPoint) -> String {
    let mut out = String::new();
    for c in all.iter().filter(|c| {
        ["order", "cry"].contains(&c.kind.as_str()) && c.outcome(point) != Outcome::Dialled
    }) {
        let e = &c.evidence;
        let _ = writeln!(
            out,
            "{} {} {:?} {} | {} | {} | mass {:.1} hard {:.1} other {:.1} | {:?}",
            c.country,
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
            "{} {} {} {:?} {} | {} | {} | mass {:.1} hard {:.1} other {:.1} | {:?} | {:?}",
            c.country,
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
