//! The device: everything it does, without a socket, a clock or a thread.
//!
//! ```text
//!  hearing ──► Heard ─► policy ─► Decision ─┬─► announce ─► emergency call ─► SIP endpoint ─► Transmit
//!  microphone ─► media session ─► RTP       ├─► ask, answer, refuse ─► Say
//!  network ───► SIP endpoint, media         └─► every step ─► recorder ─► Keep
//! ```
//! **Hand in an input, then drain [`Device::poll_output`] until it says `Timeout`.** Feedback (an answer, a cancel, the end
//! of our own speech, an entry that became durable) comes back only as the next input.
mod by_hand;
mod calling;
mod conversation;
mod deciding;
mod exchange;
mod explaining;
mod leg;
mod messaging;
mod moving;
mod reloading;
mod skills;
mod telephony;
mod volume;

use core::time::Duration;
use std::collections::VecDeque;
use std::net::SocketAddr;

use hearthline_emergency::call::{CallTimers, Line};
use hearthline_emergency::lost_client::{LostClient, LostConfig, LostOutput, locations_of};
use hearthline_emergency::profile::EmergencyProfile;
use hearthline_emergency::service::ServiceUrn;
use hearthline_emergency::timestamp::Timestamp;
use hearthline_ledger::{DecisionMode, Recovery};
use hearthline_sip::endpoint::{Endpoint, EndpointConfig, Transport};
use hearthline_sip::tokens::Tokens;
use hearthline_voice::clock::SampleIndex;
use hearthline_voice::listen::Output as Hearing;
use hearthline_voice::understand::household::KnownNames;
use hearthline_voice::understand::{Country, Intent, Service};

use crate::messages::Messages;
use crate::policy::{Mode, Policy, Situation};
use crate::record::Recorder;
use crate::telephone::Telephone;
use calling::Calling;
pub use exchange::{Input, Light, Output, PostToken, Step};
pub use reloading::Settings;
use volume::Volume;

/// How long our own speech may take before the device goes on as if it had ended, in ms.
const SPEECH_MS_MAX: u64 = 15_000;
/// How long an answer that began in time may take to be understood, in seconds.
const REPLY_GRACE_S: u64 = 4;

/// How a device is set up.
pub struct DeviceConfig {
    /// The household, for the call-taker.
    pub profile: EmergencyProfile,
    /// Lines, the preferred first.
    pub lines: Vec<Line>,
    /// Timers of the emergency call.
    pub timers: CallTimers,
    /// Servers that know the responsible call-taker.
    pub lost: LostConfig,
    /// Whose emergency numbers count.
    pub country: Country,
    /// How calls are announced.
    pub mode: Mode,
    /// Our SIP addresses, one per transport.
    pub sip_local: Vec<(Transport, SocketAddr)>,
    /// Where RTP arrives; RTCP is one above.
    pub rtp_local: SocketAddr,
    /// Randomness for tokens, salts and keys of this run.
    pub seed: [u8; 32],
    /// Wall clock at `now == 0`, in milliseconds since 1970-01-01 UTC. An annotation, never a decision.
    pub wall_ms_at_zero: u64,
}

/// The question that is open.
#[derive(Debug, Clone, Copy)]
struct Question {
    situation: Situation,
    /// No answer by then is an answer too. Set when our own words have ended.
    until: Option<Duration>,
    /// Latest time for our own words.
    speech_until: Duration,
}

/// The device.
pub struct Device {
    policy: Policy,
    country: Country,
    recorder: Recorder,
    endpoint: Endpoint,
    lost: LostClient,
    calling: Calling,
    telephone: Telephone,
    /// The names of the home, once the hub has told them.
    names: Option<KnownNames>,
    messages: Messages,
    /// What is to be sent to whoever is chosen: "Which Anna?"
    for_whom: Option<Intent>,
    /// The wake word was heard while a message played: when.
    woken_over_message: Option<Duration>,
    volume: Volume,
    skills: skills::Skills,
    question: Option<Question>,
    pre_roll: Option<(SampleIndex, Vec<i16>)>,
    /// The wake word was heard, and what was said behind it is still being heard.
    addressed: bool,
    /// The button is held, or what was said while it was is still being understood.
    by_hand: bool,
    /// We are speaking: latest time for the end of it.
    speech_until: Option<Duration>,
    /// Settings that wait until no call stands.
    new_settings: Option<Box<Settings>>,
    /// Time of the newest input.
    now: Duration,
    wall_ms_at_zero: u64,
    outputs: VecDeque<Output>,
}

