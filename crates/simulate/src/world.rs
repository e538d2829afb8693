//! One home: a device, its call-takers, a LoST server, a network, and the hands of a clock that only the world moves.
mod hands;
mod home;
mod scene;

pub use home::HOUSEHOLD;

use core::time::Duration;
use std::net::SocketAddr;

use hearthline_emergency::call::Line;
use hearthline_emergency::lost_client::{LostReply, LostRequestId};
use hearthline_emergency::target::SipUri;
use hearthline_emergency::timestamp::Timestamp;
use hearthline_ledger::{AudioChunk, IncidentId, LogError, PublicKey, Recovery};
use hearthline_psap::{Boundaries, CallTaker, CallTakerConfig, LostAnswer, LostServer, call_taker};
use hearthline_sip::endpoint::{Input as SipInput, Target, Transport};
use hearthline_sip::tokens::Tokens;
use hearthline_speaker::device::{Device, Input, Light, Output, PostToken, Step};
use hearthline_speaker::light_order::{LightOrder, LightSet};
use hearthline_speaker::messages::News as HubNews;
use hearthline_speaker::record::Keep;
use hearthline_voice::clock::SampleIndex;
use hearthline_voice::listen::{HearError, Output as Hearing};
use hearthline_voice::transcribe::VocabularyError;
use hearthline_voice::understand::Country;

pub use scene::Scene;

use crate::caller::Caller;
use crate::network::{Arrival, Network};
use crate::spoken::Spoken;
use crate::trace::{Digests, Trace, TraceInput};

/// Wall clock at the beginning of every run: 2 July 2017, 12:00 UTC, the day of the story.
pub const WALL_MS_AT_ZERO: u64 = 1_498_996_800_000;
/// Microphone frames: 20 ms.
const FRAME: Duration = Duration::from_millis(20);
/// Samples of a frame.
const FRAME_SAMPLES: usize = 320;
/// The room's sound: a steady tone of this level, so that gated audio would be seen.
const ROOM: i16 = 300;
/// How long our own words take, per character.
const SPEECH_PER_CHARACTER: Duration = Duration::from_millis(60);

/// Name of the simulated device's log.
pub const ORIGIN: &str = "hearthline.local/device/simulated";
/// SIP address of the simulated device.
pub const DEVICE_SIP: &str = "127.0.0.1:5070";
const DEVICE_RTP: &str = "127.0.0.1:40000";

/// One call-taker with its addresses.
struct Taker {
    sip: SocketAddr,
    core: CallTaker,
    heard: Vec<i16>,
    plugged_in: bool,
}

/// A LoST answer on its way.
struct PendingLost {
    at: Duration,
    token: PostToken,
    status: Option<u16>,
    body: Vec<u8>,
}

/// The world.
pub struct World {
    now: Duration,
    device: Device,
    takers: Vec<Taker>,
    lost: LostServer,
    lost_pending: Vec<PendingLost>,
    network: Network,
    next_frame: Duration,
    speech_until: Option<Duration>,
    reply_until: Option<Duration>,
    disk_works: bool,
    replaying: bool,
    meddle: Option<fn(Vec<u8>) -> Vec<u8>>,
    wall_ms_at_zero: u64,
    identity: PublicKey,
    /// Somebody else on the network who can call the device.
    pub caller: Caller,
    /// What opening the stored log said.
    pub recovery: Recovery,
    /// The newest LoST cache that the device wanted kept.
    pub lost_cache: Option<Vec<u8>>,
    /// Whole SIP messages that left the device, with their times.
    pub sent_messages: Vec<(Duration, Vec<u8>)>,
    /// Whole SIP messages that reached the device, with their times.
    pub received_messages: Vec<(Duration, Vec<u8>)>,
    /// Every step of the device, with its time.
    pub steps: Vec<(Duration, Step)>,
    /// Every light of the device.
    pub lights: Vec<Light>,
    /// What the device said.
    pub said: Vec<String>,
    /// Bytes of the log, as the disk has them.
    pub log: Vec<u8>,
    /// Audio kept beside the log.
    pub audio: Vec<(IncidentId, AudioChunk)>,
    /// Samples that the loudspeaker played.
    pub played: Vec<i16>,
    /// SIP requests that left the device, with their times: method and Request-URI.
    pub sent: Vec<(Duration, String)>,
    /// The same with the address that each went to.
    pub sent_addresses: Vec<(Duration, SocketAddr, String)>,
    /// The device's inputs.
    pub trace: Trace,
    digests: Digests,
}

