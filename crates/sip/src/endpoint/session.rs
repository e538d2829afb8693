//! The rows of session timers, and how they meet a call (RFC 4028).

use core::time::Duration;

use super::call::Call;
use crate::session_timer::{
    MIN_SE_S, Refresher, SessionAnswer, SessionAsk, SessionTimer, SessionTimerConfig, answer,
};
use crate::values::SessionExpires;
use crate::{HeaderName, Headers, Request, Response};

/// Longest Min-SE of a 422 that is followed: a day.
const MIN_SE_MAX_S: u32 = 86_400;

/// The rows of a request of ours that asks for a session timer (section 7.1).
pub(super) fn push_wish(headers: &mut Headers, wish: SessionTimerConfig) {
    let seconds = wish.interval_s.max(wish.min_se_s).max(MIN_SE_S);
    let refresher = wish.refresher;
    headers.push_display(
        HeaderName::SessionExpires,
        SessionExpires { seconds, refresher },
    );
    if wish.min_se_s > MIN_SE_S {
        headers.push_display(HeaderName::MinSe, wish.min_se_s);
    }
}

/// 422: raises the wish to the Min-SE of the response; `false`: it says nothing usable.
pub(super) fn raise(wish: &mut Option<SessionTimerConfig>, response: &Response) -> bool {
    let Ok(Some(min_se_s)) = response.headers.min_se() else {
        return false;
    };
    let mut raised = wish.unwrap_or_default();
    if min_se_s > MIN_SE_MAX_S || min_se_s <= raised.min_se_s {
        return false;
    }
    raised.min_se_s = min_se_s;
    raised.interval_s = raised.interval_s.max(min_se_s);
    *wish = Some(raised);
    true
}

/// A 2xx to a request of ours: starts what was agreed (section 7.2).
pub(super) fn agreed(call: &mut Call, response: &Response, now: Duration) {
    call.session = match response.headers.session_expires() {
        Ok(Some(expires)) => {
            // Absent means the client, when it asked (section 7.2).
            let ours = expires.refresher != Some(Refresher::Uas);
            Some(SessionTimer::start(
                expires.seconds.max(MIN_SE_S),
                ours,
                now,
            ))
        }
        _ => None,
    };
}

/// What a request of the peer asks, and what we answer.
pub(super) fn decide(request: &Request, config: Option<SessionTimerConfig>) -> SessionAnswer {
    let headers = &request.headers;
    let expires = headers.session_expires().ok().flatten();
    let ask = SessionAsk {
        supported: headers.lists(&HeaderName::Supported, "timer")
            || headers.lists(&HeaderName::Require, "timer"),
        expires: expires.map(|expires| (expires.seconds, expires.refresher)),
        min_se_s: headers.min_se().ok().flatten(),
    };
    answer(ask, config)
}

/// Puts an answer into our 2xx and starts the timer (section 9).
pub(super) fn grant(call: &mut Call, answer: SessionAnswer, headers: &mut Headers, now: Duration) {
    match answer {
        SessionAnswer::On(seconds, refresher) => {
            let row = SessionExpires {
                seconds,
                refresher: Some(refresher),
            };
            headers.push_display(HeaderName::SessionExpires, row);
            if refresher == Refresher::Uac {
                headers.push(HeaderName::Require, "timer");
            }
            let ours = refresher == Refresher::Uas;
            call.session = Some(SessionTimer::start(seconds, ours, now));
        }
        SessionAnswer::Off | SessionAnswer::TooSmall(_) => call.session = None,
    }
}
