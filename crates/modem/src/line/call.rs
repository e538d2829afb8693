//! The one call of the line: its two sides, where it stands, and its end.

use core::time::Duration;

use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::CallHandle;
use hearthline_sip::sdp::SessionDescription;

use super::media::{CallMedia, MediaOutput};
use super::outcome;
use super::output::{Event, Output, SoundPlace};
use super::permit::Permit;
use super::{ModemLine, bus::Asked};
use crate::dbus::Value;
use crate::service::{self, CallFacts, CallState, SoundPortError};

/// Pause before a sound device that failed in the middle of a call is opened again.
const REOPEN_PAUSE: Duration = Duration::from_millis(500);
/// How often that is tried in an ordinary call. An emergency call goes on trying until one of its sides ends it.
const REOPEN_MAX: u32 = 10;

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// `CreateCall` is out.
    Creating,
    /// `Start` is out.
    Starting,
    /// The modem dials, or it rings there.
    Dialing,
    /// It rings at home.
    Asking,
    /// Answered at home, `Accept` is out.
    Accepting,
    /// Both ends are connected; the first sound is awaited.
    Sounding,
    /// It stands.
    Standing,
}

/// The modem's sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sound {
    Closed,
    /// Open, or being opened.
    Open,
    /// Failed; opened again then.
    Failed {
        again_at: Duration,
    },
}

/// A call.
pub(super) struct Call {
    pub(super) id: u64,
    pub(super) incoming: bool,
    pub(super) emergency: bool,
    /// The home's side; `None`: over.
    pub(super) sip: Option<CallHandle>,
    /// The modem's side; `None`: not made yet.
    pub(super) path: Option<String>,
    pub(super) facts: CallFacts,
    pub(super) phase: Phase,
    /// When the present phase has lasted too long.
    pub(super) until: Option<Duration>,
    /// Our session description, said or to be said.
    pub(super) description: Option<SessionDescription>,
    pub(super) media: Option<CallMedia>,
    pub(super) sound: Sound,
    pub(super) reopened: u32,
}

impl Call {
    pub(super) fn new(id: u64, incoming: bool, phase: Phase) -> Self {
        Self {
            id,
            incoming,
            emergency: false,
            sip: None,
            path: None,
            facts: CallFacts::default(),
            phase,
            until: None,
            description: None,
            media: None,
            sound: Sound::Closed,
            reopened: 0,
        }
    }

    pub(super) fn next_timeout(&self) -> Option<Duration> {
        let again = match self.sound {
            Sound::Failed { again_at } => Some(again_at),
            Sound::Closed | Sound::Open => None,
        };
        [self.until, again].into_iter().flatten().min()
    }
}

impl ModemLine {
    /// What the far end of the modem's call says: samples at 8 kHz.
    pub fn handle_sound(&mut self, samples: &[i16], now: Duration) {
        let Some(call) = &mut self.call else {
            return;
        };
        if call.phase == Phase::Sounding && !samples.is_empty() {
            self.stand(now);
        }
        if let Some(call) = &mut self.call {
            call.reopened = 0;
            if let Some(media) = &mut call.media {
                media.handle_far_end(samples, now);
            }
        }
        self.pump(now);
    }

    /// The sound cannot be opened, or has ended.
    pub fn handle_sound_failed(&mut self, now: Duration) {
        let connected = self.bus.is_some();
        let Some(call) = &mut self.call else {
            return;
        };
        let goes_on = call.phase == Phase::Standing
            && connected
            && (call.emergency || call.reopened < REOPEN_MAX);
        if goes_on {
            call.reopened += 1;
            let again_at = now.saturating_add(REOPEN_PAUSE);
            call.sound = Sound::Failed { again_at };
        } else {
            call.sound = Sound::Closed;
            self.end_call(
                StatusCode::SERVICE_UNAVAILABLE,
                "the modem's sound device failed",
                now,
            );
        }
        self.pump(now);
    }

    pub(super) fn run_due(&mut self, now: Duration) {
        self.run_bus_due(now);
        self.tell_again(now);
        let Some(call) = &mut self.call else {
            return;
        };
        if let Sound::Failed { again_at } = call.sound
            && again_at <= now
        {
            call.sound = Sound::Open;
            if let Some(place) = self.sound_place() {
                self.push(Output::OpenSound(place));
            }
            return;
        }
        if call.until.is_some_and(|until| until <= now) {
            let why = match call.phase {
                Phase::Sounding => "connected, but without sound",
                _ => "the modem does not answer",
            };
            self.end_call(StatusCode::SERVICE_UNAVAILABLE, why, now);
        }
    }

    /// The modem says where its call stands.
    pub(super) fn on_call_state(&mut self, state: CallState, now: Duration) {
        let sound_wait = self.config.sound_wait_max;
        let Some(call) = &mut self.call else {
            return;
        };
        match state {
            CallState::RingingOut if call.phase == Phase::Dialing => {
                if let Some(sip) = call.sip {
                    // A second ringing changes nothing.
                    let _ = self
                        .endpoint
                        .ring(sip, StatusCode::RINGING, None, false, now);
                }
            }
            CallState::Active
                if matches!(
                    call.phase,
                    Phase::Starting | Phase::Dialing | Phase::Accepting
                ) =>
            {
                call.phase = Phase::Sounding;
                call.until = Some(now.saturating_add(sound_wait));
                self.ask_call(now);
                self.try_sound(now);
            }
            CallState::Terminated => {
                let reason = call.facts.reason;
                let (status, why) = match (call.phase, reason) {
                    (Phase::Standing, _) | (_, None) => {
                        (StatusCode::TEMPORARILY_UNAVAILABLE, "the far end hung up")
                    }
                    (_, Some(reason)) => outcome::of_reason(reason),
                };
                self.end_call(status, why, now);
            }
            _ => {}
        }
    }

