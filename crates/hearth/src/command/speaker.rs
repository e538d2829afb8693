//! `hearth speaker`: this machine as a speaker of the home, until Ctrl-C.
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use hearthline_speaker::device::Step;
use hearthline_speaker::io::loudspeaker::Sink;
use hearthline_speaker::io::microphone::Microphone;
use hearthline_speaker::io::run::{News, Parts, When, run_reloading};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::exit::Exit;
use crate::models::{Look, ModelFolder};
use crate::playback::{MEND, PLAYER, RECORDER, find};
use crate::print::out;
use crate::skills::{Outside, Skills};
use crate::{compiled, ear, handing_in, household, place, reload, service, timeline, voice};

/// Raw 16 kHz samples, as both programs speak them.
const RAW: [&str; 9] = ["-q", "-t", "raw", "-r", "16000", "-f", "S16_LE", "-c", "1"];
/// Quiet after the last recording before the device is taken to be done.
const QUIET: Duration = Duration::from_millis(2_500);
/// How long Ctrl-C waits for the record to be written.
const END_MAX: Duration = Duration::from_secs(3);

/// How the speaker runs.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hearth speaker --config kitchen.toml\n  hearth speaker --config kitchen.toml --json\n  hearth speaker --config kitchen.toml --hear call.wav --hear hang-up.wav\n  hearth speaker --microphone \"parec --raw --rate=16000 --channels=1\" --loudspeaker said.wav\n\nOnce it has joined a home (`hearth join`, or [household] in its configuration) it makes and takes ordinary calls. Emergency calls are drills and go by the configured lines alone.\nIts configuration is read again when the file changes, and at SIGHUP; no call and no timer is dropped for it.\nIt ends with Ctrl-C, or when the recordings of --hear are over and nothing is under way.\n\nExit codes: 0 ended, 2 the configuration, a recording or a sound program cannot be used, 3 models or a sound program are missing."
)]
pub(crate) struct Arguments {
    /// Household configuration (TOML) [default: the first of `hearth config places`; a made-up drill household where
    /// there is none].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the device keeps its record and bundles.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Hear this recording in place of a microphone; may be given several times. `-`: further ones are named on standard
    /// input, one a line, and heard as they come.
    #[arg(long, value_name = "FILE", conflicts_with = "microphone")]
    hear: Vec<PathBuf>,
    /// Program that gives raw 16 kHz mono little-endian samples [default: arecord].
    #[arg(long, value_name = "COMMAND")]
    microphone: Option<String>,
    /// Program that takes such samples, `none`, or a file ending in .wav [default: aplay].
    #[arg(long, value_name = "COMMAND")]
    loudspeaker: Option<String>,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Exit {
    let file = reload::Before::of(place::household_file(arguments.config.as_deref()));
    match prepared(arguments) {
        Ok((parts, outside)) => served(parts, outside, file, arguments),
        Err((why, exit)) => {
            eprintln!("hearth: {why}");
            exit
        }
    }
}

fn prepared(arguments: &Arguments) -> Result<(Parts, Outside), (String, Exit)> {
    let folder = ModelFolder::locate().map_err(|why| (why, Exit::Input))?;
    let data = place::device_folder(arguments.data.as_deref()).map_err(|why| (why, Exit::Input))?;
    let file = place::household_file(arguments.config.as_deref());
    let household = household::read_for(file.as_deref(), &data);
    let household = household.map_err(|why| (why, Exit::Input))?;
    let country = household
        .country()
        .map_err(|error| (error.to_string(), Exit::Input))?;
    let (microphone, loudspeaker) = sound(arguments)?;
    let installed = super::models::install_missing(&folder, Look::Sizes);
    if installed != Exit::Ok {
        return Err((
            "models are missing: hearth models install".into(),
            installed,
        ));
    }
    let listener = ear::listener(&folder, country).map_err(|why| (why, Exit::Missing))?;
    let synthesiser = voice::synthesiser(&folder).map_err(|why| (why, Exit::Missing))?;
    let everyday = compiled::everyday(&folder, &household);
    let Skills {
        fitted,
        notices,
        outside,
    } = crate::skills::of(&household);
    for notice in notices {
        eprintln!("hearth: {notice}");
    }
    let parts = Parts {
        household,
        data,
        listener,
        voice: voice::of(synthesiser),
        microphone,
        loudspeaker,
        everyday,
        skills: fitted,
    };
    Ok((parts, outside))
}

fn sound(arguments: &Arguments) -> Result<(Microphone, Sink), (String, Exit)> {
    let split =
        |command: &str| -> Vec<String> { command.split_whitespace().map(str::to_owned).collect() };
    let found = |program: &str| -> Result<Vec<String>, (String, Exit)> {
        if find(program).is_none() {
            return Err((format!("no {program}: {MEND}"), Exit::Missing));
        }
        Ok(core::iter::once(program)
            .chain(RAW)
            .map(str::to_owned)
            .collect())
    };
    let microphone = if arguments.hear.is_empty() {
        Microphone::Program(match &arguments.microphone {
            Some(command) => split(command),
            None => found(RECORDER)?,
        })
    } else {
        let named = PathBuf::from("-");
        let first = arguments.hear.iter().filter(|file| **file != named);
        Microphone::Recordings {
            first: first.cloned().collect(),
            and_named: arguments.hear.contains(&named),
        }
    };
    let loudspeaker = match arguments.loudspeaker.as_deref() {
        Some("none") => Sink::Nowhere,
        Some(file) if file.ends_with(".wav") => Sink::Wav(file.into()),
        Some(command) => Sink::Program(split(command)),
        // Recordings are heard on machines without sound.
        None if !arguments.hear.is_empty() => Sink::Nowhere,
        None => Sink::Program(found(PLAYER)?),
    };
    Ok((microphone, loudspeaker))
}

fn served(mut parts: Parts, outside: Outside, file: reload::Before, arguments: &Arguments) -> Exit {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("hearth: cannot start: {error}");
            return Exit::Missing;
        }
    };
    let stop = Arc::new(AtomicBool::new(false));
    let mut watcher = Watcher {
        json: arguments.json,
        ends: !arguments.hear.is_empty(),
        stop: stop.clone(),
        exported: Arc::default(),
        recording_ended: false,
        quiet_since: None,
        broken: false,
    };
    let member = parts.household.household.is_some();
    let exported = Arc::clone(&watcher.exported);
    let home = parts.household.household.clone();
    let data = parts.data.clone();
    if !arguments.json {
        out!(
            "Speaker \u{201c}{}\u{201d}. Emergency calls are drills. Ends with Ctrl-C.",
            parts.household.device.name
        );
        if parts.household.lines.is_empty() {
            out!("It has no line to call for help by: add [[line]] to its configuration.");
        }
        if !member {
            out!(
                "It belongs to no home: `hearth join CODE` with a code of `hearth hub invite` lets it call others."
            );
        }
    }
    let ran = runtime.block_on(async {
        let (skill, guests, told) = crate::guests::satellite(&parts.household).await;
        parts.skills.push(skill);
        for what in told {
            eprintln!("hearth: {what}");
        }
        tokio::spawn(async move {
            service::told_to_end().await;
            stop.store(true, Ordering::Relaxed);
            // The device ends with the next second of sound; without any it ends all the same.
            tokio::time::sleep(END_MAX).await;
            std::process::exit(Exit::Ok as i32);
        });
        tokio::spawn(service::keep_alive());
        if let Some(home) = home {
            let told = |what: String| eprintln!("hearth: {what}");
            tokio::spawn(async move { handing_in::run(data, home, &exported, told).await });
        }
        let beside = reload::Beside { outside, guests };
        let reloads = reload::follow(file, parts.household.clone(), beside);
        service::ready();
        run_reloading(parts, None, reloads, |news, when| {
            watcher.watch(&news, when)
        })
        .await
    });
    // A thread that waits for a line of standard input must not hold up the end.
    runtime.shutdown_background();
    match ran {
        Ok(()) if watcher.broken => Exit::Input,
        Ok(()) => Exit::Ok,
        Err(error) => {
            eprintln!("hearth: {error}");
            Exit::Input
        }
    }
}

