//! The call-taker, without sockets: SIP and RTP come in as bytes, what it does comes out.
//!
//! ```text
//! SIP bytes ─► Endpoint ─► Incoming ─► inspect ─► facts
//!                              └─► behaviour: ring, answer, refuse, … ─► Endpoint ─► SIP bytes
//! RTP bytes ─► media session ─► what is heard;   its voice ─► media session ─► RTP bytes
//! ```
//! Feed with `handle_*`, drain [`CallTaker::poll_output`] until it says [`Output::Timeout`].
//! Everything stays on loopback: a request from elsewhere is not answered, media are sent nowhere else.

use core::time::Duration;
use std::collections::VecDeque;
use std::net::SocketAddr;

use hearthline_media::Event as MediaEvent;
use hearthline_sip::endpoint::{
    self, Body, CallHandle, CommandError, EndedBy, Endpoint, Input, Refusal,
};
use hearthline_sip::offer_answer::{self, LocalAudio, Negotiated};
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::target::Transport;
use hearthline_sip::{HeaderName, Request, StatusCode};

use crate::answer_body::{defective, moved, read_session};
use crate::behaviour::{Answer, Behaviour, Reinvite, Ring};
use crate::call_media::{CallMedia, MediaOutput};
pub use crate::call_taker_config::CallTakerConfig;
pub use crate::call_taker_output::{Event, Output};
use crate::fact::Fact;
use crate::inspection::inspect;
use crate::report::{CallReport, CallState};

/// What is to be done with a call at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Ring,
    Final,
    HangUp,
    Reinvite,
}

struct Call {
    handle: CallHandle,
    behaviour: Behaviour,
    offer: Option<SessionDescription>,
    /// What we said last in SDP.
    description: Option<SessionDescription>,
    due: Vec<(Duration, Due)>,
    port: Option<u16>,
    media: Option<CallMedia>,
    arrived: Duration,
    first_audio: Option<Duration>,
    /// Where the INVITE was sent, for a redirection to the same place.
    own_uri: String,
    report: CallReport,
}

/// The call-taker.
pub struct CallTaker {
    config: CallTakerConfig,
    endpoint: Endpoint,
    calls: Vec<Call>,
    calls_seen: u32,
    free_ports: VecDeque<u16>,
    outputs: VecDeque<Output>,
    deadline: Option<Duration>,
    outside_refused: u64,
}

impl CallTaker {
    /// A call-taker without calls.
    #[must_use]
    pub fn new(config: CallTakerConfig) -> Self {
        Self {
            endpoint: Endpoint::new(config.endpoint.clone()),
            free_ports: config.media_ports.iter().copied().collect(),
            calls: Vec::new(),
            calls_seen: 0,
            outputs: VecDeque::new(),
            deadline: None,
            outside_refused: 0,
            config,
        }
    }

    /// SIP bytes, or news of a SIP transport.
    pub fn handle_sip(&mut self, input: Input<'_>, now: Duration) {
        if let Input::Received { remote, .. } = input {
            if !remote.ip().is_loopback() {
                self.outside_refused += 1;
                return;
            }
            if self.next_behaviour().answer == Answer::Dead {
                return; // a dead machine takes the bytes and does nothing
            }
        }
        self.endpoint.handle_input(input, now);
        self.pump(now);
    }

    /// A datagram on the media socket `port` (RTP) or `port + 1` (RTCP).
    pub fn handle_media(&mut self, port: u16, from: SocketAddr, datagram: &[u8], now: Duration) {
        let call = self.calls.iter_mut().find(|call| {
            call.port
                .is_some_and(|own| own == port || own.checked_add(1) == Some(port))
        });
        let Some(call) = call else { return };
        let rtp = call.port == Some(port);
        if let Some(media) = &mut call.media {
            if rtp {
                media.handle_rtp(from, datagram, now);
            } else {
                media.handle_rtcp(from, datagram, now);
            }
        }
        self.pump(now);
    }