impl World {
    /// Builds a home.
    ///
    /// # Panics
    /// When the stored log is damaged; [`World::open`] says so instead.
    #[must_use]
    pub fn new(scene: &Scene) -> Self {
        Self::open(scene).expect("the stored log opens")
    }

    /// Builds a home over the log that an earlier run left.
    ///
    /// # Errors
    /// [`LogError`], when that log is damaged beyond a torn end.
    pub fn open(scene: &Scene) -> Result<Self, LogError> {
        let tokens = Tokens::from_seed([scene.seed; 32]);
        let mut network = Network::new(scene.faults, tokens.fork("network"));
        let mut takers = Vec::new();
        let mut lines = Vec::new();
        for index in 0..scene.lines.len() + scene.dead_lines {
            let port = 5_100 + 10 * u16::try_from(index).expect("few lines");
            let name = format!("line {}", index + 1);
            let target = SipUri::parse(&format!("sip:127.0.0.1:{port}")).expect("a loopback URI");
            let mut line = Line::new(name, target, scene.transports.clone());
            line.address_as = scene.address_as;
            line.body = scene.body;
            line.credentials = scene.credentials.clone().filter(|_| index == 0);
            lines.push(line);
        }
        // Dead lines come first: what is tested is that they give way.
        for (index, behaviours) in scene.lines.iter().enumerate() {
            let index = index + scene.dead_lines;
            let port = 5_100 + 10 * u16::try_from(index).expect("few lines");
            let sip = SocketAddr::from(([127, 0, 0, 1], port));
            let secure = SocketAddr::from(([127, 0, 0, 1], port + 1));
            let local = vec![
                (Transport::Udp, sip),
                (Transport::Tcp, sip),
                (Transport::Tls, secure),
            ];
            let ports = (0..16)
                .map(|call| 41_000 + 100 * u16::try_from(index).expect("few lines") + 2 * call)
                .collect();
            let mut config = CallTakerConfig::new(
                tokens.fork(&format!("taker {index}")).next_bytes(),
                local,
                ports,
            );
            config.behaviours = behaviours.clone();
            network.listen(Transport::Tcp, sip);
            network.listen(Transport::Tls, secure);
            takers.push(Taker {
                sip,
                core: CallTaker::new(config),
                heard: Vec::new(),
                plugged_in: true,
            });
        }
        let mut lost = LostServer::new(Boundaries::everywhere(
            "lost.example",
            "sip:psap@127.0.0.1",
            "911",
        ));
        lost.set_fault(scene.lost.clone());
        let (device, recovery) = home::device(scene, lines, &tokens)?;
        let kept = usize::try_from(recovery.keep_bytes)
            .unwrap_or(usize::MAX)
            .min(scene.stored_log.len());
        let mut world = Self {
            now: Duration::ZERO,
            device,
            takers,
            lost,
            lost_pending: Vec::new(),
            network,
            next_frame: Duration::ZERO,
            speech_until: None,
            reply_until: None,
            disk_works: scene.disk_works,
            replaying: false,
            meddle: scene.meddle,
            wall_ms_at_zero: scene.wall_ms_at_zero,
            identity: home::identity(&tokens).public(),
            caller: Caller::new(tokens.fork("caller").next_bytes()),
            recovery,
            lost_cache: None,
            sent_messages: Vec::new(),
            received_messages: Vec::new(),
            steps: Vec::new(),
            lights: Vec::new(),
            said: Vec::new(),
            log: scene.stored_log[..kept].to_vec(),
            audio: Vec::new(),
            played: Vec::new(),
            sent: Vec::new(),
            sent_addresses: Vec::new(),
            trace: Trace::default(),
            digests: Digests::default(),
        };
        world.drain();
        Ok(world)
    }

