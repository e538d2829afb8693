//! `hearth hear`: recordings through the very same device.
mod bar;
mod outcome;

use std::path::{Path, PathBuf};

use clap::Args;
use hearthline_speaker::config::Household;
use hearthline_speaker::io::loudspeaker::Sink;
use hearthline_speaker::io::microphone::Microphone;
use hearthline_speaker::io::recording::Recording;
use hearthline_speaker::policy::{Decided, Decision, Policy, Situation};
use hearthline_speaker::record::intent_of;
use hearthline_voice::listen::{Listener, Output as Hearing};
use hearthline_voice::understand::Country;

use bar::Bar;

use crate::drill::{self, Drill};
use crate::ear;
use crate::exit::Exit;
use crate::household;
use crate::models::{Look, ModelFolder};
use crate::place;
use crate::print::out;
pub(crate) use outcome::Outcome;

/// Silence after a recording, so that a sentence at its very end still ends: 2 s.
const SILENCE_SAMPLES: usize = 32_000;

/// What to hear.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hearth hear call.wav\n  hearth hear --dry-run --json *.flac | jq .decision\n  hearth hear --expect emergency call.wav\n\nA recording that cannot be read does not stop the others: it is told on standard error and, with --json, by a line {\"file\", \"error\"} in its place.\n\nExit codes: 0 heard (and as expected), 1 not as expected, 2 a recording cannot be read (the others are heard all the same), 3 models are missing."
)]
pub(crate) struct Arguments {
    /// Recordings: WAV, FLAC or Ogg Opus, any rate, any number of channels.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// Stop at the decision: no call, faster than real time.
    #[arg(long)]
    dry_run: bool,
    /// End with exit code 1 unless every recording is decided so.
    #[arg(long, value_name = "DECISION", value_parser = ["emergency", "ask", "act", "refuse", "ignore"])]
    expect: Option<String>,
    /// Household configuration (TOML); a made-up drill household without it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the device keeps its record and bundles.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Announced calls wait so many seconds for a cancel (0 to 10); the household's setting without it.
    #[arg(long, value_name = "SECONDS")]
    cancel_window: Option<u64>,
    /// Country whose emergency numbers count: US, CA, GB, EU or AU.
    #[arg(long)]
    country: Option<Country>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Exit {
    let folder = match ModelFolder::locate() {
        Ok(folder) => folder,
        Err(why) => return fail(&why, Exit::Input),
    };
    let installed = super::models::install_missing(&folder, Look::Sizes);
    if installed != Exit::Ok {
        return installed;
    }
    let mut household = match household::read(arguments.config.as_deref()) {
        Ok(household) => household,
        Err(why) => return fail(&why, Exit::Input),
    };
    if let Some(seconds) = arguments.cancel_window {
        household.emergency.cancel_window_s = seconds;
    }
    if let Some(country) = arguments.country {
        household.device.country = country.code().into();
    }
    let (country, mode) = match (household.country(), household.mode()) {
        (Ok(country), Ok(mode)) => (country, mode),
        (Err(error), _) | (_, Err(error)) => return fail(&error.to_string(), Exit::Input),
    };
    let mut exit = Exit::Ok;
    for (number, file) in arguments.files.iter().enumerate() {
        let heard = if arguments.dry_run {
            ear::listener(&folder, country)
                .map_err(|why| (why, Exit::Missing))
                .and_then(|listener| {
                    let bar = Bar::new(number, arguments.files.len());
                    dry(file, listener, Policy::new(mode), bar).map_err(|why| (why, Exit::Input))
                })
        } else {
            heard_in_a_drill(file, &folder, &household, arguments)
        };
        match heard {
            Ok(outcome) => {
                show(&outcome, arguments);
                if outcome.broken {
                    exit = Exit::Input;
                } else if exit == Exit::Ok
                    && arguments
                        .expect
                        .as_ref()
                        .is_some_and(|expected| *expected != outcome.decision)
                {
                    exit = Exit::No;
                }
            }
            Err((why, code)) => {
                eprintln!("hearth: {why}");
                if arguments.json {
                    out!("{}", outcome::error_line(file, &why));
                }
                exit = code;
            }
        }
    }
    exit
}

fn fail(why: &str, exit: Exit) -> Exit {
    eprintln!("hearth: {why}");
    exit
}

fn show(outcome: &Outcome, arguments: &Arguments) {
    if arguments.json {
        out!("{}", outcome.to_json());
        return;
    }
    if arguments.dry_run {
        out!("{}", outcome.to_text());
    }
    if let Some(expected) = &arguments.expect
        && *expected != outcome.decision
    {
        out!("  expected {expected}");
    }
}

/// The ear and the policy over a recording, as fast as the processor allows.
fn dry(
    file: &Path,
    mut listener: Listener,
    policy: Policy,
    mut bar: Bar,
) -> Result<Outcome, String> {
    let mut recording = Recording::open(file).map_err(|error| error.to_string())?;
    let mut outcome = Outcome::nothing(file);
    loop {
        let block = recording.next_block().map_err(|error| error.to_string())?;
        let ended = block.is_none();
        bar.at(&recording);
        listener.handle_samples(&block.unwrap_or_else(|| vec![0; SILENCE_SAMPLES]));
        if ended {
            listener.handle_end();
        }
        while let Some(hearing) = listener.poll_output() {
            match hearing {
                Hearing::Wake(wake) => outcome.wake_fact(&wake.keyword, wake.score, wake.at.0),
                Hearing::Understood(heard) => {
                    let Decided { decision, reason } =
                        policy.decide(&heard, Situation::Idle, heard.decided.time());
                    let (word, service) = word_of(&decision);
                    outcome.heard(
                        &heard.understanding.transcript.text,
                        &intent_of(&heard.understanding.verdict),
                    );
                    outcome.decide(word, reason, service.as_deref());
                }
                Hearing::Failed(error) => return Err(error.to_string()),
                Hearing::Reply(_)
                | Hearing::VoiceStarted { .. }
                | Hearing::VoiceStopped { .. }
                | Hearing::NoSpeech { .. } => {}
            }
        }
        if ended {
            return Ok(outcome);
        }
    }
}

/// A recording through speaker, line and call-taker, in real time.
fn heard_in_a_drill(
    file: &Path,
    models: &ModelFolder,
    household: &Household,
    arguments: &Arguments,
) -> Result<Outcome, (String, Exit)> {
    let data = place::device_folder(arguments.data.as_deref()).map_err(|why| (why, Exit::Input))?;
    if !arguments.json {
        out!("{} (DRILL: nothing leaves this machine)", file.display());
    }
    let drill = Drill {
        file,
        microphone: Microphone::Recording(file.to_owned()),
        models,
        household,
        data: &data,
        loudspeaker: Sink::Nowhere,
        print: !arguments.json,
        home: drill::Home::None,
        console_s: None,
    };
    drill::run_drill(drill).map(|drilled| drilled.outcome)
}

fn word_of(decision: &Decision) -> (&'static str, Option<String>) {
    match decision {
        Decision::Emergency(authorized) => {
            ("emergency", Some(authorized.service().as_str().to_owned()))
        }
        Decision::Ask { service, .. } => ("ask", Some(service.urn().to_owned())),
        Decision::Act(_) => ("act", None),
        Decision::Refuse { .. } => ("refuse", None),
        Decision::Ignore => ("ignore", None),
    }
}
