//! The running device: one task that owns the [`Device`], and the threads and sockets around it.
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use hearthline_emergency::call::CallTimers;
use hearthline_emergency::lost_client::{LostConfig, LostReply};
use hearthline_emergency::target::SipUri;
use hearthline_ledger::{Hash, IncidentId};
use hearthline_sip::endpoint::Input as SipInput;
use hearthline_transport::{FromNetwork, Reach, Sockets, ToNetwork};
use hearthline_voice::listen::Listener;
use hearthline_voice::understand::everyday::Everyday;
use tokio::sync::mpsc;

use super::hearing::{Hearing, Report as HearingReport};
use super::home::{Bound, HomeNews, HomeWires, tells_of_us};
use super::line_wires::LineWires;
use super::lost::{self, LostAnswer};
use super::loudspeaker::{Loudspeaker, Report, Sink, Voice};
use super::microphone::{Button, Frame, Microphone};
use super::own_address::own_address;
use super::password;
use super::reload::{Adapter, Reload};
use super::skills::Fitted;
use super::store::{Opened, Store, StoreError, Writer, Written, random};
use crate::config::{ConfigError, Household};
use crate::device::{Device, DeviceConfig, Input, Light, Output, PostToken, Step};
use crate::messages::{News as HubSays, Outcome};
use crate::policy::Situation;

/// Inputs waiting for the device; a full queue holds its senders back.
const INPUTS_MAX: usize = 4_096;
/// How long exporting an incident waits for the disk.
const FLUSH_MAX: Duration = Duration::from_secs(2);
/// Microphone frames of 20 ms in a second.
const FRAMES_PER_SECOND: u64 = 50;
/// A wall clock that is off by this much was set, in milliseconds.
const CLOCK_SET_MS: u64 = 50;

/// What a device is run from.
pub struct Parts {
    /// The household.
    pub household: Household,
    /// The device's folder.
    pub data: PathBuf,
    /// The ear.
    pub listener: Listener,
    /// The voice.
    pub voice: Voice,
    /// Where sound comes from.
    pub microphone: Microphone,
    /// Where sound goes.
    pub loudspeaker: Sink,
    /// The everyday sentences; without them only those of calls, messages and emergencies are understood.
    pub everyday: Option<Arc<Everyday>>,
    /// What it can do beside, in the order in which it is asked.
    pub skills: Vec<Fitted>,
}

/// What a watcher is told.
#[derive(Debug)]
pub enum News<'a> {
    /// A step of the device.
    Step(&'a Step),
    /// The light changed.
    Light(Light),
    /// The first INVITE of a call left.
    InviteLeft,
    /// What a skill holds has changed: for pages.
    Shows {
        /// Whose.
        skill: &'static str,
        /// As the pages show it.
        value: &'a serde_json::Value,
    },
    /// An incident was exported.
    Bundle {
        /// Where it lies.
        path: PathBuf,
        /// SHA-256 of the file.
        digest: Hash,
    },
    /// The microphone or its recording gives no more sound; why. The device goes on.
    MicrophoneBroken(String),
    /// The recording is over.
    RecordingEnded,
    /// A second of sound has passed.
    Second,
    /// Something is broken; what and how to mend it.
    Trouble(String),
}

/// When something happened.
#[derive(Debug, Clone, Copy)]
pub struct When {
    /// Since the device started.
    pub now: Duration,
    /// When sample 0 of the microphone was spoken, once there is one.
    pub microphone_zero: Option<Duration>,
    /// Nothing is under way: no interaction, no call.
    pub idle: bool,
}

/// Why a device does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The household.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The folder.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Sockets, threads, programs.
    #[error("{what}: {why}")]
    Start {
        /// What could not be started.
        what: &'static str,
        /// Why.
        why: String,
    },
}