    /// Virtual time.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The call-taker of a line that has one.
    #[must_use]
    pub fn taker(&self, index: usize) -> &CallTaker {
        &self.takers[index].core
    }

    /// What the call-taker of a line heard, 16 kHz.
    #[must_use]
    pub fn taker_heard(&self, index: usize) -> &[i16] {
        &self.takers[index].heard
    }

    /// The call-taker of a line hangs up its newest call.
    pub fn taker_hangs_up(&mut self, index: usize) {
        let newest = self.takers[index]
            .core
            .reports()
            .last()
            .map(|report| report.id);
        if let Some(call) = newest {
            let _ = self.takers[index].core.hang_up(call, self.now);
        }
        self.drain();
    }

    /// Somebody speaks; the sentence ends now.
    pub fn say(&mut self, spoken: &Spoken) {
        let counts = spoken.wake
            || (spoken.as_reply && self.reply_until.is_some_and(|until| self.now <= until));
        if counts {
            self.reply_until = None;
            let Spoken {
                words,
                wake,
                as_reply,
            } = spoken.clone();
            self.input(TraceInput::Spoken {
                words,
                wake,
                as_reply,
            });
        }
    }

    /// The cancel button.
    pub fn press_cancel(&mut self) {
        self.input(TraceInput::CancelButton);
    }