    /// Opens the sound, once it is known where it is.
    pub(super) fn try_sound(&mut self, now: Duration) {
        let Some(call) = &mut self.call else {
            return;
        };
        if call.phase != Phase::Sounding || call.sound != Sound::Closed {
            return;
        }
        match call.facts.sound() {
            // It may still be named.
            Err(SoundPortError::None) if !self.config.sound_by_command => {}
            Err(SoundPortError::Name | SoundPortError::Format) if !self.config.sound_by_command => {
                let why = "the modem's sound is of a kind that cannot be carried";
                self.end_call(StatusCode::SERVICE_UNAVAILABLE, why, now);
            }
            _ => {
                call.sound = Sound::Open;
                if let Some(place) = self.sound_place() {
                    self.push(Output::OpenSound(place));
                }
            }
        }
    }

    fn sound_place(&self) -> Option<SoundPlace> {
        if self.config.sound_by_command {
            return Some(SoundPlace::Commands);
        }
        let port = self.call.as_ref()?.facts.sound().ok()?;
        Some(SoundPlace::Port(port))
    }

    /// The first sound is there: now the call stands, and is answered.
    fn stand(&mut self, now: Duration) {
        let Some(call) = &mut self.call else {
            return;
        };
        call.phase = Phase::Standing;
        call.until = None;
        if !call.incoming {
            let body = call
                .description
                .as_ref()
                .map(|own| hearthline_sip::endpoint::Body::sdp(own.to_bytes()));
            let accepted = match call.sip {
                Some(sip) => self.endpoint.accept(sip, body, now).is_ok(),
                None => false,
            };
            if !accepted {
                return self.end_call(StatusCode::OK, "the home's side hung up", now);
            }
        }
        self.push(Output::Event(Event::CallStands));
    }

    /// Sends what the sound wants sent; returns when to come again.
    pub(super) fn drain_media(&mut self, now: Duration) -> Option<Duration> {
        let call = self.call.as_mut()?;
        let standing = call.phase == Phase::Standing;
        let mut outputs = Vec::new();
        let mut digits = Vec::new();
        let next = call.media.as_mut().and_then(|media| {
            media.drain(now, |output| match output {
                MediaOutput::Packet { rtcp, to, bytes } => {
                    outputs.push(Output::Media { rtcp, to, bytes });
                }
                MediaOutput::Play(samples) if standing => outputs.push(Output::Play(samples)),
                MediaOutput::Play(_) => {}
                MediaOutput::Digit(digit) => digits.push(digit),
            })
        });
        for output in outputs {
            self.push(output);
        }
        for digit in digits {
            self.press(digit, now);
        }
        next
    }

    /// The home pressed a digit.
    fn press(&mut self, digit: char, now: Duration) {
        let standing = self
            .call
            .as_ref()
            .filter(|call| call.phase == Phase::Standing);
        let Some(path) = standing.and_then(|call| call.path.clone()) else {
            return;
        };
        let digit = Value::str(digit.to_string());
        self.ask_modem(
            &path,
            service::CALL,
            "SendDtmf",
            vec![digit],
            Asked::Nothing,
            now,
        );
        self.drain_bus(now);
    }

    /// Begins a call.
    pub(super) fn begin_call(&mut self, incoming: bool, phase: Phase) -> &mut Call {
        self.last_call += 1;
        self.call.insert(Call::new(self.last_call, incoming, phase))
    }

    /// Ends both sides of the call, where they are not over: the home hears `status` before it was answered, BYE after.
    pub(super) fn end_call(&mut self, status: StatusCode, why: &'static str, now: Duration) {
        let Some(mut call) = self.call.take() else {
            return;
        };
        if call.sound != Sound::Closed {
            self.push(Output::CloseSound);
        }
        if let Some(media) = &mut call.media {
            media.close(now);
            let mut outputs = Vec::new();
            media.drain(now, |output| {
                if let MediaOutput::Packet { rtcp, to, bytes } = output {
                    outputs.push(Output::Media { rtcp, to, bytes });
                }
            });
            for output in outputs {
                self.push(output);
            }
        }
        if let Some(sip) = call.sip {
            // An error here says that the other side ended it in the same moment.
            let _ = if call.incoming || call.phase == Phase::Standing {
                let reason = format!("SIP;cause={};text=\"{why}\"", status.code());
                self.endpoint.bye(sip, Some(&reason), now)
            } else {
                let refusal = outcome::refusal(status, why);
                self.endpoint.reject(sip, refusal, now)
            };
        }
        if let Some(path) = &call.path {
            let over = call.facts.state == Some(CallState::Terminated);
            self.drop_modem_call(path, over, now);
        }
        self.push(Output::Event(Event::CallEnded { why }));
    }

    /// Hangs a call of the modem up and takes it off its list.
    pub(super) fn drop_modem_call(&mut self, path: &str, over: bool, now: Duration) {
        if !over {
            self.ask_modem(
                path,
                service::CALL,
                "Hangup",
                Vec::new(),
                Asked::Nothing,
                now,
            );
        }
        if let Some(modem) = self.modem.as_ref().map(|modem| modem.path.clone()) {
            let path = vec![Value::path(path)];
            self.ask_modem(
                &modem,
                service::VOICE,
                "DeleteCall",
                path,
                Asked::Nothing,
                now,
            );
        }
    }

    /// Permission to use the radio; `None`: this is no stand-in.
    pub(super) fn permit(&self) -> Option<Permit> {
        self.bus.as_ref()?.permit()
    }
}