/// Everything that reaches the device's task.
pub(super) enum Message {
    Hearing(HearingReport),
    Frame(Frame),
    Loudspeaker(Report),
    Durable(u64),
    KeptOf(&'static str, u64),
    CameFor(&'static str, serde_json::Value),
    StoreTrouble(String),
    Lost(PostToken, Result<LostAnswer, String>),
}

/// Runs a device until `watch` breaks. Everything stays on loopback.
///
/// # Errors
/// [`RunError`] when it cannot start. Once it runs, nothing but `watch` ends it.
pub async fn run(
    parts: Parts,
    watch: impl FnMut(News<'_>, When) -> ControlFlow<()>,
) -> Result<(), RunError> {
    run_trusting(parts, None, watch).await
}

/// The same with authorities (PEM) whose certificates are taken from lines over TLS: then no others are, and a line that
/// has none of theirs is called over TCP. Without any, every certificate is taken (RFC 6881 ED-58: none costs the call).
///
/// # Errors
/// As [`run`].
pub async fn run_trusting(
    parts: Parts,
    roots_pem: Option<Vec<u8>>,
    watch: impl FnMut(News<'_>, When) -> ControlFlow<()>,
) -> Result<(), RunError> {
    // Its sender is gone at once: nothing is ever reloaded.
    let (_, reloads) = mpsc::channel(1);
    run_reloading(parts, roots_pem, reloads, watch).await
}

/// The same with configurations that come while it runs: each counts from the next call on, and drops nothing.
///
/// # Errors
/// As [`run`].
pub async fn run_reloading(
    mut parts: Parts,
    roots_pem: Option<Vec<u8>>,
    mut reloads: mpsc::Receiver<Reload>,
    mut watch: impl FnMut(News<'_>, When) -> ControlFlow<()>,
) -> Result<(), RunError> {
    let started = Instant::now();
    let wall_ms = wall_ms();
    let wall_ms_at_zero =
        wall_ms.saturating_sub(u64::try_from(started.elapsed().as_millis()).unwrap_or(0));
    let failed = |what: &'static str| move |why: String| RunError::Start { what, why };
    let (store, opened) = Store::open_or_replace(&parts.data, wall_ms, started.elapsed())?;
    let Opened {
        recorder,
        recovery,
        lost_cache,
        known_keys,
        outbox,
        mut notices,
    } = opened;
    let (mut lines, about_passwords) = password::lines(&parts.household)?;
    notices.extend(about_passwords);
    if let Some(home) = &parts.household.household {
        lines.insert(0, home.line()?);
    }
    let (messages, mut inbox) = mpsc::channel(INPUTS_MAX);

    let home = own_address(parts.household.household.as_ref().map(|home| home.hub));
    let mut line_wires = LineWires::bind(home, roots_pem.as_deref())
        .await
        .map_err(failed("sockets"))?;
    let contact = SipUri::parse(&format!("sip:speaker@{}", line_wires.udp)).map_err(|error| {
        RunError::Start {
            what: "contact",
            why: error.to_string(),
        }
    })?;
    let config = DeviceConfig {
        profile: parts
            .household
            .profile(contact, recorder.key_id().to_string())?,
        lines,
        timers: CallTimers::default(),
        lost: LostConfig {
            servers: parts.household.lost_servers()?,
            ..LostConfig::default()
        },
        country: parts.household.country()?,
        mode: parts.household.mode()?,
        sip_local: line_wires.sip_local(),
        rtp_local: line_wires.rtp_local,
        seed: random()?,
        wall_ms_at_zero,
    };

    let durable = messages.clone();
    let trouble = messages.clone();
    let writer = store.writer(
        move |written| {
            drop(durable.blocking_send(match written {
                Written::Entry(seq) => Message::Durable(seq),
                Written::Skill(name, token) => Message::KeptOf(name, token),
            }));
        },
        move |what| drop(trouble.blocking_send(Message::StoreTrouble(what))),
    )?;
    let heard = messages.clone();
    let hearing = Hearing::start(parts.listener, move |output| {
        drop(heard.blocking_send(Message::Hearing(output)));
    })
    .map_err(|error| failed("hearing")(error.to_string()))?;
    let played = messages.clone();
    let mut ports = parts
        .skills
        .iter_mut()
        .filter_map(|fitted| fitted.port.as_mut());
    let music = ports.find_map(|port| port.music.take());
    let loudspeaker = Loudspeaker::start(parts.voice, parts.loudspeaker, music, move |report| {
        drop(played.blocking_send(Message::Loudspeaker(report)));
    })
    .map_err(|error| failed("loudspeaker")(error.to_string()))?;
    let captured = messages.clone();
    parts
        .microphone
        .start(move |frame| captured.blocking_send(Message::Frame(frame)).is_ok())
        .map_err(failed("microphone"))?;

    let (home_news, mut home_inbox) = mpsc::channel(INPUTS_MAX);
    let home = match &parts.household.household {
        Some(settings) => {
            match HomeWires::open(
                settings,
                (&line_wires, roots_pem),
                started,
                home_news.clone(),
            )
            .await
            {
                Ok((wires, mut home_config, told)) => {
                    notices.extend(told);
                    home_config.known_keys = known_keys;
                    Some((wires, home_config))
                }
                // Its own lines call for help all the same.
                Err(why) => {
                    notices.push(format!("{why}. This speaker goes on without its home"));
                    None
                }
            }
        }
        None => None,
    };
    let mut device = Device::new(
        config,
        recorder,
        &recovery,
        lost_cache.as_deref(),
        started.elapsed(),
    );
    let home = home.map(|(wires, config)| {
        device.join_household(config, started.elapsed());
        device.restore_outbox(&outbox, started.elapsed());
        wires
    });
    if let Some(everyday) = parts.everyday {
        device.know_sentences(everyday, started.elapsed());
    }
    let mut outside = Vec::new();
    for Fitted { skill, port } in parts.skills {
        let name = skill.name();
        let kept = store.kept_of(name);
        device.add_skill(skill, &kept, started.elapsed());
        outside.extend(port.map(|port| Adapter::follow(name, port, messages.clone())));
    }
    let mut running = Running {
        device,
        store,
        writer,
        hearing,
        loudspeaker,
        messages,
        started,
        microphone_zero: None,
        home,
        outside,
        to_export: None,
        timeout: None,
        frames: 0,
        wall_ms_at_zero,
    };
    for notice in notices {
        if watch(News::Trouble(notice), running.when()).is_break() {
            return Ok(());
        }
    }
    let mut rtp_buffer = vec![0; 2_048];
    let mut rtcp_buffer = vec![0; 2_048];
    loop {
        if running.drain(&line_wires, &mut watch).await.is_break() {
            break;
        }
        let wait = running
            .timeout
            .map(|at| at.saturating_sub(running.started.elapsed()));
        let now;
        tokio::select! {
            biased;
            received = line_wires.sockets.receiver.recv() => {
                now = running.started.elapsed();
                match received {
                    Some(news) => running.network(&news, now),
                    None => return Err(RunError::Start { what: "SIP sockets", why: "closed".into() }),
                }
            }
            Ok((length, _)) = line_wires.rtp.rtp.recv_from(&mut rtp_buffer) => {
                now = running.started.elapsed();
                running.device.handle(Input::Rtp(&rtp_buffer[..length]), now);
            }
            Ok((length, _)) = line_wires.rtp.rtcp.recv_from(&mut rtcp_buffer) => {
                now = running.started.elapsed();
                running.device.handle(Input::Rtcp(&rtcp_buffer[..length]), now);
            }
            // Its sender lives as long as this loop: without a home nothing ever comes.
            Some(news) = home_inbox.recv() => {
                now = running.started.elapsed();
                if let HomeNews::Moved(bound) = news {
                    running.moved(*bound, &mut line_wires, now);
                } else if running.home_news(news, now, &mut watch).is_break() {
                    break;
                }
            }
            Some(reload) = reloads.recv() => {
                now = running.started.elapsed();
                if running.reload(reload, now, &mut watch).is_break() {
                    break;
                }
            }
            Some(message) = inbox.recv() => {
                now = running.started.elapsed();
                if running.message(message, now, &mut watch).is_break() {
                    break;
                }
            }
            () = tokio::time::sleep(wait.unwrap_or(Duration::from_secs(3_600))) => {
                now = running.started.elapsed();
                running.device.handle(Input::Timeout, now);
            }
        }
    }
    // The threads wait on the inbox: closing it first lets them end.
    drop(inbox);
    Ok(())
}

pub(super) struct Running {
    pub(super) device: Device,
    pub(super) store: Store,
    writer: Writer,
    hearing: Hearing,
    loudspeaker: Loudspeaker,
    pub(super) messages: mpsc::Sender<Message>,
    started: Instant,
    microphone_zero: Option<Duration>,
    home: Option<HomeWires>,
    /// Adapters of skills.
    pub(super) outside: Vec<Adapter>,
    to_export: Option<IncidentId>,
    timeout: Option<Duration>,
    frames: u64,
    /// Where the wall clock stood when the device began, as far as is known.
    wall_ms_at_zero: u64,
}

impl Running {
    pub(super) fn when(&self) -> When {
        let idle = self.device.situation() == Situation::Idle
            && self.device.recorder().incident().is_none()
            && !self.device.is_telephone_busy()
            && !self.device.is_message_busy()
            && !self.device.is_skill_busy();
        When {
            now: self.started.elapsed(),
            microphone_zero: self.microphone_zero,
            idle,
        }
    }

    fn message(
        &mut self,
        message: Message,
        now: Duration,
        watch: &mut impl FnMut(News<'_>, When) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match message {
            Message::Hearing(HearingReport::Heard(output)) => {
                if matches!(output, hearthline_voice::listen::Output::Wake(_)) {
                    self.loudspeaker.ready();
                }
                self.device.handle(Input::Hearing(output), now);
            }
            Message::Hearing(HearingReport::PreRoll { first, samples }) => {
                self.device.handle(Input::PreRoll { first, samples }, now);
            }
            Message::Frame(Frame::Samples(samples)) => {
                let spoken = Duration::from_micros(samples.len() as u64 * 1_000_000 / 16_000);
                self.microphone_zero
                    .get_or_insert(now.saturating_sub(spoken));
                self.device.handle(Input::Microphone(&samples), now);
                self.hearing.samples(samples);
                self.frames += 1;
                if self.frames.is_multiple_of(FRAMES_PER_SECOND) {
                    self.look_at_the_clock(now);
                    return watch(News::Second, self.when());
                }
            }
            Message::Frame(Frame::Button(Button::Held)) => self.device.handle(Input::Held, now),
            Message::Frame(Frame::Button(Button::Released)) => {
                self.hearing.released();
                self.device.handle(Input::Released, now);
            }
            Message::Frame(Frame::Button(Button::Cancel)) => {
                self.device.handle(Input::CancelButton, now);
            }
            Message::Frame(Frame::Typed(text)) => self.device.handle(Input::Typed(&text), now),
            Message::Frame(Frame::RecordingEnded) => {
                return watch(News::RecordingEnded, self.when());
            }
            Message::Frame(Frame::Broken(why)) => {
                return watch(News::MicrophoneBroken(why), self.when());
            }
            Message::Loudspeaker(Report::SpeechEnded) => {
                self.device.handle(Input::SpeechEnded, now);
            }
            Message::Loudspeaker(Report::Told(id)) => {
                self.device.handle(Input::Told { id }, now);
            }
            Message::Loudspeaker(Report::Trouble(why)) => {
                let told = watch(News::Trouble(why), self.when());
                self.device.handle(Input::SpeechEnded, now);
                return told;
            }
            Message::KeptOf(skill, token) => {
                self.device.handle(Input::KeptOf { skill, token }, now);
            }
            Message::CameFor(skill, value) => {
                let value = &value;
                self.device.handle(Input::CameFor { skill, value }, now);
            }
            Message::Durable(seq) => self.device.handle(Input::Durable { seq }, now),
            Message::StoreTrouble(why) => return watch(News::Trouble(why), self.when()),
            Message::Lost(token, answer) => {
                let reply = match &answer {
                    Ok(answer) => LostReply::Http {
                        status: answer.status,
                        content_type: &answer.content_type,
                        body: &answer.body,
                    },
                    Err(_) => LostReply::Failed,
                };
                self.device.handle(Input::Lost { token, reply }, now);
            }
        }
        ControlFlow::Continue(())
    }

    fn home_news(
        &mut self,
        news: HomeNews,
        now: Duration,
        watch: &mut impl FnMut(News<'_>, When) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match news {
            HomeNews::Sip(news) => {
                if let Some(home) = self.home.as_ref().filter(|home| home.is_broken_by(&news)) {
                    home.doubt();
                }
                self.network(&news, now);
            }
            HomeNews::Media { from, to, bytes } => {
                let bytes = &bytes;
                self.device.handle(Input::Media { from, to, bytes }, now);
            }
            HomeNews::Names(names) => self.device.handle(Input::Directory(names), now),
            HomeNews::Hub(news) => self.device.handle(Input::Hub(news), now),
            HomeNews::Trouble(why) => return watch(News::Trouble(why), self.when()),
            HomeNews::Moved(_) => {}
        }
        ControlFlow::Continue(())
    }

    /// Our address is another one.
    fn moved(&mut self, bound: Bound, lines: &mut LineWires, now: Duration) {
        if let Some(home) = &mut self.home {
            let (ports, wires) = home.moved(bound);
            let (sip, rtp) = (wires.sip_local(), wires.rtp_local);
            *lines = wires;
            self.device.handle(Input::Moved { ports, sip, rtp }, now);
        }
    }

    /// Sends by the hub's wires what is for the hub, everything else by those of the lines.
    fn to_network(&self, sockets: &Sockets, message: ToNetwork) -> bool {
        let (transport, remote) = match &message {
            ToNetwork::Transmit { target, .. } => (target.transport, target.remote),
            ToNetwork::Close { transport, remote } => (*transport, *remote),
        };
        match &self.home {
            Some(home) if home.leads_to(transport, remote) => home.sip(message),
            _ => sockets.sender.try_send(message).is_ok(),
        }
    }

    fn network(&mut self, news: &FromNetwork, now: Duration) {
        if let Some(input) = news.as_input() {
            self.device.handle(Input::Sip(input), now);
        }
    }

    /// Carries out everything that the device wants.
    async fn drain(
        &mut self,
        lines: &LineWires,
        watch: &mut impl FnMut(News<'_>, When) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        loop {
            match self.device.poll_output() {
                Output::Timeout(at) => {
                    if let Some(home) = &self.home {
                        home.stay(self.device.situation() != Situation::Idle);
                    }
                    self.timeout = at;
                    return ControlFlow::Continue(());
                }
                Output::Sip { target, bytes } => {
                    let invite = bytes.starts_with(b"INVITE ");
                    // The queue is bounded; a network that takes nothing for so long is as good as failed.
                    let message = ToNetwork::Transmit {
                        target: target.clone(),
                        bytes,
                    };
                    if !self.to_network(&lines.sockets, message) {
                        let now = self.started.elapsed();
                        self.device.handle(
                            Input::Sip(SipInput::TransportFailed { target: &target }),
                            now,
                        );
                    }
                    if invite {
                        watch(News::InviteLeft, self.when())?;
                    }
                }
                Output::CloseStream { transport, remote } => {
                    self.to_network(&lines.sockets, ToNetwork::Close { transport, remote });
                }
                // A datagram that the system does not take now is a lost datagram; RTP bears that.
                Output::Rtp { to, bytes } => {
                    let sent = lines.rtp.rtp.try_send_to(&bytes, to);
                    if sent.is_err_and(|error| tells_of_us(&error))
                        && let Some(home) = &self.home
                    {
                        home.doubt();
                    }
                }
                Output::Rtcp { to, bytes } => drop(lines.rtp.rtcp.try_send_to(&bytes, to)),
                Output::Post { token, post } => {
                    let messages = self.messages.clone();
                    tokio::spawn(async move {
                        let answer = lost::post(&post, Reach::LoopbackOnly).await;
                        let _ = messages.send(Message::Lost(token, answer)).await;
                    });
                }
                Output::Keep(keep) => self.writer.keep(keep),
                Output::KeepLostCache(bytes) => self.writer.keep_lost_cache(bytes),
                Output::KeepKnownKeys(bytes) => self.writer.keep_known_keys(bytes),
                Output::KeepOutbox(bytes) => self.writer.keep_outbox(bytes),
                Output::Hub { request, what } => {
                    let asked = self
                        .home
                        .as_ref()
                        .is_some_and(|home| home.ask(request, what));
                    if !asked {
                        let outcome = Outcome::Away;
                        let answer = HubSays::Answer { request, outcome };
                        let now = self.started.elapsed();
                        self.device.handle(Input::Hub(answer), now);
                    }
                }
                Output::Tell { id, parts } => self.loudspeaker.tell(id, parts),
                Output::Say(text) => self.loudspeaker.say(text),
                Output::Hush => self.loudspeaker.hush(),
                Output::Play(samples) => self.loudspeaker.play(samples),
                Output::KnowNames(names) => self.hearing.know_names(names),
                Output::KnowSentences(everyday) => self.hearing.know_sentences(everyday),
                Output::KeepOf {
                    skill,
                    token,
                    bytes,
                    appends,
                } => self.writer.keep_of(skill, token, bytes, appends),
                Output::Out { skill, value } => {
                    let adapter = self.outside.iter().find(|adapter| adapter.name == skill);
                    // A full queue is an adapter that does nothing: the device says so when no answer comes.
                    let taken = adapter.is_some_and(|of| of.out.try_send(value).is_ok());
                    if !taken {
                        let why = format!("{skill}: what it asked for could not be handed on");
                        watch(News::Trouble(why), self.when())?;
                    }
                }
                Output::Show { skill, value } => {
                    let value = &value;
                    watch(News::Shows { skill, value }, self.when())?;
                }
                Output::Tone(tone) => self.loudspeaker.tone(tone),
                Output::Volume(percent) => self.loudspeaker.volume(percent),
                Output::Media { from, to, bytes } => {
                    if let Some(home) = &self.home {
                        home.media(from, to, &bytes);
                    }
                }
                Output::Light(light) => watch(News::Light(light), self.when())?,
                Output::ListenForReply { ms } => self.hearing.listen_for_reply(ms),
                Output::Step(step) => {
                    if let Step::Decided {
                        decision: "emergency" | "ask",
                        ..
                    } = &step
                    {
                        self.to_export = self.device.recorder().incident().cloned();
                    }
                    let ended = matches!(step, Step::Ended { .. });
                    if ended {
                        self.export(watch)?;
                    }
                    watch(News::Step(&step), self.when())?;
                }
            }
        }
    }

    /// The wall clock may have been set: skills that ring by it must know.
    fn look_at_the_clock(&mut self, now: Duration) {
        let zero = wall_ms().saturating_sub(u64::try_from(now.as_millis()).unwrap_or(0));
        if zero.abs_diff(self.wall_ms_at_zero) > CLOCK_SET_MS {
            self.wall_ms_at_zero = zero;
            self.device.handle(Input::Wall { ms_at_zero: zero }, now);
        }
    }

    /// Exports the incident that has just ended.
    fn export(
        &mut self,
        watch: &mut impl FnMut(News<'_>, When) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(incident) = self.to_export.take() else {
            return ControlFlow::Continue(());
        };
        // Everything of the incident first, its closing checkpoint too.
        let mut later = Vec::new();
        loop {
            match self.device.poll_output() {
                Output::Timeout(_) => break,
                Output::Keep(keep) => self.writer.keep(keep),
                other => later.push(other),
            }
        }
        let exported = if self.writer.flush(FLUSH_MAX) {
            self.store
                .export(self.device.recorder().log(), &incident, wall_ms())
                .map_err(|error| error.to_string())
        } else {
            Err("the disk does not take the record now; export it later".to_owned())
        };
        let told = match exported {
            Ok((path, bundle)) => watch(
                News::Bundle {
                    path,
                    digest: bundle.digest,
                },
                self.when(),
            ),
            Err(why) => watch(
                News::Trouble(format!("the incident was not exported: {why}")),
                self.when(),
            ),
        };
        for output in later {
            self.device.give_back(output);
        }
        told
    }
}

/// Wall clock in milliseconds since 1970-01-01 UTC; 0 when it stands before that.
fn wall_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
