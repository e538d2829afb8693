//! What the two of a standing call change in it.
use hearthline_sip::endpoint::{Body, CallHandle, Event};
use hearthline_sip::target::Target;
use hearthline_sip::{Request, StatusCode};

use super::{Phone, SDP};

impl Phone {
    /// Where the hub is.
    pub fn hub(&self) -> Target {
        self.hub.clone()
    }

    /// A re-INVITE comes, and is taken as it is.
    pub async fn is_offered(&mut self, wanted: CallHandle) -> Request {
        let request = self
            .wait(|event| match event {
                Event::Reinvite { call, request } if *call == wanted => Some((**request).clone()),
                _ => None,
            })
            .await;
        self.act(move |endpoint, now| endpoint.answer_reinvite(wanted, Some(Body::sdp(SDP)), now))
            .await
            .unwrap();
        request
    }

    /// A re-INVITE of one's own was taken.
    pub async fn reinvited(&mut self, wanted: CallHandle) {
        let status = self
            .wait(|event| match event {
                Event::ReinviteAnswered { call, response } if *call == wanted => {
                    Some(response.status)
                }
                _ => None,
            })
            .await;
        assert_eq!(status, StatusCode::OK);
    }

    /// Everything that has come so far.
    pub fn hears(&mut self, mut shown: impl FnMut(&Event)) {
        while let Ok(event) = self.events.try_recv() {
            shown(&event);
        }
    }
}
