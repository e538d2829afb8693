//! UPDATE before the call is answered (RFC 3311 section 5).

use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::{CallHandle, Event};

use crate::network::{Network, answered, confirmed, incoming, sdp};

fn updated(event: &Event) -> Option<CallHandle> {
    match event {
        Event::Update { call, .. } => Some(*call),
        _ => None,
    }
}

#[test]
fn both_sides_may_update_an_early_dialog() {
    let mut network = Network::pair(1);
    let ours = network.call(|_| {});
    let theirs = network.until(1, incoming);
    network.with(1, |end, now| {
        let status = StatusCode::SESSION_PROGRESS;
        end.ring(theirs, status, Some(sdp()), true, now).unwrap();
    });
    network.until(0, |event| {
        matches!(event, Event::Progress { .. }).then_some(())
    });
    network.with(0, |end, now| end.update(ours, Some(sdp()), now).unwrap());
    network.until(1, updated);
    network.with(1, |end, now| {
        end.answer_reinvite(theirs, Some(sdp()), now).unwrap();
    });
    network.until(0, |event| {
        matches!(event, Event::ReinviteAnswered { .. }).then_some(())
    });
    network.with(1, |end, now| end.update(theirs, Some(sdp()), now).unwrap());
    network.until(0, updated);
    network.with(0, |end, now| {
        end.answer_reinvite(ours, Some(sdp()), now).unwrap();
    });
    network.with(1, |end, now| end.accept(theirs, None, now).unwrap());
    network.until(0, answered);
    network.until(1, confirmed);
    network.until_quiet();
}
