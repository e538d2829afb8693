//! Line after line: sending INVITEs, following their progress, giving way, giving up, coming back to the first.

use core::time::Duration;
use std::borrow::Cow;

use super::{Attempt, EmergencyCall, Phase};
use crate::call::{
    AttemptId, CallOutput, CallState, EndedBy, EventKind, LINE_REDIRECTS_MAX, Progress,
};
use crate::invite::{Content, InviteRequest};
use crate::line::{Line, LineBody};
use crate::target::SipUri;

impl Line {
    /// Whether what is sent to `next_hop` reaches the line itself: its host and port, and no less protected. Only there
    /// may its user name and password be shown; the household gave them for nobody whom the line redirects to.
    #[must_use]
    pub fn is_at(&self, next_hop: &SipUri) -> bool {
        let port = |uri: &SipUri| match hearthline_sip::Uri::parse(uri.as_str()) {
            Ok(hearthline_sip::Uri::Sip(parsed)) => Some(
                parsed
                    .port()
                    .unwrap_or(if uri.is_sips() { 5061 } else { 5060 }),
            ),
            _ => None,
        };
        next_hop.host().eq_ignore_ascii_case(self.target.host())
            && port(next_hop).is_some_and(|at| port(&self.target) == Some(at))
            && (next_hop.is_sips() || !self.target.is_sips())
    }

    /// The line as `next_hop` may know it.
    fn as_known_at(&self, next_hop: &SipUri) -> Cow<'_, Line> {
        if self.credentials.is_none() || self.is_at(next_hop) {
            return Cow::Borrowed(self);
        }
        let mut line = self.clone();
        line.credentials = None;
        Cow::Owned(line)
    }
}

impl EmergencyCall {
    pub(super) fn gives_way_at(&self, attempt: &Attempt) -> Duration {
        let timers = &self.setup.timers;
        let after = |ms| attempt.since + Duration::from_millis(ms);
        match attempt.phase {
            // A line that refuses and is then silent has no more time than one that is silent from the first.
            Phase::Silent => after(timers.no_response_ms_max)
                .min(attempt.line_since + Duration::from_millis(timers.line_ms_max))
                .max(attempt.since),
            Phase::Trying => after(timers.trying_ms_max),
            Phase::Ringing => after(timers.ringing_ms_max),
        }
    }

    pub(super) fn give_way(&mut self) {
        for index in 0..self.attempts.len() {
            let attempt = &self.attempts[index];
            if attempt.gave_way || self.gives_way_at(attempt) > self.now {
                continue;
            }
            let reason = match attempt.phase {
                Phase::Silent => {
                    let waited = self.now.saturating_sub(attempt.since);
                    format!("no response in {} ms", waited.as_millis())
                }
                Phase::Trying => format!(
                    "nothing after 100 in {} ms",
                    self.setup.timers.trying_ms_max
                ),
                Phase::Ringing => format!(
                    "no answer in {} ms of ringing",
                    self.setup.timers.ringing_ms_max
                ),
            };
            let (attempt, line) = (attempt.id, attempt.line);
            self.attempts[index].gave_way = true;
            self.note(EventKind::GaveWay {
                attempt,
                line,
                reason,
            });
        }
    }

    /// The next line that can be tried, else the wait before the first is tried again.
    pub(super) fn next_line(&mut self) {
        while self.cursor < self.setup.lines.len() {
            let line = self.cursor;
            self.cursor += 1;
            if self.memory[line].not_before > self.now || !self.clear_line(line) {
                continue;
            }
            let reason = match (line, self.rounds) {
                (0, 0) => "the first line".to_owned(),
                (_, 0) => "the line before gave way".to_owned(),
                (_, rounds) => format!("round {}", u64::from(rounds) + 1),
            };
            let target = self.setup.lines[line].target.clone();
            self.invite(line, target, reason, self.now);
            return;
        }
        let wait = Duration::from_millis(self.retry_ms.max(1));
        self.retry_at = Some(self.now + wait);
        if self.tried_in_round {
            self.rounds = self.rounds.saturating_add(1);
            self.retry_ms = (self.retry_ms.saturating_mul(2)).min(self.setup.timers.retry_ms_max);
            let state = self.state_of_attempts().unwrap_or(CallState::Exhausted {
                rounds: self.rounds,
            });
            self.event(
                state,
                EventKind::Exhausted {
                    rounds: self.rounds,
                    wait,
                },
            );
        }
    }

    /// Whether the line has no attempt any more; one that has waited too long is abandoned for a new one.
    pub(super) fn clear_line(&mut self, line: usize) -> bool {
        let Some(index) = self
            .attempts
            .iter()
            .position(|attempt| attempt.line == line)
        else {
            return true;
        };
        let timers = &self.setup.timers;
        let attempt = &self.attempts[index];
        let limit_ms = match attempt.phase {
            Phase::Silent => timers.silent_ms_max,
            Phase::Trying => timers.stuck_ms_max,
            // Somebody's telephone rings: it is never given up for another try of the same line.
            Phase::Ringing => return false,
        };
        if self.now.saturating_sub(attempt.sent_at) < Duration::from_millis(limit_ms) {
            return false;
        }
        let attempt = self.attempts.remove(index).id;
        self.abandon(attempt, "asked anew");
        true
    }

