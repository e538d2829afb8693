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
use hearthline_sip::endpoint::{self, CallHandle, CommandError, EndedBy, Endpoint, Input};
use hearthline_sip::sdp::SessionDescription;

use crate::behaviour::{Answer, Behaviour};
use crate::call_media::{CallMedia, MediaOutput};
pub use crate::call_taker_config::{CallTakerConfig, SecureSound};
pub use crate::call_taker_output::{Event, Output};
use crate::moment::What;
use crate::report::{AnsweredBy, CallReport, CallState};

mod answering;
mod ending;
mod negotiating;

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
    changes: u64,
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
            changes: 0,
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

    /// A person at the console takes a call that rings.
    ///
    /// # Errors
    /// [`CommandError`] when there is no such call, or it rings no longer.
    pub fn answer_call(&mut self, call: u32, now: Duration) -> Result<(), CommandError> {
        let own = self
            .calls
            .iter_mut()
            .find(|own| own.report.id == call && own.rings_for_a_person())
            .ok_or(CommandError::UnknownCall)?;
        own.report.answered_by = Some(AnsweredBy::Person);
        own.due.retain(|(_, due)| *due != Due::Final);
        own.due.push((now, Due::Final));
        self.pump(now);
        Ok(())
    }

    /// What the person who answered says: 16 kHz, in any portions. Nothing of a call that a machine answered.
    pub fn handle_person(&mut self, call: u32, samples: &[i16]) {
        let own = self.calls.iter_mut().find(|own| own.report.id == call);
        if let Some(media) = own.and_then(|own| own.media.as_mut()) {
            media.handle_person(samples);
        }
    }

    /// Counts up with every change that a report shows, its audio's numbers apart.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
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
            self.changes += 1;
        }
    }

    /// Notes that the recording is whole.
    pub fn set_recorded(&mut self, call: u32) {
        if let Some(own) = self.calls.iter_mut().find(|own| own.report.id == call) {
            own.report.recorded = true;
            self.changes += 1;
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
        let changes = &mut self.changes;
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
                        let after_ms = millis(now - arrived);
                        match &event {
                            MediaEvent::FirstPacketReceived => {
                                *first_audio = Some(now);
                                report.first_audio_after_ms = Some(after_ms);
                                report.note(after_ms, What::FirstAudio);
                            }
                            MediaEvent::MediaLost => report.note(after_ms, What::AudioLost),
                            MediaEvent::MediaResumed => report.note(after_ms, What::AudioResumed),
                            MediaEvent::Digit { digit, .. } if report.digits.len() < 256 => {
                                report.digits.push(*digit);
                            }
                            _ => {}
                        }
                        *changes += 1;
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

    /// Puts a step of a call into its report.
    fn note(&mut self, handle: CallHandle, what: What, now: Duration) {
        self.changes += 1;
        if let Some(call) = self.call(handle) {
            let after_ms = millis(now.saturating_sub(call.arrived));
            call.report.note(after_ms, what);
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
    /// Whether it waits for somebody to take it; a refusal is not to be talked out of it.
    fn rings_for_a_person(&self) -> bool {
        matches!(self.report.state, CallState::Arrived | CallState::Ringing)
            && self.behaviour.answer == Answer::Accept
            && self.report.answered_by.is_none()
    }

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