/// Follows the device: prints, and says when it is over.
struct Watcher {
    json: bool,
    ends: bool,
    stop: Arc<AtomicBool>,
    /// Told of each bundle.
    exported: Arc<Notify>,
    recording_ended: bool,
    quiet_since: Option<Duration>,
    broken: bool,
}

impl Watcher {
    fn watch(&mut self, news: &News<'_>, when: When) -> ControlFlow<()> {
        if matches!(news, News::Bundle { .. }) {
            self.exported.notify_one();
        }
        match news {
            News::Step(step) if self.json => self.object(step_object(step, when), when),
            News::Step(step) => {
                if let Some(line) = timeline::line(step, when) {
                    out!("{line}");
                }
            }
            News::Light(light) if self.json => {
                self.object(json!({"light": format!("{light:?}")}), when);
            }
            News::InviteLeft if self.json => self.object(json!({"sent": "INVITE"}), when),
            News::Bundle { path, .. } if self.json => {
                self.object(json!({"bundle": path}), when);
            }
            News::Bundle { path, .. } => {
                let at = timeline::seconds(when);
                out!("{at:>8.2} s  bundle    {}", path.display());
            }
            News::Trouble(what) => eprintln!("hearth: {what}"),
            News::MicrophoneBroken(why) => {
                self.broken = true;
                self.recording_ended = true;
                eprintln!("hearth: microphone: {why}");
            }
            News::RecordingEnded => self.recording_ended = true,
            News::Shows { skill, value } if self.json => {
                self.object(json!({"skill": skill, "holds": value}), when);
            }
            News::Light(_) | News::InviteLeft | News::Second | News::Shows { .. } => {}
        }
        if self.stop.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        if !(self.ends && self.recording_ended && when.idle) {
            self.quiet_since = None;
            return ControlFlow::Continue(());
        }
        let since = *self.quiet_since.get_or_insert(when.now);
        if when.now >= since + QUIET {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn object(&self, mut object: Value, when: When) {
        object["at_s"] = json!((when.now.as_secs_f64() * 1_000.0).round() / 1_000.0);
        out!("{object}");
    }
}

fn step_object(step: &Step, when: When) -> Value {
    match step {
        Step::Wake { keyword, score, .. } => {
            json!({"step": "wake", "keyword": keyword, "score": score})
        }
        Step::Heard {
            transcript,
            intent: (name, slots),
            speech_end_sample,
            ..
        } => {
            let zero = when.microphone_zero.unwrap_or_default();
            let spoken = zero + Duration::from_micros(speech_end_sample * 1_000 / 16);
            let after = when.now.saturating_sub(spoken).as_millis();
            json!({
                "step": "heard", "transcript": transcript, "intent": name, "slots": slots,
                "after_speech_ms": u64::try_from(after).unwrap_or(u64::MAX),
            })
        }
        Step::Decided {
            decision,
            reason,
            service,
        } => json!({"step": "decided", "decision": decision, "reason": reason, "service": service}),
        Step::Call { what, call_id } => {
            json!({"step": "emergency call", "what": what.to_string(), "call_id": call_id})
        }
        Step::Carried { over } => json!({"step": "carried", "over": over}),
        Step::Telephone { what } => json!({"step": "telephone", "what": what}),
        Step::Skill { what } => json!({"step": "skill", "what": what}),
        Step::Media { what } => json!({"step": "sound", "what": what}),
        Step::Said { text } => json!({"step": "said", "text": text}),
        Step::Ended { outcome } => json!({"step": "ended", "outcome": outcome}),
        Step::Trouble { what } => json!({"step": "trouble", "what": what}),
    }
}
