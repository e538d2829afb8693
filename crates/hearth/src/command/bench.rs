//! `hearth bench`: the budgets of the design, measured on this machine.
mod audio;
mod calls;
mod cores;
mod idle;
mod kills;
mod listening;
mod meter;
mod transcripts;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::exit::Exit;
use crate::models::{Look, ModelFolder};
use crate::print::out;

/// What to measure.
#[derive(Debug, Args)]
#[command(
    after_help = "Measure a release build on an idle machine. Times are processor time unless the row says otherwise; p50 and p95 are the middle and the slow end of all samples after a warm-up.\n\nExamples:\n  cargo run --release -- bench\n  cargo run --release -- bench --markdown --audio ../shared/audio\n  hearth bench --kills 50\n\nExit codes: 0 within every budget, 1 over one, 2 the recordings cannot be read, 3 models are missing."
)]
pub(crate) struct Arguments {
    /// One JSON object a line.
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// A table in Markdown.
    #[arg(long)]
    markdown: bool,
    /// Also run labelled recordings: a folder with `wake`, `negatives`, `asr`, `digits`, `noise`, each with manifest.jsonl.
    #[arg(long, value_name = "FOLDER")]
    audio: Option<PathBuf>,
    /// Only this: kill a program that keeps timers so many times, at random moments. Nothing may be lost or ring twice.
    #[arg(long, value_name = "KILLS", conflicts_with = "audio")]
    kills: Option<usize>,
    /// One life of such a program, in this folder.
    #[arg(long, value_name = "FOLDER", hide = true)]
    life: Option<PathBuf>,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    what: String,
    measured: f64,
    /// The most allowed, where there is a budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<f64>,
    unit: &'static str,
    /// How many measurements stand behind it.
    samples: usize,
}

impl Row {
    fn new(
        what: impl Into<String>,
        measured: f64,
        budget: Option<f64>,
        unit: &'static str,
        samples: usize,
    ) -> Self {
        Self {
            what: what.into(),
            measured,
            budget,
            unit,
            samples,
        }
    }

    fn over(&self) -> bool {
        self.budget.is_some_and(|most| self.measured > most)
    }

    fn verdict(&self) -> &'static str {
        match self.budget {
            None => "",
            Some(_) if self.over() => "OVER",
            Some(_) => "within",
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Exit {
    if let Some(folder) = &arguments.life {
        return match kills::live(folder) {
            Ok(()) => Exit::Ok,
            Err(why) => {
                eprintln!("hearth: {why}");
                Exit::Input
            }
        };
    }
    if let Some(count) = arguments.kills {
        return match kills::rows(count) {
            Ok(rows) => shown(&rows, arguments),
            Err(why) => {
                eprintln!("hearth: {why}");
                Exit::Input
            }
        };
    }
    let folder = match ModelFolder::locate() {
        Ok(folder) => folder,
        Err(why) => {
            eprintln!("hearth: {why}");
            return Exit::Input;
        }
    };
    // On standard error, so that --json and --markdown stay clean: the models' message goes to standard output only if
    // something was installed.
    let installed = super::models::install_missing(&folder, Look::Sizes);
    if installed != Exit::Ok {
        return installed;
    }
    if cfg!(debug_assertions) {
        eprintln!(
            "hearth: this is a debug build; the figures of a release build are several times better"
        );
    }
    // Memory first: nothing else may be loaded yet.
    let measured = listening::rows(&folder).and_then(|(mut rows, orders)| {
        rows.extend(calls::rows(&folder, &orders)?);
        rows.extend(idle::rows()?);
        Ok(rows)
    });
    let mut rows = match measured {
        Ok(rows) => rows,
        Err(why) => {
            eprintln!("hearth: {why}");
            return Exit::Missing;
        }
    };
    rows.extend(cores::rows());
    if let Some(audio) = &arguments.audio {
        match audio::rows(audio, &folder) {
            Ok(more) => rows.extend(more),
            Err(why) => {
                eprintln!("hearth: {why}");
                return Exit::Input;
            }
        }
    }
    shown(&rows, arguments)
}

fn shown(rows: &[Row], arguments: &Arguments) -> Exit {
    show(rows, arguments);
    if rows.iter().any(Row::over) {
        Exit::No
    } else {
        Exit::Ok
    }
}

fn show(rows: &[Row], arguments: &Arguments) {
    if arguments.json {
        for row in rows {
            out!(
                "{}",
                serde_json::to_string(row).expect("names and numbers serialise")
            );
        }
        return;
    }
    let width = rows
        .iter()
        .map(|row| row.what.chars().count())
        .max()
        .unwrap_or(0);
    if arguments.markdown {
        out!("| what | budget | measured | | samples |\n|---|---:|---:|---|---:|");
    } else {
        out!(
            "{:width$}  {:>12}  {:>12}  {:6}  {:>8}",
            "what",
            "budget",
            "measured",
            "",
            "samples"
        );
    }
    for row in rows {
        let budget = row
            .budget
            .map_or_else(String::new, |most| format!("{} {}", short(most), row.unit));
        let measured = format!("{} {}", short(row.measured), row.unit);
        if arguments.markdown {
            out!(
                "| {} | {budget} | {measured} | {} | {} |",
                row.what,
                row.verdict(),
                row.samples
            );
        } else {
            out!(
                "{:width$}  {budget:>12}  {measured:>12}  {:6}  {:>8}",
                row.what,
                row.verdict(),
                row.samples
            );
        }
    }
}

/// Three figures that count.
fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if size < 1.0 => format!("{value:.3}"),
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
