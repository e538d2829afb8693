//! The end of a call: its audio closed, what it says as facts, its ports free again.

use core::time::Duration;

use hearthline_sip::endpoint::CallHandle;

use super::{CallTaker, Event, Output, millis};
use crate::call_media::MediaOutput;
use crate::moment::What;
use crate::report::CallState;

impl CallTaker {
    pub(super) fn on_ended(&mut self, handle: CallHandle, now: Duration) {
        let Some(call) = self.call(handle) else {
            return;
        };
        if call.report.state == CallState::Ended {
            return;
        }
        call.report.state = CallState::Ended;
        call.report.ended_after_ms = Some(millis(now - call.arrived));
        call.due.clear();
        call.report
            .note(millis(now.saturating_sub(call.arrived)), What::Ended);
        let id = call.report.id;
        let by = call.report.ended_by.clone().unwrap_or_default();
        let mut facts = Vec::new();
        let mut outputs = Vec::new();
        if let (Some(mut media), Some(port)) = (call.media.take(), call.port) {
            media.end(now, |output| match output {
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
        self.changes += 1;
        for output in outputs {
            self.push(output);
        }
        for fact in facts {
            self.push(Output::Event(Event::Fact { call: id, fact }));
        }
        self.push(Output::Event(Event::Ended { call: id, by }));
    }
}
