//! `hearth doctor`: is this speaker ready to call for help?
mod home;
mod machine;
mod probe;

use std::path::{Path, PathBuf};

use clap::Args;
use hearthline_speaker::config::Household;
use serde::Serialize;

use crate::exit::Exit;
use crate::print::out;
use crate::{household, place};

/// What no check can change in this version.
const DRILL_ONLY: &str = "This version can call only drill call-takers on this machine: it cannot reach a real emergency service.";

/// What to examine.
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing is installed or changed, and no call is made. Lines and LoST servers on this machine are asked whether they answer; others are not contacted.\n\nThis version can call only drill call-takers on this machine.\n\nExamples:\n  hearth doctor --config household.toml\n  hearth doctor --config household.toml --json | jq .ready\n\nExit codes: 0 ready, 1 not ready."
)]
pub(crate) struct Arguments {
    /// Household configuration (TOML) [default: the first of `hearth config places`].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the device keeps its record and bundles.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// As it should be.
    Ok,
    /// Could be better; a call works without it.
    Note,
    /// Not there.
    Missing,
    /// There, but not right.
    Wrong,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// What was looked at.
    what: String,
    state: State,
    /// What was found. No number, no address.
    found: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

impl Check {
    fn ok(what: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            state: State::Ok,
            found: found.into(),
            mend: None,
        }
    }

    fn not(
        what: impl Into<String>,
        state: State,
        found: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            what: what.into(),
            state,
            found: found.into(),
            mend: Some(mend.into()),
        }
    }
}

#[derive(Serialize)]
struct Json<'a> {
    ready: bool,
    drill_only: bool,
    checks: &'a [Check],
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Exit {
    let mut checks = machine::checks(arguments.data.as_deref());
    match &place::household_file(arguments.config.as_deref()) {
        None => checks.push(Check::not(
            "household",
            State::Missing,
            "no configuration was given: a call would tell no address",
            "write one and give it with --config FILE",
        )),
        Some(file) => match household_of(file, arguments.data.as_deref()) {
            Ok(household) => {
                checks.push(Check::ok("household", "the configuration is valid"));
                checks.extend(home::checks(&household));
                checks.extend(probe::checks(&household));
            }
            Err(why) => checks.push(Check::not(
                "household",
                State::Wrong,
                why,
                "correct that line",
            )),
        },
    }
    let ready = checks
        .iter()
        .all(|check| matches!(check.state, State::Ok | State::Note));
    if arguments.json {
        let json = Json {
            ready,
            drill_only: true,
            checks: &checks,
        };
        out!(
            "{}",
            serde_json::to_string(&json).expect("strings serialise")
        );
    } else {
        show(&checks, ready);
    }
    if ready { Exit::Ok } else { Exit::No }
}

/// What stands between this running speaker and a call for help, each in a few words that can be said. Lines and servers
/// on this machine are asked whether they answer; nothing is called.
pub(crate) fn open_points(household: &Household) -> Vec<String> {
    let checks = home::checks(household)
        .into_iter()
        .chain(probe::checks(household));
    checks
        .filter(|check| matches!(check.state, State::Missing | State::Wrong))
        .map(|check| {
            let found = check.found.lines().next().unwrap_or_default();
            format!("{}, {found}", check.what)
        })
        .collect()
}

/// As the speaker would read it, with the home that it has joined.
fn household_of(file: &Path, data: Option<&Path>) -> Result<Household, String> {
    match place::device_folder(data) {
        Ok(device) => household::read_for(Some(file), &device),
        Err(_) => household::read(Some(file)),
    }
}

fn show(checks: &[Check], ready: bool) {
    let width = checks
        .iter()
        .map(|check| check.what.chars().count())
        .max()
        .unwrap_or(0);
    for check in checks {
        let state = match check.state {
            State::Ok => "ok",
            State::Note => "note",
            State::Missing => "MISSING",
            State::Wrong => "WRONG",
        };
        // A parser's message has several lines.
        let indent = format!("\n{:width$}          ", "");
        out!(
            "{:width$}  {state:7} {}",
            check.what,
            check.found.trim_end().replace('\n', &indent)
        );
        if let Some(mend) = &check.mend {
            out!("{:width$}          -> {mend}", "");
        }
    }
    let open = checks
        .iter()
        .filter(|check| matches!(check.state, State::Missing | State::Wrong))
        .count();
    out!("");
    if ready {
        out!("Ready for a drill. {DRILL_ONLY}");
    } else {
        out!("NOT READY: {open} to mend. {DRILL_ONLY}");
    }
}
