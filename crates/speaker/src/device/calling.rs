//! The emergency call on its way: the call's state machine over real SIP legs and sound.
//!
//! The only place that begins an [`EmergencyCall`], and it takes an [`Authorized`] to do so.
mod answering;
mod moving;
mod recording;

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use hearthline_emergency::call::{
    AttemptId, CallInput, CallOutput, CallSetup, ConfirmedEnd, EmergencyCall,
    EndedBy as CallEndedBy, EventKind, Line, Progress, RouteSource,
};
use hearthline_emergency::lost_client::{CachedMapping, LostClient, LostReply, LostRequestId};
use hearthline_emergency::profile::EmergencyProfile;
use hearthline_emergency::service::DrillService;
use hearthline_emergency::target::{DrillTargets, Refused};
use hearthline_emergency::timestamp::Timestamp;
use hearthline_ledger::{Body as Entry, CallEvent, Route};
use hearthline_sip::endpoint::{CallHandle, Endpoint, Event, FailureCause};
use hearthline_sip::offer_answer::{LocalAudio, offer};
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::tokens::Tokens;

use super::leg::{Sound, SoundOutput, request_of, targets_of};
use super::{DeviceConfig, Light, Output, PostToken, Step};
use crate::policy::Authorized;
use crate::words;

/// Something for the device to do or record.
pub(super) enum Effect {
    Output(Output),
    Step(Step),
    Record(Entry),
    Say(&'static str),
    Learned(Box<CachedMapping>),
    /// Something begins that needs an incident of its own.
    Begun,
    Ended {
        outcome: &'static str,
        reason: String,
        call: Option<Duration>,
    },
}

/// Why nothing was cancelled.
pub(super) enum NotCancellable {
    /// An INVITE is out: the call is with the call-taker now (DESIGN invariant 4).
    InviteHasLeft,
    /// There is no call.
    NoCall,
}

/// One INVITE and what is known of it.
struct Attempt {
    handle: CallHandle,
    line: usize,
    call_id: Option<String>,
    /// Whether it may answer when it is asked for user name and password.
    has_credentials: bool,
    /// Whether the line has asked for user name and password.
    challenged: bool,
}

/// A call under way.
struct Active {
    /// None only inside [`Calling::cancel`].
    call: Option<EmergencyCall>,
    /// The service URN, for the record.
    service: String,
    quiet: bool,
    invite_at: Duration,
    invite_left: bool,
    answered_at: Option<Duration>,
    attempts: BTreeMap<AttemptId, Attempt>,
    offer: SessionDescription,
    /// The network has changed since it began: what left before named an address that is gone.
    moved: bool,
    sound: Option<(AttemptId, Sound)>,
}

/// A call-taker calling back.
struct Callback {
    handle: CallHandle,
    call_id: String,
    described: SessionDescription,
    sound: Sound,
    since: Duration,
}

/// Calls, one at a time.
pub(super) struct Calling {
    config: DeviceConfig,
    tokens: Tokens,
    active: Option<Active>,
    callback: Option<Callback>,
    last_ended: Option<Duration>,
    last_was_quiet: bool,
    /// A re-INVITE of ours is due: our address is another one.
    change_due: Option<Duration>,
    effects: VecDeque<Effect>,
    timeout: Option<Duration>,
}

impl Calling {
    pub(super) fn new(config: DeviceConfig, tokens: Tokens) -> Self {
        Self {
            config,
            tokens,
            active: None,
            callback: None,
            last_ended: None,
            last_was_quiet: false,
            change_due: None,
            effects: VecDeque::new(),
            timeout: None,
        }
    }

    /// The next call is made by these. Our contact is where we are bound, whatever the file says.
    pub(super) fn reconfigure(&mut self, mut profile: EmergencyProfile, lines: Vec<Line>) {
        let now = &self.config.profile;
        profile.contact = now.contact.clone();
        profile.identity = now.identity.clone();
        profile.domain.clone_from(&now.domain);
        self.config.profile = profile;
        self.config.lines = lines;
    }

    /// By what the next call is made.
    pub(super) fn settings(&self) -> (EmergencyProfile, Vec<Line>) {
        (self.config.profile.clone(), self.config.lines.clone())
    }

    pub(super) fn profile(&self) -> &EmergencyProfile {
        &self.config.profile
    }

    pub(super) fn lines(&self) -> usize {
        self.config.lines.len()
    }

