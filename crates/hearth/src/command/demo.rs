//! `hearth demo`: one spoken emergency call, end to end, on this machine.
mod page;

use std::path::{Path, PathBuf};

use clap::Args;
use hearthline_psap::CallReport;
use hearthline_speaker::io::loudspeaker::Sink;
use hearthline_speaker::io::microphone::Microphone;

use crate::drill::{self, Drill, Drilled, Home};
use crate::exit::Exit;
use crate::models::{Look, ModelFolder};
use crate::print::out;
use crate::{household, place, voice};

/// What the demo's caller says. Spoken by our own voice: no recording is shipped.
const SENTENCE: &str = "Alexa, call 911!";
/// What the caller says once the call-taker is there, so that there is something to hear.
const TO_THE_CALL_TAKER: &str = "There is smoke in my kitchen. I am in the garden.";
/// Silence before the sentence, in samples at 16 kHz: 1 s.
const LEAD_SAMPLES: usize = 16_000;
/// Silence between the sentence and the call-taker's answer, beside the window to cancel: 1.7 s.
const ANSWER_SAMPLES: usize = 27_200;

/// Where the page is, unless another port is given.
pub(crate) const PAGE_PORT: u16 = 8910;

/// How the demo runs.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hearth demo\n  hearth demo --page\n  hearth demo --hub-dead\n  hearth demo --console\n  hearth demo --say \"Alexa, did you call nine one one?\"\n\nEverything is a drill on this machine; nothing leaves it.\nExit codes: 0 the call-taker answered, 1 no call was made, 2 wrong input, 3 models or Python are missing."
)]
pub(crate) struct Arguments {
    /// Say this instead.
    #[arg(long, value_name = "TEXT", default_value = SENTENCE)]
    say: String,
    /// Stay up, and be the speaker yourself: a page in the browser with a microphone, and one of the call-taker.
    #[arg(long, conflicts_with_all = ["say", "hub_dead", "loudspeaker"])]
    page: bool,
    /// The page's port on this machine; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = PAGE_PORT, requires = "page")]
    port: u16,
    /// Print the page's address without asking a browser to show it.
    #[arg(long, requires = "page")]
    no_open: bool,
    /// Household configuration (TOML); a made-up drill household without it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the device keeps its record and bundles.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// End the home's hub before anybody speaks: the call goes by the speaker's own line then.
    #[arg(long)]
    hub_dead: bool,
    /// Answer the call yourself, at the call-taker's console in a browser, within so many seconds; then the machine does.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "60", value_parser = clap::value_parser!(u16).range(1..=600))]
    console: Option<u16>,
    /// Write what the loudspeaker plays to this WAV file.
    #[arg(long, value_name = "FILE")]
    loudspeaker: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Exit {
    match demo(arguments) {
        Ok(exit) => exit,
        Err((why, exit)) => {
            eprintln!("hearth: {why}");
            exit
        }
    }
}

fn demo(arguments: &Arguments) -> Result<Exit, (String, Exit)> {
    let models = ModelFolder::locate().map_err(|why| (why, Exit::Input))?;
    let installed = super::models::install_missing(&models, Look::Sizes);
    if installed != Exit::Ok {
        return Ok(installed);
    }
    let household =
        household::read(arguments.config.as_deref()).map_err(|why| (why, Exit::Input))?;
    let data = place::device_folder(arguments.data.as_deref()).map_err(|why| (why, Exit::Input))?;
    if arguments.page {
        return page::run(page::Served {
            models: &models,
            household,
            data: &data,
            port: arguments.port,
            opens: !arguments.no_open,
        });
    }
    let mut synthesiser = voice::synthesiser(&models).map_err(|why| (why, Exit::Missing))?;
    let spoken = synthesiser
        .speak(&arguments.say)
        .map_err(|error| (error.to_string(), Exit::Input))?;
    let mut sound = vec![0; LEAD_SAMPLES];
    sound.extend(spoken);
    if arguments.say == SENTENCE {
        let window = usize::try_from(household.emergency.cancel_window_s).unwrap_or(0);
        sound.resize(sound.len() + ANSWER_SAMPLES + window * 16_000, 0);
        let more = synthesiser.speak(TO_THE_CALL_TAKER);
        sound.extend(more.map_err(|error| (error.to_string(), Exit::Input))?);
    }
    drop(synthesiser);

    out!(
        "DRILL. Hub, speaker, lines, LoST server and call-taker run in this process; nothing leaves this machine."
    );
    out!("A voice in the room says: \"{}\"\n", arguments.say);
    let drilled = drill::run_drill(Drill {
        file: Path::new("demo"),
        microphone: Microphone::Samples(sound),
        models: &models,
        household: &household,
        data: &data,
        loudspeaker: arguments
            .loudspeaker
            .clone()
            .map_or(Sink::Nowhere, Sink::Wav),
        print: true,
        home: match arguments.hub_dead {
            true => Home::DeadHub,
            false => Home::Hub,
        },
        console_s: arguments.console,
    })?;
    tell(&drilled);
    Ok(if drilled.outcome.call.state == "answered" {
        Exit::Ok
    } else {
        Exit::No
    })
}

fn tell(drilled: &Drilled) {
    for call in &drilled.calls {
        tell_call(call);
    }
    if let Some(bundle) = &drilled.outcome.bundle {
        out!("\nThe signed record of why: {}", bundle.display());
        out!(
            "Check it, also on another machine and without a network:\n  hearth verify {}",
            bundle.display()
        );
    } else {
        out!("\nNo call was made: {}.", drilled.outcome.reason);
    }
    out!("\nSpeak yourself, in a browser:\n  hearth demo --page");
}

fn tell_call(call: &CallReport) {
    out!("\nWhat the drill call-taker saw:");
    for fact in &call.facts {
        out!("  {fact}");
    }
    if let Some(recording) = &call.recording {
        out!("  The room, as the call-taker heard it: {recording}");
    }
}
