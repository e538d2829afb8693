//! A drill: speaker, call-taker, LoST server and line in this process, all on loopback.
use std::net::{IpAddr, Ipv4Addr};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use hearthline_emergency::call::EventKind;
use hearthline_hub::HubHandle;
use hearthline_psap::{Behaviour, CallReport, HomeCa, Print, PsapConfig, Running};
use hearthline_sip::endpoint::Transport;
use hearthline_speaker::config::{Household, LineSettings};
use hearthline_speaker::device::Step;
use hearthline_speaker::io::loudspeaker::Sink;
use hearthline_speaker::io::microphone::Microphone;
use hearthline_speaker::io::run::{News, Parts, When, run_trusting};
use hearthline_transport::Identity;

use crate::command::hear::Outcome;
use crate::exit::Exit;
use crate::models::ModelFolder;
use crate::print::out;
use crate::{demo_home, ear, household, timeline, voice};

/// Where a drill takes place.
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// The drill call-taker talks so long before it hangs up.
const TALK_MS: u64 = 4_000;
/// Quiet after the end of a recording before the device is taken to be done.
const QUIET: Duration = Duration::from_millis(2_500);
/// A drill that does not end is ended so long after its recording.
const DRILL_MAX: Duration = Duration::from_secs(180);

/// What is heard, and how it is shown.
pub(crate) struct Drill<'a> {
    /// Named in the outcome.
    pub(crate) file: &'a Path,
    /// The sound.
    pub(crate) microphone: Microphone,
    /// Models.
    pub(crate) models: &'a ModelFolder,
    /// The household; without lines of its own it gets the drill line.
    pub(crate) household: &'a Household,
    /// The device's folder.
    pub(crate) data: &'a Path,
    /// Where the loudspeaker's sound goes.
    pub(crate) loudspeaker: Sink,
    /// Print the timeline.
    pub(crate) print: bool,
    /// Whether the speaker belongs to a home.
    pub(crate) home: Home,
    /// A person may answer at the call-taker's console for so many seconds; none: the machine does.
    pub(crate) console_s: Option<u16>,
}

/// The home of a drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// The speaker is alone.
    None,
    /// A hub runs, the speaker is enrolled, and help goes by the hub's line first.
    Hub,
    /// The same, but the hub is dead when the call is made: help goes by the speaker's own line.
    DeadHub,
}

/// What a drill gave.
pub(crate) struct Drilled {
    /// The outcome of the recording.
    pub(crate) outcome: Outcome,
    /// What the call-taker saw.
    pub(crate) calls: Vec<CallReport>,
}

/// Runs one drill from the first sample to the exported incident.
///
/// # Errors
/// In words, with the exit code.
pub(crate) fn run_drill(drill: Drill<'_>) -> Result<Drilled, (String, Exit)> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| (format!("cannot start: {error}"), Exit::Missing))?;
    runtime.block_on(drill_on(drill))
}

async fn drill_on(drill: Drill<'_>) -> Result<Drilled, (String, Exit)> {
    let home_ca = HomeCa::make(LOOPBACK).map_err(|why| (why, Exit::Missing))?;
    let behaviour = Behaviour {
        hang_up_after_ms: Some(TALK_MS),
        ..Behaviour::default()
    };
    let psap = start_psap(drill.data, home_ca.identity, behaviour, drill.console_s)
        .await
        .map_err(|why| (why, Exit::Missing))?;
    if drill.console_s.is_some() {
        out!(
            "Answer the call yourself: open {} in a browser now.\n",
            psap.console_url()
        );
    }
    let mut household = drill.household.clone();
    // The home's own authority vouches for the drill call-taker alone: with lines of the household's own, any will do.
    let mut roots_pem = None;
    if household.lines.is_empty() {
        household.lines.push(drill_line(&psap));
        roots_pem = Some(home_ca.root_pem);
    }
    if household.lost.servers.is_empty() {
        household.lost.servers.push(psap.lost_url());
    }
    let home = drill_home(&drill, &mut household, &psap).await?;
    let country = household
        .country()
        .map_err(|error| (error.to_string(), Exit::Input))?;
    let listener = ear::listener(drill.models, country).map_err(|why| (why, Exit::Missing))?;
    let synthesiser = voice::synthesiser(drill.models).map_err(|why| (why, Exit::Missing))?;
    let everyday = crate::compiled::everyday(drill.models, &household);
    let (skills, notices) = crate::skills::of_memory(&household);
    for notice in notices {
        eprintln!("hearth: {notice}");
    }
    let parts = Parts {
        household,
        data: drill.data.to_owned(),
        listener,
        voice: voice::of(synthesiser),
        microphone: drill.microphone,
        loudspeaker: drill.loudspeaker,
        everyday,
        skills,
    };
    let mut watcher = Watcher::new(drill.file, drill.print);
    run_trusting(parts, roots_pem, |news, when| watcher.watch(&news, when))
        .await
        .map_err(|error| (error.to_string(), Exit::Input))?;
    let calls = psap.handle().reports().await.unwrap_or_default();
    if let Some(hub) = home {
        hub.stop().await;
    }
    psap.stop().await;
    Ok(Drilled {
        outcome: watcher.outcome,
        calls,
    })
}