    /// Whether a call is under way, announced ones included.
    pub(super) fn is_active(&self) -> bool {
        self.active.is_some()
    }

    /// Whether a call is announced and no INVITE has left.
    pub(super) fn is_announcing(&self) -> bool {
        self.active
            .as_ref()
            .is_some_and(|active| !active.invite_left)
    }

    /// Whether the device must stay silent and dark.
    pub(super) fn is_quiet(&self) -> bool {
        self.active.as_ref().is_some_and(|active| active.quiet)
    }

    /// What the light shows of the call that stands.
    pub(super) fn light(&self) -> Light {
        match (&self.active, &self.callback) {
            (Some(active), _) if !active.invite_left => Light::Announcing,
            (Some(active), _) if active.answered_at.is_some() => Light::Connected,
            (Some(_), _) => Light::Calling,
            (None, Some(_)) => Light::Connected,
            (None, None) => Light::Off,
        }
    }

    /// Whether a call-taker who called back is on the line.
    pub(super) fn is_called_back(&self) -> bool {
        self.callback.is_some()
    }

    /// Whether this SIP call is the emergency call's or a call back.
    pub(super) fn owns(&self, call: CallHandle) -> bool {
        self.attempt_of(call).is_some()
            || self
                .callback
                .as_ref()
                .is_some_and(|callback| callback.handle == call)
    }

    /// Whether a call-taker may call back: within the window after a call, and none is on the line.
    pub(super) fn expects_call_back(&self, now: Duration) -> bool {
        self.active.is_none()
            && self.callback.is_none()
            && self
                .last_ended
                .is_some_and(|ended| now <= ended + hearthline_emergency::call::CALLBACK_WINDOW)
    }

    /// When the last call ended.
    pub(super) fn last_call(&self) -> Option<Duration> {
        self.last_ended
    }

    /// How long an announced call can still be cancelled.
    pub(super) fn announcing_left(&self, now: Duration) -> Option<Duration> {
        let active = self.active.as_ref().filter(|active| !active.invite_left)?;
        active.invite_at.checked_sub(now)
    }