    /// Lets so much time pass.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.next_event().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.step_world();
        }
        self.now = end;
    }

    /// Lets time pass until `done`, at most so long; true when it came about.
    pub fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&Self) -> bool) -> bool {
        let end = self.now + limit;
        while !done(self) {
            match self.next_event().filter(|next| *next <= end) {
                Some(next) => {
                    self.now = self.now.max(next);
                    self.step_world();
                }
                None => return false,
            }
        }
        true
    }

    /// A digest of all that the device put out.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digests.value()
    }

    /// Feeds a recorded trace to a fresh device of the same scene and returns the digest of what it puts out.
    #[must_use]
    pub fn replay(scene: &Scene, trace: &Trace) -> [u8; 32] {
        let mut world = Self::new(scene);
        world.replaying = true;
        for entry in trace.entries() {
            world.now = Duration::from_micros(entry.at_us);
            world.input(entry.input.clone());
        }
        world.digest()
    }

    fn next_event(&mut self) -> Option<Duration> {
        let device = match self.device.poll_output() {
            Output::Timeout(at) => at,
            other => unreachable!("drained, yet {other:?}"),
        };
        let takers =
            self.takers
                .iter_mut()
                .filter_map(|taker| match taker.core.poll_output(self.now) {
                    call_taker::Output::Timeout(at) => at,
                    _ => Some(self.now),
                });
        let takers = takers.min();
        let lost = self.lost_pending.iter().map(|pending| pending.at).min();
        let caller = self.caller.next_timeout(self.now);
        [
            device,
            caller,
            takers,
            lost,
            self.network.next_at(),
            Some(self.next_frame),
            self.speech_until,
            self.reply_until,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn step_world(&mut self) {
        if self.next_frame <= self.now {
            self.next_frame += FRAME;
            self.input(TraceInput::Microphone {
                count: FRAME_SAMPLES,
                value: ROOM,
            });
        }
        if self.speech_until.is_some_and(|until| until <= self.now) {
            self.speech_until = None;
            self.input(TraceInput::SpeechEnded);
        }
        if self.reply_until.is_some_and(|until| until <= self.now) {
            self.reply_until = None;
            self.input(TraceInput::NoSpeech);
        }
        while let Some(index) = self
            .lost_pending
            .iter()
            .position(|pending| pending.at <= self.now)
        {
            let PendingLost {
                token,
                status,
                body,
                ..
            } = self.lost_pending.remove(index);
            let (in_call, request) = match token {
                PostToken::Start(LostRequestId(request)) => (false, request),
                PostToken::Call(LostRequestId(request)) => (true, request),
            };
            self.input(TraceInput::Lost {
                in_call,
                request,
                status,
                body,
            });
        }
        while let Some(arrival) = self.network.arrived(self.now) {
            self.arrive(arrival);
        }
        for index in 0..self.takers.len() {
            self.takers[index].core.handle_timeout(self.now);
        }
        self.caller.handle_timeout(self.now);
        self.drain_caller();
        self.input(TraceInput::Timeout);
    }

    fn arrive(&mut self, arrival: Arrival) {
        let device_sip: SocketAddr = DEVICE_SIP.parse().expect("an address");
        let device_rtp: SocketAddr = DEVICE_RTP.parse().expect("an address");
        match arrival {
            Arrival::Sip {
                transport,
                from,
                to,
                bytes,
            } if to.port() == device_sip.port() => {
                self.received_messages.push((self.now, bytes.clone()));
                self.input(TraceInput::Sip {
                    transport: transport.as_param().into(),
                    local: to,
                    remote: from,
                    bytes,
                });
            }
            Arrival::Sip {
                transport,
                from,
                to,
                bytes,
            } if to.port() == self.caller.sip().port() => {
                let input = SipInput::Received {
                    transport,
                    local: to,
                    remote: from,
                    bytes: &bytes,
                };
                self.caller.handle_sip(input, self.now);
                self.drain_caller();
            }
            Arrival::Sip {
                transport,
                from,
                to,
                bytes,
            } => {
                let found = self
                    .takers
                    .iter_mut()
                    .find(|taker| to.port() / 10 == taker.sip.port() / 10);
                if let Some(taker) = found.filter(|taker| taker.plugged_in) {
                    let input = SipInput::Received {
                        transport,
                        local: to,
                        remote: from,
                        bytes: &bytes,
                    };
                    taker.core.handle_sip(input, self.now);
                }
            }
            Arrival::Media { to, bytes, .. } if to.port() == device_rtp.port() => {
                self.input(TraceInput::Rtp(bytes));
            }
            Arrival::Media { to, bytes, .. } if to.port() == device_rtp.port() + 1 => {
                self.input(TraceInput::Rtcp(bytes));
            }
            Arrival::Media { to, bytes, .. } if self.caller.takes_media(to.port()) => {
                self.caller.handle_media(bytes);
            }
            Arrival::Media { from, to, bytes } => {
                let group = (to.port() - 41_000) / 100;
                let group = usize::from(group);
                let found = self
                    .takers
                    .iter_mut()
                    .find(|taker| usize::from((taker.sip.port() - 5_100) / 10) == group);
                if let Some(taker) = found.filter(|taker| taker.plugged_in) {
                    taker.core.handle_media(to.port(), from, &bytes, self.now);
                }
            }
            Arrival::Refused {
                transport,
                from,
                to,
            } if from.port() == device_sip.port() => {
                let server_name = (transport == Transport::Tls).then(|| to.ip().to_string());
                self.input(TraceInput::SipRefused {
                    transport: transport.as_param().into(),
                    remote: to,
                    server_name,
                });
            }
            Arrival::Refused { .. } => {}
        }
    }

    /// Hands one input to the device and drains everybody.
    fn input(&mut self, input: TraceInput) {
        if !self.replaying {
            self.trace.push(self.now, input.clone());
        }
        let now = self.now;
        match input {
            TraceInput::Spoken {
                words,
                wake,
                as_reply,
            } => {
                let spoken = Spoken {
                    words,
                    wake,
                    as_reply,
                };
                for hearing in spoken.hearing(Country::UnitedStates, now) {
                    self.device.handle(Input::Hearing(hearing), now);
                    self.drain();
                }
            }
            TraceInput::Wake => {
                let wake = Spoken::after_wake_word("")
                    .hearing(Country::UnitedStates, now)
                    .swap_remove(0);
                // It is listened to now, and no longer for an answer.
                self.reply_until = None;
                self.device.handle(Input::Hearing(wake), now);
            }
            TraceInput::NotUnderstood => {
                self.reply_until = None;
                let error = HearError::Transcribe(VocabularyError::TooFew(0).into());
                self.device
                    .handle(Input::Hearing(Hearing::Failed(error)), now);
            }
            TraceInput::NoSpeech => {
                self.reply_until = None;
                self.device.handle(
                    Input::Hearing(Hearing::NoSpeech { at: SampleIndex(0) }),
                    now,
                );
            }
            TraceInput::Microphone { count, value } => self
                .device
                .handle(Input::Microphone(&vec![value; count]), now),
            TraceInput::Sip {
                transport,
                local,
                remote,
                bytes,
            } => {
                let transport = Transport::from_name(&transport).expect("written by us");
                let input = SipInput::Received {
                    transport,
                    local,
                    remote,
                    bytes: &bytes,
                };
                self.device.handle(Input::Sip(input), now);
            }
            TraceInput::SipRefused {
                transport,
                remote,
                server_name,
            } => {
                let mut target = Target::new(
                    Transport::from_name(&transport).expect("written by us"),
                    remote,
                );
                target.server_name = server_name;
                self.device.handle(
                    Input::Sip(SipInput::TransportFailed { target: &target }),
                    now,
                );
            }
            TraceInput::Rtp(bytes) => self.device.handle(Input::Rtp(&bytes), now),
            TraceInput::Rtcp(bytes) => self.device.handle(Input::Rtcp(&bytes), now),
            TraceInput::Lost {
                in_call,
                request,
                status,
                body,
            } => {
                let request = LostRequestId(request);
                let token = if in_call {
                    PostToken::Call(request)
                } else {
                    PostToken::Start(request)
                };
                let reply = match status {
                    Some(status) => LostReply::Http {
                        status,
                        content_type: "application/lost+xml",
                        body: &body,
                    },
                    None => LostReply::Failed,
                };
                self.device.handle(Input::Lost { token, reply }, now);
            }
            TraceInput::SpeechEnded => self.device.handle(Input::SpeechEnded, now),
            TraceInput::Durable(seq) => self.device.handle(Input::Durable { seq }, now),
            TraceInput::CancelButton => self.device.handle(Input::CancelButton, now),
            TraceInput::Held => self.device.handle(Input::Held, now),
            TraceInput::Released => self.device.handle(Input::Released, now),
            TraceInput::Typed(text) => self.device.handle(Input::Typed(&text), now),
            TraceInput::Light(words) => {
                let order = LightOrder {
                    id: format!("at {} us", now.as_micros()),
                    light: Some(words.clone()),
                    room: Some(words.clone()),
                    set: LightSet::Colour(words),
                };
                let news = HubNews::LightOrders(vec![order]);
                self.device.handle(Input::Hub(news), now);
            }
            TraceInput::Timeout => self.device.handle(Input::Timeout, now),
        }
        self.drain();
    }

    fn drain(&mut self) {
        let mut durable = Vec::new();
        loop {
            let output = self.device.poll_output();
            if !matches!(output, Output::Timeout(_)) {
                self.digests.push(&output);
            }
            match output {
                Output::Timeout(_) => break,
                Output::Keep(Keep::Entry { seq, bytes }) => {
                    self.log.extend_from_slice(&bytes);
                    durable.extend(seq);
                }
                other => self.carry_out(other),
            }
        }
        if self.disk_works && !self.replaying {
            for seq in durable {
                self.input(TraceInput::Durable(seq));
            }
        }
        for index in 0..self.takers.len() {
            self.drain_taker(index);
        }
    }

    fn carry_out(&mut self, output: Output) {
        let device_sip: SocketAddr = DEVICE_SIP.parse().expect("an address");
        let device_rtp: SocketAddr = DEVICE_RTP.parse().expect("an address");
        match output {
            Output::Sip { target, bytes } => {
                let first = bytes.split(|byte| *byte == b'\r').next().unwrap_or(&[]);
                let first = String::from_utf8_lossy(first).into_owned();
                self.sent.push((self.now, first.clone()));
                self.sent_addresses.push((self.now, target.remote, first));
                self.sent_messages.push((self.now, bytes.clone()));
                let (transport, to) = (target.transport, target.remote);
                self.network.send(
                    Arrival::Sip {
                        transport,
                        from: device_sip,
                        to,
                        bytes,
                    },
                    self.now,
                );
            }
            Output::Rtp { to, bytes } => {
                self.network.send(
                    Arrival::Media {
                        from: device_rtp,
                        to,
                        bytes,
                    },
                    self.now,
                );
            }
            Output::Rtcp { to, bytes } => {
                let mut from = device_rtp;
                from.set_port(from.port() + 1);
                self.network
                    .send(Arrival::Media { from, to, bytes }, self.now);
            }
            Output::Post { token, post } => {
                let wall = Timestamp::from_unix_ms(
                    i64::try_from(self.wall_ms_at_zero).expect("fits")
                        + i64::try_from(self.now.as_millis()).expect("fits"),
                );
                match self.lost.answer(&post.body, wall) {
                    LostAnswer::Document { after, bytes, .. } => {
                        let at = self.now + after + Duration::from_millis(3);
                        self.lost_pending.push(PendingLost {
                            at,
                            token,
                            status: Some(200),
                            body: bytes,
                        });
                    }
                    LostAnswer::Status(status) => {
                        let at = self.now + Duration::from_millis(3);
                        self.lost_pending.push(PendingLost {
                            at,
                            token,
                            status: Some(status),
                            body: Vec::new(),
                        });
                    }
                    LostAnswer::Silence => {
                        let at = self.now + post.give_up_after;
                        self.lost_pending.push(PendingLost {
                            at,
                            token,
                            status: None,
                            body: Vec::new(),
                        });
                    }
                }
            }
            Output::Keep(Keep::Audio { incident, chunk }) => self.audio.push((incident, chunk)),
            Output::Keep(Keep::Entry { .. }) | Output::Timeout(_) => unreachable!("taken by drain"),
            Output::KeepLostCache(bytes) => self.lost_cache = Some(bytes),
            Output::CloseStream { .. } | Output::KeepKnownKeys(_) => {}
            // It belongs to no home: nothing is asked of a hub, and no message is told.
            Output::Hub { .. } | Output::Tell { .. } | Output::KeepOutbox(_) => {}
            Output::Say(text) => {
                let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
                self.speech_until = Some(self.now + SPEECH_PER_CHARACTER * length);
                self.said.push(text);
            }
            Output::Hush => self.speech_until = None,
            Output::Play(samples) => self.played.extend(samples),
            // A lone device belongs to no home: it has no ordinary calls.
            Output::Media { .. } | Output::Tone(_) | Output::Volume(_) | Output::KnowNames(_) => {}
            Output::KnowSentences(_)
            | Output::KeepOf { .. }
            | Output::Out { .. }
            | Output::Show { .. } => {}
            Output::Light(light) => self.lights.push(light),
            Output::ListenForReply { ms } => {
                self.reply_until = Some(self.now + Duration::from_millis(u64::from(ms)));
            }
            Output::Step(step) => self.steps.push((self.now, step)),
        }
    }

    fn drain_caller(&mut self) {
        for arrival in self.caller.drain(self.now) {
            self.network.send(arrival, self.now);
        }
    }

    fn drain_taker(&mut self, index: usize) {
        loop {
            let taker = &mut self.takers[index];
            match taker.core.poll_output(self.now) {
                call_taker::Output::Timeout(_) => break,
                call_taker::Output::Sip { target, bytes } => {
                    let mut from = taker.sip;
                    if target.transport == Transport::Tls {
                        from.set_port(from.port() + 1);
                    }
                    let (transport, to) = (target.transport, target.remote);
                    let bytes = self
                        .meddle
                        .map_or_else(|| bytes.clone(), |meddle| meddle(bytes.clone()));
                    if taker.plugged_in {
                        self.network.send(
                            Arrival::Sip {
                                transport,
                                from,
                                to,
                                bytes,
                            },
                            self.now,
                        );
                    }
                }
                call_taker::Output::Media { .. } if !taker.plugged_in => {}
                call_taker::Output::Media { port, to, bytes } => {
                    let from = SocketAddr::new(taker.sip.ip(), port);
                    self.network
                        .send(Arrival::Media { from, to, bytes }, self.now);
                }
                call_taker::Output::Heard { samples, .. } => taker.heard.extend(samples),
                call_taker::Output::Event(_) | call_taker::Output::CloseStream { .. } => {}
            }
        }
    }
}