    pub(super) fn abandon(&mut self, attempt: AttemptId, reason: &str) {
        self.outputs.push_back(CallOutput::Abandon { attempt });
        self.note(EventKind::Abandoned {
            attempt,
            reason: reason.to_owned(),
        });
    }

    /// Abandons every attempt; an INVITE that was never handed out does not go out any more.
    pub(super) fn abandon_all(&mut self, reason: &str) {
        for attempt in core::mem::take(&mut self.attempts) {
            let waiting = self.outputs.iter().position(
                |output| matches!(output, CallOutput::Invite { attempt: own, .. } if *own == attempt.id),
            );
            match waiting {
                Some(index) => drop(self.outputs.remove(index)),
                None => self.abandon(attempt.id, reason),
            }
        }
    }

    pub(super) fn invite(
        &mut self,
        line: usize,
        next_hop: SipUri,
        mut reason: String,
        line_since: Duration,
    ) {
        let attempt = AttemptId(self.next_attempt);
        self.next_attempt = self.next_attempt.wrapping_add(1);
        let route = self
            .mapped_route()
            .filter(|route| self.permit.targets().permit(route));
        let content = self.memory[line].content;
        let is_at_line = self.setup.lines[line].is_at(&next_hop);
        let invite = InviteRequest {
            permit: &self.permit,
            profile: &self.setup.profile,
            line: &self.setup.lines[line].as_known_at(&next_hop),
            next_hop: &next_hop,
            route: route.as_ref(),
            call_token: &self.setup.call_token,
            content,
            sdp: self.setup.sdp.as_deref(),
            wall: self.wall(),
        }
        .build();
        self.memory[line].visited.push(next_hop);
        self.attempts.push(Attempt {
            id: attempt,
            line,
            phase: Phase::Silent,
            sent_at: self.now,
            since: self.now,
            line_since,
            is_at_line,
            gave_way: false,
        });
        self.tried_in_round = true;
        if self.setup.lines[line].body == LineBody::SessionOnly {
            reason += "; this line carries the session alone, location and data are not sent";
        }
        let name = self.setup.lines[line].name.clone();
        self.outputs.push_back(CallOutput::Invite {
            attempt,
            line,
            transports: self.setup.lines[line].transports.clone(),
            invite: Box::new(invite),
        });
        let state = self
            .state_of_attempts()
            .unwrap_or(CallState::Calling { line });
        self.event(
            state,
            EventKind::Invited {
                attempt,
                line,
                name,
                content,
                reason,
            },
        );
    }

    /// The state the attempts stand for: ringing before calling, the newest before the oldest.
    pub(super) fn state_of_attempts(&self) -> Option<CallState> {
        let ringing = self
            .attempts
            .iter()
            .rev()
            .find(|attempt| attempt.phase == Phase::Ringing);
        if let Some(attempt) = ringing {
            return Some(CallState::Ringing { line: attempt.line });
        }
        let pressing = self.attempts.iter().rev().find(|attempt| !attempt.gave_way);
        pressing.map(|attempt| CallState::Calling { line: attempt.line })
    }

    pub(super) fn take_progress(&mut self, id: AttemptId, progress: Progress) {
        if self.connected() == Some(id) {
            self.take_connected_progress(id, &progress);
            return;
        }
        let Some(index) = self.attempts.iter().position(|attempt| attempt.id == id) else {
            let is_ours = id.0 > 0 && id.0 < self.next_attempt;
            if progress == Progress::Answered && is_ours {
                self.abandon(id, "another line was answered first, or the call is over");
            }
            return;
        };
        let line = self.attempts[index].line;
        match progress {
            Progress::Trying => self.advance_phase(index, Phase::Trying, 100),
            Progress::Ringing { status } => self.advance_phase(index, Phase::Ringing, status),
            Progress::Challenged { status } => self.enter_phase(index, Phase::Silent, status),
            Progress::Answered => {
                self.attempts.remove(index);
                self.retry_at = None;
                self.event(
                    CallState::Connected { line, attempt: id },
                    EventKind::Answered { attempt: id, line },
                );
                self.abandon_all("another line was answered first");
            }
            Progress::Rejected {
                status,
                retry_after_s,
                contacts,
            } => self.rejected(index, status, retry_after_s, &contacts),
            Progress::TransportFailed => self.failed(index, "no transport reaches it"),
            Progress::TimedOut => self.failed(index, "the transaction timed out"),
            Progress::HungUp => self.failed(index, "it hung up before it answered"),
            Progress::Dropped => self.failed(index, "the dialog was lost"),
        }
    }