    /// The time of the last [`Output::Timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.endpoint.handle_input(Input::Timeout, now);
        self.pump(now);
    }

    /// The next thing to do. Drain until [`Output::Timeout`].
    pub fn poll_output(&mut self, now: Duration) -> Output {
        if self.outputs.is_empty() {
            self.pump(now);
        }
        self.outputs
            .pop_front()
            .unwrap_or(Output::Timeout(self.deadline))
    }

    /// Behaves so from the next call on.
    pub fn set_behaviours(&mut self, behaviours: Vec<Behaviour>) {
        self.config.behaviours = behaviours;
        self.calls_seen = 0;
    }

    /// Ends a call from this side.
    ///
    /// # Errors
    /// [`CommandError`] when there is no such call or it is over.
    pub fn hang_up(&mut self, call: u32, now: Duration) -> Result<(), CommandError> {
        let handle = self
            .calls
            .iter()
            .find(|own| own.report.id == call && own.report.state != CallState::Ended)
            .map(|own| own.handle)
            .ok_or(CommandError::UnknownCall)?;
        self.endpoint.bye(handle, None, now)?;
        self.pump(now);
        Ok(())
    }

    /// What is known about a call, its audio up to now.
    #[must_use]
    pub fn report(&self, call: u32) -> Option<CallReport> {
        self.calls
            .iter()
            .find(|own| own.report.id == call)
            .map(Call::current_report)
    }

    /// All calls remembered, oldest first.
    #[must_use]
    pub fn reports(&self) -> Vec<CallReport> {
        self.calls.iter().map(Call::current_report).collect()
    }

    /// Notes where a call's audio was written.
    pub fn set_recording(&mut self, call: u32, place: String) {
        if let Some(own) = self.calls.iter_mut().find(|own| own.report.id == call) {
            own.report.recording = Some(place);
        }
    }

    /// Requests from beyond loopback, none of which was answered.
    #[must_use]
    pub fn outside_refused(&self) -> u64 {
        self.outside_refused
    }

    fn next_behaviour(&self) -> &Behaviour {
        static WELL: std::sync::LazyLock<Behaviour> = std::sync::LazyLock::new(Behaviour::default);
        let behaviours = &self.config.behaviours;
        let index = (self.calls_seen as usize).min(behaviours.len().saturating_sub(1));
        behaviours.get(index).unwrap_or(&WELL)
    }

    /// Does all that is due and collects all that comes out.
    fn pump(&mut self, now: Duration) {
        loop {
            self.run_due(now);
            let sip_deadline = self.drain_endpoint(now);
            let media_deadline = self.drain_media(now);
            let due = self
                .calls
                .iter()
                .flat_map(|call| call.due.iter().map(|(at, _)| *at))
                .min();
            self.deadline = [sip_deadline, media_deadline, due]
                .into_iter()
                .flatten()
                .min();
            if due.is_none_or(|due| due > now) {
                return;
            }
        }
    }

    fn drain_endpoint(&mut self, now: Duration) -> Option<Duration> {
        loop {
            match self.endpoint.poll_output(now) {
                endpoint::Output::Transmit { target, bytes } => {
                    let withheld = bytes.starts_with(b"ACK ")
                        && self.calls.iter().any(|call| call.behaviour.withhold_ack);
                    if !withheld {
                        self.push(Output::Sip { target, bytes });
                    }
                }
                endpoint::Output::Close { transport, remote } => {
                    self.push(Output::CloseStream { transport, remote });
                }
                endpoint::Output::Event(event) => self.on_sip_event(event, now),
                endpoint::Output::Timeout(next) => return next,
            }
        }
    }

    fn drain_media(&mut self, now: Duration) -> Option<Duration> {
        let mut deadline: Option<Duration> = None;
        let mut outputs = Vec::new();
        for call in &mut self.calls {
            let (Some(media), Some(port)) = (&mut call.media, call.port) else {
                continue;
            };
            let (id, report, first_audio) =
                (call.report.id, &mut call.report, &mut call.first_audio);
            let arrived = call.arrived;
            let next = media.drain(now, |output| {
                outputs.push(match output {
                    MediaOutput::Rtp(to, bytes) => Output::Media { port, to, bytes },
                    MediaOutput::Rtcp(to, bytes) => Output::Media {
                        port: port.saturating_add(1),
                        to,
                        bytes,
                    },
                    MediaOutput::Heard(samples) => Output::Heard { call: id, samples },
                    MediaOutput::Event(event) => {
                        match &event {
                            MediaEvent::FirstPacketReceived => {
                                *first_audio = Some(now);
                                report.first_audio_after_ms = Some(millis(now - arrived));
                            }
                            MediaEvent::Digit { digit, .. } if report.digits.len() < 256 => {
                                report.digits.push(*digit);
                            }
                            _ => {}
                        }
                        Output::Event(Event::Media { call: id, event })
                    }
                });
            });
            deadline = [deadline, next].into_iter().flatten().min();
        }
        for output in outputs {
            self.push(output);
        }
        deadline
    }

    fn run_due(&mut self, now: Duration) {
        let mut ready: Vec<(Duration, CallHandle, Due)> = Vec::new();
        for call in &mut self.calls {
            call.due.retain(|&(at, due)| {
                if at <= now {
                    ready.push((at, call.handle, due));
                }
                at > now
            });
        }
        ready.sort_by_key(|(at, ..)| *at);
        for (_, handle, due) in ready {
            let result = match due {
                Due::Ring => self.ring(handle, now),
                Due::Final => self.answer(handle, now),
                Due::HangUp => self.endpoint.bye(handle, None, now),
                Due::Reinvite => self.reinvite(handle, now),
            };
            if let Err(error) = result {
                self.trouble(handle, &error);
            }
        }
    }

    fn on_sip_event(&mut self, event: endpoint::Event, now: Duration) {
        use endpoint::Event as Sip;
        match event {
            Sip::Incoming {
                call,
                request,
                source,
            } => {
                let own = format!(
                    "sip:psap@{};transport={}",
                    source.local,
                    source.transport.as_param()
                );
                self.on_incoming(call, &request, source.transport, own, now);
            }
            Sip::Confirmed { call, ack } => self.on_confirmed(call, &ack, now),
            Sip::Reinvite { call, request } | Sip::Update { call, request } => {
                let result = self.on_reinvite(call, &request, now);
                if let Err(error) = result {
                    self.trouble(call, &error);
                }
            }
            Sip::ReinviteAnswered { call, response } if response.status.is_success() => {
                self.on_answer(call, &response.headers, &response.body, now);
            }
            Sip::IncomingCancel { call, .. } => self.note_end(call, "caller gave up"),
            Sip::AckMissing { call } => self.note_end(call, "no ACK came"),
            Sip::Ended { call, by, .. } => {
                self.note_end(
                    call,
                    match by {
                        EndedBy::Local => "call-taker",
                        EndedBy::Remote => "caller",
                        EndedBy::Timeout => "time ran out",
                        EndedBy::Lost => "caller was gone",
                    },
                );
                self.on_ended(call, now);
            }
            _ => {}
        }
    }

    fn on_incoming(
        &mut self,
        handle: CallHandle,
        request: &Request,
        transport: Transport,
        own_uri: String,
        now: Duration,
    ) {
        let behaviour = self.next_behaviour().clone();
        self.calls_seen = self.calls_seen.saturating_add(1);
        let inspection = inspect(request);
        let id = self.calls.last().map_or(1, |last| last.report.id + 1);
        let mut due = Vec::new();
        let answer_at = now + Duration::from_millis(behaviour.answer_after_ms);
        let rings = match behaviour.answer {
            Answer::RingForever => true,
            Answer::Accept => behaviour.ring != Ring::Never,
            _ => false,
        };
        if rings {
            due.push((now, Due::Ring));
        }
        if !matches!(
            behaviour.answer,
            Answer::TryingForever | Answer::RingForever | Answer::Dead
        ) {
            due.push((answer_at, Due::Final));
        }
        self.calls.push(Call {
            handle,
            behaviour,
            offer: inspection.offer,
            description: None,
            due,
            port: None,
            media: None,
            arrived: now,
            first_audio: None,
            own_uri,
            report: CallReport {
                id,
                call_id: request.headers.call_id().unwrap_or_default().to_owned(),
                state: CallState::Arrived,
                service: inspection
                    .service
                    .map(|service| service.as_str().to_owned()),
                drill: inspection.drill,
                callback: inspection.callback,
                transport: transport.to_string(),
                arrived_ms: millis(now),
                answered_after_ms: None,
                first_audio_after_ms: None,
                ended_after_ms: None,
                ended_by: None,
                digits: String::new(),
                facts: inspection.facts.clone(),
                media: None,
                recording: None,
            },
        });
        self.push(Output::Event(Event::Arrived { call: id }));
        for fact in inspection.facts {
            self.push(Output::Event(Event::Fact { call: id, fact }));
        }
        self.forget_old();
    }

    fn ring(&mut self, handle: CallHandle, now: Duration) -> Result<(), CommandError> {
        let Some(call) = self.call(handle) else {
            return Ok(());
        };
        let reliable = call.behaviour.ring == Ring::Reliable;
        call.report.state = CallState::Ringing;
        self.endpoint
            .ring(handle, StatusCode::RINGING, None, reliable, now)
    }

    fn answer(&mut self, handle: CallHandle, now: Duration) -> Result<(), CommandError> {
        let Some(call) = self.call(handle) else {
            return Ok(());
        };
        let answer = call.behaviour.answer.clone();
        let retry_after_s = call.behaviour.retry_after_s;
        let mut refusal = match answer {
            Answer::Accept => return self.accept(handle, now),
            Answer::Reject(code) => {
                Refusal::new(StatusCode::new(code).unwrap_or(StatusCode::SERVICE_UNAVAILABLE))
            }
            Answer::Redirect(uri) => moved(&uri),
            Answer::RedirectLoop => moved(&call.own_uri),
            Answer::TryingForever | Answer::RingForever | Answer::Dead => return Ok(()),
        };
        if let Some(seconds) = retry_after_s {
            refusal
                .headers
                .push((HeaderName::RetryAfter, seconds.to_string().into_bytes()));
        }
        self.note_end(handle, "refused");
        self.endpoint.reject(handle, refusal, now)
    }

    fn accept(&mut self, handle: CallHandle, now: Duration) -> Result<(), CommandError> {
        let Some(port) = self.free_ports.pop_front() else {
            self.note_end(handle, "no media port free");
            return self
                .endpoint
                .reject(handle, Refusal::new(StatusCode::BUSY_HERE), now);
        };
        let local = LocalAudio::new(self.config.media_address, port);
        let session_id = u64::from(port) << 16 | u64::from(self.calls_seen);
        let Some(call) = self.call(handle) else {
            return Ok(());
        };
        call.port = Some(port);
        let settled = match &call.offer {
            None => Ok((offer_answer::offer(&local, session_id, 1), None)),
            Some(offer) => offer_answer::answer(offer, &local, session_id, 1)
                .map(|(description, negotiated)| (description, Some(negotiated))),
        };
        let (description, negotiated) = match settled {
            Ok(settled) => settled,
            Err(error) => return self.refuse_media(handle, &error.to_string(), now),
        };
        let body = defective(call.behaviour.session, &description);
        call.description = Some(description);
        if let Some(negotiated) = negotiated
            && let Err(why) = self.start_media(handle, &negotiated, now)
        {
            return self.refuse_media(handle, &why, now);
        }
        self.endpoint.accept(handle, body, now)?;
        let Some(call) = self.call(handle) else {
            return Ok(());
        };
        call.report.state = CallState::Answered;
        call.report.answered_after_ms = Some(millis(now - call.arrived));
        let id = call.report.id;
        let after = |ms: u64| now + Duration::from_millis(ms);
        let planned = [
            (call.behaviour.hang_up_after_ms, Due::HangUp),
            (call.behaviour.reinvite_after_ms, Due::Reinvite),
        ];
        call.due.extend(
            planned
                .iter()
                .filter_map(|(ms, due)| ms.map(|ms| (after(ms), *due))),
        );
        self.push(Output::Event(Event::Answered { call: id }));
        Ok(())
    }

    fn refuse_media(
        &mut self,
        handle: CallHandle,
        why: &str,
        now: Duration,
    ) -> Result<(), CommandError> {
        self.note_end(handle, "no session could be agreed");
        if let Some(call) = self.call(handle) {
            let fact = Fact::wrong("session-agreed", "RFC 3264 §6", why);
            call.report.facts.push(fact.clone());
            let event = Event::Fact {
                call: call.report.id,
                fact,
            };
            self.push(Output::Event(event));
        }
        self.endpoint
            .reject(handle, Refusal::new(StatusCode::NOT_ACCEPTABLE_HERE), now)
    }

    /// Begins or changes the audio.
    fn start_media(
        &mut self,
        handle: CallHandle,
        negotiated: &Negotiated,
        now: Duration,
    ) -> Result<(), String> {
        let (voice, unix) = (self.config.voice.clone(), self.config.unix_time_at_zero);
        let seed = self.config.endpoint.seed;
        let Some(call) = self.call(handle) else {
            return Ok(());
        };
        if let Some(media) = &mut call.media {
            return media
                .renegotiate(negotiated)
                .map_err(|error| error.to_string());
        }
        let mut word = [0; 8];
        word.copy_from_slice(&seed[..8]);
        let seed = u64::from_le_bytes(word) ^ u64::from(call.report.id).rotate_left(32);
        let manner = call.behaviour.voice;
        let media = CallMedia::new(negotiated, seed, unix, voice, manner, now);
        call.media = Some(media.map_err(|error| error.to_string())?);
        Ok(())
    }

    fn on_confirmed(&mut self, handle: CallHandle, ack: &Request, now: Duration) {
        if !ack.body.is_empty() {
            self.on_answer(handle, &ack.headers, &ack.body, now);
        }
        let Some(call) = self.call(handle) else {
            return;
        };
        if call.report.state == CallState::Answered {
            call.report.state = CallState::Confirmed;
            let id = call.report.id;
            self.push(Output::Event(Event::Confirmed { call: id }));
        }
    }

    /// The caller's answer to an offer of ours, in an ACK or a 2xx.
    fn on_answer(
        &mut self,
        handle: CallHandle,
        headers: &hearthline_sip::Headers,
        body: &[u8],
        now: Duration,
    ) {
        let Some(call) = self.call(handle) else {
            return;
        };
        let Some(offer) = call.description.clone() else {
            return;
        };
        let result = read_session(headers, body).and_then(|answer| {
            let negotiated = offer_answer::answer_received(&offer, &answer)
                .map_err(|error| error.to_string())?;
            self.start_media(handle, &negotiated, now)
        });
        if let Err(why) = result {
            self.trouble(handle, &why);
        }
    }

    fn on_reinvite(
        &mut self,
        handle: CallHandle,
        request: &Request,
        now: Duration,
    ) -> Result<(), CommandError> {
        let address = self.config.media_address;
        let Some(call) = self.call(handle) else {
            return Ok(());
        };
        let not_acceptable = Refusal::new(StatusCode::NOT_ACCEPTABLE_HERE);
        match call.behaviour.reinvite {
            Reinvite::Never => return Ok(()),
            Reinvite::Refuse => return self.endpoint.reject_reinvite(handle, not_acceptable, now),
            Reinvite::Answer => {}
        }
        let (Some(port), Some(previous)) = (call.port, call.description.clone()) else {
            return self.endpoint.reject_reinvite(handle, not_acceptable, now);
        };
        let local = LocalAudio::new(address, port);
        if request.body.is_empty() {
            let description = offer_answer::reoffer(&previous, &local);
            let body = Body::sdp(description.to_bytes());
            call.description = Some(description);
            return self.endpoint.answer_reinvite(handle, Some(body), now);
        }
        let origin = (
            previous.origin.session_id,
            previous.origin.version.wrapping_add(1),
        );
        let settled = read_session(&request.headers, &request.body).and_then(|offer| {
            offer_answer::answer(&offer, &local, origin.0, origin.1)
                .map_err(|error| error.to_string())
        });
        match settled {
            Ok((description, negotiated)) if self.start_media(handle, &negotiated, now).is_ok() => {
                let body = Body::sdp(description.to_bytes());
                if let Some(call) = self.call(handle) {
                    call.description = Some(description);
                }
                self.endpoint.answer_reinvite(handle, Some(body), now)
            }
            _ => self.endpoint.reject_reinvite(handle, not_acceptable, now),
        }
    }

    fn reinvite(&mut self, handle: CallHandle, now: Duration) -> Result<(), CommandError> {
        let address = self.config.media_address;
        let Some(call) = self.call(handle) else {
            return Ok(());
        };
        let (Some(port), Some(previous)) = (call.port, call.description.as_ref()) else {
            return Ok(());
        };
        let description = offer_answer::reoffer(previous, &LocalAudio::new(address, port));
        let body = Body::sdp(description.to_bytes());
        call.description = Some(description);
        self.endpoint.reinvite(handle, body, now)
    }

    fn on_ended(&mut self, handle: CallHandle, now: Duration) {
        let Some(call) = self.call(handle) else {
            return;
        };
        if call.report.state == CallState::Ended {
            return;
        }
        call.report.state = CallState::Ended;
        call.report.ended_after_ms = Some(millis(now - call.arrived));
        call.due.clear();
        let id = call.report.id;
        let by = call.report.ended_by.clone().unwrap_or_default();
        let mut facts = Vec::new();
        let mut outputs = Vec::new();
        if let (Some(mut media), Some(port)) = (call.media.take(), call.port) {
            media.close(now);
            media.drain(now, |output| match output {
                MediaOutput::Rtp(to, bytes) => outputs.push(Output::Media { port, to, bytes }),
                MediaOutput::Rtcp(to, bytes) => {
                    outputs.push(Output::Media {
                        port: port.saturating_add(1),
                        to,
                        bytes,
                    });
                }
                MediaOutput::Heard(samples) => outputs.push(Output::Heard { call: id, samples }),
                MediaOutput::Event(_) => {}
            });
            let report = media.report();
            let answered = call.report.answered_after_ms.unwrap_or(0);
            let since_answer = call.arrived + Duration::from_millis(answered);
            facts = report.facts(now.saturating_sub(call.first_audio.unwrap_or(since_answer)));
            call.report.media = Some(report);
        }
        call.report.facts.extend(facts.iter().cloned());
        if let Some(port) = call.port.take() {
            self.free_ports.push_back(port);
        }
        for output in outputs {
            self.push(output);
        }
        for fact in facts {
            self.push(Output::Event(Event::Fact { call: id, fact }));
        }
        self.push(Output::Event(Event::Ended { call: id, by }));
    }

    /// The first reason given stays.
    fn note_end(&mut self, handle: CallHandle, by: &str) {
        if let Some(call) = self.call(handle) {
            call.report.ended_by.get_or_insert_with(|| by.to_owned());
        }
    }

    fn trouble(&mut self, handle: CallHandle, why: &impl ToString) {
        if let Some(call) = self.call(handle) {
            let event = Event::Trouble {
                call: call.report.id,
                why: why.to_string(),
            };
            self.push(Output::Event(event));
        }
    }

    fn call(&mut self, handle: CallHandle) -> Option<&mut Call> {
        self.calls.iter_mut().find(|call| call.handle == handle)
    }

    fn forget_old(&mut self) {
        while self.calls.len() > self.config.calls_kept_max.max(1) {
            let ended = self
                .calls
                .iter()
                .position(|call| call.report.state == CallState::Ended);
            let Some(oldest) = ended else { return };
            self.calls.remove(oldest);
        }
    }

    fn push(&mut self, output: Output) {
        if self.outputs.len() >= self.config.outputs_max {
            self.outputs.pop_front();
        }
        self.outputs.push_back(output);
    }
}

impl Call {
    fn current_report(&self) -> CallReport {
        let mut report = self.report.clone();
        if let Some(media) = &self.media {
            report.media = Some(media.report());
        }
        report
    }
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis() as u64
}