/// Enrols the speaker in a home of its own, where one is wanted and the household names neither a home nor lines.
async fn drill_home(
    drill: &Drill<'_>,
    household: &mut Household,
    psap: &Running,
) -> Result<Option<HubHandle>, (String, Exit)> {
    let own = household.household.is_some() || !drill.household.lines.is_empty();
    if drill.home == Home::None || own {
        return Ok(None);
    }
    let Some(country) = household::numbers_country(household) else {
        // A hub dials by one country's numbers; the speaker calls for help all the same.
        return Ok(None);
    };
    let home = demo_home::start(drill.data, household, country, &tcp_uri(psap))
        .await
        .map_err(|why| (why, Exit::Missing))?;
    let name = &household.device.name;
    let settings = home.enrolment.settings(name, "speaker").await;
    household.household = Some(settings.map_err(|why| (why, Exit::Missing))?);
    if drill.home == Home::DeadHub {
        home.hub.stop().await;
        return Ok(None);
    }
    Ok(Some(home.hub))
}

/// The drill call-taker on free ports.
///
/// # Errors
/// In words.
pub(crate) async fn start_psap(
    data: &Path,
    identity: Identity,
    behaviour: Behaviour,
    person_answers_within_s: Option<u16>,
) -> Result<Running, String> {
    let config = PsapConfig {
        sip_port: 0,
        tls_port: Some(0),
        http_port: 0,
        recordings: Some(data.join("call-taker")),
        behaviours: vec![behaviour],
        person_answers_within_s,
        print: Print::Nothing,
        ..PsapConfig::default()
    };
    hearthline_psap::start_with_identity(config, Some(identity))
        .await
        .map_err(|error| format!("the drill call-taker does not start: {error}"))
}

/// Where the hub's line finds it.
pub(crate) fn tcp_uri(psap: &Running) -> String {
    let tcp = psap
        .sip
        .iter()
        .find(|(transport, _)| *transport == Transport::Tcp);
    tcp.map_or_else(String::new, |(_, address)| {
        format!("sip:{address};transport=tcp")
    })
}

/// The speaker's own line to it.
pub(crate) fn drill_line(psap: &Running) -> LineSettings {
    let udp = psap
        .sip
        .iter()
        .find(|(transport, _)| *transport == Transport::Udp);
    let uri = udp.map_or_else(String::new, |(_, address)| format!("sip:{address}"));
    // Every transport in the order of RFC 6881 ED-57: TLS, on the port above, then TCP, then UDP.
    LineSettings::new("drill line", uri)
}

/// Follows the device: prints, keeps the outcome, and says when the drill is over.
struct Watcher {
    outcome: Outcome,
    print: bool,
    speech_end: Option<u64>,
    recording_ended: Option<Duration>,
    quiet_since: Option<Duration>,
}

impl Watcher {
    fn new(file: &Path, print: bool) -> Self {
        Self {
            outcome: Outcome::nothing(file),
            print,
            speech_end: None,
            recording_ended: None,
            quiet_since: None,
        }
    }

    fn watch(&mut self, news: &News<'_>, when: When) -> ControlFlow<()> {
        match news {
            News::Step(step) => self.step(step, when),
            News::InviteLeft => {
                if let (None, Some(end), Some(zero)) = (
                    self.outcome.call.speech_end_to_invite_ms,
                    self.speech_end,
                    when.microphone_zero,
                ) {
                    let spoken = zero + Duration::from_micros(end * 1_000 / 16);
                    let ms = when.now.saturating_sub(spoken).as_millis();
                    self.outcome.call.speech_end_to_invite_ms =
                        Some(u64::try_from(ms).unwrap_or(u64::MAX));
                }
            }
            News::Bundle { path, .. } => {
                self.outcome.bundle = Some(path.clone());
                self.show(&format!(
                    "{:>8.2} s  bundle    {}",
                    timeline::seconds(when),
                    path.display()
                ));
            }
            News::Trouble(what) => eprintln!("hearth: {what}"),
            News::MicrophoneBroken(why) => {
                self.outcome.broken = true;
                eprintln!("hearth: microphone: {why}");
            }
            News::RecordingEnded => self.recording_ended = Some(when.now),
            News::Light(_) | News::Second | News::Shows { .. } => {}
        }
        self.is_over(when)
    }

    fn step(&mut self, step: &Step, when: When) {
        match step {
            Step::Wake {
                keyword,
                score,
                at_sample,
            } => self.outcome.wake_fact(keyword, *score, *at_sample),
            Step::Heard {
                transcript,
                intent,
                speech_end_sample,
                ..
            } => {
                self.speech_end = Some(*speech_end_sample);
                self.outcome.heard(transcript, intent);
            }
            Step::Decided {
                decision,
                reason,
                service,
            } => self.outcome.decide(decision, reason, service.as_deref()),
            Step::Call { what, call_id } => self.call(what, call_id.as_deref()),
            Step::Carried { .. }
            | Step::Media { .. }
            | Step::Skill { .. }
            | Step::Telephone { .. }
            | Step::Said { .. }
            | Step::Ended { .. }
            | Step::Trouble { .. } => {}
        }
        if let Some(line) = timeline::line(step, when) {
            self.show(&line);
        }
    }

    fn call(&mut self, what: &EventKind, call_id: Option<&str>) {
        let call = &mut self.outcome.call;
        match what {
            EventKind::Invited { name, .. } => {
                if call.state == "none" {
                    call.state = "failed";
                }
                if !call.lines_tried.contains(name) {
                    call.lines_tried.push(name.clone());
                }
            }
            EventKind::Answered { .. } => call.state = "answered",
            _ => {}
        }
        if let Some(call_id) = call_id {
            call.call_id = Some(call_id.to_owned());
        }
    }

    fn is_over(&mut self, when: When) -> ControlFlow<()> {
        let Some(ended) = self.recording_ended else {
            return ControlFlow::Continue(());
        };
        if when.now > ended + DRILL_MAX {
            return ControlFlow::Break(());
        }
        if !when.idle {
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

    fn show(&self, line: &str) {
        if self.print {
            out!("{line}");
        }
    }
}
