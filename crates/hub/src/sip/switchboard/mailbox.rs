//! The way to the mailbox, for the gateway alone: no device, phone or line can ask for it.

use hearthline_sip::target::Transport;

use super::*;
use crate::gateway::{CALLBACK, MAILBOX_USER, UNWANTED, diverted_line};
use crate::number::Number;

impl Switchboard {
    /// Where the gateway's call goes that asks for the mailbox; `None`: it asks for something else.
    pub(super) fn mailbox_asked(&mut self, request: &Request, now: Duration) -> Option<Decision> {
        let uri = request.uri.as_sip()?;
        if uri.user() != Some(MAILBOX_USER) {
            return None;
        }
        let call_id = request.headers.call_id().unwrap_or_default();
        // It comes here first where nobody is rung.
        let on_line = self.calls.coming(call_id);
        self.note_missed(on_line, None, now);
        let line = diverted_line(&request.headers);
        let caller = request.headers.from().ok().and_then(|from| {
            let user = from.uri.as_sip()?.user()?;
            Number::new(user).ok()
        });
        if self.directory.recipients(line, caller.as_ref()).is_none() {
            return Some(Decision::Reject(Reject::new(UNWANTED)));
        }
        let Some(address) = self.door.voicemail else {
            return Some(Decision::Reject(Reject::new(
                StatusCode::TEMPORARILY_UNAVAILABLE,
            )));
        };
        let to = SipUri::new(address.ip().into())
            .with_port(address.port())
            .with_user(MAILBOX_USER)
            .with_param("transport", Some(Transport::Udp.as_param()));
        Some(Decision::Forward(Forward {
            groups: vec![Group {
                branches: vec![Branch::new(Way::to(to), 0)],
                ringing_max: None,
            }],
            record_route: true,
            remove: HeaderName::parse(CALLBACK.as_bytes()).into_iter().collect(),
            ..Forward::default()
        }))
    }
}