    /// Begins the one call that `authorized` allows. LoST is asked at once; no INVITE leaves before the window has passed.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the permission is used up by the one call"
    )]
    pub(super) fn begin(
        &mut self,
        authorized: Authorized,
        lost: &LostClient,
        wall: Timestamp,
        now: Duration,
    ) -> Result<(), Refused> {
        let permit = DrillService::new(authorized.service().clone(), DrillTargets::loopback())?;
        let rtp = self.config.rtp_local;
        let session_id = self.tokens.next_u64() >> 2;
        let offer = offer(&LocalAudio::new(rtp.ip(), rtp.port()), session_id, 0);
        let setup = CallSetup {
            profile: self.config.profile.clone(),
            lines: self.config.lines.clone(),
            timers: self.config.timers,
            lost: lost.at_call(permit.service(), wall),
            sdp: Some(offer.to_bytes()),
            call_token: format!("{:016x}", self.tokens.next_u64()),
            invite_not_before: now + authorized.cancel_window(),
            await_location: false,
            wall,
        };
        let lines = setup
            .lines
            .iter()
            .map(|line: &Line| line.name.clone())
            .collect();
        let service = permit.service().as_str().to_owned();
        let call = EmergencyCall::new(permit, setup, now)?;
        self.effects.push_back(Effect::Record(
            Route {
                service,
                source: "configured".into(),
                uri: None,
                lines,
                problem: None,
            }
            .into(),
        ));
        self.active = Some(Active {
            call: Some(call),
            service: authorized.service().as_str().to_owned(),
            quiet: authorized.is_quiet(),
            invite_at: now + authorized.cancel_window(),
            invite_left: false,
            answered_at: None,
            attempts: BTreeMap::new(),
            offer,
            moved: false,
            sound: None,
        });
        Ok(())
    }

    /// Takes an announced call back. Once an INVITE has left there is nothing to take back.
    pub(super) fn cancel(&mut self, now: Duration) -> Result<(), NotCancellable> {
        let active = self.active.as_mut().ok_or(NotCancellable::NoCall)?;
        let call = active.call.take().ok_or(NotCancellable::NoCall)?;
        match call.before_invite() {
            Ok(before) => {
                let event = before.cancel(now);
                self.active = None;
                self.effects.push_back(Effect::Step(Step::Call {
                    what: event.kind,
                    call_id: None,
                }));
                self.effects.push_back(Effect::Ended {
                    outcome: "cancelled",
                    reason: "cancelled before the INVITE".into(),
                    call: None,
                });
                Ok(())
            }
            Err(call) => {
                active.call = Some(call);
                Err(NotCancellable::InviteHasLeft)
            }
        }
    }

    /// The caller asked to end the call and confirmed.
    pub(super) fn caller_ends(&mut self, confirmed: ConfirmedEnd, now: Duration) {
        self.input(CallInput::CallerEnds(confirmed), now);
    }

    pub(super) fn lost(&mut self, request: LostRequestId, reply: &LostReply<'_>, now: Duration) {
        self.input(
            CallInput::Lost {
                request,
                reply: reply.clone(),
            },
            now,
        );
    }

    pub(super) fn microphone(&mut self, samples: &[i16], now: Duration) {
        if let Some(sound) = self.sound() {
            sound.microphone(samples, now);
        }
    }

    pub(super) fn rtp(&mut self, datagram: &[u8], now: Duration) {
        if let Some(sound) = self.sound() {
            sound.rtp(datagram, now);
        }
    }

    pub(super) fn rtcp(&mut self, datagram: &[u8], now: Duration) {
        if let Some(sound) = self.sound() {
            sound.rtcp(datagram, now);
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Duration) {
        if let Some(call) = self.active.as_mut().and_then(|active| active.call.as_mut()) {
            call.handle_timeout(now);
        }
        if let Some(sound) = self.sound() {
            sound.handle_timeout(now);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        [self.timeout, self.change_due].into_iter().flatten().min()
    }

    pub(super) fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Lets the call and its sound act; true when something happened.
    pub(super) fn run(&mut self, endpoint: &mut Endpoint, now: Duration) -> bool {
        let mut moved = false;
        self.timeout = None;
        self.offer_change(endpoint, now);
        while let Some(call) = self.active.as_mut().and_then(|active| active.call.as_mut()) {
            match call.poll_output() {
                CallOutput::Timeout(at) => {
                    self.timeout = at;
                    break;
                }
                output => self.call_output(output, endpoint, now),
            }
            moved = true;
        }
        while let Some(sound) = self.sound() {
            match sound.poll(now) {
                Err(at) => {
                    self.timeout = [self.timeout, at].into_iter().flatten().min();
                    break;
                }
                Ok(output) => self.sound_output(output),
            }
        }
        moved
    }

    /// Something happened to a SIP call.
    pub(super) fn sip_event(&mut self, event: Event, endpoint: &mut Endpoint, now: Duration) {
        match event {
            Event::Reached { call, status, .. } if status.code() == 100 => {
                self.progress(call, Progress::Trying, now);
            }
            Event::Reached { call, status, .. } if matches!(status.code(), 401 | 407) => {
                self.challenged(call, status.code(), now);
            }
            Event::Progress { call, response } => {
                self.response(call, CallEvent::Progress, &response);
                self.progress(
                    call,
                    Progress::Ringing {
                        status: response.status.code(),
                    },
                    now,
                );
            }
            Event::Answered { call, response } => self.answered(call, &response, endpoint, now),
            Event::Failed { call, cause } => {
                if let FailureCause::Response(response) | FailureCause::RedirectLoop(response) =
                    &cause
                {
                    self.response(call, CallEvent::Failed, response);
                }
                if let Some(progress) = progress_of(&cause) {
                    self.progress(call, progress, now);
                }
            }
            Event::Ended { call, by, .. } => self.ended(call, by, now),
            Event::ReinviteAnswered { call, response } => self.change_answered(call, &response),
            Event::Reinvite { call, request } | Event::Update { call, request } => {
                self.reoffered(call, &request, endpoint, now);
            }
            Event::Incoming { call, request, .. } => self.incoming(call, &request, endpoint, now),
            // Everything else is the endpoint's own business, or answered by it.
            _ => {}
        }
    }

    fn call_output(&mut self, output: CallOutput, endpoint: &mut Endpoint, now: Duration) {
        match output {
            CallOutput::LostPost(post) => {
                let token = PostToken::Call(post.request);
                self.effect(Output::Post { token, post });
            }
            CallOutput::Invite {
                attempt,
                line,
                transports,
                invite,
            } => {
                let targets = targets_of(&invite.next_hop, &transports);
                let credentials = self
                    .config
                    .lines
                    .get(line)
                    .filter(|line| line.is_at(&invite.next_hop))
                    .and_then(|line| line.credentials.as_ref());
                let has_credentials = credentials.is_some();
                let sent = request_of(&invite, targets, credentials)
                    .map_err(|error| error.to_string())
                    .and_then(|request| {
                        endpoint
                            .invite(request, now)
                            .map_err(|error| error.to_string())
                    });
                let Some(active) = self.active.as_mut() else {
                    return;
                };
                active.invite_left = true;
                match sent {
                    Ok(handle) => {
                        active.attempts.insert(
                            attempt,
                            Attempt {
                                handle,
                                line,
                                call_id: None,
                                has_credentials,
                                challenged: false,
                            },
                        );
                        self.invited(line, &invite.parts);
                    }
                    Err(what) => {
                        self.effects.push_back(Effect::Step(Step::Trouble { what }));
                        self.input(
                            CallInput::Progress {
                                attempt,
                                progress: Progress::TransportFailed,
                            },
                            now,
                        );
                    }
                }
            }
            CallOutput::Abandon { attempt } | CallOutput::HangUp { attempt } => {
                if let Some(attempt) = self
                    .active
                    .as_ref()
                    .and_then(|active| active.attempts.get(&attempt))
                {
                    // An attempt that is over already has nothing to end.
                    let _ = endpoint.bye(attempt.handle, None, now);
                }
            }
            CallOutput::Learned(mapping) => self.effects.push_back(Effect::Learned(mapping)),
            CallOutput::Event(event) => self.call_event(event.kind, now),
            CallOutput::Timeout(_) => {}
        }
    }

    fn call_event(&mut self, kind: EventKind, now: Duration) {
        let quiet = self.is_quiet();
        let call_id = self.active.as_ref().and_then(|active| {
            active
                .attempts
                .values()
                .next_back()
                .and_then(|attempt| attempt.call_id.clone())
        });
        match &kind {
            EventKind::Routed { source, reason } => {
                let source = match source {
                    RouteSource::Fresh => "lost",
                    RouteSource::Cached | RouteSource::Stale => "cache",
                    RouteSource::None => "configured",
                };
                let problem = (!reason.is_empty()).then(|| reason.clone());
                let route = Route {
                    service: self
                        .active
                        .as_ref()
                        .map_or_else(String::new, |active| active.service.clone()),
                    source: source.into(),
                    uri: None,
                    lines: Vec::new(),
                    problem,
                };
                self.effects.push_back(Effect::Record(route.into()));
            }
            EventKind::GaveWay { line, reason, .. } | EventKind::Failed { line, reason, .. } => {
                self.record_call(
                    CallEvent::NextLine,
                    call_id.as_deref().unwrap_or(""),
                    *line,
                    None,
                    Some(reason),
                );
                if !quiet && self.lines() > 1 {
                    self.effects
                        .push_back(Effect::Say(words::TRYING_ANOTHER_LINE));
                }
            }
            EventKind::Answered { .. } => {
                if let Some(active) = self.active.as_mut() {
                    active.answered_at = Some(now);
                }
                if !quiet {
                    self.effect(Output::Hush);
                    self.effect(Output::Light(Light::Connected));
                }
            }
            _ => {}
        }
        let over = match &kind {
            EventKind::Ended { by } => Some(*by),
            _ => None,
        };
        self.effects.push_back(Effect::Step(Step::Call {
            what: kind,
            call_id,
        }));
        if let Some(by) = over {
            self.finish(by, now);
        }
    }

    fn finish(&mut self, by: CallEndedBy, now: Duration) {
        let Some(mut active) = self.active.take() else {
            return;
        };
        if let Some((attempt, mut sound)) = active.sound.take() {
            sound.close(now);
            let call_id = active
                .attempts
                .get(&attempt)
                .and_then(|attempt| attempt.call_id.clone())
                .unwrap_or_default();
            while let Ok(output) = sound.poll(now) {
                self.sound_output(output);
            }
            self.effects
                .push_back(Effect::Record(sound.statistics(&call_id).into()));
        }
        self.last_ended = Some(now);
        self.last_was_quiet = active.quiet;
        if !active.quiet {
            self.effects.push_back(Effect::Say(words::CALL_ENDED));
        }
        let reason = match by {
            CallEndedBy::CallTaker => "the call-taker hung up",
            CallEndedBy::Caller => "the caller asked to end and confirmed",
            CallEndedBy::CancelledBeforeInvite => "cancelled before the INVITE",
        };
        let outcome = if active.answered_at.is_some() {
            "answered"
        } else {
            "not answered"
        };
        let call = active.answered_at.map(|at| now.saturating_sub(at));
        self.effects.push_back(Effect::Ended {
            outcome,
            reason: reason.into(),
            call,
        });
    }

    fn sound_output(&mut self, output: SoundOutput) {
        match output {
            SoundOutput::Rtp(to, bytes) => self.effect(Output::Rtp { to, bytes }),
            SoundOutput::Rtcp(to, bytes) => self.effect(Output::Rtcp { to, bytes }),
            // In a quiet call the call-taker's voice would give the caller away: it is heard by nobody in the room.
            SoundOutput::Play(_) if self.is_quiet() => {}
            SoundOutput::Play(samples) => self.effect(Output::Play(samples)),
            SoundOutput::Event(event) => self.effects.push_back(Effect::Step(Step::Media {
                what: format!("{event:?}"),
            })),
        }
    }

    pub(super) fn progress(&mut self, call: CallHandle, progress: Progress, now: Duration) {
        if let Some(attempt) = self.attempt_of(call) {
            self.input(CallInput::Progress { attempt, progress }, now);
        }
    }

    pub(super) fn input(&mut self, input: CallInput<'_>, now: Duration) {
        if let Some(call) = self.active.as_mut().and_then(|active| active.call.as_mut()) {
            call.handle_input(input, now);
        }
    }

    /// The line asks who calls, and the endpoint answers by itself. Recorded once; a challenge after that is the line's
    /// refusal and recorded as such.
    fn challenged(&mut self, call: CallHandle, status: u16, now: Duration) {
        let attempt = self.attempt_of(call).and_then(|id| {
            self.active
                .as_mut()
                .and_then(|active| active.attempts.get_mut(&id))
        });
        let Some(attempt) = attempt else {
            return;
        };
        let line = attempt.line;
        if !attempt.has_credentials {
            return;
        }
        if !core::mem::replace(&mut attempt.challenged, true) {
            self.record_call(
                CallEvent::Message,
                "",
                line,
                Some(status),
                Some("the line asks for user name and password"),
            );
        }
        self.progress(call, Progress::Challenged { status }, now);
    }

    pub(super) fn attempt_of(&self, call: CallHandle) -> Option<AttemptId> {
        let active = self.active.as_ref()?;
        active
            .attempts
            .iter()
            .find(|(_, attempt)| attempt.handle == call)
            .map(|(id, _)| *id)
    }

    pub(super) fn line_of(&self, attempt: AttemptId) -> usize {
        self.active
            .as_ref()
            .and_then(|active| active.attempts.get(&attempt))
            .map_or(0, |attempt| attempt.line)
    }

    pub(super) fn call_id_of(&self, attempt: AttemptId) -> String {
        let active = self.active.as_ref();
        active
            .and_then(|active| active.attempts.get(&attempt))
            .and_then(|attempt| attempt.call_id.clone())
            .unwrap_or_default()
    }

    pub(super) fn sound(&mut self) -> Option<&mut Sound> {
        match (&mut self.active, &mut self.callback) {
            (Some(active), _) => active.sound.as_mut().map(|(_, sound)| sound),
            (None, Some(callback)) => Some(&mut callback.sound),
            (None, None) => None,
        }
    }

    pub(super) fn effect(&mut self, output: Output) {
        self.effects.push_back(Effect::Output(output));
    }
}

/// What a failure means for the emergency call; none when the call itself gave the attempt up.
fn progress_of(cause: &FailureCause) -> Option<Progress> {
    match cause {
        FailureCause::Response(response) | FailureCause::RedirectLoop(response) => {
            let contacts = match response.headers.contacts() {
                Ok(hearthline_sip::typed::Contacts::List(list)) => {
                    list.iter().map(|contact| contact.uri.to_string()).collect()
                }
                _ => Vec::new(),
            };
            let retry_after_s = response
                .headers
                .retry_after()
                .ok()
                .flatten()
                .map(|after| after.seconds);
            Some(Progress::Rejected {
                status: response.status.code(),
                retry_after_s,
                contacts,
            })
        }
        FailureCause::Timeout | FailureCause::NotAnswered => Some(Progress::TimedOut),
        FailureCause::TransportFailed => Some(Progress::TransportFailed),
        FailureCause::Cancelled => None,
    }
}