    pub(super) fn take_connected_progress(&mut self, id: AttemptId, progress: &Progress) {
        let CallState::Connected { line, .. } = self.state else {
            return;
        };
        match progress {
            Progress::HungUp => self.end(EndedBy::CallTaker),
            Progress::Dropped => {
                // Nobody hung up: the caller still needs help, so the lines are tried again from the first.
                self.outputs.push_back(CallOutput::Abandon { attempt: id });
                self.cursor = 0;
                self.tried_in_round = false;
                self.retry_ms = self.setup.timers.retry_ms;
                self.event(
                    CallState::Exhausted {
                        rounds: self.rounds,
                    },
                    EventKind::Failed {
                        attempt: id,
                        line,
                        reason: "the connected call was lost without anybody hanging up".to_owned(),
                    },
                );
            }
            // Retransmissions, and transport trouble while the media may still flow.
            _ => {}
        }
    }

    pub(super) fn advance_phase(&mut self, index: usize, phase: Phase, status: u16) {
        let rank = |phase| match phase {
            Phase::Silent => 0,
            Phase::Trying => 1,
            Phase::Ringing => 2,
        };
        if rank(phase) > rank(self.attempts[index].phase) {
            self.enter_phase(index, phase, status);
        }
    }

    fn enter_phase(&mut self, index: usize, phase: Phase, status: u16) {
        let now = self.now;
        let attempt = &mut self.attempts[index];
        attempt.phase = phase;
        attempt.since = now;
        let (attempt, line) = (attempt.id, attempt.line);
        let state = self.state_of_attempts().unwrap_or(self.state);
        self.event(
            state,
            EventKind::Progressed {
                attempt,
                line,
                status,
            },
        );
    }

    pub(super) fn failed(&mut self, index: usize, reason: &str) {
        let attempt = self.attempts.remove(index);
        let state = self.state_of_attempts().unwrap_or(self.state);
        self.event(
            state,
            EventKind::Failed {
                attempt: attempt.id,
                line: attempt.line,
                reason: reason.to_owned(),
            },
        );
    }

    pub(super) fn rejected(
        &mut self,
        index: usize,
        status: u16,
        retry_after_s: Option<u32>,
        contacts: &[String],
    ) {
        let (line, line_since) = (self.attempts[index].line, self.attempts[index].line_since);
        let knows = self.setup.lines[line].credentials.is_some() && self.attempts[index].is_at_line;
        let why = match (status, knows) {
            (401 | 407, true) => {
                format!("it answered {status}: it refused the line's user name and password")
            }
            (401 | 407, false) => format!(
                "it answered {status}: it wants a user name and password, and the device has none for it"
            ),
            _ => format!("it answered {status}"),
        };
        self.failed(index, &why);
        if let Some(seconds) = retry_after_s {
            let wait = Duration::from_secs(u64::from(seconds));
            let wait = wait.min(Duration::from_millis(self.setup.timers.retry_ms_max));
            self.memory[line].not_before = self.now + wait;
        }
        if (300..400).contains(&status) {
            self.redirected(line, contacts, line_since);
        } else if let Some(content) = less(self.memory[line].content, status) {
            self.memory[line].content = content;
            let target = self.memory[line]
                .visited
                .last()
                .unwrap_or(&self.setup.lines[line].target)
                .clone();
            let reason = match content {
                Content::OneLocation => "one corrected location after a refusal",
                Content::NoLocation => "without location after a refusal",
                Content::Full | Content::SessionOnly => "the session alone after a refusal",
            };
            self.invite(line, target, reason.to_owned(), line_since);
        }
    }

    pub(super) fn redirected(&mut self, line: usize, contacts: &[String], line_since: Duration) {
        let memory = &self.memory[line];
        if memory.redirects >= LINE_REDIRECTS_MAX {
            return;
        }
        let next = contacts
            .iter()
            .take(16)
            .filter_map(|contact| SipUri::parse(contact).ok())
            .find(|uri| self.permit.targets().permit(uri) && !memory.visited.contains(uri));
        if let Some(next) = next {
            self.memory[line].redirects += 1;
            self.invite(line, next, "redirected".to_owned(), line_since);
        }
    }
}

/// What to leave out after a refusal with this status; none when leaving out would not help.
fn less(content: Content, status: u16) -> Option<Content> {
    match (status, content) {
        // 424 Bad Location Information (RFC 6442 §4.3): one corrected retry, then without.
        (424, Content::Full) => Some(Content::OneLocation),
        (424, Content::OneLocation) => Some(Content::NoLocation),
        // Too large, unknown media type, unknown extension, message too large: the voice matters most. 400 and 500 are
        // what phones and adapters say that fail over a multipart body.
        (
            400 | 413 | 415 | 420 | 500 | 513,
            Content::Full | Content::OneLocation | Content::NoLocation,
        ) => Some(Content::SessionOnly),
        _ => None,
    }
}
