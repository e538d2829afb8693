//! What of an emergency call goes into the record: the INVITE and what it tells of the home, each response.
use hearthline_emergency::line::LineBody;
use hearthline_ledger::{Call as CallEntry, CallEvent, Location, Private};
use hearthline_sip::Response;
use hearthline_sip::endpoint::CallHandle;

use super::{Calling, Effect};
use crate::device::{Light, Output};

impl Calling {
    /// The INVITE is about to leave: the record says what of the home it carries, and on which line.
    pub(super) fn invited(&mut self, line: usize, parts: &[hearthline_emergency::body::BodyPart]) {
        let pidf = parts
            .iter()
            .find(|part| part.content_type == hearthline_emergency::body::TYPE_PIDF);
        let profile = &self.config.profile;
        let known = profile.civic.is_some() || profile.shape.is_some();
        let session_only = self
            .config
            .lines
            .get(line)
            .is_some_and(|line| line.body == LineBody::SessionOnly);
        let problem = match pidf {
            Some(_) => None,
            None if session_only => {
                Some("location was not sent on this line: it carries the session alone")
            }
            None if known => Some("location was not sent: the line refused an INVITE that had it"),
            None => Some("the household has stated no location"),
        };
        let location = Location {
            source: if pidf.is_some() { "configured" } else { "none" }.into(),
            pidf_lo: pidf.map(|part| Private(String::from_utf8_lossy(&part.bytes).into_owned())),
            problem: problem.map(str::to_owned),
        };
        self.effects.push_back(Effect::Record(location.into()));
        self.record_call(CallEvent::Invite, "", line, None, None);
        if !self.is_quiet() {
            self.effect(Output::Light(Light::Calling));
        }
    }

    /// Keeps the Call-ID and records the response.
    pub(in crate::device) fn response(
        &mut self,
        call: CallHandle,
        event: CallEvent,
        response: &Response,
    ) {
        let Some(attempt) = self.attempt_of(call) else {
            return;
        };
        let call_id = response.headers.call_id().unwrap_or("").to_owned();
        let line = self.line_of(attempt);
        if let Some(attempt) = self
            .active
            .as_mut()
            .and_then(|active| active.attempts.get_mut(&attempt))
        {
            attempt.call_id = Some(call_id.clone());
        }
        let mut reason = String::from_utf8_lossy(response.reason.as_ref()).into_owned();
        if event == CallEvent::Answered
            && let Ok(via) = response.headers.top_via()
        {
            reason += &format!(", over {}", via.transport);
        }
        self.record_call(
            event,
            &call_id,
            line,
            Some(response.status.code()),
            Some(&reason),
        );
    }

    /// Records one event of the call.
    pub(in crate::device) fn record_call(
        &mut self,
        event: CallEvent,
        call_id: &str,
        line: usize,
        status: Option<u16>,
        reason: Option<&str>,
    ) {
        let line = self
            .config
            .lines
            .get(line)
            .map_or_else(String::new, |line| line.name.clone());
        let entry = CallEntry {
            event,
            call_id: call_id.to_owned(),
            line,
            status,
            reason: reason.map(str::to_owned),
            peer: None,
        };
        self.effects.push_back(Effect::Record(entry.into()));
    }
}
