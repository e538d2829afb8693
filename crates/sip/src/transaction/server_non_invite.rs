//! Non-INVITE server transaction (RFC 3261 section 17.2.2).

use core::time::Duration;

use super::{Effect, Timers};

/// Where the transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerNonInviteState {
    /// The request went up; nothing was sent.
    Trying,
    /// A provisional response was sent.
    Proceeding,
    /// A final response was sent; repeated requests get it again until timer J.
    Completed,
    /// Over.
    Terminated,
}

/// The machine alone: it holds no message, only says what is to be done with one.
#[derive(Debug, Clone)]
pub struct ServerNonInvite {
    state: ServerNonInviteState,
    timers: Timers,
    reliable: bool,
    /// Timer J; before the response, timer F of the peer: nobody waits for an answer after it.
    end_at: Option<Duration>,
}

impl ServerNonInvite {
    /// Starts in `Trying`. `reliable`: TCP or TLS.
    pub fn new(timers: Timers, reliable: bool, now: Duration) -> Self {
        Self {
            state: ServerNonInviteState::Trying,
            timers,
            reliable,
            end_at: Some(now.saturating_add(timers.f())),
        }
    }

    /// Where it stands.
    pub fn state(&self) -> ServerNonInviteState {
        self.state
    }

    /// The request arrived again.
    pub fn handle_retransmission(&mut self) -> Effect {
        match self.state {
            ServerNonInviteState::Proceeding | ServerNonInviteState::Completed => {
                Effect::Retransmit
            }
            ServerNonInviteState::Trying | ServerNonInviteState::Terminated => Effect::Nothing,
        }
    }

    /// The user wants to send a response; `Deliver` means: put it on the wire.
    pub fn send_response(&mut self, status: u16, now: Duration) -> Effect {
        use ServerNonInviteState as S;
        match (self.state, status) {
            (S::Trying | S::Proceeding, 100..=199) => {
                self.state = S::Proceeding;
                Effect::Deliver
            }
            (S::Trying | S::Proceeding, 200..) => {
                self.state = S::Completed;
                self.end_at = Some(now.saturating_add(self.timers.j(self.reliable)));
                Effect::Deliver
            }
            _ => Effect::Nothing,
        }
    }

    /// Ends it when it is due.
    pub fn handle_timeout(&mut self, now: Duration) -> Effect {
        if self.end_at.is_some_and(|at| at <= now) {
            let waiting = self.state != ServerNonInviteState::Completed;
            self.terminate();
            if waiting {
                return Effect::TimedOut;
            }
        }
        Effect::Nothing
    }

    /// Ends it at once: the transport is gone.
    pub fn terminate(&mut self) {
        self.state = ServerNonInviteState::Terminated;
        self.end_at = None;
    }

    /// When `handle_timeout` is due next.
    pub fn next_timeout(&self) -> Option<Duration> {
        self.end_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_request_gets_the_same_answer_until_timer_j() {
        let mut machine = ServerNonInvite::new(Timers::default(), false, Duration::ZERO);
        assert_eq!(machine.handle_retransmission(), Effect::Nothing);
        assert_eq!(machine.send_response(200, Duration::ZERO), Effect::Deliver);
        assert_eq!(machine.send_response(500, Duration::ZERO), Effect::Nothing);
        assert_eq!(machine.handle_retransmission(), Effect::Retransmit);
        assert_eq!(machine.next_timeout(), Some(Duration::from_secs(32)));
        assert_eq!(
            machine.handle_timeout(Duration::from_secs(32)),
            Effect::Nothing
        );
        assert_eq!(machine.state(), ServerNonInviteState::Terminated);
    }

    #[test]
    fn an_unanswered_request_ends_with_the_peers_timer_f() {
        let mut machine = ServerNonInvite::new(Timers::default(), true, Duration::ZERO);
        assert_eq!(
            machine.handle_timeout(Duration::from_secs(32)),
            Effect::TimedOut
        );
        assert_eq!(machine.next_timeout(), None);
    }
}
