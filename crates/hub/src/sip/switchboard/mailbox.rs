//! The way to the mailbox, for the gateway alone: no device, phone or line can ask for it.

use hearthline_sip::target::Transport;

use super::*;
use crate::gateway::{CALLBACK, MAILBOX_USER};

impl Switchboard {
    /// Where the gateway's call goes that asks for the mailbox; `None`: it asks for something else.
    pub(super) fn mailbox_asked(&self, request: &Request) -> Option<Decision> {
        let uri = request.uri.as_sip()?;
        if uri.user() != Some(MAILBOX_USER) {
            return None;
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