impl Device {
    /// Starts a device over its recorder. Asks LoST for the household's call-taker at once, and answers nothing before.
    #[must_use]
    pub fn new(
        config: DeviceConfig,
        recorder: Recorder,
        recovery: &Recovery,
        lost_cache: Option<&[u8]>,
        now: Duration,
    ) -> Self {
        let tokens = Tokens::from_seed(config.seed);
        let mut endpoint_config =
            EndpointConfig::new(tokens.fork("sip").next_bytes(), config.sip_local.clone());
        endpoint_config.user_agent =
            Some(concat!("hearthline/", env!("CARGO_PKG_VERSION"), " (drill)").into());
        endpoint_config.end_on_session_expiry = false;
        // Of ordinary calls; in an emergency call every REFER is refused.
        endpoint_config.transfers = true;
        // A line's own transports are used as they are configured, whatever the size of the message.
        endpoint_config.large_over_tcp = false;
        // The order and choice of lines is the emergency call's; below it no redirection is followed.
        endpoint_config.redirects = hearthline_sip::endpoint::RedirectPolicy::Surface;
        let mut lost = LostClient::new(config.lost.clone());
        let mut outputs = VecDeque::new();
        if let Some(bytes) = lost_cache
            && let Err(error) = lost.restore(bytes)
        {
            outputs.push_back(Output::Step(Step::Trouble {
                what: format!("the LoST cache is not used: {error}"),
            }));
        }
        if let Some(why) = &recovery.why {
            outputs.push_back(Output::Step(Step::Trouble {
                what: format!(
                    "the record's torn end was cut ({} bytes): {why}",
                    recovery.cut_bytes.len()
                ),
            }));
        }
        let mut device = Self {
            policy: Policy::new(config.mode),
            country: config.country,
            recorder,
            endpoint: Endpoint::new(endpoint_config),
            lost,
            question: None,
            pre_roll: None,
            addressed: false,
            by_hand: false,
            speech_until: None,
            new_settings: None,
            now,
            wall_ms_at_zero: config.wall_ms_at_zero,
            outputs,
            telephone: Telephone::new(
                config.country,
                tokens.fork("telephone"),
                Duration::from_millis(config.wall_ms_at_zero),
            ),
            names: None,
            messages: Messages::new(tokens.fork("messages"), config.wall_ms_at_zero),
            for_whom: None,
            woken_over_message: None,
            volume: Volume::default(),
            skills: skills::Skills::default(),
            calling: Calling::new(config, tokens.fork("calling")),
        };
        let profile = device.calling.profile();
        let locations = locations_of(profile.civic.as_ref(), profile.shape.as_ref());
        let services = Service::ALL
            .iter()
            .filter_map(|service| ServiceUrn::parse(service.urn()).ok())
            .collect();
        let wall = device.wall(now);
        device.lost.start(locations, services, now, wall);
        device.drain(now);
        device
    }

    /// Takes what happened outside. Drain [`Device::poll_output`] afterwards.
    pub fn handle(&mut self, input: Input<'_>, now: Duration) {
        self.now = now;
        match input {
            Input::Hearing(hearing) => self.hear(hearing, now),
            Input::PreRoll { first, samples } => self.pre_roll = Some((first, samples)),
            Input::Microphone(samples) => {
                self.calling.microphone(samples, now);
                self.telephone.microphone(samples, now);
                self.messages.microphone(samples);
            }
            Input::Sip(input) => self.sip(input, now),
            Input::Media { from, to, bytes } => self.telephone.packet(from, to, bytes, now),
            Input::Moved { ports, sip, rtp } => self.moved(&ports, sip, rtp, now),
            Input::Directory(names) => self.set_directory(&names),
            Input::Hub(news) => self.hub_says(news, now),
            Input::Told { id } => self.told(id, now),
            Input::Rtp(datagram) => self.calling.rtp(datagram, now),
            Input::Rtcp(datagram) => self.calling.rtcp(datagram, now),
            Input::Lost {
                token: PostToken::Start(request),
                reply,
            } => {
                let wall = self.wall(now);
                self.lost.handle_reply(request, &reply, now, wall);
            }
            Input::Lost {
                token: PostToken::Call(request),
                reply,
            } => self.calling.lost(request, &reply, now),
            Input::SpeechEnded => {
                self.speech_until = None;
                self.own_words_ended();
                self.speech_ended(now);
            }
            Input::KeptOf { skill, token } => self.kept_of(skill, token, now),
            Input::CameFor { skill, value } => self.came_for(skill, value, now),
            Input::Wall { ms_at_zero } => {
                self.wall_ms_at_zero = ms_at_zero;
                self.wall_was_set(ms_at_zero, now);
            }
            Input::Durable { seq } => self.recorder.durable(seq, now),
            Input::Held => self.held(now),
            Input::Released => self.released(),
            Input::Typed(text) => self.typed(text, now),
            Input::CancelButton => self.cancel("button", now),
            Input::Timeout => self.timeout(now),
        }
        self.drain(now);
    }

    /// What to do next, until it says [`Output::Timeout`].
    pub fn poll_output(&mut self) -> Output {
        if let Some(output) = self.outputs.pop_front() {
            return output;
        }
        if let Some(keep) = self.recorder.poll_keep() {
            return Output::Keep(keep);
        }
        Output::Timeout(self.next_timeout())
    }

    /// Puts an output back that the adapter drained too early; it comes again first-in, first-out.
    pub fn give_back(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// The record, for exporting.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// What the device is about.
    #[must_use]
    pub fn situation(&self) -> Situation {
        match (
            &self.question,
            self.calling.is_announcing(),
            self.calling.is_active(),
        ) {
            (Some(question), _, _) => question.situation,
            (None, true, _) => Situation::Announcing,
            (None, false, true) => Situation::Calling,
            (None, false, false) => Situation::Idle,
        }
    }

    fn hear(&mut self, hearing: Hearing, now: Duration) {
        if self.took_hearing(&hearing, now) {
            return;
        }
        match hearing {
            Hearing::Wake(wake) => {
                self.hush_own_words();
                self.addressed = true;
                self.by_hand = false;
                if self.recorder.incident().is_none() {
                    self.recorder.begin_incident();
                }
                self.recorder.wake(&wake, now);
                self.light(Light::Listening);
                self.step(Step::Wake {
                    keyword: wake.keyword.clone(),
                    score: wake.score,
                    at_sample: wake.at.0,
                });
            }
            Hearing::VoiceStarted { .. } | Hearing::VoiceStopped { .. } => {}
            Hearing::Understood(heard) | Hearing::Reply(heard) => {
                self.addressed = false;
                self.understood(&heard, now);
            }
            Hearing::NoSpeech { .. } => {
                self.by_hand_in_vain();
                let addressed = core::mem::take(&mut self.addressed);
                self.no_speech(addressed, now);
            }
            Hearing::Failed(error) => {
                self.by_hand_in_vain();
                let addressed = core::mem::take(&mut self.addressed);
                self.not_understood(&error.to_string(), addressed, now);
            }
        }
    }

    fn sip(&mut self, input: hearthline_sip::endpoint::Input<'_>, now: Duration) {
        use hearthline_sip::endpoint::Input as Sip;
        self.endpoint.handle_input(input, now);
        match input {
            Sip::Received {
                transport, remote, ..
            } => self.telephone.heard_from(transport, remote, now),
            Sip::StreamClosed { transport, remote } => {
                self.telephone.connection_closed(transport, remote, now);
            }
            Sip::TransportFailed { .. } | Sip::Timeout => {}
        }
    }

    fn timeout(&mut self, now: Duration) {
        self.endpoint
            .handle_input(hearthline_sip::endpoint::Input::Timeout, now);
        self.calling.handle_timeout(now);
        self.telephone.handle_timeout(&mut self.endpoint, now);
        self.messages.handle_timeout(now);
        self.skills_timeout(now);
        self.recorder.handle_timeout(now);
        let wall = self.wall(now);
        self.lost.handle_timeout(now, wall);
        if let Some(question) = self.question {
            if question.until.is_none() && question.speech_until <= now {
                self.speech_ended(now);
            } else if question.until.is_some_and(|until| until <= now) {
                self.nothing_said(now);
            }
        }
    }

    /// Moves everything forward until nobody has anything left to say.
    fn drain(&mut self, now: Duration) {
        loop {
            let mut moved = false;
            loop {
                match self.endpoint.poll_output(now) {
                    hearthline_sip::endpoint::Output::Transmit { target, bytes } => {
                        self.outputs.push_back(Output::Sip { target, bytes });
                    }
                    hearthline_sip::endpoint::Output::Close { transport, remote } => {
                        self.outputs
                            .push_back(Output::CloseStream { transport, remote });
                    }
                    hearthline_sip::endpoint::Output::Event(event) => {
                        moved = true;
                        self.sip_event(event, now);
                    }
                    hearthline_sip::endpoint::Output::Timeout(_) => break,
                }
            }
            moved |= self.calling.run(&mut self.endpoint, now);
            while let Some(effect) = self.calling.poll_effect() {
                moved = true;
                self.take_effect(effect, now);
            }
            self.give_way(now);
            moved |= self.drain_telephone(now);
            moved |= self.drain_messages(now);
            moved |= self.drain_skills(now);
            moved |= self.settle(now);
            if !moved {
                break;
            }
        }
        loop {
            match self.lost.poll_output() {
                LostOutput::Post(post) => {
                    self.outputs.push_back(Output::Post {
                        token: PostToken::Start(post.request),
                        post,
                    });
                }
                LostOutput::CacheChanged => self
                    .outputs
                    .push_back(Output::KeepLostCache(self.lost.cache_bytes())),
                LostOutput::Event(_) => {}
                LostOutput::Timeout(_) => break,
            }
        }
    }

    fn take_effect(&mut self, effect: calling::Effect, now: Duration) {
        use calling::Effect;
        match effect {
            Effect::Output(output) => {
                if matches!(output, Output::Hush) {
                    self.speech_until = None;
                }
                self.outputs.push_back(output);
            }
            Effect::Step(step) => self.step(step),
            Effect::Record(body) => self.recorder.write(body, None, now),
            Effect::Say(text) => self.say(text, now),
            Effect::Learned(mapping) => self.lost.learn(*mapping),
            Effect::Begun => {
                if self.recorder.incident().is_none() {
                    self.recorder.begin_incident();
                }
            }
            Effect::Ended {
                outcome,
                reason,
                call,
            } => {
                self.question = None;
                self.step(Step::Ended { outcome });
                self.light(self.calling.light());
                self.recorder.end_incident(outcome, &reason, call, now);
            }
        }
    }

    /// The wake word has lit the ring; a question or a call that stands shows itself again.
    fn light_again(&mut self) {
        let situation = self.question.map(|question| question.situation);
        if let Some(Situation::Asking { .. }) = situation {
            self.light(Light::Asking);
        } else if self.calling.is_active() || self.calling.is_called_back() {
            self.light(self.calling.light());
        }
    }

    /// Ends an interaction that did not become a call.
    fn finish(&mut self, outcome: &'static str, reason: &str, now: Duration) {
        if self.calling.is_active() || self.calling.is_called_back() || self.question.is_some() {
            self.light_again();
            return;
        }
        self.pre_roll = None;
        self.rest_light();
        self.step(Step::Ended { outcome });
        self.recorder.end_incident(outcome, reason, None, now);
    }

    fn say(&mut self, text: &str, now: Duration) {
        self.hush_message(now);
        self.speak(text, now);
    }

    fn speak(&mut self, text: &str, now: Duration) {
        if self.calling.is_quiet() {
            return;
        }
        self.own_words_ended();
        self.recorder.speech(text, now);
        self.step(Step::Said {
            text: text.to_owned(),
        });
        self.speech_until = Some(now + Duration::from_millis(SPEECH_MS_MAX));
        self.outputs.push_back(Output::Say(text.to_owned()));
    }

    fn light(&mut self, light: Light) {
        if !self.calling.is_quiet() {
            self.outputs.push_back(Output::Light(light));
        }
    }

    fn step(&mut self, step: Step) {
        self.outputs.push_back(Output::Step(step));
    }

    fn plain_mode(&self) -> DecisionMode {
        match self.policy.mode() {
            Mode::Announced { .. } => DecisionMode::Announced,
            Mode::Immediate => DecisionMode::Immediate,
        }
    }

    fn wall(&self, now: Duration) -> Timestamp {
        let ms = self.wall_ms_at_zero + u64::try_from(now.as_millis()).unwrap_or(0);
        Timestamp::from_unix_ms(i64::try_from(ms).unwrap_or(i64::MAX))
    }

    fn next_timeout(&mut self) -> Option<Duration> {
        let endpoint = match self.endpoint.poll_output(self.now) {
            hearthline_sip::endpoint::Output::Timeout(at) => at,
            _ => None,
        };
        let lost = match self.lost.poll_output() {
            LostOutput::Timeout(at) => at,
            _ => None,
        };
        let question = self
            .question
            .map(|question| question.until.unwrap_or(question.speech_until));
        [
            endpoint,
            lost,
            question,
            self.calling.poll_timeout(),
            self.telephone.poll_timeout(),
            self.messages.poll_timeout(),
            self.skills.poll_timeout(),
            self.speech_until.filter(|until| *until > self.now),
            Some(self.recorder.poll_timeout()),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
